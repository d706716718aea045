"""What goes wrong with a Dask scheduler and its workers: told in words, and tried again."""

from __future__ import annotations

import contextlib
import logging
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from facemt_analysis.errors import FacemtError

if TYPE_CHECKING:
    import pandas as pd
    from distributed import Client, Future

__all__ = ["ClusterWarning", "SchedulerLost", "quiet", "settled", "watched", "why_killed"]

_Item = TypeVar("_Item")
_LOOK = 15.0  # seconds between two looks for workers; the second one that sees none tells


class ClusterWarning(UserWarning):
    """A Dask cluster that cannot work as it is."""


class SchedulerLost(FacemtError):
    """The Dask scheduler went away before the work was done."""

    done: pd.DataFrame | None = None
    """What the recordings gave that were done, where it is not in files."""


def why_killed(error: BaseException | None) -> str | None:
    """Say what happened if the workers that tried a task died; None of other errors."""
    from distributed import KilledWorker

    if not isinstance(error, KilledWorker):
        return None
    return f"the workers that tried it died ({error.last_worker.address} was the last)"


def settled(
    futures: Iterable[tuple[_Item, Future]], again: Callable[[_Item], Future]
) -> Iterator[tuple[_Item, Future]]:
    """Give what was worked on and its future, as they come; what workers died on last, once more.

    Then one at a time: a task may only have waited behind the one that killed.
    """
    suspects = []
    for item, future in futures:
        if why_killed(future.exception()):
            suspects.append(item)
        else:
            yield item, future
    for item in suspects:
        yield item, again(item)


@contextlib.contextmanager
def watched(client: Client, every: float = _LOOK) -> Iterator[None]:
    """Warn when no worker is left, for which Dask waits without a word."""
    over = threading.Event()

    def look() -> None:
        without = 0
        while not over.wait(every):
            try:
                without = 0 if client.nthreads() else without + 1
            except Exception:  # the scheduler is lost, which the work itself tells
                return
            if without == 2:
                address = client.scheduler.address
                warnings.warn(
                    f"The Dask scheduler at {address} has no workers (any more): the work waits "
                    f"for `dask worker {address} --nthreads 1`.",
                    ClusterWarning,
                    stacklevel=2,
                )

    looking = threading.Thread(target=look, name="facemt-workers", daemon=True)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join(1.0)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep Dask's own words from this process's streams, tracebacks among them."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
