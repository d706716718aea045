"""Smoothing over a window of time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage, signal

from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.signal import smooth

Make = Callable[..., pd.DataFrame]
METHODS = ["savgol", "median", "gaussian", "moving"]


def noise(t: np.ndarray) -> np.ndarray:
    return np.random.default_rng(3).random(len(t))


def sine(hz: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda t: np.sin(2 * np.pi * hz * t)


@pytest.mark.parametrize("window", [0.3, 0.5], ids=["9 frames", "15 frames"])
def test_it_is_scipy_on_a_regular_recording(record: Make, window: float) -> None:
    table = record(np.arange(200) / 30, {"AU12": noise, "AU06": sine(1)})
    size = 9 if window == 0.3 else 15
    x = table["AU12"].to_numpy()
    expected = {
        "savgol": signal.savgol_filter(x, size, 2),
        "median": ndimage.median_filter(x, size),
        "gaussian": ndimage.gaussian_filter1d(x, window * 30 / 2.3548200450309493),
        "moving": ndimage.uniform_filter1d(x, size),
    }
    for method, answer in expected.items():
        result = smooth(table, method=method, window=window)
        np.testing.assert_allclose(result["AU12"], answer, atol=1e-12, err_msg=method)


@pytest.mark.parametrize("uneven", [False, True], ids=["regular", "uneven"])
def test_savgol_reproduces_polynomials(record: Make, uneven: bool) -> None:
    rng = np.random.default_rng(0)
    time = np.arange(90) / 30 + (rng.uniform(0, 0.3 / 30, 90) if uneven else 0)
    table = record(time, {"valence": lambda t: 0.3 - 0.5 * t + 0.2 * t**2})
    result = smooth(table, window=0.5)
    np.testing.assert_allclose(result["valence"], table["valence"], atol=1e-12)
    assert not np.allclose(smooth(table, window=0.5, polyorder=1)["valence"], table["valence"])


def test_a_step_stays_where_it_is(record: Make) -> None:
    table = record(np.arange(100) / 25, {"AU12": lambda t: (t >= 2).astype(float)})
    for method in METHODS:
        result = smooth(table, method=method, window=0.36)["AU12"].to_numpy()
        # symmetric about the step, which lies between rows 49 and 50
        np.testing.assert_allclose(result[50:], 1 - result[49::-1], atol=1e-12, err_msg=method)
        if method == "median":
            np.testing.assert_array_equal(result, table["AU12"])


def test_a_moving_average_attenuates_a_sine_by_the_dirichlet_kernel(record: Make) -> None:
    hz, size = 30, 9
    for frequency in (0.5, 1.5, 3.0, 10 / 3):
        table = record(np.arange(600) / hz, {"valence": sine(frequency)})
        result = smooth(table, method="moving", window=size / hz)["valence"].to_numpy()[10:-10]
        gain = np.sin(np.pi * frequency * size / hz) / (size * np.sin(np.pi * frequency / hz))
        expected = gain * table["valence"].to_numpy()[10:-10]
        np.testing.assert_allclose(result, expected, atol=1e-12)


def test_the_width_of_the_bell_is_its_full_width_at_half_height(record: Make) -> None:
    table = record(np.arange(401) / 100, {"AU12": lambda t: (np.abs(t - 2) < 1e-9) * 1.0})
    result = smooth(table, method="gaussian", window=0.2)["AU12"].to_numpy()
    assert result[200 + 10] / result[200] == pytest.approx(0.5, rel=1e-3)


def test_windows_are_in_seconds_of_each_recording(record: Make) -> None:
    both = [record(np.arange(120) / hz, {"AU12": noise}, name=str(hz)) for hz in (30, 60)]
    result = smooth(pd.concat(both, ignore_index=True), method="moving", window=0.1)
    for part, size in zip(both, (3, 5), strict=True):
        expected = ndimage.uniform_filter1d(part["AU12"].to_numpy(), size)
        rows = result["input"] == part["input"].iloc[0]
        np.testing.assert_allclose(result.loc[rows, "AU12"], expected, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_bleeds_over_faces_recordings_and_gaps(
    record: Make, lose: Make, method: str
) -> None:
    table = pd.concat(
        [
            record(np.arange(60) / 30, {"AU12": noise}, tracks=2),
            record(np.arange(60) / 30, {"AU12": noise}, name="b"),
        ],
        ignore_index=True,
    )
    own = table.index[(table["input"] == "a.mp4") & (table["track"] == 0)]
    table = lose(table, own[[30]])
    changed = table.copy()
    changed.loc[changed["track"] == 1, "AU12"] += 5
    changed.loc[changed["input"] == "b", "AU12"] += 7
    changed.loc[own[31:], "AU12"] += 9  # behind the gap
    one, two = (smooth(t, method=method).loc[own[:30], "AU12"] for t in (table, changed))
    pd.testing.assert_series_equal(one, two)
    np.testing.assert_allclose(one, smooth(table.loc[own[:30]], method=method)["AU12"], atol=1e-12)


def test_a_short_gap_is_bridged_by_a_line_on_demand(record: Make, lose: Make) -> None:
    table = record(np.arange(60) / 30, {"AU12": noise})
    lost = lose(table, [20, 21, 40])
    line = table.copy()
    line.loc[[20, 21, 40], "AU12"] = np.nan
    line["AU12"] = line["AU12"].interpolate()
    expected = smooth(line)["AU12"].drop([20, 21, 40])
    result = smooth(lost, max_gap=0.1)["AU12"]
    assert np.flatnonzero(result.isna()).tolist() == [20, 21, 40]
    np.testing.assert_allclose(result.dropna(), expected, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_uneven_sampling_is_met(record: Make, method: str) -> None:
    rng = np.random.default_rng(1)
    even = np.arange(300) / 30
    uneven = even + rng.uniform(0, 0.4 / 30, 300)
    course = sine(0.8)
    fine = record(np.arange(3000) / 300, {"valence": course})
    true = smooth(fine, method=method, window=0.3)
    result = smooth(record(uneven, {"valence": course}), method=method, window=0.3)
    expected = np.interp(uneven, true["time"], true["valence"])
    inside = slice(10, -10)
    assert np.abs(result["valence"].to_numpy() - expected)[inside].max() < 0.02


def test_short_stretches_shrink_the_window(record: Make) -> None:
    table = record(np.arange(4) / 30, {"AU12": noise})
    x = table["AU12"].to_numpy()
    np.testing.assert_allclose(smooth(table)["AU12"], signal.savgol_filter(x, 3, 2), atol=1e-12)
    np.testing.assert_allclose(smooth(table, polyorder=4)["AU12"], x, atol=1e-12)
    assert smooth(table.iloc[:1])["AU12"].tolist() == x[:1].tolist()


def test_types_stay(record: Make) -> None:
    table = record(np.arange(20) / 30, {"AU12": noise}, dtype=np.float32).assign(label="x")
    result = smooth(table.sample(frac=1, random_state=0))
    assert result.dtypes.equals(table.dtypes)
    assert list(result.columns) == list(table.columns)
    np.testing.assert_allclose(result.sort_index()["AU12"], smooth(table)["AU12"])


def test_angles_are_smoothed_across_the_turn(record: Make) -> None:
    def turning(t: np.ndarray) -> np.ndarray:
        return (3.0 + t + np.pi) % (2 * np.pi) - np.pi

    table = record(np.arange(60) / 30, {"Yaw": turning})
    result = smooth(table, method="moving", window=0.1)
    np.testing.assert_allclose(result["Yaw"].iloc[1:-1], table["Yaw"].iloc[1:-1], atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"window": -0.1}, OptionError, "`window` must be above 0 s, but got -0.1"),
        ({"window": 0.02}, OptionError, r"0.02 s is 1 frame of a.mp4 \(30 Hz\).*at least 3"),
        ({"window": 0.1, "polyorder": 4}, OptionError, "must hold at least 5"),
        ({"method": "loess"}, OptionError, "'moving', but got 'loess'"),
        ({"columns": "au12"}, FexError, "Did you mean 'AU12'"),
    ],
    ids=["negative", "short", "polyorder", "method", "near"],
)
def test_wrong_calls(record: Make, arguments: dict[str, object], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        smooth(record(np.arange(20) / 30, {"AU12": noise}), **arguments)
