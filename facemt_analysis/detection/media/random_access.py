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
from time import monotonic
from types import TracebackType
from typing import NamedTuple, Self, cast

import av
import numpy as np
import numpy.typing as npt
from av.video.codeccontext import VideoCodecContext

from facemt_analysis.detection.media.container import Video, open_video
from facemt_analysis.detection.media.files import shown
from facemt_analysis.detection.media.passing import Way
from facemt_analysis.detection.media.pixels import PixelConverter
from facemt_analysis.errors import MediaError

__all__ = ["FrameReader", "ShownFrame"]

Image = npt.NDArray[np.uint8]

# Decoding on costs less than seeking back to a key picture when the frame is this near, in seconds.
_NEAR = 1.0
# A key picture that a seek finds may lie behind the time asked for, in open groups of pictures.
_BACK = (0.0, 2.0, 10.0)


class ShownFrame(NamedTuple):
    """A frame with its time.

    Attributes
    ----------
    time
        Seconds, as in the column ``time`` of a Fex.
    image
        (H, W, 3) uint8 RGB, upright; read-only, shared with the cache.
    exact
        Whether it is the frame that was asked for, not one on the way to it.
    """

    time: float
    image: Image
    exact: bool = True


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
    A jump decodes from the key picture before the time, but for pictures that no other refers to:
    its duration grows with the distance of key pictures in the file (phones and cameras: half a
    second to two; films encoded for the web: up to ten). All methods may be called from several
    threads.
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
        self._way = Way(iter(()))
        self._leaves_out = True  # pictures that are passed and that no other refers to
        self._ahead: av.VideoFrame | None = None  # decoded, not shown yet
        self._frames = self._decoded()
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

    def at(self, time: float, *, patience: float | None = None) -> ShownFrame:
        """Give the frame that is on the screen at a time: the last one not after it.

        Parameters
        ----------
        time
            Seconds; before the first frame, the first is given, behind the end the last.
        patience
            After so many seconds of decoding the frame that has been reached is given instead,
            marked as not exact; asked again, the reader goes on from there. None: wait.

        Raises
        ------
        MediaError
            When nothing can be decoded there.
        """
        with self._lock:
            stamp = self._stamp(time)
            cached = self._cached(stamp)
            if cached is not None:
                return cached
            return self._decode(stamp, None if patience is None else monotonic() + patience)

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

    def _decode(self, stamp: int, deadline: float | None) -> ShownFrame:
        if not self._leads_to(stamp):
            self._go_before(stamp)
        self._way.lead_to(stamp)
        current = self._ahead
        if current is None or current.pts is None:
            raise MediaError(f"{shown(self.path)}: nothing can be decoded at this time.")
        while True:
            following = self._advance()
            if following is None or following.pts is None or following.pts > stamp:
                break
            current = following
            late = deadline is not None and monotonic() > deadline
            if late and current.pts != self._way.expected:
                return self._shown(current)._replace(exact=False)
        reached, expected = cast("int", current.pts), self._way.expected
        if self._leaves_out and expected is not None and reached < expected:
            # it is hidden or damaged: the one before it is shown, and may have been left out
            self._leaves_out = False
            self._ahead = None
            try:
                return self._decode(stamp, None)
            finally:
                self._leaves_out = True
        return self._keep(current, None if following is None else following.pts)

    def _leads_to(self, stamp: int) -> bool:
        """Whether decoding on is the shortest way, as far as can be told."""
        video, ahead, target = self._video, self._ahead, self._way.target
        if ahead is None or ahead.pts is None or ahead.pts > stamp:
            return False
        if target is not None and stamp < target:  # left on the way: this one may be left out
            return False
        if stamp == target or stamp - ahead.pts <= Fraction(_NEAR) / video.tick:
            return True
        if not (video.is_mov and video.stream.frames):  # the index need not be complete
            return False
        row = video.stream.index_entries.search_timestamp(stamp)
        return row >= 0 and video.stream.index_entries[row].timestamp <= ahead.pts

    def _go_before(self, stamp: int) -> None:
        """Decode the key picture at or before a timestamp."""
        for back in _BACK:
            self._seek(max(stamp - floor(Fraction(back) / self._video.tick), self._first))
            self._way.lead_to(stamp)
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
        """Decode from where the container stands, on the way to the target the fewest possible."""
        video = self._video
        context = video.stream.codec_context
        self._way = Way(video.container.demux(video.stream))
        return self._decoded_on(self._way, context)

    def _decoded_on(self, way: Way, context: VideoCodecContext) -> Iterator[av.VideoFrame]:
        for packet, passed in way:
            context.skip_frame = "NONREF" if passed and self._leaves_out else "DEFAULT"
            try:
                yield from packet.decode()
            except av.FFmpegError:  # a damaged picture is passed over
                continue

    def _advance(self) -> av.VideoFrame | None:
        """Decode one frame further."""
        self._ahead = next(self._frames, None)
        return self._ahead

    def _keep(self, frame: av.VideoFrame, following: int | None) -> ShownFrame:
        given = self._shown(frame)
        stamp = cast("int", frame.pts)
        self._cache[stamp] = given
        self._next_of[stamp] = following
        while len(self._cache) > max(1, self._room // given.image.nbytes):
            old, _ = self._cache.popitem(last=False)
            del self._next_of[old]
        return given

    def _shown(self, frame: av.VideoFrame) -> ShownFrame:
        if frame.pts is None:
            raise MediaError(f"{shown(self.path)}: a frame has no timestamp.")
        image = self._convert(frame)
        image.flags.writeable = False
        return ShownFrame(float(frame.pts * self._video.tick - self._video.origin), image)
