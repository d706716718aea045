"""One frame of a recording with what was found in it: which rows, and whose picture."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.errors import FexError, MediaError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from facemt_analysis.fex.table import Fex

__all__ = ["Media", "frame_rows", "plot_frame", "read_frame"]

Image = npt.NDArray[np.uint8]
Media = str | PathLike[str] | Mapping[str, str | PathLike[str]] | Image | None
"""A video, image, folder or mapping of recordings to files; the picture itself; None: look in the
working directory for the file called like the recording."""


def plot_frame(
    fex: Fex,
    frame: int | None = None,
    media: Media = None,
    *,
    time: float | None = None,
    recording: str | None = None,
    ax: Axes | None = None,
    **parts: Any,
) -> Axes:
    """Draw a frame and the faces found in it; see :meth:`Fex.plot_frame`."""
    from facemt_analysis.measures import rotation_convention
    from facemt_analysis.plotting import plot_overlay

    rows = frame_rows(fex, frame, time=time, recording=recording)
    picture = media if isinstance(media, np.ndarray) else read_frame(media, rows.iloc[0])
    return plot_overlay(
        picture, rows, convention=rotation_convention(fex.info.conventions), ax=ax, **parts
    )


def frame_rows(
    table: pd.DataFrame,
    frame: int | None = None,
    *,
    time: float | None = None,
    recording: str | None = None,
) -> pd.DataFrame:
    """Give the rows of one frame, one per face.

    Parameters
    ----------
    table
        With ``frame``, or ``time`` if that is what is asked for.
    frame
        Number of the frame.
    time
        Seconds, instead of `frame`: the last frame at or before it.
    recording
        Which ``input``, if there are several.

    Raises
    ------
    FexError
        If it is not said which frame, or there is no such frame.

    Examples
    --------
    >>> table = pd.DataFrame({"frame": [0, 1, 1], "time": [0.0, 0.5, 0.5], "track": [0, 0, 1]})
    >>> len(frame_rows(table, time=0.7)), frame_rows(table, 0)["track"].tolist()
    (2, [0])
    """
    if (frame is None) == (time is None):
        raise FexError("Say which frame: its number or time=, seconds; one of the two.")
    column = "frame" if time is None else "time"
    if column not in table.columns:
        raise FexError(f"The table has no column {column!r}, which says what frame a row is of.")
    rows = pd.DataFrame(table)
    if "input" in rows.columns:
        there = rows["input"].unique().tolist()
        if recording is None and len(there) > 1:
            raise FexError(
                f"There are {len(there)} recordings; say which: recording={there[0]!r} …"
            )
        if recording is not None:
            rows = rows[(rows["input"] == recording).to_numpy(np.bool_, na_value=False)]
            if rows.empty:
                raise FexError(f"There is no recording {recording!r}; see fex.recordings.")
    moments = rows[column].to_numpy(np.float64, na_value=np.nan)
    if time is not None:
        moments = np.where(moments <= time + 1e-6, moments, np.nan)
        wanted = float(np.nanmax(moments, initial=-np.inf))
    else:
        wanted = float(frame or 0)
    found: pd.DataFrame = rows.loc[moments == wanted]
    if found.empty:
        asked = f"frame {frame}" if time is None else f"frame at or before {time:g} s"
        low, high = rows[column].min(), rows[column].max()
        raise FexError(f"There is no {asked}; {column} goes from {low:g} to {high:g}.")
    return found


def read_frame(media: Media, row: pd.Series) -> Image:
    """Read the picture that a row was measured on.

    Parameters
    ----------
    media
        See :data:`Media`.
    row
        Row with ``frame``, and ``input`` and ``time`` where the table has them.

    Raises
    ------
    MediaError
        If there is no such file or frame.
    """
    from facemt_analysis.detection.media import open_recordings
    from facemt_analysis.detection.media.kinds import Kind, kind_of
    from facemt_analysis.detection.media.random_access import FrameReader
    from facemt_analysis.interactive.video_source import find_video

    if isinstance(media, np.ndarray):
        return media
    name = row.get("input")
    path = find_video(media, name)
    if path is None and isinstance(media, (str, PathLike)) and Path(media).is_dir():
        path = Path(media)  # the folder of images itself
    if path is None:
        raise MediaError(
            f"{name or 'The recording'}: its file is not there; say where: media='folder or file'."
        )
    time = float(row.get("time", np.nan))
    if path.is_file() and kind_of(path) is Kind.VIDEO and np.isfinite(time):
        with FrameReader(path) as reader:
            return np.array(reader.at(time).image)
    wanted = int(row.get("frame", 0))
    for picture in open_recordings(path)[0].frames():
        if picture.index == wanted:
            return picture.image
        if picture.index > wanted:
            break
    raise MediaError(f"{path.name}: there is no frame {wanted}.")
