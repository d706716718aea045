"""What goes wrong with a Dask scheduler and its workers, in words."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from facemt_analysis.errors import FacemtError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SchedulerLost", "quiet", "why_killed"]


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
