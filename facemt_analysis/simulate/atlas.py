"""The common texture layout of all faces, and the ring of head, hair and background around them.

Every face is stored as a picture in one layout, the *atlas*: the template face seen from the front,
its eyes and mouth a little open. Faces can therefore be mixed by averaging pictures. The mesh ends
at the face oval; rings of extra vertices carry the rest of the head and the background along.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facemt_analysis.simulate.au_basis import au_displacement
from facemt_analysis.simulate.au_specs import au_vector
from facemt_analysis.simulate.mesh import OVAL, FloatArray, IntArray, canonical_mesh

__all__ = ["ATLAS_SIZE", "N_ALL", "RINGS", "Atlas", "atlas", "with_rings"]

ATLAS_SIZE = 384
_EXTENT = 4.2  # outer-eye-corner distances across the atlas
_CENTRE = (0.0, -0.06)  # head-frame point in the middle of the atlas

# Factor from the oval's centre, depth behind the oval, and share of the head's rotation.
RINGS = (
    (1.13, 0.14, 0.97),
    (1.32, 0.36, 0.85),
    (1.65, 0.60, 0.55),
    (2.2, 0.65, 0.25),
    (3.2, 0.65, 0.0),
)
N_ALL = 478 + len(OVAL) * len(RINGS)
_RING_CENTRE = np.array([0.0, -0.05])


class Atlas(NamedTuple):
    """Layout shared by all textures.

    Attributes
    ----------
    uv
        (n, 2) px in the atlas of all vertices, mesh first, then the rings from the inside out.
    triangles
        (m, 3): rings from the outside in, then the 898 of the mesh.
    n_ring
        Number of ring triangles.
    follow
        (n,) share of the head's rotation that a vertex takes part in (1 on the face).
    """

    uv: FloatArray
    triangles: IntArray
    n_ring: int
    follow: FloatArray


def with_rings(mesh: FloatArray) -> FloatArray:
    """Append the ring vertices to a face (478, 3) in the head frame."""
    oval = mesh[list(OVAL)]
    rings = [mesh]
    for factor, depth, _ in RINGS:
        ring = oval.copy()
        ring[:, :2] = _RING_CENTRE + factor * (oval[:, :2] - _RING_CENTRE)
        ring[:, 2] = (
            np.maximum(oval[:, 2], -0.1) * (1.5 - 0.5 * factor if factor < 2 else 0) - depth
        )
        rings.append(ring)
    return np.concatenate(rings)


@lru_cache(maxsize=1)
def atlas() -> Atlas:
    """Build the layout (cached; read-only)."""
    mesh = canonical_mesh()
    opened = au_displacement(au_vector(AU05=0.4, AU25=0.5, AU26=0.15), shape=mesh.neutral)
    points = with_rings(mesh.neutral + opened)
    scale = ATLAS_SIZE / _EXTENT
    uv = (points[:, :2] - _CENTRE) * (scale, -scale) + (ATLAS_SIZE - 1) / 2
    n = len(OVAL)
    loops = [list(OVAL)] + [list(range(478 + r * n, 478 + (r + 1) * n)) for r in range(len(RINGS))]
    ring: list[tuple[int, int, int]] = []
    for inner, outer in zip(reversed(loops[:-1]), reversed(loops[1:]), strict=True):
        for k in range(n):
            j = (k + 1) % n
            ring += [(inner[k], outer[k], outer[j]), (inner[k], outer[j], inner[j])]
    triangles = np.concatenate([np.array(ring, np.intp), mesh.triangles])
    follow = np.concatenate([np.ones(478), *(np.full(n, share) for *_, share in RINGS)])
    layout = Atlas(uv, triangles, len(ring), follow)
    for array in (uv, triangles, follow):
        array.setflags(write=False)
    return layout


Image = npt.NDArray[np.uint8]
