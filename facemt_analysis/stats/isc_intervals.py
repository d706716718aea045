"""Intervals of intersubject correlations over the population of subjects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from facemt_analysis.errors import FexError
from facemt_analysis.stats.isc_engine import (
    BLOCK,
    IscMethod,
    Summary,
    fisher_z,
    isc_array,
    summarize_isc,
)

__all__ = ["bootstrap_isc", "jackknife_isc"]

Floats = NDArray[np.float64]


def bootstrap_isc(
    r: Floats,
    method: IscMethod,
    *,
    summary: Summary = "mean",
    n_samples: int = 1000,
    seed: int | None = 0,
) -> Floats:
    """Average correlation of subjects drawn with replacement, shape (n_samples,).

    Percentiles of these are narrow intervals in small samples (see :func:`jackknife_isc`). Pairs of
    a subject with itself, which a drawn twin makes, are left out: their correlation of 1 says
    nothing. Chen et al. (2016), https://doi.org/10.1016/j.neuroimage.2016.05.023.
    """
    n = len(r)
    if n < 3:
        raise FexError(f"A bootstrap of subjects needs at least 3 of them, but got {n}.")
    drawn = np.random.default_rng(seed).integers(0, n, (n_samples, n))
    if method == "leave-one-out":
        return summarize_isc(r[drawn], method, summary)
    without_self = np.where(np.eye(n, dtype=np.bool_), np.nan, r)
    block = max(1, BLOCK // (n * n))
    return np.concatenate(
        [
            summarize_isc(without_self[d[:, :, None], d[:, None, :]], method, summary)
            for d in (drawn[i : i + block] for i in range(0, n_samples, block))
        ]
    )


def jackknife_isc(
    data: Floats, method: IscMethod, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Give an interval of the mean correlation over the population of subjects.

    Every subject is left out once and all is computed anew, so that the dependence of pairs, and of
    subjects through the mean of the others, counts. Student's t interval of Fisher's z (Arvesen,
    1969, https://doi.org/10.1214/aoms/1177697287), turned back into correlations.

    Parameters
    ----------
    data
        Courses (subjects, times).
    method
        As in :func:`isc_array`.
    confidence
        Of the interval.
    """
    n = len(data)
    if n < 3:
        raise FexError(f"An interval over subjects needs at least 3 of them, but got {n}.")
    z = fisher_z(summarize_isc(isc_array(data, method), method))
    without = fisher_z(
        np.array([summarize_isc(isc_array(np.delete(data, i, 0), method), method)
                  for i in range(n)])
    )  # fmt: skip
    error = np.sqrt((n - 1) / n * np.square(without - without.mean()).sum())
    half = stats.t.ppf((1 + confidence) / 2, n - 1) * error
    return float(np.tanh(z - half)), float(np.tanh(z + half))
