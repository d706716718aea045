"""Fixations: planted ones, those another package finds, and what ends them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import simulate_study
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.measures import find_fixations


def table(pitch: object, yaw: object, fps: float = 60.0, **more: object) -> pd.DataFrame:
    pitch, yaw = np.broadcast_arrays(np.asarray(pitch, float), np.asarray(yaw, float))
    return pd.DataFrame(
        {"time": np.arange(len(yaw)) / fps, "gaze_pitch": np.radians(pitch),
         "gaze_yaw": np.radians(yaw), **more}
    )  # fmt: skip


def test_steps_are_found_to_the_frame() -> None:
    yaw = np.repeat([0.0, 10.0, 10.0, -5.0], [30, 20, 4, 6])
    pitch = np.repeat([0.0, 5.0, 12.0, 0.0], [30, 20, 4, 6])
    found = find_fixations(table(pitch, yaw))
    assert found["n_frames"].tolist() == [30, 20, 6]  # 4 frames are 67 ms: too short
    np.testing.assert_allclose(found["onset"], [0, 30 / 60, 54 / 60])
    np.testing.assert_allclose(found["offset"], [30 / 60, 50 / 60, 60 / 60])
    np.testing.assert_allclose(found[["pitch", "yaw"]], [[0, 0], [5, 10], [0, -5]], atol=1e-12)
    assert found["truncated"].tolist() == [True, False, True]
    assert not found["low_rate"].any()
    assert find_fixations(table(pitch, yaw, fps=30))["low_rate"].all()


def test_dispersion_is_range_of_yaw_plus_range_of_pitch() -> None:
    frame = table(np.tile([0, 1.0], 15), np.tile([0, 0, 1.5], 10))
    assert len(find_fixations(frame, dispersion=2.49)) == 0
    found = find_fixations(frame, dispersion=2.51)
    assert found["n_frames"].item() == 30
    assert found["dispersion"].item() == pytest.approx(2.5)


def test_agrees_with_pymovements() -> None:
    # pymovements 0.28.0, events.detection.idt.idt(eye_path(), timesteps=10 ms a frame,
    # minimum_duration=100, dispersion_threshold=2.0); its offset is the first frame that exceeds
    # the dispersion, which is when our last frame ends
    onset = [20, 280, 610, 1000, 1300, 1610, 1910, 2140, 2390, 2510, 2830, 3170, 3500, 3850, 4080,
             4580, 4860, 5170, 5430, 5680, 6020, 6270, 6430, 6670, 6900, 7090, 7320, 7610, 7910,
             8230, 8450, 8620, 8820]  # fmt: skip
    offset = [260, 590, 880, 1120, 1590, 1820, 2120, 2370, 2490, 2810, 3150, 3480, 3830, 4060,
              4470, 4770, 5150, 5410, 5660, 6000, 6250, 6410, 6650, 6880, 7080, 7300, 7590, 7890,
              8130, 8430, 8600, 8800, 9020]  # fmt: skip
    yaw, pitch = _eye_path().T
    found = find_fixations(table(pitch, yaw, fps=100), dispersion=2.0)
    # after a fixation it leaves out the frame that exceeds; we begin with it: one onset in 33
    late = np.array(onset) / 1000 - found["onset"].to_numpy()
    assert np.flatnonzero(late > 1e-9).tolist() == [25]
    assert late == pytest.approx(np.where(np.arange(33) == 25, 0.01, 0.0))
    np.testing.assert_allclose(found["offset"], np.array(offset) / 1000)


def _eye_path() -> np.ndarray:
    """The path of test_gaze.eye_path."""
    rng = np.random.default_rng(7)
    path, here = [], np.zeros(2)
    for _ in range(40):
        there = rng.uniform(-15, 15, 2)
        k = int(rng.integers(4, 40))
        path += [here + (there - here) / 3, here + 2 * (there - here) / 3]
        path += list(there + rng.uniform(-0.4, 0.4, (k, 2)))
        here = there
    return np.array(path)


def test_long_fixations_grow_over_many_blocks() -> None:
    drift = np.linspace(0, 5.98, 600)
    found = find_fixations(table(0, drift))
    assert found["n_frames"].tolist() == [301, 299]
    assert (found["dispersion"] <= 3).all()


def test_lost_gaze_gaps_people_and_recordings_end_fixations() -> None:
    frame = table(0, np.zeros(40), input="a", track=0, frame=np.arange(40))
    lost = frame.copy()
    lost.loc[20, "gaze_yaw"] = np.nan
    assert find_fixations(lost)["n_frames"].tolist() == [20, 19]
    assert find_fixations(lost)["truncated"].all()
    assert find_fixations(frame.drop(index=[20, 21]))["n_frames"].tolist() == [20, 18]
    assert find_fixations(frame.assign(track=np.where(frame.index == 20, -1, 0)))[
        "n_frames"
    ].tolist() == [20, 19]
    other = frame.assign(track=1, gaze_yaw=0.5)
    both = pd.concat([frame, other]).sort_values(["frame", "track"])
    found = find_fixations(both)
    assert found["track"].tolist() == [0, 1]
    assert found["n_frames"].tolist() == [40, 40]
    still = pd.concat([frame, frame.assign(input="b"), frame.head(1).assign(input="photo")])
    assert find_fixations(still)["input"].tolist() == ["a", "b"]


def test_uneven_sampling_counts_seconds() -> None:
    time = np.array([0, 0.015, 0.03, 0.048, 0.06, 0.075, 0.09, 0.1, 0.11])
    yaw = [0, 0, 0, 0, 9, 9, 9, 9, 9]
    found = find_fixations(table(0, yaw).assign(time=time), min_duration=0.06)
    np.testing.assert_allclose(found["onset"], [0, 0.06])
    np.testing.assert_allclose(found["duration"], [0.06, 0.065])  # the last frame: the median
    assert len(find_fixations(table(0, yaw).assign(time=time), min_duration=0.061)) == 1


def test_fixation_on_a_point_while_the_head_turns() -> None:
    yaw = np.linspace(0, 30, 60)
    frame = table(0, -yaw).assign(Pitch=0.0, Yaw=np.radians(yaw), Roll=0.0)
    assert find_fixations(frame, reference="camera")["n_frames"].tolist() == [60]
    assert len(find_fixations(frame)) > 5


def test_labels_and_order_of_rows() -> None:
    frame = table(0, np.repeat([0.0, 10.0], 20), input="a", track=0, frame=np.arange(40),
                  subject="s1")  # fmt: skip
    found = find_fixations(frame.sample(frac=1, random_state=2), labels="subject")
    assert found.columns[:3].tolist() == ["input", "track", "subject"]
    assert found["subject"].tolist() == ["s1", "s1"]
    pd.testing.assert_frame_equal(found, find_fixations(frame, labels="subject"))
    empty = find_fixations(frame.head(0))
    assert len(empty) == 0
    assert empty.columns.tolist() == find_fixations(frame).columns.tolist()


def test_planted_fixations_of_a_study() -> None:
    fex, truth = simulate_study(
        2, duration=20, fps=120, noise=0, missing=0, feature_groups=["gazes"], seed=2
    )
    found = find_fixations(fex, dispersion=0.5, min_duration=0.1)
    planted = truth.fixations
    inside = planted[(planted["stop"] < 19.9) & (planted["stop"] - planted["start"] > 0.2)]
    hits = 0
    for row in inside.itertuples():
        own = found[found["input"] == row.input]
        near = own[(own["onset"] < row.stop) & (own["offset"] > row.start)]
        middle = near[(near["onset"] - row.start).abs() < 0.06]
        hits += bool(
            len(middle)
            and (middle["yaw"] - np.degrees(row.gaze_yaw)).abs().min() < 0.6
            and (middle["pitch"] - np.degrees(row.gaze_pitch)).abs().min() < 0.6
        )
    assert hits / len(inside) > 0.9


def test_wrong_calls() -> None:
    frame = table(0, np.zeros(10))
    with pytest.raises(OptionError, match="`dispersion` must be above 0 deg"):
        find_fixations(frame, dispersion=0)
    with pytest.raises(OptionError, match="`min_duration` must be above 0 s"):
        find_fixations(frame, min_duration=-1)
    with pytest.raises(FexError, match="no column 'time'"):
        find_fixations(frame.drop(columns="time"))
    with pytest.raises(FexError, match="does not go forward"):
        find_fixations(frame.assign(time=0.0))
