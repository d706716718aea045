"""The Haar cascade, on drawn faces and on real ones."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from PIL import Image

from facemt_analysis.detection.faces import FaceDetector, HaarCascade


def centre_and_side(boxes):
    return (boxes[:, :2] + boxes[:, 2:4]) / 2, boxes[:, 2] - boxes[:, 0]


def test_is_a_face_detector():
    assert isinstance(HaarCascade(), FaceDetector)


@pytest.mark.parametrize("width", [40, 100, 200])
def test_a_face_is_found_where_it_is(drawn_faces, width):
    (found,) = HaarCascade().detect([drawn_faces((160, 120, width))])
    assert found.shape == (1, 5)
    assert found.dtype == np.float32
    centre, side = centre_and_side(found)
    np.testing.assert_allclose(centre, [[160, 120]], atol=0.06 * width)
    np.testing.assert_allclose(side, width, rtol=0.15)
    assert found[0, 4] > 0.9


def test_several_faces_are_found(drawn_faces):
    frame = drawn_faces((70, 100, 80), (190, 60, 60), (260, 170, 90))
    (found,) = HaarCascade().detect([frame])
    assert (found[:, 4] > 0.5).sum() == 3
    assert (np.diff(found[:, 4]) <= 0).all()
    centre, _ = centre_and_side(found)
    order = np.argsort(centre[:, 0])
    np.testing.assert_allclose(centre[order], [[70, 100], [190, 60], [260, 170]], atol=6)


@pytest.mark.parametrize("tilt", [-40, -30, 30, 40])
def test_tilted_heads_need_the_turned_search(drawn_faces, tilt):
    frame = drawn_faces((180, 110, 120), tilt=tilt)
    assert not (HaarCascade(tilt=0).detect([frame])[0][:, 4] >= 0.5).any()
    (found,) = HaarCascade().detect([frame])
    assert found[0, 4] > 0.5
    centre, _ = centre_and_side(found[:1])
    np.testing.assert_allclose(centre, [[180, 110]], atol=10)


def test_large_frames_are_shrunk_and_boxes_given_at_their_size(drawn_faces):
    frame = drawn_faces((700, 500, 300), frame=(1000, 1400))
    for detector in (HaarCascade(), HaarCascade(max_side=None)):
        centre, side = centre_and_side(detector.detect([frame])[0][:1])
        np.testing.assert_allclose(centre, [[700, 500]], atol=12)
        np.testing.assert_allclose(side, 300, rtol=0.12)


def test_small_faces_can_be_left_out(drawn_faces):
    frame = drawn_faces((70, 100, 30), (230, 120, 140))
    (both,) = HaarCascade().detect([frame])
    (large,) = HaarCascade(min_face=0.25).detect([frame])
    assert len(both) == 2
    assert len(large) == 1


def test_frames_are_independent(drawn_faces):
    frames = [
        drawn_faces((160, 120, 120)),
        np.zeros((50, 40, 3), np.uint8),
        drawn_faces((300, 200, 100), frame=(400, 600)),
    ]
    detector = HaarCascade()
    together = detector.detect(frames)
    assert [len(boxes) for boxes in together] == [1, 0, 1]
    for frame, boxes in zip(frames, together, strict=True):
        np.testing.assert_array_equal(detector.detect([frame])[0], boxes)
    assert detector.detect([]) == []


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (19, 19), (480, 2), (2000, 3)])
def test_frames_too_small_for_a_face_have_none(shape):
    (found,) = HaarCascade().detect([np.full((*shape, 3), 128, np.uint8)])
    assert found.shape == (0, 5)


def test_survives_pickling(drawn_faces):
    frame = drawn_faces((160, 120, 120))
    detector = HaarCascade(max_side=320, min_face=0.1, tilt=15.0)
    before = detector.detect([frame])
    again = pickle.loads(pickle.dumps(detector))
    assert repr(again) == repr(detector) == "HaarCascade(max_side=320, min_face=0.1, tilt=15.0)"
    np.testing.assert_array_equal(again.detect([frame])[0], before[0])


@pytest.mark.parametrize("wrong", [{"max_side": 10}, {"min_face": 2.0}, {"tilt": 90.0}])
def test_impossible_options_are_named(wrong):
    with pytest.raises(ValueError, match=f"`{next(iter(wrong))}`"):
        HaarCascade(**wrong)


@pytest.fixture(scope="module")
def portraits(shared):
    """Every 16th portrait with the boxes found and the box (low, high) of its MediaPipe mesh."""
    folder = shared / "faces" / "portraits"
    reference = np.load(shared / "faces" / "portraits_mediapipe.npz")
    chosen = slice(None, None, 16)
    frames = [
        np.asarray(Image.open(folder / name).convert("RGB")) for name in reference["files"][chosen]
    ]
    mesh = reference["mesh"][chosen, :, :2]
    return HaarCascade().detect(frames), mesh.min(axis=1), mesh.max(axis=1)


def test_real_faces_are_found(portraits):
    found, low, high = portraits
    hit = others = 0
    for candidates, lower, upper in zip(found, low, high, strict=True):
        boxes = candidates[candidates[:, 4] >= 0.5]
        centre, side = centre_and_side(boxes)
        right = ((centre > lower) & (centre < upper)).all(axis=1)
        right &= np.abs(np.log(side / (upper - lower)[1])) < 0.5
        hit += right.any()
        others += (~right).sum()
    assert hit >= 0.97 * len(found)
    assert others <= 0.06 * len(found)


def test_framing_puts_chips_where_retinaface_does(portraits):
    """On average, relative to the mesh; and the spread is the documented one."""
    found, low, high = portraits
    framed = HaarCascade.framing.apply([boxes[0, :4] for boxes in found]).astype(float)
    side = 1.2 * (framed[:, 2:] - framed[:, :2]).max(axis=1)
    mesh_height = (high - low)[:, 1]
    expected_side = 1.394 * mesh_height
    expected_centre = (low + high) / 2 - np.outer(0.055 * expected_side, [0, 1])
    off_side = np.log(side / expected_side)
    off_centre = ((framed[:, :2] + framed[:, 2:]) / 2 - expected_centre) / expected_side[:, None]
    n = len(found)
    assert abs(off_side.mean()) < 3 * 0.054 / n**0.5
    assert 0.035 < off_side.std() < 0.075
    assert abs(off_centre[:, 0].mean()) < 3 * 0.029 / n**0.5
    assert abs(off_centre[:, 1].mean()) < 3 * 0.012 / n**0.5
    assert (off_centre.std(axis=0) < [0.045, 0.02]).all()
    # the box itself is as wide as RetinaFace's is for its height
    aspect = (framed[:, 2] - framed[:, 0]) / (framed[:, 3] - framed[:, 1])
    np.testing.assert_allclose(aspect, 0.72, atol=0.01)


def test_five_friends(shared):
    image = np.asarray(Image.open(shared / "media" / "multi_face.jpg").convert("RGB"))
    (found,) = HaarCascade().detect([image])
    assert (found[:, 4] >= 0.5).sum() >= 4  # the fifth wears sunglasses


def test_a_mountain_has_no_face(shared):
    path = shared / "media" / "free-mountain-vector-01.jpg"
    (found,) = HaarCascade().detect([np.asarray(Image.open(path).convert("RGB"))])
    assert not (found[:, 4] >= 0.5).any()
