"""BIWI: head pose of twenty people before a depth camera (Fanelli et al., 2013)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from facemt_analysis.benchmark.base import Benchmark, Sample
from facemt_analysis.benchmark.layout import files_in, incomplete, need, subfolders
from facemt_analysis.benchmark.tasks.pose import PoseTask

__all__ = ["BIWI"]


@dataclass(frozen=True, kw_only=True)
class BIWI(Benchmark):
    """Mean absolute error of yaw, pitch and roll over all frames.

    The rotation of a frame is read as yaw, pitch and roll as Ruiz et al. (2018) do; their roll is +
    to the subject's left, so its sign is turned.

    Parameters
    ----------
    every
        Take every n-th frame only.
    """

    name: ClassVar[str] = "biwi"
    title: ClassVar[str] = "BIWI Kinect, head pose"
    licence: ClassVar[str] = "research"
    citation: ClassVar[str] = (
        "Fanelli, Dantone, Gall, Fossati & Van Gool (2013), Random forests for real time 3D face "
        "analysis, IJCV, https://doi.org/10.1007/s11263-012-0549-0; protocol: Ruiz, Chong & Rehg "
        "(2018), CVPR Workshops, https://doi.org/10.1109/CVPRW.2018.00281"
    )
    tree: ClassVar[str] = """
hpdb/01/frame_00003_rgb.png   (or 01/frame_00003_rgb.png)
hpdb/01/frame_00003_pose.txt   (three lines of rotation, then the centre)
"""

    every: int = field(default=1, metadata={"help": "take every n-th frame"})

    @property
    def task(self) -> PoseTask:
        """Angles of the head."""
        return PoseTask()

    def samples(self, root: Path) -> Iterator[Sample]:
        """Give the frames, person by person."""
        base = root / "hpdb" if (root / "hpdb").is_dir() else root
        people = [p for p in subfolders(base) if p.name.isdigit()]
        if not people:
            incomplete("there is no person's folder", root, self.tree)
        for person in people:
            poses = [p for p in files_in(person, ".txt") if p.stem.endswith("_pose")]
            for path in poses[:: self.every]:
                stem = path.stem.removesuffix("_pose")
                image = need(person / f"{stem}_rgb.png", root, self.tree)
                truth = self._angles(path, root)
                yield Sample(f"{person.name}/{stem}", image, truth, person.name)

    def _angles(self, path: Path, root: Path) -> dict[str, float]:
        try:
            numbers = np.array(path.read_text(encoding="utf-8").split(), np.float64)
            turn = numbers[:9].reshape(3, 3).T
        except ValueError:
            incomplete(f"{path.name} holds no rotation", root, self.tree)
        return {
            "Pitch": float(np.arctan2(turn[2, 1], turn[2, 2])),
            "Yaw": float(np.arctan2(turn[2, 0], np.hypot(turn[2, 1], turn[2, 2]))),
            "Roll": float(np.arctan2(turn[1, 0], turn[0, 0])),
        }
