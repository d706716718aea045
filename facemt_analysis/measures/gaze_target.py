"""Gaze at a target, usually the camera, and away from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.checks import check_number
from facemt_analysis.errors import OptionError
from facemt_analysis.measures.events import find_events
from facemt_analysis.measures.gaze_directions import gaze_vectors

__all__ = ["CAMERA", "angle_to_target", "away_episodes"]

Floats = npt.NDArray[np.float64]

CAMERA = (0.0, 0.0, 1.0)
"""Direction of the camera in camera-aligned axes, seen from a face in the middle of the picture."""


def angle_to_target(vectors: npt.ArrayLike, target: Sequence[float] = CAMERA) -> Floats:
    """Measure the angle between directions and a target, deg.

    Parameters
    ----------
    vectors
        (n, 3) of any length.
    target
        (3,) direction of any length in the same frame.

    Returns
    -------
    ndarray
        (n,) 0…180. NaN stays NaN.

    Raises
    ------
    OptionError
        If `target` is no direction.

    Examples
    --------
    >>> angle_to_target([[0.0, 1.0, 1.0]]).round(6).tolist()
    [45.0]
    """
    aim = np.asarray(target, dtype=np.float64)
    if aim.shape != (3,) or not np.isfinite(aim).all() or not aim.any():
        raise OptionError(f"`target` must be a direction (x, y, z), but got {target!r:.60}.")
    rays = np.asarray(vectors, dtype=np.float64)
    # unlike arccos, arctan2 is exact near 0 and 180 degrees
    across = np.linalg.norm(np.cross(rays, aim), axis=1)
    return np.asarray(np.degrees(np.arctan2(across, rays @ aim)))


def away_episodes(
    frame: pd.DataFrame,
    *,
    threshold: float = 10.0,
    target: Sequence[float] = CAMERA,
    min_duration: float = 0.5,
    max_gap: float = 0.2,
    recorded: str = "head",
    convention: str = "rodrigues",
) -> pd.DataFrame:
    """Find episodes in which gaze stays away from the camera, or from another target.

    Parameters
    ----------
    frame
        Table with gaze, head pose (unless ``recorded="camera"``) and ``time``.
    threshold
        Gaze this far from the target, or further, is away; deg.
    target
        Direction (x, y, z) in camera-aligned axes; default: the camera.
    min_duration
        Shorter episodes are left out, s.
    max_gap
        Glances back and losses (a blink, say) up to this long do not end an episode, s.
    recorded, convention
        As for :func:`gaze_vectors`.

    Returns
    -------
    DataFrame
        One row per episode: ``input``, ``track`` (of those that the table has), ``onset``,
        ``offset``, ``duration`` (s), ``angle_mean`` (over the episode), ``angle_max`` (to the
        target, deg), ``n_frames``, ``truncated`` (it may have been longer), all as
        :func:`find_events` has them.

    Raises
    ------
    FexError
        If a column is not in the table, or time is missing.
    OptionError
        If an option is out of its range.

    Examples
    --------
    >>> table = pd.DataFrame({"time": np.arange(20) / 10, "gaze_pitch": 0.0,
    ...                       "gaze_yaw": [0.0] * 5 + [0.4] * 10 + [0.0] * 5})
    >>> away_episodes(table, recorded="camera")[["onset", "offset", "angle_max"]].round(1)
       onset  offset  angle_max
    0    0.5     1.5       22.9
    """
    limit = check_number("threshold", threshold, 0.0, 180.0, unit="deg")
    vectors = gaze_vectors(frame, "camera", recorded=recorded, convention=convention)
    found = find_events(
        pd.DataFrame(frame).assign(angle=angle_to_target(vectors, target)),
        "angle",
        on=limit,
        off=limit,
        min_duration=min_duration,
        max_gap=max_gap,
    )
    found["angle_mean"] = found["area"] / found["duration"]
    found["angle_max"] = found["peak"]
    keys = [c for c in ("input", "track") if c in found.columns]
    shown = ["onset", "offset", "duration", "angle_mean", "angle_max", "n_frames", "truncated"]
    return found[keys + shown]
