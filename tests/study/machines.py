"""A Dask scheduler and workers as people start them, and things done to them meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["Machines", "meanwhile", "wait"]

_FAILURES = "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES"


class Machines:
    """A scheduler and workers, each a process.

    Parameters
    ----------
    folder
        To be made; for what they write.
    workers
        How many.
    preload
        Python that workers run first.
    nanny
        Whether workers that die are started again; a task then has two, not four.
    """

    def __init__(
        self, folder: Path, workers: int, preload: str = "", *, nanny: bool = False
    ) -> None:
        folder.mkdir()
        before, told = folder / "preload.py", folder / "scheduler.json"
        before.write_text(preload)
        self._folder, self._nannies = folder, nanny
        here = ["--host", "127.0.0.1", "--no-dashboard"]
        self.scheduler = self._start("scheduler", "--port", "0", "--scheduler-file", told, *here)
        wait(lambda: told.exists() and told.read_text().strip().endswith("}"))
        self.address = json.loads(told.read_text())["address"]
        alone = [] if nanny else ["--no-nanny"]
        self.workers = [
            self._start("worker", self.address, "--nthreads", "1", *alone, "--memory-limit", "0",
                        "--preload", before, "--local-directory", folder, *here)
            for _ in range(workers)
        ]  # fmt: skip

    def _start(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *map(str, arguments)]
        with (self._folder / "log.txt").open("ab") as log:
            return subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self._folder,
                env={**os.environ, **({_FAILURES: "1"} if self._nannies else {})},
            )  # fmt: skip

    def end(self) -> None:
        if self._nannies:  # which have to end their workers
            for process in self.workers:
                process.terminate()
            for process in self.workers:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


def wait(until: Callable[[], Any], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(FileNotFoundError):  # a folder that was tried out and taken back
            if until():
                return
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)


@contextlib.contextmanager
def meanwhile(when: Callable[[], Any], do: Callable[[], Any]) -> Iterator[None]:
    """Do something in a thread as soon as it is time for it."""
    done: list[bool] = []

    def watch() -> None:
        wait(when)
        do()
        done.append(True)

    thread = threading.Thread(target=watch)
    thread.start()
    yield
    thread.join()
    assert done
