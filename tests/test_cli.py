"""The shell's door: exit codes, one-line errors, files complete or absent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facemt_analysis import read_fex
from facemt_analysis.cli import main

pytestmark = pytest.mark.usefixtures("one_thread")


def run(*arguments: object) -> int:
    return main([str(a) for a in arguments])


@pytest.fixture
def detect(small_weights: Path) -> Callable[..., int]:
    """Run `facemt detect` with the small weights and the embedded face detector."""

    def run_detect(*arguments: object) -> int:
        rest = ("--weights", small_weights, "--face-detector", "haar", "-q")
        return run("detect", *arguments, *rest)

    return run_detect


def errors(captured: str) -> list[str]:
    return [line for line in captured.splitlines() if line.startswith("error: ")]


def test_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    assert {"detect", "info"} <= set(capsys.readouterr().out.split())


def test_video_to_parquet(
    face_video: Path,
    detect: Callable[..., int],
    small_weights: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "talk.parquet"
    code = detect(face_video, "-o", out)
    assert code == 0
    fex = read_fex(out)
    assert fex["frame"].tolist() == list(range(12))
    assert fex["time"].to_numpy() == pytest.approx(np.arange(12) / 10)
    assert fex.info.weights == small_weights.stem
    assert "12 frames" in capsys.readouterr().out


def test_csv_and_parquet_agree(
    face_video: Path, detect: Callable[..., int], tmp_path: Path
) -> None:
    tables = []
    for name in ("a.csv", "a.parquet"):
        out = tmp_path / name
        assert detect(face_video, "-o", out, "--groups", "aus,va,faceboxes", "--every", 3) == 0
        tables.append(read_fex(out))
    pd.testing.assert_frame_equal(*(pd.DataFrame(t) for t in tables), check_dtype=False, rtol=1e-6)


def test_folder_gets_one_file_per_recording(
    face_video: Path, face_image: Path, detect: Callable[..., int], tmp_path: Path
) -> None:
    out = tmp_path / "new" / "study"
    assert detect(face_video, face_image, "-o", out, "--groups", "aus") == 0
    assert len(list(out.glob("*.parquet"))) == 2
    assert set(read_fex(out)["input"]) == {face_video.name, face_image.name}


def test_images_and_videos_share_one_file(
    face_video: Path, face_image: Path, detect: Callable[..., int], tmp_path: Path
) -> None:
    out = tmp_path / "all.parquet"
    assert detect(face_video, face_image, "-o", out, "--groups", "aus") == 0
    fex = read_fex(out)
    assert fex.loc[fex["input"] == face_video.name, "image"].isna().all()
    assert fex["image"].dropna().unique().tolist() == [face_image.name]


def test_one_bad_recording_does_not_stop_the_rest(
    face_video: Path, detect: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "text.mp4"
    bad.write_text("not a video at all")
    out = tmp_path / "out.parquet"
    code = detect(bad, face_video, "-o", out, "--groups", "aus")
    assert code == 1
    assert read_fex(out)["input"].unique().tolist() == [face_video.name]
    (line,) = errors(capsys.readouterr().err)
    assert "text.mp4" in line


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "noise", "folder"])
def test_nothing_to_do_is_one_line_and_two(
    kind: str, detect: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / {"noise": "noise.jpg", "folder": "folder"}.get(kind, f"{kind}.mp4")
    if kind == "folder":
        source.mkdir()
    elif kind != "missing":
        source.write_bytes(
            {"empty": b"", "text": b"hello " * 99, "noise": np.random.default_rng(0).bytes(3000)}[
                kind
            ]
        )
    out = tmp_path / "out.parquet"
    code = detect(source, "-o", out)
    assert code == 2
    captured = capsys.readouterr()
    assert len(captured.err.strip().splitlines()) == 1
    assert captured.err.startswith("error: ")
    assert source.name in captured.err
    assert not out.exists()


def test_truncated_video_keeps_what_it_has(
    cut_video: Path, detect: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "cut.parquet"
    code = detect(cut_video, "-o", out, "--groups", "aus")
    assert code == 1
    assert 0 < len(read_fex(out)) < 12
    assert "missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--groups", "aus,nonsense"], "nonsense"),
        (["--weights", "no_such_weights"], "no_such_weights"),
        (["--face-detector", "harr"], "haar"),
        (["--fps", "0"], "fps"),
        (["--device", "abacus"], "abacus"),
    ],
    ids=["group", "weights", "face detector", "rate", "device"],
)
def test_wrong_arguments_are_one_line(
    arguments: list[str],
    says: str,
    face_video: Path,
    small_weights: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "x.parquet"
    given = ["detect", face_video, "-o", out, "-q", *arguments]
    if "--face-detector" not in arguments:
        given += ["--face-detector", "haar"]
    if "--weights" not in arguments:
        given += ["--weights", small_weights]
    assert run(*given) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("error: ")
    assert says in line
    assert not out.exists()


def test_output_in_a_missing_folder(
    face_video: Path, detect: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = detect(face_video, "-o", tmp_path / "no" / "x.parquet")
    assert code == 2
    assert errors(capsys.readouterr().err)[0].count("x.parquet") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("suffix", [".parquet", ".csv", ""])
def test_full_disk(
    suffix: str,
    face_video: Path,
    detect: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from facemt_analysis.io import _atomic

    usual = _atomic.TemporaryFile.__init__

    def full(self: _atomic.TemporaryFile, path: Path) -> None:
        usual(self, path)
        if Path(path).name != "probe":
            self.temporary.unlink()
            self.temporary.symlink_to("/dev/full")  # every write fails with "no space left"

    monkeypatch.setattr(_atomic.TemporaryFile, "__init__", full)
    out = tmp_path / f"out{suffix}"
    code = detect(face_video, "-o", out)
    assert code == 2
    (line,) = errors(capsys.readouterr().err)
    assert "No space left" in line
    assert not [p for p in tmp_path.rglob("*") if p.is_file() or p.is_symlink()]


@pytest.mark.usefixtures("ctrl_c")
def test_interrupt_leaves_no_half_file(
    face_video: Path, small_weights: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.parquet"
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "facemt_analysis.cli",
            "detect",
            str(face_video),
            "-o",
            str(out),
            "--weights",
            str(small_weights),
            "-q",
            "--face-detector",
            "haar",
        ],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    deadline = time.monotonic() + 240
    with process:
        while not list(tmp_path.glob(".out*")) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "interrupted" in said.splitlines()[-1]
    # at most parts that can be read and gone on with, none of them half a file
    left = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert not [p for p in left if p.name.startswith(".")]
    assert not left or len(read_fex(next(tmp_path.glob("*.parts/*.parts"))))


def test_info_of_every_kind(
    face_video: Path,
    detect: Callable[..., int],
    small_weights: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = tmp_path / "t.parquet"
    detect(face_video, "-o", table, "--groups", "va")
    capsys.readouterr()
    assert run("info", face_video, small_weights, table, "--json") == 0
    video, weights, fex = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (video["kind"], video["frames"]) == ("video", 12)
    assert weights["config"]["backbone"].startswith("convnextv2_atto")
    assert fex["rows"] == 12
    assert "va" in fex["groups"]
    assert run("info", face_video) == 0
    assert "codec: " in capsys.readouterr().out


def test_info_refuses_a_pickle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    assert run("info", path) == 2
    assert "model.pt" in errors(capsys.readouterr().err)[0]


def test_bomb_is_refused(
    detect: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (40_000, 40_000)).save(path)
    assert detect(path, "-o", tmp_path / "o.csv") == 2
    assert "bomb.png" in errors(capsys.readouterr().err)[0]
