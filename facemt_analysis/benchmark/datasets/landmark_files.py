"""What the landmark benchmarks share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["around", "point_columns"]


def point_columns(points: npt.NDArray[np.float64]) -> dict[str, float]:
    """Name points (k, 2) px as a Fex does: ``x_0 … y_0 …``."""
    return {f"{a}_{i}": float(p[k]) for k, a in enumerate("xy") for i, p in enumerate(points)}


def around(points: npt.NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Box around points (k, 2)."""
    (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
    return float(x1), float(y1), float(x2), float(y2)
