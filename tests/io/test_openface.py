"""OpenFace 2's CSV: names, signs, missing faces, and what is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.transform import Rotation

from facemt_analysis import read_fex, schema
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex
from facemt_analysis.io.openface import read_openface

AUS_R = [f"{n:02d}" for n in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)]
AUS_C = sorted([*AUS_R, "28"])
N = 8
EYES = [f"gaze_{e}_{a}" for e in (0, 1) for a in "xyz"]
ROTATION = ["pose_Rx", "pose_Ry", "pose_Rz"]


def _columns() -> list[str]:
    """The 714 columns of release 2.2, in its order."""
    out = ["frame", "face_id", "timestamp", "confidence", "success"]
    out += [f"gaze_{e}_{a}" for e in (0, 1) for a in "xyz"] + ["gaze_angle_x", "gaze_angle_y"]
    out += [f"eye_lmk_{a}_{i}" for a in "xyXYZ" for i in range(56)]
    out += [f"pose_{t}{a}" for t in "TR" for a in "xyz"]
    out += [f"{a}_{i}" for a in "xyXYZ" for i in range(68)]
    out += ["p_scale", "p_rx", "p_ry", "p_rz", "p_tx", "p_ty", *(f"p_{i}" for i in range(34))]
    return out + [f"AU{n}_r" for n in AUS_R] + [f"AU{n}_c" for n in AUS_C]


@pytest.fixture
def raw() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    eyes = rng.normal(size=(N, 2, 3))
    eyes[..., 2] = -3  # towards the camera
    eyes /= np.linalg.norm(eyes, axis=-1, keepdims=True)
    values = dict(zip(_columns(), rng.normal(size=(714, N)).round(3), strict=True))
    values |= {"frame": np.arange(1, N + 1), "face_id": np.zeros(N, int)}
    values |= {"timestamp": np.arange(N) / 25, "confidence": np.full(N, 0.98)}
    values |= {"success": np.ones(N, int)}
    values |= dict(zip(EYES, eyes.reshape(N, 6).T, strict=True))
    values |= dict(zip(ROTATION, rng.uniform(-0.6, 0.6, (3, N)).round(3), strict=True))
    values |= {f"AU{n}_r": rng.uniform(0, 5, N).round(2) for n in AUS_R}
    values |= {f"AU{n}_c": rng.integers(0, 2, N).astype(float) for n in AUS_C}
    out = pd.DataFrame(values)
    # OpenFace writes zeros where it finds nothing
    out.loc[[0, 5], out.columns[3:]] = 0
    return out


@pytest.fixture
def csv(raw: pd.DataFrame, folder: Path) -> Path:
    path = folder / "talk.csv"
    text = raw.to_csv(index=False)
    path.write_text(text.replace(",", ", "))  # as some builds write it
    return path


SEEN = [1, 2, 3, 4, 6, 7]


def test_columns_and_keys(csv: Path, raw: pd.DataFrame) -> None:
    assert len(raw.columns) == 714
    fex = read_fex(csv)
    assert type(fex) is Fex
    assert fex.groups == (
        "keys", "faceboxes", "landmarks", "poses", "aus", "intensities", "gazes"
    )  # fmt: skip
    assert list(fex.columns) == schema.canonical_order(fex.columns)
    assert all(schema.group_of(c) for c in fex.columns)
    assert fex.recordings == ("talk",)
    assert fex["frame"].tolist() == list(range(N))
    np.testing.assert_allclose(fex["time"], np.arange(N) / 25)
    assert fex["track"].tolist() == [-1, 0, 0, 0, 0, -1, 0, 0]
    assert (fex[schema.feature_columns(fex.columns)].dtypes == np.float32).all()
    assert fex.info.tool == "OpenFace 2"
    assert fex.validate().query("column != 'Yaw'").empty


def test_values(csv: Path, raw: pd.DataFrame) -> None:
    fex, good = read_fex(csv).iloc[SEEN], raw.iloc[SEEN]
    same = [f"{a}_{i}" for a in "xy" for i in range(68)] + [f"AU{n}_r" for n in AUS_R]
    np.testing.assert_array_equal(fex[same], good[same].astype(np.float32))
    for n in AUS_C:
        np.testing.assert_array_equal(fex[f"AU{n}"], good[f"AU{n}_c"])
    np.testing.assert_allclose(fex["FaceScore"], 0.98)
    for name, source, sign in (
        ("Pitch", "pose_Rx", -1), ("Yaw", "pose_Ry", 1), ("Roll", "pose_Rz", -1),
        ("X", "pose_Tx", 1), ("Y", "pose_Ty", 1), ("Z", "pose_Tz", 1),
    ):  # fmt: skip
        np.testing.assert_allclose(fex[name], sign * good[source], rtol=1e-6)


def test_rows_without_a_face_have_no_features(csv: Path) -> None:
    lost = read_fex(csv).iloc[[0, 5]]
    features = schema.feature_columns(lost.columns)
    assert (lost["FaceScore"] == 0).all()
    assert lost[[c for c in features if c != "FaceScore"]].isna().all(axis=None)


def test_gaze_is_relative_to_the_head(csv: Path, raw: pd.DataFrame) -> None:
    """Against SciPy's rotations, and the definition of the angle."""
    fex, good = read_fex(csv).iloc[SEEN], raw.iloc[SEEN]
    eyes = good[EYES].to_numpy().reshape(-1, 2, 3)
    head = Rotation.from_euler("XYZ", good[ROTATION].to_numpy())
    x, y, z = head.inv().apply(eyes.mean(axis=1)).T
    length = np.sqrt(x**2 + y**2 + z**2)
    np.testing.assert_allclose(fex["gaze_pitch"], np.arcsin(-y / length), rtol=1e-5)
    np.testing.assert_allclose(fex["gaze_yaw"], np.arctan2(-x, -z), rtol=1e-5)
    np.testing.assert_allclose(fex["gaze_angle"], np.arccos(-z / length), rtol=1e-5)


@pytest.mark.parametrize(
    ("pose", "eye", "pitch", "yaw"),
    [
        pytest.param((0, 0, 0), (0, 0, -1), 0, 0, id="into the camera"),
        pytest.param((0, 0, 0), (-0.5, 0, -1), 0, np.arctan(0.5), id="own right is image left"),
        pytest.param((0, 0, 0), (0, -0.5, -1), np.arctan(0.5), 0, id="up is image up"),
        pytest.param((-0.3, 0, 0), (0, 0, -1), -0.3, 0, id="head up, eyes on the camera"),
        pytest.param((0, 0.3, 0), (0, 0, -1), 0, -0.3, id="head right, eyes on the camera"),
        pytest.param((0, 0.3, 0), (-np.sin(0.3), 0, -np.cos(0.3)), 0, 0, id="with the head"),
    ],
)
def test_gaze_in_words(raw: pd.DataFrame, folder: Path, pose, eye, pitch, yaw) -> None:
    raw.loc[1, ROTATION] = pose
    raw.loc[1, EYES] = [*eye, *eye]
    raw.to_csv(folder / "x.csv", index=False)
    row = read_fex(folder / "x.csv").iloc[1]
    assert row["gaze_pitch"] == pytest.approx(pitch, abs=1e-6)
    assert row["gaze_yaw"] == pytest.approx(yaw, abs=1e-6)


# ------------------------------------------------------------------ other columns, other files
def test_other_columns_are_kept_on_request(csv: Path, raw: pd.DataFrame) -> None:
    every = read_fex(csv, keep=True)
    assert set(raw.columns) - set(every.columns) == {
        *("face_id", "timestamp", "confidence", "success"),
        *EYES,
        *(f"pose_{t}{a}" for t in "TR" for a in "xyz"),
        *(f"AU{n}_c" for n in AUS_C),
    }
    np.testing.assert_array_equal(every["p_scale"].iloc[SEEN], raw["p_scale"].iloc[SEEN])
    assert every["p_scale"].iloc[[0, 5]].isna().all()  # zeros in the file
    some = read_fex(csv, keep=["gaze_angle_x", "pose_Rx", "success"])
    assert list(some.columns[-3:]) == ["gaze_angle_x", "pose_Rx", "success"]
    np.testing.assert_array_equal(some["success"], raw["success"])
    with pytest.raises(FexError, match="cannot keep nonsense"):
        read_fex(csv, keep=["nonsense"])


def test_several_faces(raw: pd.DataFrame, folder: Path) -> None:
    raw["frame"], raw["face_id"] = np.arange(N) // 2 + 1, np.arange(N) % 2
    raw.to_csv(folder / "x.csv", index=False)
    fex = read_fex(folder / "x.csv", recording="pair.mp4")
    assert fex["track"].tolist() == [-1, 1, 0, 1, 0, -1, 0, 1]
    assert fex.recordings == ("pair.mp4",)


def test_older_and_partial_files(raw: pd.DataFrame, folder: Path) -> None:
    older = [c for c in raw if not c.startswith(("face_id", "gaze_angle", "eye_lmk"))]
    raw[older].to_csv(folder / "x.csv", index=False)
    assert read_fex(folder / "x.csv")["track"].tolist() == [-1, 0, 0, 0, 0, -1, 0, 0]
    only = [c for c in raw if c in ("frame", "timestamp", "confidence", "success") or "AU" in c]
    raw[only].to_csv(folder / "y.csv", index=False)
    assert read_fex(folder / "y.csv").groups == ("keys", "faceboxes", "aus", "intensities")
    no_pose = [c for c in raw if not c.startswith("pose")]
    raw[no_pose].to_csv(folder / "z.csv", index=False)
    assert "gazes" not in read_fex(folder / "z.csv").groups


def test_images(raw: pd.DataFrame, folder: Path) -> None:
    image = raw.drop(columns=["frame", "face_id", "timestamp", "success"]).iloc[SEEN[:2]]
    image.insert(0, "face", [0, 1])
    image.to_csv(folder / "photo.csv", index=False)
    fex = read_fex(folder / "photo.csv")
    assert fex["track"].tolist() == [0, 1]
    assert fex["frame"].tolist() == [0, 0]
    assert fex["time"].isna().all()
    assert fex["AU12"].notna().all()


def test_parts(csv: Path) -> None:
    fex = read_fex(csv, groups="aus", recordings="talk", start=0.1)
    assert fex.groups == ("keys", "aus")
    assert fex["frame"].tolist() == [3, 4, 5, 6, 7]


def test_other_tables_are_refused(folder: Path) -> None:
    (folder / "x.csv").write_text("frame,AU12\n0,0.5\n")
    with pytest.raises(FexError, match="not a table of OpenFace 2"):
        read_openface(folder / "x.csv")


# ------------------------------------------------------------------ a real file
def test_a_real_file(shared: Path) -> None:
    fex = read_fex(shared / "openface_example.csv", fps=25)
    assert fex.shape[0] == 100
    np.testing.assert_allclose(fex["time"], np.arange(100) / 25)
    assert fex.validate().empty
    raw = pd.read_csv(shared / "openface_example.csv", skipinitialspace=True)
    np.testing.assert_array_equal(fex["AU12_r"], raw["AU12_r"].astype(np.float32))


def test_signs_of_a_real_file_are_those_of_the_schema(shared: Path) -> None:
    """Against the landmarks, which have no sign convention to get wrong."""
    fex = read_fex(shared / "openface_example.csv", keep=True, fps=25)
    width = fex["x_16"] - fex["x_0"]
    nose = (fex["x_30"] - (fex["x_0"] + fex["x_16"]) / 2) / width
    eyes = np.arctan2(fex["y_45"] - fex["y_36"], fex["x_45"] - fex["x_36"])
    assert np.corrcoef(-nose, fex["Yaw"])[0, 1] > 0.95  # image left: the subject's right
    assert np.corrcoef(-eyes, fex["Roll"])[0, 1] > 0.75
    np.testing.assert_allclose(-eyes.mean(), fex["Roll"].mean(), atol=0.01)
    # the tip of the nose comes nearer to the eyes in the image when the head goes up; in 3D the
    # line from chin to brows leans back
    brow = fex[[f"Z_{i}" for i in (21, 22)]].mean(axis=1) - fex["Z_8"]
    assert np.corrcoef(brow, fex["Pitch"])[0, 1] > 0.9


def test_rotations_of_a_real_file_are_its_points(shared: Path) -> None:
    """The order of the angles: 3D points turn from frame to frame as the angles say."""
    fex = read_fex(shared / "openface_example.csv", keep=True, fps=25)
    points = np.stack(
        [fex[[f"{a}_{i}" for i in range(68)]].to_numpy(np.float64) for a in "XYZ"], -1
    )
    points -= points.mean(axis=1, keepdims=True)
    angles = fex[["Pitch", "Yaw", "Roll"]].to_numpy(np.float64) * [-1, 1, -1]
    head = Rotation.from_euler("XYZ", angles)
    for i, j in ((0, 20), (0, 50), (0, 90)):
        turn, _ = Rotation.align_vectors(points[j], points[i])
        error = (turn * (head[j] * head[i].inv()).inv()).magnitude()
        assert turn.magnitude() > 10 * error


def test_times_of_a_real_file_without_a_frame_rate(shared: Path) -> None:
    with pytest.warns(UserWarning, match="a millisecond apart.*give `fps`"):
        fex = read_fex(shared / "openface_example.csv")
    assert fex["time"].isna().all()


@pytest.mark.parametrize("every", [1, 3])
def test_times_that_openface_made_up(raw: pd.DataFrame, folder: Path, every: int) -> None:
    raw["frame"] = 1 + every * np.arange(N)
    raw["timestamp"] = (raw["frame"] - 1) / 1000
    raw.to_csv(folder / "x.csv", index=False)
    with pytest.warns(UserWarning, match="does not know the frame rate"):
        assert read_fex(folder / "x.csv")["time"].isna().all()
    fex = read_fex(folder / "x.csv", fps=50)
    np.testing.assert_allclose(fex["time"], every * np.arange(N) / 50)
    with pytest.raises(FexError, match="`fps` must be a positive number"):
        read_fex(folder / "x.csv", fps=-1)
