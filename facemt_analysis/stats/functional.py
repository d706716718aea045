"""Functional view of time courses: principal components and analysis of variance of tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.checks import check_labels
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats.corrections import adjust_p
from facemt_analysis.stats.courses import courses, mean_courses, pick_features
from facemt_analysis.stats.design import DesignName
from facemt_analysis.stats.drawing import draw
from facemt_analysis.stats.functional_engine import (
    FunctionalAnovaArrays,
    Smoothing,
    check_smoothing,
    fpca_array,
    functional_anova_array,
    smooth_courses,
)
from facemt_analysis.stats.subject_cells import SubjectCells, subject_cells
from facemt_analysis.stats.words import format_p

__all__ = ["FpcaResult", "FunctionalAnovaResult", "fpca", "functional_anova"]

Floats = NDArray[np.float64]

_LEAST = 0.5
"""Share of the times at which a course must have a value."""


@dataclass(frozen=True, eq=False)
class FpcaResult:
    """Functional principal components of a feature.

    Parameters
    ----------
    table
        One row per course: its labels, then ``PC1``, ``PC2`` … (scores, in units of the feature ×
        √s).
    time
        Seconds.
    mean
        Mean course.
    components
        Eigenfunctions, shape (components, times); their squares integrate to 1.
    explained
        Share of the variance of each.
    feature
        Its name.
    notes
        Which courses were left out.
    """

    table: pd.DataFrame
    time: Floats
    mean: Floats
    components: Floats
    explained: Floats
    feature: str
    notes: tuple[str, ...] = ()

    def plot(self, **options: Any) -> Any:
        """Draw it: :func:`facemt_analysis.plotting.plot_fpca`."""
        return draw("plot_fpca", self, **options)


@dataclass(frozen=True, eq=False)
class FunctionalAnovaResult:
    """Functional analysis of variance of one or several features.

    Parameters
    ----------
    table
        One row per feature: ``feature``, ``contrast``, ``statistic`` (integrated F),
        ``statistic_name``, ``df_effect``, ``df``, ``p``, ``p_adj`` (Holm, over the rows),
        ``effect_size`` (integrated partial eta squared), ``effect_name``, ``n_subjects``,
        ``method``.
    time
        Seconds.
    means
        Smoothed mean courses, shape (cells, features, times).
    cells
        Names of the conditions or groups.
    features
        Names.
    null_distribution
        Of every feature: statistic of every rearrangement, observed first.
    notes
        Who was left out.
    """

    table: pd.DataFrame
    time: Floats
    means: Floats
    cells: tuple[str, ...]
    features: tuple[str, ...]
    null_distribution: tuple[Floats, ...]
    notes: tuple[str, ...] = ()

    def summary(self) -> str:
        """Say the result in words, with its numbers."""
        said = [
            f"{r['feature']}: F = {r['statistic']:.2f}, p {format_p(r['p'])}, "
            f"η² = {r['effect_size']:.2f}, N = {r['n_subjects']}"
            for r in self.table.to_dict("records")
        ]
        head = f"{self.table['method'].iloc[0]}, {self.table['contrast'].iloc[0]}"
        return " ".join([f"{head}. {'; '.join(said)}.", *self.notes])

    def plot(self, **options: Any) -> Any:
        """Draw it: :func:`facemt_analysis.plotting.plot_functional_anova`."""
        return draw("plot_functional_anova", self, **options)


def fpca(
    frame: pd.DataFrame,
    feature: str,
    *,
    by: str | Sequence[str] = "subject",
    n_components: int | None = 4,
    time: str = "time",
    smoothing: Smoothing = "gcv",
    rate: float | None = None,
    tmin: float | None = None,
    tmax: float | None = None,
) -> FpcaResult:
    """Find the main ways in which courses differ between people (or people and conditions).

    Parameters
    ----------
    frame
        One row per face and frame; recordings start at the same moment.
    feature
        One column.
    by
        Labels that make a course, such as ``["subject", "condition"]``; recordings within are
        averaged.
    n_components
        How many at most; None: all.
    time, rate, tmin, tmax
        As in :func:`cluster_permutation`.
    smoothing
        As in :func:`smooth_courses`.

    Returns
    -------
    FpcaResult
        ``.table`` has the scores, ready for :func:`compare` and other tests.

    Raises
    ------
    FexError
        If a column is absent, empty or constant, times differ and no `rate` is given, or fewer than
        2 courses have values at half of the times.

    Examples
    --------
    >>> import facemt_analysis as fm
    >>> fex, _ = fm.simulate_study(8, duration=10, fps=10, seed=1, feature_groups=["aus"])
    >>> found = fpca(fex, "AU12", by=["subject", "condition"], n_components=2)
    >>> found.table.columns.tolist(), found.components.shape
    (['subject', 'condition', 'PC1', 'PC2'], (2, 100))
    """
    smoothing = check_smoothing(smoothing)
    labels = check_labels(frame, by)
    names = pick_features(frame, feature)
    if len(names) > 1:
        raise OptionError(f"`feature` must be one column, but got {len(names)}.")
    name = names[0]
    found = mean_courses(
        courses(frame, [name], labels, time=time, rate=rate, tmin=tmin, tmax=tmax), labels
    )
    full = (~np.isnan(found.values[:, 0])).mean(axis=1) >= _LEAST
    notes: tuple[str, ...] = ()
    if not full.all():
        who = ["/".join(str(v) for v in row) for row in found.keys[~full].itertuples(index=False)]
        notes = (f"Left out, for want of values at half of the times: {', '.join(who)}.",)
    if full.sum() < 2:
        raise FexError("Components need at least 2 courses with values at half of the times.")
    data = smooth_courses(found.values[full, 0], found.time, smoothing)
    parts = fpca_array(data, found.time, n_components=n_components)
    table = found.keys[full].reset_index(drop=True)
    for k in range(parts.scores.shape[1]):
        table[f"PC{k + 1}"] = parts.scores[:, k]
    return FpcaResult(table, found.time, parts.mean, parts.components, parts.explained, name, notes)


def functional_anova(
    frame: pd.DataFrame,
    feature: str | Sequence[str],
    *,
    condition: str,
    subject: str = "subject",
    time: str = "time",
    design: DesignName = "auto",
    levels: Sequence[object] | None = None,
    smoothing: Smoothing = "gcv",
    n_permutations: int = 5000,
    rate: float | None = None,
    tmin: float | None = None,
    tmax: float | None = None,
    seed: int | None = 0,
) -> FunctionalAnovaResult:
    """Test whether mean courses of conditions or groups differ, as one question per feature.

    Parameters
    ----------
    frame, feature, condition, subject, time, design, levels, rate, tmin, tmax
        As in :func:`cluster_permutation`; recordings are averaged within subjects first.
    smoothing
        As in :func:`smooth_courses`.
    n_permutations, seed
        As in :func:`functional_anova_array`.

    Returns
    -------
    FunctionalAnovaResult

    Raises
    ------
    FexError
        As in :func:`cluster_permutation`; or if fewer than 2 subjects (per group) have values at
        half of the times.

    Examples
    --------
    >>> import facemt_analysis as fm
    >>> fex, _ = fm.simulate_study(16, duration=10, fps=10, seed=1, feature_groups=["aus"])
    >>> found = functional_anova(fex, "AU12", condition="condition", n_permutations=999)
    >>> bool(found.table["p"].item() < 0.05)
    True
    """
    smoothing = check_smoothing(smoothing)
    names = pick_features(frame, feature)
    cells = subject_cells(
        frame, names, condition, subject, design, levels,
        time=time, rate=rate, tmin=tmin, tmax=tmax,
    )  # fmt: skip
    rows, means, nulls = [], [], []
    notes = list(cells.notes)
    for f, name in enumerate(names):
        found, mean, n = _one_anova(cells, f, name, smoothing, n_permutations, seed, notes)
        rows.append(
            {"feature": name, "contrast": cells.contrast, "statistic": found.statistic,
             "statistic_name": "F", "df_effect": found.df[0], "df": found.df[1], "p": found.p,
             "p_adj": np.nan, "effect_size": found.eta_squared,
             "effect_name": "partial eta squared", "n_subjects": n,
             "method": _words(found, cells)}
        )  # fmt: skip
        means.append(mean)
        nulls.append(found.null_distribution)
    table = pd.DataFrame(rows)
    table["p_adj"] = adjust_p(table["p"].to_numpy(np.float64), "holm")
    return FunctionalAnovaResult(
        table=table,
        time=cells.time,
        means=np.stack(means, axis=1),
        cells=cells.levels,
        features=tuple(names),
        null_distribution=tuple(nulls),
        notes=tuple(notes),
    )


def _one_anova(
    cells: SubjectCells,
    f: int,
    name: str,
    smoothing: Smoothing,
    n_permutations: int,
    seed: int | None,
    notes: list[str],
) -> tuple[FunctionalAnovaArrays, Floats, int]:
    values = cells.values[:, :, f] if cells.within else cells.values[:, f]
    enough = (~np.isnan(values)).mean(axis=-1) >= _LEAST
    full = enough.all(axis=1) if cells.within else enough
    if not full.all():
        who = ", ".join(str(cells.subjects[i]) for i in np.flatnonzero(~full))
        notes.append(f"Left out of {name}, for want of values at half of the times: {who}.")
    group = None if cells.group is None else cells.group[full]
    sizes = [int(full.sum())]
    if group is not None:
        sizes = np.bincount(group, minlength=len(cells.levels)).tolist()
    if min(sizes) < 2:
        raise FexError(
            "At least 2 subjects (in every group) with values at half of the times are needed, but "
            f"for {name} there are {min(sizes)}."
        )
    smooth = smooth_courses(values[full], cells.time, smoothing)
    found = functional_anova_array(
        smooth, group, time=cells.time, n_permutations=n_permutations, seed=seed
    )
    if group is None:
        return found, smooth.mean(axis=0), len(smooth)
    mean = np.array([smooth[group == g].mean(axis=0) for g in range(len(cells.levels))])
    return found, mean, len(smooth)


def _words(found: FunctionalAnovaArrays, cells: SubjectCells) -> str:
    n = len(found.null_distribution) - (not found.exact)
    kind = "within subjects" if cells.within else "between subjects"
    how = "all" if found.exact else "random"
    return f"Functional analysis of variance ({kind}, integrated F, {n:,} {how} rearrangements)"
