"""Dynamic time warping of two multivariate courses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from facemt_analysis.checks import check_number, check_option
from facemt_analysis.errors import FexError

__all__ = ["DtwResult", "dtw"]

Floats = NDArray[np.float64]
StepPattern = Literal["symmetric2", "symmetric1"]
Metric = Literal["euclidean", "sqeuclidean"]


@dataclass(frozen=True, eq=False)
class DtwResult:
    """How two courses align.

    Parameters
    ----------
    distance
        Sum of the weighted local distances along the path; its root for squared distances.
    normalized_distance
        `distance` per point: divided by n + m (``"symmetric2"``) or the length of the path.
    path
        Pairs of points, shape (steps, 2): first of `a`, then of `b`, from (0, 0) to (n − 1, m − 1).
    """

    distance: float
    normalized_distance: float
    path: NDArray[np.intp]

    @property
    def lag(self) -> float:
        """Median of how many points `b` is behind `a` along the path."""
        return float(np.median(self.path[:, 1] - self.path[:, 0]))


def dtw(
    a: ArrayLike,
    b: ArrayLike,
    *,
    band: float | None = None,
    step_pattern: StepPattern = "symmetric2",
    metric: Metric = "euclidean",
    standardize: bool = False,
) -> DtwResult:
    r"""Align two courses by stretching time.

    Parameters
    ----------
    a, b
        Shape (n,) or (n, features), and (m,) or (m, features); no NaN.
    band
        Sakoe–Chiba band: how many points of `b` the path may be away from the straight line from
        start to end. None: no limit.
    step_pattern
        ``"symmetric2"``: a diagonal step counts twice, so that all paths weigh n + m and distances
        of pairs can be compared; ``"symmetric1"``: each step counts once.
    metric
        Local distance of two points over the features: Euclidean, or its square (`distance` is then
        the root of the sum).
    standardize
        Give every feature of each course mean 0 and SD 1 first.

    Returns
    -------
    DtwResult

    Raises
    ------
    FexError
        If a course is empty, has NaN, or the features differ in number; with `standardize` if one
        is constant.
    OptionError
        If an option is out of its range.

    Notes
    -----
    Cumulated costs are computed anti-diagonal by anti-diagonal, each at once: no compiled
    extension is needed. Sakoe & Chiba (1978), https://doi.org/10.1109/TASSP.1978.1163055.

    Examples
    --------
    >>> found = dtw([0, 0, 1, 2, 1, 0], [0, 1, 2, 1, 0, 0])
    >>> found.distance, found.path[:3].tolist()
    (0.0, [[0, 0], [1, 0], [2, 1]])
    """
    check_option("step_pattern", step_pattern, ("symmetric2", "symmetric1"))
    check_option("metric", metric, ("euclidean", "sqeuclidean"))
    x, y = _points("a", a, standardize=standardize), _points("b", b, standardize=standardize)
    if x.shape[1] != y.shape[1]:
        raise FexError(
            f"`a` and `b` must have the same features, but have {x.shape[1]} and {y.shape[1]}."
        )
    n, m = len(x), len(y)
    local = cdist(x, y, metric)
    if band is not None:
        width = check_number("band", band, 0)
        line = np.linspace(0, m - 1, n) if n > 1 else np.array([m - 1.0])
        # without a corridor as wide as a step of the line no path would be left
        width = max(width, (m - 1) / max(n - 1, 1) if n != m else 0.0)
        local[np.abs(np.arange(m) - line[:, None]) > width + 1e-9] = np.inf
    diagonal = 2.0 if step_pattern == "symmetric2" else 1.0
    total = _cumulated(local, diagonal)
    path = _path(total, local, diagonal)
    distance = float(total[-1, -1])
    if metric == "sqeuclidean":
        distance = float(np.sqrt(distance))
    return DtwResult(distance, distance / (n + m if diagonal == 2.0 else len(path)), path)


def _points(name: str, values: ArrayLike, *, standardize: bool) -> Floats:
    points = np.array(values, dtype=np.float64)
    if points.ndim == 1:
        points = points[:, None]
    if points.ndim != 2 or not points.size:
        raise FexError(f"`{name}` must have the shape (times,) or (times, features).")
    if not np.isfinite(points).all():
        raise FexError(f"`{name}` has missing values; fill them first (fex.signal.interpolate).")
    if standardize:
        sd = points.std(axis=0)
        if not (sd > 0).all():
            raise FexError(f"`{name}` has a constant feature, which cannot be standardised.")
        points = (points - points.mean(axis=0)) / sd
    return points


def _cumulated(local: Floats, diagonal: float) -> Floats:
    """Cheapest way from the start to every pair of points."""
    n, m = local.shape
    # a border of infinity: every cell has three neighbours
    total = np.full((n + 1, m + 1), np.inf)
    total[1, 1] = local[0, 0]
    flat, cost = total.ravel(), local.ravel()
    for d in range(1, n + m - 1):  # cells (i, d − i), m apart in the bordered array
        i = np.arange(max(0, d - m + 1), min(n, d + 1))
        here = (i + 1) * (m + 1) + d - i + 1
        step = cost[i * m + d - i]
        best = np.minimum(flat[here - 1], flat[here - m - 1])
        best += step
        np.minimum(best, flat[here - m - 2] + diagonal * step, out=best)
        flat[here] = best
    return total[1:, 1:]


def _path(total: Floats, local: Floats, diagonal: float) -> NDArray[np.intp]:
    """Cheapest path, from the end back; diagonal steps where several are as cheap."""
    i, j = total.shape[0] - 1, total.shape[1] - 1
    path = [(i, j)]
    while i or j:
        step = local[i, j]
        ways = [
            (total[i - 1, j - 1] + diagonal * step, i - 1, j - 1) if i and j else (np.inf, i, j),
            (total[i - 1, j] + step, i - 1, j) if i else (np.inf, i, j),
            (total[i, j - 1] + step, i, j - 1) if j else (np.inf, i, j),
        ]
        cheapest = min(way[0] for way in ways)
        little = 1e-12 * (1 + abs(cheapest))
        _, i, j = next(way for way in ways if way[0] <= cheapest + little)
        path.append((i, j))
    return np.array(path[::-1], dtype=np.intp)
