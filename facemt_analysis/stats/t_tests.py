"""t tests of a contrast: paired or one-sample, Welch, Student; any weights over groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from facemt_analysis.stats.effect_sizes import hedges_correction, noncentral_t_interval

__all__ = ["Sample", "t_test"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sample:
    """One number per subject, and how the groups of subjects are weighed.

    Parameters
    ----------
    values
        Shape (n,): means, or differences between conditions, of the subjects.
    group
        Group of each subject, whole numbers, shape (n,).
    weights
        Weight of each group in the contrast, shape (groups,).
    within
        Whether the values are differences within subjects.
    spread
        SD of the conditions that differ, averaged as root mean square, for d of paired data.
    """

    values: Floats
    group: NDArray[np.intp]
    weights: Floats
    within: bool
    spread: float = float("nan")

    def parts(self) -> list[tuple[float, Floats]]:
        """Weight and values of every group that the contrast involves."""
        return [
            (float(w), self.values[self.group == g]) for g, w in enumerate(self.weights) if w != 0
        ]

    @property
    def one_sample(self) -> bool:
        """Whether there is one group only."""
        return int(np.count_nonzero(self.weights)) == 1


def t_test(
    sample: Sample,
    *,
    equal_variances: bool = False,
    level: float = 0.95,
    effect: str = "auto",
) -> dict[str, Any]:
    r"""Test a contrast of means against 0.

    Parameters
    ----------
    sample
        Values without NaN, at least two in every group that is involved.
    equal_variances
        Pool the variances of the groups (Student) instead of Welch's approximation.
    level
        Of the confidence intervals.
    effect
        ``"auto"``: dz where the values are differences within subjects (also if these are compared
        between groups), else d; ``"g"``: the same without small-sample bias; ``"d"``: differences
        within subjects by the SD of the conditions instead of their own.

    Returns
    -------
    dict
        Columns of a tidy result.

    Notes
    -----
    For groups g with weights w, means m, variances s² and n subjects: estimate
    :math:`\sum w_g m_g`, squared standard error :math:`\sum w_g^2 s_g^2/n_g`, degrees of freedom by
    Welch–Satterthwaite (Welch, 1947, doi:10.1093/biomet/34.1-2.28); one group: the paired or
    one-sample t test. Standardised by the pooled SD; its interval pivots on the noncentral t,
    which supposes equal variances.

    Examples
    --------
    >>> row = t_test(Sample(np.array([1.0, 2.0, 3.0]), np.zeros(3, int), np.ones(1), True))
    >>> row["estimate"], round(row["statistic"], 4), row["df"], row["effect_name"]
    (2.0, 3.4641, 2.0, 'dz')
    """
    parts = sample.parts()
    weights = np.array([w for w, _ in parts])
    n = np.array([len(v) for _, v in parts], dtype=np.float64)
    means = np.array([v.mean() for _, v in parts])
    variances = np.array([v.var(ddof=1) for _, v in parts])
    estimate = float(weights @ means)
    df_pooled = float(n.sum() - len(n))
    pooled = float((variances @ (n - 1)) / df_pooled)
    share = weights**2 / n
    if equal_variances or len(parts) == 1:
        se, df = float(np.sqrt(pooled * share.sum())), df_pooled
    else:
        terms = share * variances
        se = float(np.sqrt(terms.sum()))
        df = float(terms.sum() ** 2 / (terms**2 / (n - 1)).sum())
    t = estimate / se
    reach = float(stats.t.isf((1 - level) / 2, df)) * se

    # the population's effect is ncp * unit, whatever the weights
    unit = float(np.sqrt(share.sum()))
    size = estimate / np.sqrt(pooled)
    low, high = noncentral_t_interval(size / unit, df_pooled, level)
    name = "dz" if sample.within else "d"
    factor = 1.0
    if effect == "d" and name == "dz":
        factor, name = np.sqrt(pooled) / sample.spread, "d"
    elif effect == "g":
        factor, name = hedges_correction(df_pooled), "g" if name == "d" else "gz"
    return {
        "estimate": estimate,
        "se": se,
        "statistic": t,
        "statistic_name": "t",
        "df": df,
        "p": float(2 * stats.t.sf(abs(t), df)),
        "ci_low": estimate - reach,
        "ci_high": estimate + reach,
        "effect_size": float(size * factor),
        "effect_name": name,
        "effect_ci_low": low * unit * factor,
        "effect_ci_high": high * unit * factor,
        "method": _name(sample, equal_variances),
    }


def _name(sample: Sample, equal_variances: bool) -> str:
    if sample.one_sample and sample.within:
        return "paired t test"
    if sample.one_sample:
        return "one-sample t test"
    return "Student t test" if equal_variances else "Welch t test"
