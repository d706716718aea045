"""Faces between two looks of the face detector: where they are, and when that is in doubt.

The face detector looks at every N-th frame of a film. Between two looks that show the same faces,
not far from where they were, each box is interpolated; the network, run on it, tells whether the
face was there. What cannot be interpolated, or is in doubt, is left to the detector.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from facemt_analysis.detection.tracking import overlap

__all__ = [
    "EVERY",
    "LONGEST",
    "between",
    "crowded",
    "doubtful",
    "is_bridged",
    "look_distance",
    "partners",
    "relation",
]

Boxes = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

EVERY = 8
"""Frames from one look to the next where the frame rate is not known."""
LONGEST = 0.5
"""Seconds from one look to the next beyond which nothing is interpolated."""

# Seconds from one look to the next, in which heads hardly turn; at most so many frames, which wait
# in memory; and the highest rate that is believed: some files give the tick of their clock instead.
_USUAL, _MOST, _HIGHEST = 0.4, 14, 120.0
_OVERLAP = 0.4  # of a face with itself from one look to the next
_APART = 0.25  # face widths between two faces of a frame; nearer ones may be mistaken
# How far the mesh may lie otherwise in its box than it did at the look: in sides of the box, and
# in the logarithm of the size; and how little the face may look as it did (correlation).
_SHIFT, _GROWTH, _LIKENESS = 0.12, 0.2, 0.6


def look_distance(rate: float | None) -> int:
    """Frames from one look of the face detector to the next.

    Parameters
    ----------
    rate
        Frames a second that are analysed; None where there is no clock.

    Examples
    --------
    >>> [look_distance(rate) for rate in (60.0, 30.0, 25.0, 15.0, 5.0, 1.0, None)]
    [14, 12, 10, 6, 2, 1, 8]
    """
    if rate is None or not 0.0 < rate <= _HIGHEST:
        return EVERY
    return max(1, min(round(_USUAL * rate), int(LONGEST * rate), _MOST))


def is_bridged(left: Boxes, right: Boxes, seconds: float) -> bool:
    """Whether boxes may be interpolated between two looks.

    Parameters
    ----------
    left, right
        (n, 5) `x1 y1 x2 y2 score` at the two looks.
    seconds
        Time between them; NaN without a clock.

    Examples
    --------
    >>> one = np.array([[10, 10, 50, 60, 0.9]], np.float32)
    >>> is_bridged(one, one + 2, 0.3), is_bridged(one, one + 40, 0.3), is_bridged(one, one, 2.0)
    (True, False, False)
    """
    # where nobody is seen, somebody may come and go between two looks
    if seconds > LONGEST or len(left) != len(right) or not len(left):
        return False
    if crowded(left) or crowded(right):
        return False
    row = partners(left, right)
    shared = _overlap(left, right)[np.arange(len(left)), row]
    return len(set(row.tolist())) == len(row) and bool((shared >= _OVERLAP).all())


def partners(left: Boxes, right: Boxes) -> npt.NDArray[np.intp]:
    """Row of `right` that overlaps most with each row of `left`."""
    row: npt.NDArray[np.intp] = _overlap(left, right).argmax(axis=1)
    return row


def between(left: Boxes, right: Boxes, share: float) -> Boxes:
    """Boxes at a share of the way from one look to the next, rows in the order of `right`.

    >>> box = np.array([[10, 10, 50, 60, 1.0]], np.float32)
    >>> between(box, box + np.float32([4, 0, 4, 0, 0]), 0.25).tolist()
    [[11.0, 10.0, 51.0, 60.0, 1.0]]
    """
    came_from = np.argsort(partners(left, right))
    mixed: Boxes = ((1.0 - share) * left[came_from] + share * right).astype(np.float32)
    return mixed


def relation(boxes: Boxes, mesh: npt.NDArray[Any]) -> Floats:
    """How the mesh of a face lies in its box: (n, 3) shift in x and y, logarithm of the size.

    Parameters
    ----------
    boxes
        (n, 4 or 5) `x1 y1 x2 y2`, px of the frame.
    mesh
        (n, k, 2 or 3) px of the frame.
    """
    low, high = mesh[..., :2].min(axis=1), mesh[..., :2].max(axis=1)
    extent = (boxes[:, 2:4] - boxes[:, :2]).astype(np.float64)
    side = np.sqrt(extent.prod(axis=1))
    shift = ((low + high) - (boxes[:, :2] + boxes[:, 2:4])) / 2 / side[:, None]
    with np.errstate(divide="ignore"):
        size = np.log(np.sqrt((high - low).astype(np.float64).prod(axis=1)) / side)
    return np.column_stack([shift, size])


def doubtful(
    now: Floats, then: Floats, likeness: npt.NDArray[np.floating[Any]]
) -> npt.NDArray[np.bool_]:
    """Whether followed faces may not be where they were taken to be.

    Parameters
    ----------
    now, then
        (n, 3) `relation` in the frame, and of the same face at the look that follows.
    likeness
        (n,) correlation of the two coarse pictures of the face.

    Returns
    -------
    ndarray
        (n,) bool; NaN anywhere is a doubt.

    Examples
    --------
    >>> then = np.zeros((3, 3))
    >>> now = np.array([[0.05, 0, 0], [0.3, 0, 0], [0, 0, 0]])
    >>> doubtful(now, then, np.array([0.9, 0.9, 0.1])).tolist()
    [False, True, True]
    """
    change = np.abs(now - then)
    sure: npt.NDArray[np.bool_] = (change[:, :2].max(axis=1) <= _SHIFT) & (change[:, 2] <= _GROWTH)
    sure &= likeness >= _LIKENESS
    return ~sure


def crowded(boxes: Boxes) -> bool:
    """Whether two boxes (n, 5) of one frame touch, or nearly."""
    if len(boxes) < 2:
        return False
    room = _APART * (boxes[:, 2] - boxes[:, 0])
    wide = boxes.copy()
    wide[:, :2] -= room[:, None]
    wide[:, 2:4] += room[:, None]
    shared = _overlap(wide, boxes)
    np.fill_diagonal(shared, 0.0)
    return bool((shared > 0).any())


def _overlap(first: Boxes, second: Boxes) -> Floats:
    """Intersection over union, (m, n), of boxes with a score."""
    return overlap(first[:, :4].astype(np.float64), second[:, :4].astype(np.float64))
