"""Recordings put together under names of their own, and picked out again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex, FexInfo

INFO = FexInfo(weights="open", options={"every": 1})


def make(name: str = "a.mp4", start: int = 0, info: FexInfo = INFO) -> Fex:
    return Fex(
        {
            "input": name,
            "frame": np.arange(start, start + 3),
            "track": [0, 1, -1],
            "AU12": np.full(3, 0.5, np.float32),
        },
        info=info,
    )


def test_rows_are_numbered_anew_and_metadata_stays() -> None:
    fex = Fex.concat([make(), make("b.mp4")])
    assert type(fex) is Fex
    assert fex.info == INFO
    assert fex.index.tolist() == list(range(6))
    assert fex.recordings == ("a.mp4", "b.mp4")
    assert fex["AU12"].dtype == np.float32


def test_metadata_that_differs_becomes_unknown() -> None:
    other = FexInfo(weights="open", options={"every": 2})
    assert Fex.concat([make(), make("b.mp4", info=other)]).info == FexInfo(weights="open")


def test_columns_that_a_table_lacks_are_missing() -> None:
    fex = Fex.concat([make(), make("b.mp4").assign(valence=np.float32(0.1), subject="s")])
    assert fex["valence"].isna().tolist() == [True] * 3 + [False] * 3
    assert fex.groups == ("keys", "aus", "va")


def test_the_same_frames_twice_are_refused_with_a_way_out() -> None:
    with pytest.raises(FexError, match=r"same frames of a recording 'a.mp4'.*'day1/a.mp4'"):
        Fex.concat([make(), make("b.mp4"), make()])
    with pytest.raises(FexError, match="same frames"):
        Fex.concat([make().drop(columns="frame"), make("a.mp4", 3)])


def test_parts_of_one_recording_are_one_recording() -> None:
    fex = Fex.concat([make(), make(start=3)])
    assert fex.recordings == ("a.mp4",)
    assert fex["frame"].tolist() == [0, 1, 2, 3, 4, 5]


def test_names_of_a_mapping() -> None:
    both = Fex.concat({"day1": make(), "day2": make()})
    assert both.recordings == ("day1/a.mp4", "day2/a.mp4")
    assert both.info == INFO
    plain = pd.DataFrame(make()).drop(columns="input")
    assert Fex.concat({"x": plain, "y": plain}).recordings == ("x", "y")


def test_plain_tables_become_a_fex_of_unknown_origin() -> None:
    assert Fex.concat([pd.DataFrame(make()), make("b.mp4")]).info == FexInfo()
    assert Fex.concat([make()]).info == INFO


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ([], "at least one table, but got none"),
        (make(), "put them into a list"),
        ([make(), 3], "must hold tables, but got int"),
        ([make(), make().drop(columns="input")], "1 of 2 tables have no column 'input'"),
    ],
    ids=["none", "one", "number", "unnamed"],
)
def test_wrong_tables(tables: object, message: str) -> None:
    with pytest.raises(FexError, match=message):
        Fex.concat(tables)  # type: ignore[arg-type]


# ------------------------------------------------------------------ select
def test_select_keeps_rows_index_and_metadata() -> None:
    fex = Fex.concat([make(), make("b.mp4"), make("c.mp4")])
    assert fex.select("b.mp4").index.tolist() == [3, 4, 5]
    assert fex.select("b.mp4").info == INFO
    assert fex.select(["c.mp4", "a.mp4"]).recordings == ("a.mp4", "c.mp4")
    assert fex.select(tracks=1)["frame"].tolist() == [1, 1, 1]
    assert len(fex.select("a.mp4", [0, -1])) == 2
    assert len(fex.select()) == 9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"recordings": "a.mp3"}, r"no input 'a.mp3'. Did you mean 'a.mp4'\? There is: a.mp4"),
        ({"recordings": ["a.mp4", "zzz"]}, r"no input 'zzz'\. There is: a.mp4\."),
        ({"tracks": 7}, "no track 7. There is: 0, 1, -1"),
    ],
    ids=["near", "unknown", "track"],
)
def test_what_is_not_there_is_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(FexError, match=message):
        make().select(**arguments)


def test_select_needs_the_column() -> None:
    with pytest.raises(FexError, match="`recordings` needs the column 'input'"):
        make().drop(columns="input").select("a.mp4")
