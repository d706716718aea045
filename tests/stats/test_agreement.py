"""Agreement with codes: scikit-learn and pingouin give the same; intervals are about people."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats import AGREEMENT_COLUMNS, agreement, describe
from facemt_analysis.stats.bootstrap import cluster_bootstrap

X = np.array([0.9, 0.2, 0.7, 0.6, 0.1, 0.45, 0.8, 0.3, 0.55, 0.35, 0.95, 0.15])
Y = np.array([0.8, 0.3, 0.75, 0.4, 0.2, 0.6, 0.85, 0.1, 0.5, 0.5, 0.7, 0.25])
KEYS = pd.DataFrame({"input": np.repeat(["1", "2", "3"], 4), "frame": np.tile(range(4), 3)})
TOOL = KEYS.assign(subject=np.repeat(["a", "b", "c"], 4), AU12=X, AU06=0.3)
CODES = KEYS.assign(AU12=(Y >= 0.5).astype(int))


def _get(table: pd.DataFrame) -> dict[str, float]:
    return dict(zip(table["metric"], table["estimate"], strict=True))


def test_occurrence_as_scikit_learn() -> None:
    got = _get(agreement(TOOL, CODES, n_boot=100))
    # scikit-learn 1.9.1: f1_score, precision_score, recall_score, cohen_kappa_score, accuracy_score
    want = {"f1": 0.7692307692, "precision": 0.8333333333, "recall": 0.7142857143, "kappa": 0.5,
            "accuracy": 0.75, "pabak": 0.5, "specificity": 4 / 5}  # fmt: skip
    assert got == pytest.approx(want)


def test_scales_as_pingouin() -> None:
    got = _get(agreement(TOOL, CODES.assign(AU12=Y), n_boot=100))
    # pingouin 0.7.0, intraclass_corr: ICC(1,1), ICC(A,1), ICC(C,1)
    assert got["icc(1,1)"] == pytest.approx(0.867043847242)
    assert got["icc(2,1)"] == pytest.approx(0.866270046560)
    assert got["icc(3,1)"] == pytest.approx(0.856302735873)
    assert got["pearson"] == pytest.approx(np.corrcoef(X, Y)[0, 1])
    cov = np.cov(X, Y, ddof=0)
    ccc = 2 * cov[0, 1] / (cov[0, 0] + cov[1, 1] + (X.mean() - Y.mean()) ** 2)
    assert got["ccc"] == pytest.approx(ccc)
    difference = X - Y
    assert got["bias"] == pytest.approx(difference.mean())
    assert got["loa_high"] == pytest.approx(difference.mean() + 1.96 * difference.std(ddof=1))
    assert got["rmse"] == pytest.approx(np.sqrt((difference**2).mean()))
    assert got["mae"] == pytest.approx(np.abs(difference).mean())


def test_identity_and_opposite() -> None:
    same = _get(agreement(TOOL, TOOL[["input", "frame", "AU12"]], n_boot=100))
    assert same["icc(2,1)"] == pytest.approx(1)
    assert same["bias"] == pytest.approx(0)
    opposite = CODES.assign(AU12=(X < 0.5).astype(int))
    assert _get(agreement(TOOL, opposite, metrics="kappa", n_boot=100))["kappa"] < 0


def test_intervals_are_about_people() -> None:
    """More frames of the same people do not make the intervals narrower."""
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"subject": np.repeat(np.arange(8), 50)})
    people["input"] = people["subject"].astype(str)
    people["frame"] = np.tile(np.arange(50), 8)
    truth = (rng.uniform(size=400) < 0.4).astype(int)
    hit = np.repeat(rng.uniform(0.6, 1.0, 8), 50)
    people["AU12"] = np.where(rng.uniform(size=400) < hit, truth, 1 - truth)
    codes = people[["input", "frame"]].assign(AU12=truth)
    once = agreement(people, codes, metrics="accuracy")
    many = agreement(
        pd.concat([people.assign(frame=people["frame"] + 50 * i) for i in range(5)]),
        pd.concat([codes.assign(frame=codes["frame"] + 50 * i) for i in range(5)]),
        metrics="accuracy",
    )
    pd.testing.assert_series_equal(once["ci_low"], many["ci_low"])
    assert many["n_obs"].iloc[0] == 5 * once["n_obs"].iloc[0]
    by_person = (people["AU12"] == truth).groupby(people["subject"]).mean()
    se = by_person.std() / np.sqrt(8)
    assert once["se"].iloc[0] == pytest.approx(se, rel=0.2)


def test_lost_frames_are_counted() -> None:
    tool = TOOL.assign(AU12=TOOL["AU12"].where(TOOL.index != 2)).iloc[:10]
    row = agreement(tool, CODES, metrics="f1", n_boot=100).iloc[0]
    assert (row["n_obs"], row["n_lost"]) == (9, 3)


def test_columns_seed_and_words() -> None:
    table = agreement(TOOL, CODES, n_boot=200, seed=3, level=0.9)
    assert tuple(table.columns) == AGREEMENT_COLUMNS
    pd.testing.assert_frame_equal(table, agreement(TOOL, CODES, n_boot=200, seed=3, level=0.9))
    assert table["prevalence"].iloc[0] == pytest.approx(7 / 12)
    assert "Agreement on AU12: f1 = .77, 90% CI" in describe(table)


def test_other_names_thresholds_and_order() -> None:
    codes = CODES.rename(columns={"AU12": "smile"}).iloc[::-1]
    table = agreement(TOOL, codes, features={"AU12": "smile"}, n_boot=100)
    assert _get(table)["kappa"] == pytest.approx(0.5)
    high = agreement(TOOL, CODES, threshold={"AU12": 0.99}, metrics="recall", n_boot=100)
    assert _get(high)["recall"] == 0


def test_one_person_has_no_interval() -> None:
    row = agreement(TOOL.assign(subject="a"), CODES, metrics="f1").iloc[0]
    assert np.isnan(row["ci_low"])
    assert "one subject" in row["method"]


def test_undefined_is_nan() -> None:
    none = _get(agreement(TOOL, CODES.assign(AU12=0), threshold=2.0, n_boot=100))
    assert np.isnan(none["f1"])
    assert none["accuracy"] == 1


def test_two_faces_per_frame() -> None:
    tool = pd.concat([TOOL.assign(track=0), TOOL.assign(track=1, subject="z")])
    codes = pd.concat([CODES.assign(track=0), CODES.assign(track=1)])
    assert agreement(tool, codes, metrics="f1", n_boot=100)["n_obs"].iloc[0] == 24
    with pytest.raises(FexError, match="several times in the table"):
        agreement(tool, CODES)


WRONG = {
    "no match": (
        lambda: agreement(TOOL, CODES.assign(input=CODES["input"] + "x")),
        FexError, "No row of the truth",
    ),
    "no shared feature": (
        lambda: agreement(TOOL, CODES.rename(columns={"AU12": "smile"})), FexError, "no feature",
    ),
    "no shared key": (lambda: agreement(TOOL, CODES[["AU12"]]), FexError, "say `on`"),
    "coded twice": (
        lambda: agreement(TOOL, pd.concat([CODES, CODES])), FexError, "several times in the truth",
    ),
    "not binary": (
        lambda: agreement(TOOL, CODES.assign(AU12=Y), kind="binary"), FexError, "0 and 1",
    ),
    "constant": (
        lambda: agreement(TOOL, CODES.assign(AU06=Y), features="AU06"), FexError, "constant",
    ),
    "no value": (
        lambda: agreement(TOOL.assign(AU12=np.nan), CODES), FexError, "no frame with a value",
    ),
    "metric": (lambda: agreement(TOOL, CODES, metrics="F2"), OptionError, "no 'F2'"),
    "near name": (lambda: agreement(TOOL, CODES, features="AU21"), FexError, "'AU12'"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "error", "match"), WRONG.values(), ids=WRONG.keys())
def test_wrong_calls(call: Callable[[], object], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()


def test_bootstrap_covers_a_mean() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for i in range(200):
        values = rng.exponential(size=30)
        sums = np.stack([values, np.ones(30)], axis=1)
        found = cluster_bootstrap(sums, lambda s: s[..., :1] / s[..., 1:], n_boot=400, seed=i)
        hits += found.low[0] < 1 < found.high[0]
    assert 0.88 <= hits / 200 <= 0.99
