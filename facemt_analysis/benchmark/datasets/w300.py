"""300-W: 68 landmarks of photographs from the web (Sagonas et al., 2016)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from facemt_analysis.benchmark.base import Benchmark, Sample
from facemt_analysis.benchmark.datasets.landmark_files import around, point_columns
from facemt_analysis.benchmark.layout import files_in, incomplete, need
from facemt_analysis.benchmark.tasks.points import LandmarkTask

__all__ = ["W300"]

_FOLDERS = {
    "common": ("helen/testset", "lfpw/testset"),
    "challenging": ("ibug",),
    "full": ("helen/testset", "lfpw/testset", "ibug"),
    "test": ("300W/01_Indoor", "300W/02_Outdoor"),
}
_IMAGES = (".jpg", ".png", ".jpeg")


@dataclass(frozen=True, kw_only=True)
class W300(Benchmark):
    """Normalised mean error by the outer eye corners, on the official test subsets.

    Parameters
    ----------
    subset
        ``"common"`` (HELEN and LFPW test), ``"challenging"`` (iBUG), ``"full"`` (both), or
        ``"test"`` (the 600 of the challenge).
    points
        68, or the 51 without the line of the jaw, whose points slide along it and lie elsewhere in
        a mesh.
    """

    name: ClassVar[str] = "300w"
    title: ClassVar[str] = "300-W, landmarks"
    licence: ClassVar[str] = "non-commercial research"
    citation: ClassVar[str] = (
        "Sagonas, Antonakos, Tzimiropoulos, Zafeiriou & Pantic (2016), 300 faces in-the-wild "
        "challenge, Image and Vision Computing, https://doi.org/10.1016/j.imavis.2016.01.002"
    )
    tree: ClassVar[str] = """
helen/testset/….jpg and .pts     (subsets common and full)
lfpw/testset/image_0001.png and .pts
ibug/image_003_1.jpg and .pts    (subsets challenging and full)
300W/01_Indoor/indoor_001.png and .pts, 300W/02_Outdoor/…   (subset test)
"""

    subset: Literal["common", "challenging", "full", "test"] = field(
        default="full", metadata={"help": "common, challenging, full or test"}
    )
    points: Literal[51, 68] = field(default=68, metadata={"help": "51 or 68 points"})

    @property
    def task(self) -> LandmarkTask:
        """Distances of the points, in distances of the outer eye corners."""
        used = range(68 - self.points, 68)
        return LandmarkTask(points=tuple((i, i) for i in used), corners=(36, 45))

    def samples(self, root: Path) -> Iterator[Sample]:
        """Give the images by folder and name."""
        for name in _FOLDERS[self.subset]:
            folder = need(root / name, root, self.tree)
            for path in files_in(folder, ".pts"):
                images = [p for s in _IMAGES if (p := path.with_suffix(s)).exists()]
                if not images:
                    incomplete(f"there is no image of {name}/{path.name}", root, self.tree)
                points = self._points(path, root)
                yield Sample(f"{name}/{path.stem}", images[0], point_columns(points),
                             box=around(points))  # fmt: skip

    def _points(self, path: Path, root: Path) -> npt.NDArray[np.float64]:
        """Points with pixel centres at integers from 0; the files count from 1."""
        text = path.read_text(encoding="utf-8", errors="replace")
        inside = re.search(r"\{(.*)\}", text, re.DOTALL)
        try:
            numbers = np.array((inside.group(1) if inside else "").split(), np.float64)
            return numbers.reshape(68, 2) - 1
        except ValueError:
            incomplete(f"{path.name} does not hold 68 points", root, self.tree)
