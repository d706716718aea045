"""Several recordings at once in one process, as on a graphics card: the same files."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from facemt_analysis import read_fex
from facemt_analysis.detection import open_recordings, units
from facemt_analysis.study import job as job_module
from facemt_analysis.study import run as run_module
from facemt_analysis.study.job import Job, Options
from facemt_analysis.study.run import Here, detect_study

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def folder(face_video: Path, tmp_path: Path) -> Path:
    media = tmp_path / "media"
    media.mkdir()
    for number in range(5):
        shutil.copy(face_video, media / f"{number}.mp4")
    return media


def test_the_study_is_that_of_one_after_the_other(
    folder: Path, options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "3.mp4").write_bytes((folder / "3.mp4").read_bytes()[:700])
    inside, most = [0], [0]
    lock = threading.Lock()
    usual = run_module.measure

    def counted(job: Job, *arguments: Any, **rest: Any) -> Any:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        try:
            return usual(job, *arguments, **rest)
        finally:
            with lock:
                inside[0] -= 1

    monkeypatch.setattr(run_module, "measure", counted)
    told = {}
    for at_once in (1, 3):
        found = list(
            detect_study(
                open_recordings(folder), tmp_path / str(at_once), options,
                runner=Here(at_once=at_once),
            )
        )  # fmt: skip
        told[at_once] = {o.name: (o.tally, o.failed) for o in found}
        assert most[0] == at_once
    assert told[1] == told[3]
    assert [name for name, (_, failed) in told[3].items() if failed] == ["3.mp4"]
    pd.testing.assert_frame_equal(
        read_fex(tmp_path / "1"), read_fex(tmp_path / "3"), check_exact=True
    )


def test_one_file_for_all_keeps_their_order(folder: Path, options: Options, tmp_path: Path) -> None:
    out = tmp_path / "all.parquet"
    list(detect_study(open_recordings(folder), out, options, runner=Here(at_once=4)))
    assert list(read_fex(out)["input"].unique()) == [f"{n}.mp4" for n in range(5)]


def test_an_interruption_ends_all_and_keeps_what_there_is(
    folder: Path, options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "_FRAMES", 2)
    detector = job_module.detector_for(options)
    under_way = threading.Barrier(4)  # three threads, and who interrupts them
    calls = []

    def pieces(*arguments: Any, **rest: Any) -> Iterator[Any]:
        calls.append(1)
        for number, piece in enumerate(type(detector).pieces(detector, *arguments, **rest)):
            if number == 1 and len(calls) < 4:
                under_way.wait(30)
                time.sleep(1.5)  # by then the interruption is known
            yield piece

    monkeypatch.setattr(detector, "pieces", pieces)
    outcomes = detect_study(
        open_recordings(folder), tmp_path / "out", options, runner=Here(at_once=3)
    )

    def interrupted(*_: object, **__: object) -> Iterator[Any]:
        under_way.wait(30)
        raise KeyboardInterrupt
        yield

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "as_completed", interrupted)
        with pytest.raises(KeyboardInterrupt):
            list(outcomes)
    assert not [t for t in threading.enumerate() if t.name.startswith("facemt")]
    assert len(calls) == 3  # the others were not begun
    assert len(list((tmp_path / "out").glob("*.parts"))) == 3
    assert not list((tmp_path / "out").glob("*.mp4.parquet"))
    done = list(
        detect_study(
            open_recordings(folder), tmp_path / "out", options,
            runner=Here(at_once=3), resume=True,
        )
    )  # fmt: skip
    assert [o.failed for o in done] == [None] * 5
    list(detect_study(open_recordings(folder), tmp_path / "whole", options, runner=Here()))
    pd.testing.assert_frame_equal(
        read_fex(tmp_path / "out"), read_fex(tmp_path / "whole"), check_exact=True
    )


def test_on_a_cpu_it_is_one_at_a_time(
    folder: Path, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [Job(r, Path("x"), options) for r in open_recordings(folder)]
    assert (run_module._at_once(jobs), run_module._at_once([])) == (1, 1)
    monkeypatch.setattr(job_module.detector_for(options), "device", torch.device("cuda"))
    monkeypatch.setattr(run_module.os, "cpu_count", lambda: 3)
    assert run_module._at_once(jobs) == 3


def test_the_batch_size_that_is_usual_is_the_one_that_was_always_used() -> None:
    assert Options().key() == Options(batch_size=16).key() != Options(batch_size=8).key()
