"""Measure how differently face detectors frame a face, against the jitter of the training faces.

::

    python tools/measure_framing.py --portraits ../shared/faces --published ../shared/fex

Haar boxes on the portraits with the teacher's mesh; RetinaFace boxes in tables of the published
network with its own mesh. Deviations are from the framing of the renders (`CHIP_FRAMING`): log side
relative to the height of the mesh, and shifts of the centre in sides.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.detection.faces import resolve_face_detector
from facemt_analysis.detection.media import read_image
from facemt_analysis.simulate import CHIP_FRAMING

EXPAND = 1.2  # side of the chip / longer side of the box
# Standard deviations in training: when rendered, and once more when cropped (--jitter)
TRAINING = {"log side": np.hypot(0.08, 0.06), "up": np.hypot(0.035, 0.03)}
TRAINING["right"] = TRAINING["up"]


def deviations(boxes: np.ndarray, meshes: np.ndarray, expand: float) -> pd.DataFrame:
    """Deviation of boxes (n, 4) x1, y1, x2, y2 from the training framing of meshes (n, m, 2)."""
    low, high = meshes.min(1), meshes.max(1)
    side = expand * np.maximum(*(boxes[:, 2:] - boxes[:, :2]).T)
    away = ((boxes[:, :2] + boxes[:, 2:]) / 2 - (low + high) / 2) / side[:, None]
    return pd.DataFrame(
        {
            "log side": np.log(side / (high - low)[:, 1] / CHIP_FRAMING.scale),
            "up": -away[:, 1] - CHIP_FRAMING.up,
            "right": away[:, 0] - CHIP_FRAMING.right,
        }
    )


def haar(portraits: Path) -> pd.DataFrame:
    """Boxes of the Haar cascade on the portraits."""
    detector = resolve_face_detector("haar")
    boxes, meshes = [], []
    with np.load(portraits / "portraits_mediapipe.npz") as data:
        for name, mesh in zip(data["files"], data["mesh"], strict=True):
            found = detector.detect([read_image(portraits / "portraits" / str(name))])[0][:, :4]
            nose = mesh[1, :2]
            on_face = ((found[:, :2] < nose) & (nose < found[:, 2:])).all(1)
            if on_face.any():
                boxes.append(detector.framing.apply(found[on_face][:1])[0])
                meshes.append(mesh[:, :2])
    return deviations(np.array(boxes), np.array(meshes), EXPAND)


def published(folder: Path) -> Iterator[pd.DataFrame]:
    """Boxes of RetinaFace in the tables of the published network."""
    columns = schema.GROUPS["meshes"].columns
    n = len(columns) // 3
    for path in sorted(folder.glob("0*.csv")):
        table = pd.read_csv(path).dropna(subset=["FaceRectX", columns[0]])
        x, y, width, height = (
            table[f"FaceRect{c}"].to_numpy(float) for c in ("X", "Y", "Width", "Height")
        )
        mesh = table[list(columns[: 2 * n])].to_numpy(float).reshape(len(table), 2, n)
        boxes = np.stack([x, y, x + width, y + height], 1)
        yield deviations(boxes, mesh.transpose(0, 2, 1), 1.0)  # these tables hold expanded boxes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--published", type=Path, required=True)
    args = parser.parse_args()
    rows = []
    for name, found in (
        ("haar", haar(args.portraits)),
        ("retinaface", pd.concat(list(published(args.published)))),
    ):
        for measure, sd in TRAINING.items():
            values = found[measure].to_numpy()
            low, middle, high = np.percentile(values, [2.5, 50, 97.5])
            rows.append((name, measure, len(values), low, middle, high, values.std(), sd,
                         (np.abs(values) < 2 * sd).mean()))  # fmt: skip
    header = ["detector", "measure", "n", "2.5 %", "50 %", "97.5 %", "sd", "sd in training",
              "within 2 sd of training"]  # fmt: skip
    print(pd.DataFrame(rows, columns=header).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
