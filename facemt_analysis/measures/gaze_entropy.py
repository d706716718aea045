"""How predictable gaze is: entropy of where it is and of where it goes next."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facemt_analysis.measures.grouping import Grouping, complete

__all__ = ["GazeEntropy", "gaze_entropy"]

Floats = npt.NDArray[np.float64]


class GazeEntropy(NamedTuple):
    """One value per group, (g,).

    Attributes
    ----------
    stationary, transition
        Bits; NaN without gaze, and without transitions.
    visited
        Number of bins looked at.
    transitions
        Number of changes from one bin to another.
    """

    stationary: Floats
    transition: Floats
    visited: npt.NDArray[np.int64]
    transitions: npt.NDArray[np.int64]


def gaze_entropy(rows: Grouping, angles: Floats, bin_size: float) -> GazeEntropy:
    """Stationary and transition entropy over square bins of angles.

    Parameters
    ----------
    rows
        The table, grouped.
    angles
        (n, 2) deg, in the order of `rows`; NaN where unknown.
    bin_size
        Side of the bins, deg; the middle of one is straight ahead.

    Notes
    -----
    With the share p(i) of the time in bin i and the share p(j | i) of the changes out of bin i that
    lead to bin j,

    - stationary: −Σ p(i) log₂ p(i);
    - transition: −Σ p(i) Σ p(j | i) log₂ p(j | i).

    A change leads from one frame to the next, without a gap between, into another bin. Frames in
    the same bin are no transition, so that the frame rate does not decide. Bins that are never left
    add nothing to the second one.
    """
    g = len(rows)
    valid = complete(angles)
    cells = np.rint(np.where(valid[:, None], angles, 0.0) / bin_size).astype(np.int64)
    # one number for each bin of each group
    span = 2 * int(np.abs(cells).max(initial=0)) + 1
    code = (rows.parts.row_group * span + cells[:, 0]) * span + cells[:, 1]
    codes, first, place = np.unique(code[valid], return_index=True, return_inverse=True)
    group = rows.parts.row_group[valid][first]
    number = np.full(len(valid), -1, dtype=np.intp)
    number[valid] = place
    weight = np.bincount(number[valid], weights=rows.weight[valid], minlength=len(codes))
    share = _shares(np.asarray(weight, dtype=np.float64), group, g)
    stationary = np.bincount(group, weights=_bits(share), minlength=g)
    visited = np.bincount(group, minlength=g)
    follows = rows.pairs(valid)
    moved = np.flatnonzero(follows & (number != np.roll(number, 1)))
    pairs, times = np.unique(number[moved - 1] * len(codes) + number[moved], return_counts=True)
    source = (pairs // max(len(codes), 1)).astype(np.intp)
    onward = _shares(times.astype(np.float64), source, len(codes))
    uncertain = np.bincount(source, weights=_bits(onward), minlength=len(codes))
    transition = np.bincount(group, weights=share * uncertain, minlength=g)
    changes = np.bincount(rows.parts.row_group[moved], minlength=g)
    return GazeEntropy(
        np.where(visited > 0, stationary, np.nan),
        np.where(changes > 0, transition, np.nan),
        visited.astype(np.int64),
        changes.astype(np.int64),
    )


def _shares(weight: Floats, whole: npt.NDArray[np.intp], n: int) -> Floats:
    total = np.bincount(whole, weights=weight, minlength=n)[whole]
    return np.where(total > 0, weight / np.where(total > 0, total, 1.0), 0.0)


def _bits(share: Floats) -> Floats:
    logs = np.log2(share, out=np.zeros_like(share), where=share > 0)
    return np.asarray(-share * logs)
