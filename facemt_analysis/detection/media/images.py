"""Still images to upright RGB arrays."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import PIL.ImageOps

from facemt_analysis.detection.media.files import check_file, shown
from facemt_analysis.detection.media.recording import Image
from facemt_analysis.errors import MediaError

__all__ = [
    "MAX_PIXELS", "check_size", "most_pixels", "opened_image", "quiet", "read_image", "to_rgb",
]  # fmt: skip

MAX_PIXELS = 150_000_000
"""Pictures with more pixels are refused: a small file can unfold to fill the memory."""

# Pictures beyond 8K (8192x4320) need a byte of file for so many pixels at least: a JPEG has that
# even of a plain surface, a photograph some ten times as much.
_ALWAYS_ALLOWED = 40_000_000
_PIXELS_PER_BYTE = 100
# Pixels converted at a time: copies of a whole picture would take several times its memory.
_BAND = 1 << 22

# Formats by whose decoders no file can start a program or read another file (EPS does).
_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")


def read_image(path: Path) -> Image:
    """Read a still image (the first picture of an animation) as a viewer shows it.

    The EXIF orientation is applied. 16-bit gray is scaled to 8 bits (65535 becomes 255); float and
    32-bit gray are read when their range is known (0 to 1; 0 to 65535). Transparent pixels lie on
    white. CMYK is converted without a colour profile.

    Parameters
    ----------
    path
        The file; its kind is told by its content.

    Returns
    -------
    numpy.ndarray
        (H, W, 3) uint8 RGB, C-contiguous, writable.

    Raises
    ------
    MediaError
        When the file is missing, truncated, no image, or has more pixels than `MAX_PIXELS` or than
        so small a file can hold.
    """
    with opened_image(path) as image:
        return to_rgb(image, path)


@contextmanager
def opened_image(path: Path) -> Iterator[PIL.Image.Image]:
    """Open an image with Pillow; whatever goes wrong inside becomes a `MediaError`."""
    check_file(path)
    try:
        with path.open("rb") as file:
            with quiet():
                opened = PIL.Image.open(file, formats=_formats())
            with opened as image:
                check_size(path, *image.size)
                yield image
    except MediaError:
        raise
    except PIL.UnidentifiedImageError as error:
        raise MediaError(f"{shown(path)}: not an image that can be read here.") from error
    except PIL.Image.DecompressionBombError as error:
        raise MediaError(
            f"{shown(path)}: the image has more than {MAX_PIXELS:,} pixels; scale it down first."
        ) from error
    except MemoryError as error:
        raise MediaError(f"{shown(path)}: the image does not fit into memory.") from error
    # A broken file can make a decoder fail in any way whatever.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise MediaError(f"{shown(path)}: the image is damaged or cut off ({reason}).") from error


def _formats() -> list[str]:
    """List the formats that this build of Pillow has."""
    PIL.Image.init()
    return [name for name in _FORMATS if name in PIL.Image.OPEN]


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Pillow's warnings to itself, for one call of Pillow at a time.

    It warns of large images, whose size is checked here, and of odd metadata, which does not touch
    the pixels. What it logs does not go to stderr, but to a handler where there is one.
    """
    log, nowhere = logging.getLogger("PIL"), logging.NullHandler()
    log.addHandler(nowhere)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.removeHandler(nowhere)


def to_rgb(image: PIL.Image.Image, path: Path) -> Image:
    """Convert what Pillow has opened to upright 8-bit RGB; see `read_image`."""
    with quiet():
        image.load()
        return _to_rgb(image, path)


def _to_rgb(image: PIL.Image.Image, path: Path) -> Image:
    image = _upright(image)
    if image.mode in ("I", "F"):
        _check_wide_gray(image, path)
    width, height = image.size
    pixels = np.empty((height, width, 3), np.uint8)
    rows = max(1, _BAND // max(1, width))
    for top in range(0, height, rows):
        band = image.crop((0, top, width, min(top + rows, height)))
        pixels[top : top + rows] = _converted(band)
    return pixels


def _converted(image: PIL.Image.Image) -> Image:
    if image.mode.startswith("I;16"):
        return _from_gray(np.asarray(image), 65535.0)
    if image.mode in ("I", "F"):
        return _from_gray(np.asarray(image), _white(image))
    if image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = PIL.Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = PIL.Image.alpha_composite(white, image)
    return np.asarray(image.convert("RGB"))


def most_pixels(path: Path) -> int:
    """Give the pixels a picture in a file may have: `MAX_PIXELS`, in small files fewer."""
    return min(MAX_PIXELS, max(_ALWAYS_ALLOWED, _PIXELS_PER_BYTE * path.stat().st_size))


def check_size(path: Path, width: int, height: int, what: str = "image") -> None:
    """Refuse a picture that is too large, or that unfolds from next to nothing.

    Raises
    ------
    MediaError
        When it has more than `most_pixels`.
    """
    most = most_pixels(path)
    if width * height <= most:
        return
    size = f"{shown(path)}: {width}x{height} pixels"
    if most == MAX_PIXELS:
        raise MediaError(f"{size} are more than the {most:,} allowed; scale the {what} down first.")
    raise MediaError(
        f"{size} are more than the {most:,} allowed in a file of {path.stat().st_size:,} bytes: it "
        "is damaged, or made to fill the memory."
    )


def _upright(image: PIL.Image.Image) -> PIL.Image.Image:
    try:
        return PIL.ImageOps.exif_transpose(image)
    except Exception:  # unreadable metadata says nothing about the orientation
        return image


def _white(image: PIL.Image.Image) -> float:
    return 65535.0 if image.mode == "I" else 1.0


def _check_wide_gray(image: PIL.Image.Image, path: Path) -> None:
    """Refuse 32-bit integer or float gray whose range does not tell what white is."""
    values = np.asarray(image)
    white = _white(image)
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if not (low >= 0 and high <= white):  # NaN is not either
        raise MediaError(
            f"{shown(path)}: 32-bit gray must lie in 0 to {white:g}, but goes from {low:g} to "
            f"{high:g}; convert it to 8 or 16 bits."
        )


def _from_gray(values: npt.NDArray[np.generic], white: float) -> Image:
    gray = np.rint(values.astype(np.float32) * np.float32(255.0 / white)).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=-1)
