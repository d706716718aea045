"""Runs cases one after another in a process that may crash, hang or swell without harm.

A case is a seed file, damaged, and a door; all of it follows from the name of the run and the
number of the case, so that any case can be made again alone.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

from fuzz.seeds import Seed
from fuzz.structure import mutate

__all__ = ["BAD", "Case", "Harness", "Result", "make_case"]

BAD = ("bug", "crash", "hang", "memory", "elsewhere")
"""Outcomes that must not be; all others are what a caller can handle."""

_LIMIT_SECONDS = 10.0
_LIMIT_MB = 1500.0
# room for address space that is reserved and never used (threads, arenas) comes on top
_ROOM = int(3.5 * 2**30)
_START_SECONDS = 180.0


@dataclass(frozen=True)
class Case:
    """One damaged file and the way it goes in."""

    label: str
    name: str
    data: bytes
    door: str
    beside: dict[str, bytes]


@dataclass(frozen=True)
class Result:
    """What became of a case.

    Parameters
    ----------
    case
        The case.
    outcome
        One of `BAD`, ``error`` (a named one), or what came out.
    detail
        Message or traceback.
    noise
        Warnings that are not of this package.
    cpu, wall
        Seconds.
    peak_mb
        Resident memory above that before the case, MiB.
    """

    case: Case
    outcome: str
    detail: str = ""
    noise: tuple[str, ...] = ()
    cpu: float = 0.0
    wall: float = 0.0
    peak_mb: float = 0.0

    @property
    def bad(self) -> bool:
        """Whether this must not be."""
        return self.outcome in BAD


def make_case(seeds: Sequence[Seed], run: str, number: int) -> Case:
    """Make a case from its number.

    Parameters
    ----------
    seeds
        Intact files.
    run
        Name of the run; another name gives other damage.
    number
        Number of the case: seeds take turns.
    """
    rng = Random(f"{run}:{number}")
    seed = seeds[number % len(seeds)]
    other = rng.choice(seeds)
    data = mutate(seed.data, rng, other.data)
    name = seed.name
    if rng.random() < 0.03:  # called like something else
        name = f"{Path(name).stem}{Path(other.name).suffix}"
    return Case(f"{run}:{number}", name, data, rng.choice(seed.doors), seed.beside)


class Harness:
    """A worker in a folder of its own, replaced when it dies or has to be stopped.

    Parameters
    ----------
    home
        Folder that the worker is started in; ``in``, ``out``, ``tmp`` are made in it.
    weights
        Checkpoint of the detector of the door ``detect``; the worker makes it if it is not there.
        None: nothing that needs one is run, and the worker starts at once.
    """

    def __init__(self, home: Path, weights: Path | None) -> None:
        self.home = home.resolve()
        self._weights = weights and weights.resolve()
        for name in ("in", "out", "tmp"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        self._worker: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._ready()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def run(self, cases: Iterator[Case] | Sequence[Case]) -> Iterator[Result]:
        """Run cases in turn."""
        for case in cases:
            yield self.run_one(case)

    def run_one(self, case: Case) -> Result:
        """Run one case and look at what it left behind."""
        for name in ("in", "out", "tmp"):
            _empty(self.home / name)
        target = self.home / "in" / case.name
        if case.beside:
            target = self.home / "in" / "folder" / case.name
            target.parent.mkdir()
            for name, data in case.beside.items():
                (target.parent / name).write_bytes(data)
        target.write_bytes(case.data)
        worker = self._ready()
        before = self._listing()
        path = target.parent if case.beside else target
        asked = {"path": str(path), "door": case.door, "seed": case.label}
        answer = self._ask(worker, asked, _LIMIT_SECONDS)
        if answer is None:
            return Result(case, "hang", f"more than {_LIMIT_SECONDS:g} s", wall=_LIMIT_SECONDS)
        if "exit" in answer:
            return Result(case, "crash", str(answer["exit"]))
        result = Result(
            case, answer["outcome"], answer["detail"], tuple(answer["noise"]), answer["cpu"],
            answer["wall"], answer["peak_mb"],
        )  # fmt: skip
        if not result.bad and result.peak_mb > _LIMIT_MB:
            return _renamed(result, "memory", f"{result.peak_mb:.0f} MiB")
        if not result.bad and (changed := before ^ self._listing()):
            return _renamed(result, "elsewhere", f"changed: {sorted(changed)[:5]}")
        return result

    def _listing(self) -> set[tuple[str, int, int]]:
        """All files but those in ``out``, with size and time of the last change."""
        found = set()
        for path in self.home.rglob("*"):
            if path.is_relative_to(self.home / "out") or path.is_dir():
                continue
            status = path.stat()
            found.add((str(path.relative_to(self.home)), status.st_size, status.st_mtime_ns))
        return found

    # -------------------------------------------------------------- the worker
    def _ready(self) -> subprocess.Popen[bytes]:
        if self._worker is not None and self._worker.poll() is None:
            return self._worker
        environment = {
            **os.environ, "HOME": str(self.home), "TMPDIR": str(self.home / "tmp"),
            "PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONFAULTHANDLER": "0", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2",
        }  # fmt: skip
        self._worker = subprocess.Popen(
            [sys.executable, "-m", "fuzz.worker", str(_ROOM), str(self._weights or "")],
            cwd=self.home, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        answer = self._answer(self._worker, _START_SECONDS)
        if answer != {"ready": True}:
            raise RuntimeError(f"the worker did not start: {answer}")
        return self._worker

    def _ask(
        self, worker: subprocess.Popen[bytes], case: dict[str, str], seconds: float
    ) -> dict[str, Any] | None:
        assert worker.stdin is not None
        worker.stdin.write(json.dumps(case).encode() + b"\n")
        worker.stdin.flush()
        return self._answer(worker, seconds)

    def _answer(self, worker: subprocess.Popen[bytes], seconds: float) -> dict[str, Any] | None:
        """Wait for a line; None: none came in time, and the worker is gone."""
        assert worker.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(worker.stdout, selectors.EVENT_READ)
            if not selector.select(seconds):
                self._stop()
                return None
        line = worker.stdout.readline()
        if line:
            content: dict[str, Any] = json.loads(line)
            return content
        code = worker.wait()
        self._stop()
        return {"exit": signal.Signals(-code).name if code < 0 else f"exit code {code}"}

    def _stop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        worker.kill()
        worker.wait()
        for pipe in (worker.stdin, worker.stdout):
            if pipe is not None:
                pipe.close()


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _renamed(result: Result, outcome: str, detail: str) -> Result:
    return Result(
        result.case, outcome, detail, result.noise, result.cpu, result.wall, result.peak_mb
    )
