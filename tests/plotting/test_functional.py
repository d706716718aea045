"""Figures of functional components and analyses of variance: numbers read back off the axes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis.errors import FacemtError
from facemt_analysis.plotting import plot_fpca, plot_functional_anova
from facemt_analysis.stats import fpca, functional_anova


@pytest.fixture(scope="module")
def study() -> pd.DataFrame:
    fex, _ = fm.simulate_study(6, duration=6, fps=10, seed=1, feature_groups=["aus"])
    return pd.DataFrame(fex)


def test_a_component_is_added_to_the_mean_and_taken_away(study: pd.DataFrame) -> None:
    result = fpca(study, "AU12", n_components=2)
    ax = plot_fpca(result, 2, sds=1.0)
    mean, more, less = (line.get_ydata() for line in ax.lines)
    np.testing.assert_allclose(mean, result.mean)
    shift = result.table["PC2"].std() * result.components[1]
    np.testing.assert_allclose(np.subtract(more, mean), shift, atol=1e-12)
    np.testing.assert_allclose(np.subtract(mean, less), shift, atol=1e-12)
    assert ax.texts[0].get_text() == f"PC2, {100 * result.explained[1]:.0f} % of variance"
    assert ax.get_ylabel() == "AU12 (score)"
    with pytest.raises(FacemtError, match="at most 2"):
        result.plot(component=3)


def test_mean_courses_are_those_of_the_result(study: pd.DataFrame) -> None:
    result = functional_anova(study, ["AU12", "AU04"], condition="condition", n_permutations=31)
    ax = plot_functional_anova(result, "AU04")
    assert [line.get_label() for line in ax.lines] == ["neutral", "funny"]
    np.testing.assert_allclose(ax.lines[1].get_ydata(), result.means[1, 1])
    assert f"F = {result.table['statistic'].iloc[1]:.2f}" in ax.texts[0].get_text()
    assert result.plot().get_ylabel() == "AU12 (score)"
    with pytest.raises(FacemtError, match="Did you mean 'AU04'"):
        plot_functional_anova(result, "AU4")
