"""Planted and realised effects of a study, and how similar its subjects are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.simulate.study_design import Design, Effect
from facemt_analysis.simulate.study_engine import Bump
from facemt_analysis.simulate.study_population import (
    AUS,
    CONTROLLED_EMOTIONS,
    FEATURES,
    Population,
    population,
)
from facemt_analysis.simulate.study_truth import LEVEL_FEATURES

__all__ = ["Plan", "Similarity", "effect_table", "plan_effects"]

Floats = npt.NDArray[np.float64]

_N_SIMILAR = len(AUS) + len(schema.EMOTIONS) + 2  # action units, emotions, valence and arousal


@dataclass(frozen=True)
class Plan:
    """Effects in the units of the features.

    Parameters
    ----------
    people
        Distribution of the levels, narrowed if the effects need room.
    cells
        (groups, conditions, features) means of the population, without windowed effects.
    bumps
        Windowed effects of each (group, condition), with the effect they belong to.
    """

    people: Population
    cells: Floats
    bumps: Mapping[tuple[int, int], Sequence[tuple[Effect, Bump]]]

    @property
    def bump_range(self) -> tuple[Floats, Floats]:
        """Lowest and highest sum of windowed effects in any cell (features,)."""
        low, high = np.zeros(len(FEATURES)), np.zeros(len(FEATURES))
        for bumps in self.bumps.values():
            down, up = np.zeros(len(FEATURES)), np.zeros(len(FEATURES))
            for _, bump in bumps:
                (up if bump.amplitude > 0 else down)[bump.feature] += bump.amplitude
            low, high = np.minimum(low, down), np.maximum(high, up)
        return low, high


def _sd(effect: Effect, design: Design, people: Population) -> float:
    if effect.unit == "raw":
        return 1.0
    sds = people.sds
    i = FEATURES.index(effect.feature)
    return float(design.sd(effect.term, sds.subject, sds.reactivity, sds.trial)[i])


def plan_effects(design: Design, effects: Sequence[Effect], times: Floats) -> Plan:
    """Turn effects into means of cells and courses in windows.

    Parameters
    ----------
    design
        Who sees what.
    effects
        Checked effects.
    times
        Nominal times of the frames, s: the mean of a windowed effect over the frames of its window
        is its size.
    """
    people = population()
    shape = (design.n_groups, len(design.conditions), len(FEATURES))
    bounds = {"d": np.zeros((*shape, 2)), "raw": np.zeros((*shape, 2))}
    whole = {"d": np.zeros(shape), "raw": np.zeros(shape)}
    shares = {effect: _share(effect, times) for effect in effects}
    for effect in effects:
        i = FEATURES.index(effect.feature)
        shift = effect.size * _sd(effect, design, people) * design.pattern(effect)
        if effect.window is None:
            whole[effect.unit][..., i] += shift
        else:
            bounds[effect.unit][..., i, 0] += np.minimum(shift / shares[effect], 0)
            bounds[effect.unit][..., i, 1] += np.maximum(shift / shares[effect], 0)
    extremes = {
        unit: np.stack(
            [
                (whole[unit] + bounds[unit][..., 0]).min((0, 1)),
                (whole[unit] + bounds[unit][..., 1]).max((0, 1)),
            ],
            -1,
        )
        for unit in ("d", "raw")
    }
    fitted = people.fitted(extremes["d"], extremes["raw"])

    cells = np.broadcast_to(fitted.base, shape).copy()
    bumps: dict[tuple[int, int], list[tuple[Effect, Bump]]] = {}
    for effect in effects:
        i = FEATURES.index(effect.feature)
        shift = effect.size * _sd(effect, design, fitted) * design.pattern(effect)
        if effect.window is None:
            cells[..., i] += shift
            continue
        for g, c in np.argwhere(shift != 0):
            bump = Bump(i, float(shift[g, c]) / shares[effect], *effect.window)
            bumps.setdefault((int(g), int(c)), []).append((effect, bump))
    return Plan(fitted, cells, bumps)


def _share(effect: Effect, times: Floats) -> float:
    """Mean over its window of a bump of amplitude 1."""
    if effect.window is None:
        return 1.0
    course = Bump(0, 1.0, *effect.window).course(times)
    inside = (times >= effect.window[0]) & (times <= effect.window[1])
    return float(course[inside].mean()) if course.any() else 1.0


def _contrasts(design: Design) -> Iterator[tuple[str, str | None, str | None, str, Floats]]:
    """Term, group, condition, name, weights (groups, conditions) of every contrast."""
    g0 = design.groups[0] if design.groups else ""
    c0 = design.conditions[0]
    shape = (design.n_groups, len(design.conditions))
    by_condition, by_group = [], []
    for c, condition in enumerate(design.conditions[1:], 1):
        weights = np.zeros(shape)
        weights[:, c], weights[:, 0] = 1 / shape[0], -1 / shape[0]
        by_condition.append((condition, f"{condition} - {c0}"))
        yield "condition", None, condition, by_condition[-1][1], weights
    for g, group in enumerate(design.groups[1:], 1):
        weights = np.zeros(shape)
        weights[g], weights[0] = 1 / shape[1], -1 / shape[1]
        by_group.append((group, f"{group} - {g0}"))
        yield "group", group, None, by_group[-1][1], weights
    for g, (group, group_name) in enumerate(by_group, 1):
        for c, (condition, name) in enumerate(by_condition, 1):
            weights = np.zeros(shape)
            weights[g, c] = weights[0, 0] = 1
            weights[g, 0] = weights[0, c] = -1
            yield "group:condition", group, condition, f"({group_name}) * ({name})", weights


def effect_table(
    design: Design,
    plan: Plan,
    effects: Sequence[Effect],
    times: Floats,
    who: npt.NDArray[np.int64],
    means: Floats,
    windows: Mapping[Effect, Floats],
) -> pd.DataFrame:
    """Compare what was planted with what this sample shows; see :class:`StudyTruth`.

    Parameters
    ----------
    design, plan, effects, times
        As planned.
    who
        (recordings, 3) subject, group and condition (positions).
    means
        (recordings, `LEVEL_FEATURES`) over the valid frames, as the detector sees them.
    windows
        Windowed effect → (recordings,) mean of its feature over the valid frames of its window.
    """
    n_features = len(LEVEL_FEATURES)
    columns = [LEVEL_FEATURES.index(name) for name in FEATURES]
    planted = np.zeros((design.n_groups, len(design.conditions), n_features))
    planted[..., columns] = plan.cells - plan.people.base
    for (g, c), bumps in plan.bumps.items():
        for _, bump in bumps:
            planted[g, c, columns[bump.feature]] += bump.course(times).mean()
    neutral = LEVEL_FEATURES.index("Neutral")
    emotions = [LEVEL_FEATURES.index(name) for name in CONTROLLED_EMOTIONS]
    planted[..., neutral] = -planted[..., emotions].sum(-1)

    sds = plan.people.sds
    people = _subjects(design, who, means)
    rows: list[dict[str, Any]] = []
    for term, group, condition, name, weights in _contrasts(design):
        sd = np.full(n_features, np.nan)
        sd[columns] = design.sd(term, sds.subject, sds.reactivity, sds.trial)
        raw = np.einsum("gc,gcf->f", weights, planted)
        found_raw, found = _realised(design, condition, weights, people)
        shared = {"term": term, "contrast": name, "group": group, "condition": condition}
        shared["effect_name"] = "dz" if term != "group" and design.kind != "between" else "d"
        for f, feature in enumerate(LEVEL_FEATURES):
            rows.append(
                {"feature": feature, **shared, "planted": raw[f] / sd[f], "planted_raw": raw[f],
                 "sd": sd[f], "realised": found[f], "realised_raw": found_raw[f],
                 "start": np.nan, "stop": np.nan}
            )  # fmt: skip
        for effect in effects:
            if effect.window is None or (effect.group, effect.condition) != (group, condition):
                continue
            f = columns[FEATURES.index(effect.feature)]
            raw_size = effect.size * _sd(effect, design, plan.people)
            in_window = _subjects(design, who, windows[effect][:, None])
            found_raw, found = _realised(design, condition, weights, in_window)
            rows.append(
                {"feature": effect.feature, **shared, "planted": raw_size / sd[f],
                 "planted_raw": raw_size, "sd": sd[f], "realised": found[0],
                 "realised_raw": found_raw[0], "start": effect.window[0],
                 "stop": effect.window[1]}
            )  # fmt: skip
    names = ["feature", "term", "contrast", "group", "condition", "effect_name", "planted",
             "planted_raw", "sd", "realised", "realised_raw", "start", "stop"]  # fmt: skip
    table = pd.DataFrame(rows, columns=names)
    return table if design.groups else table.drop(columns="group")


@dataclass(frozen=True)
class _People:
    """Means (subjects, conditions, features), NaN where a subject does not see a condition."""

    group: npt.NDArray[np.int64]
    means: Floats


def _subjects(design: Design, who: npt.NDArray[np.int64], means: Floats) -> _People:
    n = int(who[:, 0].max()) + 1
    total = np.zeros((n, len(design.conditions), means.shape[1]))
    count = np.zeros(total.shape)
    np.add.at(total, (who[:, 0], who[:, 2]), np.nan_to_num(means))
    np.add.at(count, (who[:, 0], who[:, 2]), ~np.isnan(means))
    group = np.zeros(n, np.int64)
    group[who[:, 0]] = who[:, 1]
    out = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return _People(group, out)


def _realised(
    design: Design, condition: str | None, weights: Floats, people: _People
) -> tuple[Floats, Floats]:
    """Raw and standardised sample contrast of every feature; groups and cells weigh the same."""
    means = people.means
    cells = np.full((*weights.shape, means.shape[2]), np.nan)
    spread: list[Floats] = []  # deviations that make the pooled SD
    df = np.zeros(means.shape[2])
    for g in range(design.n_groups):
        mine = means[people.group == g]
        if design.kind == "between":
            parts = [mine[:, c] for c in range(mine.shape[1])]
        elif condition is None:
            parts = [mine.mean(1)]
        else:
            parts = [mine[:, design.conditions.index(condition)] - mine[:, 0]]
        count = (~np.isnan(mine)).sum(0)
        cells[g] = np.divide(
            np.nansum(mine, 0), count, out=np.full(count.shape, np.nan), where=count > 0
        )
        for part in parts:
            n = (~np.isnan(part)).sum(0)
            middle = np.divide(np.nansum(part, 0), n, out=np.zeros(len(n)), where=n > 0)
            spread.append(np.nansum((part - middle) ** 2, 0))
            df += np.maximum(n - 1, 0)
    used = weights != 0
    raw = np.asarray(np.einsum("k,kf->f", weights[used], cells[used]))
    variance = np.divide(sum(spread), df, out=np.full(len(df), np.nan), where=df > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return raw, np.where(variance > 0, raw / np.sqrt(variance), np.nan)


class Similarity:
    """Adds up, recording by recording, what the mean correlation of all pairs needs.

    The mean over pairs of the correlations of n standardised courses z is
    (‖Σ z‖² / frames − n) / (n (n − 1)).
    """

    def __init__(self, n_cells: int, n_frames: int) -> None:
        self._sum = np.zeros((n_cells, n_frames, _N_SIMILAR))
        self._count = np.zeros((n_cells, _N_SIMILAR))
        self._reliability = np.zeros((n_cells, _N_SIMILAR))

    def add(
        self, cell: npt.NDArray[np.int64], clean: Floats, seen: Floats, valid: npt.NDArray[np.bool_]
    ) -> None:
        """Add recordings: their cells, courses (recordings, frames, features), valid frames."""
        clean, seen = clean[..., :_N_SIMILAR], seen[..., :_N_SIMILAR]
        z = clean - clean.mean(1, keepdims=True)
        sd = z.std(1)
        moves = sd > 1e-9
        z /= np.where(moves, sd, 1.0)[:, None]
        weight = (valid / valid.sum(1, keepdims=True))[..., None]
        noise = (((seen - clean) ** 2) * weight).sum(1)
        signal = ((clean - (clean * weight).sum(1, keepdims=True)) ** 2 * weight).sum(1)
        reliability = np.divide(
            signal, signal + noise, out=np.zeros_like(signal), where=signal + noise > 0
        )
        for i, k in enumerate(cell):
            self._sum[k] += z[i]
            self._count[k] += moves[i]
            self._reliability[k] += reliability[i] * moves[i]

    def table(self, cells: pd.DataFrame, planted: npt.ArrayLike) -> pd.DataFrame:
        """Build the table of intersubject correlations; see :class:`StudyTruth`.

        Parameters
        ----------
        cells
            Labels of the cells, one row each.
        planted
            (cells, 20) expected correlation of the action units.
        """
        n, frames = self._count, self._sum.shape[1]
        with np.errstate(divide="ignore", invalid="ignore"):
            realised = np.where(n > 1, ((self._sum**2).sum(1) / frames - n) / (n * (n - 1)), np.nan)
            reliability = self._reliability / n
        out = cells.loc[np.repeat(np.arange(len(cells)), _N_SIMILAR)].reset_index(drop=True)
        out["feature"] = np.tile(np.array(LEVEL_FEATURES[:_N_SIMILAR], dtype=object), len(cells))
        wide = np.full(n.shape, np.nan)
        wide[:, : len(AUS)] = planted
        out["planted"] = wide.ravel()
        out["realised"] = realised.ravel()
        out["reliability"] = reliability.ravel()
        return out
