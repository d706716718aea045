"""The scrubber through its pure parts, and as a widget without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from time import process_time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import facemt_analysis as fm
from facemt_analysis import schema
from facemt_analysis.detection.media import open_recordings
from facemt_analysis.errors import FexError
from facemt_analysis.interactive import Annotations, Scrubber, VideoSource, draw_marks, scrub
from facemt_analysis.interactive.mesh import FEATURE_LINES
from facemt_analysis.interactive.video_source import find_video, missing_words
from facemt_analysis.io import read_events
from facemt_analysis.measures import mesh_template
from facemt_analysis.plotting.overlay_marks import Mark, overlay_marks


def pixels(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(jpeg))).astype(int)


@pytest.fixture
def fex(face_video: Path) -> fm.Fex:
    """A table as a detector would give it for the film of the avatar, with two faces."""
    (recording,) = open_recordings(face_video)
    rows = []
    for frame in recording.frames():
        for track in (0, 1):
            rows.append({
                "input": face_video.name, "frame": frame.index, "time": frame.time, "track": track,
                "FaceRectX": 60.0 + 4 * frame.index + 40 * track, "FaceRectY": 50.0,
                "FaceRectWidth": 90.0, "FaceRectHeight": 110.0, "FaceScore": 0.9,
                "AU12": 0.9 if 3 <= frame.index <= 8 else 0.1, "AU06": 0.2 + 0.1 * track,
                "valence": 0.05 * frame.index, "arousal": -0.2 * track,
                "FrameWidth": 320.0, "FrameHeight": 240.0,
            })  # fmt: skip
    return fm.Fex(pd.DataFrame(rows))


@pytest.fixture
def scrubber(fex: fm.Fex, face_video: Path) -> Iterator[Scrubber]:
    made = fex.scrub(face_video)
    yield made
    made.close()


def test_an_hour_opens_soon() -> None:
    n = 90_000
    rng = np.random.default_rng(1)
    table = {"input": "long.mp4", "frame": np.arange(n), "time": np.arange(n) / 25, "track": 0}
    table |= {au: rng.random(n) for au in schema.au_columns(20)}
    fex = fm.Fex(pd.DataFrame(table))
    scrub(fex.iloc[:5]).close()  # what has to be imported is, from here on
    start = process_time()
    view = scrub(fex)
    taken = process_time() - start
    assert len(view._base.times) == n
    view.close()
    assert taken < 2.0


class TestWidget:
    def test_shows_the_frame_of_the_time(self, scrubber: Scrubber, face_video: Path) -> None:
        for button in scrubber.controls.toggles.values():
            button.value = False
        (recording,) = open_recordings(face_video)
        for frame in list(recording.frames())[::4]:
            scrubber.time = frame.time
            assert scrubber.shown_time == pytest.approx(frame.time, abs=1e-6)
            shown = pixels(scrubber.controls.frame.value)
            assert shown.shape == frame.image.shape
            assert np.abs(shown - frame.image).mean() < 3  # JPEG

    def test_overlays_are_drawn_when_they_are_on(self, scrubber: Scrubber) -> None:
        toggles = scrubber.controls.toggles
        toggles["outline"].value = toggles["box"].value = False
        without = pixels(scrubber.controls.frame.value)
        toggles["box"].value = True
        apart = np.abs(pixels(scrubber.controls.frame.value) - without).sum(axis=2)
        rows, columns = np.nonzero(apart > 150)
        # the two boxes: x 60…150 and 100…190, y 50…160
        assert (columns.min(), columns.max()) == pytest.approx((60, 190), abs=2)
        assert (rows.min(), rows.max()) == pytest.approx((50, 160), abs=2)

    def test_cursor_dot_and_bars_follow(self, scrubber: Scrubber, fex: fm.Fex) -> None:
        scrubber.time = 0.7
        timeline = scrubber.controls.timeline_box.children[0]
        assert timeline.layout.shapes[0].x0 == pytest.approx(0.7)
        row = fex.query("frame == 7 and track == 0").iloc[0]
        dot = scrubber.controls.affect.data[0]
        assert (dot.x[0], dot.y[0]) == pytest.approx((row["valence"], row["arousal"]))
        assert scrubber.controls.bars.data[0].x == ("AU06", "AU12")
        assert scrubber.controls.bars.data[0].y == pytest.approx((0.2, 0.9))
        assert scrubber.controls.where.value.startswith("frame 7 · 0.700 s · 2 faces")
        scrubber.controls.track.value = 1
        assert scrubber.controls.bars.data[0].y == pytest.approx((0.3, 0.9))
        assert scrubber.controls.affect.data[0].y[0] == pytest.approx(-0.2)

    def test_slider_steps_and_events_move(self, scrubber: Scrubber) -> None:
        controls = scrubber.controls
        controls.slider.value = 4
        assert scrubber.time == pytest.approx(0.4)
        controls.steps["›"].click()
        assert scrubber.time == pytest.approx(0.5)
        assert controls.slider.value == 5
        controls.steps["«"].click()
        assert scrubber.time == 0.0
        assert controls.event_feature.options == ("any event", "AU12")
        controls.jumps["event ▸"].click()
        assert scrubber.time == pytest.approx(0.3)
        controls.jumps["event ▸"].click()  # there is none after it
        assert scrubber.time == pytest.approx(0.3)

    def test_clicks_and_drags_in_the_timeline(self, scrubber: Scrubber) -> None:
        scrubber._clicked(None, SimpleNamespace(xs=[0.62]), None)
        assert scrubber.time == pytest.approx(0.62)
        assert scrubber.shown_time == pytest.approx(0.6)
        timeline = scrubber.controls.timeline_box.children[0]
        timeline.plotly_relayout({"selections": [{"x0": 0.9, "x1": 0.2, "y0": 0, "y1": 1}]})
        scrubber.controls.label.value = "smile <b>"
        scrubber.controls.mark.click()
        row = scrubber.annotations.iloc[0]
        assert (row["onset"], row["offset"], row["label"]) == (0.2, 0.9, "smile <b>")
        assert "<b>" not in scrubber.controls.listed.value
        scrubber.controls.undo.click()
        assert scrubber.annotations.empty

    def test_marks_are_saved_in_the_projects_formats(
        self, scrubber: Scrubber, tmp_path: Path
    ) -> None:
        scrubber.mark(0.1, 0.4, "laughs")
        scrubber.controls.path.value = str(tmp_path / "marks.tsv")
        scrubber.controls.save.click()
        assert scrubber.controls.message.value.startswith("written")
        back = read_events(tmp_path / "marks.tsv")
        assert back[["onset", "duration"]].iloc[0].tolist() == pytest.approx([0.1, 0.3])
        scrubber.controls.path.value = str(tmp_path / "marks.docx")
        scrubber.controls.save.click()
        assert "docx" in scrubber.controls.message.value

    def test_speed_follows_the_rate(self, scrubber: Scrubber) -> None:
        assert scrubber.controls.player.interval == 100
        scrubber.controls.speed.value = 2.0
        assert scrubber.controls.player.interval == 50

    def test_features_can_be_chosen(self, scrubber: Scrubber) -> None:
        scrubber.controls.features.value = ("valence", "AU06")
        timeline = scrubber.controls.timeline_box.children[0]
        assert [trace.name for trace in timeline.data] == ["valence", "AU06"]

    @pytest.mark.parametrize(
        ("video", "words"),
        [
            pytest.param(None, "no video: pass its path", id="none"),
            pytest.param("gone/talk.mp4", "no video: gone/talk.mp4 is not there", id="moved"),
            pytest.param({"talk.mp4": "gone.mp4"}, "no video: gone.mp4 is not there", id="mapped"),
            pytest.param({}, "no video: none is given for talk.mp4", id="not mapped"),
        ],
    )
    def test_what_is_missing_is_said(self, video: object, words: str) -> None:
        assert missing_words(video, "talk.mp4") == words

    def test_a_folder_without_the_video_is_named(self, tmp_path: Path) -> None:
        assert missing_words(tmp_path, "talk.mp4").endswith("has none called talk.mp4")

    def test_several_recordings(self, fex: fm.Fex, face_video: Path, tmp_path: Path) -> None:
        other = fex.assign(input="other.mp4").query("frame < 4")
        both = fm.Fex(pd.concat([fex, other], ignore_index=True))
        made = scrub(both, {face_video.name: face_video})
        assert made.controls.recording.options == (face_video.name, "other.mp4")
        assert np.isfinite(made.shown_time)
        made.recording = "other.mp4"
        assert made.controls.slider.max == 3
        assert np.isnan(made.shown_time)  # no video of this one
        assert "no video: none is given for other.mp4" in made.controls.where.value
        assert pixels(made.controls.frame.value).shape == (240, 320, 3)
        made.recording = face_video.name
        assert np.isfinite(made.shown_time)
        made.close()

    def test_a_table_of_little_is_enough(self) -> None:
        table = fm.Fex({"time": [0.0, 0.1], "valence": [0.1, 0.2], "arousal": [0.0, np.nan]})
        made = table.scrub()
        made.time = 0.1
        assert made.controls.affect.data[0].x in ((), None)
        assert made.controls.bars is None
        made.close()

    def test_the_mesh_is_that_of_the_frame(self, fex: fm.Fex, face_video: Path) -> None:
        n = fex["frame"].nunique()
        turns = np.linspace(0, 0.5, n)
        faces = np.stack([
            mesh_template().vertices
            @ np.array([[np.cos(t), 0, -np.sin(t)], [0, 1, 0], [np.sin(t), 0, np.cos(t)]])
            for t in turns
        ])  # fmt: skip
        flat = (90 * faces * (1, -1, -1) + (150, 110, 0)).transpose(0, 2, 1).reshape(n, -1)
        meshes = pd.DataFrame(flat, columns=schema.GROUPS["meshes"].columns)
        one = fex.query("track == 0").reset_index(drop=True)
        meshes.iloc[5] = np.nan
        made = fm.Fex(one.join(meshes)).scrub(face_video)
        assert made.controls.mesh not in made.controls.mesh_box.children
        made.controls.mesh_on.value = True
        assert made.controls.mesh in made.controls.mesh_box.children
        skin, lines = made.controls.mesh.data
        for frame in (0, 7, n - 1):
            made.time = one["time"][frame]
            points = np.stack([skin.x, skin.y, skin.z], axis=1)
            apart = faces[frame] - faces[frame].mean(axis=0)
            np.testing.assert_allclose(points - points.mean(axis=0), apart, atol=1e-6)
            brow = lines.x[: len(FEATURE_LINES[0])]
            np.testing.assert_allclose(brow, points[list(FEATURE_LINES[0]), 0])
        made.time = one["time"][5]  # no mesh: none is shown
        assert len(skin.x) == len(lines.x) == 0
        made.close()

    def test_a_frame_on_the_way_is_said_to_be_that(
        self, scrubber: Scrubber, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        texts: list[str] = []
        times: list[float] = []
        scrubber.controls.where.observe(lambda c: texts.append(c["new"]), "value")
        scrubber.controls.frame.observe(lambda _: times.append(scrubber.shown_time), "value")
        monkeypatch.setattr("facemt_analysis.interactive.scrubber._PATIENCE", 0.0)
        scrubber.time = 0.9
        assert scrubber.shown_time == pytest.approx(0.9)
        assert "decoding" in texts[0]
        assert "decoding" not in texts[-1]
        assert len(times) == 2
        controls = scrubber.controls
        shown = pixels(controls.frame.value)
        monkeypatch.setattr("facemt_analysis.interactive.scrubber._PATIENCE", None)
        scrubber.time = 0.0
        scrubber.time = 0.9
        assert (pixels(controls.frame.value) == shown).all()

    def test_wrong_columns(self, fex: fm.Fex) -> None:
        with pytest.raises(FexError, match="AU66"):
            fex.scrub(columns="AU66")


class TestVideoSource:
    def test_scaled_frames_keep_their_marks_in_place(self, fex: fm.Fex, face_video: Path) -> None:
        source = VideoSource(face_video, fex, width=160)
        shown = source.at(0.0)
        assert shown.image.shape == (120, 160, 3)
        assert shown.scale == pytest.approx(0.5)
        drawn = draw_marks(shown.image, overlay_marks(fex.iloc[0], ["box"]), scale=shown.scale)
        _, columns = np.nonzero(np.abs(drawn.astype(int) - shown.image).sum(axis=2) > 150)
        assert (columns.min(), columns.max()) == pytest.approx((30, 75), abs=1)
        source.close()

    def test_broken_video_is_said_not_raised(self, fex: fm.Fex, tmp_path: Path) -> None:
        path = tmp_path / "broken.mp4"
        path.write_bytes(b"no video" * 100)
        source = VideoSource(path, fex)
        assert "broken.mp4" in source.problem
        assert np.isnan(source.at(0.0).time)
        source.fetch_ahead(0.1)
        source.close()

    def test_frames_are_fetched_ahead(self, fex: fm.Fex, face_video: Path) -> None:
        source = VideoSource(face_video, fex)
        source.fetch_ahead(0.4)
        assert source._fetching is not None
        source._fetching.result(10)
        assert source.at(0.4).time == pytest.approx(0.4)
        source.close()

    def test_finding_the_video(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        film = tmp_path / "talk.mp4"
        film.write_bytes(b"x")
        assert find_video(film, "whatever") == film
        assert find_video(tmp_path, "talk.mp4") == film
        assert find_video(tmp_path, "talk") == film
        assert find_video(tmp_path, "day1/talk.mp4") == film
        assert find_video({"a": film}, "a") == film
        assert find_video({"a": film}, "b") is None
        assert find_video(tmp_path / "gone.mp4", "talk.mp4") is None
        monkeypatch.chdir(tmp_path)
        assert find_video(None, "talk.mp4") == film


class TestAnnotations:
    def test_every_change_gives_a_new_list(self) -> None:
        empty = Annotations()
        one = empty.add("a", 2.0, 1.0, "x", 0)
        assert len(empty) == 0
        assert one.relabel(0, "y").table()["label"].tolist() == ["y"]
        assert one.table()["label"].tolist() == ["x"]
        assert len(one.remove(0)) == 0
        with pytest.raises(FexError, match="two different times"):
            one.add("a", 1.0, 1.0)
        with pytest.raises(FexError, match="no range 3"):
            one.remove(3)

    def test_there_and_back(self) -> None:
        marks = Annotations().add("b", 1, 2, "x", 3).add("a", 0, 1).add("a", 0.5, 0.7, "y")
        table = marks.table()
        assert table["onset"].tolist() == [0.0, 0.5, 1.0]
        again = Annotations.from_table(table)
        pd.testing.assert_frame_equal(again.table(), table)
        short = table.drop(columns="offset")
        pd.testing.assert_frame_equal(Annotations.from_table(short).table(), table)


def test_marks_are_drawn_where_they_are() -> None:
    black = np.zeros((60, 80, 3), np.uint8)
    line = Mark("outline", "line", np.array([[10.0, 30.0], [70.0, 30.0]]))
    drawn = draw_marks(black, [line])
    rows, columns = np.nonzero(drawn.sum(axis=2))
    assert set(rows) == {30}
    assert (columns.min(), columns.max()) == (10, 70)
    arrow = Mark("gaze", "arrow", np.array([[20.0, 20.0], [60.0, 20.0]]), 40.0)
    rows, columns = np.nonzero(draw_marks(black, [arrow]).sum(axis=2))
    assert columns.max() == 60
    points = Mark("mesh", "points", np.array([[5.0, 6.0]]))
    assert np.argwhere(draw_marks(black, [points]).sum(axis=2)).tolist() == [[6, 5]]
    assert black.sum() == 0
