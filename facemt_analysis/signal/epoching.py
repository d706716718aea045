"""Stretches around events, and their averages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis import schema
from facemt_analysis.checks import check_number, check_option
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.signal.columns import SCORE, rewrap, signal_columns, with_values
from facemt_analysis.signal.events import Matches, match_events
from facemt_analysis.signal.resampling import rows_at
from facemt_analysis.signal.sampling import METHODS, SampleMethod, sample, targets_of

__all__ = ["epochs"]

Floats = NDArray[np.float64]
Frame = TypeVar("Frame", bound=pd.DataFrame)

_ROUNDING = 1e-9


def epochs(
    frame: Frame,
    events: pd.DataFrame,
    tmin: float,
    tmax: float,
    *,
    baseline: tuple[float | None, float | None] | None = None,
    columns: str | Iterable[str] | None = None,
    hz: float | None = None,
    on: str | Sequence[str] | None = None,
    max_gap: float = 0.0,
    method: SampleMethod = "cubic",
    min_valid: float = 0.0,
    missing: Literal["raise", "drop"] = "raise",
) -> Frame:
    """Take stretches around events out of recordings.

    Parameters
    ----------
    frame
        A Fex or plain table with ``time`` (s).
    events
        One row per event: ``onset`` (or ``time``), s on the recordings' own time axis; columns
        that say where it happened (see `on`); any labels (``condition``, ``trial`` …).
    tmin, tmax
        From when to when, s relative to the event; both ends included.
    baseline
        Times relative to the event (both ends included; None: from `tmin`, to `tmax`) whose mean is
        subtracted, for each epoch, face and column.
    columns
        Signals to keep; default all features. Other features are left out.
    hz
        Rate of a time axis that all epochs share: the multiples of 1/`hz` from `tmin` to `tmax`
        relative to the event. Values are sampled as :func:`resample` does. None: the rows as they
        are, at times that differ between epochs.
    on
        Columns that events and table have in common and that must agree. Default those of
        ``input`` and ``track`` that the events have; none: every event holds for all recordings.
    max_gap, method
        With `hz`: see :func:`resample`.
    min_valid
        Epochs of a face with a smaller share of their frames valid (0–1) are dropped.
    missing
        What to do about events without any row of a face in their window, and epochs without a
        valid baseline: raise an error that names them, or drop them.

    Returns
    -------
    Fex or DataFrame
        As the input, with a new index; ``epoch``, a number for each event in each recording, from 0
        (faces of one moment share it); ``epoch_time``, s since the event; and the labels of the
        events. ``time`` stays that of the recording. With `hz`, every epoch of a face has all
        times, features being NaN where it is lost or the recording ended (``FaceScore`` 0), and
        ``frame`` is the index in the epoch. Rows may come in several epochs.

    Raises
    ------
    FexError
        If events cannot be read or have no data (see `missing`); a column is absent or both in the
        events and in the table; the time is missing or goes backwards.
    OptionError
        If an argument is out of range: `tmax` not after `tmin`, the baseline outside of the window.

    Examples
    --------
    >>> table = pd.DataFrame({"time": np.arange(6) / 2, "AU12": [0.1, 0.1, 0.1, 0.6, 0.7, 0.1]})
    >>> events = pd.DataFrame({"onset": [1.5], "condition": ["joke"]})
    >>> epochs(table, events, -0.5, 1, baseline=(None, -0.5)).round(3)
       time  AU12  epoch  epoch_time condition
    0   1.0   0.0      0        -0.5      joke
    1   1.5   0.5      0         0.0      joke
    2   2.0   0.6      0         0.5      joke
    3   2.5   0.0      0         1.0      joke
    """
    names = signal_columns(frame, columns)
    tmin, tmax = check_number("tmin", tmin, unit="s"), check_number("tmax", tmax, unit="s")
    if tmax <= tmin:
        raise OptionError(f"`tmax` must be after `tmin`, but got {tmin:g} to {tmax:g} s.")
    span = _span(baseline, tmin, tmax)
    min_valid = check_number("min_valid", min_valid, 0.0, 1.0)
    max_gap = check_number("max_gap", max_gap, 0.0, unit="s")
    check_option("missing", missing, ("raise", "drop"))
    check_option("method", method, METHODS)
    plain = pd.DataFrame(frame)
    found = match_events(plain, events, tmin, tmax, on, missing)
    if hz is None:
        result, window = _rows_as_they_are(plain, names, found)
        size = _frames_in(found, tmin, tmax)
    else:
        grid = _grid(tmin, tmax, check_number("hz", hz, 0.0, open_low=True, unit="Hz"))
        result, window = _rows_on_grid(plain, names, found, grid, hz, max_gap, method)
        size = np.full(len(found), float(len(grid)))
    keep = np.ones(len(found), dtype=np.bool_)
    if min_valid:
        valid = result[names].notna().any(axis=1).to_numpy()
        keep = np.bincount(window[valid], minlength=len(found)) >= min_valid * size
        if not keep.any():
            raise FexError(f"No epoch has {min_valid:.0%} valid frames; lower `min_valid`.")
    if span is not None:
        values, based = _from_baseline(result, names, window, len(found), span)
        if missing == "raise" and (without := np.unique(found.event[keep & ~based])).size:
            raise FexError(
                f"{len(without)} of {len(events)} events have no valid frame from {span[0]:g} to "
                f"{span[1]:g} s, the baseline; the first one is row {without[0]}. Leave them out "
                "with missing='drop'."
            )
        keep &= based
        rows = np.arange(len(result), dtype=np.intp)
        result = with_values(result, names, rows, values)
        if not keep.any():
            raise FexError("No epoch has a valid frame in the baseline.")
    return rewrap(frame, result[keep[window]].reset_index(drop=True))


def _span(
    baseline: tuple[float | None, float | None] | None, tmin: float, tmax: float
) -> tuple[float, float] | None:
    if baseline is None:
        return None
    given: object = baseline
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise OptionError(f"`baseline` must be a pair of times in s, but got {baseline!r:.60}.")
    start = tmin if baseline[0] is None else check_number("baseline", baseline[0], unit="s")
    stop = tmax if baseline[1] is None else check_number("baseline", baseline[1], unit="s")
    if not tmin <= start <= stop <= tmax:
        raise OptionError(
            f"`baseline` must lie within {tmin:g} to {tmax:g} s, but is {start:g} to {stop:g} s."
        )
    return start, stop


def _grid(tmin: float, tmax: float, hz: float) -> NDArray[np.intp]:
    numbers = np.arange(np.ceil(tmin * hz - 1e-6), np.floor(tmax * hz + 1e-6) + 1)
    if not len(numbers):
        raise OptionError(
            f"`hz` must put a frame between {tmin:g} and {tmax:g} s, but at {hz:g} Hz there is "
            "none."
        )
    return numbers.astype(np.intp)


def _rows_as_they_are(
    frame: pd.DataFrame, names: list[str], found: Matches
) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    """Rows of all windows, and the window each one is in."""
    size = found.stop - found.start
    window = np.repeat(np.arange(len(found), dtype=np.intp), size)
    within = np.arange(len(window)) - np.repeat(np.cumsum(size) - size, size)
    ordered = found.start[window] + within
    left_out = {*schema.feature_columns(frame.columns)} - {SCORE, *names}
    kept = [c for c in frame.columns if c not in left_out]
    result = frame[kept].iloc[found.parts.order[ordered]].reset_index(drop=True)
    since = found.parts.time[ordered] - found.onset[window]
    return _labelled(result, found, window, since), window


def _frames_in(found: Matches, tmin: float, tmax: float) -> Floats:
    """How many frames a window has if none is lost: 10 or 11 in 1 s at 10 Hz."""
    step = found.parts.step[found.segment]
    since = found.parts.time[found.start] - found.onset - tmin
    first = since - np.floor(since / step + 1e-6) * step
    return np.asarray(np.floor((tmax - tmin - first) / step + 1e-6) + 1)


def _rows_on_grid(
    frame: pd.DataFrame,
    names: list[str],
    found: Matches,
    grid: NDArray[np.intp],
    hz: float,
    max_gap: float,
    method: SampleMethod,
) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    window = np.repeat(np.arange(len(found), dtype=np.intp), len(grid))
    number = np.tile(grid, len(found))
    time = found.onset[window] + number / hz
    targets = targets_of(frame, found.parts, found.segment[window], time, hz)
    values = sample(frame, names, targets, max_gap=max_gap, method=method)
    nearest, in_gap = targets.nearest()
    invented = in_gap | ~targets.covered(max_gap)
    result = rows_at(frame, names, found.parts.order[nearest], time, values, invented)
    if "frame" in result.columns:
        result["frame"] = number - grid[0]
    return _labelled(result, found, window, number / hz), window


def _labelled(
    result: pd.DataFrame, found: Matches, window: NDArray[np.intp], since: Floats
) -> pd.DataFrame:
    labels = found.labels.iloc[found.event[window]].reset_index(drop=True)
    keys = pd.DataFrame({"epoch": found.numbers()[window], "epoch_time": since})
    return pd.concat([result, keys, labels], axis=1)


def _from_baseline(
    result: pd.DataFrame,
    names: list[str],
    window: NDArray[np.intp],
    n: int,
    span: tuple[float, float],
) -> tuple[Floats, NDArray[np.bool_]]:
    """Values less the mean of each window's baseline, and which windows have one at all."""
    values = result[names].to_numpy(np.float64, na_value=np.nan)
    since = result["epoch_time"].to_numpy()
    inside = (since >= span[0] - _ROUNDING) & (since <= span[1] + _ROUNDING)
    means = pd.DataFrame(values[inside]).groupby(window[inside]).mean()
    level = means.reindex(pd.RangeIndex(n)).to_numpy(np.float64)
    return values - level[window], ~np.isnan(level).all(axis=1)
