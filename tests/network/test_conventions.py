"""Order and signs: the table, where it is found, what it does to a prediction."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from facemt_analysis.errors import CheckpointError
from facemt_analysis.network import (
    CONVENTIONS,
    Conventions,
    Prediction,
    conventions_for,
    oriented,
)
from facemt_analysis.schema import GROUPS


@pytest.fixture
def prediction() -> Prediction:
    n = 50
    rng = np.random.default_rng(3)

    def array(*shape: int) -> np.ndarray:
        return rng.uniform(-1, 1, (n, *shape)).astype(np.float32)

    return Prediction(
        au=array(20),
        emotion=array(7),
        valence=array(),
        arousal=array(),
        gaze=array(2),
        pose=array(6),
        mesh=array(478, 3),
        landmarks68=array(68, 2),
        blendshapes=None,
    )


# Signs as the releases that shipped the files map them: 2.0.3 and 2.1.5.
@pytest.mark.parametrize(("name", "sign"), [("face_multitask_v2", 1), ("face_multitask_v28", -1)])
def test_known_files(name, sign, prediction):
    out = oriented(prediction, CONVENTIONS[name])
    raw = prediction.pose
    expected = [sign * raw[:, 0], -raw[:, 2], raw[:, 1], raw[:, 3], raw[:, 4], raw[:, 5]]
    assert GROUPS["poses"].columns == ("Pitch", "Roll", "Yaw", "X", "Y", "Z")
    np.testing.assert_array_equal(out.pose, np.stack(expected, axis=1))
    yaw, pitch = prediction.gaze.T
    np.testing.assert_array_equal(out.gaze[:, 0], sign * pitch)
    np.testing.assert_array_equal(out.gaze[:, 1], yaw)
    assert out.pose.dtype == out.gaze.dtype == np.float32


def test_gaze_angle_is_the_rotation_from_straight_ahead(prediction):
    out = oriented(prediction, CONVENTIONS["face_multitask_v2"])
    pitch, yaw, angle = out.gaze.T.astype(float)
    turned = Rotation.from_euler("YX", np.stack([yaw, pitch], axis=1)).apply([0.0, 0.0, 1.0])
    np.testing.assert_allclose(angle, np.arccos(turned[:, 2]), atol=1e-6)


def test_gaze_angle_is_exact_near_straight_ahead(prediction):
    small = np.full((50, 2), 1e-4, np.float32)
    out = oriented(dataclasses.replace(prediction, gaze=small), CONVENTIONS["face_multitask_v2"])
    np.testing.assert_allclose(out.gaze[:, 2], 1e-4 * np.sqrt(2), rtol=1e-3)


def test_nan_stays_nan(prediction):
    prediction.gaze[3] = np.nan
    prediction.pose[4] = np.nan
    out = oriented(prediction, CONVENTIONS["face_multitask_v28"])
    assert np.isnan(out.gaze[3]).all()
    assert np.isnan(out.pose[4]).all()
    assert np.isfinite(np.delete(out.gaze, 3, axis=0)).all()


def test_where_conventions_come_from():
    own = Conventions("mine", Pitch=(1, -1), gaze_yaw=(1, 1))
    metadata = {"conventions": own.to_json()}
    assert conventions_for(metadata, "face_multitask_v28.safetensors") == own
    assert conventions_for({}, "/x/face_multitask_v28.safetensors").name == "face_multitask_v28"
    assert conventions_for({}, "/x/face_multitask_v2.safetensors").name == "face_multitask_v2"
    assert conventions_for({"licence": "MIT"}, "finetuned.safetensors").name == "face_multitask_v2"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"Pitch": [6, 1]}, "Pitch"),
        ({"Roll": [0, 0]}, "Roll"),
        ({"Yaw": [0]}, "Yaw"),
        ({"X": "3"}, "X"),
        ({"gaze_pitch": [2, 1]}, "gaze_pitch"),
        ({"gaze_yaw": [True, 1]}, "gaze_yaw"),
        ({"name": 3}, "name"),
    ],
)
def test_bad_conventions_name_the_field(change, field):
    good = json.loads(CONVENTIONS["face_multitask_v2"].to_json())
    with pytest.raises(CheckpointError, match=field):
        Conventions.from_json(json.dumps(good | change))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"name": "x"}', "[" * 100_000])
def test_broken_conventions_are_refused_in_one_short_line(text):
    with pytest.raises(CheckpointError, match="Conventions") as caught:
        Conventions.from_json(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"name": "x", "Pitch": [9, 1]}'])
def test_conventions_of_a_file_that_are_none_name_the_file(text: str) -> None:
    with pytest.raises(CheckpointError, match=r"^mine\.safetensors: Conventions ") as caught:
        conventions_for({"conventions": text}, "mine.safetensors")
    assert str(caught.value).isprintable()
