"""Valence and arousal on the circumplex: where, how long, which way."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis import schema
from facemt_analysis.checks import check_number, pick_columns
from facemt_analysis.measures.grouping import complete, divided, group_rows

__all__ = ["QUADRANTS", "VA", "affect_quadrants", "affect_trajectory", "quadrant_codes"]

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]

VA = ["valence", "arousal"]

QUADRANTS = (
    "pleasant_active", "unpleasant_active", "unpleasant_calm", "pleasant_calm", "neutral",
)  # fmt: skip
"""Regions of the circumplex: quadrants, counter-clockwise, and the disc in the middle."""


def quadrant_codes(va: Floats, neutral: float) -> Positions:
    """Region of each row: position in :data:`QUADRANTS`; −1 where valence or arousal is NaN.

    Parameters
    ----------
    va
        Shape (n, 2).
    neutral
        Radius of the disc in the middle; 0: none.
    """
    radius = check_number("neutral", neutral, 0.0, np.sqrt(2.0))
    pleasant, active = va[:, 0] >= 0, va[:, 1] >= 0
    code = np.where(active, np.where(pleasant, 0, 1), np.where(pleasant, 3, 2))
    code = np.where(np.hypot(va[:, 0], va[:, 1]) < radius, 4, code)
    return np.where(complete(va), code, -1).astype(np.intp)


def affect_quadrants(frame: pd.DataFrame, *, neutral: float = 0.1) -> pd.Series:
    """Name the region of the circumplex each row is in.

    Parameters
    ----------
    frame
        Rows with ``valence`` and ``arousal``.
    neutral
        Rows closer than this to the origin are ``"neutral"``; 0: none is.

    Returns
    -------
    Series
        ``quadrant``, categorical (:data:`QUADRANTS`), with the index of `frame`; missing where
        there is no face. A value of exactly 0 counts as pleasant or active.

    Raises
    ------
    FexError
        If valence or arousal is missing.
    OptionError
        If the radius cannot be.

    References
    ----------
    Russell, J. A. (1980). A circumplex model of affect. J. Pers. Soc. Psychol., 39(6), 1161-1178.
        https://doi.org/10.1037/h0077714

    Examples
    --------
    >>> table = pd.DataFrame({"valence": [0.5, -0.5, 0.02], "arousal": [0.3, -0.1, 0.01]})
    >>> affect_quadrants(table).tolist()
    ['pleasant_active', 'unpleasant_calm', 'neutral']
    """
    pick_columns(frame, VA, group="va")
    values = pd.DataFrame(frame)[VA].to_numpy(np.float64, na_value=np.nan)
    codes = quadrant_codes(values, neutral)
    return pd.Series(
        pd.Categorical.from_codes(codes, categories=pd.Index(QUADRANTS)),
        index=frame.index,
        name="quadrant",
    )


def affect_trajectory(frame: pd.DataFrame, *, hz: float | None = None) -> pd.DataFrame:
    """Give the path on the circumplex: position, distance, direction and speed at each time.

    Parameters
    ----------
    frame
        Rows in any order, with ``time``, ``valence`` and ``arousal``.
    hz
        Samples per second to bring it to first (:func:`facemt_analysis.signal.resample`, which
        filters before it thins out). Default: the frames as they are.

    Returns
    -------
    DataFrame
        One row per frame or sample with a face, by recordings, tracks and time: the keys that the
        table has, ``valence``, ``arousal``, ``distance`` (from the origin), ``angle`` (rad, from
        pleasant counter-clockwise to active, −π to π), ``speed`` (units per second from the row
        before to this one; NaN after a gap, at a start and beside NaN).

    Raises
    ------
    FexError
        If valence, arousal or time is missing, or time goes backwards.

    Examples
    --------
    >>> table = pd.DataFrame({"time": [0, 0.5], "valence": [0, 0.3], "arousal": [0.0, 0.4]})
    >>> affect_trajectory(table).round(3).iloc[-1].tolist()
    [0.5, 0.3, 0.4, 0.5, 0.927, 1.0]
    """
    pick_columns(frame, VA, group="va")
    keys = [c for c in schema.KEYS if c in frame.columns]
    plain = pd.DataFrame(frame)[[*keys, *VA]]
    if hz is not None:
        from facemt_analysis.signal.resampling import resample

        plain = pd.DataFrame(resample(plain, hz))
        keys = [c for c in keys if c in plain.columns]
    rows = group_rows(plain, need_time=True)
    out = plain[keys].iloc[rows.parts.order].reset_index(drop=True)
    values = rows.parts.values(plain, VA)
    follows = rows.pairs(complete(values))
    moved = np.hypot(*np.diff(values, axis=0, prepend=np.nan).T)
    out["valence"], out["arousal"] = values.T
    out["distance"] = np.hypot(values[:, 0], values[:, 1])
    out["angle"] = np.arctan2(values[:, 1], values[:, 0])
    out["speed"] = np.where(follows, divided(moved, rows.parts.since), np.nan)
    return out
