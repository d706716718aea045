"""Labelled face chips on disk.

A shard is a folder of ``.npy`` files with one row per face:

=============  ==================  =========================================================
``image``      (n, S, S, 3) uint8  RGB chip, a little wider than the network's so it can jitter
``mesh``       (n, 478, 3)         px of the chip (integers are pixel centres), isotropic
``pose``       (n, 3)              rotation vector, radians: + = up, turn to, tilt to own right
``gaze``       (n, 2)              pitch, yaw relative to the head, radians: + = up, right
``au``         (n, n_au)           0-1, in the order of the schema
``emotion``    (n, n_emotion)      probabilities that sum to one
``va``         (n, 2)              valence, arousal
``blendshapes``  (n, 52)           MediaPipe's blendshapes
=============  ==================  =========================================================

All but ``image`` may be absent, and NaN marks a missing label. Where a teacher has labelled the
faces (``teacher_mesh.npy``, ``teacher_matrix.npy``, ``usable.npy``, written by
``tools/label_with_mediapipe.py``), its mesh and pose take the place of the known ones: its face
outline is that of real faces, and it is what people compare with. ``target_<field>.npy``, written
by ``clean_labels.py`` and ``tools/merge_labels.py``, takes the place of both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation

FIELDS = ("mesh", "pose", "gaze", "au", "emotion", "va", "blendshapes")
WIDTHS = {"mesh": (478, 3), "pose": (3,), "gaze": (2,), "va": (2,), "blendshapes": (52,)}

Batch = dict[str, torch.Tensor]


class Shards:
    """All faces of some shard folders, memory-mapped.

    Parameters
    ----------
    folders
        Shard folders, or folders of shard folders.
    n_au, n_emotion
        Widths of the labels that a shard may lack altogether.
    teacher
        Prefer what the teacher says to what was drawn.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        n_au: int = 20,
        n_emotion: int = 7,
        teacher: bool = True,
    ) -> None:
        self.teacher = teacher
        # a shard is complete when its manifest is there; a folder named twice counts twice
        found = [m.parent for f in folders for m in sorted(Path(f).rglob("manifest.json"))]
        if not found:
            raise SystemExit(
                f"error: no shard (manifest.json) under {', '.join(map(str, folders))}"
            )
        self.folders = found
        self.widths = {**WIDTHS, "au": (n_au,), "emotion": (n_emotion,)}
        self._images = [np.load(f / "image.npy", mmap_mode="r") for f in found]
        self._labels = [self._read(f, len(i)) for f, i in zip(found, self._images, strict=True)]
        self._where = np.array(
            [(s, i) for s, images in enumerate(self._images) for i in range(len(images))]
        )

    def _read(self, folder: Path, n: int) -> dict[str, np.ndarray]:
        labels = {}
        for field in FIELDS:
            path = folder / f"target_{field}.npy"
            if not (self.teacher and path.exists()):
                path = folder / f"{field}.npy"
            shape = (n, *self.widths[field])
            labels[field] = np.load(path) if path.exists() else np.full(shape, np.nan, np.float32)
            if labels[field].shape != shape:
                raise SystemExit(
                    f"error: {path}: expected shape {shape}, got {labels[field].shape}"
                )
        if self.teacher and (folder / "usable.npy").exists():
            usable = np.load(folder / "usable.npy").astype(bool)
            if not (folder / "target_mesh.npy").exists():
                labels["mesh"][usable] = np.load(folder / "teacher_mesh.npy")[usable]
            if not (folder / "target_pose.npy").exists():
                labels["pose"][usable] = teacher_pose(
                    np.load(folder / "teacher_matrix.npy")[usable]
                )
        return labels

    def __len__(self) -> int:
        return len(self._where)

    def batch(self, rows: np.ndarray) -> Batch:
        """Faces at some positions: images (n, 3, S, S) in [0, 1], labels float32."""
        where = [self._where[r] for r in rows]
        images = np.stack([self._images[s][i] for s, i in where])
        out = {"image": torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255}
        for field in FIELDS:
            values = np.stack([self._labels[s][field][i] for s, i in where])
            out[field] = torch.from_numpy(values.astype(np.float32))
        return out

    def epoch(
        self, size: int, rng: np.random.Generator, limit: int | None = None
    ) -> Iterator[Batch]:
        """Yield the faces once, shuffled, in full batches; at most `limit` of them."""
        order = rng.permutation(len(self))[:limit]
        for first in range(0, len(order) - size + 1, size):
            yield self.batch(order[first : first + size])

    def how_common(self) -> torch.Tensor:
        """Share of each emotion (n_emotion,) among the labels."""
        labels = np.concatenate([labels["emotion"] for labels in self._labels])
        return torch.from_numpy(np.nanmean(labels.astype(np.float32), axis=0))

    def summary(self) -> dict[str, int]:
        """Count the faces by kind of shard, for the summary in the checkpoint."""
        kinds: dict[str, int] = {}
        for folder in dict.fromkeys(self.folders):
            manifest = json.loads((folder / "manifest.json").read_text())
            kind = str(manifest.get("kind", "unknown"))
            kinds[kind] = kinds.get(kind, 0) + int(manifest["count"])
        return kinds


def teacher_pose(matrix: np.ndarray) -> np.ndarray:
    """Rotation vectors (+ = up, own right, tilt right) of the teacher's matrices (n, 4, 4)."""
    turn = matrix[:, :3, :3] / np.cbrt(np.linalg.det(matrix[:, :3, :3]))[:, None, None]
    return Rotation.from_matrix(turn).as_rotvec() * [-1, -1, 1]
