"""FaceReader's detailed log and iMotions' exports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import read_fex
from facemt_analysis.errors import FexError

# ------------------------------------------------------------------ FaceReader
ABOUT = [
    "Video analysis detailed log", "", "Face Model:\tGeneral", "Calibration:\tNone",
    "Start time:\t18.11.2015 14:41:35.299", "Filename:\tC:\\clips\\talk.mp4",
    "Frame rate:\t25,000000", "", "",
]  # fmt: skip
NAMES = [
    "Video Time", "Neutral", "Happy", "Sad", "Angry", "Surprised", "Scared", "Disgusted",
    "Contempt", "Valence", "Arousal", "Gender", "Age", "Y - Head Orientation",
    "X - Head Orientation", "Z - Head Orientation", "Landmarks", "Quality", "Mouth",
    "Action Unit 01 - Inner Brow Raiser", "Action Unit 12 - Lip Corner Puller",
    "Action Unit 12 - Lip Corner Puller - Left", "Action Unit 43 - Eyes Closed",
]  # fmt: skip
FIRST = [
    "00:00:00.040", "0.57", "0.67", "0.01", "0.04", "0.02", "0.03", "0.05", "0.06", "-0.66", "0.23",
    "Male", "20-30", "-1.76", "2.57", "-3.10", "375.4739-121.6879", "0.93", "Open",
    "0.1", "0.2", "0.3", "0.4",
]  # fmt: skip


def _log(folder: Path, decimal: str, *, rows: list[list[str]] | None = None) -> Path:
    rows = rows or [
        ["00:00:00.000", *["FIND_FAILED"] * 22],
        FIRST,
        ["00:00:00.080", *["FIT_FAILED"] * 22],
        ["01:02:03.500", *FIRST[1:]],
    ]
    lines = ["\t".join(c.replace(".", decimal) if i else c for i, c in enumerate(r)) for r in rows]
    path = folder / "log.txt"
    path.write_text("\ufeff" + "\r\n".join([*ABOUT, "\t".join(NAMES), *lines]) + "\r\n", "utf-8")
    return path


@pytest.mark.parametrize("decimal", [".", ","])
def test_facereader(folder: Path, decimal: str) -> None:
    fex = read_fex(_log(folder, decimal))
    assert fex.info.tool == "FaceReader"
    assert fex.groups == ("keys", "faceboxes", "aus", "emotions", "va")
    assert fex["input"].tolist() == ["talk.mp4"] * 4
    np.testing.assert_allclose(fex["time"], [0, 0.04, 0.08, 3723.5])
    assert fex["frame"].tolist() == [0, 1, 2, 93088]  # 3723.5 s at 25 Hz, to the even number
    assert fex["track"].tolist() == [-1, 0, -1, 0]
    assert fex["failure"].tolist() == ["FIND_FAILED", "", "FIT_FAILED", ""]
    row = fex.iloc[1]
    expected = {
        "Neutral": 0.57, "Happy": 0.67, "Sad": 0.01, "Anger": 0.04, "Surprise": 0.02, "Fear": 0.03,
        "Disgust": 0.05, "Contempt": 0.06, "valence": -0.66, "arousal": 0.23, "FaceScore": 0.93,
        "AU01": 0.1, "AU12": 0.2, "AU12_left": 0.3, "AU43": 0.4,
        "yaw_raw": -1.76, "pitch_raw": 2.57, "roll_raw": -3.10,
    }  # fmt: skip
    assert {k: row[k] for k in expected} == pytest.approx(expected, rel=1e-6)
    assert fex.iloc[[0, 2]][["Happy", "AU12", "valence"]].isna().all(axis=None)
    assert (fex["FaceScore"].iloc[[0, 2]] == 0).all()
    assert fex.validate().empty


def test_facereader_pose_with_signs(folder: Path) -> None:
    fex = read_fex(_log(folder, ","), pose_signs=(1, -1, -1), keep=["Mouth"])
    given = fex.loc[1, ["Pitch", "Yaw", "Roll"]].astype(float)
    np.testing.assert_allclose(given, np.deg2rad([2.57, 1.76, 3.10]), rtol=1e-6)
    assert fex["Mouth"].tolist()[1] == "Open"
    with pytest.raises(FexError, match="`pose_signs` must be 1 or -1 for pitch, yaw and roll"):
        read_fex(_log(folder, ","), pose_signs=(1, 2, 1))


def test_facereader_letters_are_intensities(folder: Path) -> None:
    rows = [[f"00:00:0{i}.000", *FIRST[1:19], letter, "NotActive", "0.3", "E"]
            for i, letter in enumerate(["NotActive", "A", "Slight", "Max"])]  # fmt: skip
    fex = read_fex(_log(folder, ".", rows=rows))
    assert fex["AU01_r"].tolist() == [0, 1, 2, 5]
    assert fex["AU43_r"].tolist() == [5] * 4
    assert "AU01" not in fex


def test_facereader_other_logs_are_refused(folder: Path) -> None:
    text = "Video analysis state log\n\nVideo Time\tEmotion\n00:00:00.000\tHappy\n"
    (folder / "x.txt").write_text(text)
    with pytest.raises(FexError, match="export the detailed log"):
        read_fex(folder / "x.txt")
    bad = [["soon", *FIRST[1:]]]
    with pytest.raises(FexError, match=r"'Video Time' must be hh:mm:ss.mmm, but has 'soon'"):
        read_fex(_log(folder, ".", rows=bad))


# ------------------------------------------------------------------ iMotions
AFFDEX = ["Joy", "Anger", "Surprise", "Fear", "Contempt", "Disgust", "Sadness", "Engagement",
          "Valence", "Brow Furrow", "Brow Raise", "Inner Brow Raise", "Smile", "Eye Closure",
          "Lip Pucker", "Smirk", "Pitch", "Yaw", "Roll"]  # fmt: skip


@pytest.mark.parametrize("separator", [",", "\t"])
def test_affdex(folder: Path, separator: str) -> None:
    numbers = np.random.default_rng(0).uniform(0, 100, (3, len(AFFDEX))).round(2)
    names = ["Row", "Timestamp", "EventSource", "SlideEvent", "SourceStimuliName", "SampleNumber",
             *AFFDEX]  # fmt: skip
    empty = [""] * len(AFFDEX)
    rows = [
        [1, 10, "Shimmer GSR", "", "Intro", "", *empty],
        [2, 33.5, "Affectiva AFFDEX", "", "Intro", 0, *numbers[0]],
        [3, 60, "Shimmer GSR", "", "Intro", "", *empty],
        [4, 66.5, "Affectiva AFFDEX", "", "Film", 1, *empty],
        [5, 100, "Affectiva AFFDEX", "", "Film", 2, *numbers[2]],
    ]
    lines = ["#INFO", "#Version,9.3", "#METADATA", "#Device,,,Affectiva AFFDEX", "#DATA"]
    lines += [separator.join(map(str, r)) for r in (names, *rows)]
    (folder / "anna.csv").write_text("\r\n".join(lines) + "\r\n")
    fex = read_fex(folder / "anna.csv")
    assert fex.info.tool == "iMotions AFFDEX"
    assert fex["input"].tolist() == ["anna"] * 3
    assert fex["frame"].tolist() == [0, 1, 2]
    np.testing.assert_allclose(fex["time"], [0.0335, 0.0665, 0.1])
    assert fex["track"].tolist() == [0, -1, 0]
    assert fex["stimulus"].tolist() == ["Intro", "Film", "Film"]
    theirs = dict(zip(AFFDEX, numbers[0], strict=True))
    pairs = {"Happy": "Joy", "Sad": "Sadness", "Contempt": "Contempt", "valence": "Valence",
             "AU04": "Brow Furrow", "AU02": "Brow Raise", "AU01": "Inner Brow Raise",
             "AU12": "Smile", "AU43": "Eye Closure", "AU18": "Lip Pucker"}  # fmt: skip
    for ours, name in pairs.items():
        assert fex[ours].iloc[0] == pytest.approx(theirs[name] / 100, rel=1e-6), ours
    assert fex["engagement"].iloc[0] == theirs["Engagement"]
    assert fex["yaw_raw"].iloc[0] == theirs["Yaw"]
    assert "poses" not in fex.groups
    signed = read_fex(folder / "anna.csv", pose_signs=(1, -1, 1))
    assert signed["Yaw"].iloc[0] == pytest.approx(-np.deg2rad(theirs["Yaw"]), rel=1e-6)


def test_a_clock_that_starts_anew_makes_a_recording_of_every_stimulus(folder: Path) -> None:
    names = ["Name", "StimulusName", "Timestamp", "FrameNo", "AU1 Evidence"]
    rows = [["Ann", "A", 0, 0, 0], ["Ann", "A", 40, 1, 1], ["Ann", "B", 5, 0, 0],
            ["Ann", "B", 45, -1, 0], ["Ann", "B", 50, 1, 2], ["Ann", "B", 60, 1, 2]]  # fmt: skip
    lines = ["#Study : x", "", *("\t".join(map(str, r)) for r in (names, *rows))]
    (folder / "x.txt").write_text("\n".join(lines) + "\n")
    fex = read_fex(folder / "x.txt")
    assert fex["input"].tolist() == ["Ann/A"] * 2 + ["Ann/B"] * 2
    assert fex["frame"].tolist() == [0, 1, 0, 1]  # nothing from before the first, none held
    # log10 odds of 0, 1, 2
    np.testing.assert_allclose(fex["AU01"], [1 / 2, 10 / 11, 1 / 2, 100 / 101], rtol=1e-6)


def test_a_real_export(shared: Path) -> None:
    fex = read_fex(shared / "imotions_example.txt")
    raw = pd.read_csv(shared / "imotions_example.txt", sep="\t", skiprows=5)
    assert fex.shape[0] == 519
    assert fex.groups == ("keys", "faceboxes", "poses", "aus", "emotions")
    assert fex.recordings == ("separate_rotation",)
    assert fex.validate().empty
    np.testing.assert_allclose(fex["time"], raw["Timestamp"] / 1000)
    seen = raw["AU12 Evidence"].notna()
    assert ((fex["track"] == 0) == seen).all()
    with pytest.raises(FexError, match="the signs of FACET are known"):
        read_fex(shared / "imotions_example.txt", pose_signs=(1, 1, 1))
    odds = 10 ** raw["AU12 Evidence"]
    np.testing.assert_allclose(fex["AU12"], odds / (1 + odds), rtol=1e-5)


def test_signs_of_a_real_export_are_those_of_the_schema(shared: Path) -> None:
    """Against eyes and nose in the image, whose left and right are the viewer's."""
    raw = pd.read_csv(shared / "imotions_example.txt", sep="\t", skiprows=5)
    fex = read_fex(shared / "imotions_example.txt")
    rows = fex["Yaw"].notna() & raw["NOSE_TIP X"].gt(0)
    raw, fex = raw[rows], fex[rows]
    left, right = (
        raw[[f"{s}_EYE_LATERAL {a}" for a in "XY"]].to_numpy() for s in ("LEFT", "RIGHT")
    )
    assert (left[:, 0] < right[:, 0]).all()
    width = right[:, 0] - left[:, 0]
    nose = (raw[["NOSE_TIP X", "NOSE_TIP Y"]].to_numpy() - (left + right) / 2) / width[:, None]
    eyes = (right - left)[:, 1] / width
    ahead = np.abs(fex["Yaw"]) < np.deg2rad(8)
    assert np.corrcoef(-nose[:, 0], fex["Yaw"])[0, 1] > 0.8  # image left: the subject's right
    assert np.corrcoef(-nose[ahead, 1], fex["Pitch"][ahead])[0, 1] > 0.7  # nose nearer the eyes: up
    assert np.corrcoef(-eyes, fex["Roll"])[0, 1] > 0.5  # the subject's right eye lower
