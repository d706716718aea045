"""Where people look: heat maps over angles."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from facemt_analysis.errors import OptionError
from facemt_analysis.measures.gaze_density import GazeDensity, gaze_heatmap
from facemt_analysis.plotting.faces import one_face
from facemt_analysis.plotting.style import INK, add_colorbar, new_axes

__all__ = ["plot_gaze", "plot_gaze_density"]


def plot_gaze(
    frame: pd.DataFrame,
    *,
    bins: int | tuple[int, int] = 80,
    extent: tuple[float, float, float, float] = (-40.0, 40.0, -40.0, 40.0),
    smooth: float = 1.5,
    reference: str = "head",
    recorded: str = "head",
    convention: str = "rodrigues",
    recording: str | None = None,
    track: int | None = None,
    cmap: str = "viridis",
    colorbar: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw the density of gaze.

    Parameters
    ----------
    frame
        Rows with gaze.
    bins, extent, smooth, reference, recorded, convention
        As for :func:`facemt_analysis.measures.gaze_heatmap`.
    recording, track
        Which face; default: all rows together.
    cmap, colorbar, ax
        As for :func:`plot_gaze_density`.

    Returns
    -------
    Axes

    Raises
    ------
    FexError
        If there is no gaze, or no such face.

    Examples
    --------
    >>> angles = np.random.default_rng(1).normal(0, 0.1, (2, 500))
    >>> ax = plot_gaze(pd.DataFrame({"gaze_pitch": angles[0], "gaze_yaw": angles[1]}))
    >>> ax.get_xlabel()
    'Yaw (°), + = own right'
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    chosen = recording is not None or track is not None
    rows = one_face(frame, recording=recording, track=track) if chosen else frame
    density = gaze_heatmap(
        rows,
        bins=bins,
        extent=extent,
        by=[],
        smooth=smooth,
        reference=reference,
        recorded=recorded,
        convention=convention,
    )
    return plot_gaze_density(density, cmap=cmap, colorbar=colorbar, ax=ax)


def plot_gaze_density(
    density: GazeDensity,
    group: int = 0,
    *,
    cmap: str = "viridis",
    colorbar: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw the density of gaze of one group.

    Parameters
    ----------
    density
        What :func:`facemt_analysis.measures.gaze_heatmap` gives.
    group
        Row of ``density.groups``.
    cmap
        Matplotlib colour map.
    colorbar
        Explain the colours.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        As the person sees it: the person's right is on the right. A cross is straight ahead (in the
        head's frame) or the camera (in the camera's), as the lower left corner says. Colours: % of
        the time per square degree.

    Raises
    ------
    OptionError
        If there is no such group.
    """
    if not -len(density.groups) <= group < len(density.groups):
        raise OptionError(
            f"`group` must be the row of one of {len(density.groups)} groups, but got {group}."
        )
    axes = new_axes(ax, size=(3.4, 2.6))
    image = axes.pcolormesh(
        density.yaw_edges,
        density.pitch_edges,
        100 * density.density[group],
        cmap=cmap,
        rasterized=True,
    )
    axes.plot(0, 0, "+", color="white", markersize=8, markeredgewidth=0.8)
    meaning = "camera" if density.reference == "camera" else "straight ahead"
    light = float(np.dot(image.cmap(0.0)[:3], (0.299, 0.587, 0.114))) > 0.5
    axes.annotate(f"+ {meaning}", (0.0, 0.0), (3, 3), xycoords="axes fraction",
                  color=INK if light else "white",
                  textcoords="offset points", size="small")  # fmt: skip
    axes.set_aspect("equal")
    axes.set_xlabel("Yaw (°), + = own right")
    axes.set_ylabel("Pitch (°), + = up")
    if colorbar:
        add_colorbar(image, axes, "% of time per deg²")
    return axes
