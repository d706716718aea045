"""The columns that every table of test results has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

__all__ = ["COLUMNS", "result_table"]

COLUMNS = (
    "feature", "contrast", "estimate", "se", "statistic", "statistic_name", "df", "p", "p_adj",
    "ci_low", "ci_high", "effect_size", "effect_name", "n_subjects", "n_obs", "method",
)  # fmt: skip
"""Columns of a tidy result, one row per feature and contrast, in this order.

``feature``, ``contrast``: what was tested. ``estimate``, ``se``: in the unit of the feature, or on
the scale that ``method`` names. ``statistic``, ``statistic_name`` (t, z, F, W, U …), ``df`` (of the
error; F tests have those of the effect in ``df_effect``). ``p``: two-sided unless the method says
otherwise. ``p_adj``: corrected over the family that ``method`` names. ``ci_low``, ``ci_high``: of
the estimate. ``effect_size``, ``effect_name``: standardised. ``n_subjects``: independent people in
the test. ``n_obs``: values that went in (means of subjects in cells, or rows of the model).
``method``: everything one has to say about the test in a paper.
"""

_TEXT = {"feature", "contrast", "statistic_name", "effect_name", "method"}


def result_table(rows: Iterable[Mapping[str, Any]], extra: Sequence[str] = ()) -> pd.DataFrame:
    """Put rows together as a tidy table; what a row lacks is NaN (text: empty).

    Parameters
    ----------
    rows
        One mapping per row.
    extra
        Columns after those of :data:`COLUMNS`.

    Examples
    --------
    >>> table = result_table([{"feature": "AU12", "contrast": "funny - neutral", "p": 0.01}])
    >>> table.loc[0, "feature"], float(table.loc[0, "p"]), table.loc[0, "method"]
    ('AU12', 0.01, '')
    """
    columns = [*COLUMNS, *extra]
    filled = [{c: row.get(c, "" if c in _TEXT else float("nan")) for c in columns} for row in rows]
    return pd.DataFrame(filled, columns=columns)
