"""Recurrence plots."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from facemt_analysis.checks import check_number
from facemt_analysis.plotting.style import PALETTE, new_axes
from facemt_analysis.stats.recurrence import RecurrenceResult

__all__ = ["plot_recurrence"]


def plot_recurrence(
    result: RecurrenceResult,
    *,
    rate: float | None = None,
    names: tuple[str, str] = ("b", "a"),
    ax: Axes | None = None,
) -> Axes:
    """Draw which pairs of times are in the same state.

    Parameters
    ----------
    result
        What :func:`facemt_analysis.stats.recurrence_quantification` gave.
    rate
        Points per second, for axes in seconds; default: in points.
    names
        Of the course along x (`b`) and along y (`a`).
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        A dot per recurrent pair; the title says rate and determinism.

    Examples
    --------
    >>> import numpy as np
    >>> from facemt_analysis.stats import recurrence_quantification
    >>> wave = np.sin(np.arange(100) * 2 * np.pi / 20)
    >>> ax = plot_recurrence(recurrence_quantification(wave, radius=0.1), rate=10)
    >>> ax.get_xlabel(), float(ax.get_xlim()[1])
    ('Time in b (s)', 10.0)
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    per = 1.0 if rate is None else check_number("rate", rate, 0.0, open_low=True, unit="Hz")
    n, m = result.matrix.shape
    axes = new_axes(ax, size=(3.4, 3.2))
    axes.imshow(
        result.matrix, origin="lower", extent=(0.0, m / per, 0.0, n / per), vmin=0, vmax=1,
        interpolation="antialiased", cmap=ListedColormap(["white", PALETTE[0]]),
    )  # fmt: skip
    unit = "points" if rate is None else "s"
    axes.set(xlabel=f"Time in {names[0]} ({unit})", ylabel=f"Time in {names[1]} ({unit})")
    row = result.table.iloc[0]
    axes.set_title(
        f"Recurrence {100 * row['recurrence_rate']:.1f} %, "
        f"determinism {100 * row['determinism']:.0f} %",
        size="small",
    )
    return axes
