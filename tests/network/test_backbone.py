"""The backbone's weights without timm, and timm's module when it is needed."""

from __future__ import annotations

import copy
import subprocess
import sys

import numpy as np
import pytest
import timm
import torch
from torchvision.ops import roi_align

from facemt_analysis.network import FaceMultitask, ModelConfig, load_checkpoint, save_checkpoint
from facemt_analysis.network.backbone import StoredBackbone
from facemt_analysis.network.convnext import CONVNEXT_V2
from facemt_analysis.network.gaze import window_means


@pytest.mark.parametrize("architecture", CONVNEXT_V2)
def test_names_and_shapes_are_those_of_timm(architecture: str) -> None:
    with torch.device("meta"):
        module = timm.create_model(architecture, pretrained=False, features_only=True)
    wanted = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    size = CONVNEXT_V2[architecture]
    assert size.tensors() == wanted
    assert list(size.widths) == module.feature_info.channels()
    with torch.device("meta"):
        stored = StoredBackbone(ModelConfig.v25(backbone=architecture))
    assert {n: tuple(v.shape) for n, v in stored.state_dict().items()} == wanted


@pytest.fixture
def loaded(tmp_path, tiny_config, filled) -> FaceMultitask:
    return load_checkpoint(save_checkpoint(filled(tiny_config), tmp_path / "x.safetensors"))


def test_a_loaded_network_gets_its_module_when_it_runs_one(loaded, tiny_config, filled):
    assert isinstance(loaded.backbone, StoredBackbone)
    loaded.backbone.stem_0.weight.requires_grad_(False)
    before = dict(loaded.named_parameters())
    same = copy.deepcopy(loaded)
    side = tiny_config.image_size
    x = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found, wanted = loaded(x), filled(tiny_config).eval()(x)
    assert torch.equal(found.au, wanted.au)
    assert not isinstance(loaded.backbone, StoredBackbone)
    assert not loaded.backbone.training
    after = dict(loaded.named_parameters())
    assert set(after) == set(before)
    assert all(after[name] is value for name, value in before.items())  # an optimiser keeps them
    assert not loaded.backbone.stem_0.weight.requires_grad
    assert loaded.backbone.stem_0.bias.requires_grad

    assert isinstance(same.backbone, StoredBackbone)
    same.train()
    assert not isinstance(same.backbone, StoredBackbone)
    assert same.backbone.training
    same(x).au.sum().backward()
    assert same.backbone.stages_0.blocks[0].conv_dw.weight.grad is not None


def test_what_is_kept_for_prediction_predicts_the_same_from_fewer_weights(loaded):
    whole = copy.deepcopy(loaded)
    chips = torch.rand(3, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    wanted = whole.predict(chips)
    loaded.keep_for_prediction()
    found = loaded.predict(chips)
    np.testing.assert_array_equal(found.au, wanted.au)
    np.testing.assert_array_equal(found.mesh, wanted.mesh)
    held = {name for name, value in loaded.named_parameters() if not value.is_meta}
    assert 0 < len(held) < len(list(whole.parameters()))
    assert not any(name.startswith(("backbone.", "afg.")) for name in held)
    loaded.keep_for_prediction()  # again does nothing
    assert np.array_equal(loaded.predict(chips).au, wanted.au)


def test_what_is_kept_for_prediction_says_what_it_cannot_do(loaded):
    loaded.keep_for_prediction()
    with pytest.raises(RuntimeError, match="load_checkpoint"):
        loaded.train()
    with pytest.raises(RuntimeError, match="load_checkpoint"):
        loaded(torch.zeros(1, 3, 64, 64))
    with pytest.raises(RuntimeError, match="load_checkpoint"):
        copy.deepcopy(loaded).predict(torch.zeros(1, 3, 256, 256))
    loaded.maps_dtype = torch.bfloat16
    with pytest.raises(RuntimeError, match="load_checkpoint"):
        loaded.predict(torch.zeros(1, 3, 256, 256))


def test_to_predict_needs_neither_timm_nor_torchvision() -> None:
    """They bring torch's compiler: 200 MB and seconds at every start."""
    code = (
        "import sys, numpy as np, facemt_analysis as fm\n"
        "frames = np.zeros((2, 64, 64, 3), np.uint8)\n"
        "detector = fm.Detector('open')\n"
        "detector.detect(frames, progress=False)\n"
        "assert len(detector.measure(list(frames), [[8, 8, 40, 40]] * 2)) == 2\n"
        "print([m for m in ('timm', 'torchvision', 'torch._dynamo', 'sympy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("shape", "side", "cells"),
    [((3, 5, 8, 8), 2.3, 4), ((2, 7, 14, 14), 4.2, 3), ((2, 3, 9, 12), 13.7, 5),
     ((1, 2, 8, 8), 0.4, 2), ((2, 3, 2, 2), 1.2, 2)],
)  # fmt: skip
def test_window_means_are_those_of_torchvision(shape, side: float, cells: int) -> None:
    generator = torch.Generator().manual_seed(1)
    maps = torch.randn(shape, generator=generator, requires_grad=True)
    extent = torch.tensor([shape[3], shape[2]])
    centre = (torch.rand(shape[0], 2, 2, generator=generator) * 1.8 - 0.4) * extent  # some outside
    boxes = list(torch.cat([centre - side / 2, centre + side / 2], dim=-1))
    wanted = roi_align(maps, boxes, cells, aligned=True)
    found = window_means(maps, centre, side, cells).flatten(0, 1)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)
    slopes = [torch.autograd.grad((y**2).sum(), maps)[0] for y in (found, wanted)]
    torch.testing.assert_close(*slopes, atol=1e-5, rtol=0)


def test_a_window_at_nan_is_nan_alone() -> None:
    maps, centre = torch.rand(2, 3, 8, 8), torch.full((2, 2, 2), 4.0)
    centre[0, 1, 0] = torch.nan
    found = window_means(maps, centre, 2.0, 2)
    assert found[0, 1].isnan().all()
    assert found.isfinite().flatten(2).all(dim=-1).tolist() == [[True, False], [True, True]]
