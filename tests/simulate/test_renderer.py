"""What the renderer says is what it drew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facemt_analysis.errors import FacemtError
from facemt_analysis.simulate import (
    CHIP_FRAMING,
    Framing,
    Light,
    au_vector,
    avatar_asset,
    canonical_mesh,
    eye_opening,
    pose_of,
    render,
)
from facemt_analysis.simulate.atlas import ATLAS_SIZE, atlas
from facemt_analysis.simulate.eyes import EYEBALL_RADIUS, place_irises
from facemt_analysis.simulate.rotation import FLIP, procrustes

FACE = avatar_asset()


@pytest.mark.parametrize(
    "pose", [(0.0, 0.0, 0.0), (0.35, 0.0, 0.0), (-0.3, 0.2, 0.1), (0.1, 0.6, -0.4), (0, -0.6, 0.5)]
)
def test_rotation_is_recovered_from_the_mesh(pose):
    drawn = render(FACE, pose=pose, size=96, distance=1e6)
    points = drawn.mesh * FLIP
    scale, turn, _ = procrustes(FACE.neutral[:468], points[:468])
    np.testing.assert_allclose(pose_of(turn), pose, atol=2e-3)
    np.testing.assert_allclose(drawn.rotation, turn, atol=2e-3)
    assert scale > 20


def test_perspective_keeps_the_rotation_within_a_few_degrees():
    drawn = render(FACE, pose=(0.1, 0.4, 0.0), size=96, distance=8.0)
    turn = procrustes(FACE.neutral[:468], (drawn.mesh * FLIP)[:468])[1]
    np.testing.assert_allclose(pose_of(turn), (0.1, 0.4, 0.0), atol=np.radians(4))


@pytest.mark.parametrize("size", [64, 144])
def test_texture_lands_where_the_mesh_says(size):
    import cv2

    yy, xx = np.mgrid[:ATLAS_SIZE, :ATLAS_SIZE]
    for pose in ((0.0, 0.0, 0.0), (0.2, -0.4, 0.3)):
        for vertex in (9, 50, 151, 199, 280, 347, 104):
            u, v = atlas().uv[vertex]
            dot = 255 * np.exp(-((xx - u) ** 2 + (yy - v) ** 2) / (2 * 4.0**2))
            marked = replace(
                FACE,
                texture=cv2.merge([dot.astype(np.uint8)] * 3),
                sclera=np.zeros_like(FACE.sclera),
                iris=np.zeros_like(FACE.iris),
                teeth=(0.0, 0.0, 0.0),
            )
            drawn = render(marked, pose=pose, size=size, furrows=0.0)
            weight = np.clip(drawn.image[..., 0].astype(float) - 80, 0, None)  # not the cavity
            py, px = np.mgrid[:size, :size]
            found = np.array([(weight * px).sum(), (weight * py).sum()]) / weight.sum()
            assert np.linalg.norm(found - drawn.mesh[vertex, :2]) < 0.008 * size + 0.3


def test_framing_places_the_mesh_box():
    for framing in (CHIP_FRAMING, Framing(2.0, -0.1, 0.05)):
        mesh = render(FACE, size=128, framing=framing, pose=(0.1, 0.3, 0.2)).mesh
        low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
        assert 128 / (high[1] - low[1]) == pytest.approx(framing.scale, rel=1e-6)
        centre = (low + high) / 2
        want = 63.5 + 128 * np.array([-framing.right, framing.up])
        np.testing.assert_allclose(centre, want, atol=1e-6)


def test_mesh_depth_is_isotropic_and_centred():
    front = render(FACE, size=200, distance=1e6).mesh
    side = render(FACE, size=200, distance=1e6, pose=(0.0, 0.5, 0.0)).mesh
    assert abs(front[:468, 2].mean()) < 1e-9
    assert front[1, 2] < front[234, 2]  # the nose is nearer than the ear

    def lengths(mesh: np.ndarray) -> np.ndarray:
        edges = mesh[[1, 33, 152]] - mesh[[234, 61, 9]]
        return np.linalg.norm(edges, axis=1) / np.linalg.norm(mesh[33] - mesh[263])

    np.testing.assert_allclose(lengths(front), lengths(side), rtol=1e-5)


def test_expression_moves_the_picture_where_it_should():
    rest = render(FACE, size=128).image.astype(int)
    size = 128
    mesh = render(FACE, size=size).mesh
    mouth = mesh[[0, 17, 61, 291], 1].mean()
    eyes = mesh[[33, 263], 1].mean()
    for aus, row, other in (
        (au_vector(AU25=1), mouth, eyes),
        (au_vector(AU43=1), eyes, mouth),
    ):
        change = np.abs(render(FACE, aus=aus, size=size).image - rest).sum(-1)
        near = change[int(row) - 8 : int(row) + 9].mean()
        far = change[int(other) - 8 : int(other) + 9].mean()
        assert near > 1.5 * far


def test_closed_lids_hide_the_iris():
    blue = avatar_asset(iris=(0.0, 0.0, 255.0))

    def blueness(aus: np.ndarray) -> float:
        image = render(blue, aus=aus, size=200).image.astype(float)
        return float(np.clip(image[..., 2] - image[..., 0] - 60, 0, None).sum())

    opened, closed = blueness(au_vector()), blueness(au_vector(AU43=1.0))
    wide = blueness(au_vector(AU05=1.0))
    assert closed < 0.03 * opened
    assert wide > 1.05 * opened


def test_wide_eyes_show_more_white():
    mesh = render(FACE, aus=au_vector(AU05=1.0), size=200).mesh
    assert eye_opening(mesh, "left") > 1.3 * eye_opening(render(FACE, size=200).mesh, "left")


def test_gaze_moves_iris_and_lids():
    ahead = render(FACE, size=200).mesh
    right = render(FACE, size=200, gaze=(0.0, 0.4)).mesh
    up = render(FACE, size=200, gaze=(0.3, 0.0)).mesh
    down = render(FACE, size=200, gaze=(-0.35, 0.0)).mesh
    assert (right[[468, 473], 0] < ahead[[468, 473], 0] - 1).all()  # the subject's right is left
    assert (up[[468, 473], 1] < ahead[[468, 473], 1] - 1).all()
    assert (down[[468, 473], 1] > ahead[[468, 473], 1] + 1).all()
    assert (down[[159, 386], 1] > ahead[[159, 386], 1] + 1).all()


def test_iris_turns_about_the_eyeball():
    mesh = canonical_mesh().neutral
    pitch, yaw = 0.2, 0.3
    moved, rest = place_irises(mesh, (pitch, yaw)), place_irises(mesh)
    centre = rest[0] - (0, 0, EYEBALL_RADIUS)
    gaze = (moved[0] - centre) / EYEBALL_RADIUS
    assert np.linalg.norm(gaze) == pytest.approx(1.0)
    assert np.arcsin(gaze[1]) == pytest.approx(pitch)
    assert np.arctan2(-gaze[0], gaze[2]) == pytest.approx(yaw)
    near = place_irises(mesh, vergence=0.1)
    assert near[0, 0] > rest[0, 0]  # the right eye turns towards the nose
    assert near[5, 0] < rest[5, 0]


def test_light_from_one_side_brightens_that_side():
    lit = render(FACE, size=128, light=Light((1.0, 0.0, 0.3), 0.8))
    mesh = lit.mesh[:, :2].round().astype(int)
    left, right = (lit.image[mesh[v, 1], mesh[v, 0]].mean() for v in (280, 50))
    plain = render(FACE, size=128).image
    before = [plain[mesh[v, 1], mesh[v, 0]].mean() for v in (280, 50)]
    assert left / before[0] > 1.3 * right / before[1]
    red = render(FACE, size=64, light=Light(colour=(1.2, 0.6, 0.6))).image.mean((0, 1))
    white = render(FACE, size=64).image.mean((0, 1))
    assert red[0] / white[0] > 1.5 * red[2] / white[2]


def test_background_replaces_only_the_surroundings():
    green = np.zeros((128, 128, 3), np.uint8)
    green[..., 1] = 255
    image = render(FACE, size=128, background=green).image
    assert image[2, 2].tolist() == [0, 255, 0]
    mesh = render(FACE, size=128).mesh
    x, y = mesh[4, :2].round().astype(int)
    assert image[y, x, 0] > 100


def test_one_sided_expression_is_one_sided():
    wink = render(FACE, right=au_vector(AU43=1.0), left=au_vector(), size=128)
    assert eye_opening(wink.mesh, "right") < 0.02 < eye_opening(wink.mesh, "left")
    assert wink.aus[-1] == 0.5
    assert wink.aus_right[-1] == 1.0


def test_rendering_repeats_and_leaves_the_asset_alone():
    before = FACE.texture.copy()
    first = render(FACE, aus=au_vector(AU12=0.7), pose=(0.1, 0.2, 0.0), size=96)
    second = render(FACE, aus=au_vector(AU12=0.7), pose=(0.1, 0.2, 0.0), size=96)
    assert first.image.tobytes() == second.image.tobytes()
    np.testing.assert_array_equal(FACE.texture, before)


def test_tiny_pictures_are_refused():
    with pytest.raises(FacemtError, match="at least 16 px; got 8"):
        render(FACE, size=8)
