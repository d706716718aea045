"""Response normalisation of the training tools, against timm's own."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch


def pair(*, channels_last: bool) -> tuple[torch.nn.Module, torch.nn.Module]:
    """A module of timm with parameters other than zero and the same one of the tools."""
    from grn import install
    from timm.layers.grn import GlobalResponseNorm

    torch.manual_seed(2)
    own = GlobalResponseNorm(6, channels_last=channels_last)
    torch.nn.init.normal_(own.weight)
    torch.nn.init.normal_(own.bias)
    ours = copy.deepcopy(own)
    install(ours)
    assert type(ours) is not type(own)
    assert list(ours.state_dict()) == list(own.state_dict())
    return own, ours


@pytest.mark.parametrize("channels_last", [True, False])
def test_outputs_and_gradients_are_those_of_timm(
    same_gradients: Callable[..., None], channels_last: bool
) -> None:
    own, ours = pair(channels_last=channels_last)
    x = torch.randn(3, 6, 4, 5)
    x[1, 2] = 0.0  # a map without length
    x, grad = (v.permute(0, 2, 3, 1) if channels_last else v for v in (x, torch.randn(x.shape)))
    same_gradients(own, ours, x, grad)


def test_sums_of_bfloat16_maps_are_float32() -> None:
    _, ours = pair(channels_last=False)
    x = torch.randn(3, 6, 16, 16).bfloat16()
    exact, coarse = x.float().requires_grad_(), x.clone().requires_grad_()
    ours(exact).sum().backward()
    wanted = ours.weight.grad.clone()
    ours.zero_grad()
    out = ours(coarse)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out, ours(exact).bfloat16())
    out.sum().backward()
    torch.testing.assert_close(ours.weight.grad, wanted, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(coarse.grad, exact.grad.bfloat16())
