"""Rearrangements of a design and the statistic of many of them at once.

What is exchangeable under the null hypothesis is the label of a subject's course: its sign (one
sample, or the difference of two conditions), its group, or the order of its conditions. All
statistics follow from sums over rearranged courses, so a matrix product gives them for many
rearrangements and all points of time; sums of squares that no rearrangement changes are computed
once.
"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from facemt_analysis.stats.cluster_runs import Tail

__all__ = ["Groups", "Permuter", "Repeated", "Signs", "TwoGroups"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Positions = NDArray[np.intp]
Labels = NDArray[np.int8]

_EPS = 16 * np.finfo(np.float64).eps


class Permuter(ABC):
    """A design: its rearrangements and its statistic.

    Parameters
    ----------
    observed
        The arrangement of labels that was observed.
    n_at
        Subjects with data, in the smallest cell, shape (features, times).
    smallest
        Subjects in the smallest cell.
    df
        Degrees of freedom of the statistic with all subjects: (error,) of t, (effect, error) of F.
    """

    labels: Labels
    """One row per rearrangement, the observed one first; set by :meth:`choose`."""
    exact: bool
    """Whether :attr:`labels` holds every rearrangement."""

    def __init__(
        self, observed: Labels, n_at: Positions, smallest: int, df: tuple[float, ...]
    ) -> None:
        self.observed = observed
        self.n_at = n_at
        self.smallest = smallest
        self.df = df

    @property
    def statistic_name(self) -> str:
        """``"t"`` or ``"F"``."""
        return "t" if len(self.df) == 1 else "F"

    def choose(self, n_permutations: int, seed: int | None, tail: Tail) -> None:
        """Set :attr:`labels`: every rearrangement if they are few, else random ones."""
        self.exact = self._possible(tail) <= n_permutations + 1
        if self.exact:
            self.labels = self._every(tail)
        else:
            drawn = self._draw(n_permutations, np.random.default_rng(seed))
            self.labels = np.concatenate([self.observed[None], drawn])

    def cutoff(self, p: float, tail: Tail) -> float:
        """Value of the statistic, with all subjects, whose parametric p is the one given."""
        if len(self.df) == 2:
            return float(stats.f.isf(p, *self.df))
        return float(stats.t.isf(p / (2 if tail == "two-sided" else 1), *self.df))

    @abstractmethod
    def statistic(self, labels: Labels, feature: int) -> Floats:
        """Statistic of one feature, shape (rearrangements, times); NaN where it is undefined."""

    @abstractmethod
    def _possible(self, tail: Tail) -> int:
        """Count the different rearrangements, the observed one included."""

    @abstractmethod
    def _every(self, tail: Tail) -> Labels:
        """All rearrangements, the observed one first."""

    def _draw(self, n: int, rng: np.random.Generator) -> Labels:
        """Draw random rearrangements: labels change place (within subjects, if they are theirs)."""
        many = np.tile(self.observed, (n, *np.ones(self.observed.ndim, dtype=np.intp)))
        return rng.permuted(many, axis=-1)


class Signs(Permuter):
    """One sample against 0, or two conditions in the same subjects: t over sign flips."""

    def __init__(self, data: Floats) -> None:
        there = ~np.isnan(data)
        super().__init__(np.ones(len(data), np.int8), _count(there), len(data), (len(data) - 1,))
        self.filled = np.where(there, data, 0.0)

    def statistic(self, labels: Labels, feature: int) -> Floats:
        """Give t = S / √(n (Σx² − S²/n) / (n − 1)) from the sum S; no flip changes Σx²."""
        x, n = self.filled[:, feature], self.n_at[feature]
        squares = np.einsum("it,it->t", x, x)
        with np.errstate(invalid="ignore", divide="ignore"):
            total: Floats = labels.astype(np.float64) @ x
            spread = np.square(total)
            spread /= -n
            spread += squares
            np.maximum(spread, _EPS * squares, out=spread)
            spread *= n / (n - 1)
            np.sqrt(spread, out=spread)
            np.divide(total, spread, out=total)
        return total

    def _possible(self, tail: Tail) -> int:
        # flipping everybody changes no two-sided statistic, so half of the flips are enough
        return int(2 ** (len(self.observed) - (tail == "two-sided")))

    def _every(self, tail: Tail) -> Labels:
        n = len(self.observed)
        free = n - (tail == "two-sided")
        bits = (np.arange(2**free)[:, None] >> np.arange(free)) & 1
        signs = np.ones((2**free, n), dtype=np.int8)
        signs[:, n - free :] -= (2 * bits).astype(np.int8)
        return signs

    def _draw(self, n: int, rng: np.random.Generator) -> Labels:
        return 1 - 2 * rng.integers(0, 2, (n, len(self.observed)), dtype=np.int8)


class TwoGroups(Permuter):
    """Two groups of subjects: t (Welch's or with pooled variances) over exchanged labels."""

    def __init__(self, data: Floats, second: Bools, *, equal_var: bool) -> None:
        self.equal_var = equal_var
        self.there = ~np.isnan(data)
        # sums of squares keep their digits if the common mean is taken off first
        self.filled = _centred(data, self.there)
        n_at = np.minimum(_count(self.there[second]), _count(self.there[~second]))
        smallest = int(min(second.sum(), (~second).sum()))
        super().__init__(second.astype(np.int8), n_at, smallest, (len(data) - 2,))

    def statistic(self, labels: Labels, feature: int) -> Floats:
        """Give t of the second group minus the first, from sums and sums of squares."""
        x, there = self.filled[:, feature], self.there[:, feature]
        weights = labels.astype(np.float64)
        all_n, all_sum, all_squares = there.sum(0), x.sum(0), (x * x).sum(0)
        n2 = _sizes(weights, there)
        n1 = all_n - n2
        with np.errstate(invalid="ignore", divide="ignore"):
            sum2 = weights @ x
            sum1 = all_sum - sum2
            mean1, mean2 = sum1 / n1, sum2 / n2
            floor = _EPS * all_squares
            if self.equal_var:
                within = np.maximum(all_squares - sum1 * mean1 - sum2 * mean2, floor)
                error = within / (all_n - 2) * (1 / n1 + 1 / n2)
            else:
                squares2 = weights @ (x * x)
                within1 = np.maximum(all_squares - squares2 - sum1 * mean1, floor)
                within2 = np.maximum(squares2 - sum2 * mean2, floor)
                error = within1 / (n1 * (n1 - 1)) + within2 / (n2 * (n2 - 1))
            t: Floats = (mean2 - mean1) / np.sqrt(error)
        t[~np.isfinite(t)] = np.nan  # fewer than two subjects in a group
        return t

    def _possible(self, tail: Tail) -> int:  # noqa: ARG002
        return math.comb(len(self.observed), int(self.observed.sum()))

    def _every(self, tail: Tail) -> Labels:  # noqa: ARG002
        n = len(self.observed)
        chosen = np.array(list(itertools.combinations(range(n), int(self.observed.sum()))))
        labels = np.zeros((len(chosen), n), dtype=np.int8)
        np.put_along_axis(labels, chosen, 1, axis=1)
        return _observed_first(labels, self.observed)


class Groups(Permuter):
    """Several groups of subjects: one-way F over exchanged labels."""

    def __init__(self, data: Floats, group: Positions) -> None:
        sizes = np.bincount(group)
        self.there = ~np.isnan(data)
        self.filled = _centred(data, self.there)
        n_at = np.array([_count(self.there[group == g]) for g in range(len(sizes))]).min(0)
        df = (len(sizes) - 1, len(data) - len(sizes))
        super().__init__(group.astype(np.int8), n_at, int(sizes.min()), df)

    def statistic(self, labels: Labels, feature: int) -> Floats:
        """F from Σ S²/n over groups; no rearrangement changes Σx²."""
        x, there = self.filled[:, feature], self.there[:, feature]
        n, k = there.sum(0), int(self.df[0]) + 1
        mean_part = x.sum(0) ** 2 / np.maximum(n, 1)
        squares = np.einsum("it,it->t", x, x)
        between = np.zeros((len(labels), x.shape[1]))
        with np.errstate(invalid="ignore", divide="ignore"):
            for g in range(k):
                weights = (labels == g).astype(np.float64)
                between += np.square(weights @ x) / _sizes(weights, there)
            between -= mean_part
            within = np.maximum(squares - mean_part - between, _EPS * squares)
            f: Floats = between / within * ((n - k) / (k - 1))
        f[~np.isfinite(f)] = np.nan
        return f

    def _possible(self, tail: Tail) -> int:  # noqa: ARG002
        sizes = np.bincount(self.observed).tolist()
        return math.factorial(len(self.observed)) // math.prod(math.factorial(s) for s in sizes)

    def _every(self, tail: Tail) -> Labels:  # noqa: ARG002
        found = _arrangements(tuple(np.bincount(self.observed).tolist()))
        return _observed_first(np.array(found, dtype=np.int8), self.observed)


class Repeated(Permuter):
    """Several conditions in the same subjects: repeated-measures F over exchanged conditions.

    Courses are (subjects, conditions, features, times). A subject counts at a point only if all its
    conditions have data there.
    """

    def __init__(self, data: Floats) -> None:
        n, k = data.shape[:2]
        complete = np.asarray(~np.isnan(data).any(axis=1), dtype=np.bool_)
        # what a subject has in all conditions has no say: take its mean off
        self.filled = np.where(complete[:, None], data - data.mean(1, keepdims=True), 0.0)
        observed = np.tile(np.arange(k, dtype=np.int8), (n, 1))
        super().__init__(observed, _count(complete), n, (k - 1, (k - 1) * (n - 1)))

    def statistic(self, labels: Labels, feature: int) -> Floats:
        """F from Σ S²/n over conditions; no rearrangement changes conditions and error together."""
        n_subjects, k = self.observed.shape
        x, n = self.filled[:, :, feature].reshape(n_subjects * k, -1), self.n_at[feature]
        squares = np.einsum("it,it->t", x, x)
        effect = np.zeros((len(labels), x.shape[1]))
        with np.errstate(invalid="ignore", divide="ignore"):
            for c in range(k):
                weights = (labels == c).reshape(len(labels), -1).astype(np.float64)
                effect += np.square(weights @ x)
            effect /= n
            error = np.maximum(squares - effect, _EPS * squares)
            f: Floats = effect / error * (n - 1)
        f[~np.isfinite(f)] = np.nan
        return f

    def _possible(self, tail: Tail) -> int:  # noqa: ARG002
        # renaming the conditions of everybody alike changes no F
        n, k = self.observed.shape
        return int(math.factorial(k) ** (n - 1))

    def _every(self, tail: Tail) -> Labels:  # noqa: ARG002
        n, k = self.observed.shape
        orders = np.array(list(itertools.permutations(range(k))), dtype=np.int8)
        choices = itertools.product(range(len(orders)), repeat=n - 1)
        return np.array([orders[[0, *choice]] for choice in choices])


def _count(there: Bools) -> Positions:
    return np.asarray(there.sum(0), dtype=np.intp)


def _sizes(weights: Floats, there: Bools) -> Floats:
    """Subjects with data in a group: one number per rearrangement, or one per point as well."""
    return weights.sum(1)[:, None] if there.all() else weights @ there.astype(np.float64)


def _centred(data: Floats, there: NDArray[np.bool_]) -> Floats:
    """Take the mean over subjects off, and fill what is missing with 0."""
    filled = np.where(there, data, 0.0)
    mean = filled.sum(0) / np.maximum(there.sum(0), 1)
    return np.where(there, data - mean, 0.0)


def _observed_first(labels: Labels, observed: Labels) -> Labels:
    at = int(np.flatnonzero((labels == observed).all(1))[0])
    return np.concatenate([labels[at : at + 1], labels[:at], labels[at + 1 :]])


def _arrangements(sizes: tuple[int, ...]) -> list[list[int]]:
    """All ways to hand out labels 0, 1, … of which there are so many."""
    if not sum(sizes):
        return [[]]
    out = []
    for label, size in enumerate(sizes):
        if size:
            rest = (*sizes[:label], size - 1, *sizes[label + 1 :])
            out += [[label, *others] for others in _arrangements(rest)]
    return out
