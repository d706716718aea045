"""Synchrony of dyads: how much two people move together, more than strangers would."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.checks import check_labels, check_number, check_option, check_whole
from facemt_analysis.errors import FexError
from facemt_analysis.stats.corrections import adjust_p
from facemt_analysis.stats.courses import Courses, courses, mean_courses, pick_features
from facemt_analysis.stats.synchrony_result import (
    DYAD_COLUMNS,
    SYNCHRONY_COLUMNS,
    SynchronyResult,
)
from facemt_analysis.stats.synchrony_scores import (
    SynchronyMeasure,
    scorer,
    segment_scorer,
)
from facemt_analysis.stats.synchrony_surrogates import Chance, Surrogate, by_chance

__all__ = ["synchrony"]

Floats = NDArray[np.float64]


def synchrony(
    frame: pd.DataFrame,
    feature: str | Sequence[str],
    *,
    dyad: str = "dyad",
    person: str = "person",
    condition: str | None = None,
    time: str = "time",
    measure: SynchronyMeasure = "peak",
    surrogate: Surrogate = "pseudo-dyads",
    window: float = 5.0,
    step: float | None = None,
    max_lag: float = 2.0,
    recurrence_rate: float = 0.05,
    n_permutations: int = 500,
    rate: float | None = None,
    tmin: float | None = None,
    tmax: float | None = None,
    seed: int | None = 0,
) -> SynchronyResult:
    """Measure the synchrony of dyads, and test it against chance.

    Parameters
    ----------
    frame
        One row per face and frame; both people of a dyad have the same time axis.
    feature
        One column or several. Correlations are of each feature by itself, ``"dtw"`` and
        ``"recurrence"`` of all together (multidimensional).
    dyad, person
        Columns that name the pair and, the same two names in all pairs, the person: for two faces
        of one recording ``dyad="input", person="track"``.
    condition
        Column with a condition; dyads are tested in each by itself.
    time
        Column with the time that both share, s.
    measure
        ``"peak"``: highest average correlation of windows over lags; ``"mean"``: mean absolute
        Fisher z over all windows and lags (SUSY, rMEA); ``"dtw"``: normalised distance after
        dynamic time warping (less is stronger), band `max_lag`; ``"recurrence"``: share of
        recurrent times at the best lag, where `recurrence_rate` of all pairs of times are
        recurrent.
    surrogate
        ``"pseudo-dyads"``: people with partners of other dyads (they do the same task, but did not
        meet); ``"segments"``: windows of the first with windows of the second at other times,
        `window` + `max_lag` apart (correlations only; `step` does not count);
        ``"circular-shift"``: the second's course, turned by more than a window and a lag.
    window, step, max_lag
        Of :func:`windowed_crosscorrelation`, s.
    recurrence_rate
        Of :func:`recurrence_quantification`.
    n_permutations
        Exchanges of partners, or surrogates per dyad.
    rate, tmin, tmax
        As in :func:`cluster_permutation`: a common time axis with so many points per second; the
        part to use.
    seed
        Of everything random.

    Returns
    -------
    SynchronyResult

    Raises
    ------
    FexError
        If a column is absent, empty or constant, there are not two people in each dyad, times
        differ and no `rate` is given, recordings are shorter than a window and the longest lag, or
        pseudo-dyads are asked for and there is one dyad.
    OptionError
        If an option is out of its range.

    Notes
    -----
    The unit is the dyad. p over dyads: share of the exchanges of partners (or of the surrogates,
    one per dyad at a time) whose mean strength is at least the observed one, which counts among
    them. Missing values are left out of correlations, and bridged by straight lines for ``"dtw"``
    and ``"recurrence"``.

    References
    ----------
    Boker et al. (2002), https://doi.org/10.1037/1082-989X.7.3.338; Bernieri et al. (1988),
    https://doi.org/10.1037/0022-3514.54.2.243 (pseudo-dyads); Moulder et al. (2018),
    https://doi.org/10.1037/met0000172 (surrogates); Riehle et al. (2017),
    https://doi.org/10.1007/s10919-016-0246-8 (smiles).

    Examples
    --------
    >>> import facemt_analysis as fm
    >>> fex, truth = fm.simulate_dyads(6, coupling=0.8, lag=0.4, fps=10, seed=1,
    ...                                feature_groups=["aus"])
    >>> found = synchrony(fex, "AU12")
    >>> found.group["lag"].item(), bool(found.group["p"].item() < 0.05)
    (0.4, True)
    """
    check_option("measure", measure, ("peak", "mean", "dtw", "recurrence"))
    check_option("surrogate", surrogate, ("pseudo-dyads", "segments", "circular-shift"))
    n_permutations = check_whole("n_permutations", n_permutations, 1)
    check_number("window", window, 0, open_low=True, unit="s")
    check_number("max_lag", max_lag, 0, unit="s")
    for name, column in (("dyad", dyad), ("person", person), ("condition", condition)):
        check_labels(frame, column, name=name)
    names = pick_features(frame, feature)
    by = [dyad, person] + ([condition] if condition else [])
    found = mean_courses(
        courses(_persons(frame, person), names, by, time=time, rate=rate, tmin=tmin, tmax=tmax,
                unit=()),
        by,
    )  # fmt: skip
    persons = _two(found.keys, dyad, person)
    score = scorer(
        measure, rate=found.rate, window=window, step=step, max_lag=max_lag,
        recurrence_rate=recurrence_rate,
    )  # fmt: skip
    joint = measure in ("dtw", "recurrence")
    blocks = [(", ".join(names), list(range(len(names))))] if joint else [
        (name, [i]) for i, name in enumerate(names)
    ]  # fmt: skip
    in_segments = None
    if surrogate == "segments":
        in_segments = segment_scorer(measure, rate=found.rate, window=window, max_lag=max_lag)
    apart = round((window + max_lag) * found.rate)
    sign = -1.0 if measure == "dtw" else 1.0
    tables, groups, nulls, profiles = [], [], [], []
    lags: Floats = np.empty(0)
    for level in [None] if condition is None else list(found.keys[condition].drop_duplicates()):
        pairs, dyads = _pairs(found, dyad, person, persons, condition, level)
        for label, rows in blocks:
            chance = by_chance(
                pairs[:, :, rows], score, in_segments, surrogate,
                sign=sign, apart=apart, n_permutations=n_permutations, seed=seed,
            )  # fmt: skip
            said = {"condition": "" if level is None else level, "feature": label,
                    "measure": measure}  # fmt: skip
            lags = chance.own.lags
            tables.append(_dyad_rows(chance, dyads, pairs[:, :, rows], said))
            groups.append({**said, **_group_row(chance, sign)})
            nulls.append(chance.null)
            profiles.append(chance.own.profile)
    words = _words(measure, surrogate, window, max_lag, n_permutations)
    group = pd.DataFrame(groups).assign(method=words)
    group["p_adj"] = adjust_p(group["p"].to_numpy(np.float64), "holm")
    return SynchronyResult(
        table=pd.concat(tables, ignore_index=True)[list(DYAD_COLUMNS)],
        group=group[list(SYNCHRONY_COLUMNS)],
        profiles=np.concatenate(profiles),
        lags=lags,
        null_distribution=tuple(nulls),
        persons=(str(persons[0]), str(persons[1])),
    )


def _persons(frame: pd.DataFrame, person: str) -> pd.DataFrame:
    """Leave out rows without a face, which are nobody's."""
    plain = pd.DataFrame(frame)
    return plain[plain["track"] >= 0] if person == "track" else plain


def _two(keys: pd.DataFrame, dyad: str, person: str) -> tuple[object, object]:
    people = sorted(keys[person].drop_duplicates(), key=str)
    if len(people) != 2:
        said = ", ".join(str(p) for p in people[:6]) + (" …" if len(people) > 6 else "")
        raise FexError(
            f"{person!r} must call the people of all dyads by the same two names, such as a and b, "
            f"but there are {len(people)}: {said}. For more than two people at once there is "
            "group_synchrony."
        )
    per_dyad = keys.groupby(dyad, observed=True)[person].nunique()
    if (per_dyad < 2).any():
        who = ", ".join(str(d) for d in per_dyad.index[per_dyad < 2][:6])
        raise FexError(f"A dyad has two people, but there is only one in {who}: leave it out.")
    return people[0], people[1]


def _pairs(
    found: Courses,
    dyad: str,
    person: str,
    persons: tuple[object, object],
    condition: str | None,
    level: object,
) -> tuple[Floats, list[object]]:
    """Courses (dyads, 2, features, times) of one condition, and the names of the dyads."""
    keys = found.keys
    chosen = np.ones(len(keys), dtype=np.bool_)
    if condition is not None:
        chosen = (keys[condition] == level).to_numpy(np.bool_)
    place = {
        (d, p): i
        for i, (d, p) in enumerate(zip(keys[dyad], keys[person], strict=True))
        if chosen[i]
    }
    dyads = [d for d in dict.fromkeys(keys[dyad]) if all((d, p) in place for p in persons)]
    if not dyads:
        raise FexError(f"No dyad has both people in {level!r}.")
    return np.array([[found.values[place[d, p]] for p in persons] for d in dyads]), dyads


def _dyad_rows(
    chance: Chance, dyads: Sequence[object], pairs: Floats, said: dict[str, object]
) -> pd.DataFrame:
    both = (~np.isnan(pairs)).all(axis=(1, 2)).sum(axis=1)
    rows = []
    for i, name in enumerate(dyads):
        value, random = chance.own.value[i], chance.values[i]
        mean, sd = float(np.nanmean(random)), float(np.nanstd(random, ddof=1))
        strong = chance.sign * random >= chance.sign * value - 1e-12
        rows.append(
            {"dyad": name, **said, "value": value, "lag": chance.own.lag[i],
             "surrogate_mean": mean, "surrogate_sd": sd,
             "z": chance.sign * (value - mean) / sd if sd > 0 else np.nan,
             "p": (1 + int(strong.sum())) / (1 + len(random)), "n_times": int(both[i])}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _group_row(chance: Chance, sign: float) -> dict[str, object]:
    lag = float(np.nanmedian(chance.own.lag))
    if chance.own.profile.size:
        z = np.arctanh(np.clip(chance.own.profile, -1 + 1e-9, 1 - 1e-9))
        lag = float(chance.own.lags[np.nan_to_num(np.nanmean(z, axis=0), nan=-9.0).argmax()])
    random = np.concatenate(chance.values)
    by_dyad = [
        sign * (v - np.nanmean(r)) / np.nanstd(r, ddof=1)
        for v, r in zip(chance.own.value, chance.values, strict=True)
    ]
    return {
        "value": float(np.nanmean(chance.own.value)),
        "lag": lag,
        "surrogate_mean": float(np.nanmean(random)),
        "z": float(np.nanmean(by_dyad)),
        "p": float(np.mean(chance.null >= chance.null[0] - 1e-12)),
        "n_dyads": len(chance.own.value),
    }


def _words(measure: str, surrogate: str, window: float, max_lag: float, n_permutations: int) -> str:
    windows = f"windows of {window:g} s, lags up to {max_lag:g} s"
    what = {
        "peak": f"highest mean cross-correlation, {windows}",
        "mean": f"mean absolute Fisher z of cross-correlations, {windows}",
        "dtw": f"dynamic time warping, band {max_lag:g} s",
        "recurrence": f"highest cross-recurrence at a lag, lags up to {max_lag:g} s",
    }[measure]
    return f"Dyadic synchrony ({what}; {surrogate}, {n_permutations:,} rearrangements)"
