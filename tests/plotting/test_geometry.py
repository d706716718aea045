"""Figures of gaze, head and blendshapes: the artists hold the data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from facemt_analysis.errors import FexError, MissingGroupError, OptionError
from facemt_analysis.measures import gaze_heatmap
from facemt_analysis.plotting import plot_blendshapes, plot_gaze, plot_gaze_density, plot_pose
from facemt_analysis.plotting.style import INK


def looks(**more: object) -> pd.DataFrame:
    angles = np.random.default_rng(1).normal(0, 0.1, (2, 300))
    return pd.DataFrame(
        {"time": np.arange(300) / 30, "gaze_pitch": angles[0], "gaze_yaw": angles[1]}
    ).assign(**more)


# ---------------------------------------------------------------- gaze
def test_heat_map_is_the_density() -> None:
    density = gaze_heatmap(looks(), bins=(8, 4), extent=(-20, 20, -10, 10))
    ax = plot_gaze_density(density)
    (mesh,) = ax.collections
    np.testing.assert_allclose(np.asarray(mesh.get_array()), 100 * density.density[0])
    assert ax.get_xlim() == (-20, 20)
    assert ax.get_ylim() == (-10, 10)
    assert [a.get_ylabel() for a in ax.child_axes] == ["% of time per deg²"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Yaw (°), + = own right", "Pitch (°), + = up")
    (meaning,) = ax.texts
    assert (meaning.get_text(), meaning.get_color()) == ("+ straight ahead", "white")
    pale = plot_gaze_density(density, cmap="Blues").texts[0]
    assert pale.get_color() == INK


def test_gaze_of_all_or_of_one_face() -> None:
    frame = pd.concat([looks(input="a"), looks(input="b", track=0).assign(gaze_yaw=0.3)])
    frame["track"] = 0
    whole = np.asarray(plot_gaze(frame, bins=8, smooth=0).collections[0].get_array())
    one = np.asarray(plot_gaze(frame, bins=8, smooth=0, recording="b").collections[0].get_array())
    assert np.argmax(one.sum(axis=0)) == 5  # 17 degrees
    assert whole.sum() == pytest.approx(one.sum())
    assert whole.max() < one.max()
    with pytest.raises(FexError, match="`recording`"):
        plot_gaze(frame, recording="c")
    with pytest.raises(MissingGroupError, match="'gazes'"):
        plot_gaze(frame[["time"]])


def test_groups_of_a_density() -> None:
    density = gaze_heatmap(pd.concat([looks(input="a"), looks(input="b", gaze_yaw=0.3)]), bins=4)
    axes = Figure().subplots()
    assert plot_gaze_density(density, 1, ax=axes, colorbar=False) is axes
    assert not axes.child_axes
    drawn = np.asarray(axes.collections[0].get_array())
    np.testing.assert_allclose(drawn, 100 * density.density[1])
    with pytest.raises(OptionError, match="one of 2 groups, but got 2"):
        plot_gaze_density(density, 2)


# ---------------------------------------------------------------- head
def test_pose_in_degrees_in_the_order_of_time() -> None:
    frame = pd.DataFrame({"time": np.arange(5) / 10, "Pitch": 0.1, "Yaw": np.arange(5) / 10,
                          "Roll": 0.0, "input": "a", "track": 0})  # fmt: skip
    ax = plot_pose(frame.iloc[::-1])
    lines = {line.get_label(): np.asarray(line.get_ydata(), float) for line in ax.lines}
    np.testing.assert_allclose(lines["Yaw"], np.degrees(frame["Yaw"]))
    assert ax.get_ylabel() == "Head angle (°)"
    assert plot_pose(frame, degrees=False).get_ylabel() == "Head angle (rad)"
    with pytest.raises(FexError, match="choose one with recording="):
        plot_pose(pd.concat([frame, frame.assign(input="b")]))
    with pytest.raises(MissingGroupError, match="'poses'"):
        plot_pose(frame[["time"]])
    with pytest.raises(FexError, match="'time'"):
        plot_pose(frame.drop(columns="time"))


# ---------------------------------------------------------------- blendshapes
def bars(ax) -> dict[str, list[float]]:
    return {c.get_label(): [bar.get_width() for bar in c] for c in ax.containers}


def test_bars_are_means_with_left_beside_right() -> None:
    frame = pd.DataFrame(
        {"_neutral": 0.9, "jawOpen": [0.2, 0.4], "mouthSmileLeft": [0.8, 0.8],
         "mouthSmileRight": [0.4, 0.6], "mouthLeft": [0.1, 0.1], "mouthRight": [0.05, 0.05]}
    )  # fmt: skip
    ax = plot_blendshapes(frame)
    names = [t.get_text() for t in ax.get_yticklabels()]
    assert names == ["mouthSmile", "jawOpen", "mouthLeft", "mouthRight"]
    drawn = bars(ax)
    assert drawn["subject's left"] == pytest.approx([0.8])
    assert drawn["subject's right"] == pytest.approx([0.5])
    assert drawn["middle"] == pytest.approx([0.3, 0.1, 0.05])
    assert bars(plot_blendshapes(frame, row=-1, top=1))["subject's right"] == pytest.approx([0.6])


def test_one_side_alone_keeps_its_name() -> None:
    ax = plot_blendshapes(pd.DataFrame({"mouthSmileLeft": [0.8], "jawOpen": [np.nan]}))
    assert [t.get_text() for t in ax.get_yticklabels()] == ["mouthSmileLeft", "jawOpen"]
    assert ax.get_legend() is None


def test_wrong_bars() -> None:
    frame = pd.DataFrame({"jawOpen": [0.2]})
    with pytest.raises(OptionError, match="`row` must be one of 1 rows, but got 1"):
        plot_blendshapes(frame, 1)
    with pytest.raises(OptionError, match="`top` must be at least 1"):
        plot_blendshapes(frame, top=0)
    with pytest.raises(MissingGroupError, match="'blendshapes'"):
        plot_blendshapes(pd.DataFrame({"AU12": [0.1]}))
