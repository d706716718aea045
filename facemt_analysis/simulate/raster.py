"""Rasterisation of a textured mesh with OpenCV: triangles far to near, one gather per picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facemt_analysis.simulate.mesh import FloatArray, IntArray

__all__ = ["affine_maps", "sample", "triangle_ids"]

_SHIFT = 4  # fractional bits of the coordinates handed to OpenCV


def triangle_ids(
    points: FloatArray, depth: FloatArray, triangles: IntArray, n_back: int, size: tuple[int, int]
) -> npt.NDArray[np.uint16]:
    """Draw which triangle is seen at each pixel.

    Parameters
    ----------
    points
        (n, 2) px, pixel centres at integers.
    depth
        (n,) larger = nearer.
    triangles
        (m, 3). The first `n_back` are drawn first, in the given order, whichever way they
        face; the others far to near, only those facing the viewer.
    size
        Height and width.

    Returns
    -------
    ndarray
        (height, width) index of the triangle + 1, 0 where there is none.
    """
    import cv2

    corners = points[triangles]
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    far_to_near = np.argsort(depth[triangles[n_back:]].mean(1)) + n_back
    order = np.concatenate([np.arange(n_back), far_to_near])
    low, high = corners.min(1), corners.max(1)
    height, width = size
    inside = (high[:, 0] >= 0) & (high[:, 1] >= 0) & (low[:, 0] < width) & (low[:, 1] < height)
    # Counter-clockwise in the head frame (y up) is clockwise, area < 0, in a picture (y down).
    seen = inside & (area < 0)
    seen[:n_back] = inside[:n_back]
    order = order[seen[order]]
    ids = np.zeros(size, np.uint16)
    fixed = np.round(np.clip(corners, -4000, 4000) * (1 << _SHIFT)).astype(np.int32)
    fill = cv2.fillConvexPoly
    for index in order.tolist():
        fill(ids, fixed[index], index + 1, 8, _SHIFT)
    return ids


def affine_maps(points: FloatArray, values: FloatArray, triangles: IntArray) -> FloatArray:
    """Give per triangle the affine function of the pixel that interpolates vertex values.

    Parameters
    ----------
    points
        (n, 2) px.
    values
        (n, k).
    triangles
        (m, 3).

    Returns
    -------
    ndarray
        (m + 1, 3, k): coefficients of x, y and 1; row 0 is zero (no triangle).
    """
    p, v = points[triangles], values[triangles]
    e1, e2 = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    area = e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0]
    area = np.where(np.abs(area) < 1e-3, np.where(area < 0, -1e-3, 1e-3), area)[:, None]
    d1, d2 = v[:, 1] - v[:, 0], v[:, 2] - v[:, 0]
    maps = np.zeros((len(triangles) + 1, 3, values.shape[1]))
    maps[1:, 0] = (d1 * e2[:, 1:2] - d2 * e1[:, 1:2]) / area
    maps[1:, 1] = (d2 * e1[:, 0:1] - d1 * e2[:, 0:1]) / area
    maps[1:, 2] = v[:, 0] - maps[1:, 0] * p[:, 0, :1] - maps[1:, 1] * p[:, 0, 1:]
    return maps


def sample(ids: npt.NDArray[np.uint16], maps: FloatArray) -> npt.NDArray[np.float32]:
    """Evaluate the affine maps at every pixel: (height, width, k) float32."""
    height, width = ids.shape
    picked = maps.astype(np.float32)[ids]  # (h, w, 3, k)
    x = np.arange(width, dtype=np.float32)[None, :, None]
    y = np.arange(height, dtype=np.float32)[:, None, None]
    out = picked[..., 0, :] * x
    out += picked[..., 1, :] * y
    out += picked[..., 2, :]
    return out
