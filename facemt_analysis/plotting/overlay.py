"""What was found, drawn over the frame it was found in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Rectangle

from facemt_analysis import schema
from facemt_analysis.errors import FexError
from facemt_analysis.measures.rotations import angles_to_matrices
from facemt_analysis.plotting.style import new_axes

__all__ = ["plot_overlay"]

Floats = npt.NDArray[np.float64]

# dlib-68: first, last, closed
_OUTLINES = ((0, 16, False), (17, 21, False), (22, 26, False), (27, 30, False), (31, 35, False),
             (36, 41, True), (42, 47, True), (48, 59, True), (60, 67, True))  # fmt: skip
_IRISES = ((468, 36, 42), (473, 42, 48))  # mesh vertex; else the mean of these landmarks
_NOSE = 30
_WHITE, _BLUE, _ORANGE, _YELLOW = "#ffffff", "#56B4E9", "#D55E00", "#F0E442"


def plot_overlay(
    image: npt.NDArray[np.uint8],
    row: pd.Series[Any] | Mapping[str, Any],
    *,
    box: bool = True,
    mesh: bool = True,
    outline: bool = True,
    gaze: bool = True,
    pose: bool = True,
    convention: str = "rodrigues",
    ax: Axes | None = None,
) -> Axes:
    """Draw one row of a Fex over its frame.

    Parameters
    ----------
    image
        (H, W, 3) uint8 RGB, upright.
    row
        One row; whatever of face box, mesh, landmarks, pose and gaze it holds is drawn.
    box, mesh, outline, gaze, pose
        Leave out a part: the detector's box (white), mesh points (white dots), the outline of the
        68 landmarks (light blue), one gaze arrow per eye (yellow), the direction of the nose
        (orange).
    convention
        What the angles of the pose are: those of one rotation vector, or ``"euler-xyz"``.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        In pixels of the frame, y down.

    Raises
    ------
    FexError
        If `image` is no RGB picture.

    Notes
    -----
    Arrows are orthographic: length times the part of a unit vector that lies in the picture. Gaze,
    which is relative to the head, is turned with the pose.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise FexError(
            f"`image` must be (height, width, 3) uint8 RGB, but got {image.shape} {image.dtype}."
        )
    axes = new_axes(ax, size=(4.0, 4.0 * image.shape[0] / image.shape[1]))
    axes.imshow(image, interpolation="lanczos")
    axes.set_axis_off()
    points = _points(row, "x_{}", "y_{}", schema.N_LANDMARKS)
    vertices = _points(row, "mesh_x_{}", "mesh_y_{}", schema.N_MESH)
    sides = _values(row, ("FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"))
    if box and sides is not None:
        x, y, width, height = sides
        axes.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=_WHITE,
                                 linewidth=0.8, linestyle=(0, (4, 2)), gid="box"))  # fmt: skip
    if mesh and vertices is not None:
        axes.plot(*vertices.T, ".", color=_WHITE, markersize=1.2, alpha=0.7,
                  markeredgewidth=0, gid="mesh")  # fmt: skip
    if outline and points is not None:
        for first, last, closed in _OUTLINES:
            line = points[[*range(first, last + 1), *([first] if closed else [])]]
            axes.plot(*line.T, color=_BLUE, linewidth=0.8, solid_joinstyle="round", gid="outline")
    angles = _values(row, ("Pitch", "Yaw", "Roll"))
    turn = np.eye(3) if angles is None else angles_to_matrices(angles, convention=convention)
    scale = _length(points, sides)
    if pose and angles is not None and points is not None and scale:
        _arrow(axes, points[_NOSE], turn @ (0.0, 0.0, 1.0), 1.5 * scale, _ORANGE, "pose")
    looks = _values(row, ("gaze_pitch", "gaze_yaw"))
    if gaze and looks is not None and scale and points is not None:
        pitch, yaw = looks
        ahead = (-np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch))
        for vertex, first, last in _IRISES:
            eye = points[first:last].mean(0) if vertices is None else vertices[vertex]
            _arrow(axes, eye, turn @ ahead, 1.1 * scale, _YELLOW, "gaze")
    axes.set(xlim=(-0.5, image.shape[1] - 0.5), ylim=(image.shape[0] - 0.5, -0.5))
    return axes


def _values(row: pd.Series[Any] | Mapping[str, Any], names: tuple[str, ...]) -> Floats | None:
    """Values of columns; None if one is absent or NaN."""
    if any(name not in row for name in names):
        return None
    values = np.array([row[name] for name in names], np.float64)
    return values if np.isfinite(values).all() else None


def _points(row: pd.Series[Any] | Mapping[str, Any], x: str, y: str, count: int) -> Floats | None:
    names = [pattern.format(i) for pattern in (x, y) for i in range(count)]
    values = _values(row, tuple(names))
    return None if values is None else values.reshape(2, count).T


def _length(points: Floats | None, sides: Floats | None) -> float:
    """Distance of the outer eye corners, or what it usually is in a box of this size; px."""
    if points is not None:
        return float(np.linalg.norm(points[36] - points[45]))
    return 0.0 if sides is None else 0.45 * float(sides[2])


def _arrow(
    axes: Axes, start: Floats, direction: Floats, length: float, colour: str, name: str
) -> None:
    """Draw a line from a dot, with a head where it is long enough to show its way."""
    end = start + length * np.array([direction[0], -direction[1]])
    axes.plot(*start, "o", color=colour, markersize=2.0, markeredgewidth=0, zorder=4)
    shown = float(np.linalg.norm(end - start)) > 0.2 * length
    axes.add_patch(FancyArrowPatch(
        (float(start[0]), float(start[1])), (float(end[0]), float(end[1])), color=colour, gid=name,
        arrowstyle="-|>" if shown else "-", mutation_scale=5, linewidth=1.3, zorder=4,
        shrinkA=0, shrinkB=0,
    ))  # fmt: skip
