"""Synchrony of dyads: loops as oracle, planted lags, surrogates, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import ndimage

import facemt_analysis as fm
from facemt_analysis.errors import FacemtError
from facemt_analysis.stats import (
    DYAD_COLUMNS,
    SYNCHRONY_COLUMNS,
    synchrony,
    windowed_crosscorrelation,
)
from facemt_analysis.stats.synchrony_scores import scorer, segment_scorer
from facemt_analysis.stats.synchrony_surrogates import (
    by_chance,
    partner_null,
    shift_apart,
)

Floats = NDArray[np.float64]


def noise(seed: int, *shape: int, width: float = 3) -> Floats:
    raw = np.random.default_rng(seed).normal(size=shape)
    return np.asarray(ndimage.gaussian_filter1d(raw, width, axis=-1))


# ------------------------------------------------------------------ windowed cross-correlation
@pytest.mark.parametrize("gaps", [False, True], ids=["complete", "gaps"])
def test_correlations_are_those_of_a_loop(gaps: bool) -> None:
    a, b = noise(1, 90) + 100, noise(2, 90) - 50
    if gaps:
        a[20:26] = b[40:43] = np.nan
    found = windowed_crosscorrelation(a, b, rate=10, window=2, step=0.7, max_lag=1, lag_step=0.2)
    np.testing.assert_allclose(found.lag, np.arange(-10, 11, 2) / 10)
    starts = np.arange(0, 90 - 20 - 10 + 1, 7)
    np.testing.assert_allclose(found.time, (starts + 9.5) / 10)
    for i, s in enumerate(starts):
        for k, lag in enumerate(range(-10, 11, 2)):
            x = a[s + max(0, -lag) :][:20]
            y = b[s + max(0, lag) :][:20]
            both = ~np.isnan(x) & ~np.isnan(y)
            expected = np.corrcoef(x[both], y[both])[0, 1] if both.sum() >= 10 else np.nan
            np.testing.assert_allclose(found.r[i, k], expected, atol=1e-9)


def test_many_pairs_at_once_are_each_alone() -> None:
    a, b = noise(1, 80), noise(2, 5, 80)
    options: Any = {"rate": 10, "window": 2, "max_lag": 1}
    together = windowed_crosscorrelation(a, b, **options)
    for part, other in zip(together.r, b, strict=True):
        np.testing.assert_allclose(part, windowed_crosscorrelation(a, other, **options).r)


@pytest.mark.parametrize("delay", [-8, 0, 5])
def test_a_delay_is_the_lag_of_the_peak(delay: int) -> None:
    a = noise(4, 400)
    b = np.roll(a, delay) + 0.1 * noise(5, 400)
    found = windowed_crosscorrelation(a, b, rate=10, window=4, max_lag=2)
    assert found.lag[found.mean_profile().argmax()] == pytest.approx(delay / 10)
    height, lag = found.peaks()
    assert np.nanmedian(lag) == pytest.approx(delay / 10)
    assert np.nanmedian(height) > 0.9


def test_the_peak_nearest_to_no_lag_is_picked() -> None:
    lag = np.arange(-10, 11) / 10
    r = np.exp(-((lag - 0.3) ** 2) / 0.01) * 0.5 + np.exp(-((lag + 0.7) ** 2) / 0.01) * 0.9
    rising = np.linspace(0, 1, 21)
    from facemt_analysis.stats import WindowedCorrelation

    found = WindowedCorrelation(np.stack([r, rising]), np.zeros(2), lag)
    height, at = found.peaks(neighbours=2)
    assert at[0] == pytest.approx(0.3)
    assert height[0] == pytest.approx(0.5, abs=1e-3)
    assert np.isnan([height[1], at[1]]).all()  # a maximum at the longest lag is no peak


def test_a_window_that_stands_still_has_no_correlation() -> None:
    a, b = noise(1, 100) + 5, noise(2, 100)
    a[30:60] = a[30]
    found = windowed_crosscorrelation(a, b, rate=10, window=1, step=0.1, max_lag=0)
    still = np.isnan(found.r[:, 0])
    assert still[30:51].all()
    assert not still[:20].any()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"window": 20}, "have 10 s, less than a window of 20 s"),
        ({"window": 0.1}, "at least 3 points"),
        ({"rate": 0}, "rate"),
        ({"max_lag": -1}, "max_lag"),
        ({"b": noise(1, 90)}, "same times"),
    ],
    ids=["long", "short", "rate", "lag", "length"],
)
def test_wrong_windows_say_what_is_wrong(options: dict[str, Any], says: str) -> None:
    call = {"a": noise(1, 100), "b": noise(2, 100), "rate": 10, **options}
    with pytest.raises(FacemtError, match=says):
        windowed_crosscorrelation(**call)


# ------------------------------------------------------------------ surrogates
@pytest.mark.parametrize("measure", ["peak", "mean"])
def test_segments_are_windows_of_other_times(measure: Any) -> None:
    a, b = noise(1, 1, 125), noise(2, 1, 125)
    score = segment_scorer(measure, rate=10, window=2, max_lag=1)
    found = score(a, b, 6, np.random.default_rng(1))
    starts = [0, 30, 60, 90]  # windows and what their lags reach do not overlap
    orders = [np.arange(len(starts))]
    orders += list(np.random.default_rng(1).permuted(np.tile(orders[0], (6, 1)), axis=1))
    for k, order in enumerate(orders):
        r = np.empty((len(starts), 21))
        for i, j in enumerate(order):
            for m, lag in enumerate(range(-10, 11)):
                x = a[0, starts[i] + max(0, -lag) :][:20]
                y = b[0, starts[j] + max(0, lag) :][:20]
                r[i, m] = np.corrcoef(x, y)[0, 1]
        z = np.arctanh(r)
        expected = np.tanh(z.mean(0)).max() if measure == "peak" else np.abs(z).mean()
        assert found.value[k] == pytest.approx(expected, rel=1e-6)
        assert found.lag[k] == pytest.approx(np.arange(-10, 11)[z.mean(0).argmax()] / 10)


def test_shifts_stay_away_from_the_truth() -> None:
    course = np.arange(40.0)[None]
    made = shift_apart(course, 12, 50, np.random.default_rng(1))
    shift = made[:, 0].argmin(axis=1)
    assert shift.min() >= 12
    assert shift.max() <= 28
    np.testing.assert_array_equal(made[0, 0], np.roll(course[0], shift[0]))


def test_few_dyads_exchange_partners_in_all_ways() -> None:
    strength = np.array([[3.0, 0, 1], [0, 3, 0], [0, 1, 3]])
    null = partner_null(strength, 100, 0)
    assert null[0] == 3
    assert sorted(null * 3) == pytest.approx([0, 2, 3, 4, 4, 9])


# ------------------------------------------------------------------ tables
@pytest.fixture(scope="module")
def dyads() -> pd.DataFrame:
    fex, _ = fm.simulate_dyads(
        7, conditions=("talk", "rest"), coupling={"talk": 0.7, "rest": 0.0}, lag=0.6, duration=40,
        fps=10, seed=2, feature_groups=["aus"],
    )  # fmt: skip
    return pd.DataFrame(fex)


@pytest.mark.parametrize("surrogate", ["pseudo-dyads", "segments", "circular-shift"])
def test_the_planted_lag_is_found_where_it_is(dyads: pd.DataFrame, surrogate: Any) -> None:
    names = ["AU12", "AU04"] if surrogate == "pseudo-dyads" else ["AU12"]
    few = dyads if surrogate == "pseudo-dyads" else dyads[dyads["dyad"] < "dyad-05"]
    found = synchrony(few, names, condition="condition", surrogate=surrogate, n_permutations=60)
    assert tuple(found.table.columns) == DYAD_COLUMNS
    assert tuple(found.group.columns) == SYNCHRONY_COLUMNS
    talk = found.group[found.group["condition"] == "talk"]
    np.testing.assert_allclose(talk["lag"], 0.6, atol=0.11)
    assert (talk["p"] < 0.02).all()
    assert (talk["value"] > talk["surrogate_mean"] + 0.2).all()
    assert (talk["z"] > 1).all()
    rest = found.group[found.group["condition"] == "rest"]
    assert (rest["p"] > 0.05).all()
    assert len(found.table) == few["dyad"].nunique() * 2 * len(names)
    assert found.profiles.shape == (len(found.table), len(found.lags))
    assert (found.group["p_adj"] >= found.group["p"]).all()


def test_the_sign_of_the_lag_says_who_follows(dyads: pd.DataFrame) -> None:
    talk = dyads[dyads["condition"] == "talk"]
    turned = talk.assign(person=talk["person"].map({"a": "b", "b": "a"}))
    one, other = synchrony(talk, "AU12"), synchrony(turned, "AU12")
    assert one.group["lag"].item() == -other.group["lag"].item() > 0
    assert "b 0.60 s after a" in one.summary()
    assert "b 0.60 s before a" in other.summary()


@pytest.mark.parametrize("measure", ["mean", "dtw", "recurrence"])
def test_other_measures_find_the_coupling(dyads: pd.DataFrame, measure: Any) -> None:
    part = dyads[dyads["condition"] == "talk"]
    found = synchrony(part, ["AU12", "AU06"], measure=measure, rate=4, n_permutations=199)
    assert (found.group["p"] < 0.05).all()
    assert (found.group["z"] > 0).all()
    if measure == "mean":
        assert found.group["feature"].tolist() == ["AU12", "AU06"]
    else:
        assert found.group["feature"].tolist() == ["AU12, AU06"]
    if measure == "dtw":  # less is stronger
        assert found.group["value"].item() < found.group["surrogate_mean"].item()
        assert found.profiles.size == 0


def test_two_faces_of_one_recording_are_a_dyad() -> None:
    fex, _ = fm.simulate_dyads(
        5, coupling=0.8, lag=0.5, together=True, duration=40, fps=10, seed=3, feature_groups=["aus"]
    )
    labelled = synchrony(fex, "AU12", n_permutations=50)
    by_keys = synchrony(fex, "AU12", dyad="input", person="track", n_permutations=50)
    np.testing.assert_allclose(labelled.group["value"], by_keys.group["value"])
    assert by_keys.persons == ("0", "1")
    assert by_keys.group["lag"].item() == pytest.approx(0.5, abs=0.11)


def test_one_dyad_is_tested_by_surrogates_of_its_own(dyads: pd.DataFrame) -> None:
    one = dyads[(dyads["dyad"] == "dyad-01") & (dyads["condition"] == "talk")]
    found = synchrony(one, "AU12", surrogate="circular-shift", n_permutations=40)
    assert found.table["p"].item() == pytest.approx(found.group["p"].item())
    assert found.table["p"].item() <= 0.05
    again = synchrony(one, "AU12", surrogate="circular-shift", n_permutations=40)
    pd.testing.assert_frame_equal(found.table, again.table)


def test_pseudo_dyads_without_coupling_reject_as_often_as_said() -> None:
    score = scorer("peak", rate=5, window=4, step=None, max_lag=1, recurrence_rate=0.05)
    p = []
    for seed in range(40):
        pairs = noise(seed, 5, 2, 1, 60, width=1.5)
        null = by_chance(pairs, score, None, "pseudo-dyads", n_permutations=200).null
        assert len(null) == 120  # all exchanges
        p.append(np.mean(null >= null[0] - 1e-12))
    for level in (0.05, 0.5):
        expected = 40 * level
        assert abs((np.array(p) <= level).sum() - expected) < 3.5 * np.sqrt(expected)


def without(table: pd.DataFrame, dyad: str, person: str) -> pd.DataFrame:
    return table[~((table["dyad"] == dyad) & (table["person"] == person))]


@pytest.mark.parametrize(
    ("change", "options", "says"),
    [
        (lambda t: t[t["dyad"] == "dyad-01"], {}, "at least 2 dyads"),
        (lambda t: without(t, "dyad-03", "b"), {}, "only one in dyad-03"),
        (lambda t: t.assign(person=t["dyad"] + t["person"]), {}, "same two names"),
        (lambda t: t, {"window": 100}, "less than a window"),
        (lambda t: t, {"surrogate": "segments", "window": 15}, "too few to shuffle"),
        (lambda t: t, {"surrogate": "segments", "measure": "dtw"}, "for correlations"),
        (lambda t: t, {"surrogate": "circular-shift", "window": 20}, "too few to shift"),
        (lambda t: t.assign(AU12=0.3), {}, "everywhere"),
        (lambda t: t.assign(AU12=np.nan), {}, "no value"),
        (lambda t: t, {"measure": "granger"}, "measure"),
        (lambda t: t, {"surrogate": "phase"}, "surrogate"),
        (lambda t: t, {"dyad": "pair"}, "no column 'pair'"),
        (lambda t: t.assign(time=t["time"] * np.where(t["person"] == "a", 1, 1.2)), {}, "rate="),
        (lambda t: pd.concat([t, t]), {}, "Several faces"),
    ],
    ids=["one-dyad", "alone", "names", "window", "segments", "segments-dtw", "shift", "constant",
         "nan", "measure",
         "surrogate", "column", "rates", "twice"],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused(
    dyads: pd.DataFrame, change: Any, options: dict[str, Any], says: str
) -> None:
    talk = dyads[dyads["condition"] == "talk"]
    with pytest.raises(FacemtError, match=says):
        synchrony(change(talk), "AU12", **options)
