"""The first look at a file: enough to tell formats apart, whatever the file is called."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from facemt_analysis.errors import FexError

if TYPE_CHECKING:
    from facemt_analysis.fex import Fex

__all__ = ["Format", "Head"]

# a header of 2,183 names takes 22 kB
_LOOK = 1 << 18


@dataclass(frozen=True)
class Format:
    """A kind of file that can be read.

    Parameters
    ----------
    name
        For people.
    recognises
        Whether a file is of this kind, from its first bytes.
    read
        Reader: head, selection, and options of its own.
    options
        Names of these options.
    """

    name: str
    recognises: Callable[[Head], bool]
    read: Callable[..., Fex]
    options: tuple[str, ...] = ()


class Head:
    """The first bytes of a file.

    Parameters
    ----------
    path
        File or folder.

    Raises
    ------
    FexError
        If there is no such file, it is empty, or it cannot be read.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        self.is_dir = self.path.is_dir()
        self.start = b""
        if self.is_dir:
            return
        try:
            with self.path.open("rb") as file:
                self.start = file.read(_LOOK)
        except FileNotFoundError as error:
            raise FexError(f"{self.path}: there is no such file or folder.") from error
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise FexError(f"{self.path}: it cannot be read ({reason}).") from error
        if not self.start:
            raise FexError(f"{self.path}: the file is empty.")

    @cached_property
    def text(self) -> str | None:
        """The first line, or None if the file is not text."""
        if self.is_dir or b"\0" in self.start:
            return None
        line = self.start.split(b"\n", 1)[0].rstrip(b"\r")
        try:
            return line.decode("utf-8-sig")
        except UnicodeDecodeError:
            return None

    @cached_property
    def separator(self) -> str:
        """What stands between the fields of a text table: comma, semicolon or tab."""
        return max(",;\t", key=(self.text or "").count)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names in the first line of a text table, spaces around them removed."""
        if not self.text:
            return ()
        try:
            fields = next(csv.reader([self.text], delimiter=self.separator))
        except csv.Error:
            return ()
        return tuple(field.strip() for field in fields)

    @cached_property
    def decimal(self) -> str:
        """Decimal sign: a comma only where semicolons separate and a number has one."""
        if self.separator != ";":
            return "."
        rows = self.start.split(b"\n")[1:2]
        return "," if rows and b"," in rows[0] else "."
