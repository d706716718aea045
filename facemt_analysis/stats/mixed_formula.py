"""Mixed models by formula, for experts."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from facemt_analysis.stats.aggregation import Aggregation, resolve_features, unit_table
from facemt_analysis.stats.mixed_result import MixedResult, corrected_table

__all__ = ["mixed_by_formula"]


def mixed_by_formula(
    frame: pd.DataFrame, features: str | Iterable[str] | None, formula: str, random: str,
    subject: str, *, reml: bool, level: float, correction: Literal["holm", "fdr_bh"] | None,
    how: Aggregation, unit: str | Sequence[str] | None, min_frames: int,
) -> MixedResult:  # fmt: skip
    """Fit by a formula of statsmodels; :func:`mixed` documents the arguments."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    plain = pd.DataFrame(frame)
    if "~" in formula:
        features, formula = (side.strip() for side in formula.split("~", 1))
    words = set(re.findall(r"\w+", f"{formula} {random}"))
    used = [c for c in plain.columns if c in words and c != subject]
    columns = resolve_features(plain, features)
    numeric = [c for c in used if pd.api.types.is_numeric_dtype(plain[c]) and c not in columns]
    labels = [c for c in used if c not in numeric and c not in columns]
    made = unit_table(
        plain, [*columns, *numeric], subject=subject, by=labels, how=how, unit=unit,
        min_frames=min_frames,
    )  # fmt: skip
    own = made.keys.drop(columns=[c for c in numeric if c in made.keys])
    table = pd.concat([own, made.values], axis=1)
    out, notes = [], []
    builders: dict[str, Callable[[], Any]] = {}
    for name in columns:
        rows = table.dropna(subset=[name, *numeric])
        with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
            warnings.simplefilter("always")
            result = MixedLM.from_formula(
                f"{name} ~ {formula}", rows, groups=subject, re_formula=random
            ).fit(reml=reml, method=["lbfgs", "bfgs", "powell"])
        ends = np.asarray(result.conf_int(alpha=1 - level))
        estimation = "REML" if reml else "ML"
        n_subjects = rows[subject].nunique()
        cov_re = np.atleast_2d(np.asarray(result.cov_re))
        singular = bool(np.linalg.eigvalsh(cov_re).min() < 1e-6 * result.scale)
        for i, term in enumerate(result.fe_params.index):
            out.append(
                {
                    "feature": name,
                    "contrast": term,
                    "estimate": float(result.fe_params.iloc[i]),
                    "se": float(result.bse_fe.iloc[i]),
                    "statistic": float(result.tvalues.iloc[i]),
                    "statistic_name": "z",
                    "p": float(result.pvalues.iloc[i]),
                    "ci_low": ends[i, 0],
                    "ci_high": ends[i, 1],
                    "n_subjects": n_subjects,
                    "n_obs": len(rows),
                    "method": f"linear mixed model {name} ~ {formula}, random "
                    f"{random}, {estimation}, normal approximation"
                    + ("; singular fit" if singular else ""),
                }
            )
        if not result.converged:
            warnings.warn(f"{name}: the model did not converge.", UserWarning, stacklevel=3)
        notes.append(
            {
                "feature": name,
                "converged": bool(result.converged),
                "singular": singular,
                "estimation": estimation,
                "random": random,
                "var_residual": float(result.scale),
                "n_rows": len(rows),
                "n_subjects": n_subjects,
                "notes": "; ".join(sorted({str(w.message).splitlines()[0] for w in caught})),
            }
        )
        builders[name] = partial(_same, result)
    table = corrected_table(out, correction, level)
    return MixedResult(table, pd.DataFrame(), pd.DataFrame(notes), builders)


def _same(result: Any) -> Any:
    return result
