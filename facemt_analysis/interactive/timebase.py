"""Which rows belong to a moment of a recording, and how to get to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.checks import near_names, pick_columns
from facemt_analysis.errors import FexError
from facemt_analysis.signal.segments import cut

__all__ = ["Course", "Timebase"]

Floats = npt.NDArray[np.float64]

_SAME = 1e-6  # s: times are stored as floats


@dataclass(frozen=True, eq=False)
class Course:
    """A feature of one face over time, ready to draw: NaN where the line has to break.

    Parameters
    ----------
    feature
        Column.
    time, value
        (k,) seconds and values.
    """

    feature: str
    time: Floats
    value: Floats


@dataclass(frozen=True, eq=False)
class Timebase:
    """Rows of one recording by time.

    Parameters
    ----------
    recording
        Its name; None where the table has no column ``input``.
    table
        Its rows in the order of time.
    times
        The distinct times of its frames, s, rising; shape (n,).
    first
        Position of the first row of each frame in `table`, and its length: shape (n + 1,).
    """

    recording: str | None
    table: pd.DataFrame
    times: Floats
    first: npt.NDArray[np.intp]

    @classmethod
    def of(cls, frame: pd.DataFrame, recording: str | None = None) -> Timebase:
        """Take one recording of a table.

        Parameters
        ----------
        frame
            Table with ``time``.
        recording
            Which one; default: the first.

        Raises
        ------
        FexError
            If there is no such recording, no row, or rows lack their time.

        Examples
        --------
        >>> table = pd.DataFrame({"input": ["a"] * 3, "time": [0.0, 0.5, 0.5], "track": [0, 0, 1]})
        >>> base = Timebase.of(table)
        >>> base.times.tolist(), len(base.rows_at(0.7))
        ([0.0, 0.5], 2)
        """
        plain = pd.DataFrame(frame)
        if "time" not in plain.columns:
            raise FexError("This needs the column 'time' (seconds); the table has none.")
        if "input" in plain.columns:
            names = [str(name) for name in plain["input"].dropna().unique()]
            if recording is None:
                recording = names[0] if names else None
            elif recording not in names:
                raise FexError(
                    f"There is no recording {recording!r}.{near_names(recording, names)} "
                    f"There is: {', '.join(names[:12])}."
                )
            if recording is not None:
                plain = plain[plain["input"].astype(str) == recording]
        time = plain["time"].to_numpy(np.float64, na_value=np.nan)
        if not len(time) or np.isnan(time).any():
            what = f"recording {recording!r}" if recording is not None else "the table"
            raise FexError(f"This needs the time of every row, but {what} has rows without one.")
        order = np.argsort(time, kind="stable")
        times, first = np.unique(time[order], return_index=True)
        table = plain.iloc[order].reset_index(drop=True)
        return cls(recording, table, times, np.append(first, len(table)).astype(np.intp))

    # ------------------------------------------------------------------ moments
    def index_at(self, time: float) -> int:
        """Find the frame that is on the screen at a time: the last not after it."""
        found = int(np.searchsorted(self.times, time + _SAME, side="right")) - 1
        return min(max(found, 0), len(self.times) - 1)

    def rows_at(self, time: float) -> pd.DataFrame:
        """Rows of the frame at a time, one per face."""
        i = self.index_at(time)
        return self.table.iloc[self.first[i] : self.first[i + 1]]

    def step(self, time: float, frames: int) -> float:
        """Time of the frame so many frames further (back, where negative), within the recording."""
        return float(self.times[min(max(self.index_at(time) + frames, 0), len(self.times) - 1)])

    @cached_property
    def tracks(self) -> list[int]:
        """Faces of the recording, the most frequent first; [] where there is no track."""
        if "track" not in self.table.columns:
            return []
        counts = self.table.loc[self.table["track"] >= 0, "track"].value_counts()
        return [int(track) for track in counts.index]

    def face(self, rows: pd.DataFrame, track: int | None) -> pd.Series | None:
        """Row of a face among the rows of a frame; None where it is not there."""
        if "track" in rows.columns:
            rows = rows[rows["track"] == track]
        return None if rows.empty else rows.iloc[0]

    def next_event(self, events: pd.DataFrame, time: float, direction: int = 1) -> float | None:
        """Onset of the next (1) or previous (−1) event of this recording; None: there is none.

        Parameters
        ----------
        events
            Table with ``onset`` (s), and ``input`` where there are several recordings.
        time
            From here.
        direction
            1 or −1.
        """
        if "input" in events.columns and self.recording is not None:
            events = events[events["input"].astype(str) == self.recording]
        onsets = np.sort(events["onset"].to_numpy(np.float64))
        if direction > 0:
            later = onsets[onsets > time + _SAME]
            return float(later[0]) if len(later) else None
        earlier = onsets[onsets < time - _SAME]
        return float(earlier[-1]) if len(earlier) else None

    # ------------------------------------------------------------------ courses
    def courses(
        self, columns: str | Sequence[str], *, track: int | None = None, points: int = 4000
    ) -> list[Course]:
        """Features of one face over time.

        Parameters
        ----------
        columns
            Features.
        track
            The face; None: the most frequent.
        points
            About so many points are kept: of longer courses the lowest and the highest of each
            stretch, so that no peak is lost.

        Returns
        -------
        list of Course
            With NaN between rows that a gap lies between.
        """
        names = pick_columns(self.table, columns)
        rows = self.table
        if self.tracks:
            rows = rows[rows["track"] == (self.tracks[0] if track is None else track)]
        parts = cut(rows, [])
        values = parts.values(rows, names)
        breaks = np.flatnonzero(parts.breaks)[1:]  # a line begins anew here
        return [
            Course(name, *_broken(*_thinned(parts.time, values[:, i], breaks, points)))
            for i, name in enumerate(names)
        ]


def _thinned(
    time: Floats, value: Floats, breaks: npt.NDArray[np.intp], points: int
) -> tuple[Floats, Floats, npt.NDArray[np.intp]]:
    """Keep the lowest and the highest value of each stretch, and the rows at breaks."""
    if len(time) <= points:
        return time, value, breaks
    cells = np.linspace(0, len(time), max(points // 2, 1) + 1).astype(np.intp)
    missing = np.isnan(value)
    lost = np.flatnonzero(missing[1:] & ~missing[:-1]) + 1  # one NaN breaks a line as well as many
    kept = [np.array([0, len(time) - 1]), breaks, breaks - 1, lost]
    for low, high in pairwise(cells):
        seen = low + np.flatnonzero(~missing[low:high])
        if len(seen):
            kept.append(seen[[value[seen].argmin(), value[seen].argmax()]])
    rows = np.unique(np.concatenate(kept)).astype(np.intp)
    return time[rows], value[rows], np.searchsorted(rows, breaks).astype(np.intp)


def _broken(time: Floats, value: Floats, breaks: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
    return np.insert(time, breaks, np.nan), np.insert(value, breaks, np.nan)
