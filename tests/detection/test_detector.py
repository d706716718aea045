"""The Detector: from media to the rows of a Fex."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import facemt_analysis as fm
from facemt_analysis import schema
from facemt_analysis.detection import (
    ChipGeometry,
    Detector,
    FallbackWarning,
    MediaWarning,
    open_recordings,
    units,
)
from facemt_analysis.errors import OptionError
from facemt_analysis.network import CONVENTIONS, load_checkpoint, save_checkpoint
from facemt_analysis.network.batches import Captured
from facemt_analysis.network.engines import TorchEngine
from facemt_analysis.network.engines.together import SharedEngine

pytestmark = pytest.mark.usefixtures("one_thread")

BOX = [100.0, 60.0, 190.0, 180.0, 0.9]


def fixed_box(frame: np.ndarray) -> list[list[float]]:
    return [BOX]


@pytest.fixture(scope="module")
def detector(small_weights: Path) -> Detector:
    return Detector(str(small_weights), face_detector="haar")


@pytest.fixture(scope="module")
def fex(detector: Detector, face_video: Path) -> fm.Fex:
    return detector.detect(face_video, progress=False)


def test_one_row_per_face_per_frame(fex: fm.Fex) -> None:
    assert type(fex) is fm.Fex
    assert fex["frame"].tolist() == list(range(12))
    assert fex["time"].to_numpy() == pytest.approx(np.arange(12) / 10)
    assert (fex["input"] == "avatar.mp4").all()
    assert set(fex.groups) == {"keys", *schema.FEATURE_GROUPS, "framesizes"}
    features = schema.feature_columns(fex.columns)
    assert (fex[features].dtypes == np.float32).all()
    assert (fex["FrameHeight"] == 240).all()


def test_frames_without_a_face_keep_a_row(fex: fm.Fex) -> None:
    without = fex["frame"].isin([5, 6])
    assert (fex.loc[without, "track"] == -1).all()
    assert (fex.loc[without, "FaceScore"] == 0).all()
    rest = [c for c in schema.feature_columns(fex.columns) if c != "FaceScore"]
    assert fex.loc[without, rest].isna().all(axis=None)
    assert fex.loc[~without, rest].notna().all(axis=None)


def test_a_face_keeps_its_track_over_missed_frames(fex: fm.Fex) -> None:
    assert set(fex.loc[fex["track"] >= 0, "track"]) == {0}


def test_boxes_are_the_face_detectors_own(small_weights: Path, face_video: Path) -> None:
    fex = Detector(str(small_weights), face_detector=fixed_box).detect(
        face_video, progress=False, groups=["faceboxes"]
    )
    expected = [100, 60, 90, 120, 0.9]
    assert fex.faceboxes.to_numpy() == pytest.approx(np.tile(expected, (12, 1)), abs=1e-5)


def test_values_are_those_of_the_network(
    small_weights: Path, face_frames: list[np.ndarray]
) -> None:
    fex = Detector(str(small_weights), face_detector=fixed_box).detect(
        np.stack(face_frames[:3]), progress=False
    )
    model = load_checkpoint(small_weights)
    geometry = ChipGeometry.for_config(True, 224)
    chips, placement = geometry.crop(face_frames[:3], np.tile(BOX[:4], (3, 1)), np.arange(3))
    raw = model.predict(chips)
    assert fex.aus.to_numpy() == pytest.approx(raw.au, abs=1e-5)
    assert fex.emotions.to_numpy() == pytest.approx(raw.emotion, abs=1e-5)
    assert fex["valence"].to_numpy() == pytest.approx(raw.valence, abs=1e-5)
    assert fex["Pitch"].to_numpy() == pytest.approx(raw.pose[:, 0], abs=1e-5)
    assert fex["Roll"].to_numpy() == pytest.approx(-raw.pose[:, 2], abs=1e-5)
    assert fex["gaze_yaw"].to_numpy() == pytest.approx(raw.gaze[:, 0], abs=1e-5)
    angle = np.arccos(np.cos(raw.gaze[:, 0]) * np.cos(raw.gaze[:, 1]))
    assert fex["gaze_angle"].to_numpy() == pytest.approx(angle, abs=1e-4)
    place = placement.numpy()
    mesh = raw.mesh * place[:, None, [2]]
    mesh[..., :2] += place[:, None, :2]
    got = fex.meshes.to_numpy().reshape(3, 3, 478).transpose(0, 2, 1)
    assert got == pytest.approx(mesh, abs=1e-2)
    dlib = got[:, schema.DLIB68_FROM_MESH]
    assert fex.landmarks.to_numpy() == pytest.approx(
        np.concatenate([dlib[..., 0], dlib[..., 1]], axis=1), abs=1e-3
    )


@pytest.mark.parametrize("size", [1, 5])
def test_batch_size_does_not_matter(detector: Detector, face_video: Path, fex: fm.Fex,
                                    size: int) -> None:  # fmt: skip
    other = detector.detect(face_video, progress=False, batch_size=size)
    pd.testing.assert_frame_equal(
        pd.DataFrame(other), pd.DataFrame(fex), rtol=0, atol=2e-3, check_exact=False
    )
    for group in ("aus", "emotions", "va", "gazes", "blendshapes"):
        assert getattr(other, group).to_numpy() == pytest.approx(
            getattr(fex, group).to_numpy(), abs=1e-5, nan_ok=True
        )


def test_video_equals_its_frames_as_png(
    detector: Detector, face_video: Path, fex: fm.Fex, tmp_path: Path
) -> None:
    (recording,) = open_recordings(face_video)
    folder = tmp_path / "frames"
    folder.mkdir()
    for frame in recording.frames():
        Image.fromarray(frame.image).save(folder / f"frame{frame.index}.png")
    stills = detector.detect(folder, progress=False, frame_rate=10)
    assert stills["image"].tolist() == [f"frame{i}.png" for i in range(12)]
    assert list(stills.columns) == [*fex.columns[:4], "image", *fex.columns[4:]]
    for group in fex.groups[1:]:
        in_px = group in ("landmarks", "meshes")
        assert getattr(stills, group).to_numpy() == pytest.approx(
            getattr(fex, group).to_numpy(), abs=2e-3 if in_px else 1e-5, nan_ok=True
        )
    for key in ("frame", "time", "track"):
        assert stills[key].to_numpy() == pytest.approx(fex[key].to_numpy())


def test_unrelated_stills_share_no_track(
    detector: Detector, face_frames: list[np.ndarray], tmp_path: Path
) -> None:
    for i in (0, 1):
        Image.fromarray(face_frames[i]).save(tmp_path / f"{i}.png")
    fex = detector.detect(tmp_path, progress=False, groups=["va"])
    assert fex["track"].tolist() == [0, 1]
    assert fex["time"].isna().all()


def test_two_faces(detector: Detector, draw_scene: Callable[..., np.ndarray]) -> None:
    places = [[(0 + 3 * i, 40), (160 - 3 * i, 60)] for i in range(6)]
    frames = np.stack([draw_scene(*p, side=140) for p in places])
    fex = detector.detect(frames, progress=False, groups=["faceboxes"])
    assert fex.groupby("frame").size().tolist() == [2] * 6
    assert set(fex["track"]) == {0, 1}
    slopes = fex.groupby("track")["FaceRectX"].apply(lambda x: np.sign(np.diff(x).mean()))
    assert sorted(slopes) == [-1, 1]
    assert fex["track"].tolist() == [0, 1] * 6


def test_sampling(detector: Detector, face_video: Path) -> None:
    def frames(**sampling: float) -> list[int]:
        fex = detector.detect(face_video, progress=False, groups=["va"], **sampling)
        return fex["frame"].tolist()

    assert frames(every=5) == [0, 5, 10]
    assert frames(fps=5) == [0, 2, 4, 6, 8, 10]
    assert frames(start=0.35, stop=0.75) == [4, 5, 6, 7]


@pytest.mark.parametrize(
    ("rate", "sampling", "follow", "looks"),
    [
        (15.0, {}, True, 5),  # every sixth and the last
        (15.0, {"every": 3}, True, 5),  # eight frames, 5 a second: every other one and the last
        (15.0, {"fps": 5.0}, True, 5),
        (None, {}, True, 4),  # every eighth and the last
        (15.0, {}, 3, 9),
        (15.0, {}, False, 24),
    ],
)
def test_looks_are_as_far_apart_as_the_frame_rate_allows(
    small_weights: Path, face_frames: list, rate: float | None, sampling: dict,
    follow: int | bool, looks: int,
) -> None:  # fmt: skip
    seen = []

    def counting(frame: np.ndarray) -> list[list[float]]:
        seen.append(frame)
        return [BOX]

    tool = Detector(str(small_weights), face_detector=counting, follow=follow)
    still = np.stack([face_frames[0]] * 24)
    fex = tool.detect(still, frame_rate=rate, progress=False, groups=["va"], **sampling)
    assert len(seen) == looks
    assert (fex["track"] == 0).all()


def test_groups_choose_columns(detector: Detector, face_video: Path) -> None:
    fex = detector.detect(face_video, progress=False, groups=["va", "aus"], every=6)
    assert fex.groups == ("keys", "aus", "va", "framesizes")
    with pytest.raises(fm.FexError, match="nonsense"):
        detector.detect(face_video, progress=False, groups=["nonsense"])


def test_info_says_what_made_it(fex: fm.Fex, small_weights: Path) -> None:
    info = fex.info
    assert info.weights == small_weights.stem
    assert info.weights_sha256 is not None
    assert len(info.weights_sha256) == 64
    assert info.weights_licence == "none, generated"
    assert info.face_detector == "haar"
    assert info.conventions is not None
    assert info.conventions["name"] == "face_multitask_v2"
    assert info.chip is not None
    assert info.chip["mode"] == "square"
    assert info.options is not None
    assert info.options["every"] == 1
    assert info.versions is not None
    assert {"torch", "timm", "av"} <= set(info.versions)


def test_a_checkpoints_own_conventions_count(
    small_weights: Path, face_frames: list[np.ndarray], tmp_path: Path
) -> None:
    model = load_checkpoint(small_weights)
    own = CONVENTIONS["face_multitask_v28"]
    path = save_checkpoint(model, tmp_path / "own.safetensors", conventions=own.to_json())
    frames = np.stack(face_frames[:2])
    plain = Detector(str(small_weights), face_detector=fixed_box).detect(frames, progress=False)
    turned = Detector(str(path), face_detector=fixed_box).detect(frames, progress=False)
    assert turned["Pitch"].to_numpy() == pytest.approx(-plain["Pitch"].to_numpy())
    assert turned["gaze_pitch"].to_numpy() == pytest.approx(-plain["gaze_pitch"].to_numpy())
    assert turned["Yaw"].to_numpy() == pytest.approx(plain["Yaw"].to_numpy())


def test_stream_gives_the_same_rows_in_pieces(
    detector: Detector, face_video: Path, fex: fm.Fex, monkeypatch: pytest.MonkeyPatch
) -> None:
    (recording,) = open_recordings(face_video)
    monkeypatch.setattr(units, "_FRAMES", 8)
    parts = list(detector.stream(recording))
    assert [len(p) for p in parts] == [9, 3]
    together = pd.concat(parts, ignore_index=True)
    assert together.info.weights == fex.info.weights
    assert together["AU12"].to_numpy() == pytest.approx(fex["AU12"].to_numpy(), nan_ok=True)


def test_list_of_recordings(detector: Detector, face_video: Path, face_image: Path) -> None:
    fex = detector.detect([face_video, face_image], progress=False, groups=["va"], every=4)
    assert fex["input"].unique().tolist() == ["avatar.mp4", "face.png"]
    assert fex.groupby("input").size().to_dict() == {"avatar.mp4": 3, "face.png": 1}


def test_truncated_video_warns(detector: Detector, cut_video: Path) -> None:
    with pytest.warns(MediaWarning, match=r"cut\.mp4.*missing"):
        fex = detector.detect(cut_video, progress=False, groups=["va"])
    assert 0 < len(fex) < 12


def test_threshold_leaves_out_doubtful_faces(small_weights: Path, face_frames: list) -> None:
    detector = Detector(str(small_weights), face_detector=fixed_box, face_threshold=0.95)
    fex = detector.detect(np.stack(face_frames[:2]), progress=False, groups=["faceboxes"])
    assert (fex["track"] == -1).all()


def test_published_weights_do_not_fall_back(monkeypatch: pytest.MonkeyPatch,
                                            tmp_path: Path) -> None:  # fmt: skip
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(fm.WeightsUnavailable, match="face_multitask_v2"):
        Detector("face_multitask_v2")


def test_haar_stands_in_loudly_for_a_checkpoint_given_by_path(
    small_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from facemt_analysis.detection import choices as module

    usual = module.resolve_face_detector

    def unreachable(spec: object, **options: object) -> object:
        if spec == "retinaface":
            raise fm.WeightsUnavailable("retinaface_r34 cannot be fetched.")
        return usual(spec, **options)

    monkeypatch.setattr(module, "resolve_face_detector", unreachable)
    with pytest.warns(FallbackWarning, match="Haar"):
        assert Detector(str(small_weights)).face_detector.name == "haar"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"device": "abacus"}, "abacus"),
        ({"batch_size": 0}, "batch_size"),
        ({"face_threshold": 2}, "face_threshold"),
        ({"face_detector": "harr"}, "haar"),
    ],
    ids=["device", "batch size", "threshold", "face detector"],
)
def test_wrong_arguments(arguments: dict, says: str, small_weights: Path) -> None:
    given = {"face_detector": "haar", **arguments}
    with pytest.raises(fm.FacemtError, match=says):
        Detector(str(small_weights), **given)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_agrees_with_the_cpu(small_weights: Path, face_frames: list) -> None:
    frames = np.stack(face_frames[:2])
    both = [
        Detector(str(small_weights), face_detector=fixed_box, device=d).detect(
            frames, progress=False
        )
        for d in ("cpu", "cuda")
    ]
    assert both[1].aus.to_numpy() == pytest.approx(both[0].aus.to_numpy(), abs=0.03)


def test_real_media(detector: Detector, shared: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fex = detector.detect(shared / "media" / "face_noface.mov", progress=False, every=8,
                              groups=["faceboxes", "va"])  # fmt: skip
    person = fex["frame"] <= 72  # a person, then a cartoon in which no face should be found
    assert (fex.loc[person, "track"] >= 0).mean() >= 0.9
    assert (fex.loc[~person, "track"] >= 0).mean() < 0.2


class TestMeasure:
    def test_gives_what_detect_gives_for_the_same_boxes(
        self, small_weights: Path, face_frames: list[np.ndarray]
    ) -> None:
        def whole(_: np.ndarray) -> np.ndarray:
            return np.array([[60.0, 40.0, 210.0, 190.0, 0.9]])

        detector = Detector(str(small_weights), face_detector=whole)
        images = face_frames[:2]
        fex = detector.detect(np.stack(images), progress=False)
        measured = detector.measure(images, np.concatenate([whole(i) for i in images]))
        columns = list(measured.columns)
        assert set(schema.FEATURE_GROUPS) <= set(schema.groups_in(columns))
        np.testing.assert_allclose(measured, pd.DataFrame(fex)[columns], atol=1e-5)

    def test_of_nothing_is_nothing(self, small_weights: Path) -> None:
        detector = Detector(str(small_weights), face_detector=lambda _: np.empty((0, 5)))
        assert len(detector.measure([], np.empty((0, 4)))) == 0

    @pytest.mark.parametrize(
        "boxes",
        [
            pytest.param([[0, 0, 5, 5]] * 2, id="two boxes for one image"),
            pytest.param([[0, 0, 5]], id="three numbers"),
            pytest.param([[0, 0, 5, np.nan]], id="not finite"),
        ],
    )
    def test_wrong_boxes(self, small_weights: Path, boxes: object) -> None:
        detector = Detector(str(small_weights), face_detector=lambda _: np.empty((0, 5)))
        with pytest.raises(OptionError, match="`boxes` must"):
            detector.measure([np.zeros((8, 8, 3), np.uint8)], boxes)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_chips_that_are_made_where_the_network_is_change_nothing(
    small_weights: Path, face_video: Path, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    tool = Detector(str(small_weights), face_detector="haar", device=device)
    tables = []
    for crop in (tool.chip.crop, partial(tool.chip.crop, device=tool.device)):
        monkeypatch.setattr(tool, "_crop", crop)
        tables.append(pd.DataFrame(tool.detect(face_video, progress=False)))
    loose = 1e-4 if device == "cpu" else 0.1  # bfloat16 may turn the last bit of a pixel into more
    pd.testing.assert_frame_equal(*tables, rtol=loose, atol=loose)


def test_bfloat16_is_close_and_recorded(small_weights: Path, face_video: Path) -> None:
    tables = {}
    for precision in ("auto", "float32", "bfloat16"):
        tool = Detector(str(small_weights), face_detector="haar", device="cpu", precision=precision)
        tables[precision] = tool.detect(face_video, progress=False)
    full, half = tables["float32"], tables["bfloat16"]
    pd.testing.assert_frame_equal(pd.DataFrame(tables["auto"]), pd.DataFrame(full))
    aus = [*full.aus.columns]
    off = np.abs(full[aus].to_numpy() - half[aus].to_numpy())
    assert 0 < np.nanmax(off) < 0.05
    assert full.info.options["precision"] == tables["auto"].info.options["precision"] == "float32"
    assert half.info.options["precision"] == "bfloat16"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"precision": "half"}, "`precision` must be 'auto', 'float32' or 'bfloat16'"),
        (
            {"precision": "bfloat16", "engine": "onnx"},
            "`precision` 'bfloat16' needs engine='torch'",
        ),
    ],
)
def test_impossible_precisions_are_named(
    small_weights: Path, asked: dict[str, str], message: str
) -> None:
    if asked.get("engine") == "onnx":
        pytest.importorskip("onnxruntime")
    with pytest.raises(OptionError, match=message):
        Detector(str(small_weights), face_detector="haar", device="cpu", **asked)


def test_threads_that_share_batches_get_the_same_table(
    small_weights: Path, face_video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a card is given, on a CPU: chips made there, one network for all, replayed."""
    monkeypatch.setattr(units, "_FRAMES", 2)
    tool = Detector(str(small_weights), face_detector="haar", device="cpu", threads=4, follow=1)
    expected = pd.DataFrame(tool.detect(face_video, progress=False))
    sizes: list[int] = []

    def capture(run: Callable, place: torch.Tensor) -> Captured:
        output = run(place).clone()

        def replay() -> None:
            sizes.append(len(place))
            output.copy_(run(place))

        return Captured(place, output, replay)

    monkeypatch.setattr(tool, "engine", SharedEngine(TorchEngine(tool.model, capture=capture)))
    monkeypatch.setattr(tool, "_crop", partial(tool.chip.crop, device=tool.device))
    for _ in range(4):
        with ThreadPoolExecutor(3) as pool:  # three recordings at a time
            tables = list(
                pool.map(lambda _: pd.DataFrame(tool.detect(face_video, progress=False)), range(3))
            )
        for table in tables:
            pd.testing.assert_frame_equal(table, expected, atol=1e-3)
    assert sizes
