"""Two commands at once on one study."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from facemt_analysis import read_fex
from facemt_analysis.detection import open_recordings
from facemt_analysis.errors import FexError
from facemt_analysis.study import lock
from facemt_analysis.study.job import Options
from facemt_analysis.study.lock import sole_writer
from facemt_analysis.study.run import Here, detect_study

from .machines import wait

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.timeout(300)]

# Stops once a part is written, until it is killed
RUN = """
import sys, time
from pathlib import Path
from facemt_analysis.detection import open_recordings, units
from facemt_analysis.study import job
from facemt_analysis.study.run import Here, detect_study

units._FRAMES = job._FRAMES = 8
usual = job.Parts.add

def add(self, *arguments):
    usual(self, *arguments)
    Path(sys.argv[4]).touch()
    time.sleep(600)

job.Parts.add = add
options = job.Options(**eval(sys.argv[3]))
list(detect_study(open_recordings(sys.argv[1]), Path(sys.argv[2]), options, runner=Here()))
"""


def run(source: Path, out: Path, options: Options, *, resume: bool = False) -> None:
    for outcome in detect_study(
        open_recordings(source), out, options, runner=Here(), resume=resume
    ):
        assert outcome.failed is None


@pytest.mark.parametrize("name", ["study", "all.parquet"])
def test_a_second_run_is_refused_until_the_first_is_gone(
    moving_video: Path, options: Options, tmp_path: Path, name: str
) -> None:
    out, begun = tmp_path / "out" / name, tmp_path / "begun"
    out.parent.mkdir()
    given = repr(dataclasses.asdict(options))
    first = subprocess.Popen([sys.executable, "-c", RUN, moving_video, out, given, begun])
    try:
        wait(begun.exists)
        before = sorted(out.parent.rglob("*"))
        with pytest.raises(FexError) as caught:
            run(moving_video, out, options, resume=True)
        said = str(caught.value)
        assert said.startswith(f"Another run is writing {out} (process {first.pid} on ")
        assert ", since 20" in said
        assert "wait until it has ended, or name another place" in said
        assert sorted(out.parent.rglob("*")) == before
    finally:
        first.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        first.wait()
    run(moving_video, out, options, resume=True)
    assert len(read_fex(out)) == 60
    left = [p.name for p in out.parent.rglob("*") if p.name.startswith(".")]
    assert left == []


def test_the_lock_is_one_persons_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / ".lock"

    def refused() -> bool:
        try:
            with sole_writer(path, tmp_path):
                return False
        except FexError:
            return True

    with sole_writer(path, tmp_path):
        assert refused()
        assert path.exists()
    assert not path.exists()
    path.write_text("left by somebody")
    assert not refused()


@pytest.mark.skipif(os.name != "posix", reason="Windows removes no file that is open")
def test_a_lock_that_was_removed_while_it_was_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that opened the file just before its owner removed it must not take it for the lock."""
    path = tmp_path / ".lock"
    usual, opened = Path.open, []

    def open_then_remove(self: Path, *arguments: str) -> object:
        file = usual(self, *arguments)
        opened.append(file)
        if len(opened) == 1:
            self.unlink()
        return file

    monkeypatch.setattr(Path, "open", open_then_remove)
    with sole_writer(path, tmp_path):
        assert len(opened) == 2
        assert path.exists()


def test_without_locks_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")

    def flock(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", flock)
    with sole_writer(tmp_path / ".lock", tmp_path), sole_writer(tmp_path / ".lock", tmp_path):
        pass


@pytest.mark.usefixtures("ctrl_c")
def test_an_interrupt_while_the_lock_is_made_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    usual = lock._lock

    def interrupted(file: BinaryIO) -> bool:
        made.extend(tmp_path.iterdir())
        signal.raise_signal(signal.SIGINT)
        return usual(file)

    monkeypatch.setattr(lock, "_lock", interrupted)
    with pytest.raises(KeyboardInterrupt), lock.sole_writer(tmp_path / ".lock", tmp_path):
        made.append(tmp_path / "work was begun")
    assert made == [tmp_path / ".lock"]
    assert not list(tmp_path.iterdir())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
