"""Timestamps of a stream to seconds that never stand still."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["Clock"]


class Clock:
    """Turns the timestamps of pictures, in order of presentation, into strictly rising seconds.

    Parameters
    ----------
    tick
        Seconds of one unit.
    origin
        Seconds at which time 0 lies.
    step
        Seconds from one picture to the next where the timestamps do not say.

    Attributes
    ----------
    missing
        Pictures without a timestamp.
    repeated
        Pictures whose timestamp was not later than the one before.

    Examples
    --------
    >>> clock = Clock(Fraction(1, 1000), Fraction(1, 2), Fraction(1, 25))
    >>> [clock.time(stamp) for stamp in (500, 540, 540, None, 700)]
    [0.0, 0.04, 0.041, 0.081, 0.2]
    """

    def __init__(self, tick: Fraction, origin: Fraction, step: Fraction) -> None:
        self._tick = tick
        self._origin = origin
        self._step = step
        self._last: Fraction | None = None
        self.missing = 0
        self.repeated = 0

    def time(self, stamp: int | None) -> float:
        """Seconds of the next picture."""
        if stamp is None:
            self.missing += 1
            now = Fraction(0) if self._last is None else self._last + self._step
        else:
            now = stamp * self._tick - self._origin
            if self._last is not None and now <= self._last:
                self.repeated += 1
                now = self._last + max(self._tick, Fraction(1, 1_000_000))
        self._last = now
        return float(now)
