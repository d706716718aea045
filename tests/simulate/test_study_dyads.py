"""Conversations: who follows whom, how closely, how late."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import schema
from facemt_analysis.errors import FexError
from facemt_analysis.simulate import simulate_dyads

AUS = schema.GROUPS["aus"].columns


def cross_correlation(frames: pd.DataFrame, feature: str, fps: int, widest: float) -> pd.Series:
    """Mean over pairs of the correlation of b with a, by the lag of b behind a (s)."""
    lags = range(-round(widest * fps), round(widest * fps) + 1)
    out = []
    for _, pair in frames.groupby("dyad"):
        a = pair.loc[pair["person"] == "a", feature].to_numpy(float)
        b = pair.loc[pair["person"] == "b", feature].to_numpy(float)
        n = len(a)
        out.append(
            [
                np.corrcoef(a[max(0, -k) : n - max(0, k)], b[max(0, k) : n - max(0, -k)])[0, 1]
                for k in lags
            ]
        )
    return pd.Series(np.mean(out, axis=0), index=np.array(lags) / fps)


@pytest.mark.parametrize("lag", [0.8, -1.2, 0.0])
def test_correlation_peaks_at_the_lag_with_the_planted_height(lag: float) -> None:
    _, truth = simulate_dyads(
        12, coupling=0.6, lag=lag, duration=60, fps=10, seed=2, feature_groups=["aus"]
    )
    heights = []
    for feature in ("AU12", "AU04", "AU25", "AU23"):
        by_lag = cross_correlation(truth.frames, feature, 10, 3.0)
        assert by_lag.idxmax() == pytest.approx(lag, abs=0.11)
        heights.append(by_lag.max())
        row = truth.coupling[truth.coupling["feature"] == feature]
        assert row["realised"].mean() == pytest.approx(by_lag[round(lag, 1)], abs=1e-4)
    assert np.mean(heights) == pytest.approx(0.6, abs=0.06)


def test_coupling_can_differ_between_conditions_and_spares_blinks() -> None:
    fex, truth = simulate_dyads(
        10, conditions=("rest", "talk"), coupling={"talk": 0.7}, duration=40, fps=10, seed=1,
        feature_groups=["aus"],
    )  # fmt: skip
    table = truth.coupling.groupby(["condition", "feature"])[["planted", "realised"]].mean()
    assert table.loc["talk"].drop("AU43")["realised"].mean() == pytest.approx(0.7, abs=0.04)
    assert abs(table.loc["rest"]["realised"].mean()) < 0.06
    assert table.loc[("talk", "AU43"), "planted"] == 0
    assert abs(table.loc[("talk", "AU43"), "realised"]) < 0.1
    assert (truth.events.query("source == 'partner'")["person"] == "b").all()
    assert set(truth.events.query("source == 'partner'")["condition"]) == {"talk"}
    assert len(fex) == 10 * 2 * 2 * 400
    assert fex.index.equals(truth.frames.index)


def test_pairs_that_are_not_pairs_do_not_correlate() -> None:
    _, truth = simulate_dyads(
        12, coupling=0.8, lag=0.0, duration=60, fps=10, seed=3, feature_groups=["aus"]
    )
    wide = truth.frames.pivot_table(index="frame", columns=["person", "dyad"], values="AU12")
    r = np.corrcoef(wide["a"].to_numpy(float), wide["b"].to_numpy(float), rowvar=False)[:12, 12:]
    assert np.diag(r).mean() == pytest.approx(0.8, abs=0.06)
    assert abs(r[~np.eye(12, dtype=bool)].mean()) < 0.05


def test_answers_come_exactly_one_lag_later() -> None:
    _, truth = simulate_dyads(2, coupling=0.5, lag=0.75, duration=30, fps=10, seed=1)
    asked = truth.events.query("person == 'a' and dyad == 'dyad-01' and feature == 'AU12'")
    answers = truth.events.query(
        "person == 'b' and dyad == 'dyad-01' and feature == 'AU12' and source == 'partner'"
    )
    expected = asked["onset"][asked["offset"] + 0.75 <= 30] + 0.75
    np.testing.assert_allclose(answers["onset"], expected)


def test_two_recordings_of_a_pair_share_the_time_axis() -> None:
    fex, _ = simulate_dyads(2, duration=5, fps=10, seed=1)
    assert not len(fex.validate())
    assert fex.recordings == tuple(
        f"dyad-0{d}_conversation_{p}.mp4" for d in (1, 2) for p in ("a", "b")
    )
    assert fex["subject"].unique().tolist() == ["dyad-01_a", "dyad-01_b", "dyad-02_a", "dyad-02_b"]
    a, b = (fex.loc[fex["subject"] == f"dyad-01_{p}", "time"].to_numpy() for p in ("a", "b"))
    np.testing.assert_array_equal(a, b)


def test_two_faces_in_one_picture() -> None:
    groups = ["faceboxes", "aus", "landmarks"]
    fex, truth = simulate_dyads(
        3, together=True, missing=0.15, duration=10, fps=10, seed=1, feature_groups=groups
    )
    apart, _ = simulate_dyads(3, missing=0.15, duration=10, fps=10, seed=1, feature_groups=groups)
    assert not len(fex.validate())
    assert fex.recordings == tuple(f"dyad-0{d}_conversation.mp4" for d in (1, 2, 3))
    assert len(truth.frames) == 3 * 2 * 100
    known = truth.frames.loc[fex.index]
    found = fex["track"] >= 0
    assert (known["face"] == found).all()
    assert (known.loc[found, "person"] == fex.loc[found, "person"]).all()
    assert (fex.loc[found, "track"] == (fex.loc[found, "person"] == "b")).all()
    nobody = ~truth.frames["face"].to_numpy().reshape(-1, 2).any(1)
    assert (~found).sum() == nobody.sum()
    assert fex.loc[~found, ["person", "subject"]].isna().all(axis=None)
    middle = fex["FaceRectX"] + fex["FaceRectWidth"] / 2
    assert middle[fex["person"] == "a"].between(200, 440).all()
    assert middle[fex["person"] == "b"].between(840, 1080).all()
    assert (fex["x_30"] - middle).abs().max() < 60
    person = fex[fex["subject"] == "dyad-02_b"]
    alone = apart[(apart["subject"] == "dyad-02_b") & (apart["track"] == 0)]
    np.testing.assert_array_equal(person[list(AUS)], alone[list(AUS)])
    np.testing.assert_array_equal(person["time"], alone["time"])


def test_metadata() -> None:
    fex, _ = simulate_dyads(1, duration=5, fps=10, seed=1, together=True)
    assert fex.info.options is not None
    assert fex.info.options["function"] == "simulate_dyads"
    assert fex.info.options["coupling"]["conversation"] == 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_dyads": 0}, "`n_dyads`"),
        ({"coupling": 1.2}, "`coupling` must be in 0 to 1"),
        ({"lag": 9}, "`lag` must be in -2.5 to 2.5"),
        ({"coupling": {"talk": 0.2}}, "`coupling` names the condition 'talk'"),
        ({"conditions": "talk"}, "a list of names"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(FexError) as caught:
        simulate_dyads(**{"n_dyads": 1, "duration": 5, **arguments})
    assert message in str(caught.value)
