"""The Fex: groups from names, missing groups, what people see, and no surprise for pandas."""

from __future__ import annotations

import inspect
import io
import pickle

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import schema
from facemt_analysis.errors import FacemtError, FexError, MissingGroupError
from facemt_analysis.fex import Fex, FexInfo, describe_columns, fex_from_blocks

ALL = [c for g in schema.GROUPS.values() for c in g.members]


def random_table(seed: int) -> tuple[Fex, list[str]]:
    """Some columns of the schema and some labels, in any order."""
    rng = np.random.default_rng(seed)
    columns = list(rng.choice(ALL, size=rng.integers(0, 60), replace=False))
    columns += [f"label{i}" for i in range(rng.integers(0, 3))]
    columns = [str(c) for c in rng.permutation(columns)]
    return Fex(rng.random((5, len(columns))), columns=columns), columns


@pytest.mark.parametrize("seed", range(40))
def test_groups_are_exactly_the_columns_there(seed: int) -> None:
    fex, columns = random_table(seed)
    assert list(fex.columns) == columns  # never reordered
    for name, group in schema.GROUPS.items():
        expected = [c for c in schema.canonical_order(columns) if c in group.members]
        assert hasattr(fex, name) == bool(expected) == (name in fex.groups)
        if expected:
            plain = getattr(fex, name)
            assert type(plain) is pd.DataFrame
            assert list(plain.columns) == expected
            pd.testing.assert_frame_equal(plain, pd.DataFrame(fex)[expected])
        else:
            with pytest.raises(MissingGroupError, match=f"no '{name}'"):
                getattr(fex, name)


@pytest.mark.parametrize("seed", range(40, 50))
def test_groups_never_go_stale(seed: int) -> None:
    fex, columns = random_table(seed)
    kept = columns[::2]
    assert fex[kept].groups == schema.groups_in(kept)
    assert fex.drop(columns=kept).groups == schema.groups_in(c for c in columns if c not in kept)
    renamed = fex.rename(columns={c: f"old_{c}" for c in columns})
    assert renamed.groups == ()


def test_every_group_has_a_documented_property() -> None:
    for name in schema.GROUPS:
        prop = inspect.getattr_static(Fex, name)
        assert isinstance(prop, property), name
        assert prop.__doc__
        assert prop.fget.__annotations__["return"] == "pd.DataFrame"


def test_missing_group_says_what_is_there_and_what_makes_it() -> None:
    fex = Fex({"frame": [0], "AU12": [0.5]})
    with pytest.raises(MissingGroupError) as caught:
        _ = fex.gazes
    text = str(caught.value)
    assert "keys, aus" in text
    assert "Detector" in text
    assert "\n" not in text
    assert isinstance(caught.value, AttributeError)
    assert isinstance(caught.value, FexError)
    with pytest.raises(MissingGroupError, match="none of the known groups"):
        _ = Fex({"x": [1]}).aus
    with pytest.raises(MissingGroupError, match="OpenFace"):
        _ = fex.intensities


def test_attribute_access_is_pandas_own() -> None:
    fex = Fex({"AU12": [0.5], "subject": ["s"], "frame": [3]})
    assert fex.AU12.tolist() == [0.5]
    assert fex.subject.tolist() == ["s"]
    assert fex.frame.tolist() == [3]
    with pytest.raises(AttributeError, match="object has no attribute 'nonsense'") as caught:
        _ = fex.nonsense
    assert not isinstance(caught.value, FacemtError)
    assert not hasattr(fex, "nonsense")
    assert getattr(fex, "gazes", None) is None
    with pytest.raises(AttributeError):
        fex.aus = 3
    with pytest.raises(AttributeError):
        fex.info = FexInfo()
    assert "AU12" in dir(fex)
    for name in (n for n, v in vars(Fex).items() if isinstance(v, property)):
        getattr(fex, name, None)  # no property raises anything but AttributeError


def test_editing_a_group_does_not_reach_the_table() -> None:
    fex = Fex({"AU01": np.zeros(3, np.float32), "AU12": np.zeros(3, np.float32)})
    aus = fex.aus
    aus["AU12"] = np.float32(1)
    assert (fex["AU12"] == 0).all()


def test_info_comes_from_the_argument_or_the_fex() -> None:
    info = FexInfo(weights="open")
    fex = Fex({"AU12": [0.1]}, info=info)
    assert fex.info is info
    assert Fex(fex).info is info
    assert Fex(fex, info=FexInfo()).info == FexInfo()
    assert Fex({"AU12": [0.1]}).info == FexInfo()
    with pytest.raises(TypeError, match="`info` must be a FexInfo, but got dict"):
        Fex({"AU12": [0.1]}, info={"weights": "open"})  # type: ignore[arg-type]


def test_empty_tables_work() -> None:
    for fex in (Fex(), Fex(columns=["input", "frame", "track", "time", "AU12"])):
        assert len(fex) == 0
        assert isinstance(repr(fex), str)
        assert isinstance(fex._repr_html_(), str)
        assert fex.validate().query("check == 'range'").empty
        assert fex.summary().rows == 0
        assert pickle.loads(pickle.dumps(fex)).groups == fex.groups


# ------------------------------------------------------------------ what people see
@pytest.fixture
def fex() -> Fex:
    keys = pd.DataFrame(
        {
            "input": ["a.mp4"] * 3 + ["<b>.mp4"] * 2,
            "frame": [0, 0, 1, 0, 1],
            "time": [0.0, 0.0, 0.5, 0.0, 0.25],
            "track": [0, 1, -1, 0, 0],
            "subject": ["s1"] * 3 + ["s2"] * 2,
        }
    )
    rng = np.random.default_rng(0)
    blocks = {g: rng.random((5, len(schema.GROUPS[g].columns))) for g in ("aus", "va")}
    return fex_from_blocks(blocks, keys)


def test_summary_counts(fex: Fex) -> None:
    summary = fex.summary()
    assert summary.rows == 5
    assert summary.recordings == fex.recordings == ("a.mp4", "<b>.mp4")
    assert (summary.frames, summary.faces, summary.tracks) == (4, 4, 3)
    assert (summary.start, summary.stop) == (0.0, 0.5)
    assert summary.frames_with_face == 3
    assert summary.seconds == 1.5  # each recording to the end of its last frame
    assert summary.hz == (2.0, 4.0)
    assert summary.groups == fex.groups == ("keys", "aus", "va")
    assert summary.labels == ("subject",)


def test_repr_is_one_line_and_the_table(fex: Fex) -> None:
    first, *rest = repr(fex).splitlines()
    expected = (
        "Fex: 5 rows · 2 recordings (a.mp4, <b>.mp4) · 1.50 s · 2–4 Hz · "
        "faces in 3 of 4 frames (75%) · 3 tracks · aus, va · labels: subject"
    )
    assert first == expected
    assert "\n".join(rest) == repr(pd.DataFrame(fex))
    assert repr(fex[["subject"]]) == repr(pd.DataFrame(fex)[["subject"]])


def test_repr_says_where_the_numbers_come_from(fex: Fex) -> None:
    info = FexInfo(tool="facemt_analysis 0.1.0", weights="open", weights_licence="MIT <2>")
    known = Fex(fex, info=info.with_log("quality.exclude").with_log("signal.filter"))
    line = "facemt_analysis 0.1.0 · weights open (MIT <2>) · then quality.exclude, signal.filter"
    assert repr(known).splitlines()[1] == line
    assert "MIT &lt;2&gt;" in known._repr_html_()
    assert Fex(fex, info=FexInfo(face_detector="haar")).info.headline() == "faces by haar"


def test_html_is_the_summary_and_the_table_escaped(fex: Fex) -> None:
    text = fex._repr_html_()
    assert "3 of 4 frames" in text
    assert "&lt;b&gt;.mp4" in text
    assert "<b>.mp4" not in text
    assert pd.DataFrame(fex)._repr_html_() in text
    with pd.option_context("display.notebook_repr_html", False):
        assert fex._repr_html_() is None
    with pd.option_context("display.large_repr", "info", "display.max_rows", 2):
        assert "RangeIndex: 5 entries" in repr(fex)
        assert "RangeIndex: 5 entries" in fex._repr_html_()
    with pd.option_context("display.max_rows", 2):
        assert "5 rows" in repr(fex).splitlines()[-1]


def test_recordings_need_the_column() -> None:
    with pytest.raises(MissingGroupError, match="no column 'input'"):
        _ = Fex({"frame": [1]}).recordings


def test_columns_are_described(fex: Fex) -> None:
    table = describe_columns(fex.assign(AU12_r=1.0)).set_index("column")
    assert table.loc["AU12", "group"] == "aus"
    assert "zygomaticus" in table.loc["AU12", "meaning"]
    assert "zygomaticus" in table.loc["AU12_r", "meaning"]
    assert tuple(table.loc["AU12_r", ["low", "high"]]) == (0, 5)
    assert tuple(table.loc["valence", ["low", "high"]]) == (-1, 1)
    assert np.isnan(table.loc["time", "low"])
    assert table.loc["subject", "group"] == "label"
    assert list(fex.describe_columns()["column"]) == list(fex.columns)


# ------------------------------------------------------------------ pandas that people use
def test_pandas_doors_other_than_keys_stay_open(fex: Fex) -> None:
    assert set(dict(fex.items())) == set(fex.columns)
    assert "AU12" in fex
    assert list(fex) == list(fex.columns)
    assert fex.to_dict("list")["frame"] == [0, 0, 1, 0, 1]
    text = io.StringIO()
    pd.DataFrame(fex).info(buf=text)
    assert "5 entries" in text.getvalue()
    assert fex.isin({"frame": [0]})["frame"].sum() == 3
    assert fex.equals(fex.copy())
    pd.testing.assert_frame_equal(fex, fex.copy())
    other = pd.DataFrame(fex)[["valence"]] * 0
    updated = fex.copy()
    updated.update(other)
    assert (updated["valence"] == 0).all()
    updated["new"] = 1
    updated.loc[0, "AU12"] = np.float32(0.25)
    assert updated.loc[0, "AU12"] == np.float32(0.25)
    assert type(updated) is Fex
