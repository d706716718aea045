"""One run at a time writes a study.

The lock is the operating system's: it ends with the process that holds it, however that dies, so
that none is ever left behind, and holds across machines where the network file system has locks.
Where there are none runs go without; what two of them do to each other is in
:mod:`facemt_analysis.study.parts`.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from facemt_analysis.errors import FexError
from facemt_analysis.io._atomic import writing
from facemt_analysis.io._interrupts import undivided

__all__ = ["sole_writer"]

_FAR = 1 << 30  # where Windows locks: what is locked there cannot be read


@contextlib.contextmanager
def sole_writer(path: Path, out: Path) -> Iterator[None]:
    """Hold the lock of a study.

    Parameters
    ----------
    path
        A file for it, made and removed here. Its folder exists.
    out
        The study, for messages.

    Raises
    ------
    FexError
        If another run holds the lock, or the file cannot be made.
    """
    with contextlib.ExitStack() as stack:
        with undivided(), writing(out):
            file = _locked(path)
            if file is not None:
                stack.callback(_give_up, file, path)
        if file is None:
            raise FexError(
                f"Another run is writing {out}{_whose(path)}: wait until it has ended, or name "
                "another place."
            )
        yield


def _give_up(file: BinaryIO, path: Path) -> None:
    if sys.platform != "win32":  # while it is locked, so that it is nobody else's
        _unlink(path)
    file.close()
    if sys.platform == "win32":  # which removes nothing that is open
        _unlink(path)


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _locked(path: Path) -> BinaryIO | None:
    """Open and lock the file, and write who did; None: somebody else has."""
    while True:
        file = path.open("a+b")
        try:
            if not _lock(file):
                file.close()
                return None
            if _is(file, path):
                break
            file.close()  # of a run that has ended meanwhile
        except BaseException:
            file.close()
            raise
    now = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    who = {"process": os.getpid(), "host": platform.node(), "since": now}
    file.truncate(0)
    file.write(json.dumps(who).encode())
    file.flush()
    return file


def _lock(file: BinaryIO) -> bool:
    """Lock a file until it is closed; False: another one holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(_FAR)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _is(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def _whose(path: Path) -> str:
    try:
        who = json.loads(path.read_text(encoding="utf-8"))
        return f" (process {who['process']} on {who['host']}, since {who['since']})"
    except (OSError, ValueError, KeyError, TypeError):  # about to be written
        return ""
