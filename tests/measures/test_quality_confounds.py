"""Speech and head pitch behind action units: signals whose answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.measures import find_confounds, talking
from facemt_analysis.measures.confounds import CONFOUND_COLUMNS, MOUTH_AUS

HZ = 30


def mouth(*parts: tuple[str, float], hz: float = HZ, seed: int = 0) -> pd.DataFrame:
    """A mouth that is still, talks at 4 Hz, yawns, or trembles with noise; (what, seconds)."""
    rng = np.random.default_rng(seed)
    pieces = []
    for what, seconds in parts:
        t = np.arange(round(seconds * hz)) / hz
        pieces.append(
            {
                "still": np.full(len(t), 0.1),
                "talk": 0.3 + 0.15 * np.sin(2 * np.pi * 4 * t),
                "chew": 0.3 + 0.15 * np.sin(2 * np.pi * 1 * t),
                "yawn": 0.1 + 0.8 * np.exp(-(((t - seconds / 2) / 0.5) ** 2)),
                "noise": 0.1 + rng.normal(0, 0.02, len(t)),
            }[what]
        )
    values = np.concatenate(pieces)
    frame = np.arange(len(values))
    return pd.DataFrame(
        {"input": "a", "frame": frame, "time": frame / hz, "track": 0, "jawOpen": values}
    )


def test_talking_is_found_where_it_is() -> None:
    found = talking(mouth(("still", 10), ("talk", 10), ("still", 10)))
    assert found.dtype == "boolean"
    assert found.name == "talking"
    assert not found.isna().any()
    t = np.arange(900) / HZ
    assert not found[(t < 9) | (t > 21)].any()
    assert found[(t > 11) & (t < 19)].all()


@pytest.mark.parametrize("what", ["still", "chew", "yawn", "noise"])
def test_other_movements_are_not_talking(what: str) -> None:
    assert not talking(mouth((what, 10))).any()


def test_rows_that_cannot_be_told_are_missing() -> None:
    frame = mouth(("talk", 10))
    assert talking(mouth(("talk", 10), hz=15)).isna().all()
    assert talking(mouth(("talk", 10), hz=16)).all()
    assert talking(mouth(("talk", 1.5))).isna().all()
    hole = frame.assign(jawOpen=frame["jawOpen"].where(~frame["frame"].between(30, 40)))
    found = talking(hole)
    assert found.isna().to_numpy().nonzero()[0].tolist() == list(range(41))  # 1 s, the hole
    gone = frame.assign(track=np.where(frame["frame"] < 100, -1, 0))
    assert talking(gone).isna().sum() == 100


def test_people_and_order_do_not_mix() -> None:
    one = mouth(("talk", 10))
    other = mouth(("still", 10)).assign(track=1)
    both = pd.concat([one, other]).sample(frac=1, random_state=0)
    found = talking(both)
    pd.testing.assert_index_equal(found.index, both.index)
    assert found[(both["track"] == 0).to_numpy()].all()
    assert not found[(both["track"] == 1).to_numpy()].any()


def test_the_signal_is_the_best_there_is() -> None:
    frame = mouth(("talk", 10))
    still = np.full(len(frame), 0.2)
    assert talking(frame.assign(AU25=still)).all()
    assert not talking(frame.assign(AU25=still), "AU25").any()
    assert talking(frame.rename(columns={"jawOpen": "AU25"})).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: talking(f.drop(columns="jawOpen")), FexError, "jawOpen, AU26, AU25"),
        (lambda f: talking(f, "jawOpne"), FexError, "Did you mean 'jawOpen'"),
        (lambda f: talking(f.drop(columns="time")), FexError, "no column 'time'"),
        (lambda f: talking(f, window=-1), OptionError, "`window` must be above 0 s, but got -1"),
        (lambda f: talking(f, rate=0), OptionError, "`rate` must be above 0"),
        (lambda f: find_confounds(f[["frame", "time"]]), FexError, "Confounds need action units"),
    ],
)
def test_wrong_calls(call, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(mouth(("talk", 3)))


# ------------------------------------------------------------------ regression
def nodding(n: int = 300, seed: int = 0, name: str = "a") -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    pitch = 0.2 * np.sin(np.arange(n) / 20) + rng.normal(0, 0.02, n)
    return pd.DataFrame(
        {
            "input": name,
            "frame": np.arange(n),
            "time": np.arange(n) / HZ,
            "track": 0,
            "Pitch": pitch,
            "AU01": 0.4 + pitch + rng.normal(0, 0.05, n),
            "AU02": rng.random(n),
        }
    )


def test_pitch_is_a_least_squares_line() -> None:
    frame = nodding()
    frame.loc[10:20, "AU01"] = np.nan
    found = find_confounds(frame).set_index("feature")
    assert tuple(found.columns) == tuple(
        ["input", "track"] + [c for c in CONFOUND_COLUMNS if c != "feature"]
    )
    known = frame.dropna()
    # oracle: scipy.stats.linregress
    line = stats.linregress(known["Pitch"], known["AU01"])
    row = found.loc["AU01"]
    assert row["slope"] == pytest.approx(line.slope)
    assert row["r"] == pytest.approx(line.rvalue)
    assert row["n"] == len(known)
    assert row["predictor_mean"] == pytest.approx(known["Pitch"].mean())
    assert row["change"] == pytest.approx(row["slope"] * row["predictor_range"])
    assert row["severity"] == "serious"
    assert "regress Pitch out" in row["advice"]
    assert found.loc["AU02", "severity"] == "info"


def test_differences_between_people_do_not_count() -> None:
    # within each the score falls with pitch; between them it rises
    one = nodding().assign(AU01=lambda f: 0.3 - f["Pitch"])
    other = nodding(name="b").assign(Pitch=lambda f: f["Pitch"] + 1)
    other["AU01"] = 1.9 - other["Pitch"]
    both = pd.concat([one, other]).assign(study="s")
    assert np.corrcoef(both["Pitch"], both["AU01"])[0, 1] > 0
    row = find_confounds(both, "study").set_index("feature").loc["AU01"]
    assert row["r"] == pytest.approx(-1)
    assert row["slope"] == pytest.approx(-1)


def test_a_head_that_does_not_move_tells_nothing() -> None:
    found = find_confounds(nodding().assign(Pitch=0.1))
    assert found[["r", "slope"]].isna().all(axis=None)
    assert (found["severity"] == "info").all()


def test_speech_is_the_difference_between_talking_and_silence() -> None:
    frame = mouth(("still", 20), ("talk", 20))
    talks = talking(frame).to_numpy(bool)
    rng = np.random.default_rng(0)
    frame["AU25"] = np.where(talks, 0.7, 0.2) + rng.normal(0, 0.05, len(frame))
    frame["AU12"] = rng.random(len(frame))
    found = find_confounds(frame).set_index("feature")
    assert set(found["confound"]) == {"speech"}
    row = found.loc["AU25"]
    means = frame["AU25"].groupby(talks).mean()
    assert row["change"] == pytest.approx(means[True] - means[False])
    assert row["predictor_mean"] == pytest.approx(talks.mean())
    assert row["severity"] == "serious"
    assert "quality.talking" in row["advice"]
    assert found.loc["AU12", "severity"] == "warning"  # talks half of the time all the same


def test_what_cannot_be_told_is_said() -> None:
    found = find_confounds(mouth(("talk", 20), hz=10).assign(AU12=0.5))
    assert found["n"].tolist() == [0]
    assert "frame rate" in found["advice"].item()
    photographs = nodding().assign(time=np.nan, AU25=0.5)
    assert set(find_confounds(photographs)["confound"]) == {"pitch"}


def test_mouth_units_are_of_the_lower_face() -> None:
    from facemt_analysis.schema import ACTION_UNITS

    assert all(ACTION_UNITS[name].region == "lower" for name in MOUTH_AUS)
    lower = {name for name, unit in ACTION_UNITS.items() if unit.region == "lower"}
    assert lower - set(MOUTH_AUS) == {"AU09", "AU11"}
