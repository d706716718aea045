"""Photographs bent to other expressions: what is drawn is where the labels say."""

from __future__ import annotations

import importlib
from types import ModuleType

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from facemt_analysis.simulate import AUS, avatar_asset
from facemt_analysis.simulate.rotation import FLIP

FloatArray = npt.NDArray[np.float64]
SIZE = 144


@pytest.fixture(scope="module")
def warp() -> ModuleType:
    return importlib.import_module("warp_photographs")


@pytest.fixture(scope="module")
def face() -> FloatArray:
    """A face (478, 3) in px of a photograph of 300 x 300 px, its mouth shut."""
    return avatar_asset().neutral * 75 * FLIP + [150, 170, 0]


def test_the_same_expression_leaves_the_mesh(warp: ModuleType, face: FloatArray) -> None:
    smiling = np.zeros(20)
    smiling[AUS.index("AU12")] = 0.6
    shown = warp.Photographed(face, np.eye(4), smiling)
    np.testing.assert_allclose(shown.showing(shown.own), face, atol=1e-9)


@pytest.mark.parametrize("degrees", [0, 20])
def test_what_was_at_a_vertex_is_where_the_vertex_went(
    warp: ModuleType, face: FloatArray, degrees: float
) -> None:
    """The colours of the photograph tell the place, before and after."""
    drawn = np.zeros(20)
    drawn[[AUS.index(name) for name in ("AU04", "AU09", "AU17", "AU24")]] = 0.9
    turn = np.eye(4)
    turn[:3, :3] = cv2.Rodrigues(np.radians([0.0, degrees, 0.0]))[0]
    middle = face.mean(0)
    before = (face - middle) * FLIP @ turn[:3, :3].T * FLIP + middle
    after = warp.Photographed(before, turn, np.zeros(20)).showing(drawn)
    brows, chin = [105, 334, 66, 296], [152, 175, 199]
    assert (after[brows, 1] - before[brows, 1] > 3).all()
    assert (after[chin, 1] - before[chin, 1] < -1).all()
    y, x = np.mgrid[:300, :300] * 0.85
    photo = np.stack([x, y, 0 * x], -1).astype(np.uint8)
    to_chip, _ = warp.place(after, SIZE, None)

    def in_chip(mesh: FloatArray) -> FloatArray:
        return np.asarray(mesh[:, :2] @ to_chip[:, :2].T + to_chip[:, 2])

    chip = warp.bend(photo, to_chip, in_chip(before), in_chip(after), SIZE)
    at = np.round(in_chip(after)).astype(int)
    rest = (in_chip(after) - at) @ np.linalg.inv(to_chip[:, :2]).T  # px of the photograph
    told = chip[at[:, 1], at[:, 0], :2] / 0.85 + rest
    off = np.linalg.norm(told - before[:, :2], axis=1)
    moved = np.linalg.norm(after[:, :2] - before[:, :2], axis=1)
    assert np.median(off) < 1.2
    assert off[moved > 4].max() < moved[moved > 4].min()
    corners = chip[[0, 0, -1, -1], [0, -1, 0, -1], :2] / 0.85
    straight = (np.array([[0, 0], [SIZE - 1, 0], [0, SIZE - 1], [SIZE - 1, SIZE - 1]])
                - to_chip[:, 2]) @ np.linalg.inv(to_chip[:, :2]).T  # fmt: skip
    inside = (straight > 1).all(1) & (straight < 298).all(1)
    np.testing.assert_allclose(corners[inside], straight[inside], atol=2.5)


def test_bending_opens_nothing_and_leaves_teeth(warp: ModuleType) -> None:
    rng = np.random.default_rng(0)
    at = {name: AUS.index(name) for name in AUS}
    shut, parted = np.zeros(20), np.zeros(20)
    shut[at["AU12"]] = parted[at["AU12"]] = parted[at["AU25"]] = 0.6
    mouth = [at[name] for name in AUS if name not in warp.UPPER]
    for own in (shut, parted):
        drawn = np.array([warp.draw(rng, own) for _ in range(200)])
        for name in warp.OPENINGS:
            np.testing.assert_array_equal(drawn[:, at[name]], own[at[name]])
        assert drawn[:, at["AU04"]].max() > 0.5
        assert (drawn[:, mouth] == own[mouth]).all() == (own is parted)
        if own is shut:
            assert drawn[:, at["AU24"]].max() > 0.5
            assert (drawn[:, at["AU12"]] < 0.1).mean() > 0.3  # smiles go
