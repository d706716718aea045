"""Valence and arousal on the circumplex."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Circle

from facemt_analysis.errors import FexError
from facemt_analysis.plotting.style import INK, TRUTH, new_axes

__all__ = ["plot_va"]

_FAINT = "#9a9a9a"


def plot_va(
    frame: pd.DataFrame,
    *,
    truth: pd.DataFrame | None = None,
    time: str = "time",
    cmap: str = "viridis",
    colorbar: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw the path of valence and arousal, coloured by time.

    Parameters
    ----------
    frame
        Rows of one face with ``valence``, ``arousal`` (−1…1) and `time` (s). The path
        breaks at NaN.
    truth
        The path as it is known to be: a grey line behind.
    time
        Column of the colours, seconds.
    cmap
        Matplotlib colour map.
    colorbar
        Explain the colours.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    FexError
        If a column is not there.

    References
    ----------
    Russell, J. A. (1980). A circumplex model of affect. J. Pers. Soc. Psychol., 39(6), 1161-1178.
        https://doi.org/10.1037/h0077714
    """
    for table, what, need in (
        (frame, "frame", ("valence", "arousal", time)),
        (truth, "truth", ("valence", "arousal")),
    ):
        missing = [c for c in need if table is not None and c not in table.columns]
        if missing:
            raise FexError(f"`{what}` has no column {missing[0]!r}; the circumplex needs it.")
    axes = new_axes(ax, size=(3.4, 3.0))
    axes.add_patch(Circle((0, 0), 1.0, fill=False, edgecolor=INK, linewidth=0.6, zorder=0))
    axes.axhline(0, color=INK, linewidth=0.4, zorder=0)
    axes.axvline(0, color=INK, linewidth=0.4, zorder=0)
    for x, y, word in ((0.42, 0.68, "excited"), (-0.42, 0.68, "distressed"),
                       (-0.42, -0.68, "depressed"), (0.42, -0.68, "calm")):  # fmt: skip
        axes.text(x, y, word, ha="center", va="center", color=_FAINT, style="italic")
    if truth is not None:
        axes.plot(truth["valence"].to_numpy(), truth["arousal"].to_numpy(), color=TRUTH,
                  linewidth=2.4, alpha=0.55, solid_capstyle="round",
                  label="true", zorder=1)  # fmt: skip
    points = frame[["valence", "arousal"]].to_numpy(np.float64)
    times = frame[time].to_numpy(np.float64)
    pairs = np.stack([points[:-1], points[1:]], axis=1)
    seen = np.isfinite(pairs).all(axis=(1, 2))
    path = LineCollection(list(pairs[seen]), cmap=cmap, linewidths=1.4, capstyle="round", zorder=2)
    path.set_array((times[:-1] + times[1:])[seen] / 2)
    if len(times):
        path.set_clim(float(np.nanmin(times)), float(np.nanmax(times)))
    path.set_label("detected")
    axes.add_collection(path)
    axes.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), aspect="equal", xlabel="Valence",
             ylabel="Arousal", xticks=[-1, 0, 1], yticks=[-1, 0, 1])  # fmt: skip
    if colorbar:
        axes.get_figure(root=True).colorbar(path, ax=axes, label="Time (s)", shrink=0.75, aspect=25)  # type: ignore[union-attr]
    return axes
