"""The shared photographs and videos, against what ffprobe says about them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from facemt_analysis.detection.media import open_recordings

_MEDIA = Path(__file__).resolve().parents[4] / "shared" / "media"
needs_media = pytest.mark.skipif(not _MEDIA.is_dir(), reason=f"{_MEDIA} is not here")

# frames that ffprobe 5.1 counts, time of the last one, (height, width)
_VIDEOS = {
    "WolfgangLanger_Pexels.mp4": (472, 19.644625, (360, 640)),
    "face_noface.mov": (169, 6.360352, (540, 960)),
    "no_face.mp4": (95, 3.916667, (540, 960)),
    "single_face.mp4": (72, 2.366667, (360, 640)),
}
_IMAGES = {
    "free-mountain-vector-01.jpg": (1080, 1920),
    "multi_face.jpg": (667, 1000),
    "single_face.jpg": (562, 572),
}


@needs_media
@pytest.mark.parametrize("name", list(_VIDEOS))
def test_videos(name: str) -> None:
    n, last, shape = _VIDEOS[name]
    (recording,) = open_recordings(_MEDIA / name)
    times = []
    for frame in recording.frames():
        assert frame.index == len(times)
        assert frame.image.shape == (*shape, 3)
        times.append(frame.time)
    assert len(times) == n == recording.count()
    assert times[0] == 0.0
    assert times[-1] == pytest.approx(last, abs=1e-6)
    assert (np.diff(times) > 0).all()
    assert recording.problems == ()


@needs_media
@pytest.mark.parametrize("name", list(_IMAGES))
def test_images(name: str) -> None:
    (frame,) = open_recordings(_MEDIA / name)[0].frames()
    assert frame.image.shape == (*_IMAGES[name], 3)


@needs_media
@pytest.mark.oracle
@pytest.mark.parametrize("name", list(_VIDEOS))
def test_every_time_is_the_one_of_ffprobe(name: str) -> None:
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed")
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
         "frame=best_effort_timestamp_time:format=start_time", "-of", "json", str(_MEDIA / name)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    said = json.loads(done.stdout)
    start = float(said["format"]["start_time"])
    expected = [float(f["best_effort_timestamp_time"]) - start for f in said["frames"]]
    times = [f.time for f in open_recordings(_MEDIA / name)[0].frames()]
    np.testing.assert_allclose(times, expected, atol=1.5e-6)


@needs_media
@pytest.mark.oracle
@pytest.mark.parametrize("name", list(_VIDEOS))
def test_pixels_are_those_of_opencv(name: str) -> None:
    # OpenCV brings another build of FFmpeg with it
    cv2 = pytest.importorskip("cv2")
    capture = cv2.VideoCapture(str(_MEDIA / name), cv2.CAP_FFMPEG)
    try:
        for frame in open_recordings(_MEDIA / name)[0].frames(stop=1.5):
            found, bgr = capture.read()
            assert found
            # builds differ in their vector code, by rounding
            assert np.abs(bgr[..., ::-1].astype(int) - frame.image).max() <= 2
    finally:
        capture.release()


@needs_media
@pytest.mark.parametrize("name", list(_VIDEOS))
def test_seeking_gives_the_same_frames(name: str) -> None:
    (recording,) = open_recordings(_MEDIA / name)
    everything = {f.index: f for f in recording.frames(every=5)}
    middle = everything[len(everything) // 2 * 5]
    found = next(recording.frames(start=middle.time))
    assert (found.index, found.time) == (middle.index, middle.time)
    np.testing.assert_array_equal(found.image, middle.image)


@needs_media
def test_the_folder() -> None:
    found = open_recordings(_MEDIA)
    assert found[0].name == "media"
    assert [r.name for r in found[1:]] == [
        "face_noface.mov",
        "no_face.mp4",
        "single_face.mp4",
        "WolfgangLanger_Pexels.mp4",
    ]
    assert [f.name for f in found[0].frames()] == list(_IMAGES)
