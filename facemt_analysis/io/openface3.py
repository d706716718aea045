"""Tables of OpenFace 3 (Hu et al., FG 2025): TSV of its demo, CSV of the package `openface-test`.

Cells hold lists. What they are, from the package's `openface/demo.py` (0.1.26) and the order of the
action units in the repository's `demo2.py`:

=========================  =======================================================================
OpenFace 3                 Fex
=========================  =======================================================================
``image_path`` or          last part: ``input`` of a video; ``image`` of pictures
``video_path``
``frame_index``            ``frame``; the number of the picture where it is absent
``timestamp``              ``time`` if it is a number (s). The package writes the clock of the
                           computer, which is no time in the video: ``time`` needs `fps` then
``face_id``                ``track``: the place in the frame, not a person
``face_detection``         ``FaceRect*``, ``FaceScore``: x1, y1, x2, y2, score, and five points that
                           are left out
``landmarks``              ``x_i y_i``: of the 98 WFLW points the 68 that the dlib scheme has too
                           (of the brows the upper edge)
``action_units``           ``AU01 AU02 AU04 AU06 AU09 AU12 AU25 AU26``, scores
``emotion``                label ``expression``: the class, not a probability
``gaze_yaw gaze_pitch``    labels ``gaze_yaw_raw gaze_pitch_raw``: unit, frame of reference and
                           signs are not documented
=========================  =======================================================================

The package measures the first face of a frame once and writes the result beside every face of it;
the action units, expression and gaze of the others are therefore left empty where they repeat it.
"""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis import schema
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.io._foreign import FileWarning, assemble, file_name, times
from facemt_analysis.io._head import Format, Head
from facemt_analysis.io._selection import Selection
from facemt_analysis.io._text import as_float, read_text_table, whole_numbers

__all__ = ["DLIB68_FROM_WFLW98"]

ACTION_UNITS = ("AU01", "AU02", "AU04", "AU06", "AU09", "AU12", "AU25", "AU26")
# AffectNet's order, in which the emotion head was trained
EXPRESSIONS = ("Neutral", "Happy", "Sad", "Surprise", "Fear", "Disgust", "Anger", "Contempt")

# WFLW (Wu et al., 2018): contour 0-32, brows 33-50 (upper edge first), nose 51-59, eyes 60-75
# (eight points each), mouth 76-95, pupils 96-97.
DLIB68_FROM_WFLW98 = (
    *range(0, 33, 2),
    *(33, 34, 35, 36, 37), *(42, 43, 44, 45, 46),
    *range(51, 60),
    *(60, 61, 63, 64, 65, 67), *(68, 69, 71, 72, 73, 75),
    *range(76, 96),
)  # fmt: skip
"""WFLW point for each point of the dlib scheme."""

CONVENTIONS = {
    "name": "OpenFace 3",
    "landmarks": "68 of the 98 WFLW points",
    "gaze_yaw_raw gaze_pitch_raw": "unit, frame of reference and signs not documented",
}
# what Python, NumPy and PyTorch put around numbers
_LIST_SIGNS = re.compile(r"[\[\](),]|tensor|(device|dtype|grad_fn)=[^,)]*")
_NEEDED = {"face_id", "face_detection", "landmarks", "action_units"}


def _recognises(head: Head) -> bool:
    return set(head.columns) >= _NEEDED


def _read(head: Head, selection: Selection, *, fps: float | None = None) -> Fex:
    """Read the table; `fps` gives ``time`` from the frames."""
    raw = read_text_table(head)
    n = len(raw)
    boxes = _lists(raw["face_detection"], 5, head)
    points = _lists(raw["landmarks"], 196, head)
    units = _lists(raw["action_units"], len(ACTION_UNITS), head)
    seen = np.isfinite(boxes).all(axis=1)
    path = next((raw[c] for c in ("video_path", "image_path") if c in raw), None)
    pictures = "frame_index" not in raw and path is not None
    if "frame_index" in raw:
        frame = whole_numbers(as_float(raw["frame_index"]), "frame_index", head)
    elif path is not None:
        frame = pd.factorize(path)[0]
    else:
        frame = np.arange(n)
    expression = as_float(raw.get("emotion", pd.Series([np.nan] * n)))
    gaze = [c for c in ("gaze_yaw", "gaze_pitch") if c in raw]
    labels = raw[gaze].apply(as_float).add_suffix("_raw")
    names = dict(enumerate(EXPRESSIONS))
    labels = labels.assign(expression=expression.map(names).astype(object))
    repeated = _repeats(frame, units)
    if repeated.any():
        warnings.warn(
            f"{head.path}: {int(repeated.sum())} rows repeat the action units of the first face of "
            "their frame, which the program writes beside every face; they are left empty.",
            FileWarning,
            stacklevel=2,
        )
        units[repeated] = np.nan
        labels = labels.loc[~repeated].reindex(labels.index)
    xy = points.reshape(n, 98, 2)[:, list(DLIB68_FROM_WFLW98)]
    features = {
        "FaceRectX": boxes[:, 0],
        "FaceRectY": boxes[:, 1],
        "FaceRectWidth": boxes[:, 2] - boxes[:, 0],
        "FaceRectHeight": boxes[:, 3] - boxes[:, 1],
        "FaceScore": boxes[:, 4],
        **dict(zip(ACTION_UNITS, units.T, strict=True)),
    }
    table = pd.DataFrame(features)
    landmarks = np.hstack([xy[..., 0], xy[..., 1]])
    table = table.join(pd.DataFrame(landmarks, columns=schema.GROUPS["landmarks"].columns))
    name: Any = [head.path.stem] * n
    if path is not None and not pictures:
        name = path.map(file_name)
    elif path is not None:
        labels = labels.assign(image=path.map(file_name))
    track = as_float(raw["face_id"]).fillna(-1)
    return assemble(
        head, selection, FexInfo(tool="OpenFace 3", conventions=CONVENTIONS),
        keys={"input": name, "frame": frame, "time": _time(raw, frame, fps), "track": track},
        features=table, seen=seen & (track >= 0).to_numpy(), labels=labels,
    )  # fmt: skip


def _time(raw: pd.DataFrame, frame: NDArray[Any], fps: float | None) -> NDArray[np.float64]:
    if fps is None and "timestamp" in raw and pd.api.types.is_numeric_dtype(raw["timestamp"].dtype):
        return raw["timestamp"].to_numpy(np.float64)
    return times(frame, fps)


def _repeats(frame: NDArray[Any], units: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Rows with the very numbers of an earlier row of their frame."""
    table = pd.DataFrame(units).assign(frame=frame)
    return np.asarray(table.duplicated() & table[0].notna(), np.bool_)


def _lists(column: pd.Series, width: int, head: Head) -> NDArray[np.float64]:
    """Cells as rows of the first `width` numbers; NaN for empty ones, shape (n, width)."""
    out = np.full((len(column), width), np.nan)
    for i, cell in enumerate(column):
        if not isinstance(cell, str) or not cell.strip():
            continue
        try:
            numbers = [float(n) for n in _LIST_SIGNS.sub(" ", cell).split()]
        except ValueError as error:
            raise FexError(
                f"{head.path}: the cell {cell[:40]!r} of {column.name!r} in row "
                f"{i + head.skip + 2} is not a list of numbers."
            ) from error
        if len(numbers) < width:
            raise FexError(
                f"{head.path}: the list of {column.name!r} in row {i + head.skip + 2} has "
                f"{len(numbers)} numbers, but {width} are expected."
            )
        out[i] = numbers[:width]
    return out


FORMAT = Format("OpenFace 3 table", _recognises, _read, ("fps",))
