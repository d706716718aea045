"""Trends, derivatives, confounds; nilearn's way of cleaning."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import signal

from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.signal import derivative, detrend, filter, regress_out

Make = Callable[..., pd.DataFrame]

T = np.arange(300) / 30
SLOW = np.sin(2 * np.pi * 0.4 * T)
SIGNALS = {
    "X": np.sin(2 * np.pi * 0.7 * T) + 0.3 * T + 0.5 * SLOW,
    "Y": np.cos(2 * np.pi * 1.1 * T) - 0.1 * T + 0.5 * SLOW,
}

# nilearn 0.14.1: signal.clean(SIGNALS, t_r=1/30, standardize=None, standardize_confounds=False, …)
# at samples 0, 50, 150 and 299
# detrend=True, filter=False
NILEARN_DETREND = [
    [-0.2546217358397229, 0.8711331701183909], [0.2635487372363504, -0.01878025756593199],
    [0.0008515777118390973, -0.9995690072579213], [0.06669978561115353, 1.0606068110886144],
]  # fmt: skip
# detrend=True, filter="butterworth" (order 5), low_pass=2.0
NILEARN_FILTER = [
    [-0.24965704359812607, 0.8627855278303258], [0.263540181059268, -0.02020400627670521],
    [0.0008515775534717468, -0.9972899985347916], [0.07803111860963777, 1.0731245614992067],
]  # fmt: skip
# detrend=False, filter=False, confounds=[SLOW, ones]
NILEARN_CONFOUNDS = [
    [-1.4949999999999972, 1.4983333333333326], [-0.3356019978943723, 0.9005424672262705],
    [0.005000000000001892, -1.0016666666666667], [1.3289520428450943, 0.48190054573732766],
]  # fmt: skip
SHOWN = [0, 50, 150, 299]


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame({"time": T, **SIGNALS, "Pitch": SLOW})


def test_trend_filter_and_confounds_are_those_of_nilearn(table: pd.DataFrame) -> None:
    shown = detrend(table, ["X", "Y"]).loc[SHOWN, ["X", "Y"]]
    np.testing.assert_allclose(shown, NILEARN_DETREND, atol=1e-9)
    shown = filter(table, ["X", "Y"], high=2.0, order=5, detrend=True).loc[SHOWN, ["X", "Y"]]
    np.testing.assert_allclose(shown, NILEARN_FILTER, atol=1e-9)
    shown = regress_out(table, ["X", "Y"], "Pitch", keep_mean=False).loc[SHOWN, ["X", "Y"]]
    np.testing.assert_allclose(shown, NILEARN_CONFOUNDS, atol=1e-9)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_a_polynomial_is_taken_out_of_uneven_samples_with_gaps(
    record: Make, lose: Make, order: int
) -> None:
    time = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.05, 100))
    table = lose(record(time, {"X": lambda t: 2 + (t - 1) ** order}, tracks=2), range(40, 60))
    result = detrend(table, order=order)
    np.testing.assert_allclose(result["X"].dropna(), 0, atol=1e-12)
    assert result["X"].isna().sum() == 20
    means = table.groupby("track")["X"].mean()
    kept = detrend(table, order=order, keep_mean=True)
    for track in (0, 1):
        np.testing.assert_allclose(kept.query("track == @track")["X"], means[track])


def test_a_line_out_of_a_regular_recording_is_scipy(table: pd.DataFrame) -> None:
    np.testing.assert_allclose(detrend(table)["X"], signal.detrend(SIGNALS["X"]), atol=1e-12)


def test_speeds_are_exact_for_parabolas_however_uneven(record: Make, lose: Make) -> None:
    time = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.025, 60))
    table = lose(record(time, {"valence": lambda t: 0.2 * t**2 - 0.3 * t}, tracks=2), [50, 51])
    result = derivative(table, "valence")
    expected = (0.4 * table["time"] - 0.3) / (1 + table["track"])
    lost = table["track"] < 0
    np.testing.assert_allclose(result.loc[~lost, "valence_per_s"], expected[~lost], atol=1e-10)
    assert result.loc[lost, "valence_per_s"].isna().all()
    pd.testing.assert_frame_equal(result.drop(columns="valence_per_s"), table)
    replaced = derivative(table, "valence", suffix="")
    np.testing.assert_allclose(replaced["valence"], result["valence_per_s"])


def test_no_speed_over_a_gap_or_of_a_lone_value(record: Make, lose: Make) -> None:
    table = lose(record(np.arange(7) / 10, {"AU12": lambda t: (t > 0.35) * 1.0}), [3, 5])
    speed = derivative(table, "AU12")["AU12_per_s"]
    np.testing.assert_array_equal(speed, [0, 0, 0, np.nan, np.nan, np.nan, np.nan])


def test_speed_of_an_angle_across_the_turn(record: Make) -> None:
    table = record(
        np.arange(60) / 30, {"Yaw": lambda t: (3 + 0.5 * t + np.pi) % (2 * np.pi) - np.pi}
    )
    np.testing.assert_allclose(derivative(table)["Yaw_per_s"], 0.5)


def test_confounds_are_taken_out_per_face(record: Make) -> None:
    table = record(np.arange(200) / 20, {"Pitch": np.sin, "AU04": np.cos}, tracks=2)
    rng = np.random.default_rng(0)
    own = rng.normal(0, 0.01, len(table))
    slope = np.where(table["track"] == 0, 0.5, -0.8)
    table["AU04"] = 0.4 + slope * table["Pitch"] + own
    result = regress_out(table, "AU04", "Pitch")
    for track in (0, 1):
        part = result[result["track"] == track]
        assert np.corrcoef(part["AU04"], part["Pitch"])[0, 1] == pytest.approx(0, abs=1e-9)
        before = table.loc[part.index]
        assert part["AU04"].mean() == pytest.approx(before["AU04"].mean())
        line = np.polyfit(before["Pitch"], before["AU04"], 1)
        expected = before["AU04"] - np.polyval(line, before["Pitch"]) + before["AU04"].mean()
        np.testing.assert_allclose(part["AU04"], expected, atol=1e-12)


def test_powers_missing_values_and_useless_confounds(table: pd.DataFrame) -> None:
    table = table.assign(AU04=0.3 + 0.2 * SLOW - 0.4 * SLOW**2, still=1.0, again=SLOW)
    table.loc[3, "AU04"] = np.nan
    table.loc[4, "Pitch"] = np.nan
    result = regress_out(table, "AU04", ["Pitch", "still", "again"], degree=2, keep_mean=False)
    assert np.flatnonzero(result["AU04"].isna()).tolist() == [3, 4]
    np.testing.assert_allclose(result["AU04"].dropna(), 0, atol=1e-12)


def test_people_can_be_fitted_together(record: Make) -> None:
    parts = [
        record(np.arange(30) / 10, {"Pitch": lambda t, a=a: t + a}, name=n).assign(subject="s")
        for n, a in (("a", 0), ("b", 5))
    ]
    table = pd.concat(parts, ignore_index=True)
    table["AU04"] = table["Pitch"] * 0.1
    together = regress_out(table, "AU04", "Pitch", by="subject")["AU04"]
    np.testing.assert_allclose(together, table["AU04"].mean())


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda t: regress_out(t, "X", ["X", "Pitch"]), FexError, "'X' is both in"),
        (lambda t: regress_out(t, "X", "pitch"), FexError, "Did you mean 'Pitch'"),
        (lambda t: regress_out(t, "X", "Pitch", degree=0), OptionError, "at least 1"),
        (lambda t: regress_out(t.iloc[:2], "X", "Pitch"), FexError, "the table: too few rows"),
        (lambda t: detrend(t, order=-1), OptionError, "`order` must be at least 0"),
        (lambda t: derivative(derivative(t), "X"), FexError, "a column 'X_per_s' already"),
    ],
)
def test_wrong_calls(
    table: pd.DataFrame, call: Callable[..., object], error: type, match: str
) -> None:
    with pytest.raises(error, match=match):
        call(table)


def test_undefined_fits_can_be_left_empty(table: pd.DataFrame) -> None:
    assert regress_out(table.iloc[:2], "X", "Pitch", undefined="nan")["X"].isna().all()
