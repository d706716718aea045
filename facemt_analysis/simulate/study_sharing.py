"""How much of the variance people must share to be as similar as one wants."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from facemt_analysis.simulate.study_courses import standardised
from facemt_analysis.simulate.study_events import course, draw_events
from facemt_analysis.simulate.study_population import AUS

__all__ = ["chance_similarity", "correlation_of", "isc_of", "shared_variance"]

Floats = npt.NDArray[np.float64]

_BLINK = AUS.index("AU43")
_TRAINS = 150
_RATE = 10.0  # Hz at which trains are compared
_LONGEST = 120.0  # s; beyond, similarity falls with the inverse of the duration


@lru_cache(maxsize=32)
def chance_similarity(start: float, stop: float) -> Floats:
    """Mean correlation (20,) of action units of people who have nothing to do with each other.

    It is not 0 in short recordings: whole events lie between `start` and `stop`, so everybody is
    still at the edges. Measured, on 150 trains of events with a fixed seed.
    """
    stop_here = min(stop, _LONGEST)
    rng = np.random.default_rng(0)
    events = [draw_events(rng, min(start, stop_here / 2), stop_here) for _ in range(_TRAINS)]
    times = np.arange(max(20, round(stop_here * _RATE))) / _RATE
    total = np.zeros((len(times), len(AUS)))
    for train in events:
        total += standardised(course([train], times[None]))[0]
    similar = ((total**2).mean(0) - _TRAINS) / (_TRAINS * (_TRAINS - 1))
    similar = np.clip(similar * stop_here / stop, 0.0, 0.95)
    similar.setflags(write=False)
    return np.asarray(similar)


def isc_of(shared: Floats, chance: Floats) -> Floats:
    """Give the expected correlation of two people who share that part of the variance with all.

    With x = √r g + √(1−r) h and all trains of events correlating by chance, c:
    (r + (1−r) c + 2 √(r(1−r)) c) / (1 + 2 √(r(1−r)) c).
    """
    both = 2 * np.sqrt(shared * (1 - shared)) * chance
    return np.asarray((shared + (1 - shared) * chance + both) / (1 + both))


def correlation_of(shared: Floats, chance: Floats) -> Floats:
    """Give the expected correlation of a person with one who shares that part of the variance."""
    both = 2 * np.sqrt(shared * (1 - shared)) * chance
    return np.asarray((np.sqrt(shared) + np.sqrt(1 - shared) * chance) / np.sqrt(1 + both))


@lru_cache(maxsize=256)
def shared_variance(target: float, start: float, stop: float, *, of_pair: bool = False) -> Floats:
    """Part of the variance (20,) to share for a correlation of `target`; 0 for blinks.

    Parameters
    ----------
    target
        Correlation wanted; where chance gives more already, nothing is shared.
    start, stop
        Stretch in which events are, s.
    of_pair
        Solve :func:`correlation_of` instead of :func:`isc_of`.
    """
    chance = chance_similarity(start, stop)
    value = correlation_of if of_pair else isc_of
    low, high = np.zeros(len(AUS)), np.ones(len(AUS))
    for _ in range(50):  # bisection: both grow with what is shared
        middle = (low + high) / 2
        below = value(middle, chance) < target
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    shared = np.where(value(np.zeros(len(AUS)), chance) >= target, 0.0, (low + high) / 2)
    shared[_BLINK] = 0.0
    shared.setflags(write=False)
    return np.asarray(shared)
