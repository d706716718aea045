"""Frequency filters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import signal

import facemt_analysis as fm
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.signal import SignalWarning, filter

Make = Callable[..., pd.DataFrame]


def noise(t: np.ndarray) -> np.ndarray:
    return np.random.default_rng(3).random(len(t))


def sine(hz: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda t: np.sin(2 * np.pi * hz * t)


BANDS = [
    ({"high": 3.0}, "lowpass", 3.0),
    ({"low": 0.5}, "highpass", 0.5),
    ({"low": 0.5, "high": 3.0}, "bandpass", [0.5, 3.0]),
]
BAND_IDS = ["low pass", "high pass", "band pass"]


@pytest.mark.parametrize(("cutoffs", "name", "edges"), BANDS, ids=BAND_IDS)
@pytest.mark.parametrize("kind", ["butter", "bessel"])
def test_it_is_scipy_on_a_regular_recording(
    record: Make, cutoffs: dict[str, float], name: str, edges: object, kind: str
) -> None:
    table = record(np.arange(300) / 30, {"AU12": noise, "Yaw": sine(1)})
    if kind == "butter":
        sos = signal.butter(3, edges, name, fs=30, output="sos")
    else:
        sos = signal.bessel(3, edges, name, fs=30, output="sos", norm="mag")
    result = filter(table, order=3, kind=kind, **cutoffs)
    for column in ("AU12", "Yaw"):
        expected = signal.sosfiltfilt(sos, table[column].to_numpy())
        np.testing.assert_allclose(result[column], expected, atol=1e-10)


@pytest.mark.parametrize("uneven", [False, True], ids=["regular", "uneven"])
@pytest.mark.parametrize("frequency", [0.5, 1.0, 2.0, 4.0])
def test_sines_are_attenuated_and_not_shifted(record: Make, frequency: float, uneven: bool) -> None:
    rng = np.random.default_rng(5)
    time = np.arange(1200) / 30 + (rng.uniform(0, 0.4 / 30, 1200) if uneven else 0)
    result = filter(record(time, {"valence": sine(frequency)}), high=2.0)["valence"].to_numpy()
    # squared gain of a Butterworth filter of order 4 for two directions; the bilinear transform
    # warps frequencies
    warped = np.tan(np.pi * frequency / 30) / np.tan(np.pi * 2 / 30)
    gain = 1 / (1 + warped**8)
    inside = slice(150, -150)
    expected = gain * sine(frequency)(time)
    tolerance = 1e-6 if not uneven else 3e-3
    np.testing.assert_allclose(result[inside], expected[inside], atol=tolerance)


def test_the_gain_at_the_cut_off_is_a_half(record: Make) -> None:
    table = record(np.arange(1500) / 30, {"valence": sine(1.5)})
    for cutoffs in ({"high": 1.5}, {"low": 1.5}):
        result = filter(table, **cutoffs)["valence"].to_numpy()[200:-200]
        assert np.abs(result).max() == pytest.approx(0.5, abs=1e-3)


def test_a_step_is_symmetric_and_bessel_does_not_overshoot(record: Make) -> None:
    table = record(np.arange(200) / 25, {"AU12": lambda t: (t >= 4).astype(float)})
    over = {}
    for kind in ("butter", "bessel"):
        result = filter(table, high=2.0, kind=kind)["AU12"].to_numpy()
        np.testing.assert_allclose(result[100:180], 1 - result[99:19:-1], atol=1e-4)
        over[kind] = result.max() - 1
    assert over["butter"] > 0.03
    assert over["bessel"] < 0.01


@pytest.mark.parametrize("cutoffs", [b[0] for b in BANDS], ids=BAND_IDS)
def test_nothing_bleeds_over_faces_recordings_and_gaps(
    record: Make, lose: Make, cutoffs: dict[str, float]
) -> None:
    time = np.cumsum(np.random.default_rng(0).uniform(0.9, 1.1, 200)) / 30
    table = pd.concat(
        [
            record(time, {"AU12": noise}, tracks=2),
            record(np.arange(200) / 30, {"AU12": noise}, name="b"),
        ],
        ignore_index=True,
    )
    own = table.index[(table["input"] == "a.mp4") & (table["track"] == 0)]
    table = lose(table, own[[100]])
    changed = table.copy()
    changed.loc[changed["track"] == 1, "AU12"] += 5
    changed.loc[changed["input"] == "b", "AU12"] += 7
    changed.loc[own[101:], "AU12"] += 9
    one, two = (filter(t, order=2, **cutoffs).loc[own[:100], "AU12"] for t in (table, changed))
    pd.testing.assert_series_equal(one, two)
    assert one.notna().all()


def test_short_stretches_are_left_empty_with_a_warning(record: Make, lose: Make) -> None:
    table = lose(record(np.arange(210) / 30, {"AU12": noise, "AU06": noise}), [9, 110])
    with pytest.warns(SignalWarning, match=r"^4.33 % of the values are in stretches too short"):
        result = filter(table, high=2.0)
    assert result["AU12"].iloc[:10].isna().all()
    assert result["AU12"].iloc[10:110].notna().all()
    # one period of the lowest cut-off: 99 frames are shorter than 4 s, 100 are not longer
    with pytest.warns(SignalWarning, match=r"^100 % of the values"):
        assert filter(table, low=0.25, order=1)["AU12"].isna().all()
    assert filter(table, low=0.25, order=1, max_gap=0.1)["AU12"].notna().sum() == 208


def test_a_gap_is_bridged_up_to_a_limit(record: Make, lose: Make) -> None:
    table = record(np.arange(300) / 30, {"AU12": noise})
    lost = lose(table, [100, 101])
    line = table.copy()
    line.loc[[100, 101], "AU12"] = np.nan
    line["AU12"] = line["AU12"].interpolate()
    result = filter(lost, high=2.0, max_gap=2 / 30)["AU12"]
    expected = filter(line, high=2.0)["AU12"].drop([100, 101])
    np.testing.assert_allclose(result.dropna(), expected, atol=1e-12)
    cut_there = filter(lost, high=2.0, max_gap=1 / 30)["AU12"]
    pd.testing.assert_series_equal(cut_there, filter(lost, high=2.0)["AU12"])


def test_a_trend_is_taken_out_first(record: Make) -> None:
    table = record(np.arange(300) / 30, {"valence": lambda t: 0.1 * t - 0.5 + 0.3 * sine(1.0)(t)})
    sos = signal.butter(4, 2.0, fs=30, output="sos")
    expected = signal.sosfiltfilt(sos, signal.detrend(table["valence"].to_numpy()))
    result = filter(table, high=2.0, detrend=True)
    np.testing.assert_allclose(result["valence"], expected, atol=1e-10)


def test_the_rate_of_each_recording_counts(record: Make) -> None:
    both = [record(np.arange(400) / hz, {"AU12": noise}, name=str(hz)) for hz in (25, 50)]
    result = filter(pd.concat(both, ignore_index=True), high=2.0)
    for part, hz in zip(both, (25, 50), strict=True):
        sos = signal.butter(4, 2.0, fs=hz, output="sos")
        rows = result["input"] == str(hz)
        expected = signal.sosfiltfilt(sos, part["AU12"].to_numpy())
        np.testing.assert_allclose(result.loc[rows, "AU12"], expected, atol=1e-10)


def test_milliseconds_are_regular_enough(record: Make) -> None:
    time = np.round(np.arange(600) / 30, 3)
    table = record(time, {"AU12": noise})
    sos = signal.butter(4, 2.0, fs=30, output="sos")
    expected = signal.sosfiltfilt(sos, table["AU12"].to_numpy())
    np.testing.assert_allclose(filter(table, high=2.0)["AU12"], expected, atol=1e-5)


def test_angles_are_filtered_across_the_turn(record: Make) -> None:
    def turning(t: np.ndarray) -> np.ndarray:
        return (3.0 + 0.2 * t + np.pi) % (2 * np.pi) - np.pi

    table = record(np.arange(300) / 30, {"Yaw": turning})
    result = filter(table, high=2.0)
    turned = np.angle(np.exp(1j * (result["Yaw"] - table["Yaw"])))
    assert np.abs(turned[30:-30]).max() < 1e-4
    assert result["Yaw"].abs().max() <= np.pi


def test_emotions_keep_their_sum() -> None:
    fex, _ = fm.simulate_study(1, duration=8, missing=0.0, seed=4)
    result = filter(fex, high=3.0)
    assert isinstance(result, fm.Fex)
    assert result.emotions.sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({}, OptionError, "Give a cut-off in Hz"),
        ({"high": 15.0}, OptionError, "a.mp4 has 30 frames per second: below 15 Hz"),
        ({"low": 20}, OptionError, "`low` must be below half the frame rate, but is 20 Hz"),
        ({"low": 3, "high": 2}, OptionError, "`low` must be below `high`, but got 3 and 2"),
        ({"high": -1}, OptionError, "above 0 Hz, but got -1"),
        ({"high": 2, "order": 0}, OptionError, "`order` must be at least 1"),
        ({"high": 2, "kind": "cheby"}, OptionError, "'butter' or 'bessel'"),
        ({"high": 2, "columns": "AU13"}, FexError, "Did you mean 'AU12'"),
    ],
    ids=[
        "nothing",
        "nyquist",
        "nyquist low",
        "order of edges",
        "negative",
        "order",
        "kind",
        "near",
    ],
)
def test_wrong_calls(record: Make, arguments: dict[str, object], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        filter(record(np.arange(60) / 30, {"AU12": noise}), **arguments)


def test_a_table_without_a_face_stays_as_it_is(record: Make, lose: Make) -> None:
    table = lose(record(np.arange(20) / 10, {"AU12": noise}), range(20))
    pd.testing.assert_frame_equal(filter(table, high=2), table)
    assert len(filter(table.iloc[:0], high=2)) == 0
