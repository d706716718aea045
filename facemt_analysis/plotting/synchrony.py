"""How alike people respond, and how they follow each other."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from facemt_analysis.checks import check_whole
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.plotting.style import (
    INK,
    LOST,
    PALETTE,
    TRUTH,
    add_colorbar,
    colour_of,
    legend_above,
    new_axes,
)
from facemt_analysis.stats.isc_tables import IscResult
from facemt_analysis.stats.lagged_correlation import WindowedCorrelation
from facemt_analysis.stats.synchrony_result import SynchronyResult
from facemt_analysis.stats.words import format_p

__all__ = ["plot_isc", "plot_synchrony", "plot_windowed_correlation"]


def plot_isc(result: IscResult, *, ax: Axes | None = None) -> Axes:
    """Draw intersubject correlations: people, averages with intervals, and what chance gives.

    Parameters
    ----------
    result
        What :func:`facemt_analysis.stats.isc` gave.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        One line per feature and condition: a point per person, the average with its 95 % interval,
        p (corrected where the table has it); grey: the middle 95 % of the null distribution.
    """
    table = result.table
    axes = new_axes(ax, size=(3.4, 0.9 + 0.3 * len(table)))
    names = []
    for i, row in enumerate(table.to_dict("records")):
        null = result.null_distribution[i, 1:]
        if len(null):
            low, high = np.quantile(null, (0.025, 0.975))
            axes.barh(i, high - low, left=low, height=0.7, color=LOST, zorder=0,
                      label="by chance (95 %)" if i == 0 else "")  # fmt: skip
        people = result.subjects
        own = people[
            (people["feature"] == row["feature"]) & (people["condition"] == row["condition"])
        ]
        values = own["isc"].to_numpy(np.float64)
        spread = 0.22 * np.sin(2.4 * np.arange(len(values)))  # the same every time
        axes.plot(values, i + spread, "o", markersize=2.6, markeredgewidth=0, alpha=0.75,
                  color=PALETTE[0], gid="people")  # fmt: skip
        axes.hlines(i, row["ci_low"], row["ci_high"], color=INK, linewidth=1.1)
        axes.plot([row["isc"]], [i], "o", markersize=4.5, color=INK, gid="average")
        p = row["p_adj"] if np.isfinite(row["p_adj"]) else row["p"]
        if np.isfinite(p):
            axes.text(1.0, i, f" p {format_p(float(p))}", transform=axes.get_yaxis_transform(),
                      va="center", size="small")  # fmt: skip
        names.append(" · ".join(str(row[c]) for c in ("feature", "condition") if row[c] != ""))
    axes.axvline(0, color=TRUTH, linewidth=0.6, zorder=0)
    axes.set_yticks(range(len(names)), names)
    axes.set(ylim=(len(names) - 0.5, -0.5), xlabel="Intersubject correlation (r)")
    axes.tick_params(axis="y", length=0)
    if result.null_distribution.shape[1] > 1:
        legend_above(axes)
    return axes


def plot_synchrony(result: SynchronyResult, row: int = 0, *, ax: Axes | None = None) -> Axes:
    """Draw the synchrony of dyads at every lag.

    Parameters
    ----------
    result
        What :func:`facemt_analysis.stats.synchrony` gave.
    row
        Of ``result.group``: which condition and feature.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        Thin lines: dyads; thick: their mean; a point at the lag where the mean peaks. Lags are
        positive where the second person follows the first.

    Raises
    ------
    OptionError
        If there is no such row.
    FexError
        If the measure has no lags (``"dtw"``).
    """
    n = len(result.group)
    if check_whole("row", row) >= n:
        raise OptionError(f"`row` must be one of {n} rows of .group, but got {row}.")
    said = result.group.iloc[row]
    if not result.profiles.size:
        raise FexError(f"The measure {said['measure']!r} has no lags to draw.")
    table = result.table
    own = (table["feature"] == said["feature"]) & (table["condition"] == said["condition"])
    profiles = result.profiles[own.to_numpy()]
    mean = np.nanmean(profiles, axis=0)
    axes = new_axes(ax, size=(3.4, 2.2))
    axes.axvline(0, color=TRUTH, linewidth=0.6, zorder=0)
    for i, profile in enumerate(profiles):
        axes.plot(result.lags, profile, color=TRUTH, linewidth=0.5, alpha=0.6, gid="dyad",
                  label="dyads" if i == 0 else "")  # fmt: skip
    axes.plot(
        result.lags, mean, color=colour_of(0), linewidth=1.6, label=f"mean of {len(profiles)}"
    )
    peak = int(np.abs(result.lags - said["lag"]).argmin())
    axes.plot(result.lags[peak], mean[peak], "o", markersize=4, color=INK)
    first, second = result.persons
    axes.set_xlabel(f"Lag (s), + = {second} after {first}")
    rate = said["measure"] == "recurrence"
    axes.set_ylabel("Recurrence rate" if rate else "Correlation (r)")
    where = "" if said["condition"] == "" else f", {said['condition']}"
    axes.margins(x=0)
    legend_above(axes, ncols=2)
    axes.annotate(
        f"{said['feature']}{where}\np {format_p(float(said['p']))}", (1.0, 1.0), (-2, -2),
        xycoords="axes fraction", textcoords="offset points", ha="right", va="top", size="small",
    )  # fmt: skip
    return axes


def plot_windowed_correlation(
    result: WindowedCorrelation, *, peaks: bool = True, ax: Axes | None = None
) -> Axes:
    """Draw the correlation of two courses over time and lag.

    Parameters
    ----------
    result
        What :func:`facemt_analysis.stats.windowed_crosscorrelation` gave for one pair.
    peaks
        Mark the peak nearest to lag 0 of every window.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        Time and lag in s; colours from −1 to 1, empty where nothing can be said.

    Raises
    ------
    FexError
        If the result is of several pairs.

    Examples
    --------
    >>> from facemt_analysis.stats import windowed_crosscorrelation
    >>> wave = np.sin(np.arange(200) / 7)
    >>> ax = plot_windowed_correlation(windowed_crosscorrelation(wave, wave, rate=10))
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('Time (s)', 'Lag (s), + = b after a')
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    if result.r.ndim != 2:
        raise FexError(
            f"One pair is drawn, but `r` has the shape {result.r.shape}; make one result per pair."
        )
    axes = new_axes(ax, size=(3.4, 2.4))
    axes.set_facecolor(LOST)
    mesh = axes.pcolormesh(
        result.time, result.lag, np.ma.masked_invalid(result.r.T), cmap="RdBu_r", vmin=-1, vmax=1,
        shading="nearest", rasterized=True,
    )  # fmt: skip
    if peaks:
        _, lag = result.peaks()
        axes.plot(result.time, lag, ".", color="black", markersize=3,
                  label="peak nearest to lag 0")  # fmt: skip
        legend_above(axes)
    axes.axhline(0, color=INK, linewidth=0.4)
    axes.set(xlabel="Time (s)", ylabel="Lag (s), + = b after a")
    add_colorbar(mesh, axes, "Correlation (r)")
    return axes
