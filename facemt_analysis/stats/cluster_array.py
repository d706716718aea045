"""Cluster-based permutation tests on arrays: the engine of :func:`cluster_permutation`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facemt_analysis.checks import check_number, check_option, check_whole
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats.cluster_designs import Groups, Permuter, Repeated, Signs, TwoGroups
from facemt_analysis.stats.cluster_runs import Tail, find_clusters, largest_mass, tfce

__all__ = ["ClusterArrays", "ClusterMethod", "cluster_permutation_array"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Positions = NDArray[np.intp]
ClusterMethod = Literal["mass", "tfce"]

_BLOCK = 1 << 18  # numbers in a block: it stays in the cache, and memory is the same for any n
_TIES = 1e-9  # rearrangements that give the same statistic differ by rounding only


@dataclass(frozen=True, eq=False)
class ClusterArrays:
    """What a cluster-based permutation test found, as arrays.

    Parameters
    ----------
    statistic
        t or F of every feature at every time, shape (features, times); NaN: not tested.
    statistic_name
        ``"t"`` or ``"F"``.
    feature, start, stop
        Of every cluster: number of the feature, first point, point behind the last.
    mass
        Of every cluster: sum of the statistic, or of the enhanced statistic.
    p
        Of every cluster: share of the rearrangements, the observed one among them, whose largest
        cluster over all features is at least as large; with TFCE the smallest p of its points.
    p_values
        Shape (features, times). Mass: the p of the cluster a point is in, NaN elsewhere; TFCE: the
        p of the point.
    null_distribution
        Largest statistic (cluster mass, or enhanced value) of every rearrangement, over all
        features; the first one is the observed one.
    enhanced
        With TFCE the enhanced statistic, shape (features, times), else None.
    threshold
        That forms clusters; NaN with TFCE.
    n_at
        Subjects with data, in the smallest cell, shape (features, times).
    exact
        Whether all rearrangements were made.
    """

    statistic: Floats
    statistic_name: str
    feature: Positions
    start: Positions
    stop: Positions
    mass: Floats
    p: Floats
    p_values: Floats
    null_distribution: Floats
    enhanced: Floats | None
    threshold: float
    n_at: Positions
    exact: bool

    def masks(self) -> Bools:
        """Which times each cluster holds, shape (clusters, times)."""
        times = np.arange(self.statistic.shape[1])
        return (times >= self.start[:, None]) & (times < self.stop[:, None])


def cluster_permutation_array(
    data: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    n_permutations: int = 5000,
    method: ClusterMethod = "mass",
    threshold: float | None = None,
    tail: Tail = "two-sided",
    equal_var: bool = False,
    min_subjects: int | None = None,
    tfce_step: float = 0.1,
    alpha: float = 0.05,
    seed: int | None = 0,
    n_jobs: int = 1,
) -> ClusterArrays:
    r"""Test courses of many subjects at all times at once, by permutation of whole courses.

    Parameters
    ----------
    data
        One course per subject and feature. What is tested follows from the shape:

        - (subjects, features, times): the mean against 0, by flipping signs (t);
        - the same with `groups`: groups of subjects against each other, by exchanging their labels
          (two: t, second minus first; more: one-way F);
        - (subjects, conditions, features, times): conditions within subjects, by exchanging them
          inside each subject (two: t of the difference, second minus first; more:
          repeated-measures F).
    groups
        Number of the group of each subject, from 0.
    n_permutations
        Random rearrangements. If the design has no more than that, all of them are made instead,
        and p is exact.
    method
        ``"mass"``: sum of the statistic over neighbouring points beyond `threshold`; ``"tfce"``:
        threshold-free cluster enhancement (E 0.5, H 2).
    threshold
        That forms clusters; by default the value of the statistic with parametric p = 0.05
        (two-sided, or on the side of `tail`).
    tail
        ``"two-sided"``, ``"greater"`` or ``"less"``; F has only ``"greater"``, whatever is said.
    equal_var
        Two groups: pooled variances (Student) instead of Welch's t.
    min_subjects
        A point is tested if that many subjects have data there (in each group); by default half of
        the smallest group, at least 2. A point where the statistic is undefined, because nothing
        varies, is not tested either.
    tfce_step
        Between heights, in units of the statistic.
    alpha
        With TFCE: stretches of points with p up to this become the rows of the result.
    seed
        Of the random rearrangements. p does not depend on `n_jobs`.
    n_jobs
        Threads.

    Returns
    -------
    ClusterArrays

    Raises
    ------
    FexError
        If there are fewer than 2 subjects (in a group), or no point can be tested.
    OptionError
        If an option is out of its range.

    Notes
    -----
    The largest cluster over all times **and features** of each rearrangement makes the null
    distribution, so that the chance of any false cluster in the whole family is at most the level
    (Nichols & Holmes, 2002, https://doi.org/10.1002/hbm.1058). p = (1 + number of random
    rearrangements at least as extreme) / (1 + their number), never 0 (Phipson & Smyth, 2010,
    https://doi.org/10.2202/1544-6115.1585). What is tested is that courses are exchangeable; that a
    cluster begins or ends at a certain moment is not (Sassenhagen & Draschkow, 2019,
    https://doi.org/10.1111/psyp.13335).

    Missing values: a subject counts at the points where it has data (in all conditions), and its
    gaps move with its label.

    References
    ----------
    Maris & Oostenveld (2007), https://doi.org/10.1016/j.jneumeth.2007.03.024; Smith & Nichols
    (2009), https://doi.org/10.1016/j.neuroimage.2008.03.061.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> differences = rng.normal(size=(12, 1, 50))
    >>> differences[:, 0, 20:30] += 2
    >>> found = cluster_permutation_array(differences, n_permutations=500, seed=1)
    >>> best = found.p.argmin()
    >>> int(found.start[best]), int(found.stop[best]), bool(found.p[best] < 0.01)
    (20, 30, True)
    """
    check_option("method", method, ("mass", "tfce"))
    check_option("tail", tail, ("two-sided", "greater", "less"))
    n_permutations = check_whole("n_permutations", n_permutations, 1)
    n_jobs = check_whole("n_jobs", n_jobs, 1)
    alpha = check_number("alpha", alpha, 0, 1, open_low=True, open_high=True)
    tfce_step = check_number("tfce_step", tfce_step, 0, open_low=True)
    design = _design(data, groups, equal_var=equal_var)
    side: Tail = tail if design.statistic_name == "t" else "greater"
    cut = design.cutoff(0.05, side) if threshold is None else threshold
    cut = check_number("threshold", cut, 0, open_low=True)

    n_at = design.n_at
    least = _least(design, min_subjects)
    n_features, n_times = n_at.shape
    design.choose(n_permutations, seed, side)
    observed = np.concatenate([design.statistic(design.labels[:1], f) for f in range(n_features)])
    tested = (n_at >= least) & ~np.isnan(observed)
    if not tested.any():
        raise FexError(
            f"No point of time can be tested: nowhere do {least} subjects (in each group) have "
            "data that vary. Check for features that are empty or constant, or set `min_subjects`."
        )
    observed[~tested] = np.nan

    def score(labels: NDArray[np.int8], feature: int) -> Floats:
        values = design.statistic(labels, feature)
        values[:, ~tested[feature]] = np.nan
        if method == "mass":
            return largest_mass(values, cut, side)
        enhanced = np.abs(tfce(values, side, step=tfce_step))
        largest: Floats = np.nanmax(enhanced, axis=1, initial=0.0)
        return largest

    null = _null(design, score, n_features, n_times, n_jobs)
    enhanced = tfce(observed, side, step=tfce_step) if method == "tfce" else None
    p_values = np.full(observed.shape, np.nan)
    if enhanced is None:
        feature, start, stop, mass = find_clusters(observed, cut, side)
        p = _p(np.abs(mass), null)
        for row in range(len(p)):
            p_values[feature[row], start[row] : stop[row]] = p[row]
    else:
        p_values[tested] = _p(np.abs(enhanced[tested]), null)
        signed = np.where(p_values <= alpha, np.sign(enhanced), 0.0)  # NaN is not below
        feature, start, stop, _ = find_clusters(signed, 0.5, side)
        spans = [(f, slice(a, b)) for f, a, b in zip(feature, start, stop, strict=True)]
        mass = np.array([enhanced[span].sum() for span in spans])
        p = np.array([p_values[span].min() for span in spans])
        cut = np.nan
    return ClusterArrays(
        statistic=observed, statistic_name=design.statistic_name, feature=feature, start=start,
        stop=stop, mass=mass, p=p, p_values=p_values, null_distribution=null, enhanced=enhanced,
        threshold=cut, n_at=n_at, exact=design.exact,
    )  # fmt: skip


def _design(data: ArrayLike, groups: ArrayLike | None, *, equal_var: bool) -> Permuter:
    courses = np.array(data, dtype=np.float64)
    if courses.ndim != (3 if groups is not None else max(3, min(courses.ndim, 4))):
        raise FexError(
            "`data` must have the shape (subjects, features, times), or (subjects, conditions, "
            f"features, times) and no `groups`, but got {courses.shape}."
        )
    if not courses.size or np.isinf(courses).any():
        raise FexError("`data` must hold numbers or NaN, but it is empty or has infinite values.")
    sizes: Sequence[int] = [len(courses)]
    code = np.zeros(0, dtype=np.intp)
    if groups is not None:
        code = np.asarray(groups).astype(np.intp)
        if code.shape != (len(courses),) or code.min() < 0:
            raise FexError(
                f"`groups` must number the {len(courses)} subjects' groups from 0, but got "
                f"{code.shape} values."
            )
        sizes = np.bincount(code).tolist()
        if len(sizes) < 2:
            raise FexError("`groups` must hold at least 2 groups, but got 1.")
    if min(sizes) < 2:
        where = "" if groups is None else " in every group"
        raise FexError(f"At least 2 subjects are needed{where}, but got {min(sizes)}.")
    if groups is not None:
        return (
            TwoGroups(courses, code == 1, equal_var=equal_var)
            if len(sizes) == 2
            else Groups(courses, code)
        )
    if courses.ndim == 3:
        return Signs(courses)
    if courses.shape[1] < 2:
        raise FexError("`data` must have at least 2 conditions, but got 1.")
    return Signs(courses[:, 1] - courses[:, 0]) if courses.shape[1] == 2 else Repeated(courses)


def _least(design: Permuter, min_subjects: int | None) -> int:
    if min_subjects is None:
        return max(2, -(-design.smallest // 2))
    least = check_whole("min_subjects", min_subjects, 2)
    if least > design.smallest:
        raise OptionError(
            f"`min_subjects` must be at most {design.smallest}, the subjects there are (in the "
            f"smallest group), but got {least}."
        )
    return least


def _null(
    design: Permuter,
    score: Callable[[NDArray[np.int8], int], Floats],
    n_features: int,
    n_times: int,
    n_jobs: int,
) -> Floats:
    """Largest score over features of every rearrangement, block by block."""
    rows = max(1, _BLOCK // n_times)
    blocks = [design.labels[i : i + rows] for i in range(0, len(design.labels), rows)]

    def largest(block: NDArray[np.int8]) -> Floats:
        best = np.zeros(len(block))
        for feature in range(n_features):
            np.maximum(best, score(block, feature), out=best)
        return best

    if n_jobs == 1:
        return np.concatenate([largest(block) for block in blocks])
    with ThreadPoolExecutor(n_jobs) as pool:  # NumPy lets go of the interpreter in its loops
        return np.concatenate(list(pool.map(largest, blocks)))


def _p(values: Floats, null: Floats) -> Floats:
    """Share of the null distribution that is at least as large."""
    ordered = np.sort(null)
    at_least = len(ordered) - np.searchsorted(ordered, values * (1 - _TIES), side="left")
    return np.asarray(at_least / len(ordered), dtype=np.float64)
