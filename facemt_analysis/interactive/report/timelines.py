"""The timelines of one recording: which strips there are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.interactive.report.curves import Strip, curves_svg
from facemt_analysis.interactive.report.markup import figure, note
from facemt_analysis.interactive.report.moments import au_group, named
from facemt_analysis.interactive.report.recordings import Seen
from facemt_analysis.interactive.timebase import Course, Timebase
from facemt_analysis.plotting.emotion import EMOTION_COLOURS
from facemt_analysis.plotting.faces import face_series
from facemt_analysis.plotting.spans import gap_spans
from facemt_analysis.plotting.style import PALETTE

__all__ = ["strips_of", "timelines_html"]

Floats = npt.NDArray[np.float64]

_POINTS = 1450  # two for each px of the drawing: the lowest and the highest
_TALL = 62.0
_ANGLES = {
    "gazes": ("Gaze in the head", ("gaze_pitch", "gaze_yaw"), 10.0),
    "poses": ("Head pose", ("Pitch", "Yaw", "Roll"), 10.0),
}
"""Group → title, columns, degrees that the axis is extended by at a time."""
_SIGNS = {
    "gazes": "gaze: + = up, to the person's right",
    "poses": "head: + = up, turned to the person's right, tilted to the person's right",
}


def timelines_html(seen: Seen, events: pd.DataFrame, marked: pd.DataFrame | None = None) -> str:
    """Draw everything a face does over the time of its recording.

    Parameters
    ----------
    seen
        The recording.
    events
        Events of its action units (``feature onset offset``): bars under their strips.
    marked
        What happened otherwise (``onset offset label``): bands behind all strips.
    """
    if seen.base is None:
        return note("The rows have no time (column 'time'), so that there are no timelines.")
    strips = strips_of(seen, seen.base, events)
    if not strips:
        return note("There is no feature to draw over time.")
    drawing = curves_svg(strips, seen.span, gaps=_gaps(seen), events=marked)
    parts = ["Each strip runs from 0 to 1 unless limits are written beside it."]
    if au_group(seen) is not None:
        parts.append("Bars under action units: events.")
    signs = [words for group, words in _SIGNS.items() if seen.has(group)]
    if signs:
        parts.append(f"Angles in degrees; {'; '.join(signs)}.")
    parts.append("Grey: no face. Point at the drawing to read values.")
    if seen.tracks > 1:
        parts.append(f"There are {seen.tracks} faces; shown is track {seen.track}.")
    return figure(drawing, " ".join(parts), kind="timelines")


def strips_of(seen: Seen, base: Timebase, events: pd.DataFrame) -> list[Strip]:
    """Choose the strips: action units, emotions, valence and arousal, gaze, head."""
    strips: list[Strip] = []
    group = au_group(seen)
    if group is not None:
        spans = {
            str(name): part[["onset", "offset"]].to_numpy(np.float64)
            for name, part in events.groupby("feature", sort=False, observed=True)
        }
        strips += _singles(seen, base, group, spans, {})
    if seen.has("emotions"):
        strips += _singles(seen, base, "emotions", {}, EMOTION_COLOURS)
    if seen.has("va"):
        columns = schema.columns_in("va", seen.face.columns.tolist())
        courses = base.courses(list(columns), track=seen.track, points=_POINTS)
        strips.append(Strip("Affect", courses, PALETTE[: len(courses)], (-1.0, 1.0), height=_TALL))
    strips += [_angles(seen, base, group) for group in _ANGLES if seen.has(group)]
    return strips


def _singles(
    seen: Seen, base: Timebase, group: str, spans: Mapping[str, Floats],
    colours: Mapping[str, str],
) -> list[Strip]:  # fmt: skip
    columns = schema.columns_in(group, seen.face.columns.tolist())
    courses = base.courses(list(columns), track=seen.track, points=_POINTS)
    return [
        Strip(
            named(course.feature),
            [course],
            [colours.get(course.feature, PALETTE[0])],
            schema.range_of(course.feature),
            filled=True,
            spans=spans.get(course.feature),
        )
        for course in courses
    ]


def _angles(seen: Seen, base: Timebase, group: str) -> Strip:
    title, wanted, step = _ANGLES[group]
    columns = [c for c in wanted if c in seen.face.columns]
    courses = [
        Course(c.feature.removeprefix("gaze_").capitalize(), c.time, np.degrees(c.value))
        for c in base.courses(columns, track=seen.track, points=_POINTS)
    ]
    far = max((float(np.nanmax(np.abs(c.value), initial=0.0)) for c in courses), default=0.0)
    end = step * max(1.0, float(np.ceil(far / step)))
    return Strip(title, courses, PALETTE[: len(courses)], (-end, end), unit="°", height=_TALL)


def _gaps(seen: Seen) -> Floats:
    """Find stretches without any feature, before and behind the face as well."""
    there = seen.face.columns.tolist()
    names = [
        schema.columns_in(group, there)[0]
        for group in schema.groups_in(there)
        if group not in ("keys", "framesizes", "faceboxes")
    ]
    time, values = face_series(seen.face, names)
    spans = gap_spans(time, values)
    start, stop = seen.span
    ends = [[start, time[0]], [time[-1], stop]]
    outside = np.array([end for end in ends if end[1] - end[0] > 1.5 / seen.hz])
    return np.concatenate([spans.reshape(-1, 2), outside.reshape(-1, 2)])
