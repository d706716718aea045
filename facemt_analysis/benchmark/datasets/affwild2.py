"""Aff-Wild2: valence and arousal through videos from the web (Kollias & Zafeiriou, 2019)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from facemt_analysis.benchmark.base import Benchmark, FaceSource, Sample
from facemt_analysis.benchmark.layout import files_in, incomplete, need
from facemt_analysis.benchmark.tasks.affect import AffectTask

__all__ = ["AffWild2"]

_INVALID = -5.0


@dataclass(frozen=True, kw_only=True)
class AffWild2(Benchmark):
    """Concordance of valence and arousal over all annotated frames of the validation videos.

    Line i of a video's file (after the line of names) is its frame i, image ``%05d.jpg`` of the
    cropped, aligned faces that come with the data set; −5 marks frames that are not annotated. A
    frame without an image counts as one without a face. Intervals are over videos.

    Parameters
    ----------
    faces
        Default: the crop is the face.
    every
        Take every n-th frame only.
    """

    name: ClassVar[str] = "affwild2"
    title: ClassVar[str] = "Aff-Wild2 validation, valence and arousal"
    licence: ClassVar[str] = "non-commercial research under an agreement with its authors"
    citation: ClassVar[str] = (
        "Kollias & Zafeiriou (2019), Expression, affect, action unit recognition: Aff-Wild2, BMVC, "
        "https://arxiv.org/abs/1910.04855; validation set of the ABAW challenges"
    )
    tree: ClassVar[str] = """
VA_Estimation_Challenge/Validation_Set/1-30-1280x720.txt   (first line: valence,arousal)
cropped_aligned/1-30-1280x720/00001.jpg
"""
    card: ClassVar[Mapping[tuple[str, str], float]] = {
        ("ccc", "valence"): 0.852,
        ("ccc", "arousal"): 0.799,
    }

    faces: FaceSource = field(default="crop", metadata={"help": "detect or crop"})
    every: int = field(default=1, metadata={"help": "take every n-th frame"})

    @property
    def task(self) -> AffectTask:
        """Valence and arousal."""
        return AffectTask()

    def samples(self, root: Path) -> Iterator[Sample]:
        """Give the annotated frames, video by video."""
        nested = root / "annotations" / "VA_Estimation_Challenge"
        base = nested if nested.is_dir() else root / "VA_Estimation_Challenge"
        labels = need(base / "Validation_Set", root, self.tree)
        images = need(root / "cropped_aligned", root, self.tree)
        for path in files_in(labels, ".txt"):
            folder = need(images / path.stem, root, self.tree)
            with path.open(encoding="utf-8") as file:
                next(file, None)  # names
                for number, line in enumerate(file, start=1):
                    if not line.strip() or (number - 1) % self.every:
                        continue
                    valence, arousal = self._numbers(line, path, root)
                    if _INVALID in (valence, arousal):
                        continue
                    yield Sample(
                        f"{path.stem}/{number:05d}",
                        folder / f"{number:05d}.jpg",
                        {"valence": valence, "arousal": arousal},
                        path.stem,
                    )

    def _numbers(self, line: str, path: Path, root: Path) -> tuple[float, float]:
        try:
            valence, arousal = (float(part) for part in line.split(","))
        except ValueError:
            incomplete(f"{path.relative_to(root)} has the line {line.strip()!r}", root, self.tree)
        return valence, arousal
