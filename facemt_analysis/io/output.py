"""Where a detection goes as it runs: one Parquet file, one CSV file, or a dataset folder."""

from __future__ import annotations

import contextlib
import tempfile
from abc import abstractmethod
from os import PathLike
from pathlib import Path
from typing import IO

from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex
from facemt_analysis.io._atomic import ClosesOrAborts, TemporaryFile, writing
from facemt_analysis.io.dataset import recording_file
from facemt_analysis.io.parquet import ParquetWriter

__all__ = ["Output", "open_output"]


class Output(ClosesOrAborts):
    """Takes the rows of one recording after the other; files appear complete or not at all.

    Use it as a context manager: leaving it by an exception removes what is not complete.
    """

    @abstractmethod
    def write(self, rows: Fex) -> None:
        """Add rows of the recording in progress."""

    def next_recording(self) -> None:
        """Complete the recording in progress; the next rows belong to another."""

    def drop_recording(self) -> None:
        """Say that the recording in progress has failed."""


def open_output(path: str | PathLike[str]) -> Output:
    """Open the output that a path stands for.

    Parameters
    ----------
    path
        Ending in `.parquet` or `.csv`: one file for all recordings. Else a dataset folder, made if
        it is not there, with one file per recording; files of other recordings stay.

    Raises
    ------
    FexError
        When the place cannot be written to.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind == ".parquet":
        return _ParquetFile(path)
    if kind == ".csv":
        return _CsvFile(path)
    return _Folder(path)


class _ParquetFile(Output):
    def __init__(self, path: Path) -> None:
        self._writer = ParquetWriter(path)
        self._empty = True

    def write(self, rows: Fex) -> None:
        self._writer.write(rows)
        self._empty = False

    def close(self) -> None:
        if self._empty:
            self._writer.abort()
        else:
            self._writer.close()

    def abort(self) -> None:
        self._writer.abort()


class _CsvFile(Output):
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = TemporaryFile(path)
        self._stream: IO[str] | None = None
        self._columns: list[str] = []

    def write(self, rows: Fex) -> None:
        with writing(self._path):
            if self._stream is None:
                self._stream = self._file.temporary.open("w", encoding="utf-8", newline="")
                self._columns = list(rows.columns)
                rows.to_csv(self._stream, index=False)
                return
            if list(rows.columns) != self._columns:
                raise FexError(f"{self._path}: the columns differ from those of the rows before.")
            rows.to_csv(self._stream, index=False, header=False)

    def close(self) -> None:
        if self._stream is None:
            self._file.abort()
            return
        try:
            with writing(self._path):
                self._stream.close()
            self._file.commit()
        except BaseException:
            self._file.abort()
            raise

    def abort(self) -> None:
        if self._stream is not None:
            with contextlib.suppress(OSError):  # the disk is full: the file goes anyway
                self._stream.close()
        self._file.abort()


class _Folder(Output):
    def __init__(self, path: Path) -> None:
        self._path = path
        self._made = [p for p in (path, *path.parents) if not p.exists()]  # inner ones first
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
            # a folder that cannot be written to is better known before the work than after
            with tempfile.TemporaryFile(dir=path):
                pass
        self._writer: ParquetWriter | None = None

    def write(self, rows: Fex) -> None:
        if self._writer is None:
            self._writer = ParquetWriter(recording_file(self._path, str(rows["input"].iloc[0])))
        self._writer.write(rows)

    def next_recording(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None

    def drop_recording(self) -> None:
        if self._writer is not None:
            self._writer.abort()
        self._writer = None

    def close(self) -> None:
        self.next_recording()
        self._remove_empty()

    def abort(self) -> None:
        self.drop_recording()
        self._remove_empty()

    def _remove_empty(self) -> None:
        """Remove the folders made here that nothing was written to."""
        with contextlib.suppress(OSError):  # the first that holds something keeps the rest
            for folder in self._made:
                folder.rmdir()
