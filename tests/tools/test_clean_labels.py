"""Labels cleaned of the teacher's noise: on drawn faces and a teacher whose noise is known."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial.transform import Rotation

from facemt_analysis.simulate import avatar_asset, rotation_of
from facemt_analysis.simulate.renderer import posed_mesh

NOISE = 0.02  # of the distance of the outer eye corners
Fields = dict[str, npt.NDArray[np.float64]]


def write(folder: Path, fields: Fields, kind: str) -> None:
    folder.mkdir(parents=True)
    n = len(fields["mesh"])
    np.save(folder / "image.npy", np.zeros((n, 8, 8, 3), np.uint8))
    for name, values in fields.items():
        np.save(folder / f"{name}.npy", values)
    (folder / "manifest.json").write_text(json.dumps({"kind": kind, "count": n}))


@pytest.fixture(scope="module")
def drawn() -> Fields:
    """A thousand random shapes, turned and projected."""
    rng = np.random.default_rng(0)
    neutral = avatar_asset().neutral
    aus = rng.random((1000, 20)) * (rng.random((1000, 20)) < 0.3)
    pose = rng.normal(0, 0.15, (1000, 3))
    turn = np.stack([rotation_of(p) for p in pose])
    mesh = np.stack([posed_mesh(neutral, a, a, (0, 0)) for a in aus]) @ turn.transpose(0, 2, 1)
    mesh = mesh * [50, -50, -50] + [72, 72, 0]
    return {"mesh": mesh, "pose": pose, "au": aus, "gaze": np.zeros((1000, 2))}


def test_noise_goes_and_habits_of_the_teacher_stay(drawn: Fields, tmp_path: Path) -> None:
    clean, shards = (importlib.import_module(name) for name in ("clean_labels", "shards"))
    rng = np.random.default_rng(1)
    size = clean.unit(drawn["mesh"])
    habit = np.zeros((478, 3))
    habit[152, 1] = 0.15  # it sees longer chins
    habitual = drawn["mesh"] + habit * size
    seen = habitual + NOISE * size * rng.normal(size=habitual.shape)
    turn = drawn["pose"] + [0.05, 0, 0] + rng.normal(0, 0.02, drawn["pose"].shape)
    matrix = np.tile(np.eye(4), (1000, 1, 1))
    matrix[:, :3, :3] = Rotation.from_rotvec(turn * [-1, -1, 1]).as_matrix()
    usable = np.ones(1000)
    usable[3] = 0
    seen[3] = matrix[3] = np.nan
    teacher = {"teacher_mesh": seen, "teacher_matrix": matrix, "usable": usable}
    half = {k: v[:800] for k, v in {**drawn, **teacher}.items()}
    write(tmp_path / "0000", half, "rendered")
    write(tmp_path / "0001", {k: v[800:] for k, v in drawn.items()}, "rendered")  # never seen
    write(tmp_path / "photographs", {"mesh": habitual[:5]} | {
        k: v[10:15] for k, v in teacher.items()
    }, "photograph")  # fmt: skip
    clean.clean(tmp_path)

    def off(mesh: npt.NDArray[np.float64], rows: slice) -> float:
        away = np.linalg.norm((mesh - habitual[rows]) / size[rows], axis=-1)
        return float(np.nanmedian(away.mean(axis=1)))

    before = off(seen[:800], slice(0, 800))
    after = off(np.load(tmp_path / "0000" / "target_mesh.npy"), slice(0, 800))
    unseen = off(np.load(tmp_path / "0001" / "target_mesh.npy"), slice(800, 1000))
    assert before > 0.03
    # what is kept of the noise, and what the ridge takes for a habit
    assert after < 0.55 * before
    assert unseen < 0.55 * before
    pose = np.load(tmp_path / "0001" / "target_pose.npy") - drawn["pose"][800:]
    assert pose[:, 0].mean() == pytest.approx(0.05, abs=0.01)
    np.testing.assert_allclose(
        np.load(tmp_path / "photographs" / "target_mesh.npy"), habitual[:5], rtol=1e-6
    )
    # training takes them, of the face that the teacher did not find, too
    labels = shards.Shards([tmp_path / "0000"]).batch(np.array([3, 4]))
    stored = np.load(tmp_path / "0000" / "target_mesh.npy")[[3, 4]]
    np.testing.assert_array_equal(labels["mesh"].numpy(), stored)
    assert np.isfinite(labels["pose"].numpy()).all()
