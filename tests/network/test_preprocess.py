"""From chips to the network's input, against torchvision and Pillow."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import functional as transforms

from facemt_analysis.network import ModelConfig
from facemt_analysis.network.preprocess import (
    check_chips,
    check_extremes,
    extremes,
    normalise,
    prepare,
)


@pytest.mark.parametrize("side", [96, 224, 256, 288])
def test_resize_is_torchvisions_antialiased_one(side, generated):
    chips = torch.from_numpy(generated.chips(2))
    expected = transforms.normalize(
        transforms.resize(chips, [side, side], antialias=True),
        [0.485, 0.456, 0.406],
        [0.229, 0.224, 0.225],
    )
    np.testing.assert_allclose(prepare(chips, side, "resize"), expected, atol=1e-5)


def test_resize_agrees_with_pillow():
    rng = np.random.default_rng(0)
    plane = rng.random((256, 256), dtype=np.float32)
    chips = torch.from_numpy(np.broadcast_to(plane, (1, 3, 256, 256)).copy())
    expected = np.asarray(Image.fromarray(plane).resize((128, 128), Image.Resampling.BILINEAR))
    ours = prepare(chips, 128, "resize")[0, 0] * 0.229 + 0.485
    np.testing.assert_allclose(ours, expected, atol=1e-5)


@pytest.mark.parametrize("side", [32, 224, 256, 288])
def test_crop_is_torchvisions_centre_crop(side, generated):
    chips = torch.from_numpy(generated.chips(2))
    expected = normalise(transforms.center_crop(chips, [side, side]))
    np.testing.assert_array_equal(prepare(chips, side, "crop"), expected)


def test_chips_of_another_size_are_brought_to_the_standard_one_before_cropping(generated):
    chips = torch.from_numpy(generated.chips(1, size=512))
    expected = transforms.center_crop(
        transforms.resize(chips, [256, 256], antialias=True), [224, 224]
    )
    np.testing.assert_allclose(prepare(chips, 224, "crop"), normalise(expected), atol=1e-5)


def test_the_default_follows_the_mesh():
    assert ModelConfig.v25().preprocess == "resize"
    assert ModelConfig.v25(mesh_normalized=False).preprocess == "crop"


def test_unknown_way(generated):
    with pytest.raises(ValueError, match="'resize' or 'crop', but is 'pad'"):
        prepare(torch.from_numpy(generated.chips(1)), 224, "pad")


@pytest.mark.parametrize(
    ("chips", "told"),
    [
        ([[1.0]], "list"),
        (np.zeros((3, 256, 256), np.float32), "shape"),
        (np.zeros((1, 256, 256, 3), np.float32), "shape"),
        (np.zeros((1, 3, 256, 128), np.float32), "square"),
        (np.zeros((1, 3, 1, 1), np.float32), "2 pixels"),
        (np.zeros((1, 3, 8, 8), np.uint8), "divide by 255"),
        (np.full((1, 3, 8, 8), 200.0), "divide 8-bit values by 255"),
        (np.full((1, 3, 8, 8), -1.0), "run from -1"),
    ],
)
def test_wrong_chips_are_refused(chips, told):
    with pytest.raises(ValueError, match=told) as caught:
        check_chips(chips)
    assert "`chips`" in str(caught.value)


def test_other_layouts_and_types_pass(generated):
    chips = generated.chips(1)
    for other in (
        chips.astype(np.float64),
        chips[..., ::-1],  # negative strides
        torch.from_numpy(chips).to(memory_format=torch.channels_last),
        chips.astype(">f4"),
    ):
        assert check_chips(other).dtype == torch.float32
    np.testing.assert_array_equal(check_chips(chips.astype(">f4")), chips)
    readonly = chips.copy()
    readonly.flags.writeable = False
    np.testing.assert_array_equal(check_chips(readonly), chips)


def test_extremes_of_chips_are_checked_as_the_chips_are(generated):
    chips = torch.from_numpy(generated.chips(3))
    chips[1, 0, 0, 0] = float("nan")
    check_extremes(extremes(chips).numpy())
    chips[2] *= 255
    with pytest.raises(ValueError, match="divide 8-bit values by 255"):
        check_extremes(extremes(chips).numpy())
    check_extremes(np.empty((0, 2)))
    check_extremes(np.full((2, 2), np.nan))


def test_chips_elsewhere_are_not_waited_for():
    chips = torch.full((1, 3, 8, 8), 200.0, device="meta")  # has no values to look at
    assert check_chips(chips) is chips
