"""Left against right: pairs of blendshapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.checks import check_number, near_names, pick_columns
from facemt_analysis.errors import FexError, MissingGroupError
from facemt_analysis.measures.grouping import group_rows, tidy

__all__ = [
    "BLENDSHAPE_PAIRS",
    "asymmetry_index",
    "asymmetry_summary",
    "blendshape_asymmetry",
]

Floats = npt.NDArray[np.floating]

# The two of these are not one movement on two sides: the jaw and the mouth go to one side, and both
# eyes look to one side.
_SIDEWAYS = ("jaw", "mouth")

BLENDSHAPE_PAIRS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        stem: (f"{stem}Left", f"{stem}Right")
        for name in schema.BLENDSHAPES
        if name.endswith("Left")
        and (stem := name.removesuffix("Left")) not in _SIDEWAYS
        and not stem.startswith("eyeLook")
    }
)
"""Movement → its blendshapes on the subject's left and right."""


def asymmetry_index(left: Floats, right: Floats, gate: float = 0.1) -> Floats:
    """Give (left − right) / (left + right), where there is something to compare.

    Parameters
    ----------
    left, right
        Activity of both sides, 0 or more, of one shape.
    gate
        Activity that one side has to reach; else the index of two small numbers would be noise.

    Returns
    -------
    ndarray
        −1 (right side only) … 1 (left side only); NaN below the gate and where a side is missing.

    Examples
    --------
    >>> asymmetry_index(np.array([0.6, 0.05]), np.array([0.2, 0.01])).round(6).tolist()
    [0.5, nan]
    """
    total = left + right
    with np.errstate(invalid="ignore"):
        active = (np.fmax(left, right) >= gate) & (total > 0)
    return np.asarray(np.where(active, (left - right) / np.where(total > 0, total, 1.0), np.nan))


def blendshape_asymmetry(
    frame: pd.DataFrame,
    pairs: str | Iterable[str] | None = None,
    *,
    gate: float = 0.1,
) -> pd.DataFrame:
    """Measure the asymmetry of paired blendshapes in every row.

    Parameters
    ----------
    frame
        Table with blendshapes.
    pairs
        Movements of :data:`BLENDSHAPE_PAIRS`, e.g. ``"mouthSmile"``; default: all that the table
        has both sides of. Gaze (``eyeLook…``) and movements to one side (``jawLeft``,
        ``mouthLeft``) are no pairs.
    gate
        Coefficient that one side has to reach, 0…1.

    Returns
    -------
    DataFrame
        With the index of `frame`, one column per movement: (left − right) / (left + right), −1…1,
        + = stronger on the subject's left; NaN where both sides are below the gate.

    Raises
    ------
    FexError
        If a movement is unknown or a side of it missing; MissingGroupError without any pair.
    OptionError
        If the gate is outside 0…1.

    Notes
    -----
    Blendshapes of a head turned to one side are asymmetric for that alone; look at ``Yaw`` too.

    Examples
    --------
    >>> table = pd.DataFrame({"mouthSmileLeft": [0.6, 0.01], "mouthSmileRight": [0.2, 0.0]})
    >>> blendshape_asymmetry(table)["mouthSmile"].round(6).tolist()
    [0.5, nan]
    """
    gate = check_number("gate", gate, 0.0, 1.0)
    names = _pairs(frame, pairs)
    left, right = (
        frame[[BLENDSHAPE_PAIRS[n][k] for n in names]].to_numpy(np.float64, na_value=np.nan)
        for k in (0, 1)
    )
    return pd.DataFrame(asymmetry_index(left, right, gate), index=frame.index, columns=names)


def asymmetry_summary(
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    *,
    pairs: str | Iterable[str] | None = None,
    gate: float = 0.1,
) -> pd.DataFrame:
    """Summarise the asymmetry of paired blendshapes.

    Parameters
    ----------
    frame
        Table with blendshapes.
    by
        Columns to group by; None: each track of each recording.
    pairs, gate
        As for :func:`blendshape_asymmetry`.

    Returns
    -------
    DataFrame
        One row per group and movement: its keys, ``feature`` (the movement), ``left``, ``right``
        (mean coefficients over all valid time), ``asymmetry`` (mean index over the time in which
        one side reaches the gate), ``asymmetry_abs`` (mean of its size), ``active_share`` (that
        time as a share of the valid time), ``n_frames``, ``n_valid``, ``seconds``.

    Raises
    ------
    FexError, OptionError
        As :func:`blendshape_asymmetry`, or if a column to group by is absent.

    Examples
    --------
    >>> table = pd.DataFrame({"time": [0.0, 0.1, 0.2], "mouthSmileLeft": [0.6, 0.6, 0.0],
    ...                       "mouthSmileRight": [0.2, 0.2, 0.0]})
    >>> asymmetry_summary(table)[["asymmetry", "active_share"]].round(3).to_dict("records")
    [{'asymmetry': 0.5, 'active_share': 0.667}]
    """
    index = blendshape_asymmetry(frame, pairs, gate=gate)
    names = index.columns.tolist()
    rows = group_rows(frame, by)
    values = index.to_numpy()[rows.parts.order]
    columns = []
    for k, name in enumerate(names):
        left, right = rows.parts.values(frame, BLENDSHAPE_PAIRS[name]).T
        valid = ~np.isnan(left + right)
        columns.append(
            {
                "left": rows.mean(np.where(valid, left, np.nan)),
                "right": rows.mean(np.where(valid, right, np.nan)),
                "asymmetry": rows.mean(values[:, k]),
                "asymmetry_abs": rows.mean(np.abs(values[:, k])),
                "active_share": rows.mean(np.where(valid, ~np.isnan(values[:, k]), np.nan)),
                "n_frames": rows.n_frames,
                "n_valid": rows.count(valid),
                "seconds": rows.seconds(valid),
            }
        )
    return tidy(rows.table(), names, columns)


def _pairs(frame: pd.DataFrame, pairs: str | Iterable[str] | None) -> list[str]:
    present = set(pick_columns(frame, group="blendshapes"))
    complete = [name for name, sides in BLENDSHAPE_PAIRS.items() if present >= set(sides)]
    if pairs is None:
        if not complete:
            raise MissingGroupError(
                "Asymmetry needs both sides of a movement, e.g. mouthSmileLeft and "
                f"mouthSmileRight, but the table has {', '.join(sorted(present))}."
            )
        return complete
    wanted = [pairs] if isinstance(pairs, str) else list(dict.fromkeys(pairs))
    if not wanted:
        raise FexError("`pairs` must name at least one movement, but got none.")
    for name in wanted:
        if name not in BLENDSHAPE_PAIRS:
            raise FexError(
                f"`pairs`: there is no movement {name!r} with two sides."
                f"{near_names(name, BLENDSHAPE_PAIRS)} There is: {', '.join(BLENDSHAPE_PAIRS)}."
            )
        if name not in complete:
            raise FexError(f"`pairs`: the table lacks a side of {name!r}: it needs "
                           f"{' and '.join(BLENDSHAPE_PAIRS[name])}.")  # fmt: skip
    return wanted
