"""Rotation vectors, gaze angles and unit vectors."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["gaze_angles", "gaze_vector", "rotation_matrix"]


def rotation_matrix(rotvec: Tensor) -> Tensor:
    """Give the matrices (n, 3, 3) of rotation vectors (n, 3), radians (Rodrigues' formula).

    Written with sinc, so that value and gradient are right at the zero rotation too.

    >>> rotation_matrix(torch.tensor([[0.0, 0.0, math.pi / 2]])).round(decimals=3)
    tensor([[[-0., -1.,  0.],
             [ 1., -0.,  0.],
             [ 0.,  0.,  1.]]])
    """
    x, y, z = rotvec.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).reshape(-1, 3, 3)
    turns = rotvec.norm(dim=-1)[..., None, None] / math.pi
    eye = torch.eye(3, dtype=rotvec.dtype, device=rotvec.device)
    return eye + torch.sinc(turns) * cross + 0.5 * torch.sinc(turns / 2) ** 2 * (cross @ cross)


def gaze_vector(angles: Tensor) -> Tensor:
    """Give the unit vectors (n, 3) of gaze angles (n, 2), yaw and pitch in radians.

    Straight ahead, angles (0, 0), is (0, 0, -1).

    >>> gaze_vector(torch.tensor([[0.0, 0.0]])) + 0.0
    tensor([[ 0.,  0., -1.]])
    """
    yaw, pitch = angles.unbind(-1)
    return torch.stack([yaw.sin() * pitch.cos(), pitch.sin(), -yaw.cos() * pitch.cos()], dim=-1)


def gaze_angles(vector: Tensor) -> Tensor:
    """Give yaw and pitch (n, 2), radians, of directions (n, 3) of any length.

    The inverse of :func:`gaze_vector` for pitch in [-π/2, π/2].

    >>> gaze_angles(gaze_vector(torch.tensor([[0.3, -0.2]])))
    tensor([[ 0.3000, -0.2000]])
    """
    x, y, z = nn.functional.normalize(vector, dim=-1, eps=1e-8).unbind(-1)
    # Kept off ±1, where the derivative of asin is infinite.
    pitch = torch.asin(y.clamp(-1.0 + 1e-7, 1.0 - 1e-7))
    return torch.stack([torch.atan2(x, -z), pitch], dim=-1)
