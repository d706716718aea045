"""Action units: is each one there or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.benchmark.tasks.base import Floats, Missing, Task, mean_of_defined, pick

__all__ = ["ActionUnitTask"]

_STEPS = np.round(np.linspace(0, 1, 101), 2)


@dataclass(frozen=True)
class ActionUnitTask(Task):
    """F1 of each action unit and their unweighted mean.

    Parameters
    ----------
    aus
        Columns scored, e.g. ``("AU01", "AU12")``.
    present
        An action unit is there where the truth reaches this value of the data set's scale.
    threshold
        It is said to be there where the score reaches this.

    Notes
    -----
    F1 = 2 TP / (2 TP + FP + FN) of all frames. An action unit that is neither there nor said to be
    has no F1 (NaN) and is left out of the mean. A lost face counted as an error is wrong for every
    action unit.
    """

    aus: tuple[str, ...]
    present: float = 2.0
    threshold: float = 0.5

    @property
    def groups(self) -> tuple[str, ...]:
        """Feature groups the task needs."""
        return ("aus",)

    def names(self) -> list[tuple[str, str]]:
        """F1, precision, recall, accuracy per action unit, and the mean F1."""
        per = [(m, au) for m in ("f1", "precision", "recall", "accuracy") for au in self.aus]
        return [("macro_f1", "aus"), *per]

    def labelled(self, table: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Rows with any action unit coded."""
        return np.asarray(np.isfinite(pick(table, self._truth)).any(axis=1))

    @property
    def n_sums(self) -> int:
        """Numbers a row adds."""
        return 4 * len(self.aus)

    def contributions(self, table: pd.DataFrame, missing: Missing) -> Floats:
        """Count true positives, false positives, false negatives and true negatives."""
        truth = pick(table, self._truth)
        coded = np.isfinite(truth)
        there = truth >= self.present
        said = pick(table, self.aus) >= self.threshold  # NaN: not said
        if missing == "as errors":
            lost = ~table["found"].to_numpy(np.bool_)
            said[lost] = ~there[lost]
        cells = (there & said, ~there & said, there & ~said, ~there & ~said)
        return np.concatenate([cell & coded for cell in cells], axis=1).astype(np.float64)

    def statistic(self, sums: Floats) -> Floats:
        """From counts (…, 4 k) to scores (…, 1 + 4 k)."""
        hit, false, miss, rest = np.split(sums, 4, axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            f1 = 2 * hit / (2 * hit + false + miss)
            precision = hit / (hit + false)
            recall = hit / (hit + miss)
            accuracy = (hit + rest) / (hit + false + miss + rest)
        return np.concatenate([mean_of_defined(f1), f1, precision, recall, accuracy], axis=-1)

    def details(self, table: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """Give F1, precision and recall at thresholds from 0 to 1 (``thresholds``)."""
        found = table[table["found"].to_numpy(np.bool_)]
        curves = []
        for au in self.aus:
            truth = found[f"true_{au}"].to_numpy(np.float64, na_value=np.nan)
            coded = np.isfinite(truth)
            score = found[au].to_numpy(np.float64)[coded]
            there = truth[coded] >= self.present
            # how many, of those that are there and of the others, reach each threshold
            hit, false = (
                len(s) - np.searchsorted(np.sort(s), _STEPS, side="left")
                for s in (score[there], score[~there])
            )
            miss = there.sum() - hit
            with np.errstate(invalid="ignore", divide="ignore"):
                curves.append(
                    pd.DataFrame(
                        {
                            "target": au,
                            "threshold": _STEPS,
                            "f1": 2 * hit / (2 * hit + false + miss),
                            "precision": hit / (hit + false),
                            "recall": hit / (hit + miss),
                            "false_positive_rate": false / (~there).sum(),
                        }
                    )
                )
        return {"thresholds": pd.concat(curves, ignore_index=True)}

    @property
    def _truth(self) -> list[str]:
        return [f"true_{au}" for au in self.aus]
