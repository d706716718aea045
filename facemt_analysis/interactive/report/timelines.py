"""The timelines of one recording: which strips there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
_BLENDSHAPES = 12  # of 52 have strips
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


def timelines_html(
    seen: Seen, events: pd.DataFrame, marked: pd.DataFrame | None = None, *, points: int = _POINTS
) -> str:
    """Draw everything a face does over the time of its recording.

    Parameters
    ----------
    seen
        The recording.
    events
        Events of its action units (``feature onset offset``): bars under their strips.
    marked
        What happened otherwise (``onset offset label``): bands behind all strips.
    points
        About so many of each line are kept.
    """
    if seen.base is None:
        return note("The rows have no time (column 'time'), so that there are no timelines.")
    strips = strips_of(seen, seen.base, events, points)
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
    moved = _most_moved(seen)
    if moved:
        parts.append(f"Of the blendshapes, the {len(moved)} that vary most.")
    return figure(drawing, " ".join(parts), kind="timelines")


def strips_of(
    seen: Seen, base: Timebase, events: pd.DataFrame, points: int = _POINTS
) -> list[Strip]:
    """Choose the strips: action units, emotions, affect, gaze, head, blendshapes."""
    strips: list[Strip] = []
    group = au_group(seen)
    if group is not None:
        spans = {
            str(name): part[["onset", "offset"]].to_numpy(np.float64)
            for name, part in events.groupby("feature", sort=False, observed=True)
        }
        columns = schema.columns_in(group, seen.face.columns.tolist())
        strips += _singles(base.courses(list(columns), track=seen.track, points=points), spans)
    if seen.has("emotions"):
        columns = schema.columns_in("emotions", seen.face.columns.tolist())
        courses = base.courses(list(columns), track=seen.track, points=points)
        strips += _singles(courses, colours=EMOTION_COLOURS)
    if seen.has("va"):
        columns = schema.columns_in("va", seen.face.columns.tolist())
        courses = base.courses(list(columns), track=seen.track, points=points)
        strips.append(Strip("Affect", courses, PALETTE[: len(courses)], (-1.0, 1.0), height=_TALL))
    strips += [_angles(seen, base, group, points) for group in _ANGLES if seen.has(group)]
    moved = _most_moved(seen)
    if moved:
        courses = base.courses(moved, track=seen.track, points=points)
        strips += _singles(courses, colours=dict.fromkeys(moved, PALETTE[2]))
    return strips


def _most_moved(seen: Seen) -> list[str]:
    """Blendshapes whose values differ most over the time, in the order of the table."""
    if not seen.has("blendshapes"):
        return []
    columns = list(schema.columns_in("blendshapes", seen.face.columns.tolist()))
    spread = seen.face[columns].astype(np.float64).std(ddof=0).dropna()
    most = set(spread.nlargest(_BLENDSHAPES).index)
    return [name for name in columns if name in most]


def _singles(
    courses: Iterable[Course], spans: Mapping[str, Floats] | None = None,
    colours: Mapping[str, str] | None = None,
) -> list[Strip]:  # fmt: skip
    return [
        Strip(
            named(course.feature),
            [course],
            [(colours or {}).get(course.feature, PALETTE[0])],
            schema.range_of(course.feature),
            filled=True,
            spans=(spans or {}).get(course.feature),
        )
        for course in courses
    ]


def _angles(seen: Seen, base: Timebase, group: str, points: int) -> Strip:
    title, wanted, step = _ANGLES[group]
    columns = [c for c in wanted if c in seen.face.columns]
    courses = [
        Course(c.feature.removeprefix("gaze_").capitalize(), c.time, np.degrees(c.value))
        for c in base.courses(columns, track=seen.track, points=points)
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
