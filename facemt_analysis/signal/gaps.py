"""Filling short gaps: lost frames and missing values within a track."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis import schema
from facemt_analysis.checks import check_number, check_option
from facemt_analysis.signal.columns import SCORE, rewrap, signal_columns, unwrap, with_values, wrap
from facemt_analysis.signal.missing import by_missing
from facemt_analysis.signal.segments import Segments, cut

__all__ = ["GAP_TOLERANCE", "FillMethod", "fill_gaps", "interpolate"]

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
Frame = TypeVar("Frame", bound=pd.DataFrame)
FillMethod = Literal["linear", "pchip"]

GAP_TOLERANCE = 0.1
"""A gap may be longer than allowed by this share of a frame interval: time stamps are rounded."""

# what is true of the frame, not of the face in it
_OF_FRAME = ("input", "frame", "time", "image", "FrameHeight", "FrameWidth")


def interpolate(
    frame: Frame,
    columns: str | Iterable[str] | None = None,
    *,
    max_gap: float = 0.2,
    method: FillMethod = "linear",
) -> Frame:
    """Fill gaps that are short and lie strictly inside a track.

    Parameters
    ----------
    frame
        A Fex or plain table with ``time`` (s).
    columns
        Columns to fill; default all features except ``FaceScore``.
    max_gap
        Longest gap to fill, s: time between the valid frames around it, less one frame interval
        (two lost frames at 25 Hz: 0.08 s). Longer gaps stay as they are, as a whole.
    method
        ``"linear"``; or ``"pchip"``: monotone cubic (Fritsch & Butland, 1984), smooth, and like a
        line never outside the values around the gap.

    Returns
    -------
    Fex or DataFrame
        As the input. A frame of the recording in which the track is lost gets a row of the track
        if the gap is filled: its row without a face (``track`` −1) becomes that row; where another
        face is in the frame (or has taken that row), one is added beside it, and the index is
        numbered anew. ``FaceScore`` of such a row is 0, which tells it from a measured one. Its
        labels are those of the nearest row of the track (a row that was there keeps its own).
        Frames that the table lacks altogether are not made up: see ``resample``.

    Raises
    ------
    FexError
        If a column is unknown or no signal, or the time is missing or goes backwards.
    OptionError
        If `max_gap` is negative or `method` unknown.

    Notes
    -----
    Angles are filled along the shorter way round. Linear filling keeps the sum of emotion
    probabilities; PCHIP does so only roughly.

    References
    ----------
    Fritsch & Butland (1984), doi:10.1137/0905021.

    Examples
    --------
    >>> table = pd.DataFrame({"frame": range(4), "time": [0, 0.1, 0.2, 0.3], "track": [0, -1, 0, 0],
    ...                       "FaceScore": [1.0, 0.0, 1.0, 1.0], "AU12": [0.2, np.nan, 0.4, 0.4]})
    >>> interpolate(table, max_gap=0.1)[["track", "FaceScore", "AU12"]]
       track  FaceScore  AU12
    0      0        1.0   0.2
    1      0        0.0   0.3
    2      0        1.0   0.4
    3      0        1.0   0.4
    """
    names = signal_columns(frame, columns)
    max_gap = check_number("max_gap", max_gap, 0.0, unit="s")
    check_option("method", method, ("linear", "pchip"))
    plain = pd.DataFrame(frame)
    parts = cut(plain)
    lost = _lost_frames(plain, parts, max_gap)
    table = plain if lost is None else _with_rows(plain, lost)
    if lost is not None:
        parts = cut(table)
    before = parts.values(table, names)
    after = fill_gaps(before, names, parts, max_gap=max_gap, method=method)
    filled = np.zeros(len(table), dtype=np.bool_)
    filled[parts.order] = (np.isnan(before) & ~np.isnan(after)).any(axis=1)
    result = with_values(table, names, parts.order, after)
    return rewrap(frame, result if lost is None else _settle(plain, result, lost, filled))


def fill_gaps(
    values: Floats,
    columns: list[str],
    parts: Segments,
    *,
    max_gap: float,
    method: FillMethod = "linear",
) -> Floats:
    """Fill short gaps in the columns of a table that was cut.

    Parameters
    ----------
    values
        Shape (n, c), rows in the order of the segments.
    columns
        c names, which tell the angles.
    parts
        The segments.
    max_gap, method
        See :func:`interpolate`.

    Returns
    -------
    ndarray
        Shape (n, c); NaN where a gap is longer than `max_gap` or at an end of a segment.
    """
    result = values.copy()
    straight = unwrap(values, columns, parts)
    step = np.repeat(parts.step, parts.lengths)
    for at, valid in by_missing(values):
        there, empty = np.flatnonzero(valid), np.flatnonzero(~valid)
        if len(there) < 2 or not len(empty):
            continue
        short = _bridges(parts, there, step, max_gap)
        behind = np.searchsorted(there, empty)  # number of the valid row behind each empty one
        inside = (behind > 0) & (behind < len(there))
        inside[inside] = short[behind[inside] - 1]
        rows, k = empty[inside], behind[inside]
        if not len(rows):
            continue
        chosen = straight[:, at]
        if method == "linear":
            new = _linear(parts.time, chosen, there[k - 1], there[k], rows)
        else:
            new = _pchip(parts.time, chosen, there, short, rows, k)
        if isinstance(at, slice):
            result[rows] = new
        else:
            result[rows[:, None], at] = new
    return wrap(result, columns)


def _bridges(parts: Segments, there: Positions, step: Floats, max_gap: float) -> NDArray[np.bool_]:
    """Whether the way from each valid row to the next is within a segment and short enough."""
    same = np.diff(parts.segment[there]) == 0
    gap = np.diff(parts.time[there]) - step[there[:-1]]
    return np.asarray(same & (gap <= max_gap + GAP_TOLERANCE * step[there[:-1]]))


def _linear(time: Floats, values: Floats, a: Positions, b: Positions, rows: Positions) -> Floats:
    weight = ((time[rows] - time[a]) / (time[b] - time[a]))[:, None]
    filled: Floats = values[a] * (1 - weight) + values[b] * weight
    return filled


def _pchip(
    time: Floats,
    values: Floats,
    there: Positions,
    short: NDArray[np.bool_],
    rows: Positions,
    behind: Positions,
) -> Floats:
    """Interpolate each piece between two long gaps by its own curve."""
    from scipy.interpolate import PchipInterpolator

    piece = np.append(0, np.cumsum(~short))  # of each valid row
    of_row = piece[behind]
    new = np.empty((len(rows), values.shape[1]))
    starts = np.flatnonzero(np.diff(of_row, prepend=-1))
    for a, b in zip(starts, np.append(starts[1:], len(rows)), strict=True):
        first, last = np.searchsorted(piece, [of_row[a], of_row[a] + 1])
        known = there[first:last]
        new[a:b] = PchipInterpolator(time[known], values[known])(time[rows[a:b]])
    return new


@dataclass(frozen=True, eq=False)
class _Lost:
    """Frames in which a track is lost for a short time, one entry per track and frame.

    ``nearest`` is the nearest row of the track, ``template`` the first row of the frame and
    ``converts`` whether that is a row without a face which can become the track's.
    """

    nearest: Positions
    template: Positions
    converts: NDArray[np.bool_]


def _lost_frames(frame: pd.DataFrame, parts: Segments, max_gap: float) -> _Lost | None:
    if "track" not in frame.columns or not len(parts.order):
        return None
    recording = (
        pd.factorize(frame["input"])[0] if "input" in frame.columns else np.zeros(len(frame))
    )
    moment = frame["frame" if "frame" in frame.columns else "time"].to_numpy()
    order = np.lexsort((moment, recording))
    new = np.ones(len(frame), dtype=np.bool_)
    new[1:] = (np.diff(recording[order]) != 0) | (np.diff(moment[order]) != 0)
    number = np.empty(len(frame), dtype=np.intp)
    number[order] = np.cumsum(new) - 1
    first_row = order[new]
    alone = np.diff(np.append(np.flatnonzero(new), len(frame))) == 1
    alone &= frame["track"].to_numpy()[first_row] < 0

    step = np.repeat(parts.step, parts.lengths)
    rows = np.arange(len(parts.order), dtype=np.intp)
    short = _bridges(parts, rows, step, max_gap)
    n_lost = np.where(short, np.diff(number[parts.order]) - 1, 0)
    gaps = np.flatnonzero(n_lost)
    if not len(gaps):
        return None
    total = n_lost[gaps]
    gap = np.repeat(gaps, total)
    within = np.arange(len(gap)) - np.repeat(np.cumsum(total) - total, total) + 1
    missed = number[parts.order[gap]] + within
    template = first_row[missed]
    time = frame["time"].to_numpy(np.float64)[template]
    later = parts.time[gap + 1] - time < time - parts.time[gap]
    converts = np.zeros(len(gap), dtype=np.bool_)
    converts[np.unique(missed, return_index=True)[1]] = True  # the row can be had once
    return _Lost(parts.order[gap + later], template, converts & alone[missed])


def _with_rows(frame: pd.DataFrame, lost: _Lost) -> pd.DataFrame:
    """Give the track a row, still empty, in each of the frames; added rows come last."""
    track = np.array(frame["track"].to_numpy())
    track[lost.template[lost.converts]] = track[lost.nearest[lost.converts]]
    added = frame.iloc[lost.nearest[~lost.converts]]
    frames = frame.iloc[lost.template[~lost.converts]]
    features = [c for c in schema.feature_columns(frame.columns) if c != SCORE]
    changed: dict[str, Any] = {c: frames[c].array for c in _OF_FRAME if c in frame.columns}
    if SCORE in frame.columns:
        changed[SCORE] = pd.Series(0, index=added.index).astype(frame[SCORE].dtype)
    empty = pd.DataFrame(np.nan, index=added.index, columns=features)
    empty = empty.astype({c: frame[c].dtype for c in features if frame[c].dtype.kind == "f"})
    rest = added.drop(columns=features).assign(**changed)
    added = pd.concat([rest, empty], axis=1)[frame.columns.tolist()]
    return pd.concat([frame.assign(track=track), added])


def _settle(
    frame: pd.DataFrame, table: pd.DataFrame, lost: _Lost, filled: NDArray[np.bool_]
) -> pd.DataFrame:
    """Keep the new rows in which something was filled, each beside the row of its frame."""
    n = len(frame)
    at = lost.template[lost.converts]
    useful = filled[at]
    back = at[~useful]
    track = np.array(table["track"].to_numpy())
    track[back] = frame["track"].to_numpy()[back]
    result = table.assign(track=track)
    taken, nearest = at[useful], lost.nearest[lost.converts][useful]
    for name in [c for c in frame.columns if schema.group_of(c) is None]:
        missing = frame[name].isna().to_numpy()[taken]
        if missing.any():
            position = np.arange(len(table))
            position[taken[missing]] = nearest[missing]
            result[name] = table[name].array.take(position)
    keep = np.append(np.ones(n, dtype=np.bool_), filled[n:])
    if not keep[n:].any():
        return result.iloc[:n]
    beside = lost.template[~lost.converts]
    behind = track[n:] > track[beside]
    place = np.append(np.arange(n, dtype=np.float64), beside + np.where(behind, 0.5, -0.5))
    order = np.argsort(place, kind="stable")
    return cast("pd.DataFrame", result.iloc[order[keep[order]]].reset_index(drop=True))
