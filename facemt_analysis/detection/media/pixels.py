"""Decoded pictures to upright RGB arrays with square pixels."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.video.reformatter import VideoReformatter

from facemt_analysis.detection.media.images import MAX_PIXELS
from facemt_analysis.detection.media.recording import Image
from facemt_analysis.errors import MediaError

__all__ = ["Orientation", "PixelConverter", "orientation_of"]

# libswscale's bicubic (swscale.h). Flat colours come out within 2 of 255; with exact rounding and
# interpolated chroma it would be 1, at 10 to 20 times the time.
_SWS_FLAGS = 0x4
# ITU-T H.273, table 4: the matrix is unknown; BT.709; BT.601.
_UNSPECIFIED, _BT709, _BT601 = 2, 1, 5
_HD_LINES, _HD_COLUMNS = 720, 1280
# Up to this many pixels one thread converts: several wait for each other on a busy machine.
_LARGE = 1920 * 1088


@dataclass(frozen=True)
class Orientation:
    """How a stored picture is laid out for display: transposed first, then flipped."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def from_matrix(cls, matrix: tuple[int, ...]) -> Orientation:
        """Read a display matrix (ISO/IEC 14496-12, 6.2.2) of nine 16.16 numbers, row by row.

        A stored point (x, y) is shown at (a x + c y, b x + d y). Only directions count: the nearest
        of the eight orientations is taken, scale and shift are ignored.

        >>> Orientation.from_matrix((0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)).degrees
        90
        """
        a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(False, a < 0, d < 0)
        return cls(True, c < 0, b < 0)

    @property
    def mirrored(self) -> bool:
        """Whether left and right are exchanged."""
        return self.transpose ^ self.flip_x ^ self.flip_y

    @property
    def degrees(self) -> int:
        """Clockwise turn, after the mirroring (left to right) if there is one."""
        if self.transpose:
            return 90 if self.flip_x else 270
        return 180 if self.flip_y else 0

    def apply(self, image: Image) -> Image:
        """Turn (H, W, 3) pixels; gives a contiguous copy."""
        if self.transpose:
            image = image.transpose(1, 0, 2)
        if self.flip_x:
            image = image[:, ::-1]
        if self.flip_y:
            image = image[::-1]
        # Always a copy: FFmpeg's memory is aligned, and what it frees never fits its next picture,
        # so that keeping it for a while costs half a gigabyte in 1080p.
        return np.array(image, order="C")


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """Orientation that a decoded frame carries with it."""
    # `frame.side_data` would be a cycle with the frame: the decoder then takes new memory for every
    # picture until the garbage is collected, and keeps all of it to the end of the film.
    attached = SideDataContainer(frame)  # type: ignore[call-arg]  # PyAV's stub forgets it
    data = cast("bytes | None", attached.get("DISPLAYMATRIX"))
    if data is None:
        return Orientation()
    return Orientation.from_matrix(struct.unpack("=9i", bytes(data)[:36]))


class PixelConverter:
    """Converts the frames of one stream; frames may change size on the way.

    Parameters
    ----------
    pixel_aspect
        Width of a stored pixel relative to its height. Pictures are enlarged along the one axis
        that makes pixels square, never reduced.
    max_width
        Upright pictures that are wider are scaled down to this many px; None: as they are.
    """

    def __init__(
        self, pixel_aspect: Fraction = Fraction(1), *, max_width: int | None = None
    ) -> None:
        self._aspect = pixel_aspect
        self._max_width = max_width
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> Image:
        """Convert one frame.

        Raises
        ------
        MediaError
            When the picture is too large or its pixel format cannot be converted.
        """
        width, height = self.square_size(frame.width, frame.height)
        if width * height > MAX_PIXELS:
            raise MediaError(
                f"a frame of {width}x{height} pixels is larger than the {MAX_PIXELS:,} allowed."
            )
        orientation = orientation_of(frame)
        width, height = self._limited(width, height, turned=orientation.transpose)
        matrix = None
        if frame.colorspace == _UNSPECIFIED:
            hd = frame.height >= _HD_LINES or frame.width >= _HD_COLUMNS
            matrix = _BT709 if hd else _BT601
        try:
            rgb = self._reformatter.reformat(
                frame, width, height, "rgb24", src_colorspace=matrix, interpolation=_SWS_FLAGS,
                threads=1 if width * height <= _LARGE else 0,
            )  # fmt: skip
        except (av.FFmpegError, ValueError) as error:
            raise MediaError(
                f"pixel format {frame.format.name} cannot be converted to RGB."
            ) from error
        return orientation.apply(cast("Image", rgb.to_ndarray()))

    def _limited(self, width: int, height: int, *, turned: bool) -> tuple[int, int]:
        across = height if turned else width
        if self._max_width is None or across <= self._max_width:
            return width, height
        factor = self._max_width / across
        return max(1, round(width * factor)), max(1, round(height * factor))

    def square_size(self, width: int, height: int) -> tuple[int, int]:
        """Size of a stored picture once its pixels are square."""
        if self._aspect > 1:
            return max(1, round(width * self._aspect)), height
        return width, max(1, round(height / self._aspect))
