"""How much two courses move together: one number and one lag for each way to measure it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats.alignment import dtw
from facemt_analysis.stats.isc_engine import bridged
from facemt_analysis.stats.lagged_correlation import (
    WindowedCorrelation,
    windowed_crosscorrelation,
)
from facemt_analysis.stats.recurrence import recurrence_quantification

__all__ = [
    "Score",
    "Scores",
    "SegmentScore",
    "SynchronyMeasure",
    "scorer",
    "segment_scorer",
]

Floats = NDArray[np.float64]
SynchronyMeasure = Literal["peak", "mean", "dtw", "recurrence"]


@dataclass(frozen=True, eq=False)
class Scores:
    """Synchrony of one course with several others.

    Parameters
    ----------
    value
        Shape (others,).
    lag
        Seconds by which the other is behind, shape (others,).
    profile
        Correlation or recurrence rate at every lag, shape (others, lags); empty for ``"dtw"``.
    lags
        Seconds, shape (lags,).
    """

    value: Floats
    lag: Floats
    profile: Floats
    lags: Floats


Score = Callable[[Floats, Floats], Scores]
"""Takes the course of one (features, times) and those of others (others, features, times)."""

SegmentScore = Callable[[Floats, Floats, int, np.random.Generator], Scores]
"""Takes two courses (1, times), how often to shuffle, random numbers; scores the truth first."""


def scorer(
    measure: SynchronyMeasure,
    *,
    rate: float,
    window: float,
    step: float | None,
    max_lag: float,
    recurrence_rate: float,
) -> Score:
    """Choose the way to measure synchrony; see :func:`facemt_analysis.stats.synchrony`."""
    reach = round(max_lag * rate)

    def correlation(one: Floats, others: Floats) -> Scores:
        found = windowed_crosscorrelation(
            one[0], others[:, 0], rate=rate, window=window, step=step, max_lag=max_lag
        )
        return _of_windows(found, measure)

    def warping(one: Floats, others: Floats) -> Scores:
        found = [
            dtw(a.T, b.T, band=reach, standardize=True)
            for a, b in (_complete(one, other) for other in others)
        ]
        value = np.array([f.normalized_distance for f in found])
        lag = np.array([f.lag for f in found]) / rate
        return Scores(value, lag, np.empty((len(others), 0)), np.empty(0))

    def recurrence(one: Floats, others: Floats) -> Scores:
        found = [
            recurrence_quantification(a.T, b.T, recurrence_rate=recurrence_rate, max_lag=reach)
            for a, b in (_complete(one, other) for other in others)
        ]
        profile = np.array([f.profile for f in found])
        best = np.nan_to_num(profile).argmax(axis=1)
        lags = found[0].lags / rate
        return Scores(profile[np.arange(len(best)), best], lags[best], profile, lags)

    return {"dtw": warping, "recurrence": recurrence}.get(measure, correlation)


def segment_scorer(
    measure: SynchronyMeasure, *, rate: float, window: float, max_lag: float
) -> SegmentScore:
    """Choose the way to measure synchrony when segments of one course change place.

    Segments are as long as a window and stay whole, with what follows them up to the longest lag:
    windows are compared with windows of another time, never over a seam. Nothing overlaps, the
    reach of lags included: shuffling must not separate windows that depend on each other.
    """
    if measure not in ("peak", "mean"):
        raise OptionError(
            f'surrogate="segments" is for correlations, but `measure` is {measure!r}: take '
            '"pseudo-dyads" or "circular-shift".'
        )
    width, reach = round(window * rate), round(max_lag * rate)

    def score(one: Floats, other: Floats, n: int, rng: np.random.Generator) -> Scores:
        n_times = one.shape[-1]
        starts = np.arange(0, n_times - width - reach + 1, width + reach)
        if len(starts) < 4:
            raise FexError(
                f"Only {len(starts)} windows of {window:g} s and lags up to {max_lag:g} s fit into "
                f"{n_times / rate:g} s, too few to shuffle: take a shorter `window`, or "
                'surrogate="circular-shift".'
            )
        at = starts[:, None] + np.arange(width + reach)
        found = windowed_crosscorrelation(
            one[0][at][:, None], other[0][at][None], rate=rate, window=window, max_lag=max_lag
        )  # every window with every other
        own = np.arange(len(starts))
        orders = np.concatenate([own[None], rng.permuted(np.tile(own, (n, 1)), axis=1)])
        r = found.r[own, orders, 0]
        return _of_windows(WindowedCorrelation(r, starts / rate, found.lag), measure)

    return score


def _of_windows(found: WindowedCorrelation, measure: SynchronyMeasure) -> Scores:
    """Peak of the mean profile, or mean absolute Fisher z, of (pairs, windows, lags)."""
    profile = found.mean_profile()
    known = np.where(np.isnan(profile), -np.inf, profile)
    best = known.argmax(axis=1)
    value = known.max(axis=1)
    if measure == "mean":
        z = np.abs(np.arctanh(np.clip(found.r, -1 + 1e-9, 1 - 1e-9)))
        there = ~np.isnan(z)
        n = there.sum((1, 2))
        total = np.where(there, z, 0.0).sum((1, 2))
        value = np.divide(total, n, out=np.full(len(n), -np.inf), where=n > 0)
    empty = ~np.isfinite(value)
    lag = np.where(empty, np.nan, found.lag[best])
    return Scores(np.where(empty, np.nan, value), lag, profile, found.lag)


def _complete(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Cut to the stretch where both are there, and bridge gaps by straight lines."""
    there = (~np.isnan(a)).all(axis=0) & (~np.isnan(b)).all(axis=0)
    if there.sum() < 8:
        raise FexError("Two courses share fewer than 8 points of time: no synchrony to measure.")
    at = np.flatnonzero(there)
    span = slice(at[0], at[-1] + 1)
    return bridged(a[:, span]), bridged(b[:, span])
