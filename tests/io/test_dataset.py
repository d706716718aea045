"""Dataset folders: one file per recording, found by name, read without the others."""

from __future__ import annotations

import string
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import read_fex
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.io.dataset import (
    dataset_recordings,
    recording_file,
    recording_name,
    write_dataset,
)

NAMES = ("talk.mp4", "A.mp4", "a.mp4", "sub/x.mov", "ä ö.avi")
HARD = [
    "", ".", "..", ".hidden", "_under", " lead", "trail ", "trail.", "a/b", "a\\b", "a:b*?\"<>|",
    "con", "CON.mp4", "nul.txt", "com1", "aux.mp4", "auxiliary.mp4", "%", "%41", "~", "a~b", "a~~b",
    "a~123456", "é", "e\u0301", "日本.mp4", "😀", "new\nline", "tab\t", "nul\0char", "x.parquet",
    "x" * 300, "X" * 300, "ä" * 100, "ä" * 101, "\udcff", "-rf", "$HOME", "`x`", "a b+c@d=(e),f",
]  # fmt: skip


def _random_names(n: int) -> list[str]:
    rng = np.random.default_rng(0)
    alphabet = list(string.printable + "äßéΩ日😀~%")
    return ["".join(rng.choice(alphabet, rng.integers(0, 12))) for _ in range(n)]


# ------------------------------------------------------------------ names of files
def test_names_are_safe_distinct_and_reversible(tmp_path: Path) -> None:
    names = [*HARD, *_random_names(2000)]
    names += [n.swapcase() for n in names]
    names = list(dict.fromkeys(names))
    files = [recording_file(tmp_path, name) for name in names]
    for name, path in zip(names, files, strict=True):
        assert path.parent == tmp_path
        text = path.name
        assert text.isascii()
        assert text.endswith(".parquet")
        assert not set(text) & set('/\\:*?"<>|\0\n\t')
        assert text[0] not in "._ "
        assert len(text) < 200
        assert text.split(".")[0].lower() not in ("con", "nul", "aux", "prn", "com1")
        assert recording_name(path) == name or (recording_name(path) is None and "~~" in text)
    # distinct even where the file system does not know capitals from small letters
    assert len({path.name.casefold() for path in files}) == len(names)


def test_hard_names_can_be_written_and_read(tmp_path: Path) -> None:
    names = [n for n in HARD if n != "\udcff"]  # no text that any file could hold
    fex = Fex({"input": names, "AU12": np.arange(len(names), dtype=np.float32) / 100})
    write_dataset(fex, tmp_path / "d")
    assert sorted(dataset_recordings(tmp_path / "d")) == sorted(names)
    for i, name in enumerate(names):
        one = read_fex(tmp_path / "d", recordings=name)
        assert one["input"].tolist() == [name]
        assert one["AU12"].tolist() == [fex["AU12"][i]]


def test_usual_names_stay_readable(tmp_path: Path) -> None:
    assert recording_file(tmp_path, "talk 01.mp4").name == "talk 01.mp4.parquet"
    assert recording_file(tmp_path, "IMG_1.MP4").name.startswith("IMG_1.MP4~")


@pytest.mark.parametrize("name", ["Talk.mp4.parquet", "talk%2.parquet", "talk%ff.parquet", "x.txt"])
def test_files_not_named_by_us_have_no_name(name: str) -> None:
    assert recording_name(name) is None


# ------------------------------------------------------------------ whole datasets
@pytest.fixture
def fex(make_fex) -> Fex:
    fex = make_fex(30, NAMES, groups=("faceboxes", "aus", "va"))
    kind = pd.CategoricalDtype(["z", "y", "x"], ordered=True)
    labels = fex["input"].map({name: i for i, name in enumerate(NAMES)})
    return fex.assign(
        subject=labels.astype(np.int64),
        arm=pd.Series(np.where(labels < 2, "x", "y")).astype(kind),
    )


def _sorted(fex: Fex) -> Fex:
    """In the order of the files."""
    names = sorted(NAMES, key=lambda name: recording_file("d", name).name)
    return pd.concat([fex[fex["input"] == name] for name in names], ignore_index=True)


def test_everything_comes_back(fex: Fex, folder: Path) -> None:
    paths = write_dataset(fex, folder / "d")
    assert paths == [recording_file(folder / "d", name) for name in NAMES]
    assert sorted(p.name for p in (folder / "d").iterdir()) == sorted(p.name for p in paths)
    back = read_fex(folder / "d")
    assert type(back) is Fex
    assert back.info == fex.info
    pd.testing.assert_frame_equal(back, _sorted(fex))
    assert sorted(dataset_recordings(folder / "d")) == sorted(NAMES)


def test_every_file_stands_alone(fex: Fex, folder: Path) -> None:
    for path, name in zip(write_dataset(fex, folder / "d"), NAMES, strict=True):
        expected = fex[fex["input"] == name].reset_index(drop=True)
        pd.testing.assert_frame_equal(read_fex(path), expected)


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({"recordings": ["a.mp4"]}, "input == 'a.mp4'"),
        ({"recordings": ["ä ö.avi", "A.mp4"]}, "input in ['ä ö.avi', 'A.mp4']"),
        ({"start": 0.1}, "time >= 0.1"),
        ({"start": 0.1, "recordings": "sub/x.mov"}, "time >= 0.1 and input == 'sub/x.mov'"),
        ({"start": 99}, "time > 99"),
    ],
)
def test_parts(fex: Fex, folder: Path, options: dict, query: str) -> None:
    write_dataset(fex, folder / "d")
    expected = _sorted(fex).query(query).reset_index(drop=True)
    pd.testing.assert_frame_equal(read_fex(folder / "d", **options), expected)
    part = read_fex(folder / "d", groups="va", **options)
    columns = ["input", "frame", "time", "track", "valence", "arousal", "subject", "arm"]
    pd.testing.assert_frame_equal(part, expected[columns])


def test_other_recordings_are_not_opened(fex: Fex, folder: Path) -> None:
    write_dataset(fex, folder / "d")
    broken = recording_file(folder / "d", "talk.mp4")
    broken.write_bytes(b"PAR1 nonsense")
    assert set(read_fex(folder / "d", recordings=["a.mp4", "A.mp4"])["input"]) == {"a.mp4", "A.mp4"}
    with pytest.raises(FexError, match=r"talk\.mp4\.parquet.*truncated or damaged"):
        read_fex(folder / "d")


def test_files_may_be_added_and_replaced(fex: Fex, folder: Path) -> None:
    write_dataset(fex[fex["input"] == "talk.mp4"], folder / "d")
    write_dataset(fex[fex["input"] == "a.mp4"], folder / "d")
    write_dataset(fex[fex["input"] == "a.mp4"].head(2), folder / "d")
    assert read_fex(folder / "d")["input"].value_counts().to_dict() == {"talk.mp4": 6, "a.mp4": 2}


def test_any_folder_of_fex_files_is_a_dataset(fex: Fex, folder: Path) -> None:
    """Files that were named by hand, each with what it holds."""
    fex[fex["input"].isin(["a.mp4", "A.mp4"])].to_parquet(folder / "first.parquet")
    fex[fex["input"] == "talk.mp4"].to_parquet(folder / "second.parquet")
    (folder / "notes.txt").write_text("not a table")
    assert dataset_recordings(folder) == ["A.mp4", "a.mp4", "talk.mp4"]
    assert len(read_fex(folder)) == 18
    some = read_fex(folder, recordings=["talk.mp4", "a.mp4"])
    assert some["input"].value_counts().to_dict() == {"talk.mp4": 6, "a.mp4": 6}


def test_files_being_written_are_not_seen(fex: Fex, tmp_path: Path) -> None:
    write_dataset(fex, tmp_path / "d")
    (tmp_path / "d" / ".x.parquet.0123.part").write_bytes(b"PAR1")
    (tmp_path / "d" / ".hidden.parquet").write_bytes(b"PAR1")
    assert len(read_fex(tmp_path / "d")) == len(fex)


def test_metadata_of_the_files_is_merged(fex: Fex, folder: Path) -> None:
    write_dataset(fex[fex["input"] == "a.mp4"], folder / "d")
    other = Fex(fex[fex["input"] == "A.mp4"], info=FexInfo(weights="open"))
    write_dataset(other, folder / "d")
    assert read_fex(folder / "d").info == FexInfo.merge([fex.info, other.info])
    assert read_fex(folder / "d", recordings="a.mp4").info == fex.info


def test_columns_that_some_files_lack_are_empty(make_fex, folder: Path) -> None:
    fex = make_fex(groups=("aus", "va")).assign(subject="s")
    fex[fex["input"] == "a.mp4"].to_parquet(folder / "a.parquet")
    lacking = fex[fex["input"] == "b.mp4"].drop(columns=["AU12", "subject"])
    lacking.to_parquet(folder / "b.parquet")
    back = read_fex(folder)
    assert back["AU12"].dtype == np.float32
    assert (
        back["AU12"].notna().tolist() == fex["AU12"].where(fex["input"] == "a.mp4").notna().tolist()
    )
    assert back["subject"].isna().tolist() == [False] * 6 + [True] * 6


def test_labels_of_different_kinds_are_one_error(make_fex, folder: Path) -> None:
    fex = make_fex(groups=("va",))
    fex[fex["input"] == "a.mp4"].assign(s=1).to_parquet(folder / "a.parquet")
    fex[fex["input"] == "b.mp4"].assign(s="one").to_parquet(folder / "b.parquet")
    with pytest.raises(FexError, match=r"its files do not fit together.*s") as caught:
        read_fex(folder)
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------ what cannot be
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: f.drop(columns="input"), "needs the column 'input'"),
        (lambda f: f.assign(input=[None, *f["input"][1:]]), "'input' is empty in 1 rows"),
    ],
)
def test_rows_without_a_recording_cannot_be_written(fex: Fex, folder: Path, spoil, message) -> None:
    with pytest.raises(FexError, match=message):
        write_dataset(spoil(fex), folder / "d")
    assert list(folder.iterdir()) == []


def test_places_that_are_no_dataset(fex: Fex, folder: Path) -> None:
    with pytest.raises(FexError, match=r"the folder has no \.parquet file"):
        read_fex(folder)
    with pytest.raises(FexError, match="there is no such file or folder"):
        read_fex(folder / "no")
    (folder / "file").write_text("x")
    with pytest.raises(FexError, match=r"Cannot write .*file"):
        write_dataset(fex, folder / "file")
    with pytest.raises(FexError, match="No such file"):
        write_dataset(fex, folder / "no" / "deeper")
    write_dataset(fex, folder / "d")
    with pytest.raises(FexError, match=r"no recording b\.mp4; it has A\.mp4, a\.mp4"):
        read_fex(folder / "d", recordings=["a.mp4", "b.mp4"])
