"""The paragraph for a paper: everything that was recorded, nothing that was not."""

from __future__ import annotations

import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis.fex import Fex, FexInfo, methods_text

DETECTED = FexInfo(
    tool="facemt_analysis 0.1.0",
    weights="face_multitask_v2",
    weights_sha256="0123456789abcdef" * 4,
    weights_licence="CC-BY-NC-4.0",
    weights_revision="abc123",
    face_detector="retinaface",
    options={"every": 2, "fps": None, "start": 1.5, "stop": None, "face_threshold": 0.5},
    versions={"torch": "2.4.0", "timm": "1.0.22"},
)


def table(info: FexInfo = DETECTED) -> Fex:
    return Fex(
        {
            "input": ["a.mp4"] * 4,
            "frame": [0, 1, 2, 3],
            "time": [0.0, 0.5, 1.0, 1.5],
            "track": [0, 0, 0, -1],
            "FaceScore": [0.9, 0.9, 0.3, 0.0],
            "AU12": [0.1, 0.2, 0.3, None],
            "valence": [0.0, 0.1, 0.2, None],
        },
        info=info,
    )


def test_all_that_was_recorded_is_said() -> None:
    assert table().methods_text() == (
        "The material was 1 recording (2.00 s in all, 2 Hz). "
        "A face was found in 3 of 4 frames (75%). "
        "Faces were measured with facemt_analysis 0.1.0, weights face_multitask_v2 "
        "(revision abc123, SHA-256 0123456789ab…, licence CC-BY-NC-4.0). "
        "Faces were found by retinaface (least score 0.5). "
        "One frame in 2 was taken. "
        "Recordings were analysed from 1.5 s to the end. "
        "The features are action units (occurrence scores from 0 to 1, not intensities) and "
        "valence and arousal (−1 to 1). "
        "Software: torch 2.4.0, timm 1.0.22."
    )


def test_operations_are_told_in_order() -> None:
    fex = table().label({"a.mp4": {"subject": 1}}).quality.exclude()
    text = fex.methods_text()
    assert (
        "processed by label (on=input, columns=[subject]); then by quality.exclude "
        "(features of 1 of 4 rows set to missing; reasons: low_score 1; limits: score 0.7, "
    ) in text
    assert "switches 0" in text
    off = table().quality.exclude(overlap=None).methods_text()
    assert "overlap off" in off


def test_recordings_that_were_left_out_are_named() -> None:
    other = table().assign(input="bad.mp4", FaceScore=0.1)
    fex = pd.concat([table(), other]).quality.exclude(drop="serious", valid_share=None)
    assert "left out: bad.mp4" in fex.methods_text()


def test_tables_with_different_pasts() -> None:
    one = table().label({"a.mp4": {"subject": 1}})
    text = pd.concat([one, table()]).methods_text()
    assert "label (in a part of the recordings only)" in text
    other = table(FexInfo(tool="OpenFace 2"))
    assert (
        "is not recorded, or differs between recordings"
        in pd.concat([table(), other]).methods_text()
    )


@pytest.mark.parametrize(
    ("info", "text"),
    [
        (FexInfo(), "With what the faces were measured is not recorded, or differs between "
                    "recordings."),
        (FexInfo(tool="OpenFace 2"), "Faces were measured with OpenFace 2."),
        (FexInfo(weights="w"), "Faces were measured with a tool that is not recorded, weights w. "
                               "The face detector is not recorded."),
        (FexInfo(tool="t", options={"fps": 12.5, "every": 1}),
         "Faces were measured with t. Frames were taken at 12.5 Hz."),
        (FexInfo(tool="t", options={"stop": 3}),
         "Faces were measured with t. Recordings were analysed from the beginning to 3 s."),
    ],
    ids=["nothing", "other tool", "weights only", "rate", "stop"],
)  # fmt: skip
def test_what_is_known(info: FexInfo, text: str) -> None:
    assert methods_text(info) == text


def test_simulated_data_say_so() -> None:
    text = fm.datasets.load_sample_study().methods_text()
    assert "The data are simulated (simulate_study, seed 20" in text
    assert "come from no person" in text


def test_empty_tables_and_long_arguments() -> None:
    assert (
        Fex({"AU12": pd.Series([], dtype=float)}).methods_text().startswith("The table is empty.")
    )
    info = FexInfo().with_log("signal.filter", columns=[f"AU{i:02d}" for i in range(40)], low=None)
    assert len(methods_text(info)) < 250
    assert "low" not in methods_text(info)
