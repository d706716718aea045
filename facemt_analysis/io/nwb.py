"""Neurodata Without Borders: a recording's series for the NWB file of a session.

Layout: one processing module ``behavior``. For each feature group a ``BehavioralTimeSeries`` named
after it, ``aus``, with one ``TimeSeries`` for each column (``AU12``); where a recording has several
faces, one for each track (``aus_track1``). Points are one ``TimeSeries`` each: ``landmarks``
(n, 68, 2) and ``meshes`` (n, 478, 3). All series of a track share its ``timestamps``; frames
without a face are not in them.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis import __version__, schema
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex
from facemt_analysis.io._atomic import atomic_file
from facemt_analysis.io._recording import one_recording_of
from facemt_analysis.io._selection import Selection, shorten

__all__ = ["write_nwb"]

_POINTS = {"landmarks": 2, "meshes": 3}


def write_nwb(
    fex: pd.DataFrame,
    path: str | PathLike[str],
    *,
    session_start_time: datetime,
    subject_id: str | None = None,
    session_description: str = "Behaviour of faces in a video recording.",
    identifier: str | None = None,
    groups: Sequence[str] | str | None = None,
    events: pd.DataFrame | None = None,
) -> None:
    """Write one recording as an NWB file.

    Parameters
    ----------
    fex
        Rows of one recording, with ``time``.
    path
        The file, ending in ``.nwb``; it appears complete or not at all.
    session_start_time
        When ``time`` was 0, with its time zone: NWB needs it, and no video file says it reliably.
    subject_id
        Who was recorded.
    session_description
        What the session was.
    identifier
        A name that no other file has; by default a random one.
    groups
        Feature groups; default all of the table but frame sizes.
    events
        Table of events (see :func:`facemt_analysis.io.events.as_events`) that becomes the time
        intervals ``facial_events``.

    Raises
    ------
    FexError
        If the library pynwb is not installed, the table has several recordings, no times or none
        of the groups, or `session_start_time` has no time zone.
    """
    pynwb = _pynwb()
    if getattr(session_start_time, "tzinfo", None) is None:
        raise FexError(
            "`session_start_time` must be a datetime with a time zone, e.g. datetime(2026, 1, 31, "
            f"14, 5, tzinfo=timezone.utc), but got {session_start_time!r}."
        )
    if Path(path).suffix != ".nwb":
        raise FexError(f"{path}: the name of an NWB file must end in .nwb.")
    table = one_recording_of(fex, "An NWB file")
    wanted = _groups(table, groups)
    info = fex.info if isinstance(fex, Fex) else None
    name = str(table["input"].iloc[0]) if "input" in table else "recording"
    nwb = pynwb.NWBFile(
        session_description=session_description,
        identifier=identifier or str(uuid4()),
        session_start_time=session_start_time,
        subject=None if subject_id is None else pynwb.file.Subject(subject_id=subject_id),
        source_script=f"facemt_analysis {__version__}",
        source_script_file_name="facemt_analysis",
        notes=json.dumps({"recording": name, "info": info.to_dict() if info else {}}),
    )
    module = nwb.create_processing_module("behavior", f"Measures of faces in {name}.")
    for track, rows in _tracks(table):
        end = "" if track is None else f"_track{track}"
        first: Any = None
        for group in wanted:
            for made in _series(pynwb, rows, group, end, first):
                if first is None:
                    first = next(iter(getattr(made, "time_series", {"": made}).values()))
                module.add(made)
    if events is not None:
        nwb.add_time_intervals(_intervals(pynwb, events))
    with atomic_file(path) as temporary, warnings.catch_warnings():
        # the temporary name has another ending
        warnings.filterwarnings("ignore", "The file path provided", UserWarning)
        with pynwb.NWBHDF5IO(str(temporary), "w") as file:
            file.write(nwb)


def _pynwb() -> Any:
    try:
        import pynwb
        import pynwb.behavior
        import pynwb.epoch
    except ImportError as error:
        raise FexError(
            'NWB files need the library pynwb; pip install "facemt-analysis[export]".'
        ) from error
    return pynwb


def _groups(table: pd.DataFrame, groups: Sequence[str] | str | None) -> list[str]:
    present = [g for g in schema.groups_in(table.columns) if schema.GROUPS[g].feature]
    asked = Selection.make(groups).groups
    missing = [g for g in asked or () if g not in present]
    if missing or not present:
        raise FexError(
            f"The table has no group {shorten(missing) if missing else 'of features'}; it has "
            f"{shorten(present, 99)}."
        )
    return [g for g in present if asked is None or g in asked]


def _tracks(table: pd.DataFrame) -> Iterator[tuple[int | None, pd.DataFrame]]:
    """Rows with a face, of each track; None where there is only one."""
    if "track" not in table:
        yield None, table
        return
    seen = table[table["track"] >= 0]
    if not len(seen):
        raise FexError("The recording has no row with a face, so there is nothing to write.")
    several = len(seen["track"].unique()) > 1
    for track, rows in seen.groupby("track", observed=True):
        yield (int(str(track)) if several else None), rows


def _series(pynwb: Any, rows: pd.DataFrame, group: str, end: str, first: Any) -> Iterator[Any]:
    """One group of one track; `first` is a series whose timestamps are shared."""
    about = schema.GROUPS[group]
    columns = schema.columns_in(group, rows.columns)
    common = {"unit": about.unit}
    if group in _POINTS and len(columns) == len(about.columns):
        values = rows[columns].to_numpy(np.float32)
        axes = _POINTS[group]
        points: NDArray[np.float32] = np.swapaxes(values.reshape(len(rows), axes, -1), 1, 2)
        yield pynwb.TimeSeries(
            name=f"{group}{end}", data=points, timestamps=_clock(rows, first),
            description=f"{about.meaning}; rows, points, axes {'xyz'[:axes]}.", **common,
        )  # fmt: skip
        return
    container = pynwb.behavior.BehavioralTimeSeries(name=f"{group}{end}")
    for column in columns:
        unit = schema.ACTION_UNITS.get(column.removesuffix("_r"))
        made = pynwb.TimeSeries(
            name=column, data=rows[column].to_numpy(np.float32), timestamps=_clock(rows, first),
            description=f"{unit.name}; {about.meaning}." if unit else f"{about.meaning}.", **common,
        )  # fmt: skip
        container.add_timeseries(made)
        first = first or made
    yield container


def _clock(rows: pd.DataFrame, first: Any) -> Any:
    return rows["time"].to_numpy(np.float64) if first is None else first


def _intervals(pynwb: Any, events: pd.DataFrame) -> Any:
    from facemt_analysis.io.events.table import one_recording

    table = one_recording(events, "An NWB file")
    made = pynwb.epoch.TimeIntervals(name="facial_events", description="Events of the face.")
    further = [c for c in table if c not in ("input", "onset", "offset", "duration")]
    for column in further:
        made.add_column(name=str(column), description=f"{column} of the event")
    text = table[further].astype(
        {c: "str" for c in further if not pd.api.types.is_numeric_dtype(table[c].dtype)}
    )
    for row, start, stop in zip(
        text.to_dict("records"), table["onset"], table["offset"], strict=True
    ):
        plain = {str(k): -1 if v is pd.NA else v for k, v in row.items()}
        made.add_interval(start_time=float(start), stop_time=float(stop), **plain)
    return made
