"""Checks of what a user passes in: what was expected, what came, what to do."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.errors import FexError, MissingGroupError, OptionError

__all__ = [
    "check_labels",
    "check_number",
    "check_option",
    "check_whole",
    "near_names",
    "pick_columns",
]

_SHOWN = 12


def near_names(name: object, known: Iterable[object]) -> str:
    """Hint at names like the one asked for; empty if there is none.

    >>> near_names("Valenz", ["valence", "arousal"])
    " Did you mean 'valence'?"
    >>> near_names("au2", ["AU01", "AU02", "AU12"])
    " Did you mean 'AU02'?"
    """
    folded = {str(k).casefold(): str(k) for k in known}
    asked = re.sub(r"^au(?=\d(?!\d))", "au0", str(name).casefold())  # numbers have two digits
    found = (
        [asked]
        if asked in folded
        else difflib.get_close_matches(asked, list(folded), n=3, cutoff=0.7)
    )
    names = [repr(folded[key]) for key in found]
    return f" Did you mean {' or '.join(names)}?" if names else ""


def pick_columns(
    frame: pd.DataFrame,
    columns: str | Iterable[str] | None = None,
    *,
    group: str | None = None,
    name: str = "columns",
) -> list[str]:
    """Resolve which columns a function works on.

    Parameters
    ----------
    frame
        The table.
    columns
        One name or several; None means all columns of `group` that the table has, or, without a
        group, all its features.
    group
        Feature group the columns have to belong to; any column will do if None.
    name
        The parameter a message speaks of.

    Returns
    -------
    list of str
        At least one column, each once, in the order asked for (canonical order for None).

    Raises
    ------
    MissingGroupError
        If None was given and the table has no column of the group.
    FexError
        If a column is not there, or not of the group. The message offers near names.

    Examples
    --------
    >>> frame = pd.DataFrame({"AU12": [0.5], "AU06": [0.1], "subject": [1]})
    >>> pick_columns(frame, group="aus")
    ['AU06', 'AU12']
    >>> pick_columns(frame, "AU6", group="aus", name="aus")
    Traceback (most recent call last):
    facemt_analysis.errors.FexError: `aus`: there is no column 'AU6'. Did you mean 'AU06'? There is: AU06, AU12.
    """  # noqa: E501
    present = frame.columns.tolist()
    if group is None:
        candidates = schema.feature_columns(present)
    else:
        candidates = schema.columns_in(group, present)
    if columns is None:
        if not candidates:
            raise MissingGroupError(
                f"The table has no column of {'any feature group' if group is None else group!r}; "
                f"it has {_listed(present)}."
                + ("" if group is None else f" They come from {schema.GROUPS[group].source}.")
            )
        return candidates
    wanted = [columns] if isinstance(columns, str) else list(dict.fromkeys(columns))
    if not wanted:
        raise FexError(f"`{name}` must name at least one column, but got none.")
    allowed = present if group is None else candidates
    known = set(allowed)
    for column in wanted:
        if column not in known:
            where = "column" if group is None or column not in present else f"column of {group!r}"
            raise FexError(
                f"`{name}`: there is no {where} {column!r}.{near_names(column, allowed)} "
                f"There is: {_listed(allowed)}."
            )
    return wanted


def check_labels(
    frame: pd.DataFrame, labels: str | Iterable[str] | None, *, name: str = "by"
) -> list[str]:
    """Resolve columns to group by: any columns of the table; None and empty mean none.

    Raises
    ------
    FexError
        If a column is not there; the message offers near names and says how to add labels.
    """
    wanted = [] if labels is None else [labels] if isinstance(labels, str) else list(labels)
    present = frame.columns.tolist()
    for label in wanted:
        if label not in present:
            there = [c for c in present if schema.group_of(c) in ("keys", None)]
            raise FexError(
                f"`{name}`: there is no column {label!r}.{near_names(label, there)} The table has "
                f"the keys and labels {_listed(there)}; add labels with fex.label(table)."
            )
    return list(dict.fromkeys(wanted))


def check_option(name: str, value: object, options: Sequence[object]) -> None:
    """Raise OptionError unless the value is one of the options.

    >>> check_option("kind", "spline", ("linear", "pchip"))
    Traceback (most recent call last):
    facemt_analysis.errors.OptionError: `kind` must be 'linear' or 'pchip', but got 'spline'.
    """
    if not any(value is o or (type(value) is type(o) and value == o) for o in options):
        texts = [repr(option) for option in options]
        allowed = f"{', '.join(texts[:-1])} or {texts[-1]}" if len(texts) > 1 else texts[0]
        raise OptionError(f"`{name}` must be {allowed}, but got {value!r:.60}.")


def check_number(
    name: str,
    value: object,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    open_low: bool = False,
    open_high: bool = False,
    unit: str = "",
) -> float:
    """Validate a finite number in a range (closed, unless an end is said to be open).

    >>> check_number("max_gap", 0.2, 0.0, unit="s")
    0.2
    >>> check_number("max_gap", -1, 0.0, unit="s")
    Traceback (most recent call last):
    facemt_analysis.errors.OptionError: `max_gap` must be at least 0 s, but got -1.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        raise OptionError(f"`{name}` must be a number, but got {value!r:.60}.")
    number = float(value)
    below = number <= low if open_low else number < low
    above = number >= high if open_high else number > high
    if math.isfinite(number) and not below and not above:
        return number
    after = f" {unit}" if unit else ""
    parts = []
    if math.isfinite(low):
        parts.append(f"{'above' if open_low else 'at least'} {low:g}")
    if math.isfinite(high):
        parts.append(f"{'below' if open_high else 'at most'} {high:g}")
    must = " and ".join(parts) if parts else "finite"
    raise OptionError(f"`{name}` must be {must}{after}, but got {number:g}.")


def check_whole(name: str, value: object, low: int = 0) -> int:
    """Validate a whole number that is not below `low`.

    >>> check_whole("order", 4, 1)
    4
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise OptionError(f"`{name}` must be a whole number, but got {value!r:.60}.")
    if value < low:
        raise OptionError(f"`{name}` must be at least {low}, but got {value}.")
    return int(value)


def _listed(names: Sequence[object]) -> str:
    shown = ", ".join(str(name) for name in names[:_SHOWN]) or "none"
    more = len(names) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
