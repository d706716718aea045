"""Make a shard of training faces from a table of images with some labels.

::

    python tools/training/shards_from_table.py labels.csv --out cache/mine

``labels.csv`` has a column ``image`` (path, relative to the table) and any Fex columns there are
labels for: action units, emotions, valence and arousal, ``Pitch Yaw Roll``, ``gaze_pitch
gaze_yaw``, blendshapes, ``mesh_x_0 …`` in pixels of the image. An empty cell is a missing label.
The largest face of each image is cut out as the Detector would, a little wider so that it can be
jittered; images without a face are named and left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.detection import resolve_face_detector, square_chips
from facemt_analysis.detection.media import read_image

MARGIN = 1.125  # side of a stored chip over that of a well-placed one
FIELDS = {
    "pose": ("Pitch", "Yaw", "Roll"),
    "gaze": ("gaze_pitch", "gaze_yaw"),
    "va": ("valence", "arousal"),
    "blendshapes": schema.BLENDSHAPES,
}


def labels_of(table: pd.DataFrame, n_au: int, n_emotion: int) -> dict[str, np.ndarray]:
    """Labels per field, (n, width) float32, NaN where the table says nothing."""
    fields = {
        **FIELDS,
        "au": schema.au_columns(n_au),
        "emotion": schema.emotion_columns(n_emotion),
    }
    found = {}
    for field, columns in fields.items():
        if any(c in table.columns for c in columns):
            found[field] = table.reindex(columns=list(columns)).to_numpy(np.float32)
    if "emotion" in found:  # a face has all emotions labelled or none
        found["emotion"] /= found["emotion"].sum(axis=1, keepdims=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder of the shard")
    parser.add_argument("--face-detector", default="haar")
    parser.add_argument("--size", type=int, default=144, help="side of the stored chips, px")
    parser.add_argument("--n-au", type=int, default=20)
    parser.add_argument("--n-emotion", type=int, default=7)
    args = parser.parse_args()
    table = pd.read_csv(args.table)
    if "image" not in table.columns:
        raise SystemExit(f"error: {args.table}: expected a column 'image' with paths of pictures")
    detector = resolve_face_detector(args.face_detector)
    images, meshes, kept = [], [], []
    mesh_columns = list(schema.GROUPS["meshes"].columns)
    has_mesh = set(mesh_columns) <= set(table.columns)
    for row, name in enumerate(table["image"]):
        frame = read_image(args.table.parent / name)
        boxes = detector.detect([frame])[0]
        if not len(boxes):
            print(f"{name}: no face found, left out", file=sys.stderr)
            continue
        largest = boxes[[np.argmax((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))]]
        framed = detector.framing.apply(largest[:, :4])
        chip, place = square_chips([frame], framed, [0], size=args.size, expand=1.2 * MARGIN)
        images.append((chip[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
        kept.append(row)
        if has_mesh:
            x, y, side = place[0].tolist()
            mesh = table.loc[row, mesh_columns].to_numpy(np.float32).reshape(3, -1).T
            mesh = (mesh - [x, y, 0.0]) / side * args.size
            meshes.append(mesh - [0.5, 0.5, 0.0])  # integers are pixel centres
    if not images:
        raise SystemExit(f"error: {args.table}: no face found in any of {len(table)} images")
    args.out.mkdir(parents=True, exist_ok=True)
    np.save(args.out / "image.npy", np.stack(images))
    if has_mesh:
        np.save(args.out / "mesh.npy", np.stack(meshes).astype(np.float32))
    labels = labels_of(table.iloc[kept], args.n_au, args.n_emotion)
    for field, values in labels.items():
        np.save(args.out / f"{field}.npy", values)
    manifest = {"kind": "table", "count": len(images), "size": args.size, "margin": MARGIN,
                "fields": [*labels, *(["mesh"] if has_mesh else [])]}  # fmt: skip
    (args.out / "manifest.json").write_text(json.dumps(manifest, indent=1))
    print(f"{len(images)} of {len(table)} faces written to {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
