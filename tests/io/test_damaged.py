"""Damage that got past a reader once, cut down to what made the difference: a named error each."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facemt_analysis import read_fex, schema
from facemt_analysis.errors import FexError, one_line
from facemt_analysis.io import describe_fex, read_events
from facemt_analysis.io.events import as_events


def _plain(error: pytest.ExceptionInfo[FexError], path: Path) -> None:
    text = str(error.value)
    assert str(path) in text
    assert text.isprintable()
    assert len(text) < 1000


# ------------------------------------------------------------------ Parquet
@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b'{"index_columns": [', id="no JSON"),
        pytest.param(b'{"index_columns": 3, "columns": []}', id="not a list"),
        pytest.param(b"[]", id="not an object"),
    ],
)
@pytest.mark.parametrize("door", [read_fex, describe_fex])
def test_metadata_of_pandas(folder: Path, metadata: bytes, door) -> None:
    path = folder / "x.parquet"
    table = pa.table({"frame": [0, 1], "AU12": [0.1, 0.2]})
    pq.write_table(table.replace_schema_metadata({b"pandas": metadata}), path)
    with pytest.raises(FexError, match="the Parquet file is damaged") as caught:
        door(path)
    _plain(caught, path)


@pytest.mark.parametrize("values", [[1, 1], [[1], [2]]], ids=["twice", "lists"])
def test_categories_that_cannot_be(folder: Path, values: list[object]) -> None:
    path = folder / "x.parquet"
    about = {"schema_version": 1, "categories": {"arm": {"values": values, "ordered": True}}}
    table = pa.table({"AU12": [0.1], "arm": ["x"]})
    pq.write_table(table.replace_schema_metadata({b"facemt": json.dumps(about)}), path)
    with pytest.raises(FexError, match=r"x\.parquet: the Parquet file is damaged") as caught:
        read_fex(path)
    _plain(caught, path)


def test_deeply_nested_metadata(folder: Path) -> None:
    path = folder / "x.parquet"
    table = pa.table({"AU12": [0.1]})
    pq.write_table(table.replace_schema_metadata({b"facemt": b"[" * 100_000}), path)
    with pytest.raises(FexError, match="its metadata 'facemt' is damaged"):
        read_fex(path)


def test_rows_that_unfold_from_nothing(folder: Path) -> None:
    path = folder / "x.parquet"
    table = pa.table({"AU12": pa.array(np.zeros(2_000_000, np.float32))})
    pq.write_table(table, path, compression="zstd")
    assert path.stat().st_size < 20_000
    with pytest.raises(FexError, match="cannot hold the 2000000 rows") as caught:
        read_fex(path)
    _plain(caught, path)


# ------------------------------------------------------------------ text tables
def test_many_columns_without_rows_take_no_time(folder: Path) -> None:
    """They took half a minute: text columns were converted by copying the table for each."""
    path = folder / "x.csv"
    columns = [c for g in schema.FEATURE_GROUPS for c in schema.GROUPS[g].columns]
    path.write_text(",".join(["frame", *columns]) + "\n")
    start = time.process_time()
    fex = read_fex(path)
    assert time.process_time() - start < 5
    assert fex.shape == (0, len(columns) + 1)


def test_a_name_does_not_say_how_to_unpack(folder: Path) -> None:
    (folder / "x.csv.gz").write_text("frame,AU12\n0,0.5\n")
    assert read_fex(folder / "x.csv.gz")["AU12"].tolist() == [0.5]
    (folder / "y.csv").write_bytes(gzip.compress(b"frame,AU12\n0,0.5\n"))
    with pytest.raises(FexError, match=r"y\.csv: a binary file"):
        read_fex(folder / "y.csv")


@pytest.mark.parametrize("number", ["9" * 400, "1e300", "0.5", "inf"])
@pytest.mark.parametrize(
    "columns",
    [
        pytest.param("frame,AU12", id="own"),
        pytest.param("Frame,Occ_au_12,Person_ID", id="PyAFAR"),
        pytest.param("frame,timestamp,confidence,success,AU12_c", id="OpenFace"),
    ],
)
def test_numbers_of_frames_that_are_none(folder: Path, columns: str, number: str) -> None:
    """Beyond 64 bits they became other frames in silence."""
    path = folder / "x.csv"
    path.write_text(f"{columns}\n{number}{',1' * columns.count(',')}\n")
    with pytest.raises(FexError, match="must hold whole numbers in every row, but has") as caught:
        read_fex(path)
    _plain(caught, path)


def test_numbers_of_hundreds_of_digits(folder: Path) -> None:
    path = folder / "x.csv"
    path.write_text(f"frame,AU12\n0,{'9' * 400}\n1,0.5\n")
    fex = read_fex(path)
    assert fex["AU12"].tolist() == [np.inf, 0.5]
    assert fex.validate()["check"].tolist() == ["range"]


def test_long_and_unprintable_cells_in_messages(folder: Path) -> None:
    path = folder / "x.csv"
    path.write_text(f"frame,AU12\n0,{'a' * 70_000}\n")
    with pytest.raises(FexError, match="must hold numbers, but has 'aaa") as caught:
        read_fex(path)
    _plain(caught, path)


# ------------------------------------------------------------------ events
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("x_events.tsv", b"onset\tduration\nsoon\t1\n", "`onset`", id="BIDS onset"),
        pytest.param("x_events.tsv", b"onset\tduration\ttrack\n1\t1\ttwo\n", "`track`", id="track"),
        pytest.param("x_events.tsv", b"onset\tduration\ttrack\n1\t1\t0.5\n", "`track`", id="half"),
        pytest.param("x.csv", b"onset,offset\n1,2\n1,2,3,4\n", "as a table", id="long row"),
        pytest.param("x.csv", b"a\x00\x1b,b\n1,2\n", "needs the column 'onset'", id="zeros"),
        pytest.param("x.vtt", b"WEBVTT\n\n00:02.000 --> 00:01.000\nx\n", "before they", id="VTT"),
    ],
)
def test_events(folder: Path, name: str, content: bytes, message: str) -> None:
    path = folder / name
    path.write_bytes(content)
    with pytest.raises(FexError, match=message) as caught:
        read_events(path)
    _plain(caught, path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"start_frame,end_frame\none,2\n", "`start_frame` must be a", id="word"),
        pytest.param(b"start_frame,end_frame\n1," + b"9" * 400 + b"\n", "`end_frame`", id="digits"),
        pytest.param(b"start_frame,end_frame\n1,2\n1,2,3,4\n", "as a table", id="long row"),
        pytest.param(b"start_frame,end_frame,tag\n1,2,\xff\n", "not UTF-8", id="no text"),
    ],
)
def test_annotations_of_pyfeat_live(folder: Path, content: bytes, message: str) -> None:
    path = folder / "annotations.csv"
    path.write_bytes(content)
    with pytest.raises(FexError, match=message) as caught:
        read_events(path, fps=25)
    _plain(caught, path)


@pytest.mark.parametrize(
    ("tier", "times", "message"),
    [
        pytest.param("IntervaxTier", "0.5 1.3", "as a TextGrid", id="kind of tier"),
        pytest.param("IntervalTier", "1.5 0.3", "end before they begin", id="backwards"),
    ],
)
def test_textgrid(folder: Path, tier: str, times: str, message: str) -> None:
    pytest.importorskip("pympi")
    path = folder / "x.TextGrid"
    low, high = times.split()
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0", "2", "<exists>", "1",
             f'"{tier}"', '"AU12"', "0", "2", "1", low, high, '"smile"', ""]  # fmt: skip
    path.write_text("\n".join(lines))
    with pytest.raises(FexError, match=message) as caught:
        read_events(path)
    _plain(caught, path)


def test_tracks_of_events_may_be_missing() -> None:
    events = as_events(pd.DataFrame({"onset": [0, 1], "offset": 2, "track": [3, None]}))
    assert events["track"].tolist() == [3, pd.NA]
    assert str(events["track"].dtype) == "Int64"


# ------------------------------------------------------------------ words of a file in a message
def test_one_line() -> None:
    assert one_line("a\n\tb\0c\u2028d") == "a b?c d"
    assert one_line("x" * 50, 10) == "xxxxxxxxx…"
