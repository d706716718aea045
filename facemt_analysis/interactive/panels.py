"""The figures around the frame in the scrubber: from data to plotly's own description of a figure.

Functions here give ``plotly.graph_objects.Figure``; the scrubber shows them as widgets and only
replaces the numbers in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from facemt_analysis import schema
from facemt_analysis.interactive.look import GRID, LAYOUT, axis_of
from facemt_analysis.interactive.mesh import feature_points
from facemt_analysis.interactive.timebase import Course
from facemt_analysis.plotting.style import INK, PALETTE

__all__ = [
    "affect_figure",
    "affect_point",
    "bar_values",
    "bars_figure",
    "cursor_shape",
    "mesh_parts",
    "mesh_points",
    "timeline_figure",
]

Floats = npt.NDArray[np.floating]

_SMALL: dict[str, Any] = {
    **LAYOUT,
    "font": {**LAYOUT["font"], "size": 11},
    "margin": {"l": 45, "r": 10, "t": 8, "b": 32},
}


def timeline_figure(
    courses: Sequence[Course], *, time: float = 0.0, span: tuple[float, float] | None = None
) -> go.Figure:
    """Draw features over seconds, with a cursor.

    Parameters
    ----------
    courses
        What to draw; angles (rad) are shown in degrees.
    time
        Where the cursor stands, s.
    span
        Seconds to show; default: all.

    Returns
    -------
    Figure
        One line per course, named by its feature; a click gives a time, a drag a range.
    """
    figure = go.Figure()
    titles: dict[str, None] = {}
    for i, course in enumerate(courses):
        title, factor = axis_of(course.feature)
        titles[title] = None
        figure.add_trace(
            go.Scatter(
                x=course.time,
                y=course.value * factor,
                name=course.feature,
                # markers that are not seen: a drag across them selects its range of time
                mode="lines+markers",
                marker={"size": 4, "opacity": 0},
                line={"width": 1.3, "color": PALETTE[i % len(PALETTE)]},
                connectgaps=False,
                hovertemplate="%{y:.3f}",
                selected={"marker": {"opacity": 0}},
                unselected={"marker": {"opacity": 0}},
            )
        )
    figure.update_layout(
        height=210,
        width=1000,
        **_SMALL,
        hovermode="x unified",
        hoverdistance=-1,  # a click anywhere means the nearest frame
        dragmode="select",
        selectdirection="h",
        legend={"orientation": "h", "y": 1.18, "x": 0},
        shapes=[cursor_shape(time)],
        xaxis={"title": "Time (s)", "gridcolor": GRID, "zeroline": False},
        yaxis={
            "title": "<br>".join(titles),
            "automargin": True,
            "gridcolor": GRID,
            "zeroline": False,
        },
    )
    if span is not None:
        figure.update_xaxes(range=list(span))
    return figure


def cursor_shape(time: float) -> dict[str, object]:
    """Describe the line that marks a time."""
    return {
        "type": "line", "x0": time, "x1": time, "y0": 0, "y1": 1, "yref": "paper",
        "line": {"color": "#D55E00", "width": 1.5},
    }  # fmt: skip


def affect_figure(row: pd.Series | None) -> go.Figure:
    """Draw the circumplex with a dot at the valence and arousal of a row."""
    x, y = affect_point(row)
    figure = go.Figure(
        go.Scatter(x=x, y=y, mode="markers", marker={"size": 12, "color": PALETTE[1]},
                   hovertemplate="valence %{x:.2f}<br>arousal %{y:.2f}<extra></extra>")
    )  # fmt: skip
    axis = {"range": [-1.05, 1.05], "tickvals": [-1, 0, 1], "gridcolor": GRID,
            "zerolinecolor": "#b0b0b0"}  # fmt: skip
    figure.update_layout(
        height=260,
        width=270,
        **_SMALL,
        showlegend=False,
        shapes=[{"type": "circle", "x0": -1, "y0": -1, "x1": 1, "y1": 1,
                 "line": {"color": INK, "width": 1}}],
        xaxis={**axis, "title": "Valence"},
        yaxis={**axis, "title": "Arousal", "scaleanchor": "x"},
    )  # fmt: skip
    return figure


def affect_point(row: pd.Series | None) -> tuple[list[float], list[float]]:
    """Valence and arousal as plotly takes them; empty where there are none."""
    if row is None or not {"valence", "arousal"} <= set(row.index):
        return [], []
    point = [float(row["valence"]), float(row["arousal"])]
    return ([point[0]], [point[1]]) if np.isfinite(point).all() else ([], [])


def bar_values(row: pd.Series | None, columns: Sequence[str]) -> list[float]:
    """Values of a row for the bars; 0 where there is none."""
    if row is None:
        return [0.0] * len(columns)
    values = np.nan_to_num(row[list(columns)].to_numpy(np.float64, na_value=np.nan))
    return [float(v) for v in values]


def bars_figure(row: pd.Series | None, columns: Sequence[str]) -> go.Figure:
    """Draw scores of a row as bars from 0 to 1 (0 to 5 for intensities)."""
    top = max((schema.range_of(c)[1] for c in columns), default=1.0)
    figure = go.Figure(
        go.Bar(x=list(columns), y=bar_values(row, columns), marker={"color": PALETTE[0]},
               hovertemplate="%{x}: %{y:.2f}<extra></extra>")
    )  # fmt: skip
    figure.update_layout(
        height=220,
        width=380,
        **{**_SMALL, "margin": {**_SMALL["margin"], "b": 55}},
        yaxis={"range": [0, top], "gridcolor": GRID},
        xaxis={"tickangle": -60, "tickfont": {"size": 9}},
        bargap=0.25,
    )
    return figure


def mesh_points(row: pd.Series | None) -> Floats | None:
    """Mesh of a row (478, 3) as a figure shows it: y up, z to the viewer, eye corners 1 apart.

    None where the row has no mesh.
    """
    names = schema.GROUPS["meshes"].columns
    if row is None or names[0] not in row.index:
        return None
    points = row[list(names)].to_numpy(np.float64, na_value=np.nan).reshape(3, schema.N_MESH).T
    if not np.isfinite(points).all():
        return None
    right, left = (points[schema.DLIB68_FROM_MESH[i]] for i in (36, 45))
    centred = (points - points.mean(axis=0)) / np.linalg.norm(left - right)
    return np.asarray(centred * (1.0, -1.0, -1.0))


def mesh_parts(row: pd.Series | None) -> tuple[Floats, Floats]:
    """Points of the skin and of its lines as a figure of a mesh has them; none without a mesh."""
    points = mesh_points(row)
    if points is None:
        return np.empty((0, 3)), np.empty((0, 3))
    return points, feature_points(points)
