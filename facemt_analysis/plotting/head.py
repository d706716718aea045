"""The head: its angles over time."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from facemt_analysis.measures.rotations import head_angle_names
from facemt_analysis.plotting.faces import one_face
from facemt_analysis.plotting.timeline import plot_timeline

__all__ = ["plot_pose"]


def plot_pose(
    frame: pd.DataFrame,
    *,
    recording: str | None = None,
    track: int | None = None,
    degrees: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw pitch, yaw and roll over time.

    Parameters
    ----------
    frame
        Rows with ``time``, ``Pitch``, ``Yaw`` and ``Roll``.
    recording, track
        Which face, if there are several.
    degrees
        Show degrees instead of radians.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        + = up, turned to the subject's right, tilted to the subject's right.

    Raises
    ------
    FexError
        If there is no pose or no time, or several faces and none was chosen.

    Examples
    --------
    >>> table = pd.DataFrame({"time": [0.0, 0.1], "Pitch": 0.1, "Yaw": 0.2, "Roll": 0.0})
    >>> ax = plot_pose(table)
    >>> [line.get_label() for line in ax.lines], ax.get_ylabel()
    (['Pitch', 'Yaw', 'Roll'], 'Head angle (°)')
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    names = head_angle_names(frame)
    face = one_face(frame, recording=recording, track=track)
    if "time" in face.columns:
        face = face.sort_values("time")
    axes = plot_timeline(face, names, degrees=degrees, ax=ax)
    axes.set_ylabel(f"Head angle ({'°' if degrees else 'rad'})")
    return axes
