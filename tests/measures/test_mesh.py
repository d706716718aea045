"""Meshes: alignment, displacement, asymmetry; known similarities, other people's alignments."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

from facemt_analysis import Fex, schema, simulate_study
from facemt_analysis.errors import FexError, MissingGroupError, OptionError
from facemt_analysis.measures import (
    align_mesh,
    geodesic_angles,
    mesh_asymmetry,
    mesh_displacement,
    mesh_regions,
    mesh_summary,
    mesh_template,
    mesh_vertices,
    mirror_distances,
    movement_asymmetry,
    region_displacement,
    rotation_matrices,
)
from facemt_analysis.measures.mesh_model import RIGID

FACE = mesh_template().vertices
MIRROR = mesh_template().mirror
FLIP = np.array([1.0, -1.0, -1.0])


def similar(meshes: np.ndarray, seed: int = 0) -> np.ndarray:
    """Turn, scale and move each mesh at random."""
    rng = np.random.default_rng(seed)
    turns = Rotation.from_rotvec(rng.uniform(-0.7, 0.7, (len(meshes), 3))).as_matrix()
    size = rng.uniform(50, 200, (len(meshes), 1, 1))
    moved = size * np.einsum("nij,nvj->nvi", turns, meshes)
    return moved + rng.uniform(-300, 300, (len(meshes), 1, 3))


def to_table(meshes: np.ndarray, **more: object) -> pd.DataFrame:
    flat = meshes.transpose(0, 2, 1).reshape(len(meshes), -1)
    keys = pd.DataFrame({"time": np.arange(len(meshes)) / 30, **more})
    return keys.join(pd.DataFrame(flat, columns=schema.GROUPS["meshes"].columns))


def shapes(n: int = 6, seed: int = 1) -> np.ndarray:
    """Faces that differ in shape."""
    return FACE + np.random.default_rng(seed).normal(0, 0.02, (n, 478, 3))


# ---------------------------------------------------------------- the model
def test_the_template_is_symmetric_and_is_the_simulations() -> None:
    from facemt_analysis.simulate.mesh import canonical_mesh

    np.testing.assert_array_equal(MIRROR[MIRROR], np.arange(478))
    np.testing.assert_allclose(FACE[MIRROR], FACE * (-1, 1, 1), atol=1e-12)
    np.testing.assert_array_equal(MIRROR, canonical_mesh().mirror)
    np.testing.assert_array_equal(mesh_template().triangles, canonical_mesh().triangles)
    assert np.linalg.norm(FACE[33] - FACE[263]) == pytest.approx(1, abs=1e-6)
    assert {MIRROR[i] for i in RIGID} == set(RIGID)


def test_regions_divide_the_skin_and_are_symmetric() -> None:
    regions = dict(mesh_regions())
    face = regions.pop("face")
    every = np.concatenate(list(regions.values()))
    np.testing.assert_array_equal(np.sort(every), face)
    for index in regions.values():
        assert set(MIRROR[index]) == set(index)
    # dlib's landmarks are where they are called to be
    dlib = np.array(schema.DLIB68_FROM_MESH)
    for name, points in (("brow", slice(17, 27)), ("nose", slice(27, 36)), ("eye", slice(36, 48)),
                         ("mouth", slice(48, 68))):  # fmt: skip
        assert set(dlib[points]) - set(regions[name]) <= {168}  # between the brows
    assert set(dlib[4:13]) <= set(regions["jaw"])


# ---------------------------------------------------------------- vertices
def test_vertices_are_the_columns() -> None:
    meshes = shapes()
    table = to_table(meshes)
    np.testing.assert_array_equal(mesh_vertices(table), meshes)
    assert mesh_vertices(table.astype(np.float32)).dtype == np.float32
    row = table.iloc[2]
    assert mesh_vertices(table)[2, 100].tolist() == [row[f"mesh_{a}_100"] for a in "xyz"]
    with pytest.raises(MissingGroupError, match="'meshes'"):
        mesh_vertices(pd.DataFrame({"AU12": [0.0]}))
    with pytest.raises(FexError, match=r"1 are missing, e\.g\. 'mesh_z_7'"):
        mesh_vertices(table.drop(columns="mesh_z_7"))


# ---------------------------------------------------------------- alignment
@pytest.mark.parametrize("on", ["rigid", "all", RIGID[:12]], ids=["rigid", "all", "some"])
def test_alignment_undoes_a_similarity(on) -> None:
    found = align_mesh(similar(np.repeat(FACE[None], 5, axis=0)), on=on)
    np.testing.assert_allclose(found.vertices, np.repeat(FACE[None], 5, axis=0), atol=1e-12)
    np.testing.assert_allclose(found.residual, 0, atol=1e-12)


def test_alignment_gives_pose_and_size() -> None:
    pose = Rotation.random(5, 2) ** 0.4
    meshes = 120 * np.einsum("nij,vj->nvi", pose.as_matrix(), FACE) * FLIP + (640, 360, 0)
    found = align_mesh(meshes)
    np.testing.assert_allclose(found.rotations, pose.as_matrix(), atol=1e-12)
    np.testing.assert_allclose(found.scale, 120)


def test_alignment_agrees_with_scipy() -> None:
    meshes = similar(shapes())
    found = align_mesh(meshes, on="all")
    centred = FACE - FACE.mean(axis=0)
    for mesh, aligned, turn in zip(meshes, found.vertices, found.rotations, strict=True):
        _, theirs, disparity = procrustes(FACE, mesh)
        np.testing.assert_allclose(
            (aligned - FACE.mean(axis=0)) / np.linalg.norm(centred), theirs, atol=1e-12
        )
        assert disparity > 0
        by_scipy, _ = Rotation.align_vectors((mesh - mesh.mean(axis=0)) * FLIP, centred)
        np.testing.assert_allclose(turn, by_scipy.as_matrix(), atol=1e-9)


def test_nothing_is_mirrored() -> None:
    # the best fit of a mirrored face would be a reflection, procrustes of SciPy takes it
    lopsided = FACE + np.array([0.3, 0.2, 0.1]) * (np.arange(478)[:, None] % 7)
    found = align_mesh((lopsided * (-1, 1, 1))[None], lopsided, on="all")
    assert np.linalg.det(found.rotations[0]) == pytest.approx(1)
    assert found.residual[0] > 0.1


def test_without_scale_sizes_stay() -> None:
    found = align_mesh(np.stack([2 * FACE, 3 * FACE]), scale=False)
    width = np.linalg.norm(found.vertices[:, 33] - found.vertices[:, 263], axis=1)
    np.testing.assert_allclose(width, [2, 3], rtol=1e-6)
    np.testing.assert_allclose(found.scale, 1)


def test_missing_and_broken_faces() -> None:
    meshes = similar(shapes(4))
    meshes[1, 5, 0] = np.nan
    meshes[2] = 7.0  # all points at one place
    found = align_mesh(meshes)
    assert np.isnan(found.vertices).all(axis=(1, 2)).tolist() == [False, True, True, False]
    assert np.isnan(found.rotations).any(axis=(1, 2)).tolist() == [False, True, True, False]
    assert np.isnan(found.scale).tolist() == [False, True, True, False]
    np.testing.assert_allclose(found.vertices[3], align_mesh(meshes[3:]).vertices[0])
    assert align_mesh(meshes[:0]).vertices.shape == (0, 478, 3)


def test_frames_do_not_depend_on_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    from facemt_analysis.measures import mesh_alignment

    meshes = similar(shapes(7))
    whole = align_mesh(meshes)
    monkeypatch.setattr(mesh_alignment, "_CHUNK", 3)
    parts = align_mesh(meshes)
    np.testing.assert_allclose(parts.vertices, whole.vertices, atol=1e-12)
    np.testing.assert_allclose(parts.residual, whole.residual)


def test_single_precision_is_enough() -> None:
    meshes = similar(shapes())
    single = align_mesh(meshes.astype(np.float32))
    assert single.vertices.dtype == np.float32
    np.testing.assert_allclose(single.vertices, align_mesh(meshes).vertices, atol=2e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on": "nose"}, "`on` must be 'rigid' or 'all'"),
        ({"on": [1, 2]}, "three or more vertices"),
        ({"on": [1, 2, 478]}, "from 0 to 477"),
        ({"on": [0.5, 1, 2]}, "`on` must be"),
        ({"reference": np.zeros((468, 3))}, r"`reference` must be a mesh \(478, 3\)"),
        ({"reference": np.full((478, 3), np.nan)}, "with NaN"),
        ({"vertices": np.zeros((478, 3))}, r"`vertices` must be \(n, 478, 3\)"),
    ],
)
def test_wrong_alignments(options, message: str) -> None:
    arguments = {"vertices": FACE[None], **options}
    with pytest.raises(OptionError if "on" in options else FexError, match=message):
        align_mesh(**arguments)


def test_rotations_of_simulated_meshes_are_their_pose() -> None:
    fex, _ = simulate_study(1, duration=4, fps=10, missing=0, noise=0, seed=3,
                            feature_groups=["poses", "meshes"])  # fmt: skip
    found = align_mesh(mesh_vertices(fex)).rotations
    off = np.degrees(geodesic_angles(found, rotation_matrices(fex)))
    assert off.max() < 1.0  # vertices jitter by 0.3 px


# ---------------------------------------------------------------- displacement
def smiling(n: int = 20, lift: float = 0.05, side: float = 1.0) -> np.ndarray:
    """Frames at rest, and a quarter in which the corners of the mouth go up."""
    meshes = np.repeat(FACE[None], n, axis=0)
    amount = np.where(np.arange(n) >= 3 * n // 4, lift, 0.0)
    meshes[:, 291, 1] += amount  # left
    meshes[:, 61, 1] += side * amount
    return meshes


@pytest.mark.parametrize("reference", ["median", "neutral", "template", "array"])
def test_displacement_from_rest_is_exact_whatever_the_pose(reference: str) -> None:
    meshes = smiling()
    neutral = np.where(np.arange(20) < 15, 0.9, 0.1)
    table = to_table(similar(meshes), Neutral=neutral)
    given = similar(FACE[None], seed=9)[0] if reference == "array" else reference
    found = mesh_displacement(table, given)
    np.testing.assert_allclose(found, meshes - FACE, atol=1e-9)
    millimetres = mesh_displacement(table, given, unit="mm")
    pupils = np.linalg.norm(FACE[468] - FACE[473])
    np.testing.assert_allclose(millimetres[-1, 291], (0, 0.05 * 63 / pupils, 0), atol=1e-6)
    wide = mesh_displacement(table, given, unit="mm", ipd=70)
    np.testing.assert_allclose(wide, millimetres * 70 / 63, atol=1e-9)


def test_expressions_do_not_turn_the_face() -> None:
    # the jaw drops: aligned on all vertices, the upper face would seem to go up
    meshes = np.repeat(FACE[None], 10, axis=0)
    jaw = np.concatenate([mesh_regions()["jaw"], mesh_regions()["mouth"]])
    meshes[8:, jaw, 1] -= 0.2
    table = to_table(similar(meshes))
    assert np.abs(mesh_displacement(table)[8:, mesh_regions()["brow"]]).max() < 1e-9
    assert np.abs(mesh_displacement(table, on="all")[8:, mesh_regions()["brow"]]).max() > 0.02


def test_two_interleaved_people_have_rests_of_their_own() -> None:
    other = FACE * (1.1, 0.9, 1.0)
    one = to_table(similar(smiling()), input="film", track=0, frame=np.arange(20), subject="a")
    two = to_table(
        similar(np.repeat(other[None], 20, axis=0)), input="film", track=1, frame=np.arange(20),
        subject="b",
    )  # fmt: skip
    both = pd.concat([one, two]).sort_values(["frame", "track"])
    found = mesh_displacement(both)
    second = (both["track"] == 1).to_numpy()
    np.testing.assert_allclose(found[second], 0, atol=1e-9)
    np.testing.assert_allclose(found[~second], smiling() - FACE, atol=1e-9)
    np.testing.assert_allclose(mesh_displacement(both, person="subject"), found)
    # a person's rest can come from another recording of the same person
    elsewhere = to_table(similar(smiling()[15:]), input="other", track=0, frame=np.arange(5),
                         subject="a")  # fmt: skip
    joined = mesh_displacement(pd.concat([one, elsewhere]), person="subject")
    np.testing.assert_allclose(joined[20:, 291, 1], 0.05, atol=1e-9)
    np.testing.assert_allclose(mesh_displacement(elsewhere)[:, 291, 1], 0, atol=1e-9)


def test_regions_and_summary() -> None:
    table = to_table(similar(smiling()), subject="a").set_index(np.arange(20) + 100)
    regions = region_displacement(table)
    assert regions.index.equals(table.index)
    size = len(mesh_regions()["mouth"])
    np.testing.assert_allclose(regions["mouth"].iloc[15:], 2 * 0.05 / size, atol=1e-9)
    np.testing.assert_allclose(regions.drop(columns=["mouth", "face"]), 0, atol=1e-9)
    found = mesh_summary(table).set_index("feature")
    assert found.loc["mouth", "mean"] == pytest.approx(0.25 * 0.1 / size)
    assert found.loc["mouth", "max"] == pytest.approx(0.1 / size)
    assert found.loc["mouth", "sd"] == pytest.approx(np.sqrt(0.25 * 0.75) * 0.1 / size)
    assert found["n_valid"].tolist() == [20] * 8
    assert mesh_summary(table, "subject").columns[:2].tolist() == ["subject", "feature"]


def test_missing_faces_have_no_displacement() -> None:
    meshes = similar(smiling())
    meshes[3] = np.nan
    table = to_table(meshes, track=np.where(np.arange(20) == 3, -1, 0))
    found = mesh_displacement(table)
    assert np.isnan(found).all(axis=(1, 2)).sum() == 1
    nobody = to_table(np.full((3, 478, 3), np.nan))
    assert np.isnan(mesh_displacement(nobody)).all()
    assert mesh_summary(nobody)["n_valid"].tolist() == [0] * 8
    assert mesh_displacement(table.head(0)).shape == (0, 478, 3)


def test_wrong_displacements() -> None:
    table = to_table(similar(smiling(4)))
    with pytest.raises(OptionError, match="`reference` must be 'median', 'neutral' or 'template'"):
        mesh_displacement(table, "rest")
    with pytest.raises(MissingGroupError, match="'Neutral'"):
        mesh_displacement(table, "neutral")
    with pytest.raises(FexError, match=r"`reference` must be a mesh \(478, 3\)"):
        mesh_displacement(table, np.zeros(3))
    with pytest.raises(OptionError, match="`unit` must be 'iod' or 'mm'"):
        mesh_displacement(table, unit="px")
    with pytest.raises(OptionError, match="`ipd` must be above 0 mm"):
        mesh_displacement(table, unit="mm", ipd=-63)
    with pytest.raises(OptionError, match="`neutral_share`"):
        mesh_displacement(table, neutral_share=0)
    with pytest.raises(FexError, match="`by`: there is no column 'subjct'"):
        mesh_displacement(table.assign(subject=1), person="subjct")


def test_action_units_move_their_regions() -> None:
    fex, _ = simulate_study(1, duration=10, missing=0, noise=0, seed=4,
                                feature_groups=["aus", "meshes"])  # fmt: skip
    found = region_displacement(fex)
    for unit, region in (("AU26", "jaw"), ("AU12", "mouth"), ("AU02", "brow")):
        share = found[region] / found.drop(columns="face").sum(axis=1)
        active = fex[unit] > fex[unit].quantile(0.95)
        calm = fex[unit] <= fex[unit].median()
        assert found.loc[active, region].mean() > found.loc[calm, region].mean()
        assert share[active].mean() > 0.1


# ---------------------------------------------------------------- asymmetry
def test_a_symmetric_face_has_none_in_any_pose() -> None:
    both = smiling(20, 0.05, side=1.0)
    assert mirror_distances(similar(both)).max() < 1e-9
    assert np.nanmax(mesh_asymmetry(to_table(similar(both)))) < 1e-9


def test_one_corner_of_the_mouth() -> None:
    meshes = smiling(20, 0.05, side=0.0)  # only the left corner
    distances = mirror_distances(similar(meshes))
    # it and its partner are 0.05 from each other's mirror image; the fit takes a little of it
    np.testing.assert_allclose(distances[15:, [61, 291]], 0.05, rtol=0.05)
    assert np.delete(distances, [61, 291], axis=1).max() < 0.005
    table = mesh_asymmetry(to_table(similar(meshes)))
    assert table.iloc[-1].drop("face").idxmax() == "mouth"
    np.testing.assert_allclose(mirror_distances(similar(meshes)), distances, atol=1e-9)
    np.testing.assert_allclose(mirror_distances(meshes), distances, atol=1e-9)


def test_asymmetry_of_the_mirrored_face_is_the_same_and_turns_its_sign() -> None:
    meshes = shapes(4)
    mirrored = meshes[:, MIRROR] * (-1, 1, 1)
    np.testing.assert_allclose(
        mirror_distances(mirrored), mirror_distances(meshes)[:, MIRROR], atol=1e-9
    )
    one = smiling(20, 0.2, side=0.0)
    left = movement_asymmetry(to_table(similar(one)), gate=0.001)
    right = movement_asymmetry(to_table(similar(one[:, MIRROR] * (-1, 1, 1))), gate=0.001)
    np.testing.assert_allclose(left["mouth"].iloc[15:], 1, atol=1e-6)
    np.testing.assert_allclose(right["mouth"].iloc[15:], -1, atol=1e-6)
    assert left["mouth"].iloc[:15].isna().all()  # nothing moves
    assert left["brow"].isna().all()


def test_missing_faces_have_no_asymmetry() -> None:
    meshes = similar(shapes(3))
    meshes[1] = np.nan
    assert mesh_asymmetry(to_table(meshes)).isna().all(axis=1).tolist() == [False, True, False]


def test_real_faces(real_faces: Fex) -> None:
    found = mesh_summary(real_faces, unit="mm").set_index("feature")
    mean = found["mean"].groupby("feature").mean()
    # an actor who speaks: the jaw and the mouth move most, the nose least; millimetres
    assert mean[["jaw", "mouth"]].min() > 2 * mean["nose"]
    assert (mean < 6).all()
    alignment = align_mesh(mesh_vertices(real_faces))
    assert np.median(alignment.residual) < 0.03
    asymmetry = mesh_asymmetry(real_faces)
    assert asymmetry["face"].between(0.005, 0.2).all()


def test_real_displacement_by_scipy(real_faces: Fex) -> None:
    one = real_faces[real_faces["input"] == real_faces["input"].iloc[0]]
    meshes = mesh_vertices(one).astype(float)
    rigid = list(RIGID)

    def onto(mesh: np.ndarray, target: np.ndarray) -> np.ndarray:
        x, y = target[rigid].mean(axis=0), mesh[rigid].mean(axis=0)
        turn, _ = Rotation.align_vectors(target[rigid] - x, mesh[rigid] - y)
        turned = turn.apply(mesh - y)
        size = (turned[rigid] * (target[rigid] - x)).sum() / (turned[rigid] ** 2).sum()
        return size * turned + x

    rest = np.median([onto(m, FACE) for m in meshes], axis=0)
    unit = np.linalg.norm(rest[33] - rest[263])
    expected = np.array([(onto(m, rest) - rest) / unit for m in meshes])
    np.testing.assert_allclose(mesh_displacement(one), expected, atol=2e-5)
    mouth = mesh_regions()["mouth"]
    by_hand = np.linalg.norm(expected[:, mouth], axis=2).mean(axis=1)
    np.testing.assert_allclose(region_displacement(one)["mouth"], by_hand, atol=2e-5)
