"""Gaze: the angle between where people looked and where they are said to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.benchmark.tasks.base import Floats, Missing, Task, labelled_rows, means, pick

__all__ = ["GazeTask", "gaze_vectors"]


def gaze_vectors(pitch: npt.ArrayLike, yaw: npt.ArrayLike) -> Floats:
    """Turn angles into unit vectors (n, 3): x to the subject's right, y up, z straight ahead.

    >>> gaze_vectors([0.0], [0.0]).tolist()
    [[0.0, 0.0, 1.0]]
    """
    p, y = np.asarray(pitch, np.float64), np.asarray(yaw, np.float64)
    return np.stack([np.sin(y) * np.cos(p), np.sin(p), np.cos(y) * np.cos(p)], axis=-1)


@dataclass(frozen=True)
class GazeTask(Task):
    """Mean angular error in degrees.

    Notes
    -----
    Truth and prediction are ``gaze_pitch`` (+ up) and ``gaze_yaw`` (+ to the subject's right), rad,
    in the same frame; the data set brings its own to these signs. A lost face counted as an error
    is taken to look straight ahead.
    """

    @property
    def groups(self) -> tuple[str, ...]:
        """Feature groups the task needs."""
        return ("gazes",)

    def names(self) -> list[tuple[str, str]]:
        """Mean angular error and mean absolute errors of pitch and yaw, degrees."""
        return [("angular_error", "gaze"), ("mae", "gaze_pitch"), ("mae", "gaze_yaw")]

    def labelled(self, table: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Rows with a direction."""
        return labelled_rows(table, ["true_gaze_pitch", "true_gaze_yaw"])

    @property
    def n_sums(self) -> int:
        """Numbers a row adds."""
        return 4

    def contributions(self, table: pd.DataFrame, missing: Missing) -> Floats:
        """Give 1 and the three errors."""
        truth = pick(table, ["true_gaze_pitch", "true_gaze_yaw"])
        said = pick(table, ["gaze_pitch", "gaze_yaw"])
        if missing == "as errors":
            said = np.where(np.isfinite(said), said, 0.0)
        a, b = gaze_vectors(*truth.T), gaze_vectors(*said.T)
        # more exact than arccos near 0
        angle = 2 * np.arctan2(np.linalg.norm(a - b, axis=1), np.linalg.norm(a + b, axis=1))
        apart = np.abs(truth - said)
        apart[:, 1] = np.abs((apart[:, 1] + np.pi) % (2 * np.pi) - np.pi)
        return np.column_stack([np.ones(len(table)), np.degrees(angle), np.degrees(apart)])

    def statistic(self, sums: Floats) -> Floats:
        """From sums (…, 4) to means (…, 3)."""
        return means(sums)

    def details(self, table: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """Give the mean error of each subject (``subjects``), whose mean some papers report."""
        rows = table[self.labelled(table) & table["found"].to_numpy(np.bool_)]
        errors = self.contributions(rows, "left out")[:, 1]
        grouped = pd.Series(errors).groupby(rows["subject"].to_numpy(), observed=True)
        each = grouped.agg(["mean", "size"]).reset_index()
        each.columns = pd.Index(["subject", "angular_error", "n_samples"])
        return {"subjects": each}
