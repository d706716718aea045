"""Decoding of people never seen before."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from facemt_analysis.errors import FexError
from facemt_analysis.stats import COLUMNS, decode
from facemt_analysis.stats.decoding import _permuted

pytest.importorskip("sklearn", reason="the extra decode")

Study = Callable[..., pd.DataFrame]


def test_what_is_there_is_found(study: Study) -> None:
    result = decode(study(10, effect=0.5), target="condition", n_folds=5, n_permutations=29)
    row = result.table.iloc[0]
    assert tuple(result.table.columns) == (*COLUMNS, "chance")
    assert row["estimate"] > 0.9
    assert row["p"] == pytest.approx(1 / 30)
    assert (row["n_subjects"], row["n_obs"], row["chance"]) == (10, 20, 0.5)
    assert (
        np.trace(result.confusion.to_numpy())
        == (result.predictions["condition"] == result.predictions["predicted"]).sum()
    )
    assert "balanced accuracy" in result.summary()


def test_what_is_not_there_is_not(study: Study) -> None:
    from sklearn.neighbors import NearestCentroid

    p = [
        decode(
            study(8, effect=0.0, seed=s),
            target="condition",
            n_folds=4,
            n_permutations=19,
            classifier=NearestCentroid(),
        ).table["p"][0]
        for s in range(3)
    ]
    assert np.median(p) > 0.1


def test_as_scikit_learn(study: Study) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    frame = study(9, effect=0.1)
    result = decode(frame, ["AU12", "AU06"], target="condition", n_permutations=19)
    means = frame.groupby(["subject", "condition"], sort=False)[["AU12", "AU06"]].mean()
    who, y = (means.index.get_level_values(i) for i in (0, 1))
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
    theirs = cross_val_predict(
        model, means.to_numpy(), np.array(y), groups=np.array(who), cv=LeaveOneGroupOut()
    )
    assert result.predictions["predicted"].tolist() == theirs.tolist()


def test_groups_of_people_and_folds(study: Study) -> None:
    frame = study(12, groups=2)
    result = decode(frame, target="group", n_folds=4, n_permutations=19)
    assert "4 folds" in result.table["method"][0]
    assert "between subjects" in result.table["method"][0]
    assert result.predictions.groupby("subject")["fold"].nunique().max() == 1


def test_permutations_stay_within_people() -> None:
    y, who = np.array([0, 1, 1, 0, 0, 0]), np.array([0, 0, 1, 1, 2, 2])
    rng = np.random.default_rng(0)
    for _ in range(20):
        labels = _permuted(y, who, True, rng)
        assert [sorted(labels[who == w]) for w in range(3)] == [[0, 1], [0, 1], [0, 0]]
    group = np.array([0, 0, 1, 1, 1, 1])
    assert pd.Series(_permuted(group, who, False, rng)).groupby(who).nunique().max() == 1


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda f: f.assign(AU12=0.1, AU06=0.2), "constant"),
        (lambda f: f[(f["condition"] == "calm") | (f["subject"] == "s01")], "in 1 of"),
        (lambda f: f[f["condition"] == "calm"], "fewer than two levels"),
    ],
    ids=["constant", "one person", "one level"],
)
def test_what_cannot_be_decoded(study: Study, change: Callable, match: str) -> None:
    with pytest.raises(FexError, match=match):
        decode(change(study()), target="condition", n_permutations=19)
