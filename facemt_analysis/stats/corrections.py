"""Corrections of p values over a family of tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facemt_analysis.checks import check_option
from facemt_analysis.errors import FexError

__all__ = ["CORRECTION_NAMES", "Correction", "adjust_p", "max_statistic_p"]

Floats = NDArray[np.float64]

Correction = Literal["holm", "fdr_bh", "max-t"] | None
"""Holm and max-T bound the chance of any false positive; Benjamini–Hochberg their share."""

CORRECTION_NAMES = {"holm": "Holm", "fdr_bh": "Benjamini–Hochberg", "max-t": "max-T"}


def adjust_p(p: ArrayLike, method: Correction = "holm") -> Floats:
    """Adjust p values over the family they make.

    Parameters
    ----------
    p
        p values, any shape; NaN (tests that could not be done) stay NaN and do not count.
    method
        ``"holm"``: step-down Bonferroni, under any dependence (Holm, 1979, Scand. J. Statist. 6,
        65–70); ``"fdr_bh"``: false discovery rate, under independence or positive dependence
        (Benjamini & Hochberg, 1995, doi:10.1111/j.2517-6161.1995.tb02031.x); None: as they are.

    Returns
    -------
    ndarray
        Same shape; at most 1.

    Examples
    --------
    >>> adjust_p([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    >>> adjust_p([0.01, 0.04, 0.03], "fdr_bh").round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    check_option("method", method, ("holm", "fdr_bh", None))
    values = np.asarray(p, dtype=np.float64).copy()  # np.array() of a Series may be a view
    if np.nanmin(values, initial=0.0) < 0 or np.nanmax(values, initial=0.0) > 1:
        raise FexError("p values lie between 0 and 1.")
    if method is None:
        return values
    flat = values.ravel()
    there = np.flatnonzero(~np.isnan(flat))
    order = there[np.argsort(flat[there], kind="stable")]
    n = len(order)
    rank = np.arange(1, n + 1)
    if method == "holm":
        adjusted = np.maximum.accumulate(flat[order] * (n - rank + 1))
    else:
        adjusted = np.minimum.accumulate((flat[order] * n / rank)[::-1])[::-1]
    flat[order] = np.minimum(adjusted, 1.0)
    return flat.reshape(values.shape)


def max_statistic_p(
    statistic: ArrayLike, null: Floats, *, exact: Sequence[bool] | bool = False
) -> Floats:
    r"""Single-step max-T: compare every statistic with the largest of each permutation.

    Parameters
    ----------
    statistic
        Observed, shape (tests,).
    null
        Of the permutations, shape (permutations, tests).
    exact
        Whether the permutations are all there are, the observed one among them.

    Returns
    -------
    ndarray
        Shape (tests,): (1 + b)/(1 + m), or b/m if all permutations are there, for the b of m whose
        largest :math:`|T|` reaches that of the test (Westfall & Young, 1993; Phipson & Smyth, 2010,
        doi:10.2202/1544-6115.1585).

    Examples
    --------
    >>> max_statistic_p([2.5], np.array([[2.5], [1.0], [-3.0], [0.5]]), exact=True).tolist()
    [0.5]
    """
    observed = np.abs(np.asarray(statistic, dtype=np.float64))
    with np.errstate(invalid="ignore"):
        largest = np.nanmax(np.abs(null), axis=1)
    # equal up to rounding is reached
    reached = (largest[:, None] >= observed * (1 - 1e-9)).sum(axis=0)
    p = reached / len(largest) if np.all(exact) else (1 + reached) / (1 + len(largest))
    return np.where(np.isnan(observed), np.nan, p)
