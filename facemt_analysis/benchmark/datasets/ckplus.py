"""CK+: posed emotions from neutral to peak (Lucey et al., 2010)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from facemt_analysis.benchmark.base import Benchmark, Sample
from facemt_analysis.benchmark.layout import files_in, incomplete, need, subfolders
from facemt_analysis.benchmark.tasks.emotions import EmotionTask

__all__ = ["CKPlus"]

_EMOTIONS = {
    0: "Neutral", 1: "Anger", 2: "Contempt", 3: "Disgust", 4: "Fear", 5: "Happy", 6: "Sad",
    7: "Surprise",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CKPlus(Benchmark):
    """Six emotions at the peak (contempt dropped), and neutral in the first frame.

    Parameters
    ----------
    peaks
        How many of the last frames of each labelled sequence count as its emotion.
    neutral
        Whether the first frame of each labelled sequence is a sample of neutral.
    """

    name: ClassVar[str] = "ckplus"
    title: ClassVar[str] = "CK+, emotions"
    licence: ClassVar[str] = "research use under an agreement with its authors"
    citation: ClassVar[str] = (
        "Lucey, Cohn, Kanade et al. (2010), The extended Cohn-Kanade dataset, CVPR Workshops, "
        "https://doi.org/10.1109/CVPRW.2010.5543262"
    )
    tree: ClassVar[str] = """
cohn-kanade-images/S005/001/S005_001_00000011.png
Emotion/S005/001/S005_001_00000011_emotion.txt   (one number; folders of other sequences are empty)
"""

    peaks: int = field(default=1, metadata={"help": "last frames that count as the emotion"})
    neutral: bool = field(default=True, metadata={"help": "first frames count as neutral"})

    @property
    def task(self) -> EmotionTask:
        """One of seven."""
        return EmotionTask()

    def samples(self, root: Path) -> Iterator[Sample]:
        """Give the labelled sequences, person by person."""
        images = need(root / "cohn-kanade-images", root, self.tree)
        labels = need(root / "Emotion", root, self.tree)
        for person in subfolders(labels):
            for sequence in subfolders(person):
                for path in files_in(sequence, ".txt"):
                    frames = files_in(
                        need(images / person.name / sequence.name, root, self.tree), ".png"
                    )
                    if not frames:
                        incomplete(f"{person.name}/{sequence.name} has no image", root, self.tree)
                    emotion = self._emotion(path, root)
                    if self.neutral:
                        yield self._sample(person, sequence, frames[0], "Neutral")
                    for image in frames[-self.peaks :]:
                        yield self._sample(person, sequence, image, emotion)

    def _sample(self, person: Path, sequence: Path, image: Path, emotion: str) -> Sample:
        key = f"{person.name}/{sequence.name}/{image.name}"
        return Sample(key, image, {"emotion": emotion}, person.name)

    def _emotion(self, path: Path, root: Path) -> str:
        try:
            return _EMOTIONS[round(float(path.read_text(encoding="utf-8")))]
        except (ValueError, KeyError):
            incomplete(f"{path.name} holds no number from 0 to 7", root, self.tree)
