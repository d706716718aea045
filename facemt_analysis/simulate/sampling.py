"""The whole random drawing of a training picture: who, how, from where, in which light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from facemt_analysis.errors import FacemtError
from facemt_analysis.simulate.affect import affect_of, draw_aus, draw_posed, emotion_of
from facemt_analysis.simulate.atlas import atlas
from facemt_analysis.simulate.au_specs import AUS
from facemt_analysis.simulate.face import FaceAsset, blend_assets
from facemt_analysis.simulate.mesh import FloatArray, canonical_mesh
from facemt_analysis.simulate.photometry import augment, draw_background
from facemt_analysis.simulate.renderer import CHIP_FRAMING, Framing, Light, Rendered, render
from facemt_analysis.simulate.skin import smooth_skin

__all__ = ["Sample", "even_lightness", "mirrored_asset", "sample_face", "skin_lightness"]


_SKIN = (50, 280, 101, 330, 205, 425, 151, 108, 337, 9)

_NARROWING = ("AU06", "AU07", "AU09", "AU43")  # they narrow the eyes


@dataclass(frozen=True)
class Sample:
    """A drawn face with what it stands for.

    Attributes
    ----------
    rendered
        Picture and geometric truth.
    emotion
        (7,) soft label in the order of ``schema.EMOTIONS``.
    affect
        (2,) valence, arousal.
    identity
        Index of the face that gave most of the texture.
    """

    rendered: Rendered
    emotion: FloatArray
    affect: FloatArray
    identity: int


def mirrored_asset(asset: FaceAsset) -> FaceAsset:
    """Give the mirror image of a face: another person as far as a network is concerned."""
    mirror = canonical_mesh().mirror
    flip = np.array([-1.0, 1.0, 1.0])
    return replace(
        asset,
        texture=np.ascontiguousarray(asset.texture[:, ::-1]),
        mask=np.ascontiguousarray(asset.mask[:, ::-1]),
        neutral=(asset.neutral * flip)[mirror],
        sclera=np.ascontiguousarray(asset.sclera[::-1, :, ::-1]),
        iris=np.ascontiguousarray(asset.iris[::-1, :, ::-1]),
    )


def skin_lightness(asset: FaceAsset) -> float:
    """CIE L* (0-100) of the cheeks and forehead in the texture, their median."""
    import cv2

    points = np.round(atlas().uv[list(_SKIN)]).astype(np.intp)
    around = np.array([(dx, dy) for dx in (-3, 0, 3) for dy in (-3, 0, 3)])
    where = (points[:, None] + around).reshape(-1, 2)
    colours = asset.texture[where[:, 1], where[:, 0]].astype(np.float32) / 255
    lab = cv2.cvtColor(colours[None], cv2.COLOR_RGB2Lab)[0]
    return float(np.median(lab[:, 0]))


def even_lightness(assets: Sequence[FaceAsset], *, limit: float = 4.0) -> FloatArray:
    """Chances (n,) that even out the skin lightness of the faces drawn.

    Parameters
    ----------
    assets
        Faces to draw from.
    limit
        The rarest lightness is drawn at most this many times as often as the most common one.
    """
    levels = np.array([skin_lightness(asset) for asset in assets])
    width = max(float(levels.std()), 1.0) * 0.4
    density = np.exp(-(((levels[:, None] - levels) / width) ** 2) / 2).mean(1)
    chances = 1 / np.maximum(density, density.max() / limit)
    return np.asarray(chances / chances.sum())


def _identity(
    rng: np.random.Generator, assets: Sequence[FaceAsset], chances: npt.ArrayLike | None
) -> tuple[FaceAsset, int]:
    n = min(int(rng.choice([1, 2, 3], p=[0.45, 0.35, 0.2])), len(assets))
    p = None
    if chances is not None:
        p = np.asarray(chances, np.float64)
        p = p / p.sum()
    chosen = rng.choice(len(assets), size=n, replace=False, p=p)
    faces = [assets[int(i)] for i in chosen]
    weights = rng.dirichlet(np.full(n, 1.5))
    shape = weights if rng.random() < 0.5 else rng.dirichlet(np.full(n, 1.0))
    # Mild caricature: shapes a little beyond the mixture, as the spread of a mean is too small.
    if n > 1:
        shape = shape + rng.normal(0, 0.15, n)
        shape = shape / shape.sum() if abs(shape.sum()) > 0.3 else weights
    main = int(weights.argmax())
    face = blend_assets(faces, list(weights), shape_weights=list(shape), surround=main)
    if rng.random() < 0.5:
        face = mirrored_asset(face)
    if rng.random() < 0.55:
        face = smooth_skin(face, keep=float(rng.uniform(0.15, 0.9)))
    return face, int(chosen[main])


def _wide(rng: np.random.Generator, sd: float, limit: float) -> float:
    """Mostly small, sometimes anything up to the limit; radians from degrees."""
    value = rng.normal(0, sd) if rng.random() < 0.6 else rng.uniform(-limit, limit)
    return float(np.radians(np.clip(value, -limit, limit)))


def sample_face(
    rng: np.random.Generator,
    assets: Sequence[FaceAsset],
    *,
    size: int = 144,
    framing: Framing = CHIP_FRAMING,
    scale_jitter: float = 0.08,
    shift_jitter: float = 0.035,
    emotion: str | None = None,
    photometric: float = 1.0,
    margin: float = 1.0,
    chances: npt.ArrayLike | None = None,
    clear_eyes: bool = False,
    posed: bool = False,
) -> Sample:
    """Draw a face at random.

    Parameters
    ----------
    rng
        Source of randomness; the same state and assets give the same bytes.
    assets
        Faces to draw from and to mix.
    size
        Side of the picture in px.
    framing
        Mean placement of the face.
    scale_jitter, shift_jitter
        Standard deviations of the log side and of the shift in sides.
    emotion
        Draw this one of ``schema.EMOTIONS`` instead of any.
    photometric
        Strength of `augment`.
    margin
        Factor on the side: room for cropping later.
    chances
        (n,) how often each asset is drawn, relative; default: all alike. See `even_lightness`.
    clear_eyes
        Draw faces to learn gaze from: eyes open, the head turned less, nothing before the face.
    posed
        Draw emotions posed for a photographer, and faces at rest (`draw_posed`).

    Raises
    ------
    FacemtError
        If there is no asset.

    Examples
    --------
    >>> from facemt_analysis.simulate import avatar_asset
    >>> drawn = sample_face(np.random.default_rng(1), [avatar_asset()], size=48)
    >>> drawn.rendered.image.shape, drawn.emotion.shape
    ((48, 48, 3), (7,))
    """
    if not assets:
        raise FacemtError("`assets` must hold at least one face, e.g. [avatar_asset()]; got none")
    face, identity = _identity(rng, assets, chances)
    aus = draw_posed(rng) if posed else draw_aus(rng, emotion)
    if clear_eyes:
        aus[[AUS.index(name) for name in _NARROWING]] = 0.0
    left, right = aus, aus
    if rng.random() < 0.25:
        tilt = rng.normal(0, 0.35, len(aus)) if rng.random() < 0.7 else rng.normal(0, 0.8)
        left, right = np.clip(aus * (1 + tilt), 0, 1), np.clip(aus * (1 - tilt), 0, 1)
    pose = np.array([_wide(rng, 9, 26), _wide(rng, 13, 40), _wide(rng, 7, 30)])
    if clear_eyes:
        pose *= 0.6
    # Few look at the camera: where gaze is the turn of the head negated, a network need not look
    # at the eyes to know it.
    if rng.random() < 0.08:
        gaze = -0.9 * pose[:2] + rng.normal(0, np.radians(4), 2)
    else:
        gaze = np.array([_wide(rng, 10, 26), _wide(rng, 15, 35)])
    gaze = np.clip(gaze, -np.radians([28, 38]), np.radians([28, 38]))
    light = None
    if rng.random() < 0.7:
        direction = (float(rng.normal(0, 0.9)), float(rng.normal(0.3, 0.5)), 1.0)
        colour = np.exp(rng.normal(0, 0.06, 3))
        light = Light(direction, float(rng.beta(1.3, 2.2)), (colour[0], colour[1], colour[2]))
    background = None
    if rng.random() < 0.85:
        pictures = [assets[int(i)].texture for i in rng.integers(0, len(assets), 2)]
        background = draw_background(rng, size, pictures)
    placed = Framing(
        framing.scale * margin * float(np.exp(rng.normal(0, scale_jitter))),
        framing.up / margin + float(rng.normal(0, shift_jitter)),
        framing.right / margin + float(rng.normal(0, shift_jitter)),
    )
    drawn = render(
        face, left=left, right=right, pose=pose, gaze=gaze, light=light, background=background,
        framing=placed, size=size, distance=float(np.exp(rng.uniform(np.log(7), np.log(45)))),
        body_follow=float(rng.uniform(0, 1)), furrows=float(rng.uniform(0.2, 1.2)),
        furrow_softness=float(np.exp(rng.uniform(0, np.log(3)))),
        vergence=float(np.radians(np.abs(rng.normal(0, 2)))),
    )  # fmt: skip
    image = augment(drawn.image, rng, mesh=None if clear_eyes else drawn.mesh, strength=photometric)
    drawn = replace(drawn, image=image)
    return Sample(drawn, emotion_of(drawn.aus), affect_of(drawn.aus), identity)
