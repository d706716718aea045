"""The figures of the demonstration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CAPTIONS", "MOMENTS", "draw_figures"]

Image = npt.NDArray[np.uint8]

MOMENTS = (("smile", 1.2), ("surprise", 2.16), ("anger", 3.08), ("sadness", 4.0), ("disgust", 4.84),
           ("head turn", 5.56))  # fmt: skip
"""What the face does at which second."""

_AUS = ("AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12", "AU15", "AU17",
        "AU23", "AU24", "AU25", "AU26", "AU43")  # fmt: skip
_ANGLES = ("Pitch", "Yaw", "Roll", "gaze_pitch", "gaze_yaw", "gaze_angle")
_ANGLE_NAMES = ("Head pitch", "Head yaw", "Head roll", "Gaze pitch", "Gaze yaw", "Gaze angle")
_SIGNS = ("+ up", "+ to own right", "+ to own right", "+ up", "+ to own right", "from ahead")
_EMOTIONS = ("Happy", "Surprise", "Anger", "Sad", "Disgust", "Neutral")

CAPTIONS = {
    "faces": "Six moments of the clip. Dashed: box of the face detector; dots: the mesh; light "
    "blue: the 68 landmarks; orange: where the nose points; yellow: where the eyes look. "
    "Above each: the likeliest emotion as detected.",
    "action_units": "Action units. Colour: detected score (0-1; a score of occurrence, not an "
    "intensity). Grey: the intensity that was drawn.",
    "pose_and_gaze": "Head pose and gaze relative to the head. Colour: detected; grey: true. "
    "While the eyes are closed (AU43), the detected gaze goes down and means nothing.",
    "emotions": "Probability of emotions. Colour: detected; grey: what the simulation defines for "
    "the action units drawn.",
    "affect": "Path of valence and arousal through the clip. Colour: detected; grey: true.",
}
"""What each figure shows."""


def draw_figures(
    faces: pd.DataFrame, truth: pd.DataFrame, stills: Mapping[float, Image]
) -> dict[str, Figure]:
    """Draw all figures.

    Parameters
    ----------
    faces
        One row per frame (see `facemt_analysis.demo.accuracy.one_face`), NaN where no face was
        found.
    truth
        The same frames as they are.
    stills
        Second → (H, W, 3) uint8 RGB for the seconds of `MOMENTS`.

    Returns
    -------
    dict
        Name → figure, in the order of `CAPTIONS`.
    """
    from facemt_analysis.plotting import paper

    faces = faces.assign(time=truth["time"].to_numpy())
    with paper("double"):
        return {
            "faces": _faces(faces, stills),
            "action_units": _grid(faces, truth, _AUS, columns=4,
                                  low=0.0, high=1.0, label="Score"),
            "pose_and_gaze": _angles(faces, truth),
            "emotions": _grid(faces, truth, _EMOTIONS, columns=3, low=0.0, high=1.0,
                              label="Probability"),
            "affect": _affect(faces, truth),
        }  # fmt: skip


def _figure(width: float, height: float) -> Figure:
    """Make a figure that pyplot knows nothing of: nothing to close, nothing shown."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _faces(faces: pd.DataFrame, stills: Mapping[float, Image]) -> Figure:
    from facemt_analysis import schema
    from facemt_analysis.plotting import plot_overlay

    figure = _figure(7.0, 4.0)
    for axes, (name, second) in zip(figure.subplots(2, 3).flat, MOMENTS, strict=True):
        row = faces.iloc[int((faces["time"] - second).abs().argmin())]
        image = stills[second]
        plot_overlay(image, row, ax=axes)
        side = image.shape[1] * 0.74
        axes.set_xlim((image.shape[1] - side) / 2, (image.shape[1] + side) / 2)
        scores = row[list(schema.EMOTIONS)].astype(float)
        known = bool(scores.notna().all())
        found = f"{scores.idxmax()} {scores.max():.2f}" if known else "no face found"
        axes.set_title(f"{name}, {second:.1f} s: {found}", pad=2)
    return figure


def _grid(
    faces: pd.DataFrame, truth: pd.DataFrame, names: Sequence[str], *, columns: int, low: float,
    high: float, label: str,
) -> Figure:  # fmt: skip
    """Small multiples of features that share both axes."""
    from facemt_analysis import schema
    from facemt_analysis.plotting import PALETTE, plot_timeline

    rows = -(-len(names) // columns)
    figure = _figure(7.0, 0.55 + 0.95 * rows)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for i, (axes, name) in enumerate(zip(grid.flat, names, strict=True)):
        colour = PALETTE[i // columns % 6] if label == "Score" else PALETTE[i % 6]
        plot_timeline(faces, name, truth=truth, colours=[colour], legend=False, ax=axes)
        unit = schema.ACTION_UNITS.get(name)
        _tidy(axes, f"{name}  {unit.name.lower()}" if unit else name, i, len(names), columns)
        axes.set(ylim=(low, high * 1.02), yticks=[low, (low + high) / 2, high])
        axes.set_ylabel(label if i % columns == 0 else "")
    return figure


def _tidy(axes: Axes, title: str, i: int, n: int, columns: int) -> None:
    axes.set_title(title, loc="left", pad=2)
    axes.set_xlabel("Time (s)" if i >= n - columns else "")


def _angles(faces: pd.DataFrame, truth: pd.DataFrame) -> Figure:
    from facemt_analysis.plotting import PALETTE, plot_timeline

    figure = _figure(7.0, 2.7)
    grid = figure.subplots(2, 3, sharex=True, sharey=True)
    for i, (axes, column) in enumerate(zip(grid.flat, _ANGLES, strict=True)):
        colour = PALETTE[0] if i < 3 else PALETTE[1]
        plot_timeline(faces, column, truth=truth, colours=[colour], legend=False, ax=axes)
        _tidy(axes, f"{_ANGLE_NAMES[i]} ({_SIGNS[i]})", i, 6, 3)
        axes.axhline(0, color="#333333", linewidth=0.4, zorder=0)
        axes.set(ylim=(-45, 45), yticks=[-30, 0, 30])  # eyes that close look far down
        axes.set_ylabel("Angle (°)" if i in (0, 3) else "")
    return figure


def _affect(faces: pd.DataFrame, truth: pd.DataFrame) -> Figure:
    from facemt_analysis.plotting import PALETTE, plot_timeline, plot_va

    figure = _figure(7.0, 2.9)
    panels = figure.subfigures(1, 2, width_ratios=(1.0, 1.15))
    left, right = np.asarray(panels, object).ravel().tolist()
    plot_va(faces, truth=truth, ax=left.subplots())
    for i, (axes, name) in enumerate(
        zip(right.subplots(2, 1, sharex=True), ("valence", "arousal"), strict=True)
    ):
        plot_timeline(faces, name, truth=truth, colours=[PALETTE[i]], legend=False, ax=axes)
        _tidy(axes, name.capitalize(), i, 2, 1)
        axes.axhline(0, color="#333333", linewidth=0.4, zorder=0)
        axes.set(ylim=(-1, 1), yticks=[-1, 0, 1], ylabel="Score")
    return figure
