"""What every task gives: scores with intervals, and the pictures behind them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.benchmark.bootstrap import Resampling, Statistic, interval, sums_by

__all__ = [
    "SCORE_COLUMNS",
    "WHOLE",
    "Missing",
    "Task",
    "labelled_rows",
    "mean_of_defined",
    "means",
    "pick",
]

Floats = npt.NDArray[np.float64]

Missing = Literal["left out", "as errors"]
"""What becomes of samples in which no face was found."""

SCORE_COLUMNS = ("metric", "target", "value", "ci_low", "ci_high", "n_samples", "n_subjects")
"""Columns of a table of scores."""

WHOLE = frozenset({"aus", "emotions", "valence", "arousal", "gaze", "poses", "landmarks"})
"""Targets that stand for a task, beside those for one action unit, class or axis."""


@dataclass(frozen=True)
class Task(ABC):
    """Scores a table of predictions that stand beside the truth.

    The table has one row per sample: ``subject``, ``found``, the truth in ``true_<column>``, and
    predictions under the names of the Fex's columns (NaN where no face was found).
    """

    @property
    @abstractmethod
    def groups(self) -> tuple[str, ...]:
        """Feature groups the task needs."""

    @abstractmethod
    def names(self) -> list[tuple[str, str]]:
        """(metric, target) of every score, in the order of `statistic`."""

    @property
    @abstractmethod
    def n_sums(self) -> int:
        """How many numbers each row adds to the sums."""

    @abstractmethod
    def contributions(self, table: pd.DataFrame, missing: Missing) -> Floats:
        """Give what each labelled row adds to the sums, shape (n, k).

        With ``"as errors"`` rows without a face are among them, and count as the class says.
        """

    @abstractmethod
    def statistic(self, sums: Floats) -> Floats:
        """From sums (…, k) to scores (…, m)."""

    @abstractmethod
    def labelled(self, table: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Rows with any truth of this task, shape (n,)."""

    def details(self, table: pd.DataFrame) -> dict[str, pd.DataFrame]:  # noqa: ARG002
        """Further tables, by name; of found faces only."""
        return {}

    def score(
        self, table: pd.DataFrame, missing: Missing, how: Resampling | None = None
    ) -> pd.DataFrame:
        """Scores with intervals over subjects.

        Returns
        -------
        DataFrame
            One row per score, :data:`SCORE_COLUMNS`. Without any sample: NaN.
        """
        how = Resampling() if how is None else how
        used = self.labelled(table)
        if missing == "left out":
            used = used & table["found"].to_numpy(np.bool_)
        rows = table[used]
        sums = sums_by(rows["subject"], self.contributions(rows, missing))
        statistic: Statistic = self.statistic
        ends = interval(sums, statistic, how)
        metrics, targets = zip(*self.names(), strict=True)
        return pd.DataFrame(
            {
                "metric": metrics,
                "target": targets,
                "value": ends.value,
                "ci_low": ends.low,
                "ci_high": ends.high,
                "n_samples": len(rows),
                "n_subjects": len(sums),
            }
        )


def pick(table: pd.DataFrame, columns: Sequence[str]) -> Floats:
    """Columns as float64, shape (n, columns)."""
    return table[list(columns)].to_numpy(np.float64, na_value=np.nan)


def labelled_rows(table: pd.DataFrame, columns: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Rows in which all of these columns are numbers, shape (n,)."""
    return np.asarray(np.isfinite(pick(table, columns)).all(axis=1))


def mean_of_defined(scores: Floats) -> Floats:
    """Average scores (…, m) over those that are defined, shape (…, 1); NaN if none is."""
    defined = np.isfinite(scores)
    total = np.where(defined, scores, 0.0).sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total / defined.sum(axis=-1, keepdims=True))


def means(sums: Floats) -> Floats:
    """Divide sums (…, 1 + m), whose first column counts, by that count: (…, m)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[..., 1:] / sums[..., :1])
