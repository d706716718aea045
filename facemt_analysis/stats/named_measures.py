"""Measures by name, for summaries and tests: what a recording gives beside means of columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.checks import near_names
from facemt_analysis.errors import FexError, OptionError

__all__ = ["Measure", "Measures", "available_measures", "measure_units"]

Measure = Callable[[pd.DataFrame], Any]
"""A function of the rows of one recording: a number, or a Series or mapping of named numbers."""

Measures = str | Measure | Sequence[str | Measure] | Mapping[str, Measure]
"""What ``measures=`` takes."""

# prefix -> (function of facemt_analysis.measures, example, whether it has a row per feature)
_SUMMARIES = {
    "au": ("au_summary", "au.rate", True),
    "emotion": ("emotion_summary", "emotion.share", True),
    "expressivity": ("expressivity", "expressivity.soft", True),
    "affect": ("affect_summary", "affect.path_length", False),
    "gaze": ("gaze_summary", "gaze.dispersion", False),
    "pose": ("pose_motion", "pose.speed_mean", False),
    "blink": ("blink_summary", "blink.rate", False),
    "mesh": ("mesh_summary", "mesh", False),
    "asymmetry": ("asymmetry_summary", "asymmetry", True),
}
_OF_GROUP = {"aus": "au", "emotions": "emotion"}
_BOOKKEEPING = {"n_frames", "n_valid", "seconds", "n_pairs", "spectrum_seconds", "bin_size"}


def available_measures() -> pd.DataFrame:
    """List the measures that can be asked for by name.

    Returns
    -------
    DataFrame
        ``name``, ``function`` (of :mod:`facemt_analysis.measures`; it says what its columns mean)
        and ``example``. ``"affect"`` is every column of its function, ``"affect.path_length"`` one;
        ``"au.rate"`` is the rate of every action unit, ``"AU12.rate"`` that of one.

    Examples
    --------
    >>> available_measures().iloc[0].tolist()
    ['au', 'au_summary', 'au.rate']
    """
    rows = [(name, function, example) for name, (function, example, _) in _SUMMARIES.items()]
    return pd.DataFrame(rows, columns=["name", "function", "example"])


def measure_units(
    frame: pd.DataFrame, measures: Measures, keys: Sequence[str], units: pd.DataFrame
) -> pd.DataFrame:
    """Evaluate measures on every unit.

    Parameters
    ----------
    frame
        Rows of the table.
    measures
        As in :func:`summarize`.
    keys
        Columns that tell the units apart.
    units
        The units, one row each, with the columns `keys`.

    Returns
    -------
    DataFrame
        One row per unit in the order of `units`; one float64 column per measure.
    """
    parts = [
        _named(frame, item, keys, units)
        if isinstance(item, str)
        else _called(frame, name, item, keys)
        for name, item in _listed(measures)
    ]
    columns = [c for part in parts for c in part.columns]
    twice = sorted({c for c in columns if columns.count(c) > 1})
    if twice:
        raise FexError(f"`measures`: {twice[0]!r} is there twice; give the measures names.")
    return pd.concat(parts, axis=1)


def _listed(measures: Measures) -> list[tuple[str | None, str | Measure]]:
    if isinstance(measures, Mapping):
        items: list[tuple[str | None, Any]] = list(measures.items())
    elif isinstance(measures, str) or callable(measures):
        items = [(None, measures)]
    else:
        items = [(None, item) for item in measures]
    if not items:
        raise OptionError("`measures` must name at least one measure, but got none.")
    for _, item in items:
        if not isinstance(item, str) and not callable(item):
            raise OptionError(f"`measures` must be names or functions, but got {item!r:.60}.")
        if isinstance(item, str) and _prefix(item) not in _SUMMARIES:
            known = ", ".join(example for _, example, _ in _SUMMARIES.values())
            raise OptionError(
                f"`measures`: there is no measure {item!r}.{near_names(item, _SUMMARIES)} "
                f"There is: {known}, AU12.rate …; or give a function."
            )
    return items


def _called(
    frame: pd.DataFrame, name: str | None, measure: Measure, keys: Sequence[str]
) -> pd.DataFrame:
    """Call a function on the rows of every unit, in the order of their first rows."""
    label: str = name or str(getattr(measure, "__name__", "measure"))
    grouping: Any = [frame[k] for k in keys]
    rows: list[dict[str, float]] = []
    for _, part in frame.groupby(grouping, sort=False, observed=True, dropna=False):
        value = measure(part)
        if isinstance(value, (pd.Series, Mapping)):
            prefix = f"{name}." if name else ""
            rows.append({f"{prefix}{key}": float(v) for key, v in value.items()})
        elif np.ndim(value) == 0:
            rows.append({label: float(value)})
        else:
            raise FexError(
                f"Measure {label!r} must give a number or a Series of named numbers per recording, "
                f"but gave {type(value).__name__}."
            )
    return pd.DataFrame(rows, dtype=np.float64)


def _prefix(name: str) -> str:
    first = name.split(".")[0]
    return _OF_GROUP.get(schema.group_of(first) or "", first)


def _named(
    frame: pd.DataFrame, name: str, keys: Sequence[str], units: pd.DataFrame
) -> pd.DataFrame:
    """Call a summary of the measures once for all units."""
    from facemt_analysis import measures

    first, _, column = name.partition(".")
    prefix = _prefix(name)
    function, _, long = _SUMMARIES[prefix]
    table: pd.DataFrame = getattr(measures, function)(frame, by=list(keys))
    fixed = {*keys, "feature", *_BOOKKEEPING}
    given = [c for c in table.columns if c not in fixed and pd.api.types.is_numeric_dtype(table[c])]
    if column and column not in given:
        raise OptionError(
            f"`measures`: {prefix!r} has no {column!r}.{near_names(column, given)} "
            f"There is: {', '.join(given)}."
        )
    wanted = [column] if column else given
    if not long:
        wide = table[[*keys, *wanted]].rename(columns={c: f"{prefix}.{c}" for c in wanted})
    else:
        if first != prefix:  # one feature
            table = table[table["feature"] == first]
        parts = [
            table.loc[table["feature"] == f, [*keys, *wanted]].rename(
                columns={c: f"{f}.{c}" for c in wanted}
            )
            for f in table["feature"].drop_duplicates()
        ]
        wide = units
        for part in parts:
            wide = wide.merge(part, how="left", on=list(keys))
    full = units.merge(wide, how="left", on=list(keys))
    return full.drop(columns=list(keys)).astype(np.float64)
