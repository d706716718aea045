"""Figures for print: sizes, fonts, colours; nothing is left behind."""

from __future__ import annotations

import io
import itertools
import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from facemt_analysis.errors import OptionError
from facemt_analysis.plotting import COLUMN_MM, PALETTE, paper, plot_timeline

TABLE = pd.DataFrame({"time": np.arange(10) / 10, "AU12": np.linspace(0, 1, 10)})


def mm(figure) -> list[float]:
    return (figure.get_size_inches() * 25.4).round(2).tolist()


@pytest.mark.parametrize(
    ("options", "size"),
    [
        pytest.param({"width": "single"}, [85.0, 50.8], id="single, height of the figure"),
        pytest.param({"width": "double"}, [180.0, 50.8], id="double"),
        pytest.param({"width": 120, "height": 40}, [120.0, 40.0], id="mm"),
        pytest.param({"width": "single", "aspect": 0.5}, [85.0, 42.5], id="aspect"),
    ],
)
def test_figures_have_the_size_asked_for(options, size) -> None:
    with paper(**options):
        assert mm(plot_timeline(TABLE, "AU12").get_figure()) == size
    assert dict(COLUMN_MM) == {"single": 85.0, "double": 180.0}


def test_figures_of_pyplot_have_the_width_too() -> None:
    with paper("double"):
        assert mm(plt.figure()) == [180.0, 126.0]


def test_nothing_is_left_behind() -> None:
    before = mpl.rcParams.copy()
    with pytest.raises(ZeroDivisionError), paper("single", height=50):
        1 / 0  # noqa: B018
    assert mpl.rcParams == before
    assert mm(plot_timeline(TABLE, "AU12").get_figure()) == [127.0, 50.8]


def test_papers_nest() -> None:
    with paper("double"):
        with paper("single", height=30):
            assert mm(plot_timeline(TABLE, "AU12").get_figure()) == [85.0, 30.0]
        assert mm(plot_timeline(TABLE, "AU12").get_figure()) == [180.0, 50.8]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": "triple"}, "`width` must be 'single', 'double' or mm, but got 'triple'"),
        ({"width": 2}, "`width` must be at least 20"),
        ({"height": 50, "aspect": 1}, "`height` or `aspect`, not both"),
        ({"aspect": 0}, "`aspect` must be above 0"),
    ],
)
def test_sizes_that_cannot_be(options, message) -> None:
    with pytest.raises(OptionError, match=message), paper(**options):
        pass


def test_text_is_text_and_fonts_are_embedded() -> None:
    pdf, svg = io.BytesIO(), io.StringIO()
    with paper("single"):
        figure = plot_timeline(TABLE, "AU12").get_figure()
        figure.savefig(pdf, format="pdf")
        figure.savefig(svg, format="svg")
        assert mpl.rcParams["ps.fonttype"] == 42
    # TrueType (type 42), its file in the PDF; no outlines of type 3
    assert b"/FontFile2" in pdf.getvalue()
    assert b"/Type3" not in pdf.getvalue()
    assert ">AU12 (score)</text>" in svg.getvalue()
    # 85 mm in points of 1/72 inch: the width survives saving
    assert re.search(r'width="240\.94\d*pt"', svg.getvalue())
    assert re.search(rb"/MediaBox \[ ?0 0 240\.94", pdf.getvalue())


def test_type_is_large_enough_to_read() -> None:
    with paper("single"):
        ax = plot_timeline(TABLE, "AU12")
        sizes = [text.get_fontsize() for text in ax.get_xticklabels() + ax.get_yticklabels()]
    assert min([*sizes, ax.xaxis.label.get_fontsize()]) >= 7


# ---------------------------------------------------------------- colours
# Machado, Oliveira & Fernandes (2009), severity 1.0, for linear sRGB
# https://doi.org/10.1109/TVCG.2009.113
VISION = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
               [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
# linear sRGB to CIE XYZ (IEC 61966-2-1), white D65
TO_XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                   [0.0193339, 0.1191920, 0.9503041]])  # fmt: skip


def lab(colour: str, vision: str) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(VISION[vision]) @ linear, 0, 1)
    f = TO_XYZ @ seen / (0.95047, 1.0, 1.08883)
    x, y, z = np.where(f > 0.008856, np.cbrt(f), 7.787 * f + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", VISION)
def test_colours_stay_apart(vision: str) -> None:
    apart = [
        np.linalg.norm(lab(a, vision) - lab(b, vision))
        for a, b in itertools.combinations(PALETTE, 2)
    ]
    assert min(apart) >= 17


@pytest.mark.parametrize(("n", "least"), [(3, 14), (6, 8)])
def test_grey_print_keeps_colours_apart(n: int, least: float) -> None:
    lightness = sorted(lab(colour, "normal")[0] for colour in PALETTE[:n])
    assert np.diff(lightness).min() >= least
