"""Recordings worked on here, in processes or on a Dask cluster: what each gives or raises."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import closing, contextmanager
from multiprocessing import get_context
from typing import Any

from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.study.files import Recording
from facemt_analysis.study.remote import Remote, Reply, pickled
from facemt_analysis.study.scheduler import SchedulerLost, quiet, settled, watched, why_killed

__all__ = ["outcomes"]

_Work = Callable[[Recording], Any]


def outcomes(
    recordings: Sequence[Recording], work: _Work, workers: int, scheduler: Any
) -> Generator[tuple[str, Any]]:
    """Name and result, or the exception, of each recording; in order, but for some that failed."""
    if scheduler is None and min(workers, len(recordings)) == 1:
        for recording in recordings:
            yield recording.name, _result(lambda: work(recording))  # noqa: B023  at once
        return
    remote = Remote(_packed(work))
    replies: Generator[tuple[Recording, Reply | Exception]]
    if scheduler is not None:
        replies = _on_cluster(recordings, remote, scheduler)
    else:
        replies = _in_processes(recordings, remote, min(workers, len(recordings)))
    with closing(replies):
        for recording, reply in replies:
            yield recording.name, _result(reply.get) if isinstance(reply, Reply) else reply


def _result(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:  # of one recording; the others go on
        return error


def _in_processes(
    recordings: Sequence[Recording], remote: Remote, workers: int
) -> Generator[tuple[Recording, Reply]]:
    # a copy of this process (fork) would inherit the locks of its threads
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = deque(pool.submit(remote, recording) for recording in recordings)
        try:
            for recording in recordings:  # nothing holds a result once it is given
                yield recording, futures.popleft().result()
        except BrokenExecutor as error:
            raise FexError(
                "A worker process ended before its work was done: it ran out of memory (take fewer "
                "`workers`, or fewer `groups`), or a script starts workers whenever it is imported "
                "(put the call below `if __name__ == '__main__':`)."
            ) from error
        finally:
            for future in futures:
                future.cancel()


def _on_cluster(
    recordings: Sequence[Recording], remote: Remote, scheduler: Any
) -> Generator[tuple[Recording, Reply | Exception]]:
    """As above; what is not asked for yet stays with the workers."""
    with _client(scheduler) as client:
        address, given = client.scheduler.address, 0
        futures: deque[Any] = deque()

        def submit(recording: Recording) -> Any:
            return client.submit(remote, recording, pure=False)

        try:
            futures.extend(map(submit, recordings))
            in_order = ((recording, futures.popleft()) for recording in recordings)
            with watched(client):
                for recording, future in settled(in_order, submit):
                    yield recording, _reply(future)
                    given += 1
        except Exception as error:  # what a task raises is a reply: this is no task's
            raise SchedulerLost(
                f"The Dask scheduler at {address} was lost, {len(recordings) - given} of "
                f"{len(recordings)} recordings are not done; what the others gave is the attribute "
                "`done` of this error: start a scheduler and workers again, and repeat the call."
            ) from error
        finally:
            for future in futures:
                future.cancel()


def _reply(future: Any) -> Reply | Exception:
    """Give what came of a task, or why it was not run; raise whatever keeps from knowing."""
    error: Exception | None = future.exception()
    if error is None or future.status != "error":
        reply: Reply = future.result()
        return reply
    died = why_killed(error)
    return error if died is None else FexError(f"It is not done: {died}.")


@contextmanager
def _client(scheduler: Any) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError as error:
        raise OptionError(
            '`scheduler` needs dask.distributed: pip install "facemt-analysis[cluster]".'
        ) from error
    if isinstance(scheduler, Client):
        yield scheduler
        return
    with quiet():  # what happens is told here, once and in one line
        try:
            client = Client(scheduler, timeout=10, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise OptionError(
                "`scheduler` must be the address of a Dask scheduler, as tcp://host:8786, or a "
                f"distributed.Client, but {scheduler!r} does not answer: {error}"
            ) from error
        with client:
            yield client


def _packed(work: _Work) -> bytes:
    try:
        return pickled(work)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise OptionError(
            "The function cannot be sent to other processes: define it in a module, install "
            f'"facemt-analysis[cluster]", or use one worker ({error}).'
        ) from error
