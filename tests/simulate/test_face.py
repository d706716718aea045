"""Photographs become assets that give the photograph back."""

from __future__ import annotations

import numpy as np
import pytest

from facemt_analysis import schema
from facemt_analysis.errors import FacemtError
from facemt_analysis.simulate import (
    AUS,
    Framing,
    asset_from_photo,
    au_vector,
    aus_from_blendshapes,
    avatar_asset,
    blend_assets,
    canonical_mesh,
    eye_opening,
    person_mask,
    render,
    skin_lightness,
)
from facemt_analysis.simulate.face import neutral_shape
from facemt_analysis.simulate.sampling import even_lightness, mirrored_asset

WIDE = Framing(1.9)


@pytest.fixture(scope="module")
def smiling():
    """A photograph of nobody: the avatar, smiling, slightly turned."""
    aus = au_vector(AU06=0.5, AU12=0.8, AU25=0.5)
    return aus, render(
        avatar_asset(), aus=aus, pose=(0.05, 0.1, -0.06), size=400, framing=WIDE, distance=200.0
    )


def test_photo_round_trip(smiling):
    aus, photo = smiling
    asset = asset_from_photo(photo.image, photo.mesh, aus, rotation=photo.rotation)
    again = render(
        asset, aus=asset.aus, pose=(0.05, 0.1, -0.06), size=400, framing=WIDE, distance=200.0
    )
    unit = np.linalg.norm(photo.mesh[33] - photo.mesh[263])
    error = np.linalg.norm((again.mesh - photo.mesh)[:468], axis=1) / unit
    assert error.mean() < 0.006
    face = np.zeros((400, 400), bool)
    low, high = photo.mesh[:, :2].min(0).astype(int), photo.mesh[:, :2].max(0).astype(int)
    face[low[1] : high[1], low[0] : high[0]] = True
    difference = np.abs(again.image.astype(int) - photo.image.astype(int)).mean(-1)
    assert difference[face].mean() < 6.0


def test_the_smile_can_be_taken_away(smiling):
    aus, photo = smiling
    asset = asset_from_photo(photo.image, photo.mesh, aus, rotation=photo.rotation)
    truth = canonical_mesh().neutral
    shown = np.linalg.norm(asset.neutral[291] - asset.neutral[61])
    assert shown == pytest.approx(np.linalg.norm(truth[291] - truth[61]), abs=0.02)
    assert (asset.neutral[13] - asset.neutral[14])[1] < 0.02
    assert asset.aus[AUS.index("AU12")] == aus[AUS.index("AU12")]
    calm = render(asset, size=128)
    assert eye_opening(calm.mesh, "left") == pytest.approx(
        eye_opening(render(avatar_asset(), size=128).mesh, "left"), rel=0.1
    )


def test_rotation_is_found_when_not_given(smiling):
    aus, photo = smiling
    free = asset_from_photo(photo.image, photo.mesh, aus)
    np.testing.assert_allclose(free.neutral[:468, 0], canonical_mesh().neutral[:468, 0], atol=0.03)


def test_neutral_shape_of_a_neutral_face_is_the_face():
    face = canonical_mesh().neutral
    neutral, used = neutral_shape(face, np.zeros(20))
    np.testing.assert_allclose(neutral[:468], face[:468], atol=2e-3)
    assert used.max() < 0.1


def test_blends_lie_between(smiling):
    aus, photo = smiling
    other = asset_from_photo(photo.image, photo.mesh, aus, rotation=photo.rotation, name="b")
    dark = avatar_asset(skin=(90.0, 60.0, 45.0))
    mixed = blend_assets([other, dark], [0.5, 0.5], shape_weights=[1.0, 0.0])
    levels = [skin_lightness(asset) for asset in (dark, mixed, other)]
    assert levels[0] + 5 < levels[1] < levels[2] - 5
    np.testing.assert_allclose(mixed.neutral, other.neutral)
    assert blend_assets([dark], [1.0]) is dark
    corner = [a.texture[370, 5].astype(int) for a in (other, dark)]  # of the shoulders
    one, whole = (blend_assets([other, dark], [1, 1], surround=k) for k in (1, None))
    np.testing.assert_allclose(one.texture[370, 5], corner[1], atol=1)
    np.testing.assert_allclose(whole.texture[370, 5], (corner[0] + corner[1]) / 2, atol=1)
    with pytest.raises(FacemtError, match="2 assets and 1 weights"):
        blend_assets([other, dark], [1.0])


def test_mirrored_asset_is_the_mirror_image():
    face = avatar_asset()
    twice = mirrored_asset(mirrored_asset(face))
    np.testing.assert_allclose(twice.neutral, face.neutral)
    plain = render(face, size=128, pose=(0.1, 0.3, 0.1), gaze=(0.1, 0.2))
    flipped = render(mirrored_asset(face), size=128, pose=(0.1, -0.3, -0.1), gaze=(0.1, -0.2))
    mesh = flipped.mesh[canonical_mesh().mirror]
    np.testing.assert_allclose(127 - mesh[:, 0], plain.mesh[:, 0], atol=1e-6)
    np.testing.assert_allclose(mesh[:, 1], plain.mesh[:, 1], atol=1e-6)
    gap = np.abs(flipped.image[:, ::-1].astype(int) - plain.image.astype(int)).mean()
    assert gap < 2.0


def test_even_lightness_favours_the_rare():
    light = [avatar_asset()] * 9
    dark = avatar_asset(skin=(90.0, 60.0, 45.0))
    chances = even_lightness([*light, dark])
    assert chances.sum() == pytest.approx(1.0)
    assert chances[-1] / chances[0] == pytest.approx(4.0, rel=0.01)


def test_person_mask_covers_the_face_and_not_the_corners(smiling):
    _, photo = smiling
    mask = person_mask(photo.image, photo.mesh)
    x, y = photo.mesh[1, :2].astype(int)
    assert mask[y, x] == 255
    assert mask[3, 3] == 0
    assert mask[3, -4] == 0
    assert person_mask(photo.image, photo.mesh).tobytes() == mask.tobytes()


def test_source_expression_from_blendshapes():
    assert not aus_from_blendshapes(np.zeros(52)).any()
    for name, au in (("jawOpen", "AU26"), ("browInnerUp", "AU01"), ("mouthShrugLower", "AU17")):
        blend = np.zeros(52)
        blend[schema.BLENDSHAPES.index(name)] = 0.9
        assert aus_from_blendshapes(blend)[AUS.index(au)] > 0.4
    with pytest.raises(FacemtError, match="52"):
        aus_from_blendshapes(np.zeros(51))


def test_bad_photos_are_refused(smiling):
    _, photo = smiling
    with pytest.raises(FacemtError, match=r"`mesh` must be \(478, 3\)"):
        asset_from_photo(photo.image, photo.mesh[:468], np.zeros(20))
    with pytest.raises(FacemtError, match="uint8 RGB"):
        asset_from_photo(photo.image[..., 0], photo.mesh, np.zeros(20))
