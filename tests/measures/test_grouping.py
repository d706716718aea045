"""Groups of segments: what is summed, what is averaged, and by what it is divided."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facemt_analysis.errors import FexError
from facemt_analysis.measures.grouping import group_rows, tidy


@pytest.fixture
def table() -> pd.DataFrame:
    """Two faces of one recording, sampled unevenly, and a second recording with a gap."""
    rows = [
        ("a", 0, 0.0, 0, "x", 1.0), ("a", 0, 0.0, 1, "x", 10.0),
        ("a", 1, 0.1, 0, "x", 2.0), ("a", 1, 0.1, 1, "x", 20.0),
        ("a", 2, 0.3, 0, "y", 4.0), ("a", 2, 0.3, 1, "y", np.nan),
        ("a", 3, 0.4, -1, "y", np.nan),
        ("b", 0, 0.0, 0, "x", 5.0), ("b", 1, 0.1, 0, "x", 6.0), ("b", 2, 0.2, 0, "x", 7.0),
        ("b", 9, 0.9, 0, "x", 8.0),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["input", "frame", "time", "track", "trial", "v"])


def test_one_row_per_recording_and_track(table: pd.DataFrame) -> None:
    rows = group_rows(table)
    values = rows.parts.values(table, "v")
    assert rows.table().to_dict("list") == {"input": ["a", "a", "b"], "track": [0, 1, 0]}
    assert rows.n_frames.tolist() == [3, 3, 4]
    assert rows.count(~np.isnan(values)).tolist() == [3, 2, 4]
    # the usual interval is 0.1 s; rows before a gap stand for no more
    assert rows.seconds(~np.isnan(values)) == pytest.approx([0.3, 0.2, 0.4])
    assert rows.mean(values) == pytest.approx([7 / 3, 15.0, 6.5])
    assert rows.total(values) == pytest.approx([7, 30, 26])
    assert rows.minimum(values).tolist() == [1, 10, 5]
    assert rows.maximum(values).tolist() == [4, 20, 8]


def test_columns_behave_as_one_by_one(table: pd.DataFrame) -> None:
    rows = group_rows(table, "trial")
    two = rows.parts.values(table.assign(w=-table["v"]), ["v", "w"])
    for method in (rows.mean, rows.sd, rows.total, rows.minimum, rows.maximum):
        both = method(two)
        np.testing.assert_allclose(both[:, 0], method(two[:, 0]))
        np.testing.assert_allclose(both[:, 1], method(two[:, 1]))
    np.testing.assert_allclose(rows.seconds(two > 5)[:, 1], 0)


def test_a_label_makes_unions_of_segments(table: pd.DataFrame) -> None:
    rows = group_rows(table, "trial")
    assert rows.table()["trial"].tolist() == ["x", "y"]
    assert rows.n_frames.tolist() == [8, 2]
    values = rows.parts.values(table, "v")
    # a row before a border of the label lasts the usual interval, as one at an end does
    assert rows.seconds(~np.isnan(values)) == pytest.approx([0.8, 0.1])


def test_differences_stay_within_faces_gaps_and_labels(table: pd.DataFrame) -> None:
    rows = group_rows(table)
    values = rows.parts.values(table, "v")
    follows = rows.pairs(~np.isnan(values))
    # a: 1→2 (0.1 s), not 2→4 (0.2 s at a usual 0.1 s is a gap); b: 5→6, 6→7
    assert rows.count(follows).tolist() == [1, 1, 2]


def test_sd_and_quantiles_are_those_of_numpy_when_sampled_evenly() -> None:
    values = np.random.default_rng(1).normal(size=101)
    frame = pd.DataFrame({"time": np.arange(101) / 25, "v": values})
    rows = group_rows(frame)
    assert rows.sd(values)[0] == pytest.approx(values.std())
    q = [0.0, 0.1, 0.5, 0.9, 1.0]
    assert rows.quantiles(values, q)[0] == pytest.approx(np.quantile(values, q, method="hazen"))


def test_uneven_sampling_weighs_by_time() -> None:
    # the second half is sampled three times as densely
    time = np.concatenate([np.arange(0, 3, 0.12), np.arange(3, 6, 0.1)])
    frame = pd.DataFrame({"time": time, "v": np.where(time < 3, 0.0, 1.0)})
    rows = group_rows(frame)
    values = frame["v"].to_numpy()
    assert rows.mean(values)[0] == pytest.approx(0.5)
    assert rows.sd(values)[0] == pytest.approx(0.5)
    assert values.mean() > 0.54


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param({"v": [1.0, 2.0, 6.0]}, id="no time"),
        pytest.param({"time": [np.nan] * 3, "v": [1.0, 2.0, 6.0]}, id="photographs"),
        pytest.param({"time": [0.0, np.nan, 5.0], "v": [1.0, 2.0, 6.0]}, id="some without time"),
    ],
)
def test_without_time_frames_weigh_the_same(frame: dict[str, list[float]]) -> None:
    table = pd.DataFrame(frame)
    rows = group_rows(table)
    values = rows.parts.values(table, "v")
    assert rows.mean(values).tolist() == [3.0]
    assert np.isnan(rows.seconds(values > 0)).all()


def test_a_lone_frame_counts_only_alone() -> None:
    frame = pd.DataFrame({"input": ["a", "b", "b"], "time": [0.0, 0.0, 0.1], "v": [9.0, 1.0, 3.0]})
    values = frame["v"].to_numpy()
    assert group_rows(frame).mean(values).tolist() == [9.0, 2.0]
    assert group_rows(frame, []).mean(values).tolist() == [2.0]


def test_nothing_gives_an_empty_table_or_one_row_without_values() -> None:
    frame = pd.DataFrame({"input": [], "track": [], "time": [], "v": []})
    assert len(group_rows(frame).table()) == 0
    rows = group_rows(frame, [])
    none = np.empty(0)
    assert rows.n_frames.tolist() == rows.count(none > 0).tolist() == [0]
    assert np.isnan([rows.mean(none), rows.sd(none), rows.maximum(none)]).all()


def test_tidy_keeps_features_of_a_group_together(table: pd.DataFrame) -> None:
    rows = group_rows(table)
    columns = [{"mean": np.array([0.0, 2.0, 4.0])}, {"mean": np.array([1.0, 3.0, 5.0])}]
    out = tidy(rows.table(), ["p", "q"], columns)
    assert list(out) == ["input", "track", "feature", "mean"]
    assert out["feature"].tolist() == ["p", "q"] * 3
    assert out["track"].tolist() == [0, 0, 1, 1, 0, 0]
    assert out["mean"].tolist() == [0, 1, 2, 3, 4, 5]


def test_time_that_goes_back_is_refused_even_where_it_need_not_be_there() -> None:
    with pytest.raises(FexError, match="time does not go forward"):
        group_rows(pd.DataFrame({"time": [0.0, 0.2, 0.1]}))
    with pytest.raises(FexError, match="no column 'time'"):
        group_rows(pd.DataFrame({"v": [0.0]}), need_time=True)
