"""Which columns of a table are signals, which of them are angles, and how new values go back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_float_dtype, is_numeric_dtype

from facemt_analysis import schema
from facemt_analysis.checks import pick_columns
from facemt_analysis.errors import FexError
from facemt_analysis.signal.segments import Segments

__all__ = ["angle_positions", "rewrap", "signal_columns", "unwrap", "with_values", "wrap"]

Floats = NDArray[np.float64]
Frame = TypeVar("Frame", bound=pd.DataFrame)

SCORE = "FaceScore"
PIXEL_GROUPS = ("faceboxes", "landmarks", "meshes")


def signal_columns(
    frame: pd.DataFrame, columns: str | Iterable[str] | None, *, skip: Sequence[str] = ()
) -> list[str]:
    """Resolve the columns to work on, all of them numbers that change with time.

    Parameters
    ----------
    frame
        The table.
    columns
        Names; None: all features except ``FaceScore``, which tells how sure the detector was of a
        frame and is no signal.
    skip
        Groups that None leaves out as well.

    Raises
    ------
    FexError
        If a column is absent, a key, ``FaceScore`` or not made of numbers.
    """
    names = pick_columns(frame, columns)
    if columns is None:
        names = [c for c in names if c != SCORE and schema.group_of(c) not in skip]
        if not names:
            raise FexError("The table has no feature this works on by default; name the `columns`.")
    for name in names:
        dtype = frame[name].dtype
        if schema.group_of(name) == "keys" or name == SCORE:
            what = "says how sure the detector was" if name == SCORE else "is a key"
            raise FexError(f"`columns`: {name!r} {what}, and cannot be changed; leave it out.")
        if not is_numeric_dtype(dtype) or is_bool_dtype(dtype):
            raise FexError(f"`columns`: {name!r} must hold numbers, but holds {dtype}.")
    return names


def rewrap(frame: Frame, result: pd.DataFrame) -> Frame:
    """Give a result the type and the metadata of the table it was made from."""
    made = cast("Any", frame)._constructor(result)
    return cast("Frame", made.__finalize__(frame))


def with_values(
    frame: Frame, columns: Sequence[str], rows: NDArray[np.intp], values: NDArray[Any]
) -> Frame:
    """Replace values of columns in some rows; floating point types stay as they are.

    Parameters
    ----------
    frame
        The table.
    columns
        c names.
    rows
        Positions of n rows.
    values
        Shape (n, c).
    """
    plain = pd.DataFrame(frame)
    made = {}
    for j, name in enumerate(columns):
        old = plain[name]
        dtype: Any = old.dtype if _is_numpy_float(old.dtype) else np.float64
        new = np.array(old.to_numpy(dtype, na_value=np.nan))
        new[rows] = values[:, j]
        made[name] = new
    others = plain.drop(columns=list(columns))
    result = pd.concat([others, pd.DataFrame(made, index=plain.index)], axis=1)
    return rewrap(frame, result[plain.columns.tolist()])


def _is_numpy_float(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and is_float_dtype(dtype)


def angle_positions(columns: Sequence[str]) -> list[int]:
    """Positions of the columns that wrap round: features whose range is −π to π.

    >>> angle_positions(["AU12", "Yaw", "gaze_angle"])
    [1]
    """
    return [
        i
        for i, name in enumerate(columns)
        if schema.group_of(name) is not None and schema.range_of(name) == (-math.pi, math.pi)
    ]


def unwrap(values: Floats, columns: Sequence[str], parts: Segments) -> Floats:
    """Undo jumps of angles by a full turn within each segment; other columns stay as they are.

    Missing values are passed over. Values of one segment do not depend on another.
    """
    result = values
    for j in angle_positions(columns):
        there = np.flatnonzero(~np.isnan(values[:, j]))
        angle = values[there, j]
        jump = np.diff(angle)
        turns = np.where(np.abs(jump) > math.pi, -np.round(jump / (2 * math.pi)), 0.0)
        segment = parts.segment[there]
        new = np.diff(segment) != 0
        turns[new] = 0.0
        if not turns.any():
            continue
        total = np.append(0.0, np.cumsum(turns))
        start = np.append(0, np.flatnonzero(new) + 1)
        lengths = np.diff(np.append(start, len(there)))
        result = result.copy() if result is values else result
        result[there, j] = angle + 2 * math.pi * (total - np.repeat(total[start], lengths))
    return result


def wrap(values: Floats, columns: Sequence[str]) -> Floats:
    """Bring angles back into −π to π, in place; values inside are not touched."""
    for j in angle_positions(columns):
        over = np.abs(values[:, j]) > math.pi
        if over.any():
            angle = values[over, j]
            values[over, j] = angle - 2 * math.pi * np.round(angle / (2 * math.pi))
    return values
