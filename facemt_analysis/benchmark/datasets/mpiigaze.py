"""MPIIGaze and MPIIFaceGaze: people at their laptops (Zhang et al., 2019)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from facemt_analysis.benchmark.base import Benchmark, Sample
from facemt_analysis.benchmark.datasets.gaze_frames import angles_from_image_axes
from facemt_analysis.benchmark.layout import files_in, incomplete, need, subfolders
from facemt_analysis.benchmark.tasks.gaze import GazeTask

__all__ = ["MPIIGaze"]

# MPIIFaceGaze, readme: after the image, 1-based dimensions 22-24 face centre, 25-27 gaze target
# (3D, camera frame, mm), counted over the numbers between image and eye.
_FACE_CENTRE, _FACE_TARGET, _FACE_NUMBERS = slice(20, 23), slice(23, 26), 26
# MPIIGaze, readme, annotation.txt, 1-based: 27-29 gaze target; 36-38 right, 39-41 left eye centre.
_TARGET, _RIGHT_EYE, _LEFT_EYE, _NUMBERS = slice(26, 29), slice(35, 38), slice(38, 41), 41


@dataclass(frozen=True, kw_only=True)
class MPIIGaze(Benchmark):
    """Mean angular error of fifteen people; each is a subject of the leave-one-out listing.

    The target of a sample is the line from the person to the point on the screen, in the camera's
    frame. Of MPIIFaceGaze it starts at the centre of the face; of MPIIGaze at the centre of the
    listed eye (``Evaluation Subset``), or between the eyes.

    Parameters
    ----------
    origin
        MPIIGaze only: where the line starts, ``"eye"`` or ``"eyes"`` (between them).
    """

    name: ClassVar[str] = "mpiigaze"
    title: ClassVar[str] = "MPIIGaze or MPIIFaceGaze, gaze"
    licence: ClassVar[str] = "CC BY-NC-SA 4.0"
    citation: ClassVar[str] = (
        "Zhang, Sugano, Fritz & Bulling (2019), MPIIGaze, IEEE TPAMI, "
        "https://doi.org/10.1109/TPAMI.2017.2778103; (2017), It's written all over your face, "
        "CVPR Workshops, https://doi.org/10.1109/CVPRW.2017.284"
    )
    tree: ClassVar[str] = """
p00/p00.txt   (MPIIFaceGaze: image, 26 numbers, eye)
p00/day01/0005.jpg
or
Data/Original/p00/day01/annotation.txt   (MPIIGaze: 41 numbers a line, line i: image i)
Data/Original/p00/day01/0001.jpg
Evaluation Subset/sample list for eye image/p00.txt   (lines: day13/0203.jpg left)
"""
    card: ClassVar[Mapping[tuple[str, str], float]] = {("angular_error", "gaze"): 7.05}

    origin: Literal["eye", "eyes"] = field(default="eyes", metadata={"help": "eye or eyes"})

    @property
    def task(self) -> GazeTask:
        """Direction of gaze in the camera's frame."""
        return GazeTask()

    def samples(self, root: Path) -> Iterator[Sample]:
        """Give the samples, person by person."""
        original = root / "Data" / "Original"
        if original.is_dir():
            yield from self._eyes(root, original)
            return
        people = [p for p in subfolders(root) if (p / f"{p.name}.txt").is_file()]
        if not people:
            incomplete("there is no person's list", root, self.tree)
        for person in people:
            for line in (person / f"{person.name}.txt").read_text(encoding="utf-8").splitlines():
                if not line.strip():
                    continue
                image, *rest = line.split()
                numbers = self._numbers(rest[:_FACE_NUMBERS], _FACE_NUMBERS, person, root)
                towards = numbers[_FACE_TARGET] - numbers[_FACE_CENTRE]
                yield Sample(
                    f"{person.name}/{image}", person / image, angles_from_image_axes(towards),
                    person.name,
                )  # fmt: skip

    def _eyes(self, root: Path, original: Path) -> Iterator[Sample]:
        lists = need(root / "Evaluation Subset" / "sample list for eye image", root, self.tree)
        for path in files_in(lists, ".txt"):
            person = need(original / path.stem, root, self.tree)
            annotations: dict[str, list[str]] = {}
            seen: set[str] = set()
            for line in path.read_text(encoding="utf-8").splitlines():
                if not line.strip():
                    continue
                image, side = line.split()
                if self.origin == "eyes":
                    if image in seen:  # listed for both eyes
                        continue
                    seen.add(image)
                day, name = image.split("/")
                if day not in annotations:
                    labels = need(person / day / "annotation.txt", root, self.tree)
                    annotations[day] = labels.read_text(encoding="utf-8").splitlines()
                row = int(Path(name).stem) - 1
                if row >= len(annotations[day]):
                    incomplete(f"{path.stem}/{day}/annotation.txt has no line {row + 1}",
                               root, self.tree)  # fmt: skip
                numbers = self._numbers(annotations[day][row].split(), _NUMBERS, person, root)
                ends = {"right": numbers[_RIGHT_EYE], "left": numbers[_LEFT_EYE]}
                start = ends[side] if self.origin == "eye" else sum(ends.values()) / 2
                key = f"{path.stem}/{image}" + (f" {side}" if self.origin == "eye" else "")
                truth = angles_from_image_axes(numbers[_TARGET] - start)
                yield Sample(key, person / image, truth, path.stem)

    def _numbers(
        self, parts: list[str], count: int, where: Path, root: Path
    ) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        try:
            numbers = np.array([float(part) for part in parts], np.float64)
        except ValueError:
            numbers = np.empty(0)
        if len(numbers) != count:
            incomplete(f"a line of {where.name} has not {count} numbers", root, self.tree)
        return numbers
