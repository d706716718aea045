"""What all commands say and return."""

from __future__ import annotations

import argparse
import errno
import sys
from typing import TYPE_CHECKING, Any

__all__ = [
    "DONE",
    "INTERRUPTED",
    "NOTHING_DONE",
    "SOME_FAILED",
    "TERMINATED",
    "Commands",
    "explain",
    "positive_int",
    "say",
]

DONE, SOME_FAILED, NOTHING_DONE, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143
"""Exit codes."""

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[Any]
else:
    Commands = Any


def say(message: str) -> None:
    """Print one line on stderr, below any progress bar."""
    print(" ".join(str(message).split()), file=sys.stderr, flush=True)


def explain(error: OSError) -> str:
    """One line for what the system refused."""
    where = f"{error.filename}: " if error.filename else ""
    cure = "free space or choose another place" if error.errno == errno.ENOSPC else "check the path"
    return f"{where}{error.strerror or error}; {cure}"


def positive_int(text: str) -> int:
    """Read a whole number that is at least 1, for argparse."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, but got {value}")
    return value
