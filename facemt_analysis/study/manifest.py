"""What a study folder holds and what it was made from: a second run does only what is new."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from facemt_analysis import __version__
from facemt_analysis.io._atomic import atomic_file

__all__ = ["MANIFEST", "Entry", "Manifest", "fingerprint"]

MANIFEST = "manifest.json"
"""Name of the file in a study folder."""


@dataclass
class Entry:
    """One recording of a study.

    Parameters
    ----------
    source
        Path of the recording as it was given.
    size, modified, sha256
        Of the source: bytes, nanoseconds, hash of its content.
    options
        Hash of the options it was made with.
    weights_sha256
        Hash of the weights.
    file
        Name of its file in the folder; None where it failed.
    file_size
        Bytes of that file.
    frames, faces, rows, problems
        What was found, and what could not be read.
    failed
        Reason why there is no file; None where there is one.
    """

    source: str
    size: int
    modified: int
    sha256: str
    options: str
    weights_sha256: str = ""
    file: str | None = None
    file_size: int = 0
    frames: int = 0
    faces: int = 0
    rows: int = 0
    problems: list[str] = field(default_factory=list)
    failed: str | None = None


class Manifest:
    """The file ``manifest.json`` of a study folder: recording → `Entry`.

    Parameters
    ----------
    folder
        The study. A manifest that is not there or cannot be read counts as empty.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / MANIFEST
        self.entries: dict[str, Entry] = {}
        try:
            found: Any = json.loads(self.path.read_text(encoding="utf-8"))
            self.entries = {name: Entry(**entry) for name, entry in found["recordings"].items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            self.entries = {}

    def is_current(
        self, name: str, files: Sequence[Path], options: str, weights_sha256: str
    ) -> bool:
        """Whether the file of a recording is there and nothing it depends on has changed.

        The source is hashed only if its size or date differ from what they were.
        """
        entry = self.entries.get(name)
        if entry is None or entry.file is None or entry.failed is not None:
            return False
        if (entry.options, entry.weights_sha256) != (options, weights_sha256):
            return False
        result = self.path.parent / entry.file
        if not result.is_file() or result.stat().st_size != entry.file_size:
            return False
        if _looks(files) == (entry.size, entry.modified):
            return True
        try:
            return bool(fingerprint(files)["sha256"] == entry.sha256)
        except OSError:  # the attempt to read it will tell
            return False

    def put(self, name: str, entry: Entry) -> None:
        """Record a recording; the file on disk is complete at every moment.

        Raises
        ------
        FexError
            If it cannot be written.
        """
        self.entries[name] = entry
        content = {
            "creator": f"facemt_analysis {__version__}",
            "recordings": {key: asdict(value) for key, value in sorted(self.entries.items())},
        }
        with atomic_file(self.path) as temporary:
            temporary.write_text(
                json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8"
            )


def fingerprint(files: Sequence[Path]) -> dict[str, Any]:
    """Size, latest date and SHA-256 of a recording's files; of several, a hash of their hashes.

    Raises
    ------
    OSError
        If one cannot be read.
    """
    size, modified = _looks(files)
    hashes = []
    for path in files:
        with path.open("rb") as file:
            hashes.append(hashlib.file_digest(file, "sha256").hexdigest())
    if len(hashes) != 1:
        hashes = [hashlib.sha256("\n".join(hashes).encode()).hexdigest()]
    return {"size": size, "modified": modified, "sha256": hashes[0]}


def _looks(files: Sequence[Path]) -> tuple[int, int]:
    """Size and latest date, without reading; of a source that is gone, -1."""
    try:
        stats = [path.stat() for path in files]
    except OSError:
        return -1, -1
    return sum(s.st_size for s in stats), max((s.st_mtime_ns for s in stats), default=0)
