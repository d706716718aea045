"""Gaze on the mesh: where the irises are, and how the lids follow them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facemt_analysis.simulate.mesh import FloatArray, lids

__all__ = ["EYEBALL_RADIUS", "IRIS_RADIUS", "eyeball_centre", "lid_follow", "place_irises"]

EYEBALL_RADIUS = 0.133
"""12 mm with outer eye corners 90 mm apart."""
IRIS_RADIUS = 0.066
"""5.9 mm: half of the horizontal visible iris diameter (Rüfer et al., 2005: 11.7 mm)."""

_IRIS_OFFSET = (0.015, 0.002, 0.041)  # of the resting iris: lateral, above mid-lid, before corners


def eyeball_centre(shape: FloatArray, side: str) -> FloatArray:
    """Centre of one eyeball of a neutral face (478, 3) in the head frame: behind the iris."""
    eye = lids(side)
    corners = (shape[eye.outer] + shape[eye.inner]) / 2
    middle = (shape[list(eye.upper[2:5]), 1].mean() + shape[list(eye.lower[2:5]), 1].mean()) / 2
    lateral = -1.0 if side == "right" else 1.0
    return np.array(
        [
            corners[0] + lateral * _IRIS_OFFSET[0],
            middle + _IRIS_OFFSET[1],
            corners[2] + _IRIS_OFFSET[2] - EYEBALL_RADIUS,
        ]
    )


def place_irises(
    shape: FloatArray, gaze: npt.ArrayLike = (0.0, 0.0), *, vergence: float = 0.0
) -> FloatArray:
    """Give the ten iris points (10, 3), vertices 468-477, for a gaze direction.

    Parameters
    ----------
    shape
        Neutral face (478, 3) in the head frame.
    gaze
        Pitch and yaw in radians relative to the head: + = up, + = to the subject's right.
    vergence
        Radians by which each eye turns towards the nose in addition.
    """
    pitch, yaw = np.asarray(gaze, np.float64)
    points = np.empty((10, 3))
    for k, side in enumerate(("right", "left")):
        turn = yaw + (-vergence if side == "right" else vergence)
        # Gaze vector: straight ahead is +z, the subject's right is -x.
        ahead = np.array(
            [-np.sin(turn) * np.cos(pitch), np.sin(pitch), np.cos(turn) * np.cos(pitch)]
        )
        across = np.array([np.cos(turn), 0.0, np.sin(turn)])
        above = np.cross(ahead, across)
        centre = eyeball_centre(shape, side) + EYEBALL_RADIUS * ahead
        # 469 / 474 look to the subject's left in the picture, 470 / 475 up.
        rim = IRIS_RADIUS * np.array([across, above, -across, -above])
        points[5 * k] = centre
        points[5 * k + 1 : 5 * k + 5] = centre + rim
    return points


def lid_follow(gaze_pitch: float) -> tuple[float, float]:
    """Fractions of the opening by which the upper lid comes down and the lower lid goes up.

    The upper lid travels with the eye, nearly as far downwards as the iris and less far upwards;
    the lower lid a quarter of that. To be given to `au_displacement` as ``lid_shift``.

    >>> upper, lower = lid_follow(-0.3)  # looking down
    >>> upper > 0.3, lower < 0
    (True, True)
    """
    travel = EYEBALL_RADIUS * float(np.sin(gaze_pitch)) / 0.108  # in openings of an average eye
    if travel < 0:
        return -0.95 * travel, 0.25 * travel
    return -0.45 * travel, 0.20 * travel
