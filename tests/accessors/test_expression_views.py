"""``fex.au``, ``fex.emotion`` and ``fex.affect`` give what the functions give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

import facemt_analysis as fm
from facemt_analysis import measures
from facemt_analysis.errors import MissingGroupError, OptionError

mpl.use("agg")


@pytest.fixture(scope="module")
def fex() -> fm.Fex:
    study = fm.datasets.load_sample_study()
    return study[study["input"].isin(study.recordings[:4])]


Pair = tuple[Callable[[fm.Fex], Any], Callable[[fm.Fex], Any]]

PAIRS: dict[str, Pair] = {
    "au.events": (lambda f: f.au.events("AU12", 0.4, labels="condition"),
                  lambda f: measures.au_events(f, "AU12", on=0.4, labels="condition")),
    "au.events smoothed": (lambda f: f.au.events(smooth=0.5),
                           lambda f: measures.au_events(f, smooth=0.5)),
    "au.summary": (lambda f: f.au.summary("condition", aus=["AU12"], quantiles=[0.1]),
                   lambda f: measures.au_summary(f, "condition", aus=["AU12"], quantiles=[0.1])),
    "au.rates": (lambda f: f.au.rates("condition", on=0.3),
                 lambda f: measures.event_rates(f, by="condition", on=0.3)),
    "au.cooccurrence": (lambda f: f.au.cooccurrence(["AU06", "AU12"], by="condition"),
                        lambda f: measures.cooccurrence(f, ["AU06", "AU12"], by="condition")),
    "au.smiles": (lambda f: f.au.smiles(min_share=0.7),
                  lambda f: measures.smile_types(f, min_share=0.7)),
    "au.expressivity": (lambda f: f.au.expressivity("condition", on=0.4),
                        lambda f: measures.expressivity(f, "condition", on=0.4)),
    "au.pspi": (lambda f: f.au.pspi(), measures.pspi),
    "emotion.dominant": (lambda f: f.emotion.dominant(0.5),
                         lambda f: measures.dominant_emotion(f, threshold=0.5)),
    "emotion.summary": (lambda f: f.emotion.summary("condition", threshold=0.4),
                        lambda f: measures.emotion_summary(f, "condition", threshold=0.4)),
    "emotion.bouts": (lambda f: f.emotion.bouts(min_duration=0.5),
                      lambda f: measures.emotion_bouts(f, min_duration=0.5)),
    "emotion.transitions": (lambda f: f.emotion.transitions("condition", unit="bouts"),
                            lambda f: measures.emotion_transitions(f, "condition", unit="bouts")),
    "affect.summary": (lambda f: f.affect.summary("condition", neutral=0.2, lag=1.0),
                       lambda f: measures.affect_summary(f, "condition", neutral=0.2, lag=1.0)),
    "affect.quadrants": (lambda f: f.affect.quadrants(0.3),
                         lambda f: measures.affect_quadrants(f, neutral=0.3)),
    "affect.trajectory": (lambda f: f.affect.trajectory(hz=5),
                          lambda f: measures.affect_trajectory(f, hz=5)),
}  # fmt: skip


@pytest.mark.parametrize(("view", "function"), PAIRS.values(), ids=PAIRS)
def test_views_give_what_functions_give(view: Any, function: Any, fex: fm.Fex) -> None:
    left, right = view(fex), function(fex)
    assert len(left) > 0
    assert not isinstance(left, fm.Fex)
    (assert_series_equal if isinstance(left, pd.Series) else assert_frame_equal)(left, right)


def test_every_method_is_tried() -> None:
    drawing = {"au.plot", "au.heatmap", "emotion.plot", "affect.plot"}
    table = fm.Fex({"AU12": [0.1], "Happy": [0.2], "valence": [0.0]})
    methods = {
        f"{name}.{method}"
        for name in ("au", "emotion", "affect")
        for method in type(getattr(table, name))._methods()
    }
    assert {name.split(" ")[0] for name in PAIRS} | drawing == methods


@pytest.mark.parametrize("name", ["au", "emotion", "affect"])
def test_figures_of_one_recording(name: str, fex: fm.Fex) -> None:
    import matplotlib.pyplot as plt

    view = getattr(fex, name)
    ax = view.plot(recording=fex.recordings[1])
    assert ax.get_xlabel() in ("Time (s)", "Valence")
    drawn = view.plot(recording=fex.recordings[0], ax=plt.figure().subplots())
    assert drawn is not ax
    plt.close("all")


def test_heat_map_of_some_action_units(fex: fm.Fex) -> None:
    import matplotlib.pyplot as plt

    ax = fex.au.heatmap(["AU06", "AU12"], recording=fex.recordings[0])
    assert len(ax.get_yticks()) == 2
    plt.close("all")


def test_a_heat_map_of_groups(fex: fm.Fex) -> None:
    import matplotlib.pyplot as plt

    ax = fex.au.heatmap(["AU06", "AU12"], by="input")
    expected = (
        pd.DataFrame(fex).groupby("input", observed=True, sort=False)[["AU06", "AU12"]].mean()
    )
    np.testing.assert_allclose(ax.collections[0].get_array(), expected.to_numpy())
    assert [label.get_text() for label in ax.get_yticklabels()] == expected.index.tolist()
    with pytest.raises(OptionError, match="recording"):
        fex.au.heatmap(by="input", recording=fex.recordings[0])
    plt.close("all")


def test_missing_groups_say_what_is_there() -> None:
    table = fm.Fex({"input": ["a"], "AU12": [0.1]})
    assert not hasattr(table, "emotion")
    with pytest.raises(MissingGroupError, match=r"'emotions'.*keys.*aus"):
        table.emotion  # noqa: B018
    assert "AU12" in repr(table.au)
    assert ".events" in repr(table.au)
