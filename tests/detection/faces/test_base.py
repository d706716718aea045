"""Framing, and the check of what detectors return."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from facemt_analysis.detection.faces.base import BoxError, Framing, check_boxes, check_frames

BOXES = np.array([[0.0, 0.0, 100.0, 50.0], [-10.0, 20.0, 30.0, 100.0]])


def test_default_framing_changes_nothing():
    np.testing.assert_array_equal(Framing().apply(BOXES), BOXES)
    assert Framing().apply(BOXES).dtype == np.float32


def test_scale_keeps_the_centre_and_shift_the_size():
    scaled = Framing(scale_x=2.0, scale_y=0.5).apply(BOXES)
    np.testing.assert_allclose(scaled[0], [-50, 12.5, 150, 37.5])
    moved = Framing(shift_x=0.1, shift_y=-0.2).apply(BOXES)
    np.testing.assert_allclose(moved - BOXES, [[10, -10, 10, -10], [4, -16, 4, -16]])


def test_framing_commutes_with_scale_and_place_of_the_image():
    framing = Framing(0.83, 1.15, 0.02, -0.03)
    np.testing.assert_allclose(
        framing.apply(BOXES * 3 + 7), framing.apply(BOXES) * 3 + 7, rtol=1e-6
    )


def test_framing_keeps_nan_and_no_boxes():
    assert np.isnan(Framing(2.0).apply(np.full((1, 4), np.nan))).all()
    assert Framing(2.0).apply([]).shape == (0, 4)


def test_framing_is_a_value():
    assert Framing(1.0, 1.2) == Framing(1.0, 1.2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Framing().scale_x = 2.0


@pytest.mark.parametrize("wrong", [{"scale_x": 0.0}, {"scale_y": -1.0}, {"shift_x": np.nan}])
def test_impossible_framings_are_refused(wrong):
    with pytest.raises(ValueError, match="positive scales"):
        Framing(**wrong)


def test_boxes_are_given_as_float32():
    boxes = check_boxes([(1, 2, 3, 4, 1), [5.0, 6.0, 7.0, 8.0, 0.25]], "mine")
    assert boxes.dtype == np.float32
    assert boxes.tolist() == [[1, 2, 3, 4, 1], [5, 6, 7, 8, 0.25]]


@pytest.mark.parametrize("nothing", [None, [], (), np.empty((0, 5)), np.empty((0, 4))])
def test_nothing_means_no_face(nothing):
    assert check_boxes(nothing, "mine").shape == (0, 5)


def test_rounding_beyond_a_score_of_one_is_let_through():
    assert check_boxes([[0, 0, 1, 1, 1 + 1e-7]], "mine")[0, 4] == 1.0


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ([1, 2, 3, 4, 0.5], r"shape \(5,\)"),
        ([[1, 2, 3, 4]], r"shape \(1, 4\)"),
        (0.5, r"shape \(\)"),
        ("boxes", "got str"),
        ([[1, 2, 3, 4, 0.5], [1, 2]], "got list"),
        ([[1, 2, np.nan, 4, 0.5]], "all values finite, but row 0"),
        ([[1, 2, 3, 4, 0.5], [3, 2, 1, 4, 0.5]], "x2 > x1 and y2 > y1, but row 1"),
        ([[1, 2, 1, 4, 0.5]], "x2 > x1"),
        ([[1, 2, 3, 4, 99.0]], "a score from 0 to 1, but row 0"),
        ([[1, 2, 3, 4, -0.5]], "a score from 0 to 1"),
    ],
)
def test_anything_else_is_named(boxes, message):
    with pytest.raises(BoxError, match=message) as error:
        check_boxes(boxes, "mine")
    assert "detector mine" in str(error.value)
    assert "\n" not in str(error.value)


def test_frames_are_checked():
    frame = np.zeros((4, 5, 3), np.uint8)
    assert check_frames([frame])[0] is frame
    assert check_frames([]) == []
    for wrong in (
        frame.astype(np.float32), frame[..., 0], np.zeros((4, 5, 4), np.uint8),
        np.zeros((0, 5, 3), np.uint8), "frame.png",
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"\(H, W, 3\) uint8 RGB"):
            check_frames([wrong])
    with pytest.raises(ValueError, match="uint8"):
        check_frames(frame)  # one frame is not a sequence of frames
