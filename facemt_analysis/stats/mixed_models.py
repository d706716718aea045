"""Mixed models: every recording a row, people as random effects."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special, stats

from facemt_analysis.checks import check_number, check_option
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats.aggregation import Aggregation
from facemt_analysis.stats.contrasts import Contrast, ContrastLike, resolve_contrasts
from facemt_analysis.stats.mixed_fits import Fit, Random, fit_gee, fit_linear
from facemt_analysis.stats.mixed_formula import mixed_by_formula
from facemt_analysis.stats.mixed_result import MixedResult, corrected_table
from facemt_analysis.stats.mixed_rows import Level, ModelRows, model_rows

__all__ = ["MixedResult", "mixed"]

Floats = NDArray[np.float64]

Family = Literal["gaussian", "binomial", "fraction"]
Transform = Literal["logit", "arcsine"] | None

MEAN_COLUMNS = ("estimate", "se", "df", "ci_low", "ci_high", "response")
"""Columns of marginal means, after ``feature`` and the factors."""


def mixed(
    frame: pd.DataFrame,
    features: str | Iterable[str] | None = None,
    *,
    condition: str | Sequence[str] | None = None,
    subject: str = "subject",
    between: str | Sequence[str] | None = None,
    covariates: str | Sequence[str] = (),
    item: str | None = None,
    random: Random = "auto",
    family: Family = "gaussian",
    transform: Transform = None,
    threshold: float = 0.5,
    contrast: ContrastLike = None,
    correction: Literal["holm", "fdr_bh"] | None = "holm",
    rows: Level = "recordings",
    how: Aggregation = "mean",
    unit: str | Sequence[str] | None = None,
    min_frames: int = 1,
    reml: bool = True,
    level: float = 0.95,
    formula: str | None = None,
    random_formula: str | None = None,
) -> MixedResult:
    """Model recordings with random effects of people, and test contrasts of conditions.

    Parameters
    ----------
    frame, features, condition, subject, between, contrast, how, unit, min_frames
        As in :func:`facemt_analysis.stats.compare`.
    covariates
        Numeric columns; each has one slope for all cells, tested as a contrast of its own.
    item
        Label of what people saw, as a random effect that is crossed with people.
    random
        Random effects of people: ``"intercept"``, ``"cells"``, ``"slopes"`` or ``"auto"``:
        :func:`facemt_analysis.stats.mixed_fits.fit_linear`.
    family
        ``"gaussian"``: linear mixed model of the means of recordings. ``"binomial"``: odds of
        occurrence, from the share of frames whose score is at least `threshold`; ``"fraction"``:
        odds of mean scores between 0 and 1; both by generalised estimating equations, so that
        `random`, `item` and `reml` do not apply: :func:`facemt_analysis.stats.mixed_fits.fit_gee`.
    transform
        Of the means of recordings, for the gaussian family and scores from 0 to 1: ``"logit"``
        (after Smithson & Verkuilen's (2006, doi:10.1037/1082-989X.11.1.54) squeeze (y(n−1)+½)/n),
        or ``"arcsine"`` (of the square root). Estimates are on that scale.
    threshold
        Score from which an action unit occurs.
    correction
        Over all rows of the table.
    rows
        ``"recordings"``: one row per recording or trial. ``"frames"``: one per frame; frames of a
        recording are taken for independent given the random effects, which they are not: with a
        warning.
    reml
        Restricted maximum likelihood.
    level
        Of the intervals.
    formula
        For experts: right-hand side (or whole) of a formula of statsmodels on the rows, instead of
        `condition`, `between` and `covariates`; the table then has one row per coefficient, with
        normal z tests.
    random_formula
        With `formula`: random effects of subjects, default ``"1"``.

    Returns
    -------
    MixedResult

    Raises
    ------
    FexError
        If the model cannot be fitted to these rows, a cell has none, or a feature is constant.

    Notes
    -----
    Degrees of freedom follow the between–within rule; statsmodels itself offers z only. Standardised
    effects are estimates over the SD of single rows, all variances together (Westfall et al., 2014,
    doi:10.1037/xge0000014), or odds ratios. Residuals of neighbouring recordings may still be
    correlated: ``diagnostics["lag1"]``; statsmodels has no autoregressive residuals.

    Examples
    --------
    >>> from facemt_analysis.datasets import load_sample_study
    >>> result = mixed(load_sample_study(), "AU12", condition="condition")
    >>> result.table[["contrast", "df", "statistic_name"]]
              contrast    df statistic_name
    0  funny - neutral  15.0              t
    """  # noqa: E501
    check_option("random", random, ("auto", "intercept", "cells", "slopes"))
    check_option("family", family, ("gaussian", "binomial", "fraction"))
    check_option("transform", transform, ("logit", "arcsine", None))
    check_option("correction", correction, ("holm", "fdr_bh", None))
    check_option("rows", rows, ("recordings", "frames"))
    check_number("level", level, 0, 1, open_low=True, open_high=True)
    if transform is not None and family != "gaussian":
        raise OptionError("`transform` goes with family='gaussian'; the others are on log odds.")
    if rows == "frames":
        warnings.warn(
            "rows='frames' takes the frames of a recording for independent given the random "
            "effects; standard errors within subjects are too small. See diagnostics['lag1'].",
            UserWarning,
            stacklevel=2,
        )
    if formula is not None:
        if condition is not None or between is not None or len(covariates):
            raise OptionError("`formula` replaces `condition`, `between` and `covariates`.")
        return mixed_by_formula(
            frame, features, formula, random_formula or "1", subject, reml=reml, level=level,
            correction=correction, how=how, unit=unit, min_frames=min_frames,
        )  # fmt: skip
    made = model_rows(
        frame, features, condition=condition, subject=subject, between=between,
        covariates=covariates, item=item, rows=rows, how=how, unit=unit, min_frames=min_frames,
        above=check_number("threshold", threshold) if family == "binomial" else None,
    )  # fmt: skip
    out: list[dict[str, Any]] = []
    means: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    builders: dict[str, Callable[[], Any]] = {}
    for name, every in made.items():
        part = _usable(name, every)
        if family == "gaussian":
            values, scale = _transformed(name, part.values, transform)
            part = part.with_values(values)
            fit = fit_linear(part, random=random, reml=reml)
        else:
            if part.values.min() < 0 or part.values.max() > 1:
                raise FexError(f"{name} leaves 0 to 1; family={family!r} is for shares and scores.")
            occurs = f"the share of frames with {name} from {threshold:g}"
            fit = fit_gee(part, occurs if family == "binomial" else f"mean {name}")
            scale = ""
        if not fit.diagnostics["converged"]:
            warnings.warn(f"{name}: the model did not converge.", UserWarning, stacklevel=2)
        out += _contrast_rows(name, part, fit, contrast, level, scale, logit=family != "gaussian")
        means += _mean_rows(name, part, fit, level, transform, logit=family != "gaussian")
        notes.append({"feature": name, **fit.diagnostics, "lag1": _lag1(part, fit.residuals, rows)})
        builders[name] = fit.result
    return MixedResult(
        corrected_table(out, correction, level), pd.DataFrame(means), pd.DataFrame(notes), builders
    )


def _usable(name: str, rows: ModelRows) -> ModelRows:
    kept = ~np.isnan(rows.values)
    if not kept.any():
        raise FexError(f"{name}: has no valid value.")
    part = rows.pick(kept)
    if np.ptp(part.values) <= 1e-12 * np.abs(part.values).max():
        raise FexError(f"{name}: is {part.values[0]:g} everywhere.")
    counts = part.design[:, : part.n_outer * part.n_inner].sum(axis=0)
    if (counts == 0).any():
        cell = part.design_names[int(np.argmin(counts))]
        raise FexError(f"{name}: there is no recording in the cell {cell}.")
    return part


def _transformed(name: str, values: Floats, transform: Transform) -> tuple[Floats, str]:
    if transform is None:
        return values, ""
    if values.min() < 0 or values.max() > 1:
        raise FexError(f"{name} leaves 0 to 1; transform={transform!r} is for scores and shares.")
    if transform == "arcsine":
        return np.arcsin(np.sqrt(values)), " on arcsine square roots"
    n = len(values)
    return special.logit((values * (n - 1) + 0.5) / n), " on logits"


def _contrast_rows(
    name: str, rows: ModelRows, fit: Fit, contrast: ContrastLike, level: float, scale: str, *,
    logit: bool,
) -> list[dict[str, Any]]:  # fmt: skip
    found: list[tuple[str, Floats, bool]] = []
    if rows.factors:
        contrasts: list[Contrast] = resolve_contrasts(contrast, rows.factors)
        found = [(c.name, rows.weights(c), c.involves(rows.within)) for c in contrasts]
    n_cells = rows.n_outer * rows.n_inner
    for j, covariate in enumerate(rows.covariate_names):
        by = pd.Series(rows.covariates[:, j]).groupby(rows.subject)
        varies = bool((by.max() - by.min()).max() > 1e-12)
        found.append((covariate, np.eye(fit.beta.size)[n_cells + j], varies))
    out = []
    for label, weights, within in found:
        estimate = float(weights @ fit.beta)
        se = float(np.sqrt(weights @ fit.covariance @ weights))
        df = fit.df_within if within else fit.df_between
        reach = float(stats.t.isf((1 - level) / 2, df)) * se
        size = np.exp(estimate) if logit else estimate / fit.sd
        ends = np.array([estimate - reach, estimate + reach])
        ends_size = np.exp(ends) if logit else ends / fit.sd
        out.append(
            {
                "feature": name,
                "contrast": label,
                "estimate": estimate,
                "se": se,
                "statistic": estimate / se,
                "statistic_name": "t",
                "df": df,
                "p": float(2 * stats.t.sf(abs(estimate / se), df)),
                "ci_low": ends[0],
                "ci_high": ends[1],
                "effect_size": float(size),
                "effect_name": "odds ratio" if logit else "d",
                "effect_ci_low": ends_size[0],
                "effect_ci_high": ends_size[1],
                "n_subjects": rows.n_subjects,
                "n_obs": len(rows.values),
                "method": fit.method + scale,
            }
        )
    return out


def _mean_rows(
    name: str, rows: ModelRows, fit: Fit, level: float, transform: Transform, *, logit: bool
) -> list[dict[str, Any]]:
    out = []
    for i, levels in enumerate(product(*(f.levels for f in rows.factors))):
        estimate, se = float(fit.beta[i]), float(np.sqrt(fit.covariance[i, i]))
        df = fit.df_between
        reach = float(stats.t.isf((1 - level) / 2, df)) * se
        response = estimate
        if logit or transform == "logit":
            response = float(special.expit(estimate))
        elif transform == "arcsine":
            response = float(np.sin(estimate) ** 2)
        numbers = (estimate, se, df, estimate - reach, estimate + reach, response)
        cell = dict(zip((f.name for f in rows.factors), levels, strict=True))
        out.append({"feature": name, **cell, **dict(zip(MEAN_COLUMNS, numbers, strict=True))})
    return out


def _lag1(rows: ModelRows, residuals: Floats, level: Level) -> float:
    """Correlation of each residual with the next one, over rows that follow each other."""
    group = rows.subject
    if level == "frames":
        group = group * (int(rows.unit.max()) + 1) + rows.unit
    order = np.argsort(group, kind="stable")
    ordered, group = residuals[order], group[order]
    centred = ordered - pd.Series(ordered).groupby(group).transform("mean").to_numpy()
    follows = group[1:] == group[:-1]
    if np.bincount(np.unique(group, return_inverse=True)[1]).max() < 3:
        return float("nan")
    return float((centred[1:] * centred[:-1])[follows].sum() / (centred**2).sum())
