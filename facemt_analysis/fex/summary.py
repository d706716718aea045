"""What a table holds, in a few numbers and in words."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from facemt_analysis import schema

__all__ = ["TableSummary", "describe_columns", "summarize_table"]

_GAP_STEPS = 1.5  # longer intervals are gaps, as everywhere
_NAMES_WIDTH = 40


@dataclass(frozen=True)
class TableSummary:
    """Counts of a table; None where the columns to tell are absent.

    Parameters
    ----------
    rows
        Number of rows.
    recordings
        Names of the recordings, in the order of their first row.
    frames
        Number of frames of all recordings.
    faces
        Number of rows with a face (``FaceScore`` above 0, else a track that is not −1).
    tracks
        Number of tracks of all recordings, "no face" not counted.
    start, stop
        Smallest and largest time in seconds.
    groups
        Feature groups present, keys and frame sizes among them.
    labels
        The user's columns.
    frames_with_face
        Number of frames with at least one face.
    seconds
        How long the recordings last together, each from its first frame to the end of its last.
    hz
        Lowest and highest frame rate of the recordings.
    """

    rows: int
    recordings: tuple[str, ...] | None
    frames: int | None
    faces: int | None
    tracks: int | None
    start: float | None
    stop: float | None
    groups: tuple[str, ...]
    labels: tuple[str, ...]
    frames_with_face: int | None = None
    seconds: float | None = None
    hz: tuple[float, float] | None = None

    def __str__(self) -> str:
        parts = [_counted(self.rows, "row")]
        if self.recordings is not None:
            parts.append(_counted(len(self.recordings), "recording") + _named(self.recordings))
        if self.seconds is not None:
            parts.append(format_seconds(self.seconds))
        if self.hz is not None:
            parts.append(format_hz(self.hz))
        if self.frames is not None and self.frames_with_face is None:
            parts.append(_counted(self.frames, "frame"))
        elif self.frames is not None and self.frames_with_face is not None:
            parts.append(f"faces in {format_share(self.frames_with_face, self.frames)}")
        if self.tracks is not None:
            parts.append(_counted(self.tracks, "track"))
        shown = [g for g in self.groups if g != "keys"]
        parts.append(", ".join(shown) if shown else "no feature group")
        if self.labels:
            more = len(self.labels) - 6
            text = ", ".join(self.labels[:6]) + (f" and {more} more" if more > 0 else "")
            parts.append(f"labels: {text}")
        return "Fex: " + " · ".join(parts)

    def _repr_html_(self) -> str:
        return f"<div><small>{html.escape(str(self))}</small></div>"


def summarize_table(frame: pd.DataFrame, counts: RecordingCounts | None = None) -> TableSummary:
    """Count what a table holds, from its keys; `counts` are its recordings', if known already.

    >>> frame = pd.DataFrame({"input": ["a", "a"], "frame": [0, 1], "track": [0, -1]})
    >>> str(summarize_table(frame))
    'Fex: 2 rows · 1 recording (a) · faces in 1 of 2 frames (50%) · 1 track · no feature group'
    """
    plain = _unambiguous(frame)
    names = plain.columns.tolist()
    counts = count_recordings(plain) if counts is None else counts
    tracks = faces = None
    face = faces_of(plain)
    if face is not None:
        faces = int(face.sum())
    if "track" in names and is_numeric_dtype(plain["track"].dtype):
        track = plain["track"].to_numpy(np.float64, na_value=-1)
        named, numbers = pd.factorize(track)
        pairs = counts.code * len(numbers) + named
        tracks = len(pd.unique(pairs[track >= 0]))
    table = counts.table
    start, stop, seconds, hz = (table[c].dropna() for c in ("start", "stop", "seconds", "hz"))
    return TableSummary(
        rows=len(plain),
        recordings=counts.names,
        frames=int(table["frames"].sum()) if "frame" in names else None,
        faces=faces,
        tracks=tracks,
        start=float(start.min()) if len(start) else None,
        stop=float(stop.max()) if len(stop) else None,
        groups=schema.groups_in(names),
        labels=tuple(str(c) for c in names if schema.group_of(c) is None),
        frames_with_face=(
            int(table["with_face"].sum()) if "frame" in names and face is not None else None
        ),
        seconds=float(seconds.sum()) if len(seconds) else None,
        hz=(float(hz.min()), float(hz.max())) if len(hz) else None,
    )


@dataclass(frozen=True, eq=False)
class RecordingCounts:
    """Counts of each recording of a table.

    Parameters
    ----------
    names
        Of the recordings, in the order of their first row; None without ``input``.
    code
        Number of the recording of each row; −1: its name is missing.
    table
        One row per recording: ``frames``, ``with_face`` (of these), ``start`` and ``stop`` (s),
        ``seconds`` (from the first frame to the end of the last), ``hz``. NaN: not known.
    """

    names: tuple[str, ...] | None
    code: NDArray[np.intp]
    table: pd.DataFrame


def count_recordings(frame: pd.DataFrame) -> RecordingCounts:
    """Count frames, faces and seconds of each recording."""
    frame = _unambiguous(frame)
    n = len(frame)
    names: tuple[str, ...] | None = None
    code = np.zeros(n, dtype=np.intp)
    if "input" in frame.columns:
        code, inputs = pd.factorize(frame["input"])
        names = tuple(str(name) for name in inputs)
    many = 1 if names is None else len(names)
    table = pd.DataFrame(np.nan, index=range(many), columns=list(_COUNTS))
    known = code >= 0
    face = faces_of(frame)
    if "frame" in frame.columns:
        moment = pd.factorize(frame["frame"], use_na_sentinel=False)[0]
        picture = code * (int(moment.max(initial=0)) + 1) + moment
        table["frames"] = _per_recording(picture, known, code, many)
        if face is not None:
            table["with_face"] = _per_recording(picture, known & face, code, many)
    if "time" in frame.columns and is_numeric_dtype(frame["time"].dtype):
        time = frame["time"].to_numpy(np.float64, na_value=np.nan)
        rows = np.flatnonzero(known & np.isfinite(time))
        code_of, time = code[rows], time[rows]
        if (np.diff(code_of) < 0).any():
            order = np.argsort(code_of, kind="stable")
            code_of, time = code_of[order], time[order]
        bounds = np.searchsorted(code_of, np.arange(many + 1))
        spans = [_span(time[a:b]) for a, b in pairwise(bounds)]
        table[["start", "stop", "seconds", "hz"]] = np.array(spans).reshape(many, 4)
    return RecordingCounts(names, code, table)


def _unambiguous(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the first of columns with one name, as a plain frame."""
    plain = pd.DataFrame(frame)
    return plain if plain.columns.is_unique else plain.loc[:, ~plain.columns.duplicated()]


_COUNTS = ("frames", "with_face", "start", "stop", "seconds", "hz")


def _per_recording(
    picture: NDArray[np.intp], rows: NDArray[np.bool_], code: NDArray[np.intp], many: int
) -> NDArray[np.intp]:
    """Count the distinct frames of each recording among some rows."""
    first = ~pd.Series(picture[rows]).duplicated().to_numpy()
    return np.bincount(code[rows][first], minlength=many)


def _span(time: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Start, stop, seconds and Hz; the rate as :func:`facemt_analysis.signal.rates` gives it."""
    if not len(time):
        return (np.nan,) * 4
    steps = np.diff(time)
    if (steps < 0).any():
        time = np.sort(time)
        steps = np.diff(time)
    steps = steps[steps > 0]  # faces of one frame
    if not len(steps):
        return time[0], time[-1], np.nan, np.nan
    step = float(steps[steps <= _GAP_STEPS * np.median(steps)].mean())
    return time[0], time[-1], time[-1] - time[0] + step, 1 / step


def faces_of(frame: pd.DataFrame) -> NDArray[np.bool_] | None:
    """Rows with a face: a score above 0, or else a track; None if the table has neither."""
    for name in ("FaceScore", "track"):
        if name in frame.columns and is_numeric_dtype(frame[name].dtype):
            values = frame[name].to_numpy(np.float64, na_value=-1)
            return values > 0 if name == "FaceScore" else values >= 0
    return None


def format_seconds(seconds: float) -> str:
    """Say how long something lasts.

    >>> format_seconds(9.5), format_seconds(320.2), format_seconds(4000)
    ('9.50 s', '5 min 20 s', '1 h 07 min')
    """
    if seconds < 60:
        return f"{seconds:.2f} s"
    if seconds < 3600:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes:02d} min"


def format_hz(hz: tuple[float, float]) -> str:
    """Say a frame rate, or the lowest and highest if they differ by more than rounding.

    >>> format_hz((25.0, 25.0)), format_hz((29.97, 30.0)), format_hz((12.5, 30.0))
    ('25 Hz', '29.97–30 Hz', '12.5–30 Hz')
    """
    low, high = (f"{value:.4g}" for value in hz)
    return f"{low} Hz" if low == high else f"{low}–{high} Hz"


def format_share(part: int, whole: int) -> str:
    """Say how many of the frames.

    >>> format_share(1, 3), format_share(7, 7), format_share(999, 1000)
    ('1 of 3 frames (33.3%)', 'all 7 frames', '999 of 1,000 frames (99.9%)')
    """
    if part == whole:
        return f"all {whole:,} frames" if whole else "no frame"
    percent = min(round(100 * part / whole, 1), 99.9)  # 100% is all of them
    return f"{part:,} of {whole:,} frames ({percent:g}%)"


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _named(names: Sequence[str]) -> str:
    """Names in parentheses: as many as fit into a line, at least one."""
    if not names:
        return ""
    shown = [names[0]]
    for name in names[1:]:
        if sum(map(len, shown)) + len(name) > _NAMES_WIDTH:
            return f" ({', '.join(shown)}, …)"
        shown.append(name)
    return f" ({', '.join(shown)})"


def describe_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Say what each column is, from the schema.

    Returns
    -------
    DataFrame
        One row per column, in their order: ``column``, ``group`` (``label`` for the user's),
        ``unit``, ``low`` and ``high`` (range of valid values, NaN where there is none),
        ``meaning``, ``dtype``.
    """
    rows: list[tuple[object, ...]] = []
    for column, dtype in zip(list[object](frame.columns.tolist()), frame.dtypes, strict=True):
        name = schema.group_of(column)
        if not isinstance(column, str) or name is None:
            rows.append((column, "label", "", np.nan, np.nan, "label of the user's", str(dtype)))
            continue
        group = schema.GROUPS[name]
        low, high = (v if np.isfinite(v) else np.nan for v in schema.range_of(column))
        unit = schema.ACTION_UNITS.get(column.removesuffix("_r"))
        meaning = f"{unit.name} ({unit.muscle})" if unit else group.meaning
        rows.append((column, name, group.unit, low, high, meaning, str(dtype)))
    names = ["column", "group", "unit", "low", "high", "meaning", "dtype"]
    return pd.DataFrame(rows, columns=names).astype({"low": np.float64, "high": np.float64})
