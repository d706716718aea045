"""NWB files: what is in them, read by pynwb and judged by its validator."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.io import write_nwb

START = datetime(2026, 1, 31, 14, 5, tzinfo=UTC)


@pytest.fixture
def fex(make_fex) -> Fex:
    return make_fex(8, ("a.mp4",)).assign(subject="s")


@pytest.fixture
def pynwb():
    return pytest.importorskip("pynwb", reason="needs pynwb, the extra [export]")


@pytest.mark.oracle
def test_everything_is_in_the_file(fex: Fex, folder: Path, pynwb) -> None:
    path = folder / "a.nwb"
    write_nwb(fex, path, session_start_time=START, subject_id="S1")
    seen = fex[fex["track"] >= 0]
    with pynwb.NWBHDF5IO(str(path), "r") as file:
        nwb = file.read()
        assert nwb.session_start_time == START
        assert nwb.subject.subject_id == "S1"
        notes = json.loads(nwb.notes)
        assert notes["recording"] == "a.mp4"
        assert FexInfo.from_dict(notes["info"]) == fex.info
        behavior = nwb.processing["behavior"]
        groups = ("faceboxes", "poses", "aus", "emotions", "va", "gazes", "blendshapes")
        assert set(behavior.data_interfaces) == {*groups, "landmarks", "meshes"}
        for group in groups:
            series = behavior[group].time_series
            assert list(series) == sorted(getattr(seen, group).columns)
            for column, one in series.items():
                np.testing.assert_array_equal(one.data[:], seen[column])
                np.testing.assert_array_equal(one.timestamps[:], seen["time"])
        assert behavior["poses"]["Pitch"].unit.startswith("rad")
        assert "Lip corner puller" in behavior["aus"]["AU12"].description
        mesh = behavior["meshes"].data[:]
        assert mesh.shape == (len(seen), 478, 3)
        np.testing.assert_array_equal(mesh[:, 7, 2], seen["mesh_z_7"])


@pytest.mark.oracle
def test_pynwb_finds_the_file_valid(fex: Fex, folder: Path, pynwb) -> None:
    path = folder / "a.nwb"
    events = pd.DataFrame({"feature": ["AU12"], "onset": [0.1], "offset": [0.2], "peak": [0.9]})
    write_nwb(fex, path, session_start_time=START, groups=["aus", "meshes"], events=events)
    found = pynwb.validate(path=str(path))
    errors = found[0] if isinstance(found, tuple) else found
    assert not errors
    with pynwb.NWBHDF5IO(str(path), "r") as file:
        nwb = file.read()
        assert set(nwb.processing["behavior"].data_interfaces) == {"aus", "meshes"}
        table = nwb.intervals["facial_events"].to_dataframe()
        assert table["start_time"].tolist() == [0.1]
        assert table["stop_time"].tolist() == [0.2]
        assert table["feature"].tolist() == ["AU12"]
        assert table["peak"].tolist() == [0.9]


@pytest.mark.oracle
def test_every_face_has_its_own_clock(fex: Fex, folder: Path, pynwb) -> None:
    other = fex.iloc[::2].assign(track=1)
    both = pd.concat([fex.assign(track=0), other])
    write_nwb(both, folder / "a.nwb", session_start_time=START, groups="va")
    with pynwb.NWBHDF5IO(str(folder / "a.nwb"), "r") as file:
        behavior = file.read().processing["behavior"]
        assert set(behavior.data_interfaces) == {"va_track0", "va_track1"}
        series = behavior["va_track1"]["valence"]
        np.testing.assert_array_equal(series.timestamps[:], other["time"])
        np.testing.assert_array_equal(series.data[:], other["valence"])


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        pytest.param({}, {"session_start_time": datetime(2026, 1, 1)},
                     "must be a datetime with a time zone", id="no zone"),
        pytest.param({}, {"session_start_time": "2026"}, "with a time zone", id="text"),
        pytest.param({"time": np.nan}, {}, "8 of 8 rows have none; read the table with `fps`",
                     id="no time"),
        pytest.param({"input": [*"aaaabbbb"]}, {}, r"the table has 2 \(a, b\)", id="several"),
        pytest.param({"track": -1}, {}, "no row with a face", id="no face"),
        pytest.param({}, {"groups": "intensities"}, "no group intensities; it has", id="group"),
        pytest.param({}, {"groups": "au"}, "`groups` must name some of", id="unknown group"),
    ],
)  # fmt: skip
def test_wrong_calls(
    fex: Fex, folder: Path, pynwb, change: dict, options: dict, message: str
) -> None:
    with pytest.raises(FexError, match=message):
        write_nwb(
            fex.assign(**change), folder / "a.nwb", **{"session_start_time": START, **options}
        )
    assert list(folder.iterdir()) == []


def test_without_the_library(fex: Fex, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pynwb", None)
    with pytest.raises(FexError, match=r'pip install "facemt-analysis\[export\]"'):
        write_nwb(fex, folder / "a.nwb", session_start_time=START)
