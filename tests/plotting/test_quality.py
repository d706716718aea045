"""The overview of quality: what is drawn is what the report says."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from facemt_analysis.measures import quality_report, quality_stretches
from facemt_analysis.plotting import plot_quality
from facemt_analysis.plotting.quality import _COLOURS


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def table() -> pd.DataFrame:
    n = 50
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "input": np.repeat(["a.mp4", "b.mp4"], n),
            "frame": np.tile(np.arange(n), 2),
            "time": np.tile(np.arange(n) / 10, 2),
            "track": 0,
            "FaceRectX": 5.0,
            "FaceRectY": 5.0,
            "FaceRectWidth": 100.0,
            "FaceRectHeight": 100.0,
            "FaceScore": np.where(np.arange(2 * n) < 10, 0.2, 0.9),
            "AU12": rng.random(2 * n),
        }
    )
    return frame.assign(track=np.where(frame.index >= 80, -1, 0))


def test_strips_bars_and_dots_are_the_numbers() -> None:
    axes = plot_quality(table())
    assert list(axes) == ["time", "share", "score", "size"]
    assert [t.get_text() for t in axes["time"].get_yticklabels()] == ["a.mp4", "b.mp4"]
    drawn = {c.get_label(): c for c in axes["time"].collections}
    assert list(drawn) == ["usable", "flagged", "no face"]
    boxes = {k: [p.get_extents().bounds for p in c.get_paths()] for k, c in drawn.items()}
    np.testing.assert_allclose(boxes["flagged"], [(0.0, -0.4, 1.0, 0.8)], atol=1e-9)
    np.testing.assert_allclose(boxes["no face"], [(3.0, 0.6, 2.0, 0.8)], atol=1e-9)
    assert len(boxes["usable"]) == 2
    assert tuple(drawn["flagged"].get_facecolor()[0]) == to_rgba(_COLOURS["flagged"])
    report = quality_report(table(), "input")
    widths = [patch.get_width() for patch in axes["share"].patches]
    assert widths == pytest.approx([*report["share_valid"], *report["share_usable"]])
    assert axes["score"].lines[0].get_xdata().tolist() == report["score_median"].tolist()
    assert axes["size"].lines[0].get_xdata().tolist() == report["face_px_median"].tolist()
    assert axes["score"].lines[1].get_xdata() == [0.7, 0.7]  # the limit
    (legend,) = axes["time"].get_figure().legends
    assert [t.get_text() for t in legend.get_texts()] == [*drawn, "limit"]


def test_limits_show() -> None:
    axes = plot_quality(table(), score=0.95)
    assert axes["score"].lines[1].get_xdata() == [0.95, 0.95]
    drawn = {c.get_label(): len(c.get_paths()) for c in axes["time"].collections}
    assert drawn == {"usable": 0, "flagged": 2, "no face": 1}
    assert len(plot_quality(table(), score=None)["score"].lines) == 1


def test_without_time_score_box_or_name() -> None:
    axes = plot_quality(table().iloc[:50][["frame", "track", "AU12"]])
    assert axes["time"].get_xlabel() == "Frame of the recording"
    assert [text.get_text() for text in axes["size"].texts] == ["not in the table"]
    assert axes["time"].get_xlim() == (0, 50)


def test_many_recordings_have_no_names_and_a_page() -> None:
    many = table().assign(input=[f"{i}.mp4" for i in range(100)])
    axes = plot_quality(many)
    assert len(axes["time"].get_yticklabels()) == 0
    assert axes["time"].figure.get_figheight() <= 12
    assert len(quality_stretches(many)) == 100
