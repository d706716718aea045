"""The network on faces whose place is known: cut out, a few together, and placed in the frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from facemt_analysis.detection.chips import ChipGeometry
from facemt_analysis.detection.faces.base import Framing
from facemt_analysis.network import Prediction
from facemt_analysis.network.shortcut import Shortcut

__all__ = ["Reader", "cropping"]

Boxes = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]
Predict = Callable[[torch.Tensor], Prediction]
Crop = Callable[[Sequence[Image], Boxes, npt.NDArray[np.intp]], tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True)
class Reader:
    """Runs the network on faces, in two steps, so that something can be done with the chips.

    Parameters
    ----------
    predict
        From chips to a prediction.
    crop
        Cuts chips, see `cropping`.
    chip
        How chips are cut.
    framing
        How the boxes lie around a face.
    batch_size
        Faces that go through the network together.
    """

    predict: Predict
    crop: Crop
    chip: ChipGeometry
    framing: Framing
    batch_size: int

    def cut(
        self, images: Sequence[Image], boxes: Boxes, image_of: npt.NDArray[np.intp]
    ) -> Iterator[tuple[slice, torch.Tensor, torch.Tensor]]:
        """Cut n faces out: `boxes` (n, 4 or 5), `image_of` (n,) the image of each.

        Yields
        ------
        slice
            Which faces.
        Tensor
            Their chips.
        Tensor
            Where the chips lie in the images.
        """
        framed = self.framing.apply(boxes[:, :4])
        for first in range(0, len(framed), self.batch_size):
            part = slice(first, first + self.batch_size)
            yield part, *self.crop(images, framed[part], image_of[part])

    def read(
        self, chips: torch.Tensor, placement: torch.Tensor
    ) -> tuple[Prediction, npt.NDArray[Any]]:
        """Give the prediction for chips, and the mesh (m, 478, 3) in px of the images."""
        prediction = self.predict(chips)
        return prediction, self.chip.mesh_to_frame(prediction.mesh, placement)


def cropping(chip: ChipGeometry, device: torch.device) -> Crop:
    """Give what cuts chips for a network on this device: there, unless it is the CPU."""
    if device.type == "cpu":
        return chip.crop
    there = partial(chip.crop, device=device)
    return Shortcut(f"cutting faces out on {device}", there, chip.crop)
