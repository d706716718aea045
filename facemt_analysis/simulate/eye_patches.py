"""White of the eyes and irises, taken from a photograph and completed where lids hid them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facemt_analysis.simulate.mesh import FloatArray, lids

__all__ = ["EYE_PATCH", "IRIS_PATCH", "eye_patches"]

Image = npt.NDArray[np.uint8]

EYE_PATCH = (40, 64)
"""Height and width of the sclera patch; it spans 1.6 eye widths across."""
IRIS_PATCH = 40
"""Side of the iris patch; it spans 2.5 iris radii."""


def eye_patches(photo: Image, mesh: FloatArray) -> tuple[Image, Image]:
    """Cut the eyes (right, left) out of a photograph.

    Parameters
    ----------
    photo
        (H, W, 3) uint8 RGB.
    mesh
        (478, 3) px.

    Returns
    -------
    sclera, iris
        (2, 40, 64, 3) and (2, 40, 40, 3) uint8.
    """
    import cv2

    height, width = EYE_PATCH
    scleras, irises = [], []
    skin = np.median(photo[_clip_points(mesh[[50, 280, 101, 330]], photo)], axis=0)
    for side in ("right", "left"):
        eye = lids(side)
        outer, inner = mesh[eye.outer, :2], mesh[eye.inner, :2]
        left, right = (outer, inner) if side == "right" else (inner, outer)
        axis = right - left
        normal = np.array([-axis[1], axis[0]])
        unit = 1.6 / width
        to_photo = np.column_stack(
            [axis * unit, normal * unit,
             (left + right) / 2 - axis * unit * (width - 1) / 2 - normal * unit * (height - 1) / 2]
        )  # fmt: skip
        patch = cv2.warpAffine(
            photo, to_photo, (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.float32)  # fmt: skip
        inverse = cv2.invertAffineTransform(to_photo)

        def to_patch(points: FloatArray, inverse: FloatArray = inverse) -> FloatArray:
            return np.asarray(points[:, :2] @ inverse[:, :2].T + inverse[:, 2])

        opening = np.zeros(EYE_PATCH, np.uint8)
        contour = to_patch(mesh[list(eye.contour)])
        cv2.fillPoly(opening, [np.round(contour).astype(np.int32)], 1)
        iris = to_patch(mesh[list(eye.iris)])
        radius = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
        yy, xx = np.mgrid[:height, :width]
        away = np.hypot(xx - iris[0, 0], yy - iris[0, 1])
        white = (cv2.erode(opening, np.ones((3, 3), np.uint8)) > 0) & (away > 1.12 * radius)
        # The caruncle and lashes are darker than the white between them.
        fallback = np.clip(0.45 * skin + 0.5 * np.array([205.0, 200.0, 198.0]), 0, 235)
        level = patch.mean(-1)
        if white.sum() >= 12:
            white &= level >= np.percentile(level[white], 35)
        weight = white.astype(np.float32)
        total = np.full(EYE_PATCH, 0.02, np.float32)
        colour = np.full((height, width, 3), fallback, np.float32) * 0.02
        for sigma in (2.0, 5.0, 14.0):
            total += cv2.GaussianBlur(weight, (0, 0), sigma)
            colour += cv2.GaussianBlur(patch * weight[..., None], (0, 0), sigma)
        scleras.append(np.clip(colour / total[..., None], 0, 255).astype(np.uint8))

        n = IRIS_PATCH
        step = 2.5 * radius / n
        grid = (np.arange(n) - (n - 1) / 2) * step
        map_x = np.broadcast_to(grid[None, :] + iris[0, 0], (n, n)).astype(np.float32)
        map_y = np.broadcast_to(grid[:, None] + iris[0, 1], (n, n)).astype(np.float32)
        disc = cv2.remap(patch, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        shrunk = cv2.erode(opening, np.ones((3, 3), np.uint8))
        seen = cv2.remap(shrunk.astype(np.float32), map_x, map_y, cv2.INTER_LINEAR)
        irises.append(_complete_iris(disc, seen))
    return np.stack(scleras), np.stack(irises)


def _clip_points(
    points: FloatArray, photo: Image
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    xy = np.round(points[:, :2]).astype(np.intp)
    return np.clip(xy[:, 1], 0, photo.shape[0] - 1), np.clip(xy[:, 0], 0, photo.shape[1] - 1)


def _complete_iris(disc: npt.NDArray[np.float32], seen: npt.NDArray[np.float32]) -> Image:
    """Fill what the lids hid of an iris from its point reflection and its mean over angles."""
    n = len(disc)
    yy, xx = np.mgrid[:n, :n] - (n - 1) / 2
    ring = np.minimum((np.hypot(xx, yy) / (n / 2.5) * 8).astype(int), 11)
    weight = seen.ravel() + 1e-3
    total = np.bincount(ring.ravel(), weight, minlength=12)
    mean = np.stack([np.bincount(ring.ravel(), weight * disc[..., k].ravel(), minlength=12)
                     for k in range(3)], -1) / total[:, None]  # fmt: skip
    smooth = mean[ring]
    w = np.clip(seen, 0, 1)[..., None]
    mirrored = w[::-1, ::-1]
    fill = mirrored * 0.5 * disc[::-1, ::-1] + (1 - 0.5 * mirrored) * smooth
    return np.asarray(np.clip(w * disc + (1 - w) * fill, 0, 255), np.uint8)
