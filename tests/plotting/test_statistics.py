"""Figures of statistics: the numbers of the tables are the numbers drawn."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy.stats import t as student

import facemt_analysis as fm
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.plotting import (
    plot_cluster_result,
    plot_comparison,
    plot_confusion,
    plot_epochs,
    plot_estimates,
    plot_isc,
    plot_recurrence,
    plot_synchrony,
    plot_windowed_correlation,
)
from facemt_analysis.stats import (
    cluster_permutation,
    compare,
    isc,
    mixed,
    recurrence_quantification,
    summarize,
    synchrony,
    windowed_crosscorrelation,
)


@pytest.fixture(scope="module")
def fex() -> fm.Fex:
    return fm.datasets.load_sample_study()


def lines_of(ax, gid: str) -> list[Any]:
    return [line for line in ax.lines if line.get_gid() == gid]


def segments(ax) -> list[list[list[float]]]:
    return [s.tolist() for c in ax.collections if hasattr(c, "get_segments")
            for s in c.get_segments()]  # fmt: skip


# ---------------------------------------------------------------- comparisons
def test_everybody_is_there_and_joined(fex: fm.Fex) -> None:
    table = compare(fex, ["AU12", "AU06"], condition="condition")
    data = summarize(fex, by="condition", features=["AU12", "AU06"])
    axes = plot_comparison(table, data, "AU12", condition="condition")
    left = axes["data"]
    values = data.pivot_table(index="subject", columns="condition", values="AU12", sort=False)
    drawn = [np.sort(line.get_ydata()) for line in lines_of(left, "people")]
    np.testing.assert_allclose(drawn[0], np.sort(values["neutral"]))
    np.testing.assert_allclose(drawn[1], np.sort(values["funny"]))
    joined = sorted(tuple(line.get_ydata()) for line in lines_of(left, "person"))
    np.testing.assert_allclose(joined, sorted(map(tuple, values[["neutral", "funny"]].to_numpy())))
    assert [t.get_text() for t in left.get_xticklabels()] == ["neutral", "funny"]
    # means with t intervals, by SciPy
    for bar, name in zip(left.containers, ("neutral", "funny"), strict=True):
        own = values[name]
        ends = student.interval(0.95, len(own) - 1, own.mean(), own.std() / np.sqrt(len(own)))
        np.testing.assert_allclose(bar[2][0].get_segments()[0][:, 1], ends)
    right, row = axes["contrast"], table.iloc[0]
    assert right.lines[1].get_ydata() == [row["estimate"]]
    np.testing.assert_allclose(np.array(segments(right))[0, :, 1], [row["ci_low"], row["ci_high"]])
    assert right.get_title() == "p < .001"
    assert right.get_ylabel() == "Difference (score)"


def test_groups_of_people_are_not_joined() -> None:
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"subject": range(30), "group": ["c"] * 10 + ["p"] * 11 + ["r"] * 9,
                         "AU12": rng.random(30)})  # fmt: skip
    table = compare(data, "AU12", condition="group")
    figure = Figure(layout="constrained")
    axes = plot_comparison(table, data, condition="group", figure=figure)
    assert axes["data"].figure is figure
    assert not lines_of(axes["data"], "person")
    right = axes["contrast"]
    assert right.lines[1].get_xdata().tolist() == table["estimate"].tolist()
    assert [t.get_text() for t in right.get_yticklabels()] == ["p − c", "r − c", "r − p"]
    np.testing.assert_allclose(
        np.array(segments(right))[:, :, 0], table[["ci_low", "ci_high"]].to_numpy()
    )
    assert len(right.texts) == 3


def test_one_feature_at_a_time(fex: fm.Fex) -> None:
    table = compare(fex, ["AU12", "AU06"], condition="condition")
    data = summarize(fex, by="condition", features=["AU12", "AU06"])
    with pytest.raises(FexError, match=r"`feature`: say which one. The table has AU12, AU06"):
        plot_comparison(table, data, condition="condition")
    with pytest.raises(FexError, match=r"no 'AU7'. Did you mean"):
        plot_comparison(table, data, "AU7", condition="condition")
    with pytest.raises(FexError, match="'sub-01' is there several times"):
        plot_comparison(table, pd.concat([data, data]), "AU12", condition="condition")


# ---------------------------------------------------------------- estimates
def test_contrasts_with_intervals(fex: fm.Fex) -> None:
    table = compare(fex, ["AU12", "AU04"], condition="condition")
    ax = plot_estimates(table)
    hollow, solid = ax.lines[:2]
    np.testing.assert_allclose(hollow.get_xdata(), table["estimate"])
    assert solid.get_xdata().tolist() == table.loc[table["p_adj"] <= 0.05, "estimate"].tolist()
    assert len(solid.get_xdata()) == 1
    np.testing.assert_allclose(np.array(segments(ax))[:, :, 0], table[["ci_low", "ci_high"]])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["AU12", "AU04"]
    assert ax.get_xlabel() == "Estimate (score)"
    # the legend says what hollow points are, and shows filled ones otherwise
    legend = ax.get_legend()
    assert [t.get_text() for t in legend.get_texts()] == ["funny − neutral", "p > .05"]
    assert [line.get_fillstyle() for line in legend.get_lines()] == ["full", "none"]


def test_results_of_mixed_models_draw_themselves(fex: fm.Fex) -> None:
    result = mixed(fex, ["AU12", "AU06"], condition="condition")
    ax = result.plot()
    np.testing.assert_allclose(ax.lines[0].get_xdata(), result.table["estimate"])
    means = result.marginal_means
    ax = plot_estimates(means, ax=Figure().subplots())
    drawn = {line.get_label(): line.get_xdata() for line in ax.lines if line.get_label()[0] != "_"}
    for condition in ("neutral", "funny"):
        own = means.loc[means["condition"] == condition, "estimate"]
        np.testing.assert_allclose(drawn[condition], own)
    assert not any(line.get_linestyle() == "-" and len(line.get_xdata()) == 2 for line in ax.lines)


def test_f_tests_have_nothing_to_draw() -> None:
    table = pd.DataFrame({"feature": ["AU12"], "estimate": [np.nan], "ci_low": 0.0, "ci_high": 0.0})
    with pytest.raises(FexError, match="no estimate to draw"):
        plot_estimates(table)
    with pytest.raises(FexError, match="no column 'estimate'"):
        plot_estimates(table[["feature"]])


# ---------------------------------------------------------------- courses around events
@pytest.fixture(scope="module")
def courses() -> pd.DataFrame:
    """Eight people in two conditions; one time is missing for all, one for half of them."""
    rng = np.random.default_rng(3)
    grid = [(s, c, k / 4) for s in range(8) for c in ("b", "a") for k in range(-2, 6)]
    table = pd.DataFrame(grid, columns=["subject", "condition", "epoch_time"])
    person = rng.normal(0, 1, 8)
    table["AU12"] = person[table["subject"]] + rng.normal(0, 0.1, len(table))
    table.loc[table["epoch_time"] == 1.25, "AU12"] = np.nan
    table.loc[(table["epoch_time"] == 1.0) & (table["subject"] < 4), "AU12"] = np.nan
    return table


def test_epochs_are_means_and_t_intervals(courses: pd.DataFrame) -> None:
    ax = plot_epochs(courses, "AU12", "condition")
    grouped = courses.groupby(["condition", "epoch_time"])["AU12"]
    assert [line.get_label() for line in ax.lines[1:]] == ["b (N = 8)", "a (N = 8)"]
    for line, band, name in zip(ax.lines[1:], ax.collections, ("b", "a"), strict=True):
        mean, n = grouped.mean()[name], grouped.count()[name]
        np.testing.assert_allclose(line.get_ydata(), mean)
        assert np.isnan(line.get_ydata()[-1])  # nobody
        half = student.ppf(0.975, n - 1) * grouped.std()[name] / np.sqrt(n)
        (path,) = band.get_paths()
        top = {round(x, 6): y for x, y in path.vertices if y > mean.get(x, np.inf)}
        assert len(top) == 7
        for x, y in top.items():
            assert y == pytest.approx(mean[x] + half[x])
    assert ax.lines[0].get_xdata() == [0, 0]  # the event
    assert ax.get_xlabel() == "Time since event (s)"
    assert ax.lines[1].get_linestyle() != ax.lines[2].get_linestyle()  # also in grey print


def test_intervals_within_people_leave_their_level_out(courses: pd.DataFrame) -> None:
    def width(interval) -> float:
        band = plot_epochs(courses, "AU12", "condition", interval=interval).collections[0]
        y = band.get_paths()[0].vertices[:, 1]
        return float(np.ptp(y))

    assert width("within") < 0.3 * width("between")
    # Cousineau–Morey by hand, at one time
    now = courses[courses["epoch_time"] == 0].pivot_table(
        index="subject", columns="condition", values="AU12"
    )
    normed = now.sub(now.mean(axis=1), axis=0)
    half = student.ppf(0.975, 7) * normed["b"].std() * np.sqrt(2 / 1) / np.sqrt(8)
    band = plot_epochs(courses, "AU12", "condition", interval="within").collections[0]
    y = [v[1] for v in band.get_paths()[0].vertices if v[0] == 0]
    assert np.ptp(y) == pytest.approx(2 * half)
    assert not plot_epochs(courses, "AU12", "condition", interval=None).collections


def test_wrong_courses(courses: pd.DataFrame) -> None:
    with pytest.raises(FexError, match="several times at one time; name what tells"):
        plot_epochs(courses, "AU12")
    with pytest.raises(FexError, match="at least two conditions"):
        plot_epochs(courses[courses["condition"] == "a"], "AU12", "condition", interval="within")
    less = courses[(courses["condition"] == "a") | (courses["subject"] > 1)]
    with pytest.raises(FexError, match="2 of 8 people were not in all conditions"):
        plot_epochs(less, "AU12", "condition", interval="within")
    with pytest.raises(OptionError, match="`interval`"):
        plot_epochs(courses, "AU12", "condition", interval="both")


# ---------------------------------------------------------------- clusters
def test_clusters_are_marked_where_they_are(fex: fm.Fex) -> None:
    result = cluster_permutation(fex, "AU12", condition="condition", n_permutations=200, seed=1)
    ax = result.plot()
    found = result.significant()
    assert len(found) == 1
    (bar,) = lines_of(ax, "cluster")
    half = np.median(np.diff(result.time)) / 2
    start, stop = found.iloc[0][["start", "stop"]]
    np.testing.assert_allclose(bar.get_xdata(), [start - half, stop + half])
    (shade,) = (p for p in ax.patches if p.get_gid() == "cluster")
    assert shade.get_x() == pytest.approx(start - half)
    for i, cell in enumerate(result.cells):
        (line,) = (line for line in ax.lines if line.get_label() == cell)
        np.testing.assert_allclose(line.get_ydata(), result.means[i, 0])
    assert [t.get_text()[:2] for t in ax.texts] == ["p "]
    assert not lines_of(plot_cluster_result(result, alpha=0.0), "cluster")


def test_many_features_become_a_map(fex: fm.Fex) -> None:
    features = ["AU04", "AU12"]
    result = cluster_permutation(fex, features, condition="condition", n_permutations=200, seed=1)
    ax = plot_cluster_result(result)
    (mesh,) = (c for c in ax.collections if type(c).__name__ == "QuadMesh")
    np.testing.assert_allclose(mesh.get_array(), result.statistic)
    low, high = mesh.get_clim()
    assert low == -high
    framed = {int(min(line.get_ydata())) for line in lines_of(ax, "cluster")}
    assert {features[i] for i in framed} == set(result.significant()["feature"])
    assert ax.child_axes[0].get_ylabel() == "t (funny − neutral)"
    one = plot_cluster_result(result, "AU04")
    assert one.get_ylabel() == "AU04 (score)"
    with pytest.raises(FexError, match=r"no 'AU4'. Did you mean 'AU04'"):
        plot_cluster_result(result, "AU4")


# ---------------------------------------------------------------- together
def test_intersubject_correlations(fex: fm.Fex) -> None:
    result = isc(fex, "AU12", condition="condition", n_permutations=50)
    ax = result.plot()
    averages = [line.get_xdata()[0] for line in lines_of(ax, "average")]
    assert averages == result.table["isc"].tolist()
    people = lines_of(ax, "people")
    own = result.subjects[result.subjects["condition"] == "neutral"]["isc"]
    np.testing.assert_allclose(people[0].get_xdata(), own)
    bar = ax.patches[0]
    low, high = np.quantile(result.null_distribution[0, 1:], (0.025, 0.975))
    assert (bar.get_x(), bar.get_x() + bar.get_width()) == pytest.approx((low, high))
    np.testing.assert_allclose(np.array(segments(ax))[:, :, 0], result.table[["ci_low", "ci_high"]])
    assert plot_isc(isc(fex, "AU12", null=None)).get_legend() is None


@pytest.fixture(scope="module")
def dyads() -> fm.Fex:
    return fm.simulate_dyads(
        5, coupling=0.8, lag=0.4, fps=10, seed=1, duration=30, feature_groups=["aus"]
    )[0]


def test_dyads_and_their_mean(dyads: fm.Fex) -> None:
    result = synchrony(dyads, "AU12", n_permutations=20)
    ax = result.plot()
    drawn = np.array([line.get_ydata() for line in lines_of(ax, "dyad")])
    np.testing.assert_allclose(drawn, result.profiles)
    mean = ax.lines[-2]
    np.testing.assert_allclose(mean.get_ydata(), result.profiles.mean(axis=0))
    assert ax.lines[-1].get_xdata() == pytest.approx([0.4])
    first, second = result.persons
    assert ax.get_xlabel() == f"Lag (s), + = {second} after {first}"
    with pytest.raises(OptionError, match="one of 1 rows"):
        plot_synchrony(result, 1)


def test_time_warping_has_no_lags(dyads: fm.Fex) -> None:
    short = dyads[dyads["time"] < 15]
    result = synchrony(short, "AU12", measure="dtw", n_permutations=5)
    with pytest.raises(FexError, match="'dtw' has no lags"):
        result.plot()


def test_windows_at_lags() -> None:
    wave = np.random.default_rng(1).normal(size=300).cumsum()
    result = windowed_crosscorrelation(wave[5:], wave[:-5], rate=10)
    ax = result.plot()
    (mesh,) = ax.collections
    np.testing.assert_allclose(mesh.get_array(), result.r.T)
    assert mesh.get_clim() == (-1, 1)
    peaks = next(line for line in ax.lines if line.get_label() == "peak nearest to lag 0")
    lags = np.asarray(peaks.get_ydata())
    assert np.nanmedian(lags) == pytest.approx(0.5)  # b follows
    two = windowed_crosscorrelation(np.stack([wave, wave]), np.stack([wave, wave]), rate=10)
    with pytest.raises(FexError, match="One pair is drawn"):
        plot_windowed_correlation(two)


def test_recurrence_is_the_matrix() -> None:
    found = recurrence_quantification(np.sin(np.arange(80) / 4), radius=0.2)
    ax = found.plot()
    (image,) = ax.images
    np.testing.assert_array_equal(np.asarray(image.get_array()), found.matrix)
    assert image.origin == "lower"
    assert ax.get_xlabel() == "Time in b (points)"
    assert plot_recurrence(found, rate=8).get_xlim() == (0, 10)


def test_confusions() -> None:
    table = pd.DataFrame(
        {"estimate": [0.75], "ci_low": 0.6, "ci_high": 0.9, "chance": 0.5, "p": 0.01}
    )
    counts = pd.DataFrame([[9, 1], [4, 6]], index=["x", "y"], columns=["x", "y"])
    ax = plot_confusion(SimpleNamespace(table=table, confusion=counts))
    np.testing.assert_allclose(np.asarray(ax.images[0].get_array()), [[0.9, 0.1], [0.4, 0.6]])
    assert [t.get_text() for t in ax.texts] == ["9", "1", "4", "6"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Predicted", "True")
    assert ax.get_title().startswith("Balanced accuracy 0.75 [0.60, 0.90]")
