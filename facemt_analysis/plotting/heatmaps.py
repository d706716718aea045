"""Many recordings in one picture: features as colours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from facemt_analysis import schema
from facemt_analysis.checks import check_labels, check_whole, pick_columns
from facemt_analysis.errors import FexError
from facemt_analysis.plotting.style import LOST, add_colorbar, figure_of, new_axes, unit_of
from facemt_analysis.signal.segments import cut

__all__ = ["binned", "default_groups", "group_names", "plot_means", "plot_raster"]

Floats = npt.NDArray[np.float64]

_MOST_NAMES = 60


def plot_means(
    frame: pd.DataFrame,
    features: str | Iterable[str] | None = None,
    by: str | Sequence[str] | None = None,
    *,
    cmap: str = "viridis",
    colorbar: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw the mean of features in recordings, or any groups, as colours.

    Parameters
    ----------
    frame
        Rows of many recordings.
    features
        Columns of one feature group; default the action units.
    by
        Labels: one line for each combination; default one per recording.
    cmap
        Matplotlib colour map.
    colorbar
        Explain the colours.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        Groups from top to bottom, features from left to right; colours of scores go from 0 to the
        highest mean, those of valence and arousal from −1 to 1. Frames without a face do
        not count; grey: there are no others.

    Raises
    ------
    FexError
        If a column is not there, or the features are of several groups.

    Examples
    --------
    >>> table = pd.DataFrame({"input": ["a", "a", "b"], "AU06": 0.2, "AU12": [0.0, 0.4, 0.9]})
    >>> ax = plot_means(table)
    >>> ax.collections[0].get_array().round(2).tolist()
    [[0.2, 0.2], [0.2, 0.9]]
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    columns = pick_columns(frame, features, group="aus" if features is None else None)
    kinds = {schema.group_of(c) for c in columns}
    if len(kinds) > 1:
        raise FexError(f"One colour has one unit, but {', '.join(columns)} are of several groups.")
    groups = default_groups(frame) if by is None else check_labels(frame, by)
    plain = pd.DataFrame(frame)[[*groups, *columns]].astype(dict.fromkeys(columns, np.float64))
    if groups:
        means = plain.groupby(groups, observed=True, sort=False)[columns].mean().reset_index()
    else:
        means = plain[columns].mean().to_frame().T
    means = means.iloc[_by_label(means, groups)]
    names = group_names(means, groups)
    axes = new_axes(ax, size=(1.8 + 0.25 * len(columns), 0.9 + 0.14 * min(len(names), _MOST_NAMES)))
    low, high = _limits(kinds.pop(), columns)
    high = None if low == 0.0 else high
    axes.set_facecolor(LOST)
    mesh = axes.pcolormesh(
        np.arange(len(columns) + 1), np.arange(len(names) + 1),
        np.ma.masked_invalid(means[columns].to_numpy()), cmap=cmap, vmin=low, vmax=high,
        edgecolors="white", linewidth=0.3,
    )  # fmt: skip
    narrow = figure_of(axes).get_figwidth() < 0.25 * len(columns)  # names would touch
    axes.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=90,
                    size="x-small" if narrow else None)  # fmt: skip
    _name_rows(axes, names)
    if colorbar:
        add_colorbar(mesh, axes, f"Mean{unit_of(columns[0])}")
    return axes


def plot_raster(
    frame: pd.DataFrame,
    feature: str,
    by: str | Sequence[str] | None = None,
    *,
    cells: int = 300,
    cmap: str = "viridis",
    colorbar: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw one feature over time, one line per recording (or group), as colours.

    Parameters
    ----------
    frame
        Rows of recordings whose times are comparable, such as those of one film.
    feature
        The column.
    by
        Labels: one line for each combination, the mean of its faces; default one per recording.
    cells
        Stretches of equal duration; means within each are drawn. Fewer where there are fewer
        frames.
    cmap
        Matplotlib colour map.
    colorbar
        Explain the colours.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        Time in s; grey where there is no face.

    Raises
    ------
    FexError
        If a column is not there or there is no time.

    Examples
    --------
    >>> table = pd.DataFrame({"input": list("aabb"), "time": [0.0, 1.0] * 2, "frame": [0, 1] * 2,
    ...                       "AU12": [0.1, 0.9, 0.3, 0.5]})
    >>> ax = plot_raster(table, "AU12")
    >>> ax.collections[0].get_array().tolist()
    [[0.1, 0.9], [0.3, 0.5]]
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    (column,) = pick_columns(frame, feature, name="feature")
    groups = default_groups(frame) if by is None else check_labels(frame, by)
    parts = cut(frame, by=groups)
    names = group_names(parts.groups, groups)
    values = parts.values(frame, [column])
    steps = parts.step[np.isfinite(parts.step)]
    step = float(np.median(steps)) if len(steps) else 1.0
    first, last = float(parts.time.min(initial=np.inf)), float(parts.time.max(initial=-np.inf))
    if first > last:
        raise FexError("There is no face at any time; there is nothing to draw.")
    n = min(check_whole("cells", cells, 1), max(round((last - first) / step) + 1, 1))
    edges = np.linspace(first, last + step, n + 1)
    line = parts.group[parts.segment]
    means = np.full((len(names), n), np.nan)
    for i in range(len(names)):
        means[i] = binned(parts.time[line == i], values[line == i], edges)[:, 0]
    order = _by_label(parts.groups, groups)
    means, names = means[order], [names[i] for i in order]
    axes = new_axes(ax, size=(6.0, 0.9 + 0.14 * min(len(names), _MOST_NAMES)))
    low, high = _limits(schema.group_of(column), [column])
    axes.set_facecolor(LOST)
    mesh = axes.pcolormesh(edges, np.arange(len(names) + 1), np.ma.masked_invalid(means),
                           cmap=cmap, vmin=low, vmax=high, rasterized=True)  # fmt: skip
    axes.set_xlabel("Time (s)")
    _name_rows(axes, names)
    if colorbar:
        add_colorbar(mesh, axes, f"{column}{unit_of(column)}")
    return axes


def binned(time: Floats, values: Floats, edges: Floats) -> Floats:
    """Average values (n, columns) within cells of time (m,); NaN where nothing is.

    >>> binned(np.array([0.0, 0.4, 1.2]), np.array([[1.0], [3.0], [5.0]]), np.arange(4.0))[:, 0]
    array([ 2.,  5., nan])
    """
    cell = np.clip(np.searchsorted(edges, time + 1e-9, side="right") - 1, 0, len(edges) - 2)
    means = np.empty((len(edges) - 1, values.shape[1]))
    for i, column in enumerate(values.T):
        ok = ~np.isnan(column)
        n = np.bincount(cell[ok], minlength=len(means))
        total = np.bincount(cell[ok], weights=column[ok], minlength=len(means))
        means[:, i] = np.where(n > 0, total / np.maximum(n, 1), np.nan)
    return means


def default_groups(frame: pd.DataFrame) -> list[str]:
    """Group by recordings, if the table names them."""
    return [c for c in ("input",) if c in frame.columns]


def _by_label(table: pd.DataFrame, groups: Sequence[str]) -> npt.NDArray[np.intp]:
    """Order rows by the first label, then the next, values in the order they come in."""
    if not groups:
        return np.arange(len(table))
    return np.lexsort([pd.factorize(table[c])[0] for c in reversed(groups)])


def group_names(table: pd.DataFrame, groups: Sequence[str]) -> list[str]:
    """Write the labels of every row as one name."""
    if not groups:
        return ["all"] * len(table)
    return [" · ".join(map(str, row)) for row in table[list(groups)].itertuples(index=False)]


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    shown = names if len(names) <= _MOST_NAMES else []
    axes.set_yticks(np.arange(len(shown)) + 0.5, shown)
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    if not shown:
        axes.set_ylabel(f"{len(names)} recordings or groups")


def _limits(group: str | None, columns: Sequence[str]) -> tuple[float | None, float | None]:
    """Give the ends of the colours: the range of the schema if it has both."""
    if group is None:
        return None, None
    low, high = schema.range_of(columns[0])
    return (low, high) if np.isfinite(low) and np.isfinite(high) else (None, None)
