"""Stretches of time behind a figure: where there is no face, where something happened."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from facemt_analysis.checks import check_labels
from facemt_analysis.errors import FexError
from facemt_analysis.plotting.style import INK, LOST, LOST_HATCH, colour_of

__all__ = ["gap_spans", "name_gaps", "shade_events", "shade_gaps"]

Floats = npt.NDArray[np.float64]

_ROOM = 0.06  # of the axes, that words need


def gap_spans(time: Floats, values: Floats) -> Floats:
    """Find the stretches (k, 2), s, between the last frame with a face and the next one.

    Parameters
    ----------
    time, values
        (n,) and (n, columns), as :func:`facemt_analysis.plotting.faces.face_series` gives them.

    Examples
    --------
    >>> gap_spans(np.arange(5.0), np.array([[1], [np.nan], [np.nan], [1], [1.0]])).tolist()
    [[0.0, 3.0]]
    """
    gone = np.concatenate([[False], np.isnan(values).all(axis=1), [False]])
    firsts, stops = np.flatnonzero(~gone[:-1] & gone[1:]), np.flatnonzero(gone[:-1] & ~gone[1:])
    last = len(time) - 1  # from the last frame with a face to the next one
    return np.column_stack([time[np.maximum(firsts - 1, 0)], time[np.minimum(stops, last)]])


def shade_gaps(ax: Axes, spans: Floats) -> None:
    """Draw hatched grey bands over stretches (k, 2) without a face, as high as the axes."""
    if len(spans):
        _bands(ax, spans, LOST, "no face", hatch=LOST_HATCH, edgecolors="white")


def name_gaps(ax: Axes, spans: Floats) -> None:
    """Write what they mean into the widest gap, if it has room; for figures without a legend."""
    width = np.diff(spans, axis=1).ravel()
    low, high = ax.get_xlim()
    if len(width) and width.max() >= _ROOM * (high - low):
        middle = float(spans[width.argmax()].mean())
        ax.text(middle, 0.5, "no face", transform=ax.get_xaxis_transform(), rotation=90,
                ha="center", va="center", color=INK, size="small",
                bbox={"facecolor": LOST, "edgecolor": "none", "pad": 1.0})  # fmt: skip


def shade_events(
    ax: Axes,
    events: pd.DataFrame,
    label: str | None = None,
    *,
    recording: str | None = None,
    text: bool = True,
    edges: bool = False,
) -> Axes:
    """Shade events behind what is drawn over time.

    Parameters
    ----------
    ax
        Axes whose x axis is time in s.
    events
        One row per event: ``onset`` and ``offset`` or ``duration``, s. Events without extent are
        drawn as lines.
    label
        Column that names the events; each name has its colour.
    recording
        Only events of this ``input``.
    text
        Write the names over the events; without it they are in the legend, should you draw one.
    edges
        Draw onsets and offsets as dotted lines on top, too, for figures whose areas hide shades.

    Returns
    -------
    Axes
        Those that came. Bands carry the name of their events as label.

    Raises
    ------
    FexError
        If there is no ``onset``, no such label, or events of several recordings and none is chosen.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> _, ax = plt.subplots()
    >>> events = pd.DataFrame({"onset": [1.0], "duration": [2.0], "word": ["joke"]})
    >>> shade_events(ax, events, "word").collections[0].get_label()
    'joke'
    >>> plt.close(ax.figure)
    """
    if "onset" not in events.columns:
        raise FexError(f"`events` needs a column 'onset' (s); it has {', '.join(events.columns)}.")
    if label is not None:
        check_labels(events, label, name="label")
    if "input" in events.columns:
        there = events["input"].unique().tolist()
        if recording is not None:
            events = events[events["input"] == recording]
        elif len(there) > 1:
            raise FexError(
                f"`events` are of {len(there)} recordings; choose one with recording=, for example "
                f"{there[0]!r}."
            )
    onset = events["onset"].to_numpy(np.float64)
    if "offset" in events.columns:
        offset = events["offset"].to_numpy(np.float64)
    elif "duration" in events.columns:
        offset = onset + events["duration"].to_numpy(np.float64)
    else:
        offset = onset
    names = pd.Series("event", events.index) if label is None else events[label].astype(str)
    limits = ax.get_xlim()
    for i, name in enumerate(dict.fromkeys(names)):
        own = (names == name).to_numpy()
        colour = colour_of(i + 1)  # the first colour is that of what is drawn before
        long = own & (offset > onset)
        if long.any():
            _bands(ax, np.column_stack([onset[long], offset[long]]), colour, name, alpha=0.16)
        for at in onset[own & ~long]:
            ax.axvline(at, color=colour, linewidth=0.8, zorder=0.5, label=name)
    if edges:
        for at in np.unique(np.concatenate([onset, offset])):
            ax.axvline(at, color=INK, linewidth=0.7, linestyle=(0, (1, 1.5)), gid="edge")
    if text and label is not None:
        for start, stop, name in zip(onset, offset, names, strict=True):
            if limits[0] <= (start + stop) / 2 <= limits[1]:
                ax.text((start + stop) / 2, 1.0, f"{name}", transform=ax.get_xaxis_transform(),
                        ha="center", va="bottom", color=INK, size="small")  # fmt: skip
    ax.set_xlim(limits)
    return ax


def _bands(ax: Axes, spans: Floats, colour: str, label: str, **style: Any) -> None:
    low, high = spans.T
    x = np.column_stack([low, low, high, high])
    corners = np.stack([x, np.broadcast_to([0.0, 1.0, 1.0, 0.0], x.shape)], axis=-1)
    ax.add_collection(
        PolyCollection(list(corners), facecolors=colour, linewidths=0, zorder=0.1,
                       label=label, **style, transform=ax.get_xaxis_transform()),
        autolim=False,
    )  # fmt: skip
