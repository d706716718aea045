"""Where people look: directions in the head's and in the camera's frame, and angles of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.checks import check_option, pick_columns
from facemt_analysis.measures.rotations import rotation_matrices

__all__ = ["GAZE_FRAMES", "gaze_angles", "gaze_vectors", "recorded_frame"]

Floats = npt.NDArray[np.float64]

GAZE_FRAMES = ("head", "camera")


def recorded_frame(conventions: Mapping[str, Any] | None) -> str:
    """Say in which frame the gaze of a table is, by ``fex.info.conventions``.

    Its entry ``gaze_frame`` if there is one, else ``"head"``, as a Fex is defined.

    >>> recorded_frame({"name": "mine", "gaze_frame": "camera"}), recorded_frame(None)
    ('camera', 'head')
    """
    stated = (conventions or {}).get("gaze_frame", "head")
    check_option("info.conventions['gaze_frame']", stated, GAZE_FRAMES)
    return str(stated)


def gaze_vectors(
    frame: pd.DataFrame,
    reference: str = "head",
    *,
    recorded: str = "head",
    convention: str = "rodrigues",
) -> Floats:
    """Give the directions of gaze as unit vectors.

    Parameters
    ----------
    frame
        Table with ``gaze_pitch`` and ``gaze_yaw`` (rad), and ``Pitch Yaw Roll`` (rad) where the
        frame has to be changed.
    reference
        ``"head"``: x to the subject's left, y up, z out of the face; ``"camera"``: x right of the
        picture, y up, z to the camera (drawn in :mod:`facemt_analysis.measures.rotations`).
    recorded
        In which of the two the angles of the table are; those of a Fex are relative to the head.
    convention
        What the head angles are, as for :func:`rotation_matrices`.

    Returns
    -------
    ndarray
        (n, 3); NaN where gaze, or a head angle that is needed, is missing.

    Raises
    ------
    FexError
        If a column is not in the table.
    OptionError
        Unknown frame.

    Notes
    -----
    v = (−sin yaw · cos pitch, sin pitch, cos yaw · cos pitch), and R·v in the camera's frame, with
    the rotation R of the head.

    Look before you trust the frame. In ten real recordings of one actor with the published weights
    the irises turned against the head (r = −0.70 with ``Yaw``), but ``gaze_yaw`` did not (r = 0.01,
    SD 0.02 rad): as if it were relative to the camera. ``recorded="camera"`` reads it so.

    Examples
    --------
    >>> table = pd.DataFrame({"gaze_pitch": [0.0], "gaze_yaw": [-0.3],
    ...                       "Pitch": [0.0], "Yaw": [0.3], "Roll": [0.0]})
    >>> abs(gaze_vectors(table, "camera").round(6)).tolist()  # the eyes make up for the head
    [[0.0, 0.0, 1.0]]
    """
    check_option("reference", reference, GAZE_FRAMES)
    check_option("recorded", recorded, GAZE_FRAMES)
    pick_columns(frame, group="gazes")
    names = pick_columns(frame, ("gaze_pitch", "gaze_yaw"), group="gazes", name="frame")
    pitch, yaw = frame[names].to_numpy(np.float64, na_value=np.nan).T
    ahead = np.stack(
        [-np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)], axis=1
    )
    if reference == recorded:
        return np.asarray(ahead)
    turn = rotation_matrices(frame, convention=convention)
    path = "nij,nj->ni" if reference == "camera" else "nji,nj->ni"
    return np.asarray(np.einsum(path, turn, ahead))


def gaze_angles(vectors: npt.ArrayLike) -> Floats:
    """Pitch (+ up) and yaw (+ to the subject's right) of directions, deg.

    Parameters
    ----------
    vectors
        (…, 3) of any length, in the frame of the head or the camera.

    Returns
    -------
    ndarray
        (…, 2): pitch in −90…90, yaw in −180…180. NaN stays NaN.

    Examples
    --------
    >>> gaze_angles([[-1.0, 0.0, 1.0]]).tolist()
    [[0.0, 45.0]]
    """
    x, y, z = np.moveaxis(np.asarray(vectors, dtype=np.float64), -1, 0)
    angles = np.stack([np.arctan2(y, np.hypot(x, z)), np.arctan2(-x, z)], axis=-1)
    return np.asarray(np.degrees(angles))
