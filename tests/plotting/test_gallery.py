"""The gallery: a page whose code draws every figure, and the pictures it drew."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from PIL import Image

from facemt_analysis import plotting

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "gallery.md"
TOOL = ROOT / "tools" / "make_gallery.py"
TEXT = PAGE.read_text(encoding="utf-8")
PICTURES = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", TEXT)

# figures that results and views call, by what the page writes
CALLED = {
    "plot_au_heatmap": ".au.heatmap(", "plot_emotions": ".emotion.plot(",
    "plot_va": ".affect.plot(", "plot_gaze": ".gaze.plot(", "plot_pose": ".pose.plot(",
    "plot_blendshapes": ".blendshape.plot(", "plot_quality": ".quality.plot(",
    "plot_cluster_result": "stats.cluster_permutation(", "plot_isc": "stats.isc(",
    "plot_synchrony": "stats.synchrony(", "plot_confusion": "stats.decode(",
    "plot_windowed_correlation": "stats.windowed_crosscorrelation(",
    "plot_overlay": ".plot_frame(", "plot_fpca": "stats.fpca(",
    "plot_functional_anova": "stats.functional_anova(",
}  # fmt: skip


@pytest.mark.parametrize("name", [n for n in plotting.__all__ if n.startswith("plot_")])
def test_every_figure_is_shown(name: str) -> None:
    assert f"{name}(" in TEXT or CALLED.get(name, f"{name}`") in TEXT


@pytest.mark.parametrize("picture", PICTURES, ids=lambda p: Path(p).stem)
def test_pictures_are_there_and_small(picture: str) -> None:
    path = PAGE.parent / picture
    assert path.stat().st_size <= 60_000
    with Image.open(path) as image:
        # 150 dpi: one column is 85 mm, two are 180 mm; the frame is 55 mm
        assert image.width in (324, 501, 502, 1062, 1063)


def test_no_picture_is_left_over() -> None:
    there = {f"figures/gallery/{p.name}" for p in (PAGE.parent / "figures/gallery").iterdir()}
    assert there == set(PICTURES)
    assert len(set(PICTURES)) == len(PICTURES)


@pytest.mark.slow
def test_the_code_draws_the_pictures(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_gallery", TOOL)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    page = tmp_path / "gallery.md"
    page.write_text(TEXT, encoding="utf-8")
    tool.main(page)
    assert plt.get_fignums() == []
    for picture in PICTURES:
        with Image.open(tmp_path / picture) as new, Image.open(PAGE.parent / picture) as old:
            # where fonts or libraries differ, sizes differ by a line at most
            assert new.size[0] == pytest.approx(old.size[0], abs=1)
            assert new.size[1] == pytest.approx(old.size[1], abs=20)
            assert len(set(new.convert("L").getcolors() or [])) > 2
