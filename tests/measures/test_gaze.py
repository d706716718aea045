"""Gaze: directions, density, dispersion, entropies, looking away."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.transform import Rotation
from scipy.stats import entropy, gaussian_kde

from facemt_analysis import Fex, simulate_study
from facemt_analysis.errors import FexError, MissingGroupError, OptionError
from facemt_analysis.measures import (
    angle_to_target,
    angles_to_matrices,
    away_episodes,
    bcea,
    gaze_angles,
    gaze_heatmap,
    gaze_summary,
    gaze_vectors,
    matrices_to_angles,
)


def table(pitch: object, yaw: object, fps: float = 30.0, **more: object) -> pd.DataFrame:
    """Gaze in degrees."""
    pitch, yaw = np.broadcast_arrays(np.asarray(pitch, float), np.asarray(yaw, float))
    return pd.DataFrame(
        {"time": np.arange(len(yaw)) / fps, "gaze_pitch": np.radians(pitch),
         "gaze_yaw": np.radians(yaw), **more}
    )  # fmt: skip


def posed(frame: pd.DataFrame, matrices: np.ndarray) -> pd.DataFrame:
    angles = matrices_to_angles(matrices)
    return frame.assign(Pitch=angles[:, 0], Yaw=angles[:, 1], Roll=angles[:, 2])


RNG = np.random.default_rng(11)
RANDOM = table(RNG.normal(0, 8, 400), RNG.normal(3, 10, 400))


# ---------------------------------------------------------------- directions
def test_vectors_have_the_signs_of_a_fex() -> None:
    up, right = gaze_vectors(table([30, 0], [0, 30]))
    np.testing.assert_allclose(up, (0, 0.5, np.sqrt(0.75)), atol=1e-15)
    np.testing.assert_allclose(right, (-0.5, 0, np.sqrt(0.75)), atol=1e-15)
    np.testing.assert_allclose(np.linalg.norm(gaze_vectors(RANDOM), axis=1), 1)


def test_the_angle_of_a_fex_is_the_one_from_straight_ahead(real_faces: Fex) -> None:
    angle = np.radians(angle_to_target(gaze_vectors(real_faces)))
    np.testing.assert_allclose(angle, real_faces["gaze_angle"], atol=2e-3)


def test_angles_and_vectors_there_and_back() -> None:
    expected = np.degrees(RANDOM[["gaze_pitch", "gaze_yaw"]])
    np.testing.assert_allclose(gaze_angles(gaze_vectors(RANDOM)), expected, atol=1e-12)
    behind = gaze_angles([[0.0, 0.0, -2.0], [np.nan, 0, 0]])
    assert abs(behind[0, 1]) == 180
    assert np.isnan(behind[1]).all()


def test_gaze_in_the_cameras_frame_is_composed_with_the_heads_rotation() -> None:
    # the head turns, the eyes make up for it: they look at one point all the time
    turns = Rotation.random(20, 4) ** 0.3
    fixed = np.array([0.2, -0.1, 1.0]) / np.linalg.norm([0.2, -0.1, 1.0])
    seen = gaze_angles(turns.inv().apply(fixed))
    frame = posed(table(seen[:, 0], seen[:, 1]), turns.as_matrix())
    np.testing.assert_allclose(gaze_vectors(frame, "camera"), np.tile(fixed, (20, 1)), atol=1e-12)
    # and back: what is recorded in the camera's frame, relative to the head
    angles = np.radians(gaze_angles(gaze_vectors(frame, "camera")))
    camera = frame.assign(gaze_pitch=angles[:, 0], gaze_yaw=angles[:, 1])
    np.testing.assert_allclose(
        gaze_vectors(camera, "head", recorded="camera"), gaze_vectors(frame), atol=1e-12
    )
    np.testing.assert_array_equal(
        gaze_vectors(camera, "camera", recorded="camera"), gaze_vectors(camera)
    )


def test_eyes_straight_in_a_turned_head_look_where_the_nose_points() -> None:
    frame = table([0], [0]).assign(Pitch=0.0, Yaw=0.4, Roll=0.9)
    nose = angles_to_matrices((0.0, 0.4, 0.9))[:, 2]
    np.testing.assert_allclose(gaze_vectors(frame, "camera")[0], nose)
    euler = gaze_vectors(frame, "camera", convention="euler-xyz")[0]
    np.testing.assert_allclose(gaze_angles(euler), (0, np.degrees(0.4)), atol=1e-12)


def test_missing_angles_are_missing_directions() -> None:
    frame = table([0, np.nan, 0], [0, 0, 0]).assign(Pitch=[np.nan, 0, 0], Yaw=0.0, Roll=0.0)
    assert np.isnan(gaze_vectors(frame)).all(axis=1).tolist() == [False, True, False]
    assert np.isnan(gaze_vectors(frame, "camera")).all(axis=1).tolist() == [True, True, False]


def test_wrong_directions() -> None:
    with pytest.raises(MissingGroupError, match="'gazes'"):
        gaze_vectors(pd.DataFrame({"Pitch": [0.0]}))
    with pytest.raises(MissingGroupError, match="'poses'"):
        gaze_vectors(RANDOM, "camera")
    with pytest.raises(FexError, match="'gaze_pitch'"):
        gaze_vectors(RANDOM.drop(columns="gaze_pitch"))
    with pytest.raises(OptionError, match="`reference` must be 'head' or 'camera'"):
        gaze_vectors(RANDOM, "world")
    with pytest.raises(OptionError, match="`target` must be a direction"):
        angle_to_target([[0.0, 0.0, 1.0]], (0, 0, 0))


# ---------------------------------------------------------------- density
def test_density_is_the_share_of_time_per_square_degree() -> None:
    # three frames; the second one lasts twice as long
    frame = table([5, -5, 50], [5, -15, 0]).assign(time=[0.0, 1.0, 3.0])
    found = gaze_heatmap(frame, bins=(8, 4), extent=(-40, 40, -20, 20))
    weight = np.array([1, 2, 1.5])  # the last one: the median interval
    expected = np.zeros((4, 8))
    expected[2, 4] = weight[0] / weight.sum() / 100
    expected[1, 2] = weight[1] / weight.sum() / 100
    np.testing.assert_allclose(found.density[0], expected)
    assert found.groups["inside"].tolist() == pytest.approx([3 / 4.5])
    assert found.groups["seconds"].tolist() == pytest.approx([4.5])
    assert "1 groups over 8 × 4 bins" in repr(found)
    tidy = found.table
    assert tidy.loc[tidy["density"].idxmax(), ["yaw", "pitch"]].tolist() == [-15, -5]


def test_density_agrees_with_numpy() -> None:
    angles = np.degrees(RANDOM[["gaze_pitch", "gaze_yaw"]].to_numpy())
    ours = gaze_heatmap(RANDOM, bins=(16, 10), extent=(-20, 30, -15, 15))
    theirs, *_ = np.histogram2d(angles[:, 0], angles[:, 1], bins=(ours.pitch_edges, ours.yaw_edges))
    np.testing.assert_allclose(ours.density[0], theirs / len(angles) / (50 / 16 * 3))


def test_smooth_density_agrees_with_a_kernel_density_estimate() -> None:
    # points whose covariance is a circle, so that SciPy's kernel is one too
    points = RNG.normal(size=(2, 60))
    points -= points.mean(axis=1, keepdims=True)
    points = np.linalg.solve(np.linalg.cholesky(np.cov(points)), points) * 8
    kde = gaussian_kde(points, bw_method=0.5)
    ours = gaze_heatmap(table(points[1], points[0]), bins=240, extent=(-30, 30, -30, 30), smooth=4)
    middle = (ours.yaw_edges[1:] + ours.yaw_edges[:-1]) / 2
    grid = np.meshgrid(middle, middle)
    theirs = kde(np.stack([g.ravel() for g in grid])).reshape(240, 240)
    np.testing.assert_allclose(ours.density[0], theirs, atol=0.01 * theirs.max())


def test_smoothing_counts_what_lies_outside() -> None:
    found = gaze_heatmap(table([0], [41]), smooth=2, extent=(-40, 40, -40, 40), bins=160)
    from scipy.stats import norm

    assert found.groups["inside"].item() == pytest.approx(norm.cdf(-0.5), abs=0.05)


def test_solid_angle() -> None:
    flat = gaze_heatmap(table([61], [0]), bins=45, extent=(-45, 45, 0, 90))
    sphere = gaze_heatmap(table([61], [0]), bins=45, extent=(-45, 45, 0, 90), solid_angle=True)
    assert sphere.density.max() / flat.density.max() == pytest.approx(2.0, rel=0.1)  # 1 / cos 60°


def test_density_of_groups() -> None:
    frame = pd.concat([RANDOM.assign(input="a"), RANDOM.assign(input="b", gaze_yaw=np.nan)])
    found = gaze_heatmap(frame)
    assert found.groups["input"].tolist() == ["a", "b"]
    assert found.groups["n_valid"].tolist() == [400, 0]
    assert np.isfinite(found.density[0]).all()
    assert np.isnan(found.density[1]).all()
    assert gaze_heatmap(frame.head(0)).density.shape == (0, 40, 40)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bins": 0}, "`bins` must be at least 1"),
        ({"bins": (1, 2, 3)}, "`bins` must be a number, or two"),
        ({"extent": (0, 1)}, "`extent` must be yaw from, to"),
        ({"extent": (10, -10, 0, 1)}, "extent\\[1\\]"),
        ({"smooth": -1}, "`smooth` must be at least 0 deg"),
        ({"by": "inptu"}, "no column 'inptu'"),
    ],
)
def test_wrong_densities(options, message: str) -> None:
    with pytest.raises(FexError if "by" in options else OptionError, match=message):
        gaze_heatmap(RANDOM.assign(input="a"), **options)


# ---------------------------------------------------------------- dispersion
def test_bcea_of_known_ellipses() -> None:
    k = -np.log(1 - 0.68)
    assert bcea([-1, 1, -1, 1], [-2, -2, 2, 2]) == pytest.approx(2 * k * np.pi * 2)
    assert bcea([0, 1, 2], [0, 2, 4]) == pytest.approx(0, abs=1e-6)  # a line
    assert np.isnan(bcea([np.nan], [0]))
    assert bcea([0, 0, 4], [0, 4, 0], [1, 1, 2]) == pytest.approx(
        bcea([0, 0, 4, 4], [0, 4, 0, 0])
    )  # fmt: skip
    big = RNG.multivariate_normal((0, 0), [[9, 4], [4, 5]], 40_000)
    inside = np.einsum("ni,ij,nj->n", big, np.linalg.inv([[9, 4], [4, 5]]), big) < 2 * k
    assert inside.mean() == pytest.approx(0.68, abs=0.01)  # what the ellipse promises
    assert bcea(*big.T) == pytest.approx(2 * k * np.pi * np.sqrt(29), rel=0.02)


def eye_path(seed: int = 7, n: int = 40) -> np.ndarray:
    """Fixations at random places, 10 ms a frame, with two frames of saccade between them."""
    rng = np.random.default_rng(seed)
    path, here = [], np.zeros(2)
    for _ in range(n):
        there = rng.uniform(-15, 15, 2)
        k = int(rng.integers(4, 40))
        path += [here + (there - here) / 3, here + 2 * (there - here) / 3]
        path += list(there + rng.uniform(-0.4, 0.4, (k, 2)))
        here = there
    return np.array(path)


def test_dispersion_agrees_with_pymovements() -> None:
    # pymovements 0.28.0, measure.samples.bcea(confidence=68), rms_s2s() and std_rms() of
    # eye_path() as planar positions; SDs with ddof=1
    theirs = {"bcea": 570.4530013460194, "rms_s2s": 2.4948857702233784, "sd": 12.825600757070427}
    yaw, pitch = eye_path().T
    n = len(yaw)
    ours = gaze_summary(table(pitch, yaw, fps=100)).iloc[0]
    assert ours["bcea"] == pytest.approx(theirs["bcea"] * (n - 1) / n, rel=1e-9)
    assert bcea(yaw, pitch) == pytest.approx(ours["bcea"])
    sd = np.hypot(ours["pitch_sd"], ours["yaw_sd"])
    assert sd == pytest.approx(theirs["sd"] * np.sqrt((n - 1) / n), rel=1e-9)
    # on the sphere, up to 15 degrees from its equator
    assert ours["rms_s2s"] == pytest.approx(theirs["rms_s2s"], rel=0.02)
    assert ours["dispersion"] == pytest.approx(sd, rel=0.02)


def test_dispersion_on_the_sphere_is_the_same_in_every_frame() -> None:
    turn = Rotation.from_rotvec((0.5, -0.6, 0.3)).as_matrix()
    frame = posed(RANDOM, np.tile(turn, (len(RANDOM), 1, 1)))
    head, camera = (gaze_summary(frame, reference=r).iloc[0] for r in ("head", "camera"))
    for name in ("dispersion", "spherical_variance", "rms_s2s"):
        assert head[name] == pytest.approx(camera[name])
    middle = gaze_vectors(RANDOM).mean(axis=0) @ turn.T
    assert camera[["pitch_mean", "yaw_mean"]].tolist() == pytest.approx(
        gaze_angles(middle).tolist()
    )


def test_means_weigh_frames_by_time() -> None:
    frame = table([0, 0, 0], [0, 10, 20]).assign(time=[0.0, 0.1, 0.3])
    found = gaze_summary(frame).iloc[0]
    weight = np.array([0.1, 0.2, 0.15])
    mean = (weight * (0, 10, 20)).sum() / weight.sum()
    assert found["yaw_mean"] == pytest.approx(mean, abs=0.05)
    variance = (weight * (np.array([0, 10, 20]) - mean) ** 2).sum() / weight.sum()
    assert found["yaw_sd"] == pytest.approx(np.sqrt(variance))


# ---------------------------------------------------------------- entropy
def test_entropies_of_a_cycle_and_of_chance() -> None:
    places = np.array([[0, 0], [0, 20], [20, 20], [20, 0]])
    cycle = table(*np.repeat(np.tile(places, (50, 1)), 3, axis=0).T)
    found = gaze_summary(cycle).iloc[0]
    assert found["stationary_entropy"] == pytest.approx(2.0)
    assert found["transition_entropy"] == pytest.approx(0.0)
    assert (found["bins_visited"], found["n_transitions"]) == (4, 199)
    rng = np.random.default_rng(1)
    at = np.cumsum(rng.integers(1, 4, 20_000)) % 4  # any of the three others
    chance = gaze_summary(table(*places[at].T)).iloc[0]
    assert chance["transition_entropy"] == pytest.approx(np.log2(3), abs=0.001)


def test_entropies_agree_with_pandas_and_scipy() -> None:
    found = gaze_summary(RANDOM, bin_size=10).iloc[0]
    cell = (np.degrees(RANDOM[["gaze_pitch", "gaze_yaw"]]) / 10).round().astype(int)
    state = cell["gaze_pitch"].astype(str) + "," + cell["gaze_yaw"].astype(str)
    share = state.value_counts(normalize=True)
    assert found["stationary_entropy"] == pytest.approx(entropy(share, base=2))
    moves = pd.crosstab(state, state.shift(-1))
    for name in moves.index.intersection(moves.columns):
        moves.loc[name, name] = 0
    rows = {s: entropy(row, base=2) for s, row in moves.iterrows() if row.sum()}
    assert found["transition_entropy"] == pytest.approx(sum(share[s] * h for s, h in rows.items()))
    assert found["n_transitions"] == moves.to_numpy().sum()
    assert found["bins_visited"] == state.nunique()


def test_entropy_does_not_depend_on_the_rate_and_stops_at_gaps() -> None:
    places = RNG.integers(0, 4, (60, 2)) * 10
    slow = gaze_summary(table(*np.repeat(places, 3, axis=0).T, fps=15)).iloc[0]
    fast = gaze_summary(table(*np.repeat(places, 12, axis=0).T, fps=60)).iloc[0]
    for name in ("stationary_entropy", "transition_entropy", "n_transitions"):
        assert slow[name] == pytest.approx(fast[name])
    cut = table([0, 0, 0, 0], [0, 0, 20, 20])
    assert gaze_summary(cut)["n_transitions"].item() == 1
    late = cut.assign(time=[0, 0.03, 1.0, 1.03])
    assert gaze_summary(late)["n_transitions"].item() == 0
    assert np.isnan(gaze_summary(late)["transition_entropy"].item())


# ---------------------------------------------------------------- toward and away
def looking() -> pd.DataFrame:
    """Ten seconds: 3 s away, a short glance, 1 s away."""
    time = np.arange(300) / 30
    away = (time >= 1) & (time < 4) | (time >= 5) & (time < 5.2) | (time >= 7) & (time < 8)
    return table(0, np.where(away, 25.0, 2.0), Pitch=0.0, Yaw=0.0, Roll=0.0)


def test_share_toward_the_camera_and_episodes_away() -> None:
    frame = looking()
    found = gaze_summary(frame).iloc[0]
    assert found["toward_share"] == pytest.approx(1 - 4.2 / 10)
    assert found["n_away"] == 2
    assert found["away_rate"] == pytest.approx(12)
    assert found["away_duration_mean"] == pytest.approx(2)
    episodes = away_episodes(frame)
    np.testing.assert_allclose(episodes["onset"], [1, 7])
    np.testing.assert_allclose(episodes["offset"], [4, 8])
    np.testing.assert_allclose(episodes[["angle_mean", "angle_max"]], 25)
    assert not episodes["truncated"].any()
    assert len(away_episodes(frame, min_duration=0.1)) == 3
    assert gaze_summary(frame, target=(-np.sin(np.radians(25)), 0, np.cos(np.radians(25))))[
        "toward_share"
    ].item() == pytest.approx(0.42)


def test_a_turned_head_looks_away_though_its_eyes_are_straight() -> None:
    frame = table(0, np.zeros(60)).assign(Pitch=0.0, Yaw=np.radians(30), Roll=0.0)
    assert gaze_summary(frame)["toward_share"].item() == 0
    assert gaze_summary(frame, recorded="camera")["toward_share"].item() == 1
    level = frame.assign(gaze_yaw=np.radians(-30))
    assert gaze_summary(level)["toward_share"].item() == 1


def test_no_pose_no_time() -> None:
    found = gaze_summary(RANDOM).iloc[0]
    assert found[["toward_share", "n_away", "away_rate", "away_duration_mean"]].isna().all()
    photographs = looking().drop(columns="time")
    found = gaze_summary(photographs).iloc[0]
    assert found["toward_share"] == pytest.approx(1 - 4.2 / 10)
    assert found[["seconds", "n_away", "away_rate", "away_duration_mean"]].isna().all()
    assert gaze_summary(looking().head(0)).shape[0] <= 1


def test_two_interleaved_people_do_not_mix() -> None:
    one, two = (f.assign(input="film", frame=np.arange(300), track=t)
                for t, f in enumerate((looking(), RANDOM.head(300).assign(Pitch=0.0, Yaw=0.0,
                                                                          Roll=0.0))))  # fmt: skip
    both = pd.concat([one, two]).sort_values(["frame", "track"])
    apart = pd.concat([gaze_summary(one), gaze_summary(two)], ignore_index=True)
    pd.testing.assert_frame_equal(gaze_summary(both), apart)


def test_wrong_summaries() -> None:
    with pytest.raises(OptionError, match="`p` must be at least 0 and below 1"):
        gaze_summary(RANDOM, p=1)
    with pytest.raises(OptionError, match="`bin_size`"):
        gaze_summary(RANDOM, bin_size=0)
    with pytest.raises(OptionError, match="`threshold`"):
        gaze_summary(looking(), threshold=-1)
    with pytest.raises(OptionError, match="`min_duration`"):
        gaze_summary(looking(), min_away=-1)
    with pytest.raises(FexError, match="no column 'time'"):
        away_episodes(looking().drop(columns="time"))
    with pytest.raises(MissingGroupError, match="'poses'"):
        away_episodes(RANDOM)


# ---------------------------------------------------------------- planted and real
def test_noise_free_study_by_pandas() -> None:
    fex, truth = simulate_study(2, duration=10, noise=0, missing=0.1, seed=5)
    found = gaze_summary(fex).set_index("input")
    clean = truth.frames[fex["track"] >= 0]
    for name, one in clean.groupby("input"):
        yaw, pitch = np.degrees(one["gaze_yaw"]), np.degrees(one["gaze_pitch"])
        assert found.loc[name, "yaw_sd"] == pytest.approx(yaw.std(ddof=0), rel=1e-4)
        assert found.loc[name, "bcea"] == pytest.approx(bcea(yaw, pitch), rel=1e-4)


def test_real_faces_by_pandas(real_faces: Fex) -> None:
    # every other frame of the films is in the files: all that follows one lasts two frames
    found = gaze_summary(real_faces).set_index("input")
    assert len(found) == 10
    for name, one in pd.DataFrame(real_faces).groupby("input"):
        yaw = np.degrees(one["gaze_yaw"].astype(float))
        weight = one["time"].diff().shift(-1).fillna(one["time"].diff().median())
        mean = np.average(yaw, weights=weight)
        assert found.loc[name, "yaw_sd"] == pytest.approx(
            np.sqrt(np.average((yaw - mean) ** 2, weights=weight)), rel=1e-4
        )
    assert found["toward_share"].between(0, 1).all()
