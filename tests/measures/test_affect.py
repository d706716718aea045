"""Valence and arousal: paths of known length, processes of known inertia."""

from __future__ import annotations

import time as clock
from typing import Any

import numpy as np
import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis.errors import FexError, MissingGroupError, OptionError
from facemt_analysis.measures import (
    QUADRANTS,
    affect_quadrants,
    affect_summary,
    affect_trajectory,
)


def film(valence: Any, arousal: Any = 0.0, step: float = 0.1, **columns: Any) -> pd.DataFrame:
    valence = np.asarray(valence, float)
    time = np.arange(len(valence)) * step
    table = {"frame": np.arange(len(valence)), "time": time, "valence": valence,
             "arousal": arousal}  # fmt: skip
    return pd.DataFrame(table | columns)


def ar1(n: int, phi: float, seed: int, mean: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = np.empty(n)
    x[0] = rng.normal() / np.sqrt(1 - phi**2)
    for i in range(1, n):
        x[i] = phi * x[i - 1] + rng.normal()
    return 0.1 * x + mean


# ----------------------------------------------------------------------------- known answers
def test_a_circle_has_its_circumference_and_equal_quadrants() -> None:
    # 9.6 s, 2 turns of radius 0.5, 240 frames per turn, none on an axis
    angle = 2 * np.pi * (np.arange(480) + 0.5) / 240
    row = affect_summary(film(0.5 * np.cos(angle), 0.5 * np.sin(angle), 0.02)).iloc[0]
    chord = 2 * 0.5 * np.sin(np.pi / 240)
    assert row["path_length"] == pytest.approx(479 * chord)
    assert row["path_per_minute"] == pytest.approx(chord / 0.02 * 60)
    assert row[[f"share_{q}" for q in QUADRANTS]].tolist() == pytest.approx([0.25] * 4 + [0])
    assert row["distance_mean"] == pytest.approx(0.5)
    assert row[["valence_mean", "arousal_mean"]].tolist() == pytest.approx([0, 0], abs=1e-12)
    assert row[["valence_sd", "arousal_sd"]].tolist() == pytest.approx([0.5 / np.sqrt(2)] * 2)
    assert row["valence_range"] == pytest.approx(1.0, abs=1e-3)
    assert row[["n_frames", "n_valid", "n_pairs"]].tolist() == [480, 480, 479]
    assert row["seconds"] == pytest.approx(9.6)


def test_a_staircase_has_known_differences() -> None:
    row = affect_summary(film([0, 0.2, 0.2, 0.5, 0.1], 0.3)).iloc[0]
    squares = np.array([0.2, 0, 0.3, 0.4]) ** 2
    assert row["valence_mssd"] == pytest.approx(squares.mean())
    assert row["valence_rmssd"] == pytest.approx(np.sqrt(squares.mean()))
    assert row["arousal_mssd"] == 0
    assert np.isnan(row["arousal_inertia"])  # a constant goes nowhere
    assert row["path_length"] == pytest.approx(0.9)
    assert row["path_per_minute"] == pytest.approx(0.9 / 0.4 * 60)


def test_shares_are_of_time() -> None:
    time = np.array([0, 1, 2.4, 3.4, 4.4])  # the second frame stands for 1.4 s
    table = film([0.5, -0.5, 0.5, 0.02, -0.5], [0.5, 0.5, -0.5, 0.02, -0.5]).assign(time=time)
    row = affect_summary(table).iloc[0]
    shares = [row[f"share_{q}"] for q in QUADRANTS]
    assert shares == pytest.approx(np.array([1, 1.4, 1, 1, 1]) / 5.4)
    assert affect_summary(table, neutral=0).iloc[0]["share_neutral"] == 0
    assert affect_summary(table, neutral=0.8).iloc[0]["share_neutral"] == pytest.approx(1)


def test_nothing_is_taken_over_gaps_losses_or_people() -> None:
    one = film([0, 0.1, np.nan, 0.6, 0.7], input="a", track=0)
    two = film([0.5, 0.5, 0.5, 0.5, 0.9], input="a", track=1)
    far = film([0, 0.1, 0.1, 0.9], input="b", track=0).assign(time=[0, 0.1, 0.2, 5.0])
    table = pd.concat([one, two, far]).sort_values(["input", "frame", "track"])
    summary = affect_summary(table)
    assert summary["path_length"].tolist() == pytest.approx([0.2, 0.4, 0.1])
    assert summary["n_pairs"].tolist() == [2, 4, 2]
    assert summary["valence_mssd"].tolist() == pytest.approx([0.01, 0.04, 0.005])
    together = affect_summary(table, []).iloc[0]
    assert together["path_length"] == pytest.approx(0.7)
    assert together["n_pairs"] == 8
    assert together["valence_mssd"] == pytest.approx((0.02 + 0.16 + 0.01) / 8)


def test_uneven_intervals_weigh_squares_by_their_length() -> None:
    # a random walk: the variance of a difference grows with the interval
    rng = np.random.default_rng(3)
    step = rng.uniform(0.02, 0.045, 40_000)
    walk = np.cumsum(rng.normal(0, 0.01 * np.sqrt(step)))
    table = film(walk).assign(time=np.cumsum(step))
    row = affect_summary(table).iloc[0]
    usual = np.median(np.diff(table["time"]))
    assert row["valence_mssd"] == pytest.approx(0.01**2 * usual, rel=0.03)


# ----------------------------------------------------------------------------- inertia
@pytest.mark.parametrize("phi", [0.0, 0.3, 0.8, 0.95])
def test_inertia_is_that_of_the_process(phi: float) -> None:
    row = affect_summary(film(ar1(20_000, phi, seed=1), step=0.5)).iloc[0]
    assert row["valence_inertia"] == pytest.approx(phi, abs=0.02)
    if phi > 0.5:
        assert row["valence_decay_time"] == pytest.approx(-0.5 / np.log(phi), rel=0.1)


def test_inertia_is_that_of_statsmodels() -> None:
    # statsmodels.tsa.ar_model.AutoReg(x, 1): conditional least squares with an intercept
    statsmodels = pytest.importorskip("statsmodels.tsa.ar_model")
    for seed, phi in ((1, 0.2), (2, 0.7), (3, 0.9)):
        x = ar1(300, phi, seed, mean=0.3)
        row = affect_summary(film(x)).iloc[0]
        fitted = statsmodels.AutoReg(x, 1).fit()
        assert row["valence_inertia"] == pytest.approx(fitted.params[1], rel=1e-9)


def test_inertia_with_losses_is_least_squares_of_the_pairs_that_are_there() -> None:
    x = ar1(400, 0.7, 5)
    x[np.random.default_rng(0).random(400) < 0.2] = np.nan
    row = affect_summary(film(x)).iloc[0]
    there = ~np.isnan(x[1:] + x[:-1])
    slope, _ = np.polyfit(x[:-1][there], x[1:][there], 1)
    assert row["n_pairs"] == there.sum()
    assert row["valence_inertia"] == pytest.approx(slope)


def test_levels_of_recordings_are_no_inertia() -> None:
    # white noise at very different levels: no frame tells about the next
    tables = [film(ar1(500, 0.0, i, mean=m), input=f"{i}") for i, m in enumerate((-0.5, 0.0, 0.5))]
    row = affect_summary(pd.concat(tables), []).iloc[0]
    assert abs(row["valence_inertia"]) < 0.06
    single = affect_summary(pd.concat(tables))
    weights = single["valence_sd"] ** 2
    assert row["valence_inertia"] == pytest.approx(
        np.average(single["valence_inertia"], weights=weights), abs=0.005
    )


def test_a_lag_in_seconds_does_not_depend_on_the_frame_rate() -> None:
    slow = ar1(40_000, 0.9, seed=2)
    step = 0.1
    for every in (1, 2, 5):
        row = affect_summary(film(slow[::every], step=step * every), lag=1.0).iloc[0]
        assert row["valence_inertia"] == pytest.approx(0.9**10, abs=0.04)
        assert row["valence_decay_time"] == pytest.approx(-0.1 / np.log(0.9), rel=0.12)
    # exactly the pairs that lie a lag apart
    row = affect_summary(film(slow[:1000]), lag=1.0).iloc[0]
    slope, _ = np.polyfit(slow[:990], slow[10:1000], 1)
    assert row["n_pairs"] == 990
    assert row["valence_inertia"] == pytest.approx(slope)
    assert row["valence_mssd"] == pytest.approx(((slow[10:1000] - slow[:990]) ** 2).mean())
    lossy = slow[:100].copy()
    lossy[50] = np.nan
    assert affect_summary(film(lossy), lag=1.0).iloc[0]["n_pairs"] == 40 + 39


# ----------------------------------------------------------------------------- quadrants
def test_quadrants_of_points() -> None:
    table = film([0.5, -0.5, -0.5, 0.5, 0.05, 0.0, np.nan], [0.5, 0.5, -0.5, -0.5, 0.05, 0.2, 0.1])
    found = affect_quadrants(table.set_index("frame"))
    assert found.tolist()[:6] == [*QUADRANTS, "pleasant_active"]
    assert found.isna().tolist() == [False] * 6 + [True]
    assert list(found.cat.categories) == list(QUADRANTS)
    assert affect_quadrants(table, neutral=0).iloc[4] == "pleasant_active"


# ----------------------------------------------------------------------------- trajectory
def test_trajectory_of_the_frames() -> None:
    one = film([0, 0.3, np.nan, 0.3, 0.3], [0, 0.4, 0.1, 0.4, -0.4], track=0)
    two = film([-0.5] * 5, 0.0, track=1)
    path = affect_trajectory(pd.concat([one, two]).sort_values(["frame", "track"]))
    assert list(path) == ["frame", "time", "track", "valence", "arousal", "distance", "angle",
                          "speed"]  # fmt: skip
    assert path["track"].tolist() == [0] * 5 + [1] * 5
    assert path["distance"].tolist()[:2] == pytest.approx([0, 0.5])
    assert path["speed"].isna().tolist() == [True, False, True, True, False] + [True] + [False] * 4
    assert path["speed"].tolist()[1] == pytest.approx(5.0)
    assert path["speed"].tolist()[4] == pytest.approx(8.0)
    assert path["angle"].iloc[6] == pytest.approx(np.pi)
    total = (path["speed"] * 0.1).groupby(path["track"]).sum()
    assert total.tolist() == pytest.approx(
        affect_summary(pd.concat([one, two]))["path_length"].tolist()
    )


def test_trajectory_at_another_rate() -> None:
    time = np.arange(0, 10, 1 / 30)
    table = film(0.5 * np.sin(2 * np.pi * 0.2 * time), 0.5 * np.cos(2 * np.pi * 0.2 * time), 1 / 30)
    path = affect_trajectory(table, hz=5)
    assert np.diff(path["time"]) == pytest.approx(0.2)
    inner = path.iloc[5:-5]
    assert inner["distance"].to_numpy() == pytest.approx(0.5, abs=0.005)
    assert inner["speed"].to_numpy() == pytest.approx(
        2 * 0.5 * np.sin(np.pi * 0.04) / 0.2, rel=0.02
    )


# ----------------------------------------------------------------------------- real, large, wrong
def test_ten_recordings(real_faces: fm.Fex) -> None:
    plain = pd.DataFrame(real_faces)
    summary = affect_summary(real_faces)
    grouped = plain.groupby("input", sort=False)
    for name in ("valence", "arousal"):
        column = grouped[name]
        assert summary[f"{name}_mean"].to_numpy() == pytest.approx(column.mean().to_numpy())
        assert summary[f"{name}_sd"].to_numpy() == pytest.approx(column.std(ddof=0).to_numpy())
        mssd = column.apply(lambda x: (x.diff() ** 2).mean())
        assert summary[f"{name}_mssd"].to_numpy() == pytest.approx(mssd.to_numpy())
        slope = column.apply(lambda x: np.polyfit(x.iloc[:-1], x.iloc[1:], 1)[0])
        assert summary[f"{name}_inertia"].to_numpy() == pytest.approx(slope.to_numpy())
    moved = grouped[["valence", "arousal"]].diff()
    path = np.hypot(moved["valence"], moved["arousal"]).groupby(plain["input"], sort=False).sum()
    assert summary["path_length"].to_numpy() == pytest.approx(path.to_numpy(), rel=1e-6)
    active = ((plain["valence"] >= 0) & (plain["arousal"] >= 0)).groupby(plain["input"], sort=False)
    found = affect_summary(real_faces, neutral=0)["share_pleasant_active"]
    assert found.to_numpy() == pytest.approx(active.mean().to_numpy())


def test_photographs_have_no_dynamics() -> None:
    table = film([0.1, 0.5], 0.2).assign(input=["a", "b"], time=np.nan)
    row = affect_summary(table, []).iloc[0]
    assert row["valence_mean"] == pytest.approx(0.3)
    assert row[["path_length", "path_per_minute", "valence_mssd", "seconds"]].isna().all()


def test_work_grows_with_rows() -> None:
    def seconds(n: int) -> float:
        table = film(ar1(n, 0.9, 1), ar1(n, 0.9, 2))
        best = np.inf
        for _ in range(3):
            start = clock.process_time()
            affect_summary(table)
            best = min(best, clock.process_time() - start)
        return float(best)

    assert seconds(100_000) < 20 * seconds(10_000)  # linear: at most 10


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        pytest.param(lambda t: affect_summary(t, neutral=-1), OptionError,
                     "`neutral` must be at least 0", id="negative radius"),
        pytest.param(lambda t: affect_summary(t, lag=0.0), OptionError, "`lag` must be above 0 s",
                     id="no lag"),
        pytest.param(lambda t: affect_summary(t, lag=0.01), OptionError,
                     r"at least half a frame interval \(0.05 s\)", id="lag too short"),
        pytest.param(lambda t: affect_summary(t.drop(columns="time"), lag=1.0), FexError,
                     "no column 'time'", id="lag without time"),
        pytest.param(lambda t: affect_summary(t.drop(columns="arousal")), FexError,
                     "no column 'arousal'", id="arousal missing"),
        pytest.param(lambda t: affect_summary(t, "who"), FexError, "`by`", id="by"),
        pytest.param(lambda t: affect_summary(t.assign(time=-t["time"])), FexError,
                     "time does not go forward", id="time goes back"),
        pytest.param(lambda t: affect_trajectory(t, hz=-5), OptionError, "`hz`", id="rate"),
        pytest.param(lambda t: affect_quadrants(t[["time"]]), FexError, "'valence'", id="no va"),
    ],
)  # fmt: skip
def test_wrong_calls(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(film([0.1, 0.2, 0.3]))


def test_missing_group_of_the_view() -> None:
    with pytest.raises(MissingGroupError, match="va"):
        fm.Fex({"AU12": [0.0]}).affect  # noqa: B018
