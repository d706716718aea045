"""What is wrong with a table that should be a Fex."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_float_dtype, is_integer_dtype, is_numeric_dtype

from facemt_analysis import schema

__all__ = ["PROBLEM_COLUMNS", "find_problems"]

PROBLEM_COLUMNS = ("check", "column", "rows", "message")
"""Columns of the table of problems."""

# float32 softmax and normalised scores may miss their bound by rounding
_TOLERANCE = 1e-4

_Problem = tuple[str, str | None, int, str]


def find_problems(frame: pd.DataFrame, *, reserved: Collection[str] = ()) -> pd.DataFrame:
    """List everything about a table that analyses would stumble over.

    Checks, by the name in the column ``check``:

    - ``columns``: names that are not text, are there twice, or (``reserved``) hide behind a
      property of a Fex;
    - ``dtype``: features that are not floating point, keys of the wrong kind;
    - ``range``: values outside the schema's range (rounding allowed), infinities;
    - ``keys``: missing keys, two rows for one face of one frame, rows without a face (track −1)
      that have features or stand beside a face of the same frame;
    - ``time``: missing, not increasing with the frames of a recording, or different within a frame.

    Parameters
    ----------
    frame
        Any table.
    reserved
        Names that a column should not have.

    Returns
    -------
    DataFrame
        One row per problem: ``check``, ``column`` (missing where the problem is not one column's),
        ``rows`` (how many rows it concerns), ``message``. No rows: nothing is wrong.

    Examples
    --------
    >>> frame = pd.DataFrame({"AU12": [0.2, 7.0]})
    >>> find_problems(frame)["message"].tolist()
    ['values must be in 0 to 1, but are in 0.2 to 7']
    """
    found: list[_Problem] = list(_check_columns(frame, reserved))
    plain = pd.DataFrame(frame)
    unique = plain.loc[:, ~plain.columns.duplicated()]
    found += _check_dtypes(unique)
    found += _check_ranges(unique)
    found += _check_keys(unique)
    found += _check_time(unique)
    return pd.DataFrame(found, columns=list(PROBLEM_COLUMNS)).astype({"rows": np.int64})


def _check_columns(frame: pd.DataFrame, reserved: Collection[str]) -> Iterator[_Problem]:
    n = len(frame)
    for name in list[object](frame.columns):
        if not isinstance(name, str):
            yield "columns", str(name), n, f"the name must be text, but is {name!r}"
        elif name in reserved and schema.group_of(name) is None:
            yield "columns", name, n, f"a Fex has a property {name!r}; rename the column"
    for name in frame.columns[frame.columns.duplicated()].unique():
        times = int((frame.columns == name).sum())
        yield "columns", str(name), n, f"the column is there {times} times"


def _check_dtypes(frame: pd.DataFrame) -> Iterator[_Problem]:
    n = len(frame)
    for name, dtype in frame.dtypes.items():
        group = schema.group_of(name)
        if group is None or name in ("input", "image"):
            continue
        if group == "keys":
            right = (
                is_integer_dtype(dtype)
                if name in ("frame", "track")
                else (is_numeric_dtype(dtype) and not is_bool_dtype(dtype))
            )
            kind = "integer" if name in ("frame", "track") else "a number of seconds"
        else:
            right = is_float_dtype(dtype) or (group == "framesizes" and is_integer_dtype(dtype))
            kind = "floating point"
        if not right:
            yield "dtype", str(name), n, f"the column must be {kind}, but is {dtype}"


def _check_ranges(frame: pd.DataFrame) -> Iterator[_Problem]:
    names = [
        c
        for c in frame.columns
        if schema.group_of(c) is not None and c not in ("input", "image", "time")
    ]
    names = [c for c in names if is_numeric_dtype(frame[c].dtype)]
    if not names or not len(frame):
        return
    values = frame[names]
    low, high = values.min(), values.max()  # NaN where a column holds nothing
    for name in names:
        bottom, top = schema.range_of(name)
        least, most = float(low[name]), float(high[name])
        if np.isinf(least) or np.isinf(most):
            bad = int(np.isinf(values[name].to_numpy(np.float64, na_value=np.nan)).sum())
            yield "range", name, bad, "values must be finite or missing, but some are infinite"
        elif least < bottom - _TOLERANCE or most > top + _TOLERANCE:
            column = values[name]
            bad = int(((column < bottom - _TOLERANCE) | (column > top + _TOLERANCE)).sum())
            yield (
                "range", name, bad,
                f"values must be in {bottom:g} to {top:g}, but are in {least:g} to {most:g}",
            )  # fmt: skip


def _check_keys(frame: pd.DataFrame) -> Iterator[_Problem]:
    for name in ("input", "frame", "track"):
        if name in frame and (empty := int(frame[name].isna().sum())):
            yield "keys", name, empty, "the key is missing in some rows"
    keys = [c for c in ("input", "frame", "track") if c in frame]
    if "frame" not in keys:
        return
    if "track" in keys and (twice := int(frame.duplicated(keys).sum())):
        yield "keys", None, twice, f"rows repeat the key ({', '.join(keys)}) of an earlier row"
    if "track" not in keys:
        return
    faceless = frame["track"] == -1
    features = schema.feature_columns(frame.columns)
    measured = [c for c in features if schema.group_of(c) != "faceboxes"]
    if measured and (full := int(frame.loc[faceless, measured].notna().any(axis=1).sum())):
        yield "keys", "track", full, "rows of track -1 (no face) have features"
    where = keys[:-1]
    count = frame.groupby(where, observed=True, dropna=False)["track"].transform("size")
    if beside := int((faceless & (count > 1) & ~frame.duplicated(keys, keep=False)).sum()):
        yield "keys", "track", beside, "frames have a row of track -1 (no face) beside a face"


def _check_time(frame: pd.DataFrame) -> Iterator[_Problem]:
    if "time" not in frame or not is_numeric_dtype(frame["time"].dtype):
        return
    where = [c for c in ("input",) if c in frame]
    # photographs have no time at all; a recording with some has to have all
    empty_in = frame["time"].isna()
    whole = empty_in.groupby(frame["input"]).transform("all") if where else empty_in.all()
    if empty := int((empty_in & ~np.asarray(whole, dtype=np.bool_)).sum()):
        yield "time", "time", empty, "the time is missing in some rows of a recording"
    if "frame" not in frame:
        return
    one = frame[[*where, "frame", "time"]].dropna().drop_duplicates()
    several = int(one.duplicated([*where, "frame"]).sum())
    if several:
        yield "time", "time", several, "faces of one frame have different times"
    one = one.drop_duplicates([*where, "frame"]).sort_values([*where, "frame"], kind="stable")
    step = one.groupby(where, observed=True)["time"].diff() if where else one["time"].diff()
    if back := int((step <= 0).sum()):
        yield "time", "time", back, "the time does not increase from frame to frame of a recording"
