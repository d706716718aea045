"""Faces of a unit of frames: found, followed, measured, checked."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from facemt_analysis.detection import following
from facemt_analysis.detection.faces.base import FaceDetector
from facemt_analysis.detection.media import Frame
from facemt_analysis.detection.reading import Reader
from facemt_analysis.detection.table import FaceTable
from facemt_analysis.detection.units import Unit
from facemt_analysis.network.engines.together import Together

__all__ = ["Faces", "Finder", "Measurer", "measure_unit"]

Boxes = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]
Settle = Callable[[Sequence[Image], Sequence[Boxes]], list[Boxes]]

_COARSE = 16  # side of the pictures by which faces are compared, px


@dataclass(frozen=True)
class Faces:
    """Faces of some frames, in order of their frames.

    Parameters
    ----------
    boxes
        (n, 5) `x1 y1 x2 y2 score`, px.
    frame_of
        (n,) position of the frame.
    blocks
        Feature group → (n, columns).
    relation
        (n, 3), see `following.relation`.
    coarse
        (n, 256) small grey pictures of the faces, mean 0, length 1.
    """

    boxes: Boxes
    frame_of: npt.NDArray[np.intp]
    blocks: dict[str, npt.NDArray[np.float32]]
    relation: npt.NDArray[np.float64]
    coarse: npt.NDArray[np.float32]

    def replaced(self, frames: npt.NDArray[np.intp], others: Faces) -> Faces:
        """Take the faces of some frames from `others`."""
        kept = np.flatnonzero(~np.isin(self.frame_of, frames))
        order = np.argsort(np.concatenate([self.frame_of[kept], others.frame_of]), kind="stable")

        def joined(mine: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> npt.NDArray[Any]:
            return np.concatenate([mine[kept], theirs])[order]

        return Faces(
            joined(self.boxes, others.boxes),
            joined(self.frame_of, others.frame_of),
            {group: joined(block, others.blocks[group]) for group, block in self.blocks.items()},
            joined(self.relation, others.relation),
            joined(self.coarse, others.coarse),
        )


@dataclass(frozen=True)
class Measurer:
    """Measures faces whose place is known.

    Parameters
    ----------
    reader
        Runs the network on them.
    table
        Which features are kept.
    """

    reader: Reader
    table: FaceTable

    def __call__(
        self, images: Sequence[Image], boxes: Boxes, frame_of: npt.NDArray[np.intp]
    ) -> Faces:
        """Measure n faces: `boxes` (n, 5), `frame_of` (n,) the image of each."""
        blocks: dict[str, list[npt.NDArray[np.float32]]] = {g: [] for g in self.table.widths()}
        relations, coarse = [np.empty((0, 3))], [np.empty((0, _COARSE**2), np.float32)]
        for part, chips, placement in self.reader.cut(images, boxes, frame_of):
            small = _coarse(chips)  # given to the device before anything waits for it
            prediction, mesh = self.reader.read(chips, placement)
            for group, block in self.table.blocks(prediction, mesh, boxes[part]).items():
                blocks[group].append(block)
            relations.append(following.relation(boxes[part], mesh))
            coarse.append(small.cpu().numpy())
        widths = self.table.widths()
        return Faces(
            boxes,
            frame_of,
            {
                group: np.concatenate(parts) if parts else np.empty((0, widths[group]), np.float32)
                for group, parts in blocks.items()
            },
            np.concatenate(relations),
            np.concatenate(coarse),
        )


class Finder:
    """Runs a face detector, from one thread at a time unless it allows more.

    Parameters
    ----------
    detector
        The face detector; its attribute `thread_safe` says whether it may run in several threads,
        and `shares_batches` that frames of several threads go through it at once, so many pixels
        at most.
    threshold
        Faces with a lower score are left out.
    settle
        Moves the boxes of images to where the faces are; None: they stay.
    """

    def __init__(
        self, detector: FaceDetector, threshold: float, settle: Settle | None = None
    ) -> None:
        self.detector = detector
        self.threshold = threshold
        self._settle = settle
        self._detect: Callable[[Sequence[Image]], list[Boxes]] = detector.detect
        if not getattr(detector, "thread_safe", False):
            self._detect = _one_at_a_time(detector.detect)
        elif most := getattr(detector, "shares_batches", None):
            self._detect = Together(self._detect_all, most=most, weigh=_pixels)

    def __call__(self, frames: Sequence[Frame]) -> list[Boxes]:
        """Boxes (n, 5) of each frame, from left to right."""
        if not frames:
            return []
        images = [frame.image for frame in frames]
        found = [boxes[boxes[:, 4] >= self.threshold] for boxes in self._detect(images)]
        if self._settle is not None:
            found = self._settle(images, found)
        return [boxes[np.lexsort(boxes.T[::-1])].astype(np.float32) for boxes in found]

    def _detect_all(self, given: Sequence[Sequence[Image]]) -> list[list[Boxes]]:
        """Detect in the frames of several threads."""
        found = iter(self.detector.detect(list(itertools.chain.from_iterable(given))))
        return [list(itertools.islice(found, len(images))) for images in given]


def _one_at_a_time(
    detect: Callable[[Sequence[Image]], list[Boxes]],
) -> Callable[[Sequence[Image]], list[Boxes]]:
    turn = threading.Lock()

    def in_turn(images: Sequence[Image]) -> list[Boxes]:
        with turn:
            return detect(images)

    return in_turn


def _pixels(images: Sequence[Image]) -> int:
    return sum(image.shape[0] * image.shape[1] for image in images)


def measure_unit(
    unit: Unit,
    before: tuple[Boxes, float] | None,
    closing: Boxes | None,
    find: Finder,
    measure: Measurer,
) -> Faces:
    """Find and measure the faces of a unit.

    Parameters
    ----------
    unit
        The frames.
    before
        Boxes and time of the look before the unit; None where the unit opens a window.
    closing
        Boxes of its last frame; None: all frames are looked at.
    find, measure
        The tools.
    """
    frames, looks = unit.frames, unit.looks
    images = [frame.image for frame in frames]
    if closing is None:
        return measure(images, *_flat(dict(enumerate(find(frames))), range(len(frames))))
    boxes: dict[int, Boxes] = dict(
        zip(looks, [*find([frames[i] for i in looks[:-1]]), closing], strict=True)
    )
    look_after = np.empty(len(frames), np.intp)  # of each frame, the look that follows it
    followed: list[int] = []
    left = -1
    for right in looks:
        look_after[left + 1 : right + 1] = right
        seen = before if left < 0 else (boxes[left], frames[left].time)
        if seen is not None and right > left + 1:
            elapsed = frames[right].time - seen[1]
            if following.is_bridged(seen[0], boxes[right], elapsed):
                for i in range(left + 1, right):
                    share = (i - left) / (right - left)
                    if np.isfinite(elapsed) and elapsed > 0:
                        share = (frames[i].time - seen[1]) / elapsed
                    boxes[i] = following.between(seen[0], boxes[right], share)
                    followed.append(i)
        left = right
    _look(frames, [i for i in range(len(frames)) if i not in boxes], boxes, find)

    faces = measure(images, *_flat(boxes, range(len(frames))))
    doubts = _doubts(faces, followed, look_after)
    if len(doubts):
        _look(frames, doubts.tolist(), boxes, find)
        faces = faces.replaced(doubts, measure(images, *_flat(boxes, doubts.tolist())))
    return faces


def _look(
    frames: Sequence[Frame], positions: list[int], boxes: dict[int, Boxes], find: Finder
) -> None:
    """Let the face detector look at some frames."""
    found = find([frames[i] for i in positions])
    boxes.update(zip(positions, found, strict=True))


def _flat(boxes: dict[int, Boxes], positions: Sequence[int]) -> tuple[Boxes, npt.NDArray[np.intp]]:
    counts = [len(boxes[i]) for i in positions]
    together = np.concatenate([np.empty((0, 5), np.float32), *(boxes[i] for i in positions)])
    return together, np.repeat(np.asarray(positions, np.intp), counts)


def _doubts(
    faces: Faces, followed: list[int], look_after: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """Positions of followed frames of which a face is in doubt."""
    rows = np.flatnonzero(np.isin(faces.frame_of, followed))
    if not len(rows):
        return np.empty(0, np.intp)
    # a followed frame has the faces of the look after it, in the same order
    starts = np.searchsorted(faces.frame_of, np.arange(len(look_after)))
    place = rows - starts[faces.frame_of[rows]]
    then = starts[look_after[faces.frame_of[rows]]] + place
    likeness = (faces.coarse[rows] * faces.coarse[then]).sum(axis=1)
    doubt = following.doubtful(faces.relation[rows], faces.relation[then], likeness)
    return np.unique(faces.frame_of[rows[doubt]])


def _coarse(chips: torch.Tensor) -> torch.Tensor:
    grey = torch.nn.functional.adaptive_avg_pool2d(chips.mean(dim=1, keepdim=True), _COARSE)
    flat = grey.flatten(1)
    flat = flat - flat.mean(dim=1, keepdim=True)
    return torch.nn.functional.normalize(flat, dim=1)
