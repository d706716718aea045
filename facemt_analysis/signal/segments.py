"""A table cut into stretches of one face in one recording: what every engine works on.

Nothing may be computed across the border of a person, of a recording or of a label. All engines
ask :func:`cut` for these stretches, so that the rule stands in one place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.checks import check_labels
from facemt_analysis.errors import FexError

__all__ = ["GAP_STEPS", "Segments", "cut"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Positions = NDArray[np.intp]

GAP_STEPS = 1.5
"""Neighbouring rows that lie further apart than this many frame intervals have a gap between."""


@dataclass(frozen=True, eq=False)
class Segments:
    """Rows of a table in the order group, recording, track, time, cut where one of them changes.

    Parameters
    ----------
    order
        Positions of the rows in the table, shape (n,); rows without a face are left out.
    starts
        Where each of the k segments begins in this order, and n: shape (k + 1,).
    time
        Seconds, shape (n,), increasing within a segment; NaN where the table has no time.
    step
        Usual interval between two frames of the segment's recording, s, shape (k,); NaN for a
        recording with one frame or without time.
    keys
        What the segments are: k rows with the columns to group by, then ``input`` and ``track``, of
        those that the table has.
    group
        Number of the group each segment belongs to, shape (k,).
    groups
        The groups: one row each with the columns to group by, in the order of their first row in
        the table. One row without columns if nothing was grouped by.
    """

    order: Positions
    starts: Positions
    time: Floats
    step: Floats
    keys: pd.DataFrame
    group: Positions
    groups: pd.DataFrame

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def lengths(self) -> Positions:
        """Rows of each segment, shape (k,)."""
        return np.diff(self.starts)

    @cached_property
    def segment(self) -> Positions:
        """Number of the segment of each row, shape (n,)."""
        return np.repeat(np.arange(len(self), dtype=np.intp), self.lengths)

    @cached_property
    def row_group(self) -> Positions:
        """Number of the group of each row, shape (n,)."""
        return np.repeat(self.group, self.lengths)

    @cached_property
    def first(self) -> Bools:
        """Rows that begin a segment, shape (n,)."""
        first = np.zeros(len(self.order), dtype=np.bool_)
        first[self.starts[:-1]] = True
        return first

    @cached_property
    def since(self) -> Floats:
        """Seconds since the row before in the segment, shape (n,); NaN where there is none."""
        since = np.diff(self.time, prepend=np.nan)
        since[self.first] = np.nan
        return since

    @cached_property
    def breaks(self) -> Bools:
        """Rows that begin a segment or follow a gap in time, shape (n,)."""
        with np.errstate(invalid="ignore"):
            return self.first | (self.since > GAP_STEPS * np.repeat(self.step, self.lengths))

    @cached_property
    def lasts(self) -> Floats:
        """Seconds each row stands for, shape (n,).

        Until the next row; the usual frame interval before a gap and at the end of a segment.
        """
        step = np.repeat(self.step, self.lengths)
        lasts = np.append(self.since[1:], np.nan)
        ends = np.append(self.breaks[1:], True)[: len(lasts)]
        return np.where(ends, step, lasts)[: len(self.order)]

    def values(self, frame: pd.DataFrame, columns: str | Sequence[str]) -> Floats:
        """Columns of the table that was cut, as float64, in the order of the segments.

        Returns
        -------
        ndarray
            Shape (n,) for one name, (n, columns) for a list; writable.
        """
        names = columns if isinstance(columns, str) else list(columns)
        array = np.array(frame[names].to_numpy(np.float64, na_value=np.nan))
        return array if _in_order(self.order, len(frame)) else array[self.order]

    def slices(self) -> Iterable[slice]:
        """One slice of the ordered rows per segment."""
        return (
            slice(int(a), int(b)) for a, b in zip(self.starts[:-1], self.starts[1:], strict=True)
        )


def cut(
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    *,
    need_time: bool = True,
) -> Segments:
    """Cut a table into stretches of one face of one recording (and one value of every label).

    Parameters
    ----------
    frame
        Rows in any order, with those of the keys ``input``, ``frame``, ``time``, ``track`` that it
        has. Without ``input`` all rows are one recording, without ``track`` one face.
    by
        Columns whose values make groups. None: each track of each recording is a group. A group is
        the union of its segments: a label that changes within a track cuts it. Rows whose label is
        missing belong to no group and are left out.
    need_time
        Whether to raise if there is no ``time``, or it is missing in some rows.

    Returns
    -------
    Segments
        Rows without a face (``track`` −1) are left out.

    Raises
    ------
    FexError
        If the time is missing though needed, or does not increase with the frames; if a face is
        there twice in a frame; or a column to group by is absent.

    Examples
    --------
    >>> table = pd.DataFrame({"input": ["a"] * 4, "frame": [0, 0, 1, 1], "track": [0, 1, 0, 1],
    ...                       "time": [0.0, 0.0, 0.5, 0.5]})
    >>> parts = cut(table)
    >>> len(parts), parts.order.tolist(), parts.step.tolist()
    (2, [0, 2, 1, 3], [0.5, 0.5])
    """
    plain = pd.DataFrame(frame)
    own = [c for c in ("input", "track") if c in plain.columns]
    labels = own if by is None else check_labels(plain, by)
    has_time = "time" in plain.columns
    if need_time and not has_time:
        raise FexError(
            "This needs the time of every row, but the table has no column 'time' (seconds); add "
            "it, e.g. fex.assign(time=fex['frame'] / fps)."
        )
    rows = _with_face(plain)
    group, groups = _codes(plain, labels, rows)
    kept = group >= 0
    rows, group = rows[kept], group[kept]
    recording, _ = _codes(plain, [c for c in own if c == "input"], rows)
    track, _ = _codes(plain, [c for c in own if c == "track"], rows)
    time = (
        plain["time"].to_numpy(np.float64, na_value=np.nan)[rows]
        if has_time
        else np.full(len(rows), np.nan)
    )
    if need_time and (without := int(np.isnan(time).sum())):
        raise FexError(
            f"This needs the time of every row, but 'time' is missing in {without} rows; "
            "photographs that are not film have none."
        )
    moment = plain["frame"].to_numpy()[rows] if "frame" in plain.columns else None
    order = _sorted(group, recording, track, moment)
    if order is not None:
        rows, group, recording, track, time = (
            a[order] for a in (rows, group, recording, track, time)
        )
        moment = None if moment is None else moment[order]
    new = np.ones(len(rows), dtype=np.bool_)
    new[1:] = (np.diff(group) != 0) | (np.diff(recording) != 0) | (np.diff(track) != 0)
    starts = np.append(np.flatnonzero(new), len(rows)).astype(np.intp)
    _check_moments(plain, rows, new, time, moment, need_time=need_time)
    heads = rows[starts[:-1]]
    names = [*labels, *(c for c in own if c not in labels)]
    return Segments(
        order=rows,
        starts=starts,
        time=time,
        step=_steps(plain, heads),
        keys=plain[names].iloc[heads].reset_index(drop=True),
        group=group[starts[:-1]].astype(np.intp),
        groups=groups,
    )


def _with_face(frame: pd.DataFrame) -> Positions:
    if "track" not in frame.columns:
        return np.arange(len(frame), dtype=np.intp)
    return np.flatnonzero((frame["track"] >= 0).to_numpy(np.bool_, na_value=False)).astype(np.intp)


def _codes(
    frame: pd.DataFrame, columns: Sequence[str], rows: Positions
) -> tuple[Positions, pd.DataFrame]:
    """Give each combination of values a number, in the order of first rows; −1: one is missing."""
    code = np.zeros(len(rows), dtype=np.intp)
    for i, name in enumerate(columns):
        part, _ = pd.factorize(frame[name].iloc[rows] if len(rows) < len(frame) else frame[name])
        missing = (part < 0) | (code < 0)
        if i:
            part, _ = pd.factorize(code * (int(part.max(initial=0)) + 1) + part)
        code = np.where(missing, -1, part).astype(np.intp)
        if missing.any():  # numbers without holes
            present = code >= 0
            code[present] = pd.factorize(code[present])[0]
    _, firsts = np.unique(code, return_index=True)
    firsts = firsts[code[firsts] >= 0] if len(code) else firsts
    # codes count up by first row, so the sorted codes are in the order of the table
    groups = frame[list(columns)].iloc[rows[firsts]].reset_index(drop=True)
    if not columns:
        groups = pd.DataFrame(index=pd.RangeIndex(1))
    return code, groups


def _sorted(
    group: Positions, recording: Positions, track: Positions, moment: NDArray[Any] | None
) -> Positions | None:
    """Order by group, recording, track, frame; None if the rows are in it already."""
    levels = [group, recording, track] + ([] if moment is None else [moment])
    tied = np.ones(max(len(group) - 1, 0), dtype=np.bool_)
    for level in levels:
        step = np.diff(level)
        if (tied & (step < 0)).any():
            return np.lexsort(levels[::-1]).astype(np.intp)
        tied &= step == 0
    return None


def _check_moments(
    frame: pd.DataFrame,
    rows: Positions,
    new: Bools,
    time: Floats,
    moment: NDArray[Any] | None,
    *,
    need_time: bool,
) -> None:
    """Raise if a face is in a frame twice, or time does not go forward."""
    same = ~new[1:]
    if moment is not None and (twice := same & (np.diff(moment) == 0)).any():
        row = int(np.flatnonzero(twice)[0]) + 1
        what = (
            "the same track is there twice"
            if "track" in frame.columns
            else "there are several faces, but no column 'track' that tells them apart"
        )
        raise FexError(f"{_where(frame, rows[row])}: in frame {moment[row]} {what}.")
    if need_time and (back := same & (np.diff(time) <= 0)).any():
        row = int(np.flatnonzero(back)[0]) + 1
        after = "" if moment is None else f" at frame {moment[row]}"
        raise FexError(
            f"{_where(frame, rows[row])}: time does not go forward{after} ({time[row]:.6g} s after "
            f"{time[row - 1]:.6g} s); "
            + ("sort the rows by time." if moment is None else "repair the column 'time'.")
        )


def _where(frame: pd.DataFrame, row: int) -> str:
    parts = [
        f"{name} {frame[name].iloc[row]}" if name == "track" else str(frame[name].iloc[row])
        for name in ("input", "track")
        if name in frame.columns
    ]
    return ", ".join(parts) or "The table"


def _steps(frame: pd.DataFrame, rows: Positions) -> Floats:
    """Median interval of the recording of each of these rows, rows without a face included."""
    if "time" not in frame.columns or not len(rows):
        return np.full(len(rows), np.nan)
    everywhere = np.arange(len(frame), dtype=np.intp)
    recording, _ = _codes(frame, [c for c in ("input",) if c in frame.columns], everywhere)
    time = frame["time"].to_numpy(np.float64, na_value=np.nan)
    order = _sorted(recording, recording, recording, time)
    ordered, time = (recording, time) if order is None else (recording[order], time[order])
    since = np.diff(time, prepend=np.nan)
    since[1:][np.diff(ordered) != 0] = np.nan
    since[~(since > 0)] = np.nan  # faces of one frame
    medians = pd.Series(since).groupby(ordered).median()
    return np.asarray(medians.reindex(recording[rows]), dtype=np.float64)


def _in_order(order: Positions, n: int) -> bool:
    return len(order) == n and (n == 0 or bool((np.diff(order) == 1).all()))
