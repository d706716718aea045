"""A drawn face that is nobody: for tests and demonstrations without any photograph."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from facemt_analysis.simulate.atlas import ATLAS_SIZE, atlas
from facemt_analysis.simulate.au_specs import AUS
from facemt_analysis.simulate.eye_patches import EYE_PATCH, IRIS_PATCH
from facemt_analysis.simulate.face import FaceAsset
from facemt_analysis.simulate.mesh import LIPS_LOWER, LIPS_UPPER, OVAL, FloatArray, canonical_mesh

__all__ = ["avatar_asset"]

Canvas = npt.NDArray[np.float32]

_BROW = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
_NOSTRIL = (98, 97, 2)
_SKIN = (206.0, 160.0, 134.0)
_HAIR = (74.0, 52.0, 40.0)


@lru_cache(maxsize=4)
def avatar_asset(
    skin: tuple[float, float, float] = _SKIN,
    hair: tuple[float, float, float] = _HAIR,
    iris: tuple[float, float, float] = (84.0, 104.0, 122.0),
) -> FaceAsset:
    """Draw a neutral face in the common layout.

    Parameters
    ----------
    skin, hair, iris
        Colours, RGB 0-255.

    Examples
    --------
    >>> face = avatar_asset()
    >>> face.texture.shape, float(face.aus.sum())
    ((384, 384, 3), 0.0)
    """
    import cv2

    mesh = canonical_mesh()
    uv = atlas().uv
    size = ATLAS_SIZE
    scale = size / 4.2

    def soft(points: FloatArray, sigma: float, closed: bool = True, thick: int = 1) -> Canvas:
        mask = np.zeros((size, size), np.float32)
        shape = [np.round(points * 16).astype(np.int32)]
        if closed:
            cv2.fillPoly(mask, shape, 1.0, cv2.LINE_8, 4)
        else:
            cv2.polylines(mask, shape, False, 1.0, thick, cv2.LINE_8, 4)
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma), np.float32)

    canvas = np.empty((size, size, 3), np.float32)
    yy = np.linspace(0, 1, size, dtype=np.float32)[:, None, None]
    canvas[:] = np.array([168, 182, 192], np.float32) * (1.1 - 0.3 * yy)

    def paint(mask: Canvas, colour: npt.ArrayLike, opacity: float = 1.0) -> None:
        canvas[:] += (opacity * mask)[..., None] * (np.asarray(colour, np.float32) - canvas)

    oval = uv[list(OVAL)]
    middle = oval.mean(0)
    base = np.array(skin)
    # Shoulders, neck, hair, head.
    chin = uv[152]
    body = np.array([[chin[0] - 1.9 * scale, size], [chin[0] - 1.4 * scale, chin[1] + 0.62 * scale],
                     [chin[0] - 0.4 * scale, chin[1] + 0.38 * scale],
                     [chin[0] + 0.4 * scale, chin[1] + 0.38 * scale],
                     [chin[0] + 1.4 * scale, chin[1] + 0.62 * scale],
                     [chin[0] + 1.9 * scale, size]])  # fmt: skip
    neck = np.array([[chin[0] - 0.5 * scale, chin[1] - 0.5 * scale],
                     [chin[0] - 0.52 * scale, chin[1] + 0.55 * scale],
                     [chin[0] + 0.52 * scale, chin[1] + 0.55 * scale],
                     [chin[0] + 0.5 * scale, chin[1] - 0.5 * scale]])  # fmt: skip
    top = uv[10]
    crown = np.stack([middle[0] + 1.04 * scale * np.cos(np.linspace(0, 2 * np.pi, 60)),
                      top[1] + 0.62 * scale + 1.05 * scale * np.sin(np.linspace(0, 2 * np.pi, 60))],
                     -1)  # fmt: skip
    person = np.maximum.reduce([soft(body, 1.5), soft(neck, 1.0), soft(crown, 1.5),
                                soft(oval, 1.0)])  # fmt: skip
    paint(soft(body, 1.5), (64, 78, 96))
    paint(soft(neck, 1.0), 0.80 * base)
    paint(soft(crown, 1.5), hair)
    head = middle + 1.03 * (oval - middle)
    paint(soft(head, 1.5), base)
    # Broad shading: sides of the face, eye sockets, under nose, lips and chin.
    inner = soft(middle + 0.62 * (oval - middle), 0.22 * scale)
    face = soft(head, 1.5)
    canvas *= (1 - 0.22 * face * (1 - inner))[..., None]
    for mirrored in (False, True):

        def pts(vertices: tuple[int, ...], mirrored: bool = mirrored) -> FloatArray:
            index = mesh.mirror[list(vertices)] if mirrored else list(vertices)
            return np.asarray(uv[index])

        paint(soft(pts((50, 101, 36, 205, 187)), 0.12 * scale), base * (1.04, 0.88, 0.86), 0.5)
        paint(soft(pts((226, 225, 224, 223, 222, 221, 189, 244, 232, 230, 228)), 0.05 * scale),
              0.80 * base, 0.55)  # fmt: skip
        paint(soft(pts((193, 122, 196, 198, 131, 129, 98, 203, 36, 47, 128)), 0.05 * scale),
              0.86 * base, 0.55)  # fmt: skip
        paint(soft(pts((129, 203, 206, 216)), 1.6, False, 1), 0.75 * base, 0.6)
        paint(soft(pts((64, 98, 97)), 1.2, False, 2), 0.62 * base, 0.8)
        paint(soft(pts((98, 240, 75, 60, 97)), 1.0), 0.34 * base, 0.8)
        paint(soft(pts(_BROW), 1.6), 0.75 * np.array(hair), 0.92)
        crease = (247, 30, 29, 27, 28, 56, 190)
        paint(soft(pts(crease), 0.9, False, 1), 0.58 * base, 0.9)
        paint(soft(pts((33, 246, 161, 160, 159, 158, 157, 173, 133)), 0.8, False, 3),
              (52, 36, 32), 1.0)  # fmt: skip
        paint(soft(pts((33, 7, 163, 144, 145, 153, 154, 155, 133)), 0.8, False, 1),
              0.6 * base, 0.9)  # fmt: skip
        paint(soft(pts((110, 24, 23, 22, 26)), 1.6, False, 1), 0.8 * base, 0.5)
    paint(soft(uv[[168, 6, 197, 195, 5, 4]], 2.2, False, 3), np.minimum(base * 1.16, 250), 0.8)
    paint(soft(uv[[4, 1, 45, 275]], 3.0), np.minimum(base * 1.18, 250), 0.6)
    paint(soft(uv[[97, 2, 326]], 1.4, False, 2), 0.62 * base, 0.7)
    paint(soft(uv[[83, 18, 313]], 0.03 * scale, False, 3), 0.74 * base, 0.9)
    lips = base * (0.86, 0.60, 0.60)
    upper = uv[[*LIPS_UPPER[0], *LIPS_UPPER[-1][::-1]]]
    lower = uv[[*LIPS_LOWER[0], *LIPS_LOWER[-1][::-1]]]
    paint(soft(upper, 0.9), 0.86 * lips, 0.95)
    paint(soft(lower, 0.9), lips, 0.95)
    paint(soft(uv[list(LIPS_LOWER[1][3:-3])], 1.8, False, 2), np.minimum(lips * 1.2, 250), 0.6)
    paint(soft(uv[[*LIPS_UPPER[-1], *LIPS_LOWER[-1][::-1]]], 0.6), (60, 24, 24))

    # Fine grain, so that nothing is perfectly flat.
    grain = np.random.default_rng(7).standard_normal((size, size)).astype(np.float32)
    canvas += (cv2.GaussianBlur(grain, (0, 0), 1.2) * 5.0 * face)[..., None]
    texture = np.clip(canvas, 0, 255).astype(np.uint8)

    height, width = EYE_PATCH
    sclera = np.empty((2, height, width, 3), np.uint8)
    sclera[:] = (228, 222, 218)
    n = IRIS_PATCH
    grid = (np.arange(n) - (n - 1) / 2) * 2.5 / n
    radius = np.hypot(grid[None, :], grid[:, None])
    rays = 1 + 0.1 * np.sin(17 * np.arctan2(grid[:, None], grid[None, :]))
    tone = np.where(radius < 0.42, 0.18, np.where(radius > 0.86, 0.55, 1.0) * rays)[..., None]
    disc = np.clip(np.array(iris) * tone, 0, 255)
    disc[np.hypot(grid[None, :] + 0.3, grid[:, None] + 0.3) < 0.16] = 245
    discs = np.stack([disc, disc]).astype(np.uint8)
    mask = np.clip(person * 255, 0, 255).astype(np.uint8)
    return FaceAsset(
        texture, mask, mesh.neutral.copy(), sclera, discs, (226.0, 220.0, 208.0), 0.0,
        np.zeros(len(AUS)), "avatar",
    )  # fmt: skip
