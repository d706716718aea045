"""The sampling of `sampling.sample` on a device: only the windows of the faces travel there.

The taps are those of the other form, computed on the host in float64, and each output pixel is
made of them in the same order, so the chips are equal to float32 rounding. A fixed number of
kernels serves all faces of a batch, whatever the sizes of their windows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facemt_analysis.detection.sampling import (
    Floats,
    Frames,
    Numbers,
    Taps,
    as_array,
    check_range,
    from_window,
    views_of,
)
from facemt_analysis.network.transfer import send, staging

__all__ = ["sample_on"]


class _Window(NamedTuple):
    """The pixels of a frame that a chip is made of, and its taps counted from there."""

    view: Any
    kept: npt.NDArray[np.intp] | None  # the rows that are used, where most are not
    rows: Taps
    columns: Taps

    @property
    def shape(self) -> tuple[int, int]:
        height = self.view.shape[0] if self.kept is None else len(self.kept)
        return height, self.view.shape[1]

    def pixels(self) -> npt.NDArray[Any]:
        array = as_array(self.view)
        return array if self.kept is None else array[self.kept]


def sample_on(
    device: torch.device,
    frames: Frames,
    spans: Floats,
    frame_index: Numbers,
    size: int,
    taps: Callable[[float, float, int, int], Taps],
) -> Tensor:
    """Sample spans (n, 4) `x y width height` of the frames as (n, 3, size, size) on the device.

    Nothing here waits for the device, unless frames are floating point.
    """
    if size < 1:
        raise ValueError(f"`size` must be at least 1, but got {size}.")
    index, views = views_of(frames, frame_index, len(spans))
    if not len(spans):
        return torch.empty((0, 3, size, size), device=device)
    windows = []
    for (x, y, width, height), i in zip(spans.tolist(), index, strict=True):
        n_rows, n_columns = views[i].shape[:2]
        rows, columns = taps(y, height, n_rows, size), taps(x, width, n_columns, size)
        windows.append(_window(views[i], rows, columns))
    bytes_only = all("uint8" in str(view.dtype) for view in views.values())
    pixels, places, weights = _packed(windows, bytes_only, device)
    chips = _interpolated(send(pixels, device), send(places, device), send(weights, device))
    if not bytes_only:
        check_range(float(chips.amin()), float(chips.amax()))
    return chips


def _window(view: Any, rows: Taps, columns: Taps) -> _Window:
    top, rows = from_window(rows)
    left, columns = from_window(columns)
    height, width = 1 + rows.second.max(), 1 + columns.second.max()
    view = view[top : top + height, left : left + width]
    kept = None
    if height > 2 * len(rows.first):  # of a face much larger than its chip most rows stay here
        kept = np.union1d(rows.first, rows.second)
        rows = rows._replace(
            first=np.searchsorted(kept, rows.first), second=np.searchsorted(kept, rows.second)
        )
    return _Window(view, kept, rows, columns)


def _packed(
    windows: list[_Window], bytes_only: bool, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Put all windows into one list of pixels (p, 3), and the taps into one array each.

    Places (n, 4, size): of the first and second row, in pixels from the start of the list, and
    of the first and second column, from there. Weights (n, 4, size) in the same order.
    """
    n, size = len(windows), len(windows[0].rows.first)
    counts = [height * width for height, width in (window.shape for window in windows)]
    kind = torch.uint8 if bytes_only else torch.float32
    pixels = staging((sum(counts), 3), kind, device)
    places = staging((n, 4, size), torch.int64, device)
    weights = staging((n, 4, size), torch.float32, device)
    start = 0
    for k, (window, count) in enumerate(zip(windows, counts, strict=True)):
        (_, rows, columns), (height, width) = window[1:], window.shape
        found = window.pixels()
        pixels.numpy()[start : start + count].reshape(height, width, 3)[...] = found
        place, weight = places.numpy()[k], weights.numpy()[k]
        place[0], place[1] = start + rows.first * width, start + rows.second * width
        place[2], place[3] = columns.first, columns.second
        unit = np.float32(1 / 255) if found.dtype == np.uint8 else np.float32(1)
        weight[0], weight[1] = rows.weight_first * unit, rows.weight_second * unit
        weight[2], weight[3] = columns.weight_first, columns.weight_second
        start += count
    return pixels, places, weights


def _interpolated(pixels: Tensor, places: Tensor, weights: Tensor) -> Tensor:
    """Interpolate along both axes, one after the other."""
    n, _, size = places.shape

    def along_rows(column: int) -> Tensor:
        parts = []
        for row in (0, 1):
            where = places[:, row, :, None] + places[:, column, None, :]
            taken = pixels.index_select(0, where.flatten()).view(n, size, size, 3)
            # a product of its own, as on the host, where nothing is added on the way
            parts.append(taken.to(torch.float32).mul_(weights[:, row, :, None, None]))
        return parts[0].add_(parts[1])

    chips = along_rows(2).mul_(weights[:, 2, None, :, None])
    chips.add_(along_rows(3).mul_(weights[:, 3, None, :, None]))
    return chips.permute(0, 3, 1, 2).contiguous()
