"""BP4D: spontaneous action units of 41 people in eight tasks (Zhang et al., 2014)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pandas as pd

from facemt_analysis.benchmark.base import Benchmark, Sample
from facemt_analysis.benchmark.layout import files_in, incomplete, need
from facemt_analysis.benchmark.tasks.action_units import ActionUnitTask

__all__ = ["BP4D"]

_AUS = (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)
_NOT_CODED = 9


@dataclass(frozen=True, kw_only=True)
class BP4D(Benchmark):
    """Twelve action units, occurrence coded in every frame of the coded stretches.

    Parameters
    ----------
    threshold
        Score from which an action unit counts as said.
    """

    name: ClassVar[str] = "bp4d"
    title: ClassVar[str] = "BP4D-Spontaneous, action units"
    licence: ClassVar[str] = "research use under an agreement with Binghamton University"
    citation: ClassVar[str] = (
        "Zhang, Yin, Cohn et al. (2014), BP4D-Spontaneous, Image and Vision Computing, "
        "https://doi.org/10.1016/j.imavis.2014.06.002"
    )
    tree: ClassVar[str] = """
AUCoding/AU_OCC/F001_T1.csv   (first line: 0, AU numbers; then frame, 0/1, 9: not coded)
2D+3D/F001/T1/2440.jpg        (or BP4D-training/F001/T1/2440.jpg)
"""

    threshold: float = field(default=0.5, metadata={"help": "score that counts as said"})

    @property
    def task(self) -> ActionUnitTask:
        """Presence of each action unit."""
        return ActionUnitTask(tuple(f"AU{n:02d}" for n in _AUS), 1.0, self.threshold)

    def samples(self, root: Path) -> Iterator[Sample]:
        """Give the coded frames, recording by recording."""
        coding = root / "AUCoding" / "AU_OCC"
        codes = coding if coding.is_dir() else need(root / "AU_OCC", root, self.tree)
        images = root / "BP4D-training"
        if not images.is_dir():
            images = need(root / "2D+3D", root, self.tree)
        for path in files_in(codes, ".csv"):
            match = re.fullmatch(r"([FM]\d{3})_(T\d)", path.stem)
            if match is None:
                continue
            person, part = match.groups()
            folder = need(images / person / part, root, self.tree)
            by_number = {int(p.stem): p for p in files_in(folder, ".jpg") if p.stem.isdigit()}
            table = pd.read_csv(path, index_col=0)
            table.columns = pd.Index([str(c).strip() for c in table.columns])
            missing = [n for n in _AUS if str(n) not in table.columns]
            if missing:
                incomplete(f"{path.name} has no column {missing[0]}", root, self.tree)
            coded = table[[str(n) for n in _AUS]]
            for frame, row in zip(coded.index, coded.to_numpy(), strict=True):
                truth = {
                    f"AU{n:02d}": float("nan") if code == _NOT_CODED else float(code)
                    for n, code in zip(_AUS, row, strict=True)
                }
                image = by_number.get(int(frame), folder / f"{int(frame)}.jpg")
                yield Sample(f"{path.stem}/{frame}", image, truth, person)
