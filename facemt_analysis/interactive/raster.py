"""Overlays drawn into the pixels of a frame: fast enough to follow a film."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from facemt_analysis.plotting.overlay_marks import OVERLAY_COLOURS, Mark

__all__ = ["banner", "draw_marks", "placeholder", "to_jpeg"]

Pixels = npt.NDArray[np.uint8]

_QUALITY = 82


def draw_marks(image: Pixels, marks: Iterable[Mark], *, scale: float = 1.0) -> Pixels:
    """Draw marks over a frame.

    Parameters
    ----------
    image
        (H, W, 3) uint8 RGB.
    marks
        What to draw, in px of the frame at its full size.
    scale
        Size of `image` over that of the full frame.

    Returns
    -------
    ndarray
        A new image of the same size.

    Examples
    --------
    >>> box = Mark("box", "box", np.array([[2.0, 2.0], [9.0, 9.0]]))
    >>> drawn = draw_marks(np.zeros((12, 12, 3), np.uint8), [box])
    >>> drawn[2, 5].tolist(), drawn[5, 5].tolist()
    ([255, 255, 255], [0, 0, 0])
    """
    picture = Image.fromarray(image)
    pen = ImageDraw.Draw(picture)
    width = max(1, round(min(image.shape[:2]) / 400))
    for mark in marks:
        # pixel centres lie at integers in both sizes
        xy = [tuple(p) for p in ((mark.xy + 0.5) * scale - 0.5).tolist()]
        colour = OVERLAY_COLOURS[mark.part]
        if mark.kind == "box":
            pen.rectangle([xy[0], xy[1]], outline=colour, width=width)
        elif mark.kind == "points":
            pen.point(xy, fill=colour)
        elif mark.kind == "line":
            pen.line(xy, fill=colour, width=width, joint="curve")
        else:
            _arrow(pen, np.array(xy), colour, width)
    return np.asarray(picture)


def _arrow(
    pen: ImageDraw.ImageDraw, ends: npt.NDArray[np.float64], colour: str, width: int
) -> None:
    start, end = ends
    radius = 1.5 * width
    pen.ellipse([*(start - radius), *(start + radius)], fill=colour)
    along = end - start
    length = float(np.linalg.norm(along))
    pen.line([*start, *end], fill=colour, width=2 * width)
    if length > 6 * width:
        along = along / length
        aside = np.array([-along[1], along[0]])
        foot = end - 6 * width * along
        corners = [end, foot + 3 * width * aside, foot - 3 * width * aside]
        pen.polygon([tuple(c) for c in corners], fill=colour)


def to_jpeg(image: Pixels, *, quality: int = _QUALITY) -> bytes:
    """Compress an image (H, W, 3) for showing."""
    out = BytesIO()
    Image.fromarray(image).save(out, format="JPEG", quality=quality)
    return out.getvalue()


def banner(image: Pixels, text: str) -> Pixels:
    """Put words on a dark band along the upper edge of a frame."""
    picture = Image.fromarray(image)
    pen = ImageDraw.Draw(picture)
    height = pen.textbbox((6, 4), text)[3] + 4
    pen.rectangle([0, 0, picture.width, height], fill="#3a3a3a")
    pen.text((6, 4), text, fill="#ffffff")
    return np.asarray(picture)


def placeholder(width: int, height: int, text: str) -> Pixels:
    """Make a grey image with words, for a frame that cannot be shown."""
    picture = Image.new("RGB", (width, height), "#3a3a3a")
    pen = ImageDraw.Draw(picture)
    box = pen.textbbox((0, 0), text)
    at = ((width - box[2]) / 2, max(4.0, height * 0.08))
    pen.text(at, text, fill="#dddddd")
    return np.asarray(picture)
