r"""Restricted maximum likelihood of linear mixed models, profiled as in lme4.

With :math:`V = \sigma^2 (I + Z\Lambda\Lambda'Z')` everything but the relative factor
:math:`\Lambda(\theta)` has a closed form (Bates et al., 2015, doi:10.18637/jss.v067.i01), and
needs cross products only, whatever the number of rows. statsmodels' own optimiser stops short of
the optimum, or fails, where variances are near 0, which is usual with few people; it is given this
one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

__all__ = ["Reml", "Term", "fit_reml"]

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_START = 0.7
_RESTARTS = 10


@dataclass(frozen=True, eq=False)
class Term:
    """A random effect.

    Parameters
    ----------
    name
        What it is.
    columns
        Shape (n, k): within each block, coefficients are k columns.
    full
        Whether all k (k + 1)/2 variances and covariances are free; else the k columns are
        independent with one variance.
    """

    name: str
    columns: Floats
    full: bool

    @property
    def n_parameters(self) -> int:
        """Free numbers of the relative factor."""
        k = self.columns.shape[1]
        return k * (k + 1) // 2 if self.full else 1

    def factor(self, theta: Floats) -> Floats:
        """Lower triangular factor (k, k) of the relative covariance."""
        k = self.columns.shape[1]
        if not self.full:
            return np.asarray(np.eye(k) * theta[0], dtype=np.float64)
        out = np.zeros((k, k))
        out[np.tril_indices(k)] = theta
        return out


@dataclass(frozen=True, eq=False)
class Reml:
    """A fit.

    Parameters
    ----------
    beta, covariance
        Fixed effects and their covariance.
    scale
        Residual variance.
    random
        Name of a term → covariance of its coefficients.
    variance
        Of single rows, all parts together, averaged over the rows.
    residuals
        What fixed and (predicted) random effects leave, shape (n,).
    deviance
        −2 log (restricted) likelihood.
    converged
        Whether the optimiser says so.
    singular
        Whether a variance is 0, or a correlation ±1.
    """

    beta: Floats
    covariance: Floats
    scale: float
    random: dict[str, Floats]
    variance: float
    residuals: Floats
    deviance: float
    converged: bool
    singular: bool


def fit_reml(
    y: Floats, x: Floats, terms: Sequence[Term], blocks: Codes, *, reml: bool = True
) -> Reml:
    """Fit.

    Parameters
    ----------
    y
        Shape (n,).
    x
        Fixed effects (n, p), of full rank.
    terms
        Random effects.
    blocks
        Rows of different blocks are independent; shape (n,). Coefficients of a term are different
        ones in every block.
    reml
        Restricted maximum likelihood, else maximum likelihood.

    Examples
    --------
    >>> y = np.array([1.0, 2.0, 4.0, 5.0, 2.0, 3.5])
    >>> who = np.repeat([0, 1, 2], 2)
    >>> fit = fit_reml(y, np.ones((6, 1)), [Term("who", np.ones((6, 1)), True)], who)
    >>> round(float(fit.beta[0]), 3), round(fit.scale, 3)
    (2.917, 0.708)
    """
    z = np.hstack([term.columns for term in terms])
    names, code = np.unique(blocks, return_inverse=True)
    wide = np.column_stack([x, y])
    n, p, b, q = len(y), x.shape[1], len(names), z.shape[1]
    total = wide.T @ wide
    zz, zw = np.empty((b, q, q)), np.empty((b, q, p + 1))
    order = np.argsort(code, kind="stable")
    ends = np.cumsum(np.bincount(code))
    for i, rows in enumerate(np.split(order, ends[:-1])):
        zz[i], zw[i] = z[rows].T @ z[rows], z[rows].T @ wide[rows]
    cuts = np.cumsum([term.n_parameters for term in terms])[:-1]
    free = n - p if reml else n

    def relative(theta: Floats) -> list[Floats]:
        parts = np.split(theta, cuts)
        return [term.factor(part) for term, part in zip(terms, parts, strict=True)]

    def solved(theta: Floats) -> tuple[float, Floats, Floats, float]:
        """Log determinant of V/σ², X'V⁻¹X·σ², β, and the residual sum of squares."""
        factor = linalg.block_diag(*relative(theta))
        inner = np.eye(q) + factor.T @ zz @ factor
        half = factor.T @ zw
        products = total - np.einsum("bij,bik->jk", half, np.linalg.solve(inner, half))
        info = products[:p, :p]
        beta = linalg.solve(info, products[:p, p], assume_a="pos")
        rss = float(products[p, p] - products[:p, p] @ beta)
        return float(np.linalg.slogdet(inner)[1].sum()), info, beta, rss

    def deviance(theta: Floats) -> float:
        log_v, info, _, rss = solved(theta)
        out = log_v + free * (1 + float(np.log(2 * np.pi * max(rss, 1e-300) / free)))
        return out + float(np.linalg.slogdet(info)[1]) if reml else out

    theta, value, converged = _minimise(deviance, terms)
    _, info, beta, rss = solved(theta)
    scale = rss / free
    factors = relative(theta)
    whole = linalg.block_diag(*factors)
    spread = float(np.einsum("bij,ji->", zz, whole @ whole.T)) / n
    inside = np.eye(q) + whole.T @ zz @ whole
    rest = zw[:, :, p] - zw[:, :, :p] @ beta
    effects = np.linalg.solve(inside, (rest @ whole)[..., None])[..., 0] @ whole.T
    residuals = y - x @ beta - np.einsum("nq,nq->n", z, effects[code])
    random = {t.name: scale * f @ f.T for t, f in zip(terms, factors, strict=True)}
    singular = any(np.abs(np.diag(f)).min() < 1e-4 for f in factors)
    return Reml(
        beta, scale * linalg.inv(info), scale, random, scale * (1 + spread), residuals, value,
        converged, singular,
    )  # fmt: skip


def _minimise(
    deviance: Callable[[Floats], float], terms: Sequence[Term]
) -> tuple[Floats, float, bool]:
    """Descend until nothing beside is lower; diagonals of factors are not negative."""
    diagonal = np.concatenate(
        [
            np.equal(*np.tril_indices(t.columns.shape[1])) if t.full else np.array([True])
            for t in terms
        ]
    )
    lower = np.where(diagonal, 0.0, -np.inf)
    bounds = [(low, np.inf) for low in lower]

    def descend(start: Floats) -> tuple[Floats, float]:
        found = optimize.minimize(
            deviance, start, method="L-BFGS-B", bounds=bounds,
            options={"ftol": 1e-13, "gtol": 1e-7, "maxiter": 500},
        )  # fmt: skip
        return np.asarray(found.x), float(found.fun)

    theta, value = descend(np.where(diagonal, _START, 0.0))
    for _ in range(_RESTARTS):
        # 0 is a stationary point of every factor: look beside it whether it is a minimum
        beside = [
            np.maximum(theta + sign * step * e, lower)
            for e in np.eye(len(theta))
            for step in (0.2, 0.02)
            for sign in (1, -1)
        ]
        near = min(beside, key=deviance)
        if deviance(near) > value - 1e-6:
            return theta, value, bool(np.isfinite(value))
        theta, value = descend(near)
    return theta, value, False
