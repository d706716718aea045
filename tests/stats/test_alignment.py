"""Dynamic time warping: other libraries' numbers, a plain loop, planted delays, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from facemt_analysis.errors import FacemtError
from facemt_analysis.stats import dtw

Floats = NDArray[np.float64]


def walk(seed: int, n: int, k: int = 2) -> Floats:
    return np.random.default_rng(seed).normal(size=(n, k)).cumsum(0)


A, B, C = walk(1, 40), walk(2, 40), walk(3, 55)

# tslearn 0.10.0, dtw_path(a, b) and global_constraint="sakoe_chiba", sakoe_chiba_radius=5;
# dtaidistance 2.5.1, dtw_ndim.distance(a, b) and window=6, give the same.
TSLEARN = [(A, B, None, 26.716604616711138), (A, C, None, 15.46230657017748),
           (A, B, 5, 34.67417959192386)]  # fmt: skip


@pytest.mark.parametrize(("a", "b", "band", "expected"), TSLEARN, ids=["same", "longer", "band"])
def test_distance_is_that_of_tslearn(a: Floats, b: Floats, band: Any, expected: float) -> None:
    found = dtw(a, b, band=band, step_pattern="symmetric1", metric="sqeuclidean")
    assert found.distance == pytest.approx(expected, rel=1e-12)


def loop(a: Floats, b: Floats, diagonal: float) -> float:
    total = np.full((len(a) + 1, len(b) + 1), np.inf)
    for i in range(len(a)):
        for j in range(len(b)):
            cost = float(np.linalg.norm(a[i] - b[j]))
            ways = total[i, j] + diagonal * cost, total[i, j + 1] + cost, total[i + 1, j] + cost
            total[i + 1, j + 1] = cost if i == j == 0 else min(ways)
    return float(total[-1, -1])


@pytest.mark.parametrize(("pattern", "weight"), [("symmetric1", 1.0), ("symmetric2", 2.0)])
def test_distance_is_that_of_a_loop_and_of_its_path(pattern: Any, weight: float) -> None:
    for a, b in ((A, C), (C, A), (A[:1], B), (A[:, :1], B[:, :1])):
        found = dtw(a, b, step_pattern=pattern)
        assert found.distance == pytest.approx(loop(a, b, weight), rel=1e-12)
        steps = np.diff(found.path, axis=0)
        assert {tuple(s) for s in steps.tolist()} <= {(0, 1), (1, 0), (1, 1)}
        assert found.path[0].tolist() == [0, 0]
        assert found.path[-1].tolist() == [len(a) - 1, len(b) - 1]
        cost = np.linalg.norm(a[found.path[:, 0]] - b[found.path[:, 1]], axis=1)
        weights = np.where(steps.sum(1) == 2, weight, 1.0)
        assert found.distance == pytest.approx(cost[0] + (cost[1:] * weights).sum(), rel=1e-9)


def test_normalised_distance_is_per_point() -> None:
    shifted = dtw(np.zeros(30), np.full(30, 2.0))
    assert shifted.normalized_distance == pytest.approx(2 * 59 / 60)
    assert dtw(np.zeros(30), np.full(30, 2.0), step_pattern="symmetric1").normalized_distance == 2


def test_a_delay_is_the_lag_of_the_path() -> None:
    bump = np.exp(-((np.arange(100) - 40) ** 2) / 50)
    later = np.exp(-((np.arange(100) - 47) ** 2) / 50)
    found = dtw(bump, later)
    inside = found.path[(found.path[:, 0] > 35) & (found.path[:, 0] < 45)]
    assert np.median(inside[:, 1] - inside[:, 0]) == 7
    assert found.distance < 0.2 * np.abs(bump - later).sum()


def test_a_band_of_zero_is_the_plain_distance() -> None:
    plain = np.linalg.norm(A - B, axis=1)
    found = dtw(A, B, band=0, step_pattern="symmetric1")
    assert found.distance == pytest.approx(plain.sum())
    assert dtw(A, B).distance <= dtw(A, B, band=3).distance <= dtw(A, B, band=1).distance
    assert np.isfinite(dtw(A, C, band=0).distance)


def test_standardised_courses_have_no_scale() -> None:
    one = dtw(A, B, standardize=True).distance
    assert dtw(3 * A + 1, B * [1, 9] - 4, standardize=True).distance == pytest.approx(one)
    assert dtw(A, A).distance == 0


@pytest.mark.parametrize(
    ("a", "b", "options", "says"),
    [
        (A, B[:, :1], {}, "same features"),
        (A * np.nan, B, {}, "missing values"),
        (np.zeros((0, 2)), B, {}, "shape"),
        (np.zeros((5, 2)), B, {"standardize": True}, "constant"),
        (A, B, {"band": -1}, "band"),
        (A, B, {"step_pattern": "asymmetric"}, "step_pattern"),
        (A, B, {"metric": "cosine"}, "metric"),
    ],
    ids=["features", "nan", "empty", "constant", "band", "pattern", "metric"],
)
def test_wrong_calls_say_what_is_wrong(
    a: Floats, b: Floats, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(FacemtError, match=says):
        dtw(a, b, **options)
