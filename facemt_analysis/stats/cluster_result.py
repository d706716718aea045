"""What a cluster-based permutation test of a table found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.stats.cluster_array import ClusterArrays
from facemt_analysis.stats.drawing import draw
from facemt_analysis.stats.words import format_p

__all__ = ["CLUSTER_COLUMNS", "ClusterResult", "cluster_table"]

Floats = NDArray[np.float64]

CLUSTER_COLUMNS = (
    "feature", "cluster", "start", "stop", "mass", "p", "peak", "peak_time", "estimate",
    "n_points", "n_subjects", "contrast", "statistic_name", "method",
)  # fmt: skip
"""Columns of the table of clusters, in this order; see :class:`ClusterResult`."""


@dataclass(frozen=True, eq=False, repr=False)
class ClusterResult:
    """A cluster-based permutation test over time, for one or many features.

    Parameters
    ----------
    table
        One row per cluster, the smallest p first: ``feature``, ``cluster`` (from 1), ``start`` and
        ``stop`` (s; its first and its last point), ``mass`` (sum of the statistic, or with TFCE of
        the enhanced one), ``p`` (corrected over all times and features), ``peak`` (extreme of the
        statistic) and ``peak_time`` (s), ``estimate`` (mean difference over the cluster, in the
        unit of the feature; NaN for F), ``n_points``, ``n_subjects`` (in the test), ``contrast``,
        ``statistic_name``, ``method``. With TFCE a cluster is a stretch of points with p up to
        `alpha`.
    statistic
        t or F, shape (features, times); NaN where too few subjects have data or nothing varies.
    time
        Seconds, shape (times,).
    features
        Names.
    clusters
        Which times the cluster of each row of `table` holds, shape (clusters, times).
    p_values
        Shape (features, times): the p of the cluster that a point is in (NaN: in none), or with
        TFCE the p of the point.
    null_distribution
        Largest cluster mass (TFCE: largest enhanced value) over all times and features of every
        rearrangement; the first one is the observed one.
    enhanced
        With TFCE the enhanced statistic (features, times), else None.
    means, se
        Mean course over subjects of every cell, and its standard error between subjects, shape
        (cells, features, times).
    cells
        Names of the conditions or groups.
    n_at
        Subjects with data (in the smallest cell), shape (features, times).
    threshold
        Of the statistic; NaN with TFCE.
    contrast
        What was tested, such as ``"funny - neutral"``.
    statistic_name
        ``"t"`` or ``"F"``.
    n_subjects
        In the test.
    exact
        Whether all rearrangements were made.
    method
        The test in words.
    notes
        What a reader has to know: subjects left out, points not tested, limits of p.
    """

    table: pd.DataFrame
    statistic: Floats
    time: Floats
    features: tuple[str, ...]
    clusters: NDArray[np.bool_]
    p_values: Floats
    null_distribution: Floats
    enhanced: Floats | None
    means: Floats
    se: Floats
    cells: tuple[str, ...]
    n_at: NDArray[np.intp]
    threshold: float
    contrast: str
    statistic_name: str
    n_subjects: int
    exact: bool
    method: str
    notes: tuple[str, ...] = ()

    def significant(self, alpha: float = 0.05) -> pd.DataFrame:
        """Rows of the table with p up to `alpha`."""
        return self.table[self.table["p"] <= alpha]

    def summary(self, alpha: float = 0.05) -> str:
        """Say the result in words, with its numbers."""
        head = f"{self.method}, {self.contrast}, N = {self.n_subjects}: "
        found = self.significant(alpha)
        if found.empty:
            best = "" if self.table.empty else f" (smallest p {format_p(self.table['p'].min())})"
            said = f"no cluster with p ≤ {alpha:g}{best}"
        else:
            said = "; ".join(self._words(row) for row in found.itertuples())
        return " ".join([f"{head}{said}.", *self.notes])

    def plot(self, **options: Any) -> Any:
        """Draw it: :func:`facemt_analysis.plotting.plot_cluster_result`."""
        return draw("plot_cluster_result", self, **options)

    def _words(self, row: Any) -> str:
        way = ""
        if self.statistic_name == "t":
            way = " higher" if row.mass > 0 else " lower"
        stretch = f"{row.start:.2f}–{row.stop:.2f} s"
        return f"{row.feature}{way} at {stretch} (mass {row.mass:.1f}, p {format_p(row.p)})"

    def __repr__(self) -> str:
        return f"{self.summary()}\n{self.table.drop(columns=['contrast', 'method'])}"


def cluster_table(
    found: ClusterArrays,
    time: Floats,
    features: Sequence[str],
    difference: Floats | None,
    **said: object,
) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Make the table of clusters, the smallest p first, and their masks in that order."""
    order = np.lexsort((-np.abs(found.mass), found.p))
    rows = []
    for number, i in enumerate(order, start=1):
        f, span = found.feature[i], slice(int(found.start[i]), int(found.stop[i]))
        values = found.statistic[f, span]
        peak = int(np.nanargmax(np.abs(values)))
        estimate = np.nan if difference is None else float(np.nanmean(difference[f, span]))
        rows.append(
            {
                "feature": features[f],
                "cluster": number,
                "start": float(time[span.start]),
                "stop": float(time[span.stop - 1]),
                "mass": float(found.mass[i]),
                "p": float(found.p[i]),
                "peak": float(values[peak]),
                "peak_time": float(time[span.start + peak]),
                "estimate": estimate,
                "n_points": span.stop - span.start,
                "statistic_name": found.statistic_name,
                **said,
            }
        )
    numbers = dict.fromkeys(("start", "stop", "mass", "p", "peak", "peak_time", "estimate"), float)
    whole = dict.fromkeys(("cluster", "n_points", "n_subjects"), np.int64)
    table = pd.DataFrame(rows, columns=list(CLUSTER_COLUMNS)).astype({**numbers, **whole})
    return table, found.masks()[order]
