"""Animated images are recordings with the clock of their durations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from facemt_analysis.detection.media import open_recordings
from facemt_analysis.errors import MediaError

_DURATIONS = [100, 250, 40, 600, 30]  # ms
_TIMES = [0.0, 0.1, 0.35, 0.39, 0.99]


@pytest.fixture
def animation(tmp_path: Path, picture: Callable[..., np.ndarray]) -> Callable[..., Path]:
    def make(name: str, durations: list[int] = _DURATIONS, **options: object) -> Path:
        frames = [PIL.Image.fromarray(picture(i + 1)) for i in range(len(durations))]
        frames[0].save(
            tmp_path / name, save_all=True, append_images=frames[1:], duration=durations, **options
        )
        return tmp_path / name

    return make


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.gif", {}),
        ("a.png", {}),
        ("a.webp", {"lossless": True}),
        ("named.jpg", {"format": "GIF"}),
    ],
)
def test_frames_and_times(
    animation: Callable[..., Path],
    picture: Callable[..., np.ndarray],
    name: str,
    options: dict[str, object],
) -> None:
    (recording,) = open_recordings(animation(name, **options))
    frames = list(recording.frames())
    assert recording.name == name
    assert recording.has_clock
    assert recording.continuous
    assert [f.index for f in frames] == [0, 1, 2, 3, 4]
    np.testing.assert_allclose([f.time for f in frames], _TIMES, atol=1e-9)
    for i, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.image, picture(i + 1))
        assert frame.name is None
    assert recording.count() == 5
    assert recording.problems == ()


def test_avif_sequence(animation: Callable[..., Path], number_of: Callable[..., int]) -> None:
    if ".avif" not in PIL.Image.registered_extensions():
        pytest.skip("this Pillow has no AVIF")
    (recording,) = open_recordings(animation("a.avif"))
    frames = list(recording.frames())
    np.testing.assert_allclose([f.time for f in frames], _TIMES, atol=1e-3)
    assert [number_of(f.image) for f in frames] == [1, 2, 3, 4, 5]


def test_sampling(animation: Callable[..., Path]) -> None:
    (recording,) = open_recordings(animation("a.gif"))
    assert [f.index for f in recording.frames(start=0.1, stop=0.39)] == [1, 2]
    assert [f.index for f in recording.frames(fps=2.6)] == [0, 3, 4]
    assert [f.index for f in recording.frames(every=2)] == [0, 2, 4]


def test_a_frame_of_no_duration_lasts_a_tenth_of_a_second(animation: Callable[..., Path]) -> None:
    (recording,) = open_recordings(animation("a.gif", [0, 0, 50]))
    np.testing.assert_allclose([f.time for f in recording.frames()], [0.0, 0.1, 0.2])


def test_transparent_gif_lies_on_white(tmp_path: Path) -> None:
    frames = []
    for i in range(3):
        image = PIL.Image.new("RGBA", (20, 10), (0, 0, 0, 0))
        image.paste((200, 0, 0, 255), (5 * i, 0, 5 * i + 5, 10))
        frames.append(image)
    path = tmp_path / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, disposal=2)
    (recording,) = open_recordings(path)
    for i, frame in enumerate(recording.frames()):
        expected = np.full((10, 20, 3), 255)
        expected[:, 5 * i : 5 * i + 5] = (200, 0, 0)
        np.testing.assert_array_equal(frame.image, expected)


def test_picture_before_a_png_film_is_not_part_of_it(tmp_path: Path) -> None:
    frames = [PIL.Image.new("RGB", (8, 8), (i * 50, 0, 0)) for i in range(4)]
    path = tmp_path / "a.png"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, default_image=True)
    (recording,) = open_recordings(path)
    frames_read = list(recording.frames())
    assert [int(f.image[0, 0, 0]) for f in frames_read] == [50, 100, 150]
    assert [f.index for f in frames_read] == [0, 1, 2]


def test_tiff_stack_has_no_clock_of_its_own(animation: Callable[..., Path]) -> None:
    path = animation("a.tif")
    (recording,) = open_recordings(path)
    assert not recording.has_clock
    assert not recording.continuous
    frames = list(recording.frames())
    assert len(frames) == 5
    assert np.isnan([f.time for f in frames]).all()
    (timed,) = open_recordings(path, frame_rate=10.0)
    np.testing.assert_allclose([f.time for f in timed.frames()], np.arange(5) / 10)


def test_truncated_gif_keeps_what_it_has(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [PIL.Image.fromarray(rng.integers(0, 255, (48, 64), np.uint8)) for _ in range(10)]
    path = tmp_path / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.55)])
    (recording,) = open_recordings(path)
    frames_read = list(recording.frames())
    assert 4 <= len(frames_read) <= 6
    (problem,) = recording.problems
    assert "missing" in problem


def test_animation_without_a_single_whole_frame(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [PIL.Image.fromarray(rng.integers(0, 255, (48, 64), np.uint8)) for _ in range(3)]
    path = tmp_path / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    path.write_bytes(path.read_bytes()[:1200])
    with pytest.raises(MediaError, match=r"a\.gif"):
        list(open_recordings(path)[0].frames())


def test_describe(animation: Callable[..., Path]) -> None:
    info = open_recordings(animation("a.gif"))[0].describe()
    assert (info.kind, info.frames, info.width, info.height) == ("animation", 5, 64, 48)
    assert info.duration == pytest.approx(1.02)
    assert info.rate == pytest.approx(5 / 1.02)
    assert info.variable_rate is True


def test_files_are_closed_when_reading_is_broken_off(
    animation: Callable[..., Path], open_files: Callable[[], int]
) -> None:
    (recording,) = open_recordings(animation("a.gif"))
    before = open_files()
    frames = recording.frames()
    next(frames)
    assert open_files() == before + 1
    frames.close()  # type: ignore[attr-defined]
    assert open_files() == before
