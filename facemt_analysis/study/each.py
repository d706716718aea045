"""Doing something with each recording, and stacking what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from facemt_analysis.errors import FacemtError, FexError, OptionError
from facemt_analysis.fex import Fex
from facemt_analysis.io.parquet import Categories
from facemt_analysis.study.executing import outcomes
from facemt_analysis.study.files import Recording
from facemt_analysis.study.remote import words
from facemt_analysis.study.scheduler import SchedulerLost

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
            reasons.setdefault(words(error), []).append(name)
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
    SchedulerLost
        When the Dask scheduler goes away.
    Exception
        At once, what the function raised, if nothing has worked before and it is an OptionError or
        no error of this package: a mistake in the call would only come again.
    """
    from tqdm import tqdm

    done: dict[str, pd.DataFrame] = {}
    failed: dict[str, Exception] = {}
    worked = False
    found = outcomes(recordings, work, workers, scheduler)
    bar = tqdm(
        found, total=len(recordings), unit="recording", delay=_DELAY, disable=not progress,
        leave=False,
    )  # fmt: skip
    try:
        for name, outcome in bar:
            if not isinstance(outcome, Exception):
                worked = True
                if outcome is not None:
                    done[name] = outcome
            elif worked or _of_the_recording(outcome):
                failed[name] = outcome
            else:
                raise outcome
    except SchedulerLost as error:
        error.done = _in_order(done, recordings)
        raise
    finally:
        bar.close()
        found.close()
    table = _in_order(done, recordings)
    if failed:
        raise RecordingsFailed(failed, table, len(recordings)) from next(iter(failed.values()))
    return table


def _of_the_recording(error: Exception) -> bool:
    """Say whether an error is about the recording rather than about the call."""
    return isinstance(error, FacemtError) and not isinstance(error, OptionError)


def _in_order(done: dict[str, pd.DataFrame], recordings: Sequence[Recording]) -> pd.DataFrame:
    return stack([done[r.name] for r in recordings if r.name in done])


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
