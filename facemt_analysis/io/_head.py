"""The first look at a file: enough to tell formats apart, whatever the file is called."""

from __future__ import annotations

import csv
import os
import re
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
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+(e[+-]?\d+)?", re.IGNORECASE)


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
    skip
        Lines before the one that names the columns, where a format has such.

    Raises
    ------
    FexError
        If there is no such file, it is empty, or it cannot be read.
    """

    def __init__(self, path: str | PathLike[str], skip: int = 0) -> None:
        self.path = Path(path)
        self.skip = skip
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
    def lines(self) -> tuple[bytes, ...]:
        """The first lines of a text file, as far as they were looked at."""
        if self.is_dir or b"\0" in self.start:
            return ()
        return tuple(line.rstrip(b"\r") for line in self.start.split(b"\n"))

    @cached_property
    def text(self) -> str | None:
        """The line that names the columns, or None if the file is not text."""
        return self.line(self.skip)

    def line(self, number: int) -> str | None:
        """One line, counted from 0; None if there is none, or it is not text."""
        if number >= len(self.lines):
            return None
        try:
            return self.lines[number].decode("utf-8-sig")
        except UnicodeDecodeError:
            return None

    @property
    def place(self) -> str:
        """Which line names the columns, in words."""
        return "first" if not self.skip else f"{self.skip + 1}th"

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
        """Decimal sign: a comma where other signs separate and a number has one."""
        if self.separator == ",":
            return "."
        separator = self.separator.encode()
        fields = (f for line in self.lines[self.skip + 1 :] for f in line.split(separator))
        comma = any(_DECIMAL_COMMA.fullmatch(f.strip().decode("latin-1")) for f in fields)
        return "," if comma else "."
