"""One recording at a glance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from facemt_analysis import schema
from facemt_analysis.checks import pick_columns
from facemt_analysis.errors import FexError
from facemt_analysis.measures.quality_limits import QualityLimits
from facemt_analysis.measures.quality_stretches import STATES, quality_stretches
from facemt_analysis.plotting.affect import plot_va
from facemt_analysis.plotting.au import plot_aus
from facemt_analysis.plotting.emotion import plot_emotions
from facemt_analysis.plotting.faces import one_face
from facemt_analysis.plotting.gaze import plot_gaze
from facemt_analysis.plotting.head import plot_pose
from facemt_analysis.plotting.overlay import plot_overlay
from facemt_analysis.plotting.quality import draw_states
from facemt_analysis.plotting.spans import shade_events
from facemt_analysis.plotting.style import LOST, new_figure

__all__ = ["plot_overview"]

Image = npt.NDArray[np.uint8]

_MOST_AUS = 6


def plot_overview(
    frame: pd.DataFrame,
    recording: str | None = None,
    track: int | None = None,
    *,
    aus: str | Iterable[str] | None = None,
    events: pd.DataFrame | None = None,
    label: str | None = None,
    stills: Mapping[float, Image] | None = None,
    limits: QualityLimits | None = None,
    gaze: Mapping[str, Any] | None = None,
    figure: Figure | SubFigure | None = None,
) -> dict[str, Axes]:
    """Draw what one face does in one recording: everything the table has of it.

    Parameters
    ----------
    frame
        Rows with ``time``.
    recording, track
        Which face, if there are several.
    aus
        Action units to show; default the six that vary most.
    events, label
        What happened, shaded over all timelines; see
        :func:`facemt_analysis.plotting.shade_events`.
    stills
        Second → (H, W, 3) uint8 RGB frame, drawn on top with what was found.
    limits
        What makes a frame flagged; see :class:`facemt_analysis.measures.QualityLimits`.
    gaze
        Options of :func:`facemt_analysis.plotting.plot_gaze`, such as ``convention``.
    figure
        Empty figure (or part of one) to draw in; default: a new one, made for double width.

    Returns
    -------
    dict of str to Axes
        Those of ``still 0`` …, ``aus``, ``emotions``, ``pose``, ``quality``, ``affect``, ``gaze``
        for which the table has columns. Timelines share the time axis.

    Raises
    ------
    FexError
        If there are several faces and none is chosen, there is no time, or nothing to draw.

    Examples
    --------
    >>> from facemt_analysis.datasets import load_sample_study
    >>> axes = plot_overview(load_sample_study(), "sub-01_funny_1.mp4")
    >>> list(axes)
    ['aus', 'emotions', 'pose', 'quality', 'affect', 'gaze']
    >>> import matplotlib.pyplot as plt
    >>> plt.close(axes["aus"].get_figure(root=True))
    """
    face = one_face(frame, recording=recording, track=track)
    if "time" not in face.columns:
        raise FexError("The overview is drawn over time, but the table has no column 'time'.")
    face = face.sort_values("time", kind="stable")
    groups = set(schema.groups_in(face.columns.tolist()))
    shown = _varying(face) if aus is None and "aus" in groups else aus
    draw: dict[str, tuple[float, Callable[[Axes], object]]] = {}
    if "aus" in groups:
        height = len(pick_columns(face, shown, group="aus", name="aus"))
        draw["aus"] = (0.5 + 0.24 * height, lambda ax: plot_aus(face, shown, ax=ax))
    if "emotions" in groups:
        draw["emotions"] = (1.1, lambda ax: plot_emotions(face, ax=ax))
    if {"Pitch", "Yaw", "Roll"} <= set(face.columns):
        draw["pose"] = (1.1, lambda ax: plot_pose(face, ax=ax))
    whole = frame if recording is None else frame[frame["input"] == recording]
    draw["quality"] = (0.28, lambda ax: _quality(ax, whole, limits))
    maps: dict[str, Callable[[Axes], object]] = {}
    if {"valence", "arousal"} <= set(face.columns):
        maps["affect"] = lambda ax: plot_va(face, ax=ax)
    if {"gaze_pitch", "gaze_yaw"} <= set(face.columns):
        maps["gaze"] = lambda ax: plot_gaze(face, ax=ax, **(gaze or {}))
    return _compose(draw, maps, face, stills or {}, figure, events, label, recording)


def _compose(
    lines: Mapping[str, tuple[float, Callable[[Axes], object]]],
    maps: Mapping[str, Callable[[Axes], object]],
    face: pd.DataFrame,
    stills: Mapping[float, Image],
    figure: Figure | SubFigure | None,
    events: pd.DataFrame | None,
    label: str | None,
    recording: str | None,
) -> dict[str, Axes]:
    heights = [height for height, _ in lines.values()]
    top = 1.35 if stills else 0.0
    if figure is None:
        figure = new_figure((7.1, top + 0.5 + sum(heights) + 0.18 * len(heights)))
    axes: dict[str, Axes] = {}
    if stills:
        upper, figure = _split(figure, (2, 1), height_ratios=[top, sum(heights)])
        axes |= _draw_stills(upper, face, stills)
    right = None
    if maps:
        figure, right = _split(figure, (1, 2), width_ratios=[1.75, 1])
    panels = figure.subplots(len(lines), 1, sharex=True, height_ratios=heights, squeeze=False)
    for ax, (name, (_, draw)) in zip(panels[:, 0], lines.items(), strict=True):
        draw(ax)
        axes[name] = ax
    first, last = float(face["time"].min()), float(face["time"].max())
    for i, name in enumerate(lines):
        axes[name].set_xlim(first, last)
        if i < len(lines) - 1:
            axes[name].set_xlabel("")
        if events is not None:
            shade_events(axes[name], events, label, recording=recording, text=i == 0,
                         edges=name == "emotions")  # fmt: skip
    if right is not None:
        square = right.subplots(len(maps), 1, squeeze=False)
        for ax, (name, draw_map) in zip(square[:, 0], maps.items(), strict=True):
            draw_map(ax)
            axes[name] = ax
    return axes


def _split(figure: Figure | SubFigure, shape: tuple[int, int], **ratios: Any) -> list[SubFigure]:
    parts = np.asarray(figure.subfigures(*shape, **ratios), object)
    return list(parts.ravel())


def _draw_stills(
    figure: SubFigure, face: pd.DataFrame, stills: Mapping[float, Image]
) -> dict[str, Axes]:
    panels = figure.subplots(1, len(stills), squeeze=False)[0]
    times = face["time"].to_numpy(np.float64)
    axes = {}
    for i, (ax, (second, image)) in enumerate(zip(panels, sorted(stills.items()), strict=True)):
        row = face.iloc[int(np.abs(times - second).argmin())]
        crop = 0.35 if {"FaceRectX", "FaceRectWidth"} <= set(face.columns) else None
        plot_overlay(image, row, crop=crop, ax=ax)
        ax.set_title(f"{second:.1f} s", size="small", pad=2)
        axes[f"still {i}"] = ax
    return axes


def _quality(ax: Axes, rows: pd.DataFrame, limits: QualityLimits | None) -> None:
    stretches = quality_stretches(rows, limits)
    ax.set_facecolor(LOST)
    draw_states(ax, stretches, pd.Series(0.0, index=stretches.index))
    ax.set(ylim=(-0.4, 0.4), xlabel="Time (s)")
    ax.set_yticks([0], ["Quality"])
    ax.tick_params(axis="y", length=0)
    handles = {str(h.get_label()): h for h in ax.collections}
    there = [
        h
        for s in reversed(STATES)
        if (h := handles.get(s.replace("_", " "))) and len(h.get_paths())
    ]
    ax.legend(handles=there, loc="upper left", bbox_to_anchor=(0.0, -1.4), ncols=len(there),
              borderaxespad=0.0)  # fmt: skip


def _varying(face: pd.DataFrame) -> Sequence[str]:
    columns = pick_columns(face, group="aus")
    spread = face[columns].astype(np.float64).std().fillna(0.0)
    most = set(spread.sort_values(ascending=False, kind="stable").index[:_MOST_AUS])
    return [c for c in columns if c in most]
