"""The path of valence and arousal, to read moment by moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.checks import check_number
from facemt_analysis.interactive.look import GRID, LAYOUT
from facemt_analysis.measures.affect import affect_trajectory
from facemt_analysis.measures.emotion import dominant_emotion
from facemt_analysis.plotting.faces import one_face
from facemt_analysis.plotting.style import INK, TRUTH

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["affect_path"]

# x, y, word
_QUADRANTS = ((1, 1, "excited"), (-1, 1, "distressed"), (-1, -1, "depressed"), (1, -1, "calm"))


def affect_path(
    frame: pd.DataFrame,
    *,
    recording: str | None = None,
    track: int | None = None,
    hz: float | None = None,
) -> Figure:
    """Draw the path of one face on the circumplex; pointing at it tells time and emotion.

    Parameters
    ----------
    frame
        Table with ``time``, ``valence`` and ``arousal``; emotions are told where there are some.
    recording, track
        Which face, if there are several.
    hz
        Samples per second, to thin a long path out (filtered before); default: the frames.

    Returns
    -------
    plotly.graph_objects.Figure
        Points coloured by time; the line breaks at gaps.

    Raises
    ------
    FexError
        If a column is missing, or several faces are there and none was chosen.

    References
    ----------
    Russell, J. A. (1980). A circumplex model of affect. J. Pers. Soc. Psychol., 39(6), 1161-1178.
        https://doi.org/10.1037/h0077714

    Examples
    --------
    >>> table = pd.DataFrame({"time": [0.0, 0.1], "valence": [0.1, 0.2], "arousal": 0.3, "Happy": 0.9})
    >>> affect_path(table).data[1].text[0]
    'Happy 0.90'
    """  # noqa: E501
    from plotly import graph_objects as go

    face = one_face(frame, recording=recording, track=track)
    if hz is not None:
        hz = check_number("hz", hz, 0.0, open_low=True)
    path = affect_trajectory(face, hz=hz)
    time = path["time"].to_numpy(np.float64)
    values = path[["valence", "arousal"]].to_numpy(np.float64)
    # the speed is missing after a gap, at a start, beside NaN: there the line begins anew
    breaks = np.flatnonzero(np.isnan(path["speed"].to_numpy(np.float64)))[1:]
    line = np.insert(values, breaks, np.nan, axis=0)
    words = _emotions(face, time)
    figure = go.Figure(
        [
            go.Scatter(x=line[:, 0], y=line[:, 1], mode="lines", hoverinfo="skip",
                       line={"color": TRUTH, "width": 1}, opacity=0.6, name="path"),
            go.Scatter(
                x=values[:, 0], y=values[:, 1], mode="markers", name="frames", text=words,
                customdata=time,
                marker={"size": 6, "color": time, "colorscale": "Viridis",
                        "colorbar": {"title": {"text": "Time (s)"}, "thickness": 12}},
                hovertemplate="%{customdata:.2f} s<br>valence %{x:.2f}, arousal %{y:.2f}"
                "<br>%{text}<extra></extra>",
            ),
        ]
    )  # fmt: skip
    axis = {"range": [-1.15, 1.15], "tickvals": [-1, 0, 1], "gridcolor": GRID, "zerolinecolor": INK,
            "zerolinewidth": 1}  # fmt: skip
    figure.update_layout(
        **LAYOUT,
        width=560,
        height=500,
        showlegend=False,
        shapes=[{"type": "circle", "x0": -1, "y0": -1, "x1": 1, "y1": 1, "layer": "below",
                 "line": {"color": INK, "width": 1}}],
        xaxis={**axis, "title": {"text": "Valence"}},
        yaxis={**axis, "title": {"text": "Arousal"}, "scaleanchor": "x"},
        annotations=[
            {"x": 1.1 * x, "y": 1.1 * y, "text": f"<i>{word}</i>", "showarrow": False,
             "xanchor": "right" if x > 0 else "left", "font": {"size": 11, "color": "#6e6e6e"}}
            for x, y, word in _QUADRANTS
        ],
    )  # fmt: skip
    return figure


def _emotions(face: pd.DataFrame, times: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[str]:
    """Name the likeliest emotion at each time; nothing where there is none."""
    columns = schema.columns_in("emotions", face.columns.tolist())
    if not columns or face.empty:
        return [""] * len(times)
    ordered = face.sort_values("time")
    at = ordered["time"].to_numpy(np.float64)
    rows = np.searchsorted(at, times + 1e-6, side="right") - 1
    rows = rows.clip(0, len(at) - 1)
    names = dominant_emotion(ordered)
    labels = names.to_numpy(object)
    greatest = ordered[list(columns)].max(axis=1).to_numpy(np.float64)
    return [
        f"{labels[i]} {greatest[i]:.2f}" if np.isfinite(greatest[i]) else "" for i in rows.tolist()
    ]
