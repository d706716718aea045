"""Errors for data sets that are not where, or not how, a benchmark expects them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from facemt_analysis.errors import MediaError

__all__ = ["files_in", "incomplete", "need", "subfolders"]

_SHOWN = 8


def need(path: Path, root: Path, tree: str) -> Path:
    """Give the path, or say what was expected and what is there.

    Raises
    ------
    MediaError
        If there is no such file or folder.
    """
    if path.exists():
        return path
    incomplete(f"there is no {_below(path, root)}", root, tree, nearest=path)


def incomplete(problem: str, root: Path, tree: str, *, nearest: Path | None = None) -> NoReturn:
    """Raise the error that shows the expected tree and what was found.

    Parameters
    ----------
    problem
        What is missing or wrong.
    root
        Folder the user named.
    tree
        The official layout.
    nearest
        A path that was looked for: the content of its closest folder that exists is shown.
    """
    folder = root if nearest is None else nearest
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    drawing = "\n".join(f"  {line}" for line in tree.strip("\n").splitlines())
    raise MediaError(
        f"{root}: {problem}. Expected below it:\n{drawing}\nFound in {folder}: {_content(folder)}"
    )


def files_in(folder: Path, *suffixes: str) -> list[Path]:
    """Visible files with one of these suffixes (any if none is given), sorted by name."""
    wanted = {suffix.lower() for suffix in suffixes}
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file()
        and not path.name.startswith(".")
        and (not wanted or path.suffix.lower() in wanted)
    )


def subfolders(folder: Path) -> list[Path]:
    """Visible folders in a folder, sorted by name."""
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _below(path: Path, root: Path) -> str:
    try:
        return str(path.relative_to(root))
    except ValueError:
        return str(path)


def _content(folder: Path) -> str:
    names: Iterable[str] = sorted(p.name + "/" * p.is_dir() for p in folder.iterdir())
    listed = list(names)
    more = len(listed) - _SHOWN
    text = ", ".join(listed[:_SHOWN]) or "nothing"
    return f"{text} and {more} more" if more > 0 else text
