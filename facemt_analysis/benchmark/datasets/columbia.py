"""Columbia Gaze: 56 people look at a grid, seen from five sides (Smith et al., 2013)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from facemt_analysis.benchmark.base import Benchmark, Sample
from facemt_analysis.benchmark.layout import files_in, incomplete, subfolders
from facemt_analysis.benchmark.tasks.gaze import GazeTask

__all__ = ["ColumbiaGaze"]

_NAME = re.compile(r"(\d{4})_2m_(-?\d+)P_(-?\d+)V_(-?\d+)H")


@dataclass(frozen=True, kw_only=True)
class ColumbiaGaze(Benchmark):
    """Mean angular error of the direction of the eyes relative to the head.

    The head rests straight ahead; file names give the side of the camera (P), vertical (V) and
    horizontal (H) direction of the eyes in degrees. The names do not say which way is +: up and the
    subject's right are assumed; ``right`` turns the horizontal sign.

    Parameters
    ----------
    right
        Sign of H towards the subject's right: 1 or -1.
    frontal
        Only pictures from the front (0P).
    """

    name: ClassVar[str] = "columbia"
    title: ClassVar[str] = "Columbia Gaze, gaze"
    licence: ClassVar[str] = "non-commercial research"
    citation: ClassVar[str] = (
        "Smith, Yin, Feiner & Nayar (2013), Gaze locking, UIST, "
        "https://doi.org/10.1145/2501988.2501994"
    )
    tree: ClassVar[str] = """
0001/0001_2m_-15P_10V_-5H.jpg   (or in Columbia Gaze Data Set/)
"""

    right: Literal[1, -1] = field(default=1, metadata={"help": "sign of H to the subject's right"})
    frontal: bool = field(default=False, metadata={"help": "only pictures from the front"})

    @property
    def task(self) -> GazeTask:
        """Direction of gaze relative to the head."""
        return GazeTask()

    def samples(self, root: Path) -> Iterator[Sample]:
        """Give the pictures, person by person."""
        base = root / "Columbia Gaze Data Set"
        base = base if base.is_dir() else root
        people = [p for p in subfolders(base) if re.fullmatch(r"\d{4}", p.name)]
        if not people:
            incomplete("there is no person's folder", root, self.tree)
        for person in people:
            for image in files_in(person, ".jpg"):
                match = _NAME.fullmatch(image.stem)
                if match is None:
                    continue
                side, vertical, horizontal = (int(n) for n in match.groups()[1:])
                if self.frontal and side:
                    continue
                truth = {
                    "gaze_pitch": math.radians(vertical),
                    "gaze_yaw": self.right * math.radians(horizontal),
                }
                yield Sample(f"{person.name}/{image.name}", image, truth, person.name)
