"""Deep supervision for gaze: linear readings of early feature maps around the eyes.

An eye is a cell or two of the map that the gaze head looks at. Linear readings of the finer maps
before it, trained along and thrown away, keep what the irises show on its way there.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.ops import roi_align

from facemt_analysis.network import FaceMultitask
from facemt_analysis.network.convnext import CONVNEXT_V2
from facemt_analysis.network.gaze import EYE_CORNERS

GRID = 6  # readings across the window around an eye


class EyeReadings(nn.Module):
    """Gaze (yaw, pitch) read off the first three stages of a network while it runs.

    Parameters
    ----------
    model
        A network with eye features; its forward pass leaves the maps here.
    """

    def __init__(self, model: FaceMultitask) -> None:
        super().__init__()
        self._maps: dict[int, Tensor] = {}
        self._size = float(model.config.image_size)
        self._side = model.config.gaze_eye_box_frac * self._size
        self.linear = nn.ModuleList()
        for stage in range(3):
            block = getattr(model.backbone, f"stages_{stage}")
            block.register_forward_hook(
                lambda _module, _inputs, out, stage=stage: self._maps.update({stage: out})
            )
            width = CONVNEXT_V2[model.config.architecture].widths[stage]
            self.linear.append(nn.Linear(width * GRID**2, 2))

    def forward(self, mesh: Tensor) -> list[Tensor]:
        """Read gaze (n, 2) yaw, pitch off each map, given the mesh in [0, 1]."""
        corners = torch.tensor(EYE_CORNERS, device=mesh.device)
        centre = mesh[:, corners, :2].mean(2).detach().float() * self._size
        boxes = list(torch.cat([centre - self._side / 2, centre + self._side / 2], dim=-1))
        found = []
        for stage, linear in enumerate(self.linear):
            fine = self._maps[stage].float()
            eyes = roi_align(fine, boxes, GRID, fine.shape[-1] / self._size, aligned=True)
            eyes = eyes.unflatten(0, (-1, 2)).mean(1).flatten(1)  # both eyes turn alike
            found.append(linear(nn.functional.layer_norm(eyes, eyes.shape[1:])))
        return found
