"""BIDS datasets: file names and columns as the specification's schema has them, same numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex
from facemt_analysis.io import write_bids

STEM = "sub-01_ses-a_task-talk_tracksys-face_run-2"


@pytest.fixture
def fex(make_fex) -> Fex:
    """Uneven times; the second face is there in every other frame."""
    one = make_fex(8, ("a.mp4",), groups=("faceboxes", "landmarks", "poses", "aus", "va"))
    one = one.assign(time=np.cumsum([5.0, 0.04, 0.04, 0.05, 0.04, 0.04, 0.04, 0.06]))
    return pd.concat([one, one.iloc[[0, 4, 6]].assign(track=1)], ignore_index=True)


def _write(fex: Fex, folder: Path, **options: object) -> list[Path]:
    return write_bids(
        fex, folder / "study", subject="01", session="a", task="talk", run=2, **options
    )


def test_numbers(fex: Fex, folder: Path) -> None:
    written = _write(fex, folder, landmarks=True)
    assert all(path.is_file() for path in written)
    motion = folder / "study" / "sub-01" / "ses-a" / "motion"
    channels = pd.read_csv(motion / f"{STEM}_channels.tsv", sep="\t", keep_default_na=False)
    data = pd.read_csv(motion / f"{STEM}_motion.tsv", sep="\t", header=None, na_values="n/a")
    assert data.shape == (8, len(channels))
    assert len(channels) == 1 + 2 * (6 + 136)
    data.columns = channels["name"]
    first = fex[fex["track"] >= 0].groupby("track").get_group(0)
    frame = np.unique(fex["time"])
    np.testing.assert_allclose(data["latency"], frame - frame[0], atol=1e-6)
    found = data["face0_Pitch"].dropna()
    np.testing.assert_allclose(found, first["Pitch"], rtol=1e-6)
    assert data["face0_Pitch"].isna().tolist() == [i == 2 for i in range(8)]
    assert data["face1_x_30"].notna().tolist() == [i in (0, 4, 6) for i in range(8)]
    about = json.loads((motion / f"{STEM}_motion.json").read_text())
    assert about["SamplingFrequency"] == 25
    assert about["SamplingFrequencyEffective"] == pytest.approx(7 / 0.31)
    assert about["MotionChannelCount"] == len(channels)
    assert about["ORNTChannelCount"] == 6
    assert about["TrackedPointsCount"] == 2 * 69
    levels = json.loads((motion / f"{STEM}_channels.json").read_text())["reference_frame"]["Levels"]
    assert set(levels) == set(channels["reference_frame"]) - {"n/a"}


def test_derivatives(fex: Fex, folder: Path) -> None:
    _write(fex, folder)
    place = folder / "study" / "derivatives" / "facemt_analysis"
    name = "sub-01_ses-a_task-talk_run-2_desc-face_timeseries"
    stem = place / "sub-01" / "ses-a" / "motion" / name
    table = pd.read_csv(stem.with_suffix(".tsv"), sep="\t", na_values="n/a")
    assert len(table) == len(fex)
    ordered = fex.sort_values("time", kind="stable")
    np.testing.assert_array_equal(table["AU12"].astype(np.float32), ordered["AU12"])
    about = json.loads(stem.with_suffix(".json").read_text())
    assert set(about) - {"Description"} == set(table.columns)
    assert about["AU12"]["LongName"] == "Lip corner puller"
    assert about["time"]["Units"] == "s"
    assert json.loads((place / "dataset_description.json").read_text())["GeneratedBy"]


def test_a_dataset_that_is_there_stays(fex: Fex, folder: Path) -> None:
    (folder / "study").mkdir()
    (folder / "study" / "dataset_description.json").write_text("{}")
    _write(fex, folder, derivatives=False)
    assert (folder / "study" / "dataset_description.json").read_text() == "{}"
    assert not (folder / "study" / "derivatives").exists()


@pytest.mark.oracle
@pytest.mark.parametrize("landmarks", [False, True])
def test_the_schema_of_bids(fex: Fex, folder: Path, landmarks: bool) -> None:
    """Names, sidecar fields and columns against bidsschematools, the specification as data."""
    pytest.importorskip("bidsschematools")
    from bidsschematools.schema import load_schema
    from bidsschematools.validator import validate_bids

    written = _write(fex, folder, landmarks=landmarks, derivatives=False)
    root = folder / "study"
    found = validate_bids([str(root)])
    assert found["path_tracking"] == []
    schema = load_schema()
    columns = schema.rules.tabular_data.motion.motionChannels
    channels = pd.read_csv(next(p for p in written if p.name.endswith("channels.tsv")), sep="\t",
                           keep_default_na=False)  # fmt: skip
    names = [schema.objects.columns[c].name for c in columns.initial_columns]
    assert list(channels.columns[: len(names)]) == names
    allowed = set(schema.objects.columns.component.enum) | {"n/a"}
    assert set(channels["component"]) <= allowed
    kinds = schema.objects.columns.type__channels
    assert set(channels["type"]) <= set(getattr(kinds, "enum", None) or {"LATENCY", "ORNT", "POS"})
    about = json.loads(next(p for p in written if p.name.endswith("motion.json")).read_text())
    rules = schema.rules.sidecars.motion
    known = {f for rule in rules.values() for f in rule["fields"]} | {"RecordingDuration"}
    needed = {f for rule in rules.values() for f, r in rule["fields"].items()
              if (r if isinstance(r, str) else r["level"]) == "required"}  # fmt: skip
    assert needed <= set(about) <= known


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        pytest.param({}, {"subject": "S_1"}, "`subject` must be a BIDS label .*'S_1'", id="label"),
        pytest.param({}, {"tracksys": ""}, "`tracksys` must be a BIDS label", id="tracksys"),
        pytest.param({}, {"run": 0}, "`run` must be 1 or more, but got 0", id="run"),
        pytest.param({"time": np.nan}, {}, "needs the time of every row", id="time"),
        pytest.param({"track": -1}, {}, "no row with a face", id="no face"),
    ],
)
def test_wrong_calls(fex: Fex, folder: Path, change: dict, options: dict, message: str) -> None:
    given = {"subject": "01", "task": "talk", **options}
    with pytest.raises(FexError, match=message):
        write_bids(fex.assign(**change), folder / "study", **given)
    assert list(folder.iterdir()) == []
    with pytest.raises(FexError, match="holds poses and landmarks, but the table has keys, aus"):
        write_bids(fex[["time", "track", "AU12"]], folder / "study", subject="1", task="x")
