"""Frames with what was found in them: which rows, whose picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis.demo import CLIP
from facemt_analysis.detection.media import open_recordings
from facemt_analysis.errors import FexError, MediaError
from facemt_analysis.fex.frame_view import frame_rows
from facemt_analysis.plotting import plot_overlay

BOX = {"FaceRectX": 100.0, "FaceRectY": 50.0, "FaceRectWidth": 80.0, "FaceRectHeight": 100.0}


@pytest.fixture(scope="module")
def frames() -> list:
    return list(open_recordings(CLIP)[0].frames())


@pytest.fixture(scope="module")
def fex(frames: list) -> fm.Fex:
    """The clip's own frame numbers and times, with a box that moves 1 px a frame."""
    return fm.Fex({
        "input": "demo.mp4", "frame": [f.index for f in frames], "time": [f.time for f in frames],
        "track": 0, **BOX, "FaceRectX": 100.0 + np.arange(len(frames)),
    })  # fmt: skip


@pytest.mark.parametrize("number", [0, 30, 31, 199])
def test_the_picture_is_that_of_the_row(fex: fm.Fex, frames: list, number: int) -> None:
    ax = fex.plot_frame(number, CLIP)
    np.testing.assert_array_equal(np.asarray(ax.images[0].get_array()), frames[number].image)
    (box,) = ax.patches
    assert box.get_xy() == (100.0 + number, 50.0)


def test_a_time_is_the_frame_on_the_screen(fex: fm.Fex, frames: list) -> None:
    between = (frames[41].time + frames[42].time) / 2
    ax = fex.plot_frame(time=between, media=CLIP.parent)
    np.testing.assert_array_equal(np.asarray(ax.images[0].get_array()), frames[41].image)
    assert ax.patches[0].get_x() == 141.0


def test_media_are_found_by_name(
    fex: fm.Fex, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(CLIP.parent)
    assert len(fex.plot_frame(0).images) == 1
    assert len(fex.plot_frame(0, {"demo.mp4": CLIP}).images) == 1
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MediaError, match=r"demo.mp4: its file is not there; say where: media="):
        fex.plot_frame(0)


def test_pictures_of_a_folder(tmp_path: Path) -> None:
    from PIL import Image

    for i in range(3):
        Image.fromarray(np.full((40, 60, 3), 10 * i, np.uint8)).save(tmp_path / f"img{i}.png")
    fex = fm.Fex({"input": tmp_path.name, "frame": [0, 1, 2], "time": np.nan, "track": 0, **BOX})
    ax = fex.plot_frame(2, tmp_path)
    assert np.asarray(ax.images[0].get_array()).max() == 20
    with pytest.raises(MediaError, match="no frame 7"):
        fex.assign(frame=[0, 1, 7]).plot_frame(7, tmp_path)


def test_all_faces_of_a_frame_are_drawn() -> None:
    fex = fm.Fex({"frame": [3, 3, 4], "track": [0, 1, 0], **BOX, "FaceRectX": [5.0, 90.0, 7.0]})
    ax = fex.plot_frame(3, np.zeros((200, 300, 3), np.uint8), box=True)
    assert [patch.get_x() for patch in ax.patches] == [5.0, 90.0]
    assert not fex.plot_frame(3, np.zeros((200, 300, 3), np.uint8), box=False).patches


def test_cut_out_around_the_faces() -> None:
    image = np.zeros((300, 400, 3), np.uint8)
    ax = plot_overlay(image, pd.Series(BOX), crop=0.5)
    assert ax.get_xlim() == (60.0, 220.0)
    assert ax.get_ylim() == (200.0, 0.0)
    two = pd.DataFrame([BOX, {**BOX, "FaceRectX": 390.0}])
    assert plot_overlay(image, two, crop=0.0).get_xlim() == (100.0, 399.5)  # not past the picture
    nobody = dict.fromkeys(BOX, np.nan)
    assert plot_overlay(image, nobody, crop=0.5).get_xlim() == (-0.5, 399.5)
    with pytest.raises(FexError, match="goes by the boxes of faces"):
        plot_overlay(image, {}, crop=0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({}, "Say which frame", id="none"),
        pytest.param({"frame": 1, "time": 1.0}, "one of the two", id="both"),
        pytest.param({"frame": 9}, "There are 2 recordings; say which", id="which recording"),
        pytest.param({"frame": 9, "recording": "a"}, "no frame 9; frame goes from 0 to 1",
                     id="no frame"),
        pytest.param({"time": -1.0, "recording": "a"}, "no frame at or before -1 s", id="before"),
        pytest.param({"frame": 0, "recording": "c"}, "no recording 'c'", id="no recording"),
    ],
)  # fmt: skip
def test_frames_that_are_not_there(options, message) -> None:
    table = pd.DataFrame({"input": list("aab"), "frame": [0, 1, 0], "time": [0.0, 0.5, 0.0]})
    with pytest.raises(FexError, match=message):
        frame_rows(table, **options)


def test_a_table_without_frames() -> None:
    with pytest.raises(FexError, match="no column 'time'"):
        frame_rows(pd.DataFrame({"frame": [0]}), time=0.0)
