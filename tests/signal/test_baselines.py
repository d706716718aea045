"""Signals relative to a person's own baseline."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.signal import baseline, standardize

Make = Callable[..., pd.DataFrame]


@pytest.fixture
def people(record: Make) -> pd.DataFrame:
    """Two people with two recordings each, at 10 Hz; rest levels 0.2 and 0.4."""
    tables = []
    for i, subject in enumerate(("ann", "bob")):
        for condition in ("rest", "film"):
            level, size = 0.2 * (i + 1), 0.1 if condition == "rest" else 0.3
            table = record(
                np.arange(40) / 10,
                {"AU12": lambda t, a=level, b=size: a + b * (t >= 2)},
                name=f"{subject}-{condition}",
            )
            tables.append(table.assign(subject=subject, condition=condition))
    return pd.concat(tables, ignore_index=True)


def levels(frame: pd.DataFrame) -> dict[str, list[float]]:
    """Values of the first and the second half of each recording."""
    return {
        str(name): [float(part["AU12"].iloc[0]), float(part["AU12"].iloc[-1])]
        for name, part in frame.groupby("input", sort=False)
    }


def test_a_window_at_the_start_of_every_recording(people: pd.DataFrame) -> None:
    found = levels(baseline(people, window=(0, 1.5)))
    assert found == {
        "ann-rest": pytest.approx([0, 0.1]),
        "ann-film": pytest.approx([0, 0.3]),
        "bob-rest": pytest.approx([0, 0.1]),
        "bob-film": pytest.approx([0, 0.3]),
    }


def test_both_ends_of_a_window_count(people: pd.DataFrame) -> None:
    # rows at 1.8, 1.9 and 2.0: two at rest, one of a display of 0.3
    film = people[people["condition"] == "film"]
    found = levels(baseline(film, window=(1.8, 2.0), min_frames=3))
    assert found["ann-film"] == pytest.approx([-0.1, 0.2])


def test_a_neutral_condition_stands_for_the_other_recordings(people: pd.DataFrame) -> None:
    answers = {"ann-rest": [-0.05, 0.05], "ann-film": [-0.05, 0.25]}
    for where in ({"condition": "rest"}, "condition == 'rest'", people["condition"] == "rest"):
        found = levels(baseline(people, where=where))
        assert {k: found[k] for k in answers} == {k: pytest.approx(v) for k, v in answers.items()}
    both = levels(baseline(people, where={"condition": "rest"}, window=(2.0, 9.0)))
    assert both["bob-film"] == pytest.approx([-0.1, 0.2])


def test_per_track_without_a_subject(people: pd.DataFrame) -> None:
    found = levels(baseline(people.drop(columns="subject")))
    assert found["ann-film"] == pytest.approx([-0.15, 0.15])
    same = levels(baseline(people, by=["input", "track"]))
    assert same == {k: pytest.approx(v) for k, v in found.items()}


@pytest.mark.parametrize(
    ("arguments", "ann"),
    [
        ({"method": "mean"}, lambda x, r: x - r.mean()),
        ({"method": "median"}, lambda x, r: x - np.median(r)),
        ({"method": "quantile", "quantile": 0.1}, lambda x, r: x - np.quantile(r, 0.1)),
        ({"mode": "z"}, lambda x, r: (x - r.mean()) / r.std(ddof=1)),
        (
            {"mode": "z", "method": "median"},
            lambda x, r: (x - np.median(r)) / (1.4826022 * np.median(np.abs(r - np.median(r)))),
        ),
        ({"mode": "percent"}, lambda x, r: 100 * (x - r.mean()) / r.mean()),
        ({"mode": "ratio", "method": "median"}, lambda x, r: x / np.median(r)),
    ],
    ids=["mean", "median", "quantile", "z", "robust z", "percent", "ratio"],
)
def test_formulas(people: pd.DataFrame, arguments: dict[str, object], ann: Callable) -> None:
    rng = np.random.default_rng(0)
    noisy = people.assign(AU12=people["AU12"] + rng.normal(0, 0.01, len(people)))
    noisy.loc[3, "AU12"] = np.nan
    result = baseline(noisy, where={"condition": "rest"}, **arguments)
    rows = noisy["subject"] == "ann"
    x = noisy.loc[rows, "AU12"].to_numpy()
    r = noisy.loc[rows & (noisy["condition"] == "rest"), "AU12"].dropna().to_numpy()
    np.testing.assert_allclose(result.loc[rows, "AU12"], ann(x, r), rtol=1e-6, atol=1e-12)


def test_standardised_people_have_mean_0_and_sd_1() -> None:
    fex, _ = fm.simulate_study(3, duration=5, seed=1)
    result = standardize(fex, ["AU12", "valence"])
    by = pd.DataFrame(result).groupby("subject")[["AU12", "valence"]]
    np.testing.assert_allclose(by.mean(), 0, atol=1e-5)
    np.testing.assert_allclose(by.std(), 1, atol=1e-5)
    assert isinstance(result, fm.Fex)
    assert result["AU12"].dtype == np.float32
    assert result.loc[fex["track"] < 0, "AU12"].isna().all()
    pd.testing.assert_frame_equal(result.drop(columns=["AU12", "valence"]),
                                  fex.drop(columns=["AU12", "valence"]))  # fmt: skip
    assert set(result.validate()["check"]) == {"range"}


def test_people_without_enough_frames_are_named(people: pd.DataFrame) -> None:
    short = people[~((people["subject"] == "bob") & (people["condition"] == "rest"))]
    with pytest.raises(FexError, match=r"bob have fewer than 10 valid frames.*\(AU12\)"):
        baseline(short, where={"condition": "rest"})
    result = baseline(short, where={"condition": "rest"}, undefined="nan")
    assert result.loc[result["subject"] == "bob", "AU12"].isna().all()
    assert result.loc[result["subject"] == "ann", "AU12"].notna().all()


def test_no_spread_and_no_baseline_above_zero_are_named(people: pd.DataFrame) -> None:
    with pytest.raises(FexError, match="ann, bob do not vary in the baseline"):
        baseline(people, window=(0, 1.5), mode="z")
    zero = people.assign(AU12=people["AU12"].where(people["subject"] == "ann", 0.0))
    with pytest.raises(FexError, match="bob have a baseline that is not above 0"):
        baseline(zero, mode="percent")
    result = baseline(zero, mode="ratio", undefined="nan")
    assert result.groupby("subject")["AU12"].count().to_dict() == {"ann": 80, "bob": 0}


def test_an_empty_column_is_no_reason_to_stop(people: pd.DataFrame) -> None:
    result = baseline(people.assign(AU06=np.nan), window=(0, 1.5))
    assert result["AU06"].isna().all()


def test_two_faces_of_one_person_are_refused(people: pd.DataFrame, record: Make) -> None:
    dyad = record(np.arange(20) / 10, {"AU12": np.cos}, tracks=2)
    with pytest.raises(FexError, match=r"Two faces of one frame \(a.mp4, 0\) have the same subj"):
        baseline(dyad.assign(subject="ann"))
    told_apart = baseline(dyad.assign(subject=dyad["track"].map({0: "a", 1: "b"})))
    assert told_apart.groupby("subject")["AU12"].mean().to_numpy() == pytest.approx([0, 0])


def test_pixels_are_left_alone_by_default(people: pd.DataFrame) -> None:
    table = people.assign(FaceRectX=100.0, mesh_x_0=50.0)
    result = baseline(table)
    assert (result[["FaceRectX", "mesh_x_0"]] == [100, 50]).all(axis=None)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"window": (2, 1)}, OptionError, "must not end before it starts, but got 2 to 1"),
        ({"window": 2}, OptionError, "must be a pair of times"),
        ({"window": (7, 8)}, FexError, "ann, bob have fewer than 10 valid frames"),
        ({"method": "mode"}, OptionError, "`method` must be"),
        ({"method": "quantile"}, OptionError, "needs `quantile`"),
        ({"quantile": 0.2}, OptionError, "is for method='quantile'"),
        ({"method": "quantile", "quantile": 10}, OptionError, "at most 1"),
        ({"method": "quantile", "quantile": 0.1, "mode": "z"}, OptionError, "has no spread"),
        ({"mode": "db"}, OptionError, "'percent' or 'ratio', but got 'db'"),
        ({"by": "subjet"}, FexError, "Did you mean 'subject'"),
        ({"columns": "AU11"}, FexError, "no column 'AU11'. Did you mean 'AU12'"),
        ({"where": {"conditon": "rest"}}, FexError, "Did you mean 'condition'"),
        ({"where": "condition = 'rest'"}, FexError, "cannot make sense"),
        ({"where": [True]}, FexError, "one boolean for each of the 160 rows, but gave 1"),
        ({"where": {"condition": "neutral"}}, FexError, "fewer than 10"),
    ],
)
def test_wrong_calls(
    people: pd.DataFrame, arguments: dict[str, object], error: type, match: str
) -> None:
    with pytest.raises(error, match=match):
        baseline(people, **arguments)


def test_rows_without_a_name_are_refused(people: pd.DataFrame) -> None:
    nameless = people.assign(subject=people["subject"].where(people["subject"] == "ann"))
    with pytest.raises(FexError, match="80 rows with a face have no subject"):
        baseline(nameless)
