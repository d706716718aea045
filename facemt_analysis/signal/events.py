"""Moments of recordings, and the segments of a table they fall on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from facemt_analysis.checks import check_labels, near_names
from facemt_analysis.errors import FexError
from facemt_analysis.signal.segments import Segments, cut

__all__ = ["Matches", "match_events"]

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]

_ONSETS = ("onset", "time")
_SHOWN = 5


@dataclass(frozen=True, eq=False)
class Matches:
    """Windows around events in the segments of a table, in the order event, segment.

    Parameters
    ----------
    parts
        The cut table.
    event, segment
        Position of the event in its table, and number of the segment, shape (m,).
    start, stop
        First row of the segment in the window, and the one behind the last, shape (m,).
    onset
        Time of the event, s, shape (m,).
    labels
        What else the table of events says, one row per event.
    """

    parts: Segments
    event: Positions
    segment: Positions
    start: Positions
    stop: Positions
    onset: Floats
    labels: pd.DataFrame

    def __len__(self) -> int:
        return len(self.event)

    def numbers(self) -> Positions:
        """Give each window the number of its epoch, one per event and recording, (m,)."""
        keys = self.parts.keys
        recording = (
            pd.factorize(keys["input"])[0] if "input" in keys else np.zeros(len(keys), dtype=int)
        )[self.segment]
        new = np.ones(len(self), dtype=np.bool_)
        new[1:] = (np.diff(self.event) != 0) | (np.diff(recording) != 0)
        return np.asarray(np.cumsum(new) - 1, dtype=np.intp)


def match_events(
    frame: pd.DataFrame,
    events: pd.DataFrame,
    tmin: float,
    tmax: float,
    on: str | Sequence[str] | None,
    missing: str,
) -> Matches:
    """Find the rows in a window around each event; see ``epochs`` for the arguments.

    Raises
    ------
    FexError
        If the events cannot be read, or some have no data and `missing` is ``"raise"``.
    """
    name, onset = _onsets(events)
    if on is None:
        keys = [c for c in ("input", "track") if c in events.columns and c in frame.columns]
    else:
        keys = check_labels(events, on, name="on")
        check_labels(frame, keys, name="on")
    parts = cut(frame, keys or None)
    pairs = _pairs(events, parts, keys)
    event, segment = pairs["_event"].to_numpy(), pairs["_segment"].to_numpy()
    start, stop = _windows(parts, segment, onset[event] + tmin, onset[event] + tmax)
    some = stop > start
    without = np.setdiff1d(np.arange(len(events)), event[some])
    if len(without) and (missing == "raise" or not some.any()):
        raise FexError(_no_data(frame, events, onset, without, keys, (tmin, tmax)))
    order = np.lexsort((segment[some], event[some]))
    event, segment, start, stop = (a[some][order] for a in (event, segment, start, stop))
    labels = events.drop(columns=[name, *keys]).reset_index(drop=True)
    taken = [c for c in labels.columns if c in frame.columns or c in ("epoch", "epoch_time")]
    if taken or "epoch" in frame.columns:
        raise FexError(
            f"The table has a column {taken[0]!r} as the events do; rename or drop one of them."
            if taken
            else "The table has a column 'epoch' already; make epochs from the whole recordings."
        )
    return Matches(parts, event, segment, start, stop, onset[event], labels)


def _onsets(events: object) -> tuple[str, Floats]:
    if not isinstance(events, pd.DataFrame):
        raise FexError(
            "`events` must be a DataFrame with a column 'onset' (s), but got "
            f"{type(events).__name__}."
        )
    name = next((c for c in _ONSETS if c in events.columns), None)
    if name is None:
        raise FexError(
            f"`events` must have a column 'onset' or 'time' in s, but has "
            f"{', '.join(map(str, events.columns)) or 'none'}."
        )
    if not len(events):
        raise FexError("`events` has no rows.")
    if not is_numeric_dtype(events[name].dtype):
        raise FexError(f"`events`: {name!r} must be seconds, but holds {events[name].dtype}.")
    onset = events[name].to_numpy(np.float64, na_value=np.nan)
    if len(bad := np.flatnonzero(~np.isfinite(onset))):
        raise FexError(f"`events`: {name!r} is missing in row {bad[0]}.")
    return name, onset


def _pairs(events: pd.DataFrame, parts: Segments, keys: list[str]) -> pd.DataFrame:
    left = pd.DataFrame(events)[keys].reset_index(drop=True).assign(_event=range(len(events)))
    right = parts.keys[keys].assign(_segment=range(len(parts)))
    if not keys:
        return left.merge(right, how="cross")
    try:
        return left.merge(right, on=keys)
    except ValueError as error:  # text on one side, numbers on the other
        kinds = [f"{c}: {events[c].dtype} and {parts.keys[c].dtype}" for c in keys]
        raise FexError(
            f"Events and table cannot be matched on {', '.join(keys)} ({'; '.join(kinds)})."
        ) from error


def _windows(
    parts: Segments, segment: Positions, low: Floats, high: Floats
) -> tuple[Positions, Positions]:
    """Rows of segments between two times, both ends included."""
    start, stop = np.empty(len(segment), dtype=np.intp), np.empty(len(segment), dtype=np.intp)
    order = np.argsort(segment, kind="stable")
    for mine in np.split(order, np.flatnonzero(np.diff(segment[order])) + 1):
        if not len(mine):
            continue
        first, behind = parts.starts[segment[mine[0]]], parts.starts[segment[mine[0]] + 1]
        time = parts.time[first:behind]
        start[mine] = first + np.searchsorted(time, low[mine] - 1e-9)
        stop[mine] = first + np.searchsorted(time, high[mine] + 1e-9, side="right")
    return start, stop


def _no_data(
    frame: pd.DataFrame,
    events: pd.DataFrame,
    onset: Floats,
    without: Positions,
    keys: list[str],
    window: tuple[float, float],
) -> str:
    shown = []
    for i in without[:_SHOWN]:
        place = "".join(f", {c} {events[c].iloc[i]}" for c in keys)
        shown.append(f"row {i} ({onset[i]:g} s{place})")
    more = f" and {len(without) - _SHOWN} more" if len(without) > _SHOWN else ""
    hint = ""
    if "input" in keys:
        known = frame["input"].unique()
        odd = [v for v in events["input"].iloc[without].unique() if v not in set(known)]
        if odd:
            hint = f" There is no recording {odd[0]!r}.{near_names(odd[0], known)}"
    return (
        f"{len(without)} of {len(events)} events have no row with a face from {window[0]:g} to "
        f"{window[1]:g} s around them: {', '.join(shown)}{more}.{hint} Correct them, or leave "
        "them out with missing='drop'."
    )
