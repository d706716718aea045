"""A face that can be rendered: texture in the common layout, eyes, teeth, neutral shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from facemt_analysis.errors import FacemtError
from facemt_analysis.simulate.atlas import ATLAS_SIZE, atlas, with_rings
from facemt_analysis.simulate.au_basis import au_displacement
from facemt_analysis.simulate.au_specs import AUS
from facemt_analysis.simulate.eye_patches import eye_patches
from facemt_analysis.simulate.eyes import place_irises
from facemt_analysis.simulate.mesh import LIPS_LOWER, LIPS_UPPER, FloatArray, canonical_mesh
from facemt_analysis.simulate.raster import affine_maps, sample, triangle_ids
from facemt_analysis.simulate.rotation import FLIP, pose_of, procrustes, rotation_of

__all__ = [
    "FaceAsset",
    "asset_from_photo",
    "blend_assets",
    "neutral_shape",
]

Image = npt.NDArray[np.uint8]

_CLOSED = 0.012  # gap of the inner lips of a closed mouth, outer-eye-corner distances
_GAP_OF_AU25 = 0.085  # what AU25 = 1 adds to it


@dataclass(frozen=True)
class FaceAsset:
    """Everything that makes a face look like someone, free of pose and expression.

    Parameters
    ----------
    texture
        (384, 384, 3) uint8 RGB in the layout of `atlas`.
    mask
        (384, 384) uint8: 255 where the picture shows the person, 0 where background.
    neutral
        (478, 3) shape at rest, head frame, outer-eye-corner distances.
    sclera
        (2, 40, 64, 3) uint8: white of the right and the left eye without lids and iris.
    iris
        (2, 40, 40, 3) uint8: irises, completed where lids hid them.
    teeth
        Colour of the teeth, RGB.
    teeth_seen
        0…1: how much of the teeth the texture shows between the lips.
    aus
        (20,) expression of the source, of which traces (folds) remain in the texture.
    name
        Where the face comes from.
    """

    texture: Image
    mask: Image
    neutral: FloatArray
    sclera: Image
    iris: Image
    teeth: tuple[float, float, float]
    teeth_seen: float
    aus: FloatArray
    name: str = ""


def neutral_shape(shape: npt.ArrayLike, aus: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Take a known expression out of a face.

    Parameters
    ----------
    shape
        (478, 3) face in the head frame.
    aus
        (20,) what it shows. AU25 is replaced by what the gap between the lips says.

    Returns
    -------
    neutral, aus
        The face at rest with its mouth closed: but for the lips, ``neutral +
        au_displacement(aus, shape=neutral)`` gives `shape` back; and the AUs used.
    """
    shown = np.asarray(shape, np.float64)
    used = np.array(aus, np.float64)
    up, low = list(LIPS_UPPER[-1][3:8]), list(LIPS_LOWER[-1][3:8])
    neutral = shown.copy()
    for _ in range(12):
        neutral = shown - au_displacement(used, shape=neutral)
        gap = float((neutral[up, 1] - neutral[low, 1]).mean())
        part = AUS.index("AU25")
        used[part] = np.clip(used[part] + 0.7 * (gap - _CLOSED) / _GAP_OF_AU25, 0.0, 1.4)
    return _sealed(neutral), used


def _sealed(neutral: FloatArray) -> FloatArray:
    """Close what is left of the gap between the lips, column by column."""
    out = neutral.copy()
    gap = neutral[list(LIPS_UPPER[-1]), 1] - neutral[list(LIPS_LOWER[-1]), 1]
    excess = np.clip(gap - _CLOSED * np.sin(np.linspace(0, np.pi, len(gap))), 0, None)[1:-1] / 2
    for k, (upper, lower) in enumerate(zip(LIPS_UPPER, LIPS_LOWER, strict=True)):
        share = (0.6, 0.75, 0.9, 1.0)[k]
        out[list(upper[1:-1]), 1] -= share * excess
        out[list(lower[1:-1]), 1] += share * excess
    return out


def asset_from_photo(
    photo: Image,
    mesh: npt.ArrayLike,
    aus: npt.ArrayLike,
    *,
    rotation: npt.ArrayLike | None = None,
    mask: Image | None = None,
    name: str = "",
) -> FaceAsset:
    """Make an asset from a photograph and the mesh found in it.

    Parameters
    ----------
    photo
        (H, W, 3) uint8 RGB.
    mesh
        (478, 3) px in the photograph, pixel centres at integers; z at the scale of x and y, away
        from the camera.
    aus
        (20,) what the face shows (see `aus_from_blendshapes`).
    rotation
        (3, 3) head rotation, head frame to camera-aligned axes; default: the one that fits the
        canonical face best.
    mask
        (H, W) uint8, 255 = the person; default: everything.
    name
        Recorded in the asset.
    """
    import cv2

    pixels = np.asarray(mesh, np.float64)
    if pixels.shape != (478, 3) or not np.isfinite(pixels).all():
        raise FacemtError(f"`mesh` must be (478, 3) without NaN; got {pixels.shape}")
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
        raise FacemtError(f"`photo` must be (H, W, 3) uint8 RGB; got {photo.shape} {photo.dtype}")
    camera = pixels * FLIP
    if rotation is None:
        turn = procrustes(canonical_mesh().vertices[:468], camera[:468])[1]
    else:
        turn = np.asarray(rotation, np.float64)
    unit = float(np.linalg.norm(camera[33] - camera[263]))
    middle = (camera[33] + camera[263]) / 2
    for _ in range(2):
        origin = middle - unit * turn @ _eye_middle()
        shown = (camera - origin) @ turn / unit
        neutral, used = neutral_shape(shown, aus)
        # Faces are symmetric: what is left of turn and tilt belongs to the rotation.
        rest = procrustes(canonical_mesh().neutral[:468], neutral[:468])[1]
        turn = turn @ rotation_of(pose_of(rest) * (0, 1, 1))
    origin = middle - unit * turn @ _eye_middle()
    shown = (camera - origin) @ turn / unit
    neutral, used = neutral_shape(shown, aus)
    neutral[468:] = place_irises(neutral)

    layout = atlas()
    everything = with_rings(shown)
    everything[:478] = shown
    source = (everything @ turn.T * unit + origin)[:, :2] * FLIP[:2]
    source[:478] = pixels[:, :2]
    size = (ATLAS_SIZE, ATLAS_SIZE)
    ids = triangle_ids(layout.uv, np.zeros(len(layout.uv)), layout.triangles, layout.n_ring, size)
    coords = sample(ids, affine_maps(layout.uv, source, layout.triangles))
    texture = cv2.remap(photo, coords, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    person = np.full(photo.shape[:2], 255, np.uint8) if mask is None else mask
    alpha = cv2.remap(person, coords, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    sclera, iris = eye_patches(photo, pixels)
    gap = float((shown[list(LIPS_UPPER[-1][3:8]), 1] - shown[list(LIPS_LOWER[-1][3:8]), 1]).mean())
    seen = float(np.clip((gap - 0.035) / 0.03, 0, 1))
    colour = (212.0, 204.0, 192.0)
    if seen > 0.5:
        inside = np.zeros(photo.shape[:2], np.uint8)
        loop = pixels[[*LIPS_UPPER[-1], *LIPS_LOWER[-1][::-1]], :2]
        cv2.fillPoly(inside, [np.round(loop).astype(np.int32)], 1)
        mouth = photo[inside > 0].astype(np.float64)
        if len(mouth) > 20:
            bright = mouth[mouth.mean(1) >= np.percentile(mouth.mean(1), 60)].mean(0)
            colour = (float(bright[0]), float(bright[1]), float(bright[2]))
    return FaceAsset(texture, alpha, neutral, sclera, iris, colour, seen, used, name)


def _eye_middle() -> FloatArray:
    vertices = canonical_mesh().vertices
    return np.asarray((vertices[33] + vertices[263]) / 2)


def blend_assets(
    assets: Sequence[FaceAsset],
    weights: Sequence[float],
    *,
    shape_weights: Sequence[float] | None = None,
    surround: int | None = 0,
) -> FaceAsset:
    """Mix several faces into one that is nobody.

    Parameters
    ----------
    assets
        Faces to mix.
    weights
        Share of each in the texture; normalised to 1.
    shape_weights
        Share of each in the neutral shape; default: `weights`. May extrapolate.
    surround
        Which face gives hair, shoulders and background, faded in outside the face oval. None: these
        are mixed too, so that a mean over many faces shows nobody at all.
    """
    import cv2

    if not assets or len(assets) != len(weights):
        raise FacemtError(
            "expected as many weights as assets, at least one; "
            f"got {len(assets)} assets and {len(weights)} weights"
        )
    share = np.asarray(weights, np.float64)
    share = share / share.sum()
    shape_share = share if shape_weights is None else np.asarray(shape_weights, np.float64)
    shape_share = shape_share / shape_share.sum()
    if len(assets) == 1:
        return assets[0]

    def mixed(field: str) -> FloatArray:
        return np.asarray(
            sum(
                w * getattr(a, field).astype(np.float32) for a, w in zip(assets, share, strict=True)
            )
        )

    base = assets[surround or 0]
    texture, mask = mixed("texture"), base.mask
    if surround is None:
        mask = mixed("mask").astype(np.uint8)
    else:
        inner = _face_weight()[..., None]
        texture = texture * inner + base.texture * (1 - inner)
    neutral = np.einsum("i,ijk->jk", shape_share, np.stack([a.neutral for a in assets]))
    teeth = np.einsum("i,ij->j", share, np.array([a.teeth for a in assets]))
    return replace(
        base,
        texture=cv2.convertScaleAbs(texture),
        mask=mask,
        neutral=neutral,
        sclera=mixed("sclera").astype(np.uint8),
        iris=mixed("iris").astype(np.uint8),
        teeth=(float(teeth[0]), float(teeth[1]), float(teeth[2])),
        teeth_seen=float(share @ [a.teeth_seen for a in assets]),
        aus=np.asarray(share @ np.stack([a.aus for a in assets])),
        name="+".join(a.name for a in assets),
    )


_WEIGHT: list[npt.NDArray[np.float32]] = []


def _face_weight() -> npt.NDArray[np.float32]:
    """1 inside the face oval of the atlas, fading to 0 around it."""
    import cv2

    from facemt_analysis.simulate.mesh import OVAL

    if not _WEIGHT:
        mask = np.zeros((ATLAS_SIZE, ATLAS_SIZE), np.float32)
        cv2.fillPoly(mask, [np.round(atlas().uv[list(OVAL)]).astype(np.int32)], 1.0)
        mask = cv2.erode(mask, np.ones((15, 15), np.uint8))
        _WEIGHT.append(cv2.GaussianBlur(mask, (0, 0), 6.0))
    return _WEIGHT[0]
