"""Recordings on several processes or machines, by Dask.

Dask hands out segments of recordings, starts work again that was on a worker that died, and keeps
the workers alive. What a worker has measured lies in the parts beside the result, so that another
one goes on where it stopped. All workers must see the same files under the same names.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from facemt_analysis.errors import OptionError
from facemt_analysis.study.job import Job, Segment, complete, measure
from facemt_analysis.study.parts import Tally
from facemt_analysis.study.run import reason
from facemt_analysis.study.scheduler import (
    ClusterWarning,
    SchedulerLost,
    quiet,
    settled,
    watched,
    why_killed,
)

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["Cluster", "cluster"]

_PATIENCE = 10.0  # seconds for a scheduler to answer
_T = TypeVar("_T")
_RETRIES = 2  # of what fails for a reason that may pass, as a file system that is away for a moment


class Cluster:
    """Runs jobs on the workers of a Dask client.

    Parameters
    ----------
    client
        Connected to a scheduler.
    """

    split = True

    def __init__(self, client: Client) -> None:
        self._client = client
        self._address = client.scheduler.address

    def run(self, jobs: Sequence[Job], *, finish: bool) -> Iterator[tuple[Job, Tally | str]]:
        """See `study.run.Runner.run`.

        Raises
        ------
        SchedulerLost
            At once; what the workers have written stays, and can be gone on with.
        """
        from distributed import as_completed

        done = 0
        try:
            futures = {self._submit(job, finish): job for job in jobs}
            ended = ((futures.pop(future), future) for future in as_completed(list(futures)))
            with watched(self._client):
                for job, future in settled(ended, lambda job: self._submit(job, finish)):
                    yield job, _result(future)
                    done += 1
        except Exception as error:  # a task tells its failures as a result: this is no task's
            raise SchedulerLost(
                f"The Dask scheduler at {self._address} was lost, {len(jobs) - done} of "
                f"{len(jobs)} recordings are not done; what has been measured is kept: start a "
                "scheduler and workers again, and run the same command with --resume."
            ) from error

    def _submit(self, job: Job, finish: bool) -> Future:
        tallies = [
            self._client.submit(_measure, job, segment, pure=False, retries=_RETRIES)
            for segment in job.segments
        ]
        return self._client.submit(_gather, job, tallies, finish, pure=False, retries=_RETRIES)


@contextlib.contextmanager
def cluster(*, workers: int | None = None, scheduler: str | None = None) -> Iterator[Cluster]:
    """Connect to a Dask scheduler, or start processes on this machine.

    Parameters
    ----------
    workers
        Number of processes to start.
    scheduler
        Address of a running scheduler instead, as ``tcp://node7:8786``.

    Raises
    ------
    OptionError
        When Dask is not installed, or there is no scheduler at the address.

    Warns
    -----
    ClusterWarning
        When the scheduler has no workers; the work waits for them.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise OptionError(
            "Several workers need Dask, which is not installed; "
            'run: pip install "facemt-analysis[cluster]"'
        ) from error
    with contextlib.ExitStack() as stack:
        if scheduler is None:
            # no limit of memory: what a recording takes is bounded, and pausing helps nobody
            local = LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=":0", memory_limit=0,
                silence_logs=50,
            )  # fmt: skip
            client = Client(stack.enter_context(local))
        else:
            try:
                stack.enter_context(quiet())  # what happens is told here, once and in one line
                client = Client(scheduler, timeout=_PATIENCE)
            except (OSError, ValueError) as error:
                raise OptionError(
                    f"There is no Dask scheduler at {scheduler!r} ({error}); start one with "
                    "`dask scheduler` and workers with `dask worker`, or use --workers."
                ) from error
        stack.enter_context(client)
        if scheduler is not None and not client.nthreads():
            warnings.warn(
                f"The Dask scheduler at {scheduler} has no workers yet: the work waits for "
                f"`dask worker {scheduler} --nthreads 1`.",
                ClusterWarning,
                stacklevel=3,
            )
        yield Cluster(client)


def _measure(job: Job, segment: Segment) -> Tally | str:
    """Measure on a worker: what is wrong is a result, since not every exception arrives."""
    return _tried(measure, job, segment)


def _gather(job: Job, tallies: list[Tally | str], finish: bool) -> Tally | str:
    """Put the segments of a recording together."""
    failed = [tally for tally in tallies if isinstance(tally, str)]
    if failed:
        return failed[0]
    whole = sum((tally for tally in tallies if isinstance(tally, Tally)), Tally())
    wrong: str | None = _tried(complete, job) if finish else None
    return wrong or whole


class _MayPass(Exception):
    """Something that may be well at the next try; the reason in one line."""


def _tried(function: Callable[..., _T], *arguments: Any) -> _T | str:
    """Give what a function gives, or why it failed, in words; raise what may pass."""
    try:
        return function(*arguments)
    except (OSError, MemoryError) as error:
        passing = _MayPass(reason(error))
    except BaseException as error:  # SystemExit would end the worker, and the next one
        return reason(error)
    raise passing  # anew and from here: with what it came from it might not arrive


def _result(future: Future) -> Tally | str:
    """Give what a task gave, or why it failed; raise whatever keeps from knowing."""
    error = future.exception()
    if error is None or future.status != "error":
        result: Tally | str = future.result()
        return result
    if isinstance(error, _MayPass):
        return str(error)
    return why_killed(error) or reason(error)
