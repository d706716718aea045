"""Gaze: features around each eye, and the head that turns features into angles."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from facemt_analysis.network.config import ModelConfig
from facemt_analysis.network.heads import mlp
from facemt_analysis.network.rotation import gaze_angles, rotation_matrix

__all__ = ["EYE_CORNERS", "EyeEncoder", "GazeHead", "GazeOutput", "window_means"]

EYE_CORNERS = ((33, 133), (362, 263))
"""Mesh vertices of the corners of the eye on the image's left, then of that on its right."""


class GazeOutput(NamedTuple):
    """Gaze of n faces.

    Parameters
    ----------
    angles
        (n, 2) yaw and pitch, radians.
    sides
        (n, 2, m) what the left and the right branch gave, whose mean decides: yaw and pitch
        (m = 2), a vector in the head's frame (m = 3), or bin logits (m = 2 · bins).
    logits
        (n, 2, bins) of yaw and pitch, where the network has bins; else None.
    """

    angles: Tensor
    sides: Tensor
    logits: Tensor | None


class EyeEncoder(nn.Module):
    """Features of a window around each eye, pooled from the stride-16 map.

    Parameters
    ----------
    channels
        Channels of the stride-16 map.
    config
        Width, grid, box and input size.
    """

    _WIDTH = 256
    _STRIDE = 16

    def __init__(self, channels: int, config: ModelConfig) -> None:
        super().__init__()
        self.roi_size = config.gaze_eye_roi_size
        self.box_side = config.gaze_eye_box_frac * config.image_size
        layers: list[nn.Module] = []
        for into in (channels, self._WIDTH):
            layers += [
                nn.Conv2d(into, self._WIDTH, kernel_size=3, padding=1, bias=False),
                nn.GroupNorm(8, self._WIDTH),
                nn.GELU(),
            ]
        self.enc = nn.Sequential(*layers)
        self.proj = nn.Linear(self._WIDTH * self.roi_size**2, config.gaze_eye_dim)
        self.norm = nn.LayerNorm(config.gaze_eye_dim)

    def forward(self, fine: Tensor, mesh_px: Tensor) -> Tensor:
        """Encode both eyes.

        Parameters
        ----------
        fine
            (n, C, h, w) stride-16 map.
        mesh_px
            (n, n_mesh, 2) mesh in pixels of the network's input.

        Returns
        -------
        Tensor
            (n, 2, gaze_eye_dim), the eye on the image's left first.
        """
        # vertex by vertex: an index would have to be copied to the device, which waits for it
        centres = [(mesh_px[:, outer] + mesh_px[:, inner]) / 2 for outer, inner in EYE_CORNERS]
        centre = torch.stack(centres, dim=1)  # (n, eye, xy)
        pooled = window_means(
            fine, centre / self._STRIDE, self.box_side / self._STRIDE, self.roi_size
        )
        eyes = self.norm(self.proj(self.enc(pooled.flatten(0, 1)).flatten(1)))
        return eyes.unflatten(0, (-1, 2))  # type: ignore[no-any-return]


def window_means(maps: Tensor, centre: Tensor, side: float, cells: int) -> Tensor:
    """Mean of maps over each cell of square windows (RoIAlign; He et al., 2017).

    As the published weights were trained with: each cell is sampled bilinearly at the middles of
    as many equal parts as it is map cells wide, rounded up. Rows and columns are weighted one
    after the other, so that it is two matrix products.

    Parameters
    ----------
    maps
        (n, C, h, w).
    centre
        (n, m, 2) x and y of the windows' centres, in cells of the map from its outer edge.
    side
        Of the windows, in cells of the map.
    cells
        Cells along a side of the result.

    Returns
    -------
    Tensor
        (n, m, C, cells, cells). Samples more than a cell outside the map count as 0. NaN in a
        centre gives NaN in its window.
    """
    parts = max(math.ceil(side / cells), 1)
    offset = (torch.arange(cells * parts, device=maps.device) + 0.5) / (cells * parts) - 0.5
    where = centre[..., None].float() + offset * side - 0.5  # (n, m, xy, sample)

    def weights(position: Tensor, length: int) -> Tensor:
        inside = (position >= -1) & (position <= length) | position.isnan()
        held = position.clamp(0, length - 1)[..., None]
        distance = (held - torch.arange(length, device=maps.device)).abs()
        hat = (1 - distance).clamp_min(0) * inside[..., None]
        each = hat.reshape(*hat.shape[:-2], cells, parts, length)
        return each.mean(dim=-2).to(maps.dtype)

    across, down = weights(where[:, :, 0], maps.shape[3]), weights(where[:, :, 1], maps.shape[2])
    rows = torch.einsum("nmrh,nchw->nmcrw", down, maps)
    return torch.einsum("nmcrw,nmsw->nmcrs", rows, across)


class GazeHead(nn.Module):
    """A left and a right branch, averaged, and what turns their mean into angles.

    Parameters
    ----------
    features
        Width of the features both sides see.
    config
        The gaze options.
    """

    def __init__(self, features: int, config: ModelConfig) -> None:
        super().__init__()
        self.use_eyes = config.gaze_eye_roi
        self.use_rotation = config.gaze_pose_6d
        self.head_frame = config.gaze_head_frame
        self.detach_pose = config.gaze_pose_detach
        self.bins = config.gaze_bins
        width = features + config.gaze_eye_dim * self.use_eyes + 6 * self.use_rotation
        out = 3 if self.head_frame else 2 * self.bins if self.bins else 2
        hidden = config.gaze_hidden
        self.per_axis = not (hidden or self.head_frame or self.bins)
        if self.per_axis:
            self.left_yaw, self.left_pitch = nn.Linear(width, 1), nn.Linear(width, 1)
            self.right_yaw, self.right_pitch = nn.Linear(width, 1), nn.Linear(width, 1)
        else:
            self.left: nn.Module = mlp(width, hidden, out) if hidden else nn.Linear(width, out)
            self.right: nn.Module = mlp(width, hidden, out) if hidden else nn.Linear(width, out)
        self.bin_range = (config.gaze_bin_lo_deg, config.gaze_bin_hi_deg)

    def forward(self, features: Tensor, eyes: Tensor | None, pose: Tensor) -> GazeOutput:
        """Give the gaze.

        Parameters
        ----------
        features
            (n, features).
        eyes
            (n, 2, gaze_eye_dim), or None for a network without eye features.
        pose
            (n, 6) of which the first three are a rotation vector, radians.
        """
        rotation = None
        if self.use_rotation or self.head_frame:
            # Rotations stay in full precision: they feed trigonometry.
            rotvec = (pose.detach() if self.detach_pose else pose)[:, :3].float()
            rotation = rotation_matrix(rotvec)
        shared = [] if not self.use_rotation or rotation is None else [rotation[..., :2].flatten(1)]
        sides = torch.stack(
            [
                self._side(
                    side,
                    torch.cat(
                        [features, *([] if eyes is None else [eyes[:, side]]), *shared], dim=-1
                    ),
                )
                for side in (0, 1)
            ],
            dim=1,
        )
        mean = sides.mean(dim=1)
        if self.bins:
            logits = mean.reshape(-1, 2, self.bins)
            angles = (logits.float().softmax(dim=-1) * self._bin_centres(mean.device)).sum(dim=-1)
            return GazeOutput(angles, sides, logits)
        if self.head_frame and rotation is not None:
            direction = nn.functional.normalize(mean.float(), dim=-1, eps=1e-8)
            return GazeOutput(
                gaze_angles((rotation @ direction[..., None]).squeeze(-1)), sides, None
            )
        return GazeOutput(mean, sides, None)

    def _bin_centres(self, device: torch.device) -> Tensor:
        """Centres of the equal bins, radians."""
        edges = torch.linspace(*self.bin_range, self.bins + 1, device=device)
        return torch.deg2rad((edges[:-1] + edges[1:]) / 2)

    def _side(self, side: int, x: Tensor) -> Tensor:
        """Run the left (0) or right (1) branch."""
        if self.per_axis:
            yaw, pitch = (
                (self.left_yaw, self.left_pitch)
                if side == 0
                else (self.right_yaw, self.right_pitch)
            )
            return torch.cat([yaw(x), pitch(x)], dim=-1)
        return (self.left, self.right)[side](x)  # type: ignore[no-any-return]
