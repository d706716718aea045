"""Meshes without pose, place and size: similarity alignment, all frames at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.checks import check_option, pick_columns
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.measures.mesh_model import RIGID, mesh_template
from facemt_analysis.measures.rotations import finite_rows

__all__ = ["MeshAlignment", "align_mesh", "check_face", "mesh_vertices"]

Floats = npt.NDArray[np.floating]

_FLIP = np.array([1.0, -1.0, -1.0])
"""Between picture axes (y down, z away) and camera-aligned ones (y up, z to the camera)."""

_CHUNK = 4096  # frames; bounds what is held in double precision


def mesh_vertices(frame: pd.DataFrame) -> Floats:
    """Give the meshes of a table as one array.

    Parameters
    ----------
    frame
        Table with all 1,434 mesh columns.

    Returns
    -------
    ndarray
        (n, 478, 3) x to the right of the picture, y down, z away from the camera, px, in the
        precision of the table. NaN where there is no face.

    Raises
    ------
    FexError
        If mesh columns are missing.

    Notes
    -----
    All three axes have the same scale in a Fex. py-feat writes z in units of its crop; the reader
    converts it. A table put together from other sources has to be isotropic too, else nothing that
    turns a mesh holds.
    """
    columns = schema.GROUPS["meshes"].columns
    there = pick_columns(frame, group="meshes")
    if len(there) < len(columns):
        missing = sorted(set(columns) - set(there), key=columns.index)
        raise FexError(
            f"A mesh needs all {len(columns):,} columns, but {len(missing):,} are missing, e.g. "
            f"{missing[0]!r}."
        )
    values = frame[list(columns)].to_numpy(
        np.result_type(np.float32, *set(frame.dtypes[list(columns)])),
        na_value=np.nan,
    )
    return np.asarray(values.reshape(len(frame), 3, schema.N_MESH).transpose(0, 2, 1))


@dataclass(frozen=True, eq=False)
class MeshAlignment:
    """Meshes brought onto a reference by turning, moving and scaling.

    Parameters
    ----------
    vertices
        (n, 478, 3) in the frame of the reference: for the template x to the subject's left, y up, z
        out of the face, unit: its distance of the outer eye corners. NaN where there is no face.
    rotations
        (n, 3, 3) from the reference's axes to camera-aligned ones: the pose of the head, as of
        :func:`rotation_matrices`, if the reference looks straight ahead.
    scale
        (n,) px per unit of the reference.
    residual
        (n,) root mean square distance from the reference over the vertices aligned on, in its unit.
    """

    vertices: Floats
    rotations: Floats
    scale: Floats
    residual: Floats


def align_mesh(
    vertices: npt.ArrayLike,
    reference: npt.ArrayLike | None = None,
    *,
    on: str | Sequence[int] = "rigid",
    scale: bool = True,
) -> MeshAlignment:
    r"""Align meshes to a reference: pose, place and size removed.

    Parameters
    ----------
    vertices
        (n, 478, 3), all axes at one scale, in picture axes as of :func:`mesh_vertices`.
    reference
        (478, 3); default: the average face of :func:`mesh_template`.
    on
        Vertices that have to match: ``"rigid"``, those that expressions hardly move (``RIGID``);
        ``"all"``; or their numbers, three or more.
    scale
        Whether size is removed; else only pose and place.

    Returns
    -------
    MeshAlignment

    Raises
    ------
    FexError
        If the shapes are wrong.
    OptionError
        If `on` names no vertices to align on.

    Notes
    -----
    Finds s, R, t that minimise :math:`\sum_k \|s R y_k + t - x_k\|^2` over the vertices, the
    least-squares similarity of Umeyama (1991): with the singular value decomposition of the
    covariance of both, :math:`U S V^\top`, :math:`R = U D V^\top` and :math:`s = \mathrm{tr}(S D) /
    \sum \|y_k\|^2`, D making sure that nothing is mirrored. One size for all three axes.

    References
    ----------
    Umeyama, S. (1991). Least-squares estimation of transformation parameters between two point
        patterns. IEEE TPAMI, 13(4), 376-380. https://doi.org/10.1109/34.88573

    Examples
    --------
    >>> face = mesh_template().vertices
    >>> picture = 100 * face * (1, -1, -1) + (320, 240, 0)
    >>> aligned = align_mesh(picture[None])
    >>> bool(np.allclose(aligned.vertices[0], face)), aligned.scale.round(6).tolist()
    (True, [100.0])
    """
    meshes = np.asarray(vertices)
    if not np.issubdtype(meshes.dtype, np.floating):
        meshes = meshes.astype(np.float64)
    if meshes.ndim != 3 or meshes.shape[1:] != (schema.N_MESH, 3):
        raise FexError(f"`vertices` must be (n, {schema.N_MESH}, 3), but got {meshes.shape}.")
    target = mesh_template().vertices if reference is None else check_face("reference", reference)
    index = _vertices_of(on)
    n = len(meshes)
    out = MeshAlignment(
        np.empty(meshes.shape, meshes.dtype), np.empty((n, 3, 3)), np.empty(n), np.empty(n)
    )
    for start in range(0, n, _CHUNK):
        part = slice(start, start + _CHUNK)
        _align(meshes[part], target, index, scale, out, part)
    return out


def _align(
    meshes: Floats,
    target: Floats,
    index: npt.NDArray[np.intp],
    scale: bool,
    out: MeshAlignment,
    part: slice,
) -> None:
    valid = finite_rows(meshes)
    y = np.where(valid[:, None, None], meshes, 0.0).astype(np.float64)
    x_mean = target[index].mean(axis=0)
    y_mean = y[:, index].mean(axis=1, keepdims=True)
    x, y = target[index] - x_mean, y - y_mean
    u, s, vt = np.linalg.svd(np.einsum("mi,nmj->nij", x, y[:, index]))
    signs = np.ones((len(y), 3))
    signs[:, 2] = np.sign(np.linalg.det(u @ vt))
    turn = (u * signs[:, None, :]) @ vt
    size = np.ones(len(y))
    if scale:
        spread = (y[:, index] ** 2).sum(axis=(1, 2))
        valid &= spread > 0
        size = (s * signs).sum(axis=1) / np.where(spread > 0, spread, 1.0)
    moved = size[:, None, None] * (y @ turn.transpose(0, 2, 1)) + x_mean
    apart = ((moved[:, index] - target[index]) ** 2).sum(axis=2).mean(axis=1)
    out.vertices[part] = np.where(valid[:, None, None], moved, np.nan)
    out.rotations[part] = np.where(
        valid[:, None, None], _FLIP[:, None] * turn.transpose(0, 2, 1), np.nan
    )
    out.scale[part] = np.where(valid, 1 / np.where(valid, size, 1.0), np.nan)
    out.residual[part] = np.where(valid, np.sqrt(apart), np.nan)


def check_face(name: str, face: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Validate one mesh (478, 3) without NaN."""
    array = np.asarray(face, dtype=np.float64)
    if array.shape != (schema.N_MESH, 3) or not np.isfinite(array).all():
        raise FexError(
            f"`{name}` must be a mesh ({schema.N_MESH}, 3) without NaN, but got {array.shape}"
            f"{' with NaN' if array.shape == (schema.N_MESH, 3) else ''}."
        )
    return array


def _vertices_of(on: str | Sequence[int]) -> npt.NDArray[np.intp]:
    if isinstance(on, str):
        check_option("on", on, ("rigid", "all"))
        return np.array(RIGID if on == "rigid" else range(schema.N_MESH), dtype=np.intp)
    index = np.unique(np.asarray(list(on)))
    whole = np.issubdtype(index.dtype, np.integer)
    if not whole or len(index) < 3 or index[0] < 0 or index[-1] >= schema.N_MESH:
        raise OptionError(
            f"`on` must be 'rigid', 'all' or three or more vertices from 0 to "
            f"{schema.N_MESH - 1}, but got {on!r:.60}."
        )
    return index.astype(np.intp)
