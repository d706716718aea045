"""py-feat's CSV: what is converted on the way in and out, and that py-feat reads it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import read_fex, schema
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex
from facemt_analysis.io.pyfeat import COLUMNS, read_pyfeat, to_pyfeat

TEXT = ("input", "approx_time", "Identity")


@pytest.fixture
def table() -> pd.DataFrame:
    """A table as py-feat writes it, the mesh tilted as the pose says, one frame without a face."""
    n = 12
    rng = np.random.default_rng(0)
    names = [c for c in COLUMNS if c not in TEXT]
    values = dict(zip(names, rng.random((len(names), n), np.float32), strict=True))
    side = rng.uniform(200, 400, n).astype(np.float32)
    pitch = np.linspace(-0.4, 0.5, n, dtype=np.float32)
    tilt = (pitch - 0.093) / 0.89
    empty = np.full(n, np.nan, np.float32)
    values |= {f"Identity_{i}": empty.copy() for i in range(1, 513)}
    values |= {"FaceRectWidth": side, "FaceRectHeight": side.copy(), "Pitch": pitch}
    values |= {"mesh_z_10": 0.5 * np.sin(tilt), "mesh_z_152": 0 * tilt}
    values |= {"mesh_y_10": 0 * tilt, "mesh_y_152": 0.5 * np.cos(tilt) * side}
    for value in values.values():
        value[3] = np.nan
    values["FaceScore"][3] = 0
    values |= {"FrameHeight": np.full(n, 480.0), "FrameWidth": np.full(n, 640.0)}
    text = {"input": ["talk.mp4"] * n, "approx_time": ["00:00"] * n, "Identity": [np.nan] * n}
    whole = {**values, **text, "frame": np.arange(n) * 2}
    return pd.DataFrame({c: whole[c] for c in COLUMNS})


@pytest.fixture
def csv(table: pd.DataFrame, folder: Path) -> Path:
    table.to_csv(folder / "x.csv", index=False)
    return folder / "x.csv"


# ------------------------------------------------------------------ reading
def test_the_header_of_the_test_table_is_the_real_one(shared: Path) -> None:
    header = (shared / "001.csv").read_text().partition("\n")[0].split(",")
    assert header == list(COLUMNS)


def test_features_and_keys(table: pd.DataFrame, csv: Path) -> None:
    fex = read_fex(csv)
    assert type(fex) is Fex
    assert list(fex.columns) == schema.canonical_order(fex.columns)
    assert set(fex.groups) == {"keys", *schema.FEATURE_GROUPS, "framesizes"}
    assert fex["frame"].tolist() == table["frame"].tolist()
    assert fex["track"].tolist() == [0, 0, 0, -1, *[0] * 8]
    assert fex["time"].isna().all()
    assert [c for c in fex.columns if schema.group_of(c) is None] == ["approx_time"]
    same = [c for g in ("landmarks", "aus", "emotions", "va", "gazes", "blendshapes", "framesizes")
            for c in schema.GROUPS[g].columns]  # fmt: skip
    same += ["Pitch", "Roll", "Yaw", "X", "Y", "Z", "FaceScore"]
    same += [f"mesh_{a}_{i}" for a in "xy" for i in range(478)]
    np.testing.assert_array_equal(fex[same], table[same].astype(np.float32))
    assert (fex[schema.feature_columns(fex.columns)].dtypes == np.float32).all()
    assert fex.info.tool == "py-feat"
    assert fex.info.conventions["pitch_in_file"] == "up"


def test_the_box_is_in_the_middle_of_the_square(table: pd.DataFrame, csv: Path) -> None:
    fex = read_fex(csv)
    for a, size in (("X", "Width"), ("Y", "Height")):
        side = table[f"FaceRect{size}"]
        np.testing.assert_allclose(fex[f"FaceRect{size}"], side / 1.2, rtol=1e-6)
        np.testing.assert_allclose(
            fex[f"FaceRect{a}"] + fex[f"FaceRect{size}"] / 2,
            table[f"FaceRect{a}"] + side / 2,
            rtol=1e-5,
        )


def test_the_mesh_becomes_isotropic(table: pd.DataFrame, csv: Path) -> None:
    fex = read_fex(csv)
    z = [f"mesh_z_{i}" for i in range(478)]
    expected = table[z].to_numpy() * table[["FaceRectWidth"]].to_numpy()
    np.testing.assert_allclose(fex[z], expected, rtol=1e-5)


@pytest.mark.parametrize("asked", ["auto", "up", "down"])
@pytest.mark.parametrize("truth", ["up", "down"])
def test_the_sign_of_pitch(table: pd.DataFrame, folder: Path, truth: str, asked: str) -> None:
    sign = -1 if truth == "down" else 1
    table[["Pitch", "gaze_pitch"]] *= sign
    table.to_csv(folder / "x.csv", index=False)
    fex = read_pyfeat(folder / "x.csv", pitch=asked)
    flip = -1 if (truth if asked == "auto" else asked) == "down" else 1
    for column in ("Pitch", "gaze_pitch"):
        np.testing.assert_array_equal(fex[column], (table[column] * flip).astype(np.float32))
    assert fex.info.conventions["pitch_in_file"] == (truth if asked == "auto" else asked)


def test_without_a_mesh_signs_are_taken_as_they_are(table: pd.DataFrame, folder: Path) -> None:
    table["Pitch"] *= -1
    table[[c for c in table if not c.startswith("mesh")]].to_csv(folder / "x.csv", index=False)
    fex = read_fex(folder / "x.csv")
    np.testing.assert_array_equal(fex["Pitch"], table["Pitch"].astype(np.float32))


def test_the_frame_rate_gives_the_time(csv: Path) -> None:
    fex = read_fex(csv, fps=25)
    np.testing.assert_allclose(fex["time"], np.arange(12) * 2 / 25)
    assert read_fex(csv, fps=25, stop=0.2)["frame"].tolist() == [0, 2, 4]
    with pytest.raises(FexError, match="cannot select times, its rows have none"):
        read_fex(csv, stop=0.2)
    with pytest.raises(FexError, match="`fps` must be a positive number"):
        read_fex(csv, fps=0)


def test_identities(table: pd.DataFrame, folder: Path) -> None:
    table["frame"] = np.arange(12) // 2
    table["Identity"] = ["Person_1", "Person_0"] * 6
    table["Identity_1"] = 0.5
    table.to_csv(folder / "x.csv", index=False)
    fex = read_fex(folder / "x.csv")
    assert fex["track"].tolist() == [0, 1, 0, -1, *[0, 1] * 4]
    assert fex["Identity"].tolist() == table["Identity"].tolist()
    assert "Identity_1" not in fex
    kept = read_fex(folder / "x.csv", identities=True)
    assert (kept["Identity_1"] == 0.5).all()
    assert "Identity_512" in kept


def test_several_faces_without_identities_warn(table: pd.DataFrame, folder: Path) -> None:
    table["frame"] = np.arange(12) // 2
    table.to_csv(folder / "x.csv", index=False)
    with pytest.warns(UserWarning, match="`track` is the place in the frame, not a person"):
        fex = read_fex(folder / "x.csv")
    assert fex["track"].tolist() == [0, 1, 0, -1, *[0, 1] * 4]


def test_labels_and_parts(table: pd.DataFrame, folder: Path) -> None:
    table.assign(subject="s").to_csv(folder / "x.csv", index=False)
    fex = read_fex(folder / "x.csv", groups=["va", "poses"], recordings="talk.mp4")
    assert fex.groups == ("keys", "poses", "va")
    assert (fex["subject"] == "s").all()


def test_other_tables_are_refused(folder: Path) -> None:
    (folder / "y.csv").write_text("frame,AU12\n0,0.5\n")
    with pytest.raises(FexError, match="not a table of py-feat's Detectorv2"):
        read_pyfeat(folder / "y.csv")


# ------------------------------------------------------------------ writing
def test_there_and_back(table: pd.DataFrame, csv: Path, folder: Path) -> None:
    fex = read_fex(csv)
    assert fex.to_pyfeat(folder / "y.csv") is None
    assert (folder / "y.csv").read_text().startswith(",".join(COLUMNS) + "\n")
    back = pd.read_csv(folder / "y.csv")
    numbers = [c for c in COLUMNS if c not in TEXT]
    np.testing.assert_allclose(back[numbers], table[numbers], rtol=1e-5, atol=1e-4)
    assert back["approx_time"].tolist() == table["approx_time"].tolist()
    assert back["Identity"].isna().all()


def test_native_tables_become_squares_and_text(make_fex) -> None:
    fex = make_fex(groups=("faceboxes", "meshes"))
    fex[["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"]] = np.float32(
        [[100, 50, 80, 120]] * 12
    )
    fex["time"] = fex["frame"] * 31.5
    table = fex.to_pyfeat()
    assert type(table) is pd.DataFrame
    assert list(table.columns) == list(COLUMNS)
    box = table.loc[0, ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"]]
    np.testing.assert_allclose(box.astype(float), [100 + 40 - 72, 50 + 60 - 72, 144, 144])
    np.testing.assert_allclose(table["mesh_z_7"], fex["mesh_z_7"] / 144, rtol=1e-6)
    np.testing.assert_array_equal(table["mesh_x_7"], fex["mesh_x_7"])
    assert table["approx_time"].tolist()[:6] == [
        "00:00",
        "00:31",
        "01:03",
        "01:34",
        "02:06",
        "02:37",
    ]
    assert table["AU12"].isna().all()
    assert table["Identity"].isna().all()


def test_tracks_become_persons(make_fex) -> None:
    fex = make_fex(groups=("va",))
    fex["track"] = [0, 1, -1] * 4
    assert fex.to_pyfeat()["Identity"].fillna("").tolist() == ["Person_0", "Person_1", ""] * 4


def test_tables_without_keys_or_rows(folder: Path) -> None:
    table = to_pyfeat(pd.DataFrame({"AU12": [0.5, 0.25], "subject": "s"}, index=[5, 5]))
    assert table["AU12"].tolist() == [0.5, 0.25]
    assert table["frame"].tolist() == [0, 1]
    assert len(Fex(columns=["AU12"]).to_pyfeat()) == 0
    with pytest.raises(FexError, match="there is no folder"):
        Fex({"AU12": [0.5]}).to_pyfeat(folder / "no" / "x.csv")


# ------------------------------------------------------------------ real recordings
@pytest.mark.parametrize("name", [*(f"{i:03d}.csv" for i in (1, 2, 3, 4, 5, 11, 12, 13, 14, 15))])
def test_real_recordings_there_and_back(shared: Path, name: str) -> None:
    raw = pd.read_csv(shared / name)
    fex = read_fex(shared / name)
    assert fex.validate().empty
    assert fex.info.conventions["pitch_in_file"] == "down"
    back = fex.to_pyfeat()
    assert list(back.columns) == list(raw.columns)
    numbers = [c for c in raw.columns if c not in TEXT]
    np.testing.assert_allclose(back[numbers], raw[numbers], rtol=1e-5, atol=1e-4)
    turned = ["Pitch", "gaze_pitch"]
    np.testing.assert_allclose(to_pyfeat(fex, pitch="up")[turned], -raw[turned], rtol=1e-5)
    assert back["approx_time"].tolist() == raw["approx_time"].tolist()


def test_a_real_recording_through_files(shared: Path, folder: Path) -> None:
    raw, fex = pd.read_csv(shared / "001.csv"), read_fex(shared / "001.csv")
    fex.to_pyfeat(folder / "back.csv")
    back = pd.read_csv(folder / "back.csv")
    assert list(back.columns) == list(raw.columns)
    numbers = [c for c in raw.columns if c not in TEXT]
    np.testing.assert_allclose(back[numbers], raw[numbers], rtol=1e-5, atol=1e-4)
    again = read_fex(folder / "back.csv")
    features = schema.feature_columns(fex.columns)
    np.testing.assert_allclose(again[features], fex[features], rtol=1e-5, atol=1e-4)
    assert again.info.conventions == fex.info.conventions


def test_signs_of_real_recordings_are_those_of_the_schema(shared: Path) -> None:
    """Against the landmarks and the mesh, which have no sign convention to get wrong."""
    fex = pd.concat([read_fex(path) for path in sorted(shared.glob("0*.csv"))])
    width = fex["x_16"] - fex["x_0"]
    tilt = (fex["mesh_z_10"] - fex["mesh_z_152"]) / (fex["mesh_y_152"] - fex["mesh_y_10"])
    nose = (fex["x_30"] - (fex["x_0"] + fex["x_16"]) / 2) / width
    eyes = (fex["y_45"] - fex["y_36"]) / (fex["x_45"] - fex["x_36"])
    iris = (fex["mesh_x_468"] - (fex["mesh_x_33"] + fex["mesh_x_133"]) / 2) / width
    assert np.corrcoef(tilt, fex["Pitch"])[0, 1] > 0.9  # forehead back: up
    assert np.corrcoef(-nose, fex["Yaw"])[0, 1] > 0.9  # image left: the subject's right
    assert np.corrcoef(-eyes, fex["Roll"])[0, 1] > 0.9  # the subject's right eye lower
    assert np.corrcoef(-iris, fex["gaze_yaw"])[0, 1] > 0.5


# ------------------------------------------------------------------ py-feat itself
@pytest.fixture
def pyfeat() -> str:
    """Interpreter that has py-feat: this one, or the one that PYFEAT_PYTHON names."""
    python = os.environ.get("PYFEAT_PYTHON")
    if python is None and importlib.util.find_spec("feat") is not None:
        python = sys.executable
    if python is None:
        pytest.skip("needs py-feat 2.1.5, here or in the interpreter that PYFEAT_PYTHON names")
    return python


@pytest.mark.oracle
def test_pyfeat_reads_it(make_fex, folder: Path, pyfeat: str) -> None:
    fex = make_fex()
    fex.to_pyfeat(folder / "x.csv")
    code = f"""
import json, warnings
warnings.simplefilter("ignore")
from feat.utils.io import read_feat
fex = read_feat({str(folder / "x.csv")!r})
print(json.dumps({{
    "columns": list(fex.columns), "detector": fex.detector, "au": list(fex.au_columns),
    "aus": fex.aus.fillna(-1).values.tolist(), "poses": fex.poses.fillna(-9).values.tolist(),
    "emotions": list(fex.emotions.columns), "gazes": list(fex.gazes.columns),
    "faceboxes": list(fex.faceboxes.columns), "landmarks": list(fex.landmarks.columns),
    "blendshapes": list(fex.blendshapes.columns), "inputs": list(fex.inputs),
}}))
"""
    done = subprocess.run(
        [pyfeat, "-c", code], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["columns"] == list(COLUMNS)
    assert seen["detector"] == "Detectorv2"
    assert seen["au"] == list(schema.GROUPS["aus"].columns)
    for group in ("emotions", "gazes", "landmarks", "blendshapes"):
        assert set(seen[group]) == set(schema.GROUPS[group].columns)
    np.testing.assert_allclose(seen["aus"], fex.aus.fillna(-1), rtol=1e-6)
    np.testing.assert_allclose(seen["poses"], fex.poses.fillna(-9), rtol=1e-6)
    assert seen["inputs"] == fex["input"].tolist()
