"""Work on recordings: failures, processes, a Dask cluster, memory."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import facemt_analysis as fm
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.fex import Fex
from facemt_analysis.study import RecordingsFailed, each


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    fex, _ = fm.simulate_study(2, duration=4, fps=20, seed=3, feature_groups=["aus", "va"])
    path = tmp_path_factory.mktemp("work") / "study"
    fm.io.write_dataset(fex, path)
    return path


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """Two good recordings around one whose scores cannot be read, though its footer can."""
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        part = Fex({"input": name, "frame": range(30), "time": np.arange(30) / 10, "AU12": 0.5})
        part["AU12"] = np.random.default_rng(1).random(30, dtype=np.float32)
        part.to_parquet(fm.io.recording_file(tmp_path, name))
    path = fm.io.recording_file(tmp_path, "b.mp4")
    group = pq.read_metadata(path).row_group(0)
    chunk = next(c for i in range(4) if (c := group.column(i)).path_in_schema == "AU12")
    data = bytearray(path.read_bytes())
    start = chunk.data_page_offset
    data[start : start + 40] = bytes(40)
    path.write_bytes(data)
    return tmp_path


def test_a_recording_that_fails_does_not_stop_the_others(damaged: Path) -> None:
    with pytest.raises(RecordingsFailed, match=r"1 of 3 .*\nb\.mp4: .*is damaged") as caught:
        fm.scan(damaged).au.summary()
    error = caught.value
    assert isinstance(error, FexError)
    assert list(error.failed) == ["b.mp4"]
    expected = fm.read_fex(damaged, recordings=["a.mp4", "c.mp4"]).au.summary()
    pd.testing.assert_frame_equal(error.done, expected)
    assert error.__cause__ is error.failed["b.mp4"]
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    pd.testing.assert_frame_equal(again.done, expected)


def test_what_a_function_raises_later_is_a_failure_of_that_recording(folder: Path) -> None:
    scan = fm.scan(folder)

    def picky(fex: Fex) -> dict[str, int]:
        if fex.recordings[0] == scan.recordings[2]:
            raise ZeroDivisionError("nothing to divide by")
        return {"n": len(fex)}

    with pytest.raises(
        RecordingsFailed, match=r"ZeroDivisionError.*nothing to divide by"
    ) as caught:
        scan.map(picky)
    assert caught.value.done["n"].tolist() == [80] * 3


def test_equal_reasons_are_said_once(folder: Path) -> None:
    def refuse(fex: Fex) -> None:
        raise FexError(f"{len(fex)} rows are too few.")

    with pytest.raises(RecordingsFailed) as caught:
        fm.scan(folder).map(refuse)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("4 of 4 recordings failed")
    assert len(lines) == 2
    assert all(name in lines[1] for name in fm.scan(folder).recordings)
    assert not len(caught.value.done)


def test_a_wrong_argument_comes_at_once(folder: Path) -> None:
    with pytest.raises(OptionError, match="`off` must not be above `on`"):
        fm.scan(folder).au.summary(on=0.2, off=0.3)


# ------------------------------------------------------------------ processes
def test_processes_give_what_one_gives(damaged: Path) -> None:
    pytest.importorskip("cloudpickle")
    names = ["a.mp4", "c.mp4"]
    offset = 1  # a function of a notebook brings what it uses
    one = fm.scan(damaged, recordings=names).map(lambda fex: {"n": len(fex) + offset})
    scan = fm.scan(damaged, workers=2)
    with pytest.raises(RecordingsFailed, match=r"b\.mp4: .*is damaged") as caught:
        scan.map(lambda fex: {"n": len(fex) + offset})
    pd.testing.assert_frame_equal(caught.value.done, one)


def test_a_process_that_dies_is_told(folder: Path) -> None:
    pytest.importorskip("cloudpickle")

    def die(_: Fex) -> None:
        import os

        os._exit(3)

    with pytest.raises(FexError, match=r"ran out of memory.*__main__"):
        fm.scan(folder, workers=2).map(die)


def test_an_exception_that_cannot_be_sent_costs_no_other_recording(folder: Path) -> None:
    pytest.importorskip("cloudpickle")
    first, *others = fm.scan(folder).recordings

    class Two(Exception):
        def __init__(self, one: str, two: str) -> None:
            super().__init__(f"{one} {two}")

    def raise_two(fex: Fex) -> dict[str, int]:
        if fex.recordings[0] != first:
            raise Two("no", "way")
        return {"n": len(fex)}

    with pytest.raises(RecordingsFailed, match="Two: no way") as caught:
        fm.scan(folder, workers=2).map(raise_two)
    assert caught.value.done["input"].tolist() == [first]
    assert list(caught.value.failed) == others
    (note,) = caught.value.failed[others[0]].__notes__
    assert "in raise_two" in note


def test_a_function_that_cannot_be_sent(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(OptionError, match=r"define it in a module.*\[cluster\]"):
        fm.scan(folder, workers=2).map(lambda fex: {"n": len(fex)})


# ------------------------------------------------------------------ Dask
@pytest.mark.filterwarnings("default")  # what the libraries of the cluster say among themselves
def test_a_dask_cluster_gives_what_one_process_gives(folder: Path) -> None:
    distributed = pytest.importorskip("distributed")
    expected = fm.scan(folder).au.summary()
    options: dict[str, Any] = {"processes": False, "dashboard_address": ":0"}
    with distributed.Client(n_workers=1, protocol="tcp", **options) as client:
        address = client.scheduler.address
        pd.testing.assert_frame_equal(fm.scan(folder, scheduler=address).au.summary(), expected)
        scan = fm.scan(folder, scheduler=client)
        pd.testing.assert_frame_equal(scan.au.summary(), expected)
        with pytest.raises(KeyError, match="AU99"):
            scan.map(lambda fex: fex["AU99"])
    with pytest.raises(OptionError, match="`scheduler` must be the address"):
        fm.scan(folder, scheduler="nonsense://x").au.summary()


def test_a_dask_table_has_a_partition_per_recording(folder: Path) -> None:
    pytest.importorskip("dask.dataframe")
    labels = {name: {"site": "Bern"} for name in fm.scan(folder).recordings}
    lazy = fm.scan(folder, labels=labels).to_dask(groups="va")
    assert lazy.npartitions == 4
    whole = fm.read_fex(folder, groups="va").label(labels)
    assert list(lazy.columns) == list(whole.columns)
    pd.testing.assert_frame_equal(lazy.compute(scheduler="sync").reset_index(drop=True),
                                  pd.DataFrame(whole), check_dtype=False)  # fmt: skip
    means = lazy.groupby("input")["valence"].mean().compute(scheduler="sync")
    expected = whole.groupby("input", observed=True)["valence"].mean()
    np.testing.assert_allclose(means.sort_index(), expected, rtol=1e-5)


def test_what_is_not_installed_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask.dataframe", None)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(OptionError, match=r"`to_dask` needs Dask.*\[cluster\]"):
        fm.scan(folder).to_dask()
    with pytest.raises(OptionError, match=r"`scheduler` needs dask.distributed.*\[cluster\]"):
        fm.scan(folder, scheduler="tcp://127.0.0.1:1").au.summary()


# ------------------------------------------------------------------ memory
# Arrow's own allocator keeps up to 20 MB that its threads have given back, more or less of it from
# run to run, and so do the arenas of glibc: with neither, a peak is the same within a few MB
ALLOCATORS = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "1"}

# ru_maxrss of a process begins with what its parent had
PEAK = """
import re, sys
from pathlib import Path
import facemt_analysis as fm
scan = fm.scan(sys.argv[1], recordings=sys.argv[2:] or None)
table = scan.au.summary(aus="AU12")
status = Path("/proc/self/status").read_text()
print(len(table), re.search(r"VmHWM:\\s+(\\d+) kB", status)[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_memory_does_not_grow_with_the_recordings(tmp_path: Path) -> None:
    rows = 60_000
    rng = np.random.default_rng(0)
    aus = {f"AU{n:02d}": rng.random(rows, dtype=np.float32) for n in (1, 2, 4, 6, 12, 15, 17, 25)}
    keys = {"frame": np.arange(rows), "time": np.arange(rows) / 25, "track": 0}
    names = [f"{i:02d}.mp4" for i in range(24)]
    part = Fex({"input": names[0], **keys, **aus})
    for name in names:
        part.assign(input=name).to_parquet(fm.io.recording_file(tmp_path, name))

    def peak(few: list[str]) -> int:
        done = subprocess.run([sys.executable, "-c", PEAK, tmp_path, *few], capture_output=True,
                              text=True, check=True, env={**os.environ, **ALLOCATORS})  # fmt: skip
        n, kilobytes = map(int, done.stdout.split())
        assert n == len(few or names)
        return kilobytes * 1024

    # eighteen recordings more, each of this many bytes of scores and more of keys
    size = part[list(aus)].memory_usage(index=False).sum()
    assert peak([]) - peak(names[:6]) < 12 * size


def test_work_is_progress_that_can_be_seen(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(each, "_DELAY", 0.0)
    fm.scan(folder).signal.rates()
    assert "recording" in capsys.readouterr().err
    fm.scan(folder, progress=False).signal.rates()
    assert capsys.readouterr().err == ""
