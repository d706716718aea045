"""Which part of a portrait is the person: GrabCut started from the face mesh."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facemt_analysis.simulate.mesh import OVAL, FloatArray

__all__ = ["person_mask"]


def person_mask(
    photo: npt.NDArray[np.uint8], mesh: FloatArray, *, side: int = 200
) -> npt.NDArray[np.uint8]:
    """Separate a person from the background of a portrait.

    Parameters
    ----------
    photo
        (H, W, 3) uint8 RGB.
    mesh
        (478, ≥2) px.
    side
        Longer side at which the cut is computed.

    Returns
    -------
    ndarray
        (H, W) uint8, 255 = person, soft at the border.

    References
    ----------
    Rother, C., Kolmogorov, V., & Blake, A. (2004). GrabCut. ACM TOG, 23(3), 309-314.
        https://doi.org/10.1145/1015706.1015720
    """
    import cv2

    height, width = photo.shape[:2]
    scale = side / max(height, width)
    small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    h, w = small.shape[:2]
    oval = mesh[list(OVAL), :2] * scale
    unit = float(np.linalg.norm(mesh[33, :2] - mesh[263, :2])) * scale
    centre, chin, top = oval.mean(0), mesh[152, :2] * scale, mesh[10, :2] * scale
    label = np.full((h, w), cv2.GC_BGD, np.uint8)
    grown = centre + 1.75 * (oval - centre)
    cv2.fillPoly(label, [grown.astype(np.int32)], cv2.GC_PR_BGD)
    near = centre + 1.22 * (oval - centre) - (0, 0.1 * unit)
    cv2.fillPoly(label, [near.astype(np.int32)], cv2.GC_PR_FGD)
    cv2.rectangle(label, (0, int(chin[1] + 0.05 * unit)), (w, h), cv2.GC_PR_BGD, -1)
    body = np.array([[chin[0] - 2.2 * unit, h], [chin[0] - 1.2 * unit, chin[1] + 0.8 * unit],
                     [chin[0] - 0.4 * unit, chin[1]], [chin[0] + 0.4 * unit, chin[1]],
                     [chin[0] + 1.2 * unit, chin[1] + 0.8 * unit],
                     [chin[0] + 2.2 * unit, h]])  # fmt: skip
    cv2.fillPoly(label, [body.astype(np.int32)], cv2.GC_PR_FGD)
    inside = centre + 0.98 * (oval - centre)
    cv2.fillPoly(label, [inside.astype(np.int32)], cv2.GC_FGD)
    label[: max(int(top[1] - 1.1 * unit), 1)] = cv2.GC_BGD
    label[0] = cv2.GC_BGD
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    cv2.grabCut(small, label, None, models[0], models[1], 4, cv2.GC_INIT_WITH_MASK)
    person = ((label == cv2.GC_FGD) | (label == cv2.GC_PR_FGD)).astype(np.uint8) * 255
    person = cv2.morphologyEx(person, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    person = cv2.morphologyEx(person, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    soft = cv2.GaussianBlur(person, (0, 0), 1.0)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
