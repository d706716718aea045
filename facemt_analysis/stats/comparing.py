"""Comparisons of conditions and groups across subjects: the usual tests, done on subjects."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from facemt_analysis.checks import check_labels, check_number, check_option, check_whole
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats.aggregation import (
    COUNTS,
    Aggregation,
    Weights,
    complete_rows,
    summarize,
)
from facemt_analysis.stats.anova import ANOVA_COLUMNS, Sphericity
from facemt_analysis.stats.comparison import Comparison, some_names
from facemt_analysis.stats.contrasts import ContrastLike, resolve_contrasts
from facemt_analysis.stats.corrections import (
    CORRECTION_NAMES,
    Correction,
    adjust_p,
    max_statistic_p,
)
from facemt_analysis.stats.design import DesignName, Layout, find_factors, lay_out
from facemt_analysis.stats.named_measures import Measures
from facemt_analysis.stats.permutation import Permuted
from facemt_analysis.stats.results import result_table

__all__ = ["EFFECT_COLUMNS", "TestName", "compare"]

TestName = Literal["auto", "t", "student", "rank", "permutation", "anova", "welch-anova"]

EFFECT_COLUMNS = ("effect_ci_low", "effect_ci_high")
"""Columns that a comparison has after those of every result: the interval of the effect size."""


def compare(
    frame: pd.DataFrame,
    features: str | Iterable[str] | None = None,
    *,
    condition: str | Sequence[str] | None = None,
    subject: str = "subject",
    between: str | Sequence[str] | None = None,
    contrast: ContrastLike = None,
    design: DesignName = "auto",
    test: TestName = "auto",
    correction: Correction = "holm",
    family: Literal["all", "feature", "contrast"] = "all",
    effect: Literal["auto", "d", "g"] = "auto",
    sphericity: Sphericity = "greenhouse-geisser",
    measures: Measures | None = None,
    how: Aggregation = "mean",
    weights: Weights = "recordings",
    unit: str | Sequence[str] | None = None,
    min_frames: int = 1,
    min_subjects: int = 2,
    missing: Literal["warn", "raise", "ignore"] = "warn",
    level: float = 0.95,
    n_permutations: int = 10_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare conditions or groups of people; the subject is the unit, never the frame.

    Parameters
    ----------
    frame
        Rows with labels: frames, or anything already averaged.
    features
        Columns to test, or groups of them (``"aus"``); default all that
        :func:`facemt_analysis.stats.summarize` takes.
    condition
        Label to compare, or two (or more) for a factorial design. Whether it varies within or
        between subjects is found from the labels.
    subject
        Column that names the person.
    between
        Label(s) that must be between subjects, such as patients and controls.
    contrast
        What to compare, e.g. ``"funny - neutral"``; default all pairs of levels, the later minus
        the earlier (order of categories, or of first rows). All ways to say it:
        :func:`resolve_contrasts`. Means over the levels of other factors are unweighted.
    design
        ``"within"`` or ``"between"`` to say what `condition` is.
    test
        ``"t"``: paired, or Welch between groups; ``"student"``: with pooled variances; ``"rank"``:
        Wilcoxon or Mann–Whitney; ``"permutation"``: of the same t, by sign flips or shuffled
        groups, exact where few are possible; ``"anova"``: F tests of all effects;
        ``"welch-anova"``: one factor between subjects, unequal variances. ``"auto"``: t tests,
        analysis of variance where there are several factors and no contrast, permutation for
        ``"max-t"``.
    correction
        Over the family: ``"holm"``, ``"fdr_bh"``, ``"max-t"`` (permutations), or None.
    family
        What is corrected together: ``"all"`` rows of the table; the rows of each ``"feature"``; or
        of each ``"contrast"``.
    effect
        Effect size of t and permutation tests: ``"auto"``: dz within, d between subjects; ``"g"``:
        the same without small-sample bias (Hedges; gz and g); ``"d"``: by the SD of the conditions
        also within subjects.
    sphericity
        Correction of F tests within subjects.
    measures, how, weights, unit, min_frames
        How frames become one number per subject and cell:
        :func:`facemt_analysis.stats.summarize`.
    min_subjects
        Least number of subjects with all needed cells, in every group.
    missing
        Subjects that lack a cell that a test needs are left out of that test, and named in
        ``method``: with a warning, without one, or raise instead.
    level
        Of the confidence intervals.
    n_permutations
        Random ones; all possible ones if there are not more.
    seed
        Of the permutations.

    Returns
    -------
    DataFrame
        One row per feature and contrast (or effect): the columns of
        :data:`facemt_analysis.stats.COLUMNS`, ``effect_ci_low``, ``effect_ci_high``, and for F
        tests ``df_effect epsilon sphericity_w sphericity_p``. ``n_obs`` counts means of subjects in
        cells. F tests have no estimate.

    Raises
    ------
    FexError
        If it cannot be answered: a column or level nobody has, too few subjects, a feature without
        values or without variance, labels that contradict the design.

    See Also
    --------
    facemt_analysis.stats.missing_cells : who lacks which cell.
    facemt_analysis.stats.mixed : with every recording as a row.

    Notes
    -----
    The permutation interval is estimate ± c·se for the quantile c of the permuted absolute t: it
    leaves out 0 exactly if p is below 1 − level.

    Examples
    --------
    >>> from facemt_analysis.datasets import load_sample_study
    >>> table = compare(load_sample_study(), ["AU12", "AU04"], condition="condition")
    >>> table[["feature", "contrast", "df", "p_adj", "effect_name"]].round(4)
      feature         contrast    df   p_adj effect_name
    0    AU12  funny - neutral  15.0  0.0007          dz
    1    AU04  funny - neutral  15.0  0.2312          dz
    """
    _check(test, correction, family, effect, sphericity, missing)
    min_subjects = max(check_whole("min_subjects", min_subjects, 1), 2)
    check_whole("n_permutations", n_permutations, 99)
    check_number("level", level, 0, 1, open_low=True, open_high=True)
    layout = study_layout(
        frame, features, condition=condition, subject=subject, between=between, design=design,
        measures=measures, how=how, weights=weights, unit=unit, min_frames=min_frames,
    )  # fmt: skip
    if test == "auto":
        several = len(layout.factors) > 1 and contrast is None and correction != "max-t"
        test = "anova" if several else "permutation" if correction == "max-t" else "t"
    asked = features is not None or measures is not None
    task = Comparison(
        layout, test, min_subjects, level, effect, sphericity, n_permutations, seed,
        strict=asked, joint=correction == "max-t",
    )  # fmt: skip
    if test in ("anova", "welch-anova"):
        if contrast is not None or correction == "max-t":
            raise OptionError(
                f"test={test!r} tests whole effects: it takes no `contrast` and no "
                "correction='max-t'; take test='t' or 'permutation' for contrasts."
            )
        rows = task.analyses()
    else:
        rows = task.contrasts(resolve_contrasts(contrast, layout.factors))
    _report(task.left_out, subject, missing)
    extra = (*EFFECT_COLUMNS, *(ANOVA_COLUMNS if test in ("anova", "welch-anova") else ()))
    table = result_table(rows, extra)
    if level != 0.95:
        table["method"] += f"; {100 * level:g} % intervals"
    return _corrected(table, correction, family, task.null)


def study_layout(
    frame: pd.DataFrame,
    features: str | Iterable[str] | None,
    *,
    condition: str | Sequence[str] | None,
    subject: str,
    between: str | Sequence[str] | None = None,
    design: DesignName = "auto",
    **how: Any,
) -> Layout:
    """Find the design and average frames to subjects × cells; arguments as in :func:`compare`."""
    plain = pd.DataFrame(frame)
    names = [*check_labels(plain, between, name="between"),
             *check_labels(plain, condition, name="condition")]  # fmt: skip
    check_labels(plain, subject, name="subject")
    labels = complete_rows(plain, [subject, *names], ())
    factors = find_factors(
        labels, subject=subject, condition=condition, between=between, design=design
    )
    by = [f.name for f in factors]
    table = summarize(plain, subject=subject, by=by, features=features, **how)
    counts = {subject, *by, *COUNTS}
    return lay_out(table, [c for c in table.columns if c not in counts], factors, subject=subject)


def _corrected(
    table: pd.DataFrame, correction: Correction, family: str, null: list[Permuted]
) -> pd.DataFrame:
    if family == "all":
        parts = [np.arange(len(table))]
    else:
        codes = pd.factorize(table[family])[0]
        parts = [np.flatnonzero(codes == k) for k in range(codes.max() + 1)]
    p_adj = np.full(len(table), np.nan)
    notes = np.full(len(table), "", dtype=object)
    n_contrasts = max(len(null), 1)
    for rows in parts:
        if correction == "max-t":
            # rows go feature by feature, contrasts fastest
            picked = [(null[r % n_contrasts], r // n_contrasts) for r in rows]
            block = np.stack([one.null[:, i] for one, i in picked], axis=1)
            observed = [one.statistic[i] for one, i in picked]
            p_adj[rows] = max_statistic_p(observed, block, exact=[one.exact for one, _ in picked])
        else:
            p_adj[rows] = adjust_p(table["p"].to_numpy()[rows], correction)
        if correction is None:
            notes[rows] = "; not corrected" if len(rows) > 1 else ""
        else:
            notes[rows] = f"; {CORRECTION_NAMES[correction]} over {len(rows)} test" + (
                "s" if len(rows) > 1 else ""
            )
    method = [f"{m}{n}" for m, n in zip(table["method"], notes, strict=True)]
    return table.assign(p_adj=p_adj, method=method)


def _check(
    test: object, correction: object, family: object, effect: object, sphericity: object,
    missing: object,
) -> None:  # fmt: skip
    check_option("test", test, ("auto", "t", "student", "rank", "permutation", "anova",
                                "welch-anova"))  # fmt: skip
    check_option("correction", correction, (*CORRECTION_NAMES, None))
    check_option("family", family, ("all", "feature", "contrast"))
    check_option("effect", effect, ("auto", "d", "g"))
    check_option("sphericity", sphericity, ("greenhouse-geisser", "huynh-feldt", "none"))
    check_option("missing", missing, ("warn", "raise", "ignore"))
    if correction == "max-t" and test in ("rank", "student"):
        raise OptionError("correction='max-t' goes with test='permutation' or 't'.")


def _report(left_out: dict[tuple[str, ...], list[str]], subject: str, missing: str) -> None:
    if not left_out or missing == "ignore":
        return
    lines = [f"{some_names(list(who))} in {some_names(where)}" for who, where in left_out.items()]
    text = f"Subjects ({subject}) that lack a cell are left out: {'; '.join(lines)}."
    if missing == "raise":
        raise FexError(text)
    warnings.warn(text, UserWarning, stacklevel=3)
