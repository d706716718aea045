"""Average courses of conditions, and when they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from facemt_analysis.checks import check_labels, check_number, check_option, near_names
from facemt_analysis.errors import FexError
from facemt_analysis.plotting.style import (
    INK,
    TRUTH,
    add_colorbar,
    colour_of,
    legend_above,
    line_of,
    new_axes,
    unit_of,
)
from facemt_analysis.stats.cluster_result import ClusterResult
from facemt_analysis.stats.words import format_p

__all__ = ["plot_cluster_result", "plot_epochs"]

Floats = npt.NDArray[np.float64]


def plot_epochs(
    courses: pd.DataFrame,
    feature: str,
    by: str | Sequence[str] = (),
    *,
    subject: str = "subject",
    time: str = "epoch_time",
    interval: Literal["between", "within"] | None = "between",
    level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw the mean course around events of each condition, with intervals over people.

    Parameters
    ----------
    courses
        One row per person, condition and time, as :func:`facemt_analysis.signal.epoch_average`
        gives them.
    feature
        The column.
    by
        Labels whose combinations are drawn apart.
    subject, time
        Columns with the person and the seconds since the event.
    interval
        ``"between"``: of the mean over people; ``"within"``: without the differences between people
        that all conditions share, for conditions everybody was in; None: no band.
    level
        Of the intervals, pointwise.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        Lines carry the name of their condition and the number of people as label; a line marks the
        event. They break where nobody has a value.

    Raises
    ------
    FexError
        If a column is missing, a person is there several times at a time, or intervals within
        people were asked for and people were not in all conditions.

    Notes
    -----
    Intervals are mean ± t·sd/√n. Those within people are of values less the person's mean over
    conditions at that time (Cousineau, 2005), their variance times c/(c − 1) for c conditions
    (Morey, 2008).

    References
    ----------
    Morey, R. D. (2008). Confidence intervals from normalized data: A correction to Cousineau
        (2005). Tutor. Quant. Methods Psychol., 4(2), 61-64. https://doi.org/10.20982/tqmp.04.2.p061

    Examples
    --------
    >>> courses = pd.DataFrame({"subject": list("aabb"), "epoch_time": [0.0, 0.5] * 2,
    ...                         "AU12": [0.1, 0.5, 0.3, 0.9]})
    >>> ax = plot_epochs(courses, "AU12")
    >>> ax.lines[1].get_ydata().round(3).tolist()
    [0.2, 0.7]
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    cells = check_labels(courses, by)
    check_labels(courses, [subject, time, feature], name="courses")
    check_option("interval", interval, ("between", "within", None))
    level = check_number("level", level, 0.0, 1.0, open_low=True, open_high=True)
    if courses.duplicated([subject, *cells, time]).any():
        raise FexError(
            "A person is there several times at one time; name what tells the rows apart in `by`, "
            "or average first: signal.epoch_average(epochs, by=...)."
        )
    times, names, values = _arrays(courses, feature, cells, subject, time)
    spread = values
    factor = 1.0
    if interval == "within":
        if len(names) < 2:
            raise FexError("Intervals within people need at least two conditions in `by`.")
        missing = np.asarray(np.isnan(values).all(axis=2).any(axis=0))
        if missing.any():
            raise FexError(
                f"{missing.sum()} of {len(missing)} people were not in all conditions; intervals "
                "within people need all: interval='between'."
            )
        spread = values - values.mean(axis=0)
        factor = np.sqrt(len(names) / (len(names) - 1))
    axes = new_axes(ax, size=(3.4, 2.2))
    axes.axvline(0, color=TRUTH, linewidth=0.6, zorder=0)
    for i, name in enumerate(names):
        n = (~np.isnan(values[i])).sum(axis=0)
        mean = _over(values[i], n, 1)
        in_band = (~np.isnan(spread[i])).sum(axis=0)
        half = factor * _half_width(_sd(spread[i]), in_band, level)
        people = int((~np.isnan(values[i]).all(axis=1)).sum())
        label = f"{name} (N = {people})" if name else f"N = {people}"
        _course(axes, i, times, mean, None if interval is None else half, label)
    _finish(axes, feature, "Time since event (s)")
    return axes


def plot_cluster_result(
    result: ClusterResult,
    feature: str | None = None,
    *,
    alpha: float = 0.05,
    level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw when conditions differ: mean courses with clusters, or a map of many features.

    Parameters
    ----------
    result
        What :func:`facemt_analysis.stats.cluster_permutation` gave.
    feature
        Whose courses; without it, several features become a map of the statistic.
    alpha
        Clusters with p up to this are marked.
    level
        Of the pointwise intervals between people around the means.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        Courses: black bars below them, and shades, are clusters, with their p. Map: significant
        clusters are framed, the rest is pale.

    Raises
    ------
    FexError
        If there is no such feature.
    """
    alpha = check_number("alpha", alpha, 0.0, 1.0)
    if feature is None and len(result.features) > 1:
        return _map(result, alpha, ax)
    name = result.features[0] if feature is None else feature
    if name not in result.features:
        raise FexError(
            f"`feature`: there is no {name!r}.{near_names(name, result.features)} "
            f"There is: {', '.join(result.features)}."
        )
    place = result.features.index(name)
    axes = new_axes(ax, size=(3.4, 2.4))
    for i, cell in enumerate(result.cells):
        half = _half_width(result.se[i, place], result.n_at[place], level, root=False)
        _course(axes, i, result.time, result.means[i, place], half, str(cell))
    axes.margins(y=0.12)
    low, high = axes.get_ylim()
    step = float(np.median(np.diff(result.time))) if len(result.time) > 1 else 0.0
    found = result.table[(result.table["feature"] == name) & (result.table["p"] <= alpha)]
    for start, stop, p in found[["start", "stop", "p"]].to_numpy(np.float64).tolist():
        ends = (start - step / 2, stop + step / 2)
        axes.axvspan(*ends, color=INK, alpha=0.08, linewidth=0, zorder=0, gid="cluster")
        axes.plot(list(ends), [low, low], color=INK, linewidth=3, solid_capstyle="butt",
                  clip_on=False, gid="cluster")  # fmt: skip
        axes.annotate(f"p {format_p(p)}", (sum(ends) / 2, low), (0, 4),
                      textcoords="offset points", ha="center", size="small")  # fmt: skip
    axes.set_ylim(low, high)
    _finish(axes, name, "Time (s)")
    return axes


def _map(result: ClusterResult, alpha: float, ax: Axes | None) -> Axes:
    n = len(result.features)
    axes = new_axes(ax, size=(3.4, 0.9 + 0.17 * n))
    inside = np.zeros(result.statistic.shape, np.bool_)
    places = {name: i for i, name in enumerate(result.features)}
    for i, (name, p) in enumerate(zip(result.table["feature"], result.table["p"], strict=True)):
        if p <= alpha:
            inside[places[name]] |= result.clusters[i]
    step = float(np.median(np.diff(result.time))) if len(result.time) > 1 else 1.0
    edges = np.append(result.time - step / 2, result.time[-1] + step / 2)
    most = float(np.nanmax(np.abs(result.statistic)))
    signed = result.statistic_name == "t"
    mesh = axes.pcolormesh(
        edges, np.arange(n + 1), np.ma.masked_invalid(result.statistic),
        cmap="RdBu_r" if signed else "viridis", vmin=-most if signed else 0.0, vmax=most,
        linewidth=0,
    )  # fmt: skip
    mesh.set_alpha(cast("Sequence[float]", np.where(inside, 1.0, 0.35)))  # one for each cell
    for i in range(n):
        changes = np.flatnonzero(np.diff(np.r_[False, inside[i], False].astype(np.int8)))
        for first, stop in changes.reshape(-1, 2):
            axes.plot(edges[[first, stop, stop, first, first]], [i, i, i + 1, i + 1, i],
                      color=INK, linewidth=0.9, gid="cluster")  # fmt: skip
    axes.set_yticks(np.arange(n) + 0.5, result.features)
    axes.set(ylim=(n, 0), xlabel="Time (s)", xlim=(edges[0], edges[-1]))
    axes.tick_params(axis="y", length=0)
    add_colorbar(mesh, axes, f"{result.statistic_name} ({result.contrast})".replace(" - ", " − "))
    return axes


def _arrays(
    courses: pd.DataFrame, feature: str, cells: list[str], subject: str, time: str
) -> tuple[Floats, list[str], Floats]:
    """Give times (t,), names (c,) and values (c, people, t)."""
    moment, times = pd.factorize(courses[time], sort=True)
    person, people = pd.factorize(courses[subject])
    texts = [courses[c].astype(str) for c in cells]
    joined = [" · ".join(row) for row in zip(*texts, strict=True)] if texts else [""] * len(courses)
    if len(cells) == 1 and isinstance(courses[cells[0]].dtype, pd.CategoricalDtype):
        levels = [str(c) for c in courses[cells[0]].cat.categories]
        names = [name for name in levels if name in set(joined)]
    else:
        names = list(dict.fromkeys(joined))
    cell = pd.Series(joined).map({name: i for i, name in enumerate(names)}).to_numpy()
    values = np.full((len(names), len(people), len(times)), np.nan)
    values[cell, person, moment] = courses[feature].to_numpy(np.float64)
    return np.asarray(times, np.float64), names, values


def _over(values: Floats, n: npt.NDArray[np.intp], fewest: int) -> Floats:
    """Average over people; NaN where fewer have a value."""
    total = np.nansum(values, axis=0)
    return np.where(n >= fewest, total / np.maximum(n, 1), np.nan)


def _sd(values: Floats) -> Floats:
    n = (~np.isnan(values)).sum(axis=0)
    centred = values - _over(values, n, 1)
    squares = np.nansum(centred**2, axis=0)
    return np.where(n > 1, np.sqrt(squares / np.maximum(n - 1, 1)), np.nan)


def _half_width(sd: Floats, n: npt.NDArray[np.intp], level: float, *, root: bool = True) -> Floats:
    """Half the width of a t interval from SDs, or from standard errors."""
    from scipy.stats import t

    quantile = t.ppf(0.5 + level / 2, np.maximum(n - 1, 1))
    return np.asarray(quantile * (sd / np.sqrt(np.maximum(n, 1)) if root else sd))


def _course(
    axes: Axes, i: int, time: Floats, mean: Floats, half: Floats | None, label: str
) -> None:
    colour = colour_of(i)
    if half is not None:
        axes.fill_between(time, mean - half, mean + half, color=colour, alpha=0.2, linewidth=0,
                          gid="interval")  # fmt: skip
    axes.plot(time, mean, color=colour, linewidth=1.2, linestyle=line_of(i),
              label=label)  # fmt: skip


def _finish(axes: Axes, feature: str, xlabel: str) -> None:
    axes.set(xlabel=xlabel, ylabel=feature + unit_of(feature))
    axes.margins(x=0)
    if axes.get_legend_handles_labels()[1] != [""]:
        legend_above(axes, ncols=2)
