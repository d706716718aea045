"""Frequency filters without a shift in time."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import lru_cache, partial
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.checks import check_number, check_option, check_whole
from facemt_analysis.errors import OptionError
from facemt_analysis.signal.columns import signal_columns, unwrap, with_values, wrap
from facemt_analysis.signal.sections import Sections, zero_phase
from facemt_analysis.signal.segments import cut
from facemt_analysis.signal.stretches import (
    SignalWarning,
    named_rates,
    on_stretches,
    segment_rates,
)

__all__ = ["FilterKind", "filter", "filter_samples"]

Floats = NDArray[np.float64]
Frame = TypeVar("Frame", bound=pd.DataFrame)
FilterKind = Literal["butter", "bessel"]


def filter(
    frame: Frame,
    columns: str | Iterable[str] | None = None,
    *,
    low: float | None = None,
    high: float | None = None,
    order: int = 4,
    kind: FilterKind = "butter",
    detrend: bool = False,
    max_gap: float = 0.0,
) -> Frame:
    """Keep the frequencies between `low` and `high`, within each track.

    Parameters
    ----------
    frame
        A Fex or plain table with ``time`` (s).
    columns
        Columns to filter; default all features except ``FaceScore``.
    low
        Cut-off below which changes are removed, Hz, and the mean with them; None: none are.
    high
        Cut-off above which changes are removed, Hz; None: none are. Both: a band pass.
    order
        Of the filter for one direction (of each edge of a band).
    kind
        ``"butter"`` (Butterworth): flattest gain; ``"bessel"``: no ringing at steps.
    detrend
        Take a straight line out of each stretch first.
    max_gap
        Gaps up to this long are bridged by a line while filtering, s; their rows stay as they are.
        0: every missing frame or value ends a stretch.

    Returns
    -------
    Fex or DataFrame
        As the input. Missing values stay missing. A stretch that is too short to filter, i.e. than
        one period of the lowest cut-off or the filter's own padding, is left empty, with a
        :class:`SignalWarning` that says how much it is.

    Raises
    ------
    FexError
        If a column is unknown or no signal, or the time is missing or goes backwards.
    OptionError
        If no cut-off is given, `low` is not below `high`, or one is not below half the frame rate
        of a recording.

    Notes
    -----
    Second-order sections run forward and backward (``scipy.signal.sosfiltfilt``), so that nothing
    is shifted in time; the order doubles and the gain at a cut-off is 1/2 (−6 dB). Where time
    stamps are uneven by more than 5 %, each stretch is put on a regular grid at the recording's
    rate by a cubic spline, filtered, and read off at the rows' times. Angles are filtered across
    ±π. Scores may leave their range, by overshoot with `high` and by all means with `low`:
    ``validate()`` reports it and ``info`` says why.

    Examples
    --------
    >>> time = np.arange(301) / 30
    >>> table = pd.DataFrame({"time": time, "AU12": 0.5 + np.sin(2 * np.pi * 6 * time)})
    >>> filter(table, high=1.0)["AU12"].describe()[["min", "max"]].round(1).tolist()
    [0.5, 0.5]
    """
    names = signal_columns(frame, columns)
    check_option("kind", kind, ("butter", "bessel"))
    order = check_whole("order", order, 1)
    max_gap = check_number("max_gap", max_gap, 0.0, unit="s")
    check_option("detrend", detrend, (True, False))
    edges = _edges(low, high)
    parts = cut(frame)
    hz = segment_rates(frame, parts)
    for name, rate in named_rates(parts, hz):
        for which, edge in edges.items():
            if edge >= rate / 2:
                raise OptionError(
                    f"`{which}` must be below half the frame rate, but is {edge:g} Hz, and {name} "
                    f"has {rate:.4g} frames per second: below {rate / 2:.4g} Hz."
                )

    def engine(samples: Floats, rate: float) -> Floats | None:
        return filter_samples(
            samples, rate, low=low, high=high, order=order, kind=kind, detrend=detrend
        )

    values = unwrap(parts.values(frame, names), names, parts)
    result, n_short = on_stretches(parts, values, hz, engine, max_gap=max_gap)
    if n_short:
        share = n_short / int((~np.isnan(values)).sum())
        warnings.warn(
            f"{100 * share:.3g} % of the values are in stretches too short for this filter and "
            "were left empty; fill short gaps first (interpolate), bridge them (max_gap=), or "
            "choose a higher cut-off or lower order.",
            SignalWarning,
            stacklevel=2,
        )
    return with_values(frame, names, parts.order, wrap(result, names))


def filter_samples(
    values: Floats,
    hz: float,
    *,
    low: float | None = None,
    high: float | None = None,
    order: int = 4,
    kind: FilterKind = "butter",
    detrend: bool = False,
) -> Floats | None:
    """Filter evenly spaced samples, shape (n, c), along the first axis; see :func:`filter`.

    Returns
    -------
    ndarray or None
        None if there are too few samples.
    """
    from scipy import signal

    if len(values) < 2:
        return None
    sections = _design(low, high, order, kind, float(hz))
    lowest = min(edge for edge in (low, high) if edge is not None)
    if len(values) <= max(sections.padding, round(hz / lowest) - 1):
        return None
    return zero_phase(sections, signal.detrend(values, axis=0) if detrend else values)


def _edges(low: float | None, high: float | None) -> dict[str, float]:
    edges = {
        name: check_number(name, edge, 0.0, open_low=True, unit="Hz")
        for name, edge in (("low", low), ("high", high))
        if edge is not None
    }
    if not edges:
        raise OptionError("Give a cut-off in Hz: `low`, `high` or both.")
    if len(edges) == 2 and edges["low"] >= edges["high"]:
        raise OptionError(f"`low` must be below `high`, but got {low:g} and {high:g} Hz.")
    return edges


@lru_cache(maxsize=64)
def _design(low: float | None, high: float | None, order: int, kind: str, hz: float) -> Sections:
    from scipy import signal

    band = [edge for edge in (low, high) if edge is not None]
    name = "bandpass" if len(band) == 2 else "lowpass" if low is None else "highpass"
    of_kind: Any = signal.butter if kind == "butter" else partial(signal.bessel, norm="mag")
    return Sections.of(
        of_kind(order, band if len(band) == 2 else band[0], name, output="sos", fs=hz)
    )
