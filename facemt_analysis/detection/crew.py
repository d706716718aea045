"""Threads that each run the network on one core.

Several products of one thread each waste less than one product on several threads, and give the
same bits however many threads there are.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

import torch

__all__ = ["Crew"]

Job = TypeVar("Job")
Result = TypeVar("Result")

_AHEAD_BYTES = 192 * 2**20
_STARTING = threading.Lock()  # another crew that is started meanwhile


class Crew:
    """Run jobs on a number of threads and give the results in order.

    Parameters
    ----------
    size
        Number of threads; torch keeps to one core in each.

    Examples
    --------
    >>> with Crew(2) as crew:
    ...     list(crew.ordered(lambda n: n * n, range(4), weight=lambda n: 1))
    [0, 1, 4, 9]
    """

    def __init__(self, size: int) -> None:
        self.size = size
        # threads are started now, by as many jobs that wait for each other: the setting is each
        # thread's own, but new threads of anybody else would inherit the latest one
        with _STARTING:
            usual = torch.get_num_threads()
            self._pool = ThreadPoolExecutor(size, "facemt", _keep_to_one_core)
            met = threading.Barrier(size + 1)
            for _ in range(size):
                self._pool.submit(met.wait)
            met.wait()
            torch.set_num_threads(usual)

    def submit(self, job: Callable[[], Result]) -> Future[Result]:
        """Run a job behind those that were submitted before."""
        return self._pool.submit(job)

    def ordered(
        self,
        run: Callable[[Job], Result],
        jobs: Iterable[Job],
        weight: Callable[[Job], int],
    ) -> Iterator[Result]:
        """Run jobs while the next ones are being made; a few are under way at a time.

        Parameters
        ----------
        run
            What to do with each.
        jobs
            Taken from here in the calling thread; one more than there are threads at most are held.
        weight
            Bytes a job holds; jobs under way hold a bounded number of them.
        """
        waiting: deque[tuple[int, Future[Result]]] = deque()
        held = 0

        def oldest() -> Result:
            nonlocal held
            weighed, future = waiting.popleft()
            result = future.result()
            held -= weighed
            return result

        # nothing here names what was handed on: a result may hold its job, and that pictures
        for job in jobs:
            heavy = weight(job)
            while waiting and held + heavy > _AHEAD_BYTES:
                yield oldest()
            waiting.append((heavy, self._pool.submit(run, job)))
            held += heavy
            del job
            # all threads are busy and one job waits: the next is made when one is through
            while len(waiting) > self.size:
                yield oldest()
        while waiting:
            yield oldest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


def _keep_to_one_core() -> None:
    torch.get_num_threads()  # at its first use in a thread torch takes the setting of the process
    torch.set_num_threads(1)
