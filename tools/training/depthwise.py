"""Depthwise convolutions whose weights get their gradient from matrix products.

A CPU runs them well, and their gradient for the inputs, but not that for the weights: in oneDNN
this takes ten times as long as the convolution, in bfloat16 three times longer still.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["DepthwiseConv2d", "install", "weight_gradient"]


def weight_gradient(x: Tensor, grad: Tensor, size: int) -> Tensor:
    """Give the gradient (C, 1, size, size) of a stride-1 depthwise convolution's weights.

    Per channel, the products of all columns of `grad` with all columns of `x`, summed over faces
    and rows, are one matrix product per row of the kernel; a weight is the sum of a diagonal.

    Parameters
    ----------
    x, grad
        Inputs, and gradient for the outputs: (n, C, h, w), padded by half the kernel.
    size
        Side of the kernel, odd.
    """
    reach = size // 2
    # rows before faces: shifting by some rows is then a slice, without a copy
    x, grad = (v.permute(1, 2, 0, 3).contiguous() for v in (x, grad))
    channels, height, _, width = x.shape
    products = []
    for down in range(-reach, reach + 1):
        first, last = max(0, -down), height - max(0, down)
        if first >= last:  # the kernel is taller than the map
            products.append(x.new_zeros(channels, width, width))
            continue
        products.append(
            torch.bmm(
                grad[:, first:last].flatten(1, 2).transpose(1, 2),
                x[:, first + down : last + down].flatten(1, 2),
            )
        )
    pairs = F.pad(torch.stack(products, 1), (reach, reach))  # kernels may be wider than the map
    # rows one longer: what was a diagonal is a column
    sheared = F.pad(pairs.flatten(2), (0, width)).view(channels, size, width, -1)
    return sheared[..., :size].sum(2)[:, None]


class _Depthwise(torch.autograd.Function):
    """The convolution in float32, whatever autocast says, forward and backward."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        with torch.autocast(x.device.type, enabled=False):
            padding = weight.shape[-1] // 2
            return F.conv2d(x.float(), weight, bias, padding=padding, groups=len(weight))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        x, weight = ctx.saved_tensors
        size = weight.shape[-1]
        # compiled, the backward pass is under the forward pass's autocast
        with torch.autocast(x.device.type, enabled=False):
            grad = grads[0].float()
            for_x = F.conv2d(grad, weight.flip(2, 3), padding=size // 2, groups=len(weight))
            for_weight = weight_gradient(x.float(), grad, size)
            for_bias = grad.sum((0, 2, 3)) if ctx.needs_input_grad[2] else None
            return for_x.to(x.dtype), for_weight, for_bias


class DepthwiseConv2d(nn.Conv2d):
    """A depthwise convolution of stride 1 and odd side, padded to the size of its input."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, C, h, w) to float32 (n, C, h, w)."""
        out: Tensor = _Depthwise.apply(x, self.weight, self.bias)
        return out


def install(model: nn.Module) -> None:
    """Make all depthwise convolutions of stride 1 of a network such ones; weights stay theirs."""
    for module in model.modules():
        if (
            type(module) is nn.Conv2d
            and module.groups == module.in_channels == module.out_channels > 1
            and module.stride == module.dilation == (1, 1)
            and module.kernel_size[0] == module.kernel_size[1] == 2 * int(module.padding[0]) + 1
            and module.padding[0] == module.padding[1]
        ):
            module.__class__ = DepthwiseConv2d
