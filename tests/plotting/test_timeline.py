"""Timelines: the artists hold the data."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from facemt_analysis.errors import FexError
from facemt_analysis.plotting import PALETTE, plot_timeline


@pytest.fixture
def table() -> pd.DataFrame:
    time = np.arange(10) / 10
    return pd.DataFrame(
        {"time": time, "AU12": time, "AU06": time**2, "Yaw": time - 0.5, "pain": 10 * time}
    )


def lines(ax):
    return {line.get_label(): np.asarray(line.get_ydata(), float) for line in ax.lines}


def test_lines_are_the_data(table: pd.DataFrame) -> None:
    ax = plot_timeline(table, ["AU12", "AU06"])
    drawn = lines(ax)
    np.testing.assert_array_equal(drawn["AU12"], table["AU12"])
    np.testing.assert_array_equal(drawn["AU06"], table["AU06"])
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), table["time"])
    assert [line.get_color() for line in ax.lines] == list(PALETTE[:2])
    assert ax.get_xlabel() == "Time (s)"
    assert ax.get_ylabel() == "Action units (score)"


def test_angles_are_shown_in_degrees_unless_asked(table: pd.DataFrame) -> None:
    ax = plot_timeline(table, "Yaw")
    np.testing.assert_allclose(lines(ax)["Yaw"], np.degrees(table["Yaw"]))
    assert ax.get_ylabel() == "Yaw (°)"
    ax = plot_timeline(table, "Yaw", degrees=False)
    np.testing.assert_allclose(lines(ax)["Yaw"], table["Yaw"])
    assert ax.get_ylabel() == "Yaw (rad)"


def test_gaps_stay_gaps(table: pd.DataFrame) -> None:
    table.loc[3, "AU12"] = np.nan
    ax = plot_timeline(table.drop(index=[6, 7]), "AU12")
    x, y = ax.lines[0].get_xdata(), lines(ax)["AU12"]
    assert np.isnan(y[3])  # was not found
    assert np.isnan(y[6])  # rows that are not there
    assert x[6] == pytest.approx(0.65)
    assert np.isfinite(y).sum() == 7
    np.testing.assert_allclose(y[np.isfinite(y)], [0, 0.1, 0.2, 0.4, 0.5, 0.8, 0.9])


def test_lines_are_told_apart_in_grey_print() -> None:
    rows = pd.DataFrame({"time": [0.0, 0.1], "Pitch": 0.1, "Yaw": 0.2, "Roll": 0.3})
    ax = plot_timeline(rows, ["Pitch", "Yaw", "Roll"])
    assert [line.is_dashed() for line in ax.lines] == [False, True, True]
    dashes = {str(line._unscaled_dash_pattern) for line in ax.lines}
    assert len(dashes) == 3


def test_truth_is_grey_behind_one_feature_and_dashed_behind_several(table: pd.DataFrame) -> None:
    truth = table.assign(AU12=0.5, AU06=0.25)
    ax = plot_timeline(table, "AU12", truth=truth)
    np.testing.assert_array_equal(lines(ax)["AU12 (true)"], np.full(10, 0.5))
    (area,) = ax.collections
    assert area.get_datalim(ax.transData).y1 == pytest.approx(0.5)
    ax = plot_timeline(table, ["AU12", "AU06"], truth=truth)
    assert not ax.collections
    styles = {line.get_label(): line.is_dashed() for line in ax.lines}
    assert styles == {"AU12 (true)": True, "AU12": False, "AU06 (true)": True, "AU06": False}


def test_a_label_of_the_users_has_no_unit(table: pd.DataFrame) -> None:
    assert plot_timeline(table, "pain").get_ylabel() == "pain"


def test_draws_on_the_axes_that_come(table: pd.DataFrame) -> None:
    import matplotlib.pyplot as plt

    axes = Figure().subplots()
    assert plot_timeline(table, "AU12", ax=axes, legend=False) is axes
    assert axes.get_legend() is None
    assert plt.get_fignums() == []


def test_an_empty_table_gives_empty_lines(table: pd.DataFrame) -> None:
    assert lines(plot_timeline(table.head(0), "AU12"))["AU12"].size == 0


@pytest.mark.parametrize(
    ("columns", "match"),
    [([], "at least one"), (["AU99"], "'AU99'"), (["AU12", "Yaw"], "one unit")],
)
def test_errors_name_what_is_wrong(table: pd.DataFrame, columns: list[str], match: str) -> None:
    with pytest.raises(FexError, match=match):
        plot_timeline(table, columns)


def test_missing_truth_is_named(table: pd.DataFrame) -> None:
    with pytest.raises(FexError, match="`truth` has no column 'AU12'"):
        plot_timeline(table, "AU12", truth=table.drop(columns="AU12"))


def test_a_title_stands_over_the_legend_and_gaps_are_named_once() -> None:
    table = pd.DataFrame({"time": np.arange(20) / 10, "AU06": 0.2, "AU12": 0.5})
    table.loc[5:9, ["AU06", "AU12"]] = np.nan
    figure, (upper, lower) = plt.subplots(2, sharex=True)
    plot_timeline(table, ["AU06", "AU12"], ax=upper)
    plot_timeline(table, "AU12", ax=lower)
    upper.set_title("A title as wide as the axes: it would lie upon what the lines are called")
    figure.canvas.draw()
    assert upper.title.get_window_extent().y0 >= upper.get_legend().get_window_extent().y1 - 1
    named = [[text.get_text() for text in ax.get_legend().get_texts()] for ax in (upper, lower)]
    assert named == [["AU06", "AU12", "no face"], ["AU12"]]
    upper.get_legend().remove()
    figure.canvas.draw()  # back to its usual place
    assert upper.title.get_position()[1] == pytest.approx(1.0, abs=0.02)
    plt.close(figure)
