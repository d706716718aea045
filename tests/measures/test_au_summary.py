"""Summaries of action units: hand-checked numbers, pairs, smiles, expressivity, PSPI."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis import schema
from facemt_analysis.errors import FexError, MissingGroupError, OptionError
from facemt_analysis.measures import (
    EXPRESSION_SETS,
    au_events,
    au_summary,
    cooccurrence,
    expressivity,
    pspi,
    smile_types,
)

AUS = list(schema.au_columns(20))


@pytest.fixture
def dyad() -> pd.DataFrame:
    """Two interleaved people with random scores, lost frames, two conditions."""
    rng = np.random.default_rng(4)
    n = 400
    tables = []
    for track in (0, 1):
        scores = pd.DataFrame(rng.beta(0.6, 0.8, (n, len(AUS))), columns=AUS).astype(np.float32)
        scores[rng.random(n) < 0.1] = np.nan
        keys = {"input": "a", "frame": np.arange(n), "time": np.arange(n) / 25, "track": track}
        labels = {"condition": np.repeat(["x", "y"], n // 2)}
        tables.append(pd.concat([pd.DataFrame(keys | labels), scores], axis=1))
    return pd.concat(tables).sort_values(["frame", "track"], ignore_index=True)


def test_levels_are_those_of_pandas(dyad: pd.DataFrame) -> None:
    summary = au_summary(dyad, quantiles=(0.25,)).set_index(["track", "feature"])
    for track, rows in dyad.groupby("track"):
        one = summary.loc[track]
        scores = rows[AUS].astype(float)
        assert one["mean"].to_numpy() == pytest.approx(scores.mean().to_numpy())
        assert one["sd"].to_numpy() == pytest.approx(scores.std(ddof=0).to_numpy())
        assert one["min"].to_numpy() == pytest.approx(scores.min().to_numpy())
        assert one["max"].to_numpy() == pytest.approx(scores.max().to_numpy())
        on = (scores >= 0.5).where(scores.notna()).astype(float).mean()
        assert one["share_on"].to_numpy() == pytest.approx(on.to_numpy())
        hazen = [np.quantile(scores[c].dropna(), 0.25, method="hazen") for c in AUS]
        assert one["q25"].to_numpy() == pytest.approx(hazen)
        assert one["n_valid"].tolist() == scores.notna().sum().tolist()
        assert one["seconds"].to_numpy() == pytest.approx(scores.notna().sum().to_numpy() / 25)
    assert (summary["n_frames"] == 400).all()


def test_events_are_those_of_au_events(dyad: pd.DataFrame) -> None:
    summary = au_summary(dyad).set_index(["track", "feature"])
    grouped = au_events(dyad).groupby(["track", "feature"])
    counted = grouped["duration"].agg(["size", "mean", "sum"])
    rows = summary.loc[counted.index]
    assert len(rows) == 40
    assert rows["n_events"].tolist() == counted["size"].tolist()
    assert rows["mean_duration"].to_numpy() == pytest.approx(counted["mean"].to_numpy())
    assert rows["total_duration"].to_numpy() == pytest.approx(counted["sum"].to_numpy())
    assert rows["rate"].to_numpy() == pytest.approx(
        60 * counted["size"].to_numpy() / rows["seconds"].to_numpy()
    )
    assert rows["n_truncated"].tolist() == grouped["truncated"].sum().tolist()


def test_groups_take_people_together_but_not_their_events(dyad: pd.DataFrame) -> None:
    both = au_summary(dyad, "condition").set_index(["condition", "feature"])
    parts = au_summary(dyad, ["track", "condition"])
    for name in ("n_events", "n_frames", "n_valid", "seconds", "total_duration"):
        summed = parts.groupby(["condition", "feature"])[name].sum()
        assert both[name].to_numpy() == pytest.approx(summed.loc[both.index].to_numpy())
    mean = dyad.groupby("condition")[AUS].mean().to_numpy().ravel()
    assert both["mean"].to_numpy() == pytest.approx(mean, rel=1e-5)


def test_photographs_have_levels_but_no_events() -> None:
    table = pd.DataFrame(
        {"input": list("abc"), "track": 0, "time": np.nan, "AU12": [0.2, 0.4, 0.9]}
    )
    row = au_summary(table, []).iloc[0]
    assert row["mean"] == pytest.approx(0.5)
    assert row["share_on"] == pytest.approx(1 / 3)
    assert row[["n_events", "rate", "share", "seconds"]].isna().all()
    assert au_summary(table)["mean"].tolist() == [0.2, 0.4, 0.9]


# ----------------------------------------------------------------------------- pairs
def test_pairs_are_those_of_boolean_arithmetic(dyad: pd.DataFrame) -> None:
    names = ["AU06", "AU12", "AU25"]
    table = dyad[dyad["track"] == 0].copy()
    table.loc[table.index[::7], "AU25"] = np.nan  # valid in other frames than the others
    pairs = cooccurrence(table, names).set_index(["feature_a", "feature_b"])
    assert list(pairs.index) == list(combinations(names, 2))
    for (a, b), pair in pairs.iterrows():
        valid = table[[a, b]].dropna()
        x, y = valid[a] >= 0.5, valid[b] >= 0.5
        assert pair["n_valid"] == len(valid)
        assert pair["n_both"] == (x & y).sum()
        assert pair["seconds"] == pytest.approx(len(valid) / 25)
        assert pair["share_a"] == pytest.approx(x.mean())
        assert pair["jaccard"] == pytest.approx((x & y).sum() / (x | y).sum())
        assert pair["p_b_given_a"] == pytest.approx(y[x].mean())
        assert pair["p_a_given_b"] == pytest.approx(x[y].mean())
        # the correlation of two states is phi
        assert pair["phi"] == pytest.approx(np.corrcoef(x, y)[0, 1])


def test_phi_and_jaccard_are_those_of_scikit_learn() -> None:
    # scikit-learn 1.9.1: matthews_corrcoef and jaccard_score of these two columns
    table = pd.DataFrame({"AU06": [1, 1, 1, 0, 0, 0, 1, 0], "AU12": [1, 0, 1, 0, 1, 0, 1, 0]})
    pair = cooccurrence(table.astype(float)).iloc[0]
    assert pair[["phi", "jaccard"]].tolist() == pytest.approx([0.5, 0.6])


def test_states_that_never_change_have_no_correlation() -> None:
    table = pd.DataFrame({"AU06": [0.0, 0.0], "AU12": [1.0, 1.0], "AU25": [0.0, 0.0]})
    pairs = cooccurrence(table)
    assert pairs["phi"].isna().all()
    assert pairs["jaccard"].tolist()[:1] == [0.0]
    assert np.isnan(pairs["jaccard"].iloc[1])
    assert np.isnan(pairs["p_b_given_a"].iloc[0])
    assert pairs["p_a_given_b"].iloc[0] == 0.0


def test_one_action_unit_is_no_pair() -> None:
    with pytest.raises(FexError, match="at least two action units"):
        cooccurrence(pd.DataFrame({"AU12": [0.0]}))


# ----------------------------------------------------------------------------- smiles
def test_smiles_with_cheeks_before_after_and_without() -> None:
    time = np.arange(0, 40, 0.1)

    def over(*spans: tuple[float, float]) -> np.ndarray:
        return np.any([(time >= a - 1e-9) & (time < b - 1e-9) for a, b in spans], axis=0) * 0.9

    table = pd.DataFrame({
        "time": time,
        "AU12": over((2, 4), (10, 12), (20, 22), (30, 32)),
        "AU06": over((2.5, 4), (9, 12), (21.5, 23)),
    })  # fmt: skip
    smiles = smile_types(table)
    assert smiles["onset"].tolist() == pytest.approx([2, 10, 20, 30])
    assert smiles["au06_share"].tolist() == pytest.approx([0.75, 1.0, 0.25, 0.0])
    assert smiles["au06_lag"].tolist()[:3] == pytest.approx([0.5, -1.0, 1.5])
    assert np.isnan(smiles["au06_lag"].iloc[3])
    assert smiles["type"].tolist() == ["AU06+AU12", "AU06+AU12", "AU12", "AU12"]
    assert smile_types(table, min_share=0.2)["type"].tolist()[2] == "AU06+AU12"
    unseen = smile_types(table.assign(AU06=np.nan))
    assert unseen[["au06_share", "au06_lag", "type"]].isna().all(axis=None)


def test_cheeks_of_another_person_do_not_count() -> None:
    time = np.arange(0, 10, 0.1)
    smile = ((time > 2) & (time < 5)) * 0.9
    keys = {"frame": np.arange(100), "time": time}
    one = pd.DataFrame({**keys, "track": 0, "AU06": 0.0, "AU12": smile})
    two = pd.DataFrame({**keys, "track": 1, "AU06": 0.9, "AU12": smile})
    table = pd.concat([one, two]).sort_values(["frame", "track"])
    smiles = smile_types(table)
    assert smiles["track"].tolist() == [0, 1]
    assert smiles["au06_share"].tolist() == pytest.approx([0.0, 1.0])
    assert np.isnan(smiles["au06_lag"].iloc[0])


def test_planted_smiles_have_cheeks() -> None:
    # in the simulation a smile is AU12 with AU06, up to 0.1 s later, at 0.8 of its height
    fex, _ = fm.simulate_study(3, duration=60, noise=0, missing=0, seed=2, feature_groups=["aus"])
    smiles = smile_types(fex, on={"AU06": 0.35, "AU12": 0.5})
    assert len(smiles) >= 15
    assert (smiles["type"] == "AU06+AU12").mean() > 0.8


# ----------------------------------------------------------------------------- expressivity
def opendbm(row: pd.Series, sets: Any, on: float, full: bool) -> float:
    """Composite of OpenDBM's `add_au_emotion` for presence = score ≥ `on`, intensity = score.

    https://github.com/AiCure/open_dbm, dbm_lib/dbm_features/raw_features/util/video_util.py at
    1fba56e: the intensities of the units that are present, over 6 times their number (6: range of
    the intensities; here 1), summed over the sets; 7 sets, by which the overall sum is divided.
    """
    total = 0.0
    for units in sets:
        present = [row[u] for u in units if row[u] >= on]
        if full and len(present) < len(units):
            continue
        total += sum(present) / len(present) if present else 0.0
    return total / len(sets)


def test_expressivity_is_that_of_opendbm(dyad: pd.DataFrame) -> None:
    table = dyad[dyad["track"] == 1].reset_index(drop=True)
    found = expressivity(table).set_index("feature")
    seen = table.dropna()
    for region, sets in EXPRESSION_SETS.items():
        soft = seen.apply(opendbm, axis=1, sets=sets, on=0.5, full=False)
        hard = seen.apply(opendbm, axis=1, sets=sets, on=0.5, full=True)
        assert found.loc[region, "soft"] == pytest.approx(soft.mean(), rel=1e-6)
        assert found.loc[region, "soft_sd"] == pytest.approx(soft.std(ddof=0), rel=1e-6)
        assert found.loc[region, "hard"] == pytest.approx(hard.mean(), rel=1e-6)
    upper = [a for a in AUS if schema.ACTION_UNITS[a].region == "upper"]
    assert found.loc["upper", "mean_score"] == pytest.approx(seen[upper].mean().mean(), rel=1e-5)
    assert found.loc["overall", "n_on"] == pytest.approx((seen[AUS] >= 0.5).sum(axis=1).mean())
    assert found["n_valid"].tolist() == [len(seen)] * 3


def test_expressivity_is_between_nothing_and_everything() -> None:
    still, full = (pd.DataFrame({au: [v] for au in AUS}) for v in (0.0, 1.0))
    assert (expressivity(still)[["soft", "hard", "n_on"]] == 0).all(axis=None)
    assert (expressivity(full)[["soft", "hard", "mean_score"]] == 1).all(axis=None)
    assert expressivity(full)["n_on"].tolist() == [20, 7, 13]


def test_expressivity_needs_its_action_units() -> None:
    with pytest.raises(FexError, match="there is no column 'AU01'"):
        expressivity(pd.DataFrame({"AU12": [0.0]}))


# ----------------------------------------------------------------------------- pain
def test_pspi_of_scores_and_of_intensities() -> None:
    scores = pd.DataFrame(
        {"AU04": [0.5, 1, 0.2], "AU06": [0.1, 1, 0], "AU07": [0.3, 0, 0], "AU09": [0.2, 0, np.nan],
         "AU10": [0.4, 1, 0], "AU43": [0.0, 1, 1]}, index=[7, 8, 9],
    )  # fmt: skip
    pain = pspi(scores)
    assert pain.index.tolist() == [7, 8, 9]
    assert pain.tolist()[:2] == pytest.approx([0.5 + 0.3 + 0.4 + 0.0, 4.0])
    assert np.isnan(pain.iloc[2])
    # the worked form of Prkachin & Solomon: 4 + max(6, 7) + max(9, 10) + 43, at most 16
    most = pd.DataFrame({f"AU{n:02d}_r": [5.0] for n in (4, 6, 7, 9, 10)} | {"AU45": [1.0]})
    assert pspi(most, group="intensities", eyes="AU45").tolist() == [16.0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        pytest.param({}, FexError, "no column 'AU04'", id="scores missing"),
        pytest.param({"group": "intensities"}, FexError, "no column 'AU43'", id="eyes missing"),
        pytest.param({"group": "pain"}, OptionError, "`group` must be", id="group"),
    ],
)
def test_pspi_says_what_is_missing(
    call: dict[str, Any], error: type[Exception], message: str
) -> None:
    table = pd.DataFrame({f"AU{n:02d}_r": [5.0] for n in (4, 6, 7, 9, 10)} | {"AU12": [0.0]})
    with pytest.raises(error, match=message):
        pspi(table, **call)


# ----------------------------------------------------------------------------- wrong calls
def test_wrong_calls() -> None:
    table = pd.DataFrame({"time": [0.0, 0.1], "AU12": 0.0})
    with pytest.raises(OptionError, match="`quantiles` must be at least 0 and at most 1"):
        au_summary(table, quantiles=[1.5])
    with pytest.raises(FexError, match="`by`: there is no column 'condition'"):
        au_summary(table, "condition")
    with pytest.raises(MissingGroupError, match="no column of 'aus'"):
        au_summary(table[["time"]])
    with pytest.raises(FexError, match="there is no column 'AU06'"):
        smile_types(table)
    with pytest.raises(OptionError, match="`min_share`"):
        smile_types(table.assign(AU06=0.0), min_share=2)


# ----------------------------------------------------------------------------- real recordings
@pytest.fixture
def clips(real_faces: fm.Fex, shared: Path) -> fm.Fex:
    """Those recordings, one actor with good and bad news, with what he says."""
    attributes = pd.read_csv(shared / "fex" / "clip_attrs.csv", dtype={"clipN": str})
    attributes["input"] = attributes["clipN"] + ".mp4"
    return real_faces.label(attributes[["input", "class"]].rename(columns={"class": "news"}))


def test_ten_recordings_give_what_pandas_gives(clips: fm.Fex) -> None:
    plain = pd.DataFrame(clips)
    assert plain["input"].nunique() == 10
    summary = au_summary(clips).set_index(["input", "feature"])
    means = plain.groupby("input", sort=False)[AUS].mean().to_numpy().ravel()
    shares = (plain[AUS] >= 0.5).groupby(plain["input"], sort=False).mean().to_numpy().ravel()
    assert summary["mean"].to_numpy() == pytest.approx(means, rel=1e-5)
    assert summary["share_on"].to_numpy() == pytest.approx(shares)
    by_news = au_summary(clips, "news").set_index(["news", "feature"])
    news = plain.groupby("news", sort=False)[AUS].mean().to_numpy().ravel()
    assert by_news["mean"].to_numpy() == pytest.approx(news, rel=1e-5)
    # good news: more smile
    assert by_news.loc[("gn", "AU12"), "mean"] > by_news.loc[("ists", "AU12"), "mean"]


def test_events_of_a_recording_by_hand(clips: fm.Fex) -> None:
    events = au_events(clips, on=0.5, off=0.5, min_duration=0, max_gap=0)
    # every other frame of the video: 1/15 s each
    plain = pd.DataFrame(clips)
    on = plain[AUS] >= 0.5
    starts = on & ~on.groupby(plain["input"]).shift(fill_value=False)
    assert len(events) == int(starts.to_numpy().sum())
    assert events["duration"].sum() == pytest.approx(on.to_numpy().sum() / 15, rel=1e-6)
    assert events["peak"].min() >= 0.5
