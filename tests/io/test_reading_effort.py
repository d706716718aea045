"""What reading costs: bytes that are touched, seconds for a study, growth with the rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facemt_analysis import read_fex, schema
from facemt_analysis.fex import fex_from_blocks
from facemt_analysis.io import recording_file, write_dataset

ROWS = 33_334  # of an hour at nine frames a second: thirty such recordings are a million rows
# pyarrow fetches the end of a file in one go, before it knows how long the footer is
FOOTER = 1 << 16


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight recordings with action units, emotions and affect."""
    names = [f"hour{i}.mp4" for i in range(8)]
    n = len(names) * ROWS
    rng = np.random.default_rng(0)
    frame = np.tile(np.arange(ROWS), len(names))
    keys = pd.DataFrame(
        {"input": np.repeat(names, ROWS), "frame": frame, "time": frame * 0.108, "track": 0}
    )
    groups = ("aus", "emotions", "va")
    blocks = {g: rng.random((n, len(schema.GROUPS[g].columns)), dtype=np.float32) for g in groups}
    folder = tmp_path_factory.mktemp("study") / "study"
    write_dataset(fex_from_blocks(blocks, keys), folder)
    return folder


@dataclass
class Touched:
    """Places of the files that were read: path → list of (start, stop)."""

    places: dict[Path, list[tuple[int, int]]] = field(default_factory=dict)

    def bytes(self, path: Path) -> int:
        return sum(stop - start for start, stop in self.places[path])


@pytest.fixture
def touched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Touched]:
    """Record every read of a Parquet file."""
    found = Touched()
    files: list[BinaryIO] = []
    usual: Callable[..., pq.ParquetFile] = pq.ParquetFile

    class Watched:
        def __init__(self, path: Path) -> None:
            self.file, self.path = path.open("rb"), path
            files.append(self.file)
            found.places.setdefault(path, [])

        def read(self, size: int = -1) -> bytes:
            start = self.file.tell()
            data = self.file.read(size)
            found.places[self.path].append((start, start + len(data)))
            return data

        def __getattr__(self, name: str) -> object:
            return getattr(self.file, name)

    def watched(path: Path, *args: object, **kwargs: object) -> pq.ParquetFile:
        return usual(pa.PythonFile(Watched(Path(path)), "r"), *args, **kwargs)

    monkeypatch.setattr(pq, "ParquetFile", watched)
    yield found
    for file in files:
        file.close()


def _chunks(path: Path, columns: set[str], row_groups: set[int] | None = None) -> int:
    """Bytes that these columns take up in a file."""
    metadata = pq.read_metadata(path)
    total = 0
    for index in range(metadata.num_row_groups):
        group = metadata.row_group(index)
        chunks = [group.column(i) for i in range(group.num_columns)]
        if row_groups is None or index in row_groups:
            total += sum(c.total_compressed_size for c in chunks if c.path_in_schema in columns)
    return total


def test_a_group_of_a_recording_touches_only_its_bytes(study: Path, touched: Touched) -> None:
    part = read_fex(study, groups="va", recordings="hour3.mp4")
    path = recording_file(study, "hour3.mp4")
    assert part.shape == (ROWS, 6)
    assert set(touched.places) == {path}, "other recordings were opened"
    wanted = _chunks(path, {*schema.KEYS, "valence", "arousal"})
    names = _chunks(path, {"input"})  # read once more, to know which recordings there are
    assert wanted < touched.bytes(path) <= wanted + names + FOOTER
    assert touched.bytes(path) < 0.25 * path.stat().st_size


def test_a_time_range_touches_only_its_row_groups(study: Path, touched: Touched) -> None:
    part = read_fex(study, groups="aus", recordings="hour3.mp4", start=60, stop=120)
    path = recording_file(study, "hour3.mp4")
    assert part["time"].between(60, 120).all()
    assert len(part) == 556
    aus = set(schema.GROUPS["aus"].columns)
    wanted = _chunks(path, {*schema.KEYS, *aus}, {0})
    assert touched.bytes(path) <= wanted + _chunks(path, {"input"}) + FOOTER
    assert touched.bytes(path) < 0.6 * _chunks(path, aus)


def _seconds(read: Callable[[], object]) -> float:
    """Processor time of the best of three, which a busy machine distorts least."""
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        read()
        best = min(best, time.process_time() - start)
    return best


def test_reading_is_fast_and_linear(study: Path) -> None:
    """A million rows within five seconds; four times the rows within about four times the time."""
    few = [f"hour{i}.mp4" for i in range(2)]
    short = _seconds(lambda: read_fex(study, recordings=few))
    whole = _seconds(lambda: read_fex(study))
    assert len(read_fex(study)) == 8 * ROWS
    assert whole * 1_000_000 / (8 * ROWS) < 5
    assert whole < 4 * 2 * short
