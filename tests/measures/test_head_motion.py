"""Head motion: paths whose speed is known, however they are sampled."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.transform import Rotation

from facemt_analysis import Fex
from facemt_analysis.errors import FexError, MissingGroupError, OptionError
from facemt_analysis.measures import head_velocity, matrices_to_angles, pose_motion

AXIS = np.array([1.0, -2.0, 0.5]) / np.linalg.norm([1.0, -2.0, 0.5])  # head axes


def poses(rotations: Rotation, time: np.ndarray, **more: object) -> pd.DataFrame:
    angles = matrices_to_angles(rotations.as_matrix())
    return pd.DataFrame(
        {"time": time, "frame": np.arange(len(time)), "Pitch": angles[:, 0], "Yaw": angles[:, 1],
         "Roll": angles[:, 2], **more}
    )  # fmt: skip


def spin(time: np.ndarray, deg_per_s: float, start: object = (0.0, 0.0, 0.0)) -> Rotation:
    """Constant velocity about an oblique axis of the head, from some pose."""
    return Rotation.from_rotvec(start) * Rotation.from_rotvec(
        np.radians(deg_per_s) * time[:, None] * AXIS
    )


def sway(time: np.ndarray, amplitude: float, hertz: float, axis: int) -> Rotation:
    vectors = np.zeros((len(time), 3))
    vectors[:, axis] = np.radians(amplitude) * np.sin(2 * np.pi * hertz * time)
    return Rotation.from_rotvec(vectors)


TIME = np.arange(151) / 30


def test_constant_speed_about_an_oblique_axis_is_exact() -> None:
    uneven = np.sort(np.random.default_rng(1).uniform(0, 5, 200))
    for time in (TIME, uneven):
        motion = pose_motion(poses(spin(time, 20, start=(0.4, -0.7, 0.3)), time), still=19).iloc[0]
        # of uneven times some lie behind a gap: more than 1.5 median steps
        assert motion[["speed_mean", "speed_rms", "speed_peak"]].tolist() == pytest.approx([20] * 3)
        assert motion["rotation_total"] == pytest.approx(20 * motion["seconds"])
        energy = motion[["energy_pitch", "energy_yaw", "energy_roll"]].to_numpy(float)
        np.testing.assert_allclose(energy, (20 * AXIS) ** 2)
        assert motion["still_share"] == 0.0
    assert pose_motion(poses(spin(TIME, 20), TIME), still=21)["still_share"].item() == 1.0


def test_velocity_is_about_the_heads_own_axes_with_the_signs_of_a_fex() -> None:
    table = poses(spin(TIME, 10, start=(1.0, 0.2, -0.4)), TIME).set_index(TIME + 7)
    velocity = head_velocity(table)
    assert velocity.index.equals(table.index)
    assert velocity.iloc[0].isna().all()
    expected = 10 * AXIS * (-1, -1, 1)
    np.testing.assert_allclose(velocity.iloc[1:, :3], np.tile(expected, (150, 1)), atol=1e-6)
    np.testing.assert_allclose(velocity["speed"].iloc[1:], 10, atol=1e-6)


def test_the_pose_of_the_camera_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    path = Rotation.from_rotvec(np.cumsum(rng.normal(0, 0.02, (151, 3)), axis=0))
    measured = [
        "rotation_total", "speed_rms", "speed_peak", "energy_pitch", "energy_yaw", "energy_roll",
        "dispersion", "nod_power", "shake_power", "still_share",
    ]  # fmt: skip
    one = pose_motion(poses(path, TIME))[measured]
    other = pose_motion(poses(Rotation.from_rotvec((0.3, 0.8, -0.2)) * path, TIME))[measured]
    np.testing.assert_allclose(one, other, rtol=1e-6)


def test_gaps_borders_and_missing_faces_do_not_count_as_motion() -> None:
    jump = TIME >= 2.5
    angle = np.where(jump, 60.0, 0.0) + 10 * TIME
    rotations = Rotation.from_rotvec(np.radians(angle)[:, None] * AXIS)
    table = poses(rotations, TIME, input="a", track=0)
    gap = table.drop(index=range(70, 76))  # 2.33 s to 2.53 s are not there: so is the jump
    lost = table.copy()
    lost.loc[70:75, ["Pitch", "Yaw", "Roll"]] = np.nan
    absent = table.assign(track=np.where((TIME > 2.3) & (TIME < 2.53), -1, 0))
    label = table.assign(trial=np.where(jump, 1, 0))
    for cut, by in ((gap, None), (lost, None), (absent, None), (label, "trial")):
        motion = pose_motion(cut, by=by)
        assert motion["speed_peak"].max() == pytest.approx(10, rel=1e-6)
    assert pose_motion(table)["speed_peak"].item() == pytest.approx(60 * 30 + 10, rel=1e-6)
    motion = pose_motion(lost).iloc[0]
    assert (motion["n_frames"], motion["n_valid"]) == (151, 145)
    assert motion["seconds"] == pytest.approx((69 + 74) / 30)


def test_two_interleaved_people_do_not_mix() -> None:
    tables = [
        poses(spin(TIME, speed, start=(0.5 * track, 0, 0)), TIME, input="film", track=track)
        for track, speed in ((0, 5), (1, 30))
    ]
    both = pd.concat(tables).sort_values(["frame", "track"], ignore_index=True)
    motion = pose_motion(both)
    assert motion["track"].tolist() == [0, 1]
    assert motion["speed_mean"].tolist() == pytest.approx([5, 30])
    shuffled = pose_motion(both.sample(frac=1, random_state=1)).sort_values("track")
    pd.testing.assert_frame_equal(motion, shuffled.reset_index(drop=True))
    together = pose_motion(both.assign(dyad="d1"), by="dyad").iloc[0]
    assert together["rotation_total"] == pytest.approx(motion["rotation_total"].sum())
    assert together["speed_mean"] == pytest.approx(17.5)
    assert together["speed_peak"] == pytest.approx(30)


@pytest.mark.parametrize(("axis", "name"), [(0, "nod_power"), (1, "shake_power")])
def test_power_of_a_nod_or_shake_is_that_of_its_velocity(axis: int, name: str) -> None:
    time = np.arange(601) / 60
    motion = pose_motion(poses(sway(time, 3, 2.0, axis), time)).iloc[0]
    power = (2 * np.pi * 2.0 * 3) ** 2 / 2 * np.sinc(2.0 / 60) ** 2
    assert motion[name] == pytest.approx(power, rel=0.01)
    assert motion[{"nod_power": "shake_power", "shake_power": "nod_power"}[name]] < 1e-9
    assert motion["spectrum_seconds"] == pytest.approx(10)
    assert motion["energy_" + ("pitch", "yaw")[axis]] == pytest.approx(power, rel=0.01)


def test_power_outside_the_band_does_not_count() -> None:
    time = np.arange(601) / 60
    slow = pose_motion(poses(sway(time, 3, 0.25, 0), time), window=4).iloc[0]
    assert slow["nod_power"] < 0.02 * slow["energy_pitch"]
    fast = poses(sway(time, 3, 6.0, 0), time)
    assert pose_motion(fast).iloc[0]["nod_power"] < 0.01 * pose_motion(fast)["energy_pitch"].item()
    inside = pose_motion(fast, band=(5, 7)).iloc[0]
    assert inside["nod_power"] == pytest.approx(inside["energy_pitch"], rel=0.01)


def test_power_under_jitter_and_in_stretches() -> None:
    rng = np.random.default_rng(4)
    time = np.arange(901) / 60 + rng.uniform(0, 0.25 / 60, 901)
    table = poses(sway(time, 3, 2.0, 0), time)
    table.loc[[300, 350, 700], "Yaw"] = np.nan
    motion = pose_motion(table).iloc[0]
    power = (2 * np.pi * 2.0 * 3) ** 2 / 2 * np.sinc(2.0 / 60) ** 2
    assert motion["nod_power"] == pytest.approx(power, rel=0.03)
    # 300, 350 and 700 cut it into 5, 0.8, 5.8 and 3.3 s: the short one is left out
    assert motion["spectrum_seconds"] == pytest.approx((299 + 348 + 199) / 60, abs=0.1)


def test_no_power_of_short_or_slow_recordings() -> None:
    motion = pose_motion(poses(sway(TIME[:45], 3, 2.0, 0), TIME[:45])).iloc[0]
    assert np.isnan(motion["nod_power"])
    assert motion["spectrum_seconds"] == 0
    time = np.arange(50) / 5
    assert np.isnan(pose_motion(poses(sway(time, 3, 1.0, 0), time))["nod_power"].item())


def test_ranges_and_dispersion() -> None:
    # half of the time 20 degrees to one side, half to the other
    yaw = np.radians(np.where(np.arange(100) < 50, 10.0, 30.0))
    table = pd.DataFrame({"time": np.arange(100) / 10, "Pitch": 0.0, "Yaw": yaw, "Roll": 0.0})
    motion = pose_motion(table).iloc[0]
    assert motion[["range_pitch", "range_yaw", "range_roll"]].tolist() == pytest.approx([0, 20, 0])
    assert motion["dispersion"] == pytest.approx(10)
    # weighed by time: the second one lasts 1.4 times as long
    time = np.concatenate([np.arange(50) / 10, 5 + 0.14 * np.arange(50)])
    motion = pose_motion(table.assign(time=time)).iloc[0]
    weight = np.where(np.arange(100) < 50, 0.1, 0.14)
    weight[-1] = 0.1  # the last frame lasts the usual interval, the median
    mean = np.arctan2((weight * np.sin(yaw)).sum(), (weight * np.cos(yaw)).sum())
    expected = np.sqrt((weight * (yaw - mean) ** 2).sum() / weight.sum())
    assert motion["dispersion"] == pytest.approx(np.degrees(expected))


def test_noise_of_a_still_head_is_as_the_notes_say() -> None:
    rng = np.random.default_rng(5)
    time = np.arange(3000) / 30
    table = pd.DataFrame(
        np.radians(rng.normal(0, 0.2, (3000, 3))), columns=["Pitch", "Yaw", "Roll"]
    )
    motion = pose_motion(table.assign(time=time)).iloc[0]
    assert motion["speed_rms"] == pytest.approx(np.sqrt(6) * 0.2 * 30, rel=0.03)


def test_translation() -> None:
    table = poses(spin(TIME, 0), TIME)
    motion = pose_motion(table.assign(X=3 * TIME, Y=4 * TIME, Z=900.0)).iloc[0]
    assert motion["translation_speed"] == pytest.approx(5)
    assert motion["translation_total"] == pytest.approx(25)
    assert np.isnan(pose_motion(table)["translation_speed"].item())


def test_euler_angles_beyond_the_pole() -> None:
    rotations = Rotation.from_rotvec(np.outer(np.radians(60.1 + 12 * TIME), (0, -1, 0)))
    angles = matrices_to_angles(rotations.as_matrix(), convention="euler-xyz")
    table = pd.DataFrame(angles, columns=["Pitch", "Yaw", "Roll"]).assign(time=TIME)
    motion = pose_motion(table, convention="euler-xyz").iloc[0]
    assert motion["speed_peak"] == pytest.approx(12, rel=1e-5)
    assert np.nanmax(np.abs(np.diff(table["Pitch"]))) > 3  # what differences of angles would say


def test_one_frame_or_none() -> None:
    table = poses(spin(TIME[:1], 5), TIME[:1])
    motion = pose_motion(table).iloc[0]
    assert motion["n_valid"] == 1
    assert motion["range_yaw"] == 0
    unknown = ["rotation_total", "speed_mean", "speed_rms", "speed_peak", "still_share"]
    assert motion[unknown].isna().all()
    assert len(pose_motion(table.head(0).assign(track=0))) == 0


def test_planted_paths_of_a_simulated_study() -> None:
    from facemt_analysis import simulate_study

    fex, truth = simulate_study(2, duration=10, noise=0, missing=0.1, seed=3)
    found = pose_motion(fex)
    clean = truth.frames.assign(track=fex["track"])
    # by pandas: angles between neighbouring frames that both have a face
    for row, (name, one) in zip(
        found.itertuples(), clean.groupby("input", sort=False), strict=True
    ):
        assert row.input == name
        vectors = one[["Pitch", "Yaw", "Roll"]].to_numpy(float) * (-1, -1, 1)
        turn = Rotation.from_rotvec(vectors)
        angle = np.degrees((turn[:-1].inv() * turn[1:]).magnitude())
        seen = one["track"].to_numpy() >= 0
        both = seen[1:] & seen[:-1]
        assert row.rotation_total == pytest.approx(angle[both].sum(), rel=1e-4)
        assert row.speed_peak == pytest.approx((angle * 30)[both].max(), rel=1e-4)
        assert row.n_valid == seen.sum()


def test_real_faces_by_scipy(real_faces: Fex) -> None:
    found = pose_motion(real_faces).set_index("input")
    assert len(found) == 10
    for name, one in pd.DataFrame(real_faces).groupby("input"):
        vectors = one[["Pitch", "Yaw", "Roll"]].to_numpy(float) * (-1, -1, 1)
        turn = Rotation.from_rotvec(vectors)
        angle = np.degrees((turn[:-1].inv() * turn[1:]).magnitude())
        dt = one["time"].diff().to_numpy()[1:]
        whole = dt < 1.5 * np.median(dt)
        total = angle[whole].sum()
        assert found.loc[name, "rotation_total"] == pytest.approx(total, rel=1e-6)
        assert found.loc[name, "speed_mean"] == pytest.approx(total / dt[whole].sum(), rel=1e-6)
        rms = np.sqrt((angle**2 / dt)[whole].sum() / dt[whole].sum())
        assert found.loc[name, "speed_rms"] == pytest.approx(rms, rel=1e-6)
        still = dt[whole & (angle / dt < 5)].sum() / dt[whole].sum()
        assert found.loc[name, "still_share"] == pytest.approx(still)
        place = np.linalg.norm(np.diff(one[["X", "Y", "Z"]].to_numpy(float), axis=0), axis=1)
        assert found.loc[name, "translation_total"] == pytest.approx(place[whole].sum(), rel=1e-5)
        pitch = np.degrees(np.ptp(one["Pitch"].to_numpy(float)))
        assert found.loc[name, "range_pitch"] == pytest.approx(pitch, rel=1e-6)


def test_wrong_calls() -> None:
    table = poses(spin(TIME, 5), TIME)
    with pytest.raises(MissingGroupError, match="'poses'"):
        pose_motion(pd.DataFrame({"time": [0.0], "AU12": [0.1]}))
    with pytest.raises(FexError, match="no column 'time'"):
        pose_motion(table.drop(columns="time"))
    with pytest.raises(FexError, match="Did you mean 'subject'"):
        pose_motion(table.assign(subject=1), by="subjet")
    with pytest.raises(FexError, match="does not go forward"):
        pose_motion(table.assign(time=-TIME))
    with pytest.raises(OptionError, match="`still` must be at least 0 deg/s"):
        pose_motion(table, still=-1)
    with pytest.raises(OptionError, match="`band`"):
        pose_motion(table, band=(4, 1))
    with pytest.raises(OptionError, match="`band` must be two frequencies"):
        pose_motion(table, band=2.0)
    with pytest.raises(OptionError, match="`window` must be above 0 s"):
        pose_motion(table, window=0)
