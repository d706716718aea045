"""The published configurations: tensor names, and outputs for generated weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from facemt_analysis.network import FaceMultitask, ModelConfig

NAMES = ("v25_atto", "v26_eyes_atto", "v25_tiny")
OUTPUTS = {
    "au": 1e-4,
    "emotion": 1e-4,
    "valence": 1e-4,
    "arousal": 1e-4,
    "gaze": 1e-4,
    "pose": 1e-4,
    "mesh": 1e-3,
    "landmarks68": 1e-3,
    "blendshapes": 1e-4,
}


@pytest.mark.parametrize("name", NAMES)
def test_state_dict_has_exactly_the_published_names_shapes_and_order(name, published):
    listing, _ = published(name)
    with torch.device("meta"):
        network = FaceMultitask(ModelConfig.from_dict(listing["config"]))
    ours = {key: list(value.shape) for key, value in network.state_dict().items()}
    assert list(ours.items()) == list(listing["tensors"].items())


@pytest.mark.parametrize("name", NAMES)
def test_outputs_agree_with_the_published_implementation(name, published, filled, generated):
    listing, golden = published(name)
    network = filled(ModelConfig.from_dict(listing["config"]))
    chips = generated.chips(3)

    x = network.prepare(torch.from_numpy(chips))
    np.testing.assert_allclose(x.mean(dim=(1, 2, 3)), golden["preprocessed_mean"], atol=1e-6)
    np.testing.assert_allclose(x[:, :, :4, :4], golden["preprocessed_corner"], atol=1e-6)

    prediction = network.predict(chips)
    for field, tolerance in OUTPUTS.items():
        wanted = golden["mesh478" if field == "mesh" else field]
        np.testing.assert_allclose(
            getattr(prediction, field), wanted, rtol=0, atol=tolerance, err_msg=field
        )
