"""Every kind of still image becomes the upright RGB that a viewer shows."""

from __future__ import annotations

import io
import logging
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import PIL.Image
import pytest

from facemt_analysis.detection.media import open_recordings, read_image
from facemt_analysis.errors import MediaError


@pytest.fixture
def photo() -> np.ndarray:
    """Smooth, with no symmetry: 40 wide, 30 high."""
    y, x = np.mgrid[0:30, 0:40]
    return np.stack([6 * x, 8 * y, 255 - 3 * x - 4 * y], -1).astype(np.uint8)


def _saved(path: Path, image: PIL.Image.Image, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


def test_rgb_is_untouched(tmp_path: Path, photo: np.ndarray) -> None:
    image = read_image(_saved(tmp_path / "a.png", PIL.Image.fromarray(photo)))
    np.testing.assert_array_equal(image, photo)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert image.flags.writeable


# EXIF orientation → what of NumPy undoes it (CIPA DC-008, 4.6.4 A)
_STORED_AS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_exif_orientation(tmp_path: Path, photo: np.ndarray, orientation: int, suffix: str) -> None:
    stored = PIL.Image.fromarray(np.ascontiguousarray(_STORED_AS[orientation](photo)))
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if suffix == ".webp" else {}
    path = _saved(tmp_path / f"a{suffix}", stored, exif=exif, **options)
    np.testing.assert_array_equal(read_image(path), photo)


def test_exif_orientation_of_a_jpeg(tmp_path: Path, photo: np.ndarray) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    stored = PIL.Image.fromarray(np.ascontiguousarray(np.rot90(photo)))
    path = _saved(tmp_path / "a.jpg", stored, exif=exif, quality=95)
    assert np.abs(read_image(path).astype(int) - photo).max() < 12


def test_broken_metadata_does_not_stop_reading(tmp_path: Path, photo: np.ndarray) -> None:
    path = _saved(tmp_path / "a.jpg", PIL.Image.fromarray(photo), exif=b"Exif\0\0II*\0\xff\xff\xff")
    assert read_image(path).shape == photo.shape


def test_gray(tmp_path: Path, photo: np.ndarray) -> None:
    gray = photo[..., 0]
    path = _saved(tmp_path / "a.png", PIL.Image.fromarray(gray))
    np.testing.assert_array_equal(read_image(path), np.repeat(gray[..., None], 3, -1))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bit_gray_is_scaled_not_clipped(tmp_path: Path, suffix: str) -> None:
    values = np.linspace(0, 65535, 1200).astype(np.uint16).reshape(30, 40)
    path = _saved(tmp_path / f"a{suffix}", PIL.Image.fromarray(values))
    expected = np.rint(values / 257.0)
    np.testing.assert_array_equal(read_image(path)[..., 1], expected)


def test_big_endian_16_bit_gray(tmp_path: Path) -> None:
    values = np.arange(1200, dtype=np.uint16).reshape(30, 40) * 50
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P5 40 30 65535\n" + values.astype(">u2").tobytes())
    np.testing.assert_array_equal(read_image(path)[..., 0], np.rint(values / 257.0))


def test_float_gray_from_0_to_1(tmp_path: Path) -> None:
    values = np.linspace(0, 1, 1200, dtype=np.float32).reshape(30, 40)
    path = _saved(tmp_path / "a.tif", PIL.Image.fromarray(values))
    np.testing.assert_array_equal(read_image(path)[..., 0], np.rint(values * 255))


def test_float_gray_of_unknown_range_is_refused(tmp_path: Path) -> None:
    values = np.linspace(-5, 900, 1200, dtype=np.float32).reshape(30, 40)
    path = _saved(tmp_path / "a.tif", PIL.Image.fromarray(values))
    with pytest.raises(MediaError, match=r"a\.tif: 32-bit gray must lie in 0 to 1"):
        read_image(path)


def test_32_bit_integers_are_read_as_16_bit(tmp_path: Path) -> None:
    values = (np.arange(1200, dtype=np.int32) * 54).reshape(30, 40)
    path = _saved(tmp_path / "a.tif", PIL.Image.fromarray(values))
    np.testing.assert_array_equal(read_image(path)[..., 2], np.rint(values / 257.0))


def test_cmyk(tmp_path: Path, photo: np.ndarray) -> None:
    path = _saved(tmp_path / "a.tif", PIL.Image.fromarray(photo).convert("CMYK"))
    np.testing.assert_array_equal(read_image(path), photo)


def test_cmyk_jpeg(tmp_path: Path, photo: np.ndarray) -> None:
    path = _saved(tmp_path / "a.jpg", PIL.Image.fromarray(photo).convert("CMYK"), quality=95)
    assert np.abs(read_image(path).astype(int) - photo).mean() < 3


def test_alpha_lies_on_white(tmp_path: Path, photo: np.ndarray) -> None:
    alpha = np.full((30, 40, 1), 255, np.uint8)
    alpha[:10] = 0
    alpha[10:20] = 102
    path = _saved(tmp_path / "a.png", PIL.Image.fromarray(np.concatenate([photo, alpha], -1)))
    image = read_image(path).astype(float)
    np.testing.assert_array_equal(image[:10], 255)
    np.testing.assert_allclose(image[10:20], 0.4 * photo[10:20] + 0.6 * 255, atol=1)
    np.testing.assert_array_equal(image[20:], photo[20:])


def test_gray_with_alpha_lies_on_white(tmp_path: Path) -> None:
    la = np.zeros((4, 4, 2), np.uint8)
    la[..., 0] = 50
    la[:2, :, 1] = 255
    path = _saved(tmp_path / "a.png", PIL.Image.fromarray(la, "LA"))
    image = read_image(path)
    assert image[0, 0].tolist() == [50, 50, 50]
    assert image[3, 3].tolist() == [255, 255, 255]


def test_palette_with_a_transparent_colour(tmp_path: Path) -> None:
    image = PIL.Image.new("P", (4, 4), 1)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((0, 0), 0)
    path = _saved(tmp_path / "a.png", image, transparency=0)
    pixels = read_image(path)
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[1, 1].tolist() == [200, 100, 50]


def test_rgb_with_a_transparent_colour(tmp_path: Path) -> None:
    image = PIL.Image.new("RGB", (4, 4), (200, 100, 50))
    image.putpixel((0, 0), (1, 2, 3))
    pixels = read_image(_saved(tmp_path / "a.png", image, transparency=(1, 2, 3)))
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[1, 1].tolist() == [200, 100, 50]


def test_palette(tmp_path: Path, photo: np.ndarray) -> None:
    indexed = PIL.Image.fromarray(photo).quantize(64)
    path = _saved(tmp_path / "a.png", indexed)
    np.testing.assert_array_equal(read_image(path), np.asarray(indexed.convert("RGB")))


def test_one_bit(tmp_path: Path) -> None:
    bits = np.eye(16, dtype=bool)
    pixels = read_image(_saved(tmp_path / "a.png", PIL.Image.fromarray(bits)))
    np.testing.assert_array_equal(pixels[..., 0], 255 * np.eye(16))


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".bmp", {}), (".ppm", {}), (".tif", {"compression": "tiff_lzw"}),
        (".webp", {"lossless": True}), (".jp2", {}), (".gif", {}),
    ],
)  # fmt: skip
def test_other_formats(tmp_path: Path, suffix: str, options: dict[str, object]) -> None:
    image = PIL.Image.new("RGB", (20, 10), (200, 100, 50))
    path = _saved(tmp_path / f"a{suffix}", image, **options)
    (recording,) = open_recordings(path)
    (frame,) = recording.frames()
    np.testing.assert_array_equal(frame.image, np.asarray(image))


def test_content_decides_not_the_name(tmp_path: Path, photo: np.ndarray) -> None:
    path = tmp_path / "a.mp4"
    with path.open("wb") as file:
        PIL.Image.fromarray(photo).save(file, "PNG")
    (recording,) = open_recordings(path)
    np.testing.assert_array_equal(next(recording.frames()).image, photo)


def _png(width: int, height: int) -> bytes:
    """A PNG of one colour, some kB whatever its size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    rows = zlib.compress(bytes(1 + (width + 7) // 8) * height)
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("side", "padding", "message"),
    [
        pytest.param(12_500, 2_000_000, "150,000,000 allowed; scale the image", id="large"),
        pytest.param(30_000, 0, "pixels", id="larger than Pillow allows"),
        pytest.param(
            6_500, 0, "40,000,000 allowed in a file of .* made to fill", id="from nothing"
        ),
    ],
)
def test_decompression_bomb(tmp_path: Path, side: int, padding: int, message: str) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(_png(side, side) + bytes(padding))
    with pytest.raises(MediaError, match=rf"bomb\.png: .*{message}") as caught:
        open_recordings(path)
    assert "\n" not in str(caught.value)


def test_a_video_that_unfolds_from_nothing(tmp_path: Path) -> None:
    path = tmp_path / "bomb.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 6500, 6500, "gray"
        frame = av.VideoFrame(6500, 6500, "gray")
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(MediaError, match=r"bomb\.mkv: 6500x6500 .* in a file of"):
        open_recordings(path)


def test_bands_are_converted_like_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    pictures = {
        "rgb.png": PIL.Image.fromarray(rng.integers(0, 256, (23, 31, 3), np.uint8)),
        "glass.png": PIL.Image.fromarray(rng.integers(0, 256, (23, 31, 4), np.uint8)),
        "deep.png": PIL.Image.fromarray(rng.integers(0, 65536, (23, 31), np.uint16)),
        "real.tif": PIL.Image.fromarray(rng.random((23, 31), np.float32)),
    }
    pictures["palette.gif"] = pictures["rgb.png"].quantize(40)
    for name, picture in pictures.items():
        picture.save(tmp_path / name)
        whole = read_image(tmp_path / name)
        with monkeypatch.context() as small:
            small.setattr("facemt_analysis.detection.media.images._BAND", 31 * 4)
            np.testing.assert_array_equal(read_image(tmp_path / name), whole, err_msg=name)


def test_gray_with_nan_is_refused(tmp_path: Path) -> None:
    PIL.Image.fromarray(np.full((4, 4), np.nan, np.float32)).save(tmp_path / "nan.tif")
    with pytest.raises(MediaError, match=r"nan\.tif: 32-bit gray must lie in 0 to 1"):
        read_image(tmp_path / "nan.tif")


def test_what_pillow_logs_is_not_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.tif"
    PIL.Image.new("RGB", (8, 8)).save(path)
    data = bytearray(path.read_bytes())
    (at,) = struct.unpack_from("<I", data, 4)
    (n,) = struct.unpack_from("<H", data, at)
    for entry in range(at + 2, at + 2 + 12 * n, 12):
        if struct.unpack_from("<H", data, entry)[0] == 277:  # samples per pixel
            struct.pack_into("<H", data, entry + 8, 65535)
    path.write_bytes(data)
    log = logging.getLogger("PIL")
    monkeypatch.setattr(log, "propagate", False)  # pytest listens, users do not
    with pytest.raises(MediaError, match=r"a\.tif"):
        read_image(path)
    assert capfd.readouterr().err == ""
    assert not log.handlers


def test_a_large_photograph_is_no_bomb(tmp_path: Path) -> None:
    # above the size at which Pillow warns, below the one at which it refuses
    path = tmp_path / "large.png"
    path.write_bytes(_png(30_000, 3_000) + bytes(1_000_000))
    (recording,) = open_recordings(path)
    assert recording.name == "large.png"


def test_text_bomb_in_a_png(tmp_path: Path) -> None:
    data = _png(8, 8)
    packed = b"Comment\0\0" + zlib.compress(bytes(100_000_000), 9)
    chunk = struct.pack(">I", len(packed)) + b"zTXt" + packed
    chunk += struct.pack(">I", zlib.crc32(b"zTXt" + packed))
    path = tmp_path / "a.png"
    path.write_bytes(data[:33] + chunk + data[33:])
    with pytest.raises(MediaError, match=r"a\.png"):
        read_image(path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_truncated_image(tmp_path: Path, suffix: str) -> None:
    rng = np.random.default_rng(0)
    buffer = io.BytesIO()
    noise = PIL.Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8))
    noise.save(buffer, PIL.Image.registered_extensions()[suffix])
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    with pytest.raises(MediaError, match=rf"cut\{suffix}: ") as caught:
        list(open_recordings(path)[0].frames())
    assert "\n" not in str(caught.value)


def test_noise_named_jpg(tmp_path: Path) -> None:
    path = tmp_path / "noise.jpg"
    path.write_bytes(np.random.default_rng(1).bytes(5000))
    with pytest.raises(MediaError, match=r"noise\.jpg: not an image"):
        open_recordings(path)


def test_noise_behind_the_mark_of_a_jpeg(tmp_path: Path) -> None:
    path = tmp_path / "noise.jpg"
    path.write_bytes(b"\xff\xd8\xff" + np.random.default_rng(1).bytes(5000))
    with pytest.raises(MediaError, match=r"noise\.jpg: "):
        list(open_recordings(path)[0].frames())


def test_heic_is_named(tmp_path: Path) -> None:
    path = tmp_path / "IMG_1.HEIC"
    path.write_bytes(struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic" + bytes(100))
    with pytest.raises(MediaError, match=r"IMG_1\.HEIC: HEIC images cannot be read; convert"):
        open_recordings(path)


def test_avif(tmp_path: Path, photo: np.ndarray) -> None:
    if ".avif" not in PIL.Image.registered_extensions():
        pytest.skip("this Pillow has no AVIF")
    path = _saved(tmp_path / "a.avif", PIL.Image.fromarray(photo), quality=95)
    image = next(open_recordings(path)[0].frames()).image
    assert np.abs(image.astype(int) - photo).mean() < 4


def test_describe(tmp_path: Path, photo: np.ndarray) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    stored = PIL.Image.fromarray(np.ascontiguousarray(np.rot90(photo)))
    (recording,) = open_recordings(_saved(tmp_path / "a.png", stored, exif=exif))
    info = recording.describe()
    assert (info.width, info.height, info.stored_size) == (40, 30, (30, 40))
    assert (info.kind, info.codec, info.frames, info.duration) == ("image", "PNG", 1, None)


def test_no_file_stays_open(
    tmp_path: Path, photo: np.ndarray, open_files: Callable[[], int]
) -> None:
    good = _saved(tmp_path / "a.png", PIL.Image.fromarray(photo))
    bad = tmp_path / "b.png"
    bad.write_bytes(good.read_bytes()[:60])
    before = open_files()
    read_image(good)
    with pytest.raises(MediaError):
        read_image(bad)
    assert open_files() == before
