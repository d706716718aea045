"""Emotions, stacked: over time, and as shares of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from facemt_analysis.checks import check_labels, pick_columns
from facemt_analysis.measures.emotion import emotion_summary
from facemt_analysis.plotting.faces import face_series, one_face
from facemt_analysis.plotting.heatmaps import default_groups, group_names
from facemt_analysis.plotting.spans import gap_spans, shade_gaps
from facemt_analysis.plotting.style import legend_above, new_axes

__all__ = ["EMOTION_COLOURS", "plot_emotion_shares", "plot_emotions"]

EMOTION_COLOURS: Mapping[str, str] = MappingProxyType({
    "Neutral": "#c8c8c8", "Happy": "#E69F00", "Sad": "#0072B2", "Surprise": "#56B4E9",
    "Fear": "#CC79A7", "Disgust": "#009E73", "Anger": "#D55E00", "Contempt": "#F0E442",
})  # fmt: skip
"""Colours of the emotions that stay apart for colour-blind readers (Okabe & Ito, 2008)."""


def plot_emotions(
    frame: pd.DataFrame,
    *,
    legend: bool = True,
    recording: str | None = None,
    track: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the probabilities of the emotions over time, stacked.

    Parameters
    ----------
    frame
        Rows with ``time`` and emotions.
    legend
        Name the colours.
    recording, track
        Which face, if there are several.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        Time in s; grey where there is no face. The area of each emotion carries its name as label.

    Raises
    ------
    FexError
        If there are no emotions or no time, or several faces and none was chosen.

    Examples
    --------
    >>> table = pd.DataFrame({"time": [0.0, 0.1], "Neutral": [0.9, 0.2], "Happy": [0.1, 0.8]})
    >>> ax = plot_emotions(table)
    >>> [area.get_label() for area in ax.collections]
    ['Neutral', 'Happy']
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    columns = pick_columns(frame, group="emotions")
    time, values = face_series(one_face(frame, recording=recording, track=track), columns)
    axes = new_axes(ax, size=(6.0, 2.2))
    shade_gaps(axes, gap_spans(time, values))
    tops = np.cumsum(values, axis=1)
    for i, column in enumerate(columns):
        axes.fill_between(
            time, tops[:, i - 1] if i else 0.0, tops[:, i], color=EMOTION_COLOURS[column],
            edgecolor="white", linewidth=0.2, label=column,
        )  # fmt: skip
    axes.set(xlabel="Time (s)", ylabel="Probability", ylim=(0, 1), yticks=[0, 0.5, 1])
    axes.margins(x=0)
    if legend:
        legend_above(axes)
    return axes


def plot_emotion_shares(
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    *,
    threshold: float | None = None,
    legend: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw the share of the time in which each emotion is the dominant one, as stacked bars.

    Parameters
    ----------
    frame
        Rows with emotions.
    by
        Labels: one bar for each combination; default one per recording.
    threshold
        Probability an emotion must reach to be dominant; bars are then shorter than 1.
    legend
        Name the colours.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        Groups from top to bottom. Time without a face does not count. The bars of each emotion
        carry its name as label.

    See Also
    --------
    facemt_analysis.measures.emotion_summary : the numbers.

    Examples
    --------
    >>> table = pd.DataFrame({"subject": ["a", "a"], "frame": [0, 1], "Neutral": [0.9, 0.2],
    ...                       "Happy": [0.1, 0.8]})
    >>> ax = plot_emotion_shares(table, "subject")
    >>> [(bars.get_label(), float(bars[0].get_width())) for bars in ax.containers]
    [('Neutral', 0.5), ('Happy', 0.5)]
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    groups = default_groups(frame) if by is None else check_labels(frame, by)
    table = emotion_summary(frame, groups, threshold=threshold)
    names = group_names(table, groups)
    columns = list(dict.fromkeys(table["feature"]))
    rows = list(dict.fromkeys(names))
    shares = table.assign(row=names).pivot_table(
        index="row", columns="feature", values="share", dropna=False
    )
    shares = shares.reindex(index=rows, columns=columns)
    axes = new_axes(ax, size=(5.0, 0.8 + 0.22 * len(rows)))
    left = np.zeros(len(rows))
    for column in columns:
        width = shares[column].to_numpy(np.float64)
        axes.barh(np.arange(len(rows)), width, left=left, height=0.8, label=column,
                  color=EMOTION_COLOURS[column], edgecolor="white", linewidth=0.4)  # fmt: skip
        left += np.nan_to_num(width)
    axes.set_yticks(range(len(rows)), rows)
    axes.set(xlim=(0, 1), ylim=(len(rows) - 0.5, -0.5), xlabel="Share of time dominant")
    axes.tick_params(axis="y", length=0)
    if legend:
        legend_above(axes)
    return axes
