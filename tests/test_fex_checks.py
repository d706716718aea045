"""What `validate` reports, and that it is silent about good tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facemt_analysis.fex import Fex, find_problems


def good() -> Fex:
    return Fex(
        {
            "input": ["a", "a", "a", "b", "b"],
            "frame": [0, 0, 1, 0, 1],
            "time": [0.0, 0.0, 0.1, 0.0, 0.2],
            "track": [0, 1, -1, 0, 0],
            "FaceScore": np.array([1, 1, 0, 1, 1], np.float32),
            "AU12": np.array([0.0, 1.0, np.nan, 0.5, 0.5], np.float32),
            "Pitch": np.array([0.0, 1.0, np.nan, -3.1, 3.1], np.float32),
            "FrameHeight": [480] * 5,
            "subject": ["s"] * 5,
        }
    )


def test_a_good_table_has_no_problem() -> None:
    problems = good().validate()
    assert type(problems) is pd.DataFrame
    assert list(problems.columns) == ["check", "column", "rows", "message"]
    assert problems.empty
    assert good().iloc[::-1].validate().empty  # order of rows does not matter


def test_tables_without_keys_or_times_are_fine() -> None:
    assert good().drop(columns=["input", "frame", "time", "track"]).validate().empty
    assert good().assign(time=np.nan).validate().empty  # photographs
    assert Fex().validate().empty


def _duplicate(fex: Fex) -> Fex:
    return Fex(pd.concat([pd.DataFrame(fex), pd.DataFrame(fex)[["AU12"]]], axis=1))


def _no_face_beside_a_face(fex: Fex) -> Fex:
    return fex.assign(track=[0, -1, -1, 0, 0], AU12=np.nan, Pitch=np.nan)


@pytest.mark.parametrize(
    ("spoil", "check", "column", "rows", "message"),
    [
        (_duplicate, "columns", "AU12", 5, "there 2 times"),
        (lambda f: f.assign(aus=1), "columns", "aus", 5, "has a property 'aus'"),
        (lambda f: f.assign(emotion=1), "columns", "emotion", 5, "property 'emotion'"),
        (lambda f: f.rename(columns={"subject": 4}), "columns", "4", 5, "must be text"),
        (lambda f: f.assign(AU12="x"), "dtype", "AU12", 5, "floating point"),
        (lambda f: f.assign(AU12=1), "dtype", "AU12", 5, "floating point, but is int64"),
        (lambda f: f.assign(frame=f["frame"] / 2), "dtype", "frame", 5, "integer"),
        (lambda f: f.assign(time="0:01"), "dtype", "time", 5, "seconds"),
        (lambda f: f.assign(AU12=f["AU12"] * 2), "range", "AU12", 1, "0 to 1, but are in 0 to 2"),
        (lambda f: f.assign(Pitch=f["Pitch"] - 1), "range", "Pitch", 1, "must be in"),
        (lambda f: f.assign(Pitch=np.inf), "range", "Pitch", 5, "infinite"),
        (lambda f: f.assign(track=-2), "range", "track", 5, "must be in -1"),
        (lambda f: f.assign(input=[None, "a", "a", "b", "b"]), "keys", "input", 1, "missing"),
        (lambda f: f.assign(track=0), "keys", None, 1, "repeat the key"),
        (lambda f: f.assign(AU12=np.float32(0.5)), "keys", "track", 1, "have features"),
        (_no_face_beside_a_face, "keys", "track", 1, "beside"),
        (lambda f: f.assign(time=[0, 0, np.nan, 0, 0.2]), "time", "time", 1, "missing"),
        (lambda f: f.assign(time=[0, 0.05, 0.1, 0, 0.2]), "time", "time", 1, "different times"),
        (lambda f: f.assign(time=[0.2, 0.2, 0.1, 0, 0.2]), "time", "time", 1, "not increase"),
    ],
)
def test_each_problem_is_found(spoil, check: str, column: str, rows: int, message: str) -> None:
    problems = spoil(good()).validate()
    found = problems[problems["check"] == check]
    assert len(found) == 1, problems
    row = found.iloc[0]
    assert (row["column"] if column else None) == column
    assert row["rows"] == rows
    assert message in row["message"]


def test_rounding_is_not_a_problem() -> None:
    assert find_problems(pd.DataFrame({"AU12": np.array([1 + 1e-6, -1e-7], np.float32)})).empty


def test_several_problems_are_all_listed() -> None:
    spoiled = good().assign(AU12=np.float32(7), track=0, time=0.0)
    assert set(spoiled.validate()["check"]) == {"range", "keys", "time"}
