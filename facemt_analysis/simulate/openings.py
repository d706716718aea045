"""What shows between the lids and between the lips."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facemt_analysis.simulate.au_specs import AU_SPECS, AUS
from facemt_analysis.simulate.eye_patches import EYE_PATCH, IRIS_PATCH
from facemt_analysis.simulate.face import FaceAsset
from facemt_analysis.simulate.mesh import LIPS_LOWER, LIPS_UPPER, FloatArray, canonical_mesh, lids

__all__ = ["draw_eyes", "draw_mouth"]

Picture = npt.NDArray[np.float32]
_SHIFT = 4
# On the subject's right: fold of the upper lid, skin under the eye and under the brow.
_CREASE = (130, 247, 30, 29, 27, 28, 56, 190, 243)
_BELOW_EYE = (229, 230, 231, 119, 120)
_ABOVE_EYE = (224, 223, 222)
_LOOP = (*LIPS_UPPER[-1], *LIPS_LOWER[-1][-2:0:-1])


def _window(points: FloatArray, size: int, margin: int) -> tuple[int, int, int, int] | None:
    """Pixel box x0, y0, x1, y1 around points, clipped to the picture; None if outside it."""
    low = np.floor(points.min(0)).astype(int) - margin
    high = np.ceil(points.max(0)).astype(int) + margin + 1
    x0, y0 = max(low[0], 0), max(low[1], 0)
    x1, y1 = min(high[0], size), min(high[1], size)
    return (x0, y0, x1, y1) if x1 - x0 > 1 and y1 - y0 > 1 else None


def _coverage(polygon: FloatArray, window: tuple[int, int, int, int]) -> Picture:
    """Anti-aliased share of each pixel of the window that the polygon covers."""
    import cv2

    x0, y0, x1, y1 = window
    factor = 4
    mask = np.zeros(((y1 - y0) * factor, (x1 - x0) * factor), np.uint8)
    fine = (polygon - (x0, y0) + 0.5) * factor - 0.5
    cv2.fillPoly(mask, [np.round(fine * (1 << _SHIFT)).astype(np.int32)], 255, cv2.LINE_8, _SHIFT)
    small = cv2.resize(mask, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


def _patch_coords(
    window: tuple[int, int, int, int],
    centre: FloatArray,
    across: FloatArray,
    above: FloatArray,
    shape: tuple[int, int],
    span: tuple[float, float],
) -> tuple[Picture, Picture, Picture, Picture]:
    """Coordinates of the window's pixels in a patch centred on `centre`.

    `across` and `above` are the picture vectors of one unit to the patch's right and up; the patch
    is `span` units wide and high. Returns map_x, map_y for OpenCV and the units themselves.
    """
    x0, y0, x1, y1 = window
    basis = np.column_stack([across, above])
    det = basis[0, 0] * basis[1, 1] - basis[0, 1] * basis[1, 0]
    if abs(det) < 1e-3:
        basis = basis + np.eye(2) * 0.05
    inverse = np.linalg.inv(basis)
    dx = np.arange(x0, x1)[None, :] - centre[0]
    dy = np.arange(y0, y1)[:, None] - centre[1]
    u = (inverse[0, 0] * dx + inverse[0, 1] * dy).astype(np.float32)
    v = (inverse[1, 0] * dx + inverse[1, 1] * dy).astype(np.float32)
    height, width = shape
    map_x = u * (width / span[0]) + (width - 1) / 2
    map_y = -v * (height / span[1]) + (height - 1) / 2
    return map_x.astype(np.float32), map_y.astype(np.float32), u, v


def _lower_lid_skin(picture: Picture, pixels: FloatArray, side: str, closure: float) -> None:
    """Give a lid that comes down the skin that was folded away, instead of stretched lashes."""
    import cv2

    eye, mirror = lids(side), canonical_mesh().mirror
    crease, below, above = (
        np.array(row) if side == "right" else mirror[list(row)]
        for row in (_CREASE, _BELOW_EYE, _ABOVE_EYE)
    )
    margin = pixels[[eye.outer, *eye.upper, eye.inner]]
    window = _window(np.concatenate([margin, pixels[crease]]), picture.shape[0], 3)
    if window is None:
        return
    x0, y0, x1, y1 = window
    polygon = np.concatenate([margin, pixels[crease][::-1]])
    cover = _coverage(polygon, window)
    width = float(np.linalg.norm(margin[0] - margin[-1]))
    cover = cv2.GaussianBlur(cover, (0, 0), max(0.05 * width, 0.4))
    spots = np.round(pixels[np.concatenate([below, above])]).astype(np.intp)
    spots = np.clip(spots, 0, picture.shape[0] - 1)
    tones = picture[spots[:, 1], spots[:, 0]]
    tone = 0.6 * tones[: len(below)].mean(0) + 0.4 * tones[len(below) :].mean(0)
    part = 0.75 * min(1.6 * closure, 1.0) * cover[..., None]
    region = picture[y0:y1, x0:x1]
    region += part * (tone - region)


def draw_eyes(
    picture: Picture,
    asset: FaceAsset,
    pixels: FloatArray,
    closures: tuple[float, float] = (0.0, 0.0),
) -> None:
    """Draw both eyeballs into the openings of the lids, in `picture` itself.

    Parameters
    ----------
    picture
        (size, size, 3) float32, 0-255.
    asset
        Gives sclera and iris.
    pixels
        (n, 2) projected vertices.
    closures
        How far the right and the left eye are closed compared with the face at rest, 0…1.
    """
    import cv2

    size = picture.shape[0]
    for k, side in enumerate(("right", "left")):
        eye = lids(side)
        if closures[k] > 0.1:
            _lower_lid_skin(picture, pixels, side, closures[k])
        contour = pixels[list(eye.contour)]
        window = _window(contour, size, 2)
        if window is None:
            continue
        x0, y0, x1, y1 = window
        cover = _coverage(contour, window)
        if cover.max() <= 0:
            continue
        left, right = (eye.outer, eye.inner) if side == "right" else (eye.inner, eye.outer)
        axis = pixels[right] - pixels[left]
        iris = pixels[list(eye.iris)]
        # 469 / 474 is the rim point to the picture's right, 470 / 475 the upper one.
        to_right, up = (iris[1] - iris[3]) / 2, (iris[2] - iris[4]) / 2
        if np.linalg.norm(up) < 0.3 or np.linalg.norm(to_right) < 0.3:
            continue
        vertical = up / np.linalg.norm(up) * np.linalg.norm(axis)
        height, width = EYE_PATCH
        map_x, map_y, *_ = _patch_coords(
            window, (pixels[left] + pixels[right]) / 2, axis, vertical,
            EYE_PATCH, (1.6, 1.6 * height / width),
        )  # fmt: skip
        white = cv2.remap(asset.sclera[k], map_x, map_y, cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_REPLICATE).astype(np.float32)  # fmt: skip
        map_x, map_y, u, v = _patch_coords(
            window, iris[0], to_right, up, (IRIS_PATCH, IRIS_PATCH), (2.5, 2.5)
        )
        disc = cv2.remap(asset.iris[k], map_x, map_y, cv2.INTER_LINEAR,
                         borderMode=cv2.BORDER_REPLICATE).astype(np.float32)  # fmt: skip
        soft = max(1.0 / max(float(np.linalg.norm(to_right)), 1.0), 0.12)
        inside = np.clip((1.0 - np.hypot(u, v)) / soft + 0.5, 0, 1)[..., None]
        ball = white + inside * (disc - white)
        # The ball is darker towards the corners and under the upper lid.
        reach = max(float(np.linalg.norm(axis)) * 0.09, 0.7)
        open_soft = cv2.GaussianBlur(cover, (0, 0), reach)
        drop = np.array([[1, 0, 0], [0, 1, reach]], np.float32)
        under = cv2.warpAffine(open_soft, drop, (x1 - x0, y1 - y0))
        ball *= (0.62 + 0.38 * np.clip(1.25 * under, 0, 1))[..., None]
        region = picture[y0:y1, x0:x1]
        region += cover[..., None] * (ball - region)
        _lash_line(picture, pixels[[eye.outer, *eye.upper, eye.inner]], float(np.linalg.norm(axis)))


def _lash_line(picture: Picture, line: FloatArray, width: float) -> None:
    """Darken the margin of the upper lid: lashes and the shadow they cast."""
    import cv2

    window = _window(line, picture.shape[0], 3)
    if window is None or width < 4:
        return
    x0, y0, x1, y1 = window
    factor = 4
    mask = np.zeros(((y1 - y0) * factor, (x1 - x0) * factor), np.uint8)
    fine = ((line - (x0, y0) + 0.5) * factor - 0.5) * (1 << _SHIFT)
    thick = max(round(width * 0.035 * factor), 1)
    cv2.polylines(mask, [np.round(fine).astype(np.int32)], False, 255, thick, cv2.LINE_8, _SHIFT)
    small = cv2.resize(mask, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    picture[y0:y1, x0:x1] *= (1 - 0.5 * small.astype(np.float32) / 255)[..., None]


def draw_mouth(
    picture: Picture,
    asset: FaceAsset,
    pixels: FloatArray,
    rotation: FloatArray,
    unit: float,
    left: FloatArray,
    right: FloatArray,
) -> None:
    """Draw cavity, tongue and teeth between the lips, in `picture` itself.

    Upper teeth keep their place in the skull, lower ones go with the jaw. Where the texture shows
    teeth and the jaw is nearly closed, the texture is kept.

    Parameters
    ----------
    picture
        (size, size, 3) float32, 0-255; holds the textured face.
    asset
        Gives the colour of the teeth and whether the texture shows them.
    pixels
        (n, 2) projected vertices.
    rotation, unit
        Head rotation and px per outer-eye-corner distance.
    left, right
        (20,) AUs of both sides.
    """
    import cv2

    size = picture.shape[0]
    loop = pixels[list(_LOOP)]
    window = _window(loop, size, 2)
    if window is None:
        return
    cover = _coverage(loop, window)
    if cover.max() <= 0.02:
        return
    x0, y0, x1, y1 = window
    jaw = float((left + right)[AUS.index("AU26")]) / 2
    height, width = y1 - y0, x1 - x0
    fill = np.empty((height, width, 3), np.float32)
    fill[:] = np.array([58, 22, 22], np.float32)

    # A frame fixed to the skull: the line between the lips of the face at rest, set behind them.
    rest = asset.neutral
    edge = (rest[13] + rest[14]) / 2 + (0.0, -0.025, -0.07)
    nose = pixels[[2, 164]].mean(0)
    anchor = rest[[2, 164]].mean(0)
    flip = np.array([1.0, -1.0])

    def project(points: FloatArray) -> FloatArray:
        return np.asarray(nose + ((points - anchor) @ rotation.T)[:, :2] * flip * unit)

    across = np.linspace(-0.24, 0.24, 13)
    depth = -2.2 * across**2
    arc = np.stack([across, np.zeros(13), depth], -1) + edge
    drop = np.array([0.0, 0.0, 0.0])
    angle = np.radians(AU_SPECS["AU26"].jaw) * jaw
    reach = rest[14, 2] + 0.42
    drop = np.array([0.0, -np.sin(angle) * reach, -0.3 * np.sin(angle) * 0.5])
    tone = np.array(asset.teeth, np.float32)

    def band(top: FloatArray, bottom: FloatArray, colour: npt.ArrayLike) -> None:
        polygon = np.concatenate([project(top), project(bottom)[::-1]])
        part = _coverage(polygon, window)[..., None]
        fill[:] += part * (np.asarray(colour, np.float32) - fill)

    down = np.array([0.0, -0.085, 0.0])
    if jaw > 0.12:
        tongue = np.stack(
            [0.7 * across, -0.05 - 0.05 * np.cos(across / 0.24 * np.pi / 2), depth - 0.1], -1
        )
        band(
            tongue + edge + drop,
            arc + drop + 2.5 * down,
            np.array([150, 72, 70]) * min(1, jaw + 0.4),
        )
    band(arc + drop - (0, 0.012, 0), arc + drop + down, tone * 0.78)
    band(arc - down * 1.3, arc, tone * 0.93)
    # Lines between the teeth, darker towards the corners.
    marks = project(np.concatenate([arc[1::2] - down * 0.8, arc[1::2]]))
    half = len(marks) // 2
    lines = np.zeros((height, width), np.uint8)
    for a, b in zip(marks[:half], marks[half:], strict=True):
        ends = np.round((np.stack([a, b]) - (x0, y0)) * (1 << _SHIFT)).astype(np.int32)
        cv2.line(
            lines, tuple(map(int, ends[0])), tuple(map(int, ends[1])), 255, 1, cv2.LINE_AA, _SHIFT
        )
    fill *= (1 - 0.22 * lines.astype(np.float32) / 255)[..., None]
    centre = project(edge[None])[0, 0]
    span = max(0.27 * unit, 1.0)
    side = np.abs((np.arange(x0, x1) - centre) / span).astype(np.float32)
    fill *= np.clip(1.1 - 0.55 * side**2, 0.3, 1)[None, :, None]
    soft = cv2.GaussianBlur(cover, (0, 0), max(0.02 * unit, 0.6))
    fill *= np.clip(0.45 + 0.65 * soft, 0, 1)[..., None]

    keep = asset.teeth_seen * float(np.clip(1.0 - 3.0 * jaw, 0, 1))
    region = picture[y0:y1, x0:x1]
    region += (cover * (1 - keep))[..., None] * (fill - region)
