"""The measures of agreement, against SciPy, numbers worked out by hand, and known errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from facemt_analysis import read_fex, schema
from facemt_analysis.demo import TRUTH, compare
from facemt_analysis.demo.accuracy import (
    circular_error,
    concordance,
    correlation,
    f1_score,
    landmark_error,
    one_face,
)


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    return pd.DataFrame(read_fex(TRUTH))


def value(table: pd.DataFrame, task: str, feature: str, measure: str) -> float:
    (row,) = table.query(
        "task == @task and feature == @feature and measure == @measure"
    ).itertuples()
    return float(row.value)


def test_correlation_is_scipys_over_the_known_pairs() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 80))
    y += x
    x[3], y[9] = np.nan, np.nan
    known = np.isfinite(x) & np.isfinite(y)
    assert correlation(x, y) == pytest.approx(scipy.stats.pearsonr(x[known], y[known]).statistic)


def test_what_does_not_vary_has_no_correlation() -> None:
    assert np.isnan(correlation([1, 1, 1], [1, 2, 3]))
    assert np.isnan(correlation([], []))
    assert np.isnan(concordance([2, 2], [2, 2]))


def test_concordance_punishes_shift_and_scale() -> None:
    x = np.array([0.0, 1.0, 2.0, 3.0])
    assert concordance(x, x) == pytest.approx(1)
    # variance 1.25, covariance 1.25, shift 2: 2 * 1.25 / (1.25 + 1.25 + 4)
    assert concordance(x, x + 2) == pytest.approx(2.5 / 6.5)
    # variances 1.25 and 5, covariance 2.5, means 1.5 and 3
    assert concordance(x, 2 * x) == pytest.approx(5 / (6.25 + 2.25))
    assert concordance(x, -x + 3) == pytest.approx(-1)


def test_f1_by_hand() -> None:
    truth, found = [1, 1, 1, 0, 0, 0], [1, 1, 0, 1, 0, 0]  # 2 hits, 1 miss, 1 false alarm
    assert f1_score(truth, found) == pytest.approx(2 / 3)
    assert f1_score([0, 0], [1, 0]) == 0
    assert np.isnan(f1_score([0, 0], [0, 0]))


def test_angles_differ_around_the_circle() -> None:
    assert circular_error([np.pi - 0.1], [-np.pi + 0.1]) == pytest.approx(0.2)
    assert circular_error([0.1, np.nan], [0.4, 1.0]) == pytest.approx(0.3)


def test_landmark_error_is_relative_to_the_eye_corners(truth: pd.DataFrame) -> None:
    first = truth.head(3)
    moved = first.copy()
    names = [f"x_{i}" for i in range(68)]
    moved[names] = moved[names] + 5
    distance = np.hypot(first["x_36"] - first["x_45"], first["y_36"] - first["y_45"])
    np.testing.assert_allclose(landmark_error(moved, first), 5 / distance, rtol=1e-5)


def test_the_truth_agrees_with_itself(truth: pd.DataFrame) -> None:
    table = compare(truth, truth)
    assert value(table, "landmarks", "68 points", "median error") == 0
    assert value(table, "head pose", "yaw", "mean absolute error") == 0
    shares = table[~table["measure"].str.contains("error")]
    np.testing.assert_allclose(shares["value"], 1.0, atol=1e-9)


def test_planted_errors_come_back(truth: pd.DataFrame) -> None:
    wrong = truth.copy()
    wrong["Yaw"] = wrong["Yaw"] + np.float32(np.radians(3))
    wrong["gaze_yaw"] = -wrong["gaze_yaw"]
    wrong["AU12"] = 0.4 * wrong["AU12"]  # in step, but never above 0.5
    wrong[list(schema.EMOTIONS)] = np.float32(np.eye(7)[schema.EMOTIONS.index("Happy")])
    table = compare(wrong, truth)
    assert value(table, "head pose", "yaw", "mean absolute error") == pytest.approx(3, abs=1e-4)
    assert value(table, "head pose", "yaw", "r") == pytest.approx(1)
    assert value(table, "gaze", "yaw", "r") == pytest.approx(-1)
    assert value(table, "action units", "AU12", "r") == pytest.approx(1)
    assert value(table, "action units", "AU12", "F1 at 0.5") == 0
    likely = truth[list(schema.EMOTIONS)]
    clear = likely[(likely.max(axis=1) >= 0.5) & (likely.idxmax(axis=1) != "Neutral")]
    expected = (clear.idxmax(axis=1) == "Happy").mean()
    assert value(table, "emotion", "clear frames", "accuracy") == pytest.approx(expected)
    assert 0.1 < expected < 0.4  # five expressions share the clip


def test_frames_without_a_face_count_as_missed_only(truth: pd.DataFrame) -> None:
    features = [c for c in truth.columns if c not in schema.KEYS]
    lost = truth.copy()
    lost.loc[:49, features] = np.nan
    lost.loc[:49, "track"] = -1
    table = compare(lost, truth)
    assert value(table, "face", "face", "frames with it") == pytest.approx(0.75)
    assert value(table, "landmarks", "68 points", "median error") == 0
    assert set(table.query("task == 'gaze'")["n"]) == {150}


def test_no_face_at_all_gives_numbers_that_are_not_known(truth: pd.DataFrame) -> None:
    lost = truth.assign(track=-1)
    table = compare(lost, truth)
    assert value(table, "face", "face", "frames with it") == 0
    assert table["value"].iloc[1:].isna().all()


def test_the_main_face_is_the_one_seen_most() -> None:
    table = pd.DataFrame(
        {"frame": [0, 0, 1, 3], "track": [1, 0, 1, 1], "AU12": [0.1, 0.9, 0.2, 0.3]}
    )
    row = one_face(table, range(4))
    np.testing.assert_array_equal(row["AU12"], [0.1, 0.2, np.nan, 0.3])
