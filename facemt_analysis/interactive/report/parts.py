"""The sections of one recording: from its rows to HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.errors import FacemtError
from facemt_analysis.interactive.report.faces import mesh_html, moving_mesh
from facemt_analysis.interactive.report.markup import (
    figure,
    measures,
    note,
    table,
)
from facemt_analysis.interactive.report.moments import (
    AU_GROUPS,
    Peak,
    au_group,
    find_peaks,
    named,
    stills_html,
)
from facemt_analysis.interactive.report.pictures import blank_figure, svg_tag
from facemt_analysis.interactive.report.recordings import Seen
from facemt_analysis.interactive.report.timelines import timelines_html

__all__ = ["GIVEN", "au_events_of", "recording_parts"]

GIVEN = "Events that were given"
"""Title of the section about events of the user's."""

_MOST_EVENTS = 300
_PATH_POINTS = 800

_AFFECT = {
    "valence_mean": "Valence, mean", "valence_sd": "Valence, SD",
    "arousal_mean": "Arousal, mean", "arousal_sd": "Arousal, SD",
    "valence_inertia": "Valence, inertia", "arousal_inertia": "Arousal, inertia",
    "path_per_minute": "Path per minute",
    "share_pleasant_active": "Time pleasant, active",
    "share_unpleasant_active": "Time unpleasant, active",
    "share_unpleasant_calm": "Time unpleasant, calm",
    "share_pleasant_calm": "Time pleasant, calm", "share_neutral": "Time neutral",
}  # fmt: skip
_GAZE = {
    "pitch_mean": "Pitch, mean (°)", "pitch_sd": "Pitch, SD (°)", "yaw_mean": "Yaw, mean (°)",
    "yaw_sd": "Yaw, SD (°)", "bcea": "BCEA, 68 % (deg²)",
    "stationary_entropy": "Stationary entropy (bit)",
    "transition_entropy": "Transition entropy (bit)", "toward_share": "Time toward the camera",
}  # fmt: skip
_HEAD = {
    "rotation_total": "Rotation in all (°)", "speed_mean": "Angular speed, mean (°/s)",
    "speed_peak": "Angular speed, peak (°/s)", "still_share": "Time still",
    "range_pitch": "Range of pitch (°)", "range_yaw": "Range of yaw (°)",
    "range_roll": "Range of roll (°)",
}  # fmt: skip
_SHARES = ("share", "toward_share", "still_share")
"""Measures, or beginnings of their names, that are shares of the time."""


def au_events_of(seen: Seen) -> pd.DataFrame:
    """Find the events of the action units of the face; none where there are none."""
    from facemt_analysis.measures import find_events

    group = au_group(seen)
    if group is None or seen.base is None:
        return pd.DataFrame({"feature": [], "onset": [], "offset": []})
    columns = schema.columns_in(group, seen.face.columns.tolist())
    return find_events(seen.face, list(columns), on=AU_GROUPS[group])


def recording_parts(
    seen: Seen, video: Path | None, marked: pd.DataFrame | None = None, *, frames: int = 100,
    stills: int = 8, points: int = 1450, caution: str = "",
) -> Iterator[tuple[str, str]]:  # fmt: skip
    """Write the sections of one face of a recording.

    Parameters
    ----------
    seen
        The recording and the face.
    video
        Its file, if there is one.
    marked
        Events that the user gave (``onset offset label``), of this recording.
    frames
        How many frames the mesh has.
    stills
        How many frames of the video are shown, at most.
    points
        Of each line over time, about.
    caution
        What has to be known about gaze.

    Yields
    ------
    tuple
        Title and HTML. Groups the table lacks have no section.
    """
    if seen.face.empty or not schema.feature_columns(seen.face.columns.tolist()):
        yield "Faces", note("No face was found in this recording.")
        return
    events = au_events_of(seen)
    peaks = find_peaks(seen, most=stills) if seen.base is not None else []
    yield "Over time", timelines_html(seen, events, marked, points=points)
    if seen.base is not None:
        yield "Strongest moments", stills_html(seen, peaks, video)
        mesh = _mesh(seen, peaks, frames)
        if mesh:
            yield "Face in three dimensions", mesh
    group = au_group(seen)
    if group is not None:
        yield "Action units", _action_units(seen, group)
    if seen.has("emotions"):
        yield "Emotions", _emotions(seen)
    if seen.has("va"):
        yield "Valence and arousal", _affect(seen)
    if seen.has("gazes"):
        yield "Gaze", _gaze(seen, caution)
    if seen.has("poses"):
        yield "Head", _head(seen)
    if seen.has("blendshapes"):
        yield "Blendshapes", _blendshapes(seen)
    if group is not None and seen.base is not None:
        yield "Events of action units", _events(events)
    if marked is not None and len(marked):
        yield GIVEN, _scrolled(
            table(marked.head(_MOST_EVENTS), {"label": "Event", "onset": "Onset (s)",
                  "offset": "Offset (s)"}, digits={"onset": 2, "offset": 2}, moment="onset")
        )  # fmt: skip


def _mesh(seen: Seen, peaks: list[Peak], frames: int) -> str:
    moving = moving_mesh(seen, frames=frames, moments=[peak.time for peak in peaks])
    if moving is None:
        return ""
    times, meshes, rest, measured = moving
    strongest = max(peaks, key=lambda p: p.features[0][1]).time if peaks else times[0]
    viewer = mesh_html(times, meshes, rest, first=int(np.abs(times - strongest).argmin()))
    what = (
        f"{len(times)} frames of the measured mesh without the pose of the head. Colour: distance "
        "from the face at rest, the median of these frames."
        if measured
        else "Not measured: the table has no mesh. An average face that is moved by the scores of "
        "the action units, taken for amounts, as the package defines them (docs/au_basis.md)."
    )
    return figure(viewer, f"{what} Drag to turn; the moment follows the timelines.")


def _action_units(seen: Seen, group: str) -> str:
    from facemt_analysis.measures import au_summary

    if group == "aus":
        numbers = au_summary(seen.face)
        headings = {"unit": "Action unit", "mean": "Mean", "sd": "SD", "max": "Max",
                    "share_on": "Time on"}  # fmt: skip
        if seen.base is not None:
            headings |= {"n_events": "Events", "rate": "Events / min",
                         "mean_duration": "Mean duration (s)"}  # fmt: skip
    else:
        columns = list(schema.columns_in(group, seen.face.columns.tolist()))
        values = seen.face[columns].astype(np.float64)
        numbers = pd.DataFrame(
            {"feature": columns, "mean": values.mean().to_numpy(),
             "sd": values.std(ddof=0).to_numpy(), "max": values.max().to_numpy()}
        )  # fmt: skip
        headings = {"unit": "Action unit", "mean": "Mean", "sd": "SD", "max": "Max"}
    numbers = numbers.assign(unit=[named(name) for name in numbers["feature"]])
    words = (
        f"On: score of at least {AU_GROUPS[group]:g}. Scores say how surely an action unit is "
        "there, not how strong it is."
        if group == "aus"
        else "Intensities from 0 to 5."
    )
    digits = {"mean": 2, "sd": 2, "max": 2, "rate": 1, "mean_duration": 2}
    return table(numbers, headings, percent=["share_on"], digits=digits) + note(words)


def _emotions(seen: Seen) -> str:
    from facemt_analysis.measures import emotion_summary

    numbers = emotion_summary(seen.face)
    headings = {"feature": "Emotion", "mean": "Mean probability", "sd": "SD", "max": "Max",
                "share": "Time dominant"}  # fmt: skip
    return table(numbers, headings, percent=["share"],
                 digits={"mean": 2, "sd": 2, "max": 2})  # fmt: skip


def _blendshapes(seen: Seen) -> str:
    from facemt_analysis.measures import blendshape_summary

    numbers = blendshape_summary(seen.face).sort_values("sd", ascending=False, kind="stable")
    headings = {"feature": "Blendshape", "mean": "Mean", "sd": "SD", "max": "Max"}
    content = table(numbers, headings, digits={"mean": 2, "sd": 2, "max": 2})
    return _scrolled(content) + note("From 0 to 1; those that vary most first.")


def _affect(seen: Seen) -> str:
    from facemt_analysis.measures import affect_summary, affect_trajectory
    from facemt_analysis.plotting import paper, plot_va, plot_va_density

    with paper(width=170.0):
        drawing = blank_figure(6.7, 2.85)
        left, right = drawing.subplots(1, 2, gridspec_kw={"wspace": 0.06})
        if seen.base is not None:
            path, hz = seen.face, None
            if len(path) > _PATH_POINTS and seen.seconds > 0:
                hz = min(_PATH_POINTS / seen.seconds, seen.hz)
                path = affect_trajectory(path, hz=hz)
            plot_va(path, ax=left)
        else:
            left.set_axis_off()
        plot_va_density(seen.face, ax=right)
        tag = svg_tag(drawing, "Valence and arousal on the circumplex", width=860)
    words = "Left: the path, coloured by time"
    words += f", at {hz:.2g} samples per second." if seen.base is not None and hz else "."
    if seen.base is None:
        words = "The rows have no time, so that there is no path."
    words += " Right: where the time is spent; lines: the smallest areas with 50 % and 90 % of it."
    numbers = _numbers(affect_summary(seen.face), _AFFECT) if seen.base is not None else ""
    return figure(tag, words) + numbers


def _gaze(seen: Seen, caution: str) -> str:
    from facemt_analysis.measures import gaze_summary
    from facemt_analysis.plotting import paper, plot_gaze

    with paper(width=90.0):
        drawing = blank_figure(3.6, 2.9)
        plot_gaze(seen.face, ax=drawing.subplots())
        tag = svg_tag(drawing, "Density of gaze over angles", width=460)
    picture = figure(tag, "Share of the time per square degree, gaze relative to the head, as the "
                     "person sees it. Cross: straight ahead.")  # fmt: skip
    warning = note(caution) if "gaze" in caution.lower() else ""
    numbers = _numbers(gaze_summary(seen.face), _GAZE) if seen.base is not None else ""
    return f'{warning}<div class="row">{picture}{numbers}</div>'


def _head(seen: Seen) -> str:
    from facemt_analysis.measures import pose_motion

    if seen.base is None:
        return note("The rows have no time, so that the motion of the head cannot be measured.")
    try:
        return _numbers(pose_motion(seen.face), _HEAD)
    except FacemtError as error:
        return note(str(error))


def _numbers(summary: pd.DataFrame, names: Mapping[str, str]) -> str:
    """Write the measures of one face."""
    values = summary.iloc[0]
    return measures(
        {
            words: (float(values[column]), column.startswith(_SHARES))
            for column, words in names.items()
            if column in summary.columns
        }
    )


def _events(events: pd.DataFrame) -> str:
    if events.empty:
        return note("No action unit reaches its threshold for 0.1 s or longer.")
    more = ""
    shown = events.nlargest(_MOST_EVENTS, "peak").sort_values(["onset", "feature"])
    if len(events) > _MOST_EVENTS:
        more = note(
            f"The {_MOST_EVENTS} events with the highest peaks of {len(events):,} are shown; all: "
            "fex.au.events()."
        )
    shown = shown.assign(unit=[named(name) for name in shown["feature"]])
    headings = {"unit": "Action unit", "onset": "Onset (s)", "apex": "Apex (s)",
                "offset": "Offset (s)", "duration": "Duration (s)", "peak": "Peak",
                "area": "Area"}  # fmt: skip
    places = dict.fromkeys(headings, 2)
    return _scrolled(table(shown, headings, digits=places, moment="apex")) + more


def _scrolled(content: str) -> str:
    return f'<div class="scroll">{content}</div>'
