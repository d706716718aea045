"""Rank tests of a contrast, with the shift they are about and its confidence interval."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from facemt_analysis.errors import OptionError
from facemt_analysis.stats.effect_sizes import rank_biserial_interval
from facemt_analysis.stats.t_tests import Sample

__all__ = ["rank_sum_test", "rank_test", "signed_rank_test"]

Floats = NDArray[np.float64]

_EXACT_PAIRS = 50
_EXACT_PRODUCT = 2500


def rank_test(sample: Sample, *, level: float = 0.95) -> dict[str, Any]:
    """Test a contrast by ranks: Wilcoxon's signed ranks in one group, Mann–Whitney in two.

    Parameters
    ----------
    sample
        Values without NaN.
    level
        Of the confidence intervals.

    Returns
    -------
    dict
        Columns of a tidy result; see :func:`signed_rank_test` and :func:`rank_sum_test`.

    Raises
    ------
    OptionError
        If the contrast is neither.
    """
    parts = sample.parts()
    if len(parts) == 1:
        return signed_rank_test(parts[0][0] * parts[0][1], level=level)
    signs = sorted(parts, key=lambda part: -part[0])
    if len(parts) == 2 and np.isclose(signs[0][0], -signs[1][0]):
        scale = signs[0][0]
        return rank_sum_test(scale * signs[0][1], scale * signs[1][1], level=level)
    raise OptionError(
        "test='rank' compares two groups, or two conditions in one group; this contrast weighs "
        f"{len(parts)} groups by {[round(w, 3) for w, _ in parts]}. Take test='t', or a contrast of"
        " two."
    )


def signed_rank_test(differences: Floats, *, level: float = 0.95) -> dict[str, Any]:
    """Wilcoxon's signed rank test.

    Parameters
    ----------
    differences
        One per subject; zeros do not count.
    level
        Of the confidence intervals.

    Returns
    -------
    dict
        ``estimate``: the Hodges–Lehmann median of pairwise means, in the unit of the differences,
        and its interval from the order of these means; ``statistic`` W: the sum of the ranks of
        positive differences; p: exact up to 50 differences without ties and zeros, else by the
        normal approximation (SciPy); effect: the rank-biserial correlation, share of rank sums in
        favour minus share against (Kerby, 2014, doi:10.2466/11.IT.3.1), interval by the jackknife
        on Fisher's z.

    Examples
    --------
    >>> row = signed_rank_test(np.array([1.0, 2.0, 4.0, -0.5]))
    >>> row["statistic"], row["p"], row["estimate"], row["effect_size"]
    (9.0, 0.25, 1.625, 0.8)
    """
    done = stats.wilcoxon(differences, alternative="two-sided")
    moved = differences[differences != 0]
    n = len(moved)
    i, j = np.triu_indices(n)
    walsh = np.sort((moved[i] + moved[j]) / 2)
    low, high = _order_interval(walsh, _signed_rank_quantile((1 - level) / 2, n))
    positive, r = _signed_rank(moved)
    r_low, r_high = _effect_interval(
        r, np.sqrt((n - 1) / n * _scatter([_signed_rank(np.delete(moved, k))[1] for k in range(n)]))
        if n > 2 else np.nan, n, level,
    )  # fmt: skip
    return {
        "estimate": float(np.median(walsh)),
        "statistic": positive,
        "statistic_name": "W",
        "p": float(done.pvalue),
        "ci_low": low,
        "ci_high": high,
        "effect_size": r,
        "effect_name": "rank-biserial",
        "effect_ci_low": r_low,
        "effect_ci_high": r_high,
        "method": "Wilcoxon signed rank test",
    }


def rank_sum_test(a: Floats, b: Floats, *, level: float = 0.95) -> dict[str, Any]:
    """Mann–Whitney test.

    Parameters
    ----------
    a, b
        One value per subject of either group.
    level
        Of the confidence intervals.

    Returns
    -------
    dict
        ``estimate``: the Hodges–Lehmann median of all differences a − b, and its interval from
        their order; ``statistic`` U: pairs in which a is larger, ties count half; p: exact where
        the smaller group has up to 8 without ties, else by the normal approximation with
        continuity correction (SciPy); effect: rank-biserial correlation 2U/(n₁n₂) − 1, interval by
        the variance of the placements (DeLong et al., 1988, doi:10.2307/2531595) on Fisher's z.

    Examples
    --------
    >>> row = rank_sum_test(np.array([1.0, 2.0, 5.0]), np.array([0.0, 0.5, 1.5]))
    >>> row["statistic"], row["estimate"], round(row["effect_size"], 3)
    (8.0, 1.5, 0.778)
    """
    done = stats.mannwhitneyu(a, b, alternative="two-sided")
    differences = a[:, None] - b[None, :]
    ordered = np.sort(differences.ravel())
    low, high = _order_interval(ordered, _rank_sum_quantile((1 - level) / 2, len(a), len(b)))
    larger = (np.sign(differences) + 1) / 2
    r = float(2 * larger.mean() - 1)
    variance = larger.mean(1).var(ddof=1) / len(a) + larger.mean(0).var(ddof=1) / len(b)
    r_low, r_high = _effect_interval(r, 2 * np.sqrt(variance), min(len(a), len(b)), level)
    return {
        "estimate": float(np.median(ordered)),
        "statistic": float(larger.sum()),
        "statistic_name": "U",
        "p": float(done.pvalue),
        "ci_low": low,
        "ci_high": high,
        "effect_size": r,
        "effect_name": "rank-biserial",
        "effect_ci_low": r_low,
        "effect_ci_high": r_high,
        "method": "Mann–Whitney U test",
    }


def _signed_rank(moved: Floats) -> tuple[float, float]:
    ranks = stats.rankdata(np.abs(moved))
    positive = float(ranks[moved > 0].sum())
    return positive, float(2 * positive / ranks.sum() - 1)


def _scatter(values: list[float]) -> float:
    array = np.array(values)
    return float(((array - array.mean()) ** 2).sum())


def _effect_interval(r: float, se: float, n: int, level: float) -> tuple[float, float]:
    """At ±1 nothing varies: the limit at which all n still agree with the chance of a tail."""
    if abs(r) < 1 and se > 0:
        return rank_biserial_interval(r, float(se), level)
    limit = 2 * ((1 - level) / 2) ** (1 / n) - 1
    if abs(r) < 1:
        return float("nan"), float("nan")
    return (limit, 1.0) if r > 0 else (-1.0, -limit)


def _order_interval(ordered: Floats, k: int) -> tuple[float, float]:
    """From the k-th smallest to the k-th largest."""
    if k < 1:  # too few values for this level: the interval has no ends
        return -np.inf, np.inf
    return float(ordered[k - 1]), float(ordered[len(ordered) - k])


def _signed_rank_quantile(tail: float, n: int) -> int:
    """Largest k with P(W < k) ≤ tail under the null."""
    total = n * (n + 1) // 2
    if n > _EXACT_PAIRS:
        return int(total / 2 - stats.norm.isf(tail) * np.sqrt(n * (n + 1) * (2 * n + 1) / 24))
    ways = np.zeros(total + 1)
    ways[0] = 1.0
    for rank in range(1, n + 1):
        ways[rank:] += ways[:-rank].copy()
    return _largest(ways, tail)


def _rank_sum_quantile(tail: float, n: int, m: int) -> int:
    """Largest k with P(U < k) ≤ tail under the null."""
    if n * m > _EXACT_PRODUCT:
        return int(n * m / 2 - stats.norm.isf(tail) * np.sqrt(n * m * (n + m + 1) / 12))
    ways = np.zeros(n * m + 1)  # coefficients of the Gaussian binomial
    ways[0] = 1.0
    for i in range(1, n + 1):
        step = m + i
        if step <= n * m:
            ways[step:] -= ways[:-step].copy()
        for start in range(i):
            ways[start::i] = np.cumsum(ways[start::i])
    return _largest(ways, tail)


def _largest(ways: Floats, tail: float) -> int:
    below = np.concatenate([[0.0], np.cumsum(ways / ways.sum())])
    return int(np.flatnonzero(below <= tail * (1 + 1e-9))[-1])
