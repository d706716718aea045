"""RAF-DB: emotions of photographs from the web (Li, Deng & Du, 2017)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from facemt_analysis.benchmark.base import Benchmark, FaceSource, Sample
from facemt_analysis.benchmark.layout import incomplete, need
from facemt_analysis.benchmark.tasks.emotions import EmotionTask

__all__ = ["RAFDB"]

# The data set's readme, "basic emotions": 1 surprise … 7 neutral.
_EMOTIONS = {
    "1": "Surprise", "2": "Fear", "3": "Disgust", "4": "Happy", "5": "Sad", "6": "Anger",
    "7": "Neutral",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RAFDB(Benchmark):
    """Seven emotions, the official test images of the basic set.

    Parameters
    ----------
    images
        ``"aligned"``: the 100 × 100 crops that come with the data set, ``test_0001_aligned.jpg``;
        ``"original"``: the photographs, in which the face has to be found.
    faces
        Default: find the face.
    """

    name: ClassVar[str] = "rafdb"
    title: ClassVar[str] = "RAF-DB basic, emotions"
    licence: ClassVar[str] = "non-commercial research on request to the authors"
    citation: ClassVar[str] = (
        "Li, Deng & Du (2017), Reliable crowdsourcing and deep locality-preserving learning, CVPR, "
        "https://doi.org/10.1109/CVPR.2017.277"
    )
    tree: ClassVar[str] = """
basic/EmoLabel/list_patition_label.txt   (lines: test_0001.jpg 7)
basic/Image/aligned/test_0001_aligned.jpg
basic/Image/original/test_0001.jpg
"""
    card: ClassVar[Mapping[tuple[str, str], float]] = {
        ("accuracy", "emotions"): 0.910,
        ("macro_f1", "emotions"): 0.885,
    }

    images: Literal["aligned", "original"] = field(
        default="original", metadata={"help": "aligned or original"}
    )
    faces: FaceSource = field(default="detect", metadata={"help": "detect or crop"})

    @property
    def task(self) -> EmotionTask:
        """One of seven."""
        return EmotionTask()

    def samples(self, root: Path) -> Iterator[Sample]:
        """Give the test images in the order of the official list."""
        base = root / "basic" if (root / "basic").is_dir() else root
        labels = need(base / "EmoLabel" / "list_patition_label.txt", root, self.tree)
        folder = need(base / "Image" / self.images, root, self.tree)
        ending = "_aligned.jpg" if self.images == "aligned" else ".jpg"
        for line in labels.read_text(encoding="utf-8").split("\n"):
            parts = line.split()
            if len(parts) != 2 or not parts[0].startswith("test_"):
                continue
            if parts[1] not in _EMOTIONS:
                incomplete(f"{labels.name} has the class {parts[1]!r}", root, self.tree)
            image = need(folder / parts[0].replace(".jpg", ending), root, self.tree)
            yield Sample(parts[0], image, {"emotion": _EMOTIONS[parts[1]]})
