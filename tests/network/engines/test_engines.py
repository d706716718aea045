"""ONNX Runtime gives what PyTorch gives, from the same weights; which engine is taken when."""

from __future__ import annotations

import copy
import dataclasses
import importlib.util
import pickle

import numpy as np
import pytest
import torch

from facemt_analysis.errors import FacemtError, OptionError
from facemt_analysis.network import (
    FaceMultitask,
    ModelConfig,
    Prediction,
    load_checkpoint,
    resolve_weights,
)
from facemt_analysis.network.engines import (
    OnnxEngine,
    TorchEngine,
    choose,
    graph,
    make_engine,
    resolve_engine,
)
from facemt_analysis.network.engines.session import torch_threads

FIELDS = tuple(field.name for field in dataclasses.fields(Prediction))
HAS_ONNX = all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime"))
needs_onnx = pytest.mark.skipif(not HAS_ONNX, reason="onnx and onnxruntime are optional")


def assert_same(a: Prediction, b: Prediction, atol: float) -> None:
    for field in FIELDS:
        first, second = getattr(a, field), getattr(b, field)
        if first is None:
            assert second is None
        else:
            assert first.dtype == second.dtype == np.float32
            np.testing.assert_allclose(first, second, rtol=0, atol=atol, err_msg=field)


def rows(prediction: Prediction, part: slice) -> Prediction:
    return Prediction(**{field: getattr(prediction, field)[part] for field in FIELDS})


@needs_onnx
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"afg_channels": 320},  # no projection
        {"afg_channels": 512},  # projection multiplied into the branches
        {"n_au": 24, "n_blendshape": 0, "image_size": 96, "mesh_normalized": False},
        {"gaze_eye_roi": True, "gaze_head_frame": True, "gaze_pose_6d": True},
        {"gaze_eye_roi": True, "gaze_bins": 12, "gaze_hidden": 8},
        {"backbone": "convnextv2_nano", "afg_channels": 32},
    ],
    ids=lambda changes: ",".join(changes) or "smallest",
)
def test_onnx_equals_torch(changes, tiny_config, filled, generated):
    network = filled(ModelConfig.from_dict(tiny_config.to_dict() | changes))
    chips = generated.chips(3)
    assert_same(OnnxEngine(network).predict(chips), network.predict(chips), atol=1e-5)


@needs_onnx
def test_onnx_equals_torch_with_the_weights_in_the_package(generated, recwarn):
    network = load_checkpoint(resolve_weights("open").path)
    chips = generated.chips(5)
    assert_same(OnnxEngine(network).predict(chips), network.predict(chips), atol=1e-5)


@needs_onnx
class TestOnnx:
    @pytest.fixture
    def network(self, tiny_config, filled):
        return filled(dataclasses.replace(tiny_config, gaze_eye_roi=True))

    def test_results_do_not_depend_on_the_batch(self, network, generated):
        engine, chips = OnnxEngine(network), generated.chips(19, size=64)
        together = engine.predict(chips)
        assert len(together) == 19
        for i in (0, 7, 18):
            one = engine.predict(chips[i : i + 1])
            assert_same(one, rows(together, slice(i, i + 1)), atol=1e-5)

    def test_a_chip_of_nan_spoils_its_own_face_only(self, network, generated):
        engine, chips = OnnxEngine(network), generated.chips(3)
        clean = engine.predict(chips)
        chips[1, :, 100, 100] = np.nan  # one pixel reaches everything
        spoilt = engine.predict(chips)
        for field in FIELDS:
            assert np.isnan(getattr(spoilt, field)[1]).all(), field
        assert_same(rows(spoilt, slice(0, 1)), rows(clean, slice(0, 1)), atol=1e-6)
        assert_same(rows(spoilt, slice(2, 3)), rows(clean, slice(2, 3)), atol=1e-6)

    def test_no_chips(self, network):
        none = np.zeros((0, 3, 256, 256), np.float32)
        assert_same(OnnxEngine(network).predict(none), network.predict(none), atol=0)

    @pytest.mark.parametrize(
        "wrong",
        [np.zeros((1, 3, 8, 9), np.float32), np.full((1, 3, 8, 8), 255.0), [[0.5]]],
        ids=["not square", "8 bit", "list"],
    )
    def test_wrong_chips_are_named_as_the_network_does(self, network, wrong):
        with pytest.raises(ValueError, match="`chips`") as expected:
            network.predict(wrong)
        with pytest.raises(ValueError, match="`chips`") as error:
            OnnxEngine(network).predict(wrong)
        assert str(error.value) == str(expected.value)

    def test_preprocessing_can_be_told(self, network, generated):
        chips = generated.chips(1)
        crop = OnnxEngine(network).predict(chips, preprocess="crop")
        assert_same(crop, network.predict(chips, preprocess="crop"), atol=1e-5)
        assert np.abs(crop.mesh - network.predict(chips).mesh).max() > 1e-3

    def test_changed_weights_are_seen(self, network, generated):
        engine, chips = OnnxEngine(network), generated.chips(1)
        before = engine.predict(chips)
        held = engine._session()
        assert engine._session() is held
        with torch.no_grad():
            network.backbone.stem_0.weight.mul_(-1)
        after = engine.predict(chips)
        assert np.abs(after.au - before.au).max() > 1e-6
        assert_same(after, network.predict(chips), atol=1e-5)

    def test_threads_change_nothing_and_are_left_as_they_were(self, network, generated):
        chips = generated.chips(2)
        torch.set_num_threads(2)  # the fixture of this folder sets them back
        one, two = OnnxEngine(network, threads=1), OnnxEngine(network)
        assert (one.threads, two.threads) == (1, 2)
        assert_same(one.predict(chips), two.predict(chips), atol=1e-6)
        assert torch.get_num_threads() == 2

    def test_copies_and_pickles_predict_alike(self, network, generated):
        engine, chips = OnnxEngine(network), generated.chips(1)
        wanted = engine.predict(chips)
        assert_same(copy.deepcopy(engine).predict(chips), wanted, atol=0)
        assert_same(pickle.loads(pickle.dumps(engine)).predict(chips), wanted, atol=0)

    def test_the_model_is_a_valid_file_of_few_kinds_of_nodes(self, network):
        onnx = pytest.importorskip("onnx")
        from facemt_analysis.network.engines.maps import maps_graph

        state = network.state_dict()
        fused = type(network._fused_maps())(state, 20, keep_fine=True, dtype=torch.float32)
        model = onnx.load_from_string(maps_graph(fused, 64))
        onnx.checker.check_model(model, full_check=True)
        assert {output.name for output in model.graph.output} <= {
            name for node in model.graph.node for name in node.output
        }

    def test_weights_that_a_file_cannot_hold_are_refused(self, network, monkeypatch):
        monkeypatch.setattr(graph, "_LARGEST", 1000)
        with pytest.raises(OptionError, match=r"2 GiB .* engine='torch'"):
            OnnxEngine(network)

    def test_other_devices_are_refused(self, tiny_config):
        with pytest.raises(OptionError, match=r"on a CPU, but .* on meta"):
            OnnxEngine(FaceMultitask(tiny_config).to("meta"))


def test_torch_is_the_network_itself(tiny_config, filled, generated):
    network, chips = filled(tiny_config), generated.chips(2)
    wanted = network.predict(chips)
    torch.set_num_threads(2)
    engine = make_engine(network, "torch", threads=1)
    assert isinstance(engine, TorchEngine)
    assert (engine.name, engine.threads) == ("torch", 1)
    assert_same(engine.predict(chips), wanted, atol=1e-5)
    assert torch.get_num_threads() == 2
    assert make_engine(network, "torch").threads is None


def test_threads_are_set_back_after_an_error():
    def fail() -> None:
        with torch_threads(before + 1):
            assert torch.get_num_threads() == before + 1
            raise KeyError

    before = torch.get_num_threads()
    with pytest.raises(KeyError):
        fail()
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("engine", "device", "installed", "n_bytes", "expected"),
    [
        ("auto", "cpu", True, 0, "onnx"),
        ("auto", "cpu", False, 0, "torch"),
        ("auto", "cuda", True, 0, "torch"),
        ("auto", "cpu", True, 3 * 10**9, "torch"),
        ("torch", "cpu", True, 0, "torch"),
        ("onnx", "cpu", False, 0, "onnx"),  # refused when it is made
    ],
)
def test_which_engine_a_name_stands_for(engine, device, installed, n_bytes, expected, monkeypatch):
    monkeypatch.setattr(choose, "onnx_is_installed", lambda: installed)
    assert resolve_engine(engine, device, n_bytes=n_bytes) == expected


@needs_onnx
def test_automatic_choice(tiny_config, filled, generated):
    engine = make_engine(filled(tiny_config))
    assert engine.name == "onnx"
    assert len(engine.predict(generated.chips(1))) == 1


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_a_missing_package_is_named(missing, tiny_config, monkeypatch):
    if missing == "onnxruntime" and not HAS_ONNX:
        pytest.skip("onnx is asked for first")
    monkeypatch.setitem(__import__("sys").modules, missing, None)
    with pytest.raises(FacemtError, match=rf"needs {missing}.*facemt-analysis\[onnx\]"):
        make_engine(FaceMultitask(tiny_config), "onnx")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"engine": "openvino"}, "`engine` must be 'torch', 'onnx' or 'auto'"),
        ({"engine": "torch", "threads": 0}, "`threads` must be at least 1"),
        ({"engine": "torch", "threads": 1.5}, "`threads` must be a whole number"),
    ],
)
def test_wrong_calls(wrong, message, tiny_config):
    with pytest.raises(OptionError, match=message):
        make_engine(FaceMultitask(tiny_config), **wrong)
