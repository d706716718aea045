"""A frame is the same frame, with the same index and time, however it was reached."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from facemt_analysis.detection.media import Frame, open_recordings
from facemt_analysis.detection.media.reader import Numbering, PictureReader

_NOISE = np.random.default_rng(0).integers(0, 60, (400, 48, 64, 3), np.uint8)


@pytest.fixture
def textured(picture: Callable[..., np.ndarray]) -> Callable[[int], list[np.ndarray]]:
    """Numbered pictures over noise that moves, so that inter-picture coding has work to do."""

    def make(n: int) -> list[np.ndarray]:
        pictures = []
        for i in range(n):
            image = picture(i)
            image[16:] = np.roll(_NOISE[i // 20], 2 * i, axis=1)[16:] + 100
            pictures.append(image)
        return pictures

    return make


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect the decoded pictures of all readers: one entry each."""
    log: list[int] = []
    original = PictureReader._decode

    def count(self: PictureReader) -> av.VideoFrame | None:
        frame = original(self)
        if frame is not None:
            log.append(1)
        return frame

    monkeypatch.setattr(PictureReader, "_decode", count)
    return log


def _assert_same(some: list[Frame], everything: list[Frame]) -> None:
    for frame in some:
        same = everything[frame.index]
        assert (frame.index, frame.time) == (same.index, same.time)
        np.testing.assert_array_equal(frame.image, same.image)


_CODECS = {
    "short closed GOP": ("libx264", {"g": "10", "bf": "0"}),
    "B-frames": ("libx264", {"g": "30", "bf": "3"}),
    "open GOP": ("libx264", {"g": "24", "bf": "3", "x264-params": "open-gop=1:keyint=24"}),
    "B-pyramid": ("libx264", {"g": "40", "bf": "8", "x264-params": "b-pyramid=normal:b-adapt=0"}),
    "long GOP": ("libx264", {"g": "150", "bf": "3", "sc_threshold": "0"}),
    "intra refresh": ("libx264", {"bf": "0", "x264-params": "intra-refresh=1:keyint=30"}),
    "HEVC open GOP": (
        "libx265", {"x265-params": "keyint=24:bframes=4:open-gop=1:log-level=none"},
    ),
    "HEVC closed GOP": (
        "libx265", {"x265-params": "keyint=24:bframes=4:open-gop=0:log-level=none"},
    ),
}  # fmt: skip
_MORE = {
    "VP8": (
        "libvpx",
        "a.webm",
        {"g": "30", "lag-in-frames": "16", "auto-alt-ref": "1", "cpu-used": "5"},
    ),
    "VP9": ("libvpx-vp9", "a.webm", {"g": "30", "lag-in-frames": "16", "auto-alt-ref": "1"}),
    "VP9 in MP4": ("libvpx-vp9", "a.mp4", {"g": "30", "lag-in-frames": "16"}),
    "AV1": ("libsvtav1", "a.mp4", {"g": "30", "preset": "12"}),
    "MJPEG": ("mjpeg", "a.avi", {}),
    "MPEG-4 with B-frames": ("mpeg4", "a.avi", {"g": "25", "bf": "2"}),
    "MPEG-4": ("mpeg4", "a.mp4", {"g": "25", "bf": "2"}),
    "MPEG-2": ("mpeg2video", "a.mpg", {"g": "15", "bf": "2"}),
    "H.264 in AVI": ("libx264", "a.avi", {"g": "20", "bf": "3"}),
    "H.264 in FLV": ("libx264", "a.flv", {"g": "20", "bf": "3"}),
    "all key": ("ffv1", "a.mkv", {"g": "1"}),
}
_CASES = [
    pytest.param(codec, f"a.{suffix}", options, id=f"{case}, {suffix}")
    for case, (codec, options) in _CODECS.items()
    for suffix in ("mp4", "mkv", "ts")
] + [pytest.param(codec, name, options, id=case) for case, (codec, name, options) in _MORE.items()]


@pytest.mark.parametrize(("codec", "name", "options"), _CASES)
def test_starting_anywhere_gives_the_same_frames(
    encode: Callable[..., Path],
    textured: Callable[[int], list[np.ndarray]],
    number_of: Callable[..., int],
    codec: str,
    name: str,
    options: dict[str, str],
) -> None:
    n = 160
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = encode(name, textured(n), codec=codec, pix_fmt=pix_fmt, options=options)
    (recording,) = open_recordings(path)
    everything = list(recording.frames())
    assert [number_of(f.image) for f in everything] == list(range(n))
    assert [f.index for f in everything] == list(range(n))
    for first in (1, 29, 30, 31, 47, 48, 75, 110, n - 1):
        start = everything[first].time
        some = list(recording.frames(start=start, stop=start + 0.2))
        assert some[0].index == first
        _assert_same(some, everything)
    for every in (13, 40, 70):
        sparse = list(recording.frames(every=every))
        assert [f.index for f in sparse] == list(range(0, n, every))
        _assert_same(sparse, everything)
    sparse = list(recording.frames(fps=0.9, start=0.4))
    assert len(sparse) in (5, 6)
    _assert_same(sparse, everything)
    assert recording.problems == ()


@pytest.mark.parametrize(("name", "limit"), [("a.mp4", 45), ("a.mkv", 45), ("a.ts", 45)])
def test_start_does_not_decode_what_comes_before(
    encode: Callable[..., Path], decoded: list[int], name: str, limit: int
) -> None:
    path = encode(name, 300, options={"g": "30", "bf": "2", "sc_threshold": "0"})
    (recording,) = open_recordings(path)
    frames = list(recording.frames(start=9.0, stop=9.2))
    assert [f.index for f in frames] == list(range(270, 276))
    assert len(decoded) < limit


@pytest.mark.parametrize("choice", [{"every": 60}, {"fps": 0.5}])
def test_sparse_sampling_jumps_from_key_to_key(
    encode: Callable[..., Path], decoded: list[int], choice: dict[str, float]
) -> None:
    path = encode("a.mp4", 600, options={"g": "20", "bf": "2", "sc_threshold": "0"})
    (recording,) = open_recordings(path)
    frames = list(recording.frames(**choice))  # type: ignore[arg-type]
    assert [f.index for f in frames] == list(range(0, 600, 60))
    assert len(decoded) < 200


def test_dense_sampling_does_not_jump(encode: Callable[..., Path], decoded: list[int]) -> None:
    path = encode("a.mp4", 100, options={"g": "5"})
    assert len(list(open_recordings(path)[0].frames(every=3))) == 34
    assert len(decoded) == 100


def test_matroska_without_cues(encode: Callable[..., Path], decoded: list[int]) -> None:
    # as browsers record: no index, no length
    path = encode(
        "a.webm", 300, codec="libvpx", options={"g": "30", "deadline": "realtime"},
        container_options={"live": "1"},
    )  # fmt: skip
    (recording,) = open_recordings(path)
    everything = list(recording.frames())
    decoded.clear()
    some = list(recording.frames(start=8.0, stop=8.5))
    assert some[0].index == 240
    _assert_same(some, everything)
    assert len(decoded) < 60


def test_fragmented_mp4(encode: Callable[..., Path]) -> None:
    path = encode(
        "a.mp4", 200, options={"g": "25", "bf": "2"},
        container_options={"movflags": "frag_keyframe+empty_moov"},
    )  # fmt: skip
    (recording,) = open_recordings(path)
    everything = list(recording.frames())
    assert [f.index for f in everything] == list(range(200))
    assert recording.problems == ()
    some = list(recording.frames(start=5.0, stop=5.5))
    assert some[0].index == 150
    _assert_same(some, everything)


def test_sound_beside_the_video(encode: Callable[..., Path]) -> None:
    for name in ("a.mp4", "a.mkv", "a.ts"):
        path = encode(name, 200, options={"g": "25", "bf": "2"}, sound=7.0)
        (recording,) = open_recordings(path)
        everything = list(recording.frames())
        assert len(everything) == 200
        start = everything[140].time
        some = list(recording.frames(start=start))
        assert [f.index for f in some] == list(range(140, 200))
        _assert_same(some, everything)
        assert recording.problems == ()


def test_stream_that_begins_between_key_pictures(
    encode: Callable[..., Path], tmp_path: Path
) -> None:
    # a broadcast switched on in the middle: the first pictures lack what they refer to
    path = encode("whole.ts", 200, options={"g": "40", "bf": "2", "sc_threshold": "0"})
    data = path.read_bytes()
    cut = tmp_path / "cut.ts"
    half = len(data) // 5 // 188 * 188
    cut.write_bytes(data[: 188 * 3] + data[half:])
    (recording,) = open_recordings(cut)
    everything = list(recording.frames())
    assert 120 < len(everything) < 200
    assert [f.index for f in everything] == list(range(len(everything)))
    start = everything[100].time
    _assert_same(some := list(recording.frames(start=start)), everything)
    assert some[0].index == 100


def test_broken_off_reading_can_be_taken_up(encode: Callable[..., Path]) -> None:
    (recording,) = open_recordings(encode("a.mp4", 120, options={"g": "20", "bf": "2"}))
    everything = list(recording.frames())
    for _ in range(3):
        frames = recording.frames(start=2.0)
        _assert_same([next(frames), next(frames)], everything)
    both = [recording.frames(start=s) for s in (1.0, 3.0)]
    for _ in range(10):
        _assert_same([next(f) for f in both], everything)


def test_index_that_lies(
    encode: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, decoded: list[int]
) -> None:
    """Where the key picture does not come out first, the video is decoded from its beginning."""
    path = encode("a.mp4", 120, options={"g": "20", "bf": "2"})
    (recording,) = open_recordings(path)
    everything = list(recording.frames())
    from facemt_analysis.detection.media import seeking

    original = seeking._entry

    def shifted(*args: object) -> object:
        entry = original(*args)  # type: ignore[arg-type]
        import dataclasses

        return dataclasses.replace(entry, stamp=entry.stamp - 1)  # type: ignore[arg-type]

    monkeypatch.setattr(seeking, "_entry", shifted)
    decoded.clear()
    some = list(recording.frames(start=3.0))
    assert [f.index for f in some] == list(range(90, 120))
    _assert_same(some, everything)
    assert len(decoded) >= 120


def test_numbering_learns_from_the_beginning(encode: Callable[..., Path]) -> None:
    assert Numbering(encode("a.mp4", 60, options={"bf": "3"})).lost_at_start == 0
    # an AVI knows the order of decoding only
    assert Numbering(encode("a.avi", 60, options={"bf": "3"})).lost_at_start is None
    assert Numbering(encode("b.avi", 60, options={"bf": "0"})).lost_at_start == 0


@pytest.fixture(scope="module")
def two_hours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two hours at 2 Hz, a key picture every 100 s; the same packets in three containers."""
    folder = tmp_path_factory.mktemp("long")
    paths = {suffix: folder / f"long.{suffix}" for suffix in ("mp4", "mkv", "ts")}
    with av.open(str(paths["mp4"]), "w") as container:
        stream = container.add_stream(
            "libx264", rate=2, options={"g": "200", "bf": "2", "preset": "ultrafast"}
        )
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(14_400):
            image = np.zeros((48, 64, 3), np.uint8)
            for bit in range(16):
                y, x = 8 * (bit // 8), 8 * (bit % 8)
                image[y : y + 8, x : x + 8] = 255 * (i >> bit & 1)
            frame = av.VideoFrame.from_ndarray(image)
            frame.pts, frame.time_base = i, Fraction(1, 2)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    for suffix in ("mkv", "ts"):
        with av.open(str(paths["mp4"])) as source, av.open(str(paths[suffix]), "w") as target:
            copy = target.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = copy
                    target.mux(packet)
    return paths


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_first_and_last_minute_of_two_hours(
    two_hours: dict[str, Path], suffix: str, number_of: Callable[..., int], decoded: list[int]
) -> None:
    (recording,) = open_recordings(two_hours[suffix])
    began = time.perf_counter()
    first = list(recording.frames(stop=60.0))
    assert [f.index for f in first] == list(range(120))
    assert [number_of(f.image) for f in first] == list(range(120))
    last = list(recording.frames(start=7140.0))
    assert [f.index for f in last] == list(range(14_280, 14_400))
    assert [number_of(f.image) for f in last] == list(range(14_280, 14_400))
    np.testing.assert_allclose([f.time for f in last], np.arange(14_280, 14_400) / 2, atol=1e-3)
    assert len(decoded) < 700
    assert time.perf_counter() - began < 30
    assert recording.problems == ()


def test_one_frame_a_quarter_of_an_hour(
    two_hours: dict[str, Path], number_of: Callable[..., int], decoded: list[int]
) -> None:
    (recording,) = open_recordings(two_hours["mp4"])

    def all_of(frames: Iterator[Frame]) -> list[int]:
        return [number_of(f.image) for f in frames]

    assert all_of(recording.frames(fps=1 / 900)) == list(range(0, 14_400, 1800))
    assert all_of(recording.frames(every=1800)) == list(range(0, 14_400, 1800))
    assert len(decoded) < 500
