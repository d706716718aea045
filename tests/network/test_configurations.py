"""Configurations nobody published: against outputs of the published implementation."""

from __future__ import annotations

import importlib.util
import json
import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from facemt_analysis.network import ModelConfig, save_checkpoint

DATA = Path(__file__).parents[1] / "data" / "network"
TOOL = Path(__file__).parents[2] / "tools" / "make_network_goldens.py"
CONFIGURATIONS = json.loads((DATA / "configurations.json").read_text())
FIELDS = ("au", "emotion", "valence", "arousal", "gaze", "pose", "mesh", "blendshapes")


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_network_goldens", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_outputs_agree_with_stored_ones(name, tool, filled, generated):
    config = ModelConfig.from_dict(tool.BASE | CONFIGURATIONS[name])
    prediction = filled(config).predict(generated.chips(tool.CHIPS), preprocess="resize")
    with np.load(DATA / "configurations.npz") as golden:
        there = [field for field in FIELDS if f"{name}/{field}" in golden]
        assert there == [f for f in FIELDS if f != "blendshapes" or config.n_blendshape]
        for field in there:
            ours = getattr(prediction, field)
            ours = ours[:, tool.VERTICES] if field == "mesh" else ours
            tolerance = 1e-3 if field == "mesh" else 1e-4
            np.testing.assert_allclose(
                ours, golden[f"{name}/{field}"], rtol=0, atol=tolerance, err_msg=field
            )
    assert (prediction.blendshapes is None) == (config.n_blendshape == 0)


@pytest.mark.oracle
def test_random_configurations_agree_with_py_feat(tool):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # py-feat's own imports
        pytest.importorskip("feat.multitask.model_v2", reason="py-feat is not installed")
    rng = np.random.default_rng(5)
    for _ in range(12):
        changes = tool.drawn(rng)
        for field, value in tool.difference(changes).items():
            assert value < tool.TOLERANCE.get(field, 1e-4), (field, changes)


@pytest.mark.oracle
def test_py_feat_runs_a_file_we_wrote(tool, filled, generated, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inference = pytest.importorskip(
            "feat.multitask.inference", reason="py-feat is not installed"
        )
    # Blendshapes of width 0 and other numbers of AUs are not what its wrapper expects.
    config = ModelConfig.from_dict(
        tool.BASE | {"image_size": 224, "gaze_eye_roi": True, "gaze_head_frame": True}
    )
    network = filled(config)
    path = save_checkpoint(network, tmp_path / "ours.safetensors", licence="MIT")
    theirs = inference.MultitaskModel(weights_path=path)(torch.from_numpy(generated.chips(2)))
    ours = network.predict(generated.chips(2))
    for field in FIELDS:
        wanted = getattr(theirs, "mesh478" if field == "mesh" else field)
        np.testing.assert_allclose(getattr(ours, field), wanted, rtol=0, atol=1e-4)


def test_the_drawn_configurations_cover_every_option(tool):
    rng = np.random.default_rng(0)
    drawn = [tool.drawn(rng) for _ in range(100)]
    for changes in drawn:
        ModelConfig.from_dict(tool.BASE | changes)
    for option in ("gaze_eye_roi", "gaze_pose_6d", "gaze_head_frame", "gaze_hidden", "gaze_bins"):
        on = sum(bool(changes[option]) for changes in drawn)
        assert 10 < on < 90, option


def test_eyes_pool_where_torch_would_without_torchvision(filled, tool):
    """The eye box, written out: bilinear samples on a regular grid inside it."""
    config = ModelConfig.from_dict(
        tool.BASE | {"gaze_eye_roi": True, "gaze_eye_roi_size": 1, "image_size": 96}
    )
    network = filled(config)
    assert network.gaze_eye_enc is not None
    ramp = torch.arange(6.0).expand(1, 1, 6, 6)  # value = column of the stride-16 map
    mesh = torch.full((1, 478, 2), 40.0)
    mesh[:, [362, 263], 0] = 56.0
    seen: list[torch.Tensor] = []
    network.gaze_eye_enc.enc = torch.nn.Sequential(_Recorder(seen))
    network.gaze_eye_enc(ramp.repeat(1, 256, 1, 1), mesh)
    # a pixel p of the input lies at column (p + 0) / 16 - 0.5 of the map
    assert seen[0][:, 0, 0, 0].tolist() == pytest.approx([40 / 16 - 0.5, 56 / 16 - 0.5])


class _Recorder(torch.nn.Module):
    def __init__(self, seen: list[torch.Tensor]) -> None:
        super().__init__()
        self.seen = seen

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append(x)
        return x
