"""Timelines to zoom and to read: one row per unit, one axis of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.checks import check_whole
from facemt_analysis.errors import FexError
from facemt_analysis.interactive.look import GRID, LAYOUT, axis_of
from facemt_analysis.interactive.timebase import Course, Timebase
from facemt_analysis.plotting.emotion import EMOTION_COLOURS
from facemt_analysis.plotting.style import PALETTE, colour_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["linked_timelines"]

_GROUPS = ("aus", "intensities", "emotions", "va", "gazes", "poses")
_SHOWN = 5  # lines of a row that are shown at first, where there are many
_MANY = 8
_ROW = 150  # px
_DASHES = ("solid", "dash", "dot", "dashdot")


def linked_timelines(
    frame: pd.DataFrame,
    columns: str | Sequence[str] | None = None,
    *,
    recording: str | None = None,
    track: int | None = None,
    events: pd.DataFrame | None = None,
    points: int = 4000,
) -> Figure:
    """Draw features of one face over time, to zoom all at once.

    Parameters
    ----------
    frame
        Table with ``time``.
    columns
        Features, or names of groups (``"aus"``); default: action units, emotions, valence and
        arousal, gaze, head pose, whatever there is.
    recording, track
        Which face; default: the first recording, its most frequent face.
    events
        ``onset``, ``offset`` (s), and ``label``: bands behind the lines.
    points
        About so many points of each line are kept: the lowest and the highest of each stretch.

    Returns
    -------
    plotly.graph_objects.Figure
        One row per unit; angles in degrees. Lines break where there is no face. Of a row with many
        lines, those that vary most are shown; a click on a name in the legend shows another.

    Raises
    ------
    FexError
        If a feature, the recording or the time is not there.

    Examples
    --------
    >>> table = pd.DataFrame({"time": [0.0, 0.1, 0.2], "AU12": [0.0, 0.5, 0.9], "Yaw": [0.0, 0.1, 0.2]})
    >>> figure = linked_timelines(table)
    >>> [line.name for line in figure.data], figure.layout.yaxis2.title.text
    (['AU12', 'Yaw'], 'Head<br>(°)')
    """  # noqa: E501
    from plotly.subplots import make_subplots

    points = check_whole("points", points, 10)
    base = Timebase.of(frame, recording)
    courses = base.courses(_features(frame, columns), track=track, points=points)
    rows: dict[str, list[Course]] = {}
    for course in courses:
        rows.setdefault(axis_of(course.feature)[0], []).append(course)
    figure = make_subplots(rows=len(rows), cols=1, shared_xaxes=True, vertical_spacing=0.03)
    for i, (title, lines) in enumerate(rows.items(), 1):
        shown = _most_varied(lines)
        hidden = [line.feature for line in lines if line.feature not in shown]
        place = {name: k for k, name in enumerate([*shown, *hidden])}
        for course in lines:
            name = course.feature
            k = place[name]
            figure.add_scatter(
                x=course.time, y=course.value * axis_of(name)[1], name=name, mode="lines",
                line={"width": 1.3, **_look(name, k)},
                connectgaps=False, hovertemplate="%{y:.3f}", legendgroup=title,
                legendgrouptitle={"text": title} if course is lines[0] else None,
                visible=True if name in shown else "legendonly", row=i, col=1,
            )  # fmt: skip
        figure.update_yaxes(
            title_text=title.replace(" (", "<br>("), gridcolor=GRID, zeroline=False, row=i, col=1
        )
    figure.update_layout(**LAYOUT, height=90 + _ROW * len(rows), hovermode="x unified")
    figure.update_layout(legend={"groupclick": "toggleitem"}, margin={"l": 80})
    figure.update_xaxes(gridcolor=GRID, zeroline=False)
    figure.update_xaxes(
        title_text="Time (s)",
        rangeslider={"visible": True, "thickness": 0.05},
        row=len(rows),
        col=1,
    )
    if events is not None:
        _shade(figure, events, base.recording)
    return figure


def _features(frame: pd.DataFrame, columns: str | Sequence[str] | None) -> list[str]:
    """Resolve names of groups; what else there is, is left to who reads it."""
    there = frame.columns.tolist()
    if columns is None:
        found = [c for group in _GROUPS for c in schema.columns_in(group, there)]
        found = [c for c in found if c not in ("X", "Y", "Z", "gaze_angle")]
        if not found:
            raise FexError("The table has no feature to draw over time; name columns.")
        return found
    wanted = [columns] if isinstance(columns, str) else list(columns)
    names: list[str] = []
    for name in wanted:
        inside = schema.columns_in(name, there) if name in schema.GROUPS else []
        names += inside or [name]
    return names


def _look(name: str, place: int) -> dict[str, str]:
    """Give the colour of an emotion, or the next of the palette, dashed the second time."""
    if name in EMOTION_COLOURS:
        return {"color": EMOTION_COLOURS[name]}
    return {"color": colour_of(place), "dash": _DASHES[place // len(PALETTE) % len(_DASHES)]}


def _most_varied(lines: Sequence[Course]) -> list[str]:
    """Name the lines to show at first, in their order."""
    spread = {
        line.feature: float(np.nanstd(line.value)) if np.isfinite(line.value).any() else 0.0
        for line in lines
    }
    most = sorted(spread, key=lambda name: -spread[name])[: _SHOWN if len(lines) > _MANY else None]
    return [line.feature for line in lines if line.feature in most]


def _shade(figure: Figure, events: pd.DataFrame, recording: str | None) -> None:
    if not {"onset", "offset"} <= set(events.columns):
        raise FexError("`events` needs the columns 'onset' and 'offset' (s).")
    if "input" in events.columns and recording is not None:
        events = events[events["input"].astype(str) == recording]
    labels = (
        events["label"].astype(str).tolist() if "label" in events.columns else [""] * len(events)
    )
    names = list(dict.fromkeys(labels))
    for onset, offset, label in zip(events["onset"], events["offset"], labels, strict=True):
        figure.add_vrect(
            x0=float(onset), x1=float(offset), fillcolor=colour_of(names.index(label) + 1),
            opacity=0.16, line_width=0, layer="below",
        )  # fmt: skip
        if label:
            figure.add_annotation(
                x=float(onset), y=1.0, yref="paper", text=label, showarrow=False, xanchor="left",
                yanchor="bottom", font={"size": 10},
            )  # fmt: skip
