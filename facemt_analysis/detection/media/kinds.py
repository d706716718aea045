"""What a file holds, told by its first bytes."""

from __future__ import annotations

import os
import re
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from facemt_analysis.detection.media.files import check_file
from facemt_analysis.detection.media.images import opened_image, quiet
from facemt_analysis.errors import MediaError

__all__ = ["AUDIO_SUFFIXES", "IMAGE_SUFFIXES", "VIDEO_SUFFIXES", "Kind", "kind_of"]

IMAGE_SUFFIXES = frozenset(
    {
        ".apng", ".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".j2k", ".jfif", ".jp2",
        ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp",
    }
)  # fmt: skip
# Not .ts, which is a programming language, too: transport streams are told by their content.
VIDEO_SUFFIXES = frozenset(
    {
        ".3g2", ".3gp", ".asf", ".avi", ".dv", ".f4v", ".flv", ".h264", ".h265", ".hevc", ".ivf",
        ".m2ts", ".m2v", ".m4v", ".mjpeg", ".mjpg", ".mkv", ".mov", ".mp4", ".mpe", ".mpeg",
        ".mpg", ".mts", ".mxf", ".ogv", ".qt", ".vob", ".webm", ".wmv", ".y4m",
    }
)  # fmt: skip
AUDIO_SUFFIXES = frozenset(
    {
        ".aac", ".aif", ".aiff", ".flac", ".m4a", ".m4b", ".mka", ".mp3", ".oga", ".ogg", ".opus",
        ".wav", ".wma",
    }
)  # fmt: skip


class Kind(Enum):
    """What the first bytes of a file say."""

    IMAGE = "still image"
    ANIMATION = "animated image"
    HEIC = "HEIC image"
    VIDEO = "video"
    UNKNOWN = "unknown"


def kind_of(path: Path) -> Kind:
    """Tell the kind of a file by its content; a `.mjpeg` stream from a JPEG by its name.

    Raises
    ------
    MediaError
        As `check_file`.
    """
    check_file(path)
    with path.open("rb") as file:
        head = file.read(512)
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return Kind.ANIMATION if _is_animated_png(file) else Kind.IMAGE
    if head.startswith(b"\xff\xd8\xff"):
        return Kind.VIDEO if path.suffix.lower() in (".mjpg", ".mjpeg") else Kind.IMAGE
    if head.startswith(b"GIF8") or head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return Kind.ANIMATION if _has_pages(path) else Kind.IMAGE
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        extended = head[12:16] == b"VP8X" and len(head) > 20
        return Kind.ANIMATION if extended and head[20] & 2 else Kind.IMAGE
    if head[4:8] == b"ftyp":
        return _kind_of_brand(head)
    if _is_other_image(head):
        return Kind.IMAGE
    return Kind.VIDEO if _is_video(head) else Kind.UNKNOWN


def _kind_of_brand(head: bytes) -> Kind:
    """Tell AVIF, HEIC and videos apart, which share one container (ISO/IEC 23008-12, annex B)."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[i : i + 4] for i in range(16, size - 3, 4))}
    if head[8:12] == b"avis":
        return Kind.ANIMATION
    if b"avif" in brands and head[8:12] in (b"avif", b"mif1", b"miaf"):
        return Kind.IMAGE
    heic = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
    return Kind.HEIC if head[8:12] in heic else Kind.VIDEO


def _is_animated_png(file: BinaryIO) -> bool:
    """Look for the chunk of an animation, which comes before the pixels (PNG 3rd ed., 11.3.6)."""
    file.seek(8)
    while len(header := file.read(8)) == 8 and header[4:] != b"IDAT":
        if header[4:] == b"acTL":
            return True
        file.seek(int.from_bytes(header[:4], "big") + 4, os.SEEK_CUR)
    return False


def _has_pages(path: Path) -> bool:
    try:
        with opened_image(path) as image, quiet():
            return bool(getattr(image, "is_animated", False))
    except MediaError:  # told when it is read
        return False


def _is_other_image(head: bytes) -> bool:
    bmp = head.startswith(b"BM") and head[14:18] in (
        bytes((n, 0, 0, 0)) for n in (12, 40, 52, 56, 64, 108, 124)
    )
    pnm = re.match(rb"P[1-6]\s", head) is not None
    jpeg2000 = head.startswith((b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"))
    return bmp or pnm or jpeg2000


def _is_video(head: bytes) -> bool:
    known = (
        b"\x1a\x45\xdf\xa3",  # Matroska, WebM
        b"FLV\x01",
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF
        b"OggS",
        b"\0\0\x01\xba",  # MPEG program stream
        b"\0\0\x01\xb3",  # MPEG-1/2 video
        b"\0\0\0\x01",  # bare H.264 or HEVC
        b"\x06\x0e\x2b\x34",  # MXF
        b"YUV4MPEG2",
        b"DKIF",
    )
    if head.startswith(known) or (head.startswith(b"RIFF") and head[8:12] == b"AVI "):
        return True
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"):
        return True
    # MPEG transport stream: a sync byte every 188 bytes, or every 192 behind a time code
    return any(
        len(head) > first + 2 * step
        and all(head[i] == 0x47 for i in range(first, first + 2 * step + 1, step))
        for first, step in ((0, 188), (4, 192))
    )
