"""OpenFace 3: lists in cells, WFLW points, the clock that is none, copied action units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import read_fex
from facemt_analysis.errors import FexError
from facemt_analysis.io.openface3 import DLIB68_FROM_WFLW98

AUS = ["AU01", "AU02", "AU04", "AU06", "AU09", "AU12", "AU25", "AU26"]


def _row(frame: int, face: int | None, value: float) -> dict[str, object]:
    """As the program makes it: tensors become nested lists."""
    about = {"timestamp": "2026-01-01 10:00:00", "video_path": "/clips/a.mp4"}
    if face is None:
        empty = dict.fromkeys(("face_detection", "landmarks", "emotion", "gaze_yaw", "gaze_pitch",
                               "action_units"))  # fmt: skip
        return {**about, "frame_index": frame, "face_id": None, **empty}
    points = [[i + value, 2.0 * i] for i in range(98)]
    return {
        **about,
        "frame_index": frame,
        "face_id": face,
        "face_detection": [10.0, 20.0, 110.0, 170.0, 0.9, *range(10)],
        "landmarks": points,
        "emotion": 1,
        "gaze_yaw": 0.1,
        "gaze_pitch": -0.2,
        "action_units": [[value + i / 100 for i in range(8)]],
    }


def test_a_video(folder: Path) -> None:
    rows = [_row(0, 0, 0.1), _row(1, None, 0), _row(2, 0, 0.3)]
    pd.DataFrame(rows).to_csv(folder / "x.csv", index=False)
    fex = read_fex(folder / "x.csv", fps=25)
    assert fex.groups == ("keys", "faceboxes", "landmarks", "aus")
    assert fex["input"].tolist() == ["a.mp4"] * 3
    assert fex["frame"].tolist() == [0, 1, 2]
    np.testing.assert_allclose(fex["time"], [0, 0.04, 0.08])
    assert fex["track"].tolist() == [0, -1, 0]
    np.testing.assert_allclose(fex["FaceScore"], [0.9, 0, 0.9])
    np.testing.assert_allclose(fex.loc[0, AUS].astype(float), 0.1 + np.arange(8) / 100, rtol=1e-6)
    box = fex.loc[0, ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"]]
    assert box.tolist() == [10, 20, 100, 150]
    assert fex["expression"].tolist()[0] == "Happy"
    assert fex["gaze_yaw_raw"].tolist()[0] == 0.1
    # chin, tip of the nose, right mouth corner in WFLW's numbers
    for dlib, wflw in ((8, 16), (30, 54), (36, 60), (45, 72), (48, 76)):
        assert fex.loc[0, f"y_{dlib}"] == 2 * wflw
    assert fex.validate().empty


def test_the_clock_of_the_computer_is_no_time(folder: Path) -> None:
    pd.DataFrame([_row(0, 0, 0.1)]).to_csv(folder / "x.csv", index=False)
    assert read_fex(folder / "x.csv")["time"].isna().all()
    numeric = pd.DataFrame([_row(0, 0, 0.1), _row(1, 0, 0.2)]).assign(timestamp=[0.5, 0.75])
    numeric.to_csv(folder / "y.tsv", index=False, sep="\t")
    assert read_fex(folder / "y.tsv")["time"].tolist() == [0.5, 0.75]


def test_pictures(folder: Path) -> None:
    rows = [{**_row(0, i, 0.1 * (i + 1)), "image_path": f"p/{n}.jpg"} for n, i in
            (("a", 0), ("b", 0), ("b", 1))]  # fmt: skip
    table = pd.DataFrame(rows).drop(columns=["video_path", "frame_index"])
    table.to_csv(folder / "x.tsv", index=False, sep="\t")
    fex = read_fex(folder / "x.tsv")
    assert fex["image"].tolist() == ["a.jpg", "b.jpg", "b.jpg"]
    assert fex["frame"].tolist() == [0, 1, 1]
    assert fex["track"].tolist() == [0, 0, 1]


def test_copied_action_units_are_left_empty(folder: Path) -> None:
    rows = [_row(0, 0, 0.1), _row(0, 1, 0.1), _row(1, 0, 0.1)]
    pd.DataFrame(rows).to_csv(folder / "x.csv", index=False)
    with pytest.warns(UserWarning, match="1 rows repeat the action units of the first face"):
        fex = read_fex(folder / "x.csv")
    assert fex["AU12"].notna().tolist() == [True, False, True]
    assert fex["FaceScore"].tolist() == pytest.approx([0.9] * 3)
    assert pd.isna(fex["expression"][1])


@pytest.mark.parametrize(
    ("cell", "message"),
    [("[0.1, 0.2]", "has 2 numbers, but 8"), ("[0.1, oops]", "in row 2 is not a list of numbers")],
)
def test_broken_lists(folder: Path, cell: str, message: str) -> None:
    pd.DataFrame([{**_row(0, 0, 0.1), "action_units": cell}]).to_csv(folder / "x.csv", index=False)
    with pytest.raises(FexError, match=message):
        read_fex(folder / "x.csv")


def test_lists_of_numpy_and_torch(folder: Path) -> None:
    spaced = "[[" + " ".join(str(i / 10) for i in range(8)) + "]]"
    tensor = f"tensor([[{', '.join(str(i / 10) for i in range(8))}]], device='cuda:0')"
    rows = [{**_row(0, 0, 0.1), "action_units": spaced}, {**_row(1, 0, 0), "action_units": tensor}]
    pd.DataFrame(rows).to_csv(folder / "x.csv", index=False)
    fex = read_fex(folder / "x.csv")
    for row in (0, 1):
        np.testing.assert_allclose(fex.loc[row, AUS].astype(float), np.arange(8) / 10, rtol=1e-6)


def test_points_are_distinct_and_in_order() -> None:
    assert len(set(DLIB68_FROM_WFLW98)) == 68
    assert list(DLIB68_FROM_WFLW98) == sorted(DLIB68_FROM_WFLW98)
