"""A member of a list that is known to be unreadable, so that the others can be done."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import NoReturn

from facemt_analysis.detection.media.recording import Frame, MediaInfo, Recording
from facemt_analysis.detection.media.sampling import Sampling
from facemt_analysis.errors import MediaError

__all__ = ["UnreadableRecording"]


class UnreadableRecording(Recording):
    """Fails, saying why, whatever is asked of it.

    Parameters
    ----------
    name, path
        As for every recording.
    reason
        Message of the error.
    """

    def __init__(self, name: str, path: Path, reason: str) -> None:
        super().__init__(name, path)
        self._reason = reason

    @property
    def has_clock(self) -> bool:
        """Whether frames have a time: there are none."""
        self._fail()

    @property
    def continuous(self) -> bool:
        """Whether frames follow each other: there are none."""
        self._fail()

    def describe(self) -> MediaInfo:
        """Raise the error."""
        self._fail()

    def _extent(self) -> tuple[int | None, float | None]:
        self._fail()

    def _frames(self, sampling: Sampling) -> Generator[Frame, None, None]:
        del sampling
        self._fail()

    def _fail(self) -> NoReturn:
        raise MediaError(self._reason)
