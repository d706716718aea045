"""Pixels of videos: upright, square, in the right colours, whatever they were coded as."""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import PIL.Image
import pytest

from facemt_analysis.detection.media import open_recordings
from facemt_analysis.detection.media.pixels import Orientation, PixelConverter

# What a display matrix (a, b, c, d) does to an array, written out by hand: a stored point (x, y) is
# shown at (a x + c y, b x + d y), y pointing down.
_MATRICES = {
    (1, 0, 0, 1): lambda a: a,
    (0, 1, -1, 0): lambda a: np.rot90(a, -1),
    (-1, 0, 0, -1): lambda a: np.rot90(a, 2),
    (0, -1, 1, 0): lambda a: np.rot90(a, 1),
    (-1, 0, 0, 1): lambda a: a[:, ::-1],
    (1, 0, 0, -1): lambda a: a[::-1],
    (0, 1, 1, 0): lambda a: a.transpose(1, 0, 2),
    (0, -1, -1, 0): lambda a: a[::-1, ::-1].transpose(1, 0, 2),
}
_TURNS = {
    (1, 0, 0, 1): (0, False), (0, 1, -1, 0): (90, False), (-1, 0, 0, -1): (180, False),
    (0, -1, 1, 0): (270, False), (-1, 0, 0, 1): (0, True), (1, 0, 0, -1): (180, True),
    (0, 1, 1, 0): (270, True), (0, -1, -1, 0): (90, True),
}  # fmt: skip


def _images(path: Path) -> list[np.ndarray]:
    return [f.image for f in open_recordings(path)[0].frames()]


@pytest.mark.parametrize("matrix", list(_MATRICES))
def test_display_matrix(
    encode: Callable[..., Path], set_matrix: Callable[..., None], matrix: tuple[int, int, int, int]
) -> None:
    path = encode("a.mp4", 4)
    stored = _images(path)
    set_matrix(path, matrix)
    for image, before in zip(_images(path), stored, strict=True):
        np.testing.assert_array_equal(image, _MATRICES[matrix](before))
        assert image.flags.c_contiguous
        assert image.flags.owndata  # not FFmpeg's memory, which is slow to be used again
    info = open_recordings(path)[0].describe()
    assert (info.rotation, info.mirrored) == _TURNS[matrix]
    assert (info.height, info.width) == _images(path)[0].shape[:2]
    assert info.stored_size == (64, 48)


def test_a_frame_is_free_as_soon_as_nobody_uses_it(encode: Callable[..., Path]) -> None:
    # in a cycle it would keep the decoder's memory until the garbage is collected
    with av.open(str(encode("a.mp4", 4))) as container:
        frame = next(container.decode(video=0))
    before = sys.getrefcount(frame)
    PixelConverter()(frame)
    assert sys.getrefcount(frame) == before


def test_turn_and_mirror_of_a_description_rebuild_the_picture() -> None:
    picture = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3)
    for (a, b, c, d), show in _MATRICES.items():
        orientation = Orientation.from_matrix((a, b, 0, c, d, 0, 0, 0, 1))
        mirrored = picture[:, ::-1] if orientation.mirrored else picture
        np.testing.assert_array_equal(np.rot90(mirrored, -orientation.degrees // 90), show(picture))
        np.testing.assert_array_equal(orientation.apply(picture), show(picture))


def test_slanted_matrix_takes_the_nearest_turn() -> None:
    ten, eighty = np.deg2rad(10), np.deg2rad(80)
    for angle, degrees in ((ten, 0), (eighty, 90)):
        c, s = (round(65536 * f(angle)) for f in (np.cos, np.sin))
        assert Orientation.from_matrix((c, s, 0, -s, c, 0, 0, 0, 1 << 30)).degrees == degrees


@pytest.mark.parametrize(
    ("aspect", "shape"),
    [
        (Fraction(4, 3), (48, 85)), (Fraction(16, 15), (48, 68)), (Fraction(1, 2), (96, 64)),
        (Fraction(3, 4), (64, 64)), (Fraction(1, 1), (48, 64)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_pixels_become_square(
    encode: Callable[..., Path], aspect: Fraction, shape: tuple[int, int], name: str
) -> None:
    # a disc as an anamorphic camera stores it is round again
    height, width = 48, 64
    y, x = np.mgrid[0:height, 0:width]
    disc = np.hypot((x - 31.5) * float(max(aspect, 1)), (y - 23.5) / float(min(aspect, 1))) < 18
    if aspect < 1:
        disc = np.hypot(x - 31.5, (y - 23.5) / float(aspect)) < 18
    stored = np.repeat((255 * disc)[..., None], 3, -1).astype(np.uint8)
    path = encode(name, [stored] * 3, aspect=aspect)
    (recording,) = open_recordings(path)
    image = next(recording.frames()).image
    assert image.shape[:2] == shape
    white = image[..., 1] > 127
    extent = [int(white.any(axis).sum()) for axis in (0, 1)]
    assert abs(extent[0] - extent[1]) <= 2
    info = recording.describe()
    assert (info.height, info.width) == shape
    assert info.pixel_aspect == pytest.approx(float(aspect))


def test_rotation_and_pixel_aspect_together(
    encode: Callable[..., Path], set_matrix: Callable[..., None]
) -> None:
    path = encode("a.mp4", 3, aspect=Fraction(2))
    set_matrix(path, (0, 1, -1, 0))
    assert _images(path)[0].shape == (128, 48, 3)


@pytest.mark.parametrize(("width", "height"), [(63, 47), (65, 48), (64, 49), (101, 35)])
def test_odd_sizes(encode: Callable[..., Path], width: int, height: int) -> None:
    y, x = np.mgrid[0:height, 0:width]
    ramp = np.stack([2 * x, 2 * y, x + y], -1).astype(np.uint8)
    path = encode("a.mp4", [ramp] * 3, pix_fmt="yuv444p", options={"qp": "0"})
    image = _images(path)[0]
    assert image.shape == (height, width, 3)
    assert np.abs(image.astype(int) - ramp).max() <= 3


_COLOURS = {
    "red": (200, 30, 40), "green": (30, 180, 60), "blue": (20, 50, 210), "skin": (224, 172, 140),
    "dark skin": (92, 56, 42), "white": (255, 255, 255), "black": (0, 0, 0),
}  # fmt: skip
# ITU-R BT.709-6 and BT.601-7, the weights of red and blue; ITU-T H.273 codes of the matrices
_WEIGHTS = {
    "BT.709": (0.2126, 0.0722, 1),
    "BT.601": (0.299, 0.114, 5),
    "BT.2020": (0.2627, 0.0593, 9),
}


def _coded(rgb: tuple[int, int, int], matrix: str, full: bool, bits: int) -> list[int]:
    """Y'CbCr of a colour by the definition of the standards."""
    red, green, blue = rgb
    kr, kb, _ = _WEIGHTS[matrix]
    y = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - y) / (2 * (1 - kb)), (red - y) / (2 * (1 - kr))
    scale = 2 ** (bits - 8)
    if full:
        top = 2**bits - 1
        return [round(y / 255 * top), *(round(v / 255 * top + 2 ** (bits - 1)) for v in (cb, cr))]
    return [
        round((16 + 219 * y / 255) * scale),
        *(round((128 + 224 * v / 255) * scale) for v in (cb, cr)),
    ]


def _patches(matrix: str, full: bool, pix_fmt: str, size: tuple[int, int]) -> av.VideoFrame:
    """A frame of vertical stripes, one for each colour, written plane by plane."""
    width, height = size
    bits = 10 if "10" in pix_fmt else 8
    frame = av.VideoFrame(width, height, pix_fmt)
    stripes = np.arange(width) * len(_COLOURS) // width
    for plane, channel in zip(frame.planes, range(3), strict=True):
        levels = np.array([_coded(c, matrix, full, bits)[channel] for c in _COLOURS.values()])
        step = width // plane.width
        line = levels[stripes][::step]
        dtype = np.uint16 if bits > 8 else np.uint8
        rows = np.zeros((plane.height, plane.line_size // np.dtype(dtype).itemsize), dtype)
        rows[:, : len(line)] = line.clip(0, 2**bits - 1)
        plane.update(rows.tobytes())
    frame.colorspace = _WEIGHTS[matrix][2]
    frame.color_range = 2 if full else 1
    return frame


def _stripes_of(image: np.ndarray) -> np.ndarray:
    """Colour in the middle of each stripe."""
    n = len(_COLOURS)
    centres = ((np.arange(n) + 0.5) * image.shape[1] / n).astype(int)
    return image[image.shape[0] // 2, centres].astype(int)


@pytest.mark.parametrize("matrix", list(_WEIGHTS))
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv444p10le"])
def test_colours_by_matrix_and_range(matrix: str, full: bool, pix_fmt: str) -> None:
    image = PixelConverter()(_patches(matrix, full, pix_fmt, (224, 48)))
    np.testing.assert_allclose(_stripes_of(image), list(_COLOURS.values()), atol=2)


@pytest.mark.parametrize(
    ("size", "matrix"), [((224, 48), "BT.601"), ((1280, 48), "BT.709"), ((224, 720), "BT.709")]
)
def test_untagged_video_is_taken_as_players_do(size: tuple[int, int], matrix: str) -> None:
    frame = _patches(matrix, False, "yuv444p", size)
    frame.colorspace = 2
    image = PixelConverter()(frame)
    np.testing.assert_allclose(_stripes_of(image), list(_COLOURS.values()), atol=2)


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "name", "options"),
    [
        ("libx264", "yuv420p", "a.mp4", {"qp": "4"}),
        ("libx264", "yuv422p", "a.mp4", {"qp": "4"}),
        ("libx264", "yuv444p", "a.mkv", {"qp": "0"}),
        ("libx264", "yuvj420p", "a.mp4", {"qp": "4"}),
        ("libx264", "yuv420p10le", "a.mp4", {"qp": "4"}),
        ("libx265", "yuv420p10le", "a.mp4", {"x265-params": "crf=4:log-level=none"}),
        ("libx265", "yuv444p", "a.mkv", {"x265-params": "crf=4:log-level=none"}),
        ("libvpx", "yuv420p", "a.webm", {"crf": "4", "b": "4M"}),
        ("libvpx-vp9", "yuv444p", "a.webm", {"lossless": "1"}),
        ("libsvtav1", "yuv420p10le", "a.mp4", {"crf": "5", "preset": "10"}),
        ("prores_ks", "yuv422p10le", "a.mov", {}),
        ("prores_ks", "yuva444p10le", "a.mov", {}),
        ("mjpeg", "yuvj420p", "a.avi", {"qmin": "1", "qmax": "1"}),
        ("mpeg4", "yuv420p", "a.avi", {"qmin": "1", "qmax": "1"}),
        ("mpeg2video", "yuv420p", "a.mpg", {"qmin": "1", "qmax": "1"}),
        ("ffv1", "yuv444p", "a.mkv", {}),
        ("png", "rgb24", "a.mov", {}),
        ("png", "rgba", "a.mov", {}),
        ("qtrle", "rgb24", "a.mov", {}),
        ("qtrle", "argb", "a.mov", {}),
        ("utvideo", "gbrp", "a.avi", {}),
        ("wmv2", "yuv420p", "a.wmv", {"qmin": "1", "qmax": "1"}),
        ("flv", "yuv420p", "a.flv", {"qmin": "1", "qmax": "1"}),
    ],
)
def test_codecs_and_pixel_formats(
    encode: Callable[..., Path], codec: str, pix_fmt: str, name: str, options: dict[str, str]
) -> None:
    width, height = 280, 144
    stripes = np.arange(width) * len(_COLOURS) // width
    picture = np.broadcast_to(
        np.array(list(_COLOURS.values()), np.uint8)[stripes], (height, width, 3)
    )
    path = encode(name, [picture] * 5, codec=codec, pix_fmt=pix_fmt, options=options, rate=25)
    (recording,) = open_recordings(path)
    frames = list(recording.frames())
    assert len(frames) == 5
    assert recording.problems == ()
    for frame in frames:
        assert frame.image.shape == (height, width, 3)
        assert frame.image.dtype == np.uint8
        np.testing.assert_allclose(_stripes_of(frame.image), list(_COLOURS.values()), atol=12)


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "name"),
    [("libvpx-vp9", "yuva420p", "a.webm"), ("qtrle", "argb", "a.mov"), ("png", "rgba", "a.mov"),
     ("prores_ks", "yuva444p10le", "a.mov"), ("ffv1", "yuva444p", "a.mkv")],
)  # fmt: skip
def test_alpha_is_ignored(encode: Callable[..., Path], codec: str, pix_fmt: str, name: str) -> None:
    rgba = np.full((48, 64, 4), (200, 100, 50, 255), np.uint8)
    rgba[:24, :, 3] = 0
    path = encode(name, [rgba] * 3, codec=codec, pix_fmt=pix_fmt, input_format="rgba")
    for image in _images(path):
        np.testing.assert_allclose(image.reshape(-1, 3).mean(0), (200, 100, 50), atol=6)
        np.testing.assert_allclose(image[4, 32], image[44, 32], atol=6)


def test_frames_may_change_size_on_the_way(tmp_path: Path, encode: Callable[..., Path]) -> None:
    first = encode("1.ts", 20, options={"bf": "0"})
    large = [np.full((96, 128, 3), 200, np.uint8)] * 20
    second = encode("2.ts", large, pts=range(20, 40), options={"bf": "0"})
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    shapes = [image.shape for image in _images(joined)]
    assert shapes[0] == (48, 64, 3)
    assert shapes[-1] == (96, 128, 3)
    assert len(shapes) == 40


def test_a_video_and_its_frames_as_png_are_the_same(
    encode: Callable[..., Path], set_matrix: Callable[..., None], tmp_path: Path
) -> None:
    rng = np.random.default_rng(5)
    noise = [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(12)]
    path = encode("a.mp4", noise, options={"bf": "2"})
    set_matrix(path, (0, 1, -1, 0))
    (tmp_path / "frames").mkdir()
    frames = list(open_recordings(path)[0].frames())
    for frame in frames:
        PIL.Image.fromarray(frame.image).save(tmp_path / f"frames/frame{frame.index}.png")
    (folder,) = open_recordings(tmp_path / "frames")
    stills = list(folder.frames())
    assert [f.index for f in stills] == [f.index for f in frames]
    for still, frame in zip(stills, frames, strict=True):
        np.testing.assert_array_equal(still.image, frame.image)


# -- which stream -------------------------------------------------------------------------------


def _two_videos(path: Path, first: tuple[int, int], second: tuple[int, int], default: int) -> Path:
    from av.stream import Disposition

    with av.open(str(path), "w") as container:
        streams = []
        for i, (width, height) in enumerate((first, second)):
            stream = container.add_stream("libx264", rate=10)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.disposition = Disposition.default if i == default else Disposition(0)
            streams.append(stream)
        for n in range(10):
            for stream in streams:
                image = np.full((stream.height, stream.width, 3), 20 * n, np.uint8)
                frame = av.VideoFrame.from_ndarray(image)
                frame.pts, frame.time_base = n, Fraction(1, 10)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("first", "second", "default", "shape"),
    [
        ((64, 48), (128, 96), 0, (48, 64)),
        ((64, 48), (128, 96), 1, (96, 128)),
        ((64, 48), (128, 96), -1, (96, 128)),
        ((128, 96), (64, 48), -1, (96, 128)),
    ],
)
def test_of_several_videos_the_default_is_read_then_the_largest(
    tmp_path: Path,
    first: tuple[int, int],
    second: tuple[int, int],
    default: int,
    shape: tuple[int, int],
) -> None:
    path = _two_videos(tmp_path / "two.mkv", first, second, default)
    (recording,) = open_recordings(path)
    frames = list(recording.frames())
    assert len(frames) == 10
    assert frames[0].image.shape[:2] == shape
    assert [f.index for f in recording.frames(start=0.5)] == [5, 6, 7, 8, 9]
    assert len(recording.describe().other_video) == 1


def _with_cover(path: Path, video: bool, add_sound: Callable[..., None]) -> Path:
    from av.stream import Disposition

    with av.open(str(path), "w") as container:
        film = container.add_stream("libx264", rate=10) if video else None
        cover = container.add_stream("mjpeg", rate=10)
        cover.width, cover.height, cover.pix_fmt = 640, 480, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        sound = container.add_stream("aac", rate=44100)
        if film is not None:
            film.width, film.height, film.pix_fmt = 64, 48, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((480, 640, 3), np.uint8))
        picture.pts, picture.time_base = 0, Fraction(1, 10)
        packets = [*cover.encode(picture), *cover.encode(None)]
        if film is not None:
            for n in range(10):
                frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 20 * n, np.uint8))
                frame.pts, frame.time_base = n, Fraction(1, 10)
                container.mux(film.encode(frame))
            container.mux(film.encode(None))
        container.mux(packets)
        add_sound(container, sound, 1.0)
    return path


def test_a_cover_picture_is_not_the_film(tmp_path: Path, add_sound: Callable[..., None]) -> None:
    path = _with_cover(tmp_path / "cover.mp4", True, add_sound)
    (recording,) = open_recordings(path)
    frames = list(recording.frames())
    assert len(frames) == 10
    assert frames[0].image.shape == (48, 64, 3)
    info = recording.describe()
    assert info.other_video == ("cover, mjpeg, 640x480",)
    assert info.audio == ("aac, 44100 Hz, 2 channels",)


def test_sound_with_a_cover_picture_is_sound(
    tmp_path: Path, add_sound: Callable[..., None]
) -> None:
    from facemt_analysis.errors import MediaError

    path = _with_cover(tmp_path / "song.mp4", False, add_sound)
    with pytest.raises(MediaError, match=r"song\.mp4: has sound only"):
        open_recordings(path)


def test_describe(encode: Callable[..., Path]) -> None:
    def tag(stream: av.VideoStream) -> None:
        stream.codec_context.colorspace = 1
        stream.codec_context.color_range = 1

    path = encode("a.mp4", 50, rate=25, sound=2.0, prepare=tag)
    info = open_recordings(path)[0].describe()
    assert (info.kind, info.codec, info.pixel_format) == ("video", "h264", "yuv420p")
    assert (info.width, info.height, info.frames, info.frames_exact) == (64, 48, 50, True)
    assert info.rate == 25.0
    assert info.duration == pytest.approx(2.0, abs=0.05)
    assert info.variable_rate is False
    assert info.colour == "BT.709, limited range"
    assert info.size_bytes == path.stat().st_size
    assert info.container is not None
    assert "mp4" in info.container
