"""Agreement of a tool with human codes, or with another tool."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis import schema
from facemt_analysis.checks import (
    check_labels,
    check_number,
    check_option,
    check_whole,
    near_names,
    pick_columns,
)
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats.agreement_measures import (
    BINARY,
    BINARY_SCALES,
    CONTINUOUS,
    CONTINUOUS_SCALES,
    binary_agreement,
    binary_sums,
    continuous_agreement,
    continuous_sums,
)
from facemt_analysis.stats.bootstrap import cluster_bootstrap

__all__ = ["AGREEMENT_COLUMNS", "agreement"]

Floats = NDArray[np.float64]

AGREEMENT_COLUMNS = (
    "feature", "metric", "estimate", "se", "ci_low", "ci_high", "n_subjects", "n_obs", "n_lost",
    "prevalence", "method",
)  # fmt: skip
"""Columns of a table of agreement."""

_KEYS = ("input", "frame", "track")


def agreement(
    frame: pd.DataFrame,
    truth: pd.DataFrame,
    *,
    features: str | Iterable[str] | Mapping[str, str] | None = None,
    subject: str = "subject",
    on: str | Sequence[str] | None = None,
    kind: Literal["auto", "binary", "continuous"] = "auto",
    threshold: float | Mapping[str, float] = 0.5,
    metrics: str | Sequence[str] | None = None,
    level: float = 0.95,
    n_boot: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare a table with codes of the same frames; intervals over subjects.

    Parameters
    ----------
    frame
        What a tool says; has the column `subject`.
    truth
        What coders, or another tool, say: one row per frame (and face), with the columns `on`.
    features
        Columns to compare; ``{"AU12": "zygomaticus"}`` where the truth has other names. Default
        all features that both tables have.
    subject
        Column that names the person: frames of one person are not independent, so that people are
        drawn in the bootstrap.
    on
        Columns by which rows belong together; default those of ``input``, ``frame`` and ``track``
        that both have.
    kind
        ``"binary"``: occurrence, the truth is 0 or 1 (or boolean); ``"continuous"``: a scale.
        ``"auto"``: binary where the truth holds nothing but 0 and 1.
    threshold
        From which value on the tool says that it occurs; one, or one per feature.
    metrics
        Which to give; default all: ``f1 precision recall specificity accuracy kappa pabak``, or
        ``pearson ccc icc(1,1) icc(2,1) icc(3,1) bias loa_low loa_high rmse mae``.
    level, n_boot, seed
        Of the bootstrap; see :func:`facemt_analysis.stats.bootstrap.cluster_bootstrap`.

    Returns
    -------
    DataFrame
        One row per feature and metric: ``feature metric estimate se ci_low ci_high n_subjects
        n_obs n_lost prevalence method``. ``n_obs``: frames that both know; ``n_lost``: coded frames
        about which the tool says nothing (no row, or no face), which no measure counts;
        ``prevalence``: share of frames coded as occurring (NaN on a scale). Intervals need two
        subjects.

    Raises
    ------
    FexError
        If no row or feature matches, a key is there twice, or a feature has no value or is
        constant.

    Notes
    -----
    With 8 to 40 people, intervals of 95 % hold the true value in 93 to 96 % of simulated studies;
    those of the limits of agreement and of rmse, which are about extremes, in 87 to 94 %
    (docs/calibration.md).

    Examples
    --------
    >>> tool = pd.DataFrame({"subject": list("aabb"), "input": list("1122"), "frame": [0, 1, 0, 1],
    ...                      "AU12": [0.9, 0.2, 0.7, 0.6]})
    >>> coded = pd.DataFrame({"input": list("1122"), "frame": [0, 1, 0, 1], "AU12": [1, 0, 1, 0]})
    >>> agreement(tool, coded, metrics=["f1", "kappa"])[["feature", "metric", "estimate"]]
      feature metric  estimate
    0    AU12     f1       0.8
    1    AU12  kappa       0.5
    """
    check_option("kind", kind, ("auto", "binary", "continuous"))
    check_number("level", level, 0, 1, open_low=True, open_high=True)
    check_whole("n_boot", n_boot, 100)
    tool, codes = pd.DataFrame(frame), pd.DataFrame(truth)
    check_labels(tool, subject, name="subject")
    names = _features(tool, codes, features)
    keys = _keys(tool, codes, on)
    both = codes[[*keys, *set(names.values())]].merge(
        tool[[*keys, subject, *(n for n in names if n not in keys)]],
        how="left", on=keys, suffixes=("_truth", ""),
    )  # fmt: skip
    if both[subject].isna().all():
        raise FexError(
            f"No row of the truth is in the table, by {', '.join(keys)}: "
            f"{_example(codes, keys)} against {_example(tool, keys)}."
        )
    wanted = _metrics(metrics)
    rows: list[dict[str, Any]] = []
    for name, column in names.items():
        x = both[name].to_numpy(np.float64, na_value=np.nan)
        y = both[f"{column}_truth" if column in names else column]
        truth_values = y.to_numpy(np.float64, na_value=np.nan)
        coded = ~np.isnan(truth_values)
        known = coded & ~np.isnan(x) & both[subject].notna().to_numpy()
        if not known.any():
            raise FexError(f"{name}: there is no frame with a value in both tables.")
        x, truth_values, who = x[known], truth_values[known], both.loc[known, subject]
        two = bool(np.isin(truth_values, (0, 1)).all())
        if kind == "binary" and not two:
            raise FexError(f"{name}: the truth must hold 0 and 1 for kind='binary'.")
        if two and kind != "continuous":
            cut = threshold.get(name, 0.5) if isinstance(threshold, Mapping) else threshold
            parts = binary_sums(x >= check_number("threshold", cut), truth_values)
            note, prevalence = f"occurrence from {cut:g}", truth_values.mean()
        else:
            parts, note, prevalence = _scale(name, x, truth_values), "scale", np.nan
        code, people = pd.factorize(who)
        sums = np.zeros((len(people), parts.shape[1]))
        np.add.at(sums, code, parts)
        measure = continuous_agreement if note == "scale" else binary_agreement
        scales = CONTINUOUS_SCALES if note == "scale" else BINARY_SCALES
        found = cluster_bootstrap(
            sums, measure, n_boot=n_boot, scales=scales, level=level, seed=seed
        )
        note += f"; {n_boot:,} bootstrap draws of subjects" if len(people) > 1 else "; one subject"
        note += f"; {100 * level:g} % intervals" if level != 0.95 else ""
        rows += [
            {
                "feature": name, "metric": metric, "estimate": found.estimate[i],
                "se": found.se[i], "ci_low": found.low[i], "ci_high": found.high[i],
                "n_subjects": len(people), "n_obs": len(x), "n_lost": int((coded & ~known).sum()),
                "prevalence": prevalence, "method": note,
            }
            for i, metric in enumerate(CONTINUOUS if measure is continuous_agreement else BINARY)
            if wanted is None or metric in wanted
        ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(AGREEMENT_COLUMNS))


def _metrics(metrics: str | Sequence[str] | None) -> list[str] | None:
    if metrics is None:
        return None
    wanted = [metrics] if isinstance(metrics, str) else list(metrics)
    known = (*BINARY, *CONTINUOUS)
    for metric in wanted:
        if metric not in known:
            raise OptionError(
                f"`metrics`: there is no {metric!r}.{near_names(metric, known)} "
                f"There is: {', '.join(known)}."
            )
    return wanted


def _scale(name: str, x: Floats, truth: Floats) -> Floats:
    for values, which in ((x, "table"), (truth, "truth")):
        if np.ptp(values) == 0:
            raise FexError(f"{name} is constant in the {which}; there is nothing to agree on.")
    middle = truth.mean()
    return continuous_sums(x - middle, truth - middle)


def _features(
    tool: pd.DataFrame,
    codes: pd.DataFrame,
    features: str | Iterable[str] | Mapping[str, str] | None,
) -> dict[str, str]:
    if features is None:
        shared = [c for c in schema.feature_columns(tool.columns) if c in codes.columns]
        if not shared:
            raise FexError("The two tables share no feature; say which belong together, "
                           "e.g. features={'AU12': 'smile'}.")  # fmt: skip
        return {c: c for c in shared}
    pairs = dict(features) if isinstance(features, Mapping) else None
    names = pick_columns(tool, list(pairs) if pairs is not None else features, name="features")
    out = {name: pairs[name] if pairs is not None else name for name in names}
    pick_columns(codes, list(out.values()), name="truth")
    return out


def _keys(tool: pd.DataFrame, codes: pd.DataFrame, on: str | Sequence[str] | None) -> list[str]:
    if on is None:
        keys = [k for k in _KEYS if k in tool.columns and k in codes.columns]
        if not keys:
            raise FexError("The two tables share none of input, frame, track; say `on`.")
    else:
        keys = check_labels(codes, check_labels(tool, on, name="on"), name="on (truth)")
    for table, which in ((codes, "truth"), (tool, "table")):
        rows = table[keys]
        if which == "table" and "track" in table.columns and "track" not in keys:
            rows = rows[table["track"] >= 0]
        if (twice := rows.duplicated()).any():
            raise FexError(
                f"{_example(rows[twice], keys)} is several times in the {which}; say with `on` "
                "what tells the rows apart (several faces: track)."
            )
    return keys


def _example(table: pd.DataFrame, keys: Sequence[str]) -> str:
    return ", ".join(f"{k} {table[k].iloc[0]}" for k in keys) if len(table) else "no rows"
