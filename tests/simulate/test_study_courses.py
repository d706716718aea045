"""Time courses: events, levels, noise, gaps, gaze, emotions and what is shared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special

from facemt_analysis import schema
from facemt_analysis.simulate import simulate_study
from facemt_analysis.simulate.study_courses import (
    bounded_course,
    face_found,
    proportional_noise,
    smooth_path,
    softmax_with_means,
)
from facemt_analysis.simulate.study_truth import LEVEL_FEATURES

AUS = schema.GROUPS["aus"].columns


@pytest.fixture(scope="module")
def quiet():
    """Noise-free and complete, with a second of rest."""
    return simulate_study(4, duration=20, fps=30, noise=0, missing=0, rest=1.0, seed=3)


@pytest.fixture(scope="module")
def study():
    """As a detector would see it."""
    return simulate_study(
        6, duration=12, fps=25, missing={"neutral": 0.1, "funny": 0.02}, jitter=0.6, seed=8
    )


def courses(fex: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {str(name): part for name, part in pd.DataFrame(fex).groupby("input")}


# ---------------------------------------------------------------------- the table
def test_table_is_a_proper_fex(study) -> None:
    fex, truth = study
    assert not len(fex.validate())
    assert len(fex) == 6 * 2 * 300
    assert fex.recordings[:2] == ("sub-01_neutral_1.mp4", "sub-01_funny_1.mp4")
    assert {"subject", "condition", "trial"} <= set(fex.columns)
    assert "group" not in fex
    assert fex["trial"].unique().tolist() == [1]
    assert pd.api.types.is_string_dtype(fex["subject"])
    assert (fex[list(schema.GROUPS["aus"].columns)].dtypes == "float32").all()
    assert fex.index.equals(truth.frames.index)
    for name in ("input", "frame", "time", "subject", "condition"):
        assert fex[name].equals(truth.frames[name]), name


def test_metadata_says_that_and_how_it_is_simulated(study) -> None:
    fex, _ = study
    assert fex.info.tool is not None
    assert "simulated" in fex.info.tool
    assert fex.info.options is not None
    assert fex.info.options["simulated"] is True
    assert fex.info.options["seed"] == 8
    assert fex.info.options["missing"]["funny"] == 0.02
    assert fex.info.options["effects"][0] == {
        "feature": "AU12", "size": 1.2, "condition": "funny"
    }  # fmt: skip
    assert fex.info.weights is None


def test_frames_without_a_face_are_as_a_detector_writes_them(study) -> None:
    fex, truth = study
    lost = ~truth.frames["face"]
    assert (fex.loc[lost, "track"] == -1).all()
    assert (fex.loc[lost, "FaceScore"] == 0).all()
    others = [c for c in schema.feature_columns(fex.columns) if c != "FaceScore"]
    assert fex.loc[lost, others].isna().all(axis=None)
    assert fex.loc[~lost, others].notna().all(axis=None)
    assert (fex.loc[~lost, "track"] == 0).all()
    assert fex.loc[~lost, "FaceScore"].between(0.7, 1).all()
    assert truth.frames.drop(columns=["face"]).notna().all(axis=None)
    share = lost.groupby(truth.frames["condition"]).mean()
    assert share["neutral"] == pytest.approx(0.1, abs=0.06)
    assert 0 < share["funny"] < share["neutral"]


def test_losses_are_runs_of_the_wanted_length_and_share() -> None:
    rng = np.random.default_rng(0)
    times = np.arange(900) / 30
    valid = np.array([face_found(rng, times, 30.0, 0.1, 0.5) for _ in range(300)])
    assert (~valid).mean() == pytest.approx(0.1, abs=0.012)
    padded = np.pad(~valid, ((0, 0), (1, 1))).astype(int)
    starts = (np.diff(padded) == 1).sum()
    assert 0.4 < (~valid).sum() / starts / 30 < 0.75  # runs that meet are longer
    assert face_found(rng, times, 30.0, 0.0, 0.5).all()
    heavy = [face_found(rng, times, 30.0, 0.5, 8.0).mean() for _ in range(50)]
    assert min(heavy) >= 0.4


def test_time_stamps_jitter_but_increase(study) -> None:
    fex, _ = study
    first = courses(fex)["sub-01_funny_1.mp4"]
    late = first["time"].to_numpy() * 25 - first["frame"].to_numpy()
    assert late.min() >= 0
    assert 0.5 < late.max() < 0.6
    assert np.ptp(np.diff(first["time"])) > 0.01


def test_feature_ranges_hold_with_much_noise() -> None:
    fex, _ = simulate_study(
        6, duration=8, fps=15, noise=4.0, seed=1, feature_groups=schema.FEATURE_GROUPS
    )
    assert not len(fex.validate())
    assert fex.groups == (
        "keys", "faceboxes", "landmarks", "poses", "aus", "emotions", "va", "gazes", "meshes",
        "blendshapes", "framesizes",
    )  # fmt: skip
    assert fex["valence"].abs().max() < 1


# ---------------------------------------------------------------------- events
def test_events_can_be_found_at_their_planted_times(quiet) -> None:
    fex, truth = quiet
    tonic = truth.levels.set_index(["input", "feature"])["tonic"]
    by_input = courses(fex)
    alone = truth.events.query("isolated and amplitude > 0.02")
    assert len(alone) > 150
    assert set(alone["feature"]) == set(AUS)
    step = 1 / 30
    for event in alone.itertuples():
        recording = by_input[event.input]
        time = recording["time"].to_numpy()
        base = tonic[event.input, event.feature]
        course = recording[event.feature].to_numpy(float) - base
        inside = (time >= event.onset) & (time <= event.offset)
        active = course[inside]
        # float32 scores: whoever waits for 1e-4 of a cosine ramp waits a few per cent of it
        moving = time[inside][active > 1e-4 + 1e-3 * event.amplitude]
        slack = step + 0.04 * event.duration
        assert 0 <= moving[0] - event.onset < slack
        assert 0 <= event.offset - moving[-1] < slack
        peak = time[inside][active.argmax()]
        assert abs(peak - event.apex) <= step * 1.01
        assert 0.88 * event.amplitude < active.max() <= event.amplitude * 1.0001
        beside = ((time > event.onset - 0.2) & (time < event.onset)) | (
            (time > event.offset) & (time < event.offset + 0.2)
        )
        neighbours = truth.events[
            (truth.events["input"] == event.input) & (truth.events["feature"] == event.feature)
        ]
        near = (neighbours["onset"] < event.offset + 0.3) & (
            neighbours["offset"] > event.onset - 0.3
        )
        if near.sum() == 1:
            np.testing.assert_allclose(course[beside], 0, atol=1e-5)


def test_course_is_the_sum_of_its_events(quiet) -> None:
    fex, truth = quiet
    recording = courses(fex)["sub-02_funny_1.mp4"]
    time = recording["time"].to_numpy()
    events = truth.events.query("input == 'sub-02_funny_1.mp4'")
    tonic = truth.levels.query("input == 'sub-02_funny_1.mp4'").set_index("feature")["tonic"]
    for feature in ("AU12", "AU04", "AU43"):
        total = np.full(len(time), tonic[feature])
        for event in events[events["feature"] == feature].itertuples():
            rise, length = event.apex - event.onset, event.duration
            t = time - event.onset
            # hold and decay are not in the table: only the rise and the apex are checked
            rising = (t >= 0) & (t <= rise)
            total[rising] += event.amplitude * np.sin(np.pi * t[rising] / rise / 2) ** 2
            total[(t > rise) & (t < length)] = np.nan
        known = np.isfinite(total)
        assert known.sum() > 100
        np.testing.assert_allclose(recording[feature].to_numpy()[known], total[known], atol=2e-5)


def test_nothing_moves_during_the_rest(quiet) -> None:
    fex, truth = quiet
    resting = pd.DataFrame(fex)[fex["time"] < 1.0]
    tonic = truth.levels.dropna(subset="tonic").pivot_table(
        index="input", columns="feature", values="tonic"
    )
    for name, part in resting.groupby("input"):
        for feature in AUS:
            np.testing.assert_allclose(part[feature], tonic.loc[name, feature], atol=1e-5)
    assert (truth.events["onset"] >= 1.0).all()
    assert (truth.events["offset"] <= 20.0).all()
    assert (truth.events.eval("onset < apex < offset")).all()


def test_peak_is_the_score_at_the_apex(quiet) -> None:
    fex, truth = quiet
    recording = courses(fex)["sub-01_funny_1.mp4"]
    for event in truth.events.query("input == 'sub-01_funny_1.mp4'").itertuples():
        frame = round(event.apex * 30)
        assert event.peak == pytest.approx(float(recording[event.feature].iloc[frame]), abs=1e-6)


def test_isolated_events_are_those_that_overlap_no_other(quiet) -> None:
    _, truth = quiet
    for _, series in truth.events.groupby(["input", "feature"]):
        onset, offset = series["onset"].to_numpy(), series["offset"].to_numpy()
        overlaps = (onset[:, None] < offset[None]) & (offset[:, None] > onset[None])
        np.testing.assert_array_equal(series["isolated"], overlaps.sum(1) == 1)


def test_smiles_are_made_of_their_action_units(quiet) -> None:
    _, truth = quiet
    smiles = truth.events.query("display == 'smile'")
    assert set(smiles["feature"]) == {"AU12", "AU06", "AU07", "AU25", "AU14"}
    assert (truth.events.query("display == 'blink'")["feature"] == "AU43").all()


def test_more_reactive_recordings_smile_more_often() -> None:
    fex, truth = simulate_study(60, duration=20, fps=10, isc=0, seed=2, feature_groups=["aus"])
    assert len(fex) == 60 * 2 * 200
    smiles = truth.events.query("display == 'smile' and feature == 'AU12'")
    count = smiles.groupby("input").size()
    level = truth.levels.query("feature == 'AU12'").set_index("input")["level"]
    assert np.corrcoef(count, level[count.index])[0, 1] > 0.3


# ---------------------------------------------------------------------- levels and noise
def test_means_over_valid_frames_are_the_levels(study) -> None:
    fex, truth = study
    means = pd.DataFrame(fex).groupby("input")[list(LEVEL_FEATURES)].mean()
    level = truth.levels.pivot_table(index="input", columns="feature", values="level")
    np.testing.assert_allclose(means, level.loc[means.index, means.columns], atol=2e-6)
    clean = truth.frames[truth.frames["face"]].groupby("input")[list(LEVEL_FEATURES)].mean()
    np.testing.assert_allclose(clean, level.loc[clean.index, clean.columns], atol=2e-6)


def test_levels_are_the_sum_of_their_parts(study) -> None:
    _, truth = study
    parts = truth.levels.dropna(subset="cell")
    total = parts[["cell", "baseline", "reactivity", "trial_error"]].sum(axis=1)
    np.testing.assert_allclose(parts["level"], total, atol=1e-9)
    assert set(truth.levels["feature"]) - set(parts["feature"]) == {"Neutral"}
    subjects = truth.subjects
    assert len(subjects) == 6 * len(LEVEL_FEATURES)
    one = subjects.query("subject == 'sub-03' and feature == 'AU12'").iloc[0]
    mine = truth.levels.query("subject == 'sub-03' and feature == 'AU12'")
    assert one["mean"] == pytest.approx(mine["level"].mean())
    assert mine["baseline"].tolist() == [one["baseline"]] * 2


def test_without_noise_the_fex_is_the_truth(quiet) -> None:
    fex, truth = quiet
    columns = [c for c in truth.frames if c in fex and truth.frames[c].dtype == "float32"]
    assert len(columns) == 20 + 7 + 2 + 3 + 3
    np.testing.assert_allclose(fex[columns], truth.frames[columns], atol=1e-6)


def test_noise_is_unbiased_and_vanishes_at_the_ends() -> None:
    rng = np.random.default_rng(1)
    level = np.array([0.02, 0.3, 0.5, 0.97])
    clean = np.broadcast_to(level, (200, 100, 4)).copy()
    valid = rng.random((200, 100)) > 0.1
    path = smooth_path(rng.standard_normal(clean.shape), 0.12, 30)
    noisy = proportional_noise(clean, path, 0.9, valid)
    assert noisy.min() > 0
    assert noisy.max() < 1
    means = (noisy * valid[..., None]).sum(1) / valid.sum(1)[:, None]
    np.testing.assert_allclose(means, np.broadcast_to(level, means.shape), atol=1e-12)
    sd = noisy.std((0, 1))
    np.testing.assert_allclose(sd / (level * (1 - level)), sd[1] / 0.21, rtol=0.05)


def test_noise_never_leaves_the_range_however_large() -> None:
    rng = np.random.default_rng(2)
    clean = rng.uniform(0, 1, (50, 40, 3))
    path = 5 * rng.standard_normal(clean.shape)
    noisy = proportional_noise(clean, path, 50.0, np.ones((50, 40), bool))
    assert noisy.min() >= 0
    assert noisy.max() <= 1
    np.testing.assert_allclose(noisy.mean(1), clean.mean(1), atol=1e-12)


def test_noise_is_autocorrelated_as_stated() -> None:
    x = smooth_path(np.random.default_rng(0).standard_normal((4000, 12, 1)), 0.12, 30)[..., 0]
    np.testing.assert_allclose(x.std(0), 1, atol=0.05)
    rho = np.exp(-1 / (30 * 0.12))
    for lag in (1, 4):
        found = np.corrcoef(x[:, :-lag].ravel(), x[:, lag:].ravel())[0, 1]
        assert found == pytest.approx(rho**lag, abs=0.02)


def test_bounded_course_fills_the_room_it_may() -> None:
    shape = np.array([[-1.0, -1.0, 2.0]])[..., None]
    course, scale = bounded_course(
        shape, np.array([[0.3]]), np.array(np.inf), np.array(0.0), np.array(1.0), np.array(0.8)
    )
    assert scale[0, 0] == pytest.approx(0.8 * 0.3)  # the floor is nearer
    np.testing.assert_allclose(course[0, :, 0], [0.06, 0.06, 0.78])


# ---------------------------------------------------------------------- emotions and affect
def test_softmax_with_means_agrees_with_a_general_solver() -> None:
    rng = np.random.default_rng(3)
    logits = 3 * rng.standard_normal((3, 200, 7))
    logits[1] *= 4  # nearly one-hot
    means = rng.dirichlet(np.ones(7), 3)
    means[2] = [0.9, 0.05, 0.01, 0.01, 0.01, 0.01, 0.01]
    valid = rng.random((3, 200)) > 0.2
    found = softmax_with_means(logits, means[:, 1:], valid)
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-12)
    for i in range(3):
        np.testing.assert_allclose(found[i][valid[i]].mean(0), means[i], atol=1e-9)

        def loss(theta: np.ndarray, i: int = i) -> float:
            full = np.append(0.0, theta)
            total = special.logsumexp(logits[i][valid[i]] + full, axis=1).mean()
            return float(total - means[i] @ full)

        theta = optimize.minimize(loss, np.zeros(6), tol=1e-12).x
        direct = special.softmax(logits[i] + np.append(0.0, theta), axis=1)
        np.testing.assert_allclose(found[i], direct, atol=1e-4)


def test_emotions_and_affect_follow_the_face(quiet) -> None:
    fex, _ = quiet
    assert np.allclose(fex.emotions.sum(axis=1), 1, atol=1e-5)
    within = pd.DataFrame(fex)[["AU12", "AU02", "Happy", "Surprise", "valence", "arousal"]]
    within = within - within.groupby(fex["input"]).transform("mean")
    r = within.corr()
    assert r.loc["AU12", "Happy"] > 0.6
    assert r.loc["AU12", "valence"] > 0.3
    assert r.loc["Happy", "valence"] > r.loc["Surprise", "valence"]
    assert r.loc["Surprise", "arousal"] > 0.1
    assert r.loc["AU02", "Surprise"] > 0.3
    assert fex["Happy"].max() > 0.8


# ---------------------------------------------------------------------- gaze and head
def test_gaze_is_made_of_its_fixations(quiet) -> None:
    fex, truth = quiet
    for name, recording in courses(fex).items():
        fixations = truth.fixations[truth.fixations["input"] == name]
        assert fixations["start"].iloc[0] == 0
        assert fixations["stop"].iloc[-1] == 20
        np.testing.assert_array_equal(fixations["start"].iloc[1:], fixations["stop"].iloc[:-1])
        which = np.searchsorted(fixations["start"], recording["time"], side="right") - 1
        for column in ("gaze_pitch", "gaze_yaw"):
            planted = fixations[column].to_numpy()[which]
            np.testing.assert_allclose(recording[column], planted, atol=1e-6)
    duration = truth.fixations.eval("stop - start")
    assert duration.iloc[1:-1].mean() == pytest.approx(0.55, abs=0.1)


def test_gaze_angle_is_the_angle_from_straight_ahead(study) -> None:
    fex, _ = study
    gaze = fex.gazes.dropna().astype(float)
    angle = np.arccos(np.cos(gaze["gaze_pitch"]) * np.cos(gaze["gaze_yaw"]))
    np.testing.assert_allclose(gaze["gaze_angle"], angle, atol=1e-6)


def test_heads_move_smoothly_and_little(quiet) -> None:
    fex, _ = quiet
    for _, recording in courses(fex).items():
        pitch = recording["Pitch"].to_numpy(float)
        assert 0.03 < pitch.std() < 0.08
        assert np.abs(np.diff(pitch)).max() < 0.03
        assert (recording["Z"] > 4).all()


# ---------------------------------------------------------------------- what is shared
def test_intersubject_correlation_is_the_planted_one() -> None:
    fex, truth = simulate_study(
        40, conditions=("alone", "together", "lockstep"), isc={"together": 0.4, "lockstep": 1.0},
        duration=40, fps=10, missing=0, noise=0, seed=6, feature_groups=["aus"],
    )  # fmt: skip
    table = truth.isc.query("planted == planted and feature != 'AU43'")
    mean = table.groupby("condition")[["planted", "realised"]].mean()
    assert mean.loc["alone", "planted"] < 0.02
    assert mean.loc["together", "planted"] == pytest.approx(0.4, abs=0.01)
    np.testing.assert_allclose(mean["realised"], mean["planted"], atol=0.04)
    lockstep = table[table["condition"] == "lockstep"]
    np.testing.assert_allclose(lockstep["realised"], 1.0, atol=1e-6)
    blink = truth.isc.query("feature == 'AU43'")["realised"]
    assert blink.abs().max() < 0.03
    # by brute force
    wide = pd.DataFrame(fex)[fex["condition"] == "together"].pivot_table(
        index="frame", columns="subject", values="AU12"
    )
    pairs = np.corrcoef(wide.to_numpy(float), rowvar=False)[np.triu_indices(40, 1)]
    row = table.query("condition == 'together' and feature == 'AU12'").iloc[0]
    assert row["realised"] == pytest.approx(pairs.mean(), abs=1e-5)


def test_noise_attenuates_correlations_by_the_reliability() -> None:
    fex, truth = simulate_study(
        40, conditions=("film",), isc=0.5, duration=40, fps=10, missing=0, noise=2.0, seed=6,
        feature_groups=["aus"],
    )  # fmt: skip
    rows = truth.isc.set_index("feature")
    for feature in ("AU25", "AU12"):
        wide = pd.DataFrame(fex).pivot_table(index="frame", columns="subject", values=feature)
        pairs = np.corrcoef(wide.to_numpy(float), rowvar=False)[np.triu_indices(40, 1)]
        expected = rows.loc[feature, "realised"] * rows.loc[feature, "reliability"]
        assert rows.loc[feature, "reliability"] < 0.9
        assert pairs.mean() == pytest.approx(expected, rel=0.06)


def test_stimulus_events_are_the_same_for_everybody(quiet) -> None:
    _, truth = quiet
    shared = truth.events.query("source == 'stimulus' and condition == 'funny'")
    times = shared.groupby("subject")[["onset", "apex", "offset"]].agg(list)
    for column in times:
        first = np.array(times[column].iloc[0])
        for other in times[column].iloc[1:]:
            np.testing.assert_array_equal(np.array(other), first)
    assert "AU43" not in set(shared["feature"])
