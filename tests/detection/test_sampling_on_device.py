"""Chips made on a device are those made on the host."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from facemt_analysis.detection import sampling_on_device as module
from facemt_analysis.detection.chips import ChipGeometry, rect_chips, square_chips

from .test_chips import OUTSIDE as BOXES

DEVICES = [
    torch.device("cpu"),
    pytest.param(
        torch.device("cuda"),
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    ),
]
WHICH = [0, 1, 1, 0, 1, 0]
each_device = pytest.mark.parametrize("device", DEVICES, ids=str)
both = pytest.mark.parametrize("cut", [square_chips, rect_chips])


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    """Two frames of noise that differ in size."""
    rng = np.random.default_rng(3)
    return [rng.integers(0, 256, (h, w, 3), dtype=np.uint8) for h, w in ((48, 64), (70, 50))]


def assert_same(cut, frames, boxes, which, device, size=32):
    expected, place = cut(frames, boxes, which, size)
    chips, same_place = cut(frames, boxes, which, size, device=device)
    assert (chips.dtype, chips.shape, chips.device.type) == (
        expected.dtype,
        expected.shape,
        device.type,
    )
    assert chips.is_contiguous()
    torch.testing.assert_close(chips.cpu(), expected, atol=2e-7, rtol=0, equal_nan=True)
    assert same_place.device == place.device  # what it is needed for is done on the host
    assert torch.equal(same_place, place)


@each_device
@both
@pytest.mark.parametrize("size", [1, 7, 32, 256])
def test_bytes(cut, device, frames, size):
    assert_same(cut, frames, BOXES, WHICH, device, size)


@each_device
@both
def test_a_window_much_larger_than_the_chip(cut, device):
    image = np.random.default_rng(0).integers(0, 256, (500, 300, 3), dtype=np.uint8)
    boxes = [[20.0, -80.0, 250.0, 470.0], [-400.0, -400.0, 900.0, 900.0], [5.0, 5.0, 35.0, 45.0]]
    assert_same(cut, [image], boxes, [0, 0, 0], device, size=16)


@both
def test_of_a_large_window_only_rows_that_are_used_travel(cut, monkeypatch):
    sent = []
    monkeypatch.setattr(module, "send", lambda tensor, device: sent.append(tensor) or tensor)
    image = np.zeros((1000, 900, 3), np.uint8)
    cut([image], [[100.0, 100.0, 800.0, 800.0]], [0], 8, device=torch.device("cpu"))
    pixels = sent[0]
    assert pixels.dtype == torch.uint8
    assert len(pixels) <= 16 * 900


@each_device
@both
@pytest.mark.parametrize(
    "turn",
    [
        lambda f: (f / 255).astype(np.float32),
        lambda f: f / 255,
        lambda f: (f / 255).astype(np.float16),
        lambda f: torch.from_numpy(f.transpose(2, 0, 1).copy()),
        lambda f: torch.from_numpy(f / 255).to(torch.bfloat16).permute(2, 0, 1),
    ],
    ids=["float32", "float64", "float16", "planes", "bfloat16"],
)
def test_other_kinds_of_frames(cut, device, frames, turn):
    assert_same(cut, [turn(frames[0]), frames[1]], BOXES, WHICH, device)  # mixed with bytes


@each_device
@both
def test_nan_of_a_frame_stays_with_its_faces(cut, device, frames):
    broken = (frames[0] / 255).astype(np.float32)
    broken[20:30] = np.nan
    assert_same(cut, [broken, frames[1]], BOXES, WHICH, device)
    chips, _ = cut([broken, frames[1]], BOXES, WHICH, 32, device=device)
    assert chips[0].isnan().any()
    assert not chips[1].isnan().any()


@each_device
@both
def test_no_face_gives_no_chip(cut, device, frames):
    chips, place = cut(frames, np.empty((0, 4)), np.empty(0, int), 16, device=device)
    assert chips.shape == (0, 3, 16, 16)
    assert len(place) == 0


@pytest.mark.parametrize(
    ("frames", "which", "message"),
    [
        ([np.full((9, 9, 3), 200.0)], [0], "0 to 1"),
        ([np.zeros((9, 9, 3), np.int32)], [0], "uint8"),
        ([np.zeros((9, 9), np.uint8)], [0], "Each frame"),
        ([np.zeros((9, 9, 3), np.uint8)], [1], "frame_index"),
    ],
)
def test_what_is_wrong_is_told_as_on_the_host(frames, which, message):
    for device in (None, torch.device("cpu")):
        with pytest.raises(ValueError, match=message):
            ChipGeometry().crop(frames, [[1, 1, 5, 5]], which, device)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@both
def test_nothing_waits_for_the_card(cut, frames):
    device = torch.device("cuda")
    cut(frames, BOXES, WHICH, 32, device=device)
    torch.cuda.set_sync_debug_mode("error")
    try:
        cut(frames, BOXES, WHICH, 32, device=device)
    finally:
        torch.cuda.set_sync_debug_mode("default")
