"""Global response normalisation (ConvNeXt V2) with a backward pass written by hand.

Its parameters and its inputs need the same two sums over each map. Derived automatically, they are
taken one by one, each from activations worked out anew, and every element is divided several times.
"""

from __future__ import annotations

from typing import Any

import torch
from timm.layers.grn import GlobalResponseNorm
from torch import Tensor, nn

__all__ = ["ResponseNorm", "install"]


class _ResponseNorm(torch.autograd.Function):
    """``x (1 + w n) + b``; n: length of x's map over the mean of all channels' lengths."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, space: tuple[int, int], eps: float
    ) -> Tensor:
        channel = 1 if space == (2, 3) else 3
        length = x.float().square().sum(space, keepdim=True).sqrt()
        mean = length.mean(channel, keepdim=True) + eps
        ctx.save_for_backward(x, weight, length, mean)
        ctx.space, ctx.channel = space, channel
        shape = [1, 1, 1, 1]
        shape[channel] = -1
        factor = 1 + weight.view(shape) * (length / mean)
        return (x.float() * factor + bias.view(shape)).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, length, mean = ctx.saved_tensors
        shape = [1, 1, 1, 1]
        shape[ctx.channel] = -1
        others = [d for d in range(4) if d != ctx.channel]
        grad, value = grads[0].float(), x.float()
        sums = grad.sum(ctx.space, keepdim=True)
        products = (grad * value).sum(ctx.space, keepdim=True)
        share = length / mean
        for_share = products * weight.view(shape)
        pull = (for_share * share).mean(ctx.channel, keepdim=True)  # by the mean of all lengths
        # a map of zeros has no direction to grow in
        along = torch.where(length > 0, (for_share - pull) / (mean * length), 0.0)
        for_x = grad * (1 + weight.view(shape) * share) + value * along
        for_weight = (products * share).sum(others)
        return for_x.to(x.dtype), for_weight, sums.sum(others), None, None


class ResponseNorm(GlobalResponseNorm):  # type: ignore[misc]
    """timm's module with another backward pass."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, C, h, w), or (n, h, w, C) where the channels are last, to the same shape."""
        out: Tensor = _ResponseNorm.apply(x, self.weight, self.bias, self.spatial_dim, self.eps)
        return out


def install(model: nn.Module) -> None:
    """Make all response normalisations of a network such ones; weights stay theirs."""
    for module in model.modules():
        if type(module) is GlobalResponseNorm:
            module.__class__ = ResponseNorm
