"""Joining a user's table (subjects, conditions, trials) to the rows of a Fex."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Hashable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Literal

import pandas as pd

from facemt_analysis import schema
from facemt_analysis.errors import FexError

__all__ = ["Labels", "join_labels"]

Labels = pd.DataFrame | pd.Series | Mapping[Any, Any]
"""What :meth:`Fex.label` takes."""

_SHOWN = 5


def join_labels(
    frame: pd.DataFrame,
    table: Labels,
    on: str | Sequence[str] = "input",
    *,
    missing: Literal["raise", "warn", "ignore"] = "raise",
    reserved: Collection[str] = (),
) -> tuple[pd.DataFrame, list[str]]:
    """Left join with checks; the engine of :meth:`Fex.label`, which documents it.

    Parameters
    ----------
    frame
        Rows to label.
    table
        Labels, one row per key.
    on
        Key column or columns.
    missing
        What to do about keys of `frame` that `table` lacks.
    reserved
        Names that a label may not have.

    Returns
    -------
    tuple of DataFrame and list of str
        `frame` with the labels as last columns, same rows, order and index; their names.
    """
    if missing not in ("raise", "warn", "ignore"):
        raise FexError(f"`missing` must be 'raise', 'warn' or 'ignore', but got {missing!r}.")
    keys = [on] if isinstance(on, str) else list(on)
    absent = [key for key in keys if key not in frame.columns]
    if absent or not keys:
        raise FexError(
            f"`on` must name columns of the Fex, but got {on!r}; it has the keys and labels "
            f"{_some([c for c in frame.columns if schema.group_of(c) in ('keys', None)])}."
        )
    labels = _as_frame(table, keys)
    _check_names(labels.columns, frame.columns, reserved)
    lookup = labels.index
    if lookup.to_frame().isna().to_numpy().any():
        raise FexError(f"The key {on!r} of the table has missing values; remove those rows.")
    if lookup.has_duplicates:
        twice = lookup[lookup.duplicated()].unique()
        raise FexError(
            f"The table must have one row per {on!r}, but has several for {_some(twice)}."
        )
    key_frame = pd.DataFrame(frame)[keys]
    wanted = pd.Index(key_frame[keys[0]]) if len(keys) == 1 else pd.MultiIndex.from_frame(key_frame)
    rows = lookup.get_indexer(wanted)
    unmatched = list(wanted[rows < 0].unique())
    if unmatched and missing != "ignore":
        message = (
            f"The table has no labels for {len(unmatched)} of {wanted.nunique()} {on!r}: "
            f"{_some(unmatched)}; it has {_some(lookup)}.{_alike(unmatched, lookup)}"
        )
        if missing == "raise":
            raise FexError(f"{message} Add them, or pass missing='warn' or 'ignore'.")
        warnings.warn(message, UserWarning, stacklevel=3)
    # -1, a row number that is not there, makes reindex fill with missing values
    by_row = labels.reset_index(drop=True)
    taken = by_row.reindex(rows) if unmatched else by_row.take(rows)
    taken.index = frame.index
    return pd.concat([frame, taken], axis=1), list(taken.columns)


def _as_frame(table: Labels, keys: list[str]) -> pd.DataFrame:
    """Labels with the key columns as index, whatever form they came in."""
    if isinstance(table, pd.Series):
        if table.name is None:
            raise FexError("A Series of labels needs a name: it becomes the name of the column.")
        frame = table.to_frame()
    elif isinstance(table, pd.DataFrame):
        frame = pd.DataFrame(table)
    elif isinstance(table, Mapping):
        frame = _from_mapping(table, keys)
    else:
        raise FexError(
            "`table` must be a DataFrame, a Series or a mapping of recordings to labels, but got "
            f"{type(table).__name__}."
        )
    missing = [key for key in keys if key not in frame.columns]
    if not missing:
        frame = frame.set_index(keys)
    elif missing == keys and frame.index.nlevels == len(keys):
        named = [name for name in frame.index.names if name is not None]
        if named and named != keys:
            raise FexError(
                f"The table must have {_some(keys)} as a column or as its index, but its columns "
                f"are {_some(frame.columns)} and its index is {_some(named)}."
            )
        if isinstance(frame.index, pd.RangeIndex) and not named:
            raise FexError(
                f"The table must have the column {_some(keys)} to join on, but it has "
                f"{_some(frame.columns)}."
            )
        frame = frame.set_axis(frame.index.set_names(keys), axis=0)
    else:
        raise FexError(
            f"The table must have the columns {_some(keys)} to join on, but it has "
            f"{_some(frame.columns)}."
        )
    if not len(frame.columns):
        raise FexError("The table has no column besides the key; nothing to label with.")
    return frame


def _from_mapping(table: Mapping[Any, Any], keys: list[str]) -> pd.DataFrame:
    if all(key in table for key in keys):  # column name -> values
        try:
            return pd.DataFrame(dict(table))
        except ValueError as error:
            raise FexError(f"The mapping of columns is not a table: {error}.") from error
    if table and all(isinstance(v, (Mapping, pd.Series)) for v in table.values()):
        frame = pd.DataFrame([dict(v) for v in table.values()])
        if len(keys) == 1:
            frame.index = pd.Index(list(table), name=keys[0], dtype=object)
        else:
            frame.index = pd.MultiIndex.from_tuples(list(table), names=keys)
        return frame
    raise FexError(
        "A mapping of labels must be {recording: {label: value}} or {column: values} with the key "
        "among the columns; for one value per recording, pass pd.Series(mapping, name='label')."
    )


def _check_names(new: pd.Index, present: pd.Index, reserved: Collection[str]) -> None:
    """One error that names everything wrong with the names of the labels."""
    problems: list[str] = []
    taken = set(present)
    for name in new:
        if not isinstance(name, str):
            problems.append(f"{name!r} is not text")
        elif schema.group_of(name) is not None:
            problems.append(f"{name!r} is a column of the group {schema.group_of(name)!r}")
        elif name in taken:
            problems.append(f"{name!r} is already a column")
        elif name in reserved:
            problems.append(f"{name!r} is a property of a Fex")
    problems += [f"{name!r} is there twice" for name in new[new.duplicated()].unique()]
    if problems:
        raise FexError(f"Labels cannot be joined: {'; '.join(problems)}; rename these columns.")


def _alike(unmatched: Sequence[Hashable], known: pd.Index) -> str:
    """Hint at names that differ in folder, extension or case only."""
    stems = {PurePath(str(k)).stem.casefold(): k for k in known if isinstance(k, str)}
    for name in unmatched:
        other = stems.get(PurePath(name).stem.casefold()) if isinstance(name, str) else None
        if other is not None:
            return (
                f" {name!r} and {other!r} differ in folder, extension or case only: make the names "
                "equal."
            )
    return ""


def _some(values: Sequence[Hashable] | pd.Index) -> str:
    shown = ", ".join(repr(v) for v in list(values)[:_SHOWN])
    more = len(values) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown or "nothing"
