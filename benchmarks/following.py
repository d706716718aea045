"""How far faces that are followed between looks lie from faces found in every frame.

::

    python benchmarks/following.py --weights open FILM...
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from facemt_analysis import Detector, schema

BOX = ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"]


class Counted:
    """A face detector that counts the frames it looks at."""

    def __init__(self, detector: object) -> None:
        self._detector = detector
        self.name, self.framing = detector.name, detector.framing
        self.thread_safe = getattr(detector, "thread_safe", False)
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


def compare(detector: Detector, film: Path, follow: int) -> dict[str, object]:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("films", nargs="+", type=Path)
    parser.add_argument("--weights", default="open")
    parser.add_argument("--face-detector")
    parser.add_argument("--follow", type=int, default=8)
    args = parser.parse_args()
    detector = Detector(args.weights, face_detector=args.face_detector)
    rows = [compare(detector, film, args.follow) for film in args.films]
    print(pd.DataFrame(rows).set_index("film").T.to_string(float_format="{:.4f}".format))


if __name__ == "__main__":
    main()
