"""From the image of a sample to the measured face that is meant."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.benchmark.base import FaceSource, Image, Sample
from facemt_analysis.detection.faces import Framing
from facemt_analysis.detection.media.images import read_image
from facemt_analysis.errors import MediaError

if TYPE_CHECKING:
    from facemt_analysis.detection import Detector

__all__ = ["measure_samples"]

Box = npt.NDArray[np.float64]


def measure_samples(
    detector: Detector,
    samples: Sequence[Sample],
    *,
    faces: FaceSource,
    margin: float,
    groups: Sequence[str],
    pool: ThreadPoolExecutor,
) -> pd.DataFrame:
    """Measure one face per sample.

    Parameters
    ----------
    detector
        What finds and measures faces.
    samples
        n samples.
    faces, margin
        See :class:`Benchmark`.
    groups
        Feature groups to measure.
    pool
        Threads that read images.

    Returns
    -------
    DataFrame
        n rows: ``found``; ``problem`` (why not, empty otherwise); ``face_px`` (longer side of the
        box); features, NaN where no face was found.
    """
    problems = [""] * len(samples)
    readable: dict[int, Image] = {}
    for i, read in enumerate(pool.map(_read, samples)):
        if isinstance(read, str):
            problems[i] = read
        else:
            readable[i] = read
    located = _locate(
        detector, list(readable.values()), [samples[i] for i in readable], faces, margin
    )
    boxes: dict[int, Box] = {}
    for i, box in zip(readable, located, strict=True):
        if box is None:
            problems[i] = "no face" if faces == "detect" else "the data set gives no box"
        else:
            boxes[i] = box
    found = list(boxes)
    given = np.array(list(boxes.values()), np.float64).reshape(-1, 4)
    # a detector's boxes are brought to the framing the network knows; others are what they are
    framing = None if faces == "detect" else Framing()
    measured = detector.measure(
        [readable[i] for i in found], given, framing=framing, groups=groups
    ).set_axis(found, axis=0)
    measured.insert(0, "face_px", (given[:, 2:] - given[:, :2]).max(axis=1, initial=0.0))
    seen = np.isin(np.arange(len(samples)), found)
    table = pd.DataFrame({"found": seen, "problem": problems})
    return pd.concat([table, measured.reindex(table.index)], axis=1)


def _read(sample: Sample) -> Image | str:
    """Pixels, or why there are none."""
    if isinstance(sample.image, np.ndarray):
        return sample.image
    try:
        return read_image(sample.image)
    except MediaError as error:
        return str(error)


def _locate(
    detector: Detector,
    images: Sequence[Image],
    samples: Sequence[Sample],
    faces: FaceSource,
    margin: float,
) -> list[Box | None]:
    if faces == "crop":
        return [_whole(image, margin, detector) for image in images]
    if faces == "box":
        return [None if s.box is None else np.asarray(s.box, np.float64) for s in samples]
    found = detector.face_detector.detect(list(images))
    return [
        _meant(candidates[candidates[:, 4] >= detector.face_threshold], sample, image)
        for candidates, sample, image in zip(found, samples, images, strict=True)
    ]


def _whole(image: Image, margin: float, detector: Detector) -> Box:
    """Box whose chip is `margin` times the longer side of the image."""
    height, width = image.shape[:2]
    half = margin * max(height, width) / detector.chip.expand / 2
    centre = np.array([width / 2 - 0.5, height / 2 - 0.5])
    return np.concatenate([centre - half, centre + half])


def _meant(candidates: npt.NDArray[np.float32], sample: Sample, image: Image) -> Box | None:
    """Of several faces the one in the data set's box, else the largest near the centre."""
    if not len(candidates):
        return None
    boxes = candidates[:, :4].astype(np.float64)
    if sample.box is not None:
        overlap = _overlap(boxes, np.asarray(sample.box, np.float64))
        best = int(overlap.argmax())
        return boxes[best] if overlap[best] > 0 else None
    sides = boxes[:, 2:] - boxes[:, :2]
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    middle = np.array(image.shape[1::-1]) / 2
    away = np.linalg.norm((centre - middle) / np.maximum(middle, 1), axis=1)
    best = int((np.prod(sides, axis=1) / (1 + away)).argmax())
    return np.asarray(boxes[best])


def _overlap(boxes: Box, one: Box) -> Box:
    """Intersection over union of each box with one box."""
    corner = np.minimum(boxes[:, 2:], one[2:]) - np.maximum(boxes[:, :2], one[:2])
    shared = np.prod(np.maximum(corner, 0.0), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(one[2:] - one[:2])
    return np.asarray(shared / np.maximum(areas - shared, 1e-9))
