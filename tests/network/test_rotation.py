"""Rotations and gaze angles, against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from facemt_analysis.network.rotation import gaze_angles, gaze_vector, rotation_matrix


def test_rotation_matrices_are_scipys():
    rotvec = np.random.default_rng(0).normal(size=(200, 3)) * 2
    rotvec[0] = 0
    rotvec[1] = [np.pi, 0, 0]
    rotvec[2] = [1e-9, 0, 0]
    ours = rotation_matrix(torch.from_numpy(rotvec))
    np.testing.assert_allclose(ours, Rotation.from_rotvec(rotvec).as_matrix(), atol=1e-12)


def test_the_gradient_is_right_at_and_near_the_zero_rotation():
    for scale in (0.0, 1e-6, 1.0):
        rotvec = (torch.tensor([[0.3, -0.2, 0.5]], dtype=torch.float64) * scale).requires_grad_()
        jacobian = torch.autograd.functional.jacobian(lambda r: rotation_matrix(r)[0, 2, 1], rotvec)
        assert jacobian.isfinite().all()
        if scale < 1:
            np.testing.assert_allclose(jacobian, [[1, 0, 0]], atol=1e-5)  # d R[2,1] / d x


def test_gaze_vectors_and_angles_are_inverse():
    rng = np.random.default_rng(1)
    angles = torch.from_numpy(
        np.stack([rng.uniform(-np.pi, np.pi, 500), rng.uniform(-1.5, 1.5, 500)], axis=1)
    )
    vectors = gaze_vector(angles)
    np.testing.assert_allclose(vectors.norm(dim=-1), 1, atol=1e-12)
    np.testing.assert_allclose(gaze_angles(vectors * 7), angles, atol=1e-6)


@pytest.mark.parametrize(
    ("angles", "vector"),
    [((0, 0), (0, 0, -1)), ((np.pi / 2, 0), (1, 0, 0)), ((0, np.pi / 2), (0, 1, 0))],
)
def test_gaze_axes(angles, vector):
    ours = gaze_vector(torch.tensor([angles], dtype=torch.float64))[0]
    np.testing.assert_allclose(ours, vector, atol=1e-12)


def test_straight_up_has_a_finite_gradient():
    vector = torch.tensor([[0.0, 1.0, 0.0]], requires_grad=True)
    gaze_angles(vector).sum().backward()
    assert vector.grad is not None
    assert vector.grad.isfinite().all()
