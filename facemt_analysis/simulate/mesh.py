"""The 478-point face mesh: canonical vertices, triangles, named regions, mirror image.

Head frame
----------
x to the subject's left (to the right of a picture of the face), y up, z out of the face towards the
viewer; unit: the distance of the outer eye corners (vertices 33 and 263), about 90 mm in an adult.

The canonical vertices 0-467 and the triangles are those of MediaPipe's canonical face model
(Google, Apache-2.0; see ``data/LICENSE.md``), rescaled; the ten iris points (468-477) are placed
from anatomy: an iris of radius 0.066 midway between the lids.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facemt_analysis.schema import N_MESH

__all__ = [
    "IRIS_LEFT",
    "IRIS_RIGHT",
    "LIPS_LOWER",
    "LIPS_UPPER",
    "OVAL",
    "FaceMesh",
    "Lids",
    "canonical_mesh",
    "eye_opening",
    "geodesics",
    "lids",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""The rim of the mesh, from the top of the forehead by the subject's left to the chin and back."""

# Rings of the lips from the vermilion border (first) to the inner edge (last), each from the
# subject's right corner to the left one, column by column.
LIPS_UPPER = (
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
    (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306),
    (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
)
LIPS_LOWER = (
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
    (76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306),
    (62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292),
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
)

# Centre, then the four points of the rim.
IRIS_RIGHT = (468, 469, 470, 471, 472)
IRIS_LEFT = (473, 474, 475, 476, 477)
_IRIS_MIRROR = {468: 473, 469: 476, 470: 475, 471: 474, 472: 477}


class Lids(NamedTuple):
    """Vertices of the lid margins of one eye, pairwise from the outer to the inner corner."""

    upper: tuple[int, ...]
    lower: tuple[int, ...]
    outer: int
    inner: int
    iris: tuple[int, ...]

    @property
    def contour(self) -> tuple[int, ...]:
        """The opening of the eye as one closed line."""
        return (self.outer, *self.upper, self.inner, *self.lower[::-1])


_LIDS = (
    Lids((246, 161, 160, 159, 158, 157, 173), (7, 163, 144, 145, 153, 154, 155),
         33, 133, IRIS_RIGHT),
    Lids((466, 388, 387, 386, 385, 384, 398), (249, 390, 373, 374, 380, 381, 382),
         263, 362, IRIS_LEFT),
)  # fmt: skip


def lids(side: str) -> Lids:
    """Give the lid margins of the subject's ``"right"`` or ``"left"`` eye.

    >>> lids("right").outer
    33
    """
    return _LIDS[("right", "left").index(side)]


class FaceMesh(NamedTuple):
    """The canonical mesh.

    Attributes
    ----------
    vertices
        (478, 3) in the head frame, outer-eye-corner distances.
    neutral
        (478, 3) an average adult face at rest, mouth closed: the mean of 539 public-domain
        portraits with their expressions taken out, made symmetric.
    triangles
        (898, 3), counter-clockwise seen from outside; they close the eyes and the mouth too.
    skin
        (898,) bool: triangles outside the openings of eyes and mouth.
    mouth
        (898,) bool: triangles that span the opening of the mouth.
    mirror
        (478,) the vertex on the other side of the face.
    """

    vertices: FloatArray
    neutral: FloatArray
    triangles: IntArray
    skin: npt.NDArray[np.bool_]
    mouth: npt.NDArray[np.bool_]
    mirror: IntArray


@lru_cache(maxsize=1)
def canonical_mesh() -> FaceMesh:
    """Load the canonical mesh (cached; the arrays are read-only).

    >>> mesh = canonical_mesh()
    >>> mesh.vertices.shape, mesh.triangles.shape, int(mesh.mirror[33])
    ((478, 3), (898, 3), 263)
    """
    path = resources.files("facemt_analysis.simulate").joinpath("data/face_mesh.npz")
    with path.open("rb") as stream, np.load(stream) as arrays:
        vertices = arrays["canonical"].astype(np.float64)
        neutral = arrays["neutral"].astype(np.float64)
        triangles = arrays["triangles"].astype(np.intp)
    mirror = np.arange(N_MESH)
    flipped = vertices[:468] * (-1, 1, 1)
    gaps = ((flipped[:, None, :] - vertices[None, :468, :]) ** 2).sum(-1)
    mirror[:468] = gaps.argmin(1)
    for a, b in _IRIS_MIRROR.items():
        mirror[a], mirror[b] = b, a
    inner = np.asarray(np.isin(triangles, (*LIPS_UPPER[-1], *LIPS_LOWER[-1])).all(1))
    eyes = np.zeros(len(triangles), bool)
    for eye in _LIDS:
        eyes |= np.isin(triangles, eye.contour).all(1)
    mesh = FaceMesh(vertices, neutral, triangles, ~(inner | eyes), inner, mirror)
    for array in mesh:
        array.setflags(write=False)
    return mesh


@lru_cache(maxsize=1)
def geodesics() -> FloatArray:
    """Give distances (468, 468) between vertices along the skin of the canonical mesh.

    Shortest paths over the edges, going around the openings of eyes and mouth: the lips are far
    apart although they touch. In outer-eye-corner distances.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import shortest_path

    mesh = canonical_mesh()
    triangles = mesh.triangles[mesh.skin]
    edges = np.unique(
        np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])),
        axis=0,
    )
    lengths = np.linalg.norm(mesh.vertices[edges[:, 0]] - mesh.vertices[edges[:, 1]], axis=1)
    rows, columns = edges.T.astype(np.int32)  # all that csgraph takes before SciPy 1.15
    graph = coo_array((lengths, (rows, columns)), shape=(468, 468))
    distances: FloatArray = shortest_path(graph, directed=False)
    distances.setflags(write=False)
    return distances


def eye_opening(mesh: npt.ArrayLike, side: str) -> float:
    """Mean height of the lid opening over the width of the eye (0 = closed).

    Parameters
    ----------
    mesh
        (478, 2) or (478, 3), any unit and orientation.
    side
        ``"right"`` or ``"left"``, the subject's.

    >>> 0.2 < eye_opening(canonical_mesh().vertices, "left") < 0.4
    True
    """
    points = np.asarray(mesh, np.float64)
    eye = lids(side)
    gaps = np.linalg.norm(points[list(eye.upper[2:5])] - points[list(eye.lower[2:5])], axis=1)
    return float(gaps.mean() / np.linalg.norm(points[eye.outer] - points[eye.inner]))
