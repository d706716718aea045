"""t, rank and permutation tests of a contrast: R, SciPy, pingouin and brute force give the same."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from facemt_analysis.errors import OptionError
from facemt_analysis.stats.permutation import Permuter, permuted_t
from facemt_analysis.stats.rank_tests import rank_sum_test, rank_test, signed_rank_test
from facemt_analysis.stats.t_tests import Sample, t_test

# R: datasets::sleep, extra hours of sleep with two drugs
FIRST = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
SECOND = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
PAIRED = Sample(FIRST - SECOND, np.zeros(10, dtype=int), np.ones(1), within=True)
TWO = Sample(
    np.concatenate([FIRST, SECOND]), np.repeat([0, 1], 10), np.array([1.0, -1.0]), within=False
)


# ------------------------------------------------------------------ t
@pytest.mark.parametrize(
    ("sample", "pooled", "t", "df", "p", "low", "high", "name"),
    [
        # R: t.test(extra ~ group, paired = TRUE), t.test(extra ~ group), and with var.equal = TRUE
        (PAIRED, False, -4.0621, 9, 0.002833, -2.4598858, -0.7001142, "paired t test"),
        (TWO, False, -1.8608, 17.776, 0.07939, -3.3654832, 0.2054832, "Welch t test"),
        (TWO, True, -1.8608, 18, 0.07919, -3.363874, 0.203874, "Student t test"),
    ],
    ids=["paired", "Welch", "Student"],
)
def test_t_as_r(
    sample: Sample, pooled: bool, t: float, df: float, p: float, low: float, high: float, name: str
) -> None:
    row = t_test(sample, equal_variances=pooled)
    assert row["statistic"] == pytest.approx(t, abs=5e-5)
    assert row["df"] == pytest.approx(df, abs=5e-4)
    assert row["p"] == pytest.approx(p, abs=5e-6)
    np.testing.assert_allclose([row["ci_low"], row["ci_high"]], [low, high], atol=5e-7)
    assert row["method"] == name


def test_dz_and_its_interval_invert_the_noncentral_t() -> None:
    row = t_test(PAIRED)
    values = PAIRED.values
    assert row["effect_size"] == pytest.approx(values.mean() / values.std(ddof=1))
    low, high = row["effect_ci_low"], row["effect_ci_high"]
    t = row["statistic"]
    assert stats.nct.cdf(t, 9, high * np.sqrt(10)) == pytest.approx(0.975 - 0.95, abs=1e-6) or (
        stats.nct.sf(t, 9, high * np.sqrt(10)) == pytest.approx(0.975, abs=1e-6)
    )
    assert stats.nct.cdf(t, 9, low * np.sqrt(10)) == pytest.approx(0.975, abs=1e-6)


def test_d_g_and_average_d() -> None:
    a = np.array([5.2, 4.8, 4.1, 6.6, 3.9, 5.5])
    b = np.array([3.6, 3.8, 4.9, 3.3, 4.0, 4.2])
    two = Sample(np.concatenate([a, b]), np.repeat([0, 1], 6), np.array([1.0, -1.0]), False)
    # pingouin 0.7.0: compute_effsize(a, b), eftype "cohen" and "hedges" (which approximates J)
    assert t_test(two)["effect_size"] == pytest.approx(1.3082482881, rel=1e-9)
    assert t_test(two, effect="g")["effect_size"] == pytest.approx(1.2076138044, rel=1e-3)
    assert t_test(two, effect="g")["effect_name"] == "g"
    spread = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    paired = Sample(a - b, np.zeros(6, dtype=int), np.ones(1), True, spread)
    row = t_test(paired, effect="d")
    assert row["effect_size"] == pytest.approx((a - b).mean() / spread)
    assert row["effect_name"] == "d"


def test_weights_over_three_groups_as_a_linear_model() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(5)
    group = np.repeat([0, 1, 2], [5, 8, 4])
    values = rng.normal(size=17) + group
    weights = np.array([-0.5, -0.5, 1.0])
    row = t_test(Sample(values, group, weights, False), equal_variances=True)
    theirs = sm.OLS(values, np.eye(3)[group]).fit().t_test(weights)
    assert row["estimate"] == pytest.approx(theirs.effect[0])
    assert row["statistic"] == pytest.approx(theirs.tvalue[0, 0])
    assert row["p"] == pytest.approx(float(theirs.pvalue))


# ------------------------------------------------------------------ ranks
def test_wilcoxon_as_r() -> None:
    # R: example of wilcox.test, Hollander & Wolfe (1973), p. 29f: V = 40, p = 0.01953 one-sided
    x = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
    y = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
    row = signed_rank_test(x - y)
    assert row["statistic"] == 40
    assert row["p"] == pytest.approx(2 * 0.01953, abs=1e-5)
    assert row["effect_size"] == pytest.approx(2 * 40 / 45 - 1)


def test_mann_whitney_as_r() -> None:
    # R: example of wilcox.test, Hollander & Wolfe (1973), p. 69f: W = 35, p = 0.1272 one-sided
    x = np.array([0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46])
    y = np.array([1.15, 0.88, 0.90, 0.74, 1.21])
    row = rank_sum_test(x, y)
    assert row["statistic"] == 35
    assert row["p"] == pytest.approx(2 * 0.1272, abs=1e-4)
    assert row["estimate"] == pytest.approx(np.median(x[:, None] - y))


@pytest.mark.parametrize("n", [7, 12], ids=str)
def test_interval_of_signed_ranks_fits_its_exact_test(n: int) -> None:
    """A shift is in the interval exactly if the test does not reject it."""
    values = np.random.default_rng(n).normal(size=n)
    row = signed_rank_test(values)
    for end, inside in ((row["ci_low"], 1), (row["ci_high"], -1)):
        assert stats.wilcoxon(values - (end + inside * 1e-9)).pvalue > 0.05
        assert stats.wilcoxon(values - (end - inside * 1e-9)).pvalue <= 0.05


def test_interval_of_rank_sums_fits_its_exact_test() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=8) + 1, rng.normal(size=6)
    row = rank_sum_test(a, b)
    for end, inside in ((row["ci_low"], 1), (row["ci_high"], -1)):
        near, far = (
            stats.mannwhitneyu(a - (end + side * inside * 1e-9), b, method="exact").pvalue
            for side in (1, -1)
        )
        assert near > 0.05 >= far


def test_too_few_for_an_interval() -> None:
    row = signed_rank_test(np.array([1.0, 2.0, 4.0]))
    assert (row["ci_low"], row["ci_high"]) == (-np.inf, np.inf)


def test_ties_as_scipy() -> None:
    differences = np.array([1.0, 1.0, 2.0, -1.0, 0.0, 3.0, 2.0, 2.0, -2.0, 1.0])
    assert signed_rank_test(differences)["p"] == stats.wilcoxon(differences).pvalue
    a, b = np.array([1, 2, 2, 3, 3.0]), np.array([2, 3, 4, 4, 4, 5.0])
    assert rank_sum_test(a, b)["p"] == stats.mannwhitneyu(a, b).pvalue
    assert rank_sum_test(a, b)["statistic"] == stats.mannwhitneyu(a, b).statistic


def test_complete_separation_has_an_interval() -> None:
    row = rank_sum_test(np.arange(5.0) + 10, np.arange(6.0))
    assert row["effect_size"] == 1
    assert row["effect_ci_high"] == 1
    assert -0.1 < row["effect_ci_low"] < 0.5


def test_ranks_of_three_groups_are_refused() -> None:
    sample = Sample(np.arange(9.0), np.repeat([0, 1, 2], 3), np.array([1, -0.5, -0.5]), False)
    with pytest.raises(OptionError, match="two groups"):
        rank_test(sample)


# ------------------------------------------------------------------ permutation
def _t(values: np.ndarray) -> float:
    return values.mean() / (values.std(ddof=1) / np.sqrt(len(values)))


def test_all_sign_flips_by_brute_force() -> None:
    values = np.array([0.5, 1.2, -0.3, 2.2, 0.9, 1.4])
    null = [abs(_t(values * s)) for s in product([1, -1], repeat=6)]
    brute = np.mean(np.array(null) >= abs(_t(values)) - 1e-9)
    done = permuted_t(values[:, None], np.zeros(6, int), np.ones(1), np.arange(6),
                      Permuter(6, 1000, 0))  # fmt: skip
    assert done.exact
    assert done.p[0] == pytest.approx(brute)
    assert done.statistic[0] == pytest.approx(stats.ttest_1samp(values, 0).statistic)


def test_all_exchanges_by_brute_force() -> None:
    values = np.array([1.1, 2.3, 2.9, 0.2, 0.8, -0.5, 1.0])
    observed = stats.ttest_ind(values[:3], values[3:], equal_var=False).statistic
    null = []
    for chosen in combinations(range(7), 3):
        rest = [i for i in range(7) if i not in chosen]
        t = stats.ttest_ind(values[list(chosen)], values[rest], equal_var=False).statistic
        null.append(abs(t))
    done = permuted_t(values[:, None], np.repeat([0, 1], [3, 4]), np.array([1.0, -1.0]),
                      np.arange(7), Permuter(7, 1000, 0))  # fmt: skip
    assert done.exact
    assert done.statistic[0] == pytest.approx(observed)
    assert done.p[0] == pytest.approx(np.mean(np.array(null) >= abs(observed) - 1e-9))


def test_random_permutations_as_scipy() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=14) + 0.7, rng.normal(size=17)
    done = permuted_t(np.concatenate([a, b])[:, None], np.repeat([0, 1], [14, 17]),
                      np.array([1.0, -1.0]), np.arange(31), Permuter(31, 20_000, 1))  # fmt: skip
    assert not done.exact
    # SciPy 1.17.1: ttest_ind(a, b, equal_var=False, method=PermutationMethod(500_000))
    assert done.p[0] == pytest.approx(0.06673, abs=0.006)


def test_missing_values_are_not_zeros() -> None:
    """A feature with missing people is tested as if the others were all there are."""
    values = np.random.default_rng(4).normal(size=(9, 2)) + 0.5
    values[[1, 5], 1] = np.nan
    done = permuted_t(values, np.zeros(9, int), np.ones(1), np.arange(9), Permuter(9, 600, 0))
    kept = values[~np.isnan(values[:, 1]), 1]
    alone = permuted_t(kept[:, None], np.zeros(7, int), np.ones(1), np.arange(7),
                       Permuter(7, 600, 0))  # fmt: skip
    assert done.exact
    assert alone.exact
    assert done.p[1] == pytest.approx(alone.p[0])


def test_features_are_permuted_together() -> None:
    values = np.random.default_rng(4).normal(size=(30, 1))
    done = permuted_t(np.hstack([values, 2 * values]), np.zeros(30, int), np.ones(1),
                      np.arange(30), Permuter(30, 500, 0))  # fmt: skip
    np.testing.assert_allclose(done.null[:, 0], done.null[:, 1], rtol=1e-9)


def test_blocks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(4).normal(size=(20, 3))
    group, weights = np.repeat([0, 1], 10), np.array([1.0, -1.0])
    whole = permuted_t(values, group, weights, np.arange(20), Permuter(20, 500, 0))
    monkeypatch.setattr("facemt_analysis.stats.permutation._LIMIT", 1000)
    parts = permuted_t(values, group, weights, np.arange(20), Permuter(20, 500, 0))
    np.testing.assert_allclose(whole.null, parts.null, rtol=0, atol=1e-12)  # sums in other orders


@pytest.mark.parametrize("scheme", ["signs", "labels"])
def test_p_is_never_zero(scheme: str) -> None:
    values = (np.random.default_rng(0).normal(size=40) + 9 * (np.arange(40) < 20))[:, None]
    group = np.repeat([0, 1], 20) if scheme == "labels" else np.zeros(40, int)
    weights = np.array([1.0, -1.0]) if scheme == "labels" else np.ones(1)
    done = permuted_t(values + 5, group, weights, np.arange(40), Permuter(40, 199, 0))
    assert done.p[0] == pytest.approx(1 / 200)
