"""Praat's TextGrid: interval tiers, point tiers for events without length."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from facemt_analysis.errors import FexError
from facemt_analysis.io._atomic import atomic_file
from facemt_analysis.io.events.pympi_library import pympi
from facemt_analysis.io.events.table import check_free, make_events, one_recording, tiers, value_of

__all__ = ["read_textgrid", "write_textgrid"]

_SHORTEST = 1e-3  # s, of an interval among others
_DIGITS = 6  # the library writes so many


def read_textgrid(path: Path) -> pd.DataFrame:
    """Read all tiers, text (long or short) or binary; intervals without words are no events."""
    library = pympi()
    error: Exception | None = None
    for codec in ("utf-8-sig", "utf-16"):
        try:
            rows = list(_events(library.TextGrid(str(path), codec=codec)))
        except Exception as failed:  # the library raises just that, among others
            error = error or failed
        else:
            return make_events(rows, path.stem)
    raise FexError(f"{path}: it cannot be read as a TextGrid.") from error


def _events(grid: Any) -> Iterator[dict[str, Any]]:
    for tier in grid.get_tiers():
        feature, _, track = tier.name.rpartition("@")
        about = {"feature": feature, "track": int(track)} if track.isdecimal() and feature else {}
        for time, *more in tier.get_intervals():
            stop, words = (more[0], more[1]) if len(more) == 2 else (time, more[0])
            if words.strip():
                yield {"feature": tier.name, "label": words, "onset": time, "offset": stop, **about}


def write_textgrid(
    events: pd.DataFrame,
    path: Path,
    *,
    tier: str = "feature",
    value: str = "label",
    stop: float | None = None,
) -> None:
    """Write one tier for each value of the column `tier`, with the column `value` as words.

    Times are rounded to microseconds. A tier whose events all have no length becomes a point tier.
    `stop` is the length of the recording in s; by default the file ends with the last event.
    """
    library = pympi()
    table = one_recording(events, "A TextGrid").round({"onset": _DIGITS, "offset": _DIGITS})
    words = value_of(table, value)
    end = max([*table["offset"], *(table["onset"] + _SHORTEST).round(_DIGITS), stop or 0.0])
    if stop is not None and stop < end:
        raise FexError(f"`stop` must be at or after the last event ({end:g} s), but got {stop:g}.")
    grid = library.TextGrid(xmin=0, xmax=end or 1.0)
    for name, _, rows in tiers(table, tier):
        check_free(rows, name, "a TextGrid")
        points = bool((rows["offset"] == rows["onset"]).all())
        made = grid.add_tier(name, tier_type="TextTier" if points else "IntervalTier")
        times = zip(rows["onset"], rows["offset"], words[rows.index], strict=True)
        for onset, offset, word in times:
            text = word or name  # Praat takes an interval without words for none
            if points:
                made.add_point(onset, text, check=False)
            else:
                last = max(offset, round(onset + _SHORTEST, _DIGITS))
                made.add_interval(onset, last, text, check=False)
    with atomic_file(path) as temporary:
        grid.to_file(str(temporary), codec="utf-8")
