"""What was found, drawn over the frame it was found in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Rectangle

from facemt_analysis.checks import check_number
from facemt_analysis.errors import FexError
from facemt_analysis.plotting.overlay_marks import (
    OVERLAY_COLOURS,
    OVERLAY_PARTS,
    Mark,
    overlay_marks,
)
from facemt_analysis.plotting.style import figure_size, new_axes

__all__ = ["plot_overlay"]


def plot_overlay(
    image: npt.NDArray[np.uint8],
    rows: pd.Series[Any] | Mapping[str, Any] | pd.DataFrame,
    *,
    box: bool = True,
    mesh: bool = True,
    outline: bool = True,
    gaze: bool = True,
    pose: bool = True,
    crop: float | None = None,
    convention: str = "rodrigues",
    ax: Axes | None = None,
) -> Axes:
    """Draw what was found in a frame over it.

    Parameters
    ----------
    image
        (H, W, 3) uint8 RGB, upright.
    rows
        One row of a Fex, or the rows of a frame, one per face; whatever of face box, mesh,
        landmarks, pose and gaze they hold is drawn.
    box, mesh, outline, gaze, pose
        Leave out a part: the detector's box (white), mesh points (white dots), the outline of the
        68 landmarks (light blue), one gaze arrow per eye (yellow), the direction of the nose
        (orange).
    crop
        Show only the boxes of the faces and around them this multiple of their size; default: the
        whole frame.
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
    chosen = [
        p for p, on in zip(OVERLAY_PARTS, (box, mesh, outline, gaze, pose), strict=True) if on
    ]
    left, top, right, bottom = _window(image, rows, crop)
    width = figure_size(4.0, 0.0)[0]
    axes = new_axes(ax, size=(width, width * (bottom - top) / (right - left)))
    axes.imshow(image, interpolation="lanczos")
    axes.set_axis_off()
    faces = [row for _, row in rows.iterrows()] if isinstance(rows, pd.DataFrame) else [rows]
    for face in faces:
        for mark in overlay_marks(face, chosen, convention=convention):
            _draw(axes, mark)
    axes.set(xlim=(left, right), ylim=(bottom, top))
    return axes


def _window(
    image: npt.NDArray[np.uint8],
    rows: pd.Series[Any] | Mapping[str, Any] | pd.DataFrame,
    crop: float | None,
) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of what is shown, px."""
    height, width = image.shape[:2]
    whole = (-0.5, -0.5, width - 0.5, height - 0.5)
    if crop is None:
        return whole
    margin = check_number("crop", crop, 0.0)
    table = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame([dict(rows)])
    sides = [f"FaceRect{side}" for side in ("X", "Y", "Width", "Height")]
    if not set(sides) <= set(table.columns):
        raise FexError("`crop` goes by the boxes of faces, but the table has no columns FaceRect….")
    x, y, w, h = table[sides].to_numpy(np.float64, na_value=np.nan).T
    if not np.isfinite(x + y + w + h).any():
        return whole
    return (
        max(float(np.nanmin(x - margin * w)), whole[0]),
        max(float(np.nanmin(y - margin * h)), whole[1]),
        min(float(np.nanmax(x + (1 + margin) * w)), whole[2]),
        min(float(np.nanmax(y + (1 + margin) * h)), whole[3]),
    )


def _draw(axes: Axes, mark: Mark) -> None:
    colour = OVERLAY_COLOURS[mark.part]
    if mark.kind == "box":
        (x, y), (right, bottom) = mark.xy
        axes.add_patch(Rectangle((x, y), right - x, bottom - y, fill=False, edgecolor=colour,
                                 linewidth=0.8, linestyle=(0, (4, 2)), gid=mark.part))  # fmt: skip
    elif mark.kind == "points":
        axes.plot(*mark.xy.T, ".", color=colour, markersize=1.2, alpha=0.7, markeredgewidth=0,
                  gid=mark.part)  # fmt: skip
    elif mark.kind == "line":
        axes.plot(*mark.xy.T, color=colour, linewidth=0.8, solid_joinstyle="round", gid=mark.part)
    else:
        _arrow(axes, mark, colour)


def _arrow(axes: Axes, mark: Mark, colour: str) -> None:
    """Draw a line from a dot, with a head where it is long enough to show its way."""
    start, end = mark.xy
    axes.plot(*start, "o", color=colour, markersize=2.0, markeredgewidth=0, zorder=4)
    shown = float(np.linalg.norm(end - start)) > 0.2 * mark.length
    axes.add_patch(FancyArrowPatch(
        (float(start[0]), float(start[1])), (float(end[0]), float(end[1])), color=colour,
        gid=mark.part, arrowstyle="-|>" if shown else "-", mutation_scale=5, linewidth=1.3,
        zorder=4, shrinkA=0, shrinkB=0,
    ))  # fmt: skip
