"""A hand before the face: fingers and palm in the colour of its owner's skin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facemt_analysis.simulate.mesh import FloatArray

__all__ = ["draw_hand"]

Image = npt.NDArray[np.uint8]

_TARGETS = (1, 13, 17, 61, 291, 50, 280, 205, 425, 152, 33, 263, 9)  # where people touch their face
_CHEEKS = (50, 280, 205, 425)
_FINGER = 0.85  # length in outer-eye-corner distances: 8 cm


def draw_hand(image: Image, rng: np.random.Generator, mesh: FloatArray) -> Image:
    """Lay a hand on the face.

    Parameters
    ----------
    image
        (size, size, 3) uint8 RGB.
    rng
        Source of randomness; the same state gives the same bytes.
    mesh
        (478, ≥2) px: scale, places that are touched, and the colour of the skin.
    """
    import cv2

    size = image.shape[0]
    points = mesh[:, :2]
    unit = max(float(np.linalg.norm(points[33] - points[263])), float(np.ptp(points[:, 0])) * 0.6)
    spots = np.clip(np.round(points[list(_CHEEKS)]).astype(int), 0, size - 1)
    skin = np.median(image[spots[:, 1], spots[:, 0]].astype(np.float64), axis=0)
    skin = skin * rng.uniform(0.75, 1.15) + rng.normal(0, 5, 3)
    # Hands come from below, from the left or the right.
    angle = np.radians(rng.normal(0, 40))
    towards = np.array([np.sin(angle), -np.cos(angle)])  # in the picture, y down
    across = np.array([-towards[1], towards[0]])
    middle = points[int(rng.choice(_TARGETS))] + rng.normal(0, 0.1 * unit, 2)
    length = unit * _FINGER * rng.uniform(0.85, 1.15)
    thick = max(unit * rng.uniform(0.15, 0.20), 2.0)
    gap = thick * rng.uniform(0.95, 1.35)
    curl = rng.uniform(0.3, 1.0)
    bend = rng.normal(0, 0.12)

    layer = image.astype(np.float32)
    cover = np.zeros(image.shape[:2], np.uint8)

    def stroke(line: FloatArray, width: float, shade: float) -> None:
        drawn = [np.round(line * 16).astype(np.int32)]
        colour = tuple(float(c) for c in np.clip(skin * shade, 0, 255))
        cv2.polylines(layer, drawn, False, colour, max(round(width), 1), cv2.LINE_AA, 4)
        cv2.polylines(cover, drawn, False, 255, max(round(width), 1), cv2.LINE_AA, 4)

    knuckles = middle - towards * length * curl
    wrist = knuckles - towards * length * 1.1
    stroke(np.stack([knuckles - 0.3 * thick * towards, wrist]), 4.1 * gap, rng.uniform(0.8, 0.95))
    stroke(np.stack([wrist, wrist - 2 * towards * length]), 2.9 * gap, rng.uniform(0.7, 0.9))
    thumb = knuckles - towards * length * 0.5 + across * gap * 2.0 * rng.choice([-1, 1])
    lines = [np.stack([thumb, thumb + (towards + 0.4 * across * rng.choice([-1, 1])) * length / 2])]
    for k, share in enumerate((0.88, 1.0, 0.95, 0.75)):
        base = knuckles + across * gap * (k - 1.5)
        tip = base + towards * length * curl * share + across * bend * length * (k - 1.5)
        joint = (base + tip) / 2 + across * rng.normal(0, 0.03 * unit)
        lines.append(np.stack([base, joint, tip]))
    for line in lines:
        shade = rng.uniform(0.85, 1.05)
        stroke(line, thick * 1.12, 0.62 * shade)  # the gap between fingers lies in shadow
        stroke(line, thick * 0.92, 0.92 * shade)
        stroke(line - across * 0.12 * thick, thick * 0.45, 1.06 * shade)
    coarse = rng.standard_normal((6, 6)).astype(np.float32)
    layer += cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)[..., None] * 8
    layer = cv2.GaussianBlur(layer, (0, 0), max(0.12 * thick, 0.5))
    alpha = cv2.GaussianBlur(cover, (0, 0), 0.6).astype(np.float32)[..., None] / 255
    out = image.astype(np.float32)
    shadow = cv2.GaussianBlur(cover, (0, 0), 0.35 * thick).astype(np.float32)[..., None] / 255
    out *= 1 - 0.35 * shadow
    return np.asarray(np.clip(out * (1 - alpha) + layer * alpha + 0.5, 0, 255), np.uint8)
