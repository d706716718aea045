"""Permutation t tests of many features at once: sign flips within, shuffled labels between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

__all__ = ["Permuted", "Permuter", "permuted_t"]

Floats = NDArray[np.float64]
_LIMIT = 2**24  # numbers in one block of permutations


@dataclass(frozen=True, eq=False)
class Permuted:
    """t statistics of a contrast, observed and permuted.

    Parameters
    ----------
    estimate, se, statistic
        Observed, shape (features,).
    null
        Statistics of the permutations, shape (permutations, features).
    exact
        Whether they are all there are, the observed one among them.
    scheme
        ``"sign-flip"`` or ``"label"``.
    """

    estimate: Floats
    se: Floats
    statistic: Floats
    null: Floats
    exact: bool
    scheme: str

    @cached_property
    def p(self) -> Floats:
        """Two-sided p values: b/m if exact, else (1 + b)/(1 + m); shape (features,)."""
        reached = (np.abs(self.null) >= np.abs(self.statistic) * (1 - 1e-9)).sum(axis=0)
        m = len(self.null)
        return np.asarray(reached / m if self.exact else (1 + reached) / (1 + m))

    def critical(self, level: float) -> Floats:
        """Value that the permuted |t| exceeds with a chance of 1 − level; shape (features,)."""
        return np.asarray(np.quantile(np.abs(self.null), level, axis=0, method="higher"))


class Permuter:
    """Permutations shared by the contrasts and features of one analysis.

    What two tests have in common (the same people flipped, the same groups shuffled), they permute
    in the same way, so that max-T knows how they depend on each other.

    Parameters
    ----------
    n_subjects
        People in the analysis.
    n_permutations
        Drawn at random; all of them are taken instead if there are no more than that.
    seed
        Of the random numbers.
    allow_exact
        False: always draw.
    """

    def __init__(
        self, n_subjects: int, n_permutations: int, seed: int, *, allow_exact: bool = True
    ) -> None:
        self.n_subjects = n_subjects
        self.n_permutations = n_permutations
        self.allow_exact = allow_exact
        self._rng = np.random.default_rng(seed)
        self._signs: Floats | None = None
        self._shuffles: dict[bytes, tuple[list[Floats], bool]] = {}

    def signs(self, who: NDArray[np.intp]) -> tuple[Floats, bool]:
        """Signs (permutations, people) of these people, and whether they are all there are."""
        n = len(who)
        if self.allow_exact and n <= 62 and 2**n <= self.n_permutations:
            bits = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
            return (1.0 - 2.0 * bits).astype(np.float64), True
        if self._signs is None:
            shape = (self.n_permutations, self.n_subjects)
            flips = self._rng.integers(0, 2, shape, dtype=np.int8)
            self._signs = flips.astype(np.float64) * 2 - 1
        return self._signs[:, who], False

    def memberships(self, who: NDArray[np.intp], sizes: Sequence[int]) -> tuple[list[Floats], bool]:
        """Who belongs to each group: one (permutations, people) array of 0 and 1 per group."""
        key = np.array([*who, -1, *sizes]).tobytes()
        if key not in self._shuffles:
            self._shuffles[key] = self._shuffled(len(who), sizes)
        return self._shuffles[key]

    def _shuffled(self, n: int, sizes: Sequence[int]) -> tuple[list[Floats], bool]:
        if self.allow_exact and len(sizes) == 2 and comb(n, sizes[0]) <= self.n_permutations:
            chosen = np.array(list(combinations(range(n), sizes[0])))
            first = np.zeros((len(chosen), n))
            np.put_along_axis(first, chosen, 1.0, axis=1)
            return [first, 1.0 - first], True
        order = self._rng.random((self.n_permutations, n)).argsort(axis=1)
        place = np.empty_like(order)
        np.put_along_axis(place, order, np.arange(n)[None, :], axis=1)
        ends = np.cumsum(sizes)
        return [
            ((place >= end - size) & (place < end)).astype(np.float64)
            for size, end in zip(sizes, ends, strict=True)
        ], False


def permuted_t(
    values: Floats, group: NDArray[np.intp], weights: Floats, who: NDArray[np.intp],
    permuter: Permuter,
) -> Permuted:  # fmt: skip
    r"""Observed and permuted t statistics of a contrast.

    Parameters
    ----------
    values
        Shape (people, features): means of subjects or differences within them; NaN where a cell is
        missing.
    group
        Group of each, shape (people,).
    weights
        Weight of each group. Of one sign: the signs of differences are flipped (they are as likely
        up as down); of both signs: people change groups (the groups have one distribution).
    who
        Which of the analysis's people these are, shape (people,).
    permuter
        Where permutations come from.

    Returns
    -------
    Permuted

    Notes
    -----
    The statistic is studentised (Welch), so that the test of means stays valid for unequal
    variances in large samples (Chung & Romano, 2013, doi:10.1214/13-AOS1090).
    """
    labels = np.flatnonzero(weights)
    involved = np.isin(group, labels)
    values, group, who = values[involved], group[involved], who[involved]
    there = ~np.isnan(values)
    filled = np.where(there, values, 0.0)
    w = weights[labels]
    own = [(group == g).astype(np.float64)[None, :] for g in labels]
    estimate, se = _welch(own, own, filled, there, w)
    if (weights > 0).any() and (weights < 0).any():
        members, exact = permuter.memberships(who, [int(o.sum()) for o in own])
        scheme = "label"
        blocks = [(m, m) for m in members]
    else:
        signs, exact = permuter.signs(who)
        scheme = "sign-flip"
        blocks = [(signs * o, o) for o in own]
    n = max(len(m) for m, _ in blocks)
    step = max(1, _LIMIT // max(values.shape[0] + 4 * values.shape[1], 1))
    null = np.empty((n, values.shape[1]))
    for start in range(0, n, step):
        part = slice(start, start + step)
        e, s = _welch(
            [m[part] for m, _ in blocks],
            [u[part] if len(u) > 1 else u for _, u in blocks],
            filled, there, w,
        )  # fmt: skip
        null[part] = _ratio(e, s)
    return Permuted(estimate[0], se[0], _ratio(estimate, se)[0], null, exact, scheme)


def _welch(
    signed: Sequence[Floats], member: Sequence[Floats], filled: Floats, there: NDArray[np.bool_],
    weights: Floats,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Estimate and standard error (permutations, features) by moments of each group."""
    estimate = np.zeros((1, filled.shape[1]))
    variance = np.zeros((1, filled.shape[1]))
    squares, mask = filled**2, there.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        for s, m, w in zip(signed, member, weights, strict=True):
            n = m @ mask
            mean = (s @ filled) / n
            spread = np.maximum(m @ squares - n * mean**2, 0.0) / (n - 1)
            # what is left of equal values by rounding is no spread
            spread[spread <= 1e-14 * (m @ squares) / n] = 0.0
            estimate = estimate + w * mean
            variance = variance + w**2 * spread / n
        return estimate, np.sqrt(variance)


def _ratio(estimate: Floats, se: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        t = estimate / se
    # groups too small for a variance count as extreme; no difference as none
    return np.where(np.isnan(t), np.where(estimate == 0, 0.0, np.inf), t)
