"""The engine of events: hysteresis, bridges over short interruptions, what is said of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.signal.runs import find_runs
from facemt_analysis.signal.segments import GAP_STEPS, Segments

__all__ = ["TINY", "Axis", "EventRule", "Events", "detect_events"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Positions = NDArray[np.intp]

TINY = 1e-6  # s; sums of frame intervals are not exact


@dataclass(frozen=True)
class EventRule:
    """What counts as an event; :func:`facemt_analysis.measures.find_events` documents it."""

    on: float
    off: float
    min_duration: float
    max_gap: float


@dataclass(frozen=True, eq=False)
class Events:
    """Events of one feature, in the order of segment and onset; arrays of shape (m,).

    ``start``, ``top``, ``last`` and ``behind`` are the rows of onset, apex, last frame and offset
    in the order of the segments (``behind`` is −1 where an event lasts until an end or a gap);
    the others are the columns of :func:`facemt_analysis.measures.find_events`.
    """

    segment: Positions
    start: Positions
    top: Positions
    last: Positions
    behind: Positions
    onset: Floats
    apex: Floats
    offset: Floats
    duration: Floats
    peak: Floats
    area: Floats
    rise_speed: Floats
    mean_rise_speed: Floats
    decay_speed: Floats
    mean_decay_speed: Floats
    n_frames: Positions
    truncated: Bools

    def __len__(self) -> int:
        return len(self.segment)


def detect_events(
    frame: pd.DataFrame, parts: Segments, rules: Mapping[str, EventRule]
) -> Iterator[tuple[str, Floats, Events]]:
    """Find the events of some features in a table that is cut already, one feature at a time.

    Parameters
    ----------
    frame
        The table.
    parts
        The table, cut, with time.
    rules
        Features, and what counts as an event of each.

    Yields
    ------
    name : str
        The feature.
    values : ndarray
        Its values in the order of the segments, shape (n,).
    events : Events
        Its events.
    """
    axis: Axis | None = None
    for name, rule in rules.items():
        values = parts.values(frame, name)
        valid = ~np.isnan(values)
        # mostly the frames without a face are the same for all features
        if axis is None or not axis.fits(valid, rule.max_gap):
            axis = Axis.of(parts, valid, rule.max_gap)
        yield name, values, _detect(axis, values[axis.rows], rule)


@dataclass(frozen=True, eq=False)
class Axis:
    """Rows in which a feature has a value: when, how long until the next, where something ends."""

    valid: Bools
    max_gap: float
    rows: Positions
    segment: Positions
    time: Floats
    until: Floats
    breaks: Bools  # shape (rows + 1,): the end is one too

    @classmethod
    def of(cls, parts: Segments, valid: Bools, max_gap: float) -> Axis:
        """Take the valid rows; losses longer than `max_gap` s, and ends, are breaks."""
        rows = np.flatnonzero(valid).astype(np.intp)
        segment, time = parts.segment[rows], parts.time[rows]
        step = parts.step[segment]
        since = np.diff(time, prepend=np.nan)
        breaks = np.ones(len(rows) + 1, dtype=np.bool_)
        breaks[1:-1] = segment[1:] != segment[:-1]
        with np.errstate(invalid="ignore"):
            breaks[:-1] |= (since > GAP_STEPS * step) & (since - step > max_gap + TINY)
        until = np.where(breaks[1:], step, np.append(since[1:], np.nan)[: len(rows)])
        return cls(valid, max_gap, rows, segment, time, until, breaks)

    def fits(self, valid: Bools, max_gap: float) -> bool:
        """Whether it is also that of other rows and another longest gap."""
        return self.max_gap == max_gap and bool(np.array_equal(valid, self.valid))


def _detect(axis: Axis, values: Floats, rule: EventRule) -> Events:
    """Hysteresis, then bridges, then the shortest duration."""
    runs = find_runs(values >= rule.off, axis.breaks[:-1])
    strong = np.flatnonzero(values >= rule.on)
    first = np.searchsorted(strong, runs.start)
    begun = first < np.searchsorted(strong, runs.stop)
    start, stop = strong[first[begun]], runs.stop[begun]
    onset = axis.time[start]
    offset = axis.time[stop - 1] + axis.until[stop - 1]
    segment = axis.segment[start]
    alone = np.ones(len(start) + 1, dtype=np.bool_)  # nothing joins it to the one before
    alone[1:-1] = (segment[1:] != segment[:-1]) | (onset[1:] - offset[:-1] > rule.max_gap + TINY)
    start, onset, stop, offset = (
        start[alone[:-1]],
        onset[alone[:-1]],
        stop[alone[1:]],
        offset[alone[1:]],
    )
    keep = offset - onset >= rule.min_duration - TINY
    return _measure(axis, values, start[keep], stop[keep], offset[keep])


def _measure(
    axis: Axis, values: Floats, start: Positions, stop: Positions, offset: Floats
) -> Events:
    """Describe events, of which these are the first rows and the ones behind the last."""
    n = stop - start
    heads = np.cumsum(n) - n
    event = np.repeat(np.arange(len(n)), n)
    rows = np.arange(len(event)) - heads[event] + start[event]  # all rows of all events
    inside = values[rows]
    reduce = _reducer(heads)
    peak = reduce(np.maximum, inside)
    tops = np.flatnonzero(inside == peak[event])
    top = rows[tops[np.searchsorted(tops, heads)]]
    seen_before, seen_after = ~axis.breaks[start], ~axis.breaks[stop]
    ahead = np.where(seen_before, start - 1, start)
    behind = np.where(seen_after, stop, stop - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        speed = np.append(np.diff(values) / np.diff(axis.time), np.nan)  # from a row to the next
        rising = np.where((rows <= top[event]) & (rows > ahead[event]), speed[rows - 1], np.nan)
        falling = np.where((rows >= top[event]) & (rows < behind[event]), speed[rows], np.nan)
        up = (peak - values[ahead]) / (axis.time[top] - axis.time[ahead])
        down = (peak - values[behind]) / (axis.time[behind] - axis.time[top])
    return Events(
        segment=axis.segment[start],
        start=axis.rows[start],
        top=axis.rows[top],
        last=axis.rows[stop - 1],
        behind=np.where(seen_after, axis.rows[behind], -1),
        onset=axis.time[start],
        apex=axis.time[top],
        offset=offset,
        duration=offset - axis.time[start],
        peak=peak,
        area=reduce(np.add, inside * axis.until[rows]),
        rise_speed=reduce(np.fmax, rising),
        mean_rise_speed=up,
        decay_speed=-reduce(np.fmin, falling),
        mean_decay_speed=down,
        n_frames=n.astype(np.intp),
        truncated=~(seen_before & seen_after),
    )


def _reducer(heads: Positions) -> Callable[[np.ufunc, Floats], Floats]:
    def reduce(operation: np.ufunc, values: Floats) -> Floats:
        return np.asarray(operation.reduceat(values, heads)) if len(heads) else np.empty(0)

    return reduce
