"""AFLW2000-3D: head pose of photographs from the web (Zhu et al., 2016)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from facemt_analysis.benchmark.base import Benchmark, Sample
from facemt_analysis.benchmark.datasets.landmark_files import around
from facemt_analysis.benchmark.layout import files_in, incomplete, need
from facemt_analysis.benchmark.tasks.pose import PoseTask

__all__ = ["AFLW2000"]


@dataclass(frozen=True, kw_only=True)
class AFLW2000(Benchmark):
    """Mean absolute error of yaw, pitch and roll; heads beyond 99° are left out, as is usual.

    ``Pose_Para`` holds pitch, yaw, roll in rad, + = up, to the subject's right, and tilted to the
    subject's left (as Ruiz et al., 2018, draw it), so the sign of roll is turned.
    """

    name: ClassVar[str] = "aflw2000"
    title: ClassVar[str] = "AFLW2000-3D, head pose"
    licence: ClassVar[str] = "research"
    citation: ClassVar[str] = (
        "Zhu, Lei, Liu, Shi & Li (2016), Face alignment across large poses, CVPR, "
        "https://doi.org/10.1109/CVPR.2016.23; protocol: Ruiz, Chong & Rehg (2018), CVPR "
        "Workshops, https://doi.org/10.1109/CVPRW.2018.00281"
    )
    tree: ClassVar[str] = """
image00002.jpg and image00002.mat   (or in AFLW2000/)
"""

    @property
    def task(self) -> PoseTask:
        """Angles of the head."""
        return PoseTask(limit=99.0)

    def samples(self, root: Path) -> Iterator[Sample]:
        """Give the images by name."""
        from scipy.io import loadmat

        folder = root / "AFLW2000" if (root / "AFLW2000").is_dir() else root
        labels = files_in(folder, ".mat")
        if not labels:
            incomplete("there is no .mat file", root, self.tree)
        for path in labels:
            try:
                content = loadmat(path)
                pitch, yaw, roll = np.asarray(content["Pose_Para"], np.float64)[0, :3]
                points = np.asarray(content["pt3d_68"], np.float64)[:2].T
            except (ValueError, KeyError, OSError, NotImplementedError) as error:
                incomplete(f"{path.name} is not as expected ({error})", root, self.tree)
            truth = {"Pitch": float(pitch), "Yaw": float(yaw), "Roll": float(-roll)}
            image = need(path.with_suffix(".jpg"), root, self.tree)
            yield Sample(path.stem, image, truth, box=around(points))
