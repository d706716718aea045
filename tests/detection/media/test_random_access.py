"""Single frames by time are the frames that reading in order gives."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from threading import Thread

import av
import numpy as np
import pytest

from facemt_analysis.detection.media import open_recordings
from facemt_analysis.detection.media.passing import Way
from facemt_analysis.detection.media.random_access import FrameReader
from facemt_analysis.errors import MediaError


def film(path: Path, times_ms: list[int], *, codec: str = "libx264", gop: int = 6) -> Path:
    """A film whose frames are told apart by their grey level, with these timestamps."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        stream.options = {"g": str(gop), "bf": "2"} if codec == "libx264" else {"g": str(gop)}
        for i, stamp in enumerate(times_ms):
            pixels = np.full((48, 64, 3), 10 + 5 * i % 240, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = stamp, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


TIMES = [0, 40, 80, 120, 160, 200, 240, 300, 400, 410, 450, 500, 540, 580, 620, 1500, 1540, 1580,
         1620, 1660, 1700, 1740, 1780, 1820, 1860, 1900, 1940, 1980, 2020, 2060]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.ts", "libx264"), ("a.webm", "libvpx-vp9")],
)
def test_any_order_gives_the_frames_of_reading_in_order(
    tmp_path: Path, name: str, codec: str
) -> None:
    path = film(tmp_path / name, TIMES, codec=codec)
    (recording,) = open_recordings(path)
    frames = list(recording.frames())
    assert len(frames) == len(TIMES)
    rng = np.random.default_rng(7)
    with FrameReader(path) as reader:
        for i in [*rng.permutation(len(frames)), *range(len(frames))]:
            found = reader.at(frames[i].time)
            assert found.time == pytest.approx(frames[i].time, abs=1e-6)
            np.testing.assert_array_equal(found.image, frames[i].image)


def test_between_frames_the_earlier_one_is_on_the_screen(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", TIMES)
    with FrameReader(path) as reader:
        assert reader.at(1.49).time == pytest.approx(0.62)
        assert reader.at(0.0).time == 0.0
        assert reader.at(-5.0).time == 0.0
        assert reader.at(99.0).time == pytest.approx(2.06)
        assert reader.at(1.0).time == pytest.approx(0.62)


def test_frames_are_kept_within_bounds(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", TIMES)
    size = 64 * 48 * 3
    with FrameReader(path, cache_bytes=3 * size) as reader:
        first = reader.at(0.0).image
        assert reader.at(0.01).image is first
        for time in (0.5, 1.6, 2.0):
            reader.at(time)
        assert reader.at(0.0).image is not first
        assert len(reader._cache) == 3
        with pytest.raises(ValueError, match="read-only"):
            first[0, 0, 0] = 1


def test_wide_frames_are_scaled_down(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", TIMES)
    with FrameReader(path, width=32) as reader:
        assert reader.at(0.2).image.shape == (24, 32, 3)
    with FrameReader(path, width=320) as reader:
        assert reader.at(0.2).image.shape == (48, 64, 3)


def test_threads_may_ask_together(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", TIMES)
    wrong: list[float] = []
    with FrameReader(path) as reader:

        def ask(seed: int) -> None:
            for i in np.random.default_rng(seed).permutation(len(TIMES)):
                if abs(reader.at(TIMES[i] / 1000).time - TIMES[i] / 1000) > 1e-6:
                    wrong.append(TIMES[i])

        threads = [Thread(target=ask, args=(seed,)) for seed in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert not wrong


def test_what_cannot_be_shown(tmp_path: Path, cut_video: Path) -> None:
    with pytest.raises(MediaError, match=r"a\.mp4"):
        FrameReader(tmp_path / "a.mp4")
    broken = tmp_path / "b.mp4"
    broken.write_bytes(b"nothing that is a video" * 50)
    with pytest.raises(MediaError, match=r"b\.mp4"):
        FrameReader(broken)
    with FrameReader(cut_video) as reader:  # shows what there is
        assert reader.at(0.0).image.ndim == 3
        last = reader.at(1.1)
        assert last.time < 1.1
        with pytest.raises(MediaError, match="no frame at nan"):
            reader.at(float("nan"))


def test_real_films(shared: Path) -> None:
    for name in ("WolfgangLanger_Pexels.mp4", "single_face.mp4", "face_noface.mov"):
        path = shared / "media" / name
        (recording,) = open_recordings(path)
        frames = list(recording.frames(every=7))
        with FrameReader(path) as reader:
            for frame in reversed(frames):
                found = reader.at(frame.time)
                assert found.time == pytest.approx(frame.time, abs=1e-6), name
                np.testing.assert_array_equal(found.image, frame.image)


def test_a_long_way_from_a_key_picture(tmp_path: Path) -> None:
    # 5 s between key pictures: pictures nobody refers to are not decoded on the way
    times = [40 * i for i in range(48)] + [2000 + 40 * i for i in range(100)]
    path = film(tmp_path / "a.mp4", times, gop=125)
    (recording,) = open_recordings(path)
    frames = list(recording.frames())
    with FrameReader(path, cache_bytes=1) as reader:
        for i in (120, 60, 147, 3, 119, 100):
            found = reader.at(frames[i].time)
            assert found.time == pytest.approx(frames[i].time, abs=1e-6)
            np.testing.assert_array_equal(found.image, frames[i].image)


def test_patience_gives_a_frame_on_the_way_first(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [40 * i for i in range(100)], gop=125)
    (recording,) = open_recordings(path)
    frames = list(recording.frames())
    with FrameReader(path) as reader:
        shown = [reader.at(frames[90].time, patience=0.0)]
        while not shown[-1].exact:
            shown.append(reader.at(frames[90].time, patience=0.0))
        assert len(shown) > 3
        assert all(a.time < b.time for a, b in pairwise(shown))
        for found in shown:  # they are frames of the film, each said to be what it is
            index = round(found.time / 0.04)
            assert found.exact == (index == 90)
            np.testing.assert_array_equal(found.image, frames[index].image)
        assert len(reader._cache) == 1  # what was not asked for is not kept
        assert reader.at(frames[90].time, patience=0.0).image is shown[-1].image
    for near in range(1, 12):  # pictures that had been left out on the way to another
        with FrameReader(path) as reader:
            reached = reader.at(frames[90].time, patience=0.0)
            index = round(reached.time / 0.04) + near
            np.testing.assert_array_equal(reader.at(index / 25).image, frames[index].image)


@pytest.mark.parametrize(
    ("stamps", "target", "passed"),
    [
        pytest.param([0, 1, 2, 3], 2, [0, 1], id="no reordering"),
        pytest.param([0, 4, 2, 1, 3, 8, 6, 5, 7], 5, [0, 4, 2, 1, 3], id="a pyramid"),
        pytest.param([0, 4, 2, 1, 3], 4, [0, 2, 1, 3], id="target before others in the file"),
        pytest.param([0, 40, 20, 10], 25, [0, 10], id="between frames"),
        pytest.param([0, None, 2], 2, [0], id="no timestamp"),
        pytest.param([0, 9, 8, 7, 6, 5, 4, 3, 2, 1], 1, [0], id="far apart in the file"),
        pytest.param([0, 1], None, [], id="no target"),
    ],
)
def test_what_is_passed(stamps: list[int | None], target: int | None, passed: list[int]) -> None:
    packets = []
    for stamp in stamps:
        packets.append(av.Packet(4))
        packets[-1].pts = stamp
    way = Way(iter(packets))
    if target is not None:
        way.lead_to(target)
    assert [packet.pts for packet, left_out in way if left_out] == passed
    assert [p.pts for p in packets] == stamps
    reached = [s for s in stamps if s is not None and target is not None and s <= target]
    assert way.expected == (max(reached) if reached else None)


def test_only_a_few_packets_are_read_ahead() -> None:
    read = 0

    def endless() -> Iterator[av.Packet]:
        nonlocal read
        while True:
            packet = av.Packet(4)
            packet.pts = read
            read += 1
            yield packet

    way = Way(endless())
    way.lead_to(1000)
    for packet, _ in way:
        assert read - packet.pts <= 18
        if packet.pts == 1010:
            break


def test_a_damaged_picture_shows_the_one_before_it(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", [40 * i for i in range(60)], gop=60)
    with av.open(str(path)) as container:
        sizes = [(p.pts, p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    for stamp, position, size in sizes:
        if stamp in (1480, 1520):
            at = data.index(bytes(data[position : position + 4]), position)
            data[at + 12 : at + size] = bytes(max(0, size - 12))
    path.write_bytes(data)
    (recording,) = open_recordings(path)
    frames = list(recording.frames())
    with FrameReader(path) as reader:
        for time in (1.5, 1.46, 1.53, 2.0):
            before = [f for f in frames if f.time <= time + 1e-6][-1]
            found = reader.at(time)
            assert found.time == pytest.approx(before.time, abs=1e-6)
            np.testing.assert_array_equal(found.image, before.image)
