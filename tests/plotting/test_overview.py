"""One recording at a glance, and every view's own figure."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import facemt_analysis as fm
from facemt_analysis import plotting, stats
from facemt_analysis.errors import FexError
from facemt_analysis.plotting import plot_overview

RECORDING = "sub-10_neutral_1.mp4"  # the face is lost for one and a half seconds


@pytest.fixture(scope="module")
def fex() -> fm.Fex:
    return fm.datasets.load_sample_study()


def test_the_parts_show_one_face(fex: fm.Fex) -> None:
    axes = plot_overview(fex, RECORDING)
    assert list(axes) == ["aus", "emotions", "pose", "quality", "affect", "gaze"]
    own = fex[(fex["input"] == RECORDING) & (fex["track"] >= 0)]
    pitch = next(line for line in axes["pose"].lines if line.get_label() == "Pitch")
    drawn = np.asarray(pitch.get_ydata())
    np.testing.assert_allclose(drawn[~np.isnan(drawn)], np.degrees(own["Pitch"]), rtol=1e-6)
    for name in ("aus", "emotions", "pose", "quality"):
        assert axes[name].get_xlim() == (own["time"].min(), own["time"].max())
    assert [axes[name].get_xlabel() for name in ("aus", "emotions", "pose", "quality")] == [
        "", "", "", "Time (s)",
    ]  # fmt: skip
    for name in ("aus", "emotions", "pose"):
        assert "no face" in [c.get_label() for c in axes[name].collections]
    states = [t.get_text() for t in axes["quality"].get_legend().get_texts()]
    assert states == ["usable", "no face"]


def test_the_action_units_that_vary_most(fex: fm.Fex) -> None:
    axes = plot_overview(fex, RECORDING)
    labels = [t.get_text()[:4] for t in axes["aus"].get_yticklabels()][::-1]
    own = fex.select(RECORDING).aus.astype(float).std()
    assert set(labels) == set(own.sort_values().index[-6:])
    assert labels == sorted(labels)
    axes = plot_overview(fex, RECORDING, aus=["AU12", "AU06"])
    assert [t.get_text()[:4] for t in axes["aus"].get_yticklabels()] == ["AU06", "AU12"]


def test_events_and_stills(fex: fm.Fex) -> None:
    events = pd.DataFrame({"input": [RECORDING, "other"], "onset": [2.0, 1.0], "duration": 1.0,
                           "word": ["joke", "tear"]})  # fmt: skip
    stills = {3.0: np.full((90, 120, 3), 30, np.uint8), 1.0: np.zeros((90, 120, 3), np.uint8)}
    figure = Figure(figsize=(7, 7), layout="constrained")
    axes = plot_overview(fex, RECORDING, events=events, label="word", stills=stills, figure=figure)
    assert axes["aus"].get_figure(root=True) is figure
    assert [axes[f"still {i}"].get_title() for i in (0, 1)] == ["1.0 s", "3.0 s"]
    assert np.asarray(axes["still 1"].images[0].get_array()).max() == 30
    assert [t.get_text() for t in axes["aus"].texts][-1:] == ["joke"]
    for name in ("aus", "emotions", "pose", "quality"):
        assert "joke" in [c.get_label() for c in axes[name].collections]
    edges = [line for line in axes["emotions"].lines if line.get_gid() == "edge"]
    assert [line.get_xdata()[0] for line in edges] == [2.0, 3.0]  # seen above the areas


def test_what_the_table_lacks_is_left_out(fex: fm.Fex) -> None:
    little = fex[["input", "time", "frame", "track", "AU12", "valence", "arousal"]]
    assert list(plot_overview(little, RECORDING)) == ["aus", "quality", "affect"]
    assert list(plot_overview(little.drop(columns=["AU12", "valence"]), RECORDING)) == ["quality"]
    with pytest.raises(FexError, match="no column 'time'"):
        plot_overview(little.drop(columns="time"), RECORDING)
    with pytest.raises(FexError, match="there are 32 recordings"):
        plot_overview(fex)


# ---------------------------------------------------------------- views and results
VIEWS = {
    "au.plot": {"recording": RECORDING}, "au.heatmap": {"recording": RECORDING},
    "emotion.plot": {"recording": RECORDING}, "affect.plot": {"recording": RECORDING},
    "gaze.plot": {}, "pose.plot": {"recording": RECORDING}, "quality.plot": {},
}  # fmt: skip


@pytest.mark.parametrize("view", VIEWS)
def test_views_draw_themselves(fex: fm.Fex, view: str) -> None:
    accessor, method = view.split(".")
    drawn = getattr(getattr(fex, accessor), method)(**VIEWS[view])
    axes = list(drawn.values()) if isinstance(drawn, dict) else [drawn]
    assert all(isinstance(ax, Axes) and ax.has_data() for ax in axes)


def test_every_result_has_its_figure() -> None:
    """What `.plot()` of a result asks the plotting room for is there."""
    results = [getattr(stats, name) for name in stats.__all__]
    drawing = [r for r in results if inspect.isclass(r) and hasattr(r, "plot")]
    assert len(drawing) >= 7
    for result in drawing:
        called = inspect.getsource(result.plot).split('draw("')[1].split('"')[0]
        assert callable(getattr(plotting, called)), result


@pytest.mark.parametrize("name", plotting.__all__)
def test_public_names_resolve(name: str) -> None:
    thing = getattr(plotting, name)
    if inspect.isfunction(thing):
        assert (thing.__doc__ or "").strip()
