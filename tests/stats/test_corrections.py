"""Corrections: statsmodels gives the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats.corrections import adjust_p, max_statistic_p


@pytest.mark.parametrize("method", ["holm", "fdr_bh"])
@pytest.mark.parametrize("n", [1, 2, 20], ids=str)
def test_as_statsmodels(method: str, n: int) -> None:
    p = np.random.default_rng(n).uniform(size=n) ** 3
    p[: n // 4] = p[0]  # ties
    np.testing.assert_allclose(adjust_p(p, method), multipletests(p, method=method)[1])


def test_nothing_is_changed_in_place() -> None:
    p = pd.Series([0.01, 0.02, 0.03])
    adjust_p(p)
    assert p.tolist() == [0.01, 0.02, 0.03]


def test_tests_that_could_not_be_done_do_not_count() -> None:
    p = np.array([0.01, np.nan, 0.03])
    np.testing.assert_allclose(adjust_p(p), [0.02, np.nan, 0.03])


def test_nothing_is_corrected() -> None:
    np.testing.assert_array_equal(adjust_p([0.2, 0.1], None), [0.2, 0.1])


@pytest.mark.parametrize(
    ("call", "error"),
    [(lambda: adjust_p([0.1], "sidak"), OptionError), (lambda: adjust_p([1.2]), FexError)],
    ids=["unknown method", "not a p value"],
)
def test_wrong_calls(call: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        call()


def test_max_t_by_hand() -> None:
    null = np.array([[1.0, -4.0], [0.0, 2.0], [-3.0, 1.0], [0.5, 0.5]])
    # largest of each: 4, 2, 3, 0.5
    np.testing.assert_allclose(max_statistic_p([3.0, -1.0], null), [3 / 5, 4 / 5])
    np.testing.assert_allclose(max_statistic_p([3.0, -1.0], null, exact=True), [2 / 4, 3 / 4])


def test_max_t_is_between_one_test_and_all_together() -> None:
    rng = np.random.default_rng(0)
    null = rng.normal(size=(4000, 5))
    observed = np.array([2.5, 1.0, 0.2, 3.0, 2.0])
    single = (1 + (np.abs(null) >= observed).sum(0)) / 4001
    joint = max_statistic_p(observed, null)
    assert (joint >= single).all()
    together = (np.abs(null)[:, :, None] >= observed).sum((0, 1))
    assert (joint <= (1 + together) / 4001).all()
