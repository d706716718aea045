"""WFLW: 98 landmarks under large poses, expressions, occlusion (Wu et al., 2018)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from facemt_analysis.benchmark.base import Benchmark, Sample
from facemt_analysis.benchmark.datasets.landmark_files import point_columns
from facemt_analysis.benchmark.layout import incomplete, need
from facemt_analysis.benchmark.tasks.points import LandmarkTask

__all__ = ["WFLW"]

# Point of the 98 that each of the 68 dlib points is (the data set's figure of its points).
_OF_98 = (
    *range(0, 33, 2),  # jaw
    33, 34, 35, 36, 37, 42, 43, 44, 45, 46,  # brows, upper line
    51, 52, 53, 54, 55, 56, 57, 58, 59,  # nose
    60, 61, 63, 64, 65, 67, 68, 69, 71, 72, 73, 75,  # eyes
    *range(76, 96),  # lips
)  # fmt: skip
_SUBSETS = ("pose", "expression", "illumination", "make-up", "occlusion", "blur")
_NUMBERS = 196 + 4 + 6


@dataclass(frozen=True, kw_only=True)
class WFLW(Benchmark):
    """Normalised mean error by the outer eye corners, of the 68 points that both schemes share.

    Parameters
    ----------
    subset
        ``"all"`` test images, or those of one attribute.
    """

    name: ClassVar[str] = "wflw"
    title: ClassVar[str] = "WFLW test, landmarks"
    licence: ClassVar[str] = "non-commercial research"
    citation: ClassVar[str] = (
        "Wu, Qian, Yang et al. (2018), Look at boundary, CVPR, "
        "https://doi.org/10.1109/CVPR.2018.00227"
    )
    tree: ClassVar[str] = """
WFLW_annotations/list_98pt_rect_attr_train_test/list_98pt_rect_attr_test.txt
    (lines: 196 coordinates, box x1 y1 x2 y2, 6 attributes, image)
WFLW_images/37--Soccer/37_Soccer_soccer_ball_37_45.jpg
"""

    subset: Literal["all", "pose", "expression", "illumination", "make-up", "occlusion", "blur"] = (
        field(default="all", metadata={"help": f"all or one of {', '.join(_SUBSETS)}"})
    )

    @property
    def task(self) -> LandmarkTask:
        """Distances of the points, in distances of the outer eye corners."""
        pairs = tuple((of_98, of_68) for of_68, of_98 in enumerate(_OF_98))
        return LandmarkTask(points=pairs, corners=(60, 72))

    def samples(self, root: Path) -> Iterator[Sample]:
        """Give the test faces in the order of the list."""
        folder = root / "WFLW_annotations" / "list_98pt_rect_attr_train_test"
        path = need(folder / "list_98pt_rect_attr_test.txt", root, self.tree)
        images = need(root / "WFLW_images", root, self.tree)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip():
                continue
            *values, name = line.split()
            if len(values) != _NUMBERS:
                incomplete(f"line {number} of {path.name} has {len(values)} numbers, not "
                           f"{_NUMBERS}", root, self.tree)  # fmt: skip
            numbers = np.array(values, np.float64)
            attributes = dict(zip(_SUBSETS, numbers[200:206], strict=True))
            if self.subset != "all" and not attributes[self.subset]:
                continue
            x1, y1, x2, y2 = (float(v) for v in numbers[196:200])
            points = numbers[:196].reshape(98, 2)
            yield Sample(f"{number} {name}", images / name, point_columns(points),
                         box=(x1, y1, x2, y2))  # fmt: skip
