"""DISFA: spontaneous action units of 27 people (Mavadati et al., 2013)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from facemt_analysis.benchmark.base import Benchmark, Sample
from facemt_analysis.benchmark.layout import files_in, incomplete, need, subfolders
from facemt_analysis.benchmark.tasks.action_units import ActionUnitTask
from facemt_analysis.detection.media import open_recordings

__all__ = ["DISFA"]

_AUS = {8: (1, 2, 4, 6, 9, 12, 25, 26), 12: (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)}
# The three folds of people that most papers share (Shao et al., 2021, JÂA-Net; Luo et al., 2022).
_FOLDS = {
    1: (2, 10, 1, 26, 27, 32, 30, 9, 16),
    2: (13, 18, 11, 28, 12, 6, 31, 21, 24),
    3: (3, 29, 23, 25, 8, 5, 7, 17, 4),
}


@dataclass(frozen=True, kw_only=True)
class DISFA(Benchmark):
    """Action units in every frame of the left camera's videos.

    Networks trained on DISFA are tested fold by fold (``fold``); for one that was not, all people
    are the test (``fold=0``).

    Parameters
    ----------
    aus
        The 8 most papers report, or all 12.
    fold
        1, 2 or 3: the nine people of this fold; 0: all.
    present
        Intensity (0–5) from which an action unit counts as there.
    threshold
        Score from which it counts as said.
    every
        Take every n-th frame only.
    """

    name: ClassVar[str] = "disfa"
    title: ClassVar[str] = "DISFA, action units"
    licence: ClassVar[str] = "research use under an agreement with the University of Denver"
    citation: ClassVar[str] = (
        "Mavadati, Mahoor, Bartlett, Trinh & Cohn (2013), DISFA, IEEE Transactions on Affective "
        "Computing, https://doi.org/10.1109/T-AFFC.2013.4"
    )
    tree: ClassVar[str] = """
ActionUnit_Labels/SN001/SN001_au1.txt   (lines: frame from 1, intensity 0-5)
Videos_LeftCamera/LeftVideoSN001_comp.avi
"""

    aus: Literal[8, 12] = field(default=8, metadata={"help": "8 or 12 action units"})
    fold: Literal[0, 1, 2, 3] = field(default=0, metadata={"help": "1, 2, 3; 0: all people"})
    present: float = field(default=2.0, metadata={"help": "intensity that counts as there"})
    threshold: float = field(default=0.5, metadata={"help": "score that counts as said"})
    every: int = field(default=1, metadata={"help": "take every n-th frame"})

    @property
    def task(self) -> ActionUnitTask:
        """Presence of each action unit."""
        columns = tuple(f"AU{number:02d}" for number in _AUS[self.aus])
        return ActionUnitTask(columns, self.present, self.threshold)

    def samples(self, root: Path) -> Iterator[Sample]:
        """Give the frames, person by person."""
        labels = need(root / "ActionUnit_Labels", root, self.tree)
        videos = need(root / "Videos_LeftCamera", root, self.tree)
        wanted = {f"SN{n:03d}" for n in _FOLDS[self.fold]} if self.fold else None
        for person in subfolders(labels):
            if wanted is not None and person.name not in wanted:
                continue
            courses = {
                f"AU{n:02d}": self._course(person / f"{person.name}_au{n}.txt", root)
                for n in _AUS[self.aus]
            }
            found = [p for p in files_in(videos) if person.name in p.stem]
            if not found:
                incomplete(f"there is no video of {person.name}", root, self.tree)
            (recording,) = open_recordings(found[0])
            for frame in recording.frames(every=self.every):
                truth = {
                    au: course.get(frame.index + 1, float("nan")) for au, course in courses.items()
                }
                yield Sample(f"{person.name}/{frame.index + 1}", frame.image, truth, person.name)

    def _course(self, path: Path, root: Path) -> dict[int, float]:
        course = {}
        for line in need(path, root, self.tree).read_text(encoding="utf-8").splitlines():
            if line.strip():
                try:
                    number, intensity = line.split(",")
                    course[int(number)] = float(intensity)
                except ValueError:
                    incomplete(f"{path.name} has the line {line.strip()!r}", root, self.tree)
        return course
