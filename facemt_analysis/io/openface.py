"""Tables of OpenFace 2 (Baltrušaitis et al., 2018).

Columns and units: the project's wiki, "Output Format". Its camera frame: x to the right of the
image, y down, z away from the camera. The signs below were checked on the landmarks of a real file:
the 3D points turn with ``R = Rx·Ry·Rz`` of ``pose_R``, the nose moves to the left of the image
(the subject's right) with + ``pose_Ry``, and the line of the eyes sinks on the right of the image
(a tilt to the subject's left) with + ``pose_Rz``; head up is − ``pose_Rx`` (its issue 966).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis import schema
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.io._foreign import FileWarning, check_rate
from facemt_analysis.io._head import Format, Head
from facemt_analysis.io._selection import Selection, shorten
from facemt_analysis.io._text import numbers, read_text_table, whole_numbers

__all__ = ["read_openface"]

Floats = NDArray[np.float64]

_KEYS = ("frame", "face", "face_id", "timestamp", "confidence", "success")
_POSE = ("pose_Tx", "pose_Ty", "pose_Tz", "pose_Rx", "pose_Ry", "pose_Rz")
_EYES = tuple(f"gaze_{eye}_{axis}" for eye in (0, 1) for axis in "xyz")

CONVENTIONS = {
    "name": "OpenFace 2",
    "Pitch": "-pose_Rx",
    "Yaw": "pose_Ry",
    "Roll": "-pose_Rz",
    "X Y Z": "pose_T in mm, camera frame",
    "gaze": "mean of gaze_0 and gaze_1, turned into the head frame by pose_R",
    "aus": "AU.._c, 0 or 1",
    "intensities": "AU.._r, 0 to 5",
}


def read_openface(
    path: str | PathLike[str],
    *,
    keep: bool | Sequence[str] = False,
    recording: str | None = None,
    fps: float | None = None,
) -> Fex:
    """Read the CSV of OpenFace 2's FeatureExtraction, FaceLandmarkVid(Multi) or FaceLandmarkImg.

    ===================  ==============================================================
    Fex                  OpenFace
    ===================  ==============================================================
    ``input``            name of the file without its ending (OpenFace does not say)
    ``frame``            ``frame`` − 1 (OpenFace counts from 1)
    ``time``             ``timestamp``, s; from a constant frame rate, not the stream's. With
                         `fps`, ``frame`` / `fps` instead
    ``track``            ``face_id`` (``face`` of images); 0 in older files; −1: no face
    ``FaceScore``        ``confidence`` where ``success`` is 1, else 0
    ``x_i y_i``          the same, px
    ``Pitch Roll Yaw``   −``pose_Rx``, −``pose_Rz``, ``pose_Ry``, rad: Euler angles
                         of ``Rx·Ry·Rz``, relative to the camera
    ``X Y Z``            ``pose_Tx pose_Ty pose_Tz``, mm
    ``gaze_*``           mean of the eyes' vectors in the head's frame, rad; OpenFace's
                         ``gaze_angle`` is relative to the camera
    ``AUxx``             ``AUxx_c``: presence, 0 or 1
    ``AUxx_r``           the same: intensity, 0–5 (group ``intensities``)
    ===================  ==============================================================

    OpenFace writes zeros where it found no face; features of rows with ``success`` 0 are NaN here.

    Parameters
    ----------
    path
        The file.
    keep
        Which other columns (3D landmarks, eye landmarks, shape parameters …) become labels: none,
        all (True), or those named. ``docs/formats.md`` says what they are. They are NaN without a
        face too.
    recording
        Name for the column ``input``.
    fps
        Frame rate. OpenFace writes times a millisecond apart where it does not know it (for
        sequences of images): without `fps` ``time`` is NaN then, with a warning.

    Returns
    -------
    Fex
        One row per row of the file.

    Raises
    ------
    FexError
        If the file is not a complete table of OpenFace 2, or a column to keep is not in it.
    """
    head = Head(path)
    if not _recognises(head):
        raise FexError(
            f"{path}: not a table of OpenFace 2: it lacks some of frame (or face), confidence, "
            "success in its first line."
        )
    return _read(head, Selection(), keep=keep, recording=recording, fps=fps)


def _recognises(head: Head) -> bool:
    names = set(head.columns)
    video = {"frame", "timestamp", "confidence", "success"} <= names
    image = {"face", "confidence"} <= names and "FaceScore" not in names
    other = any(n.startswith(("pose_R", "gaze_", "AU", "x_", "eye_lmk", "p_")) for n in names)
    return (video or image) and other


def _read(
    head: Head,
    selection: Selection,
    *,
    keep: bool | Sequence[str] = False,
    recording: str | None = None,
    fps: float | None = None,
) -> Fex:
    check_rate(fps)
    extra = _extra(head, keep)
    used = [c for c in head.columns if c in _KEYS + _POSE + _EYES or _same(c)]
    raw = read_text_table(head, [*used, *extra])
    table = numbers(raw[used], head, np.float64)
    found = _found(table)
    keys = _keys(head, table, found, head.path.stem if recording is None else recording)
    if fps is not None and "frame" in table:
        keys = keys.assign(time=keys["frame"] / fps)
    elif _made_up(keys):
        keys = keys.assign(time=np.nan)
        warnings.warn(
            f"{head.path}: its times are a millisecond apart, as OpenFace writes them when it does "
            "not know the frame rate; `time` is left empty, give `fps`.",
            FileWarning,
            stacklevel=2,
        )
    with np.errstate(over="ignore", invalid="ignore"):  # what is infinite stays so, or is missing
        features = pd.DataFrame(_features(table), index=table.index).astype(np.float32)
    features[~found] = np.nan
    if "confidence" in table:
        score = table["confidence"].where(found, 0.0).astype(np.float32)
        features.insert(0, "FaceScore", score)
    order = schema.canonical_order(features.columns)
    # the zeros of a frame without a face are no measures
    others = raw[extra].assign(**{c: raw[c].where(found) for c in extra if c not in _KEYS})
    whole = pd.concat([keys, features[order], others], axis=1)
    whole = whole[selection.columns(list(whole.columns), head.path)]
    info = FexInfo(tool="OpenFace 2", conventions=CONVENTIONS)
    return Fex(selection.rows(whole, head.path), info=info)


def _same(column: str) -> bool:
    """Columns that have the same name and meaning in both, or differ by the ending ``_c``."""
    return (
        schema.group_of(column) in ("landmarks", "intensities")
        or column.removesuffix("_c") in schema.ACTION_UNITS
    )


def _extra(head: Head, keep: bool | Sequence[str]) -> list[str]:
    used = {c for c in head.columns if c in ("frame", "timestamp", "face_id", "face") or _same(c)}
    others = [c for c in head.columns if c not in used]
    if isinstance(keep, bool):
        # the ones that the table is computed from are asked for by name
        return [c for c in others if c not in _KEYS + _POSE + _EYES] if keep else []
    missing = [c for c in keep if c not in others]
    if missing:
        raise FexError(f"{head.path}: cannot keep {shorten(missing)}; it has {shorten(others)}.")
    return list(dict.fromkeys(keep))


def _found(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Rows with a face; images have no `success`: they list only faces found."""
    if "success" not in table:
        return np.ones(len(table), dtype=np.bool_)
    return np.asarray(table["success"].to_numpy() == 1, dtype=np.bool_)


def _keys(
    head: Head, table: pd.DataFrame, found: NDArray[np.bool_], recording: str
) -> pd.DataFrame:
    n = len(table)
    zero = np.zeros(n)
    face = next((table[c].to_numpy() for c in ("face_id", "face") if c in table), zero)
    frame = table["frame"].to_numpy() - 1 if "frame" in table else zero
    time = table["timestamp"].to_numpy() if "timestamp" in table else np.full(n, np.nan)
    return pd.DataFrame(
        {
            "input": pd.Series([recording] * n, dtype="str"),
            "frame": whole_numbers(frame, "frame", head),
            "time": time.astype(np.float64),
            "track": whole_numbers(np.where(found, face, -1), "face_id", head),
        }
    )


def _made_up(keys: pd.DataFrame) -> bool:
    """Whether the times are those of a thousand frames a second."""
    step = keys["time"].diff() / keys["frame"].diff()
    return bool(np.isclose(step[keys["frame"].diff() > 0].median(), 0.001, rtol=1e-3))


def _features(table: pd.DataFrame) -> dict[str, Floats]:
    found: dict[str, Any] = {}
    for column in table.columns:
        if schema.group_of(column) in ("landmarks", "intensities"):
            found[column] = table[column].to_numpy()
        elif column.endswith("_c"):
            found[column.removesuffix("_c")] = table[column].to_numpy()
    if set(_POSE) <= set(table.columns):
        pose = table[list(_POSE)].to_numpy()
        for i, name in enumerate("XYZ"):
            found[name] = pose[:, i]
        found["Pitch"], found["Yaw"], found["Roll"] = -pose[:, 3], pose[:, 4], -pose[:, 5]
        if set(_EYES) <= set(table.columns):
            eyes = table[list(_EYES)].to_numpy().reshape(-1, 2, 3)
            found |= _head_gaze(eyes.mean(axis=1), pose[:, 3:])
    return found


def _head_gaze(vector: Floats, angles: Floats) -> dict[str, Floats]:
    """Gaze relative to the head.

    Parameters
    ----------
    vector
        (n, 3) direction of gaze in the camera frame, any length.
    angles
        (n, 3) ``pose_Rx pose_Ry pose_Rz``, rad.

    Returns
    -------
    dict
        ``gaze_pitch`` (+ up), ``gaze_yaw`` (+ the subject's right), ``gaze_angle``, rad.
    """
    (sx, sy, sz), (cx, cy, cz) = np.sin(angles).T, np.cos(angles).T
    rotation = np.array(
        [
            [cy * cz, -cy * sz, sy],
            [cx * sz + cz * sx * sy, cx * cz - sx * sy * sz, -cy * sx],
            [sx * sz - cx * cz * sy, cz * sx + cx * sy * sz, cx * cy],
        ]
    )  # (3, 3, n), head to camera; the way back is the transpose
    x, y, z = np.einsum("jin,nj->in", rotation, vector)
    # straight ahead is −z; up is −y; the subject's right is −x
    pitch = np.arctan2(-y, np.hypot(x, z))
    yaw = np.arctan2(-x, -z)
    angle = np.arccos(np.clip(np.cos(pitch) * np.cos(yaw), -1.0, 1.0))
    return {"gaze_pitch": pitch, "gaze_yaw": yaw, "gaze_angle": angle}


FORMAT = Format("OpenFace 2 CSV", _recognises, _read, ("keep", "recording", "fps"))
