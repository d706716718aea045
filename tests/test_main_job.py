"""The main job end to end: hard recordings, several people, interruptions, broken weights."""

from __future__ import annotations

import json
import pickle
import signal
import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facemt_analysis import Fex, read_fex
from facemt_analysis.cli import main
from facemt_analysis.detection import detector, units

pytestmark = pytest.mark.usefixtures("one_thread")

Draw = Callable[..., np.ndarray]
BOX = ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"]


def encode(
    path: Path, frames: Sequence[np.ndarray], *, codec: str = "libx264", pix_fmt: str = "yuv420p",
    milliseconds: Sequence[int] | None = None, options: dict[str, str] | None = None,
) -> Path:  # fmt: skip
    """Encode frames at given times, or ten a second."""
    try:
        av.Codec(codec, "w")
    except (ValueError, av.FFmpegError):
        pytest.skip(f"PyAV's FFmpeg has no encoder {codec}")
    times = milliseconds or [100 * i for i in range(len(frames))]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options=options or {"crf": "12"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = Fraction(1, 1000)
        for pixels, time in zip(frames, times, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def detect(small_weights: Path, tmp_path: Path) -> Callable[..., int]:
    """Run ``facemt detect``; later options replace earlier ones."""

    def run(*arguments: object, out: Path | None = None) -> int:
        given = [
            "detect", "-q", "-o", out or tmp_path / "out.parquet", "--weights", small_weights,
            "--face-detector", "haar", "--groups", "faceboxes,va", *arguments,
        ]  # fmt: skip
        return main([str(a) for a in given])

    return run


@pytest.fixture
def measured(detect: Callable[..., int], tmp_path: Path) -> Callable[..., Fex]:
    """Run ``facemt detect`` without a complaint and read what it wrote."""

    def run(*arguments: object) -> Fex:
        assert detect(*arguments) == 0
        return read_fex(tmp_path / "out.parquet")

    return run


def one_error(captured: pytest.CaptureFixture[str]) -> str:
    """Give the single line on stderr."""
    (line,) = captured.readouterr().err.strip().splitlines()
    assert line.startswith("error: ")
    return line


# ------------------------------------------------------------------------------ hard recordings


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "frame"),
    [
        ("libx264", "yuv444p", (240, 320)),
        ("libx265", "yuv420p10le", (240, 320)),
        ("libx264", "yuv444p", (241, 323)),
        ("mpeg4", "yuv420p", (240, 320)),
    ],
    ids=["444", "hevc-10-bit", "odd-size", "mpeg4"],
)
def test_coding_does_not_move_the_face(
    codec: str, pix_fmt: str, frame: tuple[int, int], draw_scene: Draw,
    measured: Callable[..., Fex], tmp_path: Path,
) -> None:  # fmt: skip
    scene = draw_scene((60, 40), frame=frame)
    options = {"libx265": {"x265-params": "log-level=error"}, "mpeg4": {"qscale": "2"}}.get(codec)
    path = encode(tmp_path / "v.mp4", [scene] * 3, codec=codec, pix_fmt=pix_fmt, options=options)
    Image.fromarray(scene).save(tmp_path / "still.png")
    video, still = measured(path), measured(tmp_path / "still.png")
    assert len(video) == 3
    assert (video["FrameHeight"].iloc[0], video["FrameWidth"].iloc[0]) == frame
    np.testing.assert_allclose(video[BOX], np.tile(still[BOX], (3, 1)), rtol=0, atol=6)


# tkhd matrices (16.16 fixed point, last column 2.30) that turn the stored picture clockwise
TURNS = {
    90: (0, 1, 0, -1, 0, 0, 0, 0, 1),
    180: (-1, 0, 0, 0, -1, 0, 0, 0, 1),
    270: (0, -1, 0, 1, 0, 0, 0, 0, 1),
}


@pytest.mark.parametrize("degrees", TURNS)
def test_phone_video_is_measured_upright(
    degrees: int, draw_scene: Draw, measured: Callable[..., Fex], tmp_path: Path
) -> None:
    scene = draw_scene((60, 40))
    stored = np.rot90(scene, degrees // 90)  # counter-clockwise, so that the matrix undoes it
    path = encode(tmp_path / "phone.mp4", [stored] * 2)
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 44
    content[matrix : matrix + 36] = struct.pack(
        ">9i", *(v << (30 if i == 8 else 16) for i, v in enumerate(TURNS[degrees]))
    )
    path.write_bytes(content)
    Image.fromarray(scene).save(tmp_path / "still.png")
    video, still = measured(path), measured(tmp_path / "still.png")
    assert (video["FrameHeight"].iloc[0], video["FrameWidth"].iloc[0]) == (240, 320)
    np.testing.assert_allclose(video[BOX], np.tile(still[BOX], (2, 1)), rtol=0, atol=6)


def test_variable_frame_rate_keeps_its_times(
    draw_scene: Draw, measured: Callable[..., Fex], tmp_path: Path
) -> None:
    times = [0, 33, 100, 433, 466, 1200]
    path = encode(tmp_path / "vfr.mp4", [draw_scene((60, 40))] * 6, milliseconds=times)
    assert measured(path)["time"].tolist() == pytest.approx([t / 1000 for t in times], abs=1e-3)
    assert measured(path, "--start", 0.2, "--stop", 0.45)["frame"].tolist() == [3]


def test_ends_of_a_two_hour_recording(
    draw_scene: Draw, measured: Callable[..., Fex], tmp_path: Path
) -> None:
    path = encode(
        tmp_path / "long.mp4", [draw_scene((60, 40))] * 720,
        milliseconds=[10_000 * i for i in range(720)], options={"preset": "ultrafast", "g": "12"},
    )  # fmt: skip
    first, last = measured(path, "--stop", 60), measured(path, "--start", 7140)
    assert first["frame"].tolist() == list(range(6))
    assert last["frame"].tolist() == list(range(714, 720))
    assert last["time"].tolist() == [10.0 * i for i in range(714, 720)]
    assert (last["track"] == 0).all()


def test_no_face_at_start_middle_and_end(
    draw_scene: Draw, measured: Callable[..., Fex], tmp_path: Path
) -> None:
    there = [0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0]
    frames = [draw_scene(*([(60, 40)] if face else [])) for face in there]
    fex = measured(encode(tmp_path / "gaps.mp4", frames))
    assert fex["track"].tolist() == [face - 1 for face in there]
    without = fex[fex["track"] < 0]
    assert (without["FaceScore"] == 0).all()
    assert without[[*BOX, "valence", "arousal"]].isna().all(axis=None)


def test_five_people_keep_their_tracks(
    draw_scene: Draw, measured: Callable[..., Fex], tmp_path: Path
) -> None:
    def places(i: int) -> list[tuple[int, int]]:  # neighbours drift apart and together
        step = 4 * i
        return [(step, 0), (200 - step, 10), (400, step), (40, 190 - step), (300 + step, 200)]

    frames = [draw_scene(*places(i), side=150, frame=(360, 560)) for i in range(5)]
    fex = measured(encode(tmp_path / "five.mp4", frames))
    assert fex.groupby("frame")["track"].apply(list).tolist() == [[0, 1, 2, 3, 4]] * 5
    centre = np.column_stack([fex[f"FaceRect{a}"] + fex[f"FaceRect{s}"] / 2
                              for a, s in (("X", "Width"), ("Y", "Height"))])  # fmt: skip
    for _, rows in fex.groupby("track"):
        offset = centre[rows.index] - [75, 75]
        who = [
            int(np.argmin(np.abs(np.subtract(places(f), o)).sum(axis=1)))
            for f, o in zip(rows["frame"], offset, strict=True)
        ]
        assert len(set(who)) == 1, who


# --------------------------------------------------------------------------------- interruptions


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
@pytest.mark.parametrize("kind", ["file.parquet", "file.csv", "folder"])
def test_what_a_signal_interrupts_can_be_resumed(
    ctrl_c: None,
    number: signal.Signals, code: int, word: str, kind: str, face_image: Path, face_video: Path,
    detect: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    arguments = (face_image, face_video, "--follow", 2)
    whole, out = tmp_path / f"whole_{kind}", tmp_path / kind
    monkeypatch.setattr(units, "_FRAMES", 4)
    assert detect(*arguments, out=whole) == 0
    usual = detector._rows
    calls = []

    def rows(*given: object) -> Fex:
        calls.append(1)
        if len(calls) == 4:  # one for the image, then in the middle of the video
            signal.raise_signal(number)
        return usual(*given)

    with monkeypatch.context() as context:
        context.setattr(detector, "_rows", rows)
        before = signal.getsignal(signal.SIGTERM)
        assert detect(*arguments, out=out) == code
        assert signal.getsignal(signal.SIGTERM) is before
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"{word}: ")
    # what is complete is there under its name, what is not can be read all the same
    (part,) = tmp_path.rglob(f"{face_video.name}.parquet.parts")
    assert read_fex(part)["frame"].tolist() == list(range(9))
    assert (out / f"{face_image.name}.parquet").is_file() == (kind == "folder")
    assert out.is_file() is False

    assert detect(*arguments, "--resume", out=out) == 0
    assert len(calls) == 4
    pd.testing.assert_frame_equal(read_fex(out), read_fex(whole), check_exact=True)
    assert not list(tmp_path.rglob("*.parts"))


def test_a_folder_that_stays_empty_is_not_left_behind(
    detect: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    for path in bad:
        path.write_text("no video\n" * 50)
    assert detect(*bad, out=tmp_path / "new" / "study") == 2
    assert sorted(tmp_path.iterdir()) == bad
    assert capsys.readouterr().err.count("error: ") == 2


def test_output_below_a_file(
    face_image: Path, detect: Callable[..., int], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "file").touch()
    assert detect(face_image, out=tmp_path / "file" / "x.csv") == 2
    assert "is a file" in one_error(capsys)
    assert detect(face_image, out=tmp_path / "file" / "study") == 2
    assert "Not a directory" in one_error(capsys)


@pytest.mark.parametrize(
    "arguments", [["--every", 0], ["--every", 2, "--fps", 3], ["--start", "soon"], ["--nonsense"]],
    ids=["zero", "two rates", "no number", "unknown"],
)  # fmt: skip
def test_arguments_that_cannot_be_are_one_line(
    arguments: list[object], face_image: Path, detect: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    with pytest.raises(SystemExit) as stop:
        detect(face_image, *arguments)
    assert stop.value.code == 2
    line = one_error(capsys)
    assert str(arguments[0]) in line
    assert "--help" in line


def test_info_of_damaged_files(
    tmp_path: Path, face_image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)).save(tmp_path / "whole.jpg")
    cut = tmp_path / "cut.jpg"
    cut.write_bytes((tmp_path / "whole.jpg").read_bytes()[:2000])
    assert main(["info", str(cut)]) == 2
    assert "cut.jpg" in one_error(capsys)
    assert main(["info", str(cut), str(face_image)]) == 1


def test_info_of_reordered_pictures_sees_one_rate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (32, 32, 3), np.uint8) for _ in range(8)] * 40
    coding = "bframes=7:b-adapt=0:scenecut=0:keyint=600"
    path = encode(tmp_path / "b.mp4", pictures, options={"x264-params": coding})
    with av.open(str(path)) as container:
        stamps = [p.pts for p in container.demux(video=0) if p.pts is not None]
    assert stamps != sorted(stamps)
    assert main(["info", "--json", str(path)]) == 0
    info = json.loads(capsys.readouterr().out)
    assert (info["frames"], info["rate"], info["variable_rate"]) == (320, 10.0, False)


# ------------------------------------------------------------------------------- broken weights


def _rewritten(source: Path, path: Path, change: Callable[[dict], None]) -> Path:  # type: ignore[type-arg]
    """Copy a safetensors file with another header; the tensors' bytes stay."""
    content = source.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])
    return path


def _rename(header: dict[str, object]) -> None:
    header["foreign.weight"] = header.pop("lmk.mlp.0.bias")


def _reshape(header: dict[str, dict[str, list[int]]]) -> None:
    header["sc.s"]["shape"] = header["sc.s"]["shape"][::-1]


def _no_config(header: dict[str, dict[str, str]]) -> None:
    del header["__metadata__"]["config"]


def _half_config(header: dict[str, dict[str, str]]) -> None:
    header["__metadata__"]["config"] = '{"backbone": '


@pytest.mark.parametrize(
    ("change", "says", "info"),
    [
        (_rename, ["1 missing (lmk.mlp.0.bias)", "1 not expected (foreign.weight)"], 0),
        (_reshape, ["1 of another shape (sc.s"], 0),
        (_no_config, ["no key `config`"], 0),
        (_half_config, ["not valid JSON"], 2),
    ],
    ids=["names", "shapes", "no config", "half a config"],
)
def test_weights_that_do_not_fit_are_told_by_both_commands(
    change: Callable[..., None], says: list[str], info: int, small_weights: Path,
    face_image: Path, detect: Callable[..., int], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = _rewritten(small_weights, tmp_path / "other.safetensors", change)
    assert detect(face_image, "--weights", path) == 2
    line = one_error(capsys)
    assert path.name in line
    assert all(words in line for words in says)
    assert main(["info", str(path)]) == info
    told = capsys.readouterr()
    assert all(words in (told.err if info else told.out) for words in says)
    assert "runs: yes" not in told.out


class _Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["model.pt", "model.safetensors"])
def test_a_pickle_is_never_opened(
    name: str, face_image: Path, detect: Callable[..., int], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = tmp_path / name
    path.write_bytes(pickle.dumps(_Trap(tmp_path / "sprung")))
    assert detect(face_image, "--weights", path) == 2
    assert "pickle" in one_error(capsys)
    assert main(["info", str(path)]) == 2
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("name", ["folder", "nothing_there.safetensors"])
def test_weights_that_are_no_file(
    name: str, face_image: Path, detect: Callable[..., int], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "folder").mkdir()
    assert detect(face_image, "--weights", tmp_path / name) == 2
    assert name in one_error(capsys)
