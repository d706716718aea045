"""Animated images (GIF, WebP, PNG, AVIF) and TIFF stacks as recordings."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import PIL.Image

from facemt_analysis.detection.media.files import shown
from facemt_analysis.detection.media.images import opened_image, quiet, to_rgb
from facemt_analysis.detection.media.recording import Frame, Image, MediaInfo, Recording
from facemt_analysis.detection.media.sampling import Sampling, Selector
from facemt_analysis.errors import MediaError

__all__ = ["AnimationRecording"]

# What browsers make of a frame that says it lasts no time at all.
_DEFAULT_DURATION = 100.0  # ms


class AnimationRecording(Recording):
    """The frames of one animated image, each at the sum of the durations before it.

    A frame whose duration is 0 lasts 0.1 s, as in browsers. The pages of a TIFF have no durations:
    they have no time unless a frame rate is given, and are taken for unrelated pictures then.

    Parameters
    ----------
    name
        Name of the recording.
    path
        The file.
    frame_rate
        Frames per second of a TIFF stack.
    """

    path: Path

    def __init__(self, name: str, path: Path, frame_rate: float | None = None) -> None:
        super().__init__(name, path)
        self._given_rate = frame_rate

    @cached_property
    def _header(self) -> _Header:
        with opened_image(self.path) as image, quiet():
            # a PNG may begin with a picture that is not part of the film
            first = 1 if image.info.get("default_image") else 0
            count = int(getattr(image, "n_frames", 1)) - first
            rate = None
            if image.format == "TIFF":
                rate = self._given_rate
            else:
                image.seek(first)
                image.load()
                rate = 1000.0 / _duration(image)
            return _Header(image.format or "", first, count, rate, image.mode, image.size)

    @property
    def has_clock(self) -> bool:
        """True, but for TIFF stacks without a frame rate."""
        return self._header.rate is not None

    @property
    def continuous(self) -> bool:
        """Whether the frames have a time."""
        return self.has_clock

    def describe(self) -> MediaInfo:
        """Describe the animation; its durations are read from end to end."""
        times: list[float] = []
        end = 0.0
        height = width = None
        for _, time, duration, image in self._pictures():
            times.append(time)
            end = time + duration
            height, width = height or image.shape[0], width or image.shape[1]
        steps = {round(b - a, 6) for a, b in pairwise(times)}
        return MediaInfo(
            self.name, self.path, "animation" if self.has_clock else "images", width, height,
            len(times),
            duration=end if self.has_clock else None,
            rate=len(times) / end if self.has_clock and end else None,
            variable_rate=len(steps) > 1 if self.has_clock else None,
            codec=self._header.format, pixel_format=self._header.mode,
            stored_size=self._header.size,
            size_bytes=self.path.stat().st_size,
        )  # fmt: skip

    def _extent(self) -> tuple[int | None, float | None]:
        # the rate of the first frame stands for all: durations are known only by reading them
        return self._header.count, self._header.rate

    def _frames(self, sampling: Sampling) -> Generator[Frame, None, None]:
        selector = Selector(sampling)
        for index, time, _, image in self._pictures():
            if selector.ended(time):
                return
            if selector.keeps(index, time):
                yield Frame(index, time, image)

    def _pictures(self) -> Iterator[tuple[int, float, float, Image]]:
        """Index, time, duration and pixels of each frame."""
        header = self._header
        elapsed = 0.0  # ms, as files give them: whole numbers add up without rounding
        index = 0
        try:
            with opened_image(self.path) as image:
                for index in range(header.count):
                    with quiet():
                        image.seek(header.first + index)
                        image.load()
                    duration = _duration(image) if header.format != "TIFF" else self._page
                    time = elapsed / 1000.0 if self.has_clock else float("nan")
                    yield index, time, duration / 1000.0, to_rgb(image, self.path)
                    elapsed += duration
        except MediaError as error:
            if index == 0:
                raise
            reason = str(error).removeprefix(f"{shown(self.path)}: ").rstrip(".")
            missing = header.count - index
            self._problems.append(f"{missing} of {header.count} frames are missing: {reason}")

    @property
    def _page(self) -> float:
        return 1000.0 / self._given_rate if self._given_rate else 0.0


@dataclass(frozen=True)
class _Header:
    format: str
    first: int  # position of the first frame of the film
    count: int
    rate: float | None
    mode: str
    size: tuple[int, int]


def _duration(image: PIL.Image.Image) -> float:
    """Milliseconds that the current frame lasts."""
    return float(image.info.get("duration") or _DEFAULT_DURATION)
