"""Agreement of two raters as functions of sums, so that they can be bootstrapped."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemt_analysis.stats.bootstrap import Scale

__all__ = [
    "BINARY", "BINARY_SCALES", "CONTINUOUS", "CONTINUOUS_SCALES", "binary_agreement",
    "binary_sums", "continuous_agreement", "continuous_sums",
]  # fmt: skip

Floats = NDArray[np.float64]

BINARY = ("f1", "precision", "recall", "specificity", "accuracy", "kappa", "pabak")
"""What :func:`binary_agreement` gives, in this order."""

BINARY_SCALES: tuple[Scale, ...] = ("logit",) * 5 + ("fisher",) * 2
"""On which scale each of them varies evenly."""

CONTINUOUS = (
    "pearson", "ccc", "icc(1,1)", "icc(2,1)", "icc(3,1)", "bias", "loa_low", "loa_high", "rmse",
    "mae",
)  # fmt: skip
"""What :func:`continuous_agreement` gives, in this order."""

CONTINUOUS_SCALES: tuple[Scale, ...] = ("fisher",) * 5 + ("identity",) * 3 + ("log",) * 2
"""On which scale each of them varies evenly."""


def binary_sums(rated: NDArray[Any], truth: NDArray[Any]) -> Floats:
    """Count hits, false alarms, misses and correct rejections of each row: shape (n, 4)."""
    r, t = rated > 0, truth > 0
    return np.stack([r & t, r & ~t, ~r & t, ~r & ~t], axis=-1).astype(np.float64)


def binary_agreement(sums: Floats) -> Floats:
    r"""Agreement on occurrence, from counts.

    Parameters
    ----------
    sums
        Hits, false alarms, misses, correct rejections: shape (…, 4).

    Returns
    -------
    ndarray
        Shape (…, 7), as in :data:`BINARY`; NaN where nothing is counted that it is about. Cohen's
        :math:`\kappa = (p_o - p_e)/(1 - p_e)` (1960, doi:10.1177/001316446002000104); PABAK
        :math:`2p_o - 1` (Byrt et al., 1993, doi:10.1016/0895-4356(93)90018-V).

    Examples
    --------
    >>> binary_agreement(np.array([20.0, 5.0, 10.0, 15.0])).round(3).tolist()
    [0.727, 0.8, 0.667, 0.75, 0.7, 0.4, 0.4]
    """
    tp, fp, fn, tn = np.moveaxis(sums, -1, 0)
    n = tp + fp + fn + tn
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = (tp + tn) / n
        expected = ((tp + fp) * (tp + fn) + (fn + tn) * (fp + tn)) / n**2
        kappa = (observed - expected) / (1 - expected)
        out = [2 * tp / (2 * tp + fp + fn), tp / (tp + fp), tp / (tp + fn), tn / (tn + fp),
               observed, kappa, 2 * observed - 1]  # fmt: skip
    return _finite(np.stack(out, axis=-1))


def continuous_sums(rated: Floats, truth: Floats) -> Floats:
    """Moments of each row, shape (n, 7): 1, x, y, x², y², xy and |x − y|.

    The means of all rows should be subtracted from both beforehand, for accuracy.
    """
    x, y = rated, truth
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y, np.abs(x - y)], axis=-1)


def continuous_agreement(sums: Floats) -> Floats:
    r"""Agreement on a scale, from moments.

    Parameters
    ----------
    sums
        Sums of 1, x (the tool), y (the truth), x², y², xy and \|x − y\|: shape (…, 7).

    Returns
    -------
    ndarray
        Shape (…, 10), as in :data:`CONTINUOUS`: Pearson's r; Lin's (1989, doi:10.2307/2532051)
        concordance, with variances over n; intraclass correlations of single ratings, one-way,
        two-way random and two-way mixed (Shrout & Fleiss, 1979, doi:10.1037/0033-2909.86.2.420);
        bias (mean of x − y) and Bland & Altman's (1986, doi:10.1016/S0140-6736(86)90837-8) limits,
        bias ± 1.96 SD of all differences; root mean square and mean absolute difference.

    Examples
    --------
    >>> x, y = np.array([1.0, 2, 3, 4]), np.array([2.0, 2, 4, 5])
    >>> continuous_agreement(continuous_sums(x, y).sum(axis=0)).round(3).tolist()
    [0.947, 0.786, 0.82, 0.83, 0.936, -0.75, -1.73, 0.23, 0.866, 0.75]
    """
    n, sx, sy, sxx, syy, sxy, away = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mx, my = sx / n, sy / n
        vx = np.maximum(sxx / n - mx**2, 0)
        vy = np.maximum(syy / n - my**2, 0)
        cov = sxy / n - mx * my
        bias = mx - my
        spread = np.maximum(vx + vy - 2 * cov, 0)  # of the differences, over n
        rows = n / (n - 1) * (vx + vy + 2 * cov) / 2
        within = (spread + bias**2) / 2
        columns = n * bias**2 / 2
        error = n / (n - 1) * spread / 2
        sd = np.sqrt(n / (n - 1) * spread)
        out = [
            cov / np.sqrt(vx * vy),
            2 * cov / (vx + vy + bias**2),
            (rows - within) / (rows + within),
            (rows - error) / (rows + error + 2 * (columns - error) / n),
            (rows - error) / (rows + error),
            bias, bias - 1.96 * sd, bias + 1.96 * sd, np.sqrt(spread + bias**2), away / n,
        ]  # fmt: skip
    return _finite(np.stack(out, axis=-1))


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)
