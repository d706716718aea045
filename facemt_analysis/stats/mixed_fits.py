"""Fits of one feature: linear mixed model or estimating equations, and their inference."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.errors import FexError
from facemt_analysis.stats.mixed_reml import Reml, Term, fit_reml
from facemt_analysis.stats.mixed_rows import ModelRows

__all__ = ["Fit", "Random", "fit_gee", "fit_linear"]

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

Random = Literal["auto", "intercept", "cells", "slopes"]
"""Random effects of subjects."""

_CROSSED_LIMIT = 4000


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model.

    Parameters
    ----------
    result
        Gives the result of statsmodels; None where it has none.
    beta, covariance
        Coefficients of the cells and covariates, and their covariance.
    df_between, df_within
        Degrees of freedom of contrasts between and within subjects.
    sd
        Of single values in the population: what contrasts are standardised by; NaN if that has no
        meaning.
    residuals
        One per row.
    diagnostics
        What to know about the fit.
    method
        In words.
    """

    result: Callable[[], Any]
    beta: Floats
    covariance: Floats
    df_between: float
    df_within: float
    sd: float
    residuals: Floats
    diagnostics: dict[str, Any] = field(default_factory=dict)
    method: str = ""


def fit_linear(rows: ModelRows, *, random: Random = "auto", reml: bool = True) -> Fit:
    r"""Fit a linear mixed model.

    Parameters
    ----------
    rows
        Without NaN.
    random
        ``"intercept"``: subjects; ``"cells"``: subjects, and subjects within cells (how much the
        effect differs between people, the same for all differences); ``"slopes"``: subjects with
        effects of their own, all variances and covariances free; ``"auto"``: cells where subjects
        have several rows in one, slopes for covariates within subjects, else intercept.
    reml
        Restricted maximum likelihood instead of maximum likelihood.

    Notes
    -----
    The covariance of the fixed effects is :math:`(\sum X'V^{-1}X)^{-1}` at the estimated variances.
    Degrees of freedom after the between–within rule: subjects − groups between; within, what
    is left of the stratum that a contrast is tested in. Balanced data give the F tests of
    the analysis of variance.
    """
    random = _choose(rows, random)
    terms, blocks = _terms(rows, random)
    x = rows.design
    fit = fit_reml(rows.values, x, terms, blocks, reml=reml)
    df_between, df_within = _degrees(rows, random)
    diagnostics = {
        "converged": fit.converged, "singular": fit.singular,
        "estimation": "REML" if reml else "ML", "random": random,
        **_variances(fit.random), "var_residual": fit.scale,
        "n_rows": len(rows.values), "n_subjects": rows.n_subjects,
    }  # fmt: skip
    words = {"intercept": "random intercepts of subjects",
             "cells": "random intercepts of subjects and of subjects in cells",
             "slopes": "random intercepts and slopes of subjects"}[random]  # fmt: skip
    method = f"linear mixed model, {words}{', items' if rows.item is not None else ''}, "
    method += f"{diagnostics['estimation']}, between–within df"
    method += "; singular fit" if fit.singular else ""
    method += "" if fit.converged else "; NOT CONVERGED"
    return Fit(
        partial(_at_optimum, rows, terms, blocks, fit, reml), fit.beta, fit.covariance, df_between,
        df_within, float(np.sqrt(fit.variance)), fit.residuals, diagnostics, method,
    )  # fmt: skip


def fit_gee(rows: ModelRows, what: str) -> Fit:
    r"""Fit log odds of shares by generalised estimating equations.

    Parameters
    ----------
    rows
        Values are shares, 0 to 1: of frames in which an action unit occurs, or mean scores.
    what
        The shares in words.

    Notes
    -----
    Logit link; exchangeable working correlation of a subject's rows; standard errors by the
    sandwich over subjects, corrected for few of them (Mancl & DeRouen, 2001,
    doi:10.1111/j.0006-341X.2001.00126.x), which do not ask how frames or recordings depend on each
    other; t distribution with subjects − coefficients degrees of freedom. Shares need not be counts
    (Papke & Wooldridge, 1996, doi:10.1002/(SICI)1099-1255(199611)11:6<619::AID-JAE418>3.0.CO;2-1).
    """
    import statsmodels.api as sm

    x = rows.design
    cells = x[:, : rows.n_outer * rows.n_inner]
    means = (cells.T @ rows.values) / cells.sum(axis=0)
    if ((means <= 0) | (means >= 1)).any():
        raise FexError(
            f"In one cell the {what} is {'0' if (means <= 0).any() else '1'} in every row: its "
            "odds are not finite. compare() can test the shares themselves."
        )
    df = rows.n_subjects - x.shape[1]
    if df < 1:
        raise FexError(f"{rows.n_subjects} subjects are too few for {x.shape[1]} coefficients.")
    order = np.argsort(rows.subject, kind="stable")
    structures = {
        "exchangeable": sm.cov_struct.Exchangeable(),
        "independent": sm.cov_struct.Independence(),
    }
    notes: list[str] = []
    for kind, structure in structures.items():  # noqa: B007, the last one is reported
        with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
            warnings.simplefilter("always")
            model = sm.GEE(
                rows.values[order], x[order], groups=rows.subject[order],
                family=sm.families.Binomial(), cov_struct=structure,
            )  # fmt: skip
            result = model.fit(cov_type="bias_reduced", maxiter=200)
        covariance = np.asarray(result.cov_params(), dtype=np.float64)
        notes += sorted({str(w.message).splitlines()[0] for w in caught})
        good = np.isfinite(covariance).all() and (np.diag(covariance) > 0).all()
        if good and result.converged:
            break
    if not good:
        raise FexError("The estimating equations have no solution for these shares.")
    beta = np.asarray(result.params, dtype=np.float64)
    residuals = rows.values - 1 / (1 + np.exp(-(x @ beta)))
    diagnostics = {
        "converged": bool(result.converged), "singular": False, "estimation": "GEE",
        "random": kind, "n_rows": len(rows.values), "n_subjects": rows.n_subjects,
        "notes": "; ".join(notes),
    }  # fmt: skip
    method = (
        f"log odds of {what} by GEE, {kind} rows of subjects, bias-reduced sandwich over subjects"
    )
    method += "" if result.converged else "; NOT CONVERGED"
    return Fit(
        lambda: result, beta, covariance, df, df, float("nan"), residuals, diagnostics, method
    )


# ---------------------------------------------------------------------- linear mixed model
def _choose(rows: ModelRows, random: Random) -> Random:
    cell = rows.subject * rows.n_inner + rows.inner
    several = len(cell) > len(np.unique(cell))
    slopes = rows.inner_contrasts.shape[1]
    if random == "auto":
        if rows.n_inner > 1:
            return "cells" if several else "intercept"
        return "slopes" if slopes and several else "intercept"
    if random == "cells" and (rows.n_inner < 2 or not several):
        raise FexError("random='cells' needs a condition within subjects with several rows per "
                       "subject and cell.")  # fmt: skip
    if random == "slopes" and (not slopes or not several):
        raise FexError("random='slopes' needs something that varies within subjects, and several "
                       "rows per subject and cell.")  # fmt: skip
    return random


def _terms(rows: ModelRows, random: Random) -> tuple[list[Term], Codes]:
    """Random effects, and blocks of rows that are independent."""
    ones = np.ones((len(rows.values), 1))
    if rows.item is None:
        if random == "slopes":
            return [Term("subject", np.hstack([ones, rows.inner_contrasts]), True)], rows.subject
        cells = [Term("cell", _indicators(rows.inner), False)] if random == "cells" else []
        return [Term("subject", ones, True), *cells], rows.subject
    if random == "slopes":
        raise FexError("random='slopes' and `item` together are not available; take 'cells'.")
    parts = {"subject": rows.subject, "item": rows.item}
    if random == "cells":
        parts["cell"] = rows.subject * rows.n_inner + rows.inner
    terms = [Term(name, _indicators(codes), False) for name, codes in parts.items()]
    if sum(t.columns.shape[1] for t in terms) > _CROSSED_LIMIT:
        raise FexError(
            f"More than {_CROSSED_LIMIT:,} subjects, items and cells crossed are not practical; "
            "leave out `item`."
        )
    return terms, np.zeros(len(rows.values), dtype=np.intp)


def _indicators(codes: Codes) -> Floats:
    _, numbers = np.unique(codes, return_inverse=True)
    return np.eye(int(numbers.max()) + 1)[numbers]


def _at_optimum(
    rows: ModelRows, terms: Sequence[Term], blocks: Codes, fit: Reml, reml: bool
) -> Any:
    """Give the results of statsmodels at the optimum; None where it has none (singular fits)."""
    from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams, VCSpec

    full = [t for t in terms if t.full]
    parts = [t for t in terms if not t.full]
    index = [np.flatnonzero(blocks == b) for b in np.unique(blocks)]
    mats = [[t.columns[i] for i in index] for t in parts]
    names = [[[str(k) for k in range(m.shape[1])] for m in ms] for ms in mats]
    spec = VCSpec([t.name for t in parts], names, mats) if parts else None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            model = MixedLM(
                rows.values, pd.DataFrame(rows.design, columns=rows.design_names), blocks,
                exog_vc=spec,
                exog_re=full[0].columns if full else None,
            )  # fmt: skip
            start = MixedLMParams.from_components(
                fe_params=fit.beta,
                cov_re=fit.random[full[0].name] / fit.scale if full else np.zeros((0, 0)),
                vcomp=np.array([fit.random[t.name][0, 0] / fit.scale for t in parts]),
            )
            return model.fit(start_params=start, reml=reml, method="lbfgs")
        except (np.linalg.LinAlgError, ValueError):
            return None


def _degrees(rows: ModelRows, random: Random) -> tuple[float, float]:
    n, people = len(rows.values), rows.n_subjects
    inside = rows.inner_contrasts.shape[1]
    covariates = rows.covariates.shape[1]
    cells = rows.n_outer * (rows.n_inner - 1)
    varying = inside - (rows.n_inner - 1)
    between = people - rows.n_outer - (covariates - varying)
    if random == "slopes":
        within = people - rows.n_outer
    elif random == "cells":
        within = len(np.unique(rows.subject * rows.n_inner + rows.inner)) - people - cells
    else:
        within = n - people - cells - varying
    if rows.item is not None:
        seen = len(np.unique(rows.item))
        pairs = len(np.unique(rows.item * rows.n_inner + rows.inner))
        if pairs == seen and rows.n_inner > 1:  # every item belongs to one condition
            within = min(within, seen - rows.n_inner)
    if between < 1 or within < 0:
        raise FexError(f"{people} subjects with {n} rows are too few for this model.")
    return float(between), float(max(within, 1))


def _variances(random: dict[str, Floats]) -> dict[str, float]:
    out = {f"var_{name}": float(covariance[0, 0]) for name, covariance in random.items()}
    if "subject" in random and random["subject"].shape[0] > 1:
        diagonal = np.diag(random["subject"])
        full = random["subject"][0, 1] != 0
        if full:
            out |= {f"var_slope{i}": float(v) for i, v in enumerate(diagonal[1:], 1)}
    return out
