"""The pieces in which a recording is worked through, cut so that nothing depends on what runs them.

A recording is cut at fixed times into windows, which share nothing; a window into units of a few
frames, whose faces go through the network together. Where a unit ends depends on the frames of its
window alone: so windows can be given to several processes, and a broken run can go on at any unit,
and every number is the same to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from facemt_analysis.detection.media import Frame

__all__ = ["WINDOW", "Place", "Unit", "units", "window_of"]

WINDOW = 600.0
"""Seconds of recording that are worked through on their own."""
_FRAMES = 16
# Units of large pictures are smaller: this many bytes, unless that is less than one look's distance
_BYTES = 32 * 2**20


@dataclass(frozen=True)
class Place:
    """A frame that was the last of its unit, from which the next unit can go on.

    Parameters
    ----------
    index, time
        Of the frame.
    ordinal
        Its number among the analysed frames of its window.
    boxes
        What the face detector saw in it: rows `x1 y1 x2 y2 score`; None where that is not needed.
    """

    index: int
    time: float
    ordinal: int
    boxes: tuple[tuple[float, ...], ...] | None = None

    @property
    def frame(self) -> tuple[int, float]:
        """Index and time."""
        return self.index, self.time


@dataclass(frozen=True)
class Unit:
    """Successive frames of one window.

    Parameters
    ----------
    frames
        The frames.
    first
        Number of the first one among the analysed frames of its window.
    looks
        Positions of the frames the face detector looks at; the last one is always among them.
    opens
        Whether the window begins with this unit.
    """

    frames: Sequence[Frame]
    first: int
    looks: tuple[int, ...]
    opens: bool

    @property
    def bytes(self) -> int:
        """Memory the pictures take."""
        return sum(frame.image.nbytes for frame in self.frames)


def window_of(time: float) -> int:
    """Give the window a time lies in; recordings without a clock are one window.

    >>> window_of(599.99), window_of(600.0), window_of(float("nan"))
    (0, 1, 0)
    """
    return math.floor(time / WINDOW) if math.isfinite(time) else 0


def units(frames: Iterable[Frame], every: int, after: Place | None = None) -> Iterator[Unit]:
    """Cut frames into units.

    Parameters
    ----------
    frames
        In order.
    every
        The face detector looks at every N-th frame, and the last of each window.
    after
        The frame after which `frames` begin; None: at the beginning of a window.
    """
    ordinal = -1 if after is None else after.ordinal
    window = None if after is None else window_of(after.time)
    held: list[Frame] = []
    opens = after is None

    def unit() -> Unit:
        first = ordinal - len(held) + 1
        last = len(held) - 1
        looks = tuple(i for i in range(len(held)) if (first + i) % every == 0 or i == last)
        return Unit(tuple(held), first, looks, opens)

    for frame in frames:
        if window is not None and window_of(frame.time) != window:
            if held:
                yield unit()
            held, ordinal, opens = [], -1, True
        elif held and ordinal and ordinal % _size(held[0], every) == 0:
            yield unit()
            held, opens = [], False
        window = window_of(frame.time)
        held.append(frame)
        ordinal += 1
    if held:
        yield unit()


def _size(frame: Frame, every: int) -> int:
    """Frames in a unit: as many as fit the memory, a multiple of the distance between looks."""
    size = max(every, _FRAMES // every * every)
    while size > every and size * frame.image.nbytes > _BYTES:
        size -= every
    return size
