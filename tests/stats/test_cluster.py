"""Cluster-based permutation tests of tables: designs, time axes, words, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis.errors import FacemtError
from facemt_analysis.simulate import Effect
from facemt_analysis.stats import (
    CLUSTER_COLUMNS,
    ClusterResult,
    cluster_permutation,
    cluster_permutation_array,
)

FAST: Any = {"n_permutations": 200, "condition": "condition"}


def simulated(n: int = 16, **options: Any) -> pd.DataFrame:
    planted = [Effect("AU12", 0.4, condition="funny", window=(3, 6), unit="raw")]
    settings: Any = {"duration": 8, "fps": 10, "feature_groups": ["aus"], "seed": 3}
    fex, _ = fm.simulate_study(n, **{**settings, "effects": planted, **options})
    return pd.DataFrame(fex)


@pytest.fixture(scope="module")
def study() -> pd.DataFrame:
    return simulated()


@pytest.fixture(scope="module")
def result(study: pd.DataFrame) -> ClusterResult:
    return cluster_permutation(study, ["AU12", "AU04"], **FAST)


def plain(n: int = 6, conditions: Any = ("a", "b"), n_times: int = 20) -> pd.DataFrame:
    """Courses of n subjects in conditions, 10 per second."""
    rng = np.random.default_rng(0)
    rows = [
        {"subject": s, "condition": c, "input": f"{s}{c}", "time": t / 10, "AU12": rng.normal()}
        for s in range(n)
        for c in conditions
        for t in range(n_times)
    ]
    return pd.DataFrame(rows)


# ------------------------------------------------------------------ planted effects
def test_the_planted_stretch_is_found(result: ClusterResult) -> None:
    best = result.table.iloc[0]
    assert (best["feature"], best["contrast"], best["cluster"]) == ("AU12", "funny - neutral", 1)
    assert best["p"] == pytest.approx(1 / 201)
    assert 2.9 < best["start"] < 3.6
    assert 5.4 < best["stop"] < 6.1
    assert best["estimate"] == pytest.approx(0.4, abs=0.12)
    assert (result.table.loc[result.table["feature"] == "AU04", "p"] > 0.05).all()


def test_the_result_has_what_a_figure_needs(result: ClusterResult) -> None:
    assert tuple(result.table.columns) == CLUSTER_COLUMNS
    assert result.features == ("AU12", "AU04")
    assert result.cells == ("neutral", "funny")
    assert result.statistic.shape == result.p_values.shape == (2, 80)
    assert result.means.shape == result.se.shape == (2, 2, 80)
    assert result.clusters.shape == (len(result.table), 80)
    assert len(result.null_distribution) == 201
    first = result.table.iloc[0]
    inside = result.time[result.clusters[0]]
    assert (inside[0], inside[-1]) == (first["start"], first["stop"])
    assert len(inside) == first["n_points"]
    beyond = np.abs(result.statistic[0]) > result.threshold
    assert beyond[result.clusters[0]].all()
    assert first["mass"] == pytest.approx(result.statistic[0, result.clusters[0]].sum())
    assert result.significant()["cluster"].tolist() == [1]


def test_the_words_have_the_numbers(result: ClusterResult) -> None:
    text = result.summary()
    assert text in repr(result)
    for part in (
        "paired t",
        "200 random",
        "80 times × 2 features",
        "N = 16",
        "AU12 higher",
        ".005",
    ):
        assert part in text, part
    assert "no cluster with p ≤ 0.001 (smallest p = .005)" in result.summary(alpha=0.001)


@pytest.mark.parametrize("method", ["mass", "tfce"])
def test_groups_are_compared_between_subjects(method: Any) -> None:
    found = cluster_permutation(simulated(30, design="between"), "AU12", **FAST, method=method)
    assert "Welch" in found.method
    best = found.table.iloc[0]
    assert best["p"] < 0.05
    assert 2.5 < best["start"] < best["stop"] < 6.5
    if method == "tfce":
        assert "TFCE" in found.method
        assert (found.p_values[0][found.clusters[0]] <= 0.05).all()
        assert found.enhanced is not None
        assert best["mass"] == pytest.approx(found.enhanced[0][found.clusters[0]].sum())


@pytest.mark.parametrize("design", ["within", "between"])
def test_several_levels_give_f(design: Any) -> None:
    study = simulated(
        24, conditions=("neutral", "funny", "sad"), design=design, duration=7,
    )  # fmt: skip
    found = cluster_permutation(study, "AU12", **FAST)
    assert found.statistic_name == "F"
    assert ("repeated-measures F" if design == "within" else "one-way F") in found.method
    best = found.table.iloc[0]
    assert best["contrast"] == "neutral, funny, sad"
    assert best["p"] < 0.05
    assert np.isnan(best["estimate"])
    two = cluster_permutation(study, "AU12", **FAST, levels=["sad", "funny"])
    assert two.contrast == "funny - sad"
    assert two.table.iloc[0]["mass"] > 0


def test_one_sample_against_zero(study: pd.DataFrame) -> None:
    funny = study[study["condition"] == "funny"]
    before = funny[funny["time"] < 2.5].groupby("input")["AU12"].mean()
    funny = funny.assign(AU12=funny["AU12"] - funny["input"].map(before))
    found = cluster_permutation(funny, "AU12", condition=None, n_permutations=200)
    assert found.contrast == "mean - 0"
    assert "one-sample t" in found.method
    assert found.table.iloc[0]["p"] < 0.05
    assert 2.5 < found.table.iloc[0]["start"] < 4


# ------------------------------------------------------------------ from rows to courses
def test_the_statistic_is_that_of_the_array_engine() -> None:
    table = plain()
    expected = cluster_permutation_array(table["AU12"].to_numpy().reshape(6, 2, 1, 20))
    shuffled = table.sample(frac=1, random_state=1)
    found = cluster_permutation(shuffled, "AU12", condition="condition", levels=["a", "b"])
    np.testing.assert_allclose(found.statistic, expected.statistic)
    np.testing.assert_allclose(found.null_distribution, expected.null_distribution)
    assert found.exact


def test_trials_are_averaged_within_the_subject_first() -> None:
    table = plain()
    more = table.assign(AU12=table["AU12"] + 5, input=table["input"] + "2")
    # five copies of a recording of subject 0 are still one subject
    copies = [more.assign(input=more["input"] + str(i)).query("subject == 0") for i in range(5)]
    found = cluster_permutation(pd.concat([table, more, *copies]), "AU12", condition="condition")
    plain_t = cluster_permutation(table, "AU12", condition="condition")
    np.testing.assert_allclose(found.statistic, plain_t.statistic, rtol=1e-9)
    assert found.n_subjects == 6


def test_epochs_of_one_recording_are_trials() -> None:
    table = plain().assign(input="one.mp4")
    table["epoch"] = table.groupby(["subject", "condition"]).ngroup()
    found = cluster_permutation(table, "AU12", condition="condition")
    np.testing.assert_allclose(
        found.statistic, cluster_permutation(plain(), "AU12", condition="condition").statistic
    )


def test_categories_order_the_levels() -> None:
    table = plain()
    table["condition"] = pd.Categorical(table["condition"], ["b", "a", "never"])
    assert cluster_permutation(table, "AU12", condition="condition").contrast == "a - b"


def test_a_shorter_recording_leaves_its_end_to_the_others() -> None:
    table = plain(8)
    short = table[~((table["subject"] < 5) & (table["time"] > 1.45))]
    found = cluster_permutation(short, "AU12", condition="condition")
    full = cluster_permutation(table, "AU12", condition="condition")
    np.testing.assert_allclose(found.statistic[:, :15], full.statistic[:, :15])
    assert np.isnan(found.statistic[:, 15:]).all()  # 3 of 8 subjects
    assert "5 of 20 times not tested" in found.summary()
    assert found.n_at[0, [0, 19]].tolist() == [8, 3]


def test_lost_faces_leave_holes_not_zeros() -> None:
    table = plain(8)
    lost = (table["subject"] == 0) & table["time"].between(0.5, 0.75)
    table.loc[lost, "AU12"] = np.nan
    found = cluster_permutation(table, "AU12", condition="condition")
    without = cluster_permutation(table[table["subject"] > 0], "AU12", condition="condition")
    np.testing.assert_allclose(found.statistic[:, 5:8], without.statistic[:, 5:8])


def test_times_are_cut_ends_included() -> None:
    found = cluster_permutation(plain(), "AU12", condition="condition", tmin=0.3, tmax=0.9)
    np.testing.assert_allclose(found.time, np.arange(3, 10) / 10)


def test_unequal_rates_are_resampled_when_asked() -> None:
    rows = []
    for s, fps in enumerate([30, 30, 25, 25, 50, 29.97]):
        for c in ("a", "b"):
            t = np.arange(0, 4, 1 / fps)
            wave = np.sin(2 * np.pi * t / 4) * (1 if c == "b" else 0.5) + s
            rows.append(
                pd.DataFrame({"subject": s, "condition": c, "input": f"{s}{c}", "time": t,
                              "AU12": wave})
            )  # fmt: skip
    table = pd.concat(rows)
    with pytest.raises(FacemtError, match=r"not at the same times: 25 frames .* rate=25"):
        cluster_permutation(table, "AU12", condition="condition")
    found = cluster_permutation(table, "AU12", condition="condition", rate=10)
    np.testing.assert_allclose(found.time[:3], [0, 0.1, 0.2])
    difference = found.means[1, 0] - found.means[0, 0]
    np.testing.assert_allclose(difference, 0.5 * np.sin(2 * np.pi * found.time / 4), atol=0.03)


def test_resampling_does_not_bridge_long_gaps() -> None:
    table = plain(4, n_times=40)
    hole = table["time"].between(1.0, 2.0)
    found = cluster_permutation(table[~hole], "AU12", condition="condition", rate=10)
    assert np.isnan(found.means[:, :, (found.time > 1.05) & (found.time < 1.95)]).all()
    assert not np.isnan(found.means[:, :, found.time < 0.95]).any()


def test_people_without_all_levels_are_named() -> None:
    table = plain()
    table = table[~((table["subject"] == 4) & (table["condition"] == "b"))]
    found = cluster_permutation(table, "AU12", condition="condition", design="within")
    assert found.n_subjects == 5
    assert "Left out, without all levels of condition: 4." in found.summary()


def test_few_subjects_are_told_what_p_can_be() -> None:
    found = cluster_permutation(plain(4), "AU12", condition="condition")
    assert len(found.null_distribution) == 8
    assert "no p can be below 0.125" in found.summary()


def test_two_faces_of_one_picture_are_kept_apart_by_their_labels() -> None:
    fex, _ = fm.simulate_dyads(
        6, conditions=("talk", "rest"), together=True, duration=4, fps=5, feature_groups=["aus"]
    )
    found = cluster_permutation(fex, "AU12", condition="condition", n_permutations=20)
    assert found.n_subjects == 12


# ------------------------------------------------------------------ refusals
def changed(**columns: Any) -> pd.DataFrame:
    return plain().assign(**columns)


@pytest.mark.parametrize(
    ("table", "options", "says"),
    [
        (plain(1), {}, "At least 2 subjects"),
        (plain(2).query("subject == 0 and condition == 'a' or subject == 1 and condition == 'b'"),
         {}, "in every group, but got 1"),
        (plain(), {"levels": ["a", "c"]}, "nobody has 'c'.*a, b"),
        (plain(), {"condition": "conditoin"}, "Did you mean 'condition'"),
        (plain(), {"subject": "person"}, "no column 'person'"),
        (plain(), {"feature": "AU21"}, "Did you mean"),
        (plain(), {"time": "seconds"}, "no column 'seconds'"),
        (plain(), {"tmin": 5.0}, "no rows between 5.0"),
        (plain(), {"design": "paired"}, "design"),
        (plain(), {"design": "between"}, "varies within"),
        (plain(conditions=("a",)), {}, "two levels"),
        (changed(AU12=np.nan), {}, "no value at all"),
        (changed(AU12=0.5), {}, "0.5 everywhere"),
        (changed(AU12="high"), {}, "no numbers"),
        (changed(input="one"), {}, "changes within one"),
        (changed(subject="s1"), {}, "At least 2 subjects"),
        (pd.concat([plain(), plain()]), {}, "Several faces or trials"),
        (plain(), {"condition": None, "levels": ["a"]}, "need a `condition`"),
        (plain(), {"rate": 0}, "rate"),
        (plain(), {"rate": 0.1}, "too low"),
    ],
    ids=[
        "one-subject", "one-in-a-group", "level", "condition", "subject", "feature", "time",
        "nothing-left", "design", "not-between", "one-level", "all-nan", "constant", "text",
        "changes-within", "same-subject", "faces", "no-condition", "rate", "low-rate",
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused(
    table: pd.DataFrame, options: dict[str, Any], says: str
) -> None:
    call = {"feature": "AU12", "condition": "condition", **options}
    with pytest.raises(FacemtError, match=says):
        cluster_permutation(table, **call)
