"""The canonical mesh is a closed, symmetric face."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from facemt_analysis.simulate import canonical_mesh, pose_of, rotation_of
from facemt_analysis.simulate.mesh import OVAL, geodesics
from facemt_analysis.simulate.rotation import procrustes

MESH = canonical_mesh()


def test_topology():
    triangles = MESH.triangles
    assert triangles.shape == (898, 3)
    assert triangles.max() == 467
    edges = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    unique, counts = np.unique(edges, axis=0, return_counts=True)
    assert counts.max() == 2
    rim = set(unique[counts == 1].ravel().tolist())
    assert rim == set(OVAL)  # the oval is the only border
    assert 468 - len(unique) + len(triangles) == 1  # Euler: a disc


def test_faces_look_outwards_and_the_mirror_is_an_involution():
    a, b, c = (MESH.vertices[MESH.triangles[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    assert (normals[:, 2] > 0).mean() > 0.95
    np.testing.assert_array_equal(MESH.mirror[MESH.mirror], np.arange(478))
    for shape in (MESH.vertices, MESH.neutral):
        np.testing.assert_allclose((shape * (-1, 1, 1))[MESH.mirror], shape, atol=2e-3)
        assert np.linalg.norm(shape[33] - shape[263]) == pytest.approx(1.0, abs=1e-3)


def test_lips_are_far_apart_along_the_skin():
    distances = geodesics()
    assert distances[13, 14] > 4 * np.linalg.norm(MESH.vertices[13] - MESH.vertices[14])
    assert np.isfinite(distances).all()


def test_poses_and_matrices_round_trip_with_the_contracts_signs():
    rng = np.random.default_rng(0)
    for pose in rng.uniform(-0.6, 0.6, (20, 3)):
        np.testing.assert_allclose(pose_of(rotation_of(pose)), pose, atol=1e-12)
    face = MESH.vertices
    up = face @ rotation_of((0.3, 0, 0)).T
    assert up[1, 1] > face[1, 1]  # the nose rises
    right = face @ rotation_of((0, 0.3, 0)).T
    assert right[1, 0] < face[1, 0]  # and moves to the subject's right
    tilt = face @ rotation_of((0, 0, 0.3)).T
    assert tilt[10, 0] < face[10, 0]  # the forehead goes to the subject's right


def test_procrustes_agrees_with_scipy():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(50, 3))
    turn = Rotation.from_rotvec([0.3, -0.5, 0.2]).as_matrix()
    y = 2.5 * x @ turn.T + (1, 2, 3)
    scale, rotation, shift = procrustes(x, y)
    assert scale == pytest.approx(2.5)
    np.testing.assert_allclose(rotation, turn, atol=1e-12)
    np.testing.assert_allclose(shift, (1, 2, 3), atol=1e-12)
    noisy = y + rng.normal(0, 0.1, y.shape)
    ours = procrustes(x, noisy)[1]
    theirs, _ = Rotation.align_vectors(noisy - noisy.mean(0), x - x.mean(0))
    np.testing.assert_allclose(ours, theirs.as_matrix(), atol=1e-9)
