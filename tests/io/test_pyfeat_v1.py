"""py-feat's first detectors and MPDetector: names, the three conventions of the pose, depths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import read_fex, schema
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex
from facemt_analysis.io.pyfeat_v1 import COLUMNS_V1, EMOTION_NAMES, to_pyfeat_v1

N = 6
PITCH, ROLL, YAW = np.linspace(-0.3, 0.4, N), np.linspace(0.2, 0.35, N), np.linspace(-0.5, 0.1, N)


@pytest.fixture
def table() -> pd.DataFrame:
    """As release 2.1 writes it; the line of the eyes is tilted by the roll."""
    rng = np.random.default_rng(0)
    names = [
        c for g in ("faceboxes", "landmarks", "poses", "aus") for c in schema.GROUPS[g].columns
    ]
    values = dict(zip(names, rng.random((len(names), N)), strict=True))
    values |= {"x_36": np.zeros(N), "y_36": np.zeros(N)}
    values |= {"x_45": 100 * np.cos(ROLL), "y_45": -100 * np.sin(ROLL)}
    values |= {"Pitch": PITCH, "Roll": ROLL, "Yaw": YAW}
    values |= dict(zip(EMOTION_NAMES, rng.random((7, N)), strict=True))
    return pd.DataFrame(values | {"input": ["a.mp4"] * N, "frame": np.arange(N)})


def _older(table: pd.DataFrame, release: str) -> pd.DataFrame:
    if release == "0.6":
        degrees = {"Pitch": np.rad2deg(PITCH), "Roll": -np.rad2deg(ROLL), "Yaw": np.rad2deg(YAW)}
        return table.assign(**degrees)
    if release == "0.7":
        return table.assign(Pitch=-PITCH, Roll=YAW, Yaw=-ROLL)
    return table


def test_columns(table: pd.DataFrame, folder: Path) -> None:
    table.to_csv(folder / "x.csv", index=False)
    fex = read_fex(folder / "x.csv", fps=25)
    assert type(fex) is Fex
    assert fex.groups == ("keys", "faceboxes", "landmarks", "poses", "aus", "emotions")
    assert list(fex.columns) == schema.canonical_order(fex.columns)
    for theirs, ours in EMOTION_NAMES.items():
        np.testing.assert_array_equal(fex[ours], table[theirs].astype(np.float32))
    np.testing.assert_array_equal(fex["AU12"], table["AU12"].astype(np.float32))
    np.testing.assert_allclose(fex["time"], np.arange(N) / 25)
    assert fex.info.tool == "py-feat"
    assert fex.validate().empty


@pytest.mark.parametrize("asked", ["auto", "told"])
@pytest.mark.parametrize("release", ["0.6", "0.7", "2.1"])
def test_pose_of_every_release(table: pd.DataFrame, folder: Path, release: str, asked: str) -> None:
    _older(table, release).to_csv(folder / "x.csv", index=False)
    fex = read_fex(folder / "x.csv", pose="auto" if asked == "auto" else release)
    for name, truth in (("Pitch", PITCH), ("Roll", ROLL), ("Yaw", YAW)):
        np.testing.assert_allclose(fex[name], truth, rtol=1e-5, err_msg=name)
    assert fex.info.conventions["pose_as_in_release"] == release


def test_small_angles_in_degrees_are_told_by_the_eyes(table: pd.DataFrame, folder: Path) -> None:
    small = _older(table, "0.6")
    small[["Pitch", "Roll", "Yaw"]] /= 10
    small = small.assign(x_45=100 * np.cos(ROLL / 10), y_45=-100 * np.sin(ROLL / 10))
    small.to_csv(folder / "x.csv", index=False)
    fex = read_fex(folder / "x.csv")
    np.testing.assert_allclose(fex["Roll"], ROLL / 10, rtol=1e-5)


def test_frames_without_a_face(table: pd.DataFrame, folder: Path) -> None:
    features = [c for c in table if c not in ("input", "frame")]
    table.loc[2, features] = np.nan
    table.loc[2, "FaceScore"] = 0
    table.to_csv(folder / "x.csv", index=False)
    fex = read_fex(folder / "x.csv")
    assert fex["track"].tolist() == [0, 0, -1, 0, 0, 0]
    assert fex.loc[2, "FaceScore"] == 0
    assert np.isnan(fex.loc[2, "Happy"])


def test_there_and_back(table: pd.DataFrame, folder: Path) -> None:
    table.to_csv(folder / "x.csv", index=False)
    to_pyfeat_v1(read_fex(folder / "x.csv"), folder / "y.csv")
    back = pd.read_csv(folder / "y.csv")
    assert list(back.columns) == list(COLUMNS_V1)
    same = list(table.columns)
    pd.testing.assert_frame_equal(
        back[same], table, check_exact=False, rtol=1e-6, check_dtype=False
    )
    again = read_fex(folder / "y.csv")
    np.testing.assert_allclose(again.emotions, read_fex(folder / "x.csv").emotions, rtol=1e-6)


def test_wrong_pose(table: pd.DataFrame, folder: Path) -> None:
    table.to_csv(folder / "x.csv", index=False)
    with pytest.raises(FexError, match=r"`pose` must be 'auto', '0.6', '0.7', '2.1', but got '3'"):
        read_fex(folder / "x.csv", pose="3")


# ------------------------------------------------------------------ MPDetector
def test_mpdetector(folder: Path) -> None:
    rng = np.random.default_rng(1)
    columns = [f"{a}_{i}" for i in range(478) for a in "xyz"]
    raw = pd.DataFrame(rng.random((N, len(columns))), columns=columns)
    raw = raw.assign(
        FaceRectX=100.0, FaceRectY=50.0, FaceRectWidth=240.0, FaceRectHeight=120.0, FaceScore=0.9,
        Pitch=0.1, Roll=0.2, Yaw=0.3, AU12=rng.random(N), happiness=rng.random(N),
        gaze_pitch=0.1, gaze_yaw=0.2, gaze_angle=0.22, jawOpen=rng.random(N),
        input="a.mp4", frame=np.arange(N), FrameHeight=480.0, FrameWidth=640.0,
    )  # fmt: skip
    raw.loc[1, "FaceScore"] = 0
    raw.to_csv(folder / "x.csv", index=False)
    fex = read_fex(folder / "x.csv", fps=10)
    assert fex.info.tool == "py-feat MPDetector"
    assert fex["track"].tolist() == [0, -1, 0, 0, 0, 0]
    seen = [0, 2, 3, 4, 5]
    np.testing.assert_allclose(fex["mesh_x_7"].iloc[seen], raw["x_7"].iloc[seen], rtol=1e-6)
    z = raw["z_477"].iloc[seen] * 240 / 256
    np.testing.assert_allclose(fex["mesh_z_477"].iloc[seen], z, rtol=1e-6)
    box = fex[["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"]].iloc[0]
    np.testing.assert_allclose(box, [120, 60, 200, 100], rtol=1e-6)
    np.testing.assert_array_equal(fex["Roll_raw"], raw["Roll"])
    assert "poses" not in fex.groups
    assert "landmarks" not in fex.groups
    np.testing.assert_allclose(fex["jawOpen"].iloc[seen], raw["jawOpen"].iloc[seen], rtol=1e-6)
    assert fex.validate().empty
