"""Head pose: how far the head is said to be turned from where it was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.benchmark.tasks.base import Floats, Missing, Task, means, pick

__all__ = ["PoseTask"]

_AXES = ("Yaw", "Pitch", "Roll")


@dataclass(frozen=True)
class PoseTask(Task):
    """Mean absolute errors of yaw, pitch and roll in degrees, and their mean.

    Parameters
    ----------
    limit
        Heads turned further than this about any axis, in degrees, are not scored.

    Notes
    -----
    Truth is in rad with the signs of a Fex; the data set brings its own to these. A lost face
    counted as an error is taken to look straight ahead.
    """

    limit: float = 99.0

    @property
    def groups(self) -> tuple[str, ...]:
        """Feature groups the task needs."""
        return ("poses",)

    def names(self) -> list[tuple[str, str]]:
        """Mean absolute error of all axes and of each."""
        return [("mae", "poses"), *(("mae", axis) for axis in _AXES)]

    def labelled(self, table: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Rows with a pose within the limit."""
        truth = pick(table, [f"true_{axis}" for axis in _AXES])
        with np.errstate(invalid="ignore"):
            return np.asarray((np.abs(truth) <= np.radians(self.limit)).all(axis=1))

    @property
    def n_sums(self) -> int:
        """Numbers a row adds."""
        return 4

    def contributions(self, table: pd.DataFrame, missing: Missing) -> Floats:
        """Give 1 and the three absolute errors."""
        truth = pick(table, [f"true_{axis}" for axis in _AXES])
        said = pick(table, list(_AXES))
        if missing == "as errors":
            said = np.where(np.isfinite(said), said, 0.0)
        apart = np.abs((truth - said + np.pi) % (2 * np.pi) - np.pi)
        return np.column_stack([np.ones(len(table)), np.degrees(apart)])

    def statistic(self, sums: Floats) -> Floats:
        """From sums (…, 4) to means (…, 4)."""
        each = means(sums)
        return np.concatenate([each.mean(axis=-1, keepdims=True), each], axis=-1)
