"""From a face, an expression, a pose, a gaze and a light to a picture with its truth.

Geometry first: the neutral face is deformed by the AUs, the irises are set, the head is turned and
projected. Then the picture: triangles far to near from the common texture, the openings of eyes and
mouth drawn on their own (the lids slide over the eyeball, the lips uncover teeth), light from one
side, the head over a background.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facemt_analysis.errors import FacemtError
from facemt_analysis.simulate.atlas import atlas, with_rings
from facemt_analysis.simulate.au_basis import au_displacement
from facemt_analysis.simulate.au_specs import AUS
from facemt_analysis.simulate.eyes import lid_follow, place_irises
from facemt_analysis.simulate.face import FaceAsset
from facemt_analysis.simulate.furrows import furrow_shade
from facemt_analysis.simulate.mesh import FloatArray, eye_opening
from facemt_analysis.simulate.openings import draw_eyes, draw_mouth
from facemt_analysis.simulate.raster import affine_maps, sample, triangle_ids
from facemt_analysis.simulate.rotation import FLIP, rotation_of

__all__ = ["CHIP_FRAMING", "Framing", "Light", "Rendered", "posed_mesh", "render"]

Image = npt.NDArray[np.uint8]

_NECK = np.array([0.0, -0.45, -0.55])  # the head turns about this point, head frame


@dataclass(frozen=True)
class Framing:
    """Where the face lies in a square picture, relative to the bounding box of its mesh.

    Parameters
    ----------
    scale
        Side of the picture / height of the mesh's bounding box.
    up
        How far the centre of the picture lies above the centre of the mesh's box, in sides.
    right
        How far it lies to the right of it, in sides.
    """

    scale: float = 1.394
    up: float = 0.056
    right: float = 0.0


CHIP_FRAMING = Framing()
"""The square chip of a RetinaFace box (×1.2): measured on 213 frames of ten recordings, side / mesh
height 1.394 (sd 0.029), centre 0.056 sides (sd 0.009) above that of the mesh."""


@dataclass(frozen=True)
class Light:
    """One distant light and the ambient one.

    Parameters
    ----------
    direction
        Towards the light: right, up, to the camera (camera-aligned axes); any length.
    strength
        0 = the photograph's own light only, 1 = unlit sides go dark.
    colour
        Gain of R, G, B.
    """

    direction: tuple[float, float, float] = (0.0, 0.3, 1.0)
    strength: float = 0.0
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Rendered:
    """A picture of a face and everything that is true of it.

    Attributes
    ----------
    image
        (size, size, 3) uint8 RGB.
    mesh
        (478, 3) px, pixel centres at integers; z at the scale of x and y, away from the camera,
        its mean over vertices 0-467 at 0.
    pose
        (3,) pitch, yaw, roll: rotation vector, radians, + = up, to the subject's right.
    rotation
        (3, 3) head frame to camera-aligned axes.
    gaze
        (2,) pitch, yaw relative to the head, radians.
    aus
        (20,) intensities, mean of both sides.
    aus_left, aus_right
        (20,) intensities of the sides.
    """

    image: Image
    mesh: FloatArray
    pose: FloatArray
    rotation: FloatArray
    gaze: FloatArray
    aus: FloatArray
    aus_left: FloatArray
    aus_right: FloatArray


def posed_mesh(
    neutral: FloatArray,
    left: FloatArray,
    right: FloatArray,
    gaze: npt.ArrayLike,
    *,
    vergence: float = 0.0,
) -> FloatArray:
    """Deform a neutral face (478, 3) by the AUs of both sides and a gaze, in the head frame."""
    follow = lid_follow(float(np.asarray(gaze)[0]))
    shown = neutral + au_displacement(left=left, right=right, shape=neutral, lid_shift=follow)
    shown[468:] = place_irises(neutral, gaze, vergence=vergence)
    return shown


def render(
    asset: FaceAsset,
    *,
    aus: npt.ArrayLike | None = None,
    left: npt.ArrayLike | None = None,
    right: npt.ArrayLike | None = None,
    pose: npt.ArrayLike = (0.0, 0.0, 0.0),
    gaze: npt.ArrayLike = (0.0, 0.0),
    light: Light | None = None,
    background: Image | None = None,
    framing: Framing = CHIP_FRAMING,
    size: int = 256,
    distance: float = 12.0,
    body_follow: float = 0.0,
    furrows: float = 1.0,
    furrow_softness: float = 1.0,
    vergence: float = 0.0,
) -> Rendered:
    """Draw a face.

    Parameters
    ----------
    asset
        Whose face.
    aus, left, right
        (20,) AU intensities in 0…1 in the order of `AUS`: of both sides, or of one side each.
    pose
        Pitch, yaw, roll in radians: a rotation vector, + = up, turned to and tilted to the
        subject's right.
    gaze
        Pitch, yaw relative to the head, radians, + = up, to the subject's right.
    light
        Light added to that of the photograph.
    background
        (size, size, 3) uint8 RGB behind the head; default: the photograph's own.
    framing
        Where the face lies in the picture.
    size
        Side of the picture in px.
    distance
        Camera distance in outer-eye-corner distances (about 9 cm each).
    body_follow
        Share of the head's tilt (roll) in which shoulders and background take part.
    furrows
        Strength of the wrinkles that AUs draw (0 = none).
    furrow_softness
        Factor on their width.
    vergence
        Radians by which each eye turns inwards.

    Returns
    -------
    Rendered

    Examples
    --------
    >>> from facemt_analysis.simulate import au_vector, avatar_asset
    >>> smile = render(avatar_asset(), aus=au_vector(AU12=0.8), size=64)
    >>> smile.image.shape, smile.mesh.shape
    ((64, 64, 3), (478, 3))
    """
    import cv2

    if size < 16:
        raise FacemtError(f"`size` must be at least 16 px; got {size}")
    both = np.zeros(len(AUS)) if aus is None else np.asarray(aus, np.float64)
    on_left = both if left is None else np.asarray(left, np.float64)
    on_right = both if right is None else np.asarray(right, np.float64)
    turn, looks = np.asarray(pose, np.float64), np.asarray(gaze, np.float64)
    rotation = rotation_of(turn)
    shown = posed_mesh(asset.neutral, on_left, on_right, looks, vergence=vergence)

    layout = atlas()
    rest = with_rings(asset.neutral)
    points = np.concatenate([shown, rest[478:]])
    chin = points[478 : 478 + 36] - rest[:478][_oval()] + shown[_oval()]
    points[478 : 478 + 36] = chin  # the first ring follows a dropping jaw
    turned = (points - _NECK) @ rotation.T + _NECK
    body = rotation_of((0.0, 0.0, turn[2] * body_follow))
    still = (points - _NECK) @ body.T + _NECK
    camera = still + layout.follow[:, None] * (turned - still)
    # Perspective relative to the middle of the head, so that `distance` does not change its size.
    factor = distance / np.maximum(distance - (camera[:, 2] - 0.3), 0.5)
    flat = camera[:, :2] * factor[:, None]

    low, high = flat[:478].min(0), flat[:478].max(0)
    unit = size / (framing.scale * float(high[1] - low[1]))  # px per outer-eye-corner distance
    middle = (low + high) / 2 * FLIP[:2] * unit
    shift = np.array([size / 2 - 0.5, size / 2 - 0.5]) - middle
    shift += np.array([-framing.right, framing.up]) * size
    pixels = flat * FLIP[:2] * unit + shift

    ids = triangle_ids(pixels, camera[:, 2], layout.triangles, layout.n_ring, (size, size))
    shade = _shading(camera, light)
    maps = affine_maps(pixels, np.concatenate([layout.uv, shade[:, None]], 1), layout.triangles)
    coords = sample(ids, maps)
    uv = np.ascontiguousarray(coords[..., :2])
    picture = cv2.remap(
        asset.texture, uv, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)  # fmt: skip

    lit = cv2.GaussianBlur(coords[..., 2], (0, 0), max(size / 90, 0.6))
    if furrows > 0:
        lit *= furrow_shade(
            pixels, camera[:, 2], on_left, on_right, asset.aus, size, furrows, furrow_softness
        )
    draw_mouth(picture, asset, pixels, rotation, unit, on_left, on_right)
    openings = [(eye_opening(shown, s), eye_opening(asset.neutral, s)) for s in ("right", "left")]
    shut = [float(np.clip(1 - now / max(before, 1e-6), 0, 1)) for now, before in openings]
    draw_eyes(picture, asset, pixels, (shut[0], shut[1]))
    gain = lit[..., None]
    if light is not None:
        gain = gain * np.array(light.colour, np.float32)
    picture *= gain
    if background is not None:
        alpha = cv2.remap(asset.mask, uv, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        alpha[ids == 0] = 0
        alpha = cv2.GaussianBlur(alpha, (0, 0), max(size / 160, 0.5))
        cover = (alpha.astype(np.float32) / 255)[..., None]
        picture = picture * cover + background.astype(np.float32) * (1 - cover)

    depth = -camera[:478, 2] * unit * factor[:478]
    mesh = np.concatenate([pixels[:478], (depth - depth[:468].mean())[:, None]], 1)
    image = np.clip(picture + 0.5, 0, 255).astype(np.uint8)
    return Rendered(image, mesh, turn, rotation, looks, (on_left + on_right) / 2, on_left, on_right)


def _oval() -> list[int]:
    from facemt_analysis.simulate.mesh import OVAL

    return list(OVAL)


def _shading(camera: FloatArray, light: Light | None) -> FloatArray:
    """Brightness factor (n,) of every vertex, around 1."""
    layout = atlas()
    shade = np.ones(len(camera))
    if light is None or light.strength <= 0:
        return shade
    triangles = layout.triangles[layout.n_ring :]
    a, b, c = (camera[triangles[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    vertex = np.zeros((478, 3))
    for k in range(3):
        np.add.at(vertex, triangles[:, k], normals)
    vertex /= np.maximum(np.linalg.norm(vertex, axis=1, keepdims=True), 1e-9)
    towards = np.asarray(light.direction, np.float64)
    towards = towards / max(float(np.linalg.norm(towards)), 1e-9)
    lambert = np.clip(vertex @ towards, 0.0, 1.0)
    shade[:478] = 1 + light.strength * (1.45 * lambert - 0.95)
    # Beyond the face the light fades to that of the outermost vertices' mean.
    rim = shade[_oval()]
    edge = rim.mean()
    for ring in range((len(camera) - 478) // len(rim)):
        part = 0.5**ring
        first = 478 + ring * len(rim)
        shade[first : first + len(rim)] = part * rim + (1 - part) * edge
    return np.clip(shade, 0.08, 2.0)
