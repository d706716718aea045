"""Measures by name, for summaries and tests: what a recording gives beside means of columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from facemt_analysis.checks import near_names
from facemt_analysis.errors import FexError, OptionError

__all__ = ["Measure", "Measures", "available_measures", "measure_units"]

Measure = Callable[[pd.DataFrame], Any]
"""A function of the rows of one recording: a number, or a Series or mapping of named numbers."""

Measures = str | Measure | Sequence[str | Measure] | Mapping[str, Measure]
"""What ``measures=`` takes."""

# name -> (function of facemt_analysis.measures, what it gives)
_SUMMARIES: dict[str, tuple[str, str]] = {}


def available_measures() -> pd.DataFrame:
    """List the measures that can be asked for by name.

    Returns
    -------
    DataFrame
        ``name``, ``function`` (in :mod:`facemt_analysis.measures`) and ``meaning``.

    Examples
    --------
    >>> available_measures().columns.tolist()
    ['name', 'function', 'meaning']
    """
    rows = [(name, function, meaning) for name, (function, meaning) in _SUMMARIES.items()]
    return pd.DataFrame(rows, columns=["name", "function", "meaning"])


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
        if isinstance(item, str) and item not in _SUMMARIES:
            known = ", ".join(_SUMMARIES)
            raise OptionError(
                f"`measures`: there is no measure {item!r}.{near_names(item, _SUMMARIES)} "
                f"There is: {known}; or give a function."
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


def _named(
    frame: pd.DataFrame, name: str, keys: Sequence[str], units: pd.DataFrame
) -> pd.DataFrame:
    raise NotImplementedError
