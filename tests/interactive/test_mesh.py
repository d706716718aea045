"""The mesh in three dimensions: what plotly gets is the data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import schema
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.interactive import animate_mesh, mesh_figure, plot_mesh
from facemt_analysis.measures import mesh_template

FACE = mesh_template().vertices


def table(n: int = 6, **more: object) -> pd.DataFrame:
    """A face that nods, 100 px wide, at (300, 200)."""
    turns = np.linspace(0, 0.3, n)
    meshes = np.stack([
        FACE @ np.array([[1, 0, 0], [0, np.cos(t), np.sin(t)], [0, -np.sin(t), np.cos(t)]])
        for t in turns
    ])  # fmt: skip
    meshes = 100 * meshes * (1, -1, -1) + (300, 200, 0)
    flat = meshes.transpose(0, 2, 1).reshape(n, -1)
    keys = pd.DataFrame({"time": np.arange(n) / 30, **more}, index=range(n))
    return keys.join(pd.DataFrame(flat, columns=schema.GROUPS["meshes"].columns))


def drawn(trace) -> np.ndarray:
    return np.stack([np.asarray(trace.x), np.asarray(trace.y), np.asarray(trace.z)], axis=1)


def test_a_face_with_its_triangles_upright() -> None:
    figure = plot_mesh(table(), 2)
    trace, lines = figure.data
    np.testing.assert_array_equal(
        np.stack([trace.i, trace.j, trace.k], axis=1), mesh_template().triangles
    )
    points = drawn(trace)
    assert points[10, 1] > points[152, 1]  # the forehead above the chin
    assert points[4, 2] > points[10, 2]  # the nose nearer than the forehead
    assert points[33, 0] < points[263, 0]  # the subject's right on the left
    front = drawn(lines) - (0, 0, 0.03 * np.ptp(points[:468, 0]))
    front = front[~np.isnan(front).any(axis=1)]
    gaps = np.linalg.norm(front[:, None] - points[None], axis=2).min(axis=1)
    assert gaps.max() < 1e-3  # lines lead from vertex to vertex
    scene = figure.layout.scene
    shape = np.ptp(points[:468], axis=0)
    ratio = np.array([scene.aspectratio.x, scene.aspectratio.y, scene.aspectratio.z])
    np.testing.assert_allclose(ratio, shape / shape.max(), rtol=1e-5)  # one scale for all


def test_aligned_faces_have_no_pose() -> None:
    np.testing.assert_allclose(drawn(plot_mesh(table(), -1, aligned=True).data[0]), FACE, atol=1e-6)


def test_colours_are_the_values() -> None:
    values = np.arange(478.0)
    trace = mesh_figure(FACE, values=values, label="mm").data[0]
    np.testing.assert_array_equal(trace.intensity, values)
    assert (trace.cmin, trace.cmax) == (0, 477)
    assert trace.colorbar.title.text == "mm"
    assert mesh_figure(FACE, values=values, limits=(0, 9)).data[0].cmax == 9
    assert mesh_figure(FACE).data[0].intensity is None


def test_frames_of_an_animation() -> None:
    frame = table()
    figure = animate_mesh(frame, aligned=False, every=2)
    assert [f.name for f in figure.frames] == ["0.00", "0.07", "0.13"]
    np.testing.assert_allclose(
        drawn(figure.frames[2].data[0]),
        frame.filter(like="mesh_").to_numpy().reshape(6, 3, 478)[4].T * (1, -1, -1),
        rtol=1e-5,
    )
    (slider,) = figure.layout.sliders
    assert [s.args[0][0] for s in slider.steps] == ["0.00", "0.07", "0.13"]
    # nothing leaves the axes
    every = np.concatenate([drawn(f.data[0])[:468] for f in figure.frames])
    scene = figure.layout.scene
    low, high = np.transpose([scene.xaxis.range, scene.yaxis.range, scene.zaxis.range])
    assert (every >= low - 1e-3).all()
    assert (every <= high + 1e-3).all()
    values = np.zeros((6, 478))
    values[4] = 3
    coloured = animate_mesh(frame, every=2, values=values)
    assert np.asarray(coloured.frames[2].data[0].intensity).tolist() == [3] * 478
    assert coloured.frames[0].data[0].cmax == 3


def test_long_films_are_thinned_and_lost_faces_left_out() -> None:
    frame = table(410)
    frame.loc[3, "mesh_x_0"] = np.nan
    assert len(animate_mesh(frame).frames) == 136  # of 137 every third frame
    without = frame.drop(columns="time")
    assert [f.name for f in animate_mesh(without, every=205).frames] == ["0", "1"]


def test_wrong_calls() -> None:
    frame = table(track=0, input="a")
    frame.loc[3, "mesh_x_0"] = np.nan
    with pytest.raises(FexError, match="no face in row 3"):
        plot_mesh(frame, 3)
    with pytest.raises(OptionError, match="`row` must be one of 6 rows, but got 6"):
        plot_mesh(frame, 6)
    with pytest.raises(OptionError, match="`every` must be at least 1"):
        animate_mesh(frame, every=0)
    with pytest.raises(FexError, match="choose one with recording="):
        animate_mesh(pd.concat([frame, frame.assign(input="b")]))
    with pytest.raises(FexError, match=r"`vertices` must be \(478, 3\)"):
        mesh_figure(FACE[:468])
    with pytest.raises(FexError, match="`values` must be"):
        mesh_figure(FACE, values=[1.0])
    with pytest.raises(FexError, match="every mesh holds NaN"):
        mesh_figure(FACE * np.nan)
