r"""Analysis of variance of subjects × cells: between, within, mixed, balanced or not.

One engine for all designs. The cells within a subject are turned into orthonormal contrasts
(Helmert), one set per within effect; these are regressed on contrasts of the groups. Sums of
squares are of type III: every effect is tested as a contrast of unweighted means of cells, whatever
the group sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, stats

from facemt_analysis.errors import FexError
from facemt_analysis.stats.design import Factor
from facemt_analysis.stats.effect_sizes import eta_squared_interval

__all__ = ["ANOVA_COLUMNS", "Sphericity", "anova", "sphericity", "welch_anova"]

Floats = NDArray[np.float64]

ANOVA_COLUMNS = ("df_effect", "epsilon", "sphericity_w", "sphericity_p")
"""Columns that tables of F tests have in addition."""

Sphericity = Literal["greenhouse-geisser", "huynh-feldt", "none"]
"""How degrees of freedom within subjects are corrected."""

_SHORT = {"greenhouse-geisser": "Greenhouse–Geisser", "huynh-feldt": "Huynh–Feldt"}


def anova(
    values: Floats,
    group: NDArray[np.intp],
    between: Sequence[Factor],
    within: Sequence[Factor],
    *,
    correction: Sphericity = "greenhouse-geisser",
    level: float = 0.95,
) -> list[dict[str, Any]]:
    r"""Test all main effects and interactions.

    Parameters
    ----------
    values
        Subjects × cells (s, w), without NaN; cells are the combinations of the levels of `within`,
        the last factor fastest.
    group
        Combination of the levels of `between` of each subject, shape (s,).
    between, within
        The factors.
    correction
        Of the degrees of freedom of effects with more than one within contrast.
    level
        Of the interval of partial eta squared.

    Returns
    -------
    list of dict
        One per effect: columns of a tidy result and :data:`ANOVA_COLUMNS`: ``df_effect`` and ``df``
        (both times ε), ``epsilon`` (1 if nothing was corrected), Mauchly's W and its p.

    Raises
    ------
    FexError
        If a combination of groups is empty, or there are not more subjects than groups.

    Notes
    -----
    ε after Greenhouse & Geisser (1959, doi:10.1007/BF02289823), or Huynh & Feldt with Lecoutre's
    (1991, doi:10.3102/10769986016004371) correction, at most 1. Mauchly's p by Box's second-order
    approximation.
    """
    n_groups = int(np.prod([len(f.levels) for f in between], dtype=np.int64))
    sizes = np.bincount(group, minlength=n_groups)
    if (sizes == 0).any() or len(values) <= n_groups:
        raise FexError(
            f"An analysis of variance needs subjects in all {n_groups} groups and more subjects "
            f"than groups, but the groups have {sizes.tolist()}."
        )
    bases = {names: _basis(between, names) for names in _subsets(between)}
    design = np.concatenate([b[group] for b in bases.values()], axis=1)
    inverse = linalg.inv(design.T @ design)
    df_error = len(values) - n_groups
    rows = []
    for inner in _subsets(within):
        cells = _basis(within, inner)
        z = values @ cells
        k = z.shape[1]
        coefficients = inverse @ design.T @ z
        error = z - design @ coefficients
        e = error.T @ error
        if np.trace(e) <= 1e-24 * (z**2).sum():
            raise FexError(f"{':'.join(inner) or 'the mean'}: nothing varies to test effects by.")
        eps, mauchly_w, mauchly_p = sphericity(e, df_error, correction)
        at = 0
        for outer, basis in bases.items():
            block = slice(at, at + basis.shape[1])
            at += basis.shape[1]
            if not inner and not outer:
                continue
            b = coefficients[block]
            h = float(np.trace(b.T @ linalg.solve(inverse[block, block], b)))
            df1, df2 = float(basis.shape[1] * k), float(df_error * k)
            rows.append(
                _row(
                    ":".join([*outer, *inner]),
                    h / df1 / (np.trace(e) / df2),
                    df1,
                    df2,
                    eps,
                    level,
                    mauchly=(mauchly_w, mauchly_p),
                    design=_name(between, within),
                    correction=correction if k > 1 else "none",
                )
            )
    order = [":".join(names) for names in _subsets([*between, *within])]
    return sorted(rows, key=lambda row: order.index(row["contrast"]))


def sphericity(
    error: Floats, df: int, correction: Sphericity = "greenhouse-geisser"
) -> tuple[float, float, float]:
    """Correct for sphericity and test it.

    Parameters
    ----------
    error
        Sums of squares and products of orthonormal contrasts within subjects, shape (k, k).
    df
        Of the error: subjects minus groups.
    correction
        Which ε.

    Returns
    -------
    tuple of float
        ε, Mauchly's W and its p; for k = 1: 1, NaN, NaN. W is NaN where subjects are too few.

    Examples
    --------
    >>> [round(x, 3) for x in sphericity(np.diag([1.0, 4.0]), 10)]
    [0.735, 0.64, 0.134]
    """
    k = len(error)
    if k == 1:
        return 1.0, float("nan"), float("nan")
    trace = float(np.trace(error))
    gg = trace**2 / (k * float((error**2).sum()))
    eps = 1.0
    if correction == "greenhouse-geisser":
        eps = gg
    elif correction == "huynh-feldt":
        below = k * (df - k * gg)
        eps = min(((df + 1) * k * gg - 2) / below, 1.0) if below > 0 else 1.0
    if df < k:
        return eps, float("nan"), float("nan")
    w = float(linalg.det(error / (trace / k)))
    rho = 1 - (2 * k**2 + k + 2) / (6 * df * k)
    second: float = (k + 2) * (k - 1) * (k - 2) * (2 * k**3 + 6 * k**2 + 3 * k + 2)
    second /= 288 * (df * k * rho) ** 2
    chi = -df * rho * np.log(max(w, 1e-300))
    free = k * (k + 1) / 2 - 1
    p = stats.chi2.sf(chi, free)
    p += second * (stats.chi2.sf(chi, free + 4) - p)
    return eps, w, float(np.clip(p, 0, 1))


def welch_anova(
    values: Floats, group: NDArray[np.intp], name: str, *, level: float = 0.95
) -> dict[str, Any]:
    """One-way analysis of variance for unequal variances (Welch, 1951; by statsmodels).

    Parameters
    ----------
    values, group
        One value per subject, and the group it is in; shape (s,).
    name
        Of the factor.
    level
        Of the interval of partial eta squared.
    """
    from statsmodels.stats.oneway import anova_oneway

    done = anova_oneway(values, groups=group, use_var="unequal")
    row = _row(
        name, float(done.statistic), float(done.df_num), float(done.df_denom), 1.0, level,
        mauchly=(float("nan"), float("nan")), design="Welch one-way ANOVA", correction="none",
    )  # fmt: skip
    return row


def _row(
    term: str, f: float, df1: float, df2: float, eps: float, level: float, *,
    mauchly: tuple[float, float], design: str, correction: Sphericity,
) -> dict[str, Any]:  # fmt: skip
    size, low, high = eta_squared_interval(f, df1 * eps, df2 * eps, level)
    return {
        "contrast": term,
        "statistic": float(f),
        "statistic_name": "F",
        "df": df2 * eps,
        "df_effect": df1 * eps,
        "p": float(stats.f.sf(f, df1 * eps, df2 * eps)),
        "effect_size": size,
        "effect_name": "partial eta squared",
        "effect_ci_low": low,
        "effect_ci_high": high,
        "epsilon": eps,
        "sphericity_w": mauchly[0],
        "sphericity_p": mauchly[1],
        "method": design + (f", {_SHORT[correction]}" if correction in _SHORT else ""),
    }


def _name(between: Sequence[Factor], within: Sequence[Factor]) -> str:
    if between and within:
        return "mixed ANOVA, type III"
    if within:
        return "repeated-measures ANOVA"
    return "one-way ANOVA" if len(between) == 1 else "ANOVA between subjects, type III"


def _subsets(factors: Sequence[Factor]) -> list[tuple[str, ...]]:
    names = [f.name for f in factors]
    return list(chain.from_iterable(combinations(names, r) for r in range(len(names) + 1)))


def _basis(factors: Sequence[Factor], names: Sequence[str]) -> Floats:
    """Contrasts (combinations, k) of the levels of the named factors, means over the others."""
    out: Floats = np.ones((1, 1))
    for factor in factors:
        n = len(factor.levels)
        helmert: Floats = linalg.helmert(n).T if factor.name in names else np.full((n, 1), n**-0.5)
        out = np.asarray(np.kron(out, helmert), dtype=np.float64)
    return out
