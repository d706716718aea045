"""Action units on the face: colours where the muscles act."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from facemt_analysis.errors import FexError
from facemt_analysis.measures.mesh_model import mesh_regions, mesh_template
from facemt_analysis.plotting import plot_au_mesh
from facemt_analysis.plotting.au_mesh import au_vertex_weights


def triangles(ax) -> tuple[np.ndarray, np.ndarray]:
    """Middles (898, 2) and colour values (898,) of the triangles."""
    (faces,) = (c for c in ax.collections if isinstance(c, PolyCollection))
    middles = np.array([path.vertices[:3].mean(axis=0) for path in faces.get_paths()])
    return middles, np.asarray(faces.get_array())


# where the FACS manual says that each acts
@pytest.mark.parametrize(
    ("au", "regions"),
    [
        ("AU01", {"forehead", "brow"}), ("AU04", {"forehead", "brow"}), ("AU12", {"mouth"}),
        ("AU26", {"jaw"}), ("AU43", {"eye"}), ("AU09", {"nose", "eye", "cheek"}),
    ],
)  # fmt: skip
def test_weights_are_greatest_where_the_muscle_acts(au: str, regions: set[str]) -> None:
    weights = au_vertex_weights()[au]
    assert weights.min() >= 0
    assert weights.max() == 1
    mean = {name: weights[v].mean() for name, v in mesh_regions().items() if name != "face"}
    assert max(mean, key=mean.__getitem__) in regions


def test_weights_are_alike_on_both_sides() -> None:
    mirror = mesh_template().mirror[:468]
    for weights in au_vertex_weights().values():
        np.testing.assert_allclose(weights[mirror], weights, atol=1e-6)


def test_colours_are_score_times_weight() -> None:
    ax = plot_au_mesh({"AU12": 0.8})
    middles, drawn = triangles(ax)
    template = mesh_template()
    expected = 0.8 * au_vertex_weights()["AU12"][template.triangles].mean(axis=1)
    order = np.argsort(template.vertices[template.triangles, 2].mean(axis=1))
    np.testing.assert_allclose(drawn, expected[order])
    np.testing.assert_allclose(middles, template.vertices[template.triangles, :2].mean(1)[order])
    (faces,) = (c for c in ax.collections if isinstance(c, PolyCollection))
    assert faces.get_clim() == (0, 1)
    assert ax.child_axes[0].get_ylabel() == "AU score where it acts (0–1)"


def test_the_strongest_wins_where_several_act() -> None:
    both = triangles(plot_au_mesh({"AU01": 0.9, "AU26": 0.5}))[1]
    one, other = (triangles(plot_au_mesh(s))[1] for s in ({"AU01": 0.9}, {"AU26": 0.5}))
    assert (both <= one + other + 1e-12).all()
    assert (both >= np.maximum(one, other) - 1e-12).all()


def test_differences_have_signs() -> None:
    ax = plot_au_mesh({"AU12": -0.2, "AU04": 0.1}, limits=(-0.3, 0.3), cmap="RdBu_r", names=0.15)
    middles, drawn = triangles(ax)
    assert drawn[middles[:, 1] < -0.35].min() < 0
    assert drawn[middles[:, 1] > 0.3].max() > 0
    assert [t.get_text() for t in ax.texts] == ["AU12 -0.20"]


def test_a_table_is_averaged_and_a_row_is_a_row() -> None:
    table = pd.DataFrame({"input": "a", "AU12": [0.2, 0.6, np.nan], "AU06": 0.5, "AU04": np.nan})
    whole = triangles(plot_au_mesh(table))[1]
    np.testing.assert_allclose(whole, triangles(plot_au_mesh({"AU12": 0.4, "AU06": 0.5}))[1])
    first = triangles(plot_au_mesh(table.iloc[0]))[1]
    np.testing.assert_allclose(first, triangles(plot_au_mesh({"AU12": 0.2, "AU06": 0.5}))[1])


def test_names_stand_apart_and_on_the_axes_that_came() -> None:
    axes = Figure().subplots()
    scores = {"AU10": 0.5, "AU12": 0.5, "AU14": 0.5, "AU15": 0.5, "AU20": 0.5, "AU25": 0.5}
    assert plot_au_mesh(scores, ax=axes, colorbar=False) is axes
    for side in ("left", "right"):
        heights = [t.get_position()[1] for t in axes.texts if t.get_ha() == side]
        assert -np.diff(heights).max() >= 0.14 - 1e-9
        assert min(heights) >= -1.05
    assert not plot_au_mesh(scores, names=None).texts


def test_nothing_is_pale() -> None:
    assert not triangles(plot_au_mesh({"AU12": np.nan}))[1].any()


def test_what_has_no_region() -> None:
    with pytest.raises(FexError, match=r"'AU2' has no region. Did you mean 'AU02'"):
        plot_au_mesh({"AU2": 0.5})
    with pytest.raises(FexError, match="at least one action unit"):
        plot_au_mesh({})
