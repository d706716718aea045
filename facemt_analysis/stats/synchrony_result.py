"""What the synchrony of dyads is, as tables and arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.stats.drawing import draw
from facemt_analysis.stats.words import format_p

__all__ = ["DYAD_COLUMNS", "SYNCHRONY_COLUMNS", "SynchronyResult"]

Floats = NDArray[np.float64]

DYAD_COLUMNS = (
    "dyad", "condition", "feature", "measure", "value", "lag", "surrogate_mean", "surrogate_sd",
    "z", "p", "n_times",
)  # fmt: skip
"""Columns of the table of dyads, in this order; see :class:`SynchronyResult`."""

SYNCHRONY_COLUMNS = (
    "condition", "feature", "measure", "value", "lag", "surrogate_mean", "z", "p", "p_adj",
    "n_dyads", "method",
)  # fmt: skip
"""Columns of the test over dyads, in this order; see :class:`SynchronyResult`."""


@dataclass(frozen=True, eq=False, repr=False)
class SynchronyResult:
    """Synchrony of dyads, and the test against surrogates.

    Parameters
    ----------
    table
        One row per dyad, condition and feature: ``dyad``, ``condition``, ``feature``, ``measure``,
        ``value``, ``lag`` (s by which the second person follows the first; negative: leads),
        ``surrogate_mean`` and ``surrogate_sd`` of the value by chance, ``z`` (how many of these SDs
        it is stronger), ``p`` (share of surrogates as strong), ``n_times``.
    group
        One row per condition and feature, over dyads: ``condition``, ``feature``, ``measure``,
        ``value`` (mean), ``lag`` (peak of the mean profile; with ``"dtw"`` the median),
        ``surrogate_mean``, ``z`` (mean over dyads), ``p``, ``p_adj`` (Holm, over the rows),
        ``n_dyads``, ``method``.
    profiles
        Correlation (or recurrence rate) of every row of `table` at every lag.
    lags
        Seconds.
    null_distribution
        Of every row of `group`: mean strength over dyads, observed first. Strength is the value, or
        minus the value where less is stronger (``"dtw"``).
    persons
        The first and the second, as they are called in the table.
    """

    table: pd.DataFrame
    group: pd.DataFrame
    profiles: Floats
    lags: Floats
    null_distribution: tuple[Floats, ...]
    persons: tuple[str, str]

    def summary(self) -> str:
        """Say the test over dyads in words, with its numbers."""
        said = []
        for row in self.group.to_dict("records"):
            where = f" in {row['condition']}" if row["condition"] != "" else ""
            who = f"{self.persons[1]} {abs(row['lag']):.2f} s "
            who += f"after {self.persons[0]}" if row["lag"] >= 0 else f"before {self.persons[0]}"
            said.append(
                f"{row['feature']}{where}: {row['measure']} = {row['value']:.2f} "
                f"(by chance {row['surrogate_mean']:.2f}), {who}, p {format_p(row['p'])}, "
                f"N = {row['n_dyads']} dyads"
            )
        return f"{self.group['method'].iloc[0]}. {'; '.join(said)}."

    def plot(self, **options: Any) -> Any:
        """Draw it: :func:`facemt_analysis.plotting.plot_synchrony`."""
        return draw("plot_synchrony", self, **options)

    def __repr__(self) -> str:
        return repr(self.group)
