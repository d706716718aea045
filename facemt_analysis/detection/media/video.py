"""Videos as recordings."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from facemt_analysis.detection.media.clock import Clock
from facemt_analysis.detection.media.container import open_video
from facemt_analysis.detection.media.files import shown
from facemt_analysis.detection.media.losses import losses
from facemt_analysis.detection.media.packets import PacketReader
from facemt_analysis.detection.media.pixels import PixelConverter
from facemt_analysis.detection.media.reader import Numbering, PictureReader, WrongEntryError
from facemt_analysis.detection.media.recording import Frame, MediaInfo, Recording
from facemt_analysis.detection.media.sampling import Sampling, Selector
from facemt_analysis.detection.media.seeking import Jumper
from facemt_analysis.detection.media.survey import survey
from facemt_analysis.errors import MediaError

__all__ = ["VideoRecording"]


class VideoRecording(Recording):
    """One video file.

    Reading begins at the last key picture before `start`, and sparse sampling jumps over what
    nobody wants. For that, QuickTime, MP4 and AVI files have an index; others (Matroska, WebM,
    transport streams) are read up to `start` once without being decoded, to count their pictures,
    and are not jumped in. Index, time and pixels of a frame are the same however it was reached:
    where they could differ, the video is decoded from its beginning.

    Parameters
    ----------
    name
        Name of the recording.
    path
        The file. It is opened when something is asked of it.
    frame_rate
        Frames per second of a stream without timestamps (bare H.264, for one). Others keep their
        own.
    """

    path: Path

    def __init__(self, name: str, path: Path, frame_rate: float | None = None) -> None:
        super().__init__(name, path)
        self._given_rate = frame_rate
        self._numbering = Numbering(path)

    @property
    def has_clock(self) -> bool:
        """Whether the stream has timestamps, or a frame rate was given in their place."""
        return self._facts.stamped or self._given_rate is not None

    @property
    def continuous(self) -> bool:
        """True: frames of a video follow each other."""
        return True

    def describe(self) -> MediaInfo:
        """Describe the streams; decodes the first picture."""
        with open_video(self.path) as video:
            return survey(video, self.name)

    def _extent(self) -> tuple[int | None, float | None]:
        return self._facts.frames, self._facts.rate

    @cached_property
    def _facts(self) -> _Facts:
        with open_video(self.path) as video:
            first = next(iter(PacketReader(video)), None)
            stamped = first is not None and first.stamp is not None
            frames, rate = video.pictures, float(video.rate)
            if frames is None and video.length is not None:
                frames = max(1, round(video.length * rate))
            # clocks that count milliseconds round to half of one; coarser ones count frames
            tolerance = min(float(video.tick) / 2, 0.0005)
            return _Facts(stamped, frames, rate if stamped else self._given_rate, tolerance)

    def _frames(self, sampling: Sampling) -> Generator[Frame, None, None]:
        selector = Selector(sampling, self._facts.tolerance)
        try:
            yield from self._read(sampling, selector, jump=self._facts.stamped)
        except WrongEntryError:
            # the file is not what its index says: only decoding from the beginning is sure
            yield from self._read(sampling, selector, jump=False)

    def _read(
        self, sampling: Sampling, selector: Selector, *, jump: bool
    ) -> Generator[Frame, None, None]:
        with open_video(self.path) as video:
            reader = PictureReader(video, self._numbering, sound_too=video.promises_end)
            convert = PixelConverter(video.pixel_aspect)
            clock = Clock(video.tick, video.origin, 1 / video.rate)
            jumper = Jumper(video, self._numbering) if jump else None
            if jumper and sampling.entry and (entry := jumper.enter(sampling.entry)):
                reader.begin_at(entry)
            ended = False
            for picture in reader:
                time = self._time(picture.index, picture.stamp, clock)
                if ended := selector.ended(time):
                    break
                if not selector.keeps(picture.index, time):
                    continue
                try:
                    image = convert(picture.frame)
                except MediaError as error:
                    raise MediaError(f"{shown(self.path)}: {error}") from error
                yield Frame(picture.index, time, image)
                if jumper and (entry := jumper.skip(selector, reader.packets.count)):
                    reader.begin_at(entry)
            self._problems += losses(video, reader, self._numbering, to_the_end=not ended)
            self._problems += self._clock_problems(clock, reader)

    def _time(self, index: int, stamp: int | None, clock: Clock) -> float:
        if self._facts.stamped:
            return clock.time(stamp)
        return float("nan") if self._given_rate is None else index / self._given_rate

    def _clock_problems(self, clock: Clock, reader: PictureReader) -> list[str]:
        notes = (
            (clock.missing, "frames have no timestamp; they were timed by the frame rate"),
            (clock.repeated, "frames have the timestamp of an earlier one; they were moved on"),
            (reader.packets.jumps, "jumps of the clock back in time were taken out"),
        )
        return [f"{n} {what}" for n, what in notes if n]


@dataclass(frozen=True)
class _Facts:
    stamped: bool  # whether packets have timestamps
    frames: int | None  # expected number of frames
    rate: float | None
    tolerance: float  # seconds by which timestamps may be rounded
