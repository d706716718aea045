"""Valence and arousal: how far the course agrees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.benchmark.tasks.base import Floats, Missing, Task, labelled_rows, pick

__all__ = ["AffectTask"]

_TARGETS = ("valence", "arousal")


@dataclass(frozen=True)
class AffectTask(Task):
    """Concordance, correlation, error and sign agreement over all frames.

    Notes
    -----
    Concordance (Lin, 1989, https://doi.org/10.2307/2532051):
    2 s_xy / (s_x² + s_y² + (x̄ − ȳ)²), with moments over all frames of all recordings together
    (population moments). A lost face counted as an error is predicted as 0, neutral.
    """

    @property
    def groups(self) -> tuple[str, ...]:
        """Feature groups the task needs."""
        return ("va",)

    def names(self) -> list[tuple[str, str]]:
        """Concordance, Pearson correlation, root mean square error, share of equal signs."""
        return [(metric, target) for metric in ("ccc", "r", "rmse", "sagr") for target in _TARGETS]

    def labelled(self, table: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Rows with valence and arousal."""
        return labelled_rows(table, ["true_valence", "true_arousal"])

    @property
    def n_sums(self) -> int:
        """Numbers a row adds."""
        return 14

    def contributions(self, table: pd.DataFrame, missing: Missing) -> Floats:
        """Give n, x, y, x², y², xy and equal signs for each of the two."""
        truth = pick(table, ["true_valence", "true_arousal"])
        said = pick(table, list(_TARGETS))
        if missing == "as errors":
            said = np.where(np.isfinite(said), said, 0.0)
        same = (np.sign(truth) == np.sign(said)).astype(np.float64)
        parts = (np.ones_like(truth), truth, said, truth**2, said**2, truth * said, same)
        return np.concatenate(parts, axis=1)

    def statistic(self, sums: Floats) -> Floats:
        """From sums (…, 14) to scores (…, 8)."""
        n, x, y, xx, yy, xy, same = np.split(sums, 7, axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mx, my = x / n, y / n
            vx, vy, cov = xx / n - mx**2, yy / n - my**2, xy / n - mx * my
            ccc = 2 * cov / (vx + vy + (mx - my) ** 2)
            r = cov / np.sqrt(vx * vy)
            rmse = np.sqrt(np.maximum(xx + yy - 2 * xy, 0.0) / n)
            return np.concatenate([ccc, r, rmse, same / n], axis=-1)
