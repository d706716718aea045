"""Planted effects are the effects of the population, and nothing else differs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from facemt_analysis.errors import FexError
from facemt_analysis.simulate import Effect, simulate_study
from facemt_analysis.simulate.study_contrasts import plan_effects
from facemt_analysis.simulate.study_design import Design, as_effects
from facemt_analysis.simulate.study_plan import Study, settings_of
from facemt_analysis.simulate.study_population import FEATURES

PLANTED = {"AU12": 0.8, "Happy": 1.0, "valence": -0.5, "Yaw": 0.4}


def subject_means(fex: pd.DataFrame, by: list[str], features: list[str]) -> pd.DataFrame:
    """Means per recording, then per subject and cell, as an analyst makes them."""
    per_recording = pd.DataFrame(fex).groupby(["input", "subject", *by])[features].mean()
    return per_recording.astype(float).groupby(["subject", *by]).mean().reset_index()


def over_time(fex: pd.DataFrame, feature: str, one: str, other: str) -> pd.DataFrame:
    """Differences between two conditions: (subjects, times)."""
    values = pd.DataFrame(fex).astype({feature: float})
    tables = [
        values[values["condition"] == name].pivot_table(
            index="subject", columns="time", values=feature
        )
        for name in (one, other)
    ]
    return tables[0] - tables[1]


@pytest.fixture(scope="module")
def large() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Differences of 2,000 subjects, from the Fex alone, and the table of effects."""
    fex, truth = simulate_study(
        2000,
        effects={feature: {"funny": d} for feature, d in PLANTED.items()},
        duration=2,
        fps=10,
        feature_groups=["aus", "emotions", "va", "gazes", "poses"],
        seed=7,
    )
    features = [f for f in truth.effects["feature"] if f in fex]
    means = subject_means(fex, ["condition"], features).set_index("subject")
    funny, neutral = (means[means["condition"] == c][features] for c in ("funny", "neutral"))
    difference = funny - neutral
    return difference, truth.effects.set_index("feature")


@pytest.mark.parametrize("feature", PLANTED)
def test_realised_effect_is_the_requested_one(large, feature: str) -> None:
    difference, _ = large
    d = difference[feature].mean() / difference[feature].std()
    error = np.sqrt((1 + PLANTED[feature] ** 2 / 2) / len(difference))
    assert abs(d - PLANTED[feature]) < 4 * error


def test_features_without_effect_do_not_differ(large) -> None:
    difference, effects = large
    null = [f for f in difference if f not in (*PLANTED, "Neutral")]
    t = difference[null].mean() / difference[null].sem()
    assert len(null) == 29
    assert t.abs().max() < stats.norm.isf(0.0005 / len(null))
    assert 0.4 < (t**2).mean() < 1.9
    assert (effects.loc[null, "planted"] == 0).all()


def test_population_sd_is_the_sd_of_the_differences(large) -> None:
    difference, effects = large
    sd = effects["sd"].drop("Neutral")
    np.testing.assert_allclose(difference.std()[sd.index], sd, rtol=0.08)


def test_neutral_loses_what_the_other_emotions_gain(large) -> None:
    difference, effects = large
    happy = effects.loc["Happy"]
    assert effects.loc["Neutral", "planted_raw"] == pytest.approx(-happy["planted_raw"])
    assert np.isnan(effects.loc["Neutral", "planted"])
    error = difference["Neutral"].sem()
    assert abs(difference["Neutral"].mean() + happy["planted_raw"]) < 4 * error


def test_table_of_effects_says_what_the_sample_shows(large) -> None:
    difference, effects = large
    found = difference.mean() / difference.std()
    np.testing.assert_allclose(effects["realised"], found[effects.index], atol=1e-4)
    np.testing.assert_allclose(effects["realised_raw"], difference.mean()[effects.index], atol=1e-6)


def draw(design: Design, effects: object, n: int) -> tuple[np.ndarray, np.ndarray, Study]:
    """Levels (recordings, features) of many subjects, without their courses."""
    settings = settings_of(3, 4, 10, 0, 1, 0.4)
    wanted = as_effects(effects, design, settings.duration)
    nobody = dict.fromkeys(design.conditions, 0.0)
    plan = plan_effects(design, wanted, np.arange(settings.n_frames) / settings.fps)
    study = Study(design, settings, 0.0, nobody, nobody, wanted, plan)
    levels = study.draw(n)
    return levels.total, levels.who, study


def test_levels_have_the_stated_standard_deviations() -> None:
    design = Design("within", ("a", "b"), (), 3)
    total, _, study = draw(design, {}, 4000)
    sds = study.plan.people.sds
    x = total.reshape(4000, 2, 3, -1)
    within = np.sqrt(x.var(2, ddof=1).mean((0, 1)))
    np.testing.assert_allclose(within, sds.trial, rtol=0.03)
    mean = x.mean(2)
    np.testing.assert_allclose(
        (mean[:, 1] - mean[:, 0]).std(0),
        np.sqrt(2 * (sds.reactivity**2 + sds.trial**2 / 3)),
        rtol=0.05,
    )
    np.testing.assert_allclose(
        mean[:, 0].std(0),
        np.sqrt(sds.subject**2 + sds.reactivity**2 + sds.trial**2 / 3),
        rtol=0.05,
    )


@pytest.mark.parametrize("trials", [1, 3])
def test_dz_with_several_trials(trials: int) -> None:
    design = Design("within", ("a", "b", "c"), (), trials)
    total, _, _ = draw(design, {"AU06": {"b": 0.5, "c": -1.0}}, 2500)
    x = total.reshape(2500, 3, trials, -1).mean(2)[..., FEATURES.index("AU06")]
    for c, d in ((1, 0.5), (2, -1.0)):
        difference = x[:, c] - x[:, 0]
        assert difference.mean() / difference.std() == pytest.approx(d, abs=0.09)
    # conditions differ in nothing but the means: sphericity
    spread = [np.var(x[:, i] - x[:, j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    np.testing.assert_allclose(spread, np.mean(spread), rtol=0.13)


def test_between_design_gives_cohens_d_of_conditions_and_groups() -> None:
    design = Design("between", ("a", "b"), ("young", "old"), 2)
    effects = {"AU04": {"b": 0.6, "old": -0.4, ("old", "b"): 0.8}}
    total, who, _ = draw(design, effects, 8_000)
    x = total[:, FEATURES.index("AU04")].reshape(-1, 2).mean(1)
    group, condition = who[::2, 1], who[::2, 2]
    assert np.bincount(2 * group + condition).tolist() == [2000] * 4
    cells = np.array([[x[(group == g) & (condition == c)] for c in (0, 1)] for g in (0, 1)])
    mean, sd = cells.mean(-1), np.sqrt(cells.var(-1, ddof=1).mean())
    assert (mean[:, 1] - mean[:, 0]).mean() / sd == pytest.approx(0.6, abs=0.09)
    assert (mean[1] - mean[0]).mean() / sd == pytest.approx(-0.4, abs=0.09)
    interaction = (mean[1, 1] - mean[1, 0]) - (mean[0, 1] - mean[0, 0])
    assert interaction / sd == pytest.approx(0.8, abs=0.18)


def test_mixed_design_standardises_each_term_by_what_it_is_tested_on() -> None:
    design = Design("mixed", ("a", "b"), ("control", "patient"), 1)
    effects = [
        Effect("AU12", 0.8, condition="b"),
        Effect("AU12", -0.5, group="patient"),
        Effect("AU12", -0.6, condition="b", group="patient"),
    ]
    total, who, _ = draw(design, effects, 6_000)
    x = total[:, FEATURES.index("AU12")].reshape(-1, 2)
    patient = who[::2, 1] == 1
    difference, mean = x[:, 1] - x[:, 0], x.mean(1)

    def pooled(values: np.ndarray) -> float:
        return float(np.sqrt((values[patient].var() + values[~patient].var()) / 2))

    marginal = (difference[patient].mean() + difference[~patient].mean()) / 2
    assert marginal / pooled(difference) == pytest.approx(0.8, abs=0.06)
    between = mean[patient].mean() - mean[~patient].mean()
    assert between / pooled(mean) == pytest.approx(-0.5, abs=0.1)
    interaction = difference[patient].mean() - difference[~patient].mean()
    assert interaction / pooled(difference) == pytest.approx(-0.6, abs=0.1)


def test_realised_effects_of_a_mixed_study_agree_with_the_formulas_by_hand() -> None:
    fex, truth = simulate_study(
        21, design="mixed", groups=("control", "patient"), trials_per_condition=2, duration=2,
        fps=10, feature_groups=["va"], seed=2,
    )  # fmt: skip
    assert fex.groupby("group")["subject"].nunique().to_dict() == {"control": 11, "patient": 10}
    x = subject_means(fex, ["group", "condition"], ["valence"]).pivot_table(
        index=["subject", "group"], columns="condition", values="valence"
    )
    difference = (x["funny"] - x["neutral"]).groupby("group")
    df = 21 - 2
    pooled = np.sqrt(((difference.count() - 1) * difference.var()).sum() / df)
    rows = truth.effects.query("feature == 'valence'").set_index("term")
    assert rows.loc["condition", "realised"] == pytest.approx(difference.mean().mean() / pooled)
    gap = difference.mean()["patient"] - difference.mean()["control"]
    assert rows.loc["group:condition", "realised_raw"] == pytest.approx(gap, abs=1e-6)
    assert rows.loc["group:condition", "realised"] == pytest.approx(gap / pooled, abs=1e-4)
    mean = x.mean(axis=1).groupby("group")
    pooled = np.sqrt(((mean.count() - 1) * mean.var()).sum() / df)
    gap = mean.mean()["patient"] - mean.mean()["control"]
    assert rows.loc["group", "realised"] == pytest.approx(gap / pooled, abs=1e-4)
    assert rows["effect_name"].to_dict() == {
        "condition": "dz", "group": "d", "group:condition": "dz"
    }  # fmt: skip


def test_realised_d_of_a_between_study_is_the_textbook_one() -> None:
    fex, truth = simulate_study(
        30, design="between", effects={"Sad": {"funny": -0.7}}, duration=2, fps=10, seed=5
    )
    x = subject_means(fex, ["condition"], ["Sad"]).groupby("condition")["Sad"]
    assert x.count().tolist() == [15, 15]
    d = (x.mean()["funny"] - x.mean()["neutral"]) / np.sqrt(x.var().mean())
    row = truth.effects.query("feature == 'Sad'").iloc[0]
    assert row["realised"] == pytest.approx(d, abs=1e-4)
    assert row["effect_name"] == "d"
    assert row["planted"] == pytest.approx(-0.7)


def test_raw_effects_are_in_the_features_unit() -> None:
    effect = Effect("gaze_yaw", 0.05, condition="b", unit="raw")
    design = Design("within", ("a", "b"), (), 1)
    total, _, _ = draw(design, [effect], 4000)
    x = total[:, FEATURES.index("gaze_yaw")].reshape(-1, 2)
    assert (x[:, 1] - x[:, 0]).mean() == pytest.approx(0.05, abs=0.002)


def test_windowed_effect_is_in_its_window_and_nowhere_else() -> None:
    effect = Effect("AU04", 1.6, condition="b", window=(3.0, 6.0))
    fex, truth = simulate_study(
        300, conditions=("a", "b"), effects=[effect], isc=0, duration=9, fps=10, missing=0,
        feature_groups=["aus"], seed=4,
    )  # fmt: skip
    difference = over_time(fex, "AU04", "b", "a")
    t = difference.mean() / difference.sem()
    outside = (t.index < 3.0) | (t.index > 6.0)
    assert outside.sum() == 59
    assert t[outside].abs().max() < 4.5  # noise correlates over some frames
    assert t[~outside].iloc[3:-3].min() > 4.5
    row = truth.effects.query("feature == 'AU04' and start == 3").iloc[0]
    in_window = difference.loc[:, ~outside].mean(axis=1)
    assert row["realised_raw"] == pytest.approx(in_window.mean(), abs=1e-6)
    assert abs(in_window.mean() - row["planted_raw"]) < 4 * in_window.sem()
    assert row["planted"] == pytest.approx(1.6)
    whole = truth.effects.query("feature == 'AU04' and start != start").iloc[0]
    assert whole["planted_raw"] == pytest.approx(row["planted_raw"] * 31 / 90, rel=1e-6)


def test_conditions_without_effects_have_the_same_mean_course() -> None:
    fex, _ = simulate_study(
        300, effects={}, isc=0, duration=5, fps=10, missing=0, feature_groups=["aus"], seed=9
    )
    difference = over_time(fex, "AU12", "funny", "neutral")
    t = difference.mean() / difference.sem()
    assert (t**2).mean() < 3


def test_large_effects_narrow_the_spread_instead_of_leaving_the_range() -> None:
    fex, truth = simulate_study(
        40, effects={"AU12": {"funny": 6.0}, "Happy": {"funny": 5.0}, "AU09": {"funny": -4.0}},
        duration=3, fps=10, noise=3.0, seed=1,
    )  # fmt: skip
    assert not len(fex.validate())
    rows = truth.effects.set_index("feature")
    np.testing.assert_allclose(rows.loc[["AU12", "Happy", "AU09"], "planted"], [6, 5, -4])
    assert rows.loc["AU12", "sd"] < 0.09
    assert 4 < rows.loc["AU12", "realised"] < 9


def test_presets_know_the_conditions_by_name() -> None:
    _, truth = simulate_study(
        2, conditions=("neutral", "scary", "own name"), duration=2, fps=10, seed=0
    )
    planted = truth.effects.query("planted != 0 and planted == planted")
    assert set(planted["condition"]) == {"scary"}
    assert planted.set_index("feature")["planted"]["Fear"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"effects": {"AU13": {"funny": 1}}}, "'AU13'; did you mean AU"),
        ({"effects": {"Neutral": {"funny": 1}}}, "what the other emotions leave"),
        ({"effects": {"AU12": {"fun": 1}}}, "'fun'; there is neutral, funny"),
        ({"effects": {"AU12": {"neutral": 1}}}, "the first condition and so the reference"),
        ({"effects": {"AU12": 0.8}}, "must be {condition or group: size}"),
        ({"effects": [("AU12", 0.8)]}, "or Effect objects, but holds"),
        ({"effects": [Effect("AU12", 1.0)]}, "needs a condition, a group or both"),
        ({"effects": [Effect("AU12", float("nan"), condition="funny")]}, "must be a number"),
        (
            {"effects": [Effect("AU12", 1, condition="funny"),
                         Effect("AU12", 2, condition="funny")]},
            "two effects on one contrast",
        ),
        (
            {"effects": [Effect("Happy", 1, condition="funny", window=(0, 1))]},
            "emotions are a softmax",
        ),
        (
            {"effects": [Effect("AU12", 1, condition="funny", window=(1, 99))]},
            "must lie in 0 to 2 s",
        ),
        (
            {"effects": [Effect("AU12", 1, condition="funny", unit="raw")]},
            "do not fit into its range",
        ),
        ({"groups": ("x", "y")}, "use design='mixed'"),
        ({"design": "mixed"}, "at least two groups"),
        ({"design": "crossed"}, "'within', 'between' or 'mixed'"),
        ({"conditions": "funny"}, "a list of names"),
        ({"conditions": ("a", "a")}, "must be different names"),
        ({"conditions": ("a/b",)}, "text without slashes"),
        ({"conditions": ()}, "at least one condition"),
        ({"n_subjects": 0}, "`n_subjects` must be a whole number, at least 1"),
        ({"n_subjects": 2.5}, "`n_subjects` must be a whole number"),
        ({"trials_per_condition": 0}, "`trials_per_condition`"),
        ({"seed": -1}, "`seed`"),
        ({"missing": 0.7}, "`missing` must be in 0 to 0.5"),
        ({"isc": {"sad": 0.1}}, "`isc` names the condition 'sad'"),
        ({"isc": {"funny": 1.5}}, "`isc['funny']`"),
        ({"noise": -1}, "`noise`"),
        ({"noise": "much"}, "`noise` must be a number"),
        ({"rest": 1.5}, "`rest` must be in 0 to 1"),
        ({"jitter": 1}, "`jitter` must be below 1"),
        ({"duration": 0.1}, "at least 20 frames"),
        ({"fps": float("nan")}, "`fps`"),
        ({"feature_groups": ["au"]}, "`feature_groups` must name some of"),
    ],
)  # fmt: skip
def test_wrong_arguments_say_what_is_wrong(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(FexError) as caught:
        simulate_study(**{"n_subjects": 2, "duration": 2, **arguments})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
