"""Landmarks: how far points are from where people marked them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.benchmark.tasks.base import Floats, Missing, Task, means, pick

__all__ = ["LandmarkTask"]

FAILURE = 0.1


@dataclass(frozen=True)
class LandmarkTask(Task):
    """Normalised mean error of landmarks, its failure rate and the area under its curve.

    Parameters
    ----------
    points
        Landmarks compared, as pairs: column number of the truth (``true_x_<i>``) and of the
        prediction (``x_<j>``).
    corners
        The two points of the truth whose distance is the unit.

    Notes
    -----
    NME: mean distance over the points, over the distance of the corners. Failure rate: share of
    faces with an NME above 0.1; AUC: area under the cumulative curve of the NME from 0 to 0.1, over
    0.1 (Sagonas et al., 2016, https://doi.org/10.1016/j.imavis.2016.01.002). A lost face counted as
    an error has an NME of 1.
    """

    points: tuple[tuple[int, int], ...]
    corners: tuple[int, int]

    @property
    def groups(self) -> tuple[str, ...]:
        """Feature groups the task needs."""
        return ("landmarks",)

    def names(self) -> list[tuple[str, str]]:
        """NME, failure rate, area under the curve."""
        return [("nme", "landmarks"), ("failure_rate", "landmarks"), ("auc", "landmarks")]

    def labelled(self, table: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Rows with all points marked."""
        return np.asarray(np.isfinite(self._truth(table)).all(axis=(1, 2)))

    @property
    def n_sums(self) -> int:
        """Numbers a row adds."""
        return 4

    def contributions(self, table: pd.DataFrame, missing: Missing) -> Floats:
        """Give 1, the NME, whether it is a failure, and what it adds to the curve's area."""
        truth = self._truth(table)
        wanted = [j for _, j in self.points]
        said = np.stack([pick(table, [f"{axis}_{j}" for j in wanted]) for axis in "xy"], axis=-1)
        ends = [np.stack([pick(table, [f"true_{a}_{i}"])[:, 0] for a in "xy"], axis=-1)
                for i in self.corners]  # fmt: skip
        unit = np.linalg.norm(ends[0] - ends[1], axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            nme = np.linalg.norm(truth - said, axis=2).mean(axis=1) / unit
        if missing == "as errors":
            nme = np.where(np.isfinite(nme), nme, 1.0)
        area = np.maximum(0.0, 1 - nme / FAILURE)
        return np.column_stack([np.ones(len(table)), nme, nme > FAILURE, area])

    def statistic(self, sums: Floats) -> Floats:
        """From sums (…, 4) to means (…, 3)."""
        return means(sums)

    def _truth(self, table: pd.DataFrame) -> Floats:
        marked = [i for i, _ in self.points]
        return np.stack([pick(table, [f"true_{a}_{i}" for i in marked]) for a in "xy"], axis=-1)
