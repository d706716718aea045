"""Predictions on disk, piece by piece, so that an interrupted run goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from facemt_analysis.errors import FexError
from facemt_analysis.io import write_parquet
from facemt_analysis.io._atomic import atomic_file, writing

__all__ = ["PredictionStore"]


class PredictionStore:
    """A folder with the predictions of one run: ``run.json`` and numbered Parquet files.

    Parameters
    ----------
    folder
        Made if it is not there.
    run
        What makes the run what it is (benchmark, options, weights …): JSON values.

    Raises
    ------
    FexError
        If the folder holds another run, or cannot be written to.
    """

    def __init__(self, folder: Path, run: Mapping[str, Any]) -> None:
        self.folder = folder
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        told = json.dumps(dict(run), sort_keys=True, indent=1, default=str)
        description = folder / "run.json"
        if description.exists():
            if description.read_text(encoding="utf-8") != told:
                raise FexError(
                    f"{folder}: it holds the predictions of a run with other options, weights or "
                    "data; choose another folder, or remove this one."
                )
        else:
            with atomic_file(description) as temporary:
                temporary.write_text(told, encoding="utf-8")

    @property
    def files(self) -> list[Path]:
        """The pieces, in the order they were written."""
        return sorted(self.folder.glob("predictions-*.parquet"))

    def done(self) -> set[bytes]:
        """Give the digests of the samples that are done (:meth:`digest`)."""
        keys: set[bytes] = set()
        for path in self.files:
            column = pq.read_table(path, columns=["sample"]).column("sample")
            keys.update(map(self.digest, column.to_pylist()))
        return keys

    @staticmethod
    def digest(key: str) -> bytes:
        """Twelve bytes that stand for the name of a sample, so that many of them take little."""
        return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=12).digest()

    def add(self, table: pd.DataFrame) -> None:
        """Write one more piece; it is there wholly or not at all."""
        write_parquet(table, self.folder / f"predictions-{len(self.files):06d}.parquet")

    def read(self) -> pd.DataFrame:
        """All predictions."""
        pieces = [pd.read_parquet(path) for path in self.files]
        return pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame()
