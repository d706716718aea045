"""Gaze of data sets, brought to the angles of a Fex; and predictions, to the data sets' frame."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["angles_from_image_axes"]


def angles_from_image_axes(vector: npt.ArrayLike) -> dict[str, float]:
    """Give ``gaze_pitch`` and ``gaze_yaw`` (rad) of a direction in the usual camera frame.

    Parameters
    ----------
    vector
        (3,): x to the right of the image, y down, z away from the camera (OpenCV); any length.

    Returns
    -------
    dict
        + = up and to the subject's right, which is the left of the image; straight into the camera
        is 0, 0.

    Examples
    --------
    >>> {k: round(v, 3) for k, v in angles_from_image_axes([-1, 1, -1]).items()}
    {'gaze_pitch': -0.615, 'gaze_yaw': 0.785}
    """
    x, y, z = np.asarray(vector, np.float64) / np.linalg.norm(vector)
    return {"gaze_pitch": float(np.arcsin(-y)), "gaze_yaw": float(np.arctan2(-x, -z))}
