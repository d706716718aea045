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
    n_columns = values.shape[1]
    same: dict[bytes, list[int]] = {}
    valid_of: dict[bytes, NDArray[np.bool_]] = {}
    for j in range(n_columns):
        valid = ~np.isnan(values[:, j])
        key = np.packbits(valid).tobytes()
        same.setdefault(key, []).append(j)
        valid_of.setdefault(key, valid)
    for key, positions in same.items():
        every = len(positions) == n_columns
        yield slice(None) if every else np.array(positions, dtype=np.intp), valid_of[key]
