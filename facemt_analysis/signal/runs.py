"""Stretches of neighbouring rows for which something holds: events, bouts, gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Runs", "find_runs"]

Positions = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Runs:
    """Stretches of neighbouring rows for which something holds.

    Parameters
    ----------
    start, stop
        Positions of the first row and behind the last, shape (m,).
    """

    start: Positions
    stop: Positions

    def __len__(self) -> int:
        return len(self.start)


def find_runs(holds: NDArray[Any], breaks: NDArray[np.bool_]) -> Runs:
    """Find stretches of equal, non-zero values that no border cuts.

    Parameters
    ----------
    holds
        Booleans, or whole numbers of which each non-zero one makes its own runs; shape (n,).
    breaks
        Rows that begin something new, shape (n,): no run goes on over them.

    Returns
    -------
    Runs
        In order.

    Examples
    --------
    >>> runs = find_runs(np.array([0, 1, 1, 1, 0, 1]), np.array([1, 0, 0, 1, 0, 0], bool))
    >>> runs.start.tolist(), runs.stop.tolist()
    ([1, 3, 5], [3, 4, 6])
    """
    values = np.asarray(holds)
    n = len(values)
    if not n:
        empty = np.empty(0, dtype=np.intp)
        return Runs(empty, empty)
    begins = np.ones(n, dtype=np.bool_)
    begins[1:] = (values[1:] != values[:-1]) | breaks[1:]
    start = np.flatnonzero(begins)
    stop = np.append(start[1:], n)
    keep = values[start] != 0
    return Runs(start[keep].astype(np.intp), stop[keep].astype(np.intp))
