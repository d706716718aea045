"""Emotions over time, stacked."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from facemt_analysis.checks import pick_columns
from facemt_analysis.plotting.faces import face_series, one_face
from facemt_analysis.plotting.style import new_axes

__all__ = ["EMOTION_COLOURS", "plot_emotions"]

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
        Time in s; empty where there is no face. The area of each emotion carries its name as label.

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
    tops = np.cumsum(values, axis=1)
    for i, column in enumerate(columns):
        axes.fill_between(
            time, tops[:, i - 1] if i else 0.0, tops[:, i], color=EMOTION_COLOURS[column],
            linewidth=0, label=column,
        )  # fmt: skip
    axes.set(xlabel="Time (s)", ylabel="Probability", ylim=(0, 1), yticks=[0, 0.5, 1])
    axes.margins(x=0)
    if legend:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), reverse=True)
    return axes
