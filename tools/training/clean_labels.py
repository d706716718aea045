"""Take the noise of bad pictures out of the teacher's labels, from what is known without them.

::

    python tools/training/clean_labels.py CACHE/train

The teacher sees the pictures as the network will: blurred, dark, partly hidden. Its mesh of the
same photograph moves by 0.018 of the distance of the outer eye corners when the picture gets bad,
nearly as much as a trained network's from the teacher's. But the pictures are made here, so that
more is known:

* Of a photograph, bent or not, the mesh that the teacher finds in the original (``mesh.npy``).
* Of a render, the mesh that was drawn, and how the teacher's differs from it on average for such a
  shape, pose, gaze and expression (ridge regression). Of what is left, `KEPT` stays.

Writes ``target_mesh.npy`` and, for renders, ``target_pose.npy`` into each shard, also into renders
that the teacher has not seen. Then ``blendshapes_of_meshes.py`` and ``merge_labels.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from shards import teacher_pose

FloatArray = npt.NDArray[np.float64]

KEPT = 0.3  # of what the known does not explain: the picture may show what was not drawn
SHAPES = 80  # principal components of the drawn mesh
RIDGE = 10.0


def unit(mesh: FloatArray) -> FloatArray:
    """Distance of the outer eye corners (n, 1, 1)."""
    corners = mesh[:, 33] - mesh[:, 263]
    return np.asarray(np.linalg.norm(corners, axis=1))[:, None, None]


class Known:
    """What is known of renders, as features; fitted on some, made for others."""

    def __init__(self, mesh: FloatArray) -> None:
        shape = self._shape(mesh)
        self._mean = shape.mean(0)
        rows = np.linspace(0, len(shape) - 1, min(3000, len(shape))).astype(int)
        self._axes = np.linalg.svd(shape[rows] - self._mean, full_matrices=False)[2][:SHAPES].T
        self._spread = ((shape - self._mean) @ self._axes).std(0) + 1e-9

    @staticmethod
    def _shape(mesh: FloatArray) -> FloatArray:
        middle = mesh[:, :468].mean(1, keepdims=True)
        return np.asarray(((mesh - middle) / unit(mesh)).reshape(len(mesh), -1))

    def features(
        self, mesh: FloatArray, pose: FloatArray, gaze: FloatArray, aus: FloatArray
    ) -> FloatArray:
        """Give the columns of the regression."""
        shape = (self._shape(mesh) - self._mean) @ self._axes / self._spread
        return np.column_stack([shape, pose, pose**2, gaze, aus, np.ones(len(shape))])


def ridge(x: FloatArray, y: FloatArray) -> FloatArray:
    """Weights of a ridge regression; the constant (last column) is free."""
    penalty = RIDGE * np.eye(x.shape[1])
    penalty[-1, -1] = 0
    return np.asarray(np.linalg.solve(x.T @ x + penalty, x.T @ y))


def load(shards: list[Path], name: str) -> FloatArray:
    """Read one field of several shards."""
    return np.concatenate([np.load(s / f"{name}.npy") for s in shards]).astype(np.float64)


def clean(split: Path) -> None:
    """Fit on the labelled renders of a split, and write the targets of all its shards."""
    labelled = sorted(p.parent for p in split.glob("*/usable.npy"))
    renders = [s for s in labelled if (s / "pose.npy").exists()]
    usable = load(renders, "usable") > 0
    mesh, pose, gaze, aus = (load(renders, n)[usable] for n in ("mesh", "pose", "gaze", "au"))
    seen = load(renders, "teacher_mesh")[usable]
    known = Known(mesh)
    x = known.features(mesh, pose, gaze, aus)
    size = unit(mesh)
    away = ((seen - mesh) / size).reshape(len(mesh), -1)
    turned = teacher_pose(load(renders, "teacher_matrix")[usable]) - pose
    weights, turns = ridge(x, away), ridge(x, turned)
    left = away - x @ weights
    for name, rows in (("before", away), ("after", left)):
        points = np.linalg.norm(rows.reshape(len(rows), -1, 3)[..., :2], axis=-1)
        print(f"teacher's mesh from the drawn one, {name}: {np.median(points.mean(1)):.4f}")

    every = sorted(p.parent for p in split.glob("*/manifest.json"))
    for shard in every:
        target = np.load(shard / "mesh.npy").astype(np.float64)
        if (shard / "pose.npy").exists():
            drawn, turn = target, np.load(shard / "pose.npy").astype(np.float64)
            looks, aus = np.load(shard / "gaze.npy"), np.load(shard / "au.npy")
            x = known.features(drawn, turn, looks, aus)
            target = drawn + (x @ weights).reshape(drawn.shape) * unit(drawn)
            angles = turn + x @ turns
            if shard in renders:
                fine = np.load(shard / "usable.npy") > 0
                target[fine] += KEPT * (np.load(shard / "teacher_mesh.npy") - target)[fine]
                own = teacher_pose(np.load(shard / "teacher_matrix.npy")[fine])
                angles[fine] += KEPT * (own - angles[fine])
            np.save(shard / "target_pose.npy", angles.astype(np.float32))
        np.save(shard / "target_mesh.npy", target.astype(np.float32))
        print(shard)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("split", type=Path, help="folder of labelled shards")
    clean(parser.parse_args().split)


if __name__ == "__main__":
    main()
