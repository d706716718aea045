"""Paper figures as part of a page: vectors for lines, a few colours for what is dense."""

from __future__ import annotations

import base64
import html
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["blank_figure", "jpeg_tag", "png_tag", "svg_tag"]

_DPI = 150


def blank_figure(width: float, height: float) -> Figure:
    """Make a figure (inches) that pyplot knows nothing of: nothing to close, nothing shown."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def svg_tag(figure: Figure, words: str, *, width: int | None = None) -> str:
    """Write a figure as ``<img>`` with vectors; `words` is its alternative text."""
    import matplotlib as mpl

    memory = BytesIO()
    # letters as paths look the same everywhere; a salt makes equal figures equal files
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "facemt"}):
        figure.savefig(memory, format="svg", dpi=_DPI, metadata={"Date": None})
    return _tag("svg+xml", memory.getvalue(), words, width)


def png_tag(figure: Figure, words: str, *, photographs: bool = False) -> str:
    """Write a figure as ``<img>`` with pixels; without photographs 256 colours do."""
    memory = BytesIO()
    figure.savefig(memory, format="png", dpi=_DPI)
    png = memory.getvalue()
    return _tag("png", png if photographs else _fewer_colours(png), words, None)


def jpeg_tag(image: npt.NDArray[np.uint8], words: str) -> str:
    """Write a picture (H, W, 3) as ``<img>``."""
    from facemt_analysis.interactive.raster import to_jpeg

    return _tag("jpeg", to_jpeg(image), words, None)


def _tag(kind: str, content: bytes, words: str, width: int | None) -> str:
    data = base64.b64encode(content).decode("ascii")
    wide = "" if width is None else f' style="width:{width}px"'
    return f'<img alt="{html.escape(words)}"{wide} src="data:image/{kind};base64,{data}">'


def _fewer_colours(png: bytes) -> bytes:
    from PIL import Image

    with Image.open(BytesIO(png)) as image:
        rgb = image.convert("RGB")
    small = rgb.quantize(256, dither=Image.Dither.FLOYDSTEINBERG)
    memory = BytesIO()
    small.save(memory, format="PNG", optimize=True)
    return min(png, memory.getvalue(), key=len)
