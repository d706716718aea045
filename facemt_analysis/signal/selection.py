"""Choosing rows: by a condition in words, a column, a mapping or a mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_list_like

from facemt_analysis.checks import check_labels
from facemt_analysis.errors import FexError

__all__ = ["Where", "select_rows", "where_text"]

Where = str | Mapping[str, Any] | Sequence[bool] | NDArray[np.bool_] | pd.Series
"""A condition as for ``DataFrame.query`` or the name of a column of booleans; ``{column: value}``
or ``{column: [values]}``, all of which have to hold; or one boolean per row."""


def select_rows(frame: pd.DataFrame, where: Where, *, name: str = "where") -> NDArray[np.bool_]:
    """Find the rows for which a condition holds.

    Parameters
    ----------
    frame
        The table.
    where
        See :data:`Where`. A Series counts by position. Missing values do not hold.
    name
        The parameter a message speaks of.

    Returns
    -------
    ndarray
        Booleans, shape (n,).

    Raises
    ------
    FexError
        If a column is absent, the condition cannot be read, or it does not give booleans.

    Examples
    --------
    >>> table = pd.DataFrame({"Yaw": [0.1, -0.7], "condition": ["rest", "film"]})
    >>> select_rows(table, "abs(Yaw) > 0.5").tolist()
    [False, True]
    >>> select_rows(table, {"condition": "rest"}).tolist()
    [True, False]
    """
    plain = pd.DataFrame(frame)
    if isinstance(where, Mapping):
        holds = np.ones(len(plain), dtype=np.bool_)
        for column in check_labels(plain, list(where), name=name):
            wanted = where[column] if is_list_like(where[column]) else [where[column]]
            holds &= plain[column].isin(list(wanted)).to_numpy(np.bool_)
        return holds
    found: Any = where
    if isinstance(where, str):
        found = plain[where] if where in plain.columns else _read(plain, where, name)
    if not is_list_like(found) or len(found) != len(plain):
        raise FexError(
            f"`{name}` must give one boolean for each of the {len(plain)} rows, but gave "
            f"{len(found) if is_list_like(found) else repr(found)}."
        )
    values = pd.Series(found)
    if not is_bool_dtype(values.dtype):
        raise FexError(f"`{name}` must give booleans, but gave {values.dtype}.")
    return values.to_numpy(np.bool_, na_value=False)


def _read(frame: pd.DataFrame, text: str, name: str) -> Any:
    try:
        found = frame.eval(text, engine="python")
        if isinstance(found, pd.DataFrame):
            raise ValueError("it assigns instead of comparing: write ==")
        return found
    except Exception as error:  # pandas raises whatever its parser meets
        raise FexError(
            f"`{name}`: cannot make sense of {text!r} ({error}); write a condition on columns of "
            "the table, such as 'FaceScore < 0.7 or abs(Yaw) > 0.6'."
        ) from error


def where_text(where: Any) -> Any:
    """Form of a condition that a log can keep: as it is, or how many rows it chose."""
    if where is None or isinstance(where, (str, Mapping)):
        return where
    return f"{int(np.asarray(where, dtype=np.bool_).sum())} rows"
