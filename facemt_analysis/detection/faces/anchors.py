"""Anchors of RetinaFace: where they lie, and how its outputs become boxes and points."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

__all__ = ["N_ANCHORS", "anchors_for", "decode_boxes", "decode_points"]

# Step of each level of the pyramid and the sizes of its anchors, px.
_LEVELS = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
N_ANCHORS = 2
_CENTRE_VARIANCE, _SIZE_VARIANCE = 0.1, 0.2


@functools.lru_cache(maxsize=16)
def anchors_for(height: int, width: int, device: torch.device) -> Tensor:
    """Give all anchors of an image size, level by level, row by row.

    Returns
    -------
    Tensor
        (a, 3) float32: centre x, centre y, side, in px. Shared between calls: do not write to it.
    """
    levels = []
    for step, sizes in _LEVELS:
        rows, columns = math.ceil(height / step), math.ceil(width / step)
        y, x, size = torch.meshgrid(
            (torch.arange(rows, dtype=torch.float32) + 0.5) * step,
            (torch.arange(columns, dtype=torch.float32) + 0.5) * step,
            torch.tensor(sizes, dtype=torch.float32),
            indexing="ij",
        )
        levels.append(torch.stack([x, y, size], dim=-1).reshape(-1, 3))
    return torch.cat(levels).to(device)


def decode_boxes(loc: Tensor, anchors: Tensor) -> Tensor:
    """Turn offsets (…, a, 4) into `x1 y1 x2 y2`, px."""
    side = anchors[:, 2:]
    centre = anchors[:, :2] + loc[..., :2] * _CENTRE_VARIANCE * side
    half = side * torch.exp(loc[..., 2:] * _SIZE_VARIANCE) / 2
    return torch.cat([centre - half, centre + half], dim=-1)


def decode_points(landmarks: Tensor, anchors: Tensor) -> Tensor:
    """Turn offsets (…, a, 10) into five points (…, a, 5, 2), px.

    The points are the left and right eye, the nose and the corners of the mouth as the image
    shows them.
    """
    offsets = landmarks.reshape(*landmarks.shape[:-1], 5, 2)
    points: Tensor = anchors[:, None, :2] + offsets * _CENTRE_VARIANCE * anchors[:, None, 2:]
    return points
