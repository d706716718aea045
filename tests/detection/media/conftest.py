"""Media made on the spot: numbered pictures in whatever container, codec and order a test asks."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.codec import Codec

_BLOCK = 8  # px; a numbered picture is 8 blocks wide and 6 high


def numbered_picture(number: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """Picture whose upper blocks spell a number of 16 bits in black and white, below them gray."""
    width, height = size
    image = np.full((height, width, 3), 96, np.uint8)
    for bit in range(16):
        y, x = _BLOCK * (bit // 8), _BLOCK * (bit % 8)
        image[y : y + _BLOCK, x : x + _BLOCK] = 255 * (number >> bit & 1)
    return image


@pytest.fixture
def picture() -> Callable[..., np.ndarray]:
    return numbered_picture


@pytest.fixture
def number_of() -> Callable[[np.ndarray], int]:
    """Read the number back off a picture, whatever lossy coding has made of it."""

    def read(image: np.ndarray) -> int:
        centres = [
            (_BLOCK * (bit // 8) + _BLOCK // 2, _BLOCK * (bit % 8) + _BLOCK // 2)
            for bit in range(16)
        ]
        return sum((int(image[y, x].mean()) > 127) << bit for bit, (y, x) in enumerate(centres))

    return read


def needs_encoder(name: str) -> None:
    """Skip where this build of FFmpeg lacks an encoder."""
    try:
        Codec(name, "w")
    except av.FFmpegError:
        pytest.skip(f"PyAV's FFmpeg has no encoder {name}")
    except ValueError:
        pytest.skip(f"PyAV's FFmpeg has no encoder {name}")


def encode_video(
    path: Path,
    pictures: int | Sequence[np.ndarray] = 30,
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    rate: int | Fraction = 30,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    format: str | None = None,
    aspect: Fraction | None = None,
    input_format: str = "rgb24",
    sound: float = 0.0,
    prepare: Callable[[av.VideoStream], None] | None = None,
) -> Path:
    """Encode pictures (or that many numbered ones) at given timestamps; `sound` seconds of it."""
    needs_encoder(codec)
    if isinstance(pictures, int):
        pictures = [numbered_picture(i) for i in range(pictures)]
    base = time_base or 1 / Fraction(rate)
    with av.open(str(path), "w", format=format, options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = base
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if prepare is not None:
            prepare(stream)
        tone = container.add_stream("aac", rate=44100) if sound else None
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format=input_format)
            frame.pts = i if pts is None else pts[i]
            frame.time_base = base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if tone is not None:
            _add_sound(container, tone, sound)
    return path


def _add_sound(container: av.container.OutputContainer, stream: av.AudioStream, s: float) -> None:
    for start in range(0, int(s * 44100), 1024):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 44100
        frame.pts = start
        frame.time_base = Fraction(1, 44100)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


@pytest.fixture
def encode(tmp_path: Path) -> Callable[..., Path]:
    """`encode_video` into the test's folder."""

    def into(name: str, *args: object, **kwargs: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return encode_video(path, *args, **kwargs)  # type: ignore[arg-type]

    return into


@pytest.fixture
def require_encoder() -> Callable[[str], None]:
    return needs_encoder


@pytest.fixture
def set_matrix() -> Callable[[Path, tuple[int, int, int, int]], None]:
    """Write a display matrix (a, b, c, d in units of 1) into the track header of an MP4."""

    def write(path: Path, abcd: tuple[int, int, int, int]) -> None:
        data = bytearray(path.read_bytes())
        header = data.index(b"tkhd")
        assert data[header + 4] == 0  # version 0: 32-bit times
        a, b, c, d = (65536 * v for v in abcd)
        # ISO/IEC 14496-12, 8.3.2: the matrix follows 4 + 36 bytes of the full box
        struct.pack_into(">9i", data, header + 4 + 40, a, b, 0, c, d, 0, 0, 0, 1 << 30)
        path.write_bytes(data)

    return write


@pytest.fixture
def sound_file(tmp_path: Path) -> Callable[..., Path]:
    """A file with sound only."""

    def make(name: str = "sound.mp4") -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            _add_sound(container, container.add_stream("aac", rate=44100), 1.0)
        return path

    return make


@pytest.fixture
def open_files() -> Callable[[], int]:
    """Count the open files of this process."""
    listing = Path("/proc/self/fd")
    if not listing.exists():
        pytest.skip("the open files of a process can be counted on Linux only")
    return lambda: len(list(listing.iterdir()))


@pytest.fixture
def add_sound() -> Callable[..., None]:
    """Encode so many seconds of silence into a stream."""
    return _add_sound
