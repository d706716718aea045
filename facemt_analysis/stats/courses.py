"""Courses on one time axis: what every test over time starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.checks import check_labels, check_number, pick_columns
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats.aggregation import UNIT_COLUMNS

__all__ = ["Courses", "check_levels", "courses", "mean_courses", "pick_features"]

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]

_SAME = 0.1
"""Times of different recordings this close, in frame intervals, are the same moment."""


@dataclass(frozen=True, eq=False)
class Courses:
    """Courses of features, all at the same times.

    Parameters
    ----------
    keys
        Whose they are: one row per course.
    values
        Shape (courses, features, times); NaN where there is no value.
    time
        Seconds, shape (times,).
    """

    keys: pd.DataFrame
    values: Floats
    time: Floats

    @property
    def step(self) -> float:
        """Usual interval between two times, s."""
        return float(np.median(np.diff(self.time)))

    @property
    def rate(self) -> float:
        """Points per second."""
        return round(1 / self.step, 6)


def courses(
    frame: pd.DataFrame,
    features: Sequence[str],
    by: Sequence[str],
    *,
    time: str = "time",
    rate: float | None = None,
    tmin: float | None = None,
    tmax: float | None = None,
    unit: Sequence[str] = UNIT_COLUMNS,
) -> Courses:
    """Cut a table into courses, one per recording (trial, epoch) and set of labels.

    Parameters
    ----------
    frame
        One row per face and frame.
    features
        Columns of numbers.
    by
        Labels that say whose course it is; rows where one is missing are left out.
    time
        Column with the time since the event or the start that all courses share, s.
    rate
        Put all courses on a common axis with that many points per second. Several frames for a
        point are averaged; between frames the value is interpolated linearly, unless they are more
        than 2.5 frames or points apart. None: the courses have to be at the same times as they are.
    tmin, tmax
        The part to keep, s, ends included.
    unit
        Columns that, where they are there, tell recordings and trials apart.

    Returns
    -------
    Courses
        ``keys`` has `by` and the unit columns.

    Raises
    ------
    FexError
        If a column is absent, the times of the recordings differ and no `rate` is given, or several
        faces have the same labels at the same time.
    """
    plain = pd.DataFrame(frame)
    names = check_labels(plain, by, name="labels")
    units = [c for c in unit if c in plain.columns and c not in names]
    if time not in plain.columns:
        raise FexError(f"This needs the time of every row, but there is no column {time!r} (s).")
    seconds = plain[time].to_numpy(np.float64, na_value=np.nan)
    keep = plain[names].notna().all(axis=1).to_numpy(np.bool_) & ~np.isnan(seconds)
    little = 1e-6  # an end that is said to be inside is inside, whatever the rounding
    if tmin is not None:
        keep &= seconds >= check_number("tmin", tmin) - little
    if tmax is not None:
        keep &= seconds <= check_number("tmax", tmax) + little
    if not keep.any():
        part = "" if tmin is None and tmax is None else f" between {tmin} and {tmax} s"
        raise FexError(f"There are no rows{part} with the labels {', '.join(names)}.")
    plain, seconds = plain[keep], seconds[keep]
    values = plain[list(features)].to_numpy(np.float64, na_value=np.nan)
    grouped = plain.groupby([*names, *units], sort=False, observed=True, dropna=False)
    code = grouped.ngroup().to_numpy(np.intp)
    order = np.lexsort((seconds, code))
    code, seconds, values = code[order], seconds[order], values[order]
    code, seconds, values, plain = _one_face(code, seconds, values, plain.iloc[order], units)
    heads = np.flatnonzero(np.diff(code, prepend=-1))
    keys = plain[[*names, *units]].iloc[heads].reset_index(drop=True)
    if rate is None:
        axis, at = _shared_axis(code, seconds, keys)
        cube = np.full((len(keys), len(axis), values.shape[1]), np.nan)
        cube[code, at] = values
    else:
        axis, cube = _resampled(code, seconds, values, check_number("rate", rate, 0, open_low=True))
    if len(axis) < 2:
        raise FexError("A course needs at least 2 points of time, but there is 1.")
    return Courses(keys, np.ascontiguousarray(cube.transpose(0, 2, 1)), axis)


def mean_courses(found: Courses, by: Sequence[str]) -> Courses:
    """Average courses over everything but `by`, point by point over those that have a value.

    Returns
    -------
    Courses
        One per combination of `by`, in the order of the first of them as text: results of random
        rearrangements do not depend on the order of rows.
    """
    names = found.keys[by[0]].astype(str).to_numpy()
    order = np.argsort(names, kind="stable")
    found = Courses(found.keys.iloc[order].reset_index(drop=True), found.values[order], found.time)
    groups = found.keys.groupby(list(by), sort=False, observed=True)
    code = groups.ngroup().to_numpy(np.intp)
    heads = np.unique(code, return_index=True)[1]
    if len(heads) == len(code):
        return Courses(found.keys[list(by)], found.values, found.time)
    there = ~np.isnan(found.values)
    total = np.zeros((len(heads), *found.values.shape[1:]))
    count = np.zeros(total.shape)
    np.add.at(total, code, np.where(there, found.values, 0.0))
    np.add.at(count, code, there)
    mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return Courses(found.keys[list(by)].iloc[heads].reset_index(drop=True), mean, found.time)


def pick_features(frame: pd.DataFrame, features: str | Sequence[str] | None) -> list[str]:
    """Resolve feature columns, and refuse what is no number, empty or constant."""
    names = pick_columns(frame, features, name="feature")
    for name in names:
        if not pd.api.types.is_numeric_dtype(frame[name]):
            raise FexError(f"{name!r} has no numbers but {frame[name].dtype}.")
        if frame[name].isna().all():
            raise FexError(f"{name!r} has no value at all (all NaN): leave it out.")
        if frame[name].min() == frame[name].max():
            raise FexError(f"{name!r} is {frame[name].min():g} everywhere: leave it out.")
    return names


def _one_face(
    code: Positions, seconds: Floats, values: Floats, plain: pd.DataFrame, units: Sequence[str]
) -> tuple[Positions, Floats, Floats, pd.DataFrame]:
    """Make sure that a course has one value per time; rows without one give way to others."""
    again = (np.diff(code, prepend=-1) == 0) & (np.diff(seconds, prepend=np.nan) == 0)
    if again.any():
        there = ~np.isnan(values).all(axis=1)
        moment = np.cumsum(~again)
        taken = np.bincount(moment[there], minlength=moment[-1] + 1)
        if (twice := there & (taken[moment] > 1)).any():
            row = plain.iloc[int(np.flatnonzero(twice)[0])]
            where = ", ".join(f"{c} {row[c]}" for c in units) or "the table"
            raise FexError(
                f"Several faces or trials have the same labels at {seconds[twice][0]:g} s "
                f"({where}): keep one track per person, label the faces (fex.label(…, "
                "on=['input', 'track'])), or add a column 'trial'."
            )
        keep = there | ((taken[moment] == 0) & ~again)
        code, seconds, values, plain = code[keep], seconds[keep], values[keep], plain[keep]
    return code, seconds, values, plain


def _shared_axis(code: Positions, seconds: Floats, keys: pd.DataFrame) -> tuple[Floats, Positions]:
    """Find the times that all courses share, and the place of every row among them."""
    steps = _steps(code, seconds, len(keys))
    step = float(np.nanmin(steps)) if np.isfinite(steps).any() else np.inf
    order = np.argsort(seconds, kind="stable")
    new = np.diff(seconds[order], prepend=-np.inf) > _SAME * step
    starts = np.flatnonzero(new)
    width = np.maximum.reduceat(seconds[order], starts) - seconds[order][starts]
    axis: Floats = np.add.reduceat(seconds[order], starts) / np.diff(np.append(starts, len(order)))
    if (width > 2 * _SAME * step).any() or (np.diff(axis) < 0.5 * step).any():
        slow, fast = int(np.nanargmax(steps)), int(np.nanargmin(steps))
        raise FexError(
            "The recordings are not at the same times: "
            f"{1 / steps[slow]:.4g} frames per second in {_name(keys, slow)}, "
            f"{1 / steps[fast]:.4g} in {_name(keys, fast)}"
            + (", or uneven intervals" if steps[slow] < 1.05 * steps[fast] else "")
            + f". Say at which rate to resample them, such as rate={1 / steps[slow]:.3g}."
        )
    at = np.empty(len(order), dtype=np.intp)
    at[order] = np.cumsum(new) - 1
    return axis, at


def _steps(code: Positions, seconds: Floats, n: int) -> Floats:
    """Median interval of each course."""
    since = np.diff(seconds, prepend=np.nan)
    since[np.diff(code, prepend=-1) != 0] = np.nan
    medians = pd.Series(since).groupby(code).median().reindex(range(n))
    return np.asarray(medians, dtype=np.float64)


def _name(keys: pd.DataFrame, row: int) -> str:
    if "input" in keys.columns:
        return str(keys["input"].iloc[row])
    return ", ".join(str(v) for v in keys.iloc[row])


def _resampled(
    code: Positions, seconds: Floats, values: Floats, rate: float
) -> tuple[Floats, Floats]:
    """Axis of that rate, and the courses on it (courses, times, features)."""
    first, last = np.ceil(seconds.min() * rate - 1e-6), np.floor(seconds.max() * rate + 1e-6)
    if last <= first:
        raise OptionError(f"`rate` is too low for {np.ptp(seconds):g} s, but got {rate:g}.")
    axis = np.arange(first, last + 1) / rate
    n = int(code[-1]) + 1
    steps = _steps(code, seconds, n)
    cube = np.full((n, len(axis), values.shape[1]), np.nan)
    bounds = np.searchsorted(code, np.arange(n + 1))
    for i in range(n):
        part = slice(bounds[i], bounds[i + 1])
        reach = 2.5 * max(steps[i] if np.isfinite(steps[i]) else 0.0, 1 / rate)
        for f in range(values.shape[1]):
            there = ~np.isnan(values[part, f])
            cube[i, :, f] = _on_axis(seconds[part][there], values[part, f][there], axis, reach)
    return axis, cube


def _on_axis(seconds: Floats, values: Floats, axis: Floats, reach: float) -> Floats:
    """Mean of the samples nearest to each point; where there is none, between its neighbours."""
    out = np.full(len(axis), np.nan)
    if not len(seconds):
        return out
    nearest = np.rint((seconds - axis[0]) / (axis[1] - axis[0])).astype(np.intp)
    inside = (nearest >= 0) & (nearest < len(axis))
    count = np.bincount(nearest[inside], minlength=len(axis))
    several = count > 1
    total = np.bincount(nearest[inside], values[inside], minlength=len(axis))
    after = np.searchsorted(seconds, axis).clip(1, max(len(seconds) - 1, 1))
    if len(seconds) > 1:
        lower, upper = seconds[after - 1], seconds[after]
        within = (axis >= lower - 1e-9) & (axis <= upper + 1e-9) & (upper - lower <= reach)
        out[within] = np.interp(axis[within], seconds, values)
    out[several] = total[several] / count[several]
    return out


def check_levels(levels: Sequence[Any] | None, there: Sequence[object], name: str) -> list[object]:
    """Resolve which levels of a condition to use, and in which order."""
    if levels is None:
        return list(there)
    wanted = list(levels)
    for level in wanted:
        if level not in there:
            raise OptionError(
                f"`levels`: nobody has {level!r} of {name!r}; there is "
                f"{', '.join(str(v) for v in there)}."
            )
    return wanted
