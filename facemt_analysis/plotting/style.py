"""Sizes, type and colours that all figures share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from facemt_analysis import schema
from facemt_analysis.checks import check_number
from facemt_analysis.errors import OptionError

Line = str | tuple[int, tuple[float, ...]]

__all__ = [
    "COLUMN_MM", "INK", "LINES", "LOST", "LOST_HATCH", "PALETTE", "TRUTH", "add_colorbar",
    "colour_of", "figure_of", "figure_size", "legend_above", "line_of", "new_axes", "new_figure",
    "paper", "unit_of",
]  # fmt: skip

PALETTE = ("#0072B2", "#E69F00", "#882255", "#CC6677", "#000000", "#88CCEE")
"""Colours of lines and bars, from Okabe & Ito (2008) and Tol (2021).

Any two stay apart for colour-blind readers (CIE76 difference of at least 17 with protan, deutan and
tritan vision by Machado et al. 2009) and in grey print (lightness: at least 14 between the first
three, 8 between all)."""

LINES: tuple[Line, ...] = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))
"""Styles of lines, one for each colour, so that they are told apart without colours."""

INK = "#333333"
"""Axes, labels."""

TRUTH = "#8c8c8c"
"""What is known to be true, behind what was measured."""

LOST = "#d9d9d9"
"""Where nothing was measured."""

LOST_HATCH = "////"
"""White lines over it along time, so that it is not taken for a grey that means something."""

COLUMN_MM = MappingProxyType({"single": 85.0, "double": 180.0})
"""Widths of one and two columns. Nature asks for 88 and 180 mm, Cell Press for 85 and 174 (both as
listed at https://sci-draw.com/blog/nature-science-figure-requirements), AALAS for 89 and 187; give
`paper` the mm of your journal where it wants others."""

_GAPS = "no face"  # the label of gaps

_MM = 1 / 25.4  # inches

_PAPER: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 8.0,
    "axes.titlesize": 8.0,
    "axes.labelsize": 8.0,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "legend.fontsize": 7.0,
    "figure.titlesize": 8.0,
    "figure.labelsize": 8.0,
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
    "legend.columnspacing": 1.2,
    "hatch.linewidth": 0.6,
    "pdf.fonttype": 42,  # fonts are embedded, text stays text
    "ps.fonttype": 42,
    "svg.fonttype": "none",
    "savefig.dpi": 300.0,  # of what is not vectors
    "savefig.bbox": None,  # a tight box would change the width
}

# width and, where one was asked for, height (inches) of figures made inside `paper`
_sheet: ContextVar[tuple[float, float | None] | None] = ContextVar("sheet", default=None)


@contextmanager
def paper(
    width: str | float = "single",
    *,
    height: float | None = None,
    aspect: float | None = None,
    font: str | None = None,
) -> Iterator[None]:
    """Make figures fit for print, within a ``with`` block only.

    Parameters
    ----------
    width
        ``"single"`` or ``"double"`` column (:data:`COLUMN_MM`), or mm.
    height
        mm; default: every function takes what its figure needs.
    aspect
        Height as a multiple of the width, instead of `height`.
    font
        A family such as ``"Arial"`` that is to be used instead of DejaVu Sans.

    Raises
    ------
    OptionError
        If a size cannot be, or both `height` and `aspect` are given.

    Notes
    -----
    Type is 7 and 8 pt. In PDF, PS and SVG, text stays text and fonts are embedded (PDF, PS); dense
    images inside are drawn at 300 dpi. Save with ``figure.savefig("figure.pdf")``; the option
    ``bbox_inches="tight"`` would change the width.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> with paper("single", height=60):
    ...     figure, ax = plt.subplots()
    >>> (figure.get_size_inches() * 25.4).round(2).tolist()
    [85.0, 60.0]
    >>> plt.close(figure)
    """
    if isinstance(width, str):
        if width not in COLUMN_MM:
            raise OptionError(f"`width` must be 'single', 'double' or mm, but got {width!r}.")
        wide = COLUMN_MM[width]
    else:
        wide = check_number("width", width, 20.0, 1000.0, unit="mm")
    if height is not None and aspect is not None:
        raise OptionError("Give `height` or `aspect`, not both.")
    if aspect is not None:
        height = wide * check_number("aspect", aspect, 0.0, 10.0, open_low=True)
    tall = None if height is None else check_number("height", height, 10.0, 1000.0, unit="mm") * _MM
    settings = {**_PAPER, "figure.figsize": (wide * _MM, tall or 0.7 * wide * _MM)}
    if font is not None:
        settings["font.sans-serif"] = [font]
    token = _sheet.set((wide * _MM, tall))
    try:
        with mpl.rc_context(settings):
            yield
    finally:
        _sheet.reset(token)


def figure_size(width: float, height: float) -> tuple[float, float]:
    """Give inches: those that came, or within :func:`paper` its width and, if it has one, height.

    >>> with paper(width=127):
    ...     figure_size(9.0, 2.0)
    (5.0, 2.0)
    """
    sheet = _sheet.get()
    if sheet is None:
        return width, height
    return sheet[0], height if sheet[1] is None else sheet[1]


def new_axes(ax: Axes | None, *, size: tuple[float, float]) -> Axes:
    """Give the axes that came, or those of a new figure (see :func:`figure_size`)."""
    return new_figure(size).subplots() if ax is None else ax


def new_figure(size: tuple[float, float]) -> Figure:
    """Make a figure of pyplot's with a layout that keeps labels apart."""
    import matplotlib.pyplot as plt

    return plt.figure(figsize=figure_size(*size), layout="constrained")


def figure_of(axes: Axes) -> Figure:
    """Give the whole figure that axes are in."""
    figure = axes.get_figure(root=True)
    if figure is None:
        raise OptionError("`ax` is not in a figure any more.")
    return figure


def add_colorbar(colours: ScalarMappable, axes: Axes, label: str) -> None:
    """Explain colours by a slim bar on the right of the axes, as tall as they are."""
    inside = axes.inset_axes((1.03, 0.0, 0.04, 1.0))
    bar = figure_of(axes).colorbar(colours, cax=inside, label=label)
    bar.outline.set_visible(False)


def legend_above(axes: Axes, *handles: Any, ncols: int = 4) -> None:
    """Name what is drawn in rows above the axes, where no data are; a title goes above it.

    Of axes that share their time, only the first names the gaps.
    """
    if not handles:
        drawn = list(zip(*axes.get_legend_handles_labels(), strict=True))
        drawn.sort(key=lambda one: one[1] == _GAPS)
        if _others_name(_GAPS, axes):
            drawn = [one for one in drawn if one[1] != _GAPS]
        handles = ([h for h, _ in drawn], [n for _, n in drawn])
    axes.legend(*handles, loc="lower left", ncols=ncols, bbox_to_anchor=(0.0, 1.0),
                borderaxespad=0.2, columnspacing=0.9)  # fmt: skip

    def over(_: object, renderer: RendererBase | None) -> Bbox:
        legend = axes.get_legend()
        taken = axes.bbox if legend is None else legend.get_window_extent(renderer)
        sheet = axes.get_figure(root=False) or figure_of(axes)
        return taken.transformed(sheet.transSubfigure.inverted())

    # a title gives way to axes within its own: here, to some without contents
    roof = axes.inset_axes((0.0, 1.0, 1.0, 0.0))
    roof.set_axis_off()
    roof.set_in_layout(False)
    roof.set_axes_locator(over)


def _others_name(label: str, axes: Axes) -> bool:
    legends = [
        other.get_legend()
        for other in axes.get_shared_x_axes().get_siblings(axes)
        if other is not axes
    ]
    return any(text.get_text() == label for one in legends if one for text in one.get_texts())


def unit_of(feature: str) -> str:
    """Give the unit of a feature as it follows its name; nothing for columns of the user's.

    >>> "AU12" + unit_of("AU12"), "rating" + unit_of("rating")
    ('AU12 (score)', 'rating')
    """
    group = schema.group_of(feature)
    unit = "" if group is None else schema.GROUPS[group].unit.split(",")[0].split(" (")[0]
    return f" ({unit})" if unit else ""


def colour_of(i: int) -> str:
    """Colour number `i` of the palette, from the beginning again after the last.

    >>> colour_of(6) == PALETTE[0]
    True
    """
    return PALETTE[i % len(PALETTE)]


def line_of(i: int) -> Line:
    """Line style number `i`, from the beginning again after the last."""
    return LINES[i % len(LINES)]
