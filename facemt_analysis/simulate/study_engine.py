"""Renders planned recordings as time courses: noise-free and as a detector would report them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from facemt_analysis import schema
from facemt_analysis.simulate.affect import CIRCUMPLEX, emotion_of
from facemt_analysis.simulate.study_courses import (
    NOISE,
    NOISE_TAU,
    bounded_course,
    centred,
    face_found,
    fixation_targets,
    proportional_noise,
    smooth_path,
    softmax_with_means,
    standardised,
)
from facemt_analysis.simulate.study_events import Events, course
from facemt_analysis.simulate.study_population import AUS, CONTROLLED_EMOTIONS, FEATURES

__all__ = ["Bump", "Courses", "Recording", "Settings", "chunks", "render", "stream"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_AU = slice(0, len(AUS))
_EMOTION = slice(len(AUS), len(AUS) + len(CONTROLLED_EMOTIONS))
_VA = slice(_EMOTION.stop, _EMOTION.stop + 2)
_GAZE = slice(_VA.stop, _VA.stop + 2)
_POSE = slice(_GAZE.stop, _GAZE.stop + 3)

_EMOTION_GAIN = 1.6  # a full smile is Happy to 0.9, as the published network has it
_VA_SPREAD = 0.13  # SD within a recording
_VA_FROM_EMOTION = np.sqrt(0.75), np.sqrt(0.25)  # weights of emotion and of an own slow path
_VA_MATRIX = np.array([CIRCUMPLEX[e] for e in schema.EMOTIONS])  # (7, 2)
_GAZE_SPREAD = (0.04, 0.06)  # pitch, yaw, rad
_POSE_SPREAD = np.array([0.055, 0.02, 0.035])  # Pitch, Roll, Yaw, rad
_PLACE = np.array([0.02, 0.20, 5.0]), np.array([0.008, 0.02, 0.08])  # X, Y, Z: centre, spread
_RAMP = 0.2  # s, of a windowed effect
_CHUNK_ROWS = 60_000

# Normal variates per frame: (use, columns, time constant in s, passes of the filter)
_PATHS = (
    ("aus", len(AUS), NOISE_TAU, 1), ("emotions", len(schema.EMOTIONS), NOISE_TAU, 1),
    ("va", 2, NOISE_TAU, 1), ("gazes", 2, 0.03, 1), ("poses", 3, 0.06, 1),
    ("mood", 2, 4.0, 1), ("head", 3, 0.6, 2), ("place", 3, 1.5, 2),
)  # fmt: skip


def stream(seed: int, *path: int | str) -> np.random.Generator:
    """Random generator of its own for every path: the same whatever else is drawn.

    >>> stream(1, "subject", 3).random() == stream(1, "subject", 3).random()
    True
    """
    key = tuple(zlib.crc32(p.encode()) if isinstance(p, str) else p for p in path)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


@dataclass(frozen=True)
class Bump:
    """An effect in a stretch of time: `amplitude` in the middle, half-cosine ramps inside."""

    feature: int
    amplitude: float
    start: float
    stop: float

    def course(self, times: Floats) -> Floats:
        """Values at some times; 0 outside the stretch."""
        ramp = min(_RAMP, (self.stop - self.start) / 4)
        edge = np.minimum(times - self.start, self.stop - times)
        return np.asarray(self.amplitude * (0.5 - 0.5 * np.cos(np.pi * np.clip(edge / ramp, 0, 1))))


@dataclass(frozen=True)
class Recording:
    """What is planned for one recording.

    Parameters
    ----------
    path
        Of its random streams.
    level
        (features,) means over the valid frames, without windowed effects.
    phasic
        (20,) share of the room towards the bounds that events of each action unit use.
    own, shared
        Events of this recording alone, and those it shares with others.
    sharing
        (20,) share of the variance of each action unit that is shared.
    bumps
        Windowed effects.
    missing
        Share of the frames in which the face is lost.
    """

    path: tuple[int | str, ...]
    level: Floats
    phasic: Floats
    own: Events
    shared: Events | None = None
    sharing: Floats = field(default_factory=lambda: np.zeros(len(AUS)))
    bumps: tuple[Bump, ...] = ()
    missing: float = 0.0


@dataclass(frozen=True)
class Settings:
    """What is the same in all recordings.

    `bump_low` and `bump_high` (features,) bound the windowed effects of all cells: everybody's
    courses leave room for them, so that they change nothing else.
    """

    seed: int
    n_frames: int
    fps: float
    jitter: float
    noise: float
    missing_run: float
    bump_low: Floats = field(default_factory=lambda: np.zeros(len(FEATURES)))
    bump_high: Floats = field(default_factory=lambda: np.zeros(len(FEATURES)))

    @property
    def duration(self) -> float:
        """Length of a recording, s."""
        return self.n_frames / self.fps


@dataclass(frozen=True)
class Courses:
    """Rendered recordings: arrays (recordings, frames, …) by schema group.

    ``clean`` has no measurement noise, ``seen`` has; both are there for frames without a face too.
    ``own_gain`` and ``shared_gain`` (recordings, 20) turn relative amplitudes of events into
    scores; ``tonic`` (recordings, 20) is the score where no event is. ``fixations`` has
    one (n, 4) array per recording: start, stop, gaze_pitch, gaze_yaw.
    """

    times: Floats
    valid: Bools
    clean: dict[str, Floats]
    seen: dict[str, Floats]
    own_gain: Floats
    shared_gain: Floats
    tonic: Floats
    fixations: list[Floats]


def chunks(recordings: Sequence[Recording], n_frames: int) -> Iterator[slice]:
    """Slices of recordings that fit into memory together."""
    size = max(1, _CHUNK_ROWS // n_frames)
    for start in range(0, len(recordings), size):
        yield slice(start, min(start + size, len(recordings)))


def render(recordings: Sequence[Recording], settings: Settings) -> Courses:
    """Render some recordings; each comes out the same whichever others are rendered with it."""
    s = settings
    paths, times, valid, looks = _draw(recordings, s)
    level = np.stack([r.level for r in recordings])
    bumps = _bumps(recordings, times)

    aus, own_gain, shared_gain, tonic = _action_units(recordings, level, times, valid, bumps, s)
    clean = {"aus": aus}
    seen = {"aus": proportional_noise(aus, paths["aus"], NOISE["aus"] * s.noise, valid)}

    logits = _EMOTION_GAIN * np.log(emotion_of(aus))  # up to a constant per frame
    clean["emotions"] = softmax_with_means(logits, level[:, _EMOTION], valid)
    seen["emotions"] = clean["emotions"]
    if s.noise:
        logits += NOISE["emotions"] * s.noise * paths["emotions"]
        seen["emotions"] = softmax_with_means(logits, level[:, _EMOTION], valid)

    va = _affect(clean["emotions"], paths["mood"], level[:, _VA], valid, s) + bumps[..., _VA]
    clean["va"] = va
    half = proportional_noise((1 + va) / 2, paths["va"], NOISE["va"] * s.noise, valid)
    seen["va"] = 2 * half - 1

    gaze, fixations = _gaze(looks, times, level[:, _GAZE], valid, s.duration)
    gaze += bumps[..., _GAZE]
    head = _POSE_SPREAD * np.clip(standardised(paths["head"]), -4, 4)
    pose = level[:, None, _POSE] + centred(head, valid) + bumps[..., _POSE]
    place = _PLACE[0] + _PLACE[1] * np.clip(standardised(paths["place"]), -3, 3)
    for name, angles in (("gazes", gaze), ("poses", pose)):
        clean[name] = angles
        seen[name] = angles + centred(NOISE[name] * s.noise * paths[name], valid)
    for courses in (clean, seen):
        courses["gazes"] = _with_angle(courses["gazes"])
        courses["poses"] = np.concatenate([courses["poses"], place], -1)
    return Courses(times, valid, clean, seen, own_gain, shared_gain, tonic, fixations)


def _draw(
    recordings: Sequence[Recording], s: Settings
) -> tuple[dict[str, Floats], Floats, Bools, list[tuple[Floats, Floats]]]:
    """Everything random: filtered paths, frame times, frames with a face, where people look."""
    n, widths = s.n_frames, [width for _, width, _, _ in _PATHS]
    normals = np.empty((len(recordings), n, sum(widths)))
    times, valid = np.empty((len(recordings), n)), np.empty((len(recordings), n), np.bool_)
    looks = []
    for i, recording in enumerate(recordings):
        rng = stream(s.seed, *recording.path, "courses")
        normals[i] = rng.standard_normal(normals.shape[1:])
        times[i] = (np.arange(n) + s.jitter * rng.random(n)) / s.fps
        looks.append(fixation_targets(rng, s.duration, _GAZE_SPREAD))
        # a stream of its own: the same study with and without losses
        losses = stream(s.seed, *recording.path, "losses")
        valid[i] = face_found(losses, times[i], s.duration, recording.missing, s.missing_run)
    ends = np.cumsum(widths)
    paths = {
        name: smooth_path(normals[..., end - width : end], tau, s.fps, passes)
        for (name, width, tau, passes), end in zip(_PATHS, ends, strict=True)
    }
    return paths, times, valid, looks


def _bumps(recordings: Sequence[Recording], times: Floats) -> Floats:
    out = np.zeros((*times.shape, len(FEATURES)))
    for i, recording in enumerate(recordings):
        for bump in recording.bumps:
            out[i, :, bump.feature] += bump.course(times[i])
    return out


def _action_units(
    recordings: Sequence[Recording],
    level: Floats,
    times: Floats,
    valid: Bools,
    bumps: Floats,
    s: Settings,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Courses, gains of own and shared events, tonic scores."""
    own = course([r.own for r in recordings], times)
    nothing = recordings[0].own.shifted(-np.inf, 0, 0)
    shared = course([r.shared or nothing for r in recordings], times)
    weight = np.stack([r.sharing for r in recordings])
    gains = []
    for part, variance in ((own, 1 - weight), (shared, weight)):
        sd = part.std(1)
        gains.append(np.divide(np.sqrt(variance), sd, out=np.zeros_like(sd), where=sd > 1e-12))
    shape = own * gains[0][:, None] + shared * gains[1][:, None]
    rest = -(shape * valid[..., None]).sum(1) / valid.sum(1)[:, None]  # value without any event
    aus, scale = bounded_course(
        centred(shape, valid),
        level[:, _AU],
        np.array(np.inf),
        -s.bump_low[_AU],
        1 - s.bump_high[_AU],
        np.stack([r.phasic for r in recordings]),
    )
    tonic = level[:, _AU] + scale * rest
    return aus + bumps[..., _AU], gains[0] * scale, gains[1] * scale, tonic


def _affect(emotions: Floats, mood: Floats, level: Floats, valid: Bools, s: Settings) -> Floats:
    """Valence and arousal: where the emotions are on the circumplex, and a slow path beside."""
    felt = standardised(np.einsum("rnk,kj->rnj", emotions, _VA_MATRIX))
    shape = _VA_FROM_EMOTION[0] * felt + _VA_FROM_EMOTION[1] * standardised(mood)
    return bounded_course(
        centred(shape, valid),
        level,
        np.array(_VA_SPREAD),
        -0.98 - s.bump_low[_VA],
        0.98 - s.bump_high[_VA],
        np.array(0.95),
    )[0]


def _gaze(
    looks: Sequence[tuple[Floats, Floats]],
    times: Floats,
    level: Floats,
    valid: Bools,
    duration: float,
) -> tuple[Floats, list[Floats]]:
    """Directions (recordings, frames, 2) of the fixations, and the fixations themselves."""
    path = np.empty((*times.shape, 2))
    for i, (starts, targets) in enumerate(looks):
        path[i] = targets[np.searchsorted(starts, times[i], side="right") - 1]
    moved = centred(path, valid) + level[:, None]
    fixations = []
    for (starts, targets), shift in zip(looks, (moved - path)[:, 0], strict=True):
        stops = np.append(starts[1:], duration)
        fixations.append(np.column_stack([starts, stops, targets + shift]))
    return moved, fixations


def _with_angle(gaze: Floats) -> Floats:
    """Add the angle from straight ahead to pitch and yaw."""
    angle = np.arccos(np.clip(np.cos(gaze[..., :1]) * np.cos(gaze[..., 1:]), -1, 1))
    return np.concatenate([gaze, angle], -1)
