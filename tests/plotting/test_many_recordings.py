"""Many recordings in one picture: means, rasters, shares, density."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from facemt_analysis.errors import FexError, MissingGroupError
from facemt_analysis.measures import emotion_summary
from facemt_analysis.plotting import (
    EMOTION_COLOURS,
    plot_emotion_shares,
    plot_means,
    plot_raster,
    plot_va_density,
)


@pytest.fixture
def table() -> pd.DataFrame:
    """Two people in two conditions, 20 frames each; one of them is lost for half a second."""
    parts = []
    for i, (subject, condition) in enumerate(("ax", "ay", "bx", "by")):
        time = np.arange(20) / 10
        part = pd.DataFrame({
            "input": f"{subject}{condition}.mp4", "frame": range(20), "time": time, "track": 0,
            "AU06": 0.1 * i, "AU12": time / 2, "valence": 0.55 - 0.3 * i, "arousal": 0.25,
            "Neutral": 0.6 - 0.15 * i, "Happy": 0.4 + 0.15 * i,
            "subject": subject, "condition": condition,
        })  # fmt: skip
        if i == 3:
            part.loc[5:9, ["AU06", "AU12", "Neutral", "Happy", "valence", "arousal"]] = np.nan
            part.loc[5:9, "track"] = -1
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def mesh(ax) -> QuadMesh:
    (found,) = (c for c in ax.collections if isinstance(c, QuadMesh))
    return found


def rows(ax) -> list[str]:
    return [t.get_text() for t in ax.get_yticklabels()]


# ---------------------------------------------------------------- means
def test_means_are_those_of_pandas(table: pd.DataFrame) -> None:
    ax = plot_means(table)
    expected = table.groupby("input")[["AU06", "AU12"]].mean()
    np.testing.assert_allclose(mesh(ax).get_array(), expected)
    assert rows(ax) == expected.index.tolist()
    assert [t.get_text() for t in ax.get_xticklabels()] == ["AU06", "AU12"]
    assert mesh(ax).get_clim() == (0.0, pytest.approx(expected.to_numpy().max()))
    assert ax.child_axes[0].get_ylabel() == "Mean (score)"
    assert ax.yaxis_inverted()


def test_means_by_labels_in_their_order(table: pd.DataFrame) -> None:
    table["condition"] = pd.Categorical(table["condition"], ["y", "x", "z"])
    ax = plot_means(table, "AU06", ["condition", "subject"])
    assert rows(ax) == ["x · a", "x · b", "y · a", "y · b"]
    np.testing.assert_allclose(mesh(ax).get_array()[:, 0], [0.0, 0.2, 0.1, 0.3])


def test_means_of_valence_keep_both_ends(table: pd.DataFrame) -> None:
    assert mesh(plot_means(table, ["valence", "arousal"])).get_clim() == (-1, 1)


def test_nobody_is_grey(table: pd.DataFrame) -> None:
    table.loc[table["input"] == "ax.mp4", "AU12"] = np.nan
    ax = plot_means(table, "AU12")
    assert mesh(ax).get_array().mask[:, 0].tolist() == [True, False, False, False]
    assert to_hex(ax.get_facecolor()) == "#d9d9d9"


def test_means_have_one_unit(table: pd.DataFrame) -> None:
    with pytest.raises(FexError, match="are of several groups"):
        plot_means(table, ["AU12", "valence"])
    with pytest.raises(
        FexError, match=r"`by`: there is no column 'subjet'. Did you mean 'subject'"
    ):
        plot_means(table, by="subjet")


# ---------------------------------------------------------------- rasters
def test_raster_holds_every_frame(table: pd.DataFrame) -> None:
    axes = Figure().subplots()
    assert plot_raster(table, "AU12", ax=axes, colorbar=False) is axes
    cells = mesh(axes).get_array()
    assert cells.shape == (4, 20)
    np.testing.assert_allclose(cells[0], np.arange(20) / 20)
    assert np.flatnonzero(cells.mask[3]).tolist() == [5, 6, 7, 8, 9]  # the face was lost
    assert not cells.mask[:3].any()
    edges = mesh(axes).get_coordinates()[0, :, 0]
    np.testing.assert_allclose(edges, np.arange(21) / 10)
    assert axes.get_xlabel() == "Time (s)"


def test_raster_averages_faces_and_cells(table: pd.DataFrame) -> None:
    ax = plot_raster(table, "AU06", "condition", cells=2)
    np.testing.assert_allclose(mesh(ax).get_array(), [[0.1, 0.1], [(0.1 * 10 + 0.3 * 5) / 15, 0.2]])
    assert rows(ax) == ["x", "y"]


def test_raster_needs_faces_and_a_column(table: pd.DataFrame) -> None:
    with pytest.raises(FexError, match="`feature`: there is no column 'AU2'"):
        plot_raster(table, "AU2")
    with pytest.raises(FexError, match="no face at any time"):
        plot_raster(table.assign(track=-1), "AU12")


# ---------------------------------------------------------------- shares of emotions
def test_bars_are_the_shares(table: pd.DataFrame) -> None:
    table.loc[:4, ["Neutral", "Happy"]] = [0.1, 0.9]
    ax = plot_emotion_shares(table, "subject")
    widths = {c.get_label(): [bar.get_width() for bar in c] for c in ax.containers}
    summary = emotion_summary(table, "subject").set_index(["feature", "subject"])["share"]
    for emotion in ("Neutral", "Happy"):
        assert widths[emotion] == pytest.approx(summary[emotion].tolist())
    assert widths["Happy"] == pytest.approx([5 / 40 + 0.5, 1.0])
    lefts = [bar.get_x() for bar in ax.containers[1]]
    assert lefts == pytest.approx(widths["Neutral"])  # stacked
    assert to_hex(ax.containers[1][0].get_facecolor()) == EMOTION_COLOURS["Happy"].lower()
    assert rows(ax) == ["a", "b"]
    assert ax.get_xlim() == (0, 1)


def test_shares_with_a_threshold_may_be_less_than_one(table: pd.DataFrame) -> None:
    ax = plot_emotion_shares(table, threshold=0.65, legend=False)
    assert [bar.get_width() for bar in ax.containers[1]] == [0, 0, 1, 1]
    assert ax.get_legend() is None
    with pytest.raises(MissingGroupError, match="emotions"):
        plot_emotion_shares(table[["input", "time", "AU12"]])


# ---------------------------------------------------------------- density on the circumplex
def test_density_is_the_share_of_time_per_area(table: pd.DataFrame) -> None:
    ax = plot_va_density(table, bins=10, smooth=0.0)
    density = mesh(ax).get_array().filled(0.0)
    assert density.sum() * 0.2**2 == pytest.approx(1.0)
    # arousal 0.25 in all; valence 0.55 in 20 frames of 75, −0.35 in 15
    line = density[6]
    assert line[7] * 0.04 == pytest.approx(20 / 75)
    assert line[3] * 0.04 == pytest.approx(15 / 75)
    assert density[:6].sum() == density[7:].sum() == 0
    assert ax.get_xlabel() == "Valence"
    assert ax.get_ylabel() == "Arousal"
    assert ax.get_aspect() == 1


def test_smoothing_keeps_the_sum(table: pd.DataFrame) -> None:
    drawn = mesh(plot_va_density(table, bins=40, smooth=0.08, levels=())).get_array().filled(0.0)
    assert drawn.sum() * 0.05**2 == pytest.approx(1.0, abs=0.01)  # the palest cells stay white
    assert np.isfinite(drawn).all()


def test_quadrants_say_how_much_time(table: pd.DataFrame) -> None:
    ax = plot_va_density(table)
    texts = [t.get_text() for t in ax.texts]
    # valence 0.55, 0.25, −0.05, −0.35 with 20, 20, 20, 15 frames
    assert texts == [
        "excited\n53 %",
        "distressed\n47 %",
        "depressed\n0 %",
        "calm\n0 %",
        "neutral 0 %",
    ]
    (ring,) = (p for p in ax.patches if p.get_gid() == "neutral")
    assert ring.get_radius() == 0.1
    near = plot_va_density(table.assign(valence=0.05, arousal=0.0), neutral=0.2)
    assert near.texts[-1].get_text() == "neutral 100 %"
    assert "neutral" not in [t.get_text()[:7] for t in plot_va_density(table, neutral=0.0).texts]
    assert plot_va_density(table, shares=False).texts[0].get_text() == "excited"


def test_contours_hold_so_much_of_the_time() -> None:
    rng = np.random.default_rng(4)
    points = rng.normal(0, 0.2, (20_000, 2))
    ax = plot_va_density(pd.DataFrame(points, columns=["valence", "arousal"]), levels=(0.5,))
    (lines,) = (c for c in ax.collections if type(c).__name__ == "QuadContourSet")
    (path,) = lines.get_paths()
    inside = path.contains_points(points).mean()
    assert inside == pytest.approx(0.5, abs=0.03)
    # of a Gaussian: the circle of radius sd·√(2 ln 2), a little wider by the smoothing
    radius = np.hypot(*path.vertices.T).mean()
    assert radius == pytest.approx(np.hypot(0.2, 0.05) * np.sqrt(2 * np.log(2)), rel=0.06)


def test_density_needs_faces(table: pd.DataFrame) -> None:
    with pytest.raises(FexError, match="No row has valence and arousal"):
        plot_va_density(table.assign(valence=np.nan))
    with pytest.raises(FexError, match="no column 'arousal'"):
        plot_va_density(table[["valence"]])
