"""Features over time as one drawing: a strip each, one axis of time, a cursor for all."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.interactive.timebase import Course
from facemt_analysis.plotting.style import LOST, colour_of

__all__ = ["Strip", "curves_svg", "time_ticks"]

Floats = npt.NDArray[np.float64]
_Scale = Callable[[Floats], Floats]

_WIDTH = 1000.0
_LEFT, _RIGHT = 178.0, 905.0  # where the axis of time lies; names and limits before, values behind
_GAP = 5.0
_TOP, _BOTTOM = 16.0, 34.0
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600,
          7200, 14400, 43200, 86400)  # fmt: skip
_MINUTES = 120.0  # longer spans are counted in minutes


@dataclass(frozen=True, eq=False)
class Strip:
    """One band of the drawing.

    Parameters
    ----------
    title
        What it shows.
    courses
        Its lines.
    colours
        One for each.
    limits
        Values at the bottom and the top.
    unit
        Behind values, such as °.
    height
        Of the band; the drawing is 1000 wide.
    filled
        Fill the area below the lines.
    spans
        (k, 2) s: events, drawn as a bar under the line.
    """

    title: str
    courses: Sequence[Course]
    colours: Sequence[str]
    limits: tuple[float, float]
    unit: str = ""
    height: float = 26.0
    filled: bool = False
    spans: Floats | None = None


def time_ticks(start: float, stop: float, most: int = 10) -> list[tuple[float, str]]:
    """Give round times of an axis and how to write them.

    >>> time_ticks(0, 4, most=4)
    [(0.0, '0'), (1.0, '1'), (2.0, '2'), (3.0, '3'), (4.0, '4')]
    >>> time_ticks(0, 600)[1]
    (60.0, '1:00')
    """
    length = max(stop - start, 1e-9)
    step = next((s for s in _STEPS if length / s <= most), _STEPS[-1] * -(-length // _STEPS[-1]))
    first = int(np.ceil(start / step - 1e-9))
    times = [k * step for k in range(first, int(np.floor(stop / step + 1e-9)) + 1)]
    return [(float(t), _clock(t) if length >= _MINUTES else f"{t:g}") for t in times]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def curves_svg(
    strips: Sequence[Strip],
    span: tuple[float, float],
    *,
    gaps: Floats | None = None,
    events: pd.DataFrame | None = None,
) -> str:
    """Draw strips.

    Parameters
    ----------
    strips
        From top to bottom.
    span
        First and last second.
    gaps
        (k, 2) s without a face: grey.
    events
        ``onset offset label``: coloured bands over all strips, named on top.

    Returns
    -------
    str
        ``<svg>``. Its lines keep one decimal of a thousandth of the width; the script of the page
        reads values back from them.
    """
    start, stop = span
    scale = (_RIGHT - _LEFT) / max(stop - start, 1e-9)

    def x_of(time: Floats) -> Floats:
        return _LEFT + (time - start) * scale

    bottom = _TOP + sum(strip.height + _GAP for strip in strips)
    parts = [
        _bands(x_of, gaps, bottom, LOST, 1.0) if gaps is not None else "",
        _named_bands(x_of, events, span, bottom) if events is not None else "",
    ]
    top = _TOP
    for strip in strips:
        parts.append(_strip(strip, x_of, top))
        top += strip.height + _GAP
    parts.append(_axis(x_of, span, bottom))
    parts.append(f'<line class="cursor" y1="{_TOP:g}" y2="{bottom:g}"/>')
    height = bottom + _BOTTOM
    names = ", ".join(strip.title for strip in strips)
    return (
        f'<svg class="curves" viewBox="0 0 {_WIDTH:g} {height:g}" role="img" '
        f'aria-label="{html.escape("Over time: " + names)}" data-start="{start!r}" '
        f'data-stop="{stop!r}" data-left="{_LEFT:g}" data-right="{_RIGHT:g}">{"".join(parts)}</svg>'
    )


def _strip(strip: Strip, x_of: _Scale, top: float) -> str:
    low, high = strip.limits
    bottom = top + strip.height
    middle = (top + bottom) / 2
    zero = bottom - (min(max(0.0, low), high) - low) / (high - low) * strip.height
    parts = [
        f'<text x="0" y="{middle + 4:.1f}">{html.escape(strip.title)}</text>',
        f'<line x1="{_LEFT:g}" x2="{_RIGHT:g}" y1="{zero:.1f}" y2="{zero:.1f}" stroke="#d4d4d0" '
        'stroke-width="0.7"/>',
    ]
    if strip.height >= 40:  # limits can be read only where there is room
        for value, place in ((high, top + 9), (low, bottom - 2)):
            label = html.escape(f"{value:g}{strip.unit}".replace("-", "−"))
            parts.append(
                f'<text class="soft" x="{_LEFT - 6:g}" y="{place:.1f}" text-anchor="end">'
                f"{label}</text>"
            )
    if strip.spans is not None:
        parts.append(_bars(x_of, strip.spans, bottom, strip.colours[0]))
    n = len(strip.courses)
    for i, (course, colour) in enumerate(zip(strip.courses, strip.colours, strict=True)):
        y = bottom - (np.clip(course.value, low, high) - low) / (high - low) * strip.height
        path = _path(x_of(course.time), y, zero if strip.filled else None)
        paint = f' style="fill:{colour};fill-opacity:.28"' if strip.filled else ""
        at = middle + 4 + 13 * (i - (n - 1) / 2)
        ink = f' style="fill:{colour}"' if n > 1 else ""
        parts.append(
            f'<path d="{path}" stroke="{colour}"{paint} data-low="{low:g}" data-high="{high:g}" '
            f'data-top="{top:g}" data-bottom="{bottom:g}" data-filled="{int(strip.filled)}"/>'
            f'<text class="value" x="{_RIGHT + 8:g}" y="{at:.1f}"{ink} '
            f'data-unit="{html.escape(strip.unit)}" '
            f'data-name="{html.escape(course.feature if n > 1 else "")}">'
            f"{html.escape(course.feature if n > 1 else '')}</text>"
        )
    return f"<g>{''.join(parts)}</g>"


def _path(x: Floats, y: Floats, base: float | None) -> str:
    """Write a line that breaks at NaN; with `base`, each piece begins and ends there."""
    seen = np.isfinite(x) & np.isfinite(y)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], seen, [False]]).astype(np.int8)))
    pieces = []
    for first, end in edges.reshape(-1, 2).tolist():
        points = [f"{a:.1f},{b:.1f}" for a, b in zip(x[first:end], y[first:end], strict=True)]
        if base is not None:
            points = [f"{x[first]:.1f},{base:.1f}", *points, f"{x[end - 1]:.1f},{base:.1f}"]
        elif len(points) == 1:
            points *= 2  # a dot: lines without length are drawn where their ends are round
        pieces.append("M" + " ".join(points))
    return "".join(pieces)


def _bands(x_of: _Scale, spans: Floats, bottom: float, colour: str, alpha: float) -> str:
    return "".join(
        f'<rect x="{x:.1f}" y="{_TOP:g}" width="{max(width, 1.2):.1f}" '
        f'height="{bottom - _TOP:.1f}" fill="{colour}" '
        f'fill-opacity="{alpha if width > 1.2 else max(alpha, 0.7):g}"/>'
        for x, width in _edges(x_of, spans)
    )


def _bars(x_of: _Scale, spans: Floats, bottom: float, colour: str) -> str:
    return "".join(
        f'<rect class="event" x="{x:.1f}" y="{bottom + 0.8:.1f}" width="{max(width, 0.8):.1f}" '
        f'height="2.4" fill="{colour}"/>'
        for x, width in _edges(x_of, spans)
    )


def _edges(x_of: _Scale, spans: Floats) -> list[tuple[float, float]]:
    ends = x_of(np.asarray(spans, dtype=np.float64)).clip(_LEFT, _RIGHT)
    return [(a, b - a) for a, b in ends.tolist()]


def _named_bands(
    x_of: _Scale, events: pd.DataFrame, span: tuple[float, float], bottom: float
) -> str:
    inside = events[(events["offset"] >= span[0]) & (events["onset"] <= span[1])]
    names = list(dict.fromkeys(inside["label"].astype(str)))
    parts = []
    for name in names:
        own = inside[inside["label"].astype(str) == name]
        spans = own[["onset", "offset"]].to_numpy(np.float64)
        colour = colour_of(names.index(name) + 1)
        parts.append(_bands(x_of, spans, bottom, colour, 0.16))
        first = x_of(spans[:1, 0]).clip(_LEFT, _RIGHT)[0]
        parts.append(
            f'<text class="soft" x="{first:.1f}" y="{_TOP - 4:g}">{html.escape(name)}</text>'
        )
    return "".join(parts)


def _axis(x_of: _Scale, span: tuple[float, float], bottom: float) -> str:
    parts = [
        f'<line x1="{_LEFT:g}" x2="{_RIGHT:g}" y1="{bottom:g}" y2="{bottom:g}" stroke="#333" '
        'stroke-width="0.8"/>'
    ]
    for time, label in time_ticks(*span):
        x = x_of(np.array([time]))[0]
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{bottom:g}" y2="{bottom + 4:g}" stroke="#333" '
            f'stroke-width="0.8"/><text x="{x:.1f}" y="{bottom + 15:g}" text-anchor="middle">'
            f"{label}</text>"
        )
    unit = "min:s" if span[1] - span[0] >= _MINUTES else "s"
    middle = (_LEFT + _RIGHT) / 2
    parts.append(
        f'<text x="{middle:g}" y="{bottom + 30:g}" text-anchor="middle">Time ({unit})</text>'
        f'<text class="value" x="{_RIGHT + 8:g}" y="{bottom + 15:g}" data-clock=""></text>'
    )
    return "".join(parts)
