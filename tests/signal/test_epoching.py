"""Epochs around events and their averages."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.signal import epoch_average, epochs, grand_average

Make = Callable[..., pd.DataFrame]


def course(t: np.ndarray) -> np.ndarray:
    return np.sin(1.3 * t) + 0.1 * t * t - 0.5 * np.cos(4 * t)


def ramp(t: np.ndarray) -> np.ndarray:
    return 0.1 * t


ONSETS = pd.DataFrame({"onset": [2.0, 4.5, 7.0]})

# mne 1.13.2: EpochsArray(x[e - 10 : e + 21], sfreq=20, tmin=-0.5).apply_baseline((-0.5, 0)) of
# course(arange(200) / 20) at samples 40, 90, 140; samples 0, 10, 15 and 30 of each epoch, then of
# their average
MNE = np.array([
    [-0.07509237857571338, 0.23928443847137126, 0.42775132270962546, -0.9586600888046197],
    [-0.05185793096237634, 0.02784461263418514, 0.40669027942632785, 3.0400184901548144],
    [-0.5404822807294876, 0.4308014094989847, 0.36045683960855346, -0.114538035346059],
])  # fmt: skip
MNE_AVERAGE = [-0.22247753008919244, 0.23264348686818037, 0.3982994805815023, 0.6556067886680452]

# neurokit2 0.2.12: epochs_create(..., epochs_start=-0.5, epochs_end=1, baseline_correction=True),
# samples 0, 10, 15 and 29; its epochs end one sample early, and so does its baseline
NEUROKIT = np.array([
    [-0.05116393472857628, 0.26321288231850837, 0.45167976655676256, -0.8541661302824342],
    [-0.04907346969895765, 0.03062907389760383, 0.40947474068974654, 2.935313997959188],
    [-0.4974021397795889, 0.47388155044888336, 0.4035369805584521, -0.15948274283410058],
])  # fmt: skip


@pytest.mark.parametrize("hz", [None, 20], ids=["as they are", "on a grid"])
def test_epochs_are_those_of_mne_and_neurokit(record: Make, hz: float | None) -> None:
    table = record(np.arange(200) / 20, {"X": course}, tracks=1)
    result = epochs(table, ONSETS, -0.5, 1.0, baseline=(None, 0), hz=hz)
    values = result["X"].to_numpy().reshape(3, 31)
    np.testing.assert_allclose(values[:, [0, 10, 15, 30]], MNE, atol=1e-12)
    np.testing.assert_allclose(result["epoch_time"], np.tile(np.arange(-10, 21) / 20, 3), atol=1e-9)
    average = epoch_average(result.assign(subject="a"))
    np.testing.assert_allclose(average["X"].iloc[[0, 10, 15, 30]], MNE_AVERAGE, atol=1e-12)
    assert average["n_epochs"].eq(3).all()

    early = epochs(table, ONSETS, -0.5, 0.95, baseline=(None, -0.05), hz=hz)
    values = early["X"].to_numpy().reshape(3, 30)
    np.testing.assert_allclose(values[:, [0, 10, 15, 29]], NEUROKIT, atol=1e-12)


def test_rows_keys_and_labels(record: Make) -> None:
    table = record(np.arange(50) / 10, {"AU12": ramp}, tracks=2).assign(subject="s")
    events = pd.DataFrame({"onset": [1.0, 2.5], "stimulus": ["cat", "dog"], "trial": [1, 2]})
    result = epochs(table, events, -0.2, 0.3)
    assert list(result.columns) == [*table.columns, "epoch", "epoch_time", "stimulus", "trial"]
    assert result.groupby(["epoch", "track"]).size().tolist() == [6] * 4
    assert result.query("epoch == 0")["stimulus"].unique().tolist() == ["cat"]
    np.testing.assert_allclose(
        result["time"] - result["epoch_time"], np.where(result["epoch"] == 0, 1.0, 2.5)
    )
    original = table.set_index(["frame", "track"])["AU12"]
    keys = pd.MultiIndex.from_frame(result[["frame", "track"]])
    np.testing.assert_array_equal(result["AU12"], original.loc[keys])


def test_events_between_frames_share_a_grid(record: Make) -> None:
    table = record(np.arange(90) / 30, {"AU12": ramp})
    events = pd.DataFrame({"onset": [0.51, 1.273]})
    result = epochs(table, events, -0.25, 0.5, hz=8)
    grid = np.arange(-2, 5) / 8
    np.testing.assert_allclose(result["epoch_time"], np.tile(grid, 2))
    times = (events["onset"].to_numpy()[:, None] + grid).ravel()
    np.testing.assert_allclose(result["time"], times)
    np.testing.assert_allclose(result["AU12"], ramp(times), atol=1e-3)  # a low-pass at the end
    assert result["frame"].tolist() == [*range(7)] * 2


def test_gaps_and_ends_are_empty_on_a_grid(record: Make, lose: Make) -> None:
    table = lose(record(np.arange(60) / 30, {"AU12": ramp}), range(30, 40))
    result = epochs(table, pd.DataFrame({"time": [1.1]}), -0.5, 1.2, hz=30)
    at = result["time"]
    gone = ((at > 0.97) & (at < 1.33)) | (at > 1.98)
    assert (result["AU12"].isna() == gone).all()
    assert (result["FaceScore"] == np.where(gone, 0, 1)).all()
    assert result["track"].eq(0).all()
    assert len(result) == 52
    bridged = epochs(table, pd.DataFrame({"time": [1.1]}), -0.5, 1.2, hz=30, max_gap=0.4)
    assert (bridged["AU12"].isna() == (at > 1.98)).all()


def test_an_event_belongs_to_its_recording_and_face(record: Make) -> None:
    table = pd.concat(
        [record(np.arange(40) / 10, {"AU12": ramp}, tracks=2, name=n) for n in ("a", "b")]
    )
    one = epochs(table, pd.DataFrame({"onset": [2], "input": ["b"]}), 0, 0.5)
    assert one["input"].unique().tolist() == ["b"]
    assert one["track"].unique().tolist() == [0, 1]
    assert one["epoch"].unique().tolist() == [0]  # faces of a moment share the number
    face = epochs(table, pd.DataFrame({"onset": [2], "input": ["b"], "track": [1]}), 0, 0.5)
    assert face["track"].unique().tolist() == [1]
    everywhere = epochs(table, pd.DataFrame({"onset": [2, 3]}), 0, 0.5)
    assert everywhere.groupby("epoch")["input"].unique().str[0].tolist() == ["a", "b", "a", "b"]
    named = table.assign(subject=table["input"].map({"a": "ann", "b": "bob"}))
    of_bob = epochs(named, pd.DataFrame({"onset": [1], "subject": ["bob"]}), 0, 0.5, on="subject")
    assert of_bob["input"].unique().tolist() == ["b"]


def test_faces_do_not_bleed_into_each_other(record: Make) -> None:
    table = record(np.arange(90) / 30, {"AU12": ramp}, tracks=2)
    changed = table.assign(AU12=table["AU12"].where(table["track"] == 0, 0.9))
    for hz in (None, 12):
        one, two = (
            epochs(t, ONSETS.iloc[:1], -0.5, 0.5, hz=hz, baseline=(None, 0)).query("track == 0")
            for t in (table, changed)
        )
        pd.testing.assert_frame_equal(one, two)


def test_events_without_data_are_named(record: Make) -> None:
    table = record(np.arange(40) / 10, {"AU12": ramp})
    events = pd.DataFrame({"onset": [1.0, 12.0], "input": ["a.mp4", "a.mp4"]})
    with pytest.raises(FexError, match=r"1 of 2 events .* row 1 \(12 s, input a.mp4\)"):
        epochs(table, events, -0.5, 0.5)
    assert epochs(table, events, -0.5, 0.5, missing="drop")["epoch"].unique().tolist() == [0]
    wrong = events.assign(input=["a.mp4", "A.mp4"])
    with pytest.raises(FexError, match=r"no recording 'A.mp4'. Did you mean 'a.mp4'"):
        epochs(table, wrong, -0.5, 0.5)
    with pytest.raises(FexError, match="1 of 1 events have no row"):
        epochs(table, events.iloc[1:], -0.5, 0.5, missing="drop")


def test_epochs_without_a_baseline_are_named(record: Make, lose: Make) -> None:
    table = lose(record(np.arange(40) / 10, {"AU12": ramp}), range(5, 11))
    events = pd.DataFrame({"onset": [1.0, 3.0]})
    for hz in (None, 10):
        with pytest.raises(FexError, match=r"1 of 2 events have no valid frame from -0.5 to 0 s"):
            epochs(table, events, -0.5, 0.5, baseline=(None, 0), hz=hz)
        result = epochs(table, events, -0.5, 0.5, baseline=(None, 0), hz=hz, missing="drop")
        assert result["time"].min() == pytest.approx(2.5)


def test_epochs_with_too_few_valid_frames_are_dropped(record: Make, lose: Make) -> None:
    table = lose(record(np.arange(40) / 10, {"AU12": ramp}), range(6, 10))
    events = pd.DataFrame({"onset": [1.0, 3.0]})
    for hz in (None, 10):
        kept = epochs(table, events, -0.5, 0.5, hz=hz, min_valid=0.7)
        assert kept["epoch"].unique().tolist() == [1]
        assert epochs(table, events, -0.5, 0.5, hz=hz, min_valid=0.6)["epoch"].nunique() == 2
        with pytest.raises(FexError, match="No epoch has 100% valid"):
            epochs(table, events.iloc[:1], -0.5, 0.5, hz=hz, min_valid=1)


def test_a_fex_stays_one_and_other_features_are_left_out() -> None:
    fex, _ = fm.simulate_study(2, duration=6, seed=1)
    events = pd.DataFrame({"onset": [2.0], "stimulus": ["x"]})
    result = epochs(fex, events, -1, 1, columns=["AU12", "valence"], hz=10)
    assert isinstance(result, fm.Fex)
    assert result.info == fex.info
    assert result.groups == ("keys", "faceboxes", "aus", "va", "framesizes")
    assert list(result.aus) == ["AU12"]
    assert result["AU12"].dtype == np.float32
    assert result["epoch"].nunique() == 4


def test_people_are_averaged_before_they_are_pooled(record: Make) -> None:
    # ann has three epochs of 0.1, bob one of 0.5: the grand mean is 0.3, not 0.2
    rows = []
    for subject, level, n in (("ann", 0.1, 3), ("bob", 0.5, 1)):
        table = record(np.arange(80) / 10, {"AU12": lambda t, a=level: np.full(len(t), a)})
        events = pd.DataFrame({"onset": np.arange(n) * 2 + 1.0, "condition": "c"})
        made = epochs(table.assign(input=subject, subject=subject), events, 0, 0.5, hz=10)
        rows.append(made)
    courses = epoch_average(pd.concat(rows), by="condition")
    assert courses.columns.tolist() == ["subject", "condition", "epoch_time", "n_epochs", "AU12"]
    assert courses.groupby("subject")["n_epochs"].first().to_dict() == {"ann": 3, "bob": 1}
    grand = grand_average(courses, by="condition")
    assert grand["mean"].to_numpy() == pytest.approx(0.3)
    assert grand["sd"].to_numpy() == pytest.approx(0.4 / np.sqrt(2))
    assert grand["se"].to_numpy() == pytest.approx(0.2)
    assert grand["n_subjects"].eq(2).all()
    twice = pd.concat([courses, courses.assign(condition="d")])
    with pytest.raises(FexError, match="several times at one time"):
        grand_average(twice)


def test_missing_values_are_passed_over_and_counted(record: Make) -> None:
    table = record(np.arange(60) / 10, {"AU12": ramp}).assign(subject="a")
    table.loc[table["time"].between(3.95, 4.15), "AU12"] = np.nan
    result = epochs(table, pd.DataFrame({"onset": [1.0, 3.9]}), 0, 0.5)
    average = epoch_average(result)
    assert average["n_epochs"].tolist() == [2, 1, 1, 2, 2, 2]
    assert average["AU12"].tolist() == pytest.approx([0.245, 0.11, 0.12, 0.275, 0.285, 0.295])


def test_bins_of_time(record: Make) -> None:
    table = record(np.arange(300) / 30, {"AU12": ramp}).assign(subject="a")
    events = pd.DataFrame({"onset": [2.013, 5.021]})
    result = epochs(table, events, -0.5, 1.0, baseline=None)
    with pytest.raises(FexError, match="do not have their times in common"):
        epoch_average(result)
    binned = epoch_average(result, width=0.5)
    assert binned["epoch_time"].tolist() == [-0.25, 0.25, 0.75]
    assert binned["AU12"].tolist() == pytest.approx([0.3267, 0.3767, 0.4267], abs=2e-3)


@pytest.mark.parametrize(
    ("events", "arguments", "error", "match"),
    [
        ({"onset": [1]}, {"tmin": 1, "tmax": 0}, OptionError, "`tmax` must be after `tmin`"),
        ({"onset": [1]}, {"baseline": (-1, 0)}, OptionError, "lie within -0.5 to 0.5 s, but is -1"),
        ({"onset": [1]}, {"baseline": 0}, OptionError, "must be a pair"),
        ({"onset": [1]}, {"hz": -5}, OptionError, "`hz` must be above 0"),
        ({"onset": [1]}, {"columns": "AU21"}, FexError, "Did you mean 'AU12'"),
        ({"onset": [1]}, {"on": "input"}, FexError, "`on`: there is no column 'input'"),
        ({"start": [1]}, {}, FexError, "'onset' or 'time' in s, but has start"),
        ({"onset": []}, {}, FexError, "no rows"),
        ({"onset": ["x"]}, {}, FexError, "must be seconds"),
        ({"onset": [1, np.nan]}, {}, FexError, "missing in row 1"),
        ({"onset": [1], "AU12": [0]}, {}, FexError, "has a column 'AU12' as the events do"),
        ({"onset": [1], "input": [3]}, {}, FexError, "cannot be matched|no recording 3"),
    ],
)
def test_wrong_calls(
    record: Make, events: dict[str, object], arguments: dict[str, object], error: type, match: str
) -> None:
    window = {"tmin": -0.5, "tmax": 0.5, **arguments}
    with pytest.raises(error, match=match):
        epochs(record(np.arange(40) / 10, {"AU12": ramp}), pd.DataFrame(events), **window)


def test_other_wrong_calls(record: Make) -> None:
    table = record(np.arange(40) / 10, {"AU12": ramp})
    with pytest.raises(FexError, match="must be a DataFrame with a column 'onset'"):
        epochs(table, [1.0], 0, 1)
    with pytest.raises(FexError, match="no column 'epoch'"):
        epoch_average(table.assign(subject="a"))
    with pytest.raises(FexError, match="`subject`: there is no column 'subject'"):
        epoch_average(epochs(table, ONSETS.iloc[:1], 0, 1))
    with pytest.raises(FexError, match="'epoch' already"):
        epochs(epochs(table, ONSETS.iloc[:1], 0, 1), ONSETS.iloc[:1], 0, 0.5)
