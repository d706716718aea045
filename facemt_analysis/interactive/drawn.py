"""A face mesh as pixels, without a graphics card: turned, lit, painted from back to front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw

from facemt_analysis.interactive.mesh import FEATURE_LINES
from facemt_analysis.measures.mesh_model import N_SKIN, mesh_template

__all__ = ["Camera", "draw_mesh"]

Floats = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]

_COLOURS = np.array([[227, 195, 174], [207, 141, 141], [136, 34, 85]], dtype=np.float64)
"""From skin to the greatest value; those of the report."""

_LIGHT = np.array([0.25, 0.35, 0.9])
_AMBIENT, _DIFFUSE = 0.5, 0.52
_INK, _GHOST = (74, 59, 52), (120, 170, 205)
_PAPER = (250, 250, 248)
_EYES = ((2, 6), (3, 7))  # numbers of the lines: outline of an eye, rim of its iris
_LIPS = 5  # their inner outline
_WHITE, _IRIS, _MOUTH = (251, 247, 242), (107, 90, 80), (91, 43, 43)
_N_LINES = 6  # the rest are the rims of the irises, which lids cover
_SHARP = 2  # drawn so many times larger: edges get smooth
_FILL = 0.84  # of the picture


@dataclass(frozen=True, eq=False)
class Camera:
    """From where meshes are seen; one for a whole film, so that nothing jumps.

    Parameters
    ----------
    rotation
        (3, 3) applied to the points.
    centre
        (3,) point in the middle of the picture.
    scale
        Px per unit.
    size
        Width and height, px.
    """

    rotation: Floats
    centre: Floats
    scale: float
    size: int

    @classmethod
    def around(cls, meshes: npt.ArrayLike, *, turn: float, nod: float, size: int) -> Camera:
        """See all of some meshes (n, 478, 3), turned and nodded by degrees."""
        points = np.asarray(meshes, dtype=np.float64)[:, :N_SKIN]
        a, b = np.radians(turn), np.radians(nod)
        about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
        about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
        rotation = about_x @ about_y
        flat = points @ rotation.T
        low, high = np.nanmin(flat, axis=(0, 1)), np.nanmax(flat, axis=(0, 1))
        centre = rotation.T @ ((low + high) / 2)
        extent = float((high - low)[:2].max())
        return cls(rotation, centre, _FILL * size / max(extent, 1e-12), size)

    def project(self, mesh: Floats) -> Floats:
        """Give (478, 3): px to the right, px down, and nearness."""
        points = (mesh - self.centre) @ self.rotation.T * self.scale
        return points * (1, -1, 1) + (self.size / 2, self.size / 2, 0)

    def blank(self) -> Pixels:
        """Give the picture without a face."""
        return np.full((self.size, self.size, 3), _PAPER, dtype=np.uint8)


def draw_mesh(
    mesh: Floats, camera: Camera, *, parts: Floats | None = None, ghost: Floats | None = None
) -> Pixels:
    """Draw one face.

    Parameters
    ----------
    mesh
        (478, 3) y up, z to the viewer.
    camera
        From where.
    parts
        (478,) 0 to 1: from the colour of skin to the strongest.
    ghost
        (478, 3) drawn as lines over it.

    Returns
    -------
    ndarray
        (size, size, 3) uint8 RGB.

    Examples
    --------
    >>> face = mesh_template().vertices
    >>> camera = Camera.around(face[None], turn=0, nod=0, size=64)
    >>> picture = draw_mesh(face, camera)
    >>> picture.shape, bool((picture[32, 32] < 250).all())
    ((64, 64, 3), True)
    """
    edge = camera.size * _SHARP
    picture = Image.new("RGB", (edge, edge), _PAPER)
    pen = ImageDraw.Draw(picture)
    points = camera.project(mesh)
    flat = points[:, :2] * _SHARP
    corners, colours = _painted(points, parts)
    for corner, colour in zip(corners, colours, strict=True):
        pen.polygon([tuple(p) for p in flat[corner].tolist()], fill=tuple(colour))
    _open_up(picture, flat)
    width = max(1, edge // 220)
    for line in FEATURE_LINES[:_N_LINES]:
        pen.line([tuple(p) for p in flat[list(line)].tolist()], fill=_INK, width=width)
    if ghost is not None:
        shadow = camera.project(ghost)[:, :2] * _SHARP
        for a, b, c in mesh_template().triangles.tolist():
            pen.line([tuple(p) for p in shadow[[a, b, c, a]].tolist()], fill=_GHOST, width=1)
    small = picture.resize((camera.size, camera.size), Image.Resampling.LANCZOS)
    return np.asarray(small)


def _open_up(picture: Image.Image, flat: Floats) -> None:
    """Paint the mouth and the eyes where they are open: the skin of the mesh goes across them."""
    lips = flat[list(FEATURE_LINES[_LIPS])]
    picture.paste(_MOUTH, mask=_filled(picture, lips))
    for outline, rim in _EYES:
        eye = flat[list(FEATURE_LINES[outline])]
        if _area(eye) <= 0:  # seen from behind
            continue
        white = _filled(picture, eye)
        picture.paste(_WHITE, mask=white)
        iris = _filled(picture, flat[list(FEATURE_LINES[rim])], round_=True)
        picture.paste(_IRIS, mask=ImageChops.darker(white, iris))


def _filled(picture: Image.Image, corners: Floats, *, round_: bool = False) -> Image.Image:
    """Make a mask of a polygon, or of the circle through its corners."""
    mask = Image.new("L", picture.size)
    pen = ImageDraw.Draw(mask)
    if round_:
        middle = corners[:-1].mean(axis=0)
        radii = np.abs(corners[:-1] - middle).max(axis=0)
        pen.ellipse([*(middle - radii).tolist(), *(middle + radii).tolist()], fill=255)
    else:
        pen.polygon([tuple(p) for p in corners.tolist()], fill=255)
    return mask


def _area(corners: Floats) -> float:
    """Twice the area of a polygon; positive if it goes clockwise on the screen (y down)."""
    x, y = corners.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())


def _painted(
    points: Floats, parts: Floats | None
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.uint8]]:
    """Triangles that face the viewer, the farthest first, and their colours."""
    triangles = mesh_template().triangles
    a, b, c = (points[triangles[:, i]] * (1, -1, 1) for i in range(3))
    normal = np.cross(b - a, c - a)
    front = normal[:, 2] > 0
    lit = normal @ _LIGHT / np.maximum(np.linalg.norm(normal, axis=1), 1e-12)
    light = np.minimum(_AMBIENT + _DIFFUSE * lit.clip(0), 1.04)
    share = np.zeros(len(points)) if parts is None else np.nan_to_num(parts).clip(0, 1)
    at = share[triangles].mean(axis=1) * (len(_COLOURS) - 1)
    steps = np.arange(len(_COLOURS))
    colours = np.stack([np.interp(at, steps, _COLOURS[:, i]) for i in range(3)], axis=1)
    shaded = (colours * light[:, None]).clip(0, 255).astype(np.uint8)
    order = np.flatnonzero(front)[np.argsort((a + b + c)[front, 2], kind="stable")]
    return triangles[order], shaded[order]
