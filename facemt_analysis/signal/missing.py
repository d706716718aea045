"""Columns that are missing in the same rows: worked on together, they cost one pass."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["Columns", "by_missing"]

Columns = slice | NDArray[np.intp]
"""Which columns: all of them as a slice (a view), or their positions."""


def by_missing(values: NDArray[np.float64]) -> Iterator[tuple[Columns, NDArray[np.bool_]]]:
    """Go through groups of columns whose values are missing in the same rows.

    Parameters
    ----------
    values
        Shape (n, c).

    Yields
    ------
    columns, valid
        Positions of the columns, and which rows have a value in them, shape (n,).
    """
    missing = np.isnan(values)
    packed = np.ascontiguousarray(np.packbits(missing, axis=0).T)
    same: dict[bytes, list[int]] = {}
    for j, bits in enumerate(packed):
        same.setdefault(bits.tobytes(), []).append(j)
    for positions in same.values():
        every = len(positions) == values.shape[1]
        valid = ~missing[:, positions[0]]
        yield slice(None) if every else np.array(positions, dtype=np.intp), valid
