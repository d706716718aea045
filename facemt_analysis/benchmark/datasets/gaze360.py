"""Gaze360: people in all directions around a panoramic camera (Kellnhofer et al., 2019)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from facemt_analysis.benchmark.base import Benchmark, Sample
from facemt_analysis.benchmark.layout import incomplete, need
from facemt_analysis.benchmark.tasks.gaze import GazeTask

__all__ = ["Gaze360"]

_LIMIT = {"all": 180.0, "front180": 90.0, "front": 20.0}  # degrees from straight into the camera


@dataclass(frozen=True, kw_only=True)
class Gaze360(Benchmark):
    """Mean angular error of the test split, from the text lists of its authors.

    Directions are in the eye coordinate system: x to the left of the image, y up, z away from the
    camera, (0, 0, −1) straight into it (the data set's readme).

    Parameters
    ----------
    view
        ``"all"`` samples, those within 90° (``"front180"``) or 20° (``"front"``) of the camera.
    """

    name: ClassVar[str] = "gaze360"
    title: ClassVar[str] = "Gaze360 test, gaze"
    licence: ClassVar[str] = "non-commercial research under the data set's licence"
    citation: ClassVar[str] = (
        "Kellnhofer, Recasens, Stent, Matusik & Torralba (2019), Gaze360, ICCV, "
        "https://doi.org/10.1109/ICCV.2019.00701"
    )
    tree: ClassVar[str] = """
test.txt   (lines: rec_022/head/000000/000131.jpg x y z)
imgs/rec_022/head/000000/000131.jpg
"""
    card: ClassVar[Mapping[tuple[str, str], float]] = {("angular_error", "gaze"): 12.89}

    view: Literal["all", "front180", "front"] = field(
        default="all", metadata={"help": "all, front180 or front"}
    )

    @property
    def task(self) -> GazeTask:
        """Direction of gaze in the camera's frame."""
        return GazeTask()

    def samples(self, root: Path) -> Iterator[Sample]:
        """Give the test samples as listed; a subject is one person of a recording."""
        path = need(root / "test.txt", root, self.tree)
        images = need(root / "imgs", root, self.tree)
        with path.open(encoding="utf-8") as file:
            for line in file:
                if not line.strip():
                    continue
                image, *parts = line.split()
                try:
                    x, y, z = np.array([float(part) for part in parts])
                except ValueError:
                    incomplete(f"test.txt has the line {line.strip()!r}", root, self.tree)
                length = float(np.sqrt(x * x + y * y + z * z))
                if np.degrees(np.arccos(np.clip(-z / length, -1, 1))) > _LIMIT[self.view]:
                    continue
                truth = {
                    "gaze_pitch": float(np.arcsin(np.clip(y / length, -1, 1))),
                    "gaze_yaw": float(np.arctan2(x, -z)),
                }
                recording, _, person = image.split("/")[:3]
                yield Sample(image, images / image, truth, f"{recording}/{person}")
