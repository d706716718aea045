"""Single frames of a video by their time, for looking at: nothing is read that is not shown.

`Recording.frames` reads a range in order and numbers its frames; this goes to and fro. A frame is
known by its timestamp, on the same clock as the column ``time`` of a Fex, so it is the frame the
row was measured on.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from math import floor
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import av
import numpy as np
import numpy.typing as npt

from facemt_analysis.detection.media.container import Video, open_video
from facemt_analysis.detection.media.files import shown
from facemt_analysis.detection.media.pixels import PixelConverter
from facemt_analysis.errors import MediaError

__all__ = ["FrameReader", "ShownFrame"]

Image = npt.NDArray[np.uint8]

# Decoding on costs less than seeking back to a key picture when the frame is this near, in seconds.
_NEAR = 1.0
# A key picture that a seek finds may lie behind the time asked for, in open groups of pictures.
_BACK = (0.0, 2.0, 10.0)
# Seconds before the frame asked for from which all pictures are decoded.
_REORDERED = 1.0


class ShownFrame(NamedTuple):
    """A frame with its time.

    Attributes
    ----------
    time
        Seconds, as in the column ``time`` of a Fex.
    image
        (H, W, 3) uint8 RGB, upright; read-only, shared with the cache.
    """

    time: float
    image: Image


class FrameReader:
    """Keeps a video open and gives the frame that is shown at a time.

    Parameters
    ----------
    path
        The file.
    width
        Frames wider than this many px are scaled down; None: as they are.
    cache_bytes
        Frames given lately, and those decoded on the way to them, are kept up to this size.

    Raises
    ------
    MediaError
        When the file is no video, or has no timestamps.

    Notes
    -----
    A jump decodes from the key picture before the time: its duration grows with the distance of key
    pictures in the file (phones and cameras: half a second to two; films encoded for the web: up to
    ten). All methods may be called from several threads.
    """

    def __init__(
        self, path: Path, *, width: int | None = None, cache_bytes: int = 96 * 2**20
    ) -> None:
        self.path = path
        self._room = cache_bytes
        self._cache: OrderedDict[int, ShownFrame] = OrderedDict()
        self._next_of: dict[int, int | None] = {}  # stamp of a cached frame -> that of the next
        self._lock = threading.RLock()
        self._open = ExitStack()
        self._video = self._reopened()
        self._ahead: av.VideoFrame | None = None  # decoded, not shown yet
        self._frames = self._decoded()
        self._target: int | None = None  # what comes well before it need not be shown
        self._convert = PixelConverter(self._video.pixel_aspect, max_width=width)
        try:
            first = self._advance()
            if first is None or first.pts is None:
                raise MediaError(f"{shown(path)}: no frame with a timestamp can be read.")
            self._first: int = first.pts
        except BaseException:
            self._open.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and forget the frames."""
        with self._lock:
            self._cache.clear()
            self._next_of.clear()
            self._open.close()

    @property
    def length(self) -> float | None:
        """Seconds, where the file says or can be measured."""
        return self._video.length

    @property
    def rate(self) -> float:
        """Average frames per second."""
        return float(self._video.rate)

    def at(self, time: float) -> ShownFrame:
        """Give the frame that is on the screen at a time: the last one not after it.

        Parameters
        ----------
        time
            Seconds; before the first frame, the first is given, behind the end the last.

        Raises
        ------
        MediaError
            When nothing can be decoded there.
        """
        with self._lock:
            stamp = self._stamp(time)
            cached = self._cached(stamp)
            return self._decode(stamp) if cached is None else cached

    # ------------------------------------------------------------------ decoding
    def _reopened(self) -> Video:
        self._open.close()
        return self._open.enter_context(open_video(self.path))

    def _stamp(self, time: float) -> int:
        if not np.isfinite(time):
            raise MediaError(f"{shown(self.path)}: there is no frame at {time} s.")
        ticks = (Fraction(time) + self._video.origin) / self._video.tick
        # times are stored as floats, and clocks of milliseconds round: half a frame is far more
        return max(floor(ticks + self._slack), self._first)

    @property
    def _slack(self) -> Fraction:
        return min(Fraction(1, 2), Fraction(1, 2000) / self._video.tick) + Fraction(1, 1000)

    def _cached(self, stamp: int) -> ShownFrame | None:
        """Frame on the screen at a timestamp, if it is kept and known to be the one."""
        for start in reversed(self._cache):
            following = self._next_of.get(start)
            if start <= stamp and following is not None and stamp < following:
                self._cache.move_to_end(start)
                return self._cache[start]
        return None

    def _decode(self, stamp: int) -> ShownFrame:
        near = floor(Fraction(_NEAR) / self._video.tick)
        ahead = self._ahead
        if ahead is None or ahead.pts is None or not ahead.pts <= stamp <= ahead.pts + near:
            self._go_before(stamp)
        self._target = stamp
        current = self._ahead
        if current is None or current.pts is None:
            raise MediaError(f"{shown(self.path)}: nothing can be decoded at this time.")
        while True:
            following = self._advance()
            if following is None or following.pts is None:
                return self._keep(current, None)
            if following.pts > stamp:
                return self._keep(current, following.pts)
            current = following

    def _go_before(self, stamp: int) -> None:
        """Decode the key picture at or before a timestamp."""
        self._target = stamp
        for back in _BACK:
            self._seek(max(stamp - floor(Fraction(back) / self._video.tick), self._first))
            frame = self._advance()
            # containers without an index may land between key pictures: what is decoded before the
            # first one has holes
            while frame is not None and not frame.key_frame:
                frame = self._advance()
            if frame is not None and frame.pts is not None and frame.pts <= stamp:
                return
        self._video = self._reopened()  # some containers cannot be sent to their beginning
        self._frames = self._decoded()
        self._advance()

    def _seek(self, stamp: int) -> None:
        video = self._video
        try:
            video.container.seek(stamp, stream=video.stream, backward=True)
        except av.FFmpegError as error:
            raise MediaError(f"{shown(self.path)}: it cannot be jumped in.") from error
        self._frames = self._decoded()
        self._ahead = None

    def _decoded(self) -> Iterator[av.VideoFrame]:
        """Decode from where the container stands, on the way to the target the fewest possible.

        Pictures that no other refers to (most B pictures) are left out while they are further
        before the target than pictures are reordered by.
        """
        video = self._video
        context = video.stream.codec_context
        reordered = floor(Fraction(_REORDERED) / self._video.tick)
        for packet in video.container.demux(video.stream):
            far = (
                self._target is not None
                and packet.pts is not None
                and packet.pts < self._target - reordered
            )
            context.skip_frame = "NONREF" if far else "DEFAULT"
            try:
                yield from packet.decode()
            except av.FFmpegError:  # a damaged picture is passed over
                continue

    def _advance(self) -> av.VideoFrame | None:
        """Decode one frame further."""
        self._ahead = next(self._frames, None)
        return self._ahead

    def _keep(self, frame: av.VideoFrame, following: int | None) -> ShownFrame:
        stamp = frame.pts
        if stamp is None:
            raise MediaError(f"{shown(self.path)}: a frame has no timestamp.")
        image = self._convert(frame)
        image.flags.writeable = False
        given = ShownFrame(float(stamp * self._video.tick - self._video.origin), image)
        self._cache[stamp] = given
        self._next_of[stamp] = following
        while len(self._cache) > max(1, self._room // image.nbytes):
            old, _ = self._cache.popitem(last=False)
            del self._next_of[old]
        return given
