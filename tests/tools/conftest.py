"""The tools are scripts: their folders are importable while they are tested."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

TOOLS = Path(__file__).parents[2] / "tools"
SameGradients = Callable[..., None]


@pytest.fixture(scope="package", autouse=True)
def _tools_importable() -> Iterator[None]:
    folders = [str(TOOLS / "training"), str(TOOLS)]
    sys.path[:0] = folders
    yield
    for folder in folders:
        sys.path.remove(folder)


@pytest.fixture
def same_gradients() -> SameGradients:
    """Compare a module's output and gradients with those of the one it stands for."""

    def check(
        own: torch.nn.Module, ours: torch.nn.Module, x: torch.Tensor, grad: torch.Tensor, *,
        atol: float = 1e-5,
    ) -> None:  # fmt: skip
        inputs = [x.clone().requires_grad_() for _ in range(2)]
        outputs = [module(given) for module, given in zip((own, ours), inputs, strict=True)]
        for out in outputs:
            out.backward(grad)
        torch.testing.assert_close(outputs[1], outputs[0])
        torch.testing.assert_close(inputs[1].grad, inputs[0].grad, rtol=1e-5, atol=1e-5)
        for got, wanted in zip(ours.parameters(), own.parameters(), strict=True):
            torch.testing.assert_close(got.grad, wanted.grad, rtol=1e-5, atol=atol)

    return check
