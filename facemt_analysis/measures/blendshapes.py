"""What blendshapes do on the whole: level, spread, share of the time on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from facemt_analysis.checks import check_number, pick_columns
from facemt_analysis.measures.grouping import group_rows, tidy

__all__ = ["blendshape_summary"]


def blendshape_summary(
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    *,
    shapes: str | Iterable[str] | None = None,
    on: float = 0.3,
    quantiles: Sequence[float] = (0.5, 0.95),
) -> pd.DataFrame:
    """Summarise blendshapes: level, spread, share of the time on.

    Parameters
    ----------
    frame
        Table with blendshapes.
    by
        Columns to group by; None: each track of each recording.
    shapes
        Which ones; default all.
    on
        Coefficient from which a movement counts as on, 0…1.
    quantiles
        Which ones to give, each 0 to 1.

    Returns
    -------
    DataFrame
        One row per group and blendshape: what the group is, ``feature``, ``mean``, ``sd`` (ddof 0),
        ``min``, ``max``, a column for each quantile (``q50``, ``q95``), ``share_on`` (of the valid
        time with a coefficient of at least `on`), ``n_frames``, ``n_valid``, ``seconds``. Events:
        :func:`find_events` on these columns.

    Raises
    ------
    FexError
        If there are no blendshapes, or one is unknown.
    OptionError
        If a threshold or quantile is outside 0…1.

    Notes
    -----
    A coefficient says how far a movement of MediaPipe's model goes, 1 being its extreme; faces at
    rest have coefficients above 0, and no two people's scales are the same. Compare a person with
    the same person.

    Examples
    --------
    >>> table = pd.DataFrame({"time": np.arange(4) / 10, "jawOpen": [0.0, 0.2, 0.4, 0.6]})
    >>> blendshape_summary(table)[["mean", "share_on"]].round(3).to_dict("records")
    [{'mean': 0.3, 'share_on': 0.5}]
    """
    names = pick_columns(frame, shapes, group="blendshapes", name="shapes")
    least = check_number("on", on, 0.0, 1.0)
    asked = {f"q{100 * check_number('quantiles', q, 0.0, 1.0):g}": float(q) for q in quantiles}
    rows = group_rows(frame, by)
    columns = []
    for name in names:
        values = rows.parts.values(frame, name)
        valid = ~np.isnan(values)
        columns.append(
            {
                "mean": rows.mean(values),
                "sd": rows.sd(values),
                "min": rows.minimum(values),
                "max": rows.maximum(values),
                **dict(zip(asked, rows.quantiles(values, list(asked.values())).T, strict=True)),
                "share_on": rows.mean(np.where(valid, values >= least, np.nan)),
                "n_frames": rows.n_frames,
                "n_valid": rows.count(valid),
                "seconds": rows.seconds(valid),
            }
        )
    return tidy(rows.table(), names, columns)
