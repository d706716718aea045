"""What a file of faces holds, reading as little of it as possible."""

from __future__ import annotations

from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

from facemt_analysis import schema
from facemt_analysis.fex import FexInfo, TableSummary, summarize_table
from facemt_analysis.io import dataset, parquet_reading
from facemt_analysis.io._selection import Selection
from facemt_analysis.io.formats import recognise

__all__ = ["FexFile", "describe_fex", "format_size"]


@dataclass(frozen=True)
class FexFile:
    """What a file or folder holds.

    Parameters
    ----------
    path
        File or folder.
    format
        Kind of file, in words.
    bytes
        Size; of a folder, of the files that make it up.
    files
        Number of files.
    table
        Counts of rows, recordings, frames, faces, tracks, the time range, groups, labels.
    info
        Metadata.
    """

    path: Path
    format: str
    bytes: int
    files: int
    table: TableSummary
    info: FexInfo

    def to_dict(self) -> dict[str, Any]:
        """JSON values of everything."""
        table = self.table
        return {
            "path": str(self.path),
            "format": self.format,
            "tool": self.info.tool,
            "bytes": self.bytes,
            "files": self.files,
            "rows": table.rows,
            "recordings": None if table.recordings is None else list(table.recordings),
            "frames": table.frames,
            "frames_with_face": table.frames_with_face,
            "faces": table.faces,
            "tracks": table.tracks,
            "start": table.start,
            "stop": table.stop,
            "seconds": table.seconds,
            "hz": None if table.hz is None else sorted(set(table.hz)),
            "groups": list(table.groups),
            "labels": list(table.labels),
            "info": self.info.to_dict(),
        }

    def __str__(self) -> str:
        files = f", {self.files:,} files" if self.files > 1 else ""
        size = format_size(self.bytes)
        return f"{self.path}: {self.format}, {size}{files}\n{self.table}\n{self.info!r}"


def format_size(size: float) -> str:
    """Say how large a file is.

    >>> format_size(812), format_size(41_200_000)
    ('812 bytes', '41.2 MB')
    """
    unit = "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"


def describe_fex(path: str | PathLike[str]) -> FexFile:
    """Say what a file of faces holds.

    Of Parquet only the footer, the keys and ``FaceScore`` are read; text tables have to be read
    whole.

    Parameters
    ----------
    path
        Any file or folder that :func:`read_fex` reads.

    Raises
    ------
    FexError
        As :func:`read_fex`.

    Examples
    --------
    >>> import tempfile
    >>> from facemt_analysis import Fex
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Fex({"frame": [0, 1], "AU12": [0.1, 0.2]}).to_parquet(f"{folder}/talk.parquet")
    ...     str(describe_fex(f"{folder}/talk.parquet").table)
    'Fex: 2 rows · 2 frames · aus'
    """
    form, head = recognise(path)
    if form is parquet_reading.FORMAT:
        paths = [head.path]
    elif form is dataset.FORMAT:
        paths = dataset.dataset_files(head.path)
    else:
        fex = form.read(head, Selection())
        size = head.path.stat().st_size
        return FexFile(head.path, form.name, size, 1, summarize_table(fex), fex.info)
    heads = [parquet_reading.read_keys(p) for p in paths]
    keys = parquet_reading.to_fex([part.table for part, _ in heads], FexInfo(), {}, head.path)
    columns = list(dict.fromkeys(name for _, names in heads for name in names))
    table = replace(
        summarize_table(keys),
        groups=schema.groups_in(columns),
        labels=tuple(name for name in columns if schema.group_of(name) is None),
    )
    info = FexInfo.merge([part.info for part, _ in heads])
    size = sum(p.stat().st_size for p in paths)
    return FexFile(head.path, form.name, size, len(paths), table, info)
