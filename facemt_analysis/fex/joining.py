"""Putting recordings together and picking some of them out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from facemt_analysis.errors import FexError

__all__ = ["join_recordings", "pick_recordings"]

_SHOWN = 8


def join_recordings(
    tables: Iterable[pd.DataFrame] | Mapping[str, pd.DataFrame],
) -> list[pd.DataFrame]:
    """Check that tables hold different frames, and rename recordings by the keys of a mapping.

    The engine of :meth:`Fex.concat`, which documents it.

    Raises
    ------
    FexError
        If there is no table, one is not a DataFrame, or the same frames of a recording are in two.
    """
    given: object = tables
    if isinstance(given, pd.DataFrame):
        raise FexError("`tables` must be several tables, but got one; put them into a list.")
    if isinstance(tables, Mapping):
        parts = [_renamed(key, _checked(table)) for key, table in tables.items()]
    else:
        parts = [_checked(table) for table in tables]
    if not parts:
        raise FexError("`tables` must hold at least one table, but got none.")
    if len(parts) > 1:
        _check_names(parts)
    return parts


def pick_recordings(
    frame: pd.DataFrame,
    recordings: str | Iterable[str] | None = None,
    tracks: int | Iterable[int] | None = None,
) -> pd.DataFrame:
    """Keep the rows of some recordings and tracks; the engine of :meth:`Fex.select`."""
    keep = np.ones(len(frame), dtype=np.bool_)
    for column, wanted, name in (("input", recordings, "recordings"), ("track", tracks, "tracks")):
        if wanted is None:
            continue
        if column not in frame.columns:
            raise FexError(f"`{name}` needs the column {column!r}, which the table does not have.")
        values = [wanted] if isinstance(wanted, (str, int, np.integer)) else list(wanted)
        there = list(frame[column].dropna().unique())
        for value in values:
            if value not in there:
                near = difflib.get_close_matches(str(value), [str(t) for t in there], n=2)
                hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
                raise FexError(
                    f"`{name}`: there is no {column} {value!r}.{hint} There is: {_some(there)}."
                )
        keep &= frame[column].isin(values).to_numpy(np.bool_)
    return frame[keep]


def _checked(table: pd.DataFrame) -> pd.DataFrame:
    if not isinstance(table, pd.DataFrame):
        raise FexError(f"`tables` must hold tables, but got {type(table).__name__}.")
    return table


def _renamed(key: str, table: pd.DataFrame) -> pd.DataFrame:
    if "input" not in table.columns:
        return table.assign(input=key)
    return table.assign(input=key + "/" + table["input"].astype(str))


def _check_names(parts: list[pd.DataFrame]) -> None:
    """Raise if two tables have frames of one name in common."""
    unnamed = sum("input" not in part.columns for part in parts)
    if unnamed:
        raise FexError(
            f"{unnamed} of {len(parts)} tables have no column 'input' that names the recording; "
            "give a mapping of names to tables."
        )
    known: dict[str, list[pd.DataFrame]] = {}
    for part in parts:
        own = pd.DataFrame(part)
        for name, rows in own.groupby("input", observed=True, sort=False):
            for other in known.get(str(name), ()):
                if _share_frames(rows, other):
                    raise FexError(
                        f"Two tables have the same frames of a recording {name!r}. If these are "
                        "different recordings, give a mapping: {'day1': fex, 'day2': other} names "
                        f"them 'day1/{name}' and 'day2/{name}'."
                    )
            known.setdefault(str(name), []).append(rows)


def _share_frames(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    if "frame" not in one.columns or "frame" not in other.columns:
        return True
    return bool(one["frame"].isin(other["frame"]).any())


def _some(values: list[object]) -> str:
    more = len(values) - _SHOWN
    text = ", ".join(str(v) for v in values[:_SHOWN]) or "none"
    return f"{text} and {more} more" if more > 0 else text
