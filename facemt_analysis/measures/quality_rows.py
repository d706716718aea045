"""What tells, row by row, how far a face can be trusted: score, size, turn, borders, repeats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis import schema
from facemt_analysis.signal.segments import Segments, cut

__all__ = ["TOLERANCE", "RowQuality", "cut_faces", "frame_codes", "row_quality"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Positions = NDArray[np.intp]

TOLERANCE = 1e-4
"""Scores may miss their bound by that much: rounding of float32."""

_TELLING = 3
"""Values that are not whole numbers which two rows must share to be called the same picture."""

_BOX = ("FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight")
_OUTER_EYES = ("x_36", "y_36", "x_45", "y_45")


@dataclass(frozen=True, eq=False)
class RowQuality:
    """One value per row of a table, shape (n,); NaN where the columns to tell are absent.

    Parameters
    ----------
    face
        Whether the row is a face: ``track`` is not −1, and ``FaceScore`` not 0.
    valid
        Whether something was measured: a face with at least one feature that is not NaN (boxes
        and scores do not count, unless the table has nothing else).
    score
        The face detector's confidence, 0–1.
    face_px
        Size of the face: square root of the area of its box, px.
    eyes_px
        Distance between the outer corners of the eyes (landmarks 36 and 45), px.
    pitch_deg, roll_deg, yaw_deg
        Head pose, degrees.
    overlap
        Greatest overlap (intersection over union) with the box of another face of the frame.
    cut_off
        Share of the box that lies outside the picture.
    duplicate
        Whether all features are exactly those of the row before of the same face.
    out_of_range
        Number of features that have a value they cannot have.
    """

    face: Bools
    valid: Bools
    score: Floats
    face_px: Floats
    eyes_px: Floats
    pitch_deg: Floats
    roll_deg: Floats
    yaw_deg: Floats
    overlap: Floats
    cut_off: Floats
    duplicate: Bools
    out_of_range: NDArray[np.int64]


def row_quality(frame: pd.DataFrame) -> RowQuality:
    """Measure how far each row of a table can be trusted.

    Parameters
    ----------
    frame
        Rows in any order, with those of the keys and features that it has.

    Raises
    ------
    FexError
        If a face is there twice in a frame.

    Notes
    -----
    Two neighbouring rows of a face are duplicates if every feature agrees to the last bit and at
    least three of the values are not whole numbers: a camera's noise alone makes two pictures
    differ, so that equal rows mean a repeated (frozen, padded) picture or rows copied by a tool.
    Tables of 0/1 codes are never called so.

    Examples
    --------
    >>> table = pd.DataFrame({"frame": [0, 1, 2], "track": [0, 0, -1], "AU12": [0.1, 0.1, np.nan],
    ...                       "Yaw": [0.5, 0.5, np.nan], "Pitch": [0.2, 0.2, np.nan]})
    >>> rows = row_quality(table)
    >>> rows.valid.tolist(), rows.duplicate.tolist(), rows.yaw_deg.round(1).tolist()
    ([True, True, False], [False, True, False], [28.6, 28.6, nan])
    """
    plain = pd.DataFrame(frame)
    face = _faces(plain)
    valid = face & _measured(plain, face)
    boxes = _numbers(plain, _BOX)
    eyes = _numbers(plain, _OUTER_EYES)
    pitch, roll, yaw = (np.degrees(_numbers(plain, (c,))[:, 0]) for c in ("Pitch", "Roll", "Yaw"))
    return RowQuality(
        face=face,
        valid=valid,
        score=_numbers(plain, ("FaceScore",))[:, 0],
        face_px=np.sqrt(boxes[:, 2] * boxes[:, 3]),
        eyes_px=np.hypot(eyes[:, 2] - eyes[:, 0], eyes[:, 3] - eyes[:, 1]),
        pitch_deg=pitch,
        roll_deg=roll,
        yaw_deg=yaw,
        overlap=_overlaps(plain, boxes, face),
        cut_off=_cut_off(boxes, _numbers(plain, ("FrameWidth", "FrameHeight"))),
        duplicate=_duplicates(plain, valid),
        out_of_range=_out_of_range(plain),
    )


def frame_codes(frame: pd.DataFrame) -> Positions:
    """Give rows of one frame of one recording a number, counting up with the frames of each.

    By ``frame``, else by ``time``; where neither is there, each row is a frame of its own.

    >>> frame_codes(pd.DataFrame({"input": ["a", "a", "a", "b"], "frame": [7, 2, 7, 7]})).tolist()
    [1, 0, 1, 2]
    """
    moment = next((c for c in ("frame", "time") if c in frame.columns), None)
    if moment is None:
        code = np.arange(len(frame))
    else:
        code = pd.factorize(frame[moment], sort=True, use_na_sentinel=False)[0]
    if "input" in frame.columns:
        recording = pd.factorize(frame["input"], use_na_sentinel=False)[0]
        code = recording * (int(code.max(initial=0)) + 1) + code
    return np.unique(code, return_inverse=True)[1].astype(np.intp)


def cut_faces(frame: pd.DataFrame, keep: Bools, labels: Sequence[str] | None = None) -> Segments:
    """Cut those rows of a table that are to be kept, into faces; time is not needed.

    The usual frame interval is still that of all rows.
    """
    names = dict.fromkeys(c for c in (*schema.KEYS, *(labels or ())) if c in frame.columns)
    keys = frame[list(names)]
    if "track" in names:
        keys = keys.assign(track=np.where(keep, keys["track"], -1))
    elif not keep.all():
        keys = keys.assign(track=np.where(keep, 0, -1))
    return cut(keys, labels, need_time=False)


def _numbers(frame: pd.DataFrame, columns: tuple[str, ...]) -> Floats:
    """Columns as float64 (n, k); all NaN if one of them is absent."""
    if not set(columns) <= set(frame.columns):
        return np.full((len(frame), len(columns)), np.nan)
    return np.asarray(frame[list(columns)].to_numpy(np.float64, na_value=np.nan))


def _faces(frame: pd.DataFrame) -> Bools:
    face = np.ones(len(frame), dtype=np.bool_)
    if "track" in frame.columns:
        face &= (frame["track"] >= 0).to_numpy(np.bool_, na_value=False)
    if "FaceScore" in frame.columns:  # a missing score says nothing
        face &= frame["FaceScore"].to_numpy(np.float64, na_value=np.nan) != 0
    return face


def _measured(frame: pd.DataFrame, face: Bools) -> Bools:
    """Faces with a feature; column by column, so that most rows are settled by the first."""
    names = _measurements(frame)
    if not names:
        return face
    has = np.zeros(len(frame), dtype=np.bool_)
    left = np.flatnonzero(face)
    for name in names:
        if not len(left):
            break
        filled = frame[name].notna().to_numpy()[left]
        has[left[filled]] = True
        left = left[~filled]
    return has


def _measurements(frame: pd.DataFrame) -> list[str]:
    names = schema.feature_columns(frame.columns)
    return [c for c in names if schema.group_of(c) != "faceboxes"]


def _pairs(code: Positions) -> Iterator[tuple[Positions, Positions]]:
    """Rows with equal codes, in pairs; rows must be sorted by code."""
    distance = 1
    while distance < len(code):
        first = np.flatnonzero(code[distance:] == code[:-distance])
        if not len(first):
            return
        yield first, first + distance
        distance += 1


def _overlaps(frame: pd.DataFrame, boxes: Floats, face: Bools) -> Floats:
    out = np.where(np.isnan(boxes).any(axis=1), np.nan, 0.0)
    rows = np.flatnonzero(face & ~np.isnan(out))
    code = frame_codes(frame)[rows]
    order = np.argsort(code, kind="stable")
    rows, code = rows[order], code[order]
    low = boxes[rows, :2]
    size = boxes[rows, 2:]
    area = size.prod(axis=1)
    for one, other in _pairs(code):
        edge = np.minimum(low[one] + size[one], low[other] + size[other])
        shared = np.clip(edge - np.maximum(low[one], low[other]), 0, None).prod(axis=1)
        whole = area[one] + area[other] - shared
        iou = np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)
        np.maximum.at(out, rows[one], iou)
        np.maximum.at(out, rows[other], iou)
    return out


def _cut_off(boxes: Floats, picture: Floats) -> Floats:
    area = boxes[:, 2] * boxes[:, 3]
    inside = np.minimum(boxes[:, :2] + boxes[:, 2:], picture) - np.maximum(boxes[:, :2], 0.0)
    within = np.clip(inside, 0.0, None).prod(axis=1)
    share: Floats = np.divide(within, area, out=np.full(len(boxes), np.nan), where=area > 0)
    return 1 - share


def _duplicates(frame: pd.DataFrame, valid: Bools) -> Bools:
    out = np.zeros(len(frame), dtype=np.bool_)
    names = schema.feature_columns(frame.columns)
    parts = cut_faces(frame, valid)
    after = np.flatnonzero(~parts.first)
    before, after = parts.order[after - 1], parts.order[after]
    telling = np.zeros(len(after), dtype=np.int64)
    for name in names:
        if not len(after):
            break
        values = frame[name].to_numpy(np.float64, na_value=np.nan)
        one, other = values[before], values[after]
        same = (one == other) | (np.isnan(one) & np.isnan(other))
        before, after = before[same], after[same]
        telling = telling[same] + (other[same] % 1 > 0)  # NaN is not
    out[after[telling >= _TELLING]] = True
    return out


def _out_of_range(frame: pd.DataFrame) -> NDArray[np.int64]:
    count = np.zeros(len(frame), dtype=np.int64)
    for name in schema.feature_columns(frame.columns):
        low, high = schema.range_of(name)
        if not (np.isfinite(low) or np.isfinite(high)):
            continue
        values = frame[name].to_numpy(np.float64, na_value=np.nan)
        least, most = (
            np.fmin.reduce(values, initial=np.inf),
            np.fmax.reduce(values, initial=-np.inf),
        )
        if least < low - TOLERANCE or most > high + TOLERANCE:
            count += (values < low - TOLERANCE) | (values > high + TOLERANCE)
    return count
