"""Many recordings: one folder with one native file per recording.

The name of the recording is in the name of the file, so that a recording is found without opening
the others.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from os import PathLike
from pathlib import Path
from urllib.parse import unquote

import pandas as pd

from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.io._atomic import writing
from facemt_analysis.io._head import Format, Head
from facemt_analysis.io._selection import Selection
from facemt_analysis.io.parquet import union_categories, write_parquet
from facemt_analysis.io.parquet_reading import read_part, recordings_in, to_fex

__all__ = ["dataset_recordings", "recording_file", "recording_name", "write_dataset"]

_SUFFIX = ".parquet"
# file systems allow 255 bytes; the temporary name while writing is longer
_LONGEST = 180
_DEVICES = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


def recording_file(folder: str | PathLike[str], recording: str) -> Path:
    """File of a recording in a dataset folder, whether it exists or not.

    Any name gives a file name that every file system takes, and no two names the same: what is not
    an ASCII letter, digit, space or one of ``._-+@=,()`` is percent-encoded; a name with capitals
    gets a short checksum, since ``A.mp4`` and ``a.mp4`` are one file on many systems.

    Parameters
    ----------
    folder
        The dataset.
    recording
        Its name in the column ``input``.

    Examples
    --------
    >>> recording_file("study", "talk 1.mp4").name
    'talk 1.mp4.parquet'
    >>> recording_file("study", "day1/Anna.mp4").name
    'day1%2fAnna.mp4~59733a.parquet'
    """
    encoded = "".join(
        c if c.isascii() and (c.isalnum() or c in " ._-+@=,()") else _percent(c) for c in recording
    )
    # hidden files, and names that mean a device on Windows
    if not encoded or encoded[0] in "._ " or _DEVICES.match(encoded):
        encoded = (_percent(encoded[0]) + encoded[1:]) if encoded else "%"
    digest = hashlib.sha256(recording.encode("utf-8", "surrogatepass")).hexdigest()
    if len(encoded) > _LONGEST:  # not to be read back from the name: the column `input` has it
        encoded = f"{encoded[: _LONGEST - 40].rstrip('%')}~~{digest[:32]}"
    elif encoded != encoded.lower():
        encoded = f"{encoded}~{digest[:6]}"
    return Path(folder) / f"{encoded}{_SUFFIX}"


def _percent(character: str) -> str:
    # lower case: capitals would call for a checksum
    return "".join(f"%{b:02x}" for b in character.encode("utf-8", "surrogatepass"))


def recording_name(path: str | PathLike[str]) -> str | None:
    """Name of the recording from the name of its file; the inverse of :func:`recording_file`.

    Returns
    -------
    str or None
        None if the name is too long to be in the file name, or the file is not named so.

    Examples
    --------
    >>> recording_name(recording_file("study", "day1/Anna.mp4"))
    'day1/Anna.mp4'
    """
    path = Path(path)
    encoded = path.name.removesuffix(_SUFFIX)
    encoded = encoded.rsplit("~", 1)[0] if "~" in encoded else encoded
    try:
        name = "" if encoded == "%" else unquote(encoded, errors="surrogatepass")
    except UnicodeDecodeError:
        return None
    return name if recording_file(path.parent, name).name == path.name else None


def parquet_files(folder: Path) -> list[Path]:
    """Files of a dataset, in the order of their names; hidden ones are still being written."""
    try:
        found = [p for p in folder.iterdir() if p.name.endswith(_SUFFIX) and p.name[0] != "."]
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise FexError(f"{folder}: the folder cannot be read ({reason}).") from error
    return sorted(found, key=lambda path: path.name)


def dataset_recordings(folder: str | PathLike[str]) -> list[str]:
    """Names of the recordings in a dataset folder, without reading their features.

    Raises
    ------
    FexError
        If the folder has no Parquet file.
    """
    return [name for path in dataset_files(Path(folder)) for name in recordings_in(path)]


def dataset_files(folder: Path) -> list[Path]:
    """Files of a dataset, at least one, in the order of their names.

    Raises
    ------
    FexError
        If the folder has no Parquet file.
    """
    files = parquet_files(folder)
    if not files:
        raise FexError(
            f"{folder}: the folder has no {_SUFFIX} file, so it is not a Fex dataset; name a file, "
            "or a folder written by write_dataset or `facemt detect -o FOLDER`."
        )
    return files


def write_dataset(
    fex: pd.DataFrame, folder: str | PathLike[str], *, compression_level: int | None = None
) -> list[Path]:
    """Write one native file per recording into a folder.

    Files of the same recordings are replaced, each at once; other files stay.

    Parameters
    ----------
    fex
        The table, with the column ``input``.
    folder
        The dataset; made if it is not there (its parent has to be).
    compression_level
        Of Zstandard.

    Returns
    -------
    list of Path
        The files, in the order of the recordings.

    Raises
    ------
    FexError
        If ``input`` is absent or empty in some rows, or a file cannot be written.
    """
    folder = Path(folder)
    if "input" not in fex.columns:
        raise FexError(f"{folder}: a dataset needs the column 'input', one file per recording.")
    if empty := int(fex["input"].isna().sum()):
        raise FexError(f"{folder}: the column 'input' is empty in {empty} rows; fill it.")
    with writing(folder):
        folder.mkdir(exist_ok=True)
    written = []
    for name, part in fex.groupby("input", sort=False, observed=True):
        path = recording_file(folder, str(name))
        write_parquet(part, path, compression_level=compression_level)
        written.append(path)
    return written


def _selected(folder: Path, selection: Selection) -> Iterator[tuple[Path, Selection]]:
    """Files that hold rows of the selection, in the order of their names, and what to read of each.

    Where every recording has the file named after it, no other file is opened.
    """
    if selection.recordings is None:
        yield from ((path, selection) for path in dataset_files(folder))
        return
    present = set(dataset_files(folder))
    wanted = {name: recording_file(folder, name) for name in selection.recordings}
    if present.issuperset(wanted.values()):
        inside = {path: [name] for name, path in wanted.items()}
    else:
        inside = {path: recordings_in(path) for path in present}
        selection.check_recordings([name for names in inside.values() for name in names], folder)
    for path in sorted(inside):
        names = tuple(name for name in inside[path] if name in wanted)
        if names:
            yield path, replace(selection, recordings=names)


def _read(head: Head, selection: Selection) -> Fex:
    parts = [read_part(path, part) for path, part in _selected(head.path, selection)]
    categories = functools.reduce(union_categories, [part.categories for part in parts])
    info = FexInfo.merge([part.info for part in parts])
    return to_fex([part.table for part in parts], info, categories, head.path)


FORMAT = Format("Fex dataset folder", lambda head: head.is_dir, _read)
