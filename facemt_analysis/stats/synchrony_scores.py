"""How much two courses move together: one number and one lag for each way to measure it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from facemt_analysis.errors import FexError
from facemt_analysis.stats.alignment import dtw
from facemt_analysis.stats.isc_engine import bridged
from facemt_analysis.stats.lagged_correlation import windowed_crosscorrelation
from facemt_analysis.stats.recurrence import recurrence_quantification

__all__ = ["Score", "Scores", "SynchronyMeasure", "scorer"]

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


def _complete(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Cut to the stretch where both are there, and bridge gaps by straight lines."""
    there = (~np.isnan(a)).all(axis=0) & (~np.isnan(b)).all(axis=0)
    if there.sum() < 8:
        raise FexError("Two courses share fewer than 8 points of time: no synchrony to measure.")
    at = np.flatnonzero(there)
    span = slice(at[0], at[-1] + 1)
    return bridged(a[:, span]), bridged(b[:, span])
