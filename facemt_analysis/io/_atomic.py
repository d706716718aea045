"""Files that appear complete or not at all."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import secrets
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Self

from facemt_analysis.errors import FexError
from facemt_analysis.io._interrupts import undivided

__all__ = ["ClosesOrAborts", "TemporaryFile", "atomic_file", "remove_leftovers", "writing"]


class TemporaryFile:
    """A new file beside `path` that takes its place when it is complete.

    Parameters
    ----------
    path
        The file to make or replace. Its folder has to exist.

    Raises
    ------
    FexError
        If the folder does not exist or cannot be written to, or `path` is a folder.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        folder = self.path.parent
        if self.path.is_dir():
            raise FexError(f"Cannot write {self.path}: it is a folder; name a file in it.")
        if folder.exists() and not folder.is_dir():
            raise FexError(f"Cannot write {self.path}: {folder} is a file; name a folder instead.")
        if not folder.is_dir():
            raise FexError(f"Cannot write {self.path}: there is no folder {folder}; make it first.")
        # in the same folder, so that the last step is a rename within one file system
        self.temporary = folder / f"{_beginning(self.path)}{secrets.token_hex(6)}.part"
        # registered before the file exists: an interrupt at any moment leaves nothing behind
        self._remove = weakref.finalize(self, _unlink, self.temporary)
        with writing(self.path):
            # not mkstemp, whose files only their owner may read
            self.temporary.open("xb").close()

    def commit(self) -> None:
        """Put the file in its place."""
        with writing(self.path):
            with self.temporary.open("rb+") as file:
                os.fsync(file.fileno())
            self.temporary.replace(self.path)
        self._remove.detach()

    def abort(self) -> None:
        """Remove what was written."""
        with undivided():  # the finalizer forgets the file before it removes it
            self._remove()


class ClosesOrAborts(ABC):
    """A writer that closes at the end of its ``with`` block, and aborts on an exception."""

    @abstractmethod
    def close(self) -> None:
        """Complete the output."""

    @abstractmethod
    def abort(self) -> None:
        """Remove what is not complete."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()


def remove_leftovers(path: Path) -> None:
    """Remove what processes that were killed have left of their attempts to write a file."""
    for leftover in path.parent.glob(glob.escape(_beginning(path)) + "?" * 12 + ".part"):
        _unlink(leftover)


def _beginning(path: Path) -> str:
    """How the names of temporary files for a file begin."""
    return f".{path.name[:100]}."


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def writing(path: str | PathLike[str]) -> Iterator[None]:
    """Turn what the system refuses into one line that names the file."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error).splitlines()[0]
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        cure = "free space or choose another folder" if full else "choose another place"
        raise FexError(f"Cannot write {path}: {reason}; {cure}.") from error


@contextlib.contextmanager
def atomic_file(path: str | PathLike[str]) -> Iterator[Path]:
    """Give the path of a temporary file; it becomes `path` at the end, or vanishes on any error."""
    file = TemporaryFile(path)
    try:
        with writing(path):
            yield file.temporary
        file.commit()
    except BaseException:
        file.abort()
        raise
