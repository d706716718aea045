"""Matrix products on a CPU: oneDNN's where they are faster, which differ in speed, not in result.

PyTorch sends float32 products to MKL, which leaves half the speed of AMD processors with AVX-512
unused; its oneDNN kernels do not, and they apply GELU on the way. With AVX2 alone it is the other
way round: MKL is as fast, and GELU on the way slows oneDNN down by half (docs/engines.md).

oneDNN is reached through the operators that ``torch.compile`` emits. Those carry no promise of
stability, so they are tried once, on a small example, and left alone unless they give what the
ordinary functions give.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn

__all__ = ["linear", "linear_gelu", "onednn_works"]


def linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Give x · weightᵀ + bias, like ``torch.nn.functional.linear``."""
    if _is_plain(x) and onednn_works():
        return _onednn(x, weight, bias, gelu=False)
    return nn.functional.linear(x, weight, bias)


def linear_gelu(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Give GELU(x · weightᵀ + bias), the exact GELU."""
    if _is_plain(x) and onednn_works():
        return _onednn(x, weight, bias, gelu=True)
    return nn.functional.gelu(nn.functional.linear(x, weight, bias))


@functools.cache
def onednn_works() -> bool:
    """Say whether oneDNN's products are there and right; tried once per process."""
    try:
        generator = torch.Generator().manual_seed(0)
        x, weight, bias = (torch.randn(s, generator=generator) for s in ((2, 3, 40), (24, 40), 24))
        expected = nn.functional.linear(x, weight, bias)
        return torch.allclose(
            _onednn(x, weight, bias, gelu=False), expected, atol=1e-4
        ) and torch.allclose(
            _onednn(x, weight, bias, gelu=True), nn.functional.gelu(expected), atol=1e-4
        )
    except (AttributeError, RuntimeError, TypeError):
        return False


def _is_plain(x: Tensor) -> bool:
    on = bool(torch.backends.mkldnn.enabled) and _processor() != "AVX2"
    return on and x.device.type == "cpu" and x.dtype == torch.float32


@functools.cache
def _processor() -> str:
    """Give the instruction set PyTorch runs on, such as ``"AVX2"`` or ``"AVX512"``."""
    return str(torch.backends.cpu.get_cpu_capability())


def _onednn(x: Tensor, weight: Tensor, bias: Tensor, *, gelu: bool) -> Tensor:
    product: Tensor = torch.ops.mkldnn._linear_pointwise(
        x, weight, bias, "gelu" if gelu else "none", [], "none" if gelu else ""
    )
    return product
