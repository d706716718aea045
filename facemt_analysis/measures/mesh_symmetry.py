"""How a face differs from its mirror image: in shape, and in how far its sides move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.checks import check_number
from facemt_analysis.measures.asymmetry import asymmetry_index
from facemt_analysis.measures.mesh_alignment import align_mesh, mesh_vertices
from facemt_analysis.measures.mesh_model import EYE_CORNERS, mesh_regions, mesh_template
from facemt_analysis.measures.mesh_movement import by_region, mesh_displacement
from facemt_analysis.measures.rotations import finite_rows

__all__ = ["mesh_asymmetry", "mirror_distances", "movement_asymmetry"]

Floats = npt.NDArray[np.floating]

_CHUNK = 4096  # frames
_MIDLINE = 1e-9  # half width


def mirror_distances(vertices: npt.ArrayLike) -> Floats:
    """Measure how far every vertex is from where its partner is in the mirrored face.

    Parameters
    ----------
    vertices
        (n, 478, 3) in any pose, all axes at one scale.

    Returns
    -------
    ndarray
        (n, 478) in distances of the outer eye corners of the frame; 0 for a symmetric face,
        whatever its pose, place and size. NaN where there is no face.

    Notes
    -----
    The mesh is mirrored, left and right vertices change names, and the result is brought onto the
    original by the best rotation and shift over all vertices: the asymmetry of objects with a plane
    of symmetry (Klingenberg, Barluenga & Meyer, 2002), as Taufique et al. (2019) use it for faces.

    References
    ----------
    Klingenberg, C. P., Barluenga, M. & Meyer, A. (2002). Shape analysis of symmetric structures:
        quantifying variation among individuals and asymmetry. Evolution, 56(10), 1909-1920.
        https://doi.org/10.1111/j.0014-3820.2002.tb00117.x
    Taufique, A. M. N., Savakis, A. & Leckenby, J. (2019). Automatic quantification of facial
        asymmetry using facial landmarks. arXiv:2103.11059.

    Examples
    --------
    >>> face = mesh_template().vertices[None]
    >>> bool(mirror_distances(face).max() < 1e-9)
    True
    """
    meshes = np.asarray(vertices)
    out = np.full(meshes.shape[:2], np.nan)
    for start in range(0, len(meshes), _CHUNK):
        part = meshes[start : start + _CHUNK]
        face = align_mesh(part, on="all", scale=False).vertices.astype(np.float64)
        mirrored = face[:, mesh_template().mirror] * (-1.0, 1.0, 1.0)
        fitted = _onto(mirrored, face)
        unit = np.linalg.norm(face[:, EYE_CORNERS[0]] - face[:, EYE_CORNERS[1]], axis=1)
        out[start : start + _CHUNK] = np.linalg.norm(face - fitted, axis=2) / unit[:, None]
    return out


def mesh_asymmetry(frame: pd.DataFrame) -> pd.DataFrame:
    """Measure the asymmetry of the shape of the face in every row.

    Parameters
    ----------
    frame
        Table with the mesh.

    Returns
    -------
    DataFrame
        With the index of `frame`: ``forehead brow eye nose cheek mouth jaw face``, mean
        :func:`mirror_distances` of the region, in distances of the outer eye corners.

    Raises
    ------
    FexError
        If mesh columns are missing.

    Notes
    -----
    No face is symmetric: compare a person with the same person's rest. The far side of a turned
    head is guessed, so keep to frames that look about straight ahead (``|Yaw|`` below 15°, say).
    """
    return pd.DataFrame(by_region(mirror_distances(mesh_vertices(frame))), index=frame.index)


def movement_asymmetry(
    frame: pd.DataFrame,
    reference: str | npt.ArrayLike = "median",
    *,
    person: str | Sequence[str] | None = None,
    gate: float = 0.02,
) -> pd.DataFrame:
    """Which side of the face is further from rest, in every row.

    Parameters
    ----------
    frame, reference, person
        As for :func:`mesh_displacement`.
    gate
        Movement that one side has to reach, in distances of the outer eye corners.

    Returns
    -------
    DataFrame
        With the index of `frame`: (left − right) / (left + right) of the mean displacement of the
        two halves of ``forehead brow eye nose cheek mouth jaw face``, −1…1, + = the subject's left
        moves more; NaN where neither half reaches the gate. Vertices on the midline count on both
        sides.

    Raises
    ------
    FexError
        If mesh columns are missing.
    OptionError
        If an option cannot be.
    """
    gate = check_number("gate", gate, 0.0)
    moved = np.linalg.norm(mesh_displacement(frame, reference, person=person), axis=2)
    x = mesh_template().vertices[:, 0]
    out = {}
    for name, index in mesh_regions().items():
        left = moved[:, index[x[index] > -_MIDLINE]].mean(axis=1)
        right = moved[:, index[x[index] < _MIDLINE]].mean(axis=1)
        out[name] = asymmetry_index(left, right, gate)
    return pd.DataFrame(out, index=frame.index)


def _onto(source: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> Floats:
    """Each source (n, 478, 3) turned and moved onto its own target."""
    known = finite_rows(source)[:, None, None]
    x, y = np.where(known, target, 0.0), np.where(known, source, 0.0)
    x_mean, y_mean = x.mean(axis=1, keepdims=True), y.mean(axis=1, keepdims=True)
    u, _, vt = np.linalg.svd(np.einsum("nmi,nmj->nij", x - x_mean, y - y_mean))
    u[:, :, 2] *= np.linalg.det(u @ vt)[:, None]
    return np.where(known, (y - y_mean) @ (u @ vt).transpose(0, 2, 1) + x_mean, np.nan)
