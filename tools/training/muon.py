"""Steps of equal length in all directions of a matrix, for the hidden layers of the backbone.

AdamW scales every weight by itself; what many weights do together, it hardly sees. Muon takes the
momentum of a matrix to the nearest orthogonal one, so that rare directions are learned as fast as
common ones (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon). As long as AdamW's
steps, it needs no learning rate of its own (Liu et al., 2025, https://arxiv.org/abs/2502.16982).
PyTorch's own (from 2.9 on) takes no kernels of convolutions, which these layers are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch

__all__ = ["Muon", "hidden_matrices"]

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the first source: steep at zero, about 1 from 0.3 on
_ADAM_STEP = 0.2  # the second source's root mean square of AdamW's steps


def hidden_matrices(backbone: torch.nn.Module) -> list[torch.nn.Parameter]:
    """Weights of the layers that mix channels, as matrices or kernels of any size."""
    return [p for p in backbone.parameters() if p.ndim in (2, 4) and min(p.shape[:2]) > 3]


def _orthogonal(matrix: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """Give the orthogonal matrix next to (n, m), nearly: singular values about 1."""
    a, b, c = _COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).bfloat16()
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        square = x @ x.T
        mixed = torch.addmm(square, square, square, beta=b, alpha=c)
        x = torch.addmm(x, mixed, x, beta=a)
    return (x.T if tall else x).float()


class Muon(torch.optim.Optimizer):
    """Momentum made orthogonal, with decoupled weight decay.

    Parameters
    ----------
    parameters
        Matrices, or kernels (out, in, ...), which are matrices of `out` rows.
    lr
        As AdamW's.
    momentum
        Of gradients, looked ahead (Nesterov).
    decay
        Weight decay.
    """

    def __init__(
        self,
        parameters: Iterable[torch.nn.Parameter],
        *,
        lr: float,
        momentum: float = 0.95,
        decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:
        """Take one step."""
        assert closure is None
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                kept = self.state[p].setdefault("momentum", torch.zeros_like(p.grad))
                kept.lerp_(p.grad, 1 - group["momentum"])
                ahead = p.grad.lerp(kept, group["momentum"]).flatten(1)
                scale = _ADAM_STEP * max(ahead.shape) ** 0.5
                p.mul_(1 - group["lr"] * group["decay"])
                p.sub_(_orthogonal(ahead).view(p.shape), alpha=group["lr"] * scale)
