"""Jitter of crop, side and colour, with labels that stay true."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from shards import Batch

from facemt_analysis import schema


@dataclass(frozen=True)
class Jitter:
    """How far chips are varied.

    Parameters
    ----------
    size
        Side of the chips that come out, px.
    margin
        Side of the source chip over the side of a well-placed chip.
    scale, shift
        Standard deviation of the log side and of the centre as a share of the side.
    colour
        Strength of brightness, contrast, saturation and gamma changes.
    """

    size: int
    margin: float = 1.0
    scale: float = 0.05
    shift: float = 0.03
    colour: float = 0.25


@functools.cache
def _swapped_blendshapes() -> list[int]:
    def other(name: str) -> str:
        if "Left" in name:
            return name.replace("Left", "Right")
        return name.replace("Right", "Left")

    return [schema.BLENDSHAPES.index(other(name)) for name in schema.BLENDSHAPES]


def mirror(batch: Batch, which: torch.Tensor, vertices: torch.Tensor) -> Batch:
    """Mirror some faces left to right: what was on the subject's left is on the right.

    Pitch stays; turn, tilt and gaze yaw change sign. Action units, emotion and affect are the same.
    """
    out = dict(batch)
    side = batch["image"].shape[-1]
    pick = which.view(-1, 1, 1, 1)
    out["image"] = torch.where(pick, batch["image"].flip(-1), batch["image"])
    mesh = batch["mesh"][:, vertices].clone()
    mesh[..., 0] = side - 1 - mesh[..., 0]
    out["mesh"] = torch.where(which.view(-1, 1, 1), mesh, batch["mesh"])
    flip = which.view(-1, 1)
    out["pose"] = torch.where(
        flip, batch["pose"] * batch["pose"].new_tensor([1, -1, -1]), batch["pose"]
    )
    out["gaze"] = torch.where(
        flip, batch["gaze"] * batch["gaze"].new_tensor([1, -1]), batch["gaze"]
    )
    out["blendshapes"] = torch.where(
        flip, batch["blendshapes"][:, _swapped_blendshapes()], batch["blendshapes"]
    )
    return out


def crop(batch: Batch, jitter: Jitter, generator: torch.Generator) -> Batch:
    """Cut a chip of random place and side out of each image; the mesh comes out in [0, 1]."""
    images = batch["image"]
    n, _, side, _ = images.shape

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    span = side / jitter.margin * torch.exp(jitter.scale * normal(n))
    centre = side / 2 + jitter.shift * span[:, None] * normal(n, 2)
    origin = centre - span[:, None] / 2
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = span / side
    theta[:, :, 2] = 2 * centre / side - 1
    grid = F.affine_grid(theta, [n, 3, jitter.size, jitter.size], align_corners=False)
    out = dict(batch)
    out["image"] = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    mesh = batch["mesh"].clone()
    mesh[..., :2] += 0.5 - origin[:, None]  # origin and span count from the edge of the image
    out["mesh"] = mesh / span.view(n, 1, 1)
    return out


def recolour(images: torch.Tensor, strength: float, generator: torch.Generator) -> torch.Tensor:
    """Change brightness, contrast, saturation, tint and gamma of images (n, 3, S, S) in [0, 1]."""
    n = len(images)

    def factor(scale: float, channels: int = 1) -> torch.Tensor:
        return torch.exp(scale * strength * torch.randn(n, channels, 1, 1, generator=generator))

    images = images.clamp_min(1e-4) ** factor(1.0)
    mean = images.mean((1, 2, 3), keepdim=True)
    images = (images - mean) * factor(0.8) + mean * factor(0.8)
    grey = images.mean(1, keepdim=True)
    saturation = torch.clamp(factor(1.0), 0.0, 2.0)
    # now and then no colour at all, as in old recordings and infrared
    colourless = (torch.rand(n, 1, 1, 1, generator=generator) < 0.05).float()
    images = grey + (images - grey) * saturation * (1 - colourless)
    images = images * factor(0.25, 3)
    noise = 0.04 * strength * torch.rand(n, 1, 1, 1, generator=generator)
    images = images + noise * torch.randn(images.shape, generator=generator)
    return images.clamp(0, 1)


def augment(
    batch: Batch, jitter: Jitter, vertices: torch.Tensor, generator: torch.Generator
) -> Batch:
    """All of the above."""
    which = torch.rand(len(batch["image"]), generator=generator) < 0.5
    batch = crop(mirror(batch, which, vertices), jitter, generator)
    batch["image"] = recolour(batch["image"], jitter.colour, generator)
    return batch


def centred(batch: Batch, jitter: Jitter) -> Batch:
    """Cut the well-placed chip, unchanged otherwise: for evaluation."""
    still = Jitter(jitter.size, jitter.margin, 0.0, 0.0, 0.0)
    return crop(batch, still, torch.Generator().manual_seed(0))
