"""Results in words: the rules of APA, and tables that LaTeX and Markdown read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis.errors import FexError
from facemt_analysis.stats import (
    compare,
    describe,
    format_p,
    paper_table,
    sentence,
    to_latex,
    to_markdown,
)

T_ROW = {
    "feature": "AU12", "contrast": "funny - neutral", "estimate": -0.0123, "se": 0.0042,
    "statistic": -2.93, "statistic_name": "t", "df": 17.776, "p": 0.0104, "p_adj": 0.052,
    "ci_low": -0.0206, "ci_high": -0.004, "effect_size": -0.7, "effect_name": "d",
    "effect_ci_low": -1.2, "effect_ci_high": 0.0, "n_subjects": 20, "n_obs": 20,
    "method": "Welch t test",
}  # fmt: skip


def test_t_in_words() -> None:
    assert sentence(T_ROW) == (
        "The effect on AU12 (funny − neutral) was not significant, estimate = −0.0123, "
        "95% CI [−0.0206, −0.0040], t(17.78) = −2.93, p = .010, adjusted p = .052, d = −0.70, "
        "95% CI [−1.20, 0.00], N = 20 (Welch t test)."
    )


def test_f_in_words() -> None:
    row = {
        "feature": "valence", "contrast": "group:condition", "statistic": 4.26, "df": 18.12,
        "df_effect": 1.81, "statistic_name": "F", "p": 0.0336, "p_adj": 0.0336,
        "effect_size": 0.299, "effect_name": "partial eta squared", "estimate": np.nan,
    }  # fmt: skip
    assert sentence(row) == (
        "The effect on valence (group:condition) was significant, F(1.81, 18.12) = 4.26, "
        "p = .034, partial η² = .30."
    )


@pytest.mark.parametrize(
    ("row", "want"),
    [
        ({"feature": "AU12", "start": 1.2, "stop": 2.35, "mass": 123.4, "p": 0.002,
          "contrast": "funny - neutral"},
         "The cluster of AU12 from 1.20 to 2.35 s (funny − neutral) was significant, "
         "mass = 123.40, p = .002."),
        ({"feature": "AU12", "metric": "kappa", "estimate": 0.71, "ci_low": 0.6, "ci_high": 0.79,
          "n_subjects": 12},
         "Agreement on AU12: kappa = .71, 95% CI [.60, .79], N = 12."),
        ({"feature": "AU12", "condition": "funny", "isc": 0.671, "ci_low": 0.556, "ci_high": 0.766,
          "p": 0.0099, "p_adj": 0.0198, "n_subjects": 16},
         "The intersubject correlation of AU12 (funny) was significant, ISC = .67, "
         "95% CI [.56, .77], p = .010, adjusted p = .020, N = 16."),
        ({"dyad": "dyad-01", "condition": "", "feature": "AU12", "measure": "peak",
          "value": 0.638, "lag": 0.9, "p": 0.18},
         "The synchrony of AU12 (dyad-01) was not significant, peak = 0.64, p = .180."),
        ({"contrast": "funny", "estimate": 0.2, "p": 0.8},
         "The effect (funny) was not significant, estimate = 0.20, p = .800."),
        ({"feature": "AU04", "p": 0.2, "method": "t test; 90 % intervals", "estimate": 1.0,
          "ci_low": -np.inf, "ci_high": np.inf},
         "The effect on AU04 was not significant, estimate = 1.00, 90% CI [−∞, ∞], p = .200 "
         "(t test; 90 % intervals)."),
    ],
    ids=["cluster", "agreement", "isc", "synchrony", "no feature", "other level"],
)  # fmt: skip
def test_other_results_in_words(row: dict, want: str) -> None:
    assert sentence(row) == want


@pytest.mark.parametrize(
    ("p", "want"),
    [(0.05, "= .050"), (0.0009999, "< .001"), (0.001, "= .001"), (1.0, "= 1.000"),
     (0.9999, "> .999"), (0.9991, "= .999"), (0.0, "< .001"), (float("nan"), "= NaN")],
    ids=str,
)  # fmt: skip
def test_p_values(p: float, want: str) -> None:
    assert format_p(p) == want


def test_minus_zero_is_zero() -> None:
    assert "estimate = 0.00," in sentence({"estimate": -0.001, "p": 0.5})


TESTS = ["t", "rank", "permutation", "anova"]


@pytest.mark.parametrize("test", TESTS)
def test_every_comparison_has_words(test: str) -> None:
    table = compare(
        fm.datasets.load_sample_study(), ["AU12", "AU04"], condition="condition", test=test,
        n_permutations=199, level=0.9,
    )  # fmt: skip
    lines = describe(table).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("The effect on AU12")
    assert "was significant" in lines[0]
    assert "was not significant" in lines[1]
    assert "90% CI" in lines[0]
    assert "nan" not in describe(table).lower()
    for text in (to_markdown(table), to_latex(table)):
        assert "nan" not in text.lower()
        assert "AU04" in text


def test_markdown_has_one_cell_per_column() -> None:
    table = pd.DataFrame([T_ROW]).assign(feature="a|b")
    head, rule, row = to_markdown(table).splitlines()
    assert head.count("|") == rule.count("|") == row.replace(r"\|", "").count("|")
    assert "t(17.78) = −2.93" in row


def test_latex_is_escaped() -> None:
    text = to_latex(
        pd.DataFrame([T_ROW]).assign(feature="gaze_yaw & 5%"), caption="A_b", label="t:x"
    )
    assert r"gaze\_yaw \& 5\%" in text
    assert r"\caption{A\_b}" in text
    assert r"\label{t:x}" in text
    body = text.splitlines()
    rows = [line for line in body if line.endswith(r"\\")]
    assert len({line.replace(r"\&", "").count("&") for line in rows}) == 1
    assert not set(text) & set("−–η²<>∞") - {"<", ">"}


def test_columns_without_content_are_gone() -> None:
    table = paper_table(pd.DataFrame([{**T_ROW, "p_adj": np.nan}]))
    assert "adjusted p" not in table
    assert table.map(lambda cell: isinstance(cell, str)).all().all()


@pytest.mark.parametrize(
    "call",
    [lambda: to_markdown(pd.DataFrame({"p": []})), lambda: describe("AU12"),
     lambda: to_latex([1, 2])],
    ids=["empty", "text", "list"],
)  # fmt: skip
def test_wrong_calls(call: Callable[[], object]) -> None:
    with pytest.raises(FexError):
        call()


def test_results_with_a_table_are_taken() -> None:
    class Result:
        table = pd.DataFrame([T_ROW])

    assert describe(Result()) == sentence(T_ROW)
