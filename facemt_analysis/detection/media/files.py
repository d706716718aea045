"""Files as they lie on the disk: readable or not."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path, PurePath

from facemt_analysis.errors import MediaError

__all__ = ["check_file", "shown"]


def shown(path: PurePath | str) -> str:
    """Write a path into a message of one line that stays readable."""
    text = re.sub(r"[\x00-\x1f\x7f]", "?", os.fspath(path))
    return text if len(text) <= 300 else f"{text[:100]}…{text[-200:]}"


def check_file(path: Path) -> None:
    """Refuse what is not a readable file with something in it, without ever waiting for it.

    Raises
    ------
    MediaError
        When the path does not exist, is no regular file (a pipe, a device), is empty or may not be
        read.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise MediaError(f"{shown(path)}: is a folder; expected a file.")
        if not stat.S_ISREG(status.st_mode):
            raise MediaError(f"{shown(path)}: is a pipe or device; expected a file or folder.")
        if status.st_size == 0:
            raise MediaError(f"{shown(path)}: the file is empty.")
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise MediaError(f"{shown(path)}: no such file or folder.") from error
    except PermissionError as error:
        raise MediaError(f"{shown(path)}: no permission to read it.") from error
    except (OSError, ValueError) as error:
        raise MediaError(f"{shown(path)}: cannot be read ({_reason(error)}).") from error


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
