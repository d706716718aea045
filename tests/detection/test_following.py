"""Faces followed between looks of the face detector: where the truth is known frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from facemt_analysis.detection import following
from facemt_analysis.detection.measuring import Faces, measure_unit
from facemt_analysis.detection.media import Frame
from facemt_analysis.detection.units import Place, Unit, units, window_of

Truth = Callable[[int], list[tuple[float, float]]]
SIDE = 40.0


def film(n: int, rate: float = 30.0, first: int = 0, size: int = 4) -> list[Frame]:
    image = np.zeros((size, size, 3), np.uint8)
    return [Frame(i, i / rate, image) for i in range(first, first + n)]


class World:
    """Faces at known places; looks and measurements are made from them."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.looked: list[int] = []

    def boxes(self, index: int) -> np.ndarray:
        rows = sorted((x, y, x + SIDE, y + SIDE, 0.9) for x, y in self.truth(index))
        return np.asarray(rows, np.float32).reshape(-1, 5)

    def find(self, frames: Sequence[Frame]) -> list[np.ndarray]:
        self.looked += [frame.index for frame in frames]
        return [self.boxes(frame.index) for frame in frames]

    def measure(self, frames: Sequence[Frame]) -> Callable[..., Faces]:
        """A network that sees the nearest face, as far as it lies in the box."""

        def run(images: object, boxes: np.ndarray, frame_of: np.ndarray) -> Faces:
            relation, coarse = [], []
            for box, position in zip(boxes, frame_of, strict=True):
                places = np.asarray(self.truth(frames[position].index), float).reshape(-1, 2)
                off = (places - box[:2]) / SIDE
                nearest = off[np.abs(off).sum(1).argmin()] if len(off) else np.full(2, 9.0)
                there = np.abs(nearest).max() < 0.5
                relation.append([*(nearest if there else (0.0, 0.0)), 0.0])
                picture = np.zeros(256, np.float32)
                picture[0 if there else 1] = 1.0  # what is no face looks otherwise
                coarse.append(picture)
            return Faces(
                boxes, frame_of, {"faceboxes": boxes}, np.asarray(relation).reshape(-1, 3),
                np.asarray(coarse, np.float32).reshape(-1, 256),
            )  # fmt: skip

        return run

    def run(self, n: int, every: int = 8) -> dict[int, np.ndarray]:
        """Boxes frame by frame, as a recording of n frames gives them."""
        found: dict[int, np.ndarray] = {}
        before = None
        for unit in units(film(n), every):
            last = unit.frames[-1]
            (closing,) = self.find([last])
            faces = measure_unit(
                unit, None if unit.opens else before, closing, self.find, self.measure(unit.frames)
            )
            for i, frame in enumerate(unit.frames):
                found[frame.index] = faces.boxes[faces.frame_of == i]
            before = (closing, last.time)
        return found


def test_a_steady_motion_needs_few_looks() -> None:
    world = World(lambda i: [(10 + 1.0 * i, 20 + 0.5 * i)])
    found = world.run(49)
    assert sorted(world.looked) == [0, 8, 16, 24, 32, 40, 48]
    for index, boxes in found.items():
        np.testing.assert_allclose(boxes, world.boxes(index), atol=1e-4)


@pytest.mark.parametrize(
    ("truth", "why"),
    [
        (lambda i: [(10.0, 10.0)] if i < 20 else [], "the face leaves"),
        (lambda i: [] if i < 20 else [(10.0, 10.0)], "a face comes"),
        (lambda i: [(10.0, 10.0)] if i < 20 else [(200.0, 90.0)], "a cut to another place"),
        (lambda i: [(10 + 9.0 * i, 10.0)], "a quick motion"),
        (lambda i: [(60 + 50 * np.sin(i * np.pi / 8), 10.0)], "to and fro between two looks"),
        (lambda i: [(4.0 * i, 10.0), (200 - 4.0 * i, 12.0)], "two faces that cross"),
        (lambda i: [] if i in (19, 20) else [(10.0, 10.0)], "hidden between two looks"),
        (lambda i: [], "nobody"),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_what_cannot_be_followed_is_looked_at(truth: Truth, why: str) -> None:
    world = World(truth)
    for index, boxes in world.run(50).items():
        wanted = world.boxes(index)
        assert len(boxes) == len(wanted), (why, index)
        for box, true in zip(boxes, wanted, strict=True):
            assert np.abs(box[:4] - true[:4]).max() <= 0.13 * SIDE, (why, index)


def test_no_clock_counts_frames() -> None:
    one = np.array([[10, 10, 50, 50, 1]], np.float32)
    assert following.is_bridged(one, one, float("nan"))
    assert not following.is_bridged(one, one, following.LONGEST + 0.01)
    assert not following.is_bridged(one[:0], one[:0], 0.1)


@pytest.mark.parametrize("rate", [4, 5, 7.5, 10, 12.5, 15, 23.976, 24, 25, 29.97, 30, 50, 60, 120])
def test_looks_are_near_enough_in_time_to_be_bridged(rate: float) -> None:
    distance = following.look_distance(rate)
    one = np.array([[10, 10, 50, 50, 1]], np.float32)
    assert distance >= 2
    assert following.is_bridged(one, one, distance / rate)


@pytest.mark.parametrize("rate", [None, 1000.0, 90_000.0, 0.0, float("nan")])
def test_a_rate_that_is_no_rate_is_not_believed(rate: float | None) -> None:
    assert following.look_distance(rate) == following.EVERY


def test_doubt_about_nan() -> None:
    zero, alike = np.zeros((1, 3)), np.ones(1)
    assert not following.doubtful(zero, zero, alike)[0]
    assert following.doubtful(np.full((1, 3), np.nan), zero, alike)[0]
    assert following.doubtful(zero, zero, np.array([np.nan]))[0]


def test_partners_keep_their_rows_when_the_detector_swaps_them() -> None:
    left = np.array([[0, 0, 10, 10, 1], [50, 0, 60, 10, 0.5]], np.float32)
    right = left[::-1] + np.array([2, 0, 2, 0, 0], np.float32)
    middle = following.between(left, right, 0.5)
    np.testing.assert_allclose(middle[:, 0], [51, 1])
    np.testing.assert_allclose(middle[:, 4], [0.5, 1])


# ------------------------------------------------------------------------------------------ units


def flat(parts: Sequence[Unit]) -> list[int]:
    return [frame.index for unit in parts for frame in unit.frames]


@pytest.mark.parametrize("n", [1, 2, 8, 9, 16, 17, 18, 33, 50])
def test_units_hold_every_frame_once_and_end_with_a_look(n: int) -> None:
    parts = list(units(film(n), 8))
    assert flat(parts) == list(range(n))
    assert [unit.opens for unit in parts] == [True] + [False] * (len(parts) - 1)
    for unit in parts:
        assert unit.looks[-1] == len(unit.frames) - 1
        assert len(unit.frames) <= 17
    looks = {unit.frames[i].index for unit in parts for i in unit.looks}
    assert looks == {*range(0, n, 8), n - 1}


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_a_unit_follows_from_the_place_where_the_one_before_ended(cut: int) -> None:
    frames = film(60)
    whole = list(units(frames, 8))
    last = whole[cut].frames[-1]
    place = Place(last.index, last.time, whole[cut].first + len(whole[cut].frames) - 1)
    rest = list(units(frames[last.index + 1 :], 8, place))
    assert rest == whole[cut + 1 :]


def test_windows_share_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from facemt_analysis.detection import units as module

    monkeypatch.setattr(module, "WINDOW", 1.0)
    frames = film(75)
    whole = list(units(frames, 8))
    apart = [
        unit for window in range(3)
        for unit in units([f for f in frames if window_of(f.time) == window], 8)
    ]  # fmt: skip
    assert whole == apart
    assert sum(unit.opens for unit in whole) == 3


def test_units_of_large_pictures_are_small() -> None:
    frames = film(40, size=1200)  # 4.3 MB each
    assert max(len(unit.frames) for unit in units(frames, 8)) == 9
    assert max(len(unit.frames) for unit in units(frames, 1)) == 8
