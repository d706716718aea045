"""On real portraits: the renderer gives the photograph back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facemt_analysis.simulate import (
    asset_from_photo,
    aus_from_blendshapes,
    eye_opening,
    person_mask,
    pose_of,
    render,
)
from facemt_analysis.simulate.rotation import FLIP, procrustes

FACES = Path(__file__).parents[2] / ".." / "shared" / "faces"
pytestmark = pytest.mark.skipif(
    not (FACES / "portraits_mediapipe.npz").exists(), reason="needs ../shared/faces"
)
SIZE = 200


@pytest.fixture(scope="module", params=[30, 200, 430])
def portrait(request):
    import cv2

    with np.load(FACES / "portraits_mediapipe.npz") as data:
        i = request.param
        name, mesh, blend, matrix = (data[k][i] for k in ("files", "mesh", "blend", "mat"))
    photo = cv2.imread(str(FACES / "portraits" / str(name)))[..., ::-1].copy()
    turn = matrix[:3, :3] / np.cbrt(np.linalg.det(matrix[:3, :3]))
    mesh = mesh.astype(np.float64) - (0.5, 0.5, 0.0)
    asset = asset_from_photo(
        photo, mesh, aus_from_blendshapes(blend), rotation=turn, mask=person_mask(photo, mesh)
    )
    return photo, mesh, asset


def test_identity_render_is_the_photograph(portrait):
    import cv2

    photo, mesh, asset = portrait
    frontal = render(asset, aus=asset.aus, size=SIZE, distance=1e3).mesh * FLIP
    pose = pose_of(procrustes(frontal[:468], (mesh * FLIP)[:468])[1])
    drawn = render(asset, aus=asset.aus, pose=pose, size=SIZE, distance=1e3, furrows=0.0)
    unit = np.linalg.norm(drawn.mesh[33] - drawn.mesh[263])
    low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
    scale = np.ptp(drawn.mesh[:, 1]) / (high[1] - low[1])
    shift = drawn.mesh[:468, :2].mean(0) - scale * mesh[:468, :2].mean(0)
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    error = np.linalg.norm(mesh[:468, :2] * scale + shift - drawn.mesh[:468, :2], axis=1) / unit
    assert error.mean() < 0.012
    chip = cv2.warpAffine(photo, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE)
    x0, y0 = (drawn.mesh[:, :2].min(0) + 4).astype(int)
    x1, y1 = (drawn.mesh[:, :2].max(0) - 4).astype(int)
    a, b = (image[y0:y1, x0:x1].astype(float).mean(-1).ravel() for image in (chip, drawn.image))
    assert np.corrcoef(a, b)[0, 1] > 0.95


def test_neutral_faces_are_at_rest(portrait):
    _, _, asset = portrait
    gap = (asset.neutral[13] - asset.neutral[14])[1]
    assert 0 <= gap < 0.02
    assert 0.2 < eye_opening(asset.neutral, "left") < 0.55
    flipped = asset.neutral[:468, 0] + asset.neutral[_mirror()[:468], 0]
    assert np.abs(flipped).mean() < 0.04


def _mirror() -> np.ndarray:
    from facemt_analysis.simulate import canonical_mesh

    return canonical_mesh().mirror


def test_the_person_is_cut_out(portrait):
    photo, mesh, asset = portrait
    share = (asset.mask > 127).mean()
    assert 0.1 < share < 0.8
    x, y = mesh[152, :2].astype(int)
    mask = person_mask(photo, mesh)
    assert mask[y - 4, x] > 200
    assert mask[:3].mean() < 30
