"""Courses as functions: principal components and analysis of variance on arrays.

scikit-fda has both, but its release 0.10.1 does not import with the current version of one of its
dependencies (multimethod 2) and brings some 300 MB of others (numba, SymPy). What is needed here is
a singular value decomposition and a permutation test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from facemt_analysis.checks import check_number, check_option, check_whole
from facemt_analysis.errors import FexError
from facemt_analysis.stats.cluster_designs import Groups, Repeated

__all__ = [
    "FunctionalAnovaArrays",
    "FunctionalComponents",
    "Smoothing",
    "fpca_array",
    "functional_anova_array",
    "smooth_courses",
]

Floats = NDArray[np.float64]
Smoothing = float | Literal["gcv"] | None


@dataclass(frozen=True, eq=False)
class FunctionalComponents:
    """Functional principal components.

    Parameters
    ----------
    mean
        Mean course, shape (times,).
    components
        Eigenfunctions, shape (components, times): the integral of each squared is 1, of the product
        of two 0; the value furthest from 0 is positive.
    scores
        Shape (courses, components); course ≈ mean + scores · components.
    variance
        Of the scores.
    explained
        Share of the variance of the courses.
    """

    mean: Floats
    components: Floats
    scores: Floats
    variance: Floats
    explained: Floats


@dataclass(frozen=True, eq=False)
class FunctionalAnovaArrays:
    """A functional analysis of variance.

    Parameters
    ----------
    statistic
        Integrated mean square between, by that of the error.
    p
        Share of the rearrangements, the observed one among them, with a statistic as large.
    eta_squared
        Integrated sum of squares between, by that plus the error (partial eta squared).
    df
        Effect, error (at each time).
    null_distribution
        Statistic of every rearrangement, the observed one first.
    exact
        Whether all rearrangements were made.
    """

    statistic: float
    p: float
    eta_squared: float
    df: tuple[float, float]
    null_distribution: Floats
    exact: bool


def smooth_courses(values: ArrayLike, time: ArrayLike, smoothing: Smoothing = "gcv") -> Floats:
    r"""Make courses smooth functions without gaps.

    Parameters
    ----------
    values
        Shape (…, times); NaN: missing. Gaps are bridged by straight lines; before the first and
        after the last value a course stays as it is there.
    time
        Seconds, shape (times,).
    smoothing
        Penalty λ of a cubic smoothing spline, Σ(y − f)² + λ∫f″² dt; ``"gcv"``: the same for all
        courses, by generalised cross-validation over all of them; None: no smoothing.

    Returns
    -------
    ndarray
        Same shape.

    Raises
    ------
    FexError
        If a course has fewer than 5 values.

    Notes
    -----
    Natural splines with a knot at every time (that of scipy.interpolate.make_smoothing_spline),
    computed for all courses at once in the basis of Demmler & Reinsch. Green & Silverman (1994),
    https://doi.org/10.1201/b15710, sections 2.3 and 3.3.
    """
    out = np.array(values, dtype=np.float64)
    seconds = np.asarray(time, dtype=np.float64)
    courses = out.reshape(-1, out.shape[-1])
    fewest = int((~np.isnan(courses)).sum(axis=1).min())
    if fewest < 5:
        raise FexError(f"A course needs at least 5 values, but one has {fewest}.")
    _trapezoids(seconds)  # times increase
    for course in courses:
        there = ~np.isnan(course)
        course[:] = np.interp(seconds, seconds[there], course[there])
    if smoothing is None:
        return out
    roughness, basis = _demmler_reinsch(seconds)
    weights = courses @ basis
    penalty = _cross_validated(weights, roughness) if smoothing == "gcv" else float(smoothing)
    smooth: Floats = (weights / (1 + penalty * roughness)) @ basis.T
    return smooth.reshape(out.shape)


def _demmler_reinsch(time: Floats) -> tuple[Floats, Floats]:
    """Roughness ∫f″² of orthonormal vectors that penalised smoothing only shrinks, and they."""
    h, n = np.diff(time), len(time)
    second = np.zeros((n - 2, n))
    row = np.arange(n - 2)
    second[row, row], second[row, row + 2] = 1 / h[:-1], 1 / h[1:]
    second[row, row + 1] = -1 / h[:-1] - 1 / h[1:]
    bands = np.zeros((2, n - 2))
    bands[0, 1:], bands[1] = h[1:-1] / 6, (h[:-1] + h[1:]) / 3
    roughness, basis = linalg.eigh(second.T @ linalg.solveh_banded(bands, second))
    return np.maximum(roughness, 0.0), basis


def _cross_validated(weights: Floats, roughness: Floats) -> float:
    """Penalty with the least sum over courses of n Σ residual² / (n − degrees of freedom)²."""
    bent = roughness[2:]  # straight lines are not penalised
    candidates = np.geomspace(1e-3 / bent.max(), 1e3 / bent.min(), 200)
    shrunk = candidates[:, None] * bent
    shrunk /= 1 + shrunk
    squares = np.square(weights[:, 2:]).sum(axis=0)
    score = (shrunk**2 @ squares) / shrunk.sum(axis=1) ** 2
    return float(candidates[score.argmin()])


def fpca_array(
    data: ArrayLike, time: ArrayLike | None = None, *, n_components: int | None = None
) -> FunctionalComponents:
    r"""Find the main ways in which courses differ from their mean.

    Parameters
    ----------
    data
        Courses, shape (courses, times), without NaN; see :func:`smooth_courses`.
    time
        Seconds; default 0, 1, 2 …
    n_components
        How many; default all there are (courses − 1, at most).

    Returns
    -------
    FunctionalComponents

    Raises
    ------
    FexError
        If there are fewer than 2 courses, they have NaN, or do not differ.

    Notes
    -----
    Singular value decomposition of the centred courses, weighted by the square root of the
    trapezoidal weights of the times, so that components are orthonormal as functions (∫fg dt) also
    at uneven times. Ramsay & Silverman (2005), https://doi.org/10.1007/b98888, chapter 8.

    Examples
    --------
    >>> t = np.linspace(0, 1, 50)
    >>> courses = np.outer([-1, 0, 1], np.sin(np.pi * t)) + t
    >>> found = fpca_array(courses, t, n_components=1)
    >>> found.explained.round(3).tolist(), found.scores[:, 0].round(2).tolist()
    ([1.0], [-0.71, 0.0, 0.71])
    """
    courses = np.array(data, dtype=np.float64)
    if courses.ndim != 2 or len(courses) < 2 or not np.isfinite(courses).all():
        raise FexError(
            "`data` must hold 2 courses or more, shape (courses, times), without missing values; "
            "smooth_courses fills them."
        )
    seconds = np.asarray(np.arange(courses.shape[1]) if time is None else time, dtype=np.float64)
    root = np.sqrt(_trapezoids(seconds))
    mean = courses.mean(axis=0)
    u, s, v = np.linalg.svd((courses - mean) * root, full_matrices=False)
    total = float((s**2).sum())
    if total <= 1e-20 * float((courses**2).sum()):
        raise FexError("The courses are all the same: there are no components.")
    most = min(len(courses) - 1, len(s))
    k = most if n_components is None else min(check_whole("n_components", n_components, 1), most)
    components = v[:k] / root
    peak = np.abs(components).argmax(axis=1)
    sign = np.sign(components[np.arange(k), peak])
    return FunctionalComponents(
        mean=mean,
        components=components * sign[:, None],
        scores=u[:, :k] * s[:k] * sign,
        variance=s[:k] ** 2 / (len(courses) - 1),
        explained=s[:k] ** 2 / total,
    )


def functional_anova_array(
    data: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    time: ArrayLike | None = None,
    n_permutations: int = 5000,
    seed: int | None = 0,
) -> FunctionalAnovaArrays:
    r"""Test whether mean courses of groups or conditions differ anywhere, as one question.

    Parameters
    ----------
    data
        Courses without NaN: (subjects, conditions, times), or with `groups` (subjects, times).
    groups
        Number of the group of each subject, from 0.
    time
        Seconds; default equal steps.
    n_permutations, seed
        Random rearrangements: of the group labels, or of the conditions inside each subject. All of
        them if there are no more than that.

    Returns
    -------
    FunctionalAnovaArrays

    Raises
    ------
    FexError
        If shapes do not fit, values are missing, a group has fewer than 2 subjects, or nothing
        varies.

    Notes
    -----
    :math:`F = \frac{\int SS_{between}\,dt / df_1}{\int SS_{error}\,dt / df_2}` with the sums of
    squares of the one-way or repeated-measures analysis at each time (Shen & Faraway, 2004, Stat.
    Sinica 14, 1239–1257), and p by permutation of whole courses: autocorrelation does not matter.
    It answers if, not when; :func:`cluster_permutation` says more about when.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> courses = rng.normal(size=(20, 40)).cumsum(axis=1)
    >>> courses[10:] += np.linspace(0, 20, 40)
    >>> functional_anova_array(courses, np.arange(20) // 10, n_permutations=499).p < 0.01
    True
    """
    courses = np.array(data, dtype=np.float64)
    if courses.ndim != (3 if groups is None else 2) or not np.isfinite(courses).all():
        raise FexError(
            "`data` must have the shape (subjects, conditions, times), or with `groups` (subjects, "
            "times), without missing values."
        )
    seconds = np.asarray(np.arange(courses.shape[-1]) if time is None else time, dtype=np.float64)
    weights = _trapezoids(seconds)
    n_permutations = check_whole("n_permutations", n_permutations, 1)
    design: Groups | Repeated
    if groups is None:
        if len(courses) < 2 or courses.shape[1] < 2:
            raise FexError("At least 2 subjects and 2 conditions are needed.")
        design = Repeated(courses[:, :, None])
        x = design.filled.reshape(-1, courses.shape[-1])
        size = np.full(courses.shape[1], len(courses))
    else:
        code = np.asarray(groups).astype(np.intp)
        size = np.bincount(code)
        if code.shape != (len(courses),) or len(size) < 2 or size.min() < 2:
            raise FexError("`groups` must give at least 2 groups of at least 2 subjects each.")
        design = Groups(courses[:, None], code)
        x = design.filled[:, 0]
    design.choose(n_permutations, seed, "greater")
    labels = design.labels.reshape(len(design.labels), -1)
    total = float((np.square(x) @ weights).sum())
    if total <= 0:
        raise FexError("Nothing varies: all courses are the same.")
    between = np.zeros(len(labels))
    for g, n in enumerate(size):
        between += np.square((labels == g).astype(np.float64) @ x) @ weights / n
    df = float(design.df[0]), float(design.df[1])
    error = np.maximum(total - between, 1e-15 * total)
    null = between / df[0] / (error / df[1])
    return FunctionalAnovaArrays(
        statistic=float(null[0]),
        p=float(np.mean(null >= null[0] * (1 - 1e-9))),
        eta_squared=float(between[0] / total),
        df=df,
        null_distribution=null,
        exact=design.exact,
    )


def check_smoothing(smoothing: object) -> Smoothing:
    """Validate the smoothing of :func:`smooth_courses`."""
    if smoothing is None or smoothing == "gcv":
        return "gcv" if smoothing else None
    if isinstance(smoothing, str):
        check_option("smoothing", smoothing, ("gcv", None))
    return check_number("smoothing", smoothing, 0)


def _trapezoids(time: Floats) -> Floats:
    """Weights that make a sum an integral by the trapezoidal rule."""
    steps = np.diff(time)
    if len(time) < 2 or not (steps > 0).all():
        raise FexError("`time` must have at least 2 values and increase.")
    weights = np.zeros(len(time))
    weights[:-1] += steps / 2
    weights[1:] += steps / 2
    return weights
