"""Calls in other processes whose outcome arrives, whatever it is.

An exception that is left to Dask or to a pool may never arrive: Dask sends the traceback along,
which the other side cannot read when it is some 330 calls deep (a RecursionError always is), and
then waits for ever; a pool breaks down on one whose class does not take its own ``args``; and
SystemExit ends the worker. So nothing is raised there: what came of a call is given as bytes.
"""

from __future__ import annotations

import pickle
import traceback
from dataclasses import dataclass
from typing import Any

from facemt_analysis.errors import FacemtError, one_line

__all__ = ["Remote", "RemoteError", "Reply", "pickled", "words"]


class RemoteError(Exception):
    """Stands for an exception of another process that cannot be sent."""


@dataclass(frozen=True)
class Reply:
    """What came of a call.

    Parameters
    ----------
    result
        What it gave, pickled; None if it raised.
    error
        What it raised, pickled; None if it cannot be.
    said
        The exception in one line.
    trace
        Where it was raised.
    """

    result: bytes | None = None
    error: bytes | None = None
    said: str = ""
    trace: str = ""

    def get(self) -> Any:
        """Give what the call gave, or raise what it raised, with a note where."""
        if self.result is not None:
            return pickle.loads(self.result)
        error: Any = None
        if self.error is not None:
            try:
                error = pickle.loads(self.error)
            except Exception:  # its class may be one that only the worker has
                error = None
        if not isinstance(error, Exception):
            error = RemoteError(self.said)
        error.add_note(f"In the worker:\n{self.trace}")
        raise error


@dataclass(frozen=True)
class Remote:
    """A function to be called in another process.

    Parameters
    ----------
    work
        The function, pickled: what is wrong with it shows only in the worker.
    """

    work: bytes

    def __call__(self, *arguments: Any) -> Reply:
        """Call the function; never raises."""
        try:
            return Reply(result=pickled(pickle.loads(self.work)(*arguments)))
        except BaseException as error:  # SystemExit, too: the worker is not the function's to end
            said, trace = words(error), _trace(error)
            error.__traceback__ = error.__cause__ = error.__context__ = None
            return Reply(error=_readable(error), said=said, trace=trace)


def pickled(what: Any) -> bytes:
    """Make bytes of what a call takes or gives, functions of a notebook included."""
    try:
        import cloudpickle
    except ImportError:
        return pickle.dumps(what)
    data: bytes = cloudpickle.dumps(what)
    return data


def words(error: BaseException) -> str:
    """Say in one line what an exception is, whatever its own words do."""
    try:
        told = one_line(error)
    except Exception:
        told = ""
    if isinstance(error, FacemtError):
        return told
    return f"{type(error).__name__}: {told or 'no reason given'}"


def _trace(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except Exception:
        return f"{type(error).__name__}, whose traceback cannot be told"


def _readable(error: BaseException) -> bytes | None:
    try:
        data = pickled(error)
        again = pickle.loads(data)
        return data if type(again) is type(error) and str(again) == str(error) else None
    except Exception:
        return None
