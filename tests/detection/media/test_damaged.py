"""Videos that are cut off, damaged or absurd: what is there is read, what is missing is said."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from facemt_analysis.detection.media import open_recordings
from facemt_analysis.detection.media.random_access import FrameReader
from facemt_analysis.errors import MediaError

_NOISE = np.random.default_rng(0).integers(0, 255, (100, 48, 64, 3), np.uint8)
_GOP = {"g": "25", "bf": "2"}
_FASTSTART = {"movflags": "faststart"}


@pytest.fixture
def film(encode: Callable[..., Path], picture: Callable[..., np.ndarray]) -> Callable[..., Path]:
    """A hundred numbered pictures with noise below, so that packets are large."""

    def make(name: str, **kwargs: object) -> Path:
        pictures = [picture(i) for i in range(100)]
        for image, noise in zip(pictures, _NOISE, strict=True):
            image[16:] = noise[16:]
        options = {"options": _GOP, **kwargs}
        if name.endswith(".mp4"):
            options.setdefault("container_options", _FASTSTART)
        return encode(name, pictures, **options)

    return make


def _cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def _spoil(path: Path, at: float, length: int, seed: int = 0) -> Path:
    data = bytearray(path.read_bytes())
    first = int(len(data) * at)
    data[first : first + length] = np.random.default_rng(seed).bytes(length)
    path.write_bytes(bytes(data))
    return path


@pytest.mark.parametrize("share", [0.3, 0.62, 0.9])
def test_truncated_mp4_counts_what_is_missing(
    film: Callable[..., Path], number_of: Callable[..., int], share: float
) -> None:
    (recording,) = open_recordings(_cut(film("a.mp4"), share))
    frames = list(recording.frames())
    assert 0.6 * share < len(frames) / 100 < 1.1 * share
    assert [number_of(f.image) for f in frames] == [f.index for f in frames]
    (problem,) = recording.problems
    assert problem == f"{100 - len(frames)} of 100 frames are missing: the file ends early"


def test_truncated_mp4_beyond_the_cut(film: Callable[..., Path]) -> None:
    (recording,) = open_recordings(_cut(film("a.mp4"), 0.5))
    with pytest.raises(MediaError, match=r"there is no frame at start=3 s.*missing"):
        list(recording.frames(start=3.0))


def test_a_range_before_the_cut_is_whole(film: Callable[..., Path]) -> None:
    (recording,) = open_recordings(_cut(film("a.mp4"), 0.7))
    assert [f.index for f in recording.frames(start=1.0, stop=1.5)] == list(range(30, 45))
    assert recording.problems == ()


@pytest.mark.parametrize(
    ("name", "codec", "sound"),
    [("a.mkv", "libx264", 0.0), ("a.mkv", "libx264", 3.4), ("a.webm", "libvpx", 0.0)],
)
def test_truncated_matroska_says_how_much(
    film: Callable[..., Path], name: str, codec: str, sound: float
) -> None:
    options = _GOP if codec == "libx264" else {"g": "25", "b": "4M", "deadline": "realtime"}
    (recording,) = open_recordings(_cut(film(name, codec=codec, options=options, sound=sound), 0.6))
    frames = list(recording.frames())
    (problem,) = recording.problems
    said = re.fullmatch(
        r"about (\d+) frames missing: the file ends (\d+\.\d) s earlier than it says", problem
    )
    assert said
    assert int(said[1]) == pytest.approx(100 - len(frames), abs=2)
    assert float(said[2]) == pytest.approx((100 - len(frames)) / 30, abs=0.1)


def test_sound_longer_than_the_video_is_no_loss(film: Callable[..., Path]) -> None:
    for name in ("a.mkv", "a.mp4", "a.ts"):
        (recording,) = open_recordings(film(name, sound=8.0))
        assert len(list(recording.frames())) == 100
        assert recording.problems == ()


def test_truncated_avi(film: Callable[..., Path]) -> None:
    (recording,) = open_recordings(_cut(film("a.avi", codec="mpeg4", options={"bf": "0"}), 0.6))
    frames = list(recording.frames())
    assert 40 < len(frames) < 70
    assert any("of 100 frames are missing" in p for p in recording.problems)


def test_truncated_transport_stream_gives_what_it_has(film: Callable[..., Path]) -> None:
    # such a stream has no length that it could fall short of
    (recording,) = open_recordings(_cut(film("a.ts"), 0.6))
    frames = list(recording.frames())
    assert 50 < len(frames) < 70


def test_cut_before_the_index(encode: Callable[..., Path]) -> None:
    path = _cut(encode("a.mp4", 100), 0.6)  # this one's index is at its end
    with pytest.raises(MediaError, match=r"a\.mp4: the video has no index") as caught:
        open_recordings(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi"])
@pytest.mark.parametrize("at", [0.4, 0.7])
def test_damage_in_the_middle_is_survived(
    film: Callable[..., Path], number_of: Callable[..., int], name: str, at: float
) -> None:
    path = film(name, options={"g": "10", "bf": "0"})
    (recording,) = open_recordings(_spoil(path, at, 6000))
    frames = list(recording.frames())
    assert 85 <= len(frames) <= 100
    times = np.array([f.time for f in frames])
    assert (np.diff(times) > 0).all()
    # what lies before and behind the damage is what it was, at the time it was
    for frame in (*frames[:30], *frames[-15:]):
        number = number_of(frame.image)
        if name == "a.avi":  # it counts pictures instead of timing them
            continue
        assert frame.time == pytest.approx(number / 30, abs=2e-3)
        if name == "a.mp4":
            assert frame.index == number
    if len(frames) < 100 and name != "a.mkv":
        assert recording.problems


def test_damaged_packets_keep_their_numbers_and_are_counted(film: Callable[..., Path]) -> None:
    path = film("a.mp4", codec="mjpeg", pix_fmt="yuvj420p", options={})
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    for i in (60, 61, 75):
        start, size = packets[i]
        data[start : start + size] = bytes(size)
    path.write_bytes(bytes(data))
    (recording,) = open_recordings(path)
    expected = [i for i in range(100) if i not in (60, 61, 75)]
    assert [f.index for f in recording.frames()] == expected
    assert recording.problems == ("3 frames could not be decoded: damaged data",)
    assert [f.index for f in recording.frames(start=2.2)] == [i for i in expected if i >= 66]
    assert recording.problems == ("1 frame could not be decoded: damaged data",)
    times = [f.time for f in recording.frames()]
    np.testing.assert_allclose(times, np.array(expected) / 30, atol=1e-9)


def test_nothing_but_damage(film: Callable[..., Path]) -> None:
    path = film("a.mp4", codec="mjpeg", pix_fmt="yuvj420p", options={})
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    for start, size in packets:
        data[start : start + size] = bytes(size)
    path.write_bytes(bytes(data))
    (recording,) = open_recordings(path)
    with pytest.raises(MediaError, match=r"a\.mp4: no frame could be read \(.*100 frames"):
        list(recording.frames())
    with pytest.raises(MediaError, match=r"a\.mp4: no frame can be decoded"):
        recording.describe()


def _header_size(path: Path, width: int, height: int) -> None:
    """Claim another picture size in the sample description of a QuickTime file."""
    data = bytearray(path.read_bytes())
    entry = data.index(b"stsd") + 4 + 8  # full box header, entry count
    struct.pack_into(">HH", data, entry + 8 + 8 + 16, width, height)
    path.write_bytes(bytes(data))


def test_absurd_dimensions(encode: Callable[..., Path]) -> None:
    path = encode("a.mov", 3, codec="qtrle", pix_fmt="rgb24")
    _header_size(path, 32000, 32000)
    with pytest.raises(MediaError, match=r"a\.mov: ") as caught:
        list(open_recordings(path)[0].frames())
    assert "\n" not in str(caught.value)


def test_bomb_inside_a_video(encode: Callable[..., Path]) -> None:
    path = encode("a.mov", 3, codec="png", pix_fmt="rgb24")
    data = bytearray(path.read_bytes())
    for found in re.finditer(b"IHDR", bytes(data)):
        struct.pack_into(">II", data, found.start() + 4, 60_000, 60_000)
    path.write_bytes(bytes(data))
    with pytest.raises(MediaError, match=r"a\.mov"):
        list(open_recordings(path)[0].frames())


def test_every_cut_ends_in_frames_or_an_error(encode: Callable[..., Path]) -> None:
    """Whatever the length of the remains, nothing but a MediaError comes out."""
    whole = encode("a.mp4", 20, container_options=_FASTSTART).read_bytes()
    path = encode("b.mp4", 2)
    messages = []
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        try:
            (recording,) = open_recordings(path)
            n = len(list(recording.frames()))
        except MediaError as error:
            messages.append(str(error))
        else:
            assert n == 20 or recording.problems
    assert len(messages) > 3
    assert not any("\n" in message for message in messages)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts", "a.gif", "a.flv"])
def test_spoilt_files_end_in_frames_or_an_error(
    encode: Callable[..., Path], tmp_path: Path, name: str, picture: Callable[..., np.ndarray]
) -> None:
    if name == "a.gif":
        import PIL.Image

        stills = [PIL.Image.fromarray(picture(i)) for i in range(8)]
        path = tmp_path / name
        stills[0].save(path, save_all=True, append_images=stills[1:])
    else:
        path = encode(name, 20)
    whole = path.read_bytes()
    rng = np.random.default_rng(7)
    messages = []
    for _ in range(25):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), 12):
            data[place] = rng.integers(0, 256)
        path.write_bytes(bytes(data))
        try:
            (recording,) = open_recordings(path)
            frames = list(recording.frames())
            recording.describe()
            list(recording.frames(start=0.3, stop=0.4))
        except MediaError as error:
            messages.append(str(error))
        else:
            times = [f.time for f in frames]
            assert all(b > a for a, b in pairwise(times))
    assert not any("\n" in message for message in messages)


def test_random_access_to_a_file_that_cannot_be_read_on(
    encode: Callable[..., Path], number_of: Callable[..., int]
) -> None:
    """The container, not the decoder, gives up here; the frames before it are there."""
    path = encode("a.y4m", 10, codec="wrapped_avframe", options={})
    whole = path.read_bytes()
    pieces = whole.split(b"FRAME\n")
    path.write_bytes(b"FRAME\n".join(pieces[:6]) + b"FRAMX\n" + b"FRAME\n".join(pieces[6:]))
    with FrameReader(path) as reader:
        assert number_of(reader.at(0.1).image) == 3
        assert number_of(reader.at(9.0).image) == 4  # the last there is
    path.write_bytes(b"FRAMX\n".join(pieces))
    with pytest.raises(MediaError, match=r"a\.y4m"):
        FrameReader(path)
