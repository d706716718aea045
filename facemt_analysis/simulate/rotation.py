"""Head rotation: the contract's signs to a matrix and back.

A pose is (pitch, yaw, roll) in radians, the components of one *rotation vector* (axis times
angle): + pitch = face up, + yaw = turned to the subject's right, + roll = tilted to the subject's
right. The matrix turns head-frame points (x to the subject's left, y up, z out of the face) into
camera-aligned axes (x right, y up, z towards the camera).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facemt_analysis.simulate.mesh import FloatArray

__all__ = ["FLIP", "pose_of", "procrustes", "rotation_of"]

FLIP = np.array([1.0, -1.0, -1.0])
"""Between camera-aligned axes (y up, z to the viewer) and picture axes (y down, z away)."""

_SIGNS = np.array([-1.0, -1.0, 1.0])


def rotation_of(pose: npt.ArrayLike) -> FloatArray:
    """Give the matrix (3, 3) of a pose (pitch, yaw, roll).

    >>> nose = rotation_of((0.3, 0.0, 0.0)) @ (0.0, 0.0, 1.0)
    >>> bool(nose[1] > 0)  # pitch + = up
    True
    >>> nose = rotation_of((0.0, 0.3, 0.0)) @ (0.0, 0.0, 1.0)
    >>> bool(nose[0] < 0)  # yaw + = to the subject's right, which is the left of the picture
    True
    >>> top = rotation_of((0.0, 0.0, 0.3)) @ (0.0, 1.0, 0.0)
    >>> bool(top[0] < 0)  # roll + = tilted to the subject's right
    True
    """
    from scipy.spatial.transform import Rotation

    vector = np.asarray(pose, np.float64) * _SIGNS
    return np.asarray(Rotation.from_rotvec(vector).as_matrix(), np.float64)


def pose_of(rotation: npt.ArrayLike) -> FloatArray:
    """Give the pose (pitch, yaw, roll) of a rotation matrix; the inverse of `rotation_of`.

    >>> pose_of(rotation_of((0.1, -0.2, 0.3))).round(6)
    array([ 0.1, -0.2,  0.3])
    """
    from scipy.spatial.transform import Rotation

    matrix = np.asarray(rotation, np.float64)
    return np.asarray(Rotation.from_matrix(matrix).as_rotvec() * _SIGNS, np.float64)


def procrustes(
    source: npt.ArrayLike, target: npt.ArrayLike
) -> tuple[float, FloatArray, FloatArray]:
    """Find scale, rotation and shift with ``target ≈ scale * source @ rotation.T + shift``.

    Parameters
    ----------
    source, target
        (n, 3) corresponding points.

    Notes
    -----
    The least-squares similarity of Umeyama (1991), reflections excluded.

    References
    ----------
    Umeyama, S. (1991). Least-squares estimation of transformation parameters between two point
        patterns. IEEE TPAMI, 13(4), 376-380. https://doi.org/10.1109/34.88573
    """
    x, y = np.asarray(source, np.float64), np.asarray(target, np.float64)
    x0, y0 = x.mean(0), y.mean(0)
    u, s, vt = np.linalg.svd((y - y0).T @ (x - x0))
    flip = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * flip) @ vt
    scale = float((s * flip).sum() / ((x - x0) ** 2).sum())
    return scale, rotation, y0 - scale * rotation @ x0
