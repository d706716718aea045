"""DISFA+: posed and spontaneous action units of nine people (Mavadati et al., 2016)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from facemt_analysis.benchmark.base import Benchmark, Sample
from facemt_analysis.benchmark.layout import incomplete, need, subfolders
from facemt_analysis.benchmark.tasks.action_units import ActionUnitTask

__all__ = ["DISFAPlus"]

_AUS = {12: (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26), 8: (1, 2, 4, 6, 9, 12, 25, 26)}


@dataclass(frozen=True, kw_only=True)
class DISFAPlus(Benchmark):
    """Twelve action units, intensity 0–5 in every frame; all subjects and trials are the test.

    Protocol of Cheong et al. (2023): an action unit is there from intensity 2 (B), is said to be
    there from a score of 0.5, and the macro-F1 is over all frames together.

    Parameters
    ----------
    aus
        12, or the 8 of the smaller set (1 2 4 6 9 12 25 26).
    present
        Intensity from which an action unit counts as there.
    threshold
        Score from which it counts as said.
    """

    name: ClassVar[str] = "disfaplus"
    title: ClassVar[str] = "DISFA+, action units"
    licence: ClassVar[str] = (
        "research use under an agreement with the University of Denver; not to be passed on"
    )
    citation: ClassVar[str] = (
        "Mavadati, Sanger & Mahoor (2016), Extended DISFA dataset, CVPR Workshops, "
        "https://doi.org/10.1109/CVPRW.2016.182; protocol: Cheong et al. (2023), Py-Feat, "
        "Affective Science, https://doi.org/10.1007/s42761-023-00191-4"
    )
    tree: ClassVar[str] = """
Labels/SN001/A1_AU1_TrailNo_1/AU1.txt   (lines: frame file and intensity 0-5)
Images/SN001/A1_AU1_TrailNo_1/000.jpg
"""
    card: ClassVar[Mapping[tuple[str, str], float]] = {("macro_f1", "aus"): 0.693}

    aus: Literal[12, 8] = field(default=12, metadata={"help": "12 or 8 action units"})
    present: float = field(default=2.0, metadata={"help": "intensity that counts as there"})
    threshold: float = field(default=0.5, metadata={"help": "score that counts as said"})

    def expected_scores(self) -> Mapping[tuple[str, str], float]:
        """Give 0.693 for the twelve, 0.740 for the eight."""
        if self == type(self)(aus=8):
            return {("macro_f1", "aus"): 0.740}
        return super().expected_scores()

    @property
    def task(self) -> ActionUnitTask:
        """Presence of each action unit."""
        columns = tuple(f"AU{number:02d}" for number in _AUS[self.aus])
        return ActionUnitTask(columns, self.present, self.threshold)

    def samples(self, root: Path) -> Iterator[Sample]:
        """Give all labelled frames, subject by subject, trial by trial."""
        labels = need(root / "Labels", root, self.tree)
        images = need(root / "Images", root, self.tree)
        for subject in subfolders(labels):
            for trial in subfolders(subject):
                folder = need(images / subject.name / trial.name, root, self.tree)
                yield from self._trial(root, subject.name, trial, folder)

    def _trial(self, root: Path, subject: str, trial: Path, images: Path) -> Iterator[Sample]:
        courses = {
            number: _read(need(trial / f"AU{number}.txt", root, self.tree), root, self.tree)
            for number in _AUS[self.aus]
        }
        frames = dict.fromkeys(name for course in courses.values() for name in course)
        for name in frames:
            truth = {
                f"AU{number:02d}": course.get(name, float("nan"))
                for number, course in courses.items()
            }
            image = images / name
            if not image.suffix:
                image = image.with_suffix(".jpg")
            yield Sample(f"{subject}/{trial.name}/{name}", image, truth, subject)


def _read(path: Path, root: Path, tree: str) -> dict[str, float]:
    """Frame file → intensity; comments and blank lines are passed over."""
    course: dict[str, float] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        parts = re.split(r"[\s,;]+", line.strip())
        if len(parts) != 2 or not re.fullmatch(r"\d+(\.\w+)?", parts[0]):
            continue
        try:
            course[parts[0]] = float(parts[1])
        except ValueError:
            continue
    if not course:
        incomplete(
            f"{path.relative_to(root)} has no line with a frame and an intensity", root, tree
        )
    return course
