"""Facial displays as action unit events with known onset, apex and offset.

An event of amplitude *a* rises from its onset as half a cosine to its apex, stays there while it
falls by 15 %, and falls as half a cosine to 0 at its offset; so the apex is one moment. Action
units come together in displays (a smile is AU12 with AU06, AU07 and AU25), each with its own small
delay. The prototypes are those of EMFACS (Ekman, Friesen & Hager, 2002, *Investigator's guide*,
table 10-2), times those of spontaneous expressions (Schmidt, Cohn & Tian, 2003: smile onsets of
0.2 to 0.7 s; Ekman & Friesen, 1982: 0.5 to 4 s in all), blinks as in Caffier et al. (2003): 0.2 s,
15 a minute (Bentivoglio et al., 1997).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facemt_analysis.simulate.study_population import AUS

__all__ = ["DISPLAYS", "Display", "Events", "course", "draw_events", "event_shape"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_APEX_LOSS = 0.15  # of the amplitude, from the apex to the start of the decay
_MAX_LAG = 0.10  # s, of an action unit behind its display


@dataclass(frozen=True)
class Display:
    """A facial movement people make.

    Parameters
    ----------
    rate
        Per minute, in a person at the base level.
    times
        Median duration of rise, apex and decay, s.
    aus
        Action unit → amplitude relative to the first, which leads.
    voluntary
        False for blinks: neither shared with others nor more frequent in expressive people.
    """

    rate: float
    times: tuple[float, float, float]
    aus: Mapping[str, float]
    voluntary: bool = True

    @property
    def lead(self) -> int:
        """Position of the leading action unit in `AUS`."""
        return AUS.index(next(iter(self.aus)))


_SLOW, _FAST = (0.45, 1.3, 0.9), (0.30, 0.5, 0.45)
DISPLAYS: dict[str, Display] = {
    "smile": Display(6, _SLOW, {"AU12": 1, "AU06": 0.8, "AU07": 0.4, "AU25": 0.6, "AU14": 0.3}),
    "brow raise": Display(3, _FAST, {"AU02": 1, "AU01": 0.9, "AU05": 0.7, "AU26": 0.4}),
    "frown": Display(3, _SLOW, {"AU04": 1, "AU07": 0.7, "AU23": 0.3}),
    "sad mouth": Display(2, _SLOW, {"AU15": 1, "AU17": 0.8, "AU01": 0.5, "AU04": 0.4, "AU11": 0.5}),
    "nose wrinkle": Display(1, _FAST, {"AU09": 1, "AU10": 0.8, "AU17": 0.4, "AU04": 0.4}),
    "fearful mouth": Display(1, _FAST, {"AU20": 1, "AU05": 0.7, "AU01": 0.5, "AU26": 0.5}),
    "lip press": Display(3, _SLOW, {"AU24": 1, "AU23": 0.8, "AU14": 0.7, "AU17": 0.4}),
    "lip suck": Display(1, _FAST, {"AU28": 1, "AU23": 0.4}),
    "upper lip": Display(2, _FAST, {"AU10": 1, "AU11": 0.8}),
    "mouth open": Display(4, _FAST, {"AU25": 1, "AU26": 0.8}),
    "blink": Display(15, (0.07, 0.04, 0.13), {"AU43": 1}, voluntary=False),
}  # fmt: skip
"""What the simulated people do, by name."""


@dataclass(frozen=True)
class Events:
    """Action unit events of one recording; one value per event, times in s.

    ``au`` and ``display`` are positions in `AUS` and in `DISPLAYS`; the amplitude is relative.
    """

    au: Ints
    display: Ints
    onset: Floats
    rise: Floats
    hold: Floats
    decay: Floats
    amplitude: Floats

    @property
    def apex(self) -> Floats:
        """Time of the maximum."""
        return self.onset + self.rise

    @property
    def offset(self) -> Floats:
        """Time at which the event is over."""
        return self.onset + self.rise + self.hold + self.decay

    def shifted(self, lag: float, start: float, stop: float) -> Events:
        """Repeat the events `lag` s later; those that do not fit into start…stop fall out."""
        onset = self.onset + lag
        keep = (onset >= start) & (self.offset + lag <= stop)
        return Events(
            self.au[keep], self.display[keep], onset[keep], self.rise[keep], self.hold[keep],
            self.decay[keep], self.amplitude[keep],
        )  # fmt: skip


def draw_events(
    rng: np.random.Generator,
    start: float,
    stop: float,
    *,
    expressivity: Floats | None = None,
    blinks: bool = True,
) -> Events:
    """Draw the displays of one recording.

    Parameters
    ----------
    rng
        Source of randomness.
    start, stop
        All events lie within, s.
    expressivity
        (20,) the level of each action unit relative to its base; displays come more often in
        proportion to that of their leading unit (between 0.3 and 3 times).
    blinks
        Whether there are involuntary displays too.

    Returns
    -------
    Events
        Numbers of displays are Poisson, but at least one of each kind; times and amplitudes vary
        log-normally (by a quarter) and uniformly (0.5 to 1).
    """
    kinds = [d for d in DISPLAYS.values() if blinks or d.voluntary]
    expected = np.array([d.rate for d in kinds]) * (stop - start) / 60
    if expressivity is not None:
        more = np.clip(expressivity[[d.lead for d in kinds]], 0.3, 3.0)
        expected *= np.where([d.voluntary for d in kinds], more, 1.0)
    number = np.maximum(rng.poisson(expected), 1)
    kind = np.repeat(np.arange(len(kinds)), number)
    n = len(kind)
    times = np.array([d.times for d in kinds])[kind] * np.exp(0.25 * rng.standard_normal((n, 3)))
    times *= np.minimum(1.0, 0.8 * (stop - start) / times.sum(1))[:, None]
    length = times.sum(1)
    onset = start + rng.random(n) * (stop - start - length)
    amplitude = rng.uniform(0.5, 1.0, n)
    # the action units of each display
    per_kind = np.array([len(d.aus) for d in kinds])
    au = np.concatenate([[AUS.index(name) for name in d.aus] for d in kinds])
    weight = np.concatenate([list(d.aus.values()) for d in kinds])
    first = np.concatenate([[0], np.cumsum(per_kind)[:-1]])
    of = np.repeat(np.arange(n), per_kind[kind])
    rank = np.arange(len(of)) - np.repeat(
        np.cumsum(per_kind[kind]) - per_kind[kind], per_kind[kind]
    )
    row = first[kind[of]] + rank
    lag = np.minimum(_MAX_LAG, 0.2 * length[of]) * rng.random(len(of)) * (rank > 0)
    shrink = (length[of] - lag) / length[of]
    names = list(DISPLAYS)
    display = np.array([names.index(k) for k, d in DISPLAYS.items() if d in kinds])[kind[of]]
    return Events(
        au=au[row].astype(np.int64),
        display=display.astype(np.int64),
        onset=onset[of] + lag,
        rise=times[of, 0] * shrink,
        hold=times[of, 1] * shrink,
        decay=times[of, 2] * shrink,
        amplitude=amplitude[of] * weight[row] * rng.uniform(0.85, 1.0, len(of)),
    )


def event_shape(t: Floats, rise: Floats, hold: Floats, decay: Floats) -> Floats:
    """Course of an event of amplitude 1, `t` seconds after its onset.

    >>> event_shape(np.array([0.0, 0.25, 0.5, 1.5, 2.0]), *map(np.array, (0.5, 1.0, 0.5))).round(3)
    array([0.  , 0.5 , 1.  , 0.85, 0.  ])
    """
    up = 0.5 - 0.5 * np.cos(np.pi * np.clip(t / rise, 0, 1))
    stay = 1 - _APEX_LOSS * np.clip((t - rise) / hold, 0, 1)
    down = 0.5 + 0.5 * np.cos(np.pi * np.clip((t - rise - hold) / decay, 0, 1))
    return np.asarray(up * stay * down)


def course(events: list[Events], times: Floats) -> Floats:
    """Sum of the events of several recordings at their frames.

    Parameters
    ----------
    events
        One per recording.
    times
        (recordings, frames) increasing, s, within half a frame of a regular grid.

    Returns
    -------
    ndarray
        (recordings, frames, 20), relative amplitude.
    """
    n_recordings, n_frames = times.shape
    out = np.zeros((n_recordings, len(AUS), n_frames))
    if not n_frames or not any(len(e.au) for e in events):
        return out.transpose(0, 2, 1)
    recording = np.repeat(np.arange(n_recordings), [len(e.au) for e in events])
    au = np.concatenate([e.au for e in events])
    onset, rise, hold, decay, amplitude = (
        np.concatenate([getattr(e, name) for e in events])
        for name in ("onset", "rise", "hold", "decay", "amplitude")
    )
    step = (times[:, -1] - times[:, 0]) / max(n_frames - 1, 1)
    first = np.floor((onset - times[recording, 0]) / step[recording]).astype(np.int64) - 1
    last = np.ceil((onset + rise + hold + decay - times[recording, 0]) / step[recording]) + 2
    first = np.clip(first, 0, n_frames)
    count = np.maximum(np.minimum(last.astype(np.int64), n_frames) - first, 0)
    of = np.repeat(np.arange(len(au)), count)
    frame = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count) + first[of]
    t = times[recording[of], frame] - onset[of]
    value = amplitude[of] * event_shape(t, rise[of], hold[of], decay[of])
    flat = (recording[of] * len(AUS) + au[of]) * n_frames + frame
    out += np.bincount(flat, value, minlength=out.size).reshape(out.shape)
    return out.transpose(0, 2, 1)
