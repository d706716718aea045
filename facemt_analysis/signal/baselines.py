"""Signals relative to a person's own neutral face."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.checks import check_labels, check_number, check_option, check_whole
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.signal.columns import PIXEL_GROUPS, signal_columns, with_values
from facemt_analysis.signal.segments import Segments, cut
from facemt_analysis.signal.selection import Where, select_rows

__all__ = ["BaselineMethod", "BaselineMode", "baseline", "check_window", "standardize"]

Floats = NDArray[np.float64]
Frame = TypeVar("Frame", bound=pd.DataFrame)
BaselineMethod = Literal["mean", "median", "quantile"]
BaselineMode = Literal["subtract", "z", "percent", "ratio"]
Undefined = Literal["raise", "nan"]

_MAD_TO_SD = 1.482602218505602  # 1 / the upper quartile of the standard normal distribution
_SHOWN = 5


def baseline(
    frame: Frame,
    columns: str | Iterable[str] | None = None,
    *,
    window: tuple[float, float] | None = None,
    where: Where | None = None,
    method: BaselineMethod = "mean",
    quantile: float | None = None,
    by: str | Sequence[str] | None = None,
    mode: BaselineMode = "subtract",
    min_frames: int = 10,
    undefined: Undefined = "raise",
) -> Frame:
    """Express signals relative to each person's own baseline.

    Parameters
    ----------
    frame
        A Fex or plain table.
    columns
        Columns to change; default all features except boxes, landmarks and mesh.
    window
        Times (s, both ends included) of every recording that are baseline. None: all.
    where
        Rows that are baseline, e.g. ``{"condition": "neutral"}`` or ``"condition == 'neutral'"``;
        with `window`, both have to hold. None: all.
    method
        Location of the baseline: ``"mean"``, ``"median"``, or ``"quantile"`` (a low one stands for
        the resting face where no neutral recording was made).
    quantile
        Which quantile, 0–1.
    by
        Who has a baseline in common: column or columns. Default ``subject`` if the table has it,
        else each track of each recording.
    mode
        x is the signal and b the baseline. ``"subtract"``: x − b. ``"z"``: (x − b) / s with the SD
        s of the baseline rows (n − 1; with the median 1.4826 × the median absolute deviation).
        ``"percent"``: 100 (x − b) / b. ``"ratio"``: x / b.
    min_frames
        Valid frames that a baseline needs at least.
    undefined
        What to do about people with too few frames, no spread (``"z"``) or a baseline that is not
        above 0 (``"percent"``, ``"ratio"``): raise an error that names them, or give NaN.

    Returns
    -------
    Fex or DataFrame
        As the input, float32 staying float32; rows without a face are left as they are. The
        columns leave the schema's range, which ``validate()`` reports; ``info`` says why.

    Raises
    ------
    FexError
        If a column is absent or no signal; people are not told apart (two faces of one frame with
        the same `by`) or not named; or a baseline is undefined.
    OptionError
        If an argument has no value it can have.

    Notes
    -----
    Scores of faces at rest differ from person to person. In facial EMG, baseline correction and
    standardisation within people were among the three steps of processing with the most impact on
    telling expressions apart (Rutkowska et al., 2024). Angles are handled as numbers, which is
    right as long as they stay away from ±π.

    References
    ----------
    Rutkowska et al. (2024), Behavior Research Methods 56, doi:10.3758/s13428-024-02421-4.

    Examples
    --------
    >>> table = pd.DataFrame({"subject": list("aabb"), "AU12": [0.25, 0.75, 0.5, 0.5],
    ...                       "condition": ["rest", "film"] * 2})
    >>> baseline(table, where={"condition": "rest"}, min_frames=1)["AU12"].tolist()
    [0.0, 0.5, 0.0, 0.0]
    """
    names = signal_columns(frame, columns, skip=PIXEL_GROUPS)
    check_option("method", method, ("mean", "median", "quantile"))
    check_option("mode", mode, ("subtract", "z", "percent", "ratio"))
    check_option("undefined", undefined, ("raise", "nan"))
    min_frames = check_whole("min_frames", min_frames, 1)
    level = _quantile(method, quantile, mode)
    plain = pd.DataFrame(frame)
    by = default_by(plain) if by is None else check_labels(plain, by)
    parts = cut(plain, by, need_time=window is not None)
    _check_people(plain, parts, by)
    rows = np.ones(len(parts.order), dtype=np.bool_)
    if window is not None:
        start, stop = check_window("window", window)
        rows &= (parts.time >= start) & (parts.time <= stop)
    if where is not None:
        rows &= select_rows(plain, where)[parts.order]
    values = parts.values(plain, names)
    reference = pd.DataFrame(values[rows], columns=names)
    location, spread, count = _of_groups(reference, parts.row_group[rows], len(parts.groups), level)
    used = ~np.isnan(values).all(axis=0)  # a column that holds nothing has no baseline to miss
    _refuse(
        (count < min_frames) & used,
        parts.groups,
        names,
        undefined,
        f"have fewer than {min_frames} valid frames in the baseline",
    )
    few = np.where(count < min_frames, np.nan, 1.0)
    location, spread = location * few, spread * few
    scale = np.ones_like(location)
    if mode == "z":
        scale = np.where(spread > 1e-9 * np.abs(location), spread, np.nan)
        why = "do not vary in the baseline, so that there is no z"
    elif mode in ("percent", "ratio"):
        scale = np.where(location > 1e-12, location, np.nan)
        why = f"have a baseline that is not above 0, as mode={mode!r} needs"
        scale = scale / 100 if mode == "percent" else scale
    else:
        why = ""
    _refuse(np.isnan(scale) & ~np.isnan(location), parts.groups, names, undefined, why)
    person = parts.row_group
    shift = np.zeros_like(location) if mode == "ratio" else location
    result = (values - shift[person]) / scale[person]
    return with_values(frame, names, parts.order, result)


def standardize(
    frame: Frame,
    columns: str | Iterable[str] | None = None,
    *,
    method: Literal["mean", "median"] = "mean",
    by: str | Sequence[str] | None = None,
    undefined: Undefined = "raise",
) -> Frame:
    """Give signals mean 0 and SD 1 (n − 1) within each person, over all of their frames.

    The same as :func:`baseline` with ``mode="z"`` and all rows for the baseline; see there.

    Examples
    --------
    >>> table = pd.DataFrame({"subject": ["a"] * 3, "AU12": [0.1, 0.2, 0.3]})
    >>> standardize(table)["AU12"].round(6).tolist()
    [-1.0, 0.0, 1.0]
    """
    check_option("method", method, ("mean", "median"))
    return baseline(
        frame, columns, method=method, mode="z", by=by, min_frames=2, undefined=undefined
    )


def default_by(frame: pd.DataFrame) -> list[str]:
    """Columns that say who a row belongs to: ``subject``, else recording and track."""
    return (
        ["subject"]
        if "subject" in frame.columns
        else [c for c in ("input", "track") if c in frame.columns]
    )


def check_window(name: str, window: object) -> tuple[float, float]:
    """Validate a pair of times, the first one not after the second one."""
    if not isinstance(window, (tuple, list)) or len(window) != 2:
        raise OptionError(f"`{name}` must be a pair of times in s, but got {window!r:.60}.")
    start, stop = (check_number(name, t, unit="s") for t in window)
    if stop < start:
        raise OptionError(f"`{name}` must not end before it starts, but got {start:g} to {stop:g}.")
    return start, stop


def _quantile(method: str, quantile: float | None, mode: str) -> float | None:
    """Level of the quantile that is the baseline; None: the mean."""
    if method != "quantile":
        if quantile is not None:
            raise OptionError(f"`quantile` is for method='quantile', but method is {method!r}.")
        return 0.5 if method == "median" else None
    if quantile is None:
        raise OptionError("method='quantile' needs `quantile`, e.g. quantile=0.1.")
    if mode == "z":
        raise OptionError("mode='z' needs method='mean' or 'median': a quantile has no spread.")
    return check_number("quantile", quantile, 0.0, 1.0)


def _check_people(frame: pd.DataFrame, parts: Segments, by: list[str]) -> None:
    faces = len(frame)
    if "track" in frame.columns:
        faces = int((frame["track"] >= 0).sum())
    if not faces:
        raise FexError("There is no row with a face: nothing to work on.")
    if missing := faces - len(parts.order):
        raise FexError(
            f"{missing} rows with a face have no {' and '.join(by)}: label them or leave them out."
        )
    moment = next((c for c in ("frame", "time") if c in frame.columns), None)
    if "track" not in frame.columns or "track" in by or moment is None:
        return
    keys = [c for c in ("input", moment) if c in frame.columns]
    who = frame[keys].iloc[parts.order].assign(_person=parts.row_group)
    if (twice := who.duplicated().to_numpy()).any():
        row = parts.order[int(np.flatnonzero(twice)[0])]
        where = ", ".join(str(frame[c].iloc[row]) for c in keys)
        raise FexError(
            f"Two faces of one frame ({where}) have the same {' and '.join(by)}; label each track "
            "with its person, or choose by=['input', 'track']."
        )


def _of_groups(
    reference: pd.DataFrame, group: NDArray[Any], n: int, level: float | None
) -> tuple[Floats, Floats, Floats]:
    """Location, spread and number of valid frames of each group and column, shape (n, c)."""
    grouped = reference.groupby(group)
    everyone = pd.RangeIndex(n)
    location = grouped.mean() if level is None else grouped.quantile(level)
    if level is None:
        spread = grouped.std(ddof=1)
    else:
        away = (reference - location.reindex(group).to_numpy()).abs()
        spread = away.groupby(group).median() * _MAD_TO_SD
    tables = (location, spread, grouped.count())
    a, b, c = (t.reindex(everyone).to_numpy(np.float64) for t in tables)
    return a, b, np.nan_to_num(c)


def _refuse(
    bad: NDArray[np.bool_], people: pd.DataFrame, names: list[str], undefined: str, why: str
) -> None:
    if undefined == "nan" or not bad.any():
        return
    which = np.flatnonzero(bad.any(axis=1))
    who = [" ".join(str(v) for v in people.iloc[i]) or "all" for i in which[:_SHOWN]]
    more = f" and {len(which) - _SHOWN} more" if len(which) > _SHOWN else ""
    columns = [names[j] for j in np.flatnonzero(bad.any(axis=0))]
    listed = ", ".join(columns[:_SHOWN]) + (" …" if len(columns) > _SHOWN else "")
    raise FexError(
        f"{', '.join(who)}{more} {why} ({listed}); leave them out, choose another baseline, or "
        "pass undefined='nan'."
    )
