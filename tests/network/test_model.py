"""The network as a module: training from scratch, prediction, the fast form of its weights."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import numpy as np
import pytest
import torch

from facemt_analysis.network import FaceMultitask, ModelConfig, Prediction, products
from facemt_analysis.network.fused import FusedMaps
from facemt_analysis.schema import DLIB68_FROM_MESH

FIELDS = tuple(field.name for field in dataclasses.fields(Prediction))


def assert_same(a: Prediction, b: Prediction, atol: float) -> None:
    for field in FIELDS:
        first, second = getattr(a, field), getattr(b, field)
        if first is None:
            assert second is None
        else:
            np.testing.assert_allclose(first, second, rtol=0, atol=atol, err_msg=field)


def plain(network: FaceMultitask, chips: np.ndarray) -> Prediction:
    """Predict with the modules as they are, in eval mode."""
    with torch.inference_mode():
        return Prediction.from_outputs(network(network.prepare(torch.from_numpy(chips))))


# --- prediction -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"gaze_eye_roi": True, "gaze_pose_6d": True},
        {"afg_channels": 320},  # no projection
        {"afg_channels": 512},  # projection multiplied into the branches
        {"n_au": 24, "n_blendshape": 0, "image_size": 96},
        {"backbone": "convnextv2_nano", "afg_channels": 32},  # linear layers for convolutions
    ],
    ids=str,
)
def test_the_fast_form_gives_what_the_modules_give(changes, tiny_config, filled, generated):
    network = filled(ModelConfig.from_dict(tiny_config.to_dict() | changes))
    chips = generated.chips(3)
    assert_same(network.predict(chips), plain(network, chips), atol=1e-5)


def test_batches_of_1_and_16_agree(published, filled, generated):
    network = filled(ModelConfig.from_dict(published("v26_eyes_atto")[0]["config"]))
    chips = generated.chips(16)
    together = network.predict(chips)
    one_by_one = Prediction.concatenate([network.predict(chips[i : i + 1]) for i in range(16)])
    assert_same(together, one_by_one, atol=1e-5)


def test_more_chips_than_are_held_at_once(tiny_config, filled, generated):
    network = filled(tiny_config)
    chips = generated.chips(19, size=64)
    together = network.predict(chips)
    assert len(together) == 19
    assert_same(network.predict(chips[-2:]), _rows(together, slice(-2, None)), atol=1e-5)


def _rows(prediction: Prediction, rows: slice) -> Prediction:
    return Prediction(**{f: getattr(prediction, f)[rows] for f in FIELDS})


@pytest.mark.parametrize("n_blendshape", [0, 52])
def test_no_chips_give_empty_arrays_of_the_right_shapes(n_blendshape, tiny_config, generated):
    config = dataclasses.replace(tiny_config, n_blendshape=n_blendshape)
    network = FaceMultitask(config).eval()
    none = network.predict(np.zeros((0, 3, 256, 256), np.float32))
    one = network.predict(generated.chips(1))
    for field in FIELDS:
        a, b = getattr(none, field), getattr(one, field)
        if field == "blendshapes" and not n_blendshape:
            assert a is b is None
            continue
        assert a.shape == (0, *b.shape[1:])
        assert a.dtype == b.dtype == np.float32


def test_predictions_are_what_they_are_said_to_be(tiny_config, filled, generated):
    prediction = filled(tiny_config).predict(generated.chips(4))
    assert ((prediction.au >= 0) & (prediction.au <= 1)).all()
    np.testing.assert_allclose(prediction.emotion.sum(axis=1), 1, atol=1e-6)
    assert (np.abs(prediction.valence) <= 1).all()
    assert (np.abs(prediction.arousal) <= 1).all()
    np.testing.assert_array_equal(
        prediction.landmarks68, prediction.mesh[:, list(DLIB68_FROM_MESH), :2]
    )


def test_tensors_and_arrays_of_other_sizes_are_taken(tiny_config, filled, generated):
    network = filled(tiny_config)
    chips = generated.chips(2)
    assert_same(network.predict(chips), network.predict(torch.from_numpy(chips)), atol=0)
    # Smooth images look alike at any size.
    assert_same(network.predict(generated.chips(2, size=512)), network.predict(chips), atol=0.05)


def test_a_chip_of_nan_spoils_its_own_face_only(tiny_config, filled, generated):
    network = filled(tiny_config)
    chips = generated.chips(3)
    clean = network.predict(chips)
    chips[1] = np.nan
    spoilt = network.predict(chips)
    for field in FIELDS:
        assert np.isnan(getattr(spoilt, field)[1]).all(), field
    assert_same(_rows(spoilt, slice(0, 1)), _rows(clean, slice(0, 1)), atol=1e-6)
    assert_same(_rows(spoilt, slice(2, 3)), _rows(clean, slice(2, 3)), atol=1e-6)


def test_preprocessing_follows_the_configuration_unless_told_otherwise(
    tiny_config, filled, generated
):
    config = dataclasses.replace(tiny_config, mesh_normalized=False)
    network, chips = filled(config), generated.chips(1)
    default = network.predict(chips)
    assert_same(default, network.predict(chips, preprocess="crop"), atol=0)
    assert np.abs(default.mesh - network.predict(chips, preprocess="resize").mesh).max() > 1e-3


def test_prediction_in_train_mode_is_that_of_eval_mode_and_changes_nothing(
    tiny_config, filled, generated
):
    network, chips = filled(tiny_config), generated.chips(2)
    wanted = network.predict(chips)
    network.train()
    network.backbone.eval()  # as somebody who freezes it would
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert_same(network.predict(chips), wanted, atol=0)
    assert network.training
    assert not network.backbone.training
    assert all(torch.equal(before[n], v) for n, v in network.state_dict().items())


def test_changed_weights_are_seen(tiny_config, filled, generated):
    network, chips = filled(tiny_config), generated.chips(1)
    first = network.predict(chips)

    def changed() -> bool:
        nonlocal first
        second = network.predict(chips)
        differs = bool(np.abs(second.au - first.au).max() > 1e-6)
        first = second
        return differs

    assert not changed()
    with torch.no_grad():
        network.proj.weight.mul_(-1)
    assert changed()
    network.afg.heads[0][1].running_mean.add_(1)
    assert changed()
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    network(torch.zeros(1, 3, 64, 64)).au.sum().backward()
    optimizer.step()
    assert changed()
    state = network.state_dict()
    network.load_state_dict({n: v * 0.5 if v.ndim == 4 else v for n, v in state.items()})
    assert changed()
    network.proj.weight.data.mul_(-1)
    network.train().eval()
    assert changed()
    assert not changed()


def test_copies_and_pickles_are_networks_of_their_own(tiny_config, filled, generated):
    network, chips = filled(tiny_config), generated.chips(1)
    wanted = network.predict(chips)
    other = copy.deepcopy(network)
    again = pickle.loads(pickle.dumps(network))
    with torch.no_grad():
        network.proj.weight.zero_()
    network.predict(chips)
    assert_same(other.predict(chips), wanted, atol=0)
    assert_same(again.predict(chips), wanted, atol=0)


def test_without_onednn_the_ordinary_functions_do(monkeypatch, tiny_config, filled, generated):
    network, chips = filled(tiny_config), generated.chips(2)
    monkeypatch.setattr(products, "_processor", lambda: "AVX512")
    wanted = network.predict(chips)
    monkeypatch.setattr(products, "onednn_works", lambda: False)
    assert_same(network.predict(chips), wanted, atol=1e-5)


@pytest.mark.parametrize("processor", ["AVX2", "AVX512"])
def test_products_are_the_ordinary_ones(monkeypatch, processor):
    monkeypatch.setattr(products, "_processor", lambda: processor)
    x, weight, bias = torch.randn(5, 7, 96), torch.randn(40, 96), torch.randn(40)
    expected = torch.nn.functional.linear(x.double(), weight.double(), bias.double())
    torch.testing.assert_close(
        products.linear(x, weight, bias).double(), expected, atol=1e-4, rtol=0
    )
    torch.testing.assert_close(
        products.linear_gelu(x, weight, bias).double(),
        torch.nn.functional.gelu(expected),
        atol=1e-4,
        rtol=0,
    )


def test_half_precision_maps_are_close(tiny_config, filled, generated):
    """What runs on CUDA, on a CPU: bfloat16 products, float32 sums."""
    config = ModelConfig.from_dict(tiny_config.to_dict() | {"gaze_eye_roi": True})
    network = filled(config)
    x = network.prepare(torch.from_numpy(generated.chips(2)))
    full, half = (
        FusedMaps(network.state_dict(), config.n_au, keep_fine=True, dtype=dtype)(x)
        for dtype in (torch.float32, torch.bfloat16)
    )
    for exact, rounded in zip(full, half, strict=True):
        assert rounded.dtype == torch.float32
        # bfloat16 has 8 bits; errors of many roundings partly cancel
        assert (rounded - exact).norm() < 0.02 * exact.norm()
        assert not torch.equal(rounded, exact)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_agrees_to_bfloat16(published, filled, generated):
    network = filled(ModelConfig.from_dict(published("v25_atto")[0]["config"]))
    chips = generated.chips(16)
    wanted = network.predict(chips)
    got = network.cuda().predict(chips)
    for field in FIELDS:
        assert np.abs(getattr(got, field) - getattr(wanted, field)).mean() < 0.02, field


# --- training -------------------------------------------------------------------------------


def test_every_weight_but_the_log_variances_gets_a_gradient(tiny_config):
    torch.manual_seed(0)
    config = ModelConfig.from_dict(
        tiny_config.to_dict()
        | {"gaze_eye_roi": True, "gaze_pose_6d": True, "gaze_bins": 6, "drop_path_rate": 0.0}
    )
    network = FaceMultitask(config).train()
    out = network(torch.randn(4, 3, 64, 64))
    assert out.blendshapes is not None
    total = sum(
        t.square().mean()
        for t in (
            out.au,
            out.mesh,
            out.pose,
            out.blendshapes,
            out.emotion_logits,
            out.valence_arousal,
            out.gaze,
        )
    )
    assert isinstance(total, torch.Tensor)
    total.backward()
    without = {
        name
        for name, p in network.named_parameters()
        if p.grad is None or not p.grad.isfinite().all() or not p.grad.any()
    }
    assert without == {f"log_var_{t}" for t in
                       ("au", "mesh", "pose", "blendshape", "emotion", "va", "gaze")}  # fmt: skip


def test_gradients_stop_where_the_configuration_says(tiny_config):
    def reached(changes: dict[str, object], output: str) -> set[str]:
        torch.manual_seed(0)
        config = ModelConfig.from_dict(tiny_config.to_dict() | changes)
        network = FaceMultitask(config).eval()
        getattr(network(torch.randn(2, 3, 64, 64)), output).square().sum().backward()
        return {n.split(".")[0] for n, p in network.named_parameters() if p.grad is not None}

    assert "afg" not in reached({}, "emotion_logits")
    assert "afg" in reached({"emotion_au_prob_detach": False}, "emotion_logits")
    for option in ("gaze_pose_6d", "gaze_head_frame"):
        assert "pose" not in reached({option: True}, "gaze")
        assert "pose" in reached({option: True, "gaze_pose_detach": False}, "gaze")


def test_stochastic_parts_work_in_train_mode_only(tiny_config):
    torch.manual_seed(0)
    config = dataclasses.replace(tiny_config, drop_path_rate=0.5)
    network, x = FaceMultitask(config), torch.randn(2, 3, 64, 64)
    network.eval()
    assert torch.equal(network(x).mesh, network(x).mesh)
    network.train()
    assert not torch.equal(network(x).mesh, network(x).mesh)
    network.backbone.eval()
    network.afg.eval()
    first, second = network(x), network(x)
    assert torch.equal(first.mesh, second.mesh)
    assert not torch.equal(first.emotion_logits, second.emotion_logits)  # dropout


def test_it_learns_from_scratch(tiny_config):
    """A toy: two kinds of images, told apart by an AU, the mesh, the emotion and the gaze."""
    torch.manual_seed(0)
    network = FaceMultitask(dataclasses.replace(tiny_config, image_size=32)).train()
    kind = torch.tensor([0.0, 1.0]).repeat(8)
    x = torch.randn(16, 3, 32, 32) * 0.1 + (kind * 2 - 1)[:, None, None, None]
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)

    def losses() -> list[torch.Tensor]:
        out = network(x)
        return [
            torch.nn.functional.mse_loss(out.au[:, 3], kind),
            torch.nn.functional.mse_loss(out.mesh[:, 7, 0], kind),
            torch.nn.functional.cross_entropy(out.emotion_logits, kind.long()),
            torch.nn.functional.mse_loss(out.gaze[:, 0], kind),
        ]

    first = [loss.item() for loss in losses()]
    for _ in range(36):
        optimizer.zero_grad()
        torch.stack(losses()).sum().backward()
        optimizer.step()
    last = [loss.item() for loss in losses()]
    assert all(b < 0.4 * a for a, b in zip(first, last, strict=True)), (first, last)


def test_prototypes_start_alive(tiny_config):
    network = FaceMultitask(tiny_config)
    assert (network.sc.s > 0).float().mean() > 0.99


def test_outputs_can_be_traced_through_by_name(tiny_config):
    out = FaceMultitask(tiny_config).eval()(torch.zeros(2, 3, 64, 64))
    shapes = {name: None if v is None else tuple(v.shape) for name, v in out._asdict().items()}
    assert shapes == {
        "au": (2, 20),
        "mesh": (2, 478, 3),
        "pose": (2, 6),
        "blendshapes": (2, 52),
        "emotion_logits": (2, 7),
        "valence_arousal": (2, 2),
        "gaze": (2, 2),
        "gaze_sides": (2, 2, 2),
        "gaze_logits": None,
        "nodes": (2, 20, 16),
        "related_nodes": (2, 20, 16),
        "features": (2, 328),
    }
