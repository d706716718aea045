"""Valence and arousal on the circumplex."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Circle

from facemt_analysis.checks import check_number, check_whole
from facemt_analysis.errors import FexError
from facemt_analysis.measures.affect import affect_quadrants
from facemt_analysis.plotting.style import INK, TRUTH, add_colorbar, new_axes

__all__ = ["plot_va", "plot_va_density"]

_WORDS = "#6e6e6e"
# x, y, word
_QUADRANTS = {
    "pleasant_active": (1.13, 1.13, "excited"), "unpleasant_active": (-1.13, 1.13, "distressed"),
    "unpleasant_calm": (-1.13, -1.13, "depressed"), "pleasant_calm": (1.13, -1.13, "calm"),
}  # fmt: skip


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
    _need(frame, "frame", ("valence", "arousal", time))
    _need(truth, "truth", ("valence", "arousal"))
    axes = new_axes(ax, size=(3.4, 2.6))
    _circumplex(axes)
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
    if colorbar:
        add_colorbar(path, axes, "Time (s)")
    return axes


def plot_va_density(
    frame: pd.DataFrame,
    *,
    bins: int = 60,
    smooth: float = 0.05,
    levels: Sequence[float] = (0.5, 0.9),
    shares: bool = True,
    neutral: float = 0.1,
    cmap: str = "Blues",
    colorbar: bool = True,
    ax: Axes | None = None,
) -> Axes:
    r"""Draw how much time is spent where on the circumplex.

    Parameters
    ----------
    frame
        Rows with ``valence`` and ``arousal``, of as many faces as you like; every frame counts the
        same.
    bins
        Cells along −1 to 1.
    smooth
        SD of the Gaussian that smooths the density, in units of valence and arousal; 0: none.
    levels
        Smallest areas that hold so much of the time, as contours.
    shares
        Write the share of time in every quadrant, and in the neutral middle (dotted).
    neutral
        Radius around the origin that belongs to no quadrant, as in
        :func:`facemt_analysis.measures.affect_quadrants`.
    cmap
        Matplotlib colour map.
    colorbar
        Explain the colours.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        Colours are the share of time per unit of area.

    Raises
    ------
    FexError
        If valence or arousal is not there, or no row has both.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> ax = plot_va_density(pd.DataFrame(rng.normal(0.4, 0.1, (99, 2)), columns=["valence", "arousal"]))
    >>> [text.get_text() for text in ax.texts]
    ['excited\n100 %', 'distressed\n0 %', 'depressed\n0 %', 'calm\n0 %', 'neutral 0 %']
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """  # noqa: E501
    from scipy.ndimage import gaussian_filter

    _need(frame, "frame", ("valence", "arousal"))
    bins = check_whole("bins", bins, 2)
    smooth = check_number("smooth", smooth, 0.0, 1.0)
    points = frame[["valence", "arousal"]].to_numpy(np.float64, na_value=np.nan)
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        raise FexError("No row has valence and arousal; there is nothing to draw.")
    quadrants = affect_quadrants(frame, neutral=neutral)
    edges = np.linspace(-1, 1, bins + 1)
    counts = np.histogram2d(
        points[:, 0].clip(-1, 1), points[:, 1].clip(-1, 1), bins=[edges, edges]
    )[0].T
    cell = (2 / bins) ** 2
    density = gaussian_filter(counts / counts.sum() / cell, smooth * bins / 2, mode="reflect")
    axes = new_axes(ax, size=(3.4, 2.6))
    seen = np.ma.masked_less(density, 0.005 * density.max())  # paper stays white elsewhere
    image = axes.pcolormesh(edges, edges, seen, cmap=cmap, vmin=0, rasterized=True, zorder=-1)
    falling = np.sort(density, axis=None)[::-1]
    held = np.cumsum(falling) * cell
    for level in sorted(levels, reverse=True):
        inside = check_number("levels", level, 0.0, 1.0, open_low=True, open_high=True)
        height = falling[min(int(np.searchsorted(held, inside)), len(falling) - 1)]
        middles = (edges[:-1] + edges[1:]) / 2
        axes.contour(middles, middles, density, levels=[height], colors=INK, linewidths=0.7,
                     linestyles="solid" if level == min(levels) else "dashed")  # fmt: skip
    texts = {}
    if shares:
        of_time = quadrants.value_counts(normalize=True)
        texts = {place: f"\n{100 * of_time.get(place, 0.0):.0f} %" for place in _QUADRANTS}
    _circumplex(axes, texts)
    if shares and neutral:
        axes.add_patch(Circle((0, 0), neutral, fill=False, edgecolor=INK, linewidth=0.6,
                              linestyle=":", gid="neutral"))  # fmt: skip
        axes.text(0.03, -1.13, f"neutral {100 * of_time.get('neutral', 0.0):.0f} %", color=_WORDS,
                  style="italic", size="small", va="bottom")  # fmt: skip
    if colorbar:
        add_colorbar(image, axes, "Share of time per unit area")
    return axes


def _circumplex(axes: Axes, texts: Mapping[str, str] | None = None) -> None:
    """Draw the circle, the axes and the words of the quadrants, out of the way in the corners."""
    axes.add_patch(Circle((0, 0), 1.0, fill=False, edgecolor=INK, linewidth=0.6, zorder=0))
    axes.axhline(0, color=INK, linewidth=0.4, zorder=0)
    axes.axvline(0, color=INK, linewidth=0.4, zorder=0)
    for place, (x, y, word) in _QUADRANTS.items():
        axes.text(x, y, word + (texts or {}).get(place, ""), color=_WORDS, style="italic",
                  size="small", ha="right" if x > 0 else "left",
                  va="top" if y > 0 else "bottom")  # fmt: skip
    axes.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal", xlabel="Valence",
             ylabel="Arousal", xticks=[-1, 0, 1], yticks=[-1, 0, 1])  # fmt: skip


def _need(table: pd.DataFrame | None, what: str, columns: Sequence[str]) -> None:
    missing = [c for c in columns if table is not None and c not in table.columns]
    if missing:
        raise FexError(f"`{what}` has no column {missing[0]!r}; the circumplex needs it.")
