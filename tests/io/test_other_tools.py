"""LibreFace, PyAFAR and MediaPipe tables, made from the columns that the tools document."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import read_fex, schema
from facemt_analysis.errors import FexError

N = 5


# ------------------------------------------------------------------ LibreFace
@pytest.fixture
def libreface() -> pd.DataFrame:
    """The columns of release 0.2.0, frame 2 without a face and so without a row."""
    rng = np.random.default_rng(0)
    frame = np.array([0, 1, 3, 4, 5])
    values: dict[str, object] = {"frame_idx": frame, "frame_time_in_ms": frame / 25}
    values |= {"pitch": 3000.0, "yaw": -90.0, "roll": 12.0}
    values |= {f"lm_mp_{i}_{a}": rng.random(N) for i in range(478) for a in "xyz"}
    aus = (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)
    values |= {f"au_{n}": rng.integers(0, 2, N) for n in aus}
    intensities = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
    values |= {f"au_{n}_intensity": 5 * rng.random(N) for n in intensities}
    values |= {"facial_expression": ["Happiness", "Neutral", "Sadness", "Contempt", "Fear"]}
    return pd.DataFrame(values | {"gaze_yaw": 10.0, "gaze_pitch": -5.0})


def test_libreface(libreface: pd.DataFrame, folder: Path) -> None:
    libreface.to_csv(folder / "talk.csv", index=False)
    fex = read_fex(folder / "talk.csv")
    assert fex.info.tool == "LibreFace"
    assert fex.groups == ("keys", "aus", "intensities")
    assert fex["frame"].tolist() == [0, 1, 3, 4, 5]
    assert fex["expression"].tolist() == ["Happy", "Neutral", "Sad", "Contempt", "Fear"]
    np.testing.assert_array_equal(fex["AU12"], libreface["au_12"])
    np.testing.assert_allclose(fex["AU26_r"], libreface["au_26_intensity"], rtol=1e-6)
    assert {"gaze_yaw_raw", "gaze_pitch_raw", "pitch_raw", "yaw_raw", "roll_raw"} <= set(fex)
    assert fex.validate().empty
    assert fex.recordings == ("talk",)


@pytest.mark.parametrize("factor", [1, 1000], ids=["seconds", "milliseconds"])
@pytest.mark.parametrize("fps", [1, 10, 25, 120])
def test_libreface_time_is_seconds(
    libreface: pd.DataFrame, folder: Path, factor: int, fps: int
) -> None:
    """The column says milliseconds; releases that use FFmpeg put seconds in it."""
    seconds = libreface["frame_idx"] / fps
    libreface.assign(frame_time_in_ms=seconds * factor).to_csv(folder / "x.csv", index=False)
    np.testing.assert_allclose(read_fex(folder / "x.csv")["time"], seconds)


def test_libreface_time_that_fits_nothing(libreface: pd.DataFrame, folder: Path) -> None:
    slow = libreface.assign(frame_time_in_ms=libreface["frame_idx"] / 0.7)
    slow.to_csv(folder / "x.csv", index=False)
    with pytest.raises(FexError, match="neither seconds nor milliseconds; give the frame rate"):
        read_fex(folder / "x.csv")
    np.testing.assert_allclose(read_fex(folder / "x.csv", fps=2)["time"], slow["frame_idx"] / 2)


def test_libreface_mesh_and_other_columns(libreface: pd.DataFrame, folder: Path) -> None:
    libreface.to_csv(folder / "x.csv", index=False)
    fex = read_fex(folder / "x.csv", frame_size=(640, 480), keep=["lm_mp_0_x"])
    for axis, scale in (("x", 640), ("y", 480), ("z", 640)):
        expected = libreface[f"lm_mp_477_{axis}"] * scale
        np.testing.assert_allclose(fex[f"mesh_{axis}_477"], expected, rtol=1e-6)
    np.testing.assert_array_equal(fex["lm_mp_0_x"], libreface["lm_mp_0_x"])
    with pytest.raises(FexError, match="`frame_size` must be width and height in px"):
        read_fex(folder / "x.csv", frame_size=(640, 0))
    with pytest.raises(FexError, match="cannot keep nose; it has"):
        read_fex(folder / "x.csv", keep=["nose"])


# ------------------------------------------------------------------ PyAFAR
@pytest.fixture
def pyafar() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    values: dict[str, object] = {"Frame": [0, 1, 1, 2, 4], "Person_ID": [1, 1, 2, 1, 1]}
    values |= {"Eye Aspect Ratio": 0.3, "Mouth Aspect Ratio": 0.1}
    values |= {"Pitch": 3.0, "Yaw": 2.0, "Roll": 1.0}
    values |= {f"{a}_{i}": rng.random(N) for i in range(468) for a in "xyz"}
    values |= {f"Occ_au_{n}": rng.random(N) for n in (1, 2, 3, 4, 6, 12, 28)}
    values |= {f"Int_au_{n}": 5 * rng.random(N) for n in (6, 10, 12, 14, 17)}
    return pd.DataFrame(values)


def test_pyafar(pyafar: pd.DataFrame, folder: Path) -> None:
    pyafar.to_csv(folder / "x.csv", index=False)
    fex = read_fex(folder / "x.csv", fps=25, frame_size=(100, 200))
    assert fex.info.tool == "PyAFAR"
    assert fex.groups == ("keys", "aus", "intensities", "meshes")
    assert fex["track"].tolist() == [1, 1, 2, 1, 1]
    np.testing.assert_allclose(fex["time"], pyafar["Frame"] / 25)
    np.testing.assert_allclose(fex["AU28"], pyafar["Occ_au_28"], rtol=1e-6)
    np.testing.assert_allclose(fex["AU10_r"], pyafar["Int_au_10"], rtol=1e-6)
    np.testing.assert_allclose(fex["mesh_y_467"], pyafar["y_467"] * 200, rtol=1e-6)
    labels = ["Pitch_raw", "Yaw_raw", "Roll_raw", "eye_aspect_ratio", "mouth_aspect_ratio"]
    assert {*labels, "Occ_au_3"} <= set(fex)
    assert "landmarks" not in fex.groups
    assert fex.validate().empty
    plain = read_fex(folder / "x.csv")
    assert plain["time"].isna().all()
    assert plain.groups == ("keys", "aus", "intensities")


# ------------------------------------------------------------------ MediaPipe
@pytest.mark.parametrize(
    ("clock", "values"),
    [
        ("timestamp_ms", [0, 40, 80, 125, 160]),
        ("timestamp_us", [0, 40_000, 80_000, 125_000, 160_000]),
        ("Timestamp", [0.0, 0.04, 0.08, 0.125, 0.16]),
    ],
)
def test_mediapipe(folder: Path, clock: str, values: list[float]) -> None:
    rng = np.random.default_rng(0)
    names = schema.BLENDSHAPES[1:]  # scripts often leave `_neutral` out
    raw = pd.DataFrame(rng.random((N, 51)), columns=names)
    raw.loc[3] = np.nan
    raw = raw.assign(frame_idx=[0, 1, 2, 3, 4], **{clock: values}, note="n", video="c:\\v\\a.mp4")
    raw.to_csv(folder / "x.csv", index=False)
    fex = read_fex(folder / "x.csv")
    assert fex.info.tool == "MediaPipe"
    assert fex.groups == ("keys", "blendshapes")
    np.testing.assert_allclose(fex["time"], [0, 0.04, 0.08, 0.125, 0.16])
    assert fex["track"].tolist() == [0, 0, 0, -1, 0]
    assert fex["input"].tolist() == ["a.mp4"] * N
    assert fex["note"].tolist() == ["n"] * N
    np.testing.assert_allclose(fex["jawOpen"], raw["jawOpen"], rtol=1e-6)
    np.testing.assert_allclose(read_fex(folder / "x.csv", fps=10)["time"], np.arange(N) / 10)
