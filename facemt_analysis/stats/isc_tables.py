"""Intersubject correlation: how alike people respond to the same film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.checks import check_labels, check_number, check_option, check_whole
from facemt_analysis.errors import FexError
from facemt_analysis.stats.corrections import adjust_p
from facemt_analysis.stats.courses import courses, mean_courses, pick_features
from facemt_analysis.stats.drawing import draw
from facemt_analysis.stats.isc_engine import (
    IscMethod,
    IscNull,
    Summary,
    isc_array,
    isc_null,
    summarize_isc,
)
from facemt_analysis.stats.isc_intervals import bootstrap_isc, jackknife_isc
from facemt_analysis.stats.words import format_p

__all__ = ["ISC_COLUMNS", "IscResult", "isc"]

Floats = NDArray[np.float64]

ISC_COLUMNS = (
    "feature", "condition", "isc", "ci_low", "ci_high", "p", "p_adj", "n_subjects", "n_times",
    "method",
)  # fmt: skip
"""Columns of the table of intersubject correlations, in this order; see :class:`IscResult`."""

_WORDS = {
    "phase": "phase randomisation",
    "circular-shift": "circular shifts",
    "bootstrap": "wild bootstrap over subjects",
}


@dataclass(frozen=True, eq=False, repr=False)
class IscResult:
    """Intersubject correlations of features in conditions.

    Parameters
    ----------
    table
        One row per feature and condition: ``feature``, ``condition``, ``isc`` (average correlation
        over subjects or pairs), ``ci_low`` and ``ci_high`` (95 % unless said; of the mean a
        jackknife over subjects, of the median percentiles of a bootstrap), ``p`` (of an average as
        high without anything shared), ``p_adj`` (Holm, over the rows), ``n_subjects``, ``n_times``,
        ``method``.
    subjects
        One row per feature, condition and subject: ``isc`` of the subject, with the mean of the
        others or on average over its pairs (Fisher's z).
    correlations
        Of every row of `table`: correlations of the subjects, shape (subjects,), or of all pairs,
        shape (subjects, subjects).
    names
        Subjects of every row of `table`, in the order of its correlations.
    null_distribution
        Of every row: the observed value, then the random ones, shape (rows, 1 + n); without a null
        only the observed one.
    notes
        Who was left out, and why.
    """

    table: pd.DataFrame
    subjects: pd.DataFrame
    correlations: tuple[Floats, ...]
    names: tuple[tuple[object, ...], ...]
    null_distribution: Floats
    notes: tuple[str, ...] = ()

    def summary(self) -> str:
        """Say the result in words, with its numbers."""
        said = []
        for row in self.table.to_dict("records"):
            where = f" in {row['condition']}" if row["condition"] != "" else ""
            p = "" if np.isnan(row["p"]) else f", p {format_p(row['p'])}"
            interval = f"[{row['ci_low']:.2f}, {row['ci_high']:.2f}]"
            value = f"ISC = {row['isc']:.2f} {interval}{p}, N = {row['n_subjects']}"
            said.append(f"{row['feature']}{where}: {value}")
        return " ".join([f"{self.table['method'].iloc[0]}. {'; '.join(said)}.", *self.notes])

    def plot(self, **options: Any) -> Any:
        """Draw it: :func:`facemt_analysis.plotting.plot_isc`."""
        return draw("plot_isc", self, **options)

    def __repr__(self) -> str:
        return repr(self.table)


def isc(
    frame: pd.DataFrame,
    feature: str | Sequence[str],
    *,
    subject: str = "subject",
    condition: str | None = None,
    time: str = "time",
    method: IscMethod = "leave-one-out",
    null: IscNull | None = "circular-shift",
    tail: str = "greater",
    summary: Summary = "mean",
    standardize: bool = True,
    n_permutations: int = 1000,
    confidence: float = 0.95,
    rate: float | None = None,
    tmin: float | None = None,
    tmax: float | None = None,
    seed: int | None = 0,
) -> IscResult:
    """Measure how alike the courses of people are who saw the same.

    The unit is the subject: recordings of a subject in a condition are averaged first.

    Parameters
    ----------
    frame
        One row per face and frame; recordings start at the same moment of the film.
    feature
        One column or several.
    subject
        Column that names the person.
    condition
        Column that names the film: correlations are within each. None: all rows are one film.
    time
        Column with the time in the film, s.
    method
        ``"leave-one-out"``: each subject with the mean of the others; ``"pairwise"``: each with
        each. The first is higher: the mean of many has less noise.
    null
        ``"circular-shift"``: the courses, each started at another moment; ``"phase"``: courses with
        the same spectrum and random phases, which suits values that spread evenly to both sides,
        but not so well rare bursts (pairwise it may then reject too often); ``"bootstrap"``:
        random weights of subjects (a wild bootstrap; 8 subjects or more); None: no test. See
        :func:`isc_null`.
    tail
        ``"greater"`` or ``"two-sided"``.
    summary
        ``"mean"`` (through Fisher's z) or ``"median"`` over subjects or pairs.
    standardize
        Give all courses the same variance first, so that lively faces weigh no more in the mean of
        the others.
    n_permutations
        Random data sets (and bootstrap samples for the interval of a median).
    confidence
        Of the intervals.
    rate, tmin, tmax
        As in :func:`cluster_permutation`: a common time axis, if the recordings have none; the part
        to use.
    seed
        Of everything random; the same for all features and conditions.

    Returns
    -------
    IscResult

    Raises
    ------
    FexError
        If a column is absent, empty or constant, times differ and no `rate` is given, or fewer
        than 2 subjects with a course that varies remain.
    OptionError
        If an option is out of its range.

    Notes
    -----
    Missing values: pairs are compared where both have a value, a subject with the mean of those who
    have one. Intervals are missing with fewer than 3 subjects. People without a course that varies
    are left out and named. Whatever all recordings have in common counts, a start from rest too:
    leave it out with `tmin`.

    References
    ----------
    Hasson et al. (2004), https://doi.org/10.1126/science.1089506; Nastase et al. (2019),
    https://doi.org/10.1093/scan/nsz037; Chen et al. (2016),
    https://doi.org/10.1016/j.neuroimage.2016.05.023.

    Examples
    --------
    >>> import facemt_analysis as fm
    >>> fex, _ = fm.simulate_study(12, isc={"neutral": 0, "funny": 0.6}, duration=20, fps=10,
    ...                            seed=1, feature_groups=["aus"], effects={})
    >>> found = isc(fex, "AU04", condition="condition", n_permutations=200)
    >>> (found.table["p"] < 0.05).tolist()
    [False, True]
    """
    check_option("method", method, ("leave-one-out", "pairwise"))
    check_option("null", null, ("phase", "circular-shift", "bootstrap", None))
    check_option("tail", tail, ("greater", "two-sided"))
    check_option("summary", summary, ("mean", "median"))
    confidence = check_number("confidence", confidence, 0, 1, open_low=True, open_high=True)
    n_permutations = check_whole("n_permutations", n_permutations, 1)
    check_labels(frame, subject, name="subject")
    check_labels(frame, condition, name="condition")
    names = pick_features(frame, feature)
    by = [subject] if condition is None else [subject, condition]
    found = courses(frame, names, by, time=time, rate=rate, tmin=tmin, tmax=tmax)
    means = mean_courses(found, by)
    films = [None] if condition is None else list(found.keys[condition].drop_duplicates())
    words = (
        f"Intersubject correlation ({method}, {summary}"
        + (f", {n_permutations:,} times {_WORDS[null]}, {tail}" if null else "")
        + ")"
    )
    rows: list[dict[str, object]] = []
    people, matrices, everyone, nulls = [], [], [], []
    notes: list[str] = []
    for f, name in enumerate(names):
        for film in films:
            chosen = np.ones(len(means.keys), dtype=np.bool_)
            if condition is not None:
                chosen = (means.keys[condition] == film).to_numpy(np.bool_)
            who = means.keys[subject][chosen].tolist()
            data, who = _usable(means.values[chosen, f], who, name, film, notes)
            if standardize:
                data = data / np.nanstd(data, axis=1, keepdims=True)
            r = isc_array(data, method)
            value = float(summarize_isc(r, method, summary))
            low = high = np.nan
            if len(who) > 2 and summary == "mean":
                low, high = jackknife_isc(data, method, confidence=confidence)
            elif len(who) > 2:
                drawn = bootstrap_isc(
                    r, method, summary=summary, n_samples=n_permutations, seed=seed
                )
                low, high = np.nanquantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
            distribution = np.array([value])
            p = np.nan
            if null is not None:
                distribution = isc_null(
                    data, method, null,
                    summary=summary, n_permutations=n_permutations, seed=seed,
                )  # fmt: skip
                p = _share(distribution, tail)
            rows.append(
                {"feature": name, "condition": "" if film is None else film, "isc": value,
                 "ci_low": low, "ci_high": high, "p": p, "n_subjects": len(who),
                 "n_times": int((~np.isnan(data)).any(0).sum()), "method": words}
            )  # fmt: skip
            people.append(_by_subject(r, who, method, rows[-1]))
            matrices.append(r)
            everyone.append(tuple(who))
            nulls.append(distribution)
    table = pd.DataFrame(rows)
    table["p_adj"] = adjust_p(table["p"].to_numpy(np.float64), "holm")
    return IscResult(
        table=table[list(ISC_COLUMNS)],
        subjects=pd.concat(people, ignore_index=True),
        correlations=tuple(matrices),
        names=tuple(everyone),
        null_distribution=np.array(nulls),
        notes=tuple(notes),
    )


def _usable(
    data: Floats, who: list[object], name: str, film: object, notes: list[str]
) -> tuple[Floats, list[object]]:
    """Leave out courses without variance or with hardly a value."""
    there = ~np.isnan(data)
    high = np.max(np.where(there, data, -np.inf), axis=1)
    varies = (high > np.min(np.where(there, data, np.inf), axis=1)) & (there.sum(1) > 2)
    where = f"{name}, {film}" if film is not None else name
    if not varies.all():
        out = ", ".join(str(who[i]) for i in np.flatnonzero(~varies))
        notes.append(f"Left out of {where}, for want of values that vary: {out}.")
    if varies.sum() < 2:
        raise FexError(
            f"Intersubject correlation needs at least 2 subjects whose values vary, but there are "
            f"{int(varies.sum())} for {where}."
        )
    return data[varies], [who[i] for i in np.flatnonzero(varies)]


def _share(null: Floats, tail: str) -> float:
    """Share of the null distribution, the observed value (its first) among it, as extreme."""
    values = null if tail == "greater" else np.abs(null)
    if np.isnan(values[0]):
        return float("nan")
    return float(np.mean(values >= values[0] - 1e-12))


def _by_subject(
    r: Floats, who: list[object], method: IscMethod, row: dict[str, object]
) -> pd.DataFrame:
    own = r
    if method == "pairwise":  # each with all others
        others = np.where(np.eye(len(who), dtype=np.bool_), np.nan, r)
        own = summarize_isc(others, "leave-one-out")
    return pd.DataFrame(
        {"feature": row["feature"], "condition": row["condition"], "subject": who, "isc": own}
    )
