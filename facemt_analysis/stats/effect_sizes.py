r"""Standardised effects with confidence intervals.

Intervals of d, dz and partial eta squared pivot on the noncentral t and F distributions (Steiger,
2004, doi:10.1037/1082-989X.9.2.164): the limits are those noncentralities under which the observed
statistic is at the 97.5 % and at the 2.5 % point.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import optimize, special, stats

from facemt_analysis.checks import check_number

__all__ = [
    "eta_squared_interval",
    "hedges_correction",
    "noncentral_f_interval",
    "noncentral_t_interval",
    "rank_biserial_interval",
]


def hedges_correction(df: float) -> float:
    r"""Factor that removes the small-sample bias of a standardised mean difference.

    Parameters
    ----------
    df
        Degrees of freedom of the SD by which it was standardised.

    Notes
    -----
    Exact: :math:`J = \Gamma(df/2) / (\sqrt{df/2}\,\Gamma((df-1)/2))` (Hedges, 1981,
    doi:10.3102/10769986006002107); 1 − 3/(4 df − 1) is its approximation.

    Examples
    --------
    >>> round(hedges_correction(10), 4)
    0.9227
    """
    if df <= 1:
        return float("nan")
    return float(np.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2)) / np.sqrt(df / 2))


def noncentral_t_interval(t: float, df: float, level: float = 0.95) -> tuple[float, float]:
    """Confidence interval of the noncentrality of a t statistic.

    Parameters
    ----------
    t
        Observed statistic.
    df
        Its degrees of freedom.
    level
        Confidence level.

    Returns
    -------
    tuple of float
        Divide by √n (one sample), or by √(n₁n₂/(n₁+n₂)), to get that of dz or d.

    Examples
    --------
    >>> low, high = noncentral_t_interval(2.0, 20)
    >>> bool(abs(stats.nct.sf(2.0, 20, low) - 0.025) < 1e-6)
    True
    """
    check_number("level", level, 0, 1, open_low=True, open_high=True)
    if not np.isfinite(t) or not df > 0:
        return float("nan"), float("nan")
    tail = (1 - level) / 2
    if t < 0:  # the tails of the noncentral t are computed better on this side
        low, high = noncentral_t_interval(-t, df, level)
        return -high, -low

    def above(ncp: float) -> float:
        return 1 - float(special.nctdtr(df, ncp, t))

    width = 4 + 4 * abs(t) / np.sqrt(2 * df) + stats.norm.isf(tail)
    low = _solve(lambda c: above(c) - tail, t - width, t)
    high = _solve(lambda c: above(c) - (1 - tail), t, t + width)
    return low, high


def _solve(f: Callable[[float], float], low: float, high: float) -> float:
    step = max(high - low, 1.0)
    for _ in range(60):
        if f(low) * f(high) <= 0:
            return float(optimize.brentq(f, low, high, xtol=1e-10))
        low, high = low - step, high + step
        step *= 2
    return float("nan")


def noncentral_f_interval(
    f: float, df_effect: float, df_error: float, level: float = 0.95
) -> tuple[float, float]:
    """Confidence interval of the noncentrality λ of an F statistic; limits below 0 are 0.

    Examples
    --------
    >>> low, high = noncentral_f_interval(5.0, 2, 30)
    >>> bool(abs(stats.ncf.cdf(5.0, 2, 30, high) - 0.025) < 1e-6)
    True
    """
    check_number("level", level, 0, 1, open_low=True, open_high=True)
    if not (np.isfinite(f) and df_effect > 0 and df_error > 0):
        return float("nan"), float("nan")
    tail = (1 - level) / 2

    def below(ncp: float) -> float:
        return float(stats.ncf.cdf(f, df_effect, df_error, ncp))  # ncfdtr is wrong in SciPy 1.14

    def limit(share: float) -> float:
        if below(0.0) <= share:
            return 0.0
        top = 4.0 + 4 * f * df_effect
        while below(top) > share and top < 1e7:
            top *= 2
        return float(optimize.brentq(lambda c: below(c) - share, 0.0, top, xtol=1e-9))

    return limit(1 - tail), limit(tail)


def eta_squared_interval(
    f: float, df_effect: float, df_error: float, level: float = 0.95
) -> tuple[float, float, float]:
    r"""Partial eta squared of an F statistic, and its confidence interval.

    Returns
    -------
    tuple of float
        :math:`\eta_p^2 = F df_1/(F df_1 + df_2)`; limits λ/(λ + df₁ + df₂ + 1) from those of the
        noncentrality λ.

    Notes
    -----
    The limits are those of a share of explained variance in the population. They pivot on fixed
    sums of squares; the interval belongs to a two-sided level, so one that just leaves 0 fits
    p = 0.025 (Steiger, 2004: use ``level=0.90`` for one that fits p = 0.05).

    Examples
    --------
    >>> [round(x, 3) for x in eta_squared_interval(5.0, 2, 30, level=0.90)]
    [0.25, 0.034, 0.41]
    """
    low, high = noncentral_f_interval(f, df_effect, df_error, level)
    total = df_effect + df_error + 1
    eta = f * df_effect / (f * df_effect + df_error)
    return float(eta), low / (low + total), high / (high + total)


def rank_biserial_interval(r: float, se: float, level: float = 0.95) -> tuple[float, float]:
    """Confidence interval of a rank-biserial correlation by Fisher's z.

    Parameters
    ----------
    r
        The correlation.
    se
        Its standard error.
    level
        Confidence level.

    Examples
    --------
    >>> [round(x, 3) for x in rank_biserial_interval(0.5, 0.15)]
    [0.156, 0.736]
    """
    if not np.isfinite(r) or not np.isfinite(se):
        return float("nan"), float("nan")
    if abs(r) >= 1:
        return r, r
    z = stats.norm.isf((1 - level) / 2) * se / (1 - r**2)
    return float(np.tanh(np.arctanh(r) - z)), float(np.tanh(np.arctanh(r) + z))
