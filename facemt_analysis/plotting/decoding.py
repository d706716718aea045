"""What a decoder took for what."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from facemt_analysis.plotting.style import add_colorbar, new_axes
from facemt_analysis.stats.decoding import DecodingResult
from facemt_analysis.stats.words import format_p

__all__ = ["plot_confusion"]


def plot_confusion(result: DecodingResult, *, cmap: str = "Blues", ax: Axes | None = None) -> Axes:
    """Draw which level recordings were taken for.

    Parameters
    ----------
    result
        What :func:`facemt_analysis.stats.decode` gave.
    cmap
        Matplotlib colour map.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        True levels from top to bottom, predicted ones from left to right. Colours: share of the
        recordings of the true level; numbers: how many.
    """
    counts = result.confusion.to_numpy(np.int64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    n = len(counts)
    axes = new_axes(ax, size=(3.4, 0.9 + min(0.6 * n, 5.0)))
    image = axes.imshow(shares, cmap=cmap, vmin=0.0, vmax=1.0)
    for i, j in np.ndindex(n, n):
        axes.text(j, i, str(counts[i, j]), ha="center", va="center", size="small",
                  color="white" if shares[i, j] > 0.6 else "black")  # fmt: skip
    names = [str(level) for level in result.confusion.index]
    axes.set_xticks(range(n), names)
    axes.set_yticks(range(n), names)
    axes.tick_params(length=0)
    axes.set(xlabel="Predicted", ylabel="True")
    row = result.table.iloc[0]
    axes.set_title(
        f"Balanced accuracy {row['estimate']:.2f} [{row['ci_low']:.2f}, {row['ci_high']:.2f}],\n"
        f"chance {row['chance']:.2f}, p {format_p(float(row['p']))}",
        size="small",
    )
    add_colorbar(image, axes, "Share of true level")
    return axes
