"""Frames behind a given one are those of an uninterrupted reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facemt_analysis.detection import open_recordings
from facemt_analysis.detection.media import Recording


@pytest.fixture(scope="module", params=["video", "animation", "stills", "array"])
def recording(
    request: pytest.FixtureRequest, face_video: Path, face_frames: list[np.ndarray],
    tmp_path_factory: pytest.TempPathFactory,
) -> Recording:  # fmt: skip
    folder = tmp_path_factory.mktemp("going_on")
    images = [Image.fromarray(frame[::4, ::4]) for frame in face_frames]
    if request.param == "video":
        source: Any = face_video
    elif request.param == "animation":
        source = folder / "a.gif"
        images[0].save(source, save_all=True, append_images=images[1:], duration=100)
    elif request.param == "stills":
        source = folder
        for number, image in enumerate(images):
            image.save(folder / f"{number}.png")
    else:
        source = np.stack(face_frames)
    return open_recordings(source, frame_rate=10.0)[0]


@pytest.mark.parametrize(
    "sampling",
    [{}, {"every": 3}, {"fps": 4.0}, {"fps": 3.0, "start": 0.15}, {"start": 0.3, "stop": 0.9}],
    ids=str,
)
def test_the_rest_is_the_same(recording: Recording, sampling: dict[str, Any]) -> None:
    whole = list(recording.frames(**sampling))
    assert len(whole) >= 3
    for position, last in enumerate(whole):
        rest = list(recording.frames(**sampling, after=(last.index, last.time)))
        assert [(f.index, f.time) for f in rest] == [
            (f.index, f.time) for f in whole[position + 1 :]
        ]
        for one, other in zip(rest, whole[position + 1 :], strict=True):
            np.testing.assert_array_equal(one.image, other.image)
