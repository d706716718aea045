"""From host memory to a device without waiting for it."""

from __future__ import annotations

import torch
from torch import Tensor

from facemt_analysis.network.shortcut import Shortcut

__all__ = ["send", "staging"]


def staging(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Give host memory, not yet written to, from which `send` to this device is fastest.

    For CUDA it is page-locked: such memory is copied while the processor goes on. Torch keeps it
    for the next time once it has been copied and let go.
    """
    if device.type == "cuda":
        return _pinned(shape, dtype)
    return torch.empty(shape, dtype=dtype)


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy a tensor to a device; what was made by `staging` does not keep the processor waiting.

    Work that is given to the device afterwards sees the copy. The tensor must not be written to
    any more.
    """
    return tensor.to(device, non_blocking=device.type == "cuda")


def _page_locked(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    return torch.empty(shape, dtype=dtype, pin_memory=True)


def _pageable(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    return torch.empty(shape, dtype=dtype)


_pinned = Shortcut("page-locked memory", _page_locked, _pageable)
