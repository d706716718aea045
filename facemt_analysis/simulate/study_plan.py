"""A study from its plan to the Fex and the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex
from facemt_analysis.simulate.study_assembly import Assembly, check_number, check_whole, info_of
from facemt_analysis.simulate.study_contrasts import Plan, Similarity, effect_table
from facemt_analysis.simulate.study_design import Design, Effect
from facemt_analysis.simulate.study_engine import Courses, Recording, Settings, render, stream
from facemt_analysis.simulate.study_events import Events, draw_events
from facemt_analysis.simulate.study_population import AUS, FEATURES, N_TRAITS, correlated
from facemt_analysis.simulate.study_sharing import chance_similarity, isc_of, shared_variance
from facemt_analysis.simulate.study_truth import (
    LEVEL_FEATURES,
    StudyTruth,
    level_table,
    level_values,
)

__all__ = ["Levels", "Study", "per_condition", "settings_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_MIN_FRAMES = 20
_PHASIC = (0.55, 0.90)  # of the room towards the bounds, by person and action unit


@dataclass(frozen=True)
class Levels:
    """Drawn levels and what they are made of: (recordings, features); who is recorded."""

    who: Ints  # (recordings, 4) subject, group, condition, trial (positions)
    parts: dict[str, Floats]
    phasic: Floats  # (recordings, 20)
    asymmetry: Floats  # (recordings,)

    @property
    def total(self) -> Floats:
        """The levels."""
        return np.asarray(sum(self.parts.values()), np.float64)


@dataclass(frozen=True)
class Study:
    """A checked plan."""

    design: Design
    settings: Settings
    rest: float
    isc: dict[str, float]
    missing: dict[str, float]
    effects: tuple[Effect, ...]
    plan: Plan

    def run(
        self, n_subjects: int, groups: Sequence[str], options: Mapping[str, Any]
    ) -> tuple[Fex, StudyTruth]:
        """Draw, render and put together."""
        levels = self.draw(n_subjects)
        who, total = levels.who, levels.total
        low, high = self.plan.bump_range
        s = self.settings
        settings = Settings(s.seed, s.n_frames, s.fps, s.jitter, s.noise, s.missing_run, low, high)
        shared = self._stimuli()
        recordings = [self.recording(i, levels, total[i], shared) for i in range(len(who))]
        labels = self._labels(who)
        assembly = Assembly(recordings, labels, levels.asymmetry, settings, groups, "stimulus")

        n_trials = self.design.trials
        cell = who[:, 2] * n_trials + who[:, 3]
        similar = Similarity(len(self.design.conditions) * n_trials, s.n_frames)
        level = np.empty((len(who), len(LEVEL_FEATURES)))
        seen_level = np.empty_like(level)
        tonic = np.empty((len(who), len(AUS)))
        windows = {e: np.full(len(who), np.nan) for e in self.effects if e.window is not None}
        for part in assembly.chunks():
            courses = render(recordings[part], settings)
            assembly.add(part, courses)
            clean, seen = level_values(courses), level_values(courses, seen=True)
            similar.add(cell[part], clean, seen, courses.valid)
            level[part], seen_level[part] = _mean(clean, courses.valid), _mean(seen, courses.valid)
            tonic[part] = courses.tonic
            for effect, means in windows.items():
                means[part] = _window_mean(effect, courses, seen)

        cells = pd.DataFrame(
            [
                {"condition": name, "trial": k + 1}
                for name in self.design.conditions
                for k in range(n_trials)
            ]
        )
        planted = np.repeat([self._expected_isc(c) for c in self.design.conditions], n_trials, 0)
        times = np.arange(s.n_frames) / s.fps
        truth = StudyTruth(
            frames=assembly.frames(),
            events=assembly.events(),
            levels=level_table(labels, level, tonic, levels.parts),
            effects=effect_table(
                self.design, self.plan, self.effects, times, who[:, :3], seen_level, windows
            ),
            isc=similar.table(cells, planted),
            fixations=assembly.fixations(),
        )
        return assembly.fex(info_of("simulate_study", options)), truth

    def draw(self, n_subjects: int) -> Levels:
        """Draw the levels of everybody, each part from a stream of its own."""
        seed, trials, names = self.settings.seed, self.design.trials, self.design.conditions
        n = len(FEATURES)
        who, subject, reactivity, trial = [], [], [], []
        phasic, asymmetry = [], []
        for i in range(n_subjects):
            rng = stream(seed, "subject", i)
            person = rng.standard_normal(N_TRAITS + n)
            share, side = rng.uniform(*_PHASIC, len(AUS)), float(rng.uniform(-1, 1))
            group, conditions = self.design.cells(i)
            for c in conditions:
                reaction = stream(seed, "subject", i, names[c]).standard_normal(N_TRAITS + n)
                for k in range(trials):
                    who.append((i, group, c, k))
                    subject.append(person)
                    reactivity.append(reaction)
                    trial.append(stream(seed, "subject", i, names[c], k).standard_normal(n))
                    phasic.append(share)
                    asymmetry.append(side)
        people, cells = self.plan.people, self.plan.cells
        seats = np.array(who, np.int64)
        parts = {"cell": cells[seats[:, 1], seats[:, 2]]}
        for k, (name, drawn) in enumerate((("baseline", subject), ("reactivity", reactivity))):
            normals = np.array(drawn)
            linked = correlated(normals[:, :N_TRAITS], normals[:, N_TRAITS:])
            parts[name] = people.variates(linked, k)
        parts["trial_error"] = people.variates(np.array(trial), 2)
        return Levels(seats, parts, np.array(phasic), np.array(asymmetry))

    def _stimuli(self) -> dict[tuple[int, int], Events]:
        """Events everybody has who sees one film: (condition, trial) → events."""
        return {
            (c, k): draw_events(
                stream(self.settings.seed, "stimulus", name, k),
                self.rest,
                self.settings.duration,
                blinks=False,
            )
            for c, name in enumerate(self.design.conditions)
            if self.isc[name] > 0
            for k in range(self.design.trials)
        }

    def recording(
        self, i: int, levels: Levels, level: Floats, shared: Mapping[tuple[int, int], Events]
    ) -> Recording:
        """Plan one recording: its own events, those of its film, its windowed effects."""
        subject, group, c, k = map(int, levels.who[i])
        name = self.design.conditions[c]
        path = ("subject", subject, name, k)
        own = draw_events(
            stream(self.settings.seed, *path, "events"),
            self.rest,
            self.settings.duration,
            expressivity=level[: len(AUS)] / self.plan.people.base[: len(AUS)],
        )
        return Recording(
            path=path,
            level=level,
            phasic=levels.phasic[i],
            own=own,
            shared=shared.get((c, k)),
            sharing=self.sharing(name),
            bumps=tuple(bump for _, bump in self.plan.bumps.get((group, c), ())),
            missing=self.missing[name],
        )

    def sharing(self, condition: str) -> Floats:
        """Part of the variance of each action unit that comes from the film."""
        return shared_variance(self.isc[condition], self.rest, self.settings.duration)

    def _expected_isc(self, condition: str) -> Floats:
        chance = chance_similarity(self.rest, self.settings.duration)
        return isc_of(self.sharing(condition), chance)

    def _labels(self, who: Ints) -> dict[str, list[Any]]:
        subjects = [f"sub-{i + 1:02d}" for i in who[:, 0]]
        conditions = [self.design.conditions[c] for c in who[:, 2]]
        trials = [int(k) + 1 for k in who[:, 3]]
        labels: dict[str, list[Any]] = {
            "input": [
                f"{s}_{c}_{k}.mp4" for s, c, k in zip(subjects, conditions, trials, strict=True)
            ],
            "subject": subjects,
        }
        if self.design.groups:
            labels["group"] = [self.design.groups[g] for g in who[:, 1]]
        return {**labels, "condition": conditions, "trial": trials}


def _mean(values: Floats, valid: npt.NDArray[np.bool_]) -> Floats:
    """Mean over the valid frames: (recordings, features)."""
    return np.asarray((values * valid[..., None]).sum(1) / valid.sum(1)[:, None])


def _window_mean(effect: Effect, courses: Courses, seen: Floats) -> Floats:
    start, stop = effect.window or (0.0, np.inf)
    inside = courses.valid & (courses.times >= start) & (courses.times <= stop)
    n = inside.sum(1)
    total = (seen[..., LEVEL_FEATURES.index(effect.feature)] * inside).sum(1)
    return np.asarray(np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0))


def settings_of(
    seed: int, duration: float, fps: float, jitter: float, noise: float, missing_run: float
) -> Settings:
    """Check what all recordings have in common."""
    duration = check_number("duration", duration, 0, 86_400)
    fps = check_number("fps", fps, 1, 1000)
    n_frames = round(duration * fps)
    if n_frames < _MIN_FRAMES:
        raise FexError(
            f"`duration` and `fps` must give at least {_MIN_FRAMES} frames, but {duration:g} s at "
            f"{fps:g} Hz are {n_frames}."
        )
    jitter = check_number("jitter", jitter, 0, 1)
    if jitter == 1:
        raise FexError("`jitter` must be below 1, or frames could have the same time.")
    return Settings(
        seed=check_whole("seed", seed, 0),
        n_frames=n_frames,
        fps=fps,
        jitter=jitter,
        noise=check_number("noise", noise, 0, 10),
        missing_run=check_number("missing_run", missing_run, 1e-3, 3600),
    )


def per_condition(
    name: str, value: float | Mapping[str, float], conditions: Sequence[str], high: float
) -> dict[str, float]:
    """One number for every condition; a condition that a mapping leaves out has 0."""
    if not isinstance(value, Mapping):
        return dict.fromkeys(conditions, check_number(name, value, 0, high))
    unknown = [c for c in value if c not in conditions]
    if unknown:
        raise FexError(
            f"`{name}` names the condition {unknown[0]!r}; there is {', '.join(conditions)}."
        )
    return {c: check_number(f"{name}[{c!r}]", value.get(c, 0.0), 0, high) for c in conditions}
