"""Label rendered shards with the teacher: MediaPipe FaceLandmarker's blendshapes, mesh and matrix.

Runs in an environment of its own (``pip install mediapipe==1.2.2 "opencv-contrib-python<5"``)::

    python tools/label_with_mediapipe.py --model face_landmarker.task CACHE/train

Each shard folder gets ``blendshapes.npy`` (n, 52), ``teacher_mesh.npy`` (n, 478, 3) px,
``teacher_matrix.npy`` (n, 4, 4), ``teacher_error.npy`` (n,): the mean point error between the
teacher's mesh and the known one in outer-eye-corner distances, and ``usable.npy`` (n,) uint8: the
teacher found a face and its mesh is within 0.08. Blendshapes of unusable pictures are NaN. Shards
that have ``usable.npy`` are skipped.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

LIMIT = 0.08


def label(folder: Path, model: vision.FaceLandmarker) -> None:
    """Label one shard."""
    images = np.load(folder / "image.npy", mmap_mode="r")
    truth = np.load(folder / "mesh.npy")
    n, size = len(images), images.shape[1]
    blend = np.full((n, 52), np.nan, np.float32)
    mesh = np.full((n, 478, 3), np.nan, np.float32)
    matrix = np.full((n, 4, 4), np.nan, np.float32)
    error = np.full(n, np.nan, np.float32)
    for i in range(n):
        picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(images[i]))
        found = model.detect(picture)
        if not found.face_landmarks:
            continue
        points = np.array([[p.x, p.y, p.z] for p in found.face_landmarks[0]]) * size
        points[:, :2] -= 0.5  # MediaPipe's px run from the edge; ours from the first pixel's centre
        away = np.linalg.norm(points[:, :2] - truth[i, :, :2], axis=1).mean()
        # Scale in space, so that a turned head does not count as an error.
        error[i] = away / np.linalg.norm(truth[i, 33] - truth[i, 263])
        mesh[i] = points
        matrix[i] = found.facial_transformation_matrixes[0]
        blend[i] = [b.score for b in found.face_blendshapes[0]]
    usable = error < LIMIT
    blend[~usable] = np.nan
    np.save(folder / "blendshapes.npy", blend)
    np.save(folder / "teacher_mesh.npy", mesh)
    np.save(folder / "teacher_matrix.npy", matrix)
    np.save(folder / "teacher_error.npy", error)
    np.save(folder / "usable.npy", usable.astype(np.uint8))
    print(f"{folder}: usable {usable.mean():.3f}, median error {np.nanmedian(error):.4f}",
          file=sys.stderr, flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="+", type=Path, help="splits that hold shard folders")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--wait", type=float, default=0, help="seconds to wait for further shards")
    args = parser.parse_args()
    model = vision.FaceLandmarker.create_from_options(
        vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(args.model)),
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
    )
    idle = 0.0
    while True:
        todo = [
            shard.parent
            for folder in args.folder
            for shard in sorted(folder.glob("*/manifest.json"))
            if not (shard.parent / "usable.npy").exists()
        ]
        for folder in todo:
            label(folder, model)
        idle = 0.0 if todo else idle + 5
        if idle >= args.wait:
            break
        time.sleep(5)
    sys.stderr.flush()
    os._exit(0)  # the teacher's own shutdown raises


if __name__ == "__main__":
    main()
