"""Action units over time: strips with events, heat maps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from facemt_analysis import schema
from facemt_analysis.checks import pick_columns
from facemt_analysis.errors import OptionError
from facemt_analysis.measures.au_events import AU_ON, au_events
from facemt_analysis.measures.events import Threshold
from facemt_analysis.plotting.faces import face_series, one_face
from facemt_analysis.plotting.heatmaps import binned, plot_means
from facemt_analysis.plotting.spans import gap_spans, name_gaps, shade_gaps
from facemt_analysis.plotting.style import INK, LOST, PALETTE, TRUTH, add_colorbar, new_axes

__all__ = ["plot_au_heatmap", "plot_aus"]

Floats = npt.NDArray[np.float64]

_MOST_COLUMNS = 1500  # cells of a heat map along time: more than a screen has
_HEIGHT = 0.9  # of a strip of 1
_SCORE = ("Score (0–1)", "Score\n(0–1)")  # along strips; along one


def plot_aus(
    frame: pd.DataFrame,
    aus: str | Iterable[str] | None = None,
    *,
    on: Threshold | None = AU_ON,
    names: bool = True,
    recording: str | None = None,
    track: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw action units over time, one strip each, with their events.

    Parameters
    ----------
    frame
        Rows with ``time`` and action units.
    aus
        Which ones; default all.
    on
        Threshold of the events that are filled, as in
        :func:`facemt_analysis.measures.au_events`; None: no events.
    names
        Write the names of the action units beside their columns' names.
    recording, track
        Which face, if there are several.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        Time in s; a strip is a score from 0 to 1. Lines break where there is no face, which is
        shaded. The line of each action unit carries its name as label. Shade what happened with
        :func:`facemt_analysis.plotting.shade_events`.

    Raises
    ------
    FexError
        If there are no action units or no time, or several faces and none was chosen.

    Examples
    --------
    >>> time = np.arange(50) / 10
    >>> ax = plot_aus(pd.DataFrame({"time": time, "AU06": 0.2, "AU12": time > 2}).astype(float))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['AU12 Lip corner puller', 'AU06 Cheek raiser']
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    columns = pick_columns(frame, aus, group="aus", name="aus")[::-1]  # the first one on top
    face = one_face(frame, recording=recording, track=track)
    time, values = face_series(face, columns)
    axes = new_axes(ax, size=(6.0, 0.6 + 0.28 * len(columns)))
    gaps = gap_spans(time, values)
    shade_gaps(axes, gaps)
    for i, column in enumerate(columns):
        axes.plot(time, i + _HEIGHT * values[:, i], color=INK, linewidth=0.8, label=column)
    if on is not None:
        events = au_events(face, columns, on=on)
        for i, column in enumerate(columns):
            mine = events[events["feature"] == column]
            within = np.zeros(len(time), dtype=np.bool_)
            for onset, offset in zip(mine["onset"], mine["offset"], strict=True):
                within |= (time >= onset) & (time <= offset)
            axes.fill_between(
                time, i, i + _HEIGHT * values[:, i], where=within.tolist(), linewidth=0,
                color=PALETTE[0], alpha=0.45, label=f"{column} events",
            )  # fmt: skip
    for i in range(len(columns)):
        axes.axhline(i, color=TRUTH, linewidth=0.3, zorder=0)
    axes.set_yticks(np.arange(len(columns)) + _HEIGHT / 2, _named(columns, names))
    axes.set(xlabel="Time (s)", ylabel=_SCORE[len(columns) < 2], ylim=(-0.05, len(columns)))
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0)
    name_gaps(axes, gaps)
    return axes


def plot_au_heatmap(
    frame: pd.DataFrame,
    aus: str | Iterable[str] | None = None,
    *,
    by: str | Sequence[str] | None = None,
    names: bool = True,
    cmap: str = "viridis",
    colorbar: bool = True,
    recording: str | None = None,
    track: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the scores of action units as colours, over time or in groups.

    Parameters
    ----------
    frame
        Rows with action units, and ``time`` where one face is drawn over time.
    aus
        Which ones, in the order of rows; default all.
    by
        Labels, such as ``"input"``: means instead, one line for each combination, as
        :func:`facemt_analysis.plotting.plot_means` draws them. None: over time.
    names
        Write the names of the action units beside their columns' names.
    cmap
        Matplotlib colour map.
    colorbar
        Explain the colours.
    recording, track
        Which face, if there are several.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        Time in s; colours from 0 to 1, grey where there is no face. More than 1500 frames are
        averaged into at most as many cells of equal duration.

    Raises
    ------
    FexError
        If there are no action units or no time, or several faces and none was chosen.
    OptionError
        If both a face and groups are asked for.

    Examples
    --------
    >>> table = pd.DataFrame({"time": [0.0, 0.1, 0.2], "AU06": 0.2, "AU12": [0.1, 0.5, 0.9]})
    >>> ax = plot_au_heatmap(table)
    >>> ax.collections[0].get_array()[1].round(1).tolist()
    [0.1, 0.5, 0.9]
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    columns = pick_columns(frame, aus, group="aus", name="aus")
    if by is not None:
        if recording is not None or track is not None:
            raise OptionError("`by` draws all rows in groups; leave `recording` and `track` out.")
        return plot_means(frame, columns, by, cmap=cmap, colorbar=colorbar, ax=ax)
    face = one_face(frame, recording=recording, track=track)
    time, values = face_series(face, columns)
    edges, cells = _cells(time, values)
    axes = new_axes(ax, size=(6.5, 0.9 + 0.16 * len(columns)))
    axes.set_facecolor(LOST)
    mesh = axes.pcolormesh(
        edges, np.arange(len(columns) + 1), np.ma.masked_invalid(cells.T), cmap=cmap,
        vmin=0, vmax=1, rasterized=True,
    )  # fmt: skip
    axes.set_yticks(np.arange(len(columns)) + 0.5, _named(columns, names))
    axes.tick_params(axis="y", length=0)
    axes.set(xlabel="Time (s)")
    axes.invert_yaxis()
    name_gaps(axes, gap_spans(time, values))
    if colorbar:
        add_colorbar(mesh, axes, "Score (0–1)")
    return axes


def _named(columns: list[str], names: bool) -> list[str]:
    return [f"{c} {schema.ACTION_UNITS[c].name}" if names else c for c in columns]


def _cells(time: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Edges (m + 1,) and means (m, columns) of cells in time; NaN where nothing is."""
    if not len(time):
        return np.array([0.0, 1.0]), np.full((1, values.shape[1]), np.nan)
    step = float(np.median(np.diff(time))) if len(time) > 1 else 1.0
    if len(time) <= _MOST_COLUMNS:
        return np.append(time, time[-1] + step), values
    edges = np.linspace(time[0], time[-1] + step, _MOST_COLUMNS // 2 + 1)
    return edges, binned(time, values, edges)
