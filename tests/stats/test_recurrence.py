"""Recurrence quantification: another library's numbers, loops, known patterns, refusals."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from facemt_analysis.errors import FacemtError
from facemt_analysis.stats import recurrence_quantification

Floats = NDArray[np.float64]


def walk(seed: int, n: int = 120, k: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(size=(n, k)).cumsum(0)


# NeuroKit2 0.2.12, complexity_rqa(x, dimension=2, delay=3, tolerance=.3, min_linelength=2,
# method="python"), x = walk(5) standardised; Divergence 0.026316 is 1 / longest line. It counts
# vertical lines of one triangle only, so laminarity is compared with a loop below.
NEUROKIT = {"recurrence_rate": 0.096670, "determinism": 0.853659, "mean_line": 4.590164,
            "longest_line": 1 / 0.026316, "entropy": 1.909110}  # fmt: skip


def test_measures_are_those_of_neurokit() -> None:
    found = recurrence_quantification(walk(5), radius=0.3, dimension=2, delay=3).table.iloc[0]
    for name, value in NEUROKIT.items():
        assert found[name] == pytest.approx(value, rel=2e-5), name


def runs(line: Any) -> list[int]:
    return [len(list(group)) for value, group in groupby(line) if value]


def loop(matrix: NDArray[np.bool_], least: int) -> dict[str, float]:
    n, m = matrix.shape
    along = [r for k in range(1 - n, m) for r in runs(np.diagonal(matrix, k)) if r >= least]
    upright = [r for row in matrix for r in runs(row) if r >= least]
    share = np.unique(along, return_counts=True)[1] / len(along)
    return {
        "determinism": sum(along) / matrix.sum(), "mean_line": float(np.mean(along)),
        "longest_line": max(along), "entropy": float(-(share * np.log(share)).sum()),
        "laminarity": sum(upright) / matrix.sum(),
        "trapping_time": float(np.mean(upright or np.nan)),
    }  # fmt: skip


@pytest.mark.parametrize("least", [2, 4])
@pytest.mark.parametrize("kind", ["auto", "cross", "multidimensional"])
def test_measures_are_those_of_a_loop(kind: str, least: int) -> None:
    k = 3 if kind == "multidimensional" else 1
    a, b = walk(1, 70, k), None if kind == "auto" else walk(2, 55, k)
    found = recurrence_quantification(a, b, recurrence_rate=0.1, min_line=least, theiler=3)
    z = [(x - x.mean(0)) / x.std(0) for x in (a, a if b is None else b)]
    distance = np.linalg.norm(z[0][:, None] - z[1][None], axis=2)
    row = found.table.iloc[0]
    expected = distance <= row["radius"]
    if b is None:
        i = np.arange(70)
        expected &= np.abs(i - i[:, None]) >= 3
    np.testing.assert_array_equal(found.matrix, expected)
    for name, value in loop(expected, least).items():
        assert row[name] == pytest.approx(value, nan_ok=True), name
    assert row["recurrence_rate"] == pytest.approx(0.1, abs=0.005)
    middle = found.lags == 4
    assert found.profile[middle][0] == pytest.approx(np.diagonal(expected, 4).mean())


def test_a_periodic_course_is_all_lines_and_random_numbers_are_few() -> None:
    wave = np.sin(np.arange(200) * 2 * np.pi / 20)
    periodic = recurrence_quantification(wave, radius=0.1, dimension=2, delay=5).table.iloc[0]
    assert periodic["determinism"] == 1
    assert periodic["longest_line"] == 195 - 20
    noise = np.random.default_rng(1).normal(size=200)
    assert recurrence_quantification(noise).table["determinism"].item() < 0.2


def test_the_profile_peaks_at_the_delay() -> None:
    a = walk(3, 300)[:, 0]
    delayed = np.roll(a, 12)
    found = recurrence_quantification(a[20:-20], delayed[20:-20], max_lag=40)
    assert found.lags[[0, -1]].tolist() == [-40, 40]
    assert found.lags[found.profile.argmax()] == 12


def test_nothing_recurrent_has_no_lines() -> None:
    row = recurrence_quantification(np.arange(10.0), radius=0.0).table.iloc[0]
    assert row["recurrence_rate"] == 0
    assert row["longest_line"] == 0
    assert np.isnan(row[["determinism", "mean_line", "entropy", "laminarity"]].to_list()).all()


@pytest.mark.parametrize(
    ("a", "options", "says"),
    [
        (np.full(20, np.nan), {}, "missing"),
        (np.ones(20), {}, "constant"),
        (walk(1, 5), {"dimension": 3, "delay": 2}, "too few"),
        (walk(1), {"b": walk(1, 9, 2)}, "same number of features"),
        (walk(1), {"recurrence_rate": None}, "radius"),
        (walk(1), {"recurrence_rate": 0}, "recurrence_rate"),
        (walk(1), {"theiler": 200}, "theiler"),
        (walk(1), {"min_line": 1}, "min_line"),
        (walk(1), {"metric": "cosine"}, "metric"),
        (np.zeros((2, 2, 2)), {}, "shape"),
    ],
    ids=["nan", "constant", "short", "features", "neither", "rate", "theiler", "line", "metric",
         "shape"],
)  # fmt: skip
def test_wrong_calls_say_what_is_wrong(a: Floats, options: dict[str, Any], says: str) -> None:
    with pytest.raises(FacemtError, match=says):
        recurrence_quantification(a, **options)
