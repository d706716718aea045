"""Cut face chips out of frames, and bring what was measured on a chip back to its frame.

Two geometries exist, because the published weights and their model card differ. *Square*: one
scale, reflection beyond the frame; what ``face_multitask`` from v2.5 on is run with. *Rect*: width
and height are scaled on their own, black beyond the frame; the older crop. Both are defined in
pixel coordinates whose integers are pixel centres, and both are exact here: frames are sampled in
the region of the face alone, with indices and weights computed in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from facemt_analysis.detection.sampling import (
    Floats,
    Frames,
    Numbers,
    Taps,
    as_array,
    clipped_taps,
    mirrored_taps,
    sample,
)
from facemt_analysis.detection.sampling_on_device import sample_on
from facemt_analysis.network.preprocess import CHIP_SIZE

__all__ = ["EXPAND", "ChipGeometry", "rect_chips", "square_chips"]

EXPAND = 1.2


def square_chips(
    frames: Frames,
    boxes: Numbers,
    frame_index: Numbers,
    size: int = CHIP_SIZE,
    expand: float = EXPAND,
    device: torch.device | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cut square chips, one scale for both axes, mirrored beyond the frame.

    The side is `expand` times the longer side of the box (at least one pixel), the centre that of
    the box; nothing is clamped. Output pixel ``i`` samples ``origin + (i + 0.5) / size * side``
    bilinearly. A chip coordinate (u, v) in 0 to 1 lies at ``(ox + u * side, oy + v * side)``.

    Parameters
    ----------
    frames
        A uint8 (0 to 255) or floating point (0 to 1) RGB batch, array or tensor, of shape
        (b, H, W, 3) or (b, 3, H, W); or a sequence of such frames, (H, W, 3) or (3, H, W), which
        may differ in size. Where both readings fit, arrays are taken as channels last and tensors
        as channels first.
    boxes
        (n, 4) `x1 y1 x2 y2`, px of the frame, finite, may lie partly or wholly outside. More
        columns, such as a score, are not accepted.
    frame_index
        (n,) integers: the frame of each box.
    size
        Side of the chips, px.
    expand
        Factor on the box before it is cut.
    device
        Where the chips are made; of the frames, only what they show goes there. None: on the
        host, from where they go to the device of the frames.

    Returns
    -------
    chips : torch.Tensor
        (n, 3, size, size) float32 in [0, 1], on `device`, or else that of the frames.
    placement : torch.Tensor
        (n, 3) float32: origin x, origin y, side, in px of the frame; on the device of the frames.

    Raises
    ------
    ValueError
        When shapes, types or values are not as described.

    Examples
    --------
    >>> frame = np.full((40, 60, 3), 51, np.uint8)
    >>> chips, placement = square_chips([frame], [[10, 10, 30, 20]], [0], size=8)
    >>> chips.shape, placement.tolist()
    (torch.Size([1, 3, 8, 8]), [[8.0, 3.0, 24.0]])
    >>> round(chips.mean().item(), 4)
    0.2
    """
    box = _checked_boxes(boxes)
    side = np.maximum(expand * (box[:, 2:] - box[:, :2]).max(axis=1, initial=0.0), 1.0)
    placement = np.column_stack([(box[:, :2] + box[:, 2:]) / 2 - side[:, None] / 2, side])
    spans = np.column_stack([placement[:, :2], side, side])
    chips = _sampled(frames, spans, frame_index, size, mirrored_taps, device)
    return chips, _beside(frames, placement.astype(np.float32))


def rect_chips(
    frames: Frames,
    boxes: Numbers,
    frame_index: Numbers,
    size: int = CHIP_SIZE,
    expand: float = EXPAND,
    device: torch.device | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cut chips with width and height scaled on their own, black beyond the frame.

    Output pixel ``i`` stands for ``s = x1 + (i + 0.5) / size * width`` of the expanded box and
    samples ``s * W / (W - 1) - 0.5``: the published crop normalises by ``W - 1`` although its
    sampling is not corner-aligned, and weights made with it expect that.

    Parameters are those of `square_chips`.

    Returns
    -------
    chips : torch.Tensor
        (n, 3, size, size) float32 in [0, 1], on `device`, or else that of the frames.
    placement : torch.Tensor
        (n, 4) int64 `x1 y1 x2 y2`: the expanded box, rounded to whole pixels as the published
        inverse map expects.

    Raises
    ------
    ValueError
        When shapes, types or values are not as described.
    """
    box = _checked_boxes(boxes)
    extent = expand * (box[:, 2:] - box[:, :2])
    corner = (box[:, :2] + box[:, 2:]) / 2 - extent / 2
    spans = np.column_stack([corner, extent])
    chips = _sampled(frames, spans, frame_index, size, clipped_taps, device)
    # float32 first: which way an exact half is rounded then agrees with the published crop
    corners = np.column_stack([corner, corner + extent]).astype(np.float32)
    return chips, _beside(frames, np.rint(corners).astype(np.int64))


@dataclass(frozen=True)
class ChipGeometry:
    """How chips are cut for a network, and how its mesh gets back to the frame.

    Parameters
    ----------
    mode
        ``"square"`` or ``"rect"``, see `square_chips` and `rect_chips`.
    resize
        How the chip becomes the network's input: ``"resize"`` shrinks the whole chip,
        ``"crop"`` takes its central `image_size` pixels.
    size
        Side of the chips, px.
    expand
        Factor on the face box before it is cut.
    mesh_normalized
        The network gives its mesh in 0 to 1 over its input, instead of in pixels of its input.
    image_size
        Side of the network's input, px.

    Examples
    --------
    >>> ChipGeometry.for_config(mesh_normalized=True, image_size=224).mode
    'square'
    >>> mesh = np.array([[[0.5, 0.25, 0.1]]], np.float32)
    >>> ChipGeometry().mesh_to_frame(mesh, [[10.0, 20.0, 100.0]]).tolist()
    [[[60.0, 45.0, 10.0]]]
    """

    mode: Literal["square", "rect"] = "square"
    resize: Literal["resize", "crop"] = "resize"
    size: int = CHIP_SIZE
    expand: float = EXPAND
    mesh_normalized: bool = True
    image_size: int = 224

    def __post_init__(self) -> None:
        for name, value, choices in (
            ("mode", self.mode, ("square", "rect")),
            ("resize", self.resize, ("resize", "crop")),
        ):
            if value not in choices:
                raise ValueError(
                    f"`{name}` must be '{choices[0]}' or '{choices[1]}', but got {value!r}."
                )
        for name, number in (
            ("size", self.size), ("expand", self.expand), ("image_size", self.image_size),
        ):  # fmt: skip
            if not (np.isfinite(number) and number > 0):
                raise ValueError(f"`{name}` must be a positive number, but got {number!r}.")

    @classmethod
    def for_config(cls, mesh_normalized: bool, image_size: int) -> ChipGeometry:
        """Geometry a network was trained with, from its configuration.

        Parameters
        ----------
        mesh_normalized, image_size
            The fields of that name of the network's configuration.
        """
        if mesh_normalized:
            return cls("square", "resize", mesh_normalized=True, image_size=image_size)
        return cls("rect", "crop", mesh_normalized=False, image_size=image_size)

    def crop(
        self,
        frames: Frames,
        boxes: Numbers,
        frame_index: Numbers,
        device: torch.device | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Cut chips; returns them and the placement that `mesh_to_frame` takes.

        See `square_chips` and `rect_chips` for parameters, results and errors.
        """
        cut = square_chips if self.mode == "square" else rect_chips
        return cut(frames, boxes, frame_index, self.size, self.expand, device)

    def mesh_to_frame(self, mesh: Numbers, placement: Numbers) -> npt.NDArray[np.float32]:
        """Bring points of the network's input to frame pixels, z included.

        z has no origin of its own and is scaled as x and y are (by the geometric mean of their
        scales in a rect chip), so that a mesh keeps its proportions in all three axes.

        Parameters
        ----------
        mesh
            (n, k, 2) or (n, k, 3) x, y (, z) as the network gives them: in 0 to 1 over its input
            or in pixels of it, as `mesh_normalized` says. NaN stays NaN.
        placement
            As returned by `crop` for the same n faces: (n, 3) or, of a rect chip, (n, 4).

        Returns
        -------
        ndarray
            float32, the shape of `mesh`, px of the frame.

        Raises
        ------
        ValueError
            When the shapes do not fit.
        """
        points = as_array(mesh).astype(np.float64)
        place = as_array(placement).astype(np.float64)
        columns = 3 if self.mode == "square" else 4
        if points.ndim != 3 or points.shape[2] not in (2, 3):
            raise ValueError(f"`mesh` must be (n, k, 2 or 3), but got shape {points.shape}.")
        if place.shape != (len(points), columns):
            raise ValueError(
                f"`placement` of {self.mode} chips must be ({len(points)}, {columns}) for a mesh "
                f"of {len(points)} faces, but got shape {place.shape}; pass what `crop` returned."
            )
        scale, offset = self._input_to_chip()
        points[..., :2] = points[..., :2] * scale + offset  # now 0 to 1 over the chip
        points[..., 2:] *= scale
        extent = place[:, [2, 2]] if self.mode == "square" else place[:, 2:] - place[:, :2]
        points[..., :2] = points[..., :2] * extent[:, None] + place[:, None, :2]
        points[..., 2:] *= np.sqrt(np.abs(extent.prod(axis=1)))[:, None, None]
        return points.astype(np.float32)

    def _input_to_chip(self) -> tuple[float, float]:
        """Scale and offset from the network's input to 0 to 1 over the chip."""
        per_unit = self.image_size if self.mesh_normalized else 1
        if self.resize == "resize":
            return per_unit / self.image_size, 0.0
        # the crop is taken from a chip of the standard size
        return per_unit / CHIP_SIZE, round((CHIP_SIZE - self.image_size) / 2) / CHIP_SIZE


def _sampled(
    frames: Frames,
    spans: Floats,
    frame_index: Numbers,
    size: int,
    taps: Callable[[float, float, int, int], Taps],
    device: torch.device | None,
) -> torch.Tensor:
    if device is None:
        return sample(frames, spans, frame_index, size, taps)
    return sample_on(device, frames, spans, frame_index, size, taps)


def _beside(frames: Frames, values: npt.NDArray[Any]) -> torch.Tensor:
    """Give numbers as a tensor on the device of the frames."""
    tensor = torch.from_numpy(values)
    first = frames[0] if len(frames) else None
    return tensor.to(first.device) if isinstance(first, torch.Tensor) else tensor


def _checked_boxes(boxes: Numbers) -> Floats:
    array = as_array(boxes)
    if array.shape == (0,):
        array = array.reshape(0, 4)
    if array.ndim != 2 or array.shape[1] != 4:
        raise ValueError(
            f"`boxes` must be (n, 4): x1 y1 x2 y2 in pixels, but got shape {array.shape}."
        )
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError("`boxes` must be finite; leave out the faces that were not found.")
    if (array[:, 2:] < array[:, :2]).any():
        raise ValueError("`boxes` must have x2 >= x1 and y2 >= y1.")
    return array
