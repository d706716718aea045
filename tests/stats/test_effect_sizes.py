"""Intervals of effect sizes invert the noncentral distributions; power is that of R's pwr."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestIndPower, TTestPower

import facemt_analysis as fm
from facemt_analysis.errors import OptionError
from facemt_analysis.stats import detectable_effect, power, required_subjects, sensitivity
from facemt_analysis.stats.effect_sizes import (
    eta_squared_interval,
    hedges_correction,
    noncentral_f_interval,
    noncentral_t_interval,
    rank_biserial_interval,
)


@pytest.mark.parametrize("df", [2, 9, 60], ids=lambda v: f"df={v}")
@pytest.mark.parametrize("t", [-6.0, -0.4, 0.0, 1.7, 8.0, 25.0], ids=lambda v: f"t={v}")
def test_noncentral_t_limits_have_the_observed_t_in_their_tails(t: float, df: int) -> None:
    low, high = noncentral_t_interval(t, df)
    assert low < high
    # drawn: chi-square and normal parts of the noncentral t, integrated over the chi-square
    q = (np.arange(20_000) + 0.5) / 20_000
    scale = np.sqrt(stats.chi2.ppf(q, df) / df)
    above_low = stats.norm.sf(t * scale - low).mean()
    below_high = stats.norm.cdf(t * scale - high).mean()
    np.testing.assert_allclose([above_low, below_high], 0.025, atol=2e-4)


@pytest.mark.parametrize("f", [0.3, 2.0, 40.0], ids=str)
def test_noncentral_f_limits(f: float) -> None:
    low, high = noncentral_f_interval(f, 3, 24, 0.90)
    assert stats.ncf.cdf(f, 3, 24, high) == pytest.approx(0.05, abs=1e-6)
    if low > 0:
        assert stats.ncf.sf(f, 3, 24, low) == pytest.approx(0.05, abs=1e-6)
    else:
        assert stats.f.sf(f, 3, 24) >= 0.05


def test_eta_squared_is_a_share() -> None:
    eta, low, high = eta_squared_interval(4.0, 2.0, 20.0)
    assert eta == pytest.approx(8 / 28)
    assert 0 <= low < eta < high < 1


def test_t_and_f_intervals_agree() -> None:
    """For one degree of freedom λ is the square of the t statistic's noncentrality."""
    _, high = noncentral_t_interval(4.0, 15, 0.95)
    low, _ = noncentral_t_interval(4.0, 15, 0.95)
    np.testing.assert_allclose(noncentral_f_interval(16.0, 1, 15), [low**2, high**2], rtol=1e-4)


def test_hedges_correction() -> None:
    # Hedges (1981), table 1: c(m) for m = 2, 10, 50
    for m, c in {2: 0.5642, 10: 0.9228, 50: 0.9849}.items():
        assert hedges_correction(m) == pytest.approx(c, abs=1.1e-4)
    assert np.isnan(hedges_correction(1))


def test_rank_biserial_interval_stays_inside() -> None:
    low, high = rank_biserial_interval(0.95, 0.2)
    assert -1 < low < 0.95 < high < 1


def test_nothing_from_nothing() -> None:
    assert np.isnan(noncentral_t_interval(np.nan, 5)).all()
    assert np.isnan(noncentral_f_interval(np.inf, 1, 5)).all()
    assert np.isnan(rank_biserial_interval(np.nan, 0.1)).all()


# ------------------------------------------------------------------ power
def test_power_as_r() -> None:
    # R, package pwr: pwr.t.test(n = 64, d = 0.5)$power; with type = "paired", n = 34
    assert power(0.5, 64, design="between") == pytest.approx(0.8014596, abs=1e-6)
    assert power(0.5, 34) == pytest.approx(0.8077775, abs=1e-6)


@pytest.mark.parametrize("d", [0.1, 0.8, -1.5], ids=str)
def test_power_as_statsmodels(d: float) -> None:
    for alpha in (0.05, 0.001):
        assert power(d, 17, alpha=alpha) == pytest.approx(
            TTestPower().power(abs(d), 17, alpha), abs=1e-9
        )
        assert power(d, (9, 30), design="between", alpha=alpha) == pytest.approx(
            TTestIndPower().power(abs(d), 9, alpha, ratio=30 / 9), abs=1e-9
        )


def test_no_effect_is_found_with_alpha() -> None:
    assert power(0.0, 20, alpha=0.01) == pytest.approx(0.01)


@pytest.mark.parametrize("design", ["within", "between"])
def test_the_three_invert_each_other(design: str) -> None:
    effect = detectable_effect(23, power=0.9, design=design)
    assert power(effect, 23, design=design) == pytest.approx(0.9)
    assert required_subjects(effect + 1e-6, power=0.9, design=design) == 23
    assert required_subjects(effect - 1e-3, power=0.9, design=design) == 24


def test_sensitivity_of_a_study() -> None:
    fex = fm.datasets.load_sample_study()
    table = sensitivity(fex, ["AU12", "AU06"], condition="condition")
    assert table["smallest_effect"].tolist() == pytest.approx([detectable_effect(16)] * 2)
    np.testing.assert_allclose(table["smallest_difference"], table["smallest_effect"] * table["sd"])
    half = fex[fex["condition"] == "neutral"].assign(
        group=lambda x: (x["subject"] > "sub-06").astype(str)
    )
    row = sensitivity(half, "AU12", between="group").iloc[0]
    assert row["smallest_effect"] == pytest.approx(detectable_effect((6, 10), design="between"))
    assert row["effect_name"] == "d"


WRONG = {
    "power below alpha": lambda: detectable_effect(20, power=0.01),
    "power of 1": lambda: detectable_effect(20, power=1.0),
    "one subject": lambda: power(0.5, 1),
    "two numbers within": lambda: power(0.5, (10, 10)),
    "design": lambda: power(0.5, 10, design="mixed"),
    "no effect": lambda: required_subjects(0.0),
}


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG.keys())
def test_wrong_calls(call: object) -> None:
    with pytest.raises(OptionError):
        call()
