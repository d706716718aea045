"""Recurrence quantification: how often and how orderly courses come back to the same states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from facemt_analysis.checks import check_number, check_option, check_whole
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats.drawing import draw

__all__ = ["RecurrenceResult", "recurrence_quantification"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Norm = Literal["euclidean", "chebyshev", "cityblock"]


@dataclass(frozen=True, eq=False)
class RecurrenceResult:
    """Recurrence of a course with itself, or of two courses with each other.

    Parameters
    ----------
    table
        One row: ``recurrence_rate`` (share of all pairs of times that are in the same state),
        ``determinism`` (share of recurrent points in diagonal lines), ``mean_line``,
        ``longest_line`` and ``entropy`` (nats) of the lengths of diagonal lines, ``laminarity``
        (share in vertical lines), ``trapping_time`` (mean length of vertical lines), ``radius``,
        ``n_points``.
    matrix
        Recurrent pairs: time in `a` (rows), time in `b` (columns).
    lags, profile
        Points by which `b` is behind `a`, and the share of recurrent points on that diagonal: the
        diagonal-wise cross-recurrence profile.
    """

    table: pd.DataFrame
    matrix: Bools
    lags: NDArray[np.intp]
    profile: Floats

    def plot(self, **options: Any) -> Any:
        """Draw it: :func:`facemt_analysis.plotting.plot_recurrence`."""
        return draw("plot_recurrence", self, **options)


def recurrence_quantification(
    a: ArrayLike,
    b: ArrayLike | None = None,
    *,
    recurrence_rate: float | None = 0.05,
    radius: float | None = None,
    dimension: int = 1,
    delay: int = 1,
    theiler: int = 1,
    min_line: int = 2,
    max_lag: int | None = None,
    metric: Norm = "euclidean",
    standardize: bool = True,
) -> RecurrenceResult:
    r"""Quantify the recurrence of one course, or the cross-recurrence of two.

    Parameters
    ----------
    a, b
        Shape (times,) or (times, features); several features make multidimensional recurrence. No
        NaN. Without `b`: recurrence of `a` with itself.
    recurrence_rate
        Share of pairs that are to be recurrent; the radius follows. What is fixed cannot differ
        between people, so compare the other measures.
    radius
        States this far apart or less are the same, instead of `recurrence_rate`.
    dimension, delay
        Time-delay embedding: `dimension` points, `delay` apart, make a state.
    theiler
        Of one course: pairs of times less than this apart do not count (1: those of a time with
        itself).
    min_line
        Shortest diagonal or vertical line that counts, points.
    max_lag
        Of the profile, points; default all.
    metric
        Distance of states.
    standardize
        Give every feature mean 0 and SD 1 first.

    Returns
    -------
    RecurrenceResult

    Raises
    ------
    FexError
        If a course has NaN, a constant feature (with `standardize`), too few points for the
        embedding, or other features than the other one.
    OptionError
        If an option is out of its range.

    Notes
    -----
    With P(l) the number of diagonal lines of length l, determinism is Σ l P(l) over lines of at
    least `min_line`, divided by the number of recurrent points; entropy is that of P(l)/ΣP of those
    lines. Vertical lines are times of `b` at one time of `a`. Both triangles of one course count.

    References
    ----------
    Marwan et al. (2007), https://doi.org/10.1016/j.physrep.2006.11.001; Wallot et al. (2016),
    https://doi.org/10.3389/fpsyg.2016.01835; Wallot & Leonardi (2018),
    https://doi.org/10.3389/fpsyg.2018.02232.

    Examples
    --------
    >>> wave = np.sin(np.arange(200) * 2 * np.pi / 20)
    >>> found = recurrence_quantification(wave, radius=0.1, dimension=2, delay=5).table
    >>> found["determinism"].item(), found["longest_line"].item()
    (1.0, 175)
    """
    check_option("metric", metric, ("euclidean", "chebyshev", "cityblock"))
    min_line = check_whole("min_line", min_line, 2)
    shape = check_whole("dimension", dimension, 1), check_whole("delay", delay, 1)
    states = _states("a", a, *shape, standardize=standardize)
    others = states if b is None else _states("b", b, *shape, standardize=standardize)
    if states.shape[1] != others.shape[1]:
        raise FexError("`a` and `b` must have the same number of features.")
    distance = cdist(states, others, metric)
    n, m = distance.shape
    lag = np.arange(m) - np.arange(n)[:, None]
    counts = np.ones((n, m), dtype=np.bool_)
    if b is None:
        counts = np.abs(lag) >= check_whole("theiler", theiler, 0)
    if not counts.any():
        raise OptionError(
            f"`theiler` must be below {n}, the length of the course, but got {theiler}."
        )
    if radius is not None:
        radius = check_number("radius", radius, 0)
    elif recurrence_rate is None:
        raise OptionError("Say a `radius` or a `recurrence_rate`.")
    else:
        rate = check_number("recurrence_rate", recurrence_rate, 0, 1, open_low=True)
        radius = float(np.quantile(distance[counts], rate, method="inverted_cdf"))
    matrix: Bools = (distance <= radius) & counts
    n_recurrent = int(matrix.sum())
    along = _line_lengths(lag[matrix], np.nonzero(matrix)[0])
    upright = _line_lengths(*np.nonzero(matrix))
    diagonals, verticals = along[along >= min_line], upright[upright >= min_line]
    lags, profile = _profile(matrix, counts, lag, max_lag)
    row = {
        "recurrence_rate": n_recurrent / counts.sum(),
        "determinism": diagonals.sum() / n_recurrent if n_recurrent else np.nan,
        "mean_line": diagonals.mean() if len(diagonals) else np.nan,
        "longest_line": diagonals.max(initial=0),
        "entropy": _entropy(diagonals),
        "laminarity": verticals.sum() / n_recurrent if n_recurrent else np.nan,
        "trapping_time": verticals.mean() if len(verticals) else np.nan,
        "radius": radius,
        "n_points": n,
    }
    return RecurrenceResult(pd.DataFrame([row]), matrix, lags, profile)


def _states(
    name: str, values: ArrayLike, dimension: int, delay: int, *, standardize: bool
) -> Floats:
    points = np.array(values, dtype=np.float64)
    points = points[:, None] if points.ndim == 1 else points
    if points.ndim != 2 or not points.size:
        raise FexError(f"`{name}` must have the shape (times,) or (times, features).")
    if not np.isfinite(points).all():
        raise FexError(f"`{name}` has missing values; fill them first (fex.signal.interpolate).")
    if standardize:
        sd = points.std(axis=0)
        if not (sd > 0).all():
            raise FexError(f"`{name}` has a constant feature, which cannot be standardised.")
        points = (points - points.mean(axis=0)) / sd
    n = len(points) - (dimension - 1) * delay
    if n < 2:
        raise FexError(
            f"`{name}` has {len(points)} points, too few for dimension {dimension}, delay {delay}."
        )
    return np.hstack([points[i * delay : i * delay + n] for i in range(dimension)])


def _line_lengths(line: NDArray[np.intp], place: NDArray[np.intp]) -> NDArray[np.intp]:
    """Lengths of unbroken runs of places, line by line."""
    if not len(line):
        return np.zeros(0, dtype=np.intp)
    order = np.lexsort((place, line))
    line, place = line[order], place[order]
    new = np.ones(len(line), dtype=np.bool_)
    new[1:] = (np.diff(line) != 0) | (np.diff(place) != 1)
    starts = np.flatnonzero(new)
    return np.diff(np.append(starts, len(line)))


def _entropy(lengths: NDArray[np.intp]) -> float:
    if not len(lengths):
        return float("nan")
    p = np.unique(lengths, return_counts=True)[1] / len(lengths)
    return float(max(0.0, -(p * np.log(p)).sum()))


def _profile(
    matrix: Bools, counts: Bools, lag: NDArray[np.intp], max_lag: int | None
) -> tuple[NDArray[np.intp], Floats]:
    """Share of recurrent points on each diagonal; NaN where none counts."""
    n, m = matrix.shape
    shift = lag.ravel() + n - 1
    there = np.bincount(shift, counts.ravel(), minlength=n + m - 1)
    hits = np.bincount(shift, matrix.ravel(), minlength=n + m - 1)
    profile = np.divide(hits, there, out=np.full(n + m - 1, np.nan), where=there > 0)
    lags = np.arange(1 - n, m)
    if max_lag is not None:
        near = np.abs(lags) <= check_whole("max_lag", max_lag, 0)
        lags, profile = lags[near], profile[near]
    return lags, profile
