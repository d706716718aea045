"""What was found, drawn over the frame it was found in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Rectangle

from facemt_analysis.errors import FexError
from facemt_analysis.plotting.overlay_marks import (
    OVERLAY_COLOURS,
    OVERLAY_PARTS,
    Mark,
    overlay_marks,
)
from facemt_analysis.plotting.style import new_axes

__all__ = ["plot_overlay"]


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
    chosen = [
        p for p, on in zip(OVERLAY_PARTS, (box, mesh, outline, gaze, pose), strict=True) if on
    ]
    axes = new_axes(ax, size=(4.0, 4.0 * image.shape[0] / image.shape[1]))
    axes.imshow(image, interpolation="lanczos")
    axes.set_axis_off()
    for mark in overlay_marks(row, chosen, convention=convention):
        _draw(axes, mark)
    axes.set(xlim=(-0.5, image.shape[1] - 0.5), ylim=(image.shape[0] - 0.5, -0.5))
    return axes


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
