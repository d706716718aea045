"""The native format: exact round trips, metadata, parts of files, complete files or none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facemt_analysis import read_fex, schema
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.io import parquet, parquet_reading
from facemt_analysis.io.parquet import ParquetWriter


def _metadata(path: Path) -> dict:
    return json.loads(pq.read_schema(path).metadata[b"facemt"])


# ------------------------------------------------------------------ whole files
def test_everything_comes_back(make_fex, folder: Path) -> None:
    fex = make_fex()
    fex.to_parquet(folder / "x.parquet")
    back = read_fex(folder / "x.parquet")
    assert type(back) is Fex
    assert back.info == fex.info
    pd.testing.assert_frame_equal(back, fex)
    assert isinstance(back.index, pd.RangeIndex)
    assert back.validate().empty


def test_labels_come_back_exactly(labelled: Fex, folder: Path) -> None:
    labelled.to_parquet(folder / "x.parquet")
    back = read_fex(folder / "x.parquet")
    pd.testing.assert_frame_equal(
        back.drop(columns="nothing"), labelled.drop(columns="nothing"), check_freq=False
    )
    assert back["nothing"].isna().all()


def test_any_subset_of_columns_comes_back(make_fex, folder: Path) -> None:
    whole = make_fex().assign(subject="s", z=1)
    rng = np.random.default_rng(1)
    for _ in range(15):
        size = int(rng.integers(1, 40))
        columns = [str(c) for c in rng.choice(whole.columns.to_numpy(), size, replace=False)]
        if not schema.groups_in(columns):
            columns.append("AU12")
        part = whole[columns]
        part.to_parquet(folder / "x.parquet")
        pd.testing.assert_frame_equal(read_fex(folder / "x.parquet"), part)


def test_no_rows_come_back(labelled: Fex, folder: Path) -> None:
    labelled.head(0).to_parquet(folder / "x.parquet")
    back = read_fex(folder / "x.parquet")
    assert len(back) == 0
    assert list(back.columns) == list(labelled.columns)
    assert back["arm"].dtype == labelled["arm"].dtype
    assert (back.aus.dtypes == np.float32).all()


def test_features_are_float32_and_times_float64(make_fex, folder: Path) -> None:
    fex = make_fex()
    fex.astype(dict.fromkeys(["AU12", "mesh_x_3"], np.float64)).to_parquet(folder / "x.parquet")
    arrow = pq.read_schema(folder / "x.parquet")
    for field in arrow:
        if schema.group_of(field.name) != "keys":
            assert field.type == pa.float32(), field
    assert arrow.field("time").type == pa.float64()
    pd.testing.assert_frame_equal(read_fex(folder / "x.parquet"), fex)


def test_metadata_in_the_schema(labelled: Fex, folder: Path) -> None:
    labelled.to_parquet(folder / "x.parquet")
    metadata = _metadata(folder / "x.parquet")
    assert metadata["schema_version"] == 1
    assert metadata["creator"].startswith("facemt_analysis ")
    assert FexInfo.from_dict(metadata["info"]) == labelled.info
    assert metadata["categories"]["arm"] == {"values": ["z", "y", "x"], "ordered": True}
    file = pq.ParquetFile(folder / "x.parquet")
    compressions = {
        file.metadata.row_group(0).column(i).compression for i in range(file.metadata.num_columns)
    }
    assert compressions == {"ZSTD"}


def test_other_programs_can_read_it(make_fex, folder: Path) -> None:
    fex = make_fex()
    fex.to_parquet(folder / "x.parquet")
    plain = pd.read_parquet(folder / "x.parquet")
    pd.testing.assert_frame_equal(plain, pd.DataFrame(fex))


def test_a_plain_frame_can_be_written(folder: Path) -> None:
    parquet.write_parquet(pd.DataFrame({"AU12": [0.5]}), folder / "x.parquet")
    back = read_fex(folder / "x.parquet")
    assert back.info == FexInfo()
    assert back["AU12"].dtype == np.float32


def test_index_names_that_are_not_columns_become_columns(make_fex, folder: Path) -> None:
    fex = make_fex(groups=("va",))
    fex.set_index(["input", "frame"]).to_parquet(folder / "x.parquet")
    back = read_fex(folder / "x.parquet")
    pd.testing.assert_frame_equal(back[list(fex.columns)], fex)
    grouped = fex.groupby("input", group_keys=True)[["frame", "valence"]].apply(lambda g: g.head(2))
    grouped.to_parquet(folder / "y.parquet")
    assert read_fex(folder / "y.parquet")["input"].tolist() == ["a.mp4"] * 2 + ["b.mp4"] * 2
    fex[fex["frame"] > 2].to_parquet(folder / "z.parquet")
    assert read_fex(folder / "z.parquet").index.tolist() == list(range(6))
    fex.set_index("frame", drop=False).to_parquet(folder / "w.parquet")
    pd.testing.assert_frame_equal(read_fex(folder / "w.parquet"), fex)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: f.rename(columns={"AU12": 12}), "names of columns must be text, but got 12"),
        (lambda f: f.rename(columns={"AU12": "AU01"}), "'?AU01'? is there more than once"),
        (lambda f: f.assign(mix=["a", 1] * 6), "cannot be written.*mix"),
        (lambda f: f.assign(o=[object()] * 12), "cannot be written"),
        (lambda f: f.assign(cut=pd.cut(f["valence"], 2)), "'cut' are interval.*rename_categories"),
    ],
)
def test_what_cannot_be_written_is_named(make_fex, folder: Path, spoil, message: str) -> None:
    fex = spoil(make_fex(groups=("aus", "va")))
    with pytest.raises(FexError, match=message) as caught:
        fex.to_parquet(folder / "x.parquet")
    assert "\n" not in str(caught.value)
    assert "x.parquet" in str(caught.value)
    assert list(folder.iterdir()) == []


# ------------------------------------------------------------------ parts of files
@pytest.fixture
def small_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP", 4)


def test_groups_keys_and_labels(make_fex, folder: Path) -> None:
    fex = make_fex().assign(subject="s")
    fex.to_parquet(folder / "x.parquet")
    part = read_fex(folder / "x.parquet", groups=["va", "aus"])
    assert part.groups == ("keys", "aus", "va")
    columns = [c for c in fex.columns if schema.group_of(c) in ("keys", "aus", "va", None)]
    pd.testing.assert_frame_equal(part, fex[columns])
    assert read_fex(folder / "x.parquet", groups="va").groups == ("keys", "va")
    assert read_fex(folder / "x.parquet", groups=[]).groups == ("keys",)
    assert part.info == fex.info


@pytest.mark.usefixtures("small_row_groups")
@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({"recordings": ["b.mp4"]}, "input == 'b.mp4'"),
        ({"recordings": "a.mp4"}, "input == 'a.mp4'"),
        ({"start": 0.1}, "time >= 0.1"),
        ({"stop": 0.1}, "time < 0.1"),
        ({"start": 2 / 30, "stop": 4 / 30}, "2 / 30 <= time < 4 / 30"),
        ({"start": 100}, "time > 100"),
        ({"recordings": ["c.mp4", "a.mp4"], "start": 0.1}, "input != 'b.mp4' and time >= 0.1"),
    ],
)
def test_rows(make_fex, folder: Path, options: dict, query: str) -> None:
    fex = make_fex(30, ("a.mp4", "b.mp4", "c.mp4"), groups=("aus", "va"))
    fex.to_parquet(folder / "x.parquet")
    expected = fex.query(query).reset_index(drop=True)
    part = read_fex(folder / "x.parquet", **options)
    pd.testing.assert_frame_equal(part, expected)
    assert part.info == fex.info
    few = read_fex(folder / "x.parquet", groups="va", **options)
    pd.testing.assert_frame_equal(few, expected[[*schema.KEYS, "valence", "arousal"]])


@pytest.mark.usefixtures("small_row_groups")
def test_row_groups_that_cannot_match_are_not_read(make_fex, folder: Path) -> None:
    make_fex(16, ("a.mp4", "b.mp4"), groups=("aus",)).to_parquet(folder / "x.parquet")
    with pq.ParquetFile(folder / "x.parquet") as file:
        assert file.metadata.num_row_groups == 4

        def matching(**options: object) -> list[int]:
            selection = parquet_reading.Selection.make(**options)
            return list(parquet_reading._matching_row_groups(file, selection))

        assert matching(recordings="a.mp4") == [0, 1]
        assert matching(recordings=["b.mp4"]) == [2, 3]
        assert matching(start=4 / 30) == [1, 3]
        assert matching(stop=4 / 30) == [0, 2]
        assert matching(recordings="b.mp4", start=4 / 30) == [3]
        assert matching() == [0, 1, 2, 3]


def test_columns_of_other_groups_are_not_read(make_fex, folder: Path) -> None:
    path = folder / "x.parquet"
    fex = make_fex(300)
    fex.to_parquet(path)
    with pq.ParquetFile(path) as file:
        group = file.metadata.row_group(0)
        chunks = [group.column(i) for i in range(group.num_columns)]
    content = bytearray(path.read_bytes())
    for chunk in chunks:
        if chunk.path_in_schema.startswith("mesh"):
            start = chunk.data_page_offset
            content[start : start + chunk.total_compressed_size] = bytes(
                chunk.total_compressed_size
            )
    path.write_bytes(content)
    pd.testing.assert_frame_equal(read_fex(path, groups="aus").aus, fex.aus)
    with pytest.raises(FexError, match=r"x\.parquet.*damaged"):
        read_fex(path)


def test_rows_without_a_time_are_left_out(make_fex, folder: Path) -> None:
    fex = make_fex(groups=("va",))
    fex.assign(time=fex["time"].where(fex["frame"] > 1)).to_parquet(folder / "x.parquet")
    assert set(read_fex(folder / "x.parquet", stop=1)["frame"]) == {2, 3, 4, 5}
    fex.assign(time=np.nan).to_parquet(folder / "y.parquet")
    with pytest.raises(FexError, match="cannot select times, its rows have none"):
        read_fex(folder / "y.parquet", stop=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groups": ["au"]}, "`groups` must name some of keys, faceboxes"),
        ({"groups": ["gazes", "va"]}, "it has no group gazes; it has keys, aus, va"),
        ({"recordings": ["x.mp4"]}, "it has no recording x.mp4; it has a.mp4, b.mp4"),
        ({"start": 2, "stop": 1}, "`start` must lie before `stop`"),
        ({"start": float("nan")}, "`start` must be a number"),
        ({"fps": 30}, "has no option 'fps'; its options: none"),
    ],
)
def test_wrong_selections_are_explained(
    make_fex, folder: Path, options: dict, message: str
) -> None:
    make_fex(groups=("aus", "va")).to_parquet(folder / "x.parquet")
    with pytest.raises(FexError, match=message):
        read_fex(folder / "x.parquet", **options)


def test_selecting_needs_the_key(folder: Path) -> None:
    Fex({"AU12": [0.1]}).to_parquet(folder / "x.parquet")
    with pytest.raises(FexError, match="cannot select recordings, it has no column 'input'"):
        read_fex(folder / "x.parquet", recordings="a")
    with pytest.raises(FexError, match="cannot select times, it has no column 'time'"):
        read_fex(folder / "x.parquet", start=0)


# ------------------------------------------------------------------ piece by piece
@pytest.mark.parametrize("size", [1, 5, 7, 100])
@pytest.mark.usefixtures("small_row_groups")
def test_pieces_give_the_same_file(labelled: Fex, folder: Path, size: int) -> None:
    with ParquetWriter(folder / "x.parquet") as writer:
        for start in range(0, len(labelled), size):
            writer.write(labelled.iloc[start : start + size])
            assert not (folder / "x.parquet").exists()
    back = read_fex(folder / "x.parquet")
    pd.testing.assert_frame_equal(
        back.drop(columns="nothing"), labelled.drop(columns="nothing"), check_freq=False
    )
    assert back.info == labelled.info


def test_pieces_are_gathered_into_large_row_groups(make_fex, folder: Path) -> None:
    fex = make_fex(groups=("va",))
    with ParquetWriter(folder / "x.parquet") as writer:
        for i in range(len(fex)):
            writer.write(fex.iloc[[i]])
    assert pq.ParquetFile(folder / "x.parquet").metadata.num_row_groups == 1


def test_metadata_of_pieces_is_merged_or_given(make_fex, folder: Path) -> None:
    one, two = make_fex(groups=("va",)), make_fex(groups=("va",))
    two = Fex(two, info=FexInfo(weights="open", tool="other"))
    with ParquetWriter(folder / "x.parquet") as writer:
        writer.write(one)
        writer.write(two)
    merged = read_fex(folder / "x.parquet").info
    assert merged == FexInfo.merge([one.info, two.info])
    assert (merged.weights, merged.tool) == ("open", None)
    with ParquetWriter(folder / "x.parquet", info=one.info) as writer:
        writer.write(two)
    assert read_fex(folder / "x.parquet").info == one.info


@pytest.mark.usefixtures("small_row_groups")
def test_labels_may_be_empty_in_some_pieces(folder: Path) -> None:
    with ParquetWriter(folder / "x.parquet") as writer:
        for values in ([None] * 5, ["a"] * 5, [None] * 5):
            writer.write(Fex({"AU12": [0.5] * 5, "name": pd.Series(values, dtype=object)}))
    back = read_fex(folder / "x.parquet")["name"]
    assert back.isna().tolist() == [True] * 5 + [False] * 5 + [True] * 5
    assert set(back.dropna()) == {"a"}


def test_categories_of_pieces_are_joined(folder: Path) -> None:
    with ParquetWriter(folder / "x.parquet") as writer:
        for values in (["b", "a"], ["c", "a"]):
            kind = pd.CategoricalDtype(values, ordered=True)
            writer.write(Fex({"AU12": [0.5, 0.5], "arm": pd.Series(values, dtype=kind)}))
    back = read_fex(folder / "x.parquet")["arm"]
    assert back.tolist() == ["b", "a", "c", "a"]
    assert back.dtype == pd.CategoricalDtype(["b", "a", "c"], ordered=False)


def _pieces(*frames: Fex):
    def write(path: Path) -> None:
        with ParquetWriter(path) as writer:
            for frame in frames:
                writer.write(frame)

    return write


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (
            _pieces(Fex({"AU01": [0.0]}), Fex({"AU12": [0.0]})),
            "has AU12 in addition and lacks AU01",
        ),
        (_pieces(Fex({"AU01": [0.0], "s": ["a"]}), Fex({"AU01": [0.0], "s": [1]})), "s .int64"),
        (_pieces(), "nothing to write"),
    ],
    ids=["other columns", "other kind", "no piece"],
)
def test_pieces_that_do_not_fit_leave_no_file(folder: Path, write, message: str) -> None:
    with pytest.raises(FexError, match=message):
        write(folder / "x.parquet")
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("small_row_groups")
def test_an_interrupted_writer_leaves_nothing(make_fex, folder: Path) -> None:
    fex = make_fex(groups=("va",))
    fex.to_parquet(folder / "x.parquet")
    before = (folder / "x.parquet").read_bytes()

    def interrupted() -> None:
        with ParquetWriter(folder / "x.parquet") as writer:
            writer.write(fex)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (folder / "x.parquet").read_bytes() == before
    writer = ParquetWriter(folder / "y.parquet")
    writer.write(fex)
    writer.abort()
    writer.abort()
    with pytest.raises(FexError, match="closed"):
        writer.write(fex)
    assert [p.name for p in folder.iterdir()] == ["x.parquet"]


def test_files_get_the_usual_permissions(make_fex, folder: Path) -> None:
    make_fex(groups=("va",)).to_parquet(folder / "x.parquet")
    (folder / "plain").touch()
    assert (folder / "x.parquet").stat().st_mode == (folder / "plain").stat().st_mode


# ------------------------------------------------------------------ places that refuse files
def test_missing_folder_and_folder_as_file(make_fex, folder: Path) -> None:
    fex = make_fex(groups=("va",))
    with pytest.raises(FexError, match=r"there is no folder.*make it first"):
        fex.to_parquet(folder / "no" / "x.parquet")
    with pytest.raises(FexError, match="it is a folder; name a file in it"):
        fex.to_parquet(folder)


@pytest.mark.usefixtures("not_root")
def test_folder_without_permission(make_fex, folder: Path) -> None:
    folder.chmod(0o555)
    try:
        with pytest.raises(FexError, match="Permission denied"):
            make_fex(groups=("va",)).to_parquet(folder / "x.parquet")
    finally:
        folder.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="the limit is POSIX's")
def test_full_disk(folder: Path) -> None:
    """A limit on the size of files stands for a full disk: the system refuses to write on."""
    path = folder / "x.parquet"
    code = f"""
import resource, signal
import numpy as np
from facemt_analysis import Fex
from facemt_analysis.errors import FexError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
rows = np.random.default_rng(0).random((20000, 2))
fex = Fex(rows, columns=["valence", "arousal"])
fex.head(3).to_parquet({str(path)!r})
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    fex.to_parquet({str(path)!r})
except FexError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100
    )
    assert done.stdout.count("\n") == 1
    assert "x.parquet: File too large; free space" in done.stdout
    assert len(read_fex(path)) == 3  # the file of before


# ------------------------------------------------------------------ files of others, broken files
def test_parquet_of_other_programs(folder: Path) -> None:
    frame = pd.DataFrame(
        {"AU12": [0.5, 0.7], "who": ["a", "b"]}, index=pd.Index([4, 5], name="frame")
    )
    frame.to_parquet(folder / "x.parquet")
    back = read_fex(folder / "x.parquet")
    assert back["frame"].tolist() == [4, 5]
    assert back["AU12"].dtype == np.float32
    assert back.info == FexInfo()
    frame[["who"]].reset_index(drop=True).to_parquet(folder / "y.parquet")
    with pytest.raises(FexError, match=r"y\.parquet: a Parquet file, but none of its columns.*who"):
        read_fex(folder / "y.parquet")


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_truncated(make_fex, folder: Path, keep: float) -> None:
    path = folder / "x.parquet"
    make_fex().to_parquet(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(FexError, match=r"x\.parquet.*truncated or damaged"):
        read_fex(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "metadata 'facemt' is damaged"),
        (b"{}", "metadata 'facemt' is damaged"),
        (b"3", "metadata 'facemt' is damaged"),
        (b'{"schema_version": 2}', "schema version 2.*reads up to 1; update facemt-analysis"),
        (b'{"schema_version": "1"}', "schema version '1'"),
        (b'{"schema_version": 1, "info": {"version": 9}}', "version 9"),
        (b'{"schema_version": 1, "info": 3}', "metadata is damaged"),
        (b'{"schema_version": 1, "categories": {"s": 1}}', "metadata is damaged"),
    ],
)
def test_wrong_metadata(folder: Path, content: bytes, message: str) -> None:
    table = pa.table({"AU12": [0.5]}).replace_schema_metadata({b"facemt": content})
    pq.write_table(table, folder / "x.parquet")
    with pytest.raises(FexError, match=message) as caught:
        read_fex(folder / "x.parquet")
    assert "x.parquet" in str(caught.value)
