"""Values of a signal at any times, without aliasing: what resampling and epochs share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis import schema
from facemt_analysis.signal.columns import angle_positions, unwrap, wrap
from facemt_analysis.signal.gaps import GAP_TOLERANCE
from facemt_analysis.signal.rates import REGULAR
from facemt_analysis.signal.sections import Sections, zero_phase
from facemt_analysis.signal.segments import GAP_STEPS, Segments
from facemt_analysis.signal.stretches import (
    bridged,
    curve_through,
    find_stretches,
    segment_rates,
    to_grid,
)

__all__ = ["METHODS", "SampleMethod", "Targets", "sample"]

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
Bools = NDArray[np.bool_]
SampleMethod = Literal["cubic", "pchip", "linear"]

METHODS = ("cubic", "pchip", "linear")


class Targets:
    """Times at which the signal of segments is asked for.

    Parameters
    ----------
    parts
        The cut table.
    segment
        Segment of each of the m times, shape (m,).
    time
        Seconds, shape (m,).
    hz
        Rate of the recording of each segment, shape (k,).
    rate
        Rate of the times, Hz.
    """

    def __init__(
        self, parts: Segments, segment: Positions, time: Floats, hz: Floats, rate: float
    ) -> None:
        self.parts, self.hz, self.rate = parts, hz, rate
        self.order = np.lexsort((time, segment))
        self.segment, self.time = segment[self.order], time[self.order]
        self._starts = np.searchsorted(self.segment, np.arange(len(parts) + 1))

    def between(self, segment: int, start: float, stop: float) -> slice:
        """Find the (sorted) times of a segment in a stretch; rounding of time stamps is allowed."""
        first, last = self._starts[segment], self._starts[segment + 1]
        finest = self.rate if np.isnan(self.hz[segment]) else max(self.rate, self.hz[segment])
        slack = GAP_TOLERANCE / finest
        time = self.time[first:last]
        a = np.searchsorted(time, start - slack, side="left")
        b = np.searchsorted(time, stop + slack, side="right")
        return slice(int(first + a), int(first + b))

    def covered(self, max_gap: float) -> Bools:
        """Which times lie where the track has rows, in the order given, shape (m,)."""
        rows = np.ones((len(self.parts.order), 1))
        inside = np.zeros(len(self.time), dtype=np.bool_)
        for stretch in find_stretches(self.parts, rows, max_gap):
            time = self.parts.time[stretch.rows]
            inside[self.between(stretch.segment, time[0], time[-1])] = True
        return np.asarray(self._unsorted(inside))

    def nearest(self) -> tuple[Positions, Bools]:
        """Nearest row of the segment to each time, and whether the time lies in a gap.

        Returns
        -------
        rows : ndarray
            In the order of the segments, shape (m,).
        in_gap : ndarray
            Further than three quarters of a frame interval from it, shape (m,).
        """
        rows = np.empty(len(self.time), dtype=np.intp)
        for k, part in enumerate(self.parts.slices()):
            mine = slice(int(self._starts[k]), int(self._starts[k + 1]))
            rows[mine] = part.start + nearest_position(self.parts.time[part], self.time[mine])
        away = np.abs(self.parts.time[rows] - self.time)
        in_gap = away > GAP_STEPS / 2 * self.parts.step[self.segment]
        return self._unsorted(rows), self._unsorted(in_gap)

    def _unsorted(self, values: Any) -> Any:
        result = np.empty_like(values)
        result[self.order] = values
        return result


def nearest_position(times: Floats, at: Floats) -> Positions:
    """Position of the nearest of sorted times; of two as near, the earlier one."""
    right = np.clip(np.searchsorted(times, at), 1, max(len(times) - 1, 1))
    if len(times) < 2:
        return np.zeros(len(at), dtype=np.intp)
    left_is_nearer = at - times[right - 1] <= times[right] - at
    return np.asarray(right - left_is_nearer, dtype=np.intp)


def sample(
    frame: pd.DataFrame,
    columns: Sequence[str],
    targets: Targets,
    *,
    max_gap: float = 0.0,
    method: SampleMethod = "cubic",
) -> Floats:
    """Give signals at any times, of frequencies below half the rate of these times.

    Parameters
    ----------
    frame
        The table that was cut.
    columns
        c signals.
    targets
        m times.
    max_gap
        Gaps up to this long are bridged by a line, s.
    method
        Curve between the samples: ``"cubic"`` spline, ``"pchip"``, ``"linear"``.

    Returns
    -------
    ndarray
        Shape (m, c). NaN where no stretch of the signal reaches. Where rows are denser than the
        times, a Chebyshev II low-pass (order 8, forward and backward, −60 dB at half the rate of
        the times and above, at most −0.5 % up to 0.36 of it) comes first. Columns that were within
        the schema's range stay in it.
    """
    parts, rate = targets.parts, targets.rate
    before = parts.values(frame, list(columns))
    values = unwrap(before, columns, parts)
    result = np.full((len(targets.time), len(columns)), np.nan)
    for stretch in find_stretches(parts, values, max_gap):
        time, samples = parts.time[stretch.rows], stretch.of(values)
        at = targets.between(stretch.segment, time[0], time[-1])
        if at.start == at.stop:
            continue
        hz = targets.hz[stretch.segment]
        if len(time) > 1 and rate < (1 - REGULAR) * hz:
            time, samples = to_grid(time, samples, hz)
            samples = _without_fast(samples, float(hz), float(rate))
        elif len(time) > 1:
            time, samples = bridged(time, samples, hz)
        curve = _curve(time, samples, method)
        moments = np.clip(targets.time[at], time[0], time[-1])
        if isinstance(stretch.columns, slice):
            result[at] = curve(moments)
        else:
            result[at, stretch.columns] = curve(moments)
    unsorted = np.empty_like(result)
    unsorted[targets.order] = _within_range(before, result, columns)
    return wrap(unsorted, columns)


def targets_of(
    frame: pd.DataFrame, parts: Segments, segment: Positions, time: Floats, rate: float
) -> Targets:
    """Make targets, with the rates of the recordings."""
    return Targets(parts, segment, time, segment_rates(frame, parts), rate)


def _curve(time: Floats, values: Floats, method: SampleMethod) -> Callable[[Floats], Floats]:
    if method == "pchip" and len(time) > 1:
        from scipy.interpolate import PchipInterpolator

        curve: Callable[[Floats], Floats] = PchipInterpolator(time, values)
        return curve
    return curve_through(time, values, 3 if method == "cubic" else 1)


def _without_fast(values: Floats, hz: float, rate: float) -> Floats:
    padding = min(len(values) - 1, int(np.ceil(10 * hz / rate)))
    return zero_phase(_low_pass(hz, rate), values, padding)


@lru_cache(maxsize=64)
def _low_pass(hz: float, rate: float) -> Sections:
    """Chebyshev II: flat where it passes, and exactly one at zero, as type I is not."""
    from scipy import signal

    return Sections.of(signal.cheby2(8, 30, rate / 2, output="sos", fs=hz))


def _within_range(before: Floats, after: Floats, columns: Sequence[str]) -> Floats:
    """Cut overshoot off the columns that were within the schema's range, in place."""
    if not len(before):
        return after
    angles = angle_positions(columns)
    least, most = np.fmin.reduce(before, axis=0), np.fmax.reduce(before, axis=0)
    for j, name in enumerate(columns):
        if schema.group_of(name) is None or j in angles:
            continue
        low, high = schema.range_of(name)
        if np.isfinite([low, high]).any() and least[j] >= low - 1e-4 and most[j] <= high + 1e-4:
            np.clip(after[:, j], low, high, out=after[:, j])
    return after
