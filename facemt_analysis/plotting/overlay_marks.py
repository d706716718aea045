"""What is drawn over a frame, before anything draws it: marks in px of the frame.

Paper figures draw them with matplotlib, the scrubber into the pixels of the frame; both show the
same thing because it is worked out here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.measures.rotations import angles_to_matrices

__all__ = ["OVERLAY_COLOURS", "OVERLAY_PARTS", "Mark", "overlay_marks"]

Floats = npt.NDArray[np.float64]
Row = pd.Series | Mapping[str, Any]

OVERLAY_PARTS = ("box", "mesh", "outline", "gaze", "pose")
"""What can be drawn: the detector's box, mesh points, the outline of the 68 landmarks, one gaze
arrow per eye, the direction of the nose."""

OVERLAY_COLOURS: Mapping[str, str] = {
    "box": "#ffffff", "mesh": "#ffffff", "outline": "#56B4E9", "gaze": "#F0E442",
    "pose": "#D55E00",
}  # fmt: skip
"""Part → colour."""

# dlib-68: first, last, closed
_OUTLINES = ((0, 16, False), (17, 21, False), (22, 26, False), (27, 30, False), (31, 35, False),
             (36, 41, True), (42, 47, True), (48, 59, True), (60, 67, True))  # fmt: skip
_IRISES = ((468, 36, 42), (473, 42, 48))  # mesh vertex; else the mean of these landmarks
_NOSE = 30


@dataclass(frozen=True, eq=False)
class Mark:
    """One thing to draw.

    Parameters
    ----------
    part
        One of :data:`OVERLAY_PARTS`.
    kind
        ``"box"`` (two corners), ``"points"``, ``"line"`` or ``"arrow"`` (from, to).
    xy
        (k, 2) px of the frame.
    length
        Of an arrow that lies in the picture, px; one that is much shorter points at the viewer.
    """

    part: str
    kind: str
    xy: Floats
    length: float = 0.0


def overlay_marks(
    row: Row,
    parts: Collection[str] = OVERLAY_PARTS,
    *,
    convention: str = "rodrigues",
) -> list[Mark]:
    """List what one row of a Fex shows over its frame.

    Parameters
    ----------
    row
        One row; whatever it holds of the parts is drawn, NaN is not.
    parts
        Some of :data:`OVERLAY_PARTS`.
    convention
        What the angles of the pose are: those of one rotation vector, or ``"euler-xyz"``.

    Returns
    -------
    list of Mark
        In the order to draw them.

    Notes
    -----
    Arrows are orthographic: length times the part of a unit vector that lies in the picture. Gaze,
    which is relative to the head, is turned with the pose.
    """
    marks: list[Mark] = []
    points = _points(row, "x_{}", "y_{}", schema.N_LANDMARKS)
    wanted = "mesh" in parts or "gaze" in parts
    vertices = _points(row, "mesh_x_{}", "mesh_y_{}", schema.N_MESH) if wanted else None
    sides = _values(row, ("FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"))
    if "box" in parts and sides is not None:
        marks.append(Mark("box", "box", np.stack([sides[:2], sides[:2] + sides[2:]])))
    if "mesh" in parts and vertices is not None:
        marks.append(Mark("mesh", "points", vertices))
    if "outline" in parts and points is not None:
        for first, last, closed in _OUTLINES:
            line = points[[*range(first, last + 1), *([first] if closed else [])]]
            marks.append(Mark("outline", "line", line))
    angles = _values(row, ("Pitch", "Yaw", "Roll"))
    turn = np.eye(3) if angles is None else angles_to_matrices(angles, convention=convention)
    scale = _length(points, sides)
    if points is None or not scale:
        return marks
    if "pose" in parts and angles is not None:
        marks.append(_arrow("pose", points[_NOSE], turn @ (0.0, 0.0, 1.0), 1.5 * scale))
    looks = _values(row, ("gaze_pitch", "gaze_yaw"))
    if "gaze" in parts and looks is not None:
        pitch, yaw = looks
        ahead = (-np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch))
        for vertex, first, last in _IRISES:
            eye = points[first:last].mean(0) if vertices is None else vertices[vertex]
            marks.append(_arrow("gaze", eye, turn @ ahead, 1.1 * scale))
    return marks


def _arrow(part: str, start: Floats, direction: Floats, length: float) -> Mark:
    end = start + length * np.array([direction[0], -direction[1]])
    return Mark(part, "arrow", np.stack([start, end]), length)


def _values(row: Row, names: tuple[str, ...]) -> Floats | None:
    """Values of columns; None if one is absent or NaN."""
    given = row if isinstance(row, pd.Series) else pd.Series(dict(row), dtype=object)
    values = given.reindex(list(names)).to_numpy(np.float64, na_value=np.nan)
    return values if np.isfinite(values).all() else None


def _points(row: Row, x: str, y: str, count: int) -> Floats | None:
    names = [pattern.format(i) for pattern in (x, y) for i in range(count)]
    values = _values(row, tuple(names))
    return None if values is None else values.reshape(2, count).T


def _length(points: Floats | None, sides: Floats | None) -> float:
    """Distance of the outer eye corners, or what it usually is in a box of this size; px."""
    if points is not None:
        return float(np.linalg.norm(points[36] - points[45]))
    return 0.0 if sides is None else 0.45 * float(sides[2])
