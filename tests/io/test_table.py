"""Text tables: what pandas' to_csv writes comes back with its types."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import read_fex, schema
from facemt_analysis.fex import Fex, FexInfo


def test_numbers_come_back_to_the_last_bit(make_fex, folder: Path) -> None:
    fex = make_fex().assign(subject="s", real=np.linspace(0, 1, 12) / 3)
    fex["time"] = fex["time"] + 1 / 3 + 1e-12
    fex.to_csv(folder / "x.csv", index=False)
    back = read_fex(folder / "x.csv")
    assert type(back) is Fex
    assert back.info == FexInfo()
    pd.testing.assert_frame_equal(back, fex)
    assert back["time"].dtype == np.float64
    assert back["track"].dtype == np.int64
    assert (back[schema.feature_columns(back.columns)].dtypes == np.float32).all()


def test_names_of_recordings_are_text(make_fex, folder: Path) -> None:
    fex = make_fex(recordings=("001", "1e5"), groups=("va",))
    fex.to_csv(folder / "x.csv", index=False)
    assert read_fex(folder / "x.csv").recordings == ("001", "1e5")


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="with the index"),
        pytest.param({"index": False, "sep": "\t"}, id="tabs"),
        pytest.param({"index": False, "sep": ";"}, id="semicolons"),
        pytest.param({"index": False, "sep": ";", "decimal": ","}, id="decimal commas"),
        pytest.param({"index": False, "encoding": "utf-8-sig"}, id="byte order mark"),
        pytest.param({"index": False, "lineterminator": "\r\n"}, id="Windows lines"),
        pytest.param({"index": False, "lineterminator": "\n", "quoting": 1}, id="all quoted"),
    ],
)
def test_dialects(make_fex, folder: Path, options: dict) -> None:
    fex = make_fex(groups=("aus", "va")).assign(umlaut="ä, ö")
    fex.to_csv(folder / "x.csv", **options)
    pd.testing.assert_frame_equal(read_fex(folder / "x.csv"), fex, rtol=1e-6)


def test_a_last_line_without_its_end_is_fine(folder: Path) -> None:
    (folder / "x.csv").write_text("frame,AU12\n0,0.5\n1,0.25")
    assert read_fex(folder / "x.csv")["AU12"].tolist() == [0.5, 0.25]


def test_spaces_around_names_and_values(folder: Path) -> None:
    (folder / "x.csv").write_text("frame, AU12 , who\n0, 0.5, a\n1, , b\n")
    back = read_fex(folder / "x.csv")
    assert list(back.columns) == ["frame", "AU12", "who"]
    assert back["who"].tolist() == ["a", "b"]
    np.testing.assert_array_equal(back["AU12"], [0.5, np.nan])


def test_long_tables_are_read_as_a_whole(folder: Path) -> None:
    """The parser works in blocks: what only one of them holds must count for the others, too."""
    rows = 700  # of 1,100 columns: the block ends after 512
    late = {
        "who": ["007"] * (rows - 1) + ["x7"],
        "spaced": ["a"] * (rows - 1) + [" a"],
        "code": [str(2**53 + 1)] * (rows - 1) + [str(2**64 - 1)],
    }
    padding = ",1" * 1100
    names = "".join(f",p{i}" for i in range(1100))
    for name, values in late.items():
        lines = [f"{value},0.5{padding}" for value in values]
        (folder / "x.csv").write_text("\n".join([f"{name},AU12{names}", *lines]))
        back = read_fex(folder / "x.csv")
        assert back[name].astype(str).tolist() == [value.strip() for value in values]


def test_no_rows(folder: Path) -> None:
    (folder / "x.csv").write_text("input,frame,AU12\n")
    back = read_fex(folder / "x.csv")
    assert len(back) == 0
    assert back["AU12"].dtype == np.float32
    assert back["frame"].dtype == np.int64


def test_parts(make_fex, folder: Path) -> None:
    fex = make_fex(30, ("a.mp4", "b.mp4", "c.mp4"), groups=("aus", "va")).assign(subject="s")
    fex.to_csv(folder / "x.csv", index=False)
    part = read_fex(folder / "x.csv", groups="va", recordings=["c.mp4", "a.mp4"], start=0.1)
    columns = [*schema.KEYS, "valence", "arousal", "subject"]
    expected = fex.query("input != 'b.mp4' and time >= 0.1")[columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(part, expected)
