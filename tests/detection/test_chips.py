"""Chips: against the published crops, and against torch's own sampling of the whole frame."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn.functional import grid_sample

from facemt_analysis.detection.chips import ChipGeometry, rect_chips, square_chips

OUTSIDE = [
    [10.0, 12.0, 40.0, 50.0],  # inside
    [-15.0, 5.0, 20.0, 30.0],  # over the left edge
    [50.0, 30.0, 90.0, 71.5],  # over the lower right corner
    [-200.0, -90.0, 150.0, 130.0],  # several frames large
    [100.0, 80.0, 120.0, 95.0],  # wholly outside
    [30.2, 20.7, 30.9, 21.1],  # smaller than a pixel
]


@pytest.fixture(scope="module")
def noise() -> torch.Tensor:
    """Two frames of noise (b, 3, H, W): neighbouring pixels differ as much as they can."""
    rng = np.random.default_rng(3)
    return torch.from_numpy(rng.integers(0, 256, (2, 3, 48, 64), dtype=np.uint8))


def on_whole_frame(frames, boxes, index, size, mode):
    """The two crops as formulas for torch's grid_sample, in float64 on whole frames."""
    box = torch.tensor(boxes, dtype=torch.float64)
    centre, extent = (box[:, :2] + box[:, 2:]) / 2, 1.2 * (box[:, 2:] - box[:, :2])
    if mode == "square":
        extent = extent.max(dim=1, keepdim=True).values.clamp(min=1).expand(-1, 2)
    height, width = frames.shape[2:]
    where = (torch.arange(size, dtype=torch.float64) + 0.5) / size
    x, y = ((centre - extent / 2)[..., None] + where * extent[..., None]).unbind(1)
    if mode == "square":
        x, y, padding = 2 * (x + 0.5) / width - 1, 2 * (y + 0.5) / height - 1, "reflection"
    else:
        x, y, padding = 2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1, "zeros"
    grid = torch.stack(
        [x[:, None].expand(-1, size, -1), y[:, :, None].expand(-1, -1, size)], dim=-1
    )
    pixels = frames.double() / 255
    return grid_sample(pixels[index], grid, padding_mode=padding, align_corners=False)


def test_published_crops_are_reproduced(data, generated):
    golden = np.load(data / "crop.npz")
    height, width = int(golden["height"]), int(golden["width"])
    frames = generated.chips(2, width, int(golden["image_seed"]))[:, :, :height]
    boxes, index, step = golden["boxes"], golden["frame_index"], int(golden["step"])

    chips, placement = square_chips(frames, boxes, index)
    assert chips.shape == (3, 3, 256, 256)
    assert chips.dtype == torch.float32
    np.testing.assert_allclose(chips[:, :, ::step, ::step], golden["square"], atol=1e-5)
    np.testing.assert_allclose(placement, golden["square_origin_side"], atol=1e-4)

    chips, rounded = rect_chips(frames, boxes, index)
    np.testing.assert_allclose(chips[:, :, ::step, ::step], golden["rect"], atol=1e-5)
    np.testing.assert_array_equal(rounded, golden["rect_boxes"])
    assert rounded.dtype == torch.int64


def test_every_published_pixel_is_reproduced(shared, generated):
    golden = np.load(shared / "checkpoint" / "crop.npz")
    frames = torch.from_numpy(generated.chips(2, 300, int(golden["image_seed"]))[:, :, :200])
    for cut, name in ((square_chips, "square"), (rect_chips, "rect")):
        chips, _ = cut(frames, golden["boxes"], golden["frame_index"])
        np.testing.assert_allclose(chips[:, :, ::4, ::4], golden[name], atol=1e-5)


@pytest.mark.parametrize("size", [1, 8, 112, 256])
@pytest.mark.parametrize(("cut", "mode"), [(square_chips, "square"), (rect_chips, "rect")])
def test_equals_sampling_the_whole_frame(noise, cut, mode, size):
    index = [0, 1, 0, 1, 0, 1]
    chips, _ = cut(noise, OUTSIDE, index, size=size)
    expected = on_whole_frame(noise, OUTSIDE, index, size, mode)
    np.testing.assert_allclose(chips, expected, atol=1e-6)


def test_random_boxes_equal_sampling_the_whole_frame(noise):
    rng = np.random.default_rng(5)
    corner = rng.uniform(-60, 60, (200, 2))
    boxes = np.column_stack([corner, corner + rng.uniform(0, 150, (200, 2))])
    index = rng.integers(0, 2, 200)
    for cut, mode in ((square_chips, "square"), (rect_chips, "rect")):
        chips, _ = cut(noise, boxes, index, size=17)
        expected = on_whole_frame(noise, boxes, index, 17, mode)
        np.testing.assert_allclose(chips, expected, atol=1e-6)


def test_layout_type_and_container_do_not_matter(noise):
    index = np.array([0, 1, 0, 1, 0, 1])
    expected, _ = square_chips(noise, OUTSIDE, index, size=32)
    last = noise.permute(0, 2, 3, 1)
    unit = noise.float() / 255
    for frames in (
        noise.numpy(),
        last,
        last.numpy(),
        last.numpy()[:, :, ::-1][:, :, ::-1],  # negative strides
        list(last.numpy()),
        tuple(noise),
        unit,
        unit.double().numpy(),
        list(unit.permute(0, 2, 3, 1).numpy()),
    ):
        chips, _ = square_chips(frames, OUTSIDE, index, size=32)
        np.testing.assert_allclose(chips, expected, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_frames_are_taken(noise, dtype):
    expected, _ = square_chips(noise, OUTSIDE, [0] * 6, size=32)
    chips, _ = square_chips((noise.float() / 255).to(dtype), OUTSIDE, [0] * 6, size=32)
    assert chips.dtype == torch.float32
    np.testing.assert_allclose(chips, expected, atol=4e-3)


def test_frames_of_one_list_may_differ_in_size(noise):
    large = noise[0].permute(1, 2, 0).numpy()
    small = np.ascontiguousarray(large[:30, :40])
    boxes = [[5, 5, 20, 20], [5, 5, 60, 40], [30, 5, 45, 20]]
    chips, _ = square_chips([small, large], boxes, [0, 1, 0], size=16)
    for k, (frame, box) in enumerate(zip([small, large, small], boxes, strict=True)):
        alone, _ = square_chips(frame[None], [box], [0], size=16)
        assert torch.equal(chips[k], alone[0])


def test_no_boxes_give_no_chips(noise):
    for boxes in (np.empty((0, 4)), []):
        chips, placement = square_chips(noise, boxes, np.empty(0, int))
        assert (chips.shape, placement.shape) == ((0, 3, 256, 256), (0, 3))
        chips, placement = rect_chips(list(noise.numpy()), boxes, [])
        assert (chips.shape, placement.shape) == ((0, 3, 256, 256), (0, 4))


def test_input_is_left_alone(noise):
    frames, boxes = noise.clone(), np.array(OUTSIDE)
    square_chips(frames, boxes, [0] * 6)
    rect_chips(frames, boxes, [0] * 6)
    assert torch.equal(frames, noise)
    np.testing.assert_array_equal(boxes, OUTSIDE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"boxes": [[1, 2, 3]]}, r"`boxes` must be \(n, 4\)"),
        ({"boxes": [[1, 2, np.nan, 4]]}, "must be finite"),
        ({"boxes": [[5, 2, 3, 4]]}, "x2 >= x1"),
        ({"frame_index": [0, 1]}, "one integer for each of the 1 boxes"),
        ({"frame_index": [0.0]}, "one integer"),
        ({"frame_index": [2]}, "0 to 1 for 2 frames"),
        ({"frame_index": [-1]}, "0 to 1 for 2 frames"),
        ({"size": 0}, "`size` must be at least 1"),
        ({"frames": np.zeros((2, 48, 64), np.uint8)}, "a single frame goes into a list"),
        ({"frames": np.zeros((2, 4, 48, 64), np.uint8)}, "must be"),
        ({"frames": np.zeros((2, 48, 64, 3), np.int32)}, "uint8 or floating point"),
        ({"frames": torch.zeros((2, 3, 48, 64), dtype=torch.int32)}, "uint8 or floating point"),
        ({"frames": np.full((2, 48, 64, 3), 200.0)}, "divide 8-bit values by 255"),
    ],
)
@pytest.mark.parametrize("cut", [square_chips, rect_chips])
def test_wrong_input_is_named(noise, cut, change, message):
    arguments = {"frames": noise, "boxes": [[1, 2, 30, 40]], "frame_index": [0], "size": 8}
    with pytest.raises(ValueError, match=message):
        cut(**{**arguments, **change})


class TestGeometry:
    def test_follows_the_configuration(self):
        new = ChipGeometry.for_config(mesh_normalized=True, image_size=112)
        assert (new.mode, new.resize, new.image_size) == ("square", "resize", 112)
        old = ChipGeometry.for_config(mesh_normalized=False, image_size=224)
        assert (old.mode, old.resize, old.mesh_normalized) == ("rect", "crop", False)

    def test_is_a_value(self):
        assert ChipGeometry() == ChipGeometry("square")
        assert hash(ChipGeometry()) == hash(ChipGeometry())
        with pytest.raises(dataclasses.FrozenInstanceError):
            ChipGeometry().mode = "rect"

    @pytest.mark.parametrize(
        "wrong", [{"mode": "oval"}, {"resize": "pad"}, {"size": 0}, {"expand": float("nan")}]
    )
    def test_refuses_what_it_does_not_know(self, wrong):
        with pytest.raises(ValueError, match=f"`{next(iter(wrong))}` must be"):
            ChipGeometry(**wrong)

    @pytest.mark.parametrize("mode", ["square", "rect"])
    @pytest.mark.parametrize("resize", ["resize", "crop"])
    @pytest.mark.parametrize("normalized", [True, False])
    @pytest.mark.parametrize("image_size", [224, 112, 256])
    def test_a_bright_spot_is_found_again(self, mode, resize, normalized, image_size):
        """Frame → chip → network input → where is the spot? → back to the frame."""
        from facemt_analysis.network.preprocess import prepare

        geometry = ChipGeometry(
            mode, resize, mesh_normalized=normalized, image_size=image_size
        )  # fmt: skip
        y, x = np.mgrid[:200, :300]
        spots = np.array([[141.0, 97.0], [150.0, 90.0]])
        frames = [
            np.repeat(np.exp(-((x - sx) ** 2 + (y - sy) ** 2) / 18)[..., None], 3, axis=2)
            for sx, sy in spots
        ]
        chips, placement = geometry.crop(frames, [[100, 40, 190, 160], [90, 20, 200, 150]], [0, 1])
        inputs = prepare(chips, image_size, resize)[:, 0].numpy()
        inputs = inputs - inputs.min(axis=(1, 2), keepdims=True)
        pixels = np.arange(image_size) + 0.5  # pixel i covers i to i + 1
        mass = inputs.sum(axis=(1, 2))
        over_x, over_y = inputs.sum(axis=1), inputs.sum(axis=2)
        point = np.stack([over_x @ pixels / mass, over_y @ pixels / mass], axis=1)
        mesh = point[:, None] / image_size if normalized else point[:, None]
        back = geometry.mesh_to_frame(mesh, placement)[:, 0]
        # the rect crop is off by up to half a pixel and rounds its box, by definition
        np.testing.assert_allclose(back, spots, atol=0.02 if mode == "square" else 1.2)

    def test_mesh_keeps_its_proportions(self):
        mesh = np.random.default_rng(0).normal(0.5, 0.2, (3, 478, 3))
        placement = [[10.0, 20.0, 100.0], [-5.0, 0.0, 55.5], [0.0, 0.0, 1.0]]
        back = ChipGeometry().mesh_to_frame(mesh, placement)
        assert back.dtype == np.float32
        for k in range(3):  # one factor for all three axes: distances scale by it
            before = np.linalg.norm(np.diff(mesh[k], axis=0), axis=1)
            after = np.linalg.norm(np.diff(back[k], axis=0), axis=1)
            np.testing.assert_allclose(after, before * placement[k][2], rtol=1e-4)

    def test_z_of_a_rect_chip_has_the_mean_scale(self):
        geometry = ChipGeometry("rect", "resize")
        back = geometry.mesh_to_frame(np.ones((1, 1, 3)), [[0, 0, 40, 90]])
        np.testing.assert_allclose(back[0, 0], [40, 90, 60])

    def test_chip_corners_are_box_corners(self):
        square = ChipGeometry().mesh_to_frame([[[0.0, 0.0], [1.0, 1.0]]], [[-3.0, 4.0, 50.0]])
        np.testing.assert_allclose(square, [[[-3, 4], [47, 54]]])
        old = ChipGeometry.for_config(mesh_normalized=False, image_size=224)
        points = old.mesh_to_frame([[[-16.0, -16.0], [240.0, 240.0]]], [[10, 20, 110, 220]])
        np.testing.assert_allclose(points, [[[10, 20], [110, 220]]])

    def test_unknown_points_stay_unknown(self):
        mesh = np.full((1, 478, 3), np.nan, np.float32)
        assert np.isnan(ChipGeometry().mesh_to_frame(mesh, [[0, 0, 1]])).all()

    @pytest.mark.parametrize(
        ("mesh", "placement", "message"),
        [
            (np.zeros((2, 478)), np.zeros((2, 3)), r"\(n, k, 2 or 3\)"),
            (np.zeros((2, 478, 3)), np.zeros((2, 4)), "square chips must be"),
            (np.zeros((2, 478, 3)), np.zeros((1, 3)), r"must be \(2, 3\)"),
        ],
    )
    def test_shapes_that_do_not_fit_are_named(self, mesh, placement, message):
        with pytest.raises(ValueError, match=message):
            ChipGeometry().mesh_to_frame(mesh, placement)


def test_gpu_frames_give_gpu_chips(noise):
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    expected, _ = square_chips(noise, OUTSIDE, [0] * 6, size=32)
    chips, placement = square_chips(noise.cuda(), torch.tensor(OUTSIDE).cuda(), [0] * 6, size=32)
    assert chips.is_cuda
    assert placement.is_cuda
    assert torch.equal(chips.cpu(), expected)
