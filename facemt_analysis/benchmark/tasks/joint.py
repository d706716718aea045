"""Several tasks on the same samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.benchmark.tasks.base import Floats, Missing, Task

__all__ = ["JointTask"]


@dataclass(frozen=True)
class JointTask(Task):
    """Scores of all tasks, one after the other; each on the samples that have its labels.

    Parameters
    ----------
    tasks
        The tasks.
    """

    tasks: tuple[Task, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """Feature groups of all tasks."""
        return tuple(dict.fromkeys(group for task in self.tasks for group in task.groups))

    def names(self) -> list[tuple[str, str]]:
        """Scores of all tasks."""
        return [name for task in self.tasks for name in task.names()]

    def labelled(self, table: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Rows with a label of any task."""
        return np.asarray(np.any([task.labelled(table) for task in self.tasks], axis=0))

    @property
    def n_sums(self) -> int:
        """Numbers a row adds to all tasks."""
        return sum(task.n_sums for task in self.tasks)

    def contributions(self, table: pd.DataFrame, missing: Missing) -> Floats:
        """Give those of all tasks side by side; nothing where a task has no label."""
        parts = []
        for task in self.tasks:
            own = task.labelled(table)
            given = task.contributions(table[own], missing)
            part = np.zeros((len(table), given.shape[1]))
            part[own] = given
            parts.append(part)
        return np.concatenate(parts, axis=1)

    def statistic(self, sums: Floats) -> Floats:
        """Scores of all tasks."""
        parts, start = [], 0
        for task in self.tasks:
            parts.append(task.statistic(sums[..., start : start + task.n_sums]))
            start += task.n_sums
        return np.concatenate(parts, axis=-1)

    def details(self, table: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """Tables of all tasks."""
        return {name: part for task in self.tasks for name, part in task.details(table).items()}
