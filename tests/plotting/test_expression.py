"""Figures of action units and emotions: what they show is what was measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from facemt_analysis.errors import FexError, MissingGroupError
from facemt_analysis.plotting import (
    EMOTION_COLOURS,
    one_face,
    plot_au_heatmap,
    plot_aus,
    plot_emotions,
)


@pytest.fixture
def table() -> pd.DataFrame:
    """Two faces of one recording and one of another; the first face is lost for a second."""
    time = np.arange(40) / 10
    one = pd.DataFrame({
        "input": "a", "frame": range(40), "time": time, "track": 0, "AU06": 0.2,
        "AU12": ((time > 0.45) & (time < 0.95)) * 0.8, "Neutral": 0.75, "Happy": 0.25,
    })  # fmt: skip
    one = one[(time < 2) | (time >= 3)]
    nobody = pd.DataFrame({"input": "a", "frame": range(20, 30), "time": np.arange(20, 30) / 10,
                           "track": -1})  # fmt: skip
    two = one.assign(track=1, AU12=0.1)
    return pd.concat([one, nobody, two, one.assign(input="b")], ignore_index=True)


CHOICE: dict[str, Any] = {"recording": "a", "track": 0}


# ----------------------------------------------------------------------------- one face
def test_one_face_is_chosen(table: pd.DataFrame) -> None:
    face = one_face(table, **CHOICE)
    assert len(face) == 30
    assert set(face["track"]) == {0}
    assert len(one_face(table, recording="b")) == 30
    assert len(one_face(pd.DataFrame({"AU12": [0.1]}))) == 1


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        pytest.param({}, "there are 2 recordings: a, b; choose one with recording=", id="which"),
        pytest.param({"recording": "a"}, "there are 2 tracks: 0, 1; choose", id="which track"),
        pytest.param({"recording": "c"}, "`recording`: there is no face in 'c'", id="no recording"),
        pytest.param({"recording": "a", "track": 7}, "`track`: there is no face in 7. There is: 0",
                     id="no track"),
    ],
)  # fmt: skip
def test_several_faces_are_not_mixed(
    table: pd.DataFrame, choice: dict[str, Any], message: str
) -> None:
    with pytest.raises(FexError, match=message):
        plot_aus(table, **choice)


def test_a_table_without_names_has_nothing_to_choose_by() -> None:
    with pytest.raises(FexError, match="`recording`: the table has no column 'input'"):
        one_face(pd.DataFrame({"AU12": [0.1]}), recording="a")


# ----------------------------------------------------------------------------- strips
def test_strips_hold_scores_and_break_at_losses(table: pd.DataFrame) -> None:
    ax = plot_aus(table, **CHOICE)
    lines = {line.get_label(): line for line in ax.lines if line.get_label()[0] != "_"}
    assert list(lines) == ["AU12", "AU06"]  # from below
    scores = lines["AU12"].get_ydata() / 0.9
    assert np.isnan(scores).sum() == 1
    seen = one_face(table, **CHOICE)
    np.testing.assert_allclose(scores[~np.isnan(scores)], seen["AU12"])
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        "AU12 Lip corner puller", "AU06 Cheek raiser",
    ]  # fmt: skip
    assert ax.get_xlabel() == "Time (s)"
    assert ax.get_ylabel() == "Score (0–1)"


def test_events_are_filled(table: pd.DataFrame) -> None:
    ax = plot_aus(table, "AU12", **CHOICE)
    areas = {area.get_label(): area for area in ax.collections}
    (path,) = areas["AU12 events"].get_paths()
    assert path.vertices[:, 0].min() == pytest.approx(0.5)
    assert path.vertices[:, 0].max() == pytest.approx(1.0)  # the first frame without
    gaps = plot_aus(table, on=None, **CHOICE).collections
    assert [area.get_label() for area in gaps] == ["no face"]
    (band,) = gaps[0].get_paths()
    assert band.get_extents().intervalx == pytest.approx([1.9, 3.0])  # last seen, seen again
    (words,) = ax.texts
    assert words.get_text() == "no face"
    assert words.get_position()[0] == pytest.approx(2.45)


# ----------------------------------------------------------------------------- heat maps
def mesh_of(ax: Any) -> QuadMesh:
    (mesh,) = (c for c in ax.collections if isinstance(c, QuadMesh))
    return mesh


def test_heat_map_holds_scores_and_leaves_losses_out(table: pd.DataFrame) -> None:
    ax = plot_au_heatmap(table, **CHOICE)
    mesh = mesh_of(ax)
    seen = one_face(table, **CHOICE)
    cells = mesh.get_array()
    assert cells.shape == (2, 31)
    np.testing.assert_allclose(cells[1].compressed(), seen["AU12"])
    edges = mesh.get_coordinates()[0, :, 0]
    gone = np.flatnonzero(cells.mask[1])
    assert gone.tolist() == [20]
    assert edges[20:22].tolist() == pytest.approx([2.0, 3.0])
    assert mesh.get_clim() == (0, 1)
    assert ax.yaxis_inverted()
    assert len(ax.child_axes) == 1
    assert ax.child_axes[0].get_ylabel() == "Score (0–1)"


def test_long_recordings_are_averaged() -> None:
    time = np.arange(6000) / 30
    table = pd.DataFrame({"time": time, "AU12": np.where(time < 100, 0.2, 0.6)})
    table = table[(time < 150) | (time >= 160)]
    axes = Figure().subplots()
    assert plot_au_heatmap(table, ax=axes, colorbar=False) is axes
    cells = mesh_of(axes).get_array()
    assert cells.shape[1] == 750
    edges = mesh_of(axes).get_coordinates()[0, :, 0]
    middles = (edges[1:] + edges[:-1]) / 2
    np.testing.assert_allclose(cells[0][middles < 99], 0.2)
    np.testing.assert_allclose(cells[0][(middles > 101) & (middles < 149)], 0.6)
    assert cells.mask[0][(middles > 151) & (middles < 159)].all()
    assert not cells.mask[0][middles > 161].any()


# ----------------------------------------------------------------------------- emotions
def test_emotions_are_stacked_to_one(table: pd.DataFrame) -> None:
    ax = plot_emotions(table, **CHOICE)
    areas = {area.get_label(): area for area in ax.collections}
    assert list(areas) == ["no face", "Neutral", "Happy"]
    assert len(areas["Happy"].get_paths()) == 2  # the face was lost between
    heights = areas["Happy"].get_paths()[0].vertices[:, 1]
    assert {round(float(h), 6) for h in heights} == {0.75, 1.0}
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["Neutral", "Happy", "no face"]
    # the grey of a gap is not that of Neutral: it is hatched
    assert areas["no face"].get_hatch()
    assert not areas["Neutral"].get_hatch()
    assert ax.get_ylim() == (0, 1)
    assert len(set(EMOTION_COLOURS.values())) == 8


def test_missing_groups_are_named(table: pd.DataFrame) -> None:
    with pytest.raises(MissingGroupError, match="emotions"):
        plot_emotions(table[["time", "AU12"]])
    with pytest.raises(FexError, match="no column 'time'"):
        plot_au_heatmap(pd.DataFrame({"AU12": [0.1]}))
