"""Stretches of evenly spaced samples, to which a filter made for those can be applied.

A stretch ends where the face, the recording or the signal does. Uneven sampling is met honestly:
inside a stretch the signal is put on a regular grid, worked on there, and read off at the times of
the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.signal.gaps import GAP_TOLERANCE
from facemt_analysis.signal.missing import Columns, by_missing
from facemt_analysis.signal.rates import REGULAR, rates
from facemt_analysis.signal.segments import GAP_STEPS, Segments

__all__ = [
    "Engine",
    "SignalWarning",
    "Stretch",
    "bridged",
    "curve_through",
    "find_stretches",
    "named_rates",
    "on_stretches",
    "segment_rates",
]

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]

Engine = Callable[[Floats, float], "Floats | None"]
"""Regular samples (n, c) and their rate in Hz to new ones; None: too few samples."""


class SignalWarning(UserWarning):
    """Part of a signal could not be worked on and was left empty."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """Rows (in the order of the segments) without a break, and the columns that are there."""

    rows: slice | Positions
    columns: Columns
    segment: int

    def of(self, values: Floats) -> Floats:
        """Values of the stretch, shape (rows, columns)."""
        chosen: Floats = values[self.rows]
        return chosen[:, self.columns]

    def put(self, values: Floats, new: Floats) -> None:
        """Write values of the stretch into an array."""
        if isinstance(self.columns, slice):
            values[self.rows] = new
        elif isinstance(self.rows, slice):
            values[self.rows, self.columns] = new
        else:
            values[self.rows[:, None], self.columns] = new


def segment_rates(frame: pd.DataFrame, parts: Segments) -> Floats:
    """Frame rate of the recording of each segment, Hz, shape (k,); NaN: one frame only."""
    table = rates(frame)
    if "input" not in table.columns:
        return np.full(len(parts), table["hz"].iloc[0] if len(table) else np.nan)
    return parts.keys["input"].map(table.set_index("input")["hz"]).to_numpy(np.float64)


def find_stretches(parts: Segments, values: Floats, max_gap: float = 0.0) -> Iterator[Stretch]:
    """Find where columns have values without a break.

    Parameters
    ----------
    parts
        The cut table.
    values
        Shape (n, c), in the order of the segments; NaN breaks a stretch.
    max_gap
        Gaps up to this long do not, s.

    Yields
    ------
    Stretch
        For each group of columns missing in the same rows; the stretches of each in order.
    """
    limit = GAP_STEPS * parts.step
    if max_gap > 0.0:
        limit = np.maximum(limit, max_gap + (1 + GAP_TOLERANCE) * parts.step)
    for columns, valid in by_missing(values):
        there = np.flatnonzero(valid)
        if not len(there):
            continue
        segment = parts.segment[there]
        new = np.ones(len(there), dtype=np.bool_)
        new[1:] = (np.diff(segment) != 0) | (np.diff(parts.time[there]) > limit[segment[1:]])
        if max_gap == 0.0:  # a missing value breaks, however short the time
            new[1:] |= np.diff(there) > 1
        starts = np.flatnonzero(new)
        for a, b in zip(starts.tolist(), np.append(starts[1:], len(there)).tolist(), strict=True):
            first, last = int(there[a]), int(there[b - 1])
            whole = last - first == b - 1 - a
            rows = slice(first, last + 1) if whole else there[a:b]
            yield Stretch(rows, columns, int(segment[a]))


def on_stretches(
    parts: Segments,
    values: Floats,
    hz: Floats,
    engine: Engine,
    *,
    max_gap: float = 0.0,
    degree: int = 3,
) -> tuple[Floats, int]:
    """Apply a function for evenly spaced samples to every stretch.

    Parameters
    ----------
    parts, values, max_gap
        See :func:`find_stretches`.
    hz
        Rate of each segment, shape (k,).
    engine
        What to apply. Its samples lie 1/hz apart within 5 %; gaps that `max_gap` allows are bridged
        by lines for it.
    degree
        Of the spline that puts uneven samples on a regular grid, and the result back: 3, or 1 for
        functions whose result must not leave the range of the samples.

    Returns
    -------
    result : ndarray
        Shape (n, c); NaN where there was no value, and where a stretch was too short.
    n_short : int
        How many values were in stretches that were too short.
    """
    result = np.full_like(values, np.nan)
    n_short = 0
    for stretch in find_stretches(parts, values, max_gap):
        samples = stretch.of(values)
        new = _evenly(parts.time[stretch.rows], samples, hz[stretch.segment], engine, degree)
        if new is None:
            n_short += samples.size
        else:
            stretch.put(result, new)
    return result, n_short


def _evenly(time: Floats, values: Floats, hz: float, engine: Engine, degree: int) -> Floats | None:
    if len(time) < 2 or np.isnan(hz) or _is_regular(time, hz):
        return engine(values, hz)
    grid, samples = to_grid(time, values, hz, degree)
    new = engine(samples, hz)
    return None if new is None else curve_through(grid, new, degree)(time)


def to_grid(time: Floats, values: Floats, hz: float, degree: int = 3) -> tuple[Floats, Floats]:
    """Put samples, at least two, on a regular grid of about that rate, gaps bridged by lines.

    Returns
    -------
    time, values : ndarray
        Shapes (m,) and (m, c); what was given, with lines over the gaps, if that is regular.
    """
    moments, samples = bridged(time, values, hz)
    if _is_regular(moments, hz):
        return moments, samples
    n = max(round((time[-1] - time[0]) * hz), 1) + 1
    grid = np.linspace(time[0], time[-1], n)
    return grid, curve_through(moments, samples, degree)(grid)


def _is_regular(time: Floats, hz: float) -> bool:
    return bool((np.abs(np.diff(time) * hz - 1) <= REGULAR).all())


def bridged(time: Floats, values: Floats, hz: float) -> tuple[Floats, Floats]:
    """Add samples on a line, at about that rate, wherever two neighbours have a gap between.

    Returns
    -------
    time, values : ndarray
        Shapes (m,) and (m, c).
    """
    gap = np.diff(time)
    steps = np.where(gap * hz > GAP_STEPS, np.round(gap * hz), 1).astype(np.intp)
    if (steps == 1).all():
        return time, values
    left = np.repeat(np.arange(len(gap)), steps)
    within = np.arange(len(left)) - np.repeat(np.cumsum(steps) - steps, steps)
    share = within / steps[left]
    moments = np.append(time[left] + share * gap[left], time[-1])
    weight = share[:, None]
    between = values[left] * (1 - weight) + values[left + 1] * weight
    return moments, np.concatenate([between, values[-1:]])


def curve_through(time: Floats, values: Floats, degree: int) -> Callable[[Floats], Floats]:
    """Spline of degree 1 or 3 through the samples; of a lower one if there are too few."""
    from scipy.interpolate import make_interp_spline

    if len(time) == 1:
        return lambda at: np.repeat(values, len(at), axis=0)
    spline: Callable[[Floats], Floats] = make_interp_spline(
        time, values, k=degree if len(time) > degree else 1
    )
    return spline


def named_rates(parts: Segments, hz: Floats) -> list[tuple[str, float]]:
    """Name each recording with its rate, once; recordings of one frame are left out."""
    names = parts.keys["input"] if "input" in parts.keys.columns else ["the table"] * len(parts)
    return [(str(k), r) for k, r in dict(zip(names, hz, strict=True)).items() if not np.isnan(r)]
