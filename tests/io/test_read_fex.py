"""What a file is is told from its content; anything else is one clear line. Describing files."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import facemt_analysis as fm
import facemt_analysis.io as fm_io
from facemt_analysis import read_fex
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex, FexInfo, summarize_table
from facemt_analysis.io import describe_fex, is_fex
from facemt_analysis.io.dataset import write_dataset
from facemt_analysis.io.formats import FORMATS


@pytest.fixture
def fex(make_fex) -> Fex:
    return make_fex(groups=("faceboxes", "aus", "va")).assign(subject="s")


def _write(fex: Fex, folder: Path) -> dict[str, Path]:
    """The same table in every kind of file that can be written."""
    paths = {name: folder / name for name in ("parquet", "folder", "csv", "pyfeat")}
    fex.to_parquet(paths["parquet"])
    write_dataset(fex, paths["folder"])
    fex.to_csv(paths["csv"], index=False)
    fex.to_pyfeat(paths["pyfeat"])
    return paths


@pytest.mark.parametrize("name", ["x", "x.mp4", "x y.PARQUET"])
def test_the_name_does_not_matter(fex: Fex, folder: Path, name: str) -> None:
    kinds = {"parquet": "facemt", "folder": "facemt", "csv": None, "pyfeat": "py-feat"}
    for kind, path in _write(fex, folder).items():
        renamed = folder / name
        shutil.move(path, renamed)
        back = read_fex(str(renamed))
        assert type(back) is Fex
        assert len(back) == len(fex)
        np.testing.assert_array_equal(back.aus, fex.aus)
        assert (back.info.tool or "").partition("_")[0] == (kinds[kind] or "")
        shutil.rmtree(renamed) if renamed.is_dir() else renamed.unlink()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "a text file"),
        (b"hello world, this is text", "a text file starting with 'hello world, this is text'"),
        (b"a,b\n1,2\n", "a text file starting with 'a,b'"),
        (b"\x89PNG\r\n\x1a\n\0\0", "a binary file"),
        (bytes(range(256)) * 10, "a binary file"),
        (b"PAR1", "truncated or damaged"),
        (b"PAR1" + b"\0" * 100 + b"PAR1", "truncated or damaged"),
        (gzip.compress(b"frame,AU12\n0,0.5\n", mtime=0), "a binary file"),
        ("frame,AU12\n0,0.5\n".encode("utf-16"), "a binary file"),
        (b"frame,AU12,who\n0,0.5,\xe4\n", "not UTF-8"),
        (b"frame,AU12,AU12\n0,0.5,0.5\n", "column AU12 is there more than once"),
        (b"frame,AU12\n0,0.5,7\n1,0.5\n", "row 2 has 3 fields, but the first line names 2"),
        (b"frame,AU12\n0,0.5\n1,hello\n", "'AU12' of the group 'aus' must hold numbers.*'hello'"),
        (b"frame,AU12\nx,0.5\n", "'frame' of the group 'keys' must hold numbers"),
        (b"frame,AU12\n,0.5\n", "'frame' must hold whole numbers"),
        (b"frame,AU12\n0.5,0.5\n", "'frame' must hold whole numbers"),
        (b"frame,AU12,AU43\n0,0.5,0.5\n1,0.", r"middle of a row, after 2 of 3 fields.*truncated"),
        (b'frame,AU12\n0,"0.5\n', "cannot be read as a table|must hold numbers"),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else "",
)
@pytest.mark.parametrize("name", ["bad.parquet", "bad.csv"])
def test_bad_files(folder: Path, name: str, content: bytes, message: str) -> None:
    path = folder / name
    path.write_bytes(content)
    with pytest.raises(FexError, match=message) as caught:
        read_fex(path)
    text = str(caught.value)
    assert name in text
    assert "\n" not in text
    with pytest.raises(FexError):
        describe_fex(path)


def test_an_unknown_table_says_what_is_known(folder: Path) -> None:
    (folder / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FexError) as caught:
        read_fex(folder / "x.csv")
    assert all(form.name in str(caught.value) for form in FORMATS)


def test_missing_file() -> None:
    with pytest.raises(FexError, match=r"nowhere\.csv: there is no such file or folder"):
        read_fex("nowhere.csv")


@pytest.mark.usefixtures("not_root")
def test_unreadable_file(fex: Fex, folder: Path) -> None:
    fex.to_parquet(folder / "x")
    (folder / "x").chmod(0)
    with pytest.raises(FexError, match=r"it cannot be read \(Permission denied\)"):
        read_fex(folder / "x")


def test_options_belong_to_formats(fex: Fex, folder: Path) -> None:
    fex.to_csv(folder / "x.csv", index=False)
    with pytest.raises(FexError, match=r"x\.csv: a Fex text table .* has no option 'fps'"):
        read_fex(folder / "x.csv", fps=3)


def test_reading_is_lazy() -> None:
    code = (
        "import sys, facemt_analysis as fm, facemt_analysis.io; fm.read_fex\n"
        "print([m for m in sys.modules if m.startswith('facemt_analysis.io.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['facemt_analysis.io.reading']"


# ------------------------------------------------------------------ what a file holds
def test_description_agrees_with_the_table(fex: Fex, folder: Path) -> None:
    for kind, path in _write(fex, folder).items():
        described = describe_fex(path)
        table = read_fex(path)
        assert described.table == summarize_table(table), kind
        assert described.info == table.info
        files = list(path.iterdir()) if path.is_dir() else [path]
        assert described.files == len(files)
        assert described.bytes == sum(p.stat().st_size for p in files)
        content = described.to_dict()
        assert content["rows"] == 12
        assert content["recordings"] == ["a.mp4", "b.mp4"]
        assert (content["frames"], content["faces"], content["tracks"]) == (12, 10, 2)
        assert content["groups"] == list(table.groups)
        assert FexInfo.from_dict(content["info"]) == table.info
        text = str(described)
        assert str(path) in text
        assert "12 rows" in text


def test_description_reads_keys_only(make_fex, folder: Path) -> None:
    path = folder / "x.parquet"
    fex = make_fex(300)
    fex.to_parquet(path)
    content = bytearray(path.read_bytes())
    with pq.ParquetFile(path) as file:
        group = file.metadata.row_group(0)
        chunks = [group.column(i) for i in range(group.num_columns)]
    for chunk in chunks:
        if chunk.path_in_schema not in ("input", "frame", "time", "track", "FaceScore"):
            start, size = chunk.data_page_offset, chunk.total_compressed_size
            content[start : start + size] = bytes(size)
    path.write_bytes(content)
    assert describe_fex(path).table == summarize_table(fex)
    with pytest.raises(FexError, match="damaged"):
        read_fex(path)


def test_description_without_keys(folder: Path) -> None:
    Fex({"AU12": [0.1, 0.2]}).to_parquet(folder / "x.parquet")
    table = describe_fex(folder / "x.parquet").table
    assert (table.rows, table.recordings, table.frames) == (2, None, None)
    assert table.groups == ("aus",)


def test_what_counts_as_a_table(fex: Fex, folder: Path) -> None:
    for path in _write(fex, folder).values():
        assert is_fex(path)
    (folder / "media").mkdir()
    for name, content in (("x.mp4", b"\0\0\0\x18ftyp"), ("x.jpg", b"\xff\xd8"), ("x", b"text")):
        (folder / "media" / name).write_bytes(content)
        assert not is_fex(folder / "media" / name)
    assert not is_fex(folder / "media")
    for name in ("no.parquet", "no.csv"):
        assert is_fex(folder / name)  # so that the error is one about tables
    assert not is_fex(folder / "no.mp4")


def test_public_names() -> None:
    assert fm.read_fex is read_fex
    assert all(callable(getattr(fm_io, name)) for name in fm_io.__all__)
    assert set(fm_io.__all__) <= set(dir(fm_io))
