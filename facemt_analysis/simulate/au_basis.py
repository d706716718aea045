"""From an AU vector to the displacement of every mesh vertex.

The definitions are in `au_specs`: pulls fall off along the skin, lids and lips close exactly for
the face at hand, the jaw turns about the condyles. Mixtures add up; nothing closes twice.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from facemt_analysis.errors import FacemtError
from facemt_analysis.simulate.au_specs import AU_SPECS, AUS
from facemt_analysis.simulate.mesh import (
    LIPS_LOWER,
    LIPS_UPPER,
    FloatArray,
    canonical_mesh,
    geodesics,
    lids,
)

__all__ = ["au_basis", "au_displacement"]

_SIDES = ("right", "left")
_SHARPNESS = 4.0  # of the soft maximum where the pulls of the two sides overlap
_CONDYLE = np.array([0.0, 0.02, -0.42])  # the jaw's axis (along x) passes here, head frame
_LID_BULGE = 0.030  # how far the eyeball stands out between two margins one eye opening apart
_LID_SKIN = 0.055  # reach of a lid movement over the skin around it
_LIP_SKIN = 0.075  # reach of a lip movement over the skin around it


@lru_cache(maxsize=1)
def _pulled() -> FloatArray:
    """Displacement (20, 478, 3) of the right side's pulls alone, the left side's share taken out.

    Where the two sides overlap near the midline their sum is a soft maximum, so that a vertex on
    the midline moves as far as its neighbours and not twice as far.
    """
    distances = geodesics()
    mirror = canonical_mesh().mirror[:468]
    field = np.zeros((len(AUS), 478, 3))
    for i, name in enumerate(AUS):
        for pull in AU_SPECS[name].pulls:
            near = distances[list(pull.vertices)].min(0)
            weight = np.exp(-((near / pull.reach) ** 2))
            other = weight[mirror]
            both = (weight**_SHARPNESS + other**_SHARPNESS) ** (1 / _SHARPNESS)
            share = both * weight / np.maximum(weight + other, 1e-12)
            field[i, :468] += share[:, None] * (np.array(pull.vector) * (-1, 1, 1))
    field[np.abs(field) < 1e-6] = 0.0
    field.setflags(write=False)
    return field


@lru_cache(maxsize=1)
def _jaw_weight() -> FloatArray:
    """How far each vertex follows the jaw: 1 at the chin and lower lip, 0 above the mouth."""
    distances = geodesics()
    jaw = [199, 200, 175, 18, 17, 14, 84, 87, 314, 317, 152, 148, 377, 201, 421, 208, 428]
    jaw += [204, 424, 211, 431, 194, 418, 181, 405, 178, 402, 176, 400, 140, 369, 32, 262]
    skull = [1, 4, 5, 2, 164, 0, 13, 12, 11, 37, 267, 82, 312, 36, 266, 101, 330, 50, 280, 117, 346]
    skull += [123, 352, 234, 454, 93, 323, 127, 356, 10, 151, 9, 168, 33, 263, 116, 345, 227, 447]
    skull += [40, 270, 39, 269, 80, 310, 81, 311, 165, 391, 203, 423, 205, 425, 206, 426]
    below, above = distances[jaw].min(0), distances[skull].min(0)
    part = below / (below + above)  # 0 on the jaw, 1 on the skull
    ramp = np.clip((0.85 - part) / 0.70, 0.0, 1.0)
    weight = np.zeros(478)
    weight[:468] = ramp * ramp * (3 - 2 * ramp)
    weight[jaw] = 1.0
    weight.setflags(write=False)
    return weight


@lru_cache(maxsize=2)
def _followers(kind: str) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], FloatArray]:
    """Skin around lids or lips: drivers, the vertices that follow them, weights (n, m)."""
    drivers: list[int] = []
    fixed: set[int] = set(range(468, 478))
    if kind == "lids":
        reach = _LID_SKIN
        for side in _SIDES:
            drivers += [*lids(side).upper, *lids(side).lower]
            fixed |= {lids(side).outer, lids(side).inner}
    else:
        reach = _LIP_SKIN
        drivers = sorted({v for row in (*LIPS_UPPER, *LIPS_LOWER) for v in row})
    others = np.array([v for v in range(478) if v not in fixed and v not in set(drivers)])
    near = geodesics()[np.ix_(others, np.array(drivers))]
    keep = near.min(1) < 3 * reach
    others, near = others[keep], near[keep]
    weights = np.exp(
        -((near / (0.6 * reach)) ** 2) + (near.min(1, keepdims=True) / (0.6 * reach)) ** 2
    )
    weights *= np.exp(-((near.min(1) / reach) ** 2))[:, None] / weights.sum(1, keepdims=True)
    return np.array(drivers), others, weights


def _spread(points: FloatArray, before: FloatArray, kind: str) -> None:
    """Let the skin around lids or lips follow what its drivers did since `before`."""
    drivers, others, weights = _followers(kind)
    points[others] += weights @ (points[drivers] - before[drivers])


def _close_lids(points: FloatArray, side: str, upper: float, lower: float) -> None:
    """Move the lid margins of one eye towards each other by fractions of the opening."""
    total = max(upper, 0.0) + max(lower, 0.0)
    if total > 1.0:
        upper, lower = upper / total, lower / total
    eye = lids(side)
    top, bottom = points[list(eye.upper)], points[list(eye.lower)]
    gap = top - bottom
    # A closing margin slides over the eyeball: forward in between, nothing at the corners.
    bulge = np.zeros_like(gap)
    bulge[:, 2] = _LID_BULGE * np.sin(np.linspace(0.15, 0.85, len(gap)) * np.pi)

    def arc(part: float) -> FloatArray:
        return bulge * (4 * part * (1 - part)) if 0 < part < 1 else 0 * bulge

    raise_room = min(upper, 0.0) * gap
    points[list(eye.upper)] = top - max(upper, 0.0) * gap - raise_room + arc(max(upper, 0.0))
    points[list(eye.lower)] = bottom + lower * gap + arc(max(lower, 0.0))
    if total >= 1.0:  # closed: one line, whatever rounding and bulge did
        points[list(eye.upper)] = points[list(eye.lower)]


def _roll_lips(points: FloatArray, roll: FloatArray, inward: float, seal: float) -> None:
    """Narrow the red of both lips towards their line, close an open mouth by `seal`."""
    line = (points[list(LIPS_UPPER[-1])] + points[list(LIPS_LOWER[-1])]) / 2
    for rows, part in ((LIPS_UPPER, roll[0]), (LIPS_LOWER, roll[1])):
        shift = (line - points[list(rows[-1])]) * min(seal, 1.0)
        edge = points[list(rows[-1])]
        for k, row in enumerate(rows):
            inner = slice(1, -1) if k in (0, 3) else slice(None)
            index = np.array(row)[inner]
            moved = (edge - points[list(row)])[inner] * min(part, 1.0) + shift[inner]
            moved[:, 2] -= inward * (k + 1) / len(rows)
            points[index] += moved


def _part_crossed_lips(points: FloatArray) -> None:
    """Where the lower lip has been pushed above the upper one, let them meet half-way."""
    up, low = list(LIPS_UPPER[-1]), list(LIPS_LOWER[-1])
    crossed = np.clip(points[low, 1] - points[up, 1], 0.0, None) / 2
    for upper, lower in zip(LIPS_UPPER, LIPS_LOWER, strict=True):
        points[list(upper[1:-1]), 1] += crossed[1:-1]
        points[list(lower[1:-1]), 1] -= crossed[1:-1]


def _check(vector: npt.ArrayLike, name: str) -> FloatArray:
    values = np.asarray(vector, np.float64)
    if values.shape != (len(AUS),) or not np.isfinite(values).all():
        raise FacemtError(
            f"`{name}` must be {len(AUS)} finite AU intensities in the order of AUS; "
            f"got shape {values.shape}{'' if values.shape != (len(AUS),) else ' with NaN or inf'}"
        )
    return values


def au_displacement(
    aus: npt.ArrayLike | None = None,
    *,
    left: npt.ArrayLike | None = None,
    right: npt.ArrayLike | None = None,
    shape: npt.ArrayLike | None = None,
    lid_shift: tuple[float, float] = (0.0, 0.0),
) -> FloatArray:
    """Displacement of every mesh vertex for an AU vector.

    Parameters
    ----------
    aus
        (20,) intensities, 0 absent to 1 maximal, in the order of `AUS`, for both sides. Values
        beyond the range extrapolate (they are used to take an expression away).
    left, right
        (20,) intensities of one side of the subject's face, instead of `aus` there.
    shape
        (478, 3) neutral face in the head frame; default: the canonical one. Lids and lips close
        exactly for the shape that is given.
    lid_shift
        Fractions of the opening by which the upper lid comes down and the lower lid goes up in
        addition, as when the lids follow the gaze (`lid_follow`).

    Returns
    -------
    ndarray
        (478, 3), head frame, outer-eye-corner distances. Iris vertices do not move.

    Raises
    ------
    FacemtError
        If a vector or the shape has the wrong size or holds NaN.

    Examples
    --------
    >>> from facemt_analysis.simulate import au_vector
    >>> smile = au_displacement(au_vector(AU12=1.0))
    >>> bool(smile[61, 0] < 0 < smile[61, 1])  # the right corner: to the subject's right and up
    True
    """
    both = np.zeros(len(AUS)) if aus is None else _check(aus, "aus")
    parts = {
        "right": both if right is None else _check(right, "right"),
        "left": both if left is None else _check(left, "left"),
    }
    rest = canonical_mesh().vertices if shape is None else np.asarray(shape, np.float64)
    if rest.shape != (478, 3):
        raise FacemtError(f"`shape` must be a (478, 3) mesh; got {rest.shape}")
    field, mirror = _pulled(), canonical_mesh().mirror
    points = rest + np.tensordot(parts["right"], field, 1)
    points += (np.tensordot(parts["left"], field, 1) * (-1, 1, 1))[mirror]

    mean = (parts["right"] + parts["left"]) / 2
    roll = _amounts("lip_roll") * np.clip(mean, -1, 1)[:, None]
    seal = float(1 - np.prod(1 - np.clip(_amounts("lip_seal") * mean, 0, 1)))
    rolled = np.array([np.clip(r, -0.6, 0.97) for r in _saturating(roll)])
    inward = float(_amounts("lip_in") @ mean)
    if np.any(rolled) or inward or seal:
        before = points.copy()
        _roll_lips(points, rolled, inward, seal)
        _spread(points, before, "lips")

    angle = float(np.radians(_amounts("jaw") @ mean))
    if angle:
        points = _turn_jaw(points, angle)
    _part_crossed_lips(points)

    before = points.copy()
    for side in _SIDES:
        upper = float(_amounts("upper_lid") @ parts[side])
        lower = float(_amounts("lower_lid") @ parts[side])
        open_part = 1.0 - float(np.clip(upper + lower, 0.0, 1.0))  # closed lids follow nothing
        upper += lid_shift[0] * open_part
        lower += lid_shift[1] * open_part
        _close_lids(points, side, max(upper, -0.7), max(lower, -0.3))
    _spread(points, before, "lids")
    displacement = points - rest
    displacement[468:] = 0.0
    return displacement


def _saturating(parts: FloatArray) -> FloatArray:
    """Combine fractions of a distance: the second acts on what the first left (axis 0)."""
    return np.asarray(1 - np.prod(1 - parts, axis=0))


@lru_cache(maxsize=8)
def _amounts(field: str) -> FloatArray:
    return np.array([getattr(AU_SPECS[name], field) for name in AUS], np.float64)


def _turn_jaw(points: FloatArray, angle: float) -> FloatArray:
    """Rotate by `angle` about the condyles, each vertex by its share of the jaw."""
    turn = angle * _jaw_weight()
    y, z = points[:, 1] - _CONDYLE[1], points[:, 2] - _CONDYLE[2]
    cos, sin = np.cos(turn), np.sin(turn)
    # Forward (z) goes down (-y): the chin swings down and back.
    turned = np.stack([points[:, 0], cos * y - sin * z, sin * y + cos * z], -1)
    turned[:, 1:] += _CONDYLE[1:]
    return turned


@lru_cache(maxsize=1)
def au_basis() -> FloatArray:
    """Displacement fields (20, 478, 3) of the single AUs at intensity 1 on the canonical mesh.

    Returns
    -------
    ndarray
        Read-only, head frame, outer-eye-corner distances, both sides. For mixtures use
        `au_displacement`, which turns the jaw and closes lids and lips without overshooting.

    >>> au_basis().shape
    (20, 478, 3)
    """
    basis = np.stack([au_displacement(row) for row in np.eye(len(AUS))])
    basis.setflags(write=False)
    return basis
