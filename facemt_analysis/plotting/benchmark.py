"""Scores of benchmarks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from facemt_analysis.errors import FexError
from facemt_analysis.plotting.style import INK, PALETTE, new_axes

__all__ = ["plot_benchmark"]


def plot_benchmark(
    table: pd.DataFrame,
    *,
    metric: str | None = None,
    missing: str = "left out",
    ax: Axes | None = None,
) -> Axes:
    """Draw one metric of a benchmark with its intervals, one colour per checkpoint.

    Parameters
    ----------
    table
        Scores, as :attr:`facemt_analysis.benchmark.BenchmarkResult.table` has them.
    metric
        Which one; default: the one with most targets.
    missing
        What became of samples without a face: ``"left out"`` or ``"as errors"``.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        Targets from top to bottom; a short grey line where the model card claims a score.

    Raises
    ------
    FexError
        If the table has no such score.
    """
    rows = table[table["missing"] == missing]
    if metric is None and len(rows):
        metric = str(rows["metric"].value_counts().index[0])
    rows = rows[rows["metric"] == metric]
    if rows.empty:
        known = ", ".join(dict.fromkeys(table["metric"]))
        raise FexError(f"`metric`: there is no score {metric!r}; the table has {known}.")
    targets = list(dict.fromkeys(rows["target"]))
    axes = new_axes(ax, size=(3.4, 0.9 + 0.22 * len(targets)))
    names = list(dict.fromkeys(rows["weights"]))
    for i, name in enumerate(names):
        own = rows[rows["weights"] == name].set_index("target").reindex(targets)
        y = np.arange(len(targets)) + (i - (len(names) - 1) / 2) * 0.6 / len(names)
        value = own["value"].to_numpy(np.float64)
        ends = np.abs(own[["ci_low", "ci_high"]].to_numpy(np.float64).T - value)
        axes.errorbar(value, y, xerr=np.nan_to_num(ends), fmt="o", markersize=3.5, linewidth=1.0,
                      color=PALETTE[i % len(PALETTE)], label=name)  # fmt: skip
        if i == 0:
            claimed = own["card"].to_numpy(np.float64)
            known_here = np.isfinite(claimed)
            axes.plot(claimed[known_here], y[known_here], "|", color=INK, markersize=10,
                      label="model card")  # fmt: skip
    axes.set(yticks=range(len(targets)), yticklabels=targets, xlabel=str(metric).replace("_", " "))
    axes.invert_yaxis()
    axes.legend(loc="best")
    return axes
