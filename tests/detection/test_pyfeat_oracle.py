"""The same weights and boxes in py-feat 2.1.5 give the same Fex columns, signs included.

The columns differ where this package means to: `FaceRect…` is the face detector's box (py-feat's is
the square that was cut out), mesh z is in the pixels of x and y (py-feat's is in chip sides), and
py-feat has no times of its own for images.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from facemt_analysis import Fex, schema
from facemt_analysis.detection import Detector

pytestmark = [pytest.mark.oracle, pytest.mark.usefixtures("one_thread")]

FILE = "face_multitask_v28.safetensors"  # this name stands for the signs of py-feat 2.1.5
EXPAND = 1.2
# Largest difference: what float32 leaves of scores and angles, and of pixels.
SCORE, ANGLE, PIXEL = 2e-5, 1e-4, 2e-2

Boxes = list[list[float]]
Compare = Callable[[Sequence[np.ndarray], Sequence[Boxes]], tuple[Fex, pd.DataFrame]]


@pytest.fixture(scope="module")
def pyfeat() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # py-feat's own imports
        feat = pytest.importorskip("feat", reason="py-feat is not installed")
        module: ModuleType = pytest.importorskip("feat.detector_v2", reason="needs py-feat 2.1")
    if feat.__version__ != "2.1.5":
        pytest.skip(f"compares with py-feat 2.1.5, not {feat.__version__}")
    return module


class _Given:
    """Stands for a face detector and gives, frame by frame, the boxes it was made with."""

    def __init__(self, boxes: Sequence[Boxes]) -> None:
        self._boxes: Iterator[Boxes] = iter(boxes)

    def __call__(self, frame: np.ndarray) -> Boxes:
        return next(self._boxes)


@pytest.fixture(scope="module")
def compare(
    pyfeat: ModuleType, small_weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Compare:
    """Run both on frames with given boxes."""
    weights = tmp_path_factory.mktemp("v28") / FILE
    shutil.copy(small_weights, weights)

    def run(frames: Sequence[np.ndarray], boxes: Sequence[Boxes]) -> tuple[Fex, pd.DataFrame]:
        ours = Detector(str(weights), face_detector=_Given(boxes), follow=False).detect(
            np.stack(frames), progress=False
        )
        given = _Given(boxes)
        with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            patch.setattr(
                pyfeat, "Retinaface",
                lambda device: lambda images: [given(image) for image in images],
            )  # fmt: skip
            theirs = pyfeat.Detectorv2(
                device="cpu", identity_model=None, multitask_weights=str(weights)
            ).detect(
                torch.from_numpy(np.stack(frames).transpose(0, 3, 1, 2).copy()),
                data_type="tensor", batch_size=2, progress_bar=False,
            )  # fmt: skip
        return ours, pd.DataFrame(theirs)

    return run


def check(ours: Fex, theirs: pd.DataFrame, boxes: Sequence[Boxes]) -> None:
    """All groups of both tables agree, row by row."""
    # within a frame the rows stand in the order of the tracks here, in that of the boxes there
    order = [
        int(np.argmin([np.abs(np.subtract(box[:2], [x, y])).max() for box in boxes[frame]]))
        if track >= 0 else 0
        for frame, track, x, y in zip(
            ours["frame"], ours["track"], ours["FaceRectX"], ours["FaceRectY"], strict=True
        )
    ]  # fmt: skip
    ours = ours.assign(order=order).sort_values(["frame", "order"], ignore_index=True)
    assert ours["frame"].tolist() == theirs["frame"].tolist()
    for group, tolerance in {
        "landmarks": PIXEL, "poses": ANGLE, "aus": SCORE, "emotions": SCORE, "va": SCORE,
        "gazes": ANGLE, "blendshapes": SCORE, "framesizes": 0,
    }.items():  # fmt: skip
        columns = list(schema.GROUPS[group].columns)
        np.testing.assert_allclose(
            ours[columns], theirs[columns], rtol=0, atol=tolerance, err_msg=group
        )
    mesh = [list(schema.GROUPS["meshes"].columns[k * 478 : (k + 1) * 478]) for k in range(3)]
    for axis in (0, 1):
        np.testing.assert_allclose(ours[mesh[axis]], theirs[mesh[axis]], rtol=0, atol=PIXEL)
    side = theirs["FaceRectWidth"].to_numpy()[:, None]
    np.testing.assert_allclose(ours[mesh[2]], theirs[mesh[2]] * side, rtol=0, atol=PIXEL)
    # their box is the square that was cut out around ours
    x, y, width, height = (
        ours[f"FaceRect{name}"].to_numpy() for name in ("X", "Y", "Width", "Height")
    )
    expected = EXPAND * np.maximum(width, height)
    square = np.column_stack(
        [x + width / 2 - expected / 2, y + height / 2 - expected / 2, expected, expected]
    )
    columns = ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"]
    np.testing.assert_allclose(square, theirs[columns], rtol=0, atol=1e-2)
    np.testing.assert_allclose(ours["FaceScore"], theirs["FaceScore"], rtol=0, atol=1e-6)


def test_frames_with_and_without_faces(compare: Compare, face_frames: list[np.ndarray]) -> None:
    boxes = [[[90.0 + 4 * i, 65.0, 180.5 + 4 * i, 170.25, 0.9]] if i != 1 else []
             for i in range(3)]  # fmt: skip
    ours, theirs = compare(face_frames[:3], boxes)
    assert theirs["AU01"].isna().tolist() == [False, True, False]
    check(ours, theirs, boxes)


def test_boxes_that_reach_beyond_the_frame(
    compare: Compare, draw_scene: Callable[..., np.ndarray]
) -> None:
    frame = draw_scene((0, 0), (170, 90))
    boxes = [
        [[-40.0, -30.0, 95.0, 120.0, 0.8], [230.0, 120.0, 360.0, 280.0, 0.6]],
        [[-20.0, 60.0, 340.0, 200.0, 0.7]],
        [[60.0, 40.0, 66.0, 48.0, 0.9]],  # and a very small one
    ]
    ours, theirs = compare([frame] * 3, boxes)
    check(ours, theirs, boxes)


def test_several_faces(compare: Compare, draw_scene: Callable[..., np.ndarray]) -> None:
    frame = draw_scene((0, 0), (160, 0), (80, 90))
    box = [
        [190.0, 25.0, 280.0, 130.0, 0.99],
        [110.0, 115.0, 200.0, 220.0, 0.95],
        [30.0, 25.0, 120.0, 130.0, 0.9],
        [100.0, 10.0, 130.0, 40.0, 0.3],  # below the threshold of both
    ]
    ours, theirs = compare([frame] * 2, [box] * 2)
    assert len(ours) == 6
    check(ours, theirs, [box] * 2)


def test_a_photograph(compare: Compare, shared: Path) -> None:
    frame = np.asarray(Image.open(shared / "media" / "multi_face.jpg").convert("RGB"))
    height, width = frame.shape[:2]
    box = [
        [width * x, height * 0.2, width * (x + 0.2), height * 0.6, 0.9 - x / 10]
        for x in (-0.05, 0.2, 0.45, 0.7, 0.9)
    ]
    ours, theirs = compare([frame], [box])
    assert len(ours) == 5
    check(ours, theirs, [box])
