"""Quality of recordings: tables whose every number can be counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis import schema
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.measures import quality_report, quality_stretches
from facemt_analysis.measures.quality_rows import row_quality
from facemt_analysis.measures.quality_summary import REPORT_COLUMNS


def table(n: int = 100, hz: float = 25.0, name: str = "a.mp4", track: int = 0) -> pd.DataFrame:
    """One face that never repeats itself."""
    rng = np.random.default_rng(sum(map(ord, name)) + track)
    return pd.DataFrame(
        {
            "input": name,
            "frame": np.arange(n),
            "time": np.arange(n) / hz,
            "track": track,
            "FaceRectX": 100.0,
            "FaceRectY": 100.0,
            "FaceRectWidth": 90.0,
            "FaceRectHeight": 160.0,
            "FaceScore": 0.9,
            "Pitch": rng.normal(0, 0.01, n),
            "Roll": rng.normal(0, 0.01, n),
            "Yaw": rng.normal(0, 0.01, n),
            "AU01": rng.random(n),
            "AU12": rng.random(n),
            "AU25": rng.random(n),
            "FrameHeight": 480,
            "FrameWidth": 640,
        }
    )


def no_face(frame: pd.DataFrame, rows: slice) -> pd.DataFrame:
    """Take the face out of these rows as the detector does."""
    out = frame.copy()
    out.loc[out.index[rows], schema.feature_columns(out.columns)] = np.nan
    out.loc[out.index[rows], "FaceScore"] = 0.0
    out.loc[out.index[rows], "track"] = -1
    return out


def only(report: pd.DataFrame) -> pd.Series:
    assert len(report) == 1
    return report.iloc[0]


def test_a_good_recording() -> None:
    row = only(quality_report(table()))
    assert (row["n_frames"], row["n_valid"], row["share_valid"]) == (100, 100, 1.0)
    assert (row["share_usable"], row["n_tracks"], row["track_switches"]) == (1.0, 1, 0)
    assert (row["start"], row["stop"], row["n_dropped"]) == (0.0, pytest.approx(3.96), 0)
    assert row["hz"] == pytest.approx(25.0)
    assert row["jitter"] == pytest.approx(0.0, abs=1e-9)
    assert (row["n_gaps"], row["gap_longest"], row["gap_total"]) == (0, 0.0, 0.0)
    assert row["face_px_median"] == row["face_px_low"] == pytest.approx(120.0)
    assert row[["score_mean", "score_median", "score_low"]].tolist() == pytest.approx([0.9] * 3)
    assert np.isnan(row["eyes_px_median"])
    assert (row["n_constant"], row["constant"], row["out_of_range"]) == (0, "", "")
    for name in ("low_score", "small_face", "turned_away", "cut_off", "overlapping", "duplicate"):
        assert row[f"share_{name}"] == 0.0


def test_columns_are_the_documented_ones() -> None:
    report = quality_report(table())
    assert tuple(report.columns) == ("input", "track", *REPORT_COLUMNS)
    doc = quality_report.__doc__
    for name in REPORT_COLUMNS:
        assert name in doc or name.startswith("share_") or name.endswith("_deg"), name


def test_gaps_have_number_and_lengths() -> None:
    frame = no_face(no_face(table(), slice(10, 15)), slice(50, 75))
    row = only(quality_report(frame))
    assert (row["n_frames"], row["n_valid"]) == (100, 70)
    assert row["n_gaps"] == 2
    assert row["gap_longest"] == pytest.approx(25 / 25)
    assert row["gap_total"] == pytest.approx(30 / 25)


def test_frames_at_the_ends_without_a_face_are_no_gaps_but_count() -> None:
    row = only(quality_report(no_face(no_face(table(), slice(0, 20)), slice(90, 100))))
    assert (row["n_gaps"], row["share_valid"]) == (0, 0.7)


def test_gaps_without_time_are_counted_but_have_no_length() -> None:
    frame = no_face(table(), slice(10, 15)).assign(time=np.nan)
    row = only(quality_report(frame))
    assert row["n_gaps"] == 1
    assert np.isnan([row["gap_longest"], row["gap_total"], row["hz"], row["n_dropped"]]).all()


def test_frames_that_are_not_in_the_table_are_dropped_ones() -> None:
    row = only(quality_report(table().drop(index=range(40, 50))))
    assert (row["n_frames"], row["share_valid"], row["n_dropped"]) == (90, 1.0, 10)
    assert (row["n_gaps"], row["gap_longest"]) == (1, pytest.approx(0.4))


def test_time_that_goes_backward_is_counted() -> None:
    frame = table()
    frame.loc[[30, 60], "time"] = 0.0
    assert only(quality_report(frame))["n_backward"] == 2
    assert only(quality_report(frame.sample(frac=1, random_state=0)))["n_backward"] == 2
    assert only(quality_report(table()))["n_backward"] == 0


def test_quantiles_and_turned_heads() -> None:
    turns = np.linspace(-50, 50, 100)
    frame = table().assign(Yaw=np.radians(turns))
    row = only(quality_report(frame))
    assert row["yaw_low_deg"] == pytest.approx(-45)  # linear quantiles
    assert row["yaw_high_deg"] == pytest.approx(45)
    assert row["share_turned_away"] == pytest.approx(np.mean(np.abs(turns) > 30))
    assert only(quality_report(frame, yaw_deg=None))["share_turned_away"] == 0.0


def test_two_people_have_a_row_each_of_the_same_frames() -> None:
    one, other = table(), table(60, track=1).assign(FaceRectX=400.0)
    report = quality_report(pd.concat([one, other]).sort_values("frame", kind="stable"))
    assert report["track"].tolist() == [0, 1]
    assert report["n_frames"].tolist() == [100, 100]
    assert report["share_valid"].tolist() == [1.0, 0.6]
    assert report["n_tracks"].tolist() == [2, 2]
    assert report["share_overlapping"].tolist() == [0.0, 0.0]


def test_overlapping_boxes() -> None:
    # 90 px wide boxes, 30 px apart: intersection 60, union 120
    frame = pd.concat([table(), table(track=1).assign(FaceRectX=130.0)])
    np.testing.assert_allclose(row_quality(frame).overlap, 0.5)
    assert quality_report(frame)["share_overlapping"].tolist() == [1.0, 1.0]
    assert quality_report(frame, overlap=0.6)["share_overlapping"].tolist() == [0.0, 0.0]
    three = pd.concat([frame, table(track=2).assign(FaceRectX=145.0)])
    overlap = row_quality(three).overlap.reshape(3, 100)[:, 0]
    np.testing.assert_allclose(overlap, [0.5, 75 / 105, 75 / 105])


def test_a_box_beyond_the_picture() -> None:
    frame = table().assign(FaceRectX=595.0)  # half of 90 px is beyond 640
    np.testing.assert_allclose(row_quality(frame).cut_off, 0.5)
    assert only(quality_report(frame))["share_cut_off"] == 1.0
    assert np.isnan(only(quality_report(frame.drop(columns="FrameWidth")))["share_cut_off"])


def test_repeated_rows_are_duplicates() -> None:
    frame = table()
    measured = schema.feature_columns(frame.columns)
    frame.loc[20:24, measured] = frame.loc[20, measured].to_numpy()
    rows = row_quality(frame)
    assert np.flatnonzero(rows.duplicate).tolist() == [21, 22, 23, 24]
    assert only(quality_report(frame))["share_duplicate"] == pytest.approx(0.04)


def test_codes_and_rows_without_a_face_are_no_duplicates() -> None:
    codes = table()[["input", "frame", "time", "track"]].assign(AU01=0.0, AU12=1.0, AU25=1.0)
    assert not row_quality(codes).duplicate.any()
    assert not row_quality(no_face(table(), slice(0, 50))).duplicate.any()


def test_constant_and_impossible_features_are_named() -> None:
    frame = table().assign(AU12=0.25, AU01=np.where(np.arange(100) < 7, 1.5, 0.5))
    row = only(quality_report(frame))
    assert (row["n_constant"], row["constant"]) == (1, "AU12")
    assert (row["out_of_range"], row["share_out_of_range"]) == ("AU01", pytest.approx(0.07))


def test_many_names_are_shortened() -> None:
    row = only(quality_report(table().assign(**dict.fromkeys(schema.BLENDSHAPES, 0.0))))
    assert row["n_constant"] == 52
    assert row["constant"].endswith(" and 44 more")


def test_track_switches_are_lost_identities_and_not_companions() -> None:
    broken = table().assign(track=np.repeat([0, 3, 0, 5], 25))
    assert quality_report(broken, "input")["track_switches"].tolist() == [3]
    # the largest face of a pair alternates, and both stay
    width = np.where(np.arange(100) % 2, 80.0, 120.0)
    pair = pd.concat([table().assign(FaceRectWidth=width), table(track=1)])
    assert quality_report(pair, "input")["track_switches"].tolist() == [0]


def test_recordings_without_any_face_are_reported() -> None:
    frame = pd.concat([no_face(table(50, name="empty.mp4"), slice(0, 50)), table()])
    report = quality_report(frame)
    assert report[["input", "track", "n_frames", "n_valid"]].values.tolist() == [
        ["empty.mp4", -1, 50, 0],
        ["a.mp4", 0, 100, 100],
    ]
    assert quality_report(frame, "input")["share_valid"].tolist() == [0.0, 1.0]
    assert report["share_usable"].tolist() == [0.0, 1.0]


def test_labels_of_recordings_count_recordings_without_faces() -> None:
    frame = pd.concat(
        [
            table().assign(condition="x"),
            no_face(table(name="b.mp4"), slice(0, 100)).assign(condition="x"),
            table(name="c.mp4").assign(condition="y"),
        ]
    )
    report = quality_report(frame, "condition")
    assert report["condition"].tolist() == ["x", "y"]
    assert report["n_frames"].tolist() == [200, 100]
    assert report["share_valid"].tolist() == [0.5, 1.0]


def test_a_label_that_changes_within_a_recording_cuts_its_frames() -> None:
    frame = no_face(table(), slice(10, 20)).assign(trial=np.repeat([1, 2], 50))
    report = quality_report(frame, "trial")
    assert report["n_frames"].tolist() == [50, 50]
    assert report["share_valid"].tolist() == [0.8, 1.0]
    between = frame.assign(trial=frame["trial"].astype(float).where(frame["frame"] > 5))
    assert quality_report(between, "trial")["n_frames"].tolist() == [44, 50]


def test_a_label_of_faces_is_measured_by_all_frames_of_its_recordings() -> None:
    frame = no_face(table(), slice(10, 20))
    frame["subject"] = np.where(frame["track"] == 0, "s1", None)
    report = quality_report(frame, "subject")
    assert report[["subject", "n_frames", "share_valid"]].values.tolist() == [["s1", 100, 0.9]]


def test_order_of_rows_does_not_matter() -> None:
    frame = pd.concat([no_face(table(), slice(10, 15)), table(80, name="b.mp4")])
    shuffled = frame.sample(frac=1, random_state=3)
    expected = quality_report(frame).set_index("input")
    got = quality_report(shuffled).set_index("input").loc[["a.mp4", "b.mp4"]]
    pd.testing.assert_frame_equal(got, expected)


def test_little_tables_work() -> None:
    assert len(quality_report(table().head(0))) == 0
    assert only(quality_report(pd.DataFrame({"AU12": [0.5]})))["n_valid"] == 1
    assert len(quality_report(table(1))) == 1
    assert len(quality_report(pd.DataFrame({"AU12": pd.Series([], dtype=float)}))) <= 1
    keys = table()[["input", "frame", "time", "track"]]
    assert only(quality_report(keys))["share_valid"] == 1.0


def test_wrong_calls() -> None:
    with pytest.raises(FexError, match="no column 'condition'"):
        quality_report(table(), "condition")
    with pytest.raises(OptionError, match=r"no limit 'yaw'\. Did you mean 'yaw_deg'"):
        quality_report(table(), yaw=3)
    with pytest.raises(OptionError, match="`score` must be at least 0 and at most 1, but got 7"):
        quality_report(table(), score=7)
    with pytest.raises(FexError, match="same track is there twice"):
        quality_report(pd.concat([table(), table()]))


def test_stretches() -> None:
    frame = no_face(table(), slice(10, 15))
    frame.loc[50:59, "FaceScore"] = 0.2
    frame = frame.drop(index=range(80, 90))
    found = quality_stretches(frame)
    assert found[["state", "n_frames"]].values.tolist() == [
        ["usable", 10], ["no_face", 5], ["usable", 35], ["flagged", 10], ["usable", 20],
        ["usable", 10],
    ]  # fmt: skip
    np.testing.assert_allclose(found["start"] * 25, [0, 10, 15, 50, 60, 90])
    np.testing.assert_allclose(found["stop"] * 25, [10, 15, 50, 60, 80, 100])
    untimed = quality_stretches(frame.drop(columns="time"))
    assert untimed["n_frames"].tolist() == [10, 5, 35, 10, 30]
    assert untimed["start"].tolist() == [0, 10, 15, 50, 60]


def test_a_frame_is_as_good_as_its_best_face() -> None:
    other = table(track=1).assign(FaceRectX=400.0, FaceScore=0.1)
    found = quality_stretches(pd.concat([table(50), other]))
    assert found[["state", "n_frames"]].values.tolist() == [["usable", 50], ["flagged", 50]]


# ------------------------------------------------------------------ real recordings
RECORDINGS = [f"{i:03d}" for i in (1, 2, 3, 4, 5, 11, 12, 13, 14, 15)]


@pytest.fixture(scope="module")
def recordings(shared: Path) -> fm.Fex:
    return pd.concat([fm.read_fex(shared / "fex" / f"{name}.csv") for name in RECORDINGS])


def test_ten_recordings_by_plain_pandas(recordings: fm.Fex, shared: Path) -> None:
    report = quality_report(recordings).set_index("input")
    assert report.index.tolist() == [f"{name}.mp4" for name in RECORDINGS]
    for name in RECORDINGS:
        # as the tool wrote it
        raw = pd.read_csv(shared / "fex" / f"{name}.csv", usecols=lambda c: "mesh" not in c)
        row = report.loc[f"{name}.mp4"]
        assert row["n_frames"] == row["n_valid"] == len(raw)
        # the file has the chip, 1.2 times as wide as the face detector's box
        size = np.sqrt(raw["FaceRectWidth"] * raw["FaceRectHeight"]) / 1.2
        eyes = np.hypot(raw["x_45"] - raw["x_36"], raw["y_45"] - raw["y_36"])
        assert row["score_mean"] == pytest.approx(raw["FaceScore"].mean(), rel=1e-6)
        assert row["face_px_median"] == pytest.approx(size.median(), rel=1e-6)
        assert row["face_px_low"] == pytest.approx(size.quantile(0.05), rel=1e-6)
        assert row["eyes_px_median"] == pytest.approx(eyes.median(), rel=1e-5)
        yaw = np.degrees(raw["Yaw"])
        spread = row["yaw_high_deg"] - row["yaw_low_deg"]
        assert spread == pytest.approx(yaw.quantile(0.95) - yaw.quantile(0.05), rel=1e-5)
        measured = raw.filter(regex="^(AU|Happy|valence)")
        same = measured.min() == measured.max()
        assert row["constant"] == ", ".join(same.index[same])


def test_ten_recordings_by_label(recordings: fm.Fex, shared: Path) -> None:
    clips = pd.read_csv(shared / "fex" / "clip_attrs.csv", dtype={"clipN": str})
    clips["input"] = clips["clipN"] + ".mp4"
    fex = recordings.label(clips[["input", "class", "phrase_txt"]])
    report = quality_report(fex, "class").set_index("class")
    rows = recordings.groupby("input").size()
    assert report.loc["gn", "n_frames"] == rows.iloc[:5].sum()
    assert report.loc["ists", "n_frames"] == rows.iloc[5:].sum()
