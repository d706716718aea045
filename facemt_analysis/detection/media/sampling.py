"""Which frames of a recording are wanted: every, fps, start, stop."""

from __future__ import annotations

import math
from dataclasses import dataclass

from facemt_analysis.errors import MediaError

__all__ = ["Sampling", "Selector"]


@dataclass(frozen=True)
class Sampling:
    """A validated choice of frames; see `Recording.frames` for what the fields mean."""

    every: int = 1
    fps: float | None = None
    start: float | None = None
    stop: float | None = None
    after: tuple[int, float] | None = None

    @classmethod
    def checked(
        cls,
        *,
        every: int,
        fps: float | None,
        start: float | None,
        stop: float | None,
        after: tuple[int, float] | None = None,
    ) -> Sampling:
        """Build a choice from what a user gave.

        Raises
        ------
        MediaError
            When a value is out of range or two of them exclude each other.
        """
        if not (math.isfinite(every) and every == int(every) and every >= 1):
            raise MediaError(f"`every` must be a whole number from 1 up, but got {every!r}.")
        if fps is not None and not (math.isfinite(fps) and fps > 0):
            raise MediaError(f"`fps` must be a positive number, but got {fps!r}.")
        if fps is not None and every != 1:
            raise MediaError(
                f"`every` and `fps` exclude each other, but got every={every} and fps={fps:g}; "
                "pass one of them."
            )
        for name, value in (("start", start), ("stop", stop)):
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise MediaError(f"`{name}` must be seconds from 0 up, but got {value!r}.")
        if stop is not None and stop <= (start or 0.0):
            raise MediaError(
                f"`stop` must be later than `start`, but got start={start or 0.0:g} "
                f"and stop={stop:g}."
            )
        # start=0 asks for everything: no frame is earlier
        return cls(int(every), fps, start or None, stop, after)

    @property
    def entry(self) -> float | None:
        """Time before which nothing is wanted, as far as known."""
        if self.after is not None and math.isfinite(self.after[1]):
            return self.after[1] or None
        return self.start

    @property
    def needs_clock(self) -> bool:
        """Whether the choice speaks of seconds."""
        return self.fps is not None or self.start is not None or self.stop is not None

    def describe(self) -> str:
        """Say the choice in words.

        >>> Sampling(start=2.0, stop=3.5).describe()
        'start=2 s, stop=3.5 s'
        """
        parts = [f"{n}={v:g} s" for n, v in (("start", self.start), ("stop", self.stop)) if v]
        if self.fps is not None:
            parts.append(f"fps={self.fps:g}")
        return ", ".join(parts)

    def rate_from(self, rate: float | None) -> float | None:
        """Frames a second that are kept of a recording of an average `rate`.

        >>> Sampling(every=3).rate_from(30.0), Sampling(fps=50.0).rate_from(25.0)
        (10.0, 25.0)
        """
        if not rate:
            return None
        return rate / self.every if self.fps is None else min(rate, self.fps)

    def estimate(self, total: int | None, rate: float | None) -> int | None:
        """Estimate the number of frames out of `total` at an average `rate` in Hz.

        >>> Sampling(every=3).estimate(100, None), Sampling(start=1.0, stop=2.0).estimate(100, 25.0)
        (34, 25)
        """
        if total is None:
            return None
        if not self.needs_clock:
            return -(-total // self.every)
        if not rate:
            return None
        first = min(total, math.ceil((self.start or 0.0) * rate))
        last = total if self.stop is None else min(total, math.ceil(self.stop * rate))
        if self.fps is not None:
            return min(last - first, math.ceil((last - first) / rate * self.fps))
        return -(-last // self.every) - -(-first // self.every)


class Selector:
    """Applies a `Sampling` to frames that come in order.

    Parameters
    ----------
    sampling
        The choice.
    tolerance
        Seconds by which a frame may precede a time of the `fps` grid and still count as being on
        it, since timestamps are rounded to the resolution of the stream's clock.

    Examples
    --------
    >>> selector = Selector(Sampling(fps=10.0))
    >>> [i for i in range(10) if selector.keeps(i, i / 30)]
    [0, 3, 6, 9]
    """

    def __init__(self, sampling: Sampling, tolerance: float = 1e-9) -> None:
        self._sampling = sampling
        self._tolerance = max(tolerance, 1e-9)
        self._origin = sampling.start or 0.0
        self._step = 0  # the next wanted time is origin + step / fps
        self._seen = -1
        if sampling.after is not None:
            self._seen, last = sampling.after
            if sampling.fps is not None:
                # the frame there was kept; a hair more, since its time may round to before its own
                self._step = math.floor(self._elapsed(last) + 1e-6) + 1

    @property
    def next_time(self) -> float:
        """Earliest time that is still wanted."""
        fps = self._sampling.fps
        return self._origin if fps is None else self._origin + self._step / fps

    @property
    def next_index(self) -> int:
        """Smallest index that is still wanted, as far as `every` goes."""
        every = self._sampling.every
        return (self._seen // every + 1) * every

    def is_sparse(self, pictures: int, rate: float) -> bool:
        """Whether on average more than that many pictures lie between wanted ones."""
        fps = self._sampling.fps
        return (self._sampling.every if fps is None else rate / fps) > pictures

    def keeps(self, index: int, time: float) -> bool:
        """Decide on one frame, in order; one that comes again is refused."""
        if index <= self._seen:
            return False
        self._seen = index
        sampling = self._sampling
        if index % sampling.every or (sampling.start is not None and time < sampling.start):
            return False
        if sampling.fps is not None:
            if time < self.next_time - self._tolerance:
                return False
            self._step = max(self._step, math.floor(self._elapsed(time))) + 1
        return True

    def _elapsed(self, time: float) -> float:
        """Count steps of the grid from its origin to a time."""
        return (time - self._origin + self._tolerance) * (self._sampling.fps or 1.0)

    def ended(self, time: float) -> bool:
        """Whether neither this frame nor a later one is wanted."""
        return self._sampling.stop is not None and time >= self._sampling.stop
