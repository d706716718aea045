"""Timelines and the affect path: what plotly gets is the data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.interactive import affect_path, animate_mesh, linked_timelines, plot_mesh
from facemt_analysis.measures import mesh_displacement
from facemt_analysis.plotting.au_mesh import au_vertex_weights
from facemt_analysis.plotting.emotion import EMOTION_COLOURS


@pytest.fixture(scope="module")
def fex(wide_table) -> pd.DataFrame:
    return wide_table(seconds=2.0, hz=20.0)


def test_timelines_have_a_row_per_unit(fex: pd.DataFrame) -> None:
    figure = linked_timelines(fex)
    titles = [figure.layout[f"yaxis{i or ''}"].title.text for i in ("", 2, 3, 4, 5)]
    assert titles == ["Action units<br>(score)", "Emotions<br>(probability)",
                      "Affect<br>(−1 to 1)", "Gaze<br>(°)", "Head<br>(°)"]  # fmt: skip
    lines = {line.name: line for line in figure.data}
    assert lines["AU12"].yaxis == "y"
    assert lines["Yaw"].yaxis == "y5"
    assert lines["Happy"].line.color == EMOTION_COLOURS["Happy"]
    # all axes of time follow the last one, which has the slider
    assert all(figure.layout[f"xaxis{i or ''}"].matches == "x5" for i in ("", 2, 3, 4))
    assert figure.layout.xaxis5.rangeslider.visible
    assert figure.layout.legend.groupclick == "toggleitem"
    shown = [line.name for line in figure.data if line.visible is True and line.yaxis == "y"]
    spread = fex.filter(regex="^AU").std()
    assert set(shown) == set(spread.nlargest(5).index)
    assert len({lines[name].line.color for name in shown}) == 5


def test_timelines_hold_the_values_and_break_at_gaps(fex: pd.DataFrame) -> None:
    figure = linked_timelines(fex, ["AU12", "poses"])
    assert [line.name for line in figure.data] == ["AU12", "Pitch", "Roll", "Yaw"]
    line = figure.data[3]
    face = fex[fex["track"] == 0]
    values = np.asarray(line.y)
    np.testing.assert_allclose(values[~np.isnan(values)], np.degrees(face["Yaw"]))
    assert np.isnan(values).sum() == 1
    assert not line.connectgaps


def test_events_are_bands_with_names(fex: pd.DataFrame) -> None:
    events = pd.DataFrame({"input": ["talk.mp4", "other"], "onset": [0.2, 0.5],
                           "offset": [0.4, 0.9], "label": ["joke", "no"]})  # fmt: skip
    figure = linked_timelines(fex, "AU12", events=events)
    assert [(s.x0, s.x1) for s in figure.layout.shapes] == [(0.2, 0.4)]
    assert [a.text for a in figure.layout.annotations] == ["joke"]


def test_the_affect_path_tells_time_and_emotion(fex: pd.DataFrame) -> None:
    face = fex[fex["track"] == 0]
    path, points = affect_path(fex).data
    np.testing.assert_allclose(points.x, face["valence"])
    np.testing.assert_allclose(points.customdata, face["time"])
    np.testing.assert_allclose(points.marker.color, face["time"])
    emotions = face[["Neutral", "Happy", "Sad", "Surprise", "Fear", "Disgust", "Anger"]]
    assert points.text[3] == f"{emotions.iloc[3].idxmax()} {emotions.iloc[3].max():.2f}"
    assert np.isnan(np.asarray(path.x)).sum() == 1  # the line breaks at the gap, and there only
    assert "%{text}" in points.hovertemplate
    half = affect_path(fex, hz=10.0).data[1]
    assert len(half.x) == pytest.approx(len(face) / 2, abs=2)


def test_textures_are_displacement_or_an_action_unit(fex: pd.DataFrame) -> None:
    face = pd.DataFrame(fex[fex["track"] == 0])
    skin = plot_mesh(fex, 3, aligned=True, values="displacement").data[0]
    expected = np.linalg.norm(mesh_displacement(face)[3], axis=1)
    np.testing.assert_allclose(skin.intensity, expected, rtol=1e-5)
    assert skin.colorbar.title.text == "Displacement (eye distances)"
    figure = animate_mesh(fex, values="AU12", every=4)
    weights = au_vertex_weights()["AU12"]
    for k in (0, 3):
        tint = np.asarray(figure.frames[k].data[0].intensity)
        np.testing.assert_allclose(tint[:468], face["AU12"].iloc[4 * k] * weights, rtol=1e-5)
        assert (tint[468:] == 0).all()
    with pytest.raises(OptionError, match="AU12"):
        plot_mesh(fex, 3, values="AU13")


def test_the_ghost_is_the_face_at_rest_seen_through(fex: pd.DataFrame) -> None:
    skin, _, ghost = plot_mesh(fex, 3, aligned=True, ghost=True).data
    assert ghost.opacity < 0.5
    np.testing.assert_array_equal(ghost.i, skin.i)
    from facemt_analysis.measures import align_mesh, mesh_vertices

    meshes = align_mesh(mesh_vertices(fex[fex["track"] == 0])).vertices
    np.testing.assert_allclose(ghost.y, np.median(meshes, axis=0)[:, 1], atol=1e-5)
    assert len(animate_mesh(fex, ghost=True).data) == 3
    with pytest.raises(OptionError, match="aligned"):
        plot_mesh(fex, 3, ghost=True)


def test_an_animation_of_a_stretch(fex: pd.DataFrame) -> None:
    figure = animate_mesh(fex, start=0.2, stop=0.4)
    assert [frame.name for frame in figure.frames] == ["0.20", "0.25", "0.30", "0.35", "0.40"]
    with pytest.raises(FexError, match=r"between 7 and"):
        animate_mesh(fex, start=7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: linked_timelines(f, "AU13"), "AU13"),
        (lambda f: linked_timelines(f[["time", "track"]]), "no feature"),
        (lambda f: linked_timelines(f, recording="tlak.mp4"), "talk.mp4"),
        (lambda f: linked_timelines(f, events=pd.DataFrame({"onset": [1.0]})), "offset"),
        (lambda f: affect_path(f.drop(columns="valence")), "valence"),
    ],
    ids=["column", "empty", "recording", "events", "no-valence"],
)
def test_wrong_calls(fex: pd.DataFrame, call, message: str) -> None:
    with pytest.raises(FexError, match=message):
        call(fex)
