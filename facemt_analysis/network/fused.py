"""The feature maps and AU nodes, computed the fast way: the same numbers, fewer passes.

Inference only. Against the plain modules, to rounding:

* batch norm is folded into the AU branches, and the branches become one matrix product;
* the bias of each global response norm is folded into the layer behind it, and its scale goes
  into that layer's weights where those are smaller than the activations;
* activations are overwritten in place and reductions go along contiguous memory; on a CPU the
  large early maps are taken face by face, so that they stay in the cache.

Weights are read by their published names, so nothing here depends on how timm builds its modules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from facemt_analysis.network.products import linear, linear_gelu

__all__ = ["FusedMaps", "Maps"]

_EPS = 1e-6  # of ConvNeXt's norms
_BATCH_NORM_EPS = 1e-5
_CACHE = 5 * 2**20  # bytes of a map of the third stage, of as many faces as are taken together
_AFG_CHUNK = 8  # faces whose AU branches are held at once: 2 MB each for 20 AUs of 512 channels


class Maps(NamedTuple):
    """What the heads read.

    Parameters
    ----------
    coarse
        (n, C) mean of the stride-32 map.
    pooled
        (n, width) mean of its projection.
    nodes
        (n, n_au, width) AU nodes.
    fine
        (n, C/2, h, w) stride-16 map, where asked for.
    """

    coarse: Tensor
    pooled: Tensor
    nodes: Tensor
    fine: Tensor | None


@dataclass(frozen=True)
class Block:
    """Weights of one ConvNeXt-V2 block; 1×1 convolutions as matrices."""

    depthwise: Tensor
    depthwise_bias: Tensor
    norm: tuple[Tensor, Tensor]
    expand: Tensor  # (4C, C)
    expand_bias: Tensor
    response: Tensor  # (4C,) weight of the global response norm
    contract: Tensor  # (C, 4C)
    contract_bias: Tensor  # (C,), with the response norm's bias folded in


@dataclass(frozen=True)
class Stage:
    """Weights of one stage: a norm, a convolution that halves the map, blocks."""

    norm: tuple[Tensor, Tensor]  # of the stem's output, or before downsampling
    downsample: tuple[Tensor, Tensor] | None
    blocks: tuple[Block, ...]


class FusedMaps:
    """Backbone, projection and AU branches of a network, from a snapshot of its weights.

    Parameters
    ----------
    weights
        The network's state dict, on the device to run on.
    n_au
        Number of AU branches.
    keep_fine
        Whether to give the stride-16 map.
    dtype
        Type of products and convolutions; sums over positions and the residual stream are float32.

    Attributes
    ----------
    stem : (Tensor, Tensor)
        Weight and bias of the first convolution.
    stages : tuple of Stage
        The four stages.
    branches, branch_bias : Tensor
        The AU branches as one matrix (n_au · width, channels) and bias.
    project : Tensor or None
        (C, width) projection of the last map; the branches contain it where they are C wide.
    """

    def __init__(
        self, weights: Mapping[str, Tensor], n_au: int, keep_fine: bool, dtype: torch.dtype
    ) -> None:
        self._weights = {name: value.detach().float() for name, value in weights.items()}
        self._dtype = dtype
        self.keep_fine = keep_fine
        self.stem = self._pair("backbone.stem_0")
        self.stages = tuple(self._stage(index) for index in range(4))
        self.n_au = n_au
        self.branches, self.branch_bias, self.project = self._au_branches()
        self._face_by_face = self.branches.device.type == "cpu"
        del self._weights

    @torch.inference_mode()
    def __call__(self, x: Tensor) -> Maps:
        """Run on normalised inputs (n, 3, side, side)."""
        x = x.contiguous(memory_format=torch.channels_last)
        if self._face_by_face:
            third = self.stages[2].blocks[0].expand_bias.nbytes * (x.shape[2] * x.shape[3] // 16**2)
            few = torch.split(x, max(_CACHE // third, 1))
            fine = torch.cat([self._fine(faces) for faces in few])
        else:
            fine = self._run_stage(self._early(x), self.stages[2])
        last = self._run_stage(fine, self.stages[3]).flatten(1, 2)  # (n, positions, C)
        coarse = last.mean(dim=1)
        pooled = coarse if self.project is None else coarse @ self.project
        return Maps(
            coarse=coarse,
            pooled=pooled,
            nodes=torch.cat([self._nodes(part) for part in torch.split(last, _AFG_CHUNK)]),
            fine=fine.permute(0, 3, 1, 2) if self.keep_fine else None,
        )

    def _fine(self, x: Tensor) -> Tensor:
        """Stride-16 map of a few faces; of the large maps before it one face's at a time."""
        early = torch.cat([self._early(face) for face in torch.split(x, 1)])
        return self._run_stage(early, self.stages[2])

    def _early(self, x: Tensor) -> Tensor:
        """Stem and the two stages of large maps: (m, 3, side, side) to (m, h, w, C)."""
        x = nn.functional.conv2d(x.to(self._dtype), *self.stem, stride=4)
        x = x.permute(0, 2, 3, 1)
        for stage in self.stages[:2]:
            x = self._run_stage(x, stage)
        return x

    def _run_stage(self, x: Tensor, stage: Stage) -> Tensor:
        """Map (m, h, w, C) to the stage's output; the input is left as it is."""
        x = _layer_norm(x, stage.norm)
        if stage.downsample is not None:
            x = x.to(self._dtype).permute(0, 3, 1, 2)
            x = nn.functional.conv2d(x, *stage.downsample, stride=2).permute(0, 2, 3, 1).float()
        x = x.contiguous()
        for block in stage.blocks:
            self._run_block(x, block)
        return x

    def _run_block(self, x: Tensor, block: Block) -> None:
        """Add a block's residual to `x` (m, h, w, C), in place."""
        y = nn.functional.conv2d(
            x.to(self._dtype).permute(0, 3, 1, 2),
            block.depthwise,
            block.depthwise_bias,
            padding=3,
            groups=len(block.depthwise),
        ).permute(0, 2, 3, 1)
        y = _layer_norm(y, block.norm).to(self._dtype).flatten(1, 2)
        y = linear_gelu(y, block.expand, block.expand_bias)
        # Length of each channel over the positions, relative to the mean of all channels.
        length = (y * y).sum(dim=1, dtype=torch.float32).sqrt()
        relative = length / (length.mean(dim=-1, keepdim=True) + _EPS)
        scale = (1.0 + block.response * relative).to(self._dtype)  # (m, 4C)
        out = x.flatten(1, 2)  # a view: x is contiguous
        contract = block.contract
        if len(y) == 1 and y.shape[1] > contract.shape[0]:
            contract = contract * scale
        else:
            y = y.mul_(scale[:, None])
        out.add_(linear(y, contract, block.contract_bias))

    def _nodes(self, x: Tensor) -> Tensor:
        """AU nodes (m, n_au, width) of the last map (m, positions, C)."""
        y = x.to(self._dtype)
        if self.project is not None and self.branches.shape[1] != x.shape[-1]:
            y = y @ self.project.to(self._dtype)
        y = linear(y, self.branches, self.branch_bias)
        nodes = y.relu_().sum(dim=1, dtype=torch.float32) / x.shape[1]
        return nodes.reshape(len(x), self.n_au, -1)

    # --- weights ------------------------------------------------------------------------------

    def _pair(self, name: str) -> tuple[Tensor, Tensor]:
        """Weight and bias of a convolution, its kernel laid out for channels-last input."""
        kernel = self._weights[f"{name}.weight"].to(self._dtype)
        kernel = kernel.contiguous(memory_format=torch.channels_last)
        return kernel, self._weights[f"{name}.bias"].to(self._dtype)

    def _norm(self, name: str) -> tuple[Tensor, Tensor]:
        return self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]

    def _stage(self, index: int) -> Stage:
        name = f"backbone.stages_{index}"
        first = index == 0  # the stem downsamples before the first stage
        n_blocks = sum(
            key.startswith(f"{name}.blocks.") and key.endswith(".conv_dw.weight")
            for key in self._weights
        )
        return Stage(
            norm=self._norm("backbone.stem_1" if first else f"{name}.downsample.0"),
            downsample=None if first else self._pair(f"{name}.downsample.1"),
            blocks=tuple(self._block(f"{name}.blocks.{number}") for number in range(n_blocks)),
        )

    def _block(self, name: str) -> Block:
        weights, dtype = self._weights, self._dtype
        depthwise, depthwise_bias = self._pair(f"{name}.conv_dw")
        contract = weights[f"{name}.mlp.fc2.weight"].flatten(1)
        bias = weights[f"{name}.mlp.fc2.bias"] + contract @ weights[f"{name}.mlp.grn.bias"]
        return Block(
            depthwise=depthwise,
            depthwise_bias=depthwise_bias,
            norm=self._norm(f"{name}.norm"),
            expand=weights[f"{name}.mlp.fc1.weight"].flatten(1).to(dtype),
            expand_bias=weights[f"{name}.mlp.fc1.bias"].to(dtype),
            response=weights[f"{name}.mlp.grn.weight"],
            contract=contract.to(dtype),
            contract_bias=bias.to(dtype),
        )

    def _au_branches(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """All AU branches as one matrix and bias, and the projection (C, width) if there is one.

        The projection is multiplied into the branches where that saves work.
        """
        weights = self._weights
        matrices, biases = [], []
        for number in range(self.n_au):
            name = f"afg.heads.{number}"
            variance = weights[f"{name}.1.running_var"] + _BATCH_NORM_EPS
            scale = weights[f"{name}.1.weight"] / variance.sqrt()
            matrices.append(weights[f"{name}.0.weight"].flatten(1) * scale[:, None])
            biases.append(weights[f"{name}.1.bias"] - weights[f"{name}.1.running_mean"] * scale)
        branches, bias = torch.cat(matrices), torch.cat(biases)
        project = weights["proj.weight"].flatten(1) if "proj.weight" in weights else None
        if project is not None:
            width, channels = project.shape
            if len(branches) * channels < (len(branches) + channels) * width:
                branches = branches @ project
            project = project.t().contiguous()
        return branches.to(self._dtype), bias.to(self._dtype), project


def _layer_norm(x: Tensor, norm: tuple[Tensor, Tensor]) -> Tensor:
    """Normalise the last axis in float32."""
    return nn.functional.layer_norm(x.float(), x.shape[-1:], *norm, eps=_EPS)
