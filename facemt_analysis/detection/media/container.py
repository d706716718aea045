"""Video files as FFmpeg opens them: the stream that is read, and the zero of its clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from facemt_analysis.detection.media.files import check_file, shown
from facemt_analysis.detection.media.images import MAX_PIXELS, check_size, most_pixels
from facemt_analysis.errors import MediaError

__all__ = ["Video", "has_decoder", "open_video"]

# Pictures that are not film: covers, thumbnails, HEIC tiles.
_NOT_FILM = (
    Disposition.attached_pic
    | Disposition.timed_thumbnails
    | Disposition.still_image
    | Disposition.dependent
)
# Text, playlists (which name other files) and still images are not read as video.
_REFUSED = re.compile(r"image2|_pipe\b|tty|concat|hls|dash|applehttp|\bass\b|srt|webvtt|subviewer")


@dataclass(frozen=True)
class Video:
    """An open container and the one video stream of it that is read.

    Parameters
    ----------
    path
        The file.
    container, stream
        PyAV's objects.
    tick
        Seconds of one unit of the stream's timestamps.
    origin
        Timestamp, in seconds, that is time 0: the start of the container.
    """

    path: Path
    container: InputContainer
    stream: VideoStream
    tick: Fraction
    origin: Fraction

    @property
    def rate(self) -> Fraction:
        """Average frames per second as the container says, or 25 where it says nothing."""
        rate = self.stream.average_rate or self.stream.guessed_rate
        return Fraction(rate) if rate and rate > 0 else Fraction(25)

    @property
    def names(self) -> frozenset[str]:
        """FFmpeg's names of the container."""
        return frozenset(self.container.format.name.split(","))

    @property
    def pictures(self) -> int | None:
        """Pictures to be shown by the list of the container, where it has one."""
        if self.is_mov and self.stream.frames:
            return sum(not entry.is_discard for entry in self.stream.index_entries)
        return self.stream.frames if self.is_avi and self.stream.frames else None

    @property
    def length(self) -> float | None:
        """Seconds from the start to the end of the file, where it says so or can be measured."""
        if self.promises_end:
            end = self.promised_end
            return None if end is None else max(0.0, end - float(self.origin))
        duration = self.container.duration
        return None if duration is None else duration / 1e6

    @property
    def promises_end(self) -> bool:
        """Whether the container says where it ends instead of listing its pictures."""
        if self.is_mov:
            return not self.stream.frames  # in fragments
        return bool(self.names & {"matroska", "webm", "flv", "asf"})

    @property
    def promised_end(self) -> float | None:
        """Seconds on the container's clock at which the file says it ends."""
        own = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", self.stream.metadata.get("DURATION", ""))
        if own:
            return int(own[1]) * 3600 + int(own[2]) * 60 + float(own[3])
        if self.container.duration is None:
            return None
        return self.container.duration / 1e6

    @property
    def is_mov(self) -> bool:
        """Whether the container is of the QuickTime family, which begins or ends with an index."""
        return "mov" in self.names

    @property
    def is_avi(self) -> bool:
        """Whether the container is AVI: its timestamps are those of decoding."""
        return "avi" in self.names

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel relative to its height; 1 where the file says nonsense."""
        aspect = self.stream.sample_aspect_ratio
        if not aspect or not Fraction(1, 5) <= aspect <= 5:
            return Fraction(1)
        return Fraction(aspect)


@contextmanager
def open_video(path: Path) -> Iterator[Video]:
    """Open a video for reading and close it afterwards.

    Raises
    ------
    MediaError
        When the file is missing, no video, holds sound only, or has absurdly large pictures.
    """
    check_file(path)
    try:
        # the prefix keeps a colon in the name from naming a protocol; nothing but files is read
        container = av.open(
            f"file:{path}",
            options={"max_pixels": str(MAX_PIXELS)},
            container_options={"protocol_whitelist": "file"},
            metadata_errors="replace",
        )
    except av.FFmpegError as error:
        reason = (getattr(error, "strerror", None) or type(error).__name__).rstrip(".")
        what = _cut_off(path) or f"not a video or image that can be read ({reason})"
        raise MediaError(f"{shown(path)}: {what}.") from error
    with container:
        yield _video(path, container)


def _cut_off(path: Path) -> str | None:
    """Say that a QuickTime file lacks its index, which most recorders write at the end."""
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] not in (b"ftyp", b"mdat", b"moov", b"wide", b"free"):
        return None
    return (
        "the video has no index (its recording was cut off, or the file is damaged); "
        "copy it again or repair it"
    )


def _video(path: Path, container: InputContainer) -> Video:
    if _REFUSED.search(container.format.name):
        raise MediaError(f"{shown(path)}: not a video ({container.format.long_name}).")
    films = [s for s in container.streams.video if not s.disposition & _NOT_FILM]
    readable = [s for s in films if has_decoder(s)]
    if not readable:
        raise MediaError(f"{shown(path)}: {_no_film(path, container, films)}.")
    stream = min(readable, key=_rank)
    width, height = stream.codec_context.width, stream.codec_context.height
    check_size(path, width, height, "video")
    stream.thread_type = "AUTO"
    stream.codec_context.options = {"max_pixels": str(most_pixels(path))}
    tick = Fraction(stream.time_base or Fraction(1, 1_000_000))
    return Video(path, container, stream, tick, _origin(container, stream, tick))


def has_decoder(stream: Stream) -> bool:
    """Whether this build of FFmpeg can decode a stream."""
    return getattr(stream, "codec_context", None) is not None


def _rank(stream: VideoStream) -> tuple[bool, int, int]:
    """Order streams: the one marked as default first, then the largest, then the first."""
    context = stream.codec_context
    chosen = bool(stream.disposition & Disposition.default)
    return (not chosen, -context.width * context.height, stream.index)


def _no_film(path: Path, container: InputContainer, films: list[VideoStream]) -> str:
    if films:
        tags = ", ".join(sorted({_codec_tag(s) for s in films}))
        return f"its video codec ({tags}) cannot be decoded here; convert the file to H.264"
    if container.streams.audio:
        return "has sound only; expected a video stream"
    return _cut_off(path) or "has no video stream"


def _codec_tag(stream: Stream) -> str:
    try:
        return str(stream.codec_tag) or "unknown"
    except AttributeError:  # PyAV keeps the tag with the decoder, of which there is none
        return "unknown"


def _origin(container: InputContainer, stream: VideoStream, tick: Fraction) -> Fraction:
    """Start of the container in seconds, exact where the video itself starts it.

    FFmpeg gives it rounded to microseconds; the first frame should be at 0, not at 3e-7.
    """
    microseconds = cast("int | None", container.start_time)  # PyAV's stub denies the None
    if microseconds is None:
        return (stream.start_time or 0) * tick
    start = Fraction(microseconds, 1_000_000)
    if stream.start_time is not None:
        exact = stream.start_time * tick
        if abs(exact - start) <= Fraction(1, 1_000_000):
            return exact
    return start
