"""Doing something with each recording: here, in processes or on a Dask cluster."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import pandas as pd

from facemt_analysis.errors import FacemtError, FexError, OptionError
from facemt_analysis.fex import Fex
from facemt_analysis.io.parquet import Categories
from facemt_analysis.study.files import Recording

__all__ = ["RecordingsFailed", "Work", "do_each", "stack"]

_DELAY = 5.0  # seconds before progress is shown: most things take less


class RecordingsFailed(FexError):
    """Some recordings could not be worked on; the others are done.

    Parameters
    ----------
    failed
        Recording → what was wrong with it.
    done
        The result of the others.
    total
        Number of all recordings.
    """

    def __init__(self, failed: Mapping[str, Exception], done: pd.DataFrame, total: int) -> None:
        self.failed = dict(failed)
        self.done = done
        self.total = total
        reasons: dict[str, list[str]] = {}
        for name, error in self.failed.items():
            said = str(error) if isinstance(error, FacemtError) else f"{error!r}"
            reasons.setdefault(said, []).append(name)
        lines = [f"{', '.join(names)}: {reason}" for reason, names in reasons.items()]
        super().__init__(
            "\n".join(
                [
                    f"{len(self.failed)} of {total} recordings failed; what the others gave is the "
                    "attribute `done` of this error.",
                    *lines,
                ]
            )
        )

    def __reduce__(self) -> tuple[type[RecordingsFailed], tuple[Any, ...]]:
        return type(self), (self.failed, self.done, self.total)


@dataclass(frozen=True, eq=False)
class Work:
    """What is done with a recording, wherever it is done: read groups, call a function.

    Parameters
    ----------
    function
        Fex → DataFrame, Series, mapping or None.
    groups
        Column groups to read; None: all.
    categories
        Of the labels of the whole study.
    """

    function: Callable[[Fex], Any]
    groups: tuple[str, ...] | None
    categories: Categories

    def __call__(self, recording: Recording) -> pd.DataFrame | None:
        """Give a table whose rows name the recording, or None."""
        result = self.function(recording.read(self.groups, self.categories))
        return _as_table(result, recording.name)


def do_each(
    recordings: Sequence[Recording],
    work: Work,
    *,
    workers: int = 1,
    scheduler: Any = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Do the work for each recording, and stack the tables in the order of the recordings.

    Parameters
    ----------
    recordings
        At least one.
    work
        What to do.
    workers
        Number of processes; 1: in this one.
    scheduler
        Address of a Dask scheduler, or a Client; instead of processes.
    progress
        Whether to show a bar when it takes long.

    Raises
    ------
    RecordingsFailed
        At the end, if recordings failed.
    Exception
        At once, what the function raised, if nothing has worked before and it is an OptionError or
        no error of this package: a mistake in the call would only come again.
    """
    from tqdm import tqdm

    done: list[pd.DataFrame] = []
    failed: dict[str, Exception] = {}
    worked = False
    outcomes = _outcomes(recordings, work, workers, scheduler)
    bar = tqdm(
        outcomes, total=len(recordings), unit="recording", delay=_DELAY, disable=not progress,
        leave=False,
    )  # fmt: skip
    for name, outcome in bar:
        if not isinstance(outcome, Exception):
            worked = True
            if outcome is not None:
                done.append(outcome)
        elif worked or _of_the_recording(outcome):
            failed[name] = outcome
        else:
            bar.close()
            outcomes.close()
            raise outcome
    if failed:
        raise RecordingsFailed(failed, stack(done), len(recordings)) from next(
            iter(failed.values())
        )
    return stack(done)


def _of_the_recording(error: Exception) -> bool:
    """Say whether an error is about the recording rather than about the call."""
    return isinstance(error, FacemtError) and not isinstance(error, OptionError)


def stack(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put tables one below the other; those without rows have no say in the types of columns."""
    filled = [table for table in tables if len(table)] or list(tables[:1])
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()


def _as_table(result: Any, name: str) -> pd.DataFrame | None:
    """Make rows that name the recording of what a function gave for it."""
    if result is None:
        return None
    if isinstance(result, pd.DataFrame):
        levels = [n for n in result.index.names if n is not None and n not in result.columns]
        table = result.reset_index(level=levels).reset_index(drop=True)
    elif isinstance(result, pd.Series) and all(isinstance(key, str) for key in result.index):
        table = pd.DataFrame([result.to_dict()])
    elif isinstance(result, Mapping):
        table = pd.DataFrame([dict(result)])
    else:
        what = "a Series of rows" if isinstance(result, pd.Series) else type(result).__name__
        raise TypeError(
            "The function must give a DataFrame, a Series or mapping of names to values (one row), "
            f"or None, but gave {what}."
        )
    if "input" not in table.columns:
        table = table.copy()
        table.insert(0, "input", name)
    return table


def _outcomes(
    recordings: Sequence[Recording], work: Work, workers: int, scheduler: Any
) -> Generator[tuple[str, Any]]:
    """Name and result, or the exception, of each recording, in order."""
    with _executor(min(workers, len(recordings)), scheduler) as executor:
        if executor is None:
            for recording in recordings:
                yield recording.name, _result(lambda: work(recording))  # noqa: B023  at once
            return
        task = work if scheduler is not None else _packed(work)
        futures = deque(executor.submit(task, recording) for recording in recordings)
        try:
            for recording in recordings:  # nothing holds a result once it is given
                yield recording.name, _result(futures.popleft().result)
        finally:
            for future in futures:
                future.cancel()


def _result(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except BrokenExecutor as error:
        raise FexError(
            "A worker process ended before its work was done: it ran out of memory (take fewer "
            "`workers`, or fewer `groups`), or a script starts workers whenever it is imported "
            "(put the call below `if __name__ == '__main__':`)."
        ) from error
    except Exception as error:  # of one recording; the others go on
        return error


@contextmanager
def _executor(workers: int, scheduler: Any) -> Iterator[Executor | None]:
    if scheduler is not None:
        with _client(scheduler) as client:
            yield client.get_executor(pure=False)
    elif workers > 1:
        # a copy of this process (fork) would inherit the locks of its threads
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            yield pool
    else:
        yield None


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
    try:
        client = Client(scheduler, timeout=10, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise OptionError(
            "`scheduler` must be the address of a Dask scheduler, as tcp://host:8786, or a "
            f"distributed.Client, but {scheduler!r} does not answer: {error}"
        ) from error
    with client:
        yield client


@dataclass(frozen=True)
class _Packed:
    """Work as bytes: pickle alone takes no function of a notebook."""

    data: bytes

    def __call__(self, recording: Recording) -> pd.DataFrame | None:
        work: Work = pickle.loads(self.data)
        return work(recording)


def _packed(work: Work) -> _Packed:
    try:
        import cloudpickle
    except ImportError:
        cloudpickle = pickle
    try:
        return _Packed(cloudpickle.dumps(work))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise OptionError(
            "The function cannot be sent to other processes: define it in a module, install "
            f'"facemt-analysis[cluster]", or use one worker ({error}).'
        ) from error
