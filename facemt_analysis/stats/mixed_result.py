"""What a mixed model gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from facemt_analysis.checks import near_names
from facemt_analysis.errors import FexError
from facemt_analysis.stats.corrections import CORRECTION_NAMES, adjust_p
from facemt_analysis.stats.drawing import draw
from facemt_analysis.stats.results import result_table

__all__ = ["MixedResult", "corrected_table"]


@dataclass(frozen=True, eq=False)
class MixedResult:
    """Fitted mixed models.

    Parameters
    ----------
    table
        Contrasts: columns of :data:`facemt_analysis.stats.COLUMNS`.
    marginal_means
        One row per feature and cell: ``feature``, the factors, ``estimate se df ci_low ci_high`` on
        the scale of the model, ``response`` (the estimate in the unit of the feature). Empty for
        models by formula.
    diagnostics
        One row per feature: ``converged singular estimation random``, variances, ``lag1``
        (autocorrelation of residuals of a subject's rows that follow each other; without any about
        −1/(rows − 1)), ``n_rows n_subjects notes``.
    builders
        Feature → function without arguments that gives the result of statsmodels: :meth:`model`.
    """

    table: pd.DataFrame
    marginal_means: pd.DataFrame
    diagnostics: pd.DataFrame
    builders: Mapping[str, Callable[[], Any]] = field(repr=False)

    def model(self, feature: str) -> Any:
        """Give the result of statsmodels for a feature, for all that is not here.

        It is made when asked for; None for singular fits that statsmodels cannot represent.
        """
        if feature not in self.builders:
            raise FexError(
                f"There is no model of {feature!r}.{near_names(feature, self.builders)} "
                f"There is: {', '.join(self.builders)}."
            )
        return self.builders[feature]()

    @property
    def model_result(self) -> Any:
        """The result of statsmodels, if there is one model; see :meth:`model`."""
        if len(self.builders) != 1:
            raise FexError(f"There are {len(self.builders)} models; say which: .model(feature).")
        return self.model(*self.builders)

    def summary(self) -> str:
        """Say every contrast in one sentence."""
        from facemt_analysis.stats.words import describe

        return describe(self.table)

    def plot(self, **options: Any) -> Any:
        """Draw estimates and intervals: :func:`facemt_analysis.plotting.plot_estimates`."""
        return draw("plot_estimates", self.table, **options)


def corrected_table(
    rows: list[dict[str, Any]], correction: Literal["holm", "fdr_bh"] | None, level: float
) -> pd.DataFrame:
    """Put rows together, correct their p values, and say how."""
    table = result_table(rows, ("effect_ci_low", "effect_ci_high"))
    n = len(table)
    note = "not corrected" if correction is None else f"{CORRECTION_NAMES[correction]} over {n}"
    note += "" if correction is None else f" test{'s' if n > 1 else ''}"
    note += f"; {100 * level:g} % intervals" if level != 0.95 else ""
    return table.assign(
        p_adj=adjust_p(table["p"], correction), method=table["method"] + f"; {note}"
    )
