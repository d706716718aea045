"""How far faces that are followed between looks lie from faces found in every frame.

::

    python benchmarks/following.py --weights open FILM...
    python benchmarks/following.py --crossing ../shared/media

The second makes films of two real faces that pass one in front of the other, slowly and fast, and
counts the changes of their tracks.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from facemt_analysis import Detector, schema

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "detection"))

from crossing import crossing_film, switches

BOX = ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"]


class Counted:
    """A face detector that counts the frames it looks at."""

    def __init__(self, detector: object) -> None:
        self._detector = detector
        self.name, self.framing = detector.name, detector.framing
        self.thread_safe = getattr(detector, "thread_safe", False)
        self.rough = getattr(detector, "rough", False)
        self.looks = 0

    def detect(self, frames: list[np.ndarray]) -> list[np.ndarray]:
        self.looks += len(frames)
        return self._detector.detect(frames)


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (n, 4) `x y width height`."""
    low = np.maximum(a[:, :2], b[:, :2])
    high = np.minimum(a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:])
    shared = (high - low).clip(min=0).prod(axis=1)
    return shared / (a[:, 2:].prod(axis=1) + b[:, 2:].prod(axis=1) - shared)


def compare(detector: Detector, film: Path, follow: int | bool) -> dict[str, object]:
    """Detect a film both ways; faces are paired by frame and track."""
    counted = Counted(detector.face_detector)
    detector.face_detector = counted
    tables = []
    for every in (1, follow):
        detector.follow, counted.looks = every, 0
        tables.append(detector.detect(film, progress=False))
    detector.face_detector = counted._detector
    seen = [pd.DataFrame(t[t["track"] >= 0]).set_index(["frame", "track"]) for t in tables]
    both = seen[0].index.intersection(seen[1].index)
    one, two = (s.loc[both] for s in seen)
    units = [c for c in schema.GROUPS["aus"].columns if c in one.columns]
    shared = overlap(one[BOX].to_numpy(float), two[BOX].to_numpy(float))
    apart = (one[units] - two[units]).abs()
    return {
        "film": film.name,
        "frames": tables[0]["frame"].nunique(),
        "looks": counted.looks,
        "faces": f"{len(seen[0])} / {len(seen[1])}",
        "paired": len(both),
        "IoU mean": shared.mean(),
        "IoU 5%": np.quantile(shared, 0.05),
        "AU mean difference": apart.to_numpy().mean(),
        "largest of an AU": apart.mean().max(),
        "yaw, degrees": np.degrees((one["Yaw"] - two["Yaw"]).abs().mean()),
    }


def cross(
    detector: Detector, media: Path, follow: int | bool, path: Path
) -> list[dict[str, object]]:
    """Detect films of crossing faces both ways."""
    rows = []
    for seconds, rise, front in itertools.product((2.0, 3.0, 5.0), (0, 40, 90), (0, 1)):
        centres = crossing_film(path, media, seconds=seconds, rise=rise, front=front)
        for every in (1, follow):
            detector.follow = every
            changes, faces = switches(detector.detect(path, progress=False), centres)
            row = {"seconds": seconds, "shifted by, px": rise, "in front": front, "look": every}
            rows.append({**row, "faces": faces, "changes of track": changes})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("films", nargs="*", type=Path)
    parser.add_argument("--crossing", type=Path, help="folder with the films of the two faces")
    parser.add_argument("--weights", default="open")
    parser.add_argument("--face-detector")
    parser.add_argument("--follow", type=int, default=True, help="default: 0.4 s apart")
    args = parser.parse_args()
    detector = Detector(args.weights, face_detector=args.face_detector)
    if args.crossing:
        with tempfile.TemporaryDirectory() as folder:
            crossed = cross(detector, args.crossing, args.follow, Path(folder) / "film.mp4")
        print(pd.DataFrame(crossed).to_string(index=False))
    if not args.films:
        return
    rows = [compare(detector, film, args.follow) for film in args.films]
    print(pd.DataFrame(rows).set_index("film").T.to_string(float_format="{:.4f}".format))


if __name__ == "__main__":
    main()
