"""Cluster-based permutation tests of time courses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.checks import check_labels, check_option
from facemt_analysis.stats.cluster_array import (
    ClusterArrays,
    ClusterMethod,
    cluster_permutation_array,
)
from facemt_analysis.stats.cluster_result import ClusterResult, cluster_table
from facemt_analysis.stats.cluster_runs import Tail
from facemt_analysis.stats.courses import pick_features
from facemt_analysis.stats.design import DesignName
from facemt_analysis.stats.subject_cells import SubjectCells, subject_cells

__all__ = ["cluster_permutation"]

Floats = NDArray[np.float64]


def cluster_permutation(
    frame: pd.DataFrame,
    feature: str | Sequence[str],
    *,
    condition: str | None,
    subject: str = "subject",
    time: str = "time",
    design: DesignName = "auto",
    levels: Sequence[object] | None = None,
    method: ClusterMethod = "mass",
    threshold: float | None = None,
    tail: Tail = "two-sided",
    equal_var: bool = False,
    n_permutations: int = 5000,
    min_subjects: int | None = None,
    rate: float | None = None,
    tmin: float | None = None,
    tmax: float | None = None,
    alpha: float = 0.05,
    seed: int | None = 0,
    n_jobs: int = 1,
) -> ClusterResult:
    """Find out when courses differ between conditions or groups, over all times at once.

    The unit is the subject: recordings (trials, epochs) of a subject in a condition are averaged
    point by point first.

    Parameters
    ----------
    frame
        One row per face and frame: epochs, or recordings that start at the same moment.
    feature
        One column or several. Several are one family: p is corrected over all of them.
    condition
        Column with the condition or group; None: test against 0 (courses with a baseline taken
        off).
    subject
        Column that names the person.
    time
        Column with the time that all courses share, s.
    design
        ``"within"``: everybody has all levels of `condition`; ``"between"``: everybody has one;
        ``"auto"``: the labels tell. Two levels are compared by t, more by F.
    levels
        Which levels to compare, the reference first; default all, in the order of the categories or
        of their first rows. The contrast of two is the second minus the first.
    method, threshold, tail, equal_var, n_permutations, min_subjects, alpha, seed, n_jobs
        As in :func:`cluster_permutation_array`.
    rate
        Points per second of a common time axis on which to resample courses whose times differ:
        frames that share a point are averaged, others interpolated linearly but not over gaps.
    tmin, tmax
        Part to test, s, ends included.

    Returns
    -------
    ClusterResult
        ``.table`` has a row per cluster.

    Raises
    ------
    FexError
        If a column is absent, empty or constant, a label varies within a recording, times of the
        recordings differ and no `rate` is given, or fewer than 2 subjects (per group) remain.
    OptionError
        If an option is out of its range, or nobody has a level.

    Notes
    -----
    Missing values: a subject's mean course takes the recordings that have a value at a point; the
    test takes, at each point, the subjects that do. Points with fewer than `min_subjects` are not
    tested and part clusters; the result's ``notes`` say how many. Within subjects, people without
    all levels are left out, and named there.

    Examples
    --------
    >>> import facemt_analysis as fm
    >>> fex, _ = fm.simulate_study(
    ...     24, duration=10, fps=10, seed=2, feature_groups=["aus"], effects=[
    ...         fm.simulate.Effect("AU12", 0.3, condition="funny", window=(4, 7), unit="raw")])
    >>> result = cluster_permutation(fex, "AU12", condition="condition", n_permutations=1000)
    >>> best = result.table.iloc[0]
    >>> best["contrast"], bool(3.5 < best["start"] < 5), bool(best["p"] < 0.05)
    ('funny - neutral', True, True)
    """
    check_option("design", design, ("auto", "within", "between"))
    check_labels(frame, subject, name="subject")
    names = pick_features(frame, feature)
    cells = subject_cells(
        frame, names, condition, subject, design, levels,
        time=time, rate=rate, tmin=tmin, tmax=tmax,
    )  # fmt: skip
    found = cluster_permutation_array(
        cells.values, cells.group, n_permutations=n_permutations, method=method,
        threshold=threshold, tail=tail, equal_var=equal_var, min_subjects=min_subjects,
        alpha=alpha, seed=seed, n_jobs=n_jobs,
    )  # fmt: skip
    return _result(found, cells, names, method, equal_var=equal_var, tail=tail)


def _result(
    found: ClusterArrays,
    cells: SubjectCells,
    names: Sequence[str],
    method: ClusterMethod,
    *,
    equal_var: bool,
    tail: Tail,
) -> ClusterResult:
    means, se = zip(*(_mean_se(values) for values in cells.of_each()), strict=True)
    difference = None
    if found.statistic_name == "t":
        difference = means[0] if len(means) == 1 else means[1] - means[0]
        if cells.within:
            difference = _mean_se(cells.values[:, 1] - cells.values[:, 0])[0]
    words = _method_words(found, cells, method, equal_var=equal_var, tail=tail)
    table, masks = cluster_table(
        found, cells.time, names, difference,
        n_subjects=cells.n_subjects, contrast=cells.contrast, method=words,
    )  # fmt: skip
    return ClusterResult(
        table=table, statistic=found.statistic, time=cells.time, features=tuple(names),
        clusters=masks, p_values=found.p_values, null_distribution=found.null_distribution,
        enhanced=found.enhanced, means=np.array(means), se=np.array(se), cells=cells.levels,
        n_at=found.n_at, threshold=found.threshold, contrast=cells.contrast,
        statistic_name=found.statistic_name, n_subjects=cells.n_subjects, exact=found.exact,
        method=words, notes=(*cells.notes, *_limits(found, names)),
    )  # fmt: skip


def _mean_se(values: Floats) -> tuple[Floats, Floats]:
    """Mean over subjects and its standard error, over those that have a value."""
    there = ~np.isnan(values)
    n = there.sum(0)
    filled = np.where(there, values, 0.0)
    mean = np.divide(filled.sum(0), n, out=np.full(n.shape, np.nan), where=n > 0)
    squares = np.where(there, values - mean, 0.0) ** 2
    variance = np.divide(squares.sum(0), n - 1, out=np.full(n.shape, np.nan), where=n > 1)
    return mean, np.sqrt(variance / np.maximum(n, 1))


def _method_words(
    found: ClusterArrays, cells: SubjectCells, method: ClusterMethod, *, equal_var: bool, tail: Tail
) -> str:
    if found.statistic_name == "t":
        if len(cells.levels) == 1:
            test = "one-sample t"
        elif cells.within:
            test = "paired t"
        else:
            test = "Student's t" if equal_var else "Welch's t"
        test += "" if tail == "two-sided" else f" ({tail})"
    else:
        test = "repeated-measures F" if cells.within else "one-way F"
    kind = (
        "TFCE (E 0.5, H 2)"
        if method == "tfce"
        else f"cluster mass, threshold {found.threshold:.3g}"
    )
    n = len(found.null_distribution) - (not found.exact)
    how = "all" if found.exact else "random"
    return (
        f"Cluster-based permutation test ({test}, {kind}, {n:,} {how} rearrangements, corrected "
        f"over {found.statistic.shape[1]} times × {found.statistic.shape[0]} features)"
    )


def _limits(found: ClusterArrays, names: Sequence[str]) -> tuple[str, ...]:
    notes = []
    for f, name in enumerate(names):
        untested = int(np.isnan(found.statistic[f]).sum())
        if untested:
            notes.append(
                f"{name}: {untested} of {found.statistic.shape[1]} times not tested (too few "
                "subjects with data, or nothing varies)."
            )
    if found.exact and 1 / len(found.null_distribution) > 0.05:
        notes.append(
            f"There are only {len(found.null_distribution)} rearrangements: no p can be below "
            f"{1 / len(found.null_distribution):.3g}."
        )
    return tuple(notes)
