"""Emotions: which leads, how much, how mixed, how long, what follows what."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import facemt_analysis as fm
from facemt_analysis import schema
from facemt_analysis.errors import FexError, MissingGroupError, OptionError
from facemt_analysis.measures import (
    dominant_emotion,
    emotion_bouts,
    emotion_summary,
    emotion_transitions,
)

EMOTIONS = list(schema.EMOTIONS)


def film(states: str, step: float = 0.1, **columns: Any) -> pd.DataFrame:
    """One face: N(eutral), H(appy), S(ad), - nothing."""
    names = {"N": "Neutral", "H": "Happy", "S": "Sad"}
    rows = [
        {n: (np.nan if s == "-" else 0.8 if n == names[s] else 0.1) for n in names.values()}
        for s in states
    ]
    time = np.arange(len(states)) * step
    return pd.DataFrame({"frame": range(len(states)), "time": time} | columns).join(
        pd.DataFrame(rows)
    )


@pytest.fixture
def random_faces() -> pd.DataFrame:
    """Two recordings of random probabilities, with frames without a face."""
    rng = np.random.default_rng(8)
    p = rng.dirichlet(np.full(7, 0.5), 600)
    table = pd.DataFrame(p, columns=EMOTIONS)
    table.insert(0, "input", np.repeat(["a", "b"], 300))
    table.insert(1, "frame", np.tile(np.arange(300), 2))
    table.insert(2, "time", np.tile(np.arange(300) / 20, 2))
    table.loc[rng.random(600) < 0.1, EMOTIONS] = np.nan
    return table


# ----------------------------------------------------------------------------- dominant
def test_the_dominant_one_is_the_greatest(random_faces: pd.DataFrame) -> None:
    table = random_faces.set_index(np.arange(600) + 1000)
    dominant = dominant_emotion(table)
    seen = table[EMOTIONS].notna().all(axis=1)
    assert dominant[seen].astype(str).tolist() == table.loc[seen, EMOTIONS].idxmax(axis=1).tolist()
    assert dominant[~seen].isna().all()
    assert dominant.index.equals(table.index)
    assert list(dominant.cat.categories) == EMOTIONS


def test_below_the_threshold_there_is_none(random_faces: pd.DataFrame) -> None:
    dominant = dominant_emotion(random_faces, threshold=0.6)
    most = random_faces[EMOTIONS].max(axis=1)
    assert ((dominant == "none") == (most < 0.6)).all()
    assert list(dominant.cat.categories) == [*EMOTIONS, "none"]


def test_contempt_is_an_emotion_where_it_is_there() -> None:
    table = pd.DataFrame([[0.1] * 7 + [0.3]], columns=[*EMOTIONS, "Contempt"])
    assert dominant_emotion(table).tolist() == ["Contempt"]
    summary = emotion_summary(table)
    assert summary["feature"].tolist() == [*EMOTIONS, "Contempt"]
    assert emotion_transitions(table)["n"].shape == (64,)


def test_of_equals_the_first_one_leads() -> None:
    assert dominant_emotion(pd.DataFrame({"Happy": [0.5], "Neutral": [0.5]})).tolist() == [
        "Neutral"
    ]


# ----------------------------------------------------------------------------- summary
def test_summary_is_that_of_pandas_and_scipy(random_faces: pd.DataFrame) -> None:
    summary = emotion_summary(random_faces).set_index(["input", "feature"])
    for name, rows in random_faces.groupby("input"):
        one, seen = summary.loc[name], rows[EMOTIONS].dropna()
        assert one["mean"].to_numpy() == pytest.approx(seen.mean().to_numpy())
        assert one["sd"].to_numpy() == pytest.approx(seen.std(ddof=0).to_numpy())
        assert one["max"].to_numpy() == pytest.approx(seen.max().to_numpy())
        share = seen.idxmax(axis=1).value_counts(normalize=True).reindex(EMOTIONS, fill_value=0)
        assert one["share"].to_numpy() == pytest.approx(share.to_numpy())
        # scipy.stats.entropy normalises and sums, base 2
        mean_entropy = stats.entropy(seen.to_numpy(), base=2, axis=1).mean()
        assert one["mean_entropy"].to_numpy() == pytest.approx(mean_entropy)
        entropy = stats.entropy(seen.mean(), base=2)
        assert one["entropy_of_mean"].to_numpy() == pytest.approx(entropy)
        assert one["n_valid"].tolist() == [len(seen)] * 7
        assert one["seconds"].to_numpy() == pytest.approx(len(seen) / 20)


def test_entropy_goes_from_one_emotion_to_all() -> None:
    one = pd.DataFrame([[1.0, 0, 0, 0, 0, 0, 0]], columns=EMOTIONS)
    alike = pd.DataFrame([[1 / 7] * 7], columns=EMOTIONS)
    assert emotion_summary(one)["mean_entropy"].iloc[0] == 0
    assert emotion_summary(alike)["mean_entropy"].iloc[0] == pytest.approx(np.log2(7))
    nobody = emotion_summary(alike * np.nan)
    assert nobody[["mean", "share", "mean_entropy", "entropy_of_mean"]].isna().all(axis=None)
    assert nobody["n_valid"].tolist() == [0] * 7


def test_time_counts_and_not_frames() -> None:
    # twice as many frames per second while happy
    time = np.concatenate([np.arange(0, 5, 0.14), np.arange(5, 10, 0.1)])
    happy = (time >= 5) * 0.8 + 0.1
    table = pd.DataFrame({"time": time, "Happy": happy, "Neutral": 1 - happy})
    summary = emotion_summary(table).set_index("feature")
    assert summary["share"].to_numpy() == pytest.approx([0.5, 0.5], abs=0.01)


def test_shares_with_a_threshold_do_not_add_up() -> None:
    table = film("NNHHH").assign(Happy=[0.1, 0.1, 0.4, 0.8, 0.8])
    summary = emotion_summary(table, threshold=0.5).set_index("feature")
    assert summary["share"].to_dict() == pytest.approx({"Neutral": 0.4, "Happy": 0.4, "Sad": 0.0})


# ----------------------------------------------------------------------------- bouts
def spans(bouts: pd.DataFrame) -> list[tuple[str, float, float]]:
    rows = zip(bouts["feature"], bouts["onset"], bouts["offset"], strict=True)
    return [(f[0], round(a, 6), round(b, 6)) for f, a, b in rows]


@pytest.mark.parametrize(
    ("states", "options", "expected"),
    [
        pytest.param("NNNHHHNNN", {}, [("N", 0, 0.3), ("H", 0.3, 0.6), ("N", 0.6, 0.9)],
                     id="one after the other"),
        pytest.param("NNHNNNSSS", {}, [("N", 0, 0.6), ("S", 0.6, 0.9)], id="interruption bridged"),
        pytest.param("NNHNNNSSS", {"max_gap": 0},
                     [("N", 0, 0.2), ("N", 0.3, 0.6), ("S", 0.6, 0.9)], id="nothing bridged"),
        pytest.param("HHH-HHNN", {}, [("H", 0, 0.6), ("N", 0.6, 0.8)], id="lost frame bridged"),
        pytest.param("HHH---HHHN", {}, [("H", 0, 0.3), ("H", 0.6, 0.9)], id="long loss"),
        pytest.param("NHNHNHNHNH", {}, [("N", 0, 0.9)], id="bouts do not overlap"),
        pytest.param("NNHHSS", {"min_duration": 0.3}, [], id="all too short"),
        pytest.param("HHNNSNNHH", {"max_gap": 0.2, "min_duration": 0.2},
                     [("H", 0, 0.2), ("N", 0.2, 0.7), ("H", 0.7, 0.9)], id="within one another"),
    ],
)  # fmt: skip
def test_bouts(states: str, options: dict[str, Any], expected: list[Any]) -> None:
    assert spans(emotion_bouts(film(states), **options)) == expected


def test_what_is_said_of_a_bout() -> None:
    table = film("NNNHHHNNN").assign(trial=list("aaaabbbbb"))
    table.loc[4, "Happy"] = 0.95
    bouts = emotion_bouts(table, labels="trial")
    assert list(bouts) == ["trial", "feature", "onset", "offset", "duration", "mean", "peak",
                           "n_frames", "truncated"]  # fmt: skip
    happy = bouts.iloc[1]
    assert happy[["mean", "peak", "duration"]].tolist() == pytest.approx([0.85, 0.95, 0.3])
    assert happy["n_frames"] == 3
    assert bouts["truncated"].tolist() == [True, False, True]
    assert bouts["trial"].tolist() == ["a", "a", "b"]
    assert len(emotion_bouts(table, threshold=0.9, min_duration=0.1)) == 1
    assert len(emotion_bouts(table, threshold=0.99)) == 0


def test_interleaved_people_have_bouts_of_their_own() -> None:
    one, two = film("NNNNHHHH", track=0), film("HHHHHHNN", track=1)
    table = pd.concat([one, two]).sort_values(["frame", "track"])
    bouts = emotion_bouts(table)
    assert bouts["track"].tolist() == [0, 0, 1, 1]
    assert spans(bouts) == [("N", 0, 0.4), ("H", 0.4, 0.8), ("H", 0, 0.6), ("N", 0.6, 0.8)]


def test_bouts_fill_all_time_when_nothing_is_left_out(random_faces: pd.DataFrame) -> None:
    whole = random_faces.copy()
    whole[EMOTIONS] = whole[EMOTIONS].ffill()
    bouts = emotion_bouts(whole, min_duration=0, max_gap=0)
    assert bouts["duration"].sum() == pytest.approx(30)
    shares = bouts.groupby("feature")["duration"].sum() / 30
    summary = emotion_summary(whole, []).set_index("feature")["share"]
    assert shares.to_dict() == pytest.approx(summary.to_dict())


# ----------------------------------------------------------------------------- transitions
def matrix(table: pd.DataFrame, values: str = "n") -> pd.DataFrame:
    wide = table.pivot_table(index="from_emotion", columns="to_emotion", values=values)
    order = list(dict.fromkeys(table["from_emotion"]))
    return wide.loc[order, order]


def test_transitions_are_a_confusion_matrix_of_each_frame_and_the_next() -> None:
    # scikit-learn 1.9.1: confusion_matrix(states[:-1], states[1:]) of this sequence
    found = emotion_transitions(film("NNHHHNSSNNNHSN"))
    assert matrix(found).to_numpy().tolist() == [[3, 2, 1], [1, 2, 1], [2, 0, 1]]
    assert matrix(found, "probability").sum(axis=1).tolist() == pytest.approx([1, 1, 1])
    assert found["share"].sum() == pytest.approx(1)
    assert matrix(found, "probability").loc["Neutral", "Happy"] == pytest.approx(2 / 6)


def test_transitions_do_not_cross_losses_people_or_recordings() -> None:
    assert emotion_transitions(film("NN--HH"))["n"].sum() == 2
    one, two = film("NNN", track=0, input="a"), film("HHH", track=1, input="a")
    other = film("SSS", track=0, input="b")
    table = pd.concat([one, two, other])
    assert emotion_transitions(table, [])["n"].sum() == 6
    counts = matrix(emotion_transitions(table, []))
    assert np.diag(counts).tolist() == [2, 2, 2]


def test_random_transitions_are_those_of_pandas(random_faces: pd.DataFrame) -> None:
    found = emotion_transitions(random_faces, []).set_index(["from_emotion", "to_emotion"])["n"]
    state = dominant_emotion(random_faces).astype(object)
    later = state.groupby(random_faces["input"]).shift(-1)
    expected = pd.DataFrame({"a": state, "b": later}).dropna().value_counts()
    assert found.sum() == len(pd.DataFrame({"a": state, "b": later}).dropna())
    assert {k: v for k, v in found.items() if v} == expected.to_dict()


def test_transitions_between_bouts_do_not_depend_on_the_frame_rate() -> None:
    slow, fast = film("NNNHHHSSSNNN", 0.2), film("N" * 18 + "H" * 18 + "S" * 18 + "N" * 18, 1 / 30)
    results = [emotion_transitions(t, unit="bouts") for t in (slow, fast)]
    pd.testing.assert_frame_equal(*results)
    assert matrix(results[0]).to_numpy().tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    lost = emotion_transitions(film("NNN---HHHSSS"), unit="bouts")
    assert lost["n"].sum() == 1  # only from H to S
    with_none = film("NNNHHH").assign(Happy=[0.1] * 4 + [0.8] * 2, Neutral=[0.8] * 3 + [0.1] * 3)
    assert matrix(emotion_transitions(with_none, unit="bouts", threshold=0.5)).loc[
        "Neutral", "Happy"] == 1  # fmt: skip


# ----------------------------------------------------------------------------- real, wrong
def test_ten_recordings(real_faces: fm.Fex) -> None:
    plain = pd.DataFrame(real_faces)
    summary = emotion_summary(real_faces)
    means = plain.groupby("input", sort=False)[EMOTIONS].mean().to_numpy().ravel()
    assert summary["mean"].to_numpy() == pytest.approx(means, rel=1e-5)
    led = plain[EMOTIONS].idxmax(axis=1)
    shares = [(led[plain["input"] == name] == e).mean()
              for name in plain["input"].unique() for e in EMOTIONS]  # fmt: skip
    assert summary["share"].to_numpy() == pytest.approx(shares)
    changes = emotion_transitions(real_faces, [])
    assert changes["n"].sum() == len(plain) - 10
    bouts = emotion_bouts(real_faces, min_duration=0, max_gap=0)
    starts = led != led.groupby(plain["input"]).shift()
    assert len(bouts) == starts.sum()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        pytest.param(lambda t: emotion_bouts(t, min_duration=-1), OptionError,
                     "`min_duration` must be at least 0 s", id="negative duration"),
        pytest.param(lambda t: emotion_bouts(t, max_gap=-1), OptionError, "`max_gap`", id="gap"),
        pytest.param(lambda t: dominant_emotion(t, threshold=1.5), OptionError,
                     "`threshold` must be at least 0 and at most 1", id="threshold"),
        pytest.param(lambda t: emotion_transitions(t, unit="events"), OptionError,
                     "`unit` must be 'frames' or 'bouts'", id="unit"),
        pytest.param(lambda t: emotion_summary(t, "cond"), FexError, "`by`", id="by"),
        pytest.param(lambda t: emotion_bouts(t.drop(columns="time")), FexError,
                     "no column 'time'", id="no time"),
        pytest.param(lambda t: emotion_bouts(t.assign(time=-t["time"])), FexError,
                     "time does not go forward", id="time goes back"),
        pytest.param(lambda t: emotion_summary(t[["time"]]), MissingGroupError,
                     "no column of 'emotions'", id="no emotions"),
    ],
)  # fmt: skip
def test_wrong_calls(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(film("NNHH"))
