"""The bundled clip and its truth."""

from __future__ import annotations

import av
import numpy as np
import pytest

from facemt_analysis import read_fex, schema
from facemt_analysis.demo import CLIP, TRUTH
from facemt_analysis.detection import open_recordings, resolve_face_detector
from facemt_analysis.fex import Fex


@pytest.fixture(scope="module")
def truth() -> Fex:
    return read_fex(TRUTH)


def test_files_are_small_and_licensed() -> None:
    assert CLIP.stat().st_size < 2**20
    assert TRUTH.stat().st_size < 250_000
    assert "CC0" in (CLIP.parent / "LICENSE.md").read_text()


def test_every_player_can_show_it() -> None:
    with av.open(str(CLIP)) as container:
        (stream,) = container.streams
        codec = stream.codec_context
        assert (codec.name, codec.pix_fmt) == ("h264", "yuv420p")
        assert (codec.width, codec.height) == (480, 360)
        assert float(stream.average_rate) == 25
    head = CLIP.read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")  # starts before it is loaded


def test_truth_has_one_row_per_frame(truth: Fex) -> None:
    (recording,) = open_recordings(CLIP)
    times = [frame.time for frame in recording.frames()]
    np.testing.assert_allclose(truth["time"], times, atol=1e-6)
    assert truth["frame"].tolist() == list(range(200))
    assert set(truth["input"]) == {CLIP.name}
    assert truth.validate().empty
    assert truth.info.tool.startswith("facemt_analysis simulate")
    assert set(truth.groups) == {"keys", "landmarks", "poses", "aus", "emotions", "va", "gazes"}


def test_truth_moves_everything_the_demo_reports(truth: Fex) -> None:
    degrees = np.degrees(truth[["Yaw", "Pitch", "gaze_yaw", "gaze_pitch"]])
    assert (degrees.max() >= [18, 11, 19, 12]).all()
    assert (degrees.min() <= [-18, -10, -19, -9]).all()
    shown = truth[list(schema.EMOTIONS)].idxmax(axis=1)
    counts = shown.value_counts()
    assert (counts[["Happy", "Surprise", "Anger", "Sad", "Disgust"]] >= 12).all()
    closed = (truth["AU43"] > 0.5).to_numpy()
    assert np.count_nonzero(np.diff(closed.astype(int)) == 1) >= 5  # blinks


def test_truth_lies_on_the_face(truth: Fex) -> None:
    """Haar finds the face in every tenth frame, where the true landmarks are."""
    (recording,) = open_recordings(CLIP)
    frames = list(recording.frames(every=10))
    found = resolve_face_detector("haar").detect([frame.image for frame in frames])
    assert np.mean([len(boxes) > 0 for boxes in found]) >= 0.95
    for frame, boxes in zip(frames, found, strict=True):
        row = truth.iloc[frame.index]
        nose = np.array([row["x_30"], row["y_30"]])
        inside = (boxes[:, :2] < nose) & (nose < boxes[:, 2:4])
        assert inside.all(axis=1).any(), frame.index


def test_pupils_are_dark_where_the_truth_puts_the_open_eyes(truth: Fex) -> None:
    """Pixels and truth belong to each other: between its lids an eye is darker than the cheek."""
    (recording,) = open_recordings(CLIP)
    seen = 0
    for frame in recording.frames(every=10):
        row = truth.iloc[frame.index]
        if row["AU43"] > 0.05 or row["AU07"] > 0.3:
            continue
        grey = frame.image.mean(axis=2)
        points = np.round([(row[f"x_{i}"], row[f"y_{i}"]) for i in range(68)]).astype(int)
        for eye, nostril, aside in ((slice(36, 42), 31, -22), (slice(42, 48), 35, 22)):
            x, y = points[eye].mean(axis=0).round().astype(int)
            opening = grey[y - 3 : y + 4, x - 8 : x + 9]
            u, v = points[nostril] + (aside, 0)
            skin = grey[v - 2 : v + 3, u - 2 : u + 3]
            assert opening.min() < 0.6 * np.median(skin), frame.index
            seen += 1
    assert seen > 20
