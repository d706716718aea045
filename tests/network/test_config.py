"""The configuration: defaults of the format, types, ranges, what is refused."""

from __future__ import annotations

import dataclasses
import json

import pytest
import timm

from facemt_analysis.errors import CheckpointError
from facemt_analysis.network import ConfigError, FaceMultitask, ModelConfig

# The model card's list: field -> meaning of its absence.
FORMAT_DEFAULTS = {
    "backbone": "convnextv2_tiny.fcmae_ft_in22k_in1k",
    "image_size": 224,
    "n_au": 24,
    "n_mesh": 478,
    "n_emotion": 8,
    "n_blendshape": 0,
    "mesh_normalized": False,
    "bs_use_mesh": True,
    "knn_k": 4,
    "afg_channels": 512,
    "mefl_channels": 512,
    "gcn_layers": 2,
    "drop_path_rate": 0.1,
    "emotion_head_dropout": 0.25,
    "use_head_v3": False,
    "unified_lmk_dim": 256,
    "drop_mefl": False,
    "emotion_use_au_prob": False,
    "emotion_au_prob_detach": True,
    "gaze_eye_roi": False,
    "gaze_eye_dim": 256,
    "gaze_eye_roi_size": 4,
    "gaze_eye_box_frac": 0.18,
    "gaze_pose_6d": False,
    "gaze_pose_detach": True,
    "gaze_head_frame": False,
    "gaze_hidden": 0,
    "gaze_bins": 0,
    "gaze_bin_lo_deg": -180.0,
    "gaze_bin_hi_deg": 180.0,
}


def test_missing_fields_take_the_defaults_of_the_format():
    config = ModelConfig.from_dict({})
    assert {name: getattr(config, name) for name in FORMAT_DEFAULTS} == FORMAT_DEFAULTS
    assert config == ModelConfig()


@pytest.mark.parametrize("name", ["v25_atto", "v26_eyes_atto", "v25_tiny"])
def test_published_configurations_round_trip_unchanged(name, published):
    values = published(name)[0]["config"]
    config = ModelConfig.from_dict(values)
    assert {key: getattr(config, key) for key in values} == values
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_v25_is_the_published_configuration(published):
    assert ModelConfig.v25() == ModelConfig.from_dict(published("v25_tiny")[0]["config"])


def test_unknown_keys_are_ignored():
    assert ModelConfig.from_dict({"option_of_v3": [1], "n_au": 20}) == ModelConfig(n_au=20)


def test_a_configuration_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ModelConfig().n_au = 20


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image_size", 225),
        ("image_size", 0),
        ("image_size", "224"),
        ("n_au", 21),
        ("n_au", True),
        ("n_au", None),
        ("n_mesh", 468),
        ("n_emotion", 6),
        ("n_blendshape", 51),
        ("mesh_normalized", 1),
        ("mesh_normalized", "true"),
        ("knn_k", -1),
        ("knn_k", 24),
        ("knn_k", 2.5),
        ("afg_channels", 0),
        ("afg_channels", 10**9),
        ("unified_lmk_dim", 10**9),
        ("gaze_eye_dim", 0),
        ("gaze_eye_roi_size", 10**6),
        ("gaze_eye_box_frac", 0.0),
        ("gaze_eye_box_frac", float("nan")),
        ("gaze_hidden", -1),
        ("gaze_bins", 10**9),
        ("gaze_bin_lo_deg", 180.0),
        ("gaze_bin_hi_deg", float("inf")),
        ("drop_path_rate", 1.0),
        ("emotion_head_dropout", -0.1),
        ("backbone", 7),
        ("backbone", "resnet50"),
        ("backbone", "hf-hub:somebody/convnextv2_atto"),
    ],
)
def test_a_bad_field_is_refused_by_name_in_one_line(field, value):
    with pytest.raises(ConfigError, match=f"`{field}`") as caught:
        ModelConfig.from_dict({field: value})
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, CheckpointError)
    assert isinstance(caught.value, ValueError)


def test_bins_and_head_frame_exclude_each_other():
    with pytest.raises(ConfigError, match="`gaze_bins` and `gaze_head_frame`"):
        ModelConfig.v25(gaze_bins=10, gaze_head_frame=True)


def test_a_misspelt_backbone_is_recognised():
    with pytest.raises(ConfigError, match=r"Did you mean convnextv2_atto"):
        ModelConfig(backbone="convnextv2_ato")


def test_not_a_mapping():
    with pytest.raises(ConfigError, match="mapping"):
        ModelConfig.from_dict([1, 2])


@pytest.mark.parametrize("field", ["use_head_v3", "drop_mefl"])
def test_networks_before_v24_are_described_but_not_built(field):
    config = ModelConfig.v25(**{field: False})
    with pytest.raises(ConfigError, match=f"`{field}`"):
        FaceMultitask(config)


def test_without_the_edge_head_its_width_follows_the_nodes():
    assert ModelConfig.v25(afg_channels=64).mefl_channels == 64
    assert ModelConfig(afg_channels=64).mefl_channels == 512


def test_whole_floats_pass_for_integers_and_integers_for_floats():
    config = ModelConfig.from_dict({"knn_k": 4.0, "gaze_bin_lo_deg": -90})
    assert type(config.knn_k) is int
    assert type(config.gaze_bin_lo_deg) is float


def test_the_list_of_backbones_is_timms():
    for name in timm.list_models("convnextv2_*"):
        assert ModelConfig(backbone=name).architecture == name
