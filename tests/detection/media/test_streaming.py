"""Memory does not grow with length, files are closed, threads do not change the answer."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import PIL.Image
import pytest

from facemt_analysis.detection.media import open_recordings
from facemt_analysis.errors import MediaError


def _make_long(path: Path, n: int) -> Path:
    """A video whose frames are large in memory and small in the file."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=25, options={"preset": "ultrafast", "g": "50"}
        )
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        image = np.zeros((240, 320, 3), np.uint8)
        for i in range(n):
            frame = av.VideoFrame.from_ndarray(image)
            frame.pts, frame.time_base = i, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


_PEAK = """
import resource, sys
from facemt_analysis.detection.media import open_recordings
(recording,) = open_recordings(sys.argv[1])
n = sum(frame.image.shape[0] > 0 for frame in recording.frames())
print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is in kB on Linux only")
def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    peaks = {}
    for n in (500, 3000):
        path = _make_long(tmp_path / f"{n}.mp4", n)
        done = subprocess.run(
            [sys.executable, "-c", _PEAK, str(path)],
            capture_output=True, text=True, check=True, timeout=120,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        count, peaks[n] = map(int, done.stdout.split())
        assert count == n
    # 2500 more frames would be 576 MB
    assert peaks[3000] - peaks[500] < 20


def test_python_keeps_no_frames(tmp_path: Path) -> None:
    (recording,) = open_recordings(_make_long(tmp_path / "a.mp4", 400))
    tracemalloc.start()
    try:
        for frame in recording.frames():
            if frame.index == 50:
                gc.collect()
                early, _ = tracemalloc.get_traced_memory()
        gc.collect()
        late, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert late - early < 200_000


def test_folder_keeps_one_image_at_a_time(tmp_path: Path) -> None:
    for i in range(60):
        PIL.Image.new("RGB", (400, 300), (i, 0, 0)).save(tmp_path / f"{i}.png")
    (recording,) = open_recordings(tmp_path)
    next(iter(recording.frames()))  # imports what reads images, which is not to be counted
    tracemalloc.start()
    try:
        assert sum(1 for _ in recording.frames()) == 60
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 * 400 * 300 * 3


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_files_are_closed_however_reading_ends(
    encode: Callable[..., Path], open_files: Callable[[], int], name: str
) -> None:
    path = encode(name, 120, options={"g": "20"})
    before = open_files()
    (recording,) = open_recordings(path)
    assert open_files() == before
    list(recording.frames())
    list(recording.frames(start=2.0))
    recording.count()
    recording.describe()
    assert open_files() == before
    frames = recording.frames(start=1.0)
    next(frames)
    assert open_files() == before + 1
    frames.close()  # type: ignore[attr-defined]
    assert open_files() == before

    def fail_in_the_middle() -> None:
        for frame in recording.frames():
            if frame.index == 5:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_in_the_middle()
    gc.collect()
    assert open_files() == before
    unused = recording.frames()
    del unused
    with pytest.raises(MediaError):
        list(recording.frames(start=99.0))
    assert open_files() == before


def test_failing_to_open_leaves_nothing_open(
    sound_file: Callable[..., Path], tmp_path: Path, open_files: Callable[[], int]
) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("text\n" * 100)
    before = open_files()
    for path in (sound_file(), text):
        with pytest.raises(MediaError):
            open_recordings(path)
    gc.collect()
    assert open_files() == before


def test_recordings_can_be_read_in_threads(encode: Callable[..., Path]) -> None:
    (recording,) = open_recordings(encode("a.mp4", 100, options={"g": "20"}))
    expected = [f.image for f in recording.frames()]
    wrong: list[object] = []

    def read() -> None:
        (own,) = open_recordings(recording.path)
        for frame in own.frames(start=1.0):
            if not np.array_equal(frame.image, expected[frame.index]):
                wrong.append(frame.index)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
