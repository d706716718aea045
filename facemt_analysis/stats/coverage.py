"""Which subjects have which cells, before anything is tested."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from facemt_analysis.checks import check_labels
from facemt_analysis.stats.aggregation import COUNTS, complete_rows, summarize
from facemt_analysis.stats.design import find_factors

__all__ = ["missing_cells"]


def missing_cells(
    frame: pd.DataFrame,
    features: str | Iterable[str] | None = None,
    *,
    condition: str | Sequence[str],
    subject: str = "subject",
    between: str | Sequence[str] | None = None,
    min_frames: int = 1,
) -> pd.DataFrame:
    """List the cells that a comparison would miss: who has no data where.

    Parameters
    ----------
    frame, features, condition, subject, between, min_frames
        As in :func:`facemt_analysis.stats.compare`.

    Returns
    -------
    DataFrame
        One row per subject, cell within subjects and feature without a value: ``subject``, the
        labels, ``feature``, ``n_recordings n_frames n_valid`` (of the feature) in the cell, ``reason`` (``"no
        recording"``, ``"no valid frame"``, ``"fewer than … valid frames"``). No rows: nothing is
        missing.

    Examples
    --------
    >>> table = pd.DataFrame({"subject": ["a", "a", "b", "b", "c"], "AU12": [0.1, 0.5, 0.2, 0.4, 0.3],
    ...                       "film": ["old", "new", "old", "new", "old"]})
    >>> missing_cells(table, "AU12", condition="film")[["subject", "film", "reason"]]
      subject film        reason
    0       c  new  no recording
    """  # noqa: E501
    plain = pd.DataFrame(frame)
    names = [*check_labels(plain, between), *check_labels(plain, condition, name="condition")]
    labels = complete_rows(plain, [subject, *names], ())
    factors = find_factors(labels, subject=subject, condition=condition, between=between)
    by = [f.name for f in factors]
    keys = [subject, *by]
    table = summarize(plain, subject=subject, by=by, features=features, min_frames=min_frames).drop(
        columns="n_valid"
    )
    columns = [c for c in table.columns if c not in (*keys, *COUNTS)]
    grid = table[[subject, *(f.name for f in factors if not f.within)]].drop_duplicates()
    for factor in (f for f in factors if f.within):
        grid = grid.merge(pd.DataFrame({factor.name: list(factor.levels)}), how="cross")
    labelled = complete_rows(plain, keys, columns)
    valid = labelled.groupby(keys, observed=True, sort=False)[columns].count().reset_index()
    counts = ["n_recordings", "n_frames"]
    full = grid.merge(table, how="left", on=keys).fillna(dict.fromkeys(counts, 0))
    long = full.melt([*keys, *counts], var_name="feature", value_name="value")
    frames = valid.melt(keys, var_name="feature", value_name="n_valid")
    lost = long[long["value"].isna()].merge(frames, how="left", on=[*keys, "feature"])
    lost = lost.fillna({"n_valid": 0}).astype(dict.fromkeys(COUNTS, int))
    reason = pd.Series(f"fewer than {min_frames} valid frames", index=lost.index)
    reason[lost["n_valid"] == 0] = "no valid frame"
    reason[lost["n_recordings"] == 0] = "no recording"
    return pd.DataFrame(lost[[*keys, "feature", *COUNTS]].assign(reason=reason))
