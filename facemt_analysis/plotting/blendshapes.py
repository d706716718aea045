"""Blendshapes as bars, left beside right."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from facemt_analysis.checks import check_whole, pick_columns
from facemt_analysis.errors import OptionError
from facemt_analysis.plotting.style import PALETTE, TRUTH, new_axes

__all__ = ["plot_blendshapes"]

_COLOURS = {"Left": PALETTE[0], "Right": PALETTE[1], "": TRUTH}


def plot_blendshapes(
    frame: pd.DataFrame,
    row: int | None = None,
    *,
    top: int = 15,
    ax: Axes | None = None,
) -> Axes:
    """Draw blendshapes as bars, the most active movements on top.

    Parameters
    ----------
    frame
        Rows with blendshapes.
    row
        Position of the row to draw; default: the mean of all rows.
    top
        Number of movements.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        One place per movement; those of two sides have a bar for the subject's left and one for the
        right. ``_neutral`` is left out.

    Raises
    ------
    MissingGroupError
        If there are no blendshapes.
    OptionError
        If there is no such row.

    Examples
    --------
    >>> table = pd.DataFrame({"jawOpen": [0.3], "mouthSmileLeft": 0.8, "mouthSmileRight": 0.6})
    >>> ax = plot_blendshapes(table)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['mouthSmile', 'jawOpen']
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    columns = [c for c in pick_columns(frame, group="blendshapes") if c != "_neutral"]
    if row is not None and not -len(frame) <= row < len(frame):
        raise OptionError(f"`row` must be one of {len(frame)} rows, but got {row}.")
    top = check_whole("top", top, 1)
    values = frame[columns].mean() if row is None else frame[columns].iloc[row]
    movements: dict[str, dict[str, float]] = {}
    for column in columns:
        stem, side = _side(column, columns)
        movements.setdefault(stem, {})[side] = float(values[column])
    size = {stem: np.nanmax([*sides.values(), -1.0]) for stem, sides in movements.items()}
    shown = sorted(movements, key=lambda stem: -size[stem])[:top]
    axes = new_axes(ax, size=(4.0, 0.5 + 0.19 * len(shown)))
    for side, colour in _COLOURS.items():
        places = [i for i, stem in enumerate(shown) if side in movements[stem]]
        shift, height = {"Left": (-0.2, 0.38), "Right": (0.2, 0.38)}.get(side, (0.0, 0.76))
        if places:
            axes.barh(
                np.array(places) + shift, [movements[shown[i]][side] for i in places], height,
                color=colour, label=f"subject's {side.lower()}" if side else "middle",
            )  # fmt: skip
    axes.set_yticks(range(len(shown)), shown)
    axes.set(ylim=(len(shown) - 0.5, -0.5), xlim=(0, 1), xlabel="Coefficient")
    if any("Left" in movements[stem] for stem in shown):
        axes.legend(loc="lower right")
    return axes


def _side(column: str, columns: list[str]) -> tuple[str, str]:
    """Movement and side; a movement *to* one side (jawLeft, mouthLeft) has no sides."""
    for side, other in (("Left", "Right"), ("Right", "Left")):
        stem = column.removesuffix(side)
        if stem != column and stem not in ("jaw", "mouth") and stem + other in columns:
            return stem, side
    return column, ""
