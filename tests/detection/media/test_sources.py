"""From what a user points at to recordings: kinds, order, names, and errors of one line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from facemt_analysis.detection.media import MediaInfo, Recording, open_recordings
from facemt_analysis.errors import MediaError


@pytest.fixture
def still(tmp_path: Path) -> Callable[..., Path]:
    """Write an image of one gray value."""

    def make(name: str, value: int = 0, size: tuple[int, int] = (8, 6)) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.new("RGB", size, (value,) * 3).save(path)
        return path

    return make


def _values(recording: Recording, **choice: float) -> list[int]:
    return [int(f.image[0, 0, 0]) for f in recording.frames(**choice)]  # type: ignore[arg-type]


# -- one path -----------------------------------------------------------------------------------


@pytest.mark.parametrize("as_type", [str, Path, os.fsencode, lambda p: f"{p.parent}/./{p.name}"])
def test_a_path_may_be_text_or_path(
    still: Callable[..., Path], as_type: Callable[[Path], object]
) -> None:
    path = still("a.png", 7)
    if as_type is os.fsencode:
        with pytest.raises(MediaError, match="got bytes"):
            open_recordings(as_type(path))
        return
    (recording,) = open_recordings(as_type(path))
    assert recording.name == "a.png"
    assert _values(recording) == [7]


def test_one_image(still: Callable[..., Path]) -> None:
    (recording,) = open_recordings(still("a.png"))
    (frame,) = recording.frames()
    assert (frame.index, frame.name) == (0, "a.png")
    assert np.isnan(frame.time)
    assert not recording.has_clock
    assert recording.count() == 1


def test_one_image_in_a_list_is_one_image(still: Callable[..., Path]) -> None:
    (recording,) = open_recordings([still("a.png")])
    assert recording.name == "a.png"


def test_video(encode: Callable[..., Path]) -> None:
    (recording,) = open_recordings(encode("talk.mp4", 12))
    assert recording.name == "talk.mp4"
    assert recording.has_clock
    assert recording.continuous
    assert recording.count() == 12
    assert recording.count(every=5) == 3


def test_content_decides_what_a_video_is(encode: Callable[..., Path], tmp_path: Path) -> None:
    path = encode("talk.mp4", 5).rename(tmp_path / "talk.jpg")
    (recording,) = open_recordings(path)
    assert len(list(recording.frames())) == 5


@pytest.mark.parametrize(
    "name", ["50%d of it.mp4", "a:b.mp4", "-i.mp4", "ümläut 字.mp4", "a b'c.mp4"]
)
def test_awkward_names(encode: Callable[..., Path], name: str) -> None:
    (recording,) = open_recordings(
        encode("plain.mp4", 3).rename(encode("x.mp4", 3).with_name(name))
    )
    assert recording.name == name
    assert len(list(recording.frames())) == 3


def test_relative_paths(
    encode: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode("sub/a:b.mp4", 3)
    monkeypatch.chdir(tmp_path / "sub")
    assert len(list(open_recordings("a:b.mp4")[0].frames())) == 3
    assert [r.name for r in open_recordings(".")] == ["a:b.mp4"]


def test_home_folder(
    still: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    still("a.png", 9)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert _values(open_recordings("~/a.png")[0]) == [9]


def test_recordings_pass_through(still: Callable[..., Path]) -> None:
    recordings = open_recordings(still("a.png"))
    assert open_recordings(recordings[0]) == recordings


# -- folders ------------------------------------------------------------------------------------


def test_folder_of_images_in_natural_order(still: Callable[..., Path], tmp_path: Path) -> None:
    for number in (10, 2, 1, 100, 20):
        still(f"faces/img{number}.png", number)
    (recording,) = open_recordings(tmp_path / "faces")
    assert recording.name == "faces"
    assert _values(recording) == [1, 2, 10, 20, 100]
    frames = list(recording.frames())
    assert [f.name for f in frames] == [f"img{n}.png" for n in (1, 2, 10, 20, 100)]
    assert [f.index for f in frames] == [0, 1, 2, 3, 4]
    assert not recording.continuous


def test_frame_rate_makes_a_film_of_a_folder(still: Callable[..., Path], tmp_path: Path) -> None:
    for number in range(10):
        still(f"faces/{number}.png", number)
    (recording,) = open_recordings(tmp_path / "faces", frame_rate=5.0)
    assert recording.has_clock
    assert recording.continuous
    assert [f.time for f in recording.frames()] == [i / 5 for i in range(10)]
    assert _values(recording, start=0.4, stop=1.0) == [2, 3, 4]
    assert _values(recording, fps=2.0) == [0, 3, 5, 8]
    assert recording.count(start=0.4, stop=1.0) == 3


def test_folder_of_everything(
    still: Callable[..., Path],
    encode: Callable[..., Path],
    sound_file: Callable[..., Path],
    tmp_path: Path,
) -> None:
    still("all/b.png")
    still("all/a.jpg")
    encode("all/talk2.mp4", 3)
    encode("all/talk10.mkv", 3)
    frames = [PIL.Image.new("L", (8, 8), i) for i in (0, 90)]
    frames[0].save(tmp_path / "all/wave.gif", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "all/still.gif")
    sound_file("all/voice.m4a")
    (tmp_path / "all/notes.txt").write_text("not a medium")
    (tmp_path / "all/module.ts").write_text("export const x = 1\n")
    (tmp_path / "all/.hidden.png").write_bytes(b"")
    (tmp_path / "all/._a.jpg").write_bytes(b"\0\5\x16\7")
    (tmp_path / "all/inner").mkdir()
    found = open_recordings(tmp_path / "all")
    assert [r.name for r in found] == ["all", "talk2.mp4", "talk10.mkv", "wave.gif"]
    assert [f.name for f in found[0].frames()] == ["a.jpg", "b.png", "still.gif"]
    assert [r.problems for r in found] == [()] * 4


def test_one_bad_image_does_not_lose_the_rest(still: Callable[..., Path], tmp_path: Path) -> None:
    for number in range(5):
        still(f"faces/{number}.png", number)
    (tmp_path / "faces/1.png").write_bytes(b"noise")
    (tmp_path / "faces/3.png").write_bytes(b"")
    (recording,) = open_recordings(tmp_path / "faces")
    frames = list(recording.frames())
    assert [f.index for f in frames] == [0, 2, 4]
    assert [int(f.image[0, 0, 0]) for f in frames] == [0, 2, 4]
    assert len(recording.problems) == 2
    assert "1.png: not an image" in recording.problems[0]
    assert "3.png: the file is empty" in recording.problems[1]
    list(recording.frames(every=4))
    assert recording.problems == ()  # of the latest reading only


def test_folder_of_bad_images_only(still: Callable[..., Path], tmp_path: Path) -> None:
    still("faces/a.png").write_bytes(b"x")
    (recording,) = open_recordings(tmp_path / "faces")
    with pytest.raises(MediaError, match=r"faces: no frame could be read \(.*a\.png"):
        list(recording.frames())
    with pytest.raises(MediaError, match="faces: none of the 1 images"):
        recording.describe()


def test_a_bad_video_in_a_folder_fails_alone(encode: Callable[..., Path], tmp_path: Path) -> None:
    encode("all/good.mp4", 3)
    (tmp_path / "all/bad.mp4").write_text("no video at all")
    bad, good = open_recordings(tmp_path / "all")
    assert len(list(good.frames())) == 3
    for ask in (lambda: bad.frames(), lambda: bad.count(), lambda: bad.describe()):
        with pytest.raises(MediaError, match=r"bad\.mp4: not a video"):
            list(ask() or [])  # type: ignore[call-overload]


def test_images_of_different_size(still: Callable[..., Path], tmp_path: Path) -> None:
    still("faces/a.png", size=(8, 6))
    still("faces/b.png", size=(30, 20))
    (recording,) = open_recordings(tmp_path / "faces")
    assert [f.image.shape for f in recording.frames()] == [(6, 8, 3), (20, 30, 3)]


# -- lists --------------------------------------------------------------------------------------


def test_list_keeps_its_order_and_gathers_images(
    still: Callable[..., Path], encode: Callable[..., Path]
) -> None:
    paths = [
        encode("v/b.mp4", 3),
        still("x/one/2.png", 2),
        encode("v/a.mp4", 3),
        still("x/two/1.png", 1),
    ]
    found = open_recordings(paths)
    assert [r.name for r in found] == ["b.mp4", "x", "a.mp4"]
    assert _values(found[1]) == [2, 1]
    assert [f.name for f in found[1].frames()] == ["2.png", "1.png"]


def test_images_of_the_same_name_are_told_apart(still: Callable[..., Path]) -> None:
    (found,) = open_recordings([still("x/a/1.png"), still("x/b/1.png"), still("x/b/2.png")])
    assert [f.name for f in found.frames()] == ["a/1.png", "b/1.png", "2.png"]


def test_videos_of_the_same_name_are_told_apart(encode: Callable[..., Path]) -> None:
    paths = [encode("s1/a/talk.mp4", 3), encode("s2/a/talk.mp4", 3), encode("s1/b/walk.mp4", 3)]
    assert [r.name for r in open_recordings(paths)] == [
        "s1/a/talk.mp4", "s2/a/talk.mp4", "walk.mp4",
    ]  # fmt: skip


def test_a_video_named_twice_is_read_once(encode: Callable[..., Path]) -> None:
    path = encode("a.mp4", 3)
    assert len(open_recordings([path, str(path), path.parent / "." / "a.mp4"])) == 1


def test_folders_in_lists(
    still: Callable[..., Path], encode: Callable[..., Path], tmp_path: Path
) -> None:
    still("p1/a.png")
    still("p2/a.png")
    encode("v/talk.mp4", 3)
    found = open_recordings([tmp_path / "p1", tmp_path / "p2", tmp_path / "v"])
    assert [r.name for r in found] == ["p1", "p2", "talk.mp4"]


def test_members_that_cannot_be_read_fail_when_asked(
    encode: Callable[..., Path], still: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    good = encode("good.mp4", 3)
    paths = [tmp_path / "gone.mp4", good, tmp_path / "empty", still("a.png"), tmp_path / "gone.png"]
    found = open_recordings(paths)
    by_name = {r.name: r for r in found}
    with pytest.raises(MediaError, match=r"gone\.mp4: no such file"):
        by_name["gone.mp4"].frames(start=1.0)
    with pytest.raises(MediaError, match="empty: there is no video or image"):
        list(by_name["empty"].frames())
    assert len(list(by_name["good.mp4"].frames())) == 3
    images = by_name[tmp_path.name]
    assert len(list(images.frames())) == 1
    assert "gone.png: no such file" in images.problems[0]


def test_generators_and_tuples(still: Callable[..., Path]) -> None:
    paths = [still("a.png", 1), still("b.png", 2)]
    assert _values(open_recordings(p for p in paths)[0]) == [1, 2]
    assert _values(open_recordings(tuple(paths))[0]) == [1, 2]


# -- arrays -------------------------------------------------------------------------------------


def test_array_of_frames() -> None:
    array = np.arange(4 * 6 * 8 * 3, dtype=np.uint8).reshape(4, 6, 8, 3)
    (recording,) = open_recordings(array)
    frames = list(recording.frames())
    np.testing.assert_array_equal([f.image for f in frames], array)
    assert recording.name == "array"
    assert recording.path is None
    assert [f.index for f in frames] == [0, 1, 2, 3]
    assert np.isnan([f.time for f in frames]).all()


def test_one_frame() -> None:
    assert len(list(open_recordings(np.zeros((6, 8, 3), np.uint8))[0].frames())) == 1


def test_views_and_read_only_arrays_become_contiguous_and_writeable() -> None:
    array = np.zeros((2, 8, 6, 3), np.uint8).transpose(0, 2, 1, 3)[:, ::-1]
    array.flags.writeable = False
    for frame in open_recordings(array)[0].frames():
        assert frame.image.flags.c_contiguous
        assert frame.image.flags.writeable


def test_array_with_a_frame_rate() -> None:
    (recording,) = open_recordings(np.zeros((10, 6, 8, 3), np.uint8), frame_rate=4.0)
    assert [f.time for f in recording.frames(start=1.0)] == [1.0, 1.25, 1.5, 1.75, 2.0, 2.25]
    info = recording.describe()
    assert (info.duration, info.rate, info.frames) == (2.5, 4.0, 10)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 6, 8, 3)), "float64; scale it"),
        (np.zeros((2, 6, 8, 3), np.int16), "int16"),
        (np.zeros((2, 6, 8), np.uint8), "gray frames"),
        (np.zeros((6, 8), np.uint8), "gray frames"),
        (np.zeros((2, 3, 6, 8), np.uint8), "channels last"),
        (np.zeros((2, 6, 8, 4), np.uint8), "alpha"),
        (np.zeros(8, np.uint8), r"shape \(8,\)"),
        (np.zeros((0, 6, 8, 3), np.uint8), "empty shape"),
        (np.zeros((2, 0, 8, 3), np.uint8), "empty shape"),
        (np.zeros((1, 2, 6, 8, 3), np.uint8), r"shape \(1, 2, 6, 8, 3\)"),
    ],
)
def test_other_arrays_are_refused(array: np.ndarray, words: str) -> None:
    with pytest.raises(MediaError, match=words):
        open_recordings(array)


# -- what cannot be read ------------------------------------------------------------------------


def _read_all(source: object) -> None:
    for recording in open_recordings(source):
        list(recording.frames())


def _refused(source: object, words: str) -> None:
    with pytest.raises(MediaError, match=words) as caught:
        _read_all(source)
    assert "\n" not in str(caught.value)


def test_missing_path(tmp_path: Path) -> None:
    _refused(tmp_path / "gone.mp4", r"gone\.mp4: no such file or folder")


def test_line_breaks_stay_out_of_messages(tmp_path: Path) -> None:
    _refused(tmp_path / "two\nlines.mp4", r"two\?lines\.mp4: no such")


def test_name_with_a_zero_byte() -> None:
    _refused("a\0b.mp4", "cannot be read|no such file")


def test_name_that_is_too_long() -> None:
    with pytest.raises(MediaError, match="cannot be read") as caught:
        open_recordings("x" * 5000)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("name", ["empty.mp4", "empty.jpg", "empty"])
def test_empty_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    _refused(tmp_path / name, f"{name}: the file is empty")


@pytest.mark.parametrize(
    "text",
    [
        "just text\n" * 100,
        "WEBVTT\n\n00:01.000 --> 00:02.000\nhi\n",
        "ffconcat version 1.0\nfile x\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://localhost/x.ts\n",
        "%PDF-1.4\n",
        "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "1\n00:00:01,000 --> 00:00:02,000\nhi\n",
    ],
)
@pytest.mark.parametrize("name", ["text.mp4", "text"])
def test_text_is_no_video(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    _refused(tmp_path / name, f"{name}: (not a video|has no video)")


@pytest.mark.parametrize("seed", range(4))
def test_noise_is_no_video(tmp_path: Path, seed: int) -> None:
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(seed).bytes(50_000))
    _refused(tmp_path / "noise.mp4", r"noise\.mp4: ")


def test_sound_only(sound_file: Callable[..., Path]) -> None:
    _refused(sound_file("talk.mp4"), r"talk\.mp4: has sound only")


def test_folder_without_media(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/notes.txt").write_text("x")
    _refused(tmp_path / "empty", "empty: there is no video or image in this folder")
    (tmp_path / "empty/inner").mkdir()
    _refused(tmp_path / "empty", "it has 1 folder inside: pass")


def test_pipes_and_devices_do_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    _refused(tmp_path / "pipe.mp4", r"pipe\.mp4: is a pipe or device")
    _refused("/dev/zero", "/dev/zero: is a pipe or device")
    _refused(tmp_path, "there is no video or image")


def test_no_permission(
    encode: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = encode("a.mp4", 3)
    path.chmod(0)
    if os.access(path, os.R_OK):  # the superuser may read everything: act as if not
        original = Path.open

        def refuse(self: Path, *args: object, **kwargs: object) -> object:
            if self.name == "a.mp4":
                raise PermissionError(13, "Permission denied")
            return original(self, *args, **kwargs)  # type: ignore[call-overload]

        monkeypatch.setattr(Path, "open", refuse)
    _refused(path, r"a\.mp4: no permission to read it")


def test_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    _refused(tmp_path, r"the folder cannot be read \(Permission denied\)")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ([], "the list is empty"),
        (None, "got NoneType"),
        (3, "got int"),
        ([3, 4], "expected paths, but got int"),
        ([np.zeros((2, 2, 3), np.uint8)] * 2, r"np\.stack"),
        ("https://example.org/talk.mp4", "is a web address"),
        ("", "no such file|is a folder|there is no video"),
    ],
)
def test_other_sources(
    source: object, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _refused(source, words)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_frame_rate_must_be_positive(rate: float) -> None:
    with pytest.raises(MediaError, match="`frame_rate` must be a positive number"):
        open_recordings(np.zeros((1, 2, 2, 3), np.uint8), frame_rate=rate)


@pytest.mark.parametrize("choice", [{"fps": 5.0}, {"start": 1.0}, {"stop": 1.0}])
def test_seconds_need_a_clock(choice: dict[str, float]) -> None:
    (recording,) = open_recordings(np.zeros((3, 2, 2, 3), np.uint8))
    with pytest.raises(MediaError, match=r"needs a clock.*pass `frame_rate`"):
        recording.frames(**choice)  # type: ignore[arg-type]


def test_start_beyond_the_end() -> None:
    (recording,) = open_recordings(np.zeros((10, 2, 2, 3), np.uint8), frame_rate=5.0)
    with pytest.raises(MediaError, match=r"array: there is no frame at start=7 s.*lasts about 2 s"):
        list(recording.frames(start=7.0))


def test_known_fields_of_a_description() -> None:
    info = MediaInfo(
        "a", None, "video", 64, 48, 10, frames_exact=False, rotation=90, audio=("aac",)
    )
    assert info.known() == {
        "name": "a", "kind": "video", "width": 64, "height": 48, "frames": 10,
        "frames_exact": False, "rotation": 90, "audio": ("aac",),
    }  # fmt: skip
