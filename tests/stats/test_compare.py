"""Comparisons of whole tables: designs, families, missing cells, refusals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import facemt_analysis as fm
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats import COLUMNS, adjust_p, compare, missing_cells, summarize
from facemt_analysis.stats.contrasts import resolve_contrasts
from facemt_analysis.stats.design import Factor

Study = Callable[..., pd.DataFrame]


def _means(frame: pd.DataFrame, column: str = "AU12") -> pd.DataFrame:
    return frame.pivot_table(index="subject", columns="condition", values=column, aggfunc="mean")


# ------------------------------------------------------------------ what comes out
@pytest.mark.parametrize("test", ["t", "student", "rank", "permutation", "anova"])
@pytest.mark.parametrize("between", [False, True], ids=["within", "between"])
def test_the_same_columns_for_every_test(study: Study, test: str, between: bool) -> None:
    table = compare(study(between=between), ["AU12", "AU06"], condition="condition", test=test)
    assert type(table) is pd.DataFrame
    assert tuple(table.columns[: len(COLUMNS)]) == COLUMNS
    assert table["feature"].tolist() == ["AU12", "AU06"]
    assert table["n_subjects"].tolist() == [12, 12]
    assert table["n_obs"].tolist() == [12 if between else 24] * 2
    assert (table["effect_ci_low"] < table["effect_size"]).all()
    assert (table["effect_size"] <= table["effect_ci_high"]).all()  # a rank-biserial can be 1
    assert table["method"].str.contains("Holm over 2 tests").all()


def test_within_is_a_paired_t_test_of_subject_means(study: Study) -> None:
    frame = study()
    row = compare(frame, "AU12", condition="condition").iloc[0]
    means = _means(frame)
    theirs = stats.ttest_rel(means["funny"], means["calm"])
    assert row["contrast"] == "funny - calm"
    assert row["statistic"] == pytest.approx(theirs.statistic)
    assert row["p"] == pytest.approx(theirs.pvalue)
    assert row["df"] == 11
    np.testing.assert_allclose([row["ci_low"], row["ci_high"]], theirs.confidence_interval())


def test_between_is_a_welch_test_of_subject_means(study: Study) -> None:
    frame = study(13, between=True)
    row = compare(frame, "AU12", condition="condition").iloc[0]
    means = _means(frame)
    theirs = stats.ttest_ind(means["funny"].dropna(), means["calm"].dropna(), equal_var=False)
    assert row["statistic"] == pytest.approx(theirs.statistic)
    assert row["df"] == pytest.approx(theirs.df)
    assert "Welch" in row["method"]


def test_more_frames_do_not_make_more_evidence(study: Study) -> None:
    """Frames of a recording repeated: the result is the same."""
    frame = study()
    doubled = pd.concat([frame, frame.assign(frame=frame["frame"] + 100)], ignore_index=True)
    pd.testing.assert_frame_equal(
        compare(frame, "AU12", condition="condition"),
        compare(doubled, "AU12", condition="condition"),
    )


def test_frames_and_their_summary_give_the_same(study: Study) -> None:
    frame = study()
    pd.testing.assert_frame_equal(
        compare(frame, "AU12", condition="condition"),
        compare(summarize(frame, by="condition", features="AU12"), "AU12", condition="condition"),
    )


@pytest.mark.parametrize("family", ["all", "feature", "contrast"])
@pytest.mark.parametrize("correction", ["holm", "fdr_bh", None])
def test_families(study: Study, family: str, correction: str | None) -> None:
    frame = study(conditions=("calm", "funny", "sad"))
    table = compare(frame, ["AU12", "AU06"], condition="condition", family=family,
                    correction=correction)  # fmt: skip
    groups = [table.index] if family == "all" else [p.index for _, p in table.groupby(family)]
    for rows in groups:
        np.testing.assert_allclose(
            table.loc[rows, "p_adj"], adjust_p(table.loc[rows, "p"], correction)
        )


def test_max_t_over_features_and_contrasts(study: Study) -> None:
    frame = study(14, conditions=("calm", "funny", "sad"), effect=0.03)
    table = compare(frame, ["AU12", "AU06"], condition="condition", correction="max-t",
                    n_permutations=999)  # fmt: skip
    assert table["method"].str.contains("permutation paired t test").all()
    assert table["method"].str.contains("max-T over 6 tests").all()
    assert (table["p_adj"] >= table["p"]).all()
    again = compare(frame, ["AU12", "AU06"], condition="condition", correction="max-t",
                    n_permutations=999)  # fmt: skip
    pd.testing.assert_frame_equal(table, again)
    with_t = compare(frame, ["AU12", "AU06"], condition="condition", correction="max-t",
                     test="t", n_permutations=999)  # fmt: skip
    np.testing.assert_allclose(with_t["p_adj"], table["p_adj"])
    assert with_t["df"].notna().all()


def test_permutation_interval_and_p_agree(study: Study) -> None:
    for seed in range(6):
        table = compare(study(10, effect=0.04, seed=seed), condition="condition",
                        test="permutation", correction=None)  # fmt: skip
        outside = (table["ci_low"] > 0) | (table["ci_high"] < 0)
        assert (outside == (table["p"] < 0.05)).all()


# ------------------------------------------------------------------ designs
def test_mixed_design(study: Study) -> None:
    frame = study(14, groups=2)
    table = compare(frame, "AU12", condition="condition", between="group")
    assert table["contrast"].tolist() == ["group", "condition", "group:condition"]
    assert table["df_effect"].tolist() == [1, 1, 1]
    means = _means(frame)
    group = frame.groupby("subject")["group"].first()
    t = stats.ttest_ind(*((means["funny"] - means["calm"])[group == g] for g in ("g0", "g1")))
    assert table["statistic"].iloc[2] == pytest.approx(t.statistic**2)


def test_contrasts_of_a_mixed_design(study: Study) -> None:
    frame = study(15, groups=2)
    table = compare(frame, "AU12", condition="condition", between="group", test="t")
    assert table["contrast"].tolist() == [
        "g1 - g0", "funny - calm", "(g1 - g0) * (funny - calm)",
    ]  # fmt: skip
    assert table["effect_name"].tolist() == ["d", "dz", "dz"]
    means = _means(frame)
    group = frame.groupby("subject")["group"].first()
    change = means["funny"] - means["calm"]
    by_group = [change[group == g].mean() for g in ("g0", "g1")]
    np.testing.assert_allclose(
        table["estimate"],
        [
            means.mean(axis=1)[group == "g1"].mean() - means.mean(axis=1)[group == "g0"].mean(),
            np.mean(by_group),
            by_group[1] - by_group[0],
        ],
    )
    # pooled variances: the contrast and the F test of the same effect agree
    student = compare(frame, "AU12", condition="condition", between="group", test="student",
                      contrast="funny - calm", correction=None).iloc[0]  # fmt: skip
    f = compare(frame, "AU12", condition="condition", between="group", correction=None)
    assert student["p"] == pytest.approx(f["p"].iloc[1])


def test_planted_effects_come_out() -> None:
    """The standardised effects of this sample are those that the simulation says it has."""
    cases = {
        "within": {"n_subjects": 10, "trials_per_condition": 2},
        "between": {"n_subjects": 12, "design": "between"},
        "mixed": {"n_subjects": 12, "design": "mixed", "groups": ["control", "patient"]},
    }
    for name, options in cases.items():
        fex, truth = fm.simulate_study(**options, duration=3, fps=10, seed=5,
                                       effects={"AU12": {"funny": 1.0}})  # fmt: skip
        want = truth.effects.query("feature == 'AU12'").set_index("contrast")
        got = compare(
            fex, "AU12", condition="condition", test="student",
            between="group" if "groups" in options else None,
        ).set_index("contrast")  # fmt: skip
        for contrast, row in want.iterrows():
            assert got.loc[contrast, "effect_name"] == row["effect_name"], name
            assert got.loc[contrast, "estimate"] == pytest.approx(row["realised_raw"], abs=1e-5)


def test_levels_come_in_the_order_of_categories(study: Study) -> None:
    frame = study(conditions=("calm", "funny"))
    frame["condition"] = pd.Categorical(frame["condition"], ["funny", "unused", "calm"])
    table = compare(frame, "AU12", condition="condition")
    assert table["contrast"].tolist() == ["calm - funny"]


def test_labels_may_be_numbers(study: Study) -> None:
    frame = study()
    frame["dose"] = (frame["condition"] == "funny") * 10
    frame["subject"] = frame["subject"].str[1:].astype(int)
    table = compare(frame, "AU12", condition="dose")
    assert table["contrast"].tolist() == ["10 - 0"]


def test_measures_can_be_compared(study: Study) -> None:
    def top(rows: pd.DataFrame) -> float:
        return float(rows["AU12"].max())

    table = compare(study(), condition="condition", measures=top)
    assert table["feature"].tolist() == ["top"]


# ------------------------------------------------------------------ contrasts in words
FILM = Factor("film", ("calm", "funny", "sad-film"), within=True)
GROUP = Factor("group", ("control", "patient"), within=False)
SAID = {
    "pairs": (None, ["funny - calm", "sad-film - calm", "sad-film - funny"]),
    "text": ("calm - funny", ["calm - funny"]),
    "hyphen": ("sad-film - calm", ["sad-film - calm"]),
    "tuple": (("funny", "calm"), ["funny - calm"]),
    "reference": ("funny", ["calm - funny", "sad-film - funny"]),
    "weights": ({"funny": 1, "calm": -0.5, "sad-film": -0.5},
                ["-0.5 calm +1 funny -0.5 sad-film"]),
    "named": ({"fun": {"funny": 1, "calm": -1}}, ["fun"]),
    "list": (["funny - calm", ("sad-film", "calm")], ["funny - calm", "sad-film - calm"]),
}  # fmt: skip


@pytest.mark.parametrize(("said", "names"), SAID.values(), ids=SAID.keys())
def test_ways_to_say_a_contrast(said: object, names: list[str]) -> None:
    found = resolve_contrasts(said, [FILM])
    assert [c.name for c in found] == names
    for c in found:
        assert c.over([FILM]).sum() == pytest.approx(0)


def test_interaction_in_words() -> None:
    (c,) = resolve_contrasts("(patient - control) * (funny - calm)", [GROUP, FILM])
    np.testing.assert_array_equal(
        np.outer(c.over([GROUP]), c.over([FILM])), [[1, -1, 0], [-1, 1, 0]]
    )


WRONG_CONTRASTS = {
    "nobody has it": ("happy - calm", FexError, "nobody has the level 'happy'"),
    "near name": ("funy", FexError, "Did you mean 'funny'"),
    "itself": ("calm - calm", OptionError, "itself"),
    "two factors": ("patient - calm", OptionError, "'patient' is a level of 'group'"),
    "sum": ({"calm": 1, "funny": 1}, OptionError, "sum to 0"),
    "twice": (["funny - calm", "funny - calm"], OptionError, "twice"),
    "same factor": ("(funny - calm) * (sad-film - calm)", OptionError, "same factor"),
    "empty": ([], OptionError, "at least one"),
}


@pytest.mark.parametrize(
    ("said", "error", "match"), WRONG_CONTRASTS.values(), ids=WRONG_CONTRASTS.keys()
)
def test_contrasts_that_cannot_be_read(said: object, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        resolve_contrasts(said, [GROUP, FILM])


# ------------------------------------------------------------------ missing cells
def test_who_lacks_a_cell_is_named(study: Study) -> None:
    frame = study(conditions=("calm", "funny", "sad"))
    frame = frame[~((frame["subject"] == "s03") & (frame["condition"] == "sad"))]
    with pytest.warns(UserWarning, match=r"s03 in AU12 \(sad - calm\)"):
        table = compare(frame, "AU12", condition="condition")
    assert table["n_subjects"].tolist() == [12, 11, 11]
    assert table["method"].str.contains("s03").tolist() == [False, True, True]
    means = _means(frame)
    theirs = stats.ttest_rel(means["sad"], means["calm"], nan_policy="omit")
    assert table["p"].iloc[1] == pytest.approx(theirs.pvalue)
    with pytest.warns(UserWarning, match="s03"):
        assert compare(frame, "AU12", condition="condition", test="anova")["n_subjects"][0] == 11
    with pytest.raises(FexError, match="s03"):
        compare(frame, "AU12", condition="condition", missing="raise")
    compare(frame, "AU12", condition="condition", missing="ignore")
    lost = missing_cells(frame, "AU12", condition="condition")
    assert lost[["subject", "condition", "reason"]].to_numpy().tolist() == [
        ["s03", "sad", "no recording"]
    ]


def test_cells_without_valid_frames(study: Study) -> None:
    frame = study()
    gone = (frame["subject"] == "s05") & (frame["condition"] == "calm")
    frame.loc[gone, "AU12"] = np.nan
    few = (frame["subject"] == "s07") & (frame["condition"] == "funny") & (frame["frame"] > 1)
    frame.loc[few, "AU12"] = np.nan
    with pytest.warns(UserWarning, match="s05, s07"):
        table = compare(frame, ["AU12", "AU06"], condition="condition", min_frames=3)
    assert table["n_subjects"].tolist() == [10, 12]
    lost = missing_cells(frame, ["AU12", "AU06"], condition="condition", min_frames=3)
    assert lost["reason"].tolist() == ["no valid frame", "fewer than 3 valid frames"]
    assert lost["n_valid"].tolist() == [0, 2]


# ------------------------------------------------------------------ refusals
def _set(frame: pd.DataFrame, **columns: object) -> pd.DataFrame:
    return frame.assign(**columns)


REFUSED = {
    "no condition": (lambda f: compare(f, "AU12"), OptionError, "what to compare"),
    "condition nobody has": (
        lambda f: compare(f, "AU12", condition="film"), FexError, "no column 'film'",
    ),
    "level nobody has": (
        lambda f: compare(f, "AU12", condition="condition", contrast="happy - calm"),
        FexError, "nobody has the level 'happy'",
    ),
    "one level": (
        lambda f: compare(f[f["condition"] == "calm"], "AU12", condition="condition"),
        FexError, "only 'calm'",
    ),
    "one subject per group": (
        lambda f: compare(f[f["subject"].isin(["s00", "s01"])].assign(
            group=lambda x: x["subject"]), "AU12", between="group"),
        FexError, "one group has 1 subject",
    ),
    "one subject": (
        lambda f: compare(f[f["subject"] == "s00"], "AU12", condition="condition"),
        FexError, r"there is 1 subject\(s\)",
    ),
    "all NaN": (
        lambda f: compare(_set(f, AU12=np.nan), "AU12", condition="condition"),
        FexError, "AU12: has no valid value",
    ),
    "constant": (
        lambda f: compare(_set(f, AU12=0.25), "AU12", condition="condition"),
        FexError, "AU12: is 0.25 everywhere",
    ),
    "constant difference": (
        lambda f: compare(_set(f, AU12=(f["condition"] == "funny") * 0.5), "AU12",
                          condition="condition"),
        FexError, "the difference is the same in all subjects",
    ),
    "group varies within a subject": (
        lambda f: compare(f, "AU12", between="condition"),
        FexError, "is to be between subjects, but varies within 12 of 12",
    ),
    "nobody has two": (
        lambda f: compare(f, "AU12", condition="group", design="within"), FexError, "only 'g0'",
    ),
    "neither within nor between": (
        lambda f: compare(f[(f["condition"] == "calm") | (f["subject"] == "s01")], "AU12",
                          condition="condition"),
        FexError, "has only|1 of 12 subjects have several levels",
    ),
    "a measurement": (
        lambda f: compare(_set(f, condition=np.arange(len(f))), "AU12", condition="condition"),
        FexError, "Is it a measurement",
    ),
    "the subject as condition": (
        lambda f: compare(f, "AU12", condition="subject"), OptionError, "names the people",
    ),
    "anova of a contrast": (
        lambda f: compare(f, "AU12", condition="condition", test="anova",
                          contrast="funny - calm"),
        OptionError, "whole effects",
    ),
    "max-T of ranks": (
        lambda f: compare(f, "AU12", condition="condition", test="rank", correction="max-t"),
        OptionError, "max-t",
    ),
    "unknown test": (
        lambda f: compare(f, "AU12", condition="condition", test="z"), OptionError, "test",
    ),
    "welch-anova within": (
        lambda f: compare(f, "AU12", condition="condition", test="welch-anova"),
        OptionError, "one factor between",
    ),
    "too few by the user's rule": (
        lambda f: compare(f, "AU12", condition="condition", min_subjects=20),
        FexError, "20 are needed",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "error", "match"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_answered_is_refused(
    study: Study, call: Callable[[pd.DataFrame], object], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        call(study())


def test_features_nobody_asked_for_are_left_out_with_a_word(study: Study) -> None:
    with pytest.warns(UserWarning, match="AU06: is 0.5 everywhere"):
        table = compare(study().assign(AU06=0.5), condition="condition")
    assert table["feature"].tolist() == ["AU12"]
