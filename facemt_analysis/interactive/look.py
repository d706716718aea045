"""What interactive figures share with the paper figures: colours, type, quiet axes."""

from __future__ import annotations

from typing import Any

from facemt_analysis import schema
from facemt_analysis.plotting.style import INK

__all__ = ["GRID", "LAYOUT", "axis_of"]

GRID = "#e6e6e6"

LAYOUT: dict[str, Any] = {
    "font": {"family": "DejaVu Sans, Verdana, sans-serif", "size": 12, "color": INK},
    "plot_bgcolor": "white",
    "paper_bgcolor": "white",
    "margin": {"l": 60, "r": 20, "t": 30, "b": 45},
    "hoverlabel": {"bgcolor": "white", "font": {"size": 11}},
}
"""Of every figure."""

_DEGREES = 57.29577951308232
_AXES = {
    "aus": ("Action units (score)", 1.0), "intensities": ("Action units (intensity)", 1.0),
    "emotions": ("Emotions (probability)", 1.0), "va": ("Affect (−1 to 1)", 1.0),
    "gazes": ("Gaze (°)", _DEGREES), "blendshapes": ("Blendshapes (0–1)", 1.0),
}  # fmt: skip


def axis_of(column: str) -> tuple[str, float]:
    """Say on which axis a feature belongs, and by what its values are multiplied there.

    >>> axis_of("AU12"), axis_of("X")[0]
    (('Action units (score)', 1.0), 'Head position (a.u.)')
    """
    group = schema.group_of(column)
    if group == "poses":
        turned = column in ("Pitch", "Yaw", "Roll")
        return ("Head (°)", _DEGREES) if turned else ("Head position (a.u.)", 1.0)
    if group is None:
        return (column, 1.0)
    return _AXES.get(group, (f"{group} ({schema.GROUPS[group].unit})", 1.0))
