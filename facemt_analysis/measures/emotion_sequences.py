"""Emotions one after the other: bouts of the dominant one, and what follows what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.checks import check_labels, check_number, check_option, pick_columns
from facemt_analysis.measures.emotion import emotion_codes
from facemt_analysis.measures.event_detection import TINY, Axis
from facemt_analysis.measures.grouping import divided, group_rows
from facemt_analysis.signal.runs import find_runs
from facemt_analysis.signal.segments import Segments, cut

__all__ = ["emotion_bouts", "emotion_transitions"]

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]


def emotion_bouts(
    frame: pd.DataFrame,
    *,
    threshold: float | None = None,
    min_duration: float = 0.2,
    max_gap: float = 0.1,
    labels: str | Sequence[str] = (),
) -> pd.DataFrame:
    """Find the stretches in which one emotion is the dominant one.

    Parameters
    ----------
    frame
        Rows in any order, with ``time`` and emotions.
    threshold
        As in :func:`dominant_emotion`; frames below it belong to no bout.
    min_duration
        Shorter bouts are left out, s.
    max_gap
        A bout goes on over interruptions by other emotions and over lost frames up to this long, s.
    labels
        Further columns to carry, as they are in the frame of the onset.

    Returns
    -------
    DataFrame
        One row per bout, in the order of recordings and tracks (by their first rows) and of time;
        bouts do not overlap: ``input`` and ``track`` (if the table has them), the `labels`,
        ``feature`` (the emotion), ``onset``, ``offset`` (first frame of another one), ``duration``
        (s), ``mean`` and ``peak`` of its probability, ``n_frames`` (with a face), ``truncated``
        (touches an end of the recording or a longer gap).

    Raises
    ------
    FexError
        If there are no emotions, or time is missing or goes backwards.
    OptionError
        If the threshold or a duration cannot be.

    Examples
    --------
    >>> happy = np.repeat([0.1, 0.9, 0.2], 10)
    >>> table = pd.DataFrame({"time": np.arange(30) / 10, "Neutral": 1 - happy, "Happy": happy})
    >>> emotion_bouts(table)[["feature", "onset", "offset", "truncated"]].to_dict("records")
    [{'feature': 'Neutral', 'onset': 0.0, 'offset': 1.0, 'truncated': True},
     {'feature': 'Happy', 'onset': 1.0, 'offset': 2.0, 'truncated': False},
     {'feature': 'Neutral', 'onset': 2.0, 'offset': 3.0, 'truncated': True}]
    """
    names = pick_columns(frame, group="emotions")
    carried = check_labels(frame, labels, name="labels")
    parts = cut(frame)
    values = parts.values(frame, names)
    bouts = _find_bouts(parts, values, threshold, min_duration, max_gap)
    out = parts.keys.iloc[bouts.segment].reset_index(drop=True)
    for label in carried:
        if label not in out.columns:
            column = pd.DataFrame(frame)[label].iloc[parts.order[bouts.axis.rows[bouts.start]]]
            out[label] = column.reset_index(drop=True)
    heads = np.column_stack([bouts.start, bouts.stop]).ravel()
    own = np.append(values[bouts.axis.rows], np.full((1, len(names)), -np.inf), axis=0)
    of = np.arange(len(bouts.code)), bouts.code
    peak = np.maximum.reduceat(own, heads)[::2][of] if len(heads) else np.empty(0)
    own[-1] = 0.0
    total = np.add.reduceat(own, heads)[::2][of] if len(heads) else np.empty(0)
    out["feature"] = np.array(names, dtype=object)[bouts.code]
    out["onset"] = bouts.onset
    out["offset"] = bouts.offset
    out["duration"] = bouts.offset - bouts.onset
    out["mean"] = divided(total, bouts.stop - bouts.start)
    out["peak"] = peak
    out["n_frames"] = bouts.stop - bouts.start
    out["truncated"] = bouts.axis.breaks[bouts.start] | bouts.axis.breaks[bouts.stop]
    return out


def emotion_transitions(
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    *,
    unit: Literal["frames", "bouts"] = "frames",
    threshold: float | None = None,
    min_duration: float = 0.2,
    max_gap: float = 0.1,
) -> pd.DataFrame:
    """Count which dominant emotion follows which.

    Parameters
    ----------
    frame
        Rows in any order, with emotions; with ``time`` for `unit` ``"bouts"``.
    by
        See :mod:`facemt_analysis.measures.grouping`.
    unit
        ``"frames"``: from each frame to the next, so that most of the time an emotion follows
        itself, the more so the higher the frame rate. ``"bouts"``: from each bout to the next one
        with no gap longer than `max_gap` between, whatever the frame rate.
    threshold, min_duration, max_gap
        As in :func:`emotion_bouts`; the last two are of no account for frames.

    Returns
    -------
    DataFrame
        One row per group and ordered pair of emotions: what the group is, ``from_emotion``,
        ``to_emotion``, ``n``, ``probability`` (of the second after the first: sums to 1 over
        ``to_emotion``; NaN where the first never comes), ``share`` (of all transitions of the
        group). Frames below the threshold are no emotion: nothing is counted from or to them.

    Raises
    ------
    FexError
        If there are no emotions, or time is missing (bouts) or goes backwards.
    OptionError
        If an option cannot be.

    Examples
    --------
    >>> table = pd.DataFrame({"Neutral": [1, 1, 0, 0, 1.0], "Happy": [0, 0, 1, 1, 0.0]})
    >>> moves = emotion_transitions(table)
    >>> moves.pivot(index="from_emotion", columns="to_emotion", values="n").loc["Neutral"].tolist()
    [1, 1]
    """
    check_option("unit", unit, ("frames", "bouts"))
    names = pick_columns(frame, group="emotions")
    rows = group_rows(frame, by, need_time=unit == "bouts")
    values = rows.parts.values(frame, names)
    k = len(names)
    if unit == "frames":
        codes = emotion_codes(values, threshold)
        later = np.flatnonzero(rows.pairs((codes >= 0) & (codes < k)))
        group, before, after = rows.parts.row_group[later], codes[later - 1], codes[later]
    else:
        bouts = _find_bouts(rows.parts, values, threshold, min_duration, max_gap)
        stretch = np.cumsum(bouts.axis.breaks)[bouts.start]
        ends = np.cumsum(bouts.axis.breaks)[bouts.stop - 1]
        later = np.flatnonzero(stretch[1:] == ends[:-1]) + 1
        group = rows.parts.group[bouts.segment[later]]
        before, after = bouts.code[later - 1], bouts.code[later]
    cells = np.bincount((group * k + before) * k + after, minlength=len(rows) * k * k)
    n = cells.reshape(len(rows), k, k)
    out = rows.table().iloc[np.repeat(np.arange(len(rows)), k * k)].reset_index(drop=True)
    out["from_emotion"] = np.tile(np.repeat(np.array(names, dtype=object), k), len(rows))
    out["to_emotion"] = np.tile(np.array(names, dtype=object), k * len(rows))
    out["n"] = n.reshape(-1)
    out["probability"] = divided(n, n.sum(axis=2, keepdims=True)).reshape(-1)
    out["share"] = divided(n, n.sum(axis=(1, 2), keepdims=True)).reshape(-1)
    return out


@dataclass(frozen=True, eq=False)
class _Bouts:
    """Bouts in the order of the rows of `axis`: which emotion, from which row to behind which."""

    axis: Axis
    code: Positions
    start: Positions
    stop: Positions
    onset: Floats
    offset: Floats

    @property
    def segment(self) -> Positions:
        return self.axis.segment[self.start]


def _find_bouts(
    parts: Segments, values: Floats, threshold: float | None, min_duration: float, max_gap: float
) -> _Bouts:
    """Join runs of one emotion from left to right: what a bout goes over belongs to it."""
    shortest = check_number("min_duration", min_duration, 0.0, unit="s")
    longest = check_number("max_gap", max_gap, 0.0, unit="s")
    codes = emotion_codes(values, threshold)
    axis = Axis.of(parts, codes >= 0, longest)
    codes = codes[axis.rows]
    codes[codes == values.shape[1]] = -1
    runs = find_runs(codes + 1, axis.breaks[:-1])
    code = codes[runs.start]
    onset = axis.time[runs.start]
    offset = axis.time[runs.stop - 1] + axis.until[runs.stop - 1]
    last = _joined(code, axis.segment[runs.start], onset, offset, longest)
    first = np.flatnonzero(last >= 0)
    first = first[offset[last[first]] - onset[first] >= shortest - TINY]
    last = last[first]
    return _Bouts(
        axis, code[first], runs.start[first], runs.stop[last], onset[first], offset[last]
    )  # fmt: skip


def _joined(
    code: Positions, segment: Positions, onset: Floats, offset: Floats, max_gap: float
) -> Positions:
    """Last run of the bout that begins with each run; −1 for runs that a bout before took in."""
    last = np.arange(len(code), dtype=np.intp)
    n, i = len(code), 0
    codes, segments, onsets, offsets = (a.tolist() for a in (code, segment, onset, offset))
    while i < n:
        end, j = i, i + 1
        while j < n and segments[j] == segments[i] and onsets[j] - offsets[end] <= max_gap + TINY:
            if codes[j] == codes[i]:
                end = j
            j += 1
        last[i] = end
        last[i + 1 : end + 1] = -1
        i = end + 1
    return last
