"""Blendshapes, boxes and meshes of simulated people agree with their action units and pose."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import schema
from facemt_analysis.simulate import au_displacement, canonical_mesh, simulate_study
from facemt_analysis.simulate.rotation import pose_of, procrustes
from facemt_analysis.simulate.study_faces import BLENDSHAPE_WEIGHTS, blendshapes

AUS = schema.GROUPS["aus"].columns


@pytest.fixture(scope="module")
def study():
    return simulate_study(
        2, conditions=("a",), duration=10, fps=20, noise=0, missing=0, seed=4,
        feature_groups=schema.FEATURE_GROUPS,
    )  # fmt: skip


def blend(fex: pd.DataFrame, name: str) -> np.ndarray:
    return fex[name].to_numpy(float)


def test_paired_blendshapes_are_the_weighted_action_units(study) -> None:
    fex, _ = study
    for au, name in (("AU12", "mouthSmile"), ("AU15", "mouthFrown"), ("AU43", "eyeBlink")):
        weight = BLENDSHAPE_WEIGHTS[au][f"{name}*"]
        stronger = np.maximum(blend(fex, f"{name}Left"), blend(fex, f"{name}Right"))
        np.testing.assert_allclose(stronger, weight * blend(fex, au) + 0.003, atol=1e-5)
    for _, person in pd.DataFrame(fex).groupby("subject"):
        ratio = person["mouthSmileLeft"] / person["mouthSmileRight"]
        assert ratio.std() < 1e-5
        assert 0.6 <= ratio.iloc[0] <= 1 / 0.6


def test_eyes_look_where_the_gaze_points() -> None:
    aus = np.zeros((1, 2, 20))
    gaze = np.array([[[0.3, 0.24], [-0.3, -0.24]]])  # up and to the subject's right; down and left
    out = blendshapes(
        aus, gaze, np.zeros(1), np.zeros((1, 2, 52)), np.ones((1, 2), bool), 30.0, 0.0
    )[0]
    value = {name: out[:, i].round(3).tolist() for i, name in enumerate(schema.BLENDSHAPES)}
    assert value["eyeLookUpLeft"] == value["eyeLookUpRight"] == [0.503, 0.003]
    assert value["eyeLookDownLeft"] == value["eyeLookDownRight"] == [0.003, 0.503]
    assert value["eyeLookInLeft"] == value["eyeLookOutRight"] == [0.403, 0.003]
    assert value["eyeLookOutLeft"] == value["eyeLookInRight"] == [0.003, 0.403]
    assert value["_neutral"] == [0.003, 0.003]


def test_every_action_unit_but_none_moves_a_known_blendshape() -> None:
    assert tuple(BLENDSHAPE_WEIGHTS) == AUS
    for shapes in BLENDSHAPE_WEIGHTS.values():
        for name in shapes:
            sides = [name.replace("*", s) for s in ("Left", "Right")] if "*" in name else [name]
            assert set(sides) <= set(schema.BLENDSHAPES)


def test_boxes_hold_the_mesh_and_follow_the_head(study) -> None:
    fex, _ = study
    x = fex[[f"mesh_x_{i}" for i in range(478)]].to_numpy()
    box = fex.faceboxes
    middle = box["FaceRectX"] + box["FaceRectWidth"] / 2
    assert (abs(x.mean(1) - middle) < 25).all()
    inside = (x > box["FaceRectX"].to_numpy()[:, None] - 5) & (
        x < (box["FaceRectX"] + box["FaceRectWidth"]).to_numpy()[:, None] + 5
    )
    assert inside.mean() > 0.95
    expected = 640 + 3000 * (fex["X"] - 0.02) / fex["Z"]
    assert (middle - expected).abs().max() < 6
    assert np.corrcoef(box["FaceRectWidth"], 1 / fex["Z"])[0, 1] > 0.8
    assert (fex["FrameWidth"] == 1280).all()


def test_landmarks_are_mesh_points(study) -> None:
    fex, _ = study
    for k in (0, 30, 48, 67):
        vertex = schema.DLIB68_FROM_MESH[k]
        np.testing.assert_array_equal(fex[f"x_{k}"], fex[f"mesh_x_{vertex}"])
        np.testing.assert_array_equal(fex[f"y_{k}"], fex[f"mesh_y_{vertex}"])


def test_mesh_has_the_pose_and_the_expression(study) -> None:
    fex, truth = study
    points = fex.meshes.to_numpy(np.float64).reshape(len(fex), 3, 478).transpose(0, 2, 1)
    points = points * (1, -1, -1)  # picture axes to y up, z to the viewer
    tonic = truth.levels.dropna(subset="tonic").pivot_table(
        index="input", columns="feature", values="tonic"
    )
    neutral = canonical_mesh().neutral
    for row in range(0, len(fex), 37):
        phasic = fex.aus.iloc[row].to_numpy(float) - tonic.loc[fex["input"].iloc[row], list(AUS)]
        still = phasic.max() < 1e-3
        scale, rotation, _ = procrustes(neutral[:468], points[row, :468])
        pose = pose_of(rotation)
        planted = fex.loc[row, ["Pitch", "Yaw", "Roll"]].to_numpy(float)
        np.testing.assert_allclose(pose, planted, atol=1e-5 if still else 0.06)
        assert scale == pytest.approx(0.62 * 300 * 5 / fex["Z"].iloc[row], rel=0.05)
    smile = int(fex["AU12"].to_numpy().argmax())
    _, rotation, _ = procrustes(neutral[:468], points[smile, :468])
    corners = points[smile] @ rotation
    rest = neutral - neutral.mean(0)
    wider = np.ptp(corners[[61, 291], 0]) / np.ptp(corners[[33, 263], 0])
    assert wider > 1.05 * np.ptp(rest[[61, 291], 0]) / np.ptp(rest[[33, 263], 0])


def test_mesh_displacement_of_one_action_unit_is_that_of_the_renderer() -> None:
    from facemt_analysis.simulate.study_faces import meshes

    aus = np.zeros((2, 20))
    aus[1, AUS.index("AU12")] = 1.0
    pose = np.tile([0, 0, 0, 0.02, 0.2, 5.0], (2, 1))
    rest, smile = meshes(aus, pose, np.zeros((2, 478, 3)))
    scale = 0.62 * 300
    expected = au_displacement(aus[1]) * (1, -1, -1) * scale
    moved = np.abs(smile - rest - expected).max()
    assert moved < 0.02 * scale  # the average face is not the canonical one: lids and lips
    np.testing.assert_allclose((rest[:, :2].max(0) + rest[:, :2].min(0)) / 2, [640, 360], atol=25)
