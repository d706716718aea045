"""Choosing rows, masking and clipping."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis.errors import FexError
from facemt_analysis.signal import clip, mask
from facemt_analysis.signal.selection import select_rows


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "track": [0, 0, 0, 0],
            "FaceRectX": [1.0, 2.0, 3.0, 4.0],
            "FaceScore": [0.9, 0.6, 0.95, 0.99],
            "Yaw": [0.1, 0.0, -0.8, 0.0],
            "AU12": np.array([0.1, 0.2, 0.3, 0.4], dtype=np.float32),
            "speaking": [False, False, False, True],
        }
    )


def test_rows_are_emptied_by_a_condition(table: pd.DataFrame) -> None:
    result = mask(table, "FaceScore < 0.7 or abs(Yaw) > 0.6")
    assert result["AU12"].isna().tolist() == [False, True, True, False]
    assert result["Yaw"].isna().tolist() == [False, True, True, False]
    pd.testing.assert_frame_equal(
        result[["track", "FaceRectX", "FaceScore"]], table[["track", "FaceRectX", "FaceScore"]]
    )
    assert result["AU12"].dtype == np.float32


def test_some_columns_by_a_column_of_booleans(table: pd.DataFrame) -> None:
    result = mask(fm.Fex(table), "speaking", ["AU12"])
    assert isinstance(result, fm.Fex)
    assert result["AU12"].isna().tolist() == [False, False, False, True]
    assert result["Yaw"].notna().all()


@pytest.mark.parametrize(
    "where",
    [
        {"speaking": True},
        {"FaceScore": [0.99, 7], "track": 0},
        np.array([0, 0, 0, 1], bool),
        pd.Series([False, False, False, True], index=[9, 8, 7, 6]),
        pd.Series([False, None, False, True], dtype="boolean"),
    ],
    ids=["mapping", "several", "array", "series by position", "nullable"],
)
def test_ways_to_choose(table: pd.DataFrame, where: object) -> None:
    assert select_rows(table, where).tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("where", "match"),
    [
        ("FaceScor < 0.7", "cannot make sense of 'FaceScor < 0.7'"),
        ("FaceScore", "must give booleans, but gave float64"),
        ("FaceScore + 1", "must give booleans"),
        ([0, 1, 0, 1], "must give booleans, but gave int64"),
        (True, "one boolean for each of the 4 rows"),
        ({"speakin": True}, "no column 'speakin'. Did you mean 'speaking'"),
    ],
)
def test_wrong_choices(table: pd.DataFrame, where: object, match: str) -> None:
    with pytest.raises(FexError, match=match):
        mask(table, where)


def test_scores_are_cut_to_their_range() -> None:
    table = pd.DataFrame({"AU12": [-0.1, 1.2, np.nan], "valence": [-1.5, 0.5, 2.0],
                          "Yaw": [0.0, 3.0, -3.0], "X": [9.0, 8.0, 7.0]})  # fmt: skip
    result = clip(table)
    np.testing.assert_array_equal(result["AU12"], [0, 1, np.nan])
    np.testing.assert_array_equal(result["valence"], [-1, 0.5, 1])
    pd.testing.assert_frame_equal(result[["Yaw", "X"]], table[["Yaw", "X"]])
    with pytest.raises(FexError, match="'X' has no range"):
        clip(table, ["AU12", "X"])
