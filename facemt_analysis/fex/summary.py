"""What a table holds, in a few numbers and in words."""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from facemt_analysis import schema

__all__ = ["TableSummary", "describe_columns", "summarize_table"]


@dataclass(frozen=True)
class TableSummary:
    """Counts of a table; None where the columns to tell are absent.

    Parameters
    ----------
    rows
        Number of rows.
    recordings
        Names of the recordings, in the order of their first row.
    frames
        Number of frames of all recordings.
    faces
        Number of rows with a face (``FaceScore`` above 0, else a track that is not −1).
    tracks
        Number of tracks of all recordings, "no face" not counted.
    start, stop
        Smallest and largest time in seconds.
    groups
        Feature groups present, keys and frame sizes among them.
    labels
        The user's columns.
    """

    rows: int
    recordings: tuple[str, ...] | None
    frames: int | None
    faces: int | None
    tracks: int | None
    start: float | None
    stop: float | None
    groups: tuple[str, ...]
    labels: tuple[str, ...]

    def __str__(self) -> str:
        parts = []
        for count, word in (
            (self.rows, "row"),
            (None if self.recordings is None else len(self.recordings), "recording"),
            (self.frames, "frame"),
            (self.tracks, "track"),
        ):
            if count is not None:
                parts.append(f"{count:,} {word}{'' if count == 1 else 's'}")
        if self.start is not None and self.stop is not None:
            parts.append(f"{self.start:.3f}–{self.stop:.3f} s")
        shown = [g for g in self.groups if g != "keys"]
        parts.append(", ".join(shown) if shown else "no feature group")
        if self.labels:
            more = len(self.labels) - 6
            text = ", ".join(self.labels[:6]) + (f" and {more} more" if more > 0 else "")
            parts.append(f"labels: {text}")
        return "Fex: " + " · ".join(parts)

    def _repr_html_(self) -> str:
        return f"<div><small>{html.escape(str(self))}</small></div>"


def summarize_table(frame: pd.DataFrame) -> TableSummary:
    """Count what a table holds, from its keys.

    >>> frame = pd.DataFrame({"input": ["a", "a"], "frame": [0, 1], "track": [0, -1]})
    >>> str(summarize_table(frame))
    'Fex: 2 rows · 1 recording · 2 frames · 1 track · no feature group'
    """
    plain = pd.DataFrame(frame)
    plain = plain.loc[:, ~plain.columns.duplicated()]
    names = plain.columns.tolist()
    recordings = frames = tracks = faces = start = stop = None
    where = ["input"] if "input" in names else []
    if where:
        recordings = tuple(str(name) for name in plain["input"].dropna().unique())
    if "frame" in names:
        frames = len(plain[[*where, "frame"]].drop_duplicates())
    if "track" in names and is_numeric_dtype(plain["track"].dtype):
        seen = plain.loc[plain["track"] >= 0, [*where, "track"]]
        tracks, faces = len(seen.drop_duplicates()), len(seen)
    if "FaceScore" in names and is_numeric_dtype(plain["FaceScore"].dtype):
        faces = int((plain["FaceScore"] > 0).sum())
    if "time" in names and is_numeric_dtype(plain["time"].dtype):
        time = plain["time"].to_numpy(np.float64, na_value=np.nan)
        time = time[np.isfinite(time)]
        if len(time):
            start, stop = float(time.min()), float(time.max())
    return TableSummary(
        rows=len(plain),
        recordings=recordings,
        frames=frames,
        faces=faces,
        tracks=tracks,
        start=start,
        stop=stop,
        groups=schema.groups_in(names),
        labels=tuple(str(c) for c in names if schema.group_of(c) is None),
    )


def describe_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Say what each column is, from the schema.

    Returns
    -------
    DataFrame
        One row per column, in their order: ``column``, ``group`` (``label`` for the user's),
        ``unit``, ``low`` and ``high`` (range of valid values, NaN where there is none),
        ``meaning``, ``dtype``.
    """
    rows: list[tuple[object, ...]] = []
    for column, dtype in zip(list[object](frame.columns.tolist()), frame.dtypes, strict=True):
        name = schema.group_of(column)
        if not isinstance(column, str) or name is None:
            rows.append((column, "label", "", np.nan, np.nan, "label of the user's", str(dtype)))
            continue
        group = schema.GROUPS[name]
        low, high = (v if np.isfinite(v) else np.nan for v in schema.range_of(column))
        unit = schema.ACTION_UNITS.get(column.removesuffix("_r"))
        meaning = f"{unit.name} ({unit.muscle})" if unit else group.meaning
        rows.append((column, name, group.unit, low, high, meaning, str(dtype)))
    names = ["column", "group", "unit", "low", "high", "meaning", "dtype"]
    return pd.DataFrame(rows, columns=names).astype({"low": np.float64, "high": np.float64})
