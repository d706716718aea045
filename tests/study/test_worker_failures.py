"""What dies and what is raised on a Dask cluster, in scans and detections."""

from __future__ import annotations

import os
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import facemt_analysis as fm
from facemt_analysis.fex import Fex
from facemt_analysis.study import RecordingsFailed, SchedulerLost, executing
from facemt_analysis.study.cluster import cluster
from facemt_analysis.study.job import Job, Options
from facemt_analysis.study.parts import Tally

from .machines import Machines, meanwhile

Client = pytest.importorskip("distributed").Client
pytestmark = [
    pytest.mark.timeout(300),
    # those that have died are not always back when the next test begins
    pytest.mark.filterwarnings("ignore::facemt_analysis.study.scheduler.ClusterWarning"),
    pytest.mark.skipif(os.name != "posix", reason="kills processes by SIGKILL"),
]


# Measuring that does what the recording's name says
PRELOAD = """
import os

def dask_setup(worker):
    from facemt_analysis.study import cluster
    from facemt_analysis.study.parts import Tally

    class Two(Exception):
        def __init__(self, one, two):
            super().__init__(f"{one} {two}")

    def deeper():
        deeper()

    def measure(job, segment):
        name = job.recording.name
        if name == "kills":
            os._exit(1)
        if name == "recurses":
            deeper()
        if name == "two":
            raise Two("a", "b")
        if name == "memory":
            raise MemoryError
        if name == "exits":
            raise SystemExit(3)
        if name == "file":
            raise FileNotFoundError(2, "No such file or directory", "file.mp4")
        return Tally(rows=5)

    cluster.measure = measure
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    fex, _ = fm.simulate_study(2, duration=4, fps=20, seed=3, feature_groups=["aus", "va"])
    path = tmp_path_factory.mktemp("scanned") / "study"
    fm.io.write_dataset(fex, path)
    return path


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    machines = Machines(tmp_path_factory.mktemp("dask") / "nannies", 2, PRELOAD, nanny=True)
    yield machines
    machines.end()


def count(fex: Fex) -> dict[str, int]:
    return {"n": len(fex)}


def test_a_killed_scheduler_is_told_with_what_is_done(
    folder: Path,
    machines: Machines,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, got = fm.scan(folder).recordings[0], threading.Event()

    def slow(fex: Fex) -> dict[str, int]:
        if fex.recordings[0] != first:
            time.sleep(60)
        return {"n": len(fex)}

    def reply(future: Any, real: Callable[[Any], Any] = executing._reply) -> Any:
        given = real(future)
        got.set()
        return given

    monkeypatch.setattr(executing, "_reply", reply)
    mortal = Machines(tmp_path / "mortal", 1)
    killed = []

    def kill() -> None:
        mortal.scheduler.kill()
        killed.append(time.monotonic())

    try:
        with Client(mortal.address, set_as_default=False) as client:
            client.wait_for_workers(1, 60)  # which then begins with the first recording
        with (
            meanwhile(got.is_set, kill),
            pytest.raises(SchedulerLost, match="3 of 4 recordings are not done") as caught,
        ):
            fm.scan(folder, scheduler=mortal.address, progress=False).map(slow)
        assert time.monotonic() - killed[0] < 30
    finally:
        mortal.end()
    assert mortal.address in str(caught.value)
    assert caught.value.done is not None
    assert caught.value.done["input"].tolist() == [first]
    assert capfd.readouterr().err == ""
    table = fm.scan(folder, scheduler=machines.address).map(count)
    assert table["n"].tolist() == [80] * 4


def test_whatever_a_function_raises_arrives(folder: Path, machines: Machines) -> None:
    """Some of it makes Dask wait for ever, as a RecursionError, or ends the worker."""
    names = fm.scan(folder).recordings

    class Two(Exception):
        def __init__(self, one: str, two: str) -> None:
            super().__init__(f"{one} {two}")

    def raise_on(function: Any) -> dict[str, str]:
        with pytest.raises(RecordingsFailed) as caught:
            fm.scan(folder, scheduler=machines.address).map(function)
        assert caught.value.done["input"].tolist() == [names[0]]
        return {name: f"{type(e).__name__}: {e}" for name, e in caught.value.failed.items()}

    def one(fex: Fex) -> dict[str, int]:
        def deeper() -> None:
            deeper()

        which = names.index(fex.recordings[0])
        if which == 1:
            deeper()
        if which == 2:
            raise Two("a", "b")
        if which == 3:
            raise SystemExit(3)
        return {"n": len(fex)}

    def other(fex: Fex) -> dict[str, int]:
        which = names.index(fex.recordings[0])
        if which == 1:
            raise KeyboardInterrupt
        if which == 2:
            raise MemoryError
        if which == 3:
            error = ValueError("holds what cannot be sent")
            error.held = (i for i in ())  # type: ignore[attr-defined]
            raise error
        return {"n": len(fex)}

    assert raise_on(one) == {
        names[1]: "RecursionError: maximum recursion depth exceeded",
        names[2]: "RemoteError: Two: a b",
        names[3]: "RemoteError: SystemExit: 3",
    }
    assert raise_on(other) == {
        names[1]: "RemoteError: KeyboardInterrupt: no reason given",
        names[2]: "MemoryError: ",
        names[3]: "RemoteError: ValueError: holds what cannot be sent",
    }


def test_a_recording_that_kills_its_workers_costs_no_other(
    folder: Path, machines: Machines
) -> None:
    """Dask gives up what has only waited behind it, too."""
    killer = fm.scan(folder).recordings[0]

    def kill(fex: Fex) -> dict[str, int]:
        if fex.recordings[0] == killer:
            os._exit(1)
        return {"n": len(fex)}

    with pytest.raises(RecordingsFailed, match="the workers that tried it died") as caught:
        fm.scan(folder, scheduler=machines.address).map(kill)
    assert list(caught.value.failed) == [killer]
    assert caught.value.done["n"].tolist() == [80] * 3


def test_detection_names_what_failed_and_does_the_rest(machines: Machines, tmp_path: Path) -> None:
    names = ["kills", "a", "recurses", "two", "b", "memory", "exits", "file", "c"]
    jobs = [
        Job(types.SimpleNamespace(name=n), tmp_path / n, Options())  # type: ignore[arg-type]
        for n in names
    ]
    with cluster(scheduler=machines.address) as runner:
        found = {job.recording.name: result for job, result in runner.run(jobs, finish=False)}
    killed = str(found.pop("kills"))
    assert killed.startswith("the workers that tried it died (tcp://127.0.0.1:")
    assert found == {
        **dict.fromkeys("abc", Tally(rows=5)),
        "recurses": "unexpected RecursionError: maximum recursion depth exceeded; "
        "please report this",
        "two": "unexpected Two: a b; please report this",
        "memory": "unexpected MemoryError: no reason given; please report this",
        "exits": "unexpected SystemExit: 3; please report this",
        "file": "file.mp4: No such file or directory",
    }
