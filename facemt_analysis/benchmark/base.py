"""What a benchmark is: samples with a known answer, and the task they are scored on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from facemt_analysis.benchmark.tasks.base import Task

__all__ = ["Benchmark", "FaceSource", "Sample"]

Image = npt.NDArray[np.uint8]

FaceSource = Literal["detect", "box", "crop"]
"""Where the face is: found by the face detector, in the data set's box, or all of the image."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One face with a known answer.

    Parameters
    ----------
    key
        Names the sample within its benchmark, e.g. its path below the root; a second run knows by
        it what is done already.
    image
        Path of an image, or (H, W, 3) uint8 RGB, upright.
    truth
        What is known, by the names of the Fex's columns and in their units (``AU12`` on the data
        set's own scale, ``emotion`` as text, ``valence``, ``gaze_yaw`` rad, ``x_0`` px …). NaN:
        not labelled.
    subject
        Who it is; intervals are over subjects. None: nobody says.
    box
        Where the data set says the face is, `x1 y1 x2 y2` px: which of several faces is meant, and,
        for the face source ``"box"``, what is cut out.
    """

    key: str
    image: Path | Image
    truth: Mapping[str, float | str]
    subject: str | None = None
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Benchmark(ABC):
    """A data set, read in its official layout, with the protocol it is scored by.

    A new one is a frozen dataclass that gives the class attributes below, `samples` and `task`. Its
    fields are the options of its protocol, which the command line takes as ``--set name=value``.

    Parameters
    ----------
    faces
        Where the face is in an image (:data:`FaceSource`).
    margin
        Side of the network's chip over the longer side of the image, for the face source
        ``"crop"``; below 1 cuts into the image, above 1 mirrors beyond it.
    """

    name: ClassVar[str]
    """What the registry and the command line call it."""
    title: ClassVar[str]
    """One line."""
    licence: ClassVar[str]
    """Who may use the data, in words: shown before a run."""
    citation: ClassVar[str]
    """Source of data and protocol, with DOI or address."""
    tree: ClassVar[str]
    """The layout below the root that `samples` reads, as people draw folders."""
    reads_files: ClassVar[bool] = True
    """Whether there is a data set to read below the root."""
    card: ClassVar[Mapping[tuple[str, str], float]] = {}
    """Scores the model card of face_multitask_v2 claims: (metric, target) → value."""

    faces: FaceSource = field(default="detect", metadata={"help": "detect, box or crop"})
    margin: float = field(default=1.0, metadata={"help": "chip side over image side (crop)"})

    @abstractmethod
    def samples(self, root: Path) -> Iterator[Sample]:
        """Give the samples of the official split, one by one, in a fixed order.

        Raises
        ------
        MediaError
            If files are missing; the message shows the expected tree and what was found
            (:func:`facemt_analysis.benchmark.layout.need`).
        """

    @property
    @abstractmethod
    def task(self) -> Task:
        """What is scored, and how."""

    def expected_scores(self) -> Mapping[tuple[str, str], float]:
        """Scores the card claims for these options; nothing by default for changed protocols."""
        return self.card if self.options() == type(self)().options() else {}

    def options(self) -> dict[str, Any]:
        """Options of the protocol by name."""
        return {item.name: getattr(self, item.name) for item in fields(self)}
