"""Labels of the user's: every form of table, every check, rows and index untouched."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex, FexInfo


@pytest.fixture
def fex() -> Fex:
    return Fex(
        {
            "input": ["b.mp4", "a.mp4", "b.mp4", "c.mp4"],
            "track": [0, 0, 1, 0],
            "AU12": np.array([0.1, 0.2, 0.3, 0.4], np.float32),
            "subject": [2, 1, 2, 3],
        },
        index=[7, 7, 1, 0],
        info=FexInfo(weights="open"),
    )


TABLE = pd.DataFrame(
    {
        "input": ["a.mp4", "b.mp4", "c.mp4", "unused.mp4"],
        "session": [1, 2, 3, 4],
        "arm": pd.Categorical(["x", "y", "x", "z"], categories=["z", "y", "x"], ordered=True),
    }
)


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(TABLE, id="frame"),
        pytest.param(TABLE.set_index("input"), id="frame with named index"),
        pytest.param(TABLE.set_index("input").rename_axis(None), id="frame with plain index"),
        pytest.param(TABLE.sample(frac=1, random_state=1), id="frame in other order"),
        pytest.param(TABLE.to_dict("list"), id="mapping of columns"),
        pytest.param(TABLE.set_index("input").to_dict("index"), id="mapping of recordings"),
        pytest.param(Fex(TABLE), id="a Fex"),
    ],
)
def test_all_forms_of_tables(fex: Fex, table) -> None:
    out = fex.label(table)
    assert out["session"].tolist() == [2, 1, 2, 3]
    assert out["arm"].tolist() == ["y", "x", "y", "x"]
    assert list(out.columns) == [*fex.columns, "session", "arm"]
    assert out.index.tolist() == [7, 7, 1, 0]
    assert type(out) is Fex
    pd.testing.assert_frame_equal(pd.DataFrame(out)[list(fex.columns)], pd.DataFrame(fex))
    assert fex.info == FexInfo(weights="open")
    assert out.info.weights == "open"
    assert [(r.name, r.arguments) for r in out.info.log] == [
        ("label", {"on": "input", "columns": ("session", "arm")})
    ]


def test_dtypes_are_kept(fex: Fex) -> None:
    out = fex.label(TABLE)
    assert out["session"].dtype == np.int64
    assert out["arm"].dtype == TABLE["arm"].dtype
    assert out["AU12"].dtype == np.float32


def test_series_by_recording_or_another_key(fex: Fex) -> None:
    by_name = pd.Series({"a.mp4": "x", "b.mp4": "y", "c.mp4": "z"}, name="cond")
    assert fex.label(by_name)["cond"].tolist() == ["y", "x", "y", "z"]
    by_subject = pd.Series([10.0, 20.0, 30.0], index=[1, 2, 3], name="age")
    assert fex.label(by_subject, on="subject")["age"].tolist() == [20.0, 10.0, 20.0, 30.0]


@pytest.mark.parametrize("as_index", [False, True])
def test_several_keys(fex: Fex, as_index: bool) -> None:
    table = pd.DataFrame(
        {
            "input": ["a.mp4", "b.mp4", "b.mp4", "c.mp4"],
            "track": [0, 1, 0, 0],
            "person": ["A", "B1", "B0", "C"],
        }
    )
    on = ["input", "track"]
    out = fex.label(table.set_index(on) if as_index else table, on=on)
    assert out["person"].tolist() == ["B0", "A", "B1", "C"]
    nested = {("a.mp4", 0): {"p": 1}, ("b.mp4", 0): {"p": 2}, ("b.mp4", 1): {"p": 3},
              ("c.mp4", 0): {"p": 4}}  # fmt: skip
    assert fex.label(nested, on=on)["p"].tolist() == [2, 1, 3, 4]


def test_categorical_and_missing_keys(fex: Fex) -> None:
    fex = fex.assign(input=fex["input"].astype("category"))
    assert fex.label(TABLE)["session"].tolist() == [2, 1, 2, 3]
    gap = fex.assign(input=["b.mp4", None, "b.mp4", "c.mp4"])
    with pytest.raises(FexError, match="no labels for 1 of"):
        gap.label(TABLE)
    assert gap.label(TABLE, missing="ignore")["session"].isna().tolist() == [
        False,
        True,
        False,
        False,
    ]


def test_recordings_without_labels(fex: Fex) -> None:
    short = TABLE.head(1)
    with pytest.raises(FexError, match=r"no labels for 2 of 3 'input': 'b.mp4', 'c.mp4'") as caught:
        fex.label(short)
    assert "it has 'a.mp4'" in str(caught.value)
    assert "missing='warn'" in str(caught.value)
    with pytest.warns(UserWarning, match="no labels for 2 of 3"):
        out = fex.label(short, missing="warn")
    quiet = fex.label(short, missing="ignore")
    pd.testing.assert_frame_equal(out, quiet)
    np.testing.assert_array_equal(out["session"], [np.nan, 1, np.nan, np.nan])
    assert out["arm"].dtype == TABLE["arm"].dtype
    assert out.index.tolist() == [7, 7, 1, 0]
    with pytest.raises(FexError, match="`missing` must be"):
        fex.label(TABLE, missing="drop")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("table", "on", "message"),
    [
        (pd.concat([TABLE, TABLE.head(1)]), "input", "has several for 'a.mp4'"),
        (TABLE.assign(input=["a.mp4", None, "c.mp4", "d"]), "input", "missing values"),
        (TABLE[["session"]], "input", "must have the column 'input'"),
        (TABLE.rename(columns={"input": "file"}).set_index("file"), "input", "its index is 'file'"),
        (TABLE[["input"]], "input", "no column besides the key"),
        (TABLE, "clip", "`on` must name columns of the Fex.*'input', 'track', 'subject'"),
        (TABLE, [], "`on` must name columns"),
        (TABLE, ["input", "track"], "must have the columns 'input', 'track'"),
        (TABLE.rename(columns={"session": "subject"}), "input", "'subject' is already a column"),
        (
            TABLE.rename(columns={"session": "AU43"}),
            "input",
            "'AU43' is a column of the group 'aus'",
        ),
        (TABLE.rename(columns={"session": "va"}), "input", "'va' is a property"),
        (TABLE.rename(columns={"session": "gaze"}), "input", "'gaze' is a property"),
        (TABLE.rename(columns={"session": "label"}), "input", "'label' is a property"),
        (TABLE.rename(columns={"session": 3}), "input", "3 is not text"),
        (TABLE.set_axis(["input", "s", "s"], axis=1), "input", "'s' is there twice"),
        (pd.Series({"a.mp4": 1}), "input", "needs a name"),
        ({"a.mp4": 1}, "input", r"pd.Series\(mapping, name='label'\)"),
        ({"input": ["a"], "s": [1, 2]}, "input", "not a table"),
        ({}, "input", "mapping of labels must be"),
        ([("a.mp4", 1)], "input", "but got list"),
    ],
)
def test_wrong_tables_are_explained(fex: Fex, table, on, message: str) -> None:
    with pytest.raises(FexError, match=message) as caught:
        fex.label(table, on=on)
    assert "\n" not in str(caught.value)


def test_several_problems_are_one_error(fex: Fex) -> None:
    wrong = TABLE.rename(columns={"session": "subject", "arm": "AU01"})
    with pytest.raises(FexError, match=r"'subject' is already.*; 'AU01' is a column"):
        fex.label(wrong)


@pytest.mark.parametrize("seed", range(10))
def test_agrees_with_a_left_merge(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = [f"r{i}" for i in range(8)]
    table = pd.DataFrame({"input": rng.permutation(names), "v": rng.random(8), "w": rng.random(8)})
    fex = Fex({"input": rng.choice(names, 50), "AU12": rng.random(50)})
    expected = pd.DataFrame(fex).merge(table, on="input", how="left", validate="m:1")
    pd.testing.assert_frame_equal(pd.DataFrame(fex.label(table)), expected)


@pytest.mark.parametrize("name", ["a", "clips/a.mp4", "A.MP4", "a.csv"])
def test_names_that_nearly_match_are_pointed_out(fex: Fex, name: str) -> None:
    with pytest.raises(FexError, match=f"'a.mp4' and '{name}' differ in folder, extension or case"):
        fex.label({name: {"session": 1}})


def test_names_that_do_not_match_are_not_called_alike(fex: Fex) -> None:
    with pytest.raises(FexError, match="3 of 3 'input'") as caught:
        fex.label({"x.mp4": {"session": 1}})
    assert "differ in" not in str(caught.value)
