"""Which part of a file to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.errors import FexError, one_line

__all__ = ["Selection", "shorten"]


def shorten(names: Iterable[object], limit: int = 5) -> str:
    """List names for a message, the first few of many."""
    given = list(names)
    more = len(given) - limit
    text = ", ".join(one_line(name, 80) for name in given[:limit]) or "none"
    return f"{text} and {more} more" if more > 0 else text


@dataclass(frozen=True)
class Selection:
    """Groups, recordings and seconds to read; None means all.

    Parameters
    ----------
    groups
        Feature groups. Keys and labels always come along.
    recordings
        Names in the column `input`.
    start, stop
        Rows with start <= time < stop, in seconds.
    """

    groups: tuple[str, ...] | None = None
    recordings: tuple[str, ...] | None = None
    start: float | None = None
    stop: float | None = None

    @classmethod
    def make(
        cls,
        groups: Sequence[str] | str | None = None,
        recordings: Sequence[str] | str | None = None,
        start: float | None = None,
        stop: float | None = None,
    ) -> Selection:
        """Check what a user asks for.

        Raises
        ------
        FexError
            If a group is unknown, or the times are not an interval.
        """
        if groups is not None:
            groups = (groups,) if isinstance(groups, str) else tuple(groups)
            unknown = [g for g in groups if g not in schema.GROUPS]
            if unknown:
                raise FexError(
                    f"`groups` must name some of {', '.join(schema.GROUPS)}, but got "
                    f"{shorten(unknown)}."
                )
        if recordings is not None:
            recordings = (recordings,) if isinstance(recordings, str) else tuple(recordings)
        for name, value in (("start", start), ("stop", stop)):
            if value is not None and not np.isfinite(value):
                raise FexError(f"`{name}` must be a number of seconds, but got {value!r}.")
        if start is not None and stop is not None and start >= stop:
            raise FexError(f"`start` must lie before `stop`, but got {start:g} and {stop:g} s.")
        return cls(groups, recordings, start, stop)

    @property
    def by_time(self) -> bool:
        """Whether rows are selected by time."""
        return self.start is not None or self.stop is not None

    def columns(self, present: Sequence[str], path: str | PathLike[str]) -> list[str]:
        """Columns to read, in the order of the file.

        Raises
        ------
        FexError
            If a group is not in the file, or a column needed to select rows is not.
        """
        there = set(present)
        for wanted, column, what in (
            (self.recordings is not None, "input", "recordings"),
            (self.by_time, "time", "times"),
        ):
            if wanted and column not in there:
                raise FexError(f"{path}: cannot select {what}, it has no column {column!r}.")
        if self.groups is None:
            return list(present)
        groups = schema.groups_in(present)
        missing = [g for g in self.groups if g not in groups]
        if missing:
            raise FexError(
                f"{path}: it has no group {shorten(missing)}; it has {shorten(groups, 99)}."
            )
        wanted_groups = {"keys", None, *self.groups}
        return [c for c in present if schema.group_of(c) in wanted_groups]

    def rows(self, frame: pd.DataFrame, path: str | PathLike[str]) -> pd.DataFrame:
        """Keep the rows asked for, and the index from 0.

        Raises
        ------
        FexError
            If a recording is not in the table, or no row has a time to select by.
        """
        if self.recordings is None and not self.by_time:
            return frame
        keep = np.ones(len(frame), dtype=np.bool_)
        if self.recordings is not None:
            self.check_recordings(frame["input"].unique(), path)
            keep &= frame["input"].isin(self.recordings).to_numpy()
        if self.by_time:
            time = frame["time"].to_numpy(np.float64, na_value=np.nan)
            if len(time) and np.isnan(time).all():
                raise FexError(f"{path}: cannot select times, its rows have none.")
            # comparisons with NaN are false: rows without a time are left out
            keep &= time >= (-np.inf if self.start is None else self.start)
            keep &= time < (np.inf if self.stop is None else self.stop)
        return frame[keep].reset_index(drop=True)

    def check_recordings(self, present: Iterable[object], path: str | PathLike[str]) -> None:
        """Raise FexError that names the recordings asked for that are not `present`."""
        there = {str(name) for name in present}
        missing = [name for name in self.recordings or () if name not in there]
        if missing:
            raise FexError(
                f"{path}: it has no recording {shorten(missing)}; it has {shorten(sorted(there))}."
            )
