"""From what a user asks for to a face detector."""

from __future__ import annotations

import functools
import subprocess
import sys

import numpy as np
import pytest

from facemt_analysis.detection.faces import (
    FaceDetector,
    Framing,
    HaarCascade,
    resolve_face_detector,
)
from facemt_analysis.detection.faces.base import BoxError
from facemt_analysis.errors import FacemtError

FRAMES = [np.full((20, 30, 3), k, np.uint8) for k in range(3)]


def brightness(frame):
    """As many faces as the frame is bright, the least certain first."""
    return [[k, 0, k + 1, 1, (k + 1) / 4] for k in range(frame[0, 0, 0])]


class Whole:
    name = "whole"
    framing = Framing(2.0, 2.0)

    def detect(self, frames):
        return [np.array([[0, 0, f.shape[1], f.shape[0], 1]], np.float32) for f in frames]


def test_haar_by_name():
    detector = resolve_face_detector("haar")
    assert isinstance(detector, HaarCascade)
    assert isinstance(detector, FaceDetector)
    assert detector.name == "haar"


def test_a_callable_is_called_frame_by_frame():
    detector = resolve_face_detector(brightness)
    assert isinstance(detector, FaceDetector)
    found = detector.detect(FRAMES)
    assert [boxes.shape for boxes in found] == [(0, 5), (1, 5), (2, 5)]
    assert found[2][:, 4].tolist() == [0.5, 0.25]  # most certain first
    assert detector.framing == Framing()
    assert detector.name.endswith(".brightness")


def test_a_callable_may_bring_its_framing():
    def function(frame):
        return None

    function.framing = Framing(1.5, 1.5)
    assert resolve_face_detector(function).framing == Framing(1.5, 1.5)


def test_callables_without_a_name_of_their_own():
    assert resolve_face_detector(functools.partial(brightness)).name == "functools.partial"


def test_an_object_that_is_a_detector_is_taken_as_it_is():
    detector = Whole()
    assert resolve_face_detector(detector) is detector


def test_a_callable_that_returns_no_boxes_is_named():
    def broken(frame):
        return frame.shape

    with pytest.raises(BoxError, match=r"broken must return an \(n, 5\)"):
        resolve_face_detector(broken).detect(FRAMES)


def test_what_a_callable_raises_is_not_hidden():
    def failing(frame):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        resolve_face_detector(failing).detect(FRAMES)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("har", "Did you mean 'haar'"),
        ("RetinaFace", "Did you mean 'retinaface'"),
        ("mtcnn", "Choose 'retinaface' or 'haar', or pass a callable"),
        ("", "There is no face detector ''"),
        (7, "but got 7"),
        (None, "but got None"),
        (Whole, "but got <class"),
        (object(), "with `name`, `framing` and `detect`"),
    ],
)
def test_anything_else_is_named(spec, message):
    with pytest.raises(FacemtError, match=message) as error:
        resolve_face_detector(spec)
    assert "\n" not in str(error.value)


def test_haar_needs_no_torch():
    code = (
        "import sys; from facemt_analysis.detection.faces import resolve_face_detector as r; "
        "r('haar'); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
