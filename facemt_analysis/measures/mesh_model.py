"""The face mesh as such: a template face, its mirror image, regions, what does not move."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "EYE_CORNERS", "IRISES", "N_SKIN", "RIGID", "MeshTemplate", "mesh_regions", "mesh_template",
]  # fmt: skip

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

EYE_CORNERS = (33, 263)
"""Outer corners of the subject's right and left eye; their distance is the unit of length."""

IRISES = (468, 473)
"""Centres of the subject's right and left iris."""

N_SKIN = 468
"""Vertices from this one on are those of the irises."""

RIGID = (
    6, 197, 195, 5, 4,  # ridge of the nose
    3, 248, 196, 419, 174, 399, 236, 456, 198, 420, 131, 360,  # its sides
    133, 362,  # inner corners of the eyes
    116, 345, 34, 264, 143, 372, 35, 265, 139, 368,  # cheekbones and temples
)  # fmt: skip
"""Vertices that expressions move least, by which faces are aligned.

Chosen from ten real recordings of an actor who speaks and poses: SD of 0.005 to 0.014 of the
distance of the outer eye corners after alignment, against 0.02 to 0.04 of cheeks, brows and
forehead and 0.03 to 0.05 of mouth and jaw."""

# A vertex belongs to the region whose nearest seed on the template is nearest; these and their
# mirror images.
_SEEDS: Mapping[str, tuple[int, ...]] = {
    "forehead": (10, 151, 109, 67, 103, 54, 21, 108, 69, 104, 68, 71),
    "brow": (70, 63, 105, 66, 107, 46, 53, 52, 65, 55),
    "eye": (33, 246, 161, 160, 159, 158, 157, 173, 133, 7, 163, 144, 145, 153, 154, 155,
            110, 24, 23, 22, 26, 225, 224, 223, 222),
    "nose": (1, 4, 5, 195, 197, 6, 2, 98, 97, 64, 48, 115, 220, 45, 236, 196, 122),
    "cheek": (116, 117, 118, 50, 101, 36, 205, 123, 147, 187, 207, 127, 234, 93, 137, 177, 206),
    "mouth": (0, 11, 12, 13, 14, 15, 16, 17, 61, 76, 62, 78, 37, 39, 40, 185, 72, 38, 82, 81, 80,
              84, 181, 91, 146, 85, 86, 87, 88, 95, 165, 167, 164, 57, 43, 106, 182, 83, 18),
    "jaw": (152, 148, 176, 149, 150, 136, 172, 58, 132, 175, 199, 200, 201, 208, 32, 171, 140, 170,
            169, 135, 138, 215, 194, 204, 211),
}  # fmt: skip


class MeshTemplate(NamedTuple):
    """An average face at rest.

    Attributes
    ----------
    vertices
        (478, 3) x to the subject's left, y up, z out of the face; the outer corners of the eyes are
        1 apart. Symmetric.
    triangles
        (898, 3) vertices, counter-clockwise seen from outside.
    mirror
        (478,) the vertex on the other side of the face; itself on the midline.
    """

    vertices: Floats
    triangles: Indices
    mirror: Indices


@lru_cache(maxsize=1)
def mesh_template() -> MeshTemplate:
    """Load the template (cached; the arrays are read-only).

    Notes
    -----
    Triangles and the order of the vertices are those of MediaPipe's canonical face model (Google,
    Apache-2.0); the shape is the mean of 539 public-domain portraits with their expressions taken
    out, made symmetric (``facemt_analysis/simulate/data/LICENSE.md``). Mirror images follow from
    the geometry of the canonical model, which is exactly symmetric.

    Examples
    --------
    >>> template = mesh_template()
    >>> template.vertices.shape, template.triangles.shape, int(template.mirror[33])
    ((478, 3), (898, 3), 263)
    """
    path = resources.files("facemt_analysis").joinpath("simulate", "data", "face_mesh.npz")
    with path.open("rb") as stream, np.load(stream) as arrays:
        canonical = arrays["canonical"].astype(np.float64)
        vertices = arrays["neutral"].astype(np.float64)
        triangles = arrays["triangles"].astype(np.intp)
    mirror = _nearest(canonical * (-1, 1, 1), canonical)
    for array in (vertices, triangles, mirror):
        array.setflags(write=False)
    return MeshTemplate(vertices, triangles, mirror)


def _nearest(points: Floats, others: Floats) -> Indices:
    """Index of the nearest of the others to each point."""
    apart = ((points[:, None, :] - others[None, :, :]) ** 2).sum(axis=-1)
    return np.asarray(apart.argmin(axis=1), dtype=np.intp)


@lru_cache(maxsize=1)
def mesh_regions() -> Mapping[str, Indices]:
    """Name the parts of the face: region → vertices.

    ``forehead brow eye nose cheek mouth jaw`` divide the skin (left and right together), ``face``
    is all of it. The irises, which move with gaze, belong to none.

    Examples
    --------
    >>> {name: len(vertices) for name, vertices in mesh_regions().items()}
    {'forehead': 26, 'brow': 26, 'eye': 102, 'nose': 100, 'cheek': 58, 'mouth': 102, 'jaw': 54,
     'face': 468}
    """
    template = mesh_template()
    names = list(_SEEDS)
    seeds = [np.unique([*ids, *template.mirror[list(ids)]]) for ids in _SEEDS.values()]
    owner = np.repeat(np.arange(len(names)), [len(ids) for ids in seeds])
    skin = template.vertices[:N_SKIN]
    region = owner[_nearest(skin, template.vertices[np.concatenate(seeds)])]
    found = {name: np.flatnonzero(region == k).astype(np.intp) for k, name in enumerate(names)}
    found["face"] = np.arange(N_SKIN, dtype=np.intp)
    for array in found.values():
        array.setflags(write=False)
    return MappingProxyType(found)
