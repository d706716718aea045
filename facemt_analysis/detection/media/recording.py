"""What every recording is: a name, a clock or none, and a stream of frames."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facemt_analysis.detection.media.sampling import Sampling
from facemt_analysis.errors import MediaError

__all__ = ["Frame", "Image", "MediaInfo", "Recording"]

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a recording.

    Parameters
    ----------
    index
        Number of the picture in the decoded stream (in an image folder: of the file), from 0. The
        same picture has the same index however it was reached.
    time
        Seconds on the recording's clock; NaN when the recording has none.
    image
        (H, W, 3) uint8 RGB, upright, square pixels, C-contiguous.
    name
        File name of a still image, else None.
    """

    index: int
    time: float
    image: Image
    name: str | None = None


@dataclass(frozen=True)
class MediaInfo:
    """What a file holds, as far as it says without being decoded to its end.

    Parameters
    ----------
    name, path
        Name of the recording and where it is.
    kind
        `video`, `animation`, `image`, `images` or `array`.
    width, height
        Size of the upright frames in px, as `frames` gives them.
    frames
        Number of frames; `frames_exact` tells whether it was counted or estimated from the length.
    duration
        Seconds, or None without a clock.
    rate
        Average frames per second.
    variable_rate
        Whether the intervals between frames differ; None when unknown.
    container, codec, pixel_format
        FFmpeg's (or Pillow's) names.
    stored_size
        (width, height) of the pictures as they are coded, before rotation and pixel aspect.
    rotation
        Degrees clockwise by which the stored pictures are turned to stand upright.
    mirrored
        Whether the file asks for mirrored pictures.
    pixel_aspect
        Width of a stored pixel relative to its height.
    colour
        Matrix, range and, for high dynamic range, transfer function.
    audio
        One description for each audio stream.
    other_video
        One description for each video stream (or cover picture) that is not read.
    size_bytes
        Size of the file.
    """

    name: str
    path: Path | None
    kind: str
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    frames_exact: bool = True
    duration: float | None = None
    rate: float | None = None
    variable_rate: bool | None = None
    container: str | None = None
    codec: str | None = None
    pixel_format: str | None = None
    stored_size: tuple[int, int] | None = None
    rotation: int = 0
    mirrored: bool = False
    pixel_aspect: float = 1.0
    colour: str | None = None
    audio: tuple[str, ...] = ()
    other_video: tuple[str, ...] = ()
    size_bytes: int | None = None

    def known(self) -> dict[str, object]:
        """Give the fields that say something, in order.

        >>> MediaInfo("a.png", None, "image", 4, 3, 1).known()
        {'name': 'a.png', 'kind': 'image', 'width': 4, 'height': 3, 'frames': 1}
        """
        quiet: dict[str, object] = {
            "frames_exact": True, "rotation": 0, "mirrored": False, "pixel_aspect": 1.0,
        }  # fmt: skip
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {
            name: value
            for name, value in fields.items()
            if value is not None and value != () and value != quiet.get(name)
        }


class Recording(ABC):
    """One video, image folder, image list, animation or array.

    Recordings come from `open_recordings`. They hold no open file: each call of `frames` opens what
    it needs and closes it when the iteration ends, is broken off or fails.

    Attributes
    ----------
    name
        Value of the Fex column `input`: file name of a video, folder name of an image folder.
    path
        File or folder; None for arrays.
    """

    name: str
    path: Path | None

    def __init__(self, name: str, path: Path | None) -> None:
        self.name = name
        self.path = path
        self._problems: list[str] = []

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @property
    def sources(self) -> tuple[Path, ...]:
        """Files that the recording is read from; none for arrays."""
        return () if self.path is None else (self.path,)

    @property
    @abstractmethod
    def has_clock(self) -> bool:
        """Whether frames have a time."""

    @property
    @abstractmethod
    def continuous(self) -> bool:
        """Whether neighbouring frames follow each other in time, so that faces can be tracked."""

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong in the latest iteration without ending it, one line each.

        Complete once the iteration has ended, e.g. ``37 of 98 frames are missing: the file ends
        early``.
        """
        return tuple(self._problems)

    def frames(
        self,
        *,
        every: int = 1,
        fps: float | None = None,
        start: float | None = None,
        stop: float | None = None,
        after: tuple[int, float] | None = None,
    ) -> Iterator[Frame]:
        """Read the frames in order.

        Parameters
        ----------
        every
            Keep every N-th frame of the stream: those whose index is a multiple of N, wherever the
            reading starts.
        fps
            Keep the first frame at or after each of the times `start` + k / `fps` (within the
            resolution of the stream's clock); a frame is never given twice. Excludes `every`.
        start, stop
            Seconds; keep frames with `start` <= time < `stop`.
        after
            Index and time of a frame that was given before: go on behind it, as if those up to it
            had been read. There may be no frame behind it.

        Yields
        ------
        Frame
            Index and time both strictly increase.

        Raises
        ------
        MediaError
            When the arguments make no sense, need a clock that the recording lacks, or select no
            frame; when the file cannot be read at all.
        """
        sampling = Sampling.checked(every=every, fps=fps, start=start, stop=stop, after=after)
        if sampling.needs_clock and not self.has_clock:
            raise MediaError(
                f"{self.name}: {sampling.describe()} needs a clock, but this source has none; "
                "pass `frame_rate` to give it one."
            )
        self._problems = []
        return self._checked(sampling)

    def count(
        self,
        *,
        every: int = 1,
        fps: float | None = None,
        start: float | None = None,
        stop: float | None = None,
    ) -> int | None:
        """Estimate how many frames `frames` will give, for a progress bar; None when unknown.

        Raises
        ------
        MediaError
            As `frames`.
        """
        sampling = Sampling.checked(every=every, fps=fps, start=start, stop=stop)
        total, rate = self._extent()
        return sampling.estimate(total, rate)

    def rate(self, *, every: int = 1, fps: float | None = None) -> float | None:
        """Estimate how many frames a second `frames` will give; None without a clock.

        Raises
        ------
        MediaError
            As `frames`.
        """
        sampling = Sampling.checked(every=every, fps=fps, start=None, stop=None)
        return sampling.rate_from(self._extent()[1] if self.has_clock else None)

    @abstractmethod
    def describe(self) -> MediaInfo:
        """Say what the recording holds.

        Raises
        ------
        MediaError
            When the file cannot be read.
        """

    @abstractmethod
    def _frames(self, sampling: Sampling) -> Generator[Frame, None, None]:
        """Yield the frames that `sampling` selects."""

    @abstractmethod
    def _extent(self) -> tuple[int | None, float | None]:
        """Estimate the number of frames and their average rate, where known."""

    def _checked(self, sampling: Sampling) -> Generator[Frame, None, None]:
        empty = True
        with closing(self._frames(sampling)) as frames:
            for frame in frames:
                empty = False
                yield frame
        if not empty or sampling.after is not None:
            return
        if sampling.start is None and sampling.stop is None:
            reason = "; ".join(self._problems) or "the file may be damaged or empty"
            raise MediaError(f"{self.name}: no frame could be read ({reason}).")
        reason = f" ({'; '.join(self._problems)})" if self._problems else self._length()
        raise MediaError(
            f"{self.name}: there is no frame at {sampling.describe()}{reason}; "
            "choose a range within the recording."
        )

    def _length(self) -> str:
        total, rate = self._extent()
        return f" (it lasts about {total / rate:.4g} s)" if total and rate else ""
