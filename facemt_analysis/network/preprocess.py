"""From face chips to the network's input."""

from __future__ import annotations

import functools

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facemt_analysis.network.config import Preprocess

__all__ = [
    "CHIP_SIZE", "IMAGENET_MEAN", "IMAGENET_STD", "check_chips", "check_extremes", "extremes",
    "normalise", "prepare",
]  # fmt: skip

CHIP_SIZE = 256
"""Side of the chips the published weights were made for, pixels."""

# Deng et al. (2009); the statistics all ImageNet backbones are trained with.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_SLACK = 1e-3  # rounding of whoever interpolated the chips


def check_chips(chips: Tensor | NDArray[np.floating]) -> Tensor:
    """Give chips as a float32 tensor, after checking their shape, type and range.

    Parameters
    ----------
    chips
        (n, 3, side, side), RGB, floating point in [0, 1]. NaN is let through: the outputs of that
        face are NaN. The range of chips on a device is not looked at, since that would wait for
        the device: see `extremes`.

    Raises
    ------
    ValueError
        Anything else, with what to do about it.
    """
    if not isinstance(chips, Tensor | np.ndarray):
        raise ValueError(
            "`chips` must be a tensor or NumPy array of shape (n, 3, side, side), but is a "
            f"{type(chips).__name__}."
        )
    if isinstance(chips, np.ndarray) and chips.dtype.kind == "f":
        chips = np.require(chips, np.float32, ["C", "W"])  # what torch can take as it is
    tensor = torch.from_numpy(chips) if isinstance(chips, np.ndarray) else chips
    if tensor.ndim != 4 or tensor.shape[1] != 3 or tensor.shape[2] != tensor.shape[3]:
        raise ValueError(
            "`chips` must have shape (n, 3, side, side), RGB planes of square chips, but has "
            f"shape {tuple(tensor.shape)}."
        )
    if tensor.shape[-1] < 2:
        raise ValueError(f"`chips` must be at least 2 pixels wide, but are {tensor.shape[-1]}.")
    if not tensor.is_floating_point():
        raise ValueError(
            f"`chips` must be floating point in [0, 1], but are {tensor.dtype}: divide by 255."
        )
    tensor = tensor.float()
    if tensor.numel() and tensor.device.type == "cpu":
        _check_range(float(tensor.amin()), float(tensor.amax()))  # aminmax() is 20 times slower
    return tensor


def extremes(chips: Tensor) -> Tensor:
    """Give the least and the greatest value of each chip, (n, 2), where the chips are."""
    return torch.stack([chips.amin(dim=(1, 2, 3)), chips.amax(dim=(1, 2, 3))], dim=1)


def check_extremes(values: NDArray[np.floating]) -> None:
    """Refuse chips out of range by their extremes (n, 2), once those are on the host."""
    known = values[~np.isnan(values).any(axis=1)]
    if len(known):
        _check_range(float(known[:, 0].min()), float(known[:, 1].max()))


def _check_range(low: float, high: float) -> None:
    if low < -_SLACK or high > 1 + _SLACK:
        raise ValueError(
            f"`chips` must lie in [0, 1], but run from {low:.4g} to {high:.4g}: divide 8-bit "
            "values by 255, and leave the ImageNet normalisation to the network."
        )


def normalise(images: Tensor) -> Tensor:
    """Subtract ImageNet's mean and divide by its standard deviation, per channel."""
    mean, std = (_on_cuda if images.is_cuda else _statistics)(images.device, images.dtype)
    return (images - mean) / std


@torch.inference_mode(False)
def _statistics(device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    both = torch.tensor([IMAGENET_MEAN, IMAGENET_STD], dtype=dtype, device=device)
    mean, std = both[..., None, None]
    return mean, std


# made once: making a tensor on a device out of numbers waits for the device
_on_cuda = functools.lru_cache(maxsize=16)(_statistics)


def prepare(chips: Tensor, image_size: int, how: Preprocess) -> Tensor:
    """Bring chips to the network's input size and normalise them.

    Parameters
    ----------
    chips
        (n, 3, side, side), float in [0, 1].
    image_size
        Side of the network's input, pixels.
    how
        ``"resize"``: the whole chip, by antialiased bilinear interpolation. ``"crop"``: the
        central `image_size` pixels of the chip at its standard size of 256 (chips of another side
        are brought to 256 first; an input larger than 256 is padded with black).

    Returns
    -------
    Tensor
        (n, 3, image_size, image_size).

    Raises
    ------
    ValueError
        `how` is neither.
    """
    if how == "resize":
        return normalise(_resized(chips, image_size))
    if how == "crop":
        chips = _resized(chips, CHIP_SIZE)
        before = round((CHIP_SIZE - image_size) / 2)
        after = CHIP_SIZE - image_size - before
        return normalise(nn.functional.pad(chips, (-before, -after, -before, -after)))
    raise ValueError(f"`preprocess` must be 'resize' or 'crop', but is {how!r}.")


def _resized(chips: Tensor, side: int) -> Tensor:
    if chips.shape[-1] == side:
        return chips
    return nn.functional.interpolate(
        chips, size=(side, side), mode="bilinear", align_corners=False, antialias=True
    )
