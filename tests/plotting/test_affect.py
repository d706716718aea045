"""The circumplex: the path holds the data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from facemt_analysis.errors import FexError
from facemt_analysis.plotting import plot_va


@pytest.fixture
def table() -> pd.DataFrame:
    angle = np.linspace(0, np.pi, 21)
    return pd.DataFrame(
        {"time": angle, "valence": 0.8 * np.cos(angle), "arousal": 0.8 * np.sin(angle)}
    )


def path_of(ax) -> LineCollection:
    (path,) = (c for c in ax.collections if isinstance(c, LineCollection))
    return path


def test_segments_are_the_data_coloured_by_time(table: pd.DataFrame) -> None:
    path = path_of(plot_va(table))
    points = table[["valence", "arousal"]].to_numpy()
    np.testing.assert_allclose(path.get_segments(), np.stack([points[:-1], points[1:]], 1))
    time = table["time"].to_numpy()
    np.testing.assert_allclose(path.get_array(), (time[:-1] + time[1:]) / 2)
    assert path.get_clim() == pytest.approx((0, np.pi))


def test_the_path_breaks_where_nothing_was_found(table: pd.DataFrame) -> None:
    table.loc[4, ["valence", "arousal"]] = np.nan
    segments = np.array(path_of(plot_va(table)).get_segments())
    assert len(segments) == 18
    assert np.isfinite(segments).all()


def test_truth_lies_behind(table: pd.DataFrame) -> None:
    truth = table.assign(valence=-table["valence"])
    ax = plot_va(table, truth=truth)
    (line,) = (line for line in ax.lines if line.get_label() == "true")
    np.testing.assert_array_equal(line.get_xdata(), truth["valence"])
    assert line.get_zorder() < path_of(ax).get_zorder()


def test_axes_are_square_and_whole(table: pd.DataFrame) -> None:
    axes = Figure().subplots()
    assert plot_va(table, ax=axes, colorbar=False) is axes
    assert axes.get_aspect() == 1
    assert axes.get_xlim() == axes.get_ylim() == (-1.15, 1.15)
    assert axes.get_figure().axes == [axes]
    assert axes.child_axes == []
    (bar,) = plot_va(table).child_axes
    assert bar.get_ylabel() == "Time (s)"


def test_a_missing_column_is_named(table: pd.DataFrame) -> None:
    with pytest.raises(FexError, match="'arousal'"):
        plot_va(table.drop(columns="arousal"))
