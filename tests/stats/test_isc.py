"""Intersubject correlation: loops as oracle, planted values, nulls, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import ndimage, stats

import facemt_analysis as fm
from facemt_analysis.errors import FacemtError
from facemt_analysis.stats import bootstrap_isc, isc, isc_array, isc_null, jackknife_isc
from facemt_analysis.stats.isc_engine import (
    circular_shift,
    phase_randomize,
    summarize_isc,
    wild_bootstrap,
)

Floats = NDArray[np.float64]


def shared(seed: int, n: int = 9, n_times: int = 120, strength: float = 0.0) -> Floats:
    """Smooth courses of n subjects with a common part."""
    rng = np.random.default_rng(seed)
    own = ndimage.gaussian_filter1d(rng.normal(size=(n, n_times + 40)), 3, axis=-1)[:, 20:-20]
    film = ndimage.gaussian_filter1d(rng.normal(size=n_times + 40), 3)[20:-20]
    return np.asarray(own + strength * film)


def holes(data: Floats) -> Floats:
    out = data.copy()
    for course, start in zip(out, range(5, 200, 11), strict=False):
        course[start : start + 15] = np.nan
    return out


# ------------------------------------------------------------------ loops as oracle
def loop_leave_one_out(data: Floats) -> Floats:
    """The formula of brainiak.isc.isc and of Nastase et al. (2019), one subject at a time."""
    out = []
    for i, own in enumerate(data):
        others = np.delete(data, i, axis=0)
        count = (~np.isnan(others)).sum(0)
        mean = np.array(
            [np.nanmean(c) if n else np.nan for c, n in zip(others.T, count, strict=True)]
        )
        both = ~np.isnan(own) & ~np.isnan(mean)
        out.append(np.corrcoef(own[both], mean[both])[0, 1])
    return np.array(out)


def loop_pairwise(data: Floats) -> Floats:
    out = np.ones((len(data), len(data)))
    for i, a in enumerate(data):
        for j, b in enumerate(data):
            both = ~np.isnan(a) & ~np.isnan(b)
            out[i, j] = stats.pearsonr(a[both], b[both]).statistic if i != j else 1.0
    return out


@pytest.mark.parametrize("gaps", [False, True], ids=["complete", "gaps"])
def test_leave_one_out_is_its_loop(gaps: bool) -> None:
    data = holes(shared(1, strength=0.5)) if gaps else shared(1, strength=0.5)
    np.testing.assert_allclose(isc_array(data), loop_leave_one_out(data), rtol=1e-9)


@pytest.mark.parametrize("gaps", [False, True], ids=["complete", "gaps"])
def test_pairwise_is_its_loop(gaps: bool) -> None:
    data = holes(shared(1, strength=0.5)) if gaps else shared(1, strength=0.5)
    np.testing.assert_allclose(isc_array(data, "pairwise"), loop_pairwise(data), rtol=1e-9)


@pytest.mark.parametrize("method", ["leave-one-out", "pairwise"])
def test_many_data_sets_at_once_are_each_alone(method: Any) -> None:
    many = np.stack([shared(1), holes(shared(2)), shared(3)])
    together = isc_array(many, method)
    for part, data in zip(together, many, strict=True):
        np.testing.assert_allclose(part, isc_array(data, method), rtol=1e-9, atol=1e-12)


def test_the_average_goes_through_fishers_z() -> None:
    r = np.array([0.1, 0.5, 0.9, np.nan])
    expected = np.tanh(np.mean(np.arctanh([0.1, 0.5, 0.9])))
    assert summarize_isc(r, "leave-one-out") == pytest.approx(expected)
    assert summarize_isc(r, "leave-one-out", "median") == pytest.approx(0.5)
    pairs = np.array([[1, 0.2, 0.4], [0.2, 1, np.nan], [0.4, np.nan, 1]])
    expected = np.tanh(np.mean(np.arctanh([0.2, 0.4])))
    assert summarize_isc(pairs, "pairwise", "median") == pytest.approx(expected)
    assert np.isnan(summarize_isc(np.full(3, np.nan), "leave-one-out"))
    assert np.isnan(summarize_isc(np.full(3, np.nan), "leave-one-out", "median"))


def test_identical_courses_correlate_perfectly_and_constant_ones_not_at_all() -> None:
    wave = np.sin(np.linspace(0, 9, 50))
    np.testing.assert_allclose(isc_array(np.array([wave, 2 * wave, wave + 3])), 1)
    flat = np.array([wave, wave, np.full(50, 0.1)])
    assert np.isnan(isc_array(flat)).tolist() == [False, False, True]
    pairs = isc_array(flat, "pairwise")
    assert np.isnan(pairs[2]).all()
    assert np.isnan(pairs[:, 2]).all()
    assert pairs[0, 1] == pytest.approx(1)


def test_the_bootstrap_leaves_self_pairs_out() -> None:
    data = shared(4, n=6, strength=0.7)
    r = isc_array(data, "pairwise")
    drawn = np.random.default_rng(3).integers(0, 6, (50, 6))
    expected = []
    for who in drawn:
        z = [np.arctanh(r[a, b]) for i, a in enumerate(who) for b in who[i + 1 :] if a != b]
        expected.append(np.tanh(np.mean(z)))
    found = bootstrap_isc(r, "pairwise", n_samples=50, seed=3)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert found.max() < 1
    one = bootstrap_isc(isc_array(data), "leave-one-out", n_samples=50, seed=3)
    values = np.arctanh(isc_array(data))
    np.testing.assert_allclose(one, np.tanh(values[drawn].mean(1)), rtol=1e-9)


@pytest.mark.parametrize("method", ["leave-one-out", "pairwise"])
def test_the_interval_is_that_of_leaving_each_subject_out(method: Any) -> None:
    data = holes(shared(4, n=6, strength=0.7))
    loop = loop_pairwise if method == "pairwise" else loop_leave_one_out

    def z(part: Floats) -> float:
        r = loop(part)
        return float(np.arctanh(r[np.triu_indices(len(r), 1)] if r.ndim == 2 else r).mean())

    pseudo = [6 * z(data) - 5 * z(np.delete(data, i, 0)) for i in range(6)]
    half = stats.t.ppf(0.95, 5) * np.std(pseudo, ddof=1) / np.sqrt(6)
    expected = np.tanh([z(data) - half, z(data) + half])
    np.testing.assert_allclose(jackknife_isc(data, method, confidence=0.9), expected, rtol=1e-9)


# ------------------------------------------------------------------ surrogates
def test_phases_are_random_and_the_spectrum_stays() -> None:
    for n_times in (120, 121):
        data = shared(5, n_times=n_times) + 2
        made = phase_randomize(data, 4, np.random.default_rng(1))
        expected = np.abs(np.fft.rfft(data))
        np.testing.assert_allclose(np.abs(np.fft.rfft(made)), np.stack([expected] * 4), atol=1e-9)
        assert np.abs(loop_pairwise(np.vstack([data[:1], made[0][:1]]))[0, 1]) < 0.6


def test_missing_values_stay_where_they_are_when_phases_change() -> None:
    data = holes(shared(5))
    made = phase_randomize(data, 3, np.random.default_rng(1))
    assert (np.isnan(made) == np.isnan(data)).all()


def test_shifts_turn_every_subject_by_itself() -> None:
    data = np.arange(20.0).reshape(2, 10)
    made = circular_shift(data, 40, np.random.default_rng(1))
    for one in made:
        for own, course in zip(data, one, strict=True):
            np.testing.assert_array_equal(np.roll(own, int(np.argmin(course))), course)
    starts = made.argmin(-1)
    assert (starts[:, 0] != starts[:, 1]).mean() > 0.5


@pytest.mark.parametrize("gaps", [False, True], ids=["complete", "gaps"])
def test_the_wild_bootstrap_weighs_products_of_subjects(gaps: bool) -> None:
    data = holes(shared(5, n=6)) if gaps else shared(5, n=6)
    golden = (1 + 5**0.5) / 2
    draws = np.random.default_rng(1).random((20, 6))
    weights = np.where(draws < golden / 5**0.5, 1 - golden, golden)
    pairs = np.arctanh(loop_pairwise(data)[np.triu_indices(6, 1)])
    expected = []
    for w in weights:
        z = [w[i] * w[j] for i in range(6) for j in range(i + 1, 6)] * pairs
        expected.append(np.tanh(z.mean()))
    found = wild_bootstrap(data, "pairwise", "mean", 20, np.random.default_rng(1))
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    centred = data - np.nanmean(data, axis=1, keepdims=True)
    expected = []
    for w in weights:
        r = loop_leave_one_out(w[:, None] * centred)
        expected.append(np.tanh(np.mean(np.abs(w) * np.arctanh(r))))
    found = wild_bootstrap(data, "leave-one-out", "mean", 20, np.random.default_rng(1))
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_weights_have_the_moments_that_are_said() -> None:
    two = np.array([[0.0, 1, 2, 3, 4, 5], [2, 4, 1, 3, 5, 1.5]])
    z = np.arctanh(wild_bootstrap(two, "pairwise", "mean", 20000, np.random.default_rng(2)))
    product = z / np.arctanh(loop_pairwise(two)[0, 1])
    assert product.mean() == pytest.approx(0, abs=0.03)
    assert (product**2).mean() == pytest.approx(1, abs=0.06)
    assert (product**3).mean() == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("method", ["leave-one-out", "pairwise"])
@pytest.mark.parametrize("null", ["phase", "circular-shift", "bootstrap"])
def test_nothing_shared_is_rejected_as_often_as_said(method: Any, null: Any) -> None:
    p = []
    for seed in range(60):
        values = isc_null(shared(seed, n=9, n_times=60), method, null, n_permutations=39, seed=seed)
        p.append(np.mean(values >= values[0] - 1e-12))
    for level in (0.05, 0.25, 0.5):
        expected = 60 * level
        assert abs((np.array(p) <= level + 1e-9).sum() - expected) < 4 * np.sqrt(expected)


@pytest.mark.parametrize("null", ["phase", "circular-shift", "bootstrap"])
def test_what_is_shared_is_found(null: Any) -> None:
    values = isc_null(shared(2, strength=1.0), "leave-one-out", null, n_permutations=99)
    assert len(values) == 100
    assert np.mean(values >= values[0] - 1e-12) < 0.05
    again = isc_null(shared(2, strength=1.0), "leave-one-out", null, n_permutations=99)
    np.testing.assert_array_equal(values, again)


# ------------------------------------------------------------------ tables
@pytest.fixture(scope="module")
def study() -> pd.DataFrame:
    fex, _ = fm.simulate_study(
        14, isc={"neutral": 0.0, "funny": 0.6}, duration=30, fps=10, seed=1, noise=0.0, missing=0,
        feature_groups=["aus"], effects={},
    )  # fmt: skip
    return pd.DataFrame(fex)


def test_the_planted_correlation_is_measured(study: pd.DataFrame) -> None:
    found = isc(study, ["AU12", "AU04", "AU06"], condition="condition", method="pairwise",
                n_permutations=99, tmin=6, tmax=24)  # fmt: skip
    funny = found.table[found.table["condition"] == "funny"]
    assert funny["isc"].mean() == pytest.approx(0.6, abs=0.12)
    assert (funny["p"] <= 0.011).all()
    neutral = found.table[found.table["condition"] == "neutral"]
    assert neutral["isc"].abs().max() < 0.15
    assert ((found.table["ci_low"] < found.table["isc"])
            & (found.table["isc"] < found.table["ci_high"])).all()  # fmt: skip
    assert (found.table["p_adj"] >= found.table["p"]).all()


def test_the_table_is_what_the_arrays_give(study: pd.DataFrame) -> None:
    table = study[study["condition"] == "funny"]
    cube = np.array([t.sort_values("time")["AU12"] for _, t in table.groupby("subject")])
    cube = cube.astype(np.float64)
    raw = isc(table, "AU12", standardize=False, null=None)
    np.testing.assert_allclose(raw.correlations[0], loop_leave_one_out(cube), rtol=1e-6)
    z = (cube - cube.mean(1, keepdims=True)) / cube.std(1, keepdims=True)
    found = isc(table, "AU12", null=None, method="leave-one-out")
    np.testing.assert_allclose(found.subjects["isc"], loop_leave_one_out(z), rtol=1e-6)
    assert found.names[0] == tuple(sorted(table["subject"].unique()))
    assert np.isnan(found.table["p"]).all()
    assert found.null_distribution.shape == (1, 1)
    pairs = isc(table, "AU12", null=None, method="pairwise")
    own = np.arctanh(np.delete(pairs.correlations[0][0], 0)).mean()
    assert pairs.subjects["isc"].iloc[0] == pytest.approx(np.tanh(own))


def test_rows_may_come_in_any_order(study: pd.DataFrame) -> None:
    table = study[study["time"] < 10]
    one = isc(table, "AU12", condition="condition", n_permutations=20)
    other = isc(table.sample(frac=1, random_state=1), "AU12", condition="condition",
                n_permutations=20).table  # fmt: skip
    merged = one.table.merge(other, on="condition")
    np.testing.assert_allclose(merged["isc_x"], merged["isc_y"])
    np.testing.assert_allclose(merged["p_x"], merged["p_y"])


def test_the_words_have_the_numbers(study: pd.DataFrame) -> None:
    found = isc(study, "AU12", condition="condition", n_permutations=99)
    text = found.summary()
    for part in ("leave-one-out", "99 times circular", "AU12 in funny: ISC = 0.", "N = 14"):
        assert part in text, part


def test_two_sided_p_is_that_of_the_absolute_value(study: pd.DataFrame) -> None:
    table = study[study["condition"] == "neutral"]
    found = isc(table, "AU09", tail="two-sided", n_permutations=99, null="circular-shift")
    null = np.abs(found.null_distribution[0])
    assert found.table["p"].iloc[0] == pytest.approx(np.mean(null >= null[0]))


def test_a_face_that_does_not_move_is_left_out_by_name(study: pd.DataFrame) -> None:
    still = study["subject"] == "sub-03"
    table = study.assign(AU12=study["AU12"].mask(still, 0.25))
    found = isc(table, "AU12", condition="condition", null=None)
    assert (found.table["n_subjects"] == 13).all()
    assert "want of values that vary: sub-03" in found.summary()


def plain(n: int = 4) -> pd.DataFrame:
    data = shared(1, n=n, n_times=30)
    return pd.DataFrame(
        {"subject": np.repeat(np.arange(n), 30), "time": np.tile(np.arange(30) / 10, n),
         "condition": "film", "AU12": data.ravel()}
    )  # fmt: skip


def test_two_subjects_have_a_correlation_but_no_interval() -> None:
    found = isc(plain(2), "AU12", null=None)
    assert np.isfinite(found.table["isc"]).all()
    assert np.isnan(found.table["ci_low"]).all()


@pytest.mark.parametrize(
    ("table", "options", "says"),
    [
        (plain(1), {}, "at least 2 subjects"),
        (plain().assign(AU12=0.1), {}, "0.1 everywhere"),
        (plain().assign(AU12=np.nan), {}, "no value"),
        (plain().assign(AU12=[1.0] * 90 + [2.0] * 30), {}, "vary, but there are 0"),
        (plain(), {"null": "bootstrap"}, "at least 8 subjects"),
        (plain(), {"method": "pairs"}, "method"),
        (plain(), {"null": "shuffle"}, "null"),
        (plain(), {"tail": "less"}, "tail"),
        (plain(), {"condition": "film"}, "no column 'film'"),
        (plain(), {"subject": "who"}, "no column 'who'"),
        (plain().assign(time=lambda t: t["time"] * (1 + 0.1 * (t["subject"] == 2))), {}, "rate="),
    ],
    ids=["one-subject", "constant", "all-nan", "all-still", "few", "method", "null", "tail",
         "condition",
         "subject", "rates"],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused(
    table: pd.DataFrame, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(FacemtError, match=says):
        isc(table, "AU12", **options)
