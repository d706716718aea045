"""Runs of neighbouring points above a threshold, of many courses at once."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Tail", "find_clusters", "largest_mass", "tfce"]

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
Tail = Literal["two-sided", "greater", "less"]

_SIGNS: dict[str, tuple[float, ...]] = {
    "two-sided": (1.0, -1.0),
    "greater": (1.0,),
    "less": (-1.0,),
}


def _run_starts(points: Positions, n_times: int) -> Positions:
    """Where in a sorted list of flat positions a run begins; no run goes over the end of a row."""
    new = np.ones(len(points), dtype=np.bool_)
    np.not_equal(points[1:] - points[:-1], 1, out=new[1:])
    new |= points % n_times == 0
    return np.flatnonzero(new)


def find_clusters(
    statistic: Floats, threshold: float, tail: Tail = "two-sided"
) -> tuple[Positions, Positions, Positions, Floats]:
    """Find the clusters of every course: neighbouring points of one sign beyond the threshold.

    Parameters
    ----------
    statistic
        One course per row, shape (rows, times). NaN is in no cluster and parts its neighbours.
    threshold
        Positive; points beyond it (not at it) count.
    tail
        Which side: both, only above `threshold`, only below −`threshold`.

    Returns
    -------
    row, start, stop : ndarray of int
        Course, first point and the point behind the last, shape (clusters,), in order of row and
        start.
    mass : ndarray of float
        Sum of the statistic over the cluster, with its sign (Maris & Oostenveld, 2007).

    Examples
    --------
    >>> row, start, stop, mass = find_clusters(np.array([[0.0, 3, 3, -4, 0]]), 2.0)
    >>> start.tolist(), stop.tolist(), mass.tolist()
    ([1, 3], [3, 4], [6.0, -4.0])
    """
    n_times = statistic.shape[1]
    flat = statistic.ravel()
    begins, ends, masses = [], [], []
    for sign in _SIGNS[tail]:
        points = np.flatnonzero(flat * sign > threshold)
        if len(points):
            at = _run_starts(points, n_times)
            begins.append(points[at])
            ends.append(points[np.append(at[1:], len(points)) - 1] + 1)
            masses.append(np.add.reduceat(flat[points], at))
    if not begins:
        none = np.empty(0, dtype=np.intp)
        return none, none, none, np.empty(0)
    start, stop, mass = np.concatenate(begins), np.concatenate(ends), np.concatenate(masses)
    order = np.argsort(start, kind="stable")
    row = start[order] // n_times
    return row, start[order] - row * n_times, stop[order] - row * n_times, mass[order]


def largest_mass(statistic: Floats, threshold: float, tail: Tail = "two-sided") -> Floats:
    """Give the largest absolute cluster mass of every course, 0 without a cluster; shape (rows,).

    >>> largest_mass(np.array([[0.0, 3, 3, -4, 0], [0, 0, 0, 0, 1]]), 2.0).tolist()
    [6.0, 0.0]
    """
    n_rows, n_times = statistic.shape
    flat = statistic.ravel()
    largest = np.zeros(n_rows)
    for sign in _SIGNS[tail]:
        beyond = flat > threshold if sign > 0 else flat < -threshold
        points = np.flatnonzero(beyond)
        if len(points):
            at = _run_starts(points, n_times)
            mass = np.abs(np.add.reduceat(flat[points], at))
            np.maximum.at(largest, points[at] // n_times, mass)
    return largest


def tfce(
    statistic: Floats,
    tail: Tail = "two-sided",
    *,
    step: float = 0.1,
    extent_power: float = 0.5,
    height_power: float = 2.0,
) -> Floats:
    r"""Threshold-free cluster enhancement of every course.

    Parameters
    ----------
    statistic
        One course per row, shape (rows, times); NaN parts its neighbours and stays NaN.
    tail
        Sides that are enhanced; points of the other side get 0.
    step
        Between the heights, in units of the statistic.
    extent_power, height_power
        E and H.

    Returns
    -------
    ndarray
        Shape (rows, times), with the sign of the statistic.

    Notes
    -----
    :math:`\sum_{h = \Delta, 2\Delta, \dots} e(h)^E h^H \Delta` over the heights h below the
    statistic at the point, e(h) the number of points in the cluster above h that holds it. E = 0.5
    and H = 2 as in Smith & Nichols (2009), https://doi.org/10.1016/j.neuroimage.2008.03.061.

    Examples
    --------
    >>> tfce(np.array([[0.0, 2.5, 1.5]]), step=1.0).round(3).tolist()
    [[0.0, 5.414, 1.414]]
    """
    n_times = statistic.shape[1]
    flat = statistic.ravel()
    enhanced = np.where(np.isnan(flat), np.nan, 0.0)
    for sign in _SIGNS[tail]:
        height, level = step, 1
        points = np.flatnonzero(flat > height if sign > 0 else flat < -height)
        values = np.abs(flat[points])
        while len(points):
            at = _run_starts(points, n_times)
            extent = np.diff(np.append(at, len(points)))
            enhanced[points] += np.repeat(
                (sign * step * height**height_power) * extent**extent_power, extent
            )
            level += 1
            height = level * step  # no sum of steps: rounding would move the last height
            still = values > height
            points, values = points[still], values[still]
    return enhanced.reshape(statistic.shape)
