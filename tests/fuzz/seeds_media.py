"""Small videos and pictures in every container and codec that can be written here."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image
from av.codec import Codec

from fuzz.seeds import Seed

__all__ = ["media_seeds"]

_DOORS = ("frames", "frames", "frames", "frames", "ranges", "ranges", "info", "detect", "random")
_WIDTH, _HEIGHT, _N = 96, 64, 20

# name, codec, pixel format, options of the encoder, of the container, sound
_VIDEOS: Sequence[tuple[str, str, str, dict[str, str], dict[str, str], bool]] = (
    ("plain.mp4", "libx264", "yuv420p", {"g": "8", "bf": "2"}, {}, True),
    ("start.mp4", "libx264", "yuv420p", {"g": "8"}, {"movflags": "faststart"}, False),
    ("fragments.mp4", "libx264", "yuv420p", {"g": "8"},
     {"movflags": "frag_keyframe+empty_moov"}, False),
    ("hevc.mp4", "libx265", "yuv420p", {"x265-params": "log-level=none:pools=1"}, {}, False),
    ("av1.mp4", "libsvtav1", "yuv420p", {"preset": "12", "svtav1-params": "lp=1"}, {}, False),
    ("mpeg4.mov", "mpeg4", "yuv420p", {"g": "8"}, {}, False),
    ("prores.mov", "prores_ks", "yuv422p10le", {}, {}, False),
    ("h264.mkv", "libx264", "yuv420p", {"g": "8", "bf": "2"}, {}, True),
    ("vp8.webm", "libvpx", "yuv420p", {"deadline": "realtime"}, {}, False),
    ("vp9.webm", "libvpx-vp9", "yuv420p", {"deadline": "realtime", "cpu-used": "8"}, {}, False),
    ("mpeg4.avi", "mpeg4", "yuv420p", {"g": "8"}, {}, False),
    ("mjpeg.avi", "mjpeg", "yuvj420p", {}, {}, False),
    ("h264.ts", "libx264", "yuv420p", {"g": "8"}, {}, True),
    ("mpeg2.mpg", "mpeg2video", "yuv420p", {"g": "8"}, {}, False),
    ("h264.flv", "libx264", "yuv420p", {"g": "8", "bf": "0"}, {}, False),
    ("wmv2.wmv", "wmv2", "yuv420p", {"g": "8"}, {}, False),
    ("bare.h264", "libx264", "yuv420p", {"g": "8"}, {}, False),
    ("raw.y4m", "wrapped_avframe", "yuv420p", {}, {}, False),
)  # fmt: skip


def media_seeds(folder: Path) -> list[Seed]:
    """Write the files into a folder and read them back.

    Codecs that this build of FFmpeg cannot write are left out.
    """
    os.environ.setdefault("SVT_LOG", "0")  # the encoder of AV1 is talkative
    pictures = _pictures()
    seeds = [
        Seed(name, _video(folder / name, pictures, *about), _DOORS)
        for name, *about in _VIDEOS
        if _has(about[0])
    ]
    seeds += [Seed(name, data, _DOORS) for name, data in _images(pictures).items()]
    good = {"0.png": _saved(PIL.Image.fromarray(pictures[0]), "PNG")}
    jpeg = next(s for s in seeds if s.name == "photo.jpg")
    seeds.append(Seed("1.jpg", jpeg.data, ("frames", "detect"), good))
    return seeds


def _pictures() -> list[np.ndarray]:
    """Colours that drift, with grain, so that packets are not empty."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:_HEIGHT, :_WIDTH]
    grain = rng.integers(0, 40, (_HEIGHT, _WIDTH, 3))
    return [
        (np.stack([x * 2 + 3 * i, y * 3, 255 - x * 2], axis=-1) + grain).clip(0, 255).astype("u1")
        for i in range(_N)
    ]


def _has(codec: str) -> bool:
    try:
        Codec(codec, "w")
    except (ValueError, av.FFmpegError):
        return False
    return True


def _video(
    path: Path, pictures: Sequence[np.ndarray], codec: str, pixels: str, options: dict[str, str],
    container_options: dict[str, str], sound: bool,
) -> bytes:  # fmt: skip
    with av.open(str(path), "w", options=container_options) as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, pixels
        stream.thread_count = 1
        tone: Any = container.add_stream("aac", rate=44100) if sound else None
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for start in range(0, 35_280 if sound else 0, 1024):
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            silence.sample_rate, silence.pts = 44100, start
            silence.time_base = Fraction(1, 44100)
            container.mux(tone.encode(silence))
        if sound:
            container.mux(tone.encode(None))
    return path.read_bytes()


def _images(pictures: Sequence[np.ndarray]) -> dict[str, bytes]:
    films = [PIL.Image.fromarray(p) for p in pictures[:5]]
    first = films[0]
    more: dict[str, Any] = {"save_all": True, "append_images": films[1:]}
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # turned
    exif[0x010E] = "words"
    gray16 = PIL.Image.fromarray(np.arange(0, 48 * 32 * 40, 40, dtype=np.uint16).reshape(32, 48))
    glass = first.convert("RGBA")
    glass.putalpha(128)
    made: dict[str, tuple[PIL.Image.Image, str, dict[str, Any]]] = {
        "photo.jpg": (first, "JPEG", {"exif": exif, "quality": 90}),
        "progressive.jpg": (first, "JPEG", {"progressive": True}),
        "cmyk.jpg": (first.convert("CMYK"), "JPEG", {}),
        "plain.png": (first, "PNG", {}),
        "glass.png": (glass, "PNG", {"exif": exif}),
        "gray16.png": (gray16, "PNG", {}),
        "palette.png": (first.quantize(16), "PNG", {"transparency": 3}),
        "film.png": (first, "PNG", {**more, "duration": 40}),
        "film.gif": (first, "GIF", {**more, "duration": [40, 0, 80, 40, 40], "loop": 0}),
        "still.webp": (first, "WEBP", {}),
        "exact.webp": (glass, "WEBP", {"lossless": True}),
        "film.webp": (first, "WEBP", {**more, "duration": 40}),
        "plain.tiff": (first, "TIFF", {}),
        "pages.tiff": (first, "TIFF", {**more, "compression": "tiff_lzw"}),
        "deflate.tif": (first, "TIFF", {"compression": "tiff_deflate"}),
        "jpeg.tif": (first, "TIFF", {"compression": "jpeg"}),
        "float.tif": (PIL.Image.fromarray(np.linspace(0, 1, 96 * 64, dtype="f4").reshape(64, 96)),
                      "TIFF", {}),
        "plain.bmp": (first, "BMP", {}),
        "plain.ppm": (first, "PPM", {}),
        "wave.jp2": (first, "JPEG2000", {}),
        "still.avif": (first, "AVIF", {"speed": 10}),
        "film.avif": (first, "AVIF", {**more, "duration": 40, "speed": 10}),
    }  # fmt: skip
    PIL.Image.init()
    return {
        name: _saved(image, kind, **options)
        for name, (image, kind, options) in made.items()
        if kind in PIL.Image.SAVE
    }


def _saved(image: PIL.Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
