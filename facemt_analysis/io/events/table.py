"""The form of a table of events, which every annotation file is read into and written from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from facemt_analysis.errors import FexError
from facemt_analysis.io._selection import shorten
from facemt_analysis.io._text import as_float

__all__ = [
    "EVENT_COLUMNS",
    "as_events",
    "check_free",
    "finite",
    "make_events",
    "one_recording",
    "tiers",
    "value_of",
]

EVENT_COLUMNS = ("input", "track", "feature", "label", "onset", "offset", "duration")
"""What a table of events has, in this order; `track` only where it is known."""

_TEXT = ("input", "feature", "label")
_CLOCK = ("onset", "offset", "duration")
_LARGEST = 2**53  # whole numbers up to here are exact in floating point


def as_events(table: pd.DataFrame) -> pd.DataFrame:
    """Complete a table of events: column order, types, the one of offset and duration that lacks.

    Parameters
    ----------
    table
        Needs ``onset`` and one of ``offset`` and ``duration``, in seconds; ``fex.au.events()`` and
        ``fex.emotion.bouts()`` are such tables. ``feature`` (what happens: ``AU12``, a tier) and
        ``label`` (the words of an annotation) stand for each other where one is absent.

    Returns
    -------
    DataFrame
        ``input``, ``track`` (whole number, where there is one), ``feature``, ``label``, ``onset``,
        ``offset``, ``duration``, then all further columns; an index from 0.

    Raises
    ------
    FexError
        If a column is absent, a time is not a finite number, or an event ends before it begins.

    Examples
    --------
    >>> as_events(pd.DataFrame({"onset": [1.0], "duration": [0.5], "feature": "AU12"}))
       input feature label  onset  offset  duration
    0          AU12  AU12    1.0     1.5       0.5
    """
    plain = pd.DataFrame(table).reset_index(drop=True)
    for needed in (("onset",), ("offset", "duration")):
        if not set(needed) & set(plain.columns):
            raise FexError(
                f"A table of events needs the column {' or '.join(map(repr, needed))}, but has "
                f"{shorten(plain.columns, 20)}."
            )
    for name in _CLOCK:
        if name in plain:
            seconds = finite(plain[name], name, "number of seconds")
            plain = plain.assign(**{name: seconds})
    if "offset" not in plain:
        plain = plain.assign(offset=plain["onset"] + plain["duration"])
    if "duration" not in plain:
        plain = plain.assign(duration=plain["offset"] - plain["onset"])
    if len(back := plain[plain["offset"] < plain["onset"]]):
        row = back.iloc[0]
        raise FexError(
            f"{len(back)} events end before they begin; the first in row {back.index[0]}, from "
            f"{row['onset']:g} to {row['offset']:g} s."
        )
    named = next((c for c in ("feature", "label") if c in plain), None)
    for name in _TEXT:
        if name not in plain:
            plain = plain.assign(**{name: "" if name == "input" or not named else plain[named]})
        plain = plain.assign(**{name: plain[name].astype(str).mask(plain[name].isna(), "")})
    if "track" in plain:
        plain = plain.assign(track=_whole(plain["track"], "track"))
    first = [c for c in EVENT_COLUMNS if c in plain]
    return plain[[*first, *(c for c in plain.columns if c not in first)]]


def finite(column: pd.Series, name: str, what: str) -> pd.Series:
    """Give a column as finite numbers; FexError that names the column where there are others."""
    values = as_float(column)
    if bad := int((~np.isfinite(values)).sum()):
        raise FexError(f"`{name}` must be a finite {what}, but is not in {bad} rows.")
    return values


def _whole(column: pd.Series, name: str) -> pd.Series:
    """Give a column as whole numbers or missing."""
    values = as_float(column)
    bad = values.isna() != column.isna()
    bad |= values.notna() & ~((values.abs() < _LARGEST) & (values == values.round()))
    if bad.any():
        raise FexError(
            f"`{name}` must hold whole numbers or nothing, but has "
            f"{column[bad].iloc[0]!r:.80} in row {bad.idxmax()}."
        )
    return values.astype("Int64")


def make_events(rows: pd.DataFrame | Iterable[Mapping[str, Any]], recording: str) -> pd.DataFrame:
    """Make a table of the events of one file, in the order of their onsets."""
    table = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
    if not len(table):
        table = pd.DataFrame({"feature": [], "label": [], "onset": [], "offset": []})
    table = as_events(table.assign(input=recording))
    return table.sort_values(["onset", "offset"], kind="stable", ignore_index=True)


def one_recording(events: pd.DataFrame, what: str) -> pd.DataFrame:
    """Complete a table that is to become one file; FexError if it is of several recordings."""
    table = as_events(events)
    names = table["input"].unique()
    if len(names) > 1:
        raise FexError(
            f"{what} is of one recording, but the events are of {len(names)} recordings "
            f"({shorten(names, 3)}); write a file for each, e.g. with events.groupby('input')."
        )
    return table


def value_of(table: pd.DataFrame, value: str) -> pd.Series:
    """Words of the annotations: the column asked for.

    Raises
    ------
    FexError
        If there is no such column.
    """
    if value not in table:
        raise FexError(
            f"`value` must be a column of the events, but got {value!r}; they have "
            f"{shorten(table.columns, 20)}."
        )
    column = table[value]
    if pd.api.types.is_float_dtype(column.dtype):
        return column.map(lambda number: f"{number:.6g}", na_action="ignore").fillna("")
    return column.fillna("").astype(str) if column.dtype == object else column.astype(str)


def tiers(table: pd.DataFrame, tier: str) -> Iterator[tuple[str, int | None, pd.DataFrame]]:
    """Tiers of an annotation file, one for each value of a column and each track.

    Yields
    ------
    tuple
        Name (``AU12``; ``AU12@1`` for a track where there are several), track, rows by onset.

    Raises
    ------
    FexError
        If there is no such column.
    """
    if tier not in table:
        raise FexError(
            f"`tier` must be a column of the events, but got {tier!r}; they have "
            f"{shorten(table.columns, 20)}."
        )
    several = "track" in table and len(table["track"].unique()) > 1
    for name, rows in table.groupby(tier, sort=False, observed=True, dropna=False):
        ordered = rows.sort_values("onset", kind="stable")
        if not several:
            track = rows["track"].iloc[0] if "track" in rows else None
            yield str(name) or "events", None if pd.isna(track) else int(track), ordered
            continue
        for number in ordered["track"].unique():
            known = not pd.isna(number)
            part = ordered[ordered["track"] == number if known else ordered["track"].isna()]
            full = f"{name}@{number}" if known else str(name)
            yield full, int(number) if known else None, part


def check_free(rows: pd.DataFrame, name: str, what: str) -> None:
    """Raise FexError for what annotation programs do not allow: overlap, times before 0."""
    if rows["onset"].iloc[0] < 0:
        raise FexError(
            f"Times of {what} begin at 0 s, but in {name!r} an event begins at "
            f"{rows['onset'].iloc[0]:g} s."
        )
    late = np.flatnonzero(rows["onset"].to_numpy()[1:] < rows["offset"].to_numpy()[:-1] - 1e-9)
    if len(late):
        row = rows.iloc[late[0] + 1]
        raise FexError(
            f"A tier of {what} cannot hold overlapping events, but in {name!r} one begins at "
            f"{row['onset']:g} s before the one before it ends; give a finer `tier`."
        )
