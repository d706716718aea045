"""The frames to show beside a table: from its video, or a stand-in where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.detection.media.random_access import FrameReader
from facemt_analysis.errors import MediaError
from facemt_analysis.interactive.raster import placeholder

__all__ = ["Shown", "VideoSource", "find_video"]

Pixels = npt.NDArray[np.uint8]
Videos = str | PathLike[str] | Mapping[str, str | PathLike[str]] | None


class Shown(NamedTuple):
    """What is shown for a moment.

    Attributes
    ----------
    image
        (H, W, 3) uint8 RGB.
    scale
        Its size over that of the frame the table was measured on.
    time
        Time of the video's frame, s; NaN for a stand-in.
    exact
        Whether it is the frame that was asked for, not one on the way to it.
    """

    image: Pixels
    scale: float
    time: float
    exact: bool = True


def find_video(video: Videos, recording: str | None) -> Path | None:
    """Find the file of a recording.

    Parameters
    ----------
    video
        A file; a folder, in which the file called like the recording is looked for; a mapping of
        recordings to files; or None, for the working directory.
    recording
        Name of the recording.

    Returns
    -------
    Path or None
        None where there is no such file.
    """
    if isinstance(video, Mapping):
        given = video.get(recording or "")
        return Path(given) if given is not None and Path(given).is_file() else None
    place = Path.cwd() if video is None else Path(video)
    if place.is_file():
        return place
    if not place.is_dir() or recording is None:
        return None
    exact = place / recording
    if exact.is_file():
        return exact
    # names in tables may lack the ending, or come from another folder
    stem = Path(recording).name
    found = sorted(p for p in place.iterdir() if p.is_file() and stem in (p.name, p.stem))
    return found[0] if found else None


def missing_words(video: Videos, recording: str | None) -> str:
    """Say what is wrong where :func:`find_video` finds nothing.

    >>> missing_words("moved/talk.mp4", "talk.mp4")
    'no video: moved/talk.mp4 is not there'
    """
    if video is None:
        return "no video: pass its path"
    if isinstance(video, Mapping):
        given = video.get(recording or "")
        return f"no video: none is given for {recording}" if given is None else (
            f"no video: {given} is not there"
        )  # fmt: skip
    there = Path(video).is_dir()
    return f"no video: {video} " + (f"has none called {recording}" if there else "is not there")


class VideoSource:
    """Frames of one recording by time, decoded when asked for, a few kept, the next fetched ahead.

    Parameters
    ----------
    path
        The video; None: frames are stand-ins of the right size.
    rows
        Rows of the recording, for the size of the frame.
    width
        Wider frames are scaled down to so many px.
    cache_bytes
        Decoded frames are kept up to this size.
    missing
        What is wrong where there is no `path`.

    Notes
    -----
    A missing, moved or broken video is no error: :attr:`problem` says what is wrong, and stand-ins
    are shown.
    """

    def __init__(
        self, path: Path | None, rows: pd.DataFrame, *, width: int = 720,
        cache_bytes: int = 96 * 2**20, missing: str = "no video: pass its path",
    ) -> None:  # fmt: skip
        self.path = path
        self._size = _frame_size(rows)
        self._width = width
        self._reader: FrameReader | None = None
        self._ahead: ThreadPoolExecutor | None = None
        self._fetching: Future[object] | None = None
        self.problem = "" if path is not None else missing
        if path is None:
            return
        try:
            self._reader = FrameReader(path, width=width, cache_bytes=cache_bytes)
        except MediaError as error:
            self.problem = str(error)
            return
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="facemt-prefetch")

    def at(self, time: float, *, patience: float | None = None) -> Shown:
        """Give the frame on the screen at a time, or after some seconds one on the way to it."""
        if self._reader is not None:
            try:
                found = self._reader.at(time, patience=patience)
            except MediaError as error:
                self.problem = str(error)
            else:
                full = self._size[0] or found.image.shape[1]
                scale = found.image.shape[1] / full
                return Shown(found.image, scale, found.time, found.exact)
        return self._stand_in()

    def fetch_ahead(self, time: float) -> None:
        """Decode a frame in the background that will be asked for soon."""
        if self._ahead is None or self._reader is None:
            return
        if self._fetching is None or self._fetching.done():
            self._fetching = self._ahead.submit(self._quietly, time)

    def close(self) -> None:
        """Let go of the file."""
        if self._ahead is not None:
            self._ahead.shutdown(wait=True, cancel_futures=True)
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _quietly(self, time: float) -> None:
        if self._reader is not None:
            try:
                self._reader.at(time)
            except MediaError:
                return  # whoever asks for the frame itself is told

    def _stand_in(self) -> Shown:
        width, height = self._size if self._size[0] else (640, 360)
        scale = min(1.0, self._width / width)
        image = placeholder(round(width * scale), round(height * scale), self.problem[:90])
        return Shown(image, scale, float("nan"))


def _frame_size(rows: pd.DataFrame) -> tuple[int, int]:
    """Width and height of the frames in px; 0 where the table does not say."""
    sizes = []
    for name in ("FrameWidth", "FrameHeight"):
        column = rows[name].dropna() if name in rows.columns else pd.Series(dtype=float)
        sizes.append(int(column.iloc[0]) if len(column) else 0)
    return sizes[0], sizes[1]
