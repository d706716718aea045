"""Tables on a regular time axis of any rate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import signal

import facemt_analysis as fm
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.signal import rates, resample

Make = Callable[..., pd.DataFrame]


def noise(t: np.ndarray) -> np.ndarray:
    return np.random.default_rng(3).random(len(t))


def sine(hz: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda t: 0.5 * np.sin(2 * np.pi * hz * t)


@pytest.mark.parametrize("uneven", [False, True], ids=["regular", "uneven"])
@pytest.mark.parametrize("hz", [10, 12.5, 29.97, 30, 50, 120])
def test_a_slow_sine_has_its_exact_values_at_the_true_rate(
    record: Make, hz: float, uneven: bool
) -> None:
    rng = np.random.default_rng(2)
    time = np.arange(600) / 30 + (rng.uniform(0, 0.4 / 30, 600) if uneven else 0)
    time[0] = 0
    result = resample(record(time, {"valence": sine(1.0)}), hz)
    np.testing.assert_allclose(result["time"], np.arange(len(result)) / hz, atol=1e-12)
    assert result["frame"].tolist() == list(range(len(result)))
    assert len(result) == np.floor(time[-1] * hz + 0.1) + 1
    assert rates(result)["hz"].iloc[0] == pytest.approx(hz)
    inside = (result["time"] > 1) & (result["time"] < 19)
    expected = sine(1.0)(result["time"].to_numpy())
    error = np.abs(result["valence"] - expected)[inside].max()
    assert error < (2e-3 if uneven else 3e-4)


def test_the_same_rate_gives_the_same_values(record: Make) -> None:
    table = record(np.arange(100) / 30, {"AU12": noise}, tracks=2)
    pd.testing.assert_frame_equal(resample(table, 30), table, atol=1e-12)


@pytest.mark.parametrize("frequency", [6.0, 9.0, 12.0])
def test_fast_changes_do_not_appear_as_slow_ones(record: Make, frequency: float) -> None:
    # at 10 Hz, 9 and 12 Hz would appear as 1 and 2 Hz, at full size
    table = record(np.arange(1200) / 30, {"valence": sine(frequency)})
    result = resample(table, 10)["valence"].iloc[20:-20]
    assert result.abs().max() < 1e-3
    assert table["valence"].iloc[::3].abs().max() > 0.4


def test_it_agrees_with_resample_poly_away_from_the_ends(record: Make) -> None:
    time = np.arange(900) / 30
    slow = signal.sosfiltfilt(signal.butter(6, 2.0, fs=30, output="sos"), noise(time))
    table = record(time, {"valence": lambda t: slow - 0.5})
    result = resample(table, 12.5)["valence"].to_numpy()
    expected = signal.resample_poly(slow - 0.5, 5, 12, padtype="line")
    np.testing.assert_allclose(result[20:-20], expected[20 : len(result) - 20], atol=2e-3)


def test_a_constant_stays_one(record: Make) -> None:
    table = record(np.arange(100) / 30, {"AU12": lambda t: np.full(len(t), 0.3)})
    for hz in (3, 10, 50):
        np.testing.assert_allclose(resample(table, hz)["AU12"], 0.3, atol=1e-12)


def test_scores_stay_in_their_range_and_emotions_sum_to_one() -> None:
    fex, _ = fm.simulate_study(2, duration=10, missing=0.1, jitter=0.3, seed=2)
    for hz in (8, 45):
        result = resample(fex, hz)
        assert isinstance(result, fm.Fex)
        assert result.info == fex.info
        assert len(result.validate()) == 0, result.validate()["message"].tolist()
        sums = result.emotions.dropna().sum(axis=1)
        assert sums.to_numpy() == pytest.approx(1, abs=0.03)  # what is cut off at 0 and 1
        assert result.dtypes.drop("frame").equals(fex.dtypes.drop("frame"))
        assert result["condition"].notna().all()


def test_two_faces_share_the_grid_of_the_recording(record: Make) -> None:
    table = record(np.arange(90) / 30, {"AU12": sine(0.5)}, tracks=2)
    late = table[(table["track"] == 0) | (table["frame"] >= 31)]
    result = resample(late, 10)
    assert result.query("track == 0")["frame"].tolist() == list(range(30))
    assert result.query("track == 1")["frame"].tolist() == list(range(11, 30))
    assert len(result[["frame", "time"]].drop_duplicates()) == 30


def test_recordings_with_one_clock_have_their_times_in_common(record: Make) -> None:
    parts = [
        record(start + np.arange(90) / hz, {"AU12": sine(0.5)}, name=f"{hz}")
        for start, hz in ((0.0, 30), (0.013, 25), (1.007, 60))
    ]
    result = resample(pd.concat(parts), 10)
    assert result["input"].unique().tolist() == ["30", "25", "60"]
    np.testing.assert_allclose(result["time"] * 10, result["frame"], atol=1e-9)
    assert result.groupby("input", observed=True)["frame"].min().to_dict() == {
        "30": 0,
        "25": 1,  # 0.013 s is not within rounding of 0
        "60": 11,
    }


def test_times_before_zero(record: Make) -> None:
    result = resample(record(np.arange(-30, 31) / 30, {"AU12": sine(0.5)}), 10)
    assert result["time"].tolist() == pytest.approx(np.arange(-10, 11) / 10)
    assert result["frame"].tolist() == list(range(21))


def test_nothing_is_made_up_in_gaps(record: Make, lose: Make) -> None:
    table = lose(record(np.arange(90) / 30, {"AU12": sine(0.5)}), range(40, 50))
    result = resample(table, 15)
    lost = result["AU12"].isna()
    # rows 39 and 50 are the last before and the first behind
    assert result.loc[lost, "frame"].tolist() == [20, 21, 22, 23, 24]
    assert (result.loc[lost, "track"] == -1).all()
    assert (result.loc[lost, "FaceScore"] == 0).all()
    assert (result.loc[~lost, "FaceScore"] == 1).all()
    bridged = resample(table, 15, max_gap=0.4)
    assert bridged["AU12"].notna().all()
    assert bridged.loc[bridged["FaceScore"] == 0, "frame"].tolist() == [20, 21, 22, 23, 24]
    pd.testing.assert_frame_equal(resample(table, 15, max_gap=0.3), result)


def test_a_missing_value_of_a_face_that_is_there(record: Make) -> None:
    table = record(np.arange(90) / 30, {"AU12": sine(0.5), "AU06": sine(0.5)})
    table.loc[40:49, "AU12"] = np.nan
    result = resample(table, 15)
    assert result["AU06"].notna().all()
    assert result["AU12"].isna().sum() == 5
    assert (result["track"] == 0).all()


def test_frames_the_table_lacks_come_back_without_a_face(record: Make) -> None:
    table = record(np.arange(90) / 30, {"AU12": sine(0.5)}).drop(index=range(40, 50))
    result = resample(table, 15)
    assert result["frame"].tolist() == list(range(45))
    assert (result["track"] == -1).sum() == 5


@pytest.mark.parametrize("hz", [10, 45])
def test_nothing_bleeds_over_faces_recordings_and_gaps(record: Make, lose: Make, hz: float) -> None:
    time = np.cumsum(np.random.default_rng(0).uniform(0.9, 1.1, 120)) / 30
    table = pd.concat(
        [
            record(time, {"valence": sine(1)}, tracks=2),
            record(np.arange(120) / 30, {"valence": sine(1)}, name="b"),
        ],
        ignore_index=True,
    )
    own = table.index[(table["input"] == "a.mp4") & (table["track"] == 0)]
    table = lose(table, own[60:63])
    changed = table.copy()
    changed.loc[changed["track"] == 1, "valence"] /= 3
    changed.loc[changed["input"] == "b", "valence"] /= 5
    changed.loc[own[63:], "valence"] /= 7
    one, two = (
        resample(t, hz).query(f"input == 'a.mp4' and track == 0 and time < {time[60]}")
        for t in (table, changed)
    )
    pd.testing.assert_frame_equal(one, two)
    assert len(one) >= 19


def test_labels_are_those_of_the_nearest_row(record: Make) -> None:
    table = record(np.arange(60) / 30, {"AU12": sine(0.5)})
    table["trial"] = np.where(table["time"] < 0.99, "one", "two")
    table["block"] = pd.Categorical(table["trial"])
    result = resample(table, 12)
    assert result["trial"].eq("one").to_numpy().tolist() == (result["time"] < 0.99).tolist()
    assert isinstance(result["block"].dtype, pd.CategoricalDtype)
    assert list(result.columns) == list(table.columns)


def test_features_that_are_not_asked_for_are_left_out(record: Make) -> None:
    table = record(np.arange(60) / 30, {"AU12": sine(0.5), "AU06": sine(0.5)}).assign(rating=1.0)
    result = resample(table, 10, "AU12")
    assert list(result.columns) == ["input", "frame", "time", "track", "FaceScore", "AU12",
                                    "rating"]  # fmt: skip


def test_angles_turn_on() -> None:
    time = np.arange(120) / 30
    table = pd.DataFrame({"time": time, "Yaw": (3 + time + np.pi) % (2 * np.pi) - np.pi})
    result = resample(table, 50)
    true = (3 + result["time"] + np.pi) % (2 * np.pi) - np.pi
    np.testing.assert_allclose(np.exp(1j * result["Yaw"]), np.exp(1j * true), atol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"hz": 0}, OptionError, "`hz` must be above 0 Hz"),
        ({"hz": 10, "max_gap": -1}, OptionError, "`max_gap` must be at least 0 s"),
        ({"hz": 10, "method": "fft"}, OptionError, "'pchip' or 'linear', but got 'fft'"),
        ({"hz": 10, "columns": "valenz"}, FexError, "no column 'valenz'"),
        ({"hz": 0.1}, FexError, r"a.mp4: no multiple of 10 s .* \(1 to 2.9 s\)"),
    ],
    ids=["rate", "gap", "method", "column", "too slow"],
)
def test_wrong_calls(record: Make, arguments: dict[str, object], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        resample(record(1 + np.arange(20) / 10, {"AU12": sine(0.5)}), **arguments)


def test_faces_that_are_not_told_apart_are_refused(record: Make) -> None:
    table = record(np.arange(20) / 10, {"AU12": sine(0.5)}, tracks=2).drop(columns="track")
    with pytest.raises(FexError, match="several faces, but no column 'track'"):
        resample(table, 5)


def test_a_table_without_a_face_keeps_its_frames(record: Make, lose: Make) -> None:
    table = lose(record(np.arange(20) / 10, {"AU12": sine(0.5)}), range(20))
    result = resample(table, 5)
    assert result["frame"].tolist() == list(range(10))
    assert result["track"].eq(-1).all()
    assert len(resample(table.iloc[:0], 5)) == 0
