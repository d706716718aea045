"""The report: one HTML file that says what a table holds, and shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from facemt_analysis import __version__
from facemt_analysis.checks import check_whole
from facemt_analysis.errors import FexError
from facemt_analysis.interactive.report.faces import model_json
from facemt_analysis.interactive.report.markup import Section, note, page
from facemt_analysis.interactive.report.overview import (
    licence_caution,
    methods_html,
    quality_html,
    recordings_html,
    summary_html,
)
from facemt_analysis.interactive.report.parts import GIVEN, recording_parts
from facemt_analysis.interactive.report.recordings import faces_of, look_at
from facemt_analysis.measures.quality_summary import quality_report

if TYPE_CHECKING:
    from facemt_analysis.fex import Fex

__all__ = ["report_html", "write_report"]

Videos = str | PathLike[str] | Mapping[str, str | PathLike[str]] | None

_MESH_FRAMES = 120
_LEAST_MESH_FRAMES = 12
_STILLS = 8
_MOST_STILLS = 48  # of many faces
_POINTS = 1450  # of a line: two for each px of the drawing
_LEAST_POINTS = 400


def write_report(
    fex: Fex,
    path: str | PathLike[str],
    video: Videos = None,
    *,
    recordings: str | Sequence[str] | None = None,
    title: str | None = None,
    events: pd.DataFrame | None = None,
    most: int = 12,
    faces: int = 3,
) -> Path:
    """Write a report about a table: one HTML file that needs nothing else.

    Parameters
    ----------
    fex
        The table.
    path
        File to write, replaced if it is there; it appears complete or not at all.
    video
        Where the frames are: a file, a folder with files of the recordings' names, or a mapping of
        recordings to files. None: the report is made without them, and says so.
    recordings
        Which ones; default all.
    title
        Heading; default: name of the recording, or how many there are.
    events
        What happened: ``onset`` and ``offset`` or ``duration`` (s), ``label`` (or ``feature``), and
        ``input`` where there are several recordings; shaded behind the timelines, and listed.
    most
        So many recordings get sections of their own; all are in the summary.
    faces
        So many faces of a recording do: those that are there in most frames.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FexError
        If the table is empty, `events` cannot be read, there is no such recording, or the file
        cannot be written.

    Notes
    -----
    Curves keep the lowest and the highest value of every half px (of every few px where there are
    many faces), so that no peak is lost; dense figures are drawn at 150 dpi; the meshes have about
    120 frames together. A recording of ten minutes at 30 Hz
    with every feature makes a file of about 2 MB. All text of the user's is escaped, and the page's
    own policy forbids it to load anything.

    Examples
    --------
    >>> import facemt_analysis as fm
    >>> fex = fm.datasets.load_sample_study().select("sub-01_funny_1.mp4")
    >>> fex.report("report.html").name                                     # doctest: +SKIP
    'report.html'
    """
    from facemt_analysis.io._atomic import atomic_file

    text = report_html(
        fex, video, recordings=recordings, title=title, events=events, most=most, faces=faces
    )
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return Path(path)


def report_html(
    fex: Fex,
    video: Videos = None,
    *,
    recordings: str | Sequence[str] | None = None,
    title: str | None = None,
    lead: str | None = None,
    events: pd.DataFrame | None = None,
    most: int = 12,
    faces: int = 3,
    before: Iterable[Section] = (),
    after: Iterable[Section] = (),
) -> str:
    """Write the report of :func:`write_report` as text.

    Parameters
    ----------
    fex, video, recordings, title, events, most, faces
        As there.
    lead
        Sentence under the heading; default: where the numbers come from.
    before, after
        Further sections.
    """
    if not hasattr(fex, "methods_text"):
        raise FexError(f"A report needs a Fex, but got {type(fex).__name__}; use Fex(table).")
    most = check_whole("most", most, 1)
    faces = check_whole("faces", faces, 1)
    chosen = fex if recordings is None else fex.select(recordings)
    if chosen.empty:
        raise FexError("The table has no rows; there is nothing to report.")
    marked = None if events is None else _readable(events)
    names: Sequence[str | None] = chosen.summary().recordings or (None,)
    several = len(names) > 1
    sections = [*before, Section("Summary", summary_html(chosen))]
    if several:
        overview = quality_report(chosen, ["input"])
        sections.append(Section("Recordings", recordings_html(overview)))
    sections.append(Section("Quality", quality_html(chosen)))
    sections += _sections_of_faces(chosen, names[:most], faces, video, marked, nested=several)
    if len(names) > most:
        words = f"{most} of {len(names):,} recordings have sections of their own (most={most})."
        sections.append(Section("Further recordings", note(words)))
    sections += [Section("Methods", methods_html(chosen)), *after]
    heading = title or (f"{len(names):,} recordings" if several else str(names[0] or "Report"))
    under = chosen.info.headline() if lead is None else lead
    footer = f"Written by facemt_analysis {__version__}, {date.today().isoformat()}."
    return page(heading, under, sections, model=model_json(), footer=footer)


def _sections_of_faces(
    fex: Fex,
    names: Sequence[str | None],
    most: int,
    video: Videos,
    events: pd.DataFrame | None,
    *,
    nested: bool,
) -> Iterator[Section]:
    """Write the sections of the faces of some recordings, together within the size of a report."""
    rows = [fex if name is None else fex[(fex["input"] == name).to_numpy()] for name in names]
    tracks = [faces_of(each) for each in rows]
    n = sum(min(len(each), most) for each in tracks)
    frames = max(_LEAST_MESH_FRAMES, _MESH_FRAMES // n)
    stills = _STILLS if n == 1 else max(_MOST_STILLS // n, 1) if n > 12 else _STILLS // 2
    points = max(_LEAST_POINTS, min(_POINTS, 2 * _POINTS // n))
    caution = licence_caution(fex.info)
    number = 0
    for name, own, faces in zip(names, rows, tracks, strict=True):
        for place, track in enumerate(faces[:most]):
            seen = look_at(own, name or "recording", number, track)
            number += 1
            if nested or len(faces) > 1:
                title = seen.name if nested else f"Face {place + 1}"
                words = title if len(faces) == 1 else f"{title}, track {track}"
                yield Section(words, "", seen.number)
            for heading, body in recording_parts(
                seen, _video_of(video, name), _events_of(events, name), frames=frames,
                stills=stills, points=points, caution=caution,
            ):  # fmt: skip
                if place and heading == GIVEN:  # listed beside the first face
                    continue
                level = 3 if nested or len(faces) > 1 else 2
                yield Section(heading, body, seen.number, level=level)
        if len(faces) > most:
            words = f"{most} of {len(faces):,} faces have sections of their own (faces={most})."
            yield Section("Further faces", note(words), level=3 if nested else 2)


def _video_of(video: Videos, recording: str | None) -> Path | None:
    if video is None:
        return None
    try:
        from facemt_analysis.interactive.video_source import find_video
    except ImportError:  # without the libraries that read videos; the section says so
        return Path(video) if isinstance(video, (str, PathLike)) else None
    return find_video(video, recording)


def _readable(events: pd.DataFrame) -> pd.DataFrame:
    """Bring events to ``onset offset label`` and ``input`` where it is there."""
    if "onset" not in events.columns:
        there = ", ".join(map(str, events.columns))
        raise FexError(f"`events` needs a column 'onset' (s); it has {there or 'none'}.")
    out = pd.DataFrame({"onset": events["onset"].astype(float)})
    if "offset" in events.columns:
        out["offset"] = events["offset"].astype(float)
    elif "duration" in events.columns:
        out["offset"] = out["onset"] + events["duration"].astype(float)
    else:
        out["offset"] = out["onset"]
    name = next((c for c in ("label", "feature", "trial_type") if c in events.columns), None)
    out["label"] = "event" if name is None else events[name].fillna("").astype(str)
    if "input" in events.columns:
        out["input"] = events["input"].astype(str)
    return out


def _events_of(events: pd.DataFrame | None, recording: str | None) -> pd.DataFrame | None:
    if events is None or "input" not in events.columns or recording is None:
        return events
    return events[events["input"] == recording]
