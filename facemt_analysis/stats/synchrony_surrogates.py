"""What synchrony would be by chance: courses of people who do not see each other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from facemt_analysis.errors import FexError
from facemt_analysis.stats.synchrony_scores import Score, Scores, SegmentScore

__all__ = [
    "Chance",
    "Surrogate",
    "by_chance",
    "partner_null",
    "shift_apart",
]

Floats = NDArray[np.float64]
Surrogate = Literal["pseudo-dyads", "segments", "circular-shift"]


def shift_apart(course: Floats, least: int, n: int, rng: np.random.Generator) -> Floats:
    """Turn a course by random amounts that leave no true partner within reach.

    Parameters
    ----------
    course
        Shape (features, times).
    least
        Shortest shift in both directions, points.
    n, rng
        How many, from which random numbers.

    Returns
    -------
    ndarray
        Shape (n, features, times).
    """
    n_times = course.shape[-1]
    if n_times < 3 * least:
        raise FexError(
            f"The courses have {n_times} points, too few to shift them by at least {least} (window "
            'and longest lag) in both directions: take a shorter `window`, or "pseudo-dyads".'
        )
    shift = rng.integers(least, n_times - least + 1, n)
    at = (np.arange(n_times) - shift[:, None]) % n_times
    return np.stack([course[:, row] for row in at])


def partner_null(strength: Floats, n_permutations: int, seed: int | None) -> Floats:
    """Mean strength when partners are exchanged between dyads.

    Parameters
    ----------
    strength
        Of the first of dyad i with the second of dyad j, shape (dyads, dyads).
    n_permutations, seed
        Random exchanges; all of them if there are no more.

    Returns
    -------
    ndarray
        The observed mean (the diagonal), then those of other arrangements.
    """
    n = len(strength)
    if math.factorial(n) <= n_permutations + 1:
        orders = np.array(list(itertools.permutations(range(n))))
    else:
        rng = np.random.default_rng(seed)
        random = rng.permuted(np.tile(np.arange(n), (n_permutations, 1)), axis=1)
        orders = np.concatenate([np.arange(n)[None], random])
    return np.asarray(strength[np.arange(n), orders].mean(axis=1), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Chance:
    """Synchrony of true dyads, and what it is by chance.

    Parameters
    ----------
    own
        Of the dyads.
    values
        Of the surrogates of each dyad.
    null
        Mean strength over dyads: the observed one, then those by chance.
    sign
        −1 where less is stronger.
    """

    own: Scores
    values: list[Floats]
    null: Floats
    sign: float


def by_chance(
    pairs: Floats,
    score: Score,
    in_segments: SegmentScore | None,
    surrogate: Surrogate,
    *,
    sign: float = 1.0,
    apart: int = 1,
    n_permutations: int = 500,
    seed: int | None = 0,
) -> Chance:
    """Measure dyads and their surrogates.

    Parameters
    ----------
    pairs
        Courses, shape (dyads, 2, features, times).
    score, in_segments
        The measure; that with shuffled segments, for ``"segments"``.
    surrogate, n_permutations, seed
        Which, how many, of which random numbers.
    sign
        −1 if less is stronger.
    apart
        Shortest circular shift, points.
    """
    n = len(pairs)
    if surrogate == "pseudo-dyads":
        if n < 2:
            raise FexError(
                'Pseudo-dyads need at least 2 dyads, but there is 1: take surrogate="segments" or '
                '"circular-shift".'
            )
        all_with_all = [score(a, pairs[:, 1]) for a in pairs[:, 0]]
        value = np.array([s.value for s in all_with_all])
        own = _joined([_pick(s, i) for i, s in enumerate(all_with_all)])
        others = ~np.eye(n, dtype=np.bool_)
        chance = [np.concatenate([value[i, others[i]], value[others[i], i]]) for i in range(n)]
        return Chance(own, chance, partner_null(sign * value, n_permutations, seed), sign)
    rng = np.random.default_rng(seed)
    truth, chance = [], []
    for a, b in pairs:
        both = np.flatnonzero((~np.isnan(a)).any(0) & (~np.isnan(b)).any(0))
        if not len(both):
            raise FexError("The two people of a dyad are never there at the same time.")
        span = slice(both[0], both[-1] + 1)
        a, b = a[:, span], b[:, span]
        if in_segments is not None:
            found = in_segments(a, b, n_permutations, rng)
            truth.append(_pick(found, 0))
            chance.append(found.value[1:])
        else:
            truth.append(score(a, b[None]))
            chance.append(score(a, shift_apart(b, apart, n_permutations, rng)).value)
    own = _joined(truth)
    strength = sign * np.array(chance)
    null = np.concatenate([[np.nanmean(sign * own.value)], np.nanmean(strength, axis=0)])
    return Chance(own, chance, null, sign)


def _pick(scores: Scores, i: int) -> Scores:
    one = slice(i, i + 1)
    return Scores(scores.value[one], scores.lag[one], scores.profile[one], scores.lags)


def _joined(parts: Sequence[Scores]) -> Scores:
    return Scores(
        np.concatenate([p.value for p in parts]),
        np.concatenate([p.lag for p in parts]),
        np.concatenate([p.profile for p in parts]),
        parts[0].lags,
    )
