"""Power of the t tests that are offered, and the smallest effect that a sample can find."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from facemt_analysis.checks import check_number, check_option, check_whole
from facemt_analysis.errors import OptionError
from facemt_analysis.stats.comparing import study_layout
from facemt_analysis.stats.comparison import Comparison
from facemt_analysis.stats.contrasts import ContrastLike, resolve_contrasts
from facemt_analysis.stats.design import DesignName

__all__ = ["detectable_effect", "power", "required_subjects", "sensitivity"]

TDesign = Literal["within", "between"]
_MOST = 1_000_000


def power(
    effect: float,
    n: int | Sequence[int],
    *,
    design: TDesign = "within",
    alpha: float = 0.05,
) -> float:
    r"""Chance that a two-sided t test finds an effect of a given size.

    Parameters
    ----------
    effect
        In the population: dz within, d between subjects.
    n
        Subjects; between subjects: per group, one number or two.
    design
        Paired differences of the same people, or two groups.
    alpha
        Chance of a false positive; divide it by the number of tests for the first step of Holm's.

    Returns
    -------
    float
        From the noncentral t distribution with noncentrality :math:`d_z\sqrt n` or
        :math:`d\sqrt{n_1 n_2/(n_1+n_2)}` (Cohen, 1988). Between subjects for equal variances, where
        Welch's test loses next to nothing.

    Examples
    --------
    >>> round(power(0.5, 34), 4), round(power(0.5, 64, design="between"), 4)
    (0.8078, 0.8015)
    """
    check_number("effect", effect)
    check_number("alpha", alpha, 0, 1, open_low=True, open_high=True)
    unit, df = _unit(n, design)
    return _power(abs(effect) / unit, df, alpha)


def detectable_effect(
    n: int | Sequence[int],
    *,
    power: float = 0.8,
    design: TDesign = "within",
    alpha: float = 0.05,
) -> float:
    """Smallest effect (dz or d) that a sample finds with a given power.

    Examples
    --------
    >>> round(detectable_effect(34), 3), round(detectable_effect((64, 64), design="between"), 3)
    (0.495, 0.499)
    """
    unit, df = _unit(n, design)
    return _noncentrality(power, df, alpha) * unit


def required_subjects(
    effect: float, *, power: float = 0.8, design: TDesign = "within", alpha: float = 0.05
) -> int:
    """Least number of subjects (between subjects: per group) that finds an effect.

    Examples
    --------
    >>> required_subjects(0.5), required_subjects(0.5, design="between")
    (34, 64)
    """
    size = abs(check_number("effect", effect))
    check_number("power", power, 0, 1, open_low=True, open_high=True)
    check_number("alpha", alpha, 0, 1, open_low=True, open_high=True)

    def enough(n: int) -> bool:
        unit, df = _unit(n, design)
        return _power(size / unit, df, alpha) >= power

    low, high = 1, 2
    while not enough(high):
        low, high = high, 2 * high
        if size == 0 or high > _MOST:
            raise OptionError(f"`effect`: {effect:g} would need more than {_MOST:,} subjects.")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def sensitivity(
    frame: pd.DataFrame,
    features: str | Iterable[str] | None = None,
    *,
    condition: str | Sequence[str] | None = None,
    subject: str = "subject",
    between: str | Sequence[str] | None = None,
    contrast: ContrastLike = None,
    design: DesignName = "auto",
    power: float = 0.8,
    alpha: float = 0.05,
    **aggregation: Any,
) -> pd.DataFrame:
    """Find the smallest effect that each t test of a study could find.

    Parameters
    ----------
    frame, features, condition, subject, between, contrast, design
        As in :func:`facemt_analysis.stats.compare`.
    power, alpha
        Of the tests.
    **aggregation
        ``measures``, ``how``, ``weights``, ``unit`` and ``min_frames`` of ``compare``.

    Returns
    -------
    DataFrame
        One row per feature and contrast: ``feature contrast smallest_effect effect_name
        smallest_difference sd n_subjects df alpha power``. ``smallest_effect`` follows from the
        number of subjects alone; ``smallest_difference`` is the same in the unit of the feature, by
        the SD of this sample.

    Notes
    -----
    The power that a sample would have had for the effect it found says no more than its p value;
    this asks what was within reach (Lakens, 2022, doi:10.1525/collabra.33267).

    Examples
    --------
    >>> from facemt_analysis.datasets import load_sample_study
    >>> row = sensitivity(load_sample_study(), "AU12", condition="condition").iloc[0]
    >>> f"{row['effect_name']} = {row['smallest_effect']:.3f} with {row['n_subjects']} subjects"
    'dz = 0.749 with 16 subjects'
    """
    layout = study_layout(
        frame, features, condition=condition, subject=subject, between=between, design=design,
        **aggregation,
    )  # fmt: skip
    task = Comparison(layout, min_subjects=2)
    rows = []
    for name, values in layout.values.items():
        for c in resolve_contrasts(contrast, layout.factors):
            sample, _ = task.sample(values, c)
            row: dict[str, Any] = {"feature": name, "contrast": c.name}
            row |= {"effect_name": "dz" if sample.within else "d"}
            row |= {"n_subjects": len(sample.values), "alpha": alpha, "power": power}
            if not task.too_little(sample, c.name):
                weights, parts = zip(*sample.parts(), strict=True)
                n = np.array([len(p) for p in parts])
                df = float(n.sum() - len(n))
                sd = np.sqrt(sum(float(((p - p.mean()) ** 2).sum()) for p in parts) / df)
                unit = float(np.sqrt((np.array(weights) ** 2 / n).sum()))
                size = _noncentrality(power, df, alpha) * unit
                row |= {"smallest_effect": size, "smallest_difference": size * sd, "sd": sd}
                row["df"] = df
            rows.append(row)
    columns = [
        "feature", "contrast", "smallest_effect", "effect_name", "smallest_difference", "sd",
        "n_subjects", "df", "alpha", "power",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _unit(n: int | Sequence[int], design: str) -> tuple[float, float]:
    """Give the standard error per SD, and the degrees of freedom."""
    check_option("design", design, ("within", "between"))
    sizes = [n] if isinstance(n, (int, np.integer)) else list(n)
    if len(sizes) > (1 if design == "within" else 2) or not sizes:
        raise OptionError(
            f"`n` must be one number{'' if design == 'within' else ' or two'}, but got {n!r}."
        )
    if design == "within":
        count = check_whole("n", sizes[0], 2)
        return count**-0.5, count - 1.0
    a, b = (check_whole("n", v, 2) for v in (sizes * 2)[:2])
    return (1 / a + 1 / b) ** 0.5, a + b - 2.0


def _power(ncp: float, df: float, alpha: float) -> float:
    critical = stats.t.isf(alpha / 2, df)
    if ncp > 40 + 40 * critical:  # beyond what SciPy's series can do, and certain
        return 1.0
    inside = special.nctdtr(df, ncp, critical) - special.nctdtr(df, ncp, -critical)
    return 1 - float(inside)


def _noncentrality(power: float, df: float, alpha: float) -> float:
    check_number("alpha", alpha, 0, 1, open_low=True, open_high=True)
    check_number("power", power, alpha, 1, open_low=True, open_high=True)
    top = 1.0
    while _power(top, df, alpha) < power:
        top *= 2
    return float(optimize.brentq(lambda c: _power(c, df, alpha) - power, 0.0, top, xtol=1e-10))
