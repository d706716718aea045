"""Reading text tables: one place for what can be wrong with them."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from facemt_analysis import schema
from facemt_analysis.errors import FexError, one_line
from facemt_analysis.io._selection import shorten

if TYPE_CHECKING:
    from facemt_analysis.io._head import Head

__all__ = [
    "EXACT", "as_float", "numbers", "read_plain_table", "read_text_table", "whole_numbers",
]  # fmt: skip

# numbers as they were written, to the last bit; from pandas 3.1 on nothing has to be said
_OLD = tuple(int(n) for n in pd.__version__.split(".")[:2]) < (3, 1)
_EXACT_WHOLE = 2.0**53
_BEYOND_INT64 = 2.0**63
EXACT: dict[str, Any] = {"float_precision": "round_trip"} if _OLD else {}


def read_text_table(head: Head, columns: Collection[str] | None = None) -> pd.DataFrame:
    """Read a text table with the spaces around its column names removed.

    Parameters
    ----------
    head
        First look at the file.
    columns
        Columns to read; None for all.

    Returns
    -------
    DataFrame
        Numbers as float64, parsed exactly; everything else as text.

    Raises
    ------
    FexError
        If names are there twice, one of the first rows has too many or too few fields, the file
        ends in the middle of a row, or it is not UTF-8.
    """
    names = list(head.columns)
    if names.count("") > 1:  # separators at the end of the line
        names = [name or f"Unnamed: {i}" for i, name in enumerate(names)]
    twice = sorted({n for n in names if names.count(n) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise FexError(f"{head.path}: the column {shorten(twice)} is there more than once.")
    _check_first_rows(head)
    _check_last_row(head)
    asked = set(names if columns is None else columns)
    wanted = None if columns is None else [i for i, n in enumerate(names) if n in asked]
    text = {n for n in ("input", "image") if n in names and n in asked}
    try:
        return _parsed(
            head,
            header=0,
            skiprows=head.skip,
            names=names,
            usecols=wanted,
            dtype=dict.fromkeys(text, "str"),
            index_col=False,
            encoding="utf-8-sig",
            compression=None,  # the name says nothing
            **(EXACT if head.decimal == "." else {}),
        )
    except UnicodeDecodeError as error:
        raise FexError(f"{head.path}: the text is not UTF-8; save it as UTF-8.") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise FexError(f"{head.path}: it cannot be read as a table: {one_line(error)}") from error


def _parsed(head: Head, **options: Any) -> pd.DataFrame:
    """Parse block by block, which is a third faster, unless whole columns would be other."""
    options |= {
        "sep": head.separator,
        "decimal": head.decimal,
        "skipinitialspace": _has_spaces(head),
    }
    table: pd.DataFrame
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.DtypeWarning)
        try:
            table = pd.read_csv(head.path, low_memory=True, **options)
            # whole numbers beyond int64 in some blocks only have been rounded
            labels = table[[c for c in table if schema.group_of(c) is None]]
            exact = not (labels.select_dtypes("float64").abs() >= _BEYOND_INT64).any(axis=None)
        except pd.errors.DtypeWarning:  # text in one block, numbers in another
            exact = False
    return table if exact else pd.read_csv(head.path, low_memory=False, **options)


def _has_spaces(head: Head) -> bool:
    """Whether a space may follow a separator: to look for them slows the parser down."""
    with head.path.open("rb") as file:
        while block := file.read(1 << 20):
            if b" " in block or (head.separator != "\t" and b"\t" in block):
                return True
    return False


def read_plain_table(path: Path, **options: Any) -> pd.DataFrame:
    """Read a text table whose columns need no knowledge of ours; `options` are of pandas.

    Raises
    ------
    FexError
        If it is no table, or not UTF-8.
    """
    try:
        table: pd.DataFrame = pd.read_csv(path, compression=None, **EXACT, **options)
        return table
    except UnicodeDecodeError as error:
        raise FexError(f"{path}: the text is not UTF-8; save it as UTF-8.") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise FexError(f"{path}: it cannot be read as a table: {one_line(error)}") from error


def _check_first_rows(head: Head) -> None:
    """Refuse rows of a wrong length, which pandas would cut or fill."""
    text = head.start.decode("utf-8-sig", errors="replace")
    lines = text.split("\n", head.skip)[-1].splitlines(keepends=True)
    try:
        # the last line may go on after what was looked at
        rows = list(csv.reader(lines[:-1], delimiter=head.separator, skipinitialspace=True))
    except csv.Error:
        return
    for number, row in enumerate(rows[1:], start=head.skip + 2):
        while len(row) > len(head.columns) and not row[-1].strip():
            row.pop()  # a separator at the end of the line
        if row and len(row) != len(head.columns):
            raise FexError(
                f"{head.path}: row {number} has {len(row)} fields, but the {head.place} line names "
                f"{len(head.columns)} columns."
            )


def _check_last_row(head: Head) -> None:
    """Refuse a table cut off in its last row: it would be read with missing values."""
    size = head.path.stat().st_size
    look = 1 << 16
    while True:
        with head.path.open("rb") as file:
            file.seek(max(size - look, 0))
            end = file.read()
        if end.endswith(b"\n"):
            return
        if b"\n" in end or look >= size:
            break
        look *= 4
    last = end.rsplit(b"\n", 1)[-1].decode("utf-8", errors="replace")
    fields = next(csv.reader([last], delimiter=head.separator), [])
    if 0 < len(fields) < len(head.columns):
        raise FexError(
            f"{head.path}: it ends in the middle of a row, after {len(fields)} of "
            f"{len(head.columns)} fields; the file is truncated."
        )


def numbers(frame: pd.DataFrame, head: Head, dtype: type[np.generic] = np.float32) -> pd.DataFrame:
    """Columns as numbers; FexError that names the columns that hold something else."""
    wrong = [c for c, t in frame.dtypes.items() if not pd.api.types.is_numeric_dtype(t)]
    parsed = {str(column): as_float(frame[column]) for column in wrong}
    for column, values in parsed.items():
        given = frame[column]
        bad = np.flatnonzero(values.isna() & given.notna())
        if len(bad):
            group = schema.group_of(column)
            of = f" of the group {group!r}" if group else ""
            raise FexError(
                f"{head.path}: the column {column!r}{of} must hold numbers, but has "
                f"{given.iloc[bad[0]]!r:.80} in row {bad[0] + head.skip + 2}."
            )
    # as one block: thousands of columns are slow to handle one by one
    whole = frame
    if wrong:
        right = frame.drop(columns=wrong)
        whole = pd.concat([right, pd.DataFrame(parsed, index=frame.index)], axis=1)
        whole = whole[list(frame.columns)]
    every = whole.to_numpy(np.float64, na_value=np.nan)
    with np.errstate(over="ignore"):
        block = np.asfortranarray(every, dtype=dtype)
    return pd.DataFrame(block, index=frame.index, columns=frame.columns, copy=False)


def as_float(column: pd.Series) -> pd.Series:
    """Give the numbers of a column as float64, and NaN for what is none."""
    try:
        return pd.to_numeric(column, errors="coerce").astype(np.float64)
    except OverflowError:  # whole numbers of hundreds of digits; as text they become infinite
        return pd.to_numeric(column.astype("str"), errors="coerce").astype(np.float64)


def whole_numbers(values: ArrayLike, name: str, head: Head) -> NDArray[np.int64]:
    """Give a key as int64; FexError where it is missing, broken or too large to be exact."""
    given = np.asarray(values, np.float64)
    bad = np.flatnonzero(~(np.abs(given) < _EXACT_WHOLE) | (given != np.round(given)))
    if len(bad):
        raise FexError(
            f"{head.path}: the column {name!r} must hold whole numbers in every row, but has "
            f"{given[bad[0]]:g} in row {bad[0] + head.skip + 2}."
        )
    return given.astype(np.int64)
