"""Who was measured in which cells: the design of a study, found from its labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.checks import check_labels, check_option
from facemt_analysis.errors import FexError, OptionError

__all__ = ["DesignName", "Factor", "Layout", "find_factors", "lay_out"]

Floats = NDArray[np.float64]

DesignName = Literal["auto", "within", "between"]
"""Whether the levels of a condition are seen by the same people; auto: the labels tell."""

_MANY = 50


@dataclass(frozen=True)
class Factor:
    """What was varied.

    Parameters
    ----------
    name
        The column.
    levels
        Its values: in the order of the categories if it is categorical, else of their first rows.
    within
        Whether the same people have several levels.
    """

    name: str
    levels: tuple[object, ...]
    within: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The levels as text."""
        return tuple(str(level) for level in self.levels)


@dataclass(frozen=True, eq=False)
class Layout:
    """Values of subjects (rows) in cells within subjects (columns), and their groups.

    Parameters
    ----------
    factors
        Between factors, then within factors.
    subjects
        Names of the s people.
    group
        Number of the combination of between levels of each, shape (s,).
    values
        Feature → (s, w) for the w combinations of within levels, in the order of the levels, the
        last factor fastest; NaN where a cell is missing.
    """

    factors: tuple[Factor, ...]
    subjects: tuple[object, ...]
    group: NDArray[np.intp]
    values: dict[str, Floats]

    @cached_property
    def between(self) -> tuple[Factor, ...]:
        """Factors whose levels belong to different people."""
        return tuple(f for f in self.factors if not f.within)

    @cached_property
    def within(self) -> tuple[Factor, ...]:
        """Factors whose levels the same people have."""
        return tuple(f for f in self.factors if f.within)

    @cached_property
    def n_groups(self) -> int:
        """Combinations of between levels."""
        return int(np.prod([len(f.levels) for f in self.between], dtype=np.int64))

    @cached_property
    def n_cells(self) -> int:
        """Combinations of within levels."""
        return int(np.prod([len(f.levels) for f in self.within], dtype=np.int64))

    def subject_names(self, which: NDArray[np.bool_]) -> list[str]:
        """Names of some subjects."""
        return [str(self.subjects[i]) for i in np.flatnonzero(which)]


def find_factors(
    frame: pd.DataFrame,
    *,
    subject: str,
    condition: str | Sequence[str] | None,
    between: str | Sequence[str] | None = None,
    design: DesignName = "auto",
) -> tuple[Factor, ...]:
    """Find the factors, their levels, and whether they vary within or between subjects.

    Parameters
    ----------
    frame
        Any rows that have the labels.
    subject
        Column that names the person.
    condition
        One factor or several.
    between
        Factors that are between subjects; said, so that it is checked.
    design
        What `condition` is, or ``"auto"``: between subjects if nobody has two levels, within if
        most people do.

    Returns
    -------
    tuple of Factor
        Between factors first.

    Raises
    ------
    FexError
        If a factor has fewer than two levels, a between factor varies within a subject, or the
        labels leave open what a factor is.
    """
    check_option("design", design, ("auto", "within", "between"))
    check_labels(frame, subject, name="subject")
    names = check_labels(frame, condition, name="condition")
    groups = [n for n in check_labels(frame, between, name="between") if n not in names]
    if not names and not groups:
        raise OptionError("Say what to compare: `condition` (or `between`) names a column.")
    if subject in [*names, *groups]:
        raise OptionError(f"{subject!r} names the people; it cannot be a condition as well.")
    factors = [
        _factor(frame, name, subject, "between" if name in groups else design)
        for name in [*groups, *names]
    ]
    return tuple(sorted(factors, key=lambda f: f.within))


def _factor(frame: pd.DataFrame, name: str, subject: str, design: DesignName) -> Factor:
    pairs = frame[[subject, name]].dropna().drop_duplicates()
    levels = _levels(pairs[name])
    if len(levels) < 2:
        only = f"only {levels[0]!r}" if levels else "no value"
        raise FexError(f"{name!r} has {only}; a comparison needs two levels or more.")
    if len(levels) > _MANY:
        raise FexError(
            f"{name!r} has {len(levels)} levels; a condition has a few. Is it a measurement?"
        )
    per_subject = pairs.groupby(subject, observed=True)[name].size()
    several = per_subject > 1
    if design == "between" and several.any():
        who = per_subject.index[several.to_numpy()][0]
        its = ", ".join(str(v) for v in pairs.loc[pairs[subject] == who, name])
        raise FexError(
            f"{name!r} is to be between subjects, but varies within {int(several.sum())} of "
            f"{len(several)}: {subject} {who} has {its}."
        )
    if design == "within" and not several.any():
        raise FexError(f"{name!r} is to be within subjects, but nobody has two levels of it.")
    if design == "auto" and several.any() and several.mean() < 0.5:
        raise FexError(
            f"{int(several.sum())} of {len(several)} subjects have several levels of {name!r}, the "
            'others one: correct the labels, or say design="within" to use only those who have '
            "several."
        )
    return Factor(name, levels, bool(several.any()))


def _levels(column: pd.Series) -> tuple[object, ...]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        there = set(column.unique())
        return tuple(level for level in column.cat.categories if level in there)
    return tuple(column.unique().tolist())


def lay_out(
    table: pd.DataFrame, features: Sequence[str], factors: Sequence[Factor], *, subject: str
) -> Layout:
    """Arrange a summary (one row per subject and cell) as subjects × cells.

    Parameters
    ----------
    table
        From :func:`facemt_analysis.stats.summarize` with ``by`` all factors.
    features
        Columns to arrange.
    factors
        From :func:`find_factors`, between factors first.
    subject
        Column that names the person.
    """
    between = [f for f in factors if not f.within]
    within = [f for f in factors if f.within]
    row, subjects = pd.factorize(table[subject])
    cell = _combine(table, within)
    group = _combine(table, between)
    n_cells = int(np.prod([len(f.levels) for f in within], dtype=np.int64))
    groups = np.zeros(len(subjects), dtype=np.intp)
    groups[row] = group
    values = {}
    for feature in features:
        block = np.full((len(subjects), n_cells), np.nan)
        block[row, cell] = table[feature].to_numpy(np.float64)
        values[feature] = block
    return Layout((*between, *within), tuple(subjects.tolist()), groups, values)


def _combine(table: pd.DataFrame, factors: Sequence[Factor]) -> NDArray[np.intp]:
    """Give the combination of levels of each row a number, the last factor fastest."""
    code = np.zeros(len(table), dtype=np.intp)
    for factor in factors:
        number = {level: i for i, level in enumerate(factor.levels)}
        code = code * len(factor.levels) + table[factor.name].map(number).to_numpy(np.intp)
    return code
