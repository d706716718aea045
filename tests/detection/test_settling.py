"""Boxes of a rough face detector, moved to the mesh that the network sees in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from facemt_analysis import Detector, schema
from facemt_analysis.detection import HaarCascade
from facemt_analysis.detection.faces.base import Framing
from facemt_analysis.detection.settling import Settler, settled
from facemt_analysis.simulate import CHIP_FRAMING, avatar_asset, render

BOX = ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"]
HAAR = HaarCascade.framing


def mesh_in(box: np.ndarray, framing: Framing) -> np.ndarray:
    """Corners of the mesh that a box (4,) was drawn around."""
    x1, y1, x2, y2 = framing.apply(box)[0]
    tall = (y2 - y1) / 1.162
    middle = np.array([(x1 + x2) / 2, (y1 + y2) / 2 + 0.077 * tall])
    half = np.array([0.4 * tall, tall / 2])
    return np.stack([middle - half, middle + half])[None]


@pytest.mark.parametrize("framing", [Framing(), HAAR], ids=["canonical", "haar"])
@pytest.mark.parametrize(("off", "grown"), [((0.0, 0.0), 1.0), ((20.0, -10.0), 1.0), ((0, 0), 1.2)])
def test_a_box_near_its_mesh_is_drawn_anew(
    framing: Framing, off: tuple[float, float], grown: float
) -> None:
    right = np.array([[100.0, 50.0, 200.0, 170.0]])
    mesh = mesh_in(right, framing)
    right = np.concatenate([right, [[0.8]]], axis=1).astype(np.float32)
    # width does not count: it changes with the turn of the head
    once = settled(right, mesh, framing)
    given = once.copy()
    given[:, :4] += [*off, *off]
    middle = (given[:, :2] + given[:, 2:4]) / 2
    half = grown * (given[:, 2:4] - given[:, :2]) / 2
    given[:, :4] = np.concatenate([middle - half, middle + half], axis=1)
    np.testing.assert_allclose(settled(given, mesh, framing), once, atol=1e-3)
    np.testing.assert_allclose(once[:, [1, 3, 4]], right[:, [1, 3, 4]], atol=1e-3)


@pytest.mark.parametrize(
    "mesh",
    [
        np.full((1, 5, 3), np.nan),
        np.zeros((1, 5, 3)),  # a point
        mesh_in(np.array([[400.0, 50.0, 500.0, 170.0]]), Framing()),  # elsewhere
        mesh_in(np.array([[140.0, 100.0, 160.0, 124.0]]), Framing()),  # far smaller
    ],
    ids=["nan", "point", "elsewhere", "small"],
)
def test_a_box_far_from_its_mesh_stays(mesh: np.ndarray) -> None:
    box = np.array([[100.0, 50.0, 200.0, 170.0, 0.6]], np.float32)
    np.testing.assert_array_equal(settled(box, mesh, Framing()), box)


def test_no_box_is_no_box() -> None:
    assert settled(np.empty((0, 5), np.float32), np.empty((0, 478, 3)), HAAR).shape == (0, 5)


class Told:
    """Stands in for the network: every mesh is a little to the right of its box."""

    framing = Framing()

    def cut(
        self, images: Sequence[np.ndarray], boxes: np.ndarray, image_of: np.ndarray
    ) -> Iterator[tuple[slice, np.ndarray, None]]:
        assert all(images[i].any() for i in image_of)
        for first in range(0, len(boxes), 2):
            part = slice(first, first + 2)
            yield part, boxes[part], None

    def read(self, chips: np.ndarray, placement: None) -> tuple[None, np.ndarray]:
        moved = np.add(chips[:, :4], [9, 0, 9, 0])
        return None, np.concatenate([mesh_in(box, self.framing) for box in moved])


def test_faces_that_stand_close_keep_their_boxes() -> None:
    first = np.array([100, 50, 200, 190, 0.9], np.float32)
    shift = np.array([1, 0, 1, 0, 0], np.float32)
    boxes = [
        first[None],
        np.empty((0, 5), np.float32),
        np.stack([first, first + 60 * shift]),  # half behind each other
        np.stack([first, first + 700 * shift, first + 1500 * shift]),
    ]
    images = [np.full((4, 4, 3), bool(len(each)), np.uint8) for each in boxes]
    found = Settler(Told())(images, boxes)
    np.testing.assert_array_equal(found[2], boxes[2])
    for one, was in zip(found, boxes, strict=True):
        assert one.shape == was.shape
    for k in (0, 3):
        moved = (found[k][:, [0, 2]] - boxes[k][:, [0, 2]]).mean(axis=1)
        np.testing.assert_allclose(moved, 9, atol=1e-3)


class Shaky:
    """Gives the right box of a drawn face, moved by what is asked for."""

    name, thread_safe, framing = "shaky", True, Framing()

    def __init__(self, mesh: np.ndarray, rough: bool) -> None:
        tall = np.ptp(mesh[:, 1])
        middle = (mesh.min(0) + mesh.max(0))[:2] / 2 - [0, 0.077 * tall]
        half = tall * 1.162 / 2 * np.array([0.72, 1.0])
        self.box = np.concatenate([middle - half, middle + half])
        self.rough, self.off = rough, iter([(0, 0), (0.12, 0), (-0.12, 0.08), (0.06, -0.1)])

    def detect(self, frames: list[np.ndarray]) -> list[np.ndarray]:
        tall = self.box[3] - self.box[1]
        found = []
        for _ in frames:
            x, y = np.multiply(next(self.off), tall)
            found.append(np.array([[*np.add(self.box, [x, y, x, y]), 0.9]], np.float32))
        return found


@pytest.mark.usefixtures("one_thread")
def test_what_the_network_says_depends_less_on_a_shaky_box() -> None:
    drawn = render(avatar_asset(), framing=CHIP_FRAMING, size=256)
    spread = {}
    for rough in (False, True):
        tool = Detector("open", face_detector=Shaky(drawn.mesh, rough), follow=False, threads=1)
        fex = tool.detect(np.stack([drawn.image] * 4), progress=False)
        for name, columns in (("box", BOX), ("AUs", schema.GROUPS["aus"].columns)):
            values = fex[list(columns)].to_numpy(float)
            spread[name, rough] = np.ptp(values, axis=0).mean()
    assert spread["box", True] < 0.15 * spread["box", False]
    assert spread["AUs", True] < 0.9 * spread["AUs", False]
