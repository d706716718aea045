"""RetinaFace with generated weights: published outputs, decoding, batches, weights files."""

from __future__ import annotations

import copy
import inspect
import json
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import resnet34
from torchvision.ops import nms

from facemt_analysis.detection.faces import (
    FaceDetector,
    RetinaFace,
    resnet,
    resolve_face_detector,
)
from facemt_analysis.detection.faces.anchors import anchors_for, decode_boxes, decode_points
from facemt_analysis.detection.faces.resnet import ResNet34
from facemt_analysis.errors import CheckpointError, OptionError, WeightsUnavailable

MEAN = torch.tensor([123.0, 117.0, 104.0])[:, None, None]


@pytest.fixture(scope="module")
def shapes(data):
    return json.loads((data / "retinaface_r34.json").read_text())


@pytest.fixture(scope="module")
def weights(generated, shapes):
    return {name: torch.from_numpy(value) for name, value in generated.fill(shapes).items()}


@pytest.fixture(scope="module")
def model(weights):
    model = RetinaFace().eval()
    model.load_state_dict(weights)
    return model


@pytest.fixture(scope="module")
def calm(weights):
    """Generated weights, with heads so small that scores differ and boxes stay near the anchors."""
    model = RetinaFace()
    small = ("ClassHead", "BboxHead")
    model.load_state_dict(
        {name: value * 0.02 if name.startswith(small) else value for name, value in weights.items()}
    )
    return model.eval()


@pytest.fixture(scope="module")
def by_onnx(weights):
    for package in ("onnx", "onnxruntime"):
        pytest.importorskip(package)
    model = RetinaFace(engine="onnx", threads=1).eval()
    model.load_state_dict(weights)
    return model


@pytest.fixture(scope="module")
def golden(data):
    return np.load(data / "retinaface_r34.npz")


@pytest.fixture(scope="module")
def frames(generated, golden):
    """The frames of the published outputs, (2, H, W, 3) uint8."""
    height, width = int(golden["height"]), int(golden["width"])
    images = generated.chips(2, max(height, width), int(golden["image_seed"]))
    images = images[:, :, :height, :width] * 255
    return np.round(images).astype(np.uint8).transpose(0, 2, 3, 1)


def assert_same_boxes(found, expected, tolerance):
    """Same boxes in any order, to a fraction of each box's size."""
    assert len(found) == len(expected)
    size = np.maximum(1.0, (expected[:, 2:4] - expected[:, :2]).max(axis=1))
    off = np.abs(found[:, None, :4] - expected[None, :, :4]).max(axis=2) / size
    off = np.maximum(off, np.abs(found[:, None, 4] - expected[None, :, 4]))
    assert off.min(axis=0).max() < tolerance
    assert off.min(axis=1).max() < tolerance


def test_tensors_are_those_of_the_published_file(shapes):
    state = RetinaFace().state_dict()
    assert {name: list(value.shape) for name, value in state.items()} == shapes
    assert list(state) == list(shapes)


def test_raw_outputs_are_the_published_ones(model, golden, frames):
    images = torch.from_numpy(frames).permute(0, 3, 1, 2).float() - MEAN
    with torch.inference_mode():
        loc, score, landmarks = model(images)
    step = int(golden["step"])
    np.testing.assert_allclose(loc[:, ::step], golden["loc"], atol=1e-3)
    np.testing.assert_allclose(score[:, ::step], golden["score"], atol=1e-4)
    np.testing.assert_allclose(landmarks[:, ::step], golden["landmark_deltas"], atol=1e-3)


def test_detections_are_the_published_ones(model, golden, frames):
    """With batch norms folded in, and although generated weights make boxes of all sizes."""
    found = model.detect(list(frames))
    for image, boxes in enumerate(found):
        rows = golden["detections"][golden["detections"][:, 0] == image, 1:]
        assert_same_boxes(boxes, rows, 2e-3)
        assert (np.diff(boxes[:, 4]) <= 0).all()
        assert boxes.dtype == np.float32


def test_every_published_number(shared, model, frames):
    golden = np.load(shared / "checkpoint" / "retinaface_r34.npz")
    images = torch.from_numpy(frames).permute(0, 3, 1, 2).float() - MEAN
    with torch.inference_mode():
        loc, score, landmarks = model(images)
    np.testing.assert_allclose(loc, golden["loc"], atol=1e-3)
    np.testing.assert_allclose(score, golden["score"], atol=1e-4)
    np.testing.assert_allclose(landmarks, golden["landmark_deltas"], atol=1e-3)


def test_detect_is_forward_decoded_and_suppressed(calm, frames):
    """Written out box by box, with a suppression loop of our own."""
    with torch.inference_mode():
        loc, score, _ = calm(torch.from_numpy(frames[:1]).permute(0, 3, 1, 2).float() - MEAN)
    height, width = frames.shape[1:3]
    boxes, row = [], 0
    for step, sides in ((8, (16, 32)), (16, (64, 128)), (32, (256, 512))):
        for y in range(-(-height // step)):
            for x in range(-(-width // step)):
                for side in sides:
                    dx, dy, dw, dh = loc[0, row].tolist()
                    cx, cy = (x + 0.5) * step + 0.1 * dx * side, (y + 0.5) * step + 0.1 * dy * side
                    w, h = side * np.exp(0.2 * dw), side * np.exp(0.2 * dh)
                    boxes.append((cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2, score[0, row]))
                    row += 1
    assert row == loc.shape[1]
    boxes = np.array(boxes)
    kept = []
    for box in boxes[np.argsort(-boxes[:, 4])]:
        if box[4] < 0.5:
            break
        for other in kept:
            shared = np.prod(
                (np.minimum(box[2:4], other[2:4]) - np.maximum(box[:2], other[:2])).clip(0)
            )
            union = np.prod(box[2:4] - box[:2]) + np.prod(other[2:4] - other[:2]) - shared
            if shared / union > 0.4:
                break
        else:
            kept.append(box)
    assert len(kept) > 5
    np.testing.assert_allclose(calm.detect(frames[:1])[0], kept, atol=1e-2)


def test_points_are_decoded_around_their_anchor():
    anchors = anchors_for(16, 8, torch.device("cpu"))
    deltas = torch.zeros(len(anchors), 10)
    deltas[0, :2] = torch.tensor([1.0, -2.0])
    points = decode_points(deltas, anchors)
    assert points.shape == (len(anchors), 5, 2)
    np.testing.assert_allclose(points[0, 0], [4 + 0.1 * 16, 4 - 0.2 * 16])
    np.testing.assert_allclose(points[0, 1], [4, 4])
    np.testing.assert_allclose(decode_boxes(torch.zeros(1, 4), anchors[:1]), [[-4, -4, 12, 12]])


def test_results_do_not_depend_on_the_batch(calm, generated):
    images = (generated.chips(5, 96, 3) * 255).astype(np.uint8).transpose(0, 2, 3, 1)
    mixed = [images[0], images[1][:64], images[2], images[3][:, :80], images[4][:64]]
    together = calm.detect(mixed)
    for frame, boxes in zip(mixed, together, strict=True):
        (alone,) = calm.detect([frame])
        np.testing.assert_allclose(boxes, alone, atol=1e-3)
    assert all(len(boxes) for boxes in together)
    assert calm.detect([]) == []


def test_many_frames_go_through_in_pieces(calm, generated, monkeypatch):
    from facemt_analysis.detection.faces import retinaface

    frames = (generated.chips(5, 64, 4) * 255).astype(np.uint8).transpose(0, 2, 3, 1)
    whole = calm.detect(frames)
    monkeypatch.setattr(retinaface, "_PIXELS", {"cpu": 2 * 64 * 64})
    for boxes, expected in zip(calm.detect(frames), whole, strict=True):
        np.testing.assert_allclose(boxes, expected, atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (7, 33), (31, 8)])
def test_odd_sizes_are_taken(calm, shape):
    (found,) = calm.detect([np.full((*shape, 3), 90, np.uint8)])
    assert found.shape[1] == 5


def test_folding_follows_the_weights(model, weights, frames):
    changing = copy.deepcopy(model)
    before = changing.detect(frames[:1])[0]
    changing.load_state_dict({name: value * 0.9 for name, value in weights.items()})
    after = changing.detect(frames[:1])[0]
    assert before.shape != after.shape or not np.allclose(before, after)
    changing.load_state_dict(weights)
    np.testing.assert_array_equal(changing.detect(frames[:1])[0], before)
    with torch.no_grad():
        changing.ClassHead._convs[0].bias.fill_(0)
    assert not np.array_equal(changing.detect(frames[:1])[0], before)


def test_folded_for_good_it_finds_the_same_in_half_the_memory(calm, frames):
    folded = copy.deepcopy(calm).fold()
    for found, expected in zip(folded.detect(frames), calm.detect(frames), strict=True):
        np.testing.assert_array_equal(found, expected)
    held = folded._prepared
    folded.detect(frames)
    assert folded._prepared is held  # prepared once
    assert not [name for name in folded.state_dict() if "running_mean" in name]
    places = {value.data_ptr() for value in folded.parameters()}
    assert held is not None
    network = inspect.getclosurevars(held[1]).nonlocals["folded"]
    assert {value.data_ptr() for value in network.parameters()} == places
    images = torch.from_numpy(frames).permute(0, 3, 1, 2).float() - MEAN
    with torch.inference_mode():
        for found, expected in zip(folded(images), calm(images), strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-3)


def test_the_backbone_is_that_of_torchvision():
    torch.manual_seed(3)
    theirs = resnet34(weights=None).eval()
    theirs.avgpool, theirs.fc = torch.nn.Identity(), torch.nn.Identity()
    ours = ResNet34().eval()
    ours.load_state_dict(theirs.state_dict())
    images = torch.rand(2, 3, 64, 96)
    with torch.inference_mode():
        *_, coarse = ours(images)
        assert torch.equal(coarse.flatten(1), theirs(images))


@pytest.mark.parametrize("shape", [(1, 3, 97, 131), (2, 3, 64, 66), (1, 3, 3, 200)])
@pytest.mark.parametrize("strip", [1, 50_000])
def test_the_first_map_is_the_same_in_strips(monkeypatch, model, shape, strip):
    monkeypatch.setattr(resnet, "_STRIP", strip)
    body = copy.deepcopy(model).fold().body
    images = torch.randint(-120, 130, shape, generator=torch.Generator().manual_seed(1)).float()
    images = images.contiguous(memory_format=torch.channels_last)
    whole = body._stem(images)
    with torch.inference_mode():
        assert torch.equal(body._stem(images), whole)
    assert whole.requires_grad


def test_overlapping_boxes_are_left_out_as_by_torchvision(model):
    rng = np.random.default_rng(0)
    for n in (0, 1, 5, 60, 500):
        corner, side = 400 * rng.random((n, 2)), 5 + 120 * rng.random((n, 2))
        score = 0.5 + 0.5 * rng.permutation(n)[:, None] / max(n, 1)
        boxes = torch.from_numpy(np.hstack([corner, corner + side, score]).astype(np.float32))
        expected = boxes[nms(boxes[:, :4], boxes[:, 4], 0.4)].numpy()
        np.testing.assert_array_equal(model._kept(boxes), expected)


def test_detecting_leaves_model_and_frames_alone(model, frames):
    changing = copy.deepcopy(model).train()
    names, before = list(changing.state_dict()), frames.copy()
    expected = model.detect(frames)
    for boxes, same in zip(changing.detect(frames), expected, strict=True):
        np.testing.assert_array_equal(boxes, same)
    assert changing.training
    assert list(changing.state_dict()) == names
    assert torch.equal(changing.body.bn1.running_mean, model.body.bn1.running_mean)
    np.testing.assert_array_equal(frames, before)
    assert len(pickle.loads(pickle.dumps(changing)).state_dict()) == len(names)


def test_threshold(calm, frames):
    copied = copy.copy(calm)
    found = calm.detect(frames)
    middle = float(np.median(found[0][:, 4]))
    copied.threshold = middle
    for boxes, fewer in zip(found, copied.detect(frames), strict=True):
        np.testing.assert_array_equal(boxes[boxes[:, 4] >= middle], fewer)


def test_shrunk_frames_give_boxes_at_their_own_size(calm, generated):
    small = (generated.chips(1, 64, 5)[0] * 255).astype(np.uint8).transpose(1, 2, 0)
    large = np.repeat(np.repeat(small, 3, axis=0), 2, axis=1)  # 192 x 128
    halved = copy.copy(calm)
    halved.max_side = 64
    (found,) = halved.detect([large])
    assert len(found)
    centre = (found[:, :2] + found[:, 2:4]) / 2
    assert (np.abs(centre - [64, 96]) < [128, 192]).all()
    assert centre[:, 1].max() > 96  # not left in pixels of the small frame
    (same,) = halved.detect([small])
    np.testing.assert_array_equal(same, calm.detect([small])[0])


@pytest.mark.parametrize("wrong", [{"threshold": 1.5}, {"max_side": 8}])
def test_impossible_options_are_named(wrong):
    with pytest.raises(ValueError, match=f"`{next(iter(wrong))}`"):
        RetinaFace(**wrong)


@pytest.fixture(scope="module")
def path(weights, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "retina.safetensors"
    save_file(weights, path)
    yield path
    path.unlink()  # 100 MB that pytest would keep for three runs


class TestWeightsFile:
    def test_is_read(self, path, model, frames):
        loaded = resolve_face_detector("retinaface", weights_name=str(path))
        assert isinstance(loaded, FaceDetector)
        assert not loaded.training
        np.testing.assert_array_equal(loaded.detect(frames[:1])[0], model.detect(frames[:1])[0])

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda w: w.pop("fpn.merge1.0.weight"), r"1 missing \(fpn.merge1.0.weight\)"),
            (lambda w: w.update(extra=torch.zeros(2)), r"1 not expected \(extra\)"),
            (
                lambda w: w.update({"body.bn1.bias": torch.zeros(3)}),
                r"1 of another shape \(body.bn1.bias: \[3\] instead of \[64\]\)",
            ),
            (
                lambda w: w["body.bn1.bias"].__setitem__(0, torch.nan),
                r"NaN or infinite weights in 1 tensors \(body.bn1.bias\)",
            ),
            (
                lambda w: [w.pop(name) for name in list(w) if name.startswith("ssh")],
                "missing .* and 84 more",
            ),
        ],
        ids=["missing", "extra", "misshapen", "nan", "many"],
    )
    def test_that_does_not_fit_is_refused(self, weights, tmp_path, change, message):
        wrong = {name: value.clone() for name, value in weights.items()}
        change(wrong)
        path = tmp_path / "wrong.safetensors"
        save_file(wrong, path)
        with pytest.raises(CheckpointError, match=message) as error:
            RetinaFace.from_pretrained(path)
        path.unlink()
        assert "\n" not in str(error.value)

    def test_that_is_a_pickle_is_refused_unread(self, tmp_path):
        torch.save({"a": torch.zeros(2)}, tmp_path / "retina.safetensors")
        with pytest.raises(CheckpointError, match="retina"):
            RetinaFace.from_pretrained(tmp_path / "retina.safetensors")

    def test_that_is_cut_off_is_refused(self, path, tmp_path):
        part = tmp_path / "part.safetensors"
        part.write_bytes(path.read_bytes()[:100_000])
        with pytest.raises(CheckpointError, match="cut off"):
            RetinaFace.from_pretrained(part)

    def test_that_is_not_to_be_had(self, tmp_path, monkeypatch):
        constants = pytest.importorskip("huggingface_hub.constants")
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
        with pytest.raises(WeightsUnavailable, match="haar"):
            resolve_face_detector("retinaface")


@pytest.mark.oracle
def test_equals_py_feat(weights, frames):
    reference = pytest.importorskip("feat.face_detectors.Retinaface.Retinaface_test")
    theirs = reference.Retinaface(device="cpu", pretrained="none")
    torch.set_grad_enabled(True)  # which py-feat switches off for everybody
    theirs.net.load_state_dict(weights)
    theirs.net.eval()
    ours = RetinaFace().eval()
    ours.load_state_dict(weights)
    images = torch.from_numpy(frames).permute(0, 3, 1, 2).float() - MEAN
    with torch.inference_mode():
        loc, score, landmarks = ours(images)
        expected = theirs.net(images)
    torch.testing.assert_close(loc, expected[0])
    torch.testing.assert_close(score, expected[1][..., 1])
    torch.testing.assert_close(landmarks, expected[2])


def test_gpu_gives_the_same_boxes(calm, frames):
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    expected = calm.detect(frames)
    on_gpu = copy.deepcopy(calm).cuda()
    for boxes, same in zip(on_gpu.detect(frames), expected, strict=True):
        assert_same_boxes(boxes, same, 2e-2)


class TestOnnx:
    def test_detections_are_the_published_ones(self, by_onnx, golden, frames):
        for image, boxes in enumerate(by_onnx.detect(list(frames))):
            rows = golden["detections"][golden["detections"][:, 0] == image, 1:]
            assert_same_boxes(boxes, rows, 2e-3)

    def test_sizes_and_batches_are_mixed_as_with_torch(self, by_onnx, calm, generated):
        by_onnx = copy.deepcopy(by_onnx)
        by_onnx.load_state_dict(calm.state_dict())  # changed weights are seen
        images = (generated.chips(3, 96, 3) * 255).astype(np.uint8).transpose(0, 2, 3, 1)
        mixed = [images[0], images[1][:64], images[2], images[0][:33, :7]]
        for boxes, expected in zip(by_onnx.detect(mixed), calm.detect(mixed), strict=True):
            np.testing.assert_allclose(boxes, expected, atol=1e-3)

    def test_the_engine_is_named_and_threads_are_left_alone(self, by_onnx, frames):
        assert (by_onnx.engine, by_onnx.threads, RetinaFace().engine) == ("onnx", 1, "torch")
        before = torch.get_num_threads()
        by_onnx.detect(frames[:1])
        assert torch.get_num_threads() == before
        again = pickle.loads(pickle.dumps(by_onnx)).detect(frames[:1])
        np.testing.assert_array_equal(again[0], by_onnx.detect(frames[:1])[0])

    def test_other_devices_are_refused(self, by_onnx, frames):
        elsewhere = copy.deepcopy(by_onnx).to("meta")
        with pytest.raises(OptionError, match="RetinaFace is on meta"):
            elsewhere.detect(frames[:1])


@pytest.mark.parametrize("wrong", [{"engine": "openvino"}, {"threads": 0}], ids=str)
def test_impossible_engines_are_named(wrong):
    with pytest.raises(OptionError, match=f"`{next(iter(wrong))}`"):
        RetinaFace(**wrong)


def test_frames_with_and_without_faces_keep_their_own_boxes(calm, frames):
    blank = np.zeros_like(frames[0])
    given = [blank, frames[0], blank, blank, *frames[1:], blank]
    for detected, frame in zip(calm.detect(given), given, strict=True):
        (alone,) = calm.detect([frame])
        assert detected.shape == alone.shape
        assert detected.dtype == np.float32
        np.testing.assert_allclose(detected, alone, atol=1e-3)


def test_on_a_device_frames_of_several_threads_go_together():
    assert RetinaFace().shares_batches is None
    assert RetinaFace().to("meta").shares_batches == 2**20
