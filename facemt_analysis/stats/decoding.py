"""Decoding: whether a label can be told from the faces of people never seen before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.checks import check_labels, check_number, check_whole
from facemt_analysis.errors import FexError
from facemt_analysis.stats.aggregation import Aggregation, unit_table
from facemt_analysis.stats.bootstrap import cluster_bootstrap
from facemt_analysis.stats.drawing import draw
from facemt_analysis.stats.results import result_table

__all__ = ["DecodingResult", "decode"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DecodingResult:
    """What could be decoded.

    Parameters
    ----------
    table
        One row: columns of :data:`facemt_analysis.stats.COLUMNS` and ``chance``; the estimate is
        the balanced accuracy.
    predictions
        One row per recording: ``subject``, the target, ``predicted``, ``fold``.
    confusion
        Recordings by true (rows) and predicted level.
    null
        Balanced accuracies with permuted labels.
    """

    table: pd.DataFrame
    predictions: pd.DataFrame
    confusion: pd.DataFrame
    null: Floats

    def summary(self) -> str:
        """Say the result in one sentence."""
        from facemt_analysis.stats.words import describe

        return describe(self.table)

    def plot(self, **options: Any) -> Any:
        """Draw it: :func:`facemt_analysis.plotting.plot_confusion`."""
        return draw("plot_confusion", self, **options)


def decode(
    frame: pd.DataFrame,
    features: str | Iterable[str] | None = None,
    *,
    target: str,
    subject: str = "subject",
    classifier: Any = None,
    n_folds: int | None = None,
    how: Aggregation = "mean",
    unit: str | Sequence[str] | None = None,
    level: float = 0.95,
    n_permutations: int = 200,
    n_boot: int = 2000,
    seed: int = 0,
) -> DecodingResult:
    """Predict a label of recordings of people whom the classifier has not seen.

    Parameters
    ----------
    frame, features, subject, how, unit
        As in :func:`facemt_analysis.stats.summarize`; one row per recording (or trial) and level is
        made of them.
    target
        The label to predict.
    classifier
        Of scikit-learn; default logistic regression with balanced classes. Features are
        standardised within each training set.
    n_folds
        People are put into so many folds; default: every person is left out once.
    level, n_boot
        Of the interval, by bootstrap over people.
    n_permutations
        Of the labels: within people where people have several levels, else between people. Every
        one repeats the cross-validation.
    seed
        Of permutations, bootstrap and folds.

    Returns
    -------
    DecodingResult

    Raises
    ------
    ImportError
        If scikit-learn is not installed (extra ``decode``).
    FexError
        If there are too few people, or nothing to learn from.

    Notes
    -----
    Balanced accuracy is the mean over levels of the share of their recordings that is found;
    chance is one over the number of levels. p = (1 + b)/(1 + m) for the b of m permutations that do
    at least as well. Recordings that lack a feature are left out.

    Examples
    --------
    >>> from facemt_analysis.datasets import load_sample_study
    >>> result = decode(load_sample_study(), ["AU06", "AU12"], target="condition",
    ...                 n_permutations=19)  # doctest: +SKIP
    >>> result.table["estimate"].iloc[0]  # doctest: +SKIP
    0.8125
    """
    try:
        from sklearn.base import clone
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import StandardScaler
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise ImportError(
            'Decoding needs scikit-learn: pip install "facemt-analysis[decode]".'
        ) from error
    check_whole("n_permutations", n_permutations, 19)
    check_number("level", level, 0, 1, open_low=True, open_high=True)
    check_labels(frame, target, name="target")
    units = unit_table(frame, features, subject=subject, by=[target], how=how, unit=unit)
    whole = units.values.notna().all(axis=1).to_numpy()
    x = units.values.to_numpy()[whole]
    keys = units.keys.loc[whole, [subject, target]].reset_index(drop=True)
    y, levels = pd.factorize(keys[target])
    who, people = pd.factorize(keys[subject])
    _check(x, y, who, levels, len(people), target)
    rng = np.random.default_rng(seed)
    folds = _folds(len(people), n_folds, rng)[who]
    learner = (
        LogisticRegression(class_weight="balanced", solver="newton-cholesky", max_iter=1000)
        if classifier is None
        else classifier
    )
    parts = []  # features do not change with the labels: standardised once
    for fold in np.unique(folds):
        test = folds == fold
        scaler = StandardScaler().fit(x[~test])
        parts.append((test, scaler.transform(x[~test]), scaler.transform(x[test])))

    def predicted(labels: NDArray[np.intp]) -> NDArray[np.intp]:
        out = np.empty_like(labels)
        for test, train_x, test_x in parts:
            out[test] = clone(learner).fit(train_x, labels[~test]).predict(test_x)
        return out

    guess = predicted(y)
    sums = np.zeros((len(people), len(levels) ** 2))
    np.add.at(sums, (who, y * len(levels) + guess), 1.0)
    score = _balanced(len(levels))
    found = cluster_bootstrap(sums, score, n_boot=n_boot, scales="logit", level=level, seed=seed)
    null = np.empty(n_permutations)
    within = len(np.unique(who * len(levels) + y)) > len(people)
    with threadpool_limits(1):  # many small fits
        for i in range(n_permutations):
            labels = _permuted(y, who, within, rng)
            hits = np.bincount(labels * len(levels) + predicted(labels), minlength=len(levels) ** 2)
            null[i] = score(hits.astype(np.float64))[0]
    p = (1 + int((null >= found.estimate[0] - 1e-12).sum())) / (1 + n_permutations)
    name = type(learner).__name__
    row = {
        "feature": f"{x.shape[1]} features", "contrast": " / ".join(map(str, levels)),
        "estimate": found.estimate[0], "se": found.se[0], "ci_low": found.low[0],
        "ci_high": found.high[0], "p": p, "p_adj": p, "n_subjects": len(people),
        "n_obs": len(y), "chance": 1 / len(levels),
        "method": f"balanced accuracy of {name}, {len(np.unique(folds))} folds of whole subjects, "
        f"{n_permutations:,} permutations {'within' if within else 'between'} subjects",
    }  # fmt: skip
    confusion = pd.crosstab(
        keys[target], pd.Series(levels[guess], name="predicted"), dropna=False
    ).reindex(index=levels, columns=levels, fill_value=0)
    predictions = keys.assign(predicted=levels[guess], fold=folds)
    return DecodingResult(result_table([row], ("chance",)), predictions, confusion, null)


def _check(
    x: Floats, y: NDArray[np.intp], who: NDArray[np.intp], levels: Any, n: int, target: str
) -> None:
    if len(levels) < 2:
        raise FexError(f"{target!r} has fewer than two levels among recordings without gaps.")
    if (np.ptp(x, axis=0) <= 1e-12 * np.abs(x).max(axis=0, initial=0.0)).all():
        raise FexError("All features are constant; there is nothing to learn from.")
    for level in range(len(levels)):
        have = len(np.unique(who[y == level]))
        if have < 2:
            raise FexError(
                f"{target!r}: {levels[level]!r} was seen in {have} of {n} subjects; leaving people "
                "out needs at least two."
            )


def _folds(n: int, n_folds: int | None, rng: np.random.Generator) -> NDArray[np.intp]:
    if n_folds is None:
        return np.arange(n)
    k = check_whole("n_folds", n_folds, 2)
    if k > n:
        raise FexError(f"`n_folds` is {k}, but there are {n} subjects.")
    return rng.permutation(np.arange(n) % k)


def _permuted(
    y: NDArray[np.intp], who: NDArray[np.intp], within: bool, rng: np.random.Generator
) -> NDArray[np.intp]:
    if within:
        # sort by person, then at random: the labels of each change places
        order = np.argsort(who, kind="stable")
        shuffled = np.lexsort((rng.random(len(y)), who))
        out = np.empty_like(y)
        out[order] = y[shuffled]
        return out
    first = np.unique(who, return_index=True)[1]
    return rng.permutation(y[first])[who]


def _balanced(n: int) -> Any:
    """Balanced accuracy of counts (…, true × predicted)."""

    def score(sums: Floats) -> Floats:
        table = sums.reshape(*sums.shape[:-1], n, n)
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = np.diagonal(table, axis1=-2, axis2=-1) / table.sum(axis=-1)
        return np.asarray(shares.mean(axis=-1, keepdims=True))

    return score
