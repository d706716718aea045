"""Features over time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from facemt_analysis import schema
from facemt_analysis.errors import FexError
from facemt_analysis.plotting.spans import gap_spans, shade_gaps
from facemt_analysis.plotting.style import PALETTE, TRUTH, legend_above, line_of, new_axes

__all__ = ["plot_timeline"]

Floats = npt.NDArray[np.float64]

_GROUP_NAMES: dict[str | None, str] = {
    "aus": "Action units", "intensities": "Action units", "emotions": "Emotions", "va": "Affect",
    "poses": "Head", "gazes": "Gaze", "blendshapes": "Blendshapes", "faceboxes": "Face",
}  # fmt: skip


def plot_timeline(
    frame: pd.DataFrame,
    columns: str | Sequence[str],
    *,
    truth: pd.DataFrame | None = None,
    time: str = "time",
    degrees: bool = True,
    colours: Sequence[str] = PALETTE,
    legend: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw features over seconds.

    Parameters
    ----------
    frame
        Rows of one face of one recording, in the order of time.
    columns
        One feature, or several of one unit.
    truth
        The same columns as they are known to be: drawn as a grey area (one column) or dashed lines
        behind the measured ones.
    time
        Column of the x axis, seconds.
    degrees
        Show angles in degrees instead of radians.
    colours
        One for each column, repeated where they do not suffice.
    legend
        Name the lines.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        The measured line of each column carries its name as label. Several differ in colour and,
        without a truth, in style, too.

    Raises
    ------
    FexError
        If a column is not there, there are none, or their units differ.

    Notes
    -----
    Lines break at NaN and where more than one and a half of the usual time step lie between two
    rows: gaps are shown, not bridged. Where no column has a value, the background is grey.

    Examples
    --------
    >>> table = pd.DataFrame({"time": [0.0, 0.1, 0.2], "Yaw": [0.0, 0.1, 0.2]})
    >>> ax = plot_timeline(table, "Yaw")
    >>> ax.get_ylabel(), ax.lines[0].get_ydata()[-1].round(2).item()
    ('Yaw (°)', 11.46)
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    names = [columns] if isinstance(columns, str) else list(columns)
    if not names:
        raise FexError("`columns` must name at least one feature, but got none.")
    for table, what in ((frame, "frame"), (truth, "truth")):
        missing = [c for c in (time, *names) if table is not None and c not in table.columns]
        if missing:
            raise FexError(f"`{what}` has no column {missing[0]!r}; it is needed for the timeline.")
    units = {_unit(name, degrees) for name in names}
    if len(units) > 1:
        raise FexError(
            f"One pair of axes has one unit, but {', '.join(names)} have several; "
            "draw them on axes of their own."
        )
    unit = units.pop()
    axes = new_axes(ax, size=(5.0, 2.0))
    shade_gaps(axes, _lost(frame, time, names))
    for i, name in enumerate(names):
        factor = 180 / np.pi if unit == "°" else 1.0
        colour = colours[i % len(colours)]
        if truth is not None:
            x, y = _with_gaps(truth, time, name)
            if len(names) == 1:
                axes.fill_between(x, 0.0, y * factor, color=TRUTH, alpha=0.35, linewidth=0)
                axes.plot(x, y * factor, color=TRUTH, linewidth=0.7, label=f"{name} (true)")
            else:
                axes.plot(x, y * factor, color=colour, linewidth=0.9, linestyle=(0, (3, 2)),
                          alpha=0.7, label=f"{name} (true)")  # fmt: skip
        x, y = _with_gaps(frame, time, name)
        axes.plot(x, y * factor, color=colour, linewidth=1.2, label=name,
                  linestyle="-" if truth is not None else line_of(i))  # fmt: skip
    axes.set_xlabel("Time (s)")
    what = names[0] if len(names) == 1 else _GROUP_NAMES.get(schema.group_of(names[0]), "Value")
    axes.set_ylabel(f"{what} ({unit})" if unit else what)
    axes.margins(x=0)
    if legend:
        legend_above(axes, ncols=4 if truth is None else 2)
    return axes


def _unit(column: str, degrees: bool) -> str:
    """Short unit of a column; empty for labels of the user's."""
    group = schema.group_of(column)
    if group is None:
        return ""
    if group == "poses" and column in ("X", "Y", "Z"):
        return "a.u."
    unit = schema.GROUPS[group].unit.split(" ")[0].rstrip(",;")
    return "°" if unit == "rad" and degrees else unit


def _lost(table: pd.DataFrame, time: str, names: Sequence[str]) -> Floats:
    """Find the stretches without any of the columns."""
    columns = [_with_gaps(table, time, name) for name in names]
    return gap_spans(columns[0][0], np.column_stack([y for _, y in columns]))


def _with_gaps(table: pd.DataFrame, time: str, column: str) -> tuple[Floats, Floats]:
    """Give times and values, with a NaN between rows that are too far apart to belong together."""
    x = table[time].to_numpy(np.float64)
    y = table[column].to_numpy(np.float64)
    steps = np.diff(x)
    usual = float(np.median(steps)) if len(steps) else 0.0
    after = np.flatnonzero(steps > 1.5 * usual) + 1
    return np.insert(x, after, (x[after - 1] + x[after]) / 2), np.insert(y, after, np.nan)
