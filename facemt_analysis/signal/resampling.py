"""Tables on a regular time axis of any rate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis import schema
from facemt_analysis.checks import check_number, check_option
from facemt_analysis.errors import FexError
from facemt_analysis.signal.columns import SCORE, rewrap, signal_columns
from facemt_analysis.signal.gaps import GAP_TOLERANCE
from facemt_analysis.signal.rates import rates
from facemt_analysis.signal.sampling import (
    METHODS,
    SampleMethod,
    nearest_position,
    sample,
    targets_of,
)
from facemt_analysis.signal.segments import Segments, cut

__all__ = ["resample", "rows_at"]

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
Frame = TypeVar("Frame", bound=pd.DataFrame)


def resample(
    frame: Frame,
    hz: float,
    columns: str | Iterable[str] | None = None,
    *,
    max_gap: float = 0.0,
    method: SampleMethod = "cubic",
) -> Frame:
    """Put every recording on a regular time axis of `hz` frames per second.

    Parameters
    ----------
    frame
        A Fex or plain table with ``time`` (s); recordings may have different rates.
    hz
        New rate. Above that of a recording, nothing is known about the frequencies gained.
    columns
        Signals to keep; default all features except ``FaceScore``. Other features are left out.
    max_gap
        Gaps up to this long are bridged by a line, s; frames made within them have ``FaceScore`` 0.
    method
        Curve between the samples: ``"cubic"`` spline, ``"pchip"`` (monotone) or ``"linear"``.

    Returns
    -------
    Fex or DataFrame
        As the input, with a new index. Recordings in the order of their first rows; their times are
        the multiples of 1/`hz` from their first to their last frame, the same for all faces, and
        recordings with one clock have them in common. ``frame`` is time × `hz`, the index in this
        grid (counted from the start of recordings that begin before 0). A face has a row wherever
        its track reaches, a frame without one the row of track −1. ``FaceScore``, labels and frame
        sizes are those of the nearest row (of two as near, the earlier one).

    Raises
    ------
    FexError
        If a column is unknown or no signal; the time is missing or goes backwards; several faces
        are not told apart; or no multiple of 1/`hz` lies within a recording.
    OptionError
        If `hz` is not positive, `max_gap` is negative or `method` unknown.

    Notes
    -----
    On the way down, a zero-phase Chebyshev II low-pass (order 8 twice; −60 dB at `hz`/2 and above,
    at most −0.5 % up to 0.36 `hz`) keeps fast changes from appearing as slow ones; uneven samples
    go on a regular grid for it by a cubic spline. Stretches have no part in each other, as in
    ``filter``. Columns within the schema's range stay in it.

    Examples
    --------
    >>> table = pd.DataFrame({"frame": range(4), "time": [0, 0.1, 0.21, 0.3],
    ...                       "valence": [0, 0.1, 0.21, 0.3]})
    >>> resample(table, 20)
       frame  time  valence
    0      0  0.00     0.00
    1      1  0.05     0.05
    2      2  0.10     0.10
    3      3  0.15     0.15
    4      4  0.20     0.20
    5      5  0.25     0.25
    6      6  0.30     0.30
    """
    names = signal_columns(frame, columns)
    hz = check_number("hz", hz, 0.0, open_low=True, unit="Hz")
    max_gap = check_number("max_gap", max_gap, 0.0, unit="s")
    check_option("method", method, METHODS)
    plain = pd.DataFrame(frame)
    parts = cut(plain)
    recording, *grid = _grids(plain, hz)
    segment, k = _in_segments(parts, hz)
    targets = targets_of(plain, parts, segment, k / hz, hz)
    inside = targets.covered(max_gap)
    nearest, in_gap = targets.nearest()
    values = sample(plain, names, targets, max_gap=max_gap, method=method)
    segment, k = segment[inside], k[inside]
    rows = parts.order[nearest[inside]]
    faces = rows_at(plain, names, rows, k / hz, values[inside], in_gap[inside])
    where = recording[rows]
    lost, lost_in, lost_k = _lost(plain, recording, (grid[0], grid[1]), (where, k), hz)
    empty = np.full((len(lost), len(names)), np.nan)
    nothing = rows_at(plain, names, lost, lost_k / hz, empty, np.ones(len(lost), dtype=np.bool_))
    if "track" in plain.columns:
        nothing["track"] = pd.Series(-1, index=nothing.index).astype(plain["track"].dtype)
    where, k = np.append(where, lost_in), np.append(k, lost_k)
    result = pd.concat([faces, nothing]) if len(lost) else faces
    if "frame" in plain.columns:
        result["frame"] = k - np.minimum(grid[0][where], 0)
    order = np.lexsort((np.append(segment, np.full(len(lost), -1)), k, where))
    return rewrap(frame, result.iloc[order].reset_index(drop=True))


def rows_at(
    frame: pd.DataFrame,
    columns: list[str],
    rows: Positions,
    time: Floats,
    values: Floats,
    invented: NDArray[np.bool_],
) -> pd.DataFrame:
    """Make rows of new times: labels and keys of given rows, new values.

    Parameters
    ----------
    frame
        The table.
    columns
        c names.
    rows
        Positions of m rows of the table to take everything else from. Features that are not among
        the columns are left out.
    time
        Shape (m,).
    values
        Shape (m, c).
    invented
        Rows whose ``FaceScore`` has to be 0, shape (m,).
    """
    left_out = {*schema.feature_columns(frame.columns), *columns} - {SCORE}
    kept = [c for c in frame.columns if c not in left_out]
    result = frame[kept].iloc[rows].reset_index(drop=True)
    result["time"] = time
    if SCORE in kept:
        result[SCORE] = result[SCORE].mask(invented, 0)
    types = {c: frame[c].dtype for c in columns if frame[c].dtype.kind == "f"}
    new = pd.DataFrame(values, columns=columns).astype(types)
    order = [c for c in frame.columns if c in set(kept) | set(columns)]
    return pd.concat([result, new], axis=1)[order]


def _grids(frame: pd.DataFrame, hz: float) -> tuple[Positions, Positions, Positions]:
    """Give the recording of each row (−1: none), and first and last number of each grid."""
    named = "input" in frame.columns
    code, names = pd.factorize(frame["input"] if named else np.zeros(len(frame)))
    table = rates(frame)
    first, last = _numbers(
        table["start"].to_numpy(), table["stop"].to_numpy(), table["step"].to_numpy(), hz
    )
    if (without := (last < first) & table["start"].notna().to_numpy()).any():
        i = int(np.flatnonzero(without)[0])
        raise FexError(
            f"{names[i] if named else 'The table'}: no multiple of {1 / hz:.4g} s lies between its "
            f"first and last frame ({table['start'][i]:.6g} to {table['stop'][i]:.6g} s); choose a "
            "higher `hz`."
        )
    return np.asarray(code, dtype=np.intp), first, last


def _numbers(start: Floats, stop: Floats, step: Floats, hz: float) -> tuple[Positions, Positions]:
    """First and last multiple of 1/hz in spans; rounding of time stamps is allowed."""
    slack = GAP_TOLERANCE * np.fmin(step * hz, 1.0)
    known = ~np.isnan(start)
    first = np.ceil(np.where(known, start * hz - slack, 0)).astype(np.intp)
    last = np.floor(np.where(known, stop * hz + slack, -1)).astype(np.intp)
    return first, last


def _in_segments(parts: Segments, hz: float) -> tuple[Positions, Positions]:
    """Segment and number of every multiple of 1/hz between first and last row of a segment."""
    start, stop = parts.time[parts.starts[:-1]], parts.time[parts.starts[1:] - 1]
    return _spread(*_numbers(start, stop, parts.step, hz))


def _spread(first: Positions, last: Positions) -> tuple[Positions, Positions]:
    """Give the number of the span, and every whole number in it."""
    size = np.maximum(last - first + 1, 0)
    span = np.repeat(np.arange(len(size), dtype=np.intp), size)
    return span, np.arange(len(span)) - np.repeat(np.cumsum(size) - size, size) + first[span]


def _lost(
    frame: pd.DataFrame,
    recording: Positions,
    grid: tuple[Positions, Positions],
    faces: tuple[Positions, Positions],
    hz: float,
) -> tuple[Positions, Positions, Positions]:
    """Frames of the new grid without a face: nearest row of the table, recording and number."""
    first, last = grid
    where, k = _spread(first, last)
    begins = np.searchsorted(where, np.arange(len(first)))
    empty = np.ones(len(where), dtype=np.bool_)
    empty[begins[faces[0]] + faces[1] - first[faces[0]]] = False
    where, k = where[empty], k[empty]
    time = frame["time"].to_numpy(np.float64, na_value=np.nan)
    usable = np.flatnonzero((recording >= 0) & ~np.isnan(time))
    usable = usable[np.lexsort((time[usable], recording[usable]))]
    ends = np.searchsorted(recording[usable], np.arange(len(first) + 1))
    rows = np.empty(len(where), dtype=np.intp)
    for i in np.unique(where):
        mine = usable[ends[i] : ends[i + 1]]
        at = where == i
        rows[at] = mine[nearest_position(time[mine], k[at] / hz)]
    return rows, where, k
