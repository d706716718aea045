"""From face chips to the network's input."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facemt_analysis.network.config import Preprocess

__all__ = ["CHIP_SIZE", "IMAGENET_MEAN", "IMAGENET_STD", "check_chips", "normalise", "prepare"]

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
        face are NaN.

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
    if tensor.numel():
        low, high = float(tensor.amin()), float(tensor.amax())  # aminmax() is 20 times slower
        if low < -_SLACK or high > 1 + _SLACK:
            raise ValueError(
                f"`chips` must lie in [0, 1], but run from {low:.4g} to {high:.4g}: divide 8-bit "
                "values by 255, and leave the ImageNet normalisation to the network."
            )
    return tensor


def normalise(images: Tensor) -> Tensor:
    """Subtract ImageNet's mean and divide by its standard deviation, per channel."""
    mean = torch.tensor(IMAGENET_MEAN, dtype=images.dtype, device=images.device)
    std = torch.tensor(IMAGENET_STD, dtype=images.dtype, device=images.device)
    return (images - mean[:, None, None]) / std[:, None, None]


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
