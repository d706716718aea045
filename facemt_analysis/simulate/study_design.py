"""Who sees what in a simulated study, and the effects planted in it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from facemt_analysis.errors import FexError
from facemt_analysis.simulate.study_population import FEATURES

__all__ = ["PRESET_EFFECTS", "Design", "DesignKind", "Effect", "as_effects"]

Floats = npt.NDArray[np.float64]
DesignKind = Literal["within", "between", "mixed"]
EffectUnit = Literal["d", "raw"]

PRESET_EFFECTS: dict[str, dict[str, float]] = {
    "funny": {
        "AU12": 1.2, "AU06": 1.0, "AU25": 0.6, "AU04": -0.3,
        "Happy": 1.2, "valence": 1.0, "arousal": 0.5,
    },
    "sad": {
        "AU15": 0.9, "AU01": 0.6, "AU04": 0.6, "AU17": 0.6, "AU12": -0.4,
        "Sad": 1.1, "Happy": -0.4, "valence": -0.9, "arousal": -0.3,
    },
    "scary": {
        "AU05": 0.8, "AU01": 0.6, "AU02": 0.5, "AU04": 0.5, "AU20": 0.8, "AU26": 0.5,
        "Fear": 1.0, "Surprise": 0.5, "valence": -0.7, "arousal": 0.9,
    },
    "disgusting": {
        "AU09": 1.1, "AU10": 0.9, "AU04": 0.6, "AU17": 0.4,
        "Disgust": 1.2, "valence": -0.9, "arousal": 0.4,
    },
    "surprising": {
        "AU01": 0.9, "AU02": 1.0, "AU05": 0.7, "AU26": 0.7, "AU25": 0.5,
        "Surprise": 1.1, "arousal": 0.8,
    },
    "annoying": {
        "AU04": 0.9, "AU07": 0.6, "AU23": 0.6, "AU24": 0.6, "AU12": -0.3,
        "Anger": 1.0, "valence": -0.8, "arousal": 0.5,
    },
}  # fmt: skip
"""Effects (Cohen's d or dz) of conditions with these names when none are given: the directions of
the EMFACS prototypes, sizes as in studies that show films to people."""


@dataclass(frozen=True)
class Effect:
    """One effect planted in the population.

    Parameters
    ----------
    feature
        An action unit, an emotion other than ``Neutral``, ``valence``, ``arousal``, ``gaze_pitch``,
        ``gaze_yaw``, ``Pitch``, ``Roll`` or ``Yaw``.
    size
        How large, in `unit`; negative: lower than the reference.
    condition
        The condition compared with the first one.
    group
        The group compared with the first one. With `condition` as well: the interaction, that is
        how much more the condition does in this group than in the first one.
    window
        Start and stop (s) of the only stretch of each recording where the effect is; by default
        the effect is on the mean of the whole recording. Not for emotions.
    unit
        ``"d"``: in standard deviations of what the contrast is tested on (Cohen's dz for
        differences within subjects, d between them); ``"raw"``: in units of the feature.

    Examples
    --------
    >>> Effect("AU12", 0.8, condition="funny")
    Effect('AU12', 0.8, condition='funny')
    """

    feature: str
    size: float
    condition: str | None = None
    group: str | None = None
    window: tuple[float, float] | None = None
    unit: EffectUnit = "d"

    def __repr__(self) -> str:
        parts = [repr(self.feature), f"{self.size:g}"]
        parts += [f"{k}={v!r}" for k, v in self.options().items()]
        return f"Effect({', '.join(parts)})"

    def options(self) -> dict[str, Any]:
        """Fields that are not at their default."""
        out: dict[str, Any] = {}
        for name in ("condition", "group", "window"):
            if getattr(self, name) is not None:
                out[name] = getattr(self, name)
        if self.unit != "d":
            out["unit"] = self.unit
        return out

    @property
    def term(self) -> str:
        """``condition``, ``group`` or ``group:condition`` (the interaction)."""
        return ":".join(n for n in ("group", "condition") if getattr(self, n) is not None)

    @property
    def key(self) -> tuple[Any, ...]:
        """What two effects of one study must not share."""
        return self.feature, self.group, self.condition, self.window


@dataclass(frozen=True)
class Design:
    """Which subject is in which group and sees which conditions how often.

    Parameters
    ----------
    kind
        ``"within"``: everybody sees every condition. ``"between"``: everybody sees one condition
        (and is in one group, if there are groups). ``"mixed"``: groups of people who all see every
        condition.
    conditions
        Names; the first one is the reference of all contrasts.
    groups
        Names of groups of people, the first one the reference; empty: no groups.
    trials
        Recordings per subject and condition.
    """

    kind: DesignKind
    conditions: tuple[str, ...]
    groups: tuple[str, ...]
    trials: int

    def __post_init__(self) -> None:
        if self.kind not in get_args(DesignKind):
            raise FexError(
                f"`design` must be 'within', 'between' or 'mixed', but got {self.kind!r}."
            )
        for what, names in (("conditions", self.conditions), ("groups", self.groups)):
            bad = [n for n in list[object](names) if not _is_name(n)]
            if bad:
                raise FexError(
                    f"`{what}` must be names (text without slashes), but one is {bad[0]!r}."
                )
            if len(set(names)) < len(names):
                raise FexError(f"`{what}` must be different names, but got {list(names)}.")
        if not self.conditions:
            raise FexError("`conditions` must name at least one condition, but is empty.")
        if self.kind == "mixed" and len(self.groups) < 2:
            raise FexError("A mixed design needs at least two groups: groups=('control', …).")
        if self.kind == "within" and self.groups:
            raise FexError("A within design has no groups; use design='mixed' for groups.")
        if self.trials < 1:
            raise FexError(f"`trials_per_condition` must be at least 1, but got {self.trials}.")

    @property
    def n_groups(self) -> int:
        """Groups in the arrays of this module; 1 when there are none."""
        return max(len(self.groups), 1)

    def cells(self, subject: int) -> tuple[int, tuple[int, ...]]:
        """Group and conditions (positions) of one subject, by turns.

        Depends on nothing but the number of the subject, so that further subjects change nothing.
        """
        c = len(self.conditions)
        if self.kind == "between":
            return (subject // c) % self.n_groups, (subject % c,)
        return subject % self.n_groups, tuple(range(c))

    def pattern(self, effect: Effect) -> Floats:
        """Shift of each cell (groups, conditions) by an effect of size 1.

        A condition's effect is the same in all groups and a group's the same in all conditions; an
        interaction is centred over both, so that it changes neither.
        """
        out = np.zeros((self.n_groups, len(self.conditions)))
        rows = slice(None) if effect.group is None else self.groups.index(effect.group)
        columns = (
            slice(None) if effect.condition is None else self.conditions.index(effect.condition)
        )
        out[rows, columns] = 1.0
        if effect.term == "group:condition":
            out = out - out.mean(0, keepdims=True) - out.mean(1, keepdims=True) + out.mean()
        return out

    def sd(self, term: str, subject: Floats, reactivity: Floats, trial: Floats) -> Floats:
        """Give the population SD that standardises a contrast of subject-level means.

        See :func:`facemt_analysis.simulate_study` for the derivation.
        """
        c, k = len(self.conditions), self.trials
        one = reactivity**2 + trial**2 / k  # one subject's mean in one condition, beside baseline
        if self.kind == "between":
            return np.sqrt(subject**2 + one)
        if term == "group":
            return np.sqrt(subject**2 + one / c)
        return np.sqrt(2 * one)

    def check(self, effect: Effect, duration: float) -> None:
        """Raise a FexError for an effect that this study cannot have."""
        if effect.feature not in FEATURES:
            near = difflib.get_close_matches(str(effect.feature), FEATURES, n=3)
            hint = f"; did you mean {' or '.join(near)}?" if near else "."
            if effect.feature == "Neutral":
                hint = ": its probability is what the other emotions leave. Plant those."
            raise FexError(f"No effect can be planted in {effect.feature!r}{hint}")
        for what, name, known in (
            ("condition", effect.condition, self.conditions),
            ("group", effect.group, self.groups),
        ):
            if name is None:
                continue
            if name not in known:
                there = ", ".join(known) or "none"
                raise FexError(f"The effect {effect} names the {what} {name!r}; there is {there}.")
            if name == known[0]:
                raise FexError(
                    f"The effect {effect} is on {name!r}, the first {what} and so the reference; "
                    "give the effects of the others."
                )
        if not effect.term:
            raise FexError(f"The effect {effect} needs a condition, a group or both.")
        if effect.unit not in get_args(EffectUnit):
            raise FexError(f"The unit of an effect must be 'd' or 'raw', but got {effect.unit!r}.")
        if not np.isfinite(effect.size):
            raise FexError(f"The size of an effect must be a number, but got {effect.size!r}.")
        if effect.window is not None:
            start, stop = effect.window
            if not 0 <= start < stop <= duration:
                raise FexError(
                    f"The window of {effect} must lie in 0 to {duration:g} s and be start < stop."
                )
            if effect.feature in FEATURES_WITHOUT_WINDOW:
                raise FexError(
                    f"An effect on {effect.feature} cannot have a window: emotions are a softmax. "
                    "Plant it in the action units or in valence."
                )


def _is_name(name: object) -> bool:
    """Text that can be part of the name of a recording."""
    return isinstance(name, str) and bool(name) and not set(name) & set("/\\\0")


FEATURES_WITHOUT_WINDOW = ("Happy", "Sad", "Surprise", "Fear", "Disgust", "Anger")

EffectsLike = Mapping[str, Mapping[Any, float]] | Iterable[Effect] | None


def as_effects(effects: EffectsLike, design: Design, duration: float) -> tuple[Effect, ...]:
    """Bring all ways to say effects to one: checked, no two on the same contrast.

    Parameters
    ----------
    effects
        ``{feature: {level: size}}`` where a level is a condition, a group, or a pair of both (the
        interaction); or Effect objects; None: :data:`PRESET_EFFECTS` of the conditions.
    design
        Where the names come from.
    duration
        Of a recording, s.
    """
    if effects is None:
        found = [
            Effect(feature, size, condition=condition)
            for condition in design.conditions[1:]
            for feature, size in PRESET_EFFECTS.get(condition, {}).items()
        ]
    elif isinstance(effects, Mapping):
        found = list(_from_mapping(effects, design))
    else:
        found = list(effects)
    seen: set[tuple[Any, ...]] = set()
    for effect in found:
        if not isinstance(effect, Effect):
            raise FexError(
                "`effects` must be {feature: {condition: size}} or Effect objects, but holds "
                f"{effect!r:.60}."
            )
        design.check(effect, duration)
        if effect.key in seen:
            raise FexError(f"`effects` has two effects on one contrast: {effect}.")
        seen.add(effect.key)
    return tuple(found)


def _from_mapping(effects: Mapping[Any, Any], design: Design) -> Iterator[Effect]:
    both = set(design.conditions) & set(design.groups)
    for feature, sizes in effects.items():
        if not isinstance(sizes, Mapping):
            raise FexError(
                f"`effects[{feature!r}]` must be {{condition or group: size}}, but is "
                f"{sizes!r:.60}."
            )
        for level, size in sizes.items():
            names: Sequence[Any] = level if isinstance(level, tuple) else (level,)
            unclear = [n for n in names if n in both]
            if unclear:
                raise FexError(f"{unclear[0]!r} is a condition and a group; give Effect objects.")
            groups = [n for n in names if n in design.groups]
            conditions = [n for n in names if n not in design.groups]
            if len(groups) > 1 or len(conditions) > 1:
                raise FexError(
                    f"`effects[{feature!r}]` has the level {level!r}; expected a condition, a "
                    "group, or one of each."
                )
            yield Effect(
                feature,
                size,
                condition=conditions[0] if conditions else None,
                group=groups[0] if groups else None,
            )
