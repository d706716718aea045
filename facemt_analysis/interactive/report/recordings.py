"""One recording as the report sees it: its rows, the face that is shown, the stretch of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.interactive.timebase import Timebase

__all__ = ["Seen", "faces_of", "look_at"]

_GAP_STEPS = 1.5  # longer intervals are gaps, as everywhere


@dataclass(frozen=True, eq=False)
class Seen:
    """A recording and one face of it.

    Parameters
    ----------
    number
        Of this face in the report.
    name
        Its name; "recording" where the table names none.
    rows
        All its rows.
    face
        Rows of the face, in the order of time.
    track
        Its track; None where there is no such column.
    tracks
        How many faces there are.
    base
        Rows by time; None where rows have no time.
    """

    number: int
    name: str
    rows: pd.DataFrame
    face: pd.DataFrame
    track: int | None
    tracks: int
    base: Timebase | None

    @property
    def span(self) -> tuple[float, float]:
        """First and last second; (0, 0) without time."""
        if self.base is None:
            return 0.0, 0.0
        return float(self.base.times[0]), float(self.base.times[-1])

    @property
    def seconds(self) -> float:
        """Duration up to the end of the last frame; NaN where it is not known."""
        if self.base is None or len(self.base.times) < 2:
            return float("nan")
        return self.span[1] - self.span[0] + 1 / self.hz

    @property
    def hz(self) -> float:
        """Usual frame rate; NaN where it is not known."""
        steps = np.empty(0) if self.base is None else np.diff(self.base.times)
        if not len(steps):
            return float("nan")
        usual = steps[steps <= _GAP_STEPS * np.median(steps)]
        return 1 / float(usual.mean())

    def has(self, group: str) -> bool:
        """Whether the face has at least one value of a group."""
        columns = schema.columns_in(group, self.face.columns.tolist())
        return bool(columns) and bool(self.face[list(columns[:1])].notna().to_numpy().any())

    @property
    def moments(self) -> npt.NDArray[np.float64]:
        """Times of the rows of the face, s."""
        return self.face["time"].to_numpy(np.float64)


def faces_of(rows: pd.DataFrame) -> list[int | None]:
    """Tracks of a recording, those in most frames first; [None] where there is none."""
    if "track" not in rows.columns:
        return [None]
    counts = rows.loc[rows["track"] >= 0, "track"].value_counts()
    return [int(track) for track in counts.index] or [None]


def look_at(rows: pd.DataFrame, name: str, number: int, track: int | None = None) -> Seen:
    """Take in one face of one recording.

    Parameters
    ----------
    rows
        Rows of the recording in any order.
    name, number
        What it is called.
    track
        Which face; None: the one that is there most often.
    """
    plain = pd.DataFrame(rows)
    timed = "time" in plain.columns and bool(plain["time"].notna().all()) and len(plain) > 0
    base = Timebase.of(plain) if timed else None
    ordered = plain if base is None else base.table
    faces = faces_of(ordered)
    track = faces[0] if track is None else track
    tracks = 0 if faces == [None] and "track" in ordered.columns else len(faces)
    face = ordered
    if "track" in ordered.columns:
        face = ordered[(ordered["track"] == track).to_numpy(np.bool_, na_value=False)]
    return Seen(number, name, ordered, face, track, tracks, base)
