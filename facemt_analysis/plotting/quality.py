"""How good recordings are, at a glance."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from facemt_analysis.measures.quality_limits import QualityLimits, choose_limits
from facemt_analysis.measures.quality_stretches import STATES, quality_stretches
from facemt_analysis.measures.quality_summary import quality_report
from facemt_analysis.plotting.style import INK, LOST, LOST_HATCH, PALETTE, new_figure

__all__ = ["draw_states", "plot_quality"]

_COLOURS = {"usable": PALETTE[0], "flagged": PALETTE[1], "no_face": LOST}
_WORDS = {"usable": "usable", "flagged": "flagged", "no_face": "no face"}
_MOST_NAMES = 60
_MOST_HEIGHT = 12.0  # inches
_NARROW = 5.0  # inches


def plot_quality(
    frame: pd.DataFrame, limits: QualityLimits | None = None, **changes: float | None
) -> dict[str, Axes]:
    """Draw an overview of a table: one line per recording.

    Parameters
    ----------
    frame
        Rows in any order, with those of the keys and features that it has.
    limits, **changes
        See :class:`facemt_analysis.measures.QualityLimits`.

    Returns
    -------
    dict of str to Axes
        Axes of a new figure: ``time``, when each recording is usable, flagged or without a face;
        ``share``, the share of frames that is usable and, behind it, that has a face; ``score`` and
        ``size``, median (dot) and lower 5 % (line) of FaceScore and of the size of the face, with
        the limit as a dashed line. Axes without data stay empty and say so.

    Examples
    --------
    >>> table = pd.DataFrame({"input": ["a", "a", "b"], "frame": [0, 1, 0], "AU12": [0.1, 0.2, 0.3],
    ...                       "time": [0.0, 0.1, 0.0], "FaceScore": [0.9, 0.3, 0.9]})
    >>> axes = plot_quality(table)
    >>> [label.get_text() for label in axes["time"].get_yticklabels()]
    ['a', 'b']
    >>> import matplotlib.pyplot as plt
    >>> plt.close(axes["time"].figure)
    """
    chosen = choose_limits(limits, **changes)
    named = "input" in frame.columns
    report = quality_report(frame, ["input"] if named else [], chosen)
    stretches = quality_stretches(frame, chosen)
    names = report["input"].tolist() if named else ["recording"]
    line = {name: i for i, name in enumerate(names)}
    place = stretches["input"].map(line) if named else pd.Series(0, index=stretches.index)
    figure = new_figure((9.0, min(1.0 + 0.16 * len(names), _MOST_HEIGHT)))
    wide = figure.get_figwidth() > _NARROW
    axes = figure.subplots(1, 4, sharey=True, width_ratios=[5 if wide else 2.2, 1.3, 1.3, 1.3])
    panels = dict(zip(("time", "share", "score", "size"), axes, strict=True))
    draw_states(panels["time"], stretches, place)
    timed = report["start"].notna().any()
    panels["time"].set_xlabel("Time (s)" if timed else "Frame of the recording")
    _draw_shares(panels["share"], report)
    _draw_levels(panels["score"], report["score_median"], report["score_low"], chosen.score)
    _draw_levels(panels["size"], report["face_px_median"], report["face_px_low"], chosen.face_px)
    for key, label in (
        ("share", "Share of\nframes"),
        ("score", "Face\nscore"),
        ("size", "Face\n(px)"),
    ):
        panels[key].set_xlabel(label)
    panels["share"].set_xlim(0, 1)
    panels["share"].set_xticks([0, 1], ["0", "1"])
    shown = names if len(names) <= _MOST_NAMES else []
    panels["time"].set_yticks(range(len(shown)), [str(name) for name in shown])
    panels["time"].set_ylim(len(names) - 0.5, -0.5)
    handles = [*panels["time"].collections, *panels["score"].lines[1:], *panels["size"].lines[1:]]
    named_once = {str(handle.get_label()): handle for handle in handles}
    figure.legend(handles=list(named_once.values()), loc="outside upper left", ncols=4)
    return panels


def draw_states(ax: Axes, stretches: pd.DataFrame, place: pd.Series) -> None:
    """Draw stretches as bars of one colour per state, each at the height of its place."""
    from matplotlib.collections import PolyCollection

    for state in reversed(STATES):
        own = (stretches["state"] == state).to_numpy()
        y = place[own].to_numpy(np.float64)
        start, stop = (stretches.loc[own, c].to_numpy() for c in ("start", "stop"))
        x = np.column_stack([start, start, stop, stop])
        corners = np.stack([x, y[:, None] + np.array([-0.4, 0.4, 0.4, -0.4])], axis=-1)
        ax.add_collection(
            PolyCollection(
                list(corners),
                facecolors=_COLOURS[state],
                label=_WORDS[state],
                linewidths=0,
                edgecolors="white",
                hatch=LOST_HATCH if state == "no_face" else None,
            )
        )
    ax.autoscale_view()
    ax.margins(x=0)


def _draw_shares(ax: Axes, report: pd.DataFrame) -> None:
    lines = np.arange(len(report))
    ax.barh(lines, report["share_valid"], height=0.8, color=_COLOURS["flagged"])
    ax.barh(lines, report["share_usable"], height=0.8, color=_COLOURS["usable"])


def _draw_levels(ax: Axes, middle: pd.Series, low: pd.Series, limit: float | None) -> None:
    if middle.isna().all():
        ax.text(0.5, 0.5, "not in the table", transform=ax.transAxes, ha="center", va="center")
        ax.set_xticks([])
        return
    lines = np.arange(len(middle))
    ax.hlines(lines, low, middle, color=_COLOURS["usable"], linewidth=1.5)
    ax.plot(middle, lines, "o", markersize=3, color=_COLOURS["usable"])
    if limit is not None:
        ax.axvline(limit, color=INK, linestyle=(0, (3, 2)), linewidth=0.8, label="limit")
    most = max(float(middle.max()), limit or 0.0)
    ax.set_xlim(min(0.0, float(low.min())), 1.08 * most)
    ax.locator_params(axis="x", nbins=2)
