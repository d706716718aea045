"""``fex.gaze``, ``fex.pose``, ``fex.mesh`` and ``fex.blendshape`` give what the functions give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis import measures
from facemt_analysis.errors import MissingGroupError
from facemt_analysis.fex import FexInfo

mpl.use("agg")


@pytest.fixture(scope="module")
def fex() -> fm.Fex:
    table, _ = fm.simulate_study(
        2, duration=4, seed=3,
        feature_groups=["aus", "emotions", "gazes", "poses", "meshes", "blendshapes"],
    )  # fmt: skip
    return table


Pair = tuple[Callable[[fm.Fex], Any], Callable[[fm.Fex], Any]]

PAIRS: dict[str, Pair] = {
    "gaze.vectors": (lambda f: f.gaze.vectors(), measures.gaze_vectors),
    "gaze.vectors camera": (lambda f: f.gaze.vectors("camera"),
                            lambda f: measures.gaze_vectors(f, "camera")),
    "gaze.heatmap": (lambda f: f.gaze.heatmap(10, (-20, 20, -20, 20), "condition", smooth=2,
                                              solid_angle=True, frame="camera").table,
                     lambda f: measures.gaze_heatmap(
                         f, bins=10, extent=(-20, 20, -20, 20), by="condition", smooth=2,
                         solid_angle=True, reference="camera").table),
    "gaze.summary": (lambda f: f.gaze.summary("condition", p=0.9, bin_size=3, threshold=5,
                                              min_away=0.1, frame="camera"),
                     lambda f: measures.gaze_summary(f, "condition", p=0.9, bin_size=3, threshold=5,
                                                     min_away=0.1, reference="camera")),
    "gaze.fixations": (lambda f: f.gaze.fixations(2, 0.2, labels="subject", frame="camera"),
                       lambda f: measures.find_fixations(f, dispersion=2, min_duration=0.2,
                                                         labels="subject", reference="camera")),
    "gaze.away": (lambda f: f.gaze.away(3, min_duration=0.1),
                  lambda f: measures.away_episodes(f, threshold=3, min_duration=0.1)),
    "pose.rotations": (lambda f: f.pose.rotations(), measures.rotation_matrices),
    "pose.velocity": (lambda f: f.pose.velocity(), measures.head_velocity),
    "pose.motion": (lambda f: f.pose.motion("condition", still=2, band=(0.5, 3), window=1),
                    lambda f: measures.pose_motion(f, by="condition", still=2, band=(0.5, 3),
                                                   window=1)),
    "mesh.vertices": (lambda f: f.mesh.vertices(), measures.mesh_vertices),
    "mesh.aligned": (lambda f: f.mesh.aligned(on="all", scale=False),
                     lambda f: measures.align_mesh(measures.mesh_vertices(f), on="all",
                                                   scale=False).vertices),
    "mesh.displacement": (lambda f: f.mesh.displacement("neutral", person="subject", unit="mm",
                                                        neutral_share=0.2),
                          lambda f: measures.mesh_displacement(f, "neutral", person="subject",
                                                               unit="mm", neutral_share=0.2)),
    "mesh.regions": (lambda f: f.mesh.regions("template", unit="mm", ipd=60),
                     lambda f: measures.region_displacement(f, "template", unit="mm", ipd=60)),
    "mesh.summary": (lambda f: f.mesh.summary("condition", person="subject"),
                     lambda f: measures.mesh_summary(f, "condition", person="subject")),
    "mesh.asymmetry": (lambda f: f.mesh.asymmetry(), measures.mesh_asymmetry),
    "mesh.movement_asymmetry": (lambda f: f.mesh.movement_asymmetry(gate=0.001),
                                lambda f: measures.movement_asymmetry(f, gate=0.001)),
    "blendshape.asymmetry": (lambda f: f.blendshape.asymmetry("mouthSmile", gate=0.05),
                             lambda f: measures.blendshape_asymmetry(f, "mouthSmile", gate=0.05)),
    "blendshape.asymmetry_summary": (
        lambda f: f.blendshape.asymmetry_summary("condition", gate=0.05),
        lambda f: measures.asymmetry_summary(f, "condition", gate=0.05)),
    "blendshape.summary": (lambda f: f.blendshape.summary("condition", shapes="jawOpen", on=0.1),
                           lambda f: measures.blendshape_summary(f, "condition", shapes="jawOpen",
                                                                 on=0.1)),
    "blendshape.events": (lambda f: f.blendshape.events("mouthSmileLeft", 0.2, labels="subject"),
                          lambda f: measures.find_events(f, "mouthSmileLeft", on=0.2,
                                                         labels="subject")),
    "blendshape.blinks": (lambda f: f.blendshape.blinks("AU43", on=0.2, max_duration=None,
                                                        labels="subject"),
                          lambda f: measures.find_blinks(f, source="AU43", on=0.2,
                                                         max_duration=None, labels="subject")),
    "blendshape.blink_summary": (lambda f: f.blendshape.blink_summary("condition", on=0.2),
                                 lambda f: measures.blink_summary(f, "condition", on=0.2)),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_a_view_gives_what_its_function_gives(fex: fm.Fex, name: str) -> None:
    viewed, called = (f(fex) for f in PAIRS[name])
    if isinstance(viewed, pd.DataFrame):
        assert len(viewed)
        assert type(viewed) is pd.DataFrame
        pd.testing.assert_frame_equal(viewed, called)
    else:
        assert viewed.size
        np.testing.assert_array_equal(viewed, called)


def test_every_method_is_compared() -> None:
    from facemt_analysis.accessors.blendshape import BlendshapeAccessor
    from facemt_analysis.accessors.gaze import GazeAccessor
    from facemt_analysis.accessors.mesh import MeshAccessor
    from facemt_analysis.accessors.pose import PoseAccessor

    views = {"gaze": GazeAccessor, "pose": PoseAccessor, "mesh": MeshAccessor,
             "blendshape": BlendshapeAccessor}  # fmt: skip
    methods = {f"{n}.{m}" for n, view in views.items() for m in view._methods()}
    drawn = {"gaze.plot", "pose.plot", "mesh.plot", "mesh.animate", "mesh.movie", "blendshape.plot"}
    assert methods - drawn == {name.split(" ")[0] for name in PAIRS}


def test_figures(fex: fm.Fex) -> None:
    import matplotlib.pyplot as plt

    name = fex.recordings[0]
    axes = plt.figure().subplots(1, 3)
    assert fex.gaze.plot(recording=name, frame="camera", ax=axes[0]) is axes[0]
    assert fex.pose.plot(recording=name, ax=axes[1]) is axes[1]
    assert fex.blendshape.plot(top=5, ax=axes[2]) is axes[2]
    plt.close("all")
    assert len(fex.mesh.plot(3).data) == 2
    assert len(fex.mesh.animate(recording=name, every=30).frames) in (3, 4)


def test_tables_of_openface_are_read_by_euler_angles(fex: fm.Fex) -> None:
    plain = pd.DataFrame(fex)
    theirs = fm.Fex(plain, info=FexInfo(tool="OpenFace 2", conventions={"name": "OpenFace 2"}))
    euler = measures.rotation_matrices(plain, convention="euler-xyz")
    np.testing.assert_array_equal(theirs.pose.rotations(), euler)
    assert not np.allclose(euler, fex.pose.rotations(), equal_nan=True, atol=1e-6)
    np.testing.assert_array_equal(
        theirs.gaze.vectors("camera"),
        measures.gaze_vectors(plain, "camera", convention="euler-xyz"),
    )
    pd.testing.assert_frame_equal(
        theirs.pose.motion(), measures.pose_motion(plain, convention="euler-xyz")
    )


def test_the_frame_of_gaze_is_a_convention(fex: fm.Fex) -> None:
    info = FexInfo(conventions={"name": "mine", "gaze_frame": "camera"})
    camera = fm.Fex(pd.DataFrame(fex), info=info)
    np.testing.assert_array_equal(camera.gaze.vectors("camera"), fex.gaze.vectors())
    assert not np.allclose(camera.gaze.vectors("head"), fex.gaze.vectors("head"), equal_nan=True)


@pytest.mark.parametrize("view", ["gaze", "pose", "mesh", "blendshape"])
def test_missing_groups_and_titles(fex: fm.Fex, view: str) -> None:
    bare = fm.Fex({"time": [0.0], "AU12": [0.1]})
    assert not hasattr(bare, view)
    with pytest.raises(MissingGroupError):
        getattr(bare, view)
    shown = repr(getattr(fex, view))
    assert ".plot" in shown
    assert shown.splitlines()[0].endswith(fm.schema.GROUPS[getattr(fex, view).group].unit)
