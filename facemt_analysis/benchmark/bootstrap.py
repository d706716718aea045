"""Confidence intervals over subjects, from sums per subject.

Every score here is a function of sums (counts of a confusion matrix, moments, summed errors). A
bootstrap sample of subjects then costs one row of a matrix product, not another pass over the data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["Interval", "Resampling", "interval", "sums_by"]

Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""(…, k) sums → (…, m) scores; NaN where a score is not defined."""

_CHUNK = 4_000_000  # numbers in a chunk of weights


@dataclass(frozen=True)
class Resampling:
    """How intervals are made.

    Parameters
    ----------
    n
        Bootstrap samples; 0: no intervals.
    level
        Share of them inside the interval.
    seed
        Of the random numbers.
    """

    n: int = 1000
    level: float = 0.95
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Interval:
    """Scores and the ends of their intervals, shape (m,) each."""

    value: Floats
    low: Floats
    high: Floats


def sums_by(subject: pd.Series, columns: Floats) -> Floats:
    """Add up the rows of each subject; rows without a subject stand for themselves.

    Parameters
    ----------
    subject
        n subjects, or missing values.
    columns
        (n, k).

    Returns
    -------
    ndarray
        (subjects, k).
    """
    codes, names = pd.factorize(subject)
    alone = codes < 0
    codes = codes.copy()
    codes[alone] = len(names) + np.arange(int(alone.sum()))
    n_units = len(names) + int(alone.sum())
    sums = np.zeros((n_units, columns.shape[1]))
    np.add.at(sums, codes, columns)
    return sums


def interval(sums: Floats, statistic: Statistic, how: Resampling) -> Interval:
    """Percentile bootstrap over subjects (Efron & Tibshirani, 1993, chapter 13).

    Parameters
    ----------
    sums
        (subjects, k).
    statistic
        From summed columns to scores.
    how
        Number of samples, level, seed.

    Returns
    -------
    Interval
        Ends are NaN for fewer than two subjects. Samples in which a score is not defined are left
        out of its interval.
    """
    value = statistic(sums.sum(axis=0))
    n = len(sums)
    if n < 2 or not how.n:
        empty = np.full_like(value, np.nan)
        return Interval(value, empty, empty)
    rng = np.random.default_rng(how.seed)
    rows = max(1, min(how.n, _CHUNK // n))
    scores = []
    for first in range(0, how.n, rows):
        count = min(rows, how.n - first)
        weights = rng.multinomial(n, np.full(n, 1 / n), size=count)
        scores.append(statistic(weights.astype(np.float64) @ sums))
    drawn = np.concatenate(scores)
    tails = [(1 - how.level) / 2, (1 + how.level) / 2]
    ends = np.full((2, drawn.shape[1]), np.nan)
    some = np.isfinite(drawn).any(axis=0)
    ends[:, some] = np.nanquantile(drawn[:, some], tails, axis=0)
    return Interval(value, ends[0], ends[1])
