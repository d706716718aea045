"""The time of a frame: the stream's own timestamps, from the start of the container."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from facemt_analysis.detection.media import open_recordings
from facemt_analysis.detection.media.clock import Clock

_CONTAINERS = ["a.mp4", "a.mov", "a.mkv", "a.ts", "a.avi", "a.flv"]
_TICKS = {".mkv": 1e-3, ".flv": 1e-3, ".ts": 1 / 90000}


def _read(path: Path, **choice: float) -> tuple[list[int], list[float]]:
    frames = list(open_recordings(path)[0].frames(**choice))  # type: ignore[arg-type]
    return [f.index for f in frames], [f.time for f in frames]


@pytest.mark.parametrize("name", _CONTAINERS)
@pytest.mark.parametrize("bframes", [0, 3])
def test_constant_rate(
    encode: Callable[..., Path], number_of: Callable[..., int], name: str, bframes: int
) -> None:
    path = encode(name, 50, rate=25, options={"bf": str(bframes), "g": "20"})
    (recording,) = open_recordings(path)
    frames = list(recording.frames())
    assert [number_of(f.image) for f in frames] == list(range(50))
    assert [f.index for f in frames] == list(range(50))
    tick = _TICKS.get(path.suffix, 1e-9)
    np.testing.assert_allclose([f.time for f in frames], np.arange(50) / 25, atol=tick)
    assert recording.count() == pytest.approx(50, abs=1)
    assert recording.problems == ()


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
@pytest.mark.parametrize("bframes", [0, 3])
def test_variable_rate(
    encode: Callable[..., Path], number_of: Callable[..., int], name: str, bframes: int
) -> None:
    rng = np.random.default_rng(0)
    ms = np.concatenate([[0], np.cumsum(rng.choice([8, 33, 41, 500], 59))])
    path = encode(
        name, 60, pts=ms.tolist(), time_base=Fraction(1, 1000),
        options={"bf": str(bframes), "g": "25"},
    )  # fmt: skip
    (recording,) = open_recordings(path)
    frames = list(recording.frames())
    np.testing.assert_allclose([f.time for f in frames], ms / 1000, atol=1.2e-5)
    assert [number_of(f.image) for f in frames] == list(range(60))
    assert recording.describe().variable_rate is True


def test_times_are_exact_to_the_last_bit(encode: Callable[..., Path]) -> None:
    path = encode("a.mp4", 40, rate=Fraction(30000, 1001))
    _, times = _read(path)
    assert times == [float(Fraction(i * 1001, 30000)) for i in range(40)]


def test_zero_is_the_start_of_the_container_not_of_the_video(encode: Callable[..., Path]) -> None:
    # sound from 0, the first picture half a second later
    pts = [15 + i for i in range(30)]
    path = encode("a.mkv", 30, pts=pts, time_base=Fraction(1, 30), sound=2.0)
    _, times = _read(path)
    with av.open(str(path)) as container:
        start = container.start_time / 1e6
    np.testing.assert_allclose(times, np.array(pts) / 30 - start, atol=1e-3)
    assert times[0] > 0.45


@pytest.mark.parametrize("name", ["a.mkv", "a.ts"])
def test_a_late_container_starts_at_zero(encode: Callable[..., Path], name: str) -> None:
    options = {"avoid_negative_ts": "disabled"}
    path = encode(
        name, 30, pts=[900 + i for i in range(30)], time_base=Fraction(1, 30),
        container_options=options, options={"bf": "0"},
    )  # fmt: skip
    with av.open(str(path)) as container:
        assert container.start_time > 20e6
    _, times = _read(path)
    np.testing.assert_allclose(times, np.arange(30) / 30, atol=1e-3)
    assert times[0] == 0.0
    _, later = _read(path, start=0.5)
    np.testing.assert_allclose(later, np.arange(15, 30) / 30, atol=1e-3)


def test_edit_list_cuts_off_and_times_from_the_cut(
    encode: Callable[..., Path], number_of: Callable[..., int]
) -> None:
    # An encoder that starts before 0 makes the muxer write an edit list: what is before 0 is not
    # shown, as in a clip that a phone has trimmed.
    path = encode(
        "a.mp4", 40, pts=[i - 10 for i in range(40)], time_base=Fraction(1, 20), rate=20,
        options={"bf": "2", "g": "50"},
        container_options={"avoid_negative_ts": "disabled", "use_editlist": "1"},
    )  # fmt: skip
    (recording,) = open_recordings(path)
    frames = list(recording.frames())
    first = number_of(frames[0].image)
    assert [number_of(f.image) for f in frames] == list(range(first, 40))
    assert [f.index for f in frames] == list(range(len(frames)))
    np.testing.assert_allclose([f.time for f in frames], np.arange(len(frames)) / 20, atol=1e-9)
    assert first == 10
    assert recording.count() == 30
    assert recording.describe().frames == 30
    assert recording.problems == ()
    assert [f.index for f in recording.frames(start=1.0)] == list(range(20, 30))


def test_bare_stream_has_no_clock_unless_given_one(
    encode: Callable[..., Path], number_of: Callable[..., int]
) -> None:
    path = encode("a.h264", 30, format="h264", options={"bf": "2"})
    (recording,) = open_recordings(path)
    assert not recording.has_clock
    frames = list(recording.frames())
    assert [number_of(f.image) for f in frames] == list(range(30))
    assert np.isnan([f.time for f in frames]).all()
    info = recording.describe()
    assert (info.duration, info.rate) == (None, None)
    (timed,) = open_recordings(path, frame_rate=10.0)
    assert [f.time for f in timed.frames(start=1.0, stop=1.5)] == [1.0, 1.1, 1.2, 1.3, 1.4]


def test_frame_rate_does_not_override_a_clock(encode: Callable[..., Path]) -> None:
    path = encode("a.mp4", 10, rate=20)
    (recording,) = open_recordings(path, frame_rate=5.0)
    np.testing.assert_allclose([f.time for f in recording.frames()], np.arange(10) / 20)


def test_spliced_stream_goes_on_after_the_splice(
    encode: Callable[..., Path], number_of: Callable[..., int], picture: Callable[..., np.ndarray]
) -> None:
    first = encode("1.ts", [picture(i) for i in range(60)])
    second = encode("2.ts", [picture(i) for i in range(60, 90)])
    spliced = first.with_name("spliced.ts")
    spliced.write_bytes(first.read_bytes() + second.read_bytes())
    (recording,) = open_recordings(spliced)
    frames = list(recording.frames())
    assert [number_of(f.image) for f in frames] == list(range(90))
    assert [f.index for f in frames] == list(range(90))
    times = np.array([f.time for f in frames])
    np.testing.assert_allclose(np.diff(times)[:59], 1 / 30, atol=1e-4)
    np.testing.assert_allclose(np.diff(times)[61:], 1 / 30, atol=1e-4)
    assert (np.diff(times) > 0).all()
    assert recording.problems == ("1 jumps of the clock back in time were taken out",)
    # a range behind the splice is not found by seeking, but found
    later = list(recording.frames(start=2.5))
    assert [f.index for f in later] == [f.index for f in frames if f.time >= 2.5]
    assert [f.time for f in later] == [f.time for f in frames if f.time >= 2.5]


def test_clock_never_stands_still() -> None:
    clock = Clock(Fraction(1, 100), Fraction(0), Fraction(1, 25))
    times = [clock.time(s) for s in (0, 4, 4, 3, 8, None, None, 20)]
    np.testing.assert_allclose(times, [0, 0.04, 0.05, 0.06, 0.08, 0.12, 0.16, 0.2])
    assert (clock.repeated, clock.missing) == (2, 2)


@pytest.mark.parametrize("name", _CONTAINERS)
@pytest.mark.parametrize(
    "choice",
    [
        {"every": 7}, {"fps": 4.0}, {"fps": 0.7}, {"start": 0.5}, {"stop": 1.1},
        {"start": 0.61, "stop": 1.37}, {"start": 0.4, "every": 20}, {"start": 0.3, "fps": 1.5},
        {"every": 33, "stop": 2.5},
    ],
)  # fmt: skip
def test_sampling_selects_from_the_whole_stream(
    encode: Callable[..., Path],
    number_of: Callable[..., int],
    name: str,
    choice: dict[str, float],
) -> None:
    path = encode(name, 90, options={"bf": "2", "g": "15"})
    (recording,) = open_recordings(path)
    everything = list(recording.frames())
    chosen = list(recording.frames(**choice))  # type: ignore[arg-type]
    assert chosen
    lo, hi = choice.get("start", 0.0), choice.get("stop", 99.0)
    inside = [f for f in everything if lo <= f.time < hi]
    if "fps" in choice:
        tolerance = _TICKS.get(path.suffix, 1e-9) / 2
        grid = [lo + k / choice["fps"] for k in range(20)]
        first = [next((f.index for f in inside if f.time >= t - tolerance), None) for t in grid]
        expected = sorted({i for i in first if i is not None})
    else:
        expected = [f.index for f in inside if f.index % choice.get("every", 1) == 0]
    assert [f.index for f in chosen] == expected
    for frame in chosen:
        same = everything[frame.index]
        assert frame.time == same.time
        np.testing.assert_array_equal(frame.image, same.image)
        assert number_of(frame.image) == frame.index


def test_start_beyond_the_end(encode: Callable[..., Path]) -> None:
    from facemt_analysis.errors import MediaError

    (recording,) = open_recordings(encode("a.mp4", 30))
    with pytest.raises(MediaError, match=r"a\.mp4: there is no frame at start=5 s.*about 1 s"):
        list(recording.frames(start=5.0))
