"""From frames to subjects."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats import available_measures, summarize

Study = Callable[..., pd.DataFrame]

TABLE = pd.DataFrame(
    {
        "subject": ["a"] * 6 + ["b"] * 3,
        "condition": ["x", "x", "x", "x", "y", "y", "x", "x", "y"],
        "input": ["1", "1", "1", "2", "3", "3", "4", "4", "5"],
        "AU12": [0.0, 0.3, np.nan, 0.9, 0.5, 0.7, np.nan, np.nan, 0.2],
        "AU06": [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.4, 0.6, 0.1],
    }
)


def test_recordings_weigh_the_same_or_by_their_frames() -> None:
    same = summarize(TABLE, by="condition", features=["AU12", "AU06"])
    assert same.columns.tolist() == [
        "subject", "condition", "n_recordings", "n_frames", "n_valid", "AU12", "AU06",
    ]  # fmt: skip
    assert same["n_recordings"].tolist() == [2, 1, 1, 1]
    assert same["n_frames"].tolist() == [4, 2, 2, 1]
    np.testing.assert_allclose(same["AU12"], [(0.15 + 0.9) / 2, 0.6, np.nan, 0.2])
    framed = summarize(TABLE, by="condition", features=["AU12", "AU06"], weights="frames")
    np.testing.assert_allclose(framed["AU12"], [1.2 / 3, 0.6, np.nan, 0.2])
    np.testing.assert_allclose(framed["AU06"], [0.1, 0.1, 0.5, 0.1])


def test_one_row_per_subject_and_valid_frames() -> None:
    table = summarize(TABLE, features="AU12")
    assert table["subject"].tolist() == ["a", "b"]
    assert table["n_valid"].tolist() == [5, 1]
    assert table["n_frames"].tolist() == [6, 3]


def test_subject_may_stand_in_by() -> None:
    pd.testing.assert_frame_equal(
        summarize(TABLE, by=["subject", "condition"], features="AU12"),
        summarize(TABLE, by="condition", features="AU12"),
    )


@pytest.mark.parametrize(
    ("how", "want"),
    [("max", (0.3 + 0.9) / 2), ("median", (0.15 + 0.9) / 2), (lambda s: s.max() * 2, 1.2)],
    ids=["max", "median", "function"],
)
def test_other_aggregations(how: object, want: float) -> None:
    got = summarize(TABLE, by="condition", features="AU12", how=how)
    assert got["AU12"].iloc[0] == pytest.approx(want)


def test_recordings_with_too_few_frames_do_not_count() -> None:
    got = summarize(TABLE, by="condition", features="AU12", min_frames=2)
    np.testing.assert_allclose(got["AU12"], [0.15, 0.6, np.nan, np.nan])


def test_rows_without_label_are_left_out() -> None:
    table = TABLE.assign(condition=TABLE["condition"].where(TABLE["condition"] != "y"))
    got = summarize(table, by="condition", features="AU12")
    assert got["condition"].tolist() == ["x", "x"]


def test_unused_categories_and_order_of_rows() -> None:
    table = TABLE.assign(condition=pd.Categorical(TABLE["condition"], ["z", "y", "x"]))
    got = summarize(table, by="condition", features="AU12")
    assert len(got) == 4
    shuffled = summarize(TABLE.sample(frac=1, random_state=1), by="condition", features="AU12")
    keys = ["subject", "condition"]
    pd.testing.assert_frame_equal(
        shuffled.sort_values(keys, ignore_index=True),
        summarize(TABLE, by="condition", features="AU12").sort_values(keys, ignore_index=True),
    )


def test_measures_are_functions_of_a_recording() -> None:
    def span(rows: pd.DataFrame) -> float:
        return float(rows["AU12"].max() - rows["AU12"].min())

    got = summarize(TABLE, by="condition", measures=span)
    np.testing.assert_allclose(got["span"], [0.15, 0.2, np.nan, 0.0])
    two = summarize(
        TABLE, features="AU06",
        measures={"au12": lambda rows: {"low": rows["AU12"].min(), "high": rows["AU12"].max()}},
    )  # fmt: skip
    assert two.columns.tolist()[-3:] == ["AU06", "au12.low", "au12.high"]
    np.testing.assert_allclose(two["au12.high"], [(0.3 + 0.9 + 0.7) / 3, 0.2])


NAMED = {
    "of every action unit": ("au.rate", "AU12.rate", 20),
    "of one": ("AU12.rate", "AU12.rate", 1),
    "emotion": ("emotion.share", "Happy.share", 7),
    "affect": ("affect.path_length", "affect.path_length", 1),
    "gaze": ("gaze.dispersion", "gaze.dispersion", 1),
    "pose": ("pose.speed_mean", "pose.speed_mean", 1),
    "blinks": ("blink.rate", "blink.rate", 1),
}


@pytest.mark.parametrize(("name", "column", "n"), NAMED.values(), ids=NAMED.keys())
def test_named_measures(name: str, column: str, n: int) -> None:
    fex = fm.datasets.load_sample_study()
    table = summarize(fex, by="condition", measures=name)
    assert len(table.columns) == 5 + n
    function = (
        available_measures()
        .set_index("name")
        .loc[{"AU12.rate": "au"}.get(name, name.split(".")[0]), "function"]
    )
    keys = ["subject", "condition", "input"]
    theirs = getattr(fm.measures, function)(fex, by=keys)
    if "feature" in theirs:
        theirs = theirs[theirs["feature"] == column.split(".")[0]]
    want = theirs.set_index(keys)[column.split(".")[1]].astype(float)
    got = table.set_index(["subject", "condition"])[column]
    for (subject, condition, _), value in want.items():
        assert got[subject, condition] == pytest.approx(value, nan_ok=True)


def test_all_measures_of_a_function_are_numbers() -> None:
    table = summarize(fm.datasets.load_sample_study(), by="condition", measures=["affect", "blink"])
    assert "affect.valence_mssd" in table
    assert "blink.source" not in table
    assert table.filter(like="seconds").empty


def test_unknown_column_of_a_measure() -> None:
    with pytest.raises(OptionError, match="Did you mean 'path_length'"):
        summarize(fm.datasets.load_sample_study(), measures="affect.pathlength")


def test_float32_is_averaged_in_double_precision() -> None:
    values = np.full(200_000, 0.1, dtype=np.float32)
    table = pd.DataFrame({"subject": "a", "AU12": values})
    assert summarize(table, features="AU12")["AU12"].iloc[0] == float(np.float32(0.1))


def test_a_fex_gives_a_plain_table_of_analysis_features() -> None:
    fex = fm.datasets.load_sample_study()
    table = summarize(fex, by="condition")
    assert type(table) is pd.DataFrame
    assert len(table) == 32
    assert "AU12" in table
    assert "FaceRectX" not in table


def test_means_are_the_planted_levels() -> None:
    fex, truth = fm.simulate_study(4, duration=4, fps=10, trials_per_condition=2, seed=3)
    got = summarize(fex, by=["condition", "trial"], features="AU12")
    levels = truth.levels.query("feature == 'AU12'")
    both = got.merge(levels, on=["subject", "condition", "trial"])
    np.testing.assert_allclose(both["AU12"], both["level"], atol=1e-6)


WRONG = {
    "no such subject": (
        lambda: summarize(TABLE, subject="person"), FexError, "no column 'person'",
    ),
    "near name": (lambda: summarize(TABLE, features="AU21"), FexError, "Did you mean 'AU12'"),
    "text feature": (lambda: summarize(TABLE, features="condition"), FexError, "not numbers"),
    "subject changes in a recording": (
        lambda: summarize(TABLE.assign(input="1.mp4"), features="AU12"),
        FexError, "'subject' changes within recording '1.mp4': a, b",
    ),
    "two faces of one person": (
        lambda: summarize(TABLE.assign(frame=[0, 1, 1, 0, 0, 1, 0, 1, 0]), features="AU06"),
        FexError, "frame 1 has several faces of subject a",
    ),
    "nobody": (
        lambda: summarize(TABLE.assign(subject=None), features="AU12"), FexError, "no row",
    ),
    "weights": (lambda: summarize(TABLE, weights="equal"), OptionError, "weights"),
    "how": (lambda: summarize(TABLE, how=3), OptionError, "how"),
    "unknown measure": (
        lambda: summarize(TABLE, measures="aux.rate"), OptionError, "no measure 'aux.rate'",
    ),
    "measure of the wrong kind": (
        lambda: summarize(TABLE, measures=lambda rows: rows["AU12"].to_numpy()),
        FexError, "must give a number",
    ),
    "measure with a feature's name": (
        lambda: summarize(TABLE, features="AU12", measures={"AU12": len}), FexError, "already",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "error", "match"), WRONG.values(), ids=WRONG.keys())
def test_wrong_calls(call: Callable[[], object], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()


def test_two_faces_with_a_person_each_are_fine(study: Study) -> None:
    both = study(2, ("x",))
    both["input"] = "together.mp4"
    both["track"] = (both["subject"] == "s01").astype(int)
    assert summarize(both, features="AU12")["n_frames"].tolist() == [6, 6]
