"""Recordings on several processes or machines, by Dask.

Dask hands out segments of recordings, starts work again that was on a worker that died, and keeps
the workers alive. What a worker has measured lies in the parts beside the result, so that another
one goes on where it stopped. All workers must see the same files under the same names.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from facemt_analysis.errors import FacemtError, OptionError
from facemt_analysis.study.job import Job, Segment, complete, measure
from facemt_analysis.study.parts import Tally

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Cluster", "cluster"]

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

    def run(self, jobs: Sequence[Job], *, finish: bool) -> Iterator[tuple[Job, Tally | str]]:
        """See `study.run.Runner.run`."""
        from distributed import as_completed

        jobs_by_key = {}
        futures = []
        for job in jobs:
            tallies = [
                self._client.submit(_measure, job, segment, pure=False, retries=_RETRIES)
                for segment in job.segments
            ]
            whole = self._client.submit(_gather, job, tallies, finish, pure=False, retries=_RETRIES)
            jobs_by_key[whole.key] = job
            futures.append(whole)
        for future in as_completed(futures):
            job = jobs_by_key.pop(future.key)
            if future.status == "finished":
                yield job, future.result()
            elif future.status == "error":
                yield job, _explain(future.exception())
            else:
                break
        for job in jobs_by_key.values():
            yield job, "the scheduler was lost; run the same command with --resume to go on"


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
                client = Client(scheduler, timeout=10)
            except (OSError, ValueError) as error:
                raise OptionError(
                    f"There is no Dask scheduler at {scheduler!r} ({error}); start one with "
                    "`dask scheduler` and workers with `dask worker`, or use --workers."
                ) from error
        yield Cluster(stack.enter_context(client))


def _measure(job: Job, segment: Segment) -> Tally | str:
    """Measure on a worker: what is wrong with the recording is a result, not a failure."""
    try:
        return measure(job, segment)
    except FacemtError as error:
        return str(error)


def _gather(job: Job, tallies: list[Tally | str], finish: bool) -> Tally | str:
    """Put the segments of a recording together."""
    failed = [tally for tally in tallies if isinstance(tally, str)]
    if failed:
        return failed[0]
    whole = sum((tally for tally in tallies if isinstance(tally, Tally)), Tally())
    try:
        if finish:
            complete(job)
    except FacemtError as error:
        return str(error)
    return whole


def _explain(error: BaseException | None) -> str:
    from distributed import KilledWorker

    from facemt_analysis.study.run import reason

    if error is None:
        return "it was cancelled"
    if isinstance(error, KilledWorker):
        return f"the workers that tried it died ({error.last_worker.address} was the last)"
    return reason(error)
