"""Events of known signals, against the definition written out and SciPy's own tools."""

from __future__ import annotations

import time as clock
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage, signal

import facemt_analysis as fm
from facemt_analysis.errors import FexError, MissingGroupError, OptionError
from facemt_analysis.measures.au_events import au_events
from facemt_analysis.measures.event_counts import event_rates
from facemt_analysis.measures.events import EVENT_COLUMNS, find_events


def face(time: Any, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"time": np.asarray(time, float), **columns})


def triangle(time: np.ndarray, peak: float, at: float, rise: float, decay: float) -> np.ndarray:
    up = peak * (1 - (at - time) / rise)
    down = peak * (1 - (time - at) / decay)
    return np.clip(np.minimum(up, down), 0, None)


def test_a_triangle_has_its_own_times_slopes_and_area() -> None:
    time = np.arange(0, 10, 0.01)
    event = find_events(face(time, x=triangle(time, 1.0, 4.0, 1.0, 2.0)), "x", on=0.5).iloc[0]
    # up at 1 per second from 3 s, over 0.5 at 3.5 s; down at 0.5 per second, below 0.4 after 5.2 s
    assert event["onset"] == pytest.approx(3.5, abs=0.011)
    assert event["apex"] == pytest.approx(4.0)
    assert event["offset"] == pytest.approx(5.2, abs=0.011)
    assert event["duration"] == event["offset"] - event["onset"]
    assert event["peak"] == pytest.approx(1.0)
    assert event[["rise_speed", "mean_rise_speed"]].tolist() == pytest.approx([1.0, 1.0])
    assert event[["decay_speed", "mean_decay_speed"]].tolist() == pytest.approx([0.5, 0.5])
    # ∫ from 3.5 to 4.0 of (t - 3) plus ∫ over 1.2 s from 1 down to 0.4
    assert event["area"] == pytest.approx(0.375 + 1.2 * 0.7, abs=0.01)
    assert not event["truncated"]


def test_uneven_sampling_changes_times_by_no_more_than_a_frame() -> None:
    rng = np.random.default_rng(5)
    time = np.cumsum(rng.uniform(0.02, 0.045, 400))
    event = find_events(face(time, x=triangle(time, 0.9, 6.0, 0.6, 1.5)), "x", on=0.5, off=0.5)
    up, down = 6.0 - 0.6 * 4 / 9, 6.0 + 1.5 * 4 / 9
    assert 0 <= event["onset"].iloc[0] - up <= 0.045
    assert 0 <= event["offset"].iloc[0] - down <= 0.045
    assert abs(event["apex"].iloc[0] - 6.0) <= 0.045
    # slopes are per second, not per frame
    assert event["mean_decay_speed"].iloc[0] == pytest.approx(0.9 / 1.5, rel=0.08)
    assert event["area"].iloc[0] == pytest.approx(0.7 * (down - up), rel=0.05)


def test_a_step_lasts_as_long_as_it_was_seen() -> None:
    table = face(np.arange(20) / 10, x=np.r_[np.zeros(5), np.ones(5), np.zeros(10)])
    event = find_events(table, "x", on=0.5).iloc[0]
    assert event[["onset", "apex", "offset", "duration"]].tolist() == pytest.approx(
        [0.5, 0.5, 1.0, 0.5]
    )
    assert event["area"] == pytest.approx(0.5)
    assert event["n_frames"] == 5
    assert event[["rise_speed", "decay_speed"]].tolist() == pytest.approx([10.0, 10.0])
    assert event["mean_decay_speed"] == pytest.approx(2.0)  # 1 over the 0.5 s from the apex


def test_a_sinusoid_gives_one_event_per_period() -> None:
    time = np.arange(0, 20, 1 / 30)
    table = face(time, x=0.5 - 0.5 * np.cos(2 * np.pi * 0.5 * time))
    events = find_events(table, "x", on=0.75, off=0.75)
    assert len(events) == 10
    assert events["apex"].to_numpy() == pytest.approx(np.arange(1, 21, 2), abs=1 / 30)
    # above 0.75 for a third of the period of 2 s; steepest where it is 0.5, so here at the onset
    assert events["duration"].to_numpy() == pytest.approx(2 / 3, abs=1 / 30)
    steepest = 0.5 * np.pi * np.sin(2 * np.pi / 3)
    assert events["rise_speed"].to_numpy() == pytest.approx(steepest, rel=0.06)


def test_hysteresis_keeps_noise_at_the_threshold_from_cutting_an_event() -> None:
    rng = np.random.default_rng(0)
    time = np.arange(0, 12, 1 / 30)
    course = 0.5 * np.exp(-0.5 * ((time - 6) / 1.5) ** 2) + 0.06 + rng.normal(0, 0.03, len(time))
    options: dict[str, Any] = {"on": 0.5, "min_duration": 0.0, "max_gap": 0.0}
    assert len(find_events(face(time, x=course), "x", off=0.5, **options)) > 3
    assert len(find_events(face(time, x=course), "x", **options)) == 1
    assert len(find_events(face(time, x=course), "x", off=0.5, on=0.5)) < 3  # bridges do as well


@pytest.mark.parametrize(
    ("max_gap", "spans"),
    [
        pytest.param(0.25, [(0.0, 0.4), (0.7, 1.2)], id="dip too long"),
        pytest.param(0.3, [(0.0, 1.2)], id="dip bridged"),
    ],
)
def test_dips_are_bridged_up_to_a_limit(max_gap: float, spans: list[tuple[float, float]]) -> None:
    table = face(np.arange(20) / 10, x=[1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, *[0] * 8])
    events = find_events(table, "x", on=0.5, max_gap=max_gap)
    found = list(zip(events["onset"], events["offset"], strict=True))
    assert found == [pytest.approx(span) for span in spans]


@pytest.mark.parametrize("lost", ["rows", "values"])
@pytest.mark.parametrize("bridged", [True, False])
def test_lost_frames_are_bridged_up_to_the_same_limit(lost: str, bridged: bool) -> None:
    table = face(np.arange(20) / 10, x=np.r_[np.zeros(5), np.full(10, 0.8), np.zeros(5)])
    gone = table.index.isin([8, 9])
    table = table[~gone] if lost == "rows" else table.assign(x=table["x"].mask(gone))
    events = find_events(table, "x", on=0.5, max_gap=0.2 if bridged else 0.15)
    if bridged:
        assert events["duration"].tolist() == pytest.approx([1.0])
        assert events["n_frames"].tolist() == [8]
        assert events["area"].tolist() == pytest.approx([0.8])
        assert not events["truncated"].any()
    else:
        assert events[["onset", "offset"]].to_numpy().ravel() == pytest.approx([0.5, 0.8, 1.0, 1.5])
        assert events["truncated"].tolist() == [True, True]


def test_a_state_goes_on_over_lost_frames_while_it_stays_above_off() -> None:
    x = [0, 0.9, 0.9, np.nan, 0.45, 0.45, 0.1]
    events = find_events(face(np.arange(7) / 10, x=x), "x", on=0.5, off=0.4)
    assert events[["onset", "offset"]].to_numpy().tolist() == [pytest.approx([0.1, 0.6])]


def test_what_touches_an_end_is_truncated_and_its_unseen_phase_has_no_speed() -> None:
    table = face(np.arange(10) / 10, x=[1, 1, 0, 0, 0, 0, 0, 0, 0.8, 1])
    events = find_events(table, "x", on=0.5)
    assert events["truncated"].tolist() == [True, True]
    assert events["offset"].tolist() == pytest.approx([0.2, 1.0])
    assert events["rise_speed"].isna().tolist() == [True, False]
    assert events["decay_speed"].isna().tolist() == [False, True]
    assert events["mean_rise_speed"].isna().tolist() == [True, False]
    assert events["mean_decay_speed"].isna().tolist() == [False, True]


def test_short_events_are_left_out_after_bridging() -> None:
    table = face(np.arange(12) / 10, x=[0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0])
    assert len(find_events(table, "x", on=0.5, min_duration=0.2, max_gap=0.1)) == 1
    assert len(find_events(table, "x", on=0.5, min_duration=0.2, max_gap=0.0)) == 0
    assert len(find_events(table, "x", on=0.5, min_duration=0.1, max_gap=0.0)) == 3


def test_interleaved_people_have_events_of_their_own() -> None:
    time = np.arange(0, 6, 0.1)
    one = pd.DataFrame({"input": "a", "frame": range(60), "time": time, "track": 0,
                        "AU12": triangle(time, 0.95, 2.0, 1.0, 1.0)})  # fmt: skip
    two = one.assign(track=1, AU12=triangle(time, 0.9, 4.0, 1.0, 1.0))
    three = one.assign(input="b", AU12=1.0)
    nobody = one.iloc[:5].assign(track=-1, AU12=np.nan, input="c")
    table = pd.concat([one, two, three, nobody]).sort_values(["input", "frame", "track"])
    events = au_events(table)
    assert events[["input", "track"]].to_numpy().tolist() == [["a", 0], ["a", 1], ["b", 0]]
    assert events["apex"].tolist() == pytest.approx([2.0, 4.0, 0.0])
    assert events["duration"].iloc[2] == pytest.approx(6.0)
    assert events["onset_frame"].tolist() == [16, 36, 0]
    assert events["apex_frame"].tolist() == [20, 40, 0]
    assert events["offset_frame"].tolist() == [26, 46, 60]
    # the order of rows, and whether there are others, makes no difference
    shuffled = au_events(table.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(
        shuffled.sort_values(["input", "track"], ignore_index=True), events, check_dtype=False
    )
    pd.testing.assert_frame_equal(au_events(two), events.iloc[[1]].reset_index(drop=True))


def test_columns_of_the_result() -> None:
    table = face(np.arange(10) / 10, AU12=0.0, AU06=np.r_[np.zeros(5), np.ones(5)],
                 trial=list("aaaaaabbbb"))  # fmt: skip
    events = au_events(table, labels="trial")
    assert list(events) == ["trial", "feature", *EVENT_COLUMNS]
    assert events["trial"].tolist() == ["a"]
    nothing = au_events(table, "AU12")
    assert list(nothing) == ["feature", *EVENT_COLUMNS]
    assert nothing["onset"].dtype == np.float64
    assert nothing["truncated"].dtype == np.bool_
    assert len(au_events(table.iloc[:0])) == 0


def test_thresholds_of_single_action_units() -> None:
    time = np.arange(0, 4, 0.1)
    table = face(time, AU06=triangle(time, 0.45, 2, 1, 1), AU12=triangle(time, 0.45, 2, 1, 1))
    assert au_events(table)["feature"].tolist() == []
    assert au_events(table, on={"AU12": 0.4})["feature"].tolist() == ["AU12"]
    low = au_events(table, on=0.4, off={"AU06": 0.1})
    assert low["duration"].round(2).tolist() == [0.9, 0.4]  # AU12 until below 0.32


def test_any_feature_has_events() -> None:
    time = np.arange(0, 4, 0.1)
    table = face(time, AU12_r=triangle(time, 4.0, 2, 1, 1), jawOpen=0.0, valence=-0.8)
    assert find_events(table, ["AU12_r", "jawOpen"], on=2.0)["peak"].tolist() == [4.0]
    # a threshold below zero: off lies a fifth of its size lower
    held = find_events(table, "valence", on=-0.9)
    assert held["duration"].tolist() == pytest.approx([4.0])
    assert held["truncated"].tolist() == [True]


def test_smoothing_takes_noise_out_of_speeds() -> None:
    rng = np.random.default_rng(6)
    time = np.arange(0, 12, 1 / 30)
    true = triangle(time, 0.9, 6.0, 2.0, 2.0)
    table = face(time, x=true + rng.normal(0, 0.03, len(time)), other=0.0)
    rough, even = (
        find_events(table, "x", on=0.5, max_gap=0.3, smooth=s).iloc[0] for s in (None, 0.5)
    )
    assert rough["rise_speed"] > 2.0  # 0.45 per second, and the noise of two frames
    assert abs(even["rise_speed"] - 0.45) < 0.25 * abs(rough["rise_speed"] - 0.45)
    assert even["apex"] == pytest.approx(6.0, abs=0.15)
    # what is smoothed is given: the peak as well
    assert even["peak"] < rough["peak"]


# ----------------------------------------------------------------------------- oracles
def test_runs_are_those_of_scipy_label() -> None:
    # scipy.ndimage.label numbers runs of True; without hysteresis and bridges these are the events
    x = ndimage.gaussian_filter1d(np.random.default_rng(2).normal(size=5000), 3) * 4
    events = find_events(face(np.arange(5000) / 25, x=x), "x", on=0.5, off=0.5, min_duration=0,
                         max_gap=0)  # fmt: skip
    labels, n = ndimage.label(x >= 0.5)
    assert len(events) == n > 100
    number = np.arange(1, n + 1)
    assert events["peak"].to_numpy() == pytest.approx(ndimage.maximum(x, labels, number))
    tops = np.array(ndimage.maximum_position(x, labels, number)).ravel() / 25
    assert events["apex"].to_numpy() == pytest.approx(tops)
    assert events["area"].to_numpy() == pytest.approx(ndimage.sum(x, labels, number) / 25)
    assert events["n_frames"].tolist() == np.bincount(labels)[1:].tolist()


def test_widths_are_those_of_scipy_peak_widths() -> None:
    # scipy.signal.peak_widths interpolates the crossings at half the prominence
    time = np.arange(0, 60, 1 / 30)
    x = sum(np.exp(-0.5 * ((time - c) / w) ** 2) for c, w in [(8, 0.5), (25, 1.2), (45, 2.0)])
    peaks, _ = signal.find_peaks(x, height=0.5)
    widths = signal.peak_widths(x, peaks, rel_height=0.5)[0] / 30
    events = find_events(face(time, x=x), "x", on=0.5, off=0.5)
    assert events["apex"].to_numpy() == pytest.approx(time[peaks])
    assert events["duration"].to_numpy() == pytest.approx(widths, abs=1 / 30)


def by_the_book(
    time: np.ndarray, x: np.ndarray, step: float, on: float, off: float, shortest: float, gap: float
) -> list[tuple[float, float, int]]:
    """Frame by frame, as the documentation says; onset, offset and frames of each event."""
    seen = [(t, v) for t, v in zip(time, x, strict=True) if not np.isnan(v)]
    events: list[list[Any]] = []
    current: list[Any] | None = None
    for i, (t, v) in enumerate(seen):
        lost = t - seen[i - 1][0] if i else 0.0
        if current is not None and lost > 1.5 * step and lost - step > gap + 1e-6:
            events.append([*current, seen[i - 1][0] + step, i])
            current = None
        if current is None and v >= on:
            current = [t, i]
        elif current is not None and v < off:
            events.append([*current, t, i])
            current = None
    if current is not None:
        events.append([*current, seen[-1][0] + step, len(seen)])
    joined: list[list[Any]] = []
    for event in events:
        if joined and event[0] - joined[-1][2] <= gap + 1e-6:
            joined[-1][2:] = event[2:]
        else:
            joined.append(event)
    return [(a, b, j - i) for a, i, b, j in joined if b - a >= shortest - 1e-6]


@pytest.mark.parametrize("seed", range(12))
def test_events_are_those_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 600
    time = np.cumsum(rng.uniform(0.08, 0.12, n))
    x = ndimage.gaussian_filter1d(rng.normal(size=n), 2) * 2
    x[rng.random(n) < 0.15] = np.nan
    gap, shortest = rng.choice([0.0, 0.1, 0.25, 0.6]), rng.choice([0.0, 0.2, 0.5])
    on, off = 0.4, float(rng.choice([0.4, 0.3, -0.2]))
    table = face(time, x=x)
    events = find_events(table, "x", on=on, off=off, min_duration=shortest, max_gap=gap)
    step = float(np.median(np.diff(time)))
    expected = by_the_book(time, x, step, on, off, shortest, gap)
    found = events[["onset", "offset", "n_frames"]].to_numpy()
    assert len(expected) > 3
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_planted_events_are_found() -> None:
    fex, truth = fm.simulate_study(4, duration=60, noise=0, missing=0, seed=3,
                                   feature_groups=["aus"])  # fmt: skip
    events = au_events(fex)
    key = ["input", "feature"]
    planted = truth.events.merge(truth.levels[[*key, "tonic"]], on=key)
    both = planted.merge(events, on=key, suffixes=("_true", ""))
    overlaps = both[(both["onset"] < both["offset_true"]) & (both["offset"] > both["onset_true"])]
    # every event that was found is (part of) a planted one
    assert len(overlaps.drop_duplicates([*key, "onset"])) == len(events) > 300
    sure = planted[planted["isolated"] & (planted["peak"] > 0.55) & (planted["tonic"] < 0.35)
                   & (planted["duration"] > 0.3)]  # fmt: skip
    mine = sure[[*key, "onset"]].rename(columns={"onset": "onset_true"})
    found = mine.merge(overlaps, on=[*key, "onset_true"])
    assert len(found) == len(sure) > 60
    assert (found["apex"] - found["apex_true"]).abs().max() < 1 / 30
    assert (found["onset"] >= found["onset_true"]).all()
    assert (found["offset"] <= found["offset_true"]).all()
    assert found["peak"].to_numpy() == pytest.approx(found["peak_true"].to_numpy(), abs=0.01)


# ----------------------------------------------------------------------------- rates
def test_rates_of_known_pulses() -> None:
    time = np.arange(0, 60, 0.1)
    table = face(time, AU12=(time % 10 < 2).astype(float), AU06=0.0, half=time >= 30)
    table.loc[(time >= 5) & (time < 8), "AU12"] = np.nan
    rates = event_rates(table).set_index("feature")
    assert list(rates) == ["n_events", "n_truncated", "rate", "mean_duration", "total_duration",
                           "mean_peak", "share", "n_frames", "n_valid", "seconds"]  # fmt: skip
    smile = rates.loc["AU12"]
    assert smile[["n_events", "n_truncated", "n_frames", "n_valid"]].tolist() == [6, 1, 600, 570]
    assert smile["seconds"] == pytest.approx(57)
    assert smile["rate"] == pytest.approx(6 / 57 * 60)
    assert smile["mean_duration"] == pytest.approx(2)
    assert smile["share"] == pytest.approx(12 / 57)
    none = rates.loc["AU06"]
    assert none[["n_events", "rate", "share", "total_duration"]].tolist() == [0, 0, 0, 0]
    assert np.isnan(none["mean_duration"])
    assert event_rates(table, "AU12", by="half")["n_events"].tolist() == [3, 3]


def test_bridged_frames_are_not_time_that_was_valid() -> None:
    table = face(np.arange(100) / 10, x=1.0)
    table.loc[[20, 50, 80], "x"] = np.nan
    rates = event_rates(table, "x").iloc[0]
    assert rates["n_events"] == 1
    assert rates["total_duration"] == pytest.approx(10.0)
    assert rates[["share", "seconds"]].tolist() == pytest.approx([1.0, 9.7])


def test_a_border_of_a_label_cuts_events() -> None:
    table = face(np.arange(40) / 10, x=np.r_[np.zeros(10), np.ones(20), np.zeros(10)])
    table["trial"] = np.repeat(["a", "b"], 20)
    rates = event_rates(table, "x", by="trial")
    assert rates["n_events"].tolist() == rates["n_truncated"].tolist() == [1, 1]
    assert rates["mean_duration"].tolist() == pytest.approx([1.0, 1.0])


# ----------------------------------------------------------------------------- wrong calls
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        pytest.param({"aus": "AU2"}, FexError, r"no column 'AU2'. Did you mean 'AU02'\?",
                     id="unpadded"),
        pytest.param({"aus": "AU99"}, FexError, "There is: AU02, AU12", id="unknown"),
        pytest.param({"aus": []}, FexError, "at least one", id="none"),
        pytest.param({"on": 0.3, "off": 0.4}, OptionError, "`off` must not be above `on`",
                     id="off above on"),
        pytest.param({"on": {"AU6": 0.3}}, OptionError, "'AU6', which is not among", id="on for"),
        pytest.param({"on": "high"}, OptionError, "`on` must be a number", id="on a word"),
        pytest.param({"min_duration": -1}, OptionError, "`min_duration` must be at least 0 s",
                     id="negative duration"),
        pytest.param({"max_gap": -0.1}, OptionError, "`max_gap` must be at least 0 s",
                     id="negative gap"),
        pytest.param({"smooth": -0.5}, OptionError, "`smooth` must be above 0 s", id="smooth"),
        pytest.param({"labels": "trail"}, FexError, "`labels`: there is no column 'trail'",
                     id="label"),
    ],
)  # fmt: skip
def test_wrong_calls(call: dict[str, Any], error: type[Exception], message: str) -> None:
    table = face([0.0, 0.1], AU02=0.0, AU12=0.0)
    with pytest.raises(error, match=message):
        au_events(table, **call)


def test_wrong_tables() -> None:
    with pytest.raises(MissingGroupError, match="no column of 'aus'"):
        au_events(face([0.0], valence=0.0))
    with pytest.raises(FexError, match="no column 'time'"):
        au_events(pd.DataFrame({"AU12": [0.0]}))
    with pytest.raises(FexError, match="time does not go forward"):
        au_events(face([0.0, 0.2, 0.1], AU12=0.0))
    with pytest.raises(OptionError, match="names no threshold for 'AU12'"):
        find_events(face([0.0], AU06=0.0, AU12=0.0), ["AU06", "AU12"], on={"AU06": 1.0})


# ----------------------------------------------------------------------------- speed
def test_work_grows_with_rows() -> None:
    def seconds(n: int) -> float:
        rng = np.random.default_rng(1)
        values = ndimage.gaussian_filter1d(rng.normal(size=(n, 4)), 5, axis=0) * 2
        table = pd.DataFrame(values, columns=["AU01", "AU06", "AU12", "AU25"])
        table.insert(0, "time", np.arange(n) / 30)
        best = np.inf
        for _ in range(3):
            start = clock.process_time()
            au_events(table)
            best = min(best, clock.process_time() - start)
        return float(best)

    assert seconds(200_000) < 20 * seconds(20_000)  # linear: 10
