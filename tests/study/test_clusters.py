"""Recordings on several processes: the tables of one, whatever dies on the way."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from facemt_analysis import cli, read_fex
from facemt_analysis.errors import OptionError
from facemt_analysis.study import cluster as cluster_module
from facemt_analysis.study import run as run_module
from facemt_analysis.study.cluster import cluster
from facemt_analysis.study.manifest import Manifest
from facemt_analysis.study.run import Outcome
from facemt_analysis.study.scheduler import ClusterWarning, SchedulerLost, watched

from .machines import Machines, meanwhile, wait

psutil = pytest.importorskip("psutil", reason="comes with distributed")
pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::facemt_analysis.study.scheduler.ClusterWarning"),
    pytest.mark.skipif(os.name != "posix", reason="kills processes by SIGKILL"),
]

NAMES = [f"{number}.mp4" for number in range(4)]
GROUPS = "aus,poses,va"

# In workers parts are of sixteen frames and come slowly, so that they can be killed between two
PRELOAD = """
import time

def dask_setup(worker):
    from facemt_analysis.study import job

    usual = job.Parts.add

    def add(self, *arguments):
        usual(self, *arguments)
        time.sleep(0.2)

    job._FRAMES = 8
    job.Parts.add = add
    job.detector_for(job.Options(weights="open"))  # what takes long, before work comes
"""


@pytest.fixture(scope="module")
def media(
    draw_scene: Callable[..., np.ndarray], write_video: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:  # fmt: skip
    """Small clips of 32 frames."""
    folder = tmp_path_factory.mktemp("media")
    for shift, name in enumerate(NAMES):
        frames = [
            draw_scene((5 + 3 * shift + i % 8, 4), side=112, frame=(120, 160)) for i in range(32)
        ]
        write_video(folder / name, frames, rate=25)
    return folder


def detect(media: Path, out: Path, *more: str) -> list[str]:
    """Arguments of the command."""
    given = ["detect", str(media), "-o", str(out), "--weights", "open", "--groups", GROUPS, "-q"]
    return [*given, *more]


@pytest.fixture(scope="module")
def one(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study as one process makes it."""
    out = tmp_path_factory.mktemp("one") / "study"
    assert cli.main(detect(media, out)) == 0
    return out


def same(study: Path, one: Path) -> None:
    """Compare files byte by byte up to their footers, and footers but for the date."""
    assert sorted(p.name for p in study.iterdir()) == sorted(p.name for p in one.iterdir())
    for path in one.glob("*.parquet"):
        assert _content(study / path.name) == _content(path)
    found, expected = (
        {name: dataclasses.astuple(entry) for name, entry in Manifest(folder).entries.items()}
        for folder in (study, one)
    )
    assert found == expected


def _content(path: Path) -> tuple[object, ...]:
    data = path.read_bytes()
    footer = int.from_bytes(data[-8:-4], "little")
    info = read_fex(path).info
    assert info.created is not None
    schema = pq.read_schema(path).remove_metadata()
    return len(data), data[: -8 - footer], schema, dataclasses.replace(info, created=None)


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    machines = Machines(tmp_path_factory.mktemp("dask") / "first", 2, PRELOAD)
    yield machines
    machines.end()


def test_a_cluster_gives_the_files_of_one_process(
    media: Path, one: Path, machines: Machines, tmp_path: Path
) -> None:
    out = tmp_path / "study"
    assert cli.main(detect(media, out, "--scheduler", machines.address)) == 0
    same(out, one)


def test_a_killed_worker_of_a_cluster_costs_no_row(
    media: Path, one: Path, machines: Machines, tmp_path: Path
) -> None:
    out, worker, finished = tmp_path / "study", machines.workers[0], []

    def kill() -> None:
        finished.extend(out.glob("*.parquet"))
        worker.kill()

    with meanwhile(lambda: len(list(out.glob("*.parts/*.parquet"))) >= 2, kill):
        assert cli.main(detect(media, out, "--scheduler", machines.address)) == 0
    assert len(finished) < len(NAMES)
    assert worker.wait() == -signal.SIGKILL
    same(out, one)


def test_a_killed_scheduler_is_told_and_gone_on_from(
    media: Path, one: Path, machines: Machines, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out, killed = tmp_path / "study", []

    def kill() -> None:
        killed.append(time.monotonic())
        machines.scheduler.kill()

    with meanwhile((out / "manifest.json").exists, kill):  # the first one is done
        code = cli.main(detect(media, out, "--scheduler", machines.address))
    assert time.monotonic() - killed[0] < 60
    told, errors = capfd.readouterr()
    done = told.count(": 32 frames, ")
    assert 0 < done < len(NAMES)
    assert code == 1
    (error,) = (line for line in errors.splitlines() if not line.startswith("Weights open"))
    missing = len(NAMES) - done
    assert error.startswith(f"error: The Dask scheduler at {machines.address} was lost, {missing} ")
    assert "--resume" in error

    again = Machines(tmp_path / "again", 1, PRELOAD)
    try:
        assert cli.main(detect(media, out, "--scheduler", again.address, "--resume")) == 0
    finally:
        again.end()
    same(out, one)


@pytest.mark.parametrize("kind", ["study", "all.parquet"])
@pytest.mark.parametrize("done", [0, 1])
def test_the_exit_code_of_a_lost_scheduler(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], kind: str, done: int,
) -> None:  # fmt: skip
    """1: some recordings are there; 2: none, or no file, which comes when all are done."""

    def lost(*_: object, **__: object) -> Iterator[Outcome]:
        if kind == "study":
            (tmp_path / kind).mkdir()
        yield from [Outcome("0.mp4", tally=run_module.Tally())] * done
        raise SchedulerLost("gone")

    monkeypatch.setattr(run_module, "detect_study", lost)
    assert cli.main(detect(media, tmp_path / kind)) == (1 if done and kind == "study" else 2)
    assert capsys.readouterr().err == "error: gone\n"


def test_a_killed_process_of_this_machine_costs_no_row(
    media: Path, one: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out, finished = tmp_path / "study", []

    def kill() -> None:
        finished.extend(out.glob("*.parquet"))
        os.kill(_spawned()[0], signal.SIGKILL)

    with meanwhile(lambda: any(out.glob("*.parquet")), kill):
        assert cli.main(detect(media, out, "--workers", "2")) == 0
    assert len(finished) < len(NAMES)
    assert capfd.readouterr().err.count("Weights open") <= 1  # this process may have told before
    same(out, one)


def _spawned() -> list[int]:
    """Processes that multiprocessing has started here, its resource tracker aside."""
    alive = [p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE]
    return [p.pid for p in alive if any("spawn_main" in word for word in p.cmdline())]


def test_what_a_cluster_says_of_a_recording_has_its_name(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    why = "the workers that tried it died (tcp://127.0.0.1:1 was the last)"
    monkeypatch.setattr(
        run_module, "detect_study", lambda *_, **__: iter([Outcome("0.mp4", failed=why)])
    )
    assert cli.main(detect(media, tmp_path / "study")) == 2
    assert capsys.readouterr().err == f"error: 0.mp4: {why}\n"


def test_a_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "_PATIENCE", 0.5)
    with (
        pytest.raises(OptionError, match="no Dask scheduler at 'nowhere:1'"),
        cluster(scheduler="nowhere:1"),
    ):
        pass


def test_a_scheduler_without_workers() -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=0, processes=False, protocol="tcp", dashboard_address=None
        ) as empty,
        pytest.warns(ClusterWarning, match=r"no workers yet.*`dask worker tcp://"),
        cluster(scheduler=empty.scheduler_address),
    ):
        pass


@pytest.mark.parametrize("workers", [0, 1])
def test_waiting_without_any_worker_is_told_once(workers: int) -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=workers, processes=False, protocol="tcp", dashboard_address=None
        ) as machine,
        distributed.Client(machine, set_as_default=False) as client,
        warnings.catch_warnings(record=True) as told,
    ):
        warnings.simplefilter("always", ClusterWarning)
        with watched(client, every=0.05):
            if not workers:
                wait(lambda: told, 60)
            time.sleep(0.5)  # in which nothing more is said
    said = [str(w.message) for w in told if w.category is ClusterWarning]
    assert len(said) == (1 if workers == 0 else 0)
    assert all(f"`dask worker {machine.scheduler_address} --nthreads 1`" in words for words in said)
