"""Functional components and analysis of variance: scikit-fda's numbers, known answers, refusals."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import interpolate

import facemt_analysis as fm
from facemt_analysis.errors import FacemtError
from facemt_analysis.stats import (
    fpca,
    fpca_array,
    functional_anova,
    functional_anova_array,
    smooth_courses,
)

Floats = NDArray[np.float64]

TIME = np.linspace(0, 10, 60)


def sample() -> Floats:
    """Sines and cosines of random size, 20 courses."""
    rng = np.random.default_rng(1)
    wave = rng.normal(size=(20, 1)) * np.sin(TIME / 2)
    wave = wave + 0.5 * rng.normal(size=(20, 1)) * np.cos(TIME)
    return np.asarray(wave + 0.05 * rng.normal(size=(20, 60)))


# scikit-fda 0.10.1 (with multimethod 1.12): FPCA(n_components=3).fit(FDataGrid(sample(), TIME)),
# which integrates by Simpson's rule and divides by n - 1; oneway_anova(fd[:10], fd[10:]).
SKFDA_RATIO = [0.67637916, 0.31791252]
SKFDA_VARIANCE = [2.62480501, 1.23371389]
SKFDA_AT = {0: [-0.31014334, -0.31996844], 30: [0.06464749, -0.2766573]}
SKFDA_SCORES = [[0.45951642, -0.54218228], [1.46585112, -1.11477123]]
SKFDA_V = 10.966057128441937


def test_components_are_those_of_scikit_fda() -> None:
    found = fpca_array(sample(), TIME, n_components=3)
    np.testing.assert_allclose(found.explained[:2], SKFDA_RATIO, rtol=0.05)
    np.testing.assert_allclose(found.variance[:2], SKFDA_VARIANCE, rtol=0.03)
    sign = np.sign(found.components[:2, 0] * SKFDA_AT[0])
    for at, values in SKFDA_AT.items():
        np.testing.assert_allclose(sign * found.components[:2, at], values, atol=0.01)
    np.testing.assert_allclose(sign * found.scores[:2, :2], SKFDA_SCORES, atol=0.02)


def test_components_are_orthonormal_functions_and_rebuild_the_courses() -> None:
    data, time = sample(), np.sort(np.random.default_rng(3).uniform(0, 10, 60))
    found = fpca_array(data, time)
    products = np.trapezoid(found.components[:, None] * found.components[None], time, axis=-1)
    np.testing.assert_allclose(products, np.eye(19), atol=1e-9)
    np.testing.assert_allclose(found.mean + found.scores @ found.components, data, atol=1e-9)
    np.testing.assert_allclose(found.scores.var(axis=0, ddof=1), found.variance)
    assert found.explained.sum() == pytest.approx(1)
    peak = np.abs(found.components).argmax(1)
    assert (found.components[np.arange(19), peak] > 0).all()


def test_the_statistic_between_two_groups_is_that_of_scikit_fda() -> None:
    data, groups = sample(), np.arange(20) // 10
    found = functional_anova_array(data, groups, time=TIME, n_permutations=99)
    # with equal groups their V = Σ n ∫(mean_i − mean_j)² is k times the sum of squares between
    total = np.trapezoid(((data - data.mean(0)) ** 2).sum(0), TIME)
    assert 2 * found.eta_squared * total == pytest.approx(SKFDA_V, rel=0.01)
    assert found.statistic == pytest.approx(
        found.eta_squared / (1 - found.eta_squared) * found.df[1] / found.df[0]
    )
    assert found.df == (1, 18)


def test_exact_p_within_is_that_of_all_orders() -> None:
    data = np.random.default_rng(5).normal(size=(5, 2, 30)).cumsum(-1)
    found = functional_anova_array(data)
    null = []
    for signs in itertools.product([1, -1], repeat=5):
        difference = (data[:, 1] - data[:, 0]) * np.array(signs)[:, None]
        mean = difference.mean(0)
        between = 5 * np.trapezoid(mean**2)
        error = np.trapezoid(((difference - mean) ** 2).sum(0)) / 4
        null.append(between / error)
    assert found.exact
    np.testing.assert_allclose(
        np.sort(np.repeat(found.null_distribution, 2)), np.sort(null), rtol=1e-9
    )
    assert found.p == pytest.approx(np.mean(np.array(null) >= null[0] - 1e-9))


def test_p_is_uniform_without_an_effect_and_small_with_one() -> None:
    p = []
    for seed in range(80):
        data = np.random.default_rng(seed).normal(size=(12, 20)).cumsum(-1)
        groups = np.arange(12) % 3
        p.append(functional_anova_array(data, groups, n_permutations=39, seed=seed).p)
    for level in (0.05, 0.25, 0.5):
        assert abs((np.array(p) <= level + 1e-9).sum() - 80 * level) < 4 * np.sqrt(80 * level)
    data = np.random.default_rng(1).normal(size=(12, 20)).cumsum(-1)
    data[::3] += np.linspace(0, 15, 20)
    assert functional_anova_array(data, np.arange(12) % 3, n_permutations=499).p < 0.01


def test_what_a_subject_has_in_all_conditions_does_not_matter() -> None:
    rng = np.random.default_rng(5)
    data = rng.normal(size=(8, 3, 30)).cumsum(-1)
    shifted = data + rng.normal(size=(8, 1, 30)).cumsum(-1) * 3
    one, other = (functional_anova_array(d, n_permutations=99) for d in (data, shifted))
    assert one.statistic == pytest.approx(other.statistic)
    assert one.p == other.p


@pytest.mark.parametrize("penalty", [1e-4, 0.1, 30.0])
def test_a_penalty_gives_the_spline_of_scipy(penalty: float) -> None:
    time = np.sort(np.random.default_rng(3).uniform(0, 10, 60))
    expected = [interpolate.make_smoothing_spline(time, y, lam=penalty)(time) for y in sample()]
    np.testing.assert_allclose(smooth_courses(sample(), time, penalty), expected, atol=1e-6)


def test_cross_validation_takes_about_the_penalty_of_scipy() -> None:
    y = np.sin(TIME) + 0.2 * np.random.default_rng(0).normal(size=60)
    expected = interpolate.make_smoothing_spline(TIME, y)(TIME)
    np.testing.assert_allclose(smooth_courses(y, TIME), expected, atol=0.03)


def test_smoothing_finds_the_curve_under_the_noise_and_closes_gaps() -> None:
    rng = np.random.default_rng(0)
    clean = np.sin(TIME)
    noisy = clean + 0.2 * rng.normal(size=(3, 60))
    noisy[:, 20:24] = np.nan
    noisy[0, :3] = np.nan
    smooth = smooth_courses(noisy, TIME)
    assert np.isfinite(smooth).all()
    assert np.sqrt(np.mean((smooth[1:] - clean) ** 2)) < 0.12
    stiff = smooth_courses(noisy, TIME, 1e9)
    assert np.abs(np.diff(stiff[1], n=2)).max() < 1e-4
    bridged = smooth_courses(noisy, TIME, None)
    assert (bridged[0, :3] == noisy[0, 3]).all()
    there = ~np.isnan(noisy)
    np.testing.assert_array_equal(bridged[there], noisy[there])
    np.testing.assert_allclose(np.diff(bridged[1, 19:25], n=2), 0, atol=1e-12)


# ------------------------------------------------------------------ tables
@pytest.fixture(scope="module")
def study() -> pd.DataFrame:
    effect = fm.simulate.Effect("AU12", 0.4, condition="funny", window=(3, 6), unit="raw")
    fex, _ = fm.simulate_study(
        10, duration=8, fps=10, seed=3, feature_groups=["aus"], effects=[effect]
    )
    return pd.DataFrame(fex)


def test_components_of_a_table_have_scores_with_labels(study: pd.DataFrame) -> None:
    found = fpca(study, "AU12", by=["subject", "condition"], n_components=3)
    assert found.table.columns.tolist() == ["subject", "condition", "PC1", "PC2", "PC3"]
    assert len(found.table) == 20
    assert found.components.shape == (3, 80)
    first = found.table.groupby("condition")["PC1"].mean()
    inside = (found.time > 3) & (found.time < 6)
    course = found.components[0] * (first["funny"] - first["neutral"])
    assert course[inside].mean() > 3 * np.abs(course[~inside]).mean()  # the planted bump


def test_a_planted_bump_is_an_effect_of_its_feature(study: pd.DataFrame) -> None:
    found = functional_anova(study, ["AU12", "AU04"], condition="condition", n_permutations=299)
    p = found.table.set_index("feature")["p"]
    assert p["AU12"] < 0.02
    assert p["AU04"] > 0.02
    assert (found.table["p_adj"] >= found.table["p"]).all()
    assert found.means.shape == (2, 2, 80)
    assert found.cells == ("neutral", "funny")
    text = found.summary()
    for part in ("within subjects", "funny - neutral", "AU12: F = ", "N = 10"):
        assert part in text, part


def test_groups_with_holes_are_named(study: pd.DataFrame) -> None:
    between = study[
        (study["condition"] == "funny") == study["subject"].isin(study["subject"].unique()[::2])
    ]
    lost = (between["subject"] == "sub-01") & (between["time"] > 2)
    found = functional_anova(
        between.assign(AU12=between["AU12"].mask(lost)), "AU12", condition="condition",
        n_permutations=99,
    )  # fmt: skip
    assert found.table["n_subjects"].item() == 9
    assert "half of the times: sub-01" in found.summary()
    assert "between subjects" in found.summary()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: fpca_array(sample()[:1]), "2 courses or more"),
        (lambda: fpca_array(np.full((3, 9), np.nan)), "without missing"),
        (lambda: fpca_array(np.ones((3, 9))), "all the same"),
        (lambda: fpca_array(sample(), TIME[::-1]), "increase"),
        (lambda: functional_anova_array(sample()), "shape"),
        (lambda: functional_anova_array(sample(), [0] * 20), "2 groups"),
        (lambda: functional_anova_array(sample(), [0] * 19 + [1]), "2 subjects each"),
        (lambda: functional_anova_array(np.ones((4, 2, 9))), "Nothing varies"),
        (lambda: functional_anova_array(sample()[:1, None].repeat(2, 1)), "At least 2 subjects"),
        (lambda: smooth_courses(np.full((1, 60), np.nan), TIME), "at least 5"),
    ],
    ids=["one", "nan", "same", "time", "shape", "one-group", "one-in-group", "still", "subject",
         "values"],
)  # fmt: skip
def test_wrong_arrays_say_what_is_wrong(call: Any, says: str) -> None:
    with pytest.raises(FacemtError, match=says):
        call()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"smoothing": -1}, "smoothing"),
        ({"smoothing": "loess"}, "smoothing"),
        ({"feature": ["AU12", "AU04"]}, "one column"),
        ({"by": "group"}, "no column 'group'"),
        ({"tmin": 90.0}, "no rows"),
    ],
    ids=["negative", "name", "several", "by", "nothing"],
)
def test_wrong_calls_say_what_is_wrong(
    study: pd.DataFrame, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(FacemtError, match=says):
        fpca(study, **{"feature": "AU12", **options})
