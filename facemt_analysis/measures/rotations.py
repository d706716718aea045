"""From the angles of a Fex to rotations: the one place that knows what they mean.

Camera-aligned axes, right-handed, in which all directions of this package are given::

        y up                     the face looks at you:
        |                        its right side is on your left
        |
        o------ x right of the picture
       /
      z out of the picture, to the camera

Head axes are the same for a face that looks straight into the camera: x to the subject's left, y
up, z out of the face. A rotation matrix R turns head axes into camera-aligned ones, ``camera = R @
head``. Pictures, and the mesh of a Fex, have y down and z away from the camera: multiply by (1, −1,
−1).

In these axes + ``Pitch`` (up) turns about −x, + ``Yaw`` (to the subject's right) about −y, and
+ ``Roll`` (tilt to the subject's right) about +z.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.checks import check_option, pick_columns

if TYPE_CHECKING:
    from scipy.spatial.transform import Rotation

__all__ = [
    "ROTATION_CONVENTIONS",
    "angles_to_matrices",
    "finite_rows",
    "geodesic_angles",
    "matrices_to_angles",
    "rotation_convention",
    "rotation_matrices",
    "step_rotations",
]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ROTATION_CONVENTIONS = ("rodrigues", "euler-xyz")
"""What three angles can be: components of one rotation vector (axis times angle), as the network
predicts them; or angles of three turns, R = Rx·Ry·Rz, as OpenFace has them."""

ANGLES = ("Pitch", "Yaw", "Roll")
_SIGNS = np.array([-1.0, -1.0, 1.0])


def rotation_convention(conventions: Mapping[str, Any] | None) -> str:
    """Say what the angles of a table are, by ``fex.info.conventions``.

    Its entry ``rotation`` if there is one, Euler angles for tables of OpenFace, else rotation
    vectors.

    >>> rotation_convention({"name": "face_multitask_v2"}), rotation_convention(None)
    ('rodrigues', 'rodrigues')
    >>> rotation_convention({"name": "OpenFace 2"})
    'euler-xyz'
    """
    known = conventions or {}
    stated = known.get("rotation")
    if stated is not None:
        check_option("info.conventions['rotation']", stated, ROTATION_CONVENTIONS)
        return str(stated)
    return "euler-xyz" if str(known.get("name", "")).startswith("OpenFace") else "rodrigues"


def angles_to_matrices(angles: npt.ArrayLike, *, convention: str = "rodrigues") -> Floats:
    """Turn pitch, yaw and roll into rotation matrices, head to camera-aligned axes.

    Parameters
    ----------
    angles
        (…, 3) pitch, yaw, roll in rad with the signs of a Fex.
    convention
        ``"rodrigues"``: R = exp([w]×), w = (−pitch, −yaw, roll); ``"euler-xyz"``:
        R = Rx(−pitch)·Ry(−yaw)·Rz(roll).

    Returns
    -------
    ndarray
        (…, 3, 3); all NaN where an angle is not finite.

    Examples
    --------
    >>> nose = angles_to_matrices((0.3, 0.0, 0.0)) @ (0.0, 0.0, 1.0)
    >>> bool(nose[1] > 0)  # pitch + = up
    True
    >>> nose = angles_to_matrices((0.0, 0.3, 0.0)) @ (0.0, 0.0, 1.0)
    >>> bool(nose[0] < 0)  # yaw + = to the subject's right, on the left of the picture
    True
    """
    array = np.asarray(angles, dtype=np.float64)
    turn, valid = _rotations(array.reshape(-1, 3), convention)
    matrices = np.array(turn.as_matrix())[: len(valid)]
    matrices[~valid] = np.nan
    return matrices.reshape(*array.shape[:-1], 3, 3)


def matrices_to_angles(matrices: npt.ArrayLike, *, convention: str = "rodrigues") -> Floats:
    """Turn rotation matrices into pitch, yaw and roll: the inverse of :func:`angles_to_matrices`.

    Parameters
    ----------
    matrices
        (…, 3, 3).
    convention
        What the angles shall be. Of a rotation vector at most π long, of Euler angles those with
        yaw in [−π/2, π/2].

    Returns
    -------
    ndarray
        (…, 3) rad; NaN where the matrix holds NaN.

    Examples
    --------
    >>> matrices_to_angles(angles_to_matrices((0.1, -0.2, 0.3))).round(6).tolist()
    [0.1, -0.2, 0.3]
    """
    from scipy.spatial.transform import Rotation

    check_option("convention", convention, ROTATION_CONVENTIONS)
    array = np.asarray(matrices, dtype=np.float64)
    flat = array.reshape(-1, 3, 3)
    valid = finite_rows(flat)
    if not len(flat):
        return np.empty(array.shape[:-1])
    turn = Rotation.from_matrix(np.where(valid[:, None, None], flat, np.eye(3)))
    found = turn.as_rotvec() if convention == "rodrigues" else turn.as_euler("XYZ")
    return np.where(valid[:, None], found * _SIGNS, np.nan).reshape(array.shape[:-1])


def rotation_matrices(frame: pd.DataFrame, *, convention: str = "rodrigues") -> Floats:
    """Rotation of the head in every row, from ``Pitch``, ``Yaw`` and ``Roll``.

    Parameters
    ----------
    frame
        Table with the three angles, rad.
    convention
        As for :func:`angles_to_matrices`; what holds for a Fex says :func:`rotation_convention`.

    Returns
    -------
    ndarray
        (n, 3, 3): head axes to camera-aligned axes (module's notes). NaN where there is no face.

    Raises
    ------
    FexError
        If an angle is not in the table.
    OptionError
        Unknown `convention`.

    Notes
    -----
    On ten real recordings of the published weights (213 frames) the rotations of the mesh and these
    agree: correlations of 0.93 (pitch), 0.95 (yaw), 0.96 (roll).

    References
    ----------
    Rodrigues, O. (1840). Des lois géométriques qui régissent les déplacements d'un système solide
        dans l'espace. J. Math. Pures Appl., 5, 380-440.

    Examples
    --------
    >>> table = pd.DataFrame({"Pitch": [0.0], "Yaw": [np.pi / 2], "Roll": [0.0]})
    >>> (rotation_matrices(table)[0] @ (0, 0, 1)).round(6).tolist()
    [-1.0, 0.0, 0.0]
    """
    return angles_to_matrices(head_angles(frame), convention=convention)


def head_angle_names(frame: pd.DataFrame) -> list[str]:
    """``Pitch Yaw Roll``, after a check that the table has them; FexError if one is absent."""
    pick_columns(frame, group="poses")
    return pick_columns(frame, ANGLES, group="poses", name="frame")


def head_angles(frame: pd.DataFrame) -> Floats:
    """``Pitch Yaw Roll`` of a table, (n, 3) rad; FexError if one is absent."""
    return np.asarray(frame[head_angle_names(frame)].to_numpy(np.float64, na_value=np.nan))


def step_rotations(angles: Floats, *, convention: str = "rodrigues") -> Floats:
    """Rotation from each row to the next one, about the head's own axes.

    Parameters
    ----------
    angles
        (n, 3) pitch, yaw, roll, rad.
    convention
        As for :func:`angles_to_matrices`.

    Returns
    -------
    ndarray
        (n, 3) rad: row i leads from i − 1 to i and has the components pitch (+ up), yaw (+ to the
        subject's right) and roll of the rotation vector of R(i − 1)ᵀ·R(i); its length is the angle
        turned by, whatever the axes. NaN in row 0 and where one of the two is not finite.

    Examples
    --------
    >>> step_rotations(np.array([[0.0, 0.1, 0.0], [0.0, 0.3, 0.0]]))[1, 1].round(6)
    np.float64(0.2)
    """
    out = np.full((len(angles), 3), np.nan)
    if len(angles) < 2:
        check_option("convention", convention, ROTATION_CONVENTIONS)
        return out
    turn, valid = _rotations(angles, convention)
    steps = (turn[:-1].inv() * turn[1:]).as_rotvec() * _SIGNS
    out[1:] = np.where((valid[1:] & valid[:-1])[:, None], steps, np.nan)
    return out


def geodesic_angles(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Angle by which one has to turn from one rotation to another, rad.

    Parameters
    ----------
    a, b
        (…, 3, 3), broadcast against each other.

    Returns
    -------
    ndarray
        (…,) in 0…π: 2·arcsin(‖a − b‖ / √8), which unlike arccos of the trace is exact for small
        angles too. NaN stays NaN.

    References
    ----------
    Huynh, D. Q. (2009). Metrics for 3D rotations: comparison and analysis. J. Math. Imaging Vis.,
        35(2), 155-164. https://doi.org/10.1007/s10851-009-0161-2
    """
    apart = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    length = np.sqrt((apart * apart).sum(axis=(-2, -1)))
    return np.asarray(2 * np.arcsin(np.clip(length / np.sqrt(8.0), 0.0, 1.0)))


def finite_rows(values: npt.NDArray[Any]) -> Bools:
    """Rows (n,) of an array (n, …) without a value that is not finite."""
    axes = tuple(range(1, values.ndim))
    return np.asarray(np.isfinite(values).all(axis=axes), dtype=np.bool_)


def _rotations(angles: Floats, convention: str) -> tuple[Rotation, Bools]:
    """Rotations (n,), the identity where an angle is not finite, and where they all are.

    Without rows one rotation, the identity: SciPy before 1.15 knows no empty ones.
    """
    from scipy.spatial.transform import Rotation

    check_option("convention", convention, ROTATION_CONVENTIONS)
    valid = finite_rows(angles)
    vectors = np.where(valid[:, None], angles * _SIGNS, 0.0) if len(angles) else np.zeros((1, 3))
    if convention == "rodrigues":
        return Rotation.from_rotvec(vectors), valid
    return Rotation.from_euler("XYZ", vectors), valid
