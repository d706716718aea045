"""Tables of LibreFace (Chang et al., WACV 2024), releases 0.1 and 0.2 ("2.0").

Columns as its `get_facial_attributes_video` writes them (release 0.2.0):

==============================  ==================================================================
LibreFace                       Fex
==============================  ==================================================================
``frame_idx``                   ``frame``
``frame_time_in_ms``            ``time``; releases that use FFmpeg write *seconds* under this name
                                (``i / fps``), the older one with decord milliseconds: what fits
                                the frame numbers is taken
``au_N``                        ``AUxx``: presence, 0 or 1
``au_N_intensity``              ``AUxx_r``: intensity, 0–5
``facial_expression``           label ``expression`` in our words (``Happiness`` is ``Happy``): a
                                class, not a probability
``gaze_yaw``, ``gaze_pitch``    labels ``gaze_yaw_raw``, ``gaze_pitch_raw``, degrees: relative to
                                the camera, and the signs are not documented
``pitch``, ``yaw``, ``roll``    labels ``pitch_raw`` …: no angles; the program multiplies degrees by
                                360, of a pose solved with depths in another unit than x and y
``lm_mp_i_x``, ``_y``, ``_z``   ``mesh_*``: MediaPipe's points relative to the frame's size; in px
                                only with `frame_size`
==============================  ==================================================================

Frames without a face are not in the file. It follows no faces: one row per frame, ``track`` 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.io._foreign import (
    assemble,
    au_column,
    check_frame_size,
    file_name,
    kept,
    normalised_mesh,
    times,
)  # fmt: skip
from facemt_analysis.io._head import Format, Head
from facemt_analysis.io._selection import Selection
from facemt_analysis.io._text import numbers, read_text_table

__all__: list[str] = []

EXPRESSIONS = {
    "Neutral": "Neutral", "Happiness": "Happy", "Sadness": "Sad", "Surprise": "Surprise",
    "Fear": "Fear", "Disgust": "Disgust", "Anger": "Anger", "Contempt": "Contempt",
}  # fmt: skip
_AU = re.compile(r"au_(\d+)(_intensity)?")
_POINT = re.compile(r"lm_mp_(\d+)_([xyz])")
_RAW = {c: f"{c}_raw" for c in ("pitch", "yaw", "roll", "gaze_yaw", "gaze_pitch")}

CONVENTIONS = {
    "name": "LibreFace",
    "aus": "au_N, 0 or 1",
    "intensities": "au_N_intensity, 0 to 5",
    "gaze_yaw_raw gaze_pitch_raw": "degrees relative to the camera, signs not documented",
    "pitch_raw yaw_raw roll_raw": "not angles: degrees times 360",
}


def _recognises(head: Head) -> bool:
    names = set(head.columns)
    units = [c for c in names if _AU.fullmatch(c)]
    return len(units) > 1 and bool({"frame_idx", "facial_expression", "frame_time_in_ms"} & names)


def _read(
    head: Head,
    selection: Selection,
    *,
    fps: float | None = None,
    frame_size: tuple[int, int] | None = None,
    keep: bool | Sequence[str] = False,
) -> Fex:
    """Read the table.

    `fps` replaces the times of the file, `frame_size` (width, height) in px gives the mesh, `keep`
    names further columns that become labels.
    """
    check_frame_size(frame_size)
    units = {c: m for c in head.columns if (m := _AU.fullmatch(c))}
    aus = {c: au_column(int(m[1]), "_r" if m[2] else "") for c, m in units.items()}
    aus = {c: ours for c, ours in aus.items() if ours}
    points = {c: m for c in head.columns if (m := _POINT.fullmatch(c))} if frame_size else {}
    raw_names = [c for c in _RAW if c in head.columns]
    time = [c for c in ("frame_idx", "frame_time_in_ms") if c in head.columns]
    text = [c for c in ("facial_expression", "input_image_path") if c in head.columns]
    extra = kept(head, {*aus, *points, *raw_names, *time, *text}, keep)
    wanted = dict.fromkeys([*aus, *points, *raw_names, *time])
    raw = read_text_table(head, [*wanted, *text, *extra])
    table = numbers(raw[list(wanted)], head, np.float64)
    n = len(table)
    features = table[list(aus)].rename(columns=aus)
    if frame_size:
        xyz = {(m[2], int(m[1])): table[c] for c, m in points.items()}
        features = features.join(normalised_mesh(xyz, frame_size))
    frame = (
        table["frame_idx"].to_numpy(np.float64)
        if "frame_idx" in table
        else np.arange(n, dtype=np.float64)
    )
    labels = table[raw_names].rename(columns=_RAW)
    if "facial_expression" in raw:
        words = raw["facial_expression"].map(lambda word: EXPRESSIONS.get(word, word))
        labels = labels.assign(expression=words)
    name = head.path.stem
    if "input_image_path" in raw:
        labels = labels.assign(image=raw["input_image_path"].map(file_name))
    return assemble(
        head, selection, FexInfo(tool="LibreFace", conventions=CONVENTIONS),
        keys={"input": [name] * n, "frame": frame, "time": _time(table, frame, fps, head),
              "track": np.zeros(n)},
        features=features, seen=np.ones(n), labels=pd.concat([labels, raw[extra]], axis=1),
    )  # fmt: skip


def _time(
    table: pd.DataFrame, frame: NDArray[np.float64], fps: float | None, head: Head
) -> NDArray[np.float64]:
    """Seconds; the column says milliseconds, but holds seconds in the releases that use FFmpeg."""
    if fps is not None or "frame_time_in_ms" not in table:
        return times(frame, fps)
    given = table["frame_time_in_ms"].to_numpy(np.float64)
    ahead = (frame > 0) & (given > 0)
    if not ahead.any():
        return given
    # frames per unit of the column: 1 to 1000 a second, or a thousandth of it per millisecond
    rate = float(np.median(frame[ahead] / given[ahead]))
    if rate >= 1.0:
        return given
    if rate <= 0.5:
        return given / 1000
    raise FexError(
        f"{head.path}: `frame_time_in_ms` has {rate:.3g} frames per unit, which is neither "
        "seconds nor milliseconds; give the frame rate with `fps`."
    )


FORMAT = Format("LibreFace CSV", _recognises, _read, ("fps", "frame_size", "keep"))
