"""Bilinear sampling of rectangles of frames, exact and without touching the rest of the frame.

A chip is sampled along rows and columns on their own, so its geometry is two lists of taps: for
each output pixel two source indices and a weight for each, computed in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

__all__ = [
    "Floats",
    "Frames",
    "Numbers",
    "Taps",
    "as_array",
    "check_range",
    "clipped_taps",
    "from_window",
    "mirrored_taps",
    "sample",
    "views_of",
]

Frames = npt.NDArray[Any] | torch.Tensor | Sequence[npt.NDArray[Any] | torch.Tensor]
Numbers = npt.ArrayLike | torch.Tensor
Floats = npt.NDArray[np.float64]


class Taps(NamedTuple):
    """Where the pixels of one output axis come from: two source indices, `first` <= `second`."""

    first: npt.NDArray[np.intp]
    second: npt.NDArray[np.intp]
    weight_first: npt.NDArray[np.float32]
    weight_second: npt.NDArray[np.float32]


def as_array(values: Numbers) -> npt.NDArray[Any]:
    """Give numbers as an array, from wherever they are."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        return (values.float() if values.dtype == torch.bfloat16 else values).numpy()
    return np.asarray(values)


def _checked_index(frame_index: Numbers, n: int, n_frames: int) -> list[int]:
    index = as_array(frame_index)
    if index.shape != (n,) or (n and index.dtype.kind not in "iu"):
        raise ValueError(
            f"`frame_index` must hold one integer for each of the {n} boxes, but got "
            f"{index.dtype} of shape {index.shape}."
        )
    if n and not (index.min() >= 0 and index.max() < n_frames):
        raise ValueError(
            f"`frame_index` must lie in 0 to {n_frames - 1} for {n_frames} frames, but runs from "
            f"{index.min()} to {index.max()}."
        )
    return [int(i) for i in index]


def _channels_last(frame: npt.NDArray[Any] | torch.Tensor) -> npt.NDArray[Any] | torch.Tensor:
    """View one frame as (H, W, 3) without copying it."""
    if frame.ndim != 3 or 3 not in (frame.shape[0], frame.shape[2]):
        raise ValueError(
            "Each frame must be (H, W, 3) or (3, H, W), RGB, but got shape "
            f"{tuple(frame.shape)}; a single frame goes into a list: [frame]."
        )
    if isinstance(frame, torch.Tensor):
        if not (frame.dtype == torch.uint8 or frame.is_floating_point()):
            raise ValueError(f"Frames must be uint8 or floating point, but got {frame.dtype}.")
        return frame.permute(1, 2, 0) if frame.shape[0] == 3 else frame
    if not (frame.dtype == np.uint8 or frame.dtype.kind == "f"):
        raise ValueError(f"Frames must be uint8 or floating point, but got {frame.dtype}.")
    return frame if frame.shape[2] == 3 else frame.transpose(1, 2, 0)


def sample(
    frames: Frames,
    spans: Floats,
    frame_index: Numbers,
    size: int,
    taps: Callable[[float, float, int, int], Taps],
) -> torch.Tensor:
    """Sample spans (n, 4) `x y width height` of the frames as (n, 3, size, size)."""
    if size < 1:
        raise ValueError(f"`size` must be at least 1, but got {size}.")
    index, views = views_of(frames, frame_index, len(spans))
    chips = np.empty((len(spans), 3, size, size), np.float32)
    for chip, (x, y, width, height), i in zip(chips, spans.tolist(), index, strict=True):
        n_rows, n_columns = views[i].shape[:2]
        _fill(views[i], taps(y, height, n_rows, size), taps(x, width, n_columns, size), chip)
    floats = any("float" in str(view.dtype) for view in views.values())
    if floats:
        check_range(float(chips.min()), float(chips.max()))
    device = frames[0].device if len(frames) and isinstance(frames[0], torch.Tensor) else "cpu"
    return torch.from_numpy(chips).to(device)


def views_of(
    frames: Frames, frame_index: Numbers, n: int
) -> tuple[list[int], dict[int, npt.NDArray[Any] | torch.Tensor]]:
    """Give the frame of each of n spans, and each frame that is used as a view (H, W, 3)."""
    index = _checked_index(frame_index, n, len(frames))
    return index, {i: _channels_last(frames[i]) for i in set(index)}


def check_range(low: float, high: float) -> None:
    """Refuse chips of floating point frames that reach beyond 0 to 1."""
    # NaN of a broken frame passes, as it does through a mean
    if high > 1.001 or low < -0.001:
        raise ValueError(
            "Floating point frames must lie in 0 to 1, but a chip reaches from "
            f"{low:g} to {high:g}; divide 8-bit values by 255."
        )


def _fill(
    frame: npt.NDArray[Any] | torch.Tensor, rows: Taps, columns: Taps, out: npt.NDArray[Any]
) -> None:
    """Fill `out` (3, size, size): both axes are interpolated one after the other."""
    top, rows = from_window(rows)
    left, columns = from_window(columns)
    height, width = 1 + rows.second.max(), 1 + columns.second.max()
    window = as_array(frame[top : top + height, left : left + width])
    unit = np.float32(1 / 255) if window.dtype == np.uint8 else np.float32(1)
    above, below = rows.weight_first[:, None] * unit, rows.weight_second[:, None] * unit
    few = height > 2 * len(rows.first)  # most rows of a face much larger than its chip are not used
    for plane, chip in zip(window.transpose(2, 0, 1), out, strict=True):
        # plane by plane: arrays that fit the cache and are not given back to the system each time
        whole = plane if few else plane.astype(np.float32)
        upper = whole[rows.first].astype(np.float32, copy=False)
        lower = whole[rows.second].astype(np.float32, copy=False)
        upper *= above
        lower *= below
        upper += lower
        np.multiply(upper.take(columns.first, axis=1), columns.weight_first, out=chip)
        chip += upper.take(columns.second, axis=1) * columns.weight_second


def from_window(taps: Taps) -> tuple[int, Taps]:
    """Give the first index that is used, and the taps counted from there."""
    start = int(taps.first.min())
    return start, taps._replace(first=taps.first - start, second=taps.second - start)


def mirrored_taps(start: float, extent: float, length: int, size: int) -> Taps:
    """Positions of the square geometry, reflected about the outer edges of the frame."""
    position = start + (np.arange(size) + 0.5) / size * extent
    folded = np.abs(np.mod(position + 0.5 + length, 2 * length) - length)  # 0 … length
    position = np.clip(folded - 0.5, 0.0, length - 1.0)
    first = np.floor(position).astype(np.intp)
    return _taps(first, np.minimum(first + 1, length - 1), position - first)


def clipped_taps(start: float, extent: float, length: int, size: int) -> Taps:
    """Positions of the rect geometry; what lies outside weighs nothing."""
    position = start + (np.arange(size) + 0.5) / size * extent
    position = position * length / max(length - 1, 1) - 0.5
    first = np.floor(position)
    taps = _taps(
        np.clip(first, 0, length - 1).astype(np.intp),
        np.clip(first + 1, 0, length - 1).astype(np.intp),
        position - first,
    )
    taps.weight_first[(first < 0) | (first > length - 1)] = 0.0
    taps.weight_second[(first < -1) | (first > length - 2)] = 0.0
    return taps


def _taps(first: npt.NDArray[np.intp], second: npt.NDArray[np.intp], weight: Floats) -> Taps:
    return Taps(first, second, (1.0 - weight).astype(np.float32), weight.astype(np.float32))
