"""Recordings to files: interrupted, resumed, cut, done again, in spite of what fails."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import Fex, read_fex
from facemt_analysis.detection import open_recordings, units
from facemt_analysis.io import _atomic
from facemt_analysis.study import job as job_module
from facemt_analysis.study.job import Job, Options, Segment, cut
from facemt_analysis.study.manifest import Manifest
from facemt_analysis.study.run import Here, Outcome, detect_study

pytestmark = pytest.mark.usefixtures("one_thread")


def run(source: object, out: Path, options: Options, **rest: Any) -> dict[str, Outcome]:
    recordings = open_recordings(source)
    rest = {"runner": Here(), **rest}
    return {o.name: o for o in detect_study(recordings, out, options, **rest)}


def same(one: Path, other: Path) -> None:
    """Compare tables to the last bit."""
    a, b = read_fex(one), read_fex(other)
    pd.testing.assert_frame_equal(a, b, check_exact=True)
    facts = [dataclasses.replace(fex.info, created=None) for fex in (a, b)]
    assert facts[0] == facts[1]


@pytest.fixture
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts after every eight frames."""
    monkeypatch.setattr(units, "_FRAMES", 8)
    monkeypatch.setattr(job_module, "_FRAMES", 8)


def test_the_study_is_what_detect_gives(
    moving_video: Path, options: Options, tmp_path: Path
) -> None:
    outcome = run(moving_video, tmp_path / "study", options)["moving.mp4"]
    assert outcome.tally is not None
    assert (outcome.tally.frames, outcome.tally.faces, outcome.tally.rows) == (60, 55, 60)
    direct = job_module.detector_for(options).detect(
        moving_video, groups=options.groups, progress=False
    )
    stored = read_fex(tmp_path / "study")
    pd.testing.assert_frame_equal(stored, direct, check_exact=True)
    assert "FaceRectX" not in stored  # boxes number the faces, but nobody asked for them
    assert sorted(p.name for p in (tmp_path / "study").iterdir()) == [
        "manifest.json", "moving.mp4.parquet",
    ]  # fmt: skip


@pytest.mark.usefixtures("small_units")
@pytest.mark.parametrize("stop_after", [1, 3, 6])
@pytest.mark.parametrize("sampling", [{}, {"fps": 12.0}, {"every": 2, "start": 0.4}], ids=str)
def test_what_stops_anywhere_goes_on_to_the_same_table(
    moving_video: Path, options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    stop_after: int, sampling: dict[str, Any],
) -> None:  # fmt: skip
    options = dataclasses.replace(options, **sampling)
    run(moving_video, tmp_path / "whole", options)
    usual = job_module.Parts.add
    calls = []

    def add(self: object, *arguments: object) -> None:
        calls.append(1)
        if len(calls) == stop_after + 1:
            raise KeyboardInterrupt
        usual(self, *arguments)

    with monkeypatch.context() as context:
        context.setattr(job_module.Parts, "add", add)
        try:
            run(moving_video, tmp_path / "out", options)
        except KeyboardInterrupt:
            interrupted = True
        else:
            interrupted = False
    (folder,) = [*(tmp_path / "out").glob("*.parts"), None][:1]
    before = len(list(folder.glob("*.parquet"))) if folder else 0
    assert interrupted == bool(before)
    if interrupted:
        calls.clear()
        counted = []
        monkeypatch.setattr(
            job_module.Parts, "add", lambda self, *a: (counted.append(1), usual(self, *a))[1]
        )
        run(moving_video, tmp_path / "out", options, resume=True)
        written = len(list((tmp_path / "whole").glob("*.parquet")))
        assert written == 1
        assert counted
    same(tmp_path / "out", tmp_path / "whole")


@pytest.mark.usefixtures("small_units")
def test_without_resume_or_with_other_options_all_is_done_again(
    moving_video: Path, options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = job_module.Parts.finish
    with monkeypatch.context() as context:
        context.setattr(job_module.Parts, "finish", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(moving_video, tmp_path / "out", options)
    begun = []
    detector = job_module.detector_for(options)

    def pieces(*arguments: Any, **rest: Any) -> Iterator[Any]:
        begun.append(rest["after"])
        return type(detector).pieces(detector, *arguments, **rest)

    monkeypatch.setattr(job_module.Parts, "finish", usual)
    monkeypatch.setattr(detector, "pieces", pieces)
    run(moving_video, tmp_path / "out", options)
    assert begun == [None]


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.usefixtures("small_units")
def test_segments_give_the_table_of_the_whole(
    moving_video: Path, options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "WINDOW", 0.5)
    (recording,) = open_recordings(moving_video)
    assert cut(recording, options) == (
        Segment(0, None, 0.5), Segment(1, 0.5, 1.0), Segment(2, 1.0, 1.5), Segment(3, 1.5, None),
    )  # fmt: skip
    part = dataclasses.replace(options, start=0.7, stop=1.9)
    assert [s.start for s in cut(recording, part)] == [None]  # too short to be worth it
    assert cut(recording, dataclasses.replace(options, fps=10.0)) == (Segment(0),)
    run(moving_video, tmp_path / "whole", options)
    cutting = Here()
    object.__setattr__(cutting, "split", True)
    run(moving_video, tmp_path / "cut", options, runner=cutting)
    same(tmp_path / "cut", tmp_path / "whole")


def test_threads_do_not_change_a_bit(moving_video: Path, options: Options, tmp_path: Path) -> None:
    for threads in (1, 3):
        run(moving_video, tmp_path / str(threads), dataclasses.replace(options, threads=threads))
    same(tmp_path / "1", tmp_path / "3")


# ------------------------------------------------------------------------------------ manifest


def test_a_second_run_measures_only_what_is_new(
    moving_video: Path, face_video: Path, options: Options, tmp_path: Path
) -> None:
    media, out = tmp_path / "media", tmp_path / "study"
    media.mkdir()
    shutil.copy(moving_video, media / "a.mp4")
    shutil.copy(face_video, media / "b.mp4")

    def kept(options: Options = options) -> dict[str, bool]:
        return {name: o.kept for name, o in run(media, out, options).items()}

    assert kept() == {"a.mp4": False, "b.mp4": False}
    assert kept() == {"a.mp4": True, "b.mp4": True}
    (media / "a.mp4").touch()  # another date, the same content
    assert kept() == {"a.mp4": True, "b.mp4": True}
    shutil.copy(face_video, media / "a.mp4")
    assert kept() == {"a.mp4": False, "b.mp4": True}
    shutil.copy(face_video, media / "c.mp4")
    assert kept() == {"a.mp4": True, "b.mp4": True, "c.mp4": False}
    (out / "b.mp4.parquet").unlink()
    assert kept() == {"a.mp4": True, "b.mp4": False, "c.mp4": True}
    other = dataclasses.replace(options, every=2)
    assert kept(other) == {"a.mp4": False, "b.mp4": False, "c.mp4": False}
    (out / "manifest.json").write_text("{")  # a broken manifest only costs time
    assert not any(kept(other).values())
    assert set(Manifest(out).entries) == {"a.mp4", "b.mp4", "c.mp4"}
    assert len(read_fex(out)["input"].unique()) == 3


def test_a_failure_is_recorded_and_tried_again(
    face_video: Path, options: Options, tmp_path: Path
) -> None:
    media, out = tmp_path / "media", tmp_path / "study"
    media.mkdir()
    shutil.copy(face_video, media / "a.mp4")
    (media / "b.mp4").write_bytes(face_video.read_bytes()[:700])
    outcomes = run(media, out, options)
    assert outcomes["a.mp4"].failed is None
    assert "b.mp4" in str(outcomes["b.mp4"].failed)
    assert Manifest(out).entries["b.mp4"].failed == outcomes["b.mp4"].failed
    shutil.copy(face_video, media / "b.mp4")
    assert [o.failed for o in run(media, out, options).values()] == [None, None]


def test_faults_stop_nobody_else(
    face_video: Path, options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, an input that vanishes, and a corrupt file among fifty."""
    media, out = tmp_path / "media", tmp_path / "study"
    media.mkdir()
    for number in range(50):
        shutil.copy(face_video, media / f"{number:02d}.mp4")
    (media / "07.mp4").write_bytes(os.urandom(5000))
    usual = _atomic.TemporaryFile.__init__

    def init(self: _atomic.TemporaryFile, path: Path) -> None:
        usual(self, path)
        if "20.mp4" in str(path):
            (media / "30.mp4").unlink(missing_ok=True)
            self.temporary.unlink()
            self.temporary.symlink_to("/dev/full")

    monkeypatch.setattr(_atomic.TemporaryFile, "__init__", init)
    outcomes = run(media, out, dataclasses.replace(options, stop=0.2))
    failed = {name: o.failed for name, o in outcomes.items() if o.failed}
    assert set(failed) == {"07.mp4", "20.mp4", "30.mp4"}
    assert "No space left" in failed["20.mp4"]
    assert all(name in why for name, why in failed.items())
    assert len(read_fex(out)["input"].unique()) == 47
    assert {name for name, e in Manifest(out).entries.items() if e.failed} == set(failed)


# ---------------------------------------------------------------------------------- processes


def test_a_killed_process_leaves_parts_that_are_gone_on_with(
    moving_video: Path, options: Options, tmp_path: Path
) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from facemt_analysis.detection import open_recordings, units\n"
        "from facemt_analysis.study import job\n"
        "from facemt_analysis.study.run import Here, detect_study\n"
        "units._FRAMES = job._FRAMES = 8\n"
        "options = job.Options(**eval(sys.argv[3]))\n"
        "recordings = open_recordings(sys.argv[1])\n"
        "list(detect_study(recordings, Path(sys.argv[2]), options, runner=Here()))"
    )
    given = repr(dataclasses.asdict(options))
    out = tmp_path / "out"
    process = subprocess.Popen([sys.executable, "-c", code, moving_video, out, given])
    deadline = time.monotonic() + 240
    while len(list(out.glob("*.parts/00000-0*.json"))) < 3:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (folder,) = out.glob("*.parts")
    readable = read_fex(folder)
    assert len(readable) >= 24
    assert readable["frame"].is_monotonic_increasing

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units, "_FRAMES", 8)
        patch.setattr(job_module, "_FRAMES", 8)
        run(moving_video, out, options, resume=True)
        run(moving_video, tmp_path / "whole", options)
    same(out, tmp_path / "whole")
    assert not list(out.glob("*.parts"))


@pytest.mark.usefixtures("small_units")
def test_of_two_that_measure_the_same_only_the_later_goes_on(
    moving_video: Path, options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a worker given up for lost is still at work while another one has begun anew."""
    run(moving_video, tmp_path / "whole", options)
    usual, later = job_module.Parts.add, []

    def add(self: job_module.Parts, *arguments: Any) -> None:
        usual(self, *arguments)
        if arguments[1] == 1 and not later:
            later.append(self)
            monkeypatch.setattr(job_module, "_FRAMES", 20)  # parts that end elsewhere
            (recording,) = open_recordings(moving_video)
            job = Job(recording, tmp_path / "out" / "moving.mp4.parquet", options)
            job_module.measure(job, *job.segments)
            monkeypatch.setattr(job_module, "_FRAMES", 8)

    monkeypatch.setattr(job_module.Parts, "add", add)
    (outcome,) = run(moving_video, tmp_path / "out", options).values()
    assert "another process has begun to measure the same recording" in str(outcome.failed)
    (tmp_path / "out" / ".moving.mp4.parquet.0123456789ab.part").touch()  # left by one killed
    run(moving_video, tmp_path / "out", options, resume=True)
    same(tmp_path / "out", tmp_path / "whole")
    left = [sorted(p.name for p in (tmp_path / name).iterdir()) for name in ("out", "whole")]
    assert left[0] == left[1]


def test_one_file_of_films_and_stills(
    face_video: Path, face_image: Path, options: Options, tmp_path: Path
) -> None:
    out = tmp_path / "all.parquet"
    run([face_video, face_image], out, options)
    fex: Fex = read_fex(out)
    assert fex["image"].isna().sum() == 12
    assert np.isfinite(fex.loc[fex["track"] >= 0, "AU12"]).all()
    assert [p.name for p in tmp_path.iterdir()] == ["all.parquet"]
