"""Frames that are in memory already."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import numpy.typing as npt

from facemt_analysis.detection.media.recording import Frame, MediaInfo, Recording
from facemt_analysis.detection.media.sampling import Sampling, Selector
from facemt_analysis.errors import MediaError

__all__ = ["ArrayRecording"]


class ArrayRecording(Recording):
    """An array of RGB frames; a memory-mapped one is read frame by frame.

    Parameters
    ----------
    frames
        (n, H, W, 3) or (H, W, 3) uint8 RGB.
    frame_rate
        Frames per second; without it frames have no time.
    name
        Name of the recording.

    Raises
    ------
    MediaError
        When type or shape are other. Gray, transparent, channel-first and float arrays are refused
        rather than guessed at.

    Examples
    --------
    >>> film = ArrayRecording(np.zeros((4, 6, 8, 3), np.uint8), frame_rate=2.0)
    >>> [frame.time for frame in film.frames(every=2)]
    [0.0, 1.0]
    """

    def __init__(
        self, frames: npt.NDArray[np.uint8], frame_rate: float | None = None, name: str = "array"
    ) -> None:
        super().__init__(name, None)
        expected = "expected uint8 RGB of shape (n, H, W, 3) or (H, W, 3)"
        if frames.dtype != np.uint8:
            hint = "scale it to 0-255 and use .astype(np.uint8)"
            raise MediaError(f"array: {expected}, but got {frames.dtype}; {hint}.")
        if frames.ndim not in (3, 4) or frames.shape[-1] != 3:
            raise MediaError(
                f"array: {expected}, but got shape {frames.shape}{_hint(frames.shape)}."
            )
        if frames.size == 0:
            raise MediaError(f"array: {expected}, but got the empty shape {frames.shape}.")
        self._array = frames if frames.ndim == 4 else frames[None]
        self._rate = frame_rate

    @property
    def has_clock(self) -> bool:
        """Whether a frame rate was given."""
        return self._rate is not None

    @property
    def continuous(self) -> bool:
        """True: frames of an array follow each other."""
        return True

    def describe(self) -> MediaInfo:
        """Describe shape and length."""
        n, height, width, _ = self._array.shape
        return MediaInfo(
            self.name, None, "array", width, height, n,
            duration=None if self._rate is None else n / self._rate, rate=self._rate,
            variable_rate=None if self._rate is None else False,
            size_bytes=self._array.nbytes,
        )  # fmt: skip

    def _extent(self) -> tuple[int | None, float | None]:
        return len(self._array), self._rate

    def _frames(self, sampling: Sampling) -> Generator[Frame, None, None]:
        selector = Selector(sampling)
        for index, image in enumerate(self._array):
            time = float("nan") if self._rate is None else index / self._rate
            if selector.ended(time):
                return
            if selector.keeps(index, time):
                # read-only frames are copied: torch warns of memory it must not write to
                yield Frame(index, time, np.require(image, requirements=["C", "W"]))


def _hint(shape: tuple[int, ...]) -> str:
    if len(shape) in (3, 4) and shape[-1] == 4:
        return "; drop the alpha channel with [..., :3]"
    if len(shape) in (3, 4) and shape[-3] == 3:
        return "; move the channels last with np.moveaxis(frames, -3, -1)"
    if len(shape) in (2, 3):
        return "; make gray frames RGB with np.repeat(frames[..., None], 3, axis=-1)"
    return ""
