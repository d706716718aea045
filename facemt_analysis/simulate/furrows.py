"""Wrinkles that action units draw: soft dark lines with a light rim along polylines of the mesh."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facemt_analysis.simulate.au_specs import AUS
from facemt_analysis.simulate.mesh import FloatArray, canonical_mesh

__all__ = ["FURROWS", "furrow_shade"]

# AU: lines on the subject's right (mirrored on the left), each as vertices and a darkness.
FURROWS: dict[str, tuple[tuple[tuple[int, ...], float], ...]] = {
    "AU01": (((151, 108, 69), 0.15), ((9, 107), 0.08)),
    "AU02": (((69, 104, 68), 0.16), ((104, 68, 71), 0.08)),
    "AU04": (((8, 9), 0.10), ((55, 107), 0.22)),
    "AU06": (((226, 35), 0.12), ((31, 111), 0.12), ((228, 229, 230, 231), 0.10)),
    "AU07": (((25, 110, 24, 23, 22, 26), 0.10),),
    "AU09": (((193, 168), 0.20), ((122, 6), 0.18), ((198, 209, 203), 0.16), ((114, 217), 0.10)),
    "AU10": (((129, 203, 206, 216), 0.18),),
    "AU11": (((129, 203, 206), 0.22),),
    "AU12": (((129, 203, 206, 216), 0.15),),
    "AU14": (((186, 57, 43), 0.20),),
    "AU15": (((57, 202), 0.16),),
    "AU17": (((201, 200), 0.18), ((83, 18), 0.12), ((43, 202), 0.08)),
    "AU20": (((216, 212, 202), 0.12),),
    "AU23": (((37, 167), 0.06), ((84, 83), 0.06)),
    "AU24": (((18, 83), 0.14), ((92, 165), 0.05)),
    "AU43": (((247, 30, 29, 27, 28, 56, 190), -0.06),),
}
"""Where each AU folds the skin (FACS manual, appearance changes)."""


def furrow_shade(
    pixels: FloatArray,
    depth: FloatArray,
    left: FloatArray,
    right: FloatArray,
    present: FloatArray,
    size: int,
    strength: float,
    softness: float = 1.0,
) -> npt.NDArray[np.float32]:
    """Give the brightness factor (size, size) of the wrinkles.

    Parameters
    ----------
    pixels
        (n, 2) projected vertices.
    depth
        (n,) camera-aligned z, to know which side of the face is hidden.
    left, right
        (20,) AUs of the two sides.
    present
        (20,) AUs whose folds the texture shows already.
    size
        Side of the picture.
    strength
        Factor on all of them.
    softness
        Factor on their width; as dark all the same.
    """
    import cv2

    out = np.ones((size, size), np.float32)
    mirror = canonical_mesh().mirror
    tilt = float(depth[454] - depth[234])  # > 0: the subject's left side is nearer
    width = float(np.linalg.norm(pixels[33] - pixels[263])) + 1e-6
    dark = np.zeros((size, size), np.uint8)
    thick = max(round(size / 220), 1)
    for name, lines in FURROWS.items():
        i = AUS.index(name)
        for vector, flip, hidden in ((right, False, tilt > 0.75), (left, True, tilt < -0.75)):
            fresh = float(vector[i] - 0.8 * present[i])
            if fresh < 0.15 or hidden:
                continue
            for vertices, darkness in lines:
                index = mirror[list(vertices)] if flip else list(vertices)
                level = int(np.clip(255 * abs(darkness) * min(fresh, 1) * strength, 0, 255))
                points = np.round(pixels[index] * 16).astype(np.int32)
                cv2.polylines(dark, [points], False, level, thick, cv2.LINE_AA, 4)
    if dark.any():
        sigma = max(softness * width / 110, 0.5)
        valley = cv2.GaussianBlur(dark, (0, 0), sigma).astype(np.float32)
        around = cv2.GaussianBlur(dark, (0, 0), 2.6 * sigma).astype(np.float32)
        out -= softness * (3.4 * valley - 1.6 * around) / 255
    return np.maximum(out, 0.25)  # skin in a fold is dark, not black
