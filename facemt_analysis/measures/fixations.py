"""Fixations: stretches in which gaze stays within a small field."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.checks import check_labels, check_number
from facemt_analysis.measures.gaze_directions import gaze_angles, gaze_vectors
from facemt_analysis.measures.grouping import complete
from facemt_analysis.signal.runs import Runs, find_runs
from facemt_analysis.signal.segments import Segments, cut

__all__ = ["FIXATION_RATE", "find_fixations"]

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

FIXATION_RATE = 60.0
"""Frames per second below which fixations are marked: a saccade takes 20 to 60 ms."""

_TINY = 1e-6  # s; sums of frame intervals are not exact
_BLOCK = 64


def find_fixations(
    frame: pd.DataFrame,
    *,
    dispersion: float = 3.0,
    min_duration: float = 0.1,
    labels: str | Sequence[str] = (),
    reference: str = "head",
    recorded: str = "head",
    convention: str = "rodrigues",
) -> pd.DataFrame:
    """Find fixations by their dispersion (I-DT).

    Parameters
    ----------
    frame
        Table with gaze, as for :func:`gaze_vectors`, and ``time`` (s).
    dispersion
        Greatest range of yaw plus range of pitch within a fixation, deg.
    min_duration
        Shortest fixation, s.
    labels
        Further columns to carry, as they are in the frame of the onset.
    reference, recorded, convention
        As for :func:`gaze_vectors`. A head that turns while the eyes rest on something moves gaze
        in the head's frame, not in the camera's.

    Returns
    -------
    DataFrame
        One row per fixation in the order of recording, track and onset: ``input``, ``track`` (of
        those that the table has), the `labels` and

        - ``onset``, ``offset``: time of the first frame, and when the last one ends, s;
        - ``duration``: offset − onset, s;
        - ``pitch``, ``yaw``: mean angles, frames weighing what they stand for, deg;
        - ``dispersion``: range of yaw plus range of pitch, deg;
        - ``n_frames``;
        - ``truncated``: whether it touches an end, a gap or lost gaze, so that it may be longer;
        - ``fps``, ``low_rate``: the recording's usual rate, and whether it is below 60 Hz.

    Raises
    ------
    FexError
        If a column is not in the table, or time is missing or goes backwards.
    OptionError
        If an option is not above 0.

    Notes
    -----
    A window that covers `min_duration` opens at a frame; if it is within the dispersion it grows
    until the next frame would exceed it, is a fixation, and the search goes on behind; else it
    opens one frame later (Salvucci & Goldberg, 2000).

    Mind ``low_rate``: at 30 Hz a saccade leaves no frame of its own, so that neighbouring fixations
    less than the dispersion apart merge, and durations are known to a frame at either end. Video
    is for long fixations of clearly different directions; there is no saccade velocity in it.
    Windows add the noise of frames to their dispersion, so the default is wider than the 0.5 to 1°
    of eye trackers.

    References
    ----------
    Salvucci, D. D. & Goldberg, J. H. (2000). Identifying fixations and saccades in eye-tracking
        protocols. ETRA, 71-78. https://doi.org/10.1145/355017.355028

    Examples
    --------
    >>> table = pd.DataFrame({"time": np.arange(10) / 30, "gaze_pitch": 0.0,
    ...                       "gaze_yaw": [0.0] * 6 + [0.2] * 4})
    >>> find_fixations(table)[["duration", "yaw", "n_frames"]].round(2).to_dict("records")
    [{'duration': 0.2, 'yaw': 0.0, 'n_frames': 6}, {'duration': 0.13, 'yaw': 11.46, 'n_frames': 4}]
    """
    widest = check_number("dispersion", dispersion, 0.0, open_low=True, unit="deg")
    shortest = check_number("min_duration", min_duration, 0.0, open_low=True, unit="s")
    carried = check_labels(frame, labels, name="labels")
    vectors = gaze_vectors(frame, reference, recorded=recorded, convention=convention)
    parts = cut(frame)
    angles = gaze_angles(vectors)[parts.order]
    found = _windows(parts, angles, widest, shortest)
    start, last = found.start, found.stop - 1
    lasts = parts.lasts
    out = parts.keys.iloc[parts.segment[start]].reset_index(drop=True)
    for label in carried:
        if label not in out.columns:
            out[label] = frame[label].iloc[parts.order[start]].array
    offset = parts.time[last] + lasts[last]
    centre, spread = np.empty((len(found), 2)), np.empty(len(found))
    for k, (a, b) in enumerate(zip(found.start.tolist(), found.stop.tolist(), strict=True)):
        centre[k] = lasts[a:b] @ angles[a:b] / lasts[a:b].sum()
        spread[k] = np.ptp(angles[a:b], axis=0).sum()
    known = complete(angles)
    cut_off = np.append(parts.breaks, True)  # nothing is known before this row
    cut_off[:-1] |= ~known
    cut_off[1:] |= ~known
    fps = 1 / parts.step[parts.segment[start]]
    return out.assign(
        onset=parts.time[start],
        offset=offset,
        duration=offset - parts.time[start],
        pitch=centre[:, 0],
        yaw=centre[:, 1],
        dispersion=spread,
        n_frames=found.stop - start,
        truncated=cut_off[start] | cut_off[found.stop],
        fps=fps,
        low_rate=fps < FIXATION_RATE * (1 - 1e-3),
    )


def _windows(parts: Segments, angles: Floats, widest: float, shortest: float) -> Runs:
    """Windows within the dispersion that cannot grow, from the left; rows in segment order."""
    stretches = find_runs(complete(angles), parts.breaks)
    n = len(angles)
    end = np.zeros(n, dtype=np.intp)  # behind the stretch of each row; 0: no gaze
    for a, b in zip(stretches.start.tolist(), stretches.stop.tolist(), strict=True):
        end[a:b] = b
    opens = _opening(parts, end, shortest)
    low, high = angles.copy(), angles.copy()
    for k in range(1, int((opens - np.arange(n)).max(initial=1))):
        rows = np.flatnonzero(opens > np.arange(n) + k)
        low[rows] = np.minimum(low[rows], angles[rows + k])
        high[rows] = np.maximum(high[rows], angles[rows + k])
    fits = np.flatnonzero((opens > 0) & ((high - low).sum(axis=1) <= widest))
    start: list[int] = []
    stop: list[int] = []
    at = 0
    while (k := int(np.searchsorted(fits, at))) < len(fits):
        row = int(fits[k])
        at = _grown(angles, low[row], high[row], int(opens[row]), int(end[row]), widest)
        start.append(row)
        stop.append(at)
    return Runs(np.array(start, dtype=np.intp), np.array(stop, dtype=np.intp))


def _opening(parts: Segments, end: Positions, shortest: float) -> Positions:
    """Row behind the window that opens at each row and just covers `shortest`; 0: there is none."""
    # one axis on which time goes on from segment to segment, so that all are searched at once
    until = parts.time + np.nan_to_num(parts.lasts)
    length = np.append(0.0, np.cumsum([until[s][-1] - parts.time[s][0] for s in parts.slices()]))
    shift = np.array([-parts.time[s][0] for s in parts.slices()]) + length[:-1]
    shift = shift[parts.segment] if len(shift) else np.empty(0)
    behind = np.searchsorted(until + shift, parts.time + shift + shortest - _TINY) + 1
    return np.where(behind <= end, behind, 0).astype(np.intp)


def _grown(angles: Floats, low: Floats, high: Floats, stop: int, end: int, widest: float) -> int:
    """Row behind the window once it has taken in all it can."""
    size = _BLOCK
    while stop < end:
        block = angles[stop : min(stop + size, end)]
        lows = np.minimum(np.minimum.accumulate(block), low)
        highs = np.maximum(np.maximum.accumulate(block), high)
        over = (highs - lows).sum(axis=1) > widest
        if over.any():
            return stop + int(over.argmax())
        stop += len(block)
        low, high = lows[-1], highs[-1]
        size *= 2
    return stop
