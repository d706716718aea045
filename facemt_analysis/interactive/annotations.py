"""Stretches of time that somebody marked while looking."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from facemt_analysis.errors import FexError

__all__ = ["Annotations", "Range"]


@dataclass(frozen=True, order=True)
class Range:
    """One marked stretch.

    Parameters
    ----------
    recording
        Name of the recording; empty where the table has none.
    onset, offset
        Seconds.
    label
        Words.
    track
        The face that is meant; None: the whole frame.
    """

    recording: str
    onset: float
    offset: float
    label: str = ""
    track: int | None = None


@dataclass(frozen=True)
class Annotations:
    """A list of marked stretches that gives a new list with each change.

    Parameters
    ----------
    ranges
        The stretches.

    Examples
    --------
    >>> marks = Annotations().add("a.mp4", 2.0, 1.0, "laughs")
    >>> print(marks.table()[["onset", "duration", "label"]].to_string(index=False))
     onset  duration  label
       1.0       1.0 laughs
    """

    ranges: tuple[Range, ...] = ()

    def __len__(self) -> int:
        return len(self.ranges)

    def add(
        self, recording: str | None, start: float, stop: float, label: str = "",
        track: int | None = None,
    ) -> Annotations:  # fmt: skip
        """Mark a stretch; start and stop may come in either order.

        Raises
        ------
        FexError
            If it is empty.
        """
        low, high = sorted((float(start), float(stop)))
        if not high > low:
            raise FexError(f"A range needs two different times, but got {low:g} s twice.")
        new = Range(recording or "", low, high, label, track)
        return Annotations((*self.ranges, new))

    def remove(self, position: int) -> Annotations:
        """Take away one, by its position; FexError if there is none."""
        if not -len(self.ranges) <= position < len(self.ranges):
            raise FexError(f"There is no range {position}; there are {len(self.ranges)}.")
        kept = list(self.ranges)
        del kept[position]
        return Annotations(tuple(kept))

    def relabel(self, position: int, label: str) -> Annotations:
        """Change the words of one."""
        kept = list(self.ranges)
        kept[position] = replace(kept[position], label=label)
        return Annotations(tuple(kept))

    def table(self) -> pd.DataFrame:
        """Give them as a table of events.

        Returns
        -------
        DataFrame
            ``input track feature label onset offset duration``, in order of recording and onset;
            ``track`` is missing where the whole frame is meant. What
            :func:`facemt_analysis.io.write_events` writes.
        """
        rows = [
            (r.recording, r.track, "annotation", r.label, r.onset, r.offset, r.offset - r.onset)
            for r in sorted(self.ranges, key=lambda r: (r.recording, r.onset, r.offset))
        ]
        names = ["input", "track", "feature", "label", "onset", "offset", "duration"]
        return pd.DataFrame(rows, columns=names).astype({"track": "Int64"})

    @classmethod
    def from_table(cls, events: pd.DataFrame) -> Annotations:
        """Take the stretches of a table with ``onset`` and ``offset`` or ``duration``."""
        marks = cls()
        for row in events.to_dict("records"):
            onset = float(row["onset"])
            end = row.get("offset")
            offset = float(end) if pd.notna(end) else onset + float(row["duration"])
            words = row.get("label", row.get("feature", ""))
            track = row.get("track")
            marks = marks.add(
                row.get("input"), onset, offset, "" if pd.isna(words) else str(words),
                None if pd.isna(track) else int(track),
            )  # fmt: skip
        return marks
