"""Rough boxes, moved to where the network's own mesh says that the face is.

The square of a cascade is off by 5 % in size and 3 % to the side from one picture to the next, and
by far more on a turned head; networks were trained on better ones, and what they say moves with the
box. Where the face detector is rough, the network is run on what it found, and the face is cut out
again around the mesh. In films this is done at the looks alone, and boxes in between follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from facemt_analysis.detection import following
from facemt_analysis.detection.faces.base import Framing
from facemt_analysis.detection.reading import Reader

__all__ = ["Settler", "settled"]

Boxes = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

# The canonical box around a mesh, in its heights (see `Framing`): height, how far its centre lies
# above that of the mesh; and its width over its height.
_HEIGHT, _ABOVE, _SLENDER = 1.162, 0.077, 0.72
# A mesh that lies further off (in heights of the box, and in the logarithm of the size) is none.
_SHIFT, _GROWTH = 0.3, 0.35


def settled(boxes: Boxes, mesh: npt.NDArray[Any], framing: Framing) -> Boxes:
    """Move boxes to their meshes.

    Parameters
    ----------
    boxes
        (n, 5) `x1 y1 x2 y2 score`, px of the frame.
    mesh
        (n, k, 2 or 3) px of the frame.
    framing
        How these boxes lie around a face.

    Returns
    -------
    ndarray
        (n, 5) float32, as they would be drawn by a detector that knew the mesh. A box stays as it
        is where its mesh is far from it or NaN: then the one or the other is no face.

    Examples
    --------
    >>> mesh = np.array([[[40.0, 50.0], [140.0, 150.0]]])
    >>> settled(np.array([[40, 30, 140, 150, 0.9]], np.float32), mesh, Framing())[0].round(1)
    array([ 48.2,  34.2, 131.8, 150.4,   0.9], dtype=float32)
    """
    low, high = mesh[..., :2].min(axis=1), mesh[..., :2].max(axis=1)
    tall = (high - low)[:, 1]
    half = tall[:, None] * (_HEIGHT / 2 * np.array([_SLENDER, 1.0]))
    centre = (low + high) / 2 - tall[:, None] * np.array([0.0, _ABOVE])
    drawn = np.concatenate([centre - half, centre + half], axis=1)
    was = framing.apply(boxes[:, :4]).astype(np.float64)
    size = was[:, 3] - was[:, 1]
    shift = np.abs((drawn[:, :2] + drawn[:, 2:]) - (was[:, :2] + was[:, 2:])).max(axis=1) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = np.abs(np.log(2 * half[:, 1] / size))
        sure = (shift <= _SHIFT * size) & (growth <= _GROWTH)
    moved = np.concatenate([framing.undo(drawn), boxes[:, 4:]], axis=1)
    return np.where(sure[:, None], moved, boxes).astype(np.float32)


@dataclass(frozen=True)
class Settler:
    """Moves the boxes of a rough face detector.

    Parameters
    ----------
    reader
        Runs the network on them.
    """

    reader: Reader

    def __call__(self, images: Sequence[Image], boxes: Sequence[Boxes]) -> list[Boxes]:
        """Move the boxes (n, 5) of each image.

        Where faces are next to each other they stay: a face that is half covered has the mesh of
        the one before it.
        """
        found = list(boxes)
        alone = [i for i, each in enumerate(boxes) if len(each) and not following.crowded(each)]
        together = np.concatenate([np.empty((0, 5), np.float32), *(boxes[i] for i in alone)])
        image_of = np.repeat(np.asarray(alone, np.intp), [len(boxes[i]) for i in alone])
        moved = np.empty_like(together)
        for part, chips, placement in self.reader.cut(images, together, image_of):
            _, mesh = self.reader.read(chips, placement)
            moved[part] = settled(together[part], mesh, self.reader.framing)
        for i in alone:
            found[i] = moved[image_of == i]
        return found
