"""Emotions: which of the classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.benchmark.tasks.base import Floats, Missing, Task, mean_of_defined, pick

__all__ = ["EmotionTask"]


@dataclass(frozen=True)
class EmotionTask(Task):
    """Accuracy and the unweighted mean of the classes' F1.

    Parameters
    ----------
    classes
        Columns among which the largest probability is the answer; samples of other classes are
        not scored.

    Notes
    -----
    A class that is neither there nor ever said has no F1 (NaN) and is left out of the mean. A lost
    face counted as an error is wrong.
    """

    classes: tuple[str, ...] = schema.EMOTIONS

    @property
    def groups(self) -> tuple[str, ...]:
        """Feature groups the task needs."""
        return ("emotions",)

    def names(self) -> list[tuple[str, str]]:
        """Accuracy, mean F1, mean recall; F1, precision and recall per class."""
        per = [(m, c) for m in ("f1", "precision", "recall") for c in self.classes]
        return [(m, "emotions") for m in ("accuracy", "macro_f1", "macro_recall")] + per

    def labelled(self, table: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Rows of one of the classes."""
        return table["true_emotion"].isin(self.classes).to_numpy(np.bool_)

    @property
    def n_sums(self) -> int:
        """Numbers a row adds."""
        return len(self.classes) * (len(self.classes) + 1)

    def contributions(self, table: pd.DataFrame, missing: Missing) -> Floats:  # noqa: ARG002
        """Mark the cell of the confusion matrix (true, said); a lost face said "none"."""
        k = len(self.classes)
        true, said = self._answers(table)
        cells = np.zeros((len(table), k * (k + 1)))
        cells[np.arange(len(table)), true * (k + 1) + said] = 1.0
        return cells

    def statistic(self, sums: Floats) -> Floats:
        """From a confusion matrix (…, k (k + 1)) to scores (…, 3 + 3 k)."""
        k = len(self.classes)
        matrix = sums.reshape(*sums.shape[:-1], k, k + 1)
        hit = np.diagonal(matrix, axis1=-2, axis2=-1)[..., :k]
        there = matrix.sum(axis=-1)
        said = matrix.sum(axis=-2)[..., :k]
        with np.errstate(invalid="ignore", divide="ignore"):
            f1 = 2 * hit / (there + said)
            precision = hit / said
            recall = hit / there
            accuracy = hit.sum(axis=-1, keepdims=True) / there.sum(axis=-1, keepdims=True)
        averages = [mean_of_defined(f1), mean_of_defined(recall)]
        return np.concatenate([accuracy, *averages, f1, precision, recall], axis=-1)

    def details(self, table: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """Count how often each class was taken for each (``confusion``); ``none``: no face."""
        rows = table[self.labelled(table)]
        true, said = self._answers(rows)
        names = [*self.classes, "none"]
        counts = np.zeros((len(self.classes), len(names)), dtype=np.int64)
        np.add.at(counts, (true, said), 1)
        confusion = pd.DataFrame(counts, columns=names)
        confusion.insert(0, "true", list(self.classes))
        return {"confusion": confusion}

    def _answers(self, table: pd.DataFrame) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Numbers of the true class and of the answer; as many as classes: no answer."""
        true = pd.Index(self.classes).get_indexer(pd.Index(table["true_emotion"]))
        scores = pick(table, self.classes)
        said = np.where(
            np.isfinite(scores).all(axis=1),
            np.nan_to_num(scores, nan=-1.0).argmax(axis=1),
            len(self.classes),
        )
        return true.astype(np.intp), said.astype(np.intp)
