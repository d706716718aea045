"""Analyses of variance: pingouin, statsmodels, R and SciPy give the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from facemt_analysis.errors import FexError
from facemt_analysis.stats.anova import anova, sphericity, welch_anova
from facemt_analysis.stats.design import Factor

SCORES = np.array(
    [[3.1, 4.0, 5.2], [2.7, 2.9, 4.8], [3.9, 4.4, 4.1], [4.4, 5.9, 6.6], [2.2, 3.6, 3.9],
     [3.0, 2.8, 5.5], [3.3, 3.9, 3.6], [2.9, 4.1, 3.8], [4.1, 4.0, 4.9], [3.6, 3.1, 3.3],
     [2.5, 3.4, 4.0], [3.8, 4.7, 4.2]]
)  # fmt: skip
HALVES = np.repeat([0, 1], 6)
FILM = Factor("film", ("x", "y", "z"), within=True)
GROUP = Factor("group", ("a", "b"), within=False)


def _row(rows: list[dict], term: str) -> dict:
    return next(row for row in rows if row["contrast"] == term)


# pingouin 0.7.0: rm_anova and mixed_anova of these numbers, correction=True
PINGOUIN = {
    "within": ((), "film", 11.5729554218, 2, 22, 0.0009144418, 0.8345605873, 0.8017646469,
               0.3313099757),
    "mixed, group": ((GROUP,), "group", 0.6775700935, 1, 10, 0.4296174532, 1.0, np.nan, np.nan),
    "mixed, film": ((GROUP,), "film", 15.0038587691, 2, 20, 0.0001962917, 0.9062047737,
                    0.8964966539, 0.6116021848),
    "mixed, both": ((GROUP,), "group:film", 4.2610457264, 2, 20, 0.0335521991, 0.9062047737,
                    0.8964966539, 0.6116021848),
}  # fmt: skip


@pytest.mark.parametrize("case", PINGOUIN.values(), ids=PINGOUIN.keys())
def test_pingouin(case: tuple) -> None:
    between, term, f, df1, df2, p, eps, w, p_w = case
    group = HALVES if between else np.zeros(12, dtype=int)
    row = _row(anova(SCORES, group, between, [FILM]), term)
    got = [row[k] for k in ("statistic", "df_effect", "df", "p", "epsilon", "sphericity_w")]
    np.testing.assert_allclose(got, [f, df1 * eps, df2 * eps, p, eps, w], rtol=1e-7)
    # pingouin's p is the first order of Box's approximation, ours the second (as R's mauchly.test)
    np.testing.assert_allclose(row["sphericity_p"], p_w, rtol=0.02)
    assert row["effect_size"] == pytest.approx(f * df1 / (f * df1 + df2))


def test_huynh_feldt_of_pingouin() -> None:
    row = anova(SCORES, np.zeros(12, dtype=int), (), [FILM], correction="huynh-feldt")[0]
    assert row["epsilon"] == pytest.approx(0.9661176847706204, rel=1e-9)  # pingouin 0.7.0


def test_two_levels_within_are_a_paired_t_test() -> None:
    two = Factor("film", ("x", "y"), within=True)
    row = anova(SCORES[:, :2], np.zeros(12, dtype=int), (), [two])[0]
    t = stats.ttest_rel(SCORES[:, 1], SCORES[:, 0])
    assert row["statistic"] == pytest.approx(t.statistic**2)
    assert row["p"] == pytest.approx(t.pvalue)
    assert np.isnan(row["sphericity_w"])


# pingouin 0.7.0: rm_anova with within=["sound", "film"], correction by Greenhouse-Geisser
TWO_WITHIN = {
    "sound": (0.5993443558, 1, 5, 0.4738257421, 1.0),
    "film": (34.4855875831, 2, 10, 0.0000990475, 0.8640486828),
    "sound:film": (2.7228455184, 2, 10, 0.129202108, 0.8142299316),
}


@pytest.mark.parametrize(("term", "want"), TWO_WITHIN.items(), ids=TWO_WITHIN.keys())
def test_two_factors_within(term: str, want: tuple[float, ...]) -> None:
    f, df1, df2, p, eps = want
    values = np.hstack([SCORES[:6], SCORES[6:]])
    sound = Factor("sound", ("on", "off"), within=True)
    row = _row(anova(values, np.zeros(6, dtype=int), (), [sound, FILM]), term)
    got = [row[k] for k in ("statistic", "df_effect", "df", "p", "epsilon")]
    np.testing.assert_allclose(got, [f, df1 * eps, df2 * eps, p, eps], rtol=1e-6)


# R: datasets::PlantGrowth; summary(aov(weight ~ group)) and oneway.test(weight ~ group)
PLANTS = np.array(
    [4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14, 4.81, 4.17, 4.41, 3.59, 5.87, 3.83,
     6.03, 4.89, 4.32, 4.69, 6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26]
)  # fmt: skip
THIRDS = np.repeat([0, 1, 2], 10)


def test_one_way_as_r() -> None:
    factor = Factor("group", ("ctrl", "trt1", "trt2"), within=False)
    row = anova(PLANTS[:, None], THIRDS, [factor], ())[0]
    assert (row["df_effect"], row["df"]) == (2, 27)
    assert row["statistic"] == pytest.approx(4.846, abs=5e-4)
    assert row["p"] == pytest.approx(0.01591, abs=5e-6)
    theirs = stats.f_oneway(*(PLANTS[g == THIRDS] for g in range(3)))
    assert row["statistic"] == pytest.approx(theirs.statistic)


def test_welch_as_r() -> None:
    row = welch_anova(PLANTS, THIRDS, "group")
    assert row["statistic"] == pytest.approx(5.181, abs=5e-4)
    assert row["df"] == pytest.approx(17.128, abs=5e-4)
    assert row["p"] == pytest.approx(0.01739, abs=5e-6)


def _type_three(values: np.ndarray, group: np.ndarray, n_groups: int) -> dict[str, float]:
    """Unbalanced mixed design by regressions with sum-to-zero codes, leaving out one term."""
    s, w = values.shape
    code = np.vstack([np.eye(n_groups - 1), -np.ones(n_groups - 1)])
    inner = np.vstack([np.eye(w - 1), -np.ones(w - 1)])
    means = values.mean(axis=1)
    g = code[group]
    full = sm.OLS(means, sm.add_constant(g)).fit()
    out = {"group": full.compare_f_test(sm.OLS(means, np.ones((s, 1))).fit())[0]}
    who = np.kron(np.eye(s), np.ones((w, 1)))
    film = np.tile(inner, (s, 1))
    both = np.einsum("ij,ik->ijk", np.repeat(g, w, axis=0), film).reshape(s * w, -1)
    y = values.ravel()
    everything = sm.OLS(y, np.hstack([who, film, both])).fit()
    out["film"] = everything.compare_f_test(sm.OLS(y, np.hstack([who, both])).fit())[0]
    out["group:film"] = everything.compare_f_test(sm.OLS(y, np.hstack([who, film])).fit())[0]
    return out


@pytest.mark.parametrize("sizes", [(6, 6), (4, 9), (3, 7, 5)], ids=str)
def test_unbalanced_mixed_designs_as_regressions(sizes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(sum(sizes))
    group = np.repeat(np.arange(len(sizes)), sizes)
    values = rng.normal(size=(len(group), 3)) + rng.normal(size=(len(group), 1)) + group[:, None]
    factor = Factor("group", tuple(range(len(sizes))), within=False)
    rows = anova(values, group, [factor], [FILM], correction="none")
    for term, f in _type_three(values, group, len(sizes)).items():
        assert _row(rows, term)["statistic"] == pytest.approx(f, rel=1e-9), term


def test_two_factors_between_as_statsmodels() -> None:
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    rng = np.random.default_rng(8)
    group = rng.integers(0, 6, 40)
    table = pd.DataFrame({"y": rng.normal(size=40), "a": group // 3, "b": group % 3})
    theirs = anova_lm(ols("y ~ C(a, Sum) * C(b, Sum)", table).fit(), typ=3)
    a, b = Factor("a", (0, 1), within=False), Factor("b", (0, 1, 2), within=False)
    rows = anova(table[["y"]].to_numpy(), group, [a, b], ())
    for ours, other in {"a": "C(a, Sum)", "b": "C(b, Sum)", "a:b": "C(a, Sum):C(b, Sum)"}.items():
        assert _row(rows, ours)["statistic"] == pytest.approx(theirs.loc[other, "F"], rel=1e-9)


def test_epsilon_lies_between_its_bounds() -> None:
    for seed in range(5):
        root = np.random.default_rng(seed).normal(size=(9, 3))
        error = root.T @ root
        gg, hf = (sphericity(error, 8, c)[0] for c in ("greenhouse-geisser", "huynh-feldt"))
        assert 1 / 3 <= gg <= hf <= 1


def test_perfect_sphericity() -> None:
    eps, w, p = sphericity(2.0 * np.eye(3), 20)
    assert (eps, w, p) == (1.0, pytest.approx(1.0), pytest.approx(1.0))


def test_order_of_subjects_and_unit_do_not_matter() -> None:
    order = np.random.default_rng(0).permutation(12)
    first = anova(SCORES, HALVES, [GROUP], [FILM])
    second = anova(SCORES[order] * 100 - 7, HALVES[order], [GROUP], [FILM])
    for a, b in zip(first, second, strict=True):
        assert a["contrast"] == b["contrast"]
        assert a["p"] == pytest.approx(b["p"], rel=1e-9)


@pytest.mark.parametrize(
    ("group", "why"),
    [(np.zeros(12, dtype=int), "all 2 groups"), (np.repeat([0, 1], [12, 0]), "all 2 groups")],
    ids=["one group", "empty group"],
)
def test_empty_groups_are_refused(group: np.ndarray, why: str) -> None:
    with pytest.raises(FexError, match=why):
        anova(SCORES, group, [GROUP], [FILM])


def test_no_variance_is_refused() -> None:
    flat = np.arange(12.0)[:, None] + np.array([0.0, 1.0, 3.0])
    with pytest.raises(FexError, match="nothing varies"):
        anova(flat, HALVES, [GROUP], [FILM])
