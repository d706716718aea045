"""The AU basis does what FACS says, symmetrically, and closes what must close."""

from __future__ import annotations

import numpy as np
import pytest

from facemt_analysis import schema
from facemt_analysis.errors import FacemtError
from facemt_analysis.simulate import (
    AU_SPECS,
    AUS,
    au_basis,
    au_displacement,
    au_vector,
    canonical_mesh,
    eye_opening,
)
from facemt_analysis.simulate.mesh import LIPS_LOWER, LIPS_UPPER, geodesics, lids

MESH = canonical_mesh()
FLIP = np.array([-1.0, 1.0, 1.0])


def moved(**aus: float) -> np.ndarray:
    return MESH.neutral + au_displacement(au_vector(**aus), shape=MESH.neutral)


def mouth_gap(mesh: np.ndarray) -> float:
    return float((mesh[13] - mesh[14])[1])


def test_order_and_coverage_follow_the_schema():
    assert schema.GROUPS["aus"].columns == AUS == tuple(AU_SPECS)
    basis = au_basis()
    assert basis.shape == (20, 478, 3)
    assert (np.abs(basis).max((1, 2)) > 0.02).all()  # no AU without an effect
    assert np.abs(basis).max() < 0.4  # and none beyond what a face can do
    assert not basis[:, 468:].any()


@pytest.mark.parametrize("name", AUS)
def test_every_au_is_symmetric(name):
    shift = au_displacement(au_vector(**{name: 1.0}))
    np.testing.assert_allclose(shift, (shift * FLIP)[MESH.mirror], atol=1e-9)


@pytest.mark.parametrize("name", ["AU01", "AU02", "AU06", "AU12", "AU15", "AU20", "AU43"])
def test_one_sided_aus_leave_the_other_half_alone_and_mirror(name):
    on, off = au_vector(**{name: 1.0}), au_vector()
    right = au_displacement(right=on, left=off)
    left = au_displacement(right=off, left=on)
    np.testing.assert_allclose(left, (right * FLIP)[MESH.mirror], atol=1e-9)
    far_left = MESH.vertices[:468, 0] > 0.30
    assert np.abs(right[:468][far_left]).max() < 0.05 * np.abs(right).max()


# AU, vertex of the subject's right side or midline, axis (0 lateral, 1 up, 2 forward), sign
@pytest.mark.parametrize(
    ("name", "vertex", "axis", "sign"),
    [
        ("AU01", 107, 1, 1), ("AU02", 70, 1, 1), ("AU04", 107, 1, -1), ("AU04", 107, 0, -1),
        ("AU05", 159, 1, 1), ("AU06", 50, 1, 1), ("AU06", 145, 1, 1), ("AU07", 145, 1, 1),
        ("AU07", 159, 1, -1), ("AU09", 129, 1, 1), ("AU09", 55, 1, -1), ("AU10", 40, 1, 1),
        ("AU11", 203, 1, 1), ("AU11", 203, 0, 1), ("AU12", 61, 1, 1), ("AU12", 61, 0, 1),
        ("AU12", 61, 2, -1), ("AU14", 61, 2, -1), ("AU15", 61, 1, -1), ("AU17", 199, 1, 1),
        ("AU17", 17, 1, 1), ("AU20", 61, 0, 1), ("AU23", 61, 0, -1), ("AU25", 17, 1, -1),
        ("AU26", 152, 1, -1), ("AU26", 152, 2, -1), ("AU28", 17, 2, -1), ("AU43", 159, 1, -1),
    ],
)  # fmt: skip
def test_directions_are_those_of_the_manual(name, vertex, axis, sign):
    shift = au_displacement(au_vector(**{name: 1.0}), shape=MESH.neutral)[vertex]
    lateral = -shift[0]  # the subject's right is at negative x
    value = (lateral, shift[1], shift[2])[axis]
    assert sign * value > 0.01


def test_au01_lifts_the_inner_brow_and_au02_the_outer():
    inner, outer = 107, 46
    one = moved(AU01=1.0) - MESH.neutral
    two = moved(AU02=1.0) - MESH.neutral
    assert one[inner, 1] > 3 * one[outer, 1]
    assert two[outer, 1] > 3 * two[inner, 1]


@pytest.mark.parametrize("extra", [{}, {"AU07": 1.0}, {"AU06": 1.0, "AU04": 1.0}, {"AU12": 1.0}])
@pytest.mark.parametrize("side", ["right", "left"])
def test_au43_closes_the_lids_to_less_than_five_percent(side, extra):
    rng = np.random.default_rng(3)
    for _ in range(3):
        shape = MESH.neutral.copy()
        shape[list(lids(side).upper), 1] += rng.uniform(-0.02, 0.04)
        aus = au_vector(**{"AU43": 1.0, **extra})
        closed = shape + au_displacement(aus, shape=shape)
        assert eye_opening(closed, side) < 0.05 * eye_opening(shape, side)


def test_half_closed_lids_are_between():
    openings = [eye_opening(moved(AU43=k)[:, :2], "left") for k in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert np.all(np.diff(openings) < 0)
    assert openings[2] == pytest.approx(0.5 * openings[0], rel=0.15)


def test_closing_lid_slides_forward_over_the_eyeball():
    half = moved(AU43=0.5)[159]
    straight = (MESH.neutral[159] + moved(AU43=1.0)[159]) / 2
    assert half[2] > straight[2] + 0.005


def test_lips_part_and_jaw_drops_as_a_rotation():
    assert mouth_gap(moved(AU25=1.0)) > 0.05
    assert mouth_gap(moved(AU25=0.5, AU26=1.0)) > 0.18
    axis = np.array([0.0, 0.02, -0.42])
    for k in (0.3, 0.6, 1.0):  # the chin keeps its distance from the condyles
        before = np.linalg.norm((MESH.neutral[199] - axis)[1:])
        after = np.linalg.norm((moved(AU26=k)[199] - axis)[1:])
        assert after == pytest.approx(before, abs=2e-3)


def test_lips_never_cross():
    rng = np.random.default_rng(0)
    up, low = list(LIPS_UPPER[-1][2:-2]), list(LIPS_LOWER[-1][2:-2])
    for _ in range(40):
        mesh = MESH.neutral + au_displacement(rng.random(20), shape=MESH.neutral)
        assert (mesh[up, 1] - mesh[low, 1]).min() > -1e-9


@pytest.mark.parametrize("name", ["AU24", "AU28"])
def test_pressed_and_sucked_lips_are_shut_and_thin(name):
    opened = MESH.neutral + au_displacement(au_vector(AU25=0.8), shape=MESH.neutral)
    shut = opened + au_displacement(au_vector(**{name: 1.0}), shape=opened)
    assert abs(mouth_gap(shut)) < 0.01
    red = np.linalg.norm(MESH.neutral[17] - MESH.neutral[14])
    assert np.linalg.norm(shut[17] - shut[14]) < 0.65 * red


def test_effects_stay_in_their_region():
    distances = geodesics()
    brow = au_displacement(au_vector(AU01=1.0))[:468]
    assert np.abs(brow[distances[107] > 0.75]).max() < 0.01
    assert np.abs(au_displacement(au_vector(AU12=1.0))[[10, 151, 107, 336]]).max() < 0.01


def test_lid_shift_lowers_both_lids_but_not_closed_ones():
    looking = au_displacement(au_vector(), shape=MESH.neutral, lid_shift=(0.4, -0.1))
    assert looking[159, 1] < -0.02
    assert looking[145, 1] < -0.005
    closed = au_displacement(au_vector(AU43=1.0), shape=MESH.neutral)
    both = au_displacement(au_vector(AU43=1.0), shape=MESH.neutral, lid_shift=(0.4, -0.1))
    np.testing.assert_allclose(both, closed, atol=1e-12)


def test_wrong_vectors_are_refused():
    with pytest.raises(FacemtError, match=r"`aus` must be 20 finite AU intensities.*\(5,\)"):
        au_displacement(np.zeros(5))
    with pytest.raises(FacemtError, match="NaN"):
        au_displacement(left=np.full(20, np.nan), right=np.zeros(20))
    with pytest.raises(FacemtError, match=r"\(478, 3\)"):
        au_displacement(np.zeros(20), shape=np.zeros((468, 3)))
    with pytest.raises(FacemtError, match="AU99"):
        au_vector(AU99=1.0)
