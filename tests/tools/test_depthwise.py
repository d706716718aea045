"""Depthwise convolutions of the training tools, against PyTorch's own."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn


def pair(channels: int, size: int, *, bias: bool = True) -> tuple[nn.Conv2d, nn.Conv2d]:
    """A convolution of PyTorch and the same one of the tools."""
    from depthwise import install

    torch.manual_seed(size)
    own = nn.Conv2d(channels, channels, size, padding=size // 2, groups=channels, bias=bias)
    ours = copy.deepcopy(own)
    install(ours)
    assert type(ours) is not type(own)
    return own, ours


@pytest.mark.parametrize("size", [3, 7])
@pytest.mark.parametrize("shape", [(12, 9), (8, 8), (2, 3), (1, 1)])
@pytest.mark.parametrize("bias", [True, False])
def test_outputs_and_gradients_are_those_of_a_convolution(
    same_gradients: Callable[..., None], size: int, shape: tuple[int, int], bias: bool
) -> None:
    own, ours = pair(5, size, bias=bias)
    x = torch.randn(4, 5, *shape).contiguous(memory_format=torch.channels_last)
    grad = torch.randn(4, 5, *shape)
    same_gradients(own, ours, x, grad, atol=2e-5)


def test_autocast_does_not_make_it_coarser() -> None:
    own, ours = pair(6, 7)
    x = torch.randn(4, 6, 8, 8).bfloat16().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        out = ours(x)
    assert out.dtype == torch.float32
    out.square().sum().backward()
    exact = x.detach().float().requires_grad_()
    own(exact).square().sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == torch.bfloat16
    torch.testing.assert_close(x.grad, exact.grad.bfloat16())
    torch.testing.assert_close(ours.weight.grad, own.weight.grad, rtol=1e-5, atol=1e-4)


def test_only_depthwise_convolutions_change_and_no_name_does() -> None:
    from depthwise import DepthwiseConv2d, install

    model = nn.Sequential(
        nn.Conv2d(3, 4, 4, stride=4),
        nn.Conv2d(4, 4, 7, padding=3, groups=4),
        nn.Conv2d(4, 4, 7, padding=3, groups=4, stride=2),
        nn.Conv2d(4, 8, 1),
        nn.Conv2d(8, 8, 3, padding=1, groups=4),
    )
    names = list(model.state_dict())
    weights = list(model.parameters())
    install(model)
    assert [type(m) is DepthwiseConv2d for m in model] == [False, True, False, False, False]
    assert list(model.state_dict()) == names
    assert all(a is b for a, b in zip(model.parameters(), weights, strict=True))
