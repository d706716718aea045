"""Angles to rotations: known directions, other people's rotations, invariants."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.transform import Rotation

from facemt_analysis import Fex
from facemt_analysis.errors import FexError, MissingGroupError, OptionError
from facemt_analysis.measures import rotations as rot

RANDOM = np.random.default_rng(3).uniform(-1, 1, (50, 3))
X, Y, Z = np.eye(3)


@pytest.mark.parametrize("convention", rot.ROTATION_CONVENTIONS)
@pytest.mark.parametrize(
    ("angles", "point", "where"),
    [
        pytest.param((0.2, 0, 0), Z, (0, np.sin(0.2), np.cos(0.2)), id="nose up"),
        pytest.param((0, 0.2, 0), Z, (-np.sin(0.2), 0, np.cos(0.2)), id="nose to its right"),
        pytest.param((0, 0, 0.2), Y, (-np.sin(0.2), np.cos(0.2), 0), id="top to its right"),
        pytest.param((0, 0, 0), X, X, id="straight"),
    ],
)
def test_each_angle_turns_the_way_its_sign_says(convention, angles, point, where) -> None:
    turned = rot.angles_to_matrices(angles, convention=convention) @ point
    np.testing.assert_allclose(turned, where, atol=1e-15)


def test_rotation_vectors_are_those_of_the_simulated_faces() -> None:
    from facemt_analysis.simulate import rotation_of

    ours = rot.angles_to_matrices(RANDOM)
    np.testing.assert_allclose(ours, [rotation_of(a) for a in RANDOM], atol=1e-14)


def test_euler_angles_are_those_of_openface() -> None:
    # R = Rx·Ry·Rz of pose_R in OpenFace's camera frame (y down, z away), written out as in its
    # wiki; Pitch = -pose_Rx, Yaw = pose_Ry, Roll = -pose_Rz; frames differ by a half turn about x
    flip = np.diag([1.0, -1.0, -1.0])
    for pitch, yaw, roll in RANDOM:
        theirs = Rotation.from_euler("XYZ", [-pitch, yaw, -roll]).as_matrix()
        ours = rot.angles_to_matrices((pitch, yaw, roll), convention="euler-xyz")
        np.testing.assert_allclose(ours, flip @ theirs @ flip, atol=1e-14)


def test_both_conventions_differ_where_several_angles_do() -> None:
    vector, euler = (rot.angles_to_matrices((0.3, 0.6, 0.2), convention=c)
                     for c in rot.ROTATION_CONVENTIONS)  # fmt: skip
    assert np.degrees(rot.geodesic_angles(vector, euler)) > 3


@pytest.mark.parametrize("convention", rot.ROTATION_CONVENTIONS)
def test_there_and_back(convention: str) -> None:
    matrices = rot.angles_to_matrices(RANDOM, convention=convention)
    np.testing.assert_allclose(rot.matrices_to_angles(matrices, convention=convention), RANDOM)
    shaped = rot.angles_to_matrices(RANDOM.reshape(5, 10, 3), convention=convention)
    np.testing.assert_array_equal(shaped.reshape(-1, 3, 3), matrices)


def test_nan_stays_where_it_is() -> None:
    table = pd.DataFrame({"Pitch": [0.1, np.nan, 0.1], "Yaw": [0.0] * 3, "Roll": [0, 0, np.inf]})
    matrices = rot.rotation_matrices(table)
    assert np.isfinite(matrices[0]).all()
    assert np.isnan(matrices[1:]).all()
    angles = rot.matrices_to_angles(matrices)
    np.testing.assert_allclose(angles[0], (0.1, 0, 0), atol=1e-15)
    assert np.isnan(angles[1:]).all()
    assert np.isnan(rot.step_rotations(table[["Pitch", "Yaw", "Roll"]].to_numpy())).all()


def test_steps_are_relative_rotations_about_the_heads_own_axes() -> None:
    # a nod of 0.1 by a head that is turned to its right by 70 degrees stays a nod
    turned = rot.angles_to_matrices((0, np.radians(70), 0))
    nodded = turned @ rot.angles_to_matrices((0.1, 0, 0))
    angles = rot.matrices_to_angles([turned, nodded])
    assert abs(angles[1] - angles[0])[2] > 0.03  # the angles of the Fex do not say so
    np.testing.assert_allclose(rot.step_rotations(angles)[1], (0.1, 0, 0), atol=1e-12)


def test_steps_know_nothing_of_the_poles() -> None:
    # Euler angles jump where yaw passes a right angle, the head does not
    path = Rotation.from_rotvec(np.outer(np.linspace(1.4, 1.8, 41), -Y)).as_matrix()
    angles = rot.matrices_to_angles(path, convention="euler-xyz")
    assert abs(np.diff(angles, axis=0)).max() > 3
    steps = rot.step_rotations(angles, convention="euler-xyz")[1:]
    np.testing.assert_allclose(np.linalg.norm(steps, axis=1), 0.01, rtol=1e-6)


def test_geodesic_angles_are_scipys_and_exact_for_small_ones() -> None:
    a, b = Rotation.random(40, 1), Rotation.random(40, 2)
    np.testing.assert_allclose(
        rot.geodesic_angles(a.as_matrix(), b.as_matrix()), (a.inv() * b).magnitude(), rtol=1e-6
    )
    tiny = rot.angles_to_matrices((0, 1e-9, 0))
    assert rot.geodesic_angles(np.eye(3), tiny) == pytest.approx(1e-9, rel=1e-6)


@pytest.mark.parametrize(
    ("conventions", "expected"),
    [
        ({"name": "face_multitask_v28", "Pitch": (0, -1)}, "rodrigues"),
        ({"name": "py-feat"}, "rodrigues"),
        ({"name": "OpenFace 2"}, "euler-xyz"),
        ({"name": "mine", "rotation": "euler-xyz"}, "euler-xyz"),
        ({}, "rodrigues"),
        (None, "rodrigues"),
    ],
)
def test_the_convention_of_a_table(conventions, expected: str) -> None:
    assert rot.rotation_convention(conventions) == expected


def test_wrong_calls() -> None:
    with pytest.raises(OptionError, match="`convention` must be 'rodrigues' or 'euler-xyz'"):
        rot.angles_to_matrices((0, 0, 0), convention="zyx")
    with pytest.raises(OptionError, match=r"info.conventions\['rotation'\]"):
        rot.rotation_convention({"rotation": "quaternion"})
    with pytest.raises(FexError, match="'Roll'"):
        rot.rotation_matrices(pd.DataFrame({"Pitch": [0.0], "Yaw": [0.0]}))
    with pytest.raises(MissingGroupError, match="'poses'"):
        rot.rotation_matrices(pd.DataFrame({"AU12": [0.0]}))


def test_the_pose_of_real_faces_is_that_of_their_mesh(real_faces: Fex) -> None:
    from facemt_analysis.simulate.mesh import canonical_mesh
    from facemt_analysis.simulate.rotation import FLIP, procrustes

    meshes = real_faces.meshes.to_numpy(float).reshape(-1, 3, 478).transpose(0, 2, 1) * FLIP
    by_mesh = rot.matrices_to_angles([procrustes(canonical_mesh().neutral, m)[1] for m in meshes])
    by_pose = rot.matrices_to_angles(rot.rotation_matrices(real_faces))
    for axis in range(3):
        assert np.corrcoef(by_mesh[:, axis], by_pose[:, axis])[0, 1] > 0.9
