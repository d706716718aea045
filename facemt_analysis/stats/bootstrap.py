"""Bootstrap over subjects: whole people are drawn, with all their frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["Interval", "cluster_bootstrap"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Interval:
    """Estimates with their uncertainty over subjects; every field has one value per statistic.

    Parameters
    ----------
    estimate, se, low, high
        From all subjects; SD and limits from the bootstrap, NaN for a single subject.
    """

    estimate: Floats
    se: Floats
    low: Floats
    high: Floats


def cluster_bootstrap(
    sums: Floats,
    statistic: Callable[[Floats], Floats],
    *,
    n_boot: int,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Estimate statistics that depend on sums over subjects.

    Parameters
    ----------
    sums
        What each subject adds, shape (subjects, m): counts, moments.
    statistic
        From (…, m) to (…, k).
    n_boot
        Draws of as many subjects, with replacement.
    level
        Of the intervals.
    seed
        Of the draws.

    Returns
    -------
    Interval
        Bias-corrected and accelerated (Efron, 1987, doi:10.1080/01621459.1987.10478410), the
        acceleration from leaving out one subject at a time; percentiles where that is undefined.

    Examples
    --------
    >>> means = cluster_bootstrap(np.array([[3.0, 10], [5, 10], [7, 10], [4, 10]]),
    ...                           lambda s: s[..., :1] / s[..., 1:], n_boot=999)
    >>> float(means.estimate[0]), bool(means.low[0] < 0.475 < means.high[0])
    (0.475, True)
    """
    n = len(sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = statistic(sums.sum(axis=0))
        if n < 2:
            nothing = np.full_like(estimate, np.nan)
            return Interval(estimate, nothing, nothing, nothing)
        rng = np.random.default_rng(seed)
        draws = statistic(rng.multinomial(n, np.full(n, 1 / n), size=n_boot) @ sums)
        without = statistic(sums.sum(axis=0) - sums)
    low, high = np.empty((2, len(estimate)))
    for i in range(len(estimate)):
        low[i], high[i] = _bca(estimate[i], draws[:, i], without[:, i], level)
    with np.errstate(invalid="ignore"):
        there = np.isfinite(draws).sum(axis=0) > 1
        se = np.where(there, np.nanstd(np.where(there, draws, 0.0), axis=0, ddof=1), np.nan)
    return Interval(estimate, se, low, high)


def _bca(estimate: float, draws: Floats, without: Floats, level: float) -> tuple[float, float]:
    draws = np.sort(draws[np.isfinite(draws)])
    if not np.isfinite(estimate) or len(draws) < 2:
        return float("nan"), float("nan")
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    below = (np.sum(draws < estimate) + 0.5 * np.sum(draws == estimate)) / len(draws)
    pull = without[np.isfinite(without)]
    pull = pull.mean() - pull
    spread = float((pull**2).sum())
    if 0 < below < 1 and spread > 0:
        z0 = special.ndtri(below)
        acceleration = float((pull**3).sum()) / (6 * spread**1.5)
        z = z0 + special.ndtri(tails)
        tails = special.ndtr(z0 + z / (1 - acceleration * z))
    low, high = np.quantile(draws, tails)
    return float(low), float(high)
