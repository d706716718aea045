"""Taking values out that should not be used, and overshoot off scores."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import numpy as np
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.errors import FexError
from facemt_analysis.signal.columns import angle_positions, signal_columns, with_values
from facemt_analysis.signal.selection import Where, select_rows

__all__ = ["clip", "mask"]

Frame = TypeVar("Frame", bound=pd.DataFrame)


def mask(frame: Frame, where: Where, columns: str | Iterable[str] | None = None) -> Frame:
    """Make values missing in rows that should not be used: poor scores, turned heads, speech.

    Parameters
    ----------
    frame
        A Fex or plain table.
    where
        The rows to empty: a condition such as ``"FaceScore < 0.7 or abs(Yaw) > 0.6"``, the name of
        a column of booleans, ``{column: value}``, or one boolean per row.
    columns
        Columns to empty; default all features except the box and its score. For speech, the lower
        face: ``["AU25", "AU26", …]``.

    Returns
    -------
    Fex or DataFrame
        As the input; rows and keys stay.

    Raises
    ------
    FexError
        If a column is absent or the condition cannot be read.

    Examples
    --------
    >>> table = pd.DataFrame({"FaceScore": [0.9, 0.4], "AU12": [0.5, 0.6]})
    >>> mask(table, "FaceScore < 0.7")["AU12"].tolist()
    [0.5, nan]
    """
    names = signal_columns(frame, columns, skip=("faceboxes",))
    rows = np.flatnonzero(select_rows(frame, where)).astype(np.intp)
    return with_values(frame, names, rows, np.full((len(rows), len(names)), np.nan))


def clip(frame: Frame, columns: str | Iterable[str] | None = None) -> Frame:
    """Bring scores that a filter carried past their end back into the schema's range.

    Parameters
    ----------
    frame
        A Fex or plain table.
    columns
        Columns of the schema; default all features that have a range.

    Returns
    -------
    Fex or DataFrame
        As the input.

    Raises
    ------
    FexError
        If a column is absent or has no range.

    Examples
    --------
    >>> clip(pd.DataFrame({"AU12": [-0.01, 0.5], "valence": [-1.0, 1.02]})).to_numpy().tolist()
    [[0.0, -1.0], [0.5, 1.0]]
    """
    names = signal_columns(frame, columns)
    bounded = [c for c in names if _range(c) is not None and not angle_positions([c])]
    if columns is not None and len(bounded) < len(names):
        odd = next(c for c in names if c not in bounded)
        raise FexError(f"`columns`: {odd!r} has no range in the schema that it could be cut to.")
    values = pd.DataFrame(frame)[bounded].to_numpy(np.float64, na_value=np.nan)
    ends = np.array([_range(c) for c in bounded]).reshape(-1, 2)
    rows = np.arange(len(values), dtype=np.intp)
    return with_values(frame, bounded, rows, np.clip(values, ends[:, 0], ends[:, 1]))


def _range(column: str) -> tuple[float, float] | None:
    if schema.group_of(column) is None:
        return None
    ends = schema.range_of(column)
    return ends if np.isfinite(ends).any() else None
