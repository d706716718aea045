"""Filling short gaps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.signal import interpolate

Make = Callable[..., pd.DataFrame]


def ramp(t: np.ndarray) -> np.ndarray:
    return 0.1 + 0.05 * t


@pytest.mark.parametrize("method", ["linear", "pchip"])
def test_a_line_is_restored_on_an_uneven_time_axis(record: Make, lose: Make, method: str) -> None:
    time = np.cumsum([0.0, 0.1, 0.12, 0.09, 0.1, 0.13, 0.08, 0.1])
    whole = record(time, {"AU12": ramp})
    filled = interpolate(lose(whole, [2, 3, 5]), max_gap=0.5, method=method)
    assert filled["AU12"].to_numpy() == pytest.approx(ramp(time))
    assert filled["track"].tolist() == [0] * 8
    assert filled["FaceScore"].tolist() == [1, 1, 0, 0, 1, 0, 1, 1]


def test_the_gap_is_measured_in_seconds(record: Make, lose: Make) -> None:
    # three frames at 10 Hz are 0.3 s, three at 100 Hz 0.03 s
    for hz, n_filled in ((10, 0), (100, 3)):
        table = lose(record(np.arange(12) / hz, {"AU12": ramp}), [4, 5, 6])
        filled = interpolate(table, max_gap=0.2)
        assert filled["AU12"].notna().sum() == 9 + n_filled
        assert (filled["track"] < 0).sum() == 3 - n_filled


def test_the_limit_itself_is_filled_and_one_frame_more_is_not(record: Make, lose: Make) -> None:
    time = np.round(np.arange(40) / 30, 3)  # milliseconds: three frames are 0.099 to 0.101 s
    table = lose(record(time, {"AU12": ramp}), [5, 6, 7, 20, 21, 22, 23])
    filled = interpolate(table, max_gap=0.1)
    assert np.flatnonzero(filled["AU12"].isna()).tolist() == [20, 21, 22, 23]


def test_ends_of_a_track_are_not_filled(record: Make, lose: Make) -> None:
    table = lose(record(np.arange(6) / 10, {"AU12": ramp}), [0, 5])
    pd.testing.assert_frame_equal(interpolate(table, max_gap=9), table)


def test_missing_values_within_a_row_of_the_track(record: Make) -> None:
    table = record(np.arange(6) / 10, {"AU12": ramp, "AU06": ramp})
    table.loc[[2, 3], "AU12"] = np.nan
    filled = interpolate(table, "AU12", max_gap=0.2)
    assert filled["AU12"].to_numpy() == pytest.approx(ramp(table["time"].to_numpy()))
    assert filled["FaceScore"].eq(1).all()  # the face was there
    assert interpolate(table, "AU12", max_gap=0.1)["AU12"].isna().sum() == 2


def test_a_gap_of_empty_and_absent_rows_is_one_gap(record: Make, lose: Make) -> None:
    table = lose(record(np.arange(8) / 10, {"AU12": ramp}), [3])
    table.loc[4, "AU12"] = np.nan  # the face is there, its value is not
    filled = interpolate(table, max_gap=0.1)
    pd.testing.assert_frame_equal(filled, table)  # no row without a value is made either
    assert interpolate(table, max_gap=0.2)["AU12"].notna().all()


def test_a_row_is_added_where_another_face_is(record: Make) -> None:
    table = record(np.arange(6) / 10, {"AU12": ramp}, tracks=2)
    table["subject"] = table["track"].map({0: "ann", 1: "bob"})
    table["trial"] = np.where(table["frame"] < 3, "x", "y")
    whole = table.copy()
    kept = table[~((table["track"] == 1) & table["frame"].isin([2, 3]))]
    filled = interpolate(kept, max_gap=0.2)
    added = filled["FaceScore"] == 0
    assert filled.loc[added, ["frame", "track", "subject"]].to_numpy().tolist() == [
        [2, 1, "bob"],
        [3, 1, "bob"],
    ]
    assert filled.loc[added, "trial"].tolist() == ["x", "y"]  # of the nearest row of the track
    columns = ["input", "frame", "time", "track", "AU12", "subject", "trial"]
    pd.testing.assert_frame_equal(filled[columns], whole[columns])


def test_two_faces_lost_in_one_frame_share_its_row(record: Make) -> None:
    table = record(np.arange(5) / 10, {"AU12": ramp}, tracks=2)
    lone = table[table["frame"] == 2].iloc[[0]].assign(track=-1, FaceScore=0.0, AU12=np.nan)
    lost = pd.concat([table[table["frame"] != 2], lone]).sort_values("frame", kind="stable")
    filled = interpolate(lost, max_gap=0.1)
    pd.testing.assert_frame_equal(
        filled.drop(columns="FaceScore"), table.drop(columns="FaceScore"), check_dtype=False
    )
    assert filled.query("frame == 2")["FaceScore"].tolist() == [0, 0]


def test_labels_of_a_row_that_was_there_stay_and_missing_ones_come(
    record: Make, lose: Make
) -> None:
    table = record(np.arange(5) / 10, {"AU12": ramp}, tracks=1)
    table = lose(table, [2]).assign(stimulus=["a", "a", "b", "a", "a"])
    table["subject"] = ["s", "s", None, "s", "s"]  # joined by track: the lost frame has none
    filled = interpolate(table, max_gap=0.1)
    assert filled["stimulus"].tolist() == ["a", "a", "b", "a", "a"]
    assert filled["subject"].tolist() == ["s"] * 5


def test_nothing_comes_from_another_face_or_recording(record: Make, lose: Make) -> None:
    both = record(np.arange(30) / 10, {"AU12": ramp, "Yaw": np.sin}, tracks=2)
    rows = both.index[(both["track"] == 0) & both["frame"].isin([4, 5, 20])]
    lost = lose(both, rows)
    more = pd.concat([lost, record(np.arange(30) / 10, {"AU12": ramp, "Yaw": np.sin}, name="b")])
    changed = more.copy()
    other = (more["track"] == 1) | (more["input"] == "b")
    changed.loc[other, ["AU12", "Yaw"]] += 3.0
    for method in ("linear", "pchip"):
        one = interpolate(more, max_gap=0.3, method=method).query("track == 0 and input != 'b'")
        two = interpolate(changed, max_gap=0.3, method=method).query("track == 0 and input != 'b'")
        pd.testing.assert_frame_equal(one, two)
        assert len(one) == 30


def test_pchip_does_not_look_over_a_long_gap(record: Make, lose: Make) -> None:
    table = lose(record(np.arange(40) / 10, {"valence": np.sin}), [10, *range(12, 24)])
    far = table.copy()
    far.loc[24:, "valence"] += 0.5
    near = [interpolate(t, max_gap=0.2, method="pchip")["valence"].iloc[:12] for t in (table, far)]
    pd.testing.assert_series_equal(*near)
    assert near[0].notna().all()


def test_angles_go_the_shorter_way_round(record: Make, lose: Make) -> None:
    def turning(t: np.ndarray) -> np.ndarray:
        return (3.0 + t + np.pi) % (2 * np.pi) - np.pi

    table = lose(record(np.arange(8) / 10, {"Yaw": turning, "AU12": ramp}), [1])
    filled = interpolate(table, max_gap=0.1)
    assert filled["Yaw"].to_numpy() == pytest.approx(turning(table["time"].to_numpy()))


def test_emotions_still_sum_to_one() -> None:
    fex, _ = fm.simulate_study(2, duration=5, missing=0.2, missing_run=0.1, jitter=0.4, seed=4)
    filled = interpolate(fex, max_gap=0.3)
    new = (filled["track"] >= 0) & (filled["FaceScore"] == 0)
    assert new.sum() > 10
    assert filled.loc[new, list(fex.emotions)].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-6)
    assert isinstance(filled, fm.Fex)
    assert filled.info == fex.info
    assert len(filled.validate()) == len(fex.validate()) == 0
    assert filled.dtypes.equals(fex.dtypes)


def test_tables_without_track_or_input() -> None:
    table = pd.DataFrame({"time": [0, 0.1, 0.2, 0.3], "AU12": [0.2, np.nan, np.nan, 0.5]})
    assert interpolate(table)["AU12"].tolist() == pytest.approx([0.2, 0.3, 0.4, 0.5])


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"max_gap": -0.1}, OptionError, "at least 0 s, but got -0.1"),
        ({"method": "spline"}, OptionError, "'linear' or 'pchip', but got 'spline'"),
        ({"columns": "AU21"}, FexError, "no column 'AU21'. Did you mean 'AU12'"),
        ({"columns": "time"}, FexError, "'time' is a key"),
        ({"columns": ["FaceScore"]}, FexError, "how sure the detector was"),
        ({"columns": "input"}, FexError, "is a key"),
    ],
    ids=["negative", "method", "near", "key", "score", "text"],
)
def test_wrong_calls(record: Make, arguments: dict[str, object], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        interpolate(record([0, 0.1], {"AU12": ramp}), **arguments)


def test_time_that_goes_backwards_and_text(record: Make) -> None:
    table = record([0, 0.1, 0.05], {"AU12": ramp})
    with pytest.raises(FexError, match="time does not go forward at frame 2"):
        interpolate(table)
    with pytest.raises(FexError, match="'who' must hold numbers"):
        interpolate(table.assign(who="x"), "who")
