"""Mean courses of subjects in the cells of a design."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.checks import check_labels
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats.courses import Courses, check_levels, courses, mean_courses
from facemt_analysis.stats.design import DesignName, find_factors

__all__ = ["SubjectCells", "subject_cells"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SubjectCells:
    """Courses of subjects in conditions or groups.

    Parameters
    ----------
    values
        Shape (subjects, conditions, features, times) within subjects, else (subjects, features,
        times).
    group
        Number of the group of each subject; None within subjects and without a condition.
    time
        Seconds.
    levels
        Names of the conditions or groups.
    subjects
        Who they are.
    notes
        Who was left out.
    """

    values: Floats
    group: NDArray[np.intp] | None
    time: Floats
    levels: tuple[str, ...]
    subjects: tuple[object, ...]
    notes: tuple[str, ...]

    @property
    def within(self) -> bool:
        """Whether everybody has all levels."""
        return self.values.ndim == 4

    def of_each(self) -> list[Floats]:
        """Courses (subjects, features, times) of every level."""
        if self.within:
            return list(self.values.swapaxes(0, 1))
        if self.group is None:
            return [self.values]
        return [self.values[self.group == g] for g in range(len(self.levels))]

    @property
    def n_subjects(self) -> int:
        """How many people."""
        return len(self.subjects)

    @property
    def contrast(self) -> str:
        """What is compared: of two levels the second minus the first."""
        if len(self.levels) == 1:
            return f"{self.levels[0]} - 0"
        if len(self.levels) == 2:
            return f"{self.levels[1]} - {self.levels[0]}"
        return ", ".join(self.levels)


def subject_cells(
    frame: pd.DataFrame,
    names: Sequence[str],
    condition: str | None,
    subject: str,
    design: DesignName,
    levels: Sequence[object] | None,
    *,
    time: str = "time",
    rate: float | None = None,
    tmin: float | None = None,
    tmax: float | None = None,
) -> SubjectCells:
    """Average the recordings of each subject in each condition, and find the design.

    Parameters are those of :func:`facemt_analysis.stats.cluster_permutation`; without a condition
    there is one cell.
    """
    plain = pd.DataFrame(frame)

    def means_by(labels: list[str]) -> Courses:
        found = courses(plain, names, labels, time=time, rate=rate, tmin=tmin, tmax=tmax)
        return mean_courses(found, labels)

    if condition is None:
        if levels is not None or design != "auto":
            raise OptionError("`levels` and `design` need a `condition`.")
        means = means_by([subject])
        who = tuple(means.keys[subject])
        return SubjectCells(means.values, None, means.time, ("mean",), who, ())
    check_labels(plain, condition, name="condition")
    _check_steady(plain, condition)
    there = find_factors(plain, subject=subject, condition=condition)[0].levels
    wanted = check_levels(levels, there, condition)
    plain = plain[plain[condition].isin(wanted)]
    factor = find_factors(plain, subject=subject, condition=condition, design=design)[0]
    means = means_by([subject, condition])
    said = tuple(str(level) for level in wanted)
    number = {v: i for i, v in enumerate(wanted)}
    level = np.array([number[v] for v in means.keys[condition]], dtype=np.intp)
    if not factor.within:
        return SubjectCells(means.values, level, means.time, said, tuple(means.keys[subject]), ())
    row, people = pd.factorize(means.keys[subject])
    cube = np.full((len(people), len(wanted), *means.values.shape[1:]), np.nan)
    cube[row, level] = means.values
    empty = np.isnan(cube).reshape(len(people), len(wanted), -1).all(axis=2)
    lacking = np.logical_or.reduce(empty, axis=1)
    notes = _left_out(people[lacking].tolist(), condition)
    if len(people) - lacking.sum() < 2:
        raise FexError(
            f"At least 2 subjects with all of {', '.join(said)} are needed, but there are "
            f"{len(people) - int(lacking.sum())}." + (f" {notes[0]}" if notes else "")
        )
    return SubjectCells(cube[~lacking], None, means.time, said, tuple(people[~lacking]), notes)


def _check_steady(frame: pd.DataFrame, condition: str) -> None:
    """Raise if a label changes within a recording that is not cut into trials or epochs."""
    if "input" not in frame.columns:
        return
    unit = [c for c in ("input", "track", "trial", "epoch") if c in frame.columns]
    rows = frame.loc[frame[condition].notna(), [*unit, condition]].drop_duplicates()
    if "track" in unit:
        rows = rows[rows["track"] >= 0]
    twice = rows.duplicated(unit)
    if twice.any():
        raise FexError(
            f"{condition!r} changes within {rows.loc[twice, 'input'].iloc[0]}: courses of parts of "
            "a recording have no common start. Cut epochs first (fex.signal.epochs)."
        )


def _left_out(people: Sequence[object], condition: str) -> tuple[str, ...]:
    if not people:
        return ()
    who = ", ".join(str(p) for p in people)
    return (f"Left out, without all levels of {condition}: {who}.",)
