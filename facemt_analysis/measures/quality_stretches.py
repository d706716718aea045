"""When a recording can be used: stretches of usable, flagged and empty frames."""

from __future__ import annotations

import numpy as np
import pandas as pd

from facemt_analysis.measures.quality_limits import QualityLimits, choose_limits
from facemt_analysis.measures.quality_reasons import find_reasons
from facemt_analysis.measures.quality_rows import frame_codes, row_quality
from facemt_analysis.signal.runs import find_runs
from facemt_analysis.signal.segments import cut

__all__ = ["STATES", "quality_stretches"]

STATES = ("no_face", "flagged", "usable")
"""What a frame is good for, from worst to best."""


def quality_stretches(
    frame: pd.DataFrame, limits: QualityLimits | None = None, **changes: float | None
) -> pd.DataFrame:
    """Find stretches of frames of a recording that are usable, flagged or without a face.

    Parameters
    ----------
    frame
        Rows in any order, with those of the keys and features that it has.
    limits, **changes
        See :class:`QualityLimits`.

    Returns
    -------
    DataFrame
        One row per stretch, in order: ``input`` (if the table has it); ``state``: ``usable`` (a
        face without any reason against it), ``flagged`` (faces, but reasons against all of them)
        or ``no_face``; ``start`` and ``stop``, s (stop is where the next frame begins; in frames
        of the recording, from 0, if a row has no time); ``n_frames``. Frames that are not in the
        table are in no stretch.

    Examples
    --------
    >>> table = pd.DataFrame({"frame": [0, 1, 2], "time": [0.0, 0.5, 1.0], "track": [0, -1, -1],
    ...                       "AU12": [0.1, None, None]})
    >>> quality_stretches(table)[["state", "start", "stop"]].values.tolist()
    [['usable', 0.0, 0.5], ['no_face', 0.5, 1.5]]
    """
    plain = pd.DataFrame(frame)
    rows = row_quality(plain)
    against = np.logical_or.reduce(
        list(find_reasons(rows, choose_limits(limits, **changes)).values())
    )
    level = np.where(against, np.where(rows.face, 1, 0), 2)
    pictures = frame_codes(plain)
    n = int(pictures.max(initial=-1)) + 1
    best = np.zeros(n, dtype=np.int64)
    np.maximum.at(best, pictures, level)
    heads = np.zeros(n, dtype=np.intp)
    heads[pictures[::-1]] = np.arange(len(plain))[::-1]
    table = plain[[c for c in ("input", "time") if c in plain.columns]].iloc[heads]
    if "time" not in table.columns or table["time"].isna().any():
        table = table.assign(time=_positions(table))
    parts = cut(table)
    runs = find_runs(best[parts.order] + 1, parts.breaks)
    until = parts.time + np.nan_to_num(parts.lasts)
    out = parts.keys.iloc[parts.segment[runs.start]].reset_index(drop=True)
    out["state"] = np.array(STATES, dtype=object)[best[parts.order[runs.start]]]
    out["start"] = parts.time[runs.start]
    out["stop"] = until[runs.stop - 1]
    out["n_frames"] = runs.stop - runs.start
    return out


def _positions(table: pd.DataFrame) -> pd.Series:
    """Count the frames of each recording, from 0."""
    if "input" in table.columns:
        return table.groupby("input", observed=True, dropna=False).cumcount().astype(np.float64)
    return pd.Series(np.arange(len(table), dtype=np.float64), index=table.index)
