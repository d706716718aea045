"""Gaps and events behind timelines."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from facemt_analysis.errors import FexError
from facemt_analysis.plotting import plot_timeline, shade_events
from facemt_analysis.plotting.spans import gap_spans


def bands(ax, label: str) -> list[list[float]]:
    """From, to of every band with a label."""
    (found,) = (c for c in ax.collections if c.get_label() == label)
    return [path.get_extents().intervalx.round(6).tolist() for path in found.get_paths()]


@pytest.fixture
def ax():
    axes = Figure().subplots()
    axes.set_xlim(0, 10)
    return axes


@pytest.mark.parametrize(
    ("gone", "spans"),
    [
        pytest.param([], [], id="none"),
        pytest.param([2, 3], [[1, 4]], id="within"),
        pytest.param([0, 1], [[0, 2]], id="first"),
        pytest.param([5], [[4, 5]], id="last"),
        pytest.param([1, 3], [[0, 2], [2, 4]], id="two"),
        pytest.param(range(6), [[0, 5]], id="all"),
    ],
)
def test_gaps_reach_from_face_to_face(gone, spans) -> None:
    values = np.zeros((6, 2))
    values[list(gone)] = np.nan
    assert gap_spans(np.arange(6.0), values).tolist() == spans
    values[:, 1] = np.nan  # one column without values is no gap while the other has some
    assert gap_spans(np.arange(6.0), values).tolist() == spans


def test_no_rows_no_gaps() -> None:
    assert gap_spans(np.zeros(0), np.zeros((0, 1))).shape == (0, 2)


def test_timelines_shade_what_no_column_has() -> None:
    table = pd.DataFrame({"time": np.arange(6) / 10, "AU12": 0.5, "AU06": 0.5})
    table.loc[1, "AU12"] = np.nan
    table.loc[3, ["AU12", "AU06"]] = np.nan
    ax = plot_timeline(table, ["AU12", "AU06"])
    assert bands(ax, "no face") == [[0.2, 0.4]]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["AU12", "AU06", "no face"]
    # the height of the axes, whatever the scale of the data
    (band,) = (c for c in ax.collections if c.get_label() == "no face")
    assert band.get_paths()[0].get_extents().intervaly.tolist() == [0, 1]
    assert band.get_transform().transform((0, 1))[1] == ax.transAxes.transform((0, 1))[1]


@pytest.mark.parametrize("end", [{"offset": [2.0, 8.0, 9.0]}, {"duration": [1.0, 3.0, 4.0]}])
def test_events_are_bands_of_one_colour_per_name(ax, end) -> None:
    events = pd.DataFrame({"onset": [1.0, 5.0, 5.0], "word": ["joke", "laugh", "joke"], **end})
    assert shade_events(ax, events, "word") is ax
    assert bands(ax, "joke") == [[1, 2], [5, 9]]
    assert bands(ax, "laugh") == [[5, 8]]
    colours = {c.get_label(): tuple(c.get_facecolor()[0]) for c in ax.collections}
    assert len(set(colours.values())) == 2
    assert [(t.get_text(), t.get_position()[0]) for t in ax.texts] == [
        ("joke", 1.5), ("laugh", 6.5), ("joke", 7.0),
    ]  # fmt: skip
    assert ax.get_xlim() == (0, 10)


def test_moments_are_lines(ax) -> None:
    shade_events(ax, pd.DataFrame({"onset": [3.0, 12.0]}), text=False)
    assert [line.get_xdata()[0] for line in ax.lines] == [3.0, 12.0]
    assert not ax.collections
    assert ax.get_xlim() == (0, 10)  # the axes stay those of the recording


def test_events_of_one_recording(ax) -> None:
    events = pd.DataFrame({"input": ["a", "b"], "onset": [1.0, 2.0], "offset": [2.0, 4.0]})
    with pytest.raises(FexError, match="of 2 recordings; choose one with recording="):
        shade_events(ax, events)
    shade_events(ax, events, recording="b")
    assert bands(ax, "event") == [[2, 4]]


def test_wrong_events_are_named(ax) -> None:
    with pytest.raises(FexError, match=r"needs a column 'onset' \(s\); it has start"):
        shade_events(ax, pd.DataFrame({"start": [1.0]}))
    with pytest.raises(FexError, match=r"no column 'wrd'. Did you mean 'word'"):
        shade_events(ax, pd.DataFrame({"onset": [1.0], "word": ["a"]}), "wrd")
