"""Cutting tables into stretches of one face of one recording."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facemt_analysis.errors import FexError
from facemt_analysis.signal import cut, find_runs


@pytest.fixture
def dyad() -> pd.DataFrame:
    """Two recordings, two interleaved faces in the first; one frame without a face, one gap."""
    rows = [
        ("a", 0, 0.0, 0, "x"), ("a", 0, 0.0, 1, "x"), ("a", 1, 0.1, 0, "x"), ("a", 1, 0.1, 1, "x"),
        ("a", 2, 0.2, -1, "x"), ("a", 3, 0.3, 0, "y"), ("a", 4, 0.4, 0, "y"), ("a", 4, 0.4, 1, "y"),
        ("b", 0, 0.0, 0, "x"), ("b", 1, 0.5, 0, "x"), ("b", 2, 1.0, 0, None),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["input", "frame", "time", "track", "trial"])


def stretches(frame: pd.DataFrame, by: object = None) -> list[list[int]]:
    parts = cut(frame, by)
    return [frame.index[parts.order[s]].tolist() for s in parts.slices()]


def test_each_face_of_each_recording_is_a_segment(dyad: pd.DataFrame) -> None:
    assert stretches(dyad) == [[0, 2, 5, 6], [1, 3, 7], [8, 9, 10]]
    parts = cut(dyad)
    assert parts.keys.to_dict("list") == {"input": ["a", "a", "b"], "track": [0, 1, 0]}
    # the rate is the recording's, not that of the frames in which this face was found
    assert parts.step == pytest.approx([0.1, 0.1, 0.5])


def test_the_order_of_rows_does_not_matter(dyad: pd.DataFrame) -> None:
    shuffled = dyad.sample(frac=1, random_state=3)
    assert sorted(stretches(shuffled)) == sorted(stretches(dyad))


def test_a_label_cuts_a_track_and_a_missing_one_leaves_rows_out(dyad: pd.DataFrame) -> None:
    assert stretches(dyad, "trial") == [[0, 2], [1, 3], [8, 9], [5, 6], [7]]
    parts = cut(dyad, ["trial"])
    assert parts.groups["trial"].tolist() == ["x", "y"]
    assert parts.group.tolist() == [0, 0, 0, 1, 1]
    assert len(parts.row_group) == len(parts.order) == 9


def test_grouping_by_nothing_keeps_the_segments_apart(dyad: pd.DataFrame) -> None:
    parts = cut(dyad, [])
    assert len(parts) == 3
    assert len(parts.groups) == 1
    assert set(parts.group) == {0}


def test_gaps_and_durations(dyad: pd.DataFrame) -> None:
    parts = cut(dyad)
    begins = [0, 2, 4, 6, 7]
    assert np.flatnonzero(parts.breaks).tolist() == begins
    # a row before a gap and the last one last the usual interval
    assert parts.lasts == pytest.approx([0.1] * 7 + [0.5] * 3)
    assert np.isnan(parts.since[parts.first]).all()


def test_uneven_sampling_lasts_until_the_next_row() -> None:
    parts = cut(pd.DataFrame({"time": [0.0, 1.0, 2.0, 3.4, 4.4, 9.0]}))
    assert parts.step == pytest.approx([1.0])
    assert parts.lasts == pytest.approx([1.0, 1.0, 1.4, 1.0, 1.0, 1.0])


def test_values_come_in_the_order_of_segments(dyad: pd.DataFrame) -> None:
    table = dyad.assign(AU12=np.arange(len(dyad), dtype=np.float32))
    parts = cut(table)
    values = parts.values(table, "AU12")
    assert values.dtype == np.float64
    assert values.tolist() == [0, 2, 5, 6, 1, 3, 7, 8, 9, 10]
    assert parts.values(table, ["AU12", "time"]).shape == (10, 2)
    values[0] = 5  # the copy is ours, whatever pandas shares
    assert table["AU12"].iloc[0] == 0


def test_a_table_without_keys_is_one_face() -> None:
    parts = cut(pd.DataFrame({"time": [0.0, 0.1], "AU12": [0, 1]}))
    assert len(parts) == 1
    assert parts.keys.shape == (1, 0)


def test_an_empty_table_has_no_segments() -> None:
    parts = cut(pd.DataFrame({"input": [], "track": [], "time": []}))
    assert len(parts) == 0
    assert len(parts.lasts) == len(parts.order) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda d: d.drop(columns="time"), "no column 'time'", id="no time"),
        pytest.param(lambda d: d.assign(time=d["time"].where(d["frame"] > 0)), "missing in 3 rows",
                     id="time missing"),
        pytest.param(lambda d: d.assign(time=d["time"].mask(d.index == 2, -1.0)),
                     r"a, track 0: time does not go forward at frame 1 \(-1 s after 0 s\)",
                     id="time goes back"),
        pytest.param(lambda d: pd.concat([d, d.iloc[[5]]]), "frame 3 the same track is there twice",
                     id="face twice"),
        pytest.param(lambda d: d.drop(columns="track"), "frame 0 there are several faces",
                     id="faces without tracks"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_cut(dyad: pd.DataFrame, change: object, message: str) -> None:
    with pytest.raises(FexError, match=message):
        cut(change(dyad))  # type: ignore[operator]


def test_unknown_label_offers_near_names(dyad: pd.DataFrame) -> None:
    with pytest.raises(FexError, match=r"`by`: there is no column 'trail'. Did you mean 'trial'"):
        cut(dyad, "trail")


@pytest.mark.parametrize(
    ("holds", "breaks", "expected"),
    [
        pytest.param([], [], [], id="nothing"),
        pytest.param([1, 1, 1], [1, 0, 0], [(0, 3)], id="all"),
        pytest.param([0, 0], [1, 0], [], id="never"),
        pytest.param([1, 1, 1, 1], [1, 0, 1, 0], [(0, 2), (2, 4)], id="cut by a border"),
        pytest.param([1, 2, 2, 0, 2], [1, 0, 0, 0, 0], [(0, 1), (1, 3), (4, 5)], id="states"),
    ],
)
def test_runs(holds: list[int], breaks: list[int], expected: list[tuple[int, int]]) -> None:
    runs = find_runs(np.array(holds, dtype=int), np.array(breaks, dtype=np.bool_))
    assert list(zip(runs.start.tolist(), runs.stop.tolist(), strict=True)) == expected
