"""AffectNet: emotions and affect of photographs from the web (Mollahosseini et al., 2019)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from facemt_analysis.benchmark.base import Benchmark, Sample
from facemt_analysis.benchmark.layout import incomplete, need
from facemt_analysis.benchmark.tasks.affect import AffectTask
from facemt_analysis.benchmark.tasks.base import Task
from facemt_analysis.benchmark.tasks.emotions import EmotionTask

__all__ = ["AffectNet"]

# Codes of the data set; 8 to 10 (none, uncertain, no face) are not emotions.
_EMOTIONS = {
    0: "Neutral", 1: "Happy", 2: "Sad", 3: "Surprise", 4: "Fear", 5: "Disgust", 6: "Anger",
    7: "Contempt",
}  # fmt: skip
# The published validation list has no line of names.
_COLUMNS = (
    "subDirectory_filePath", "face_x", "face_y", "face_width", "face_height", "facial_landmarks",
    "expression", "valence", "arousal",
)  # fmt: skip
_INVALID = -2.0  # valence and arousal of images that are no emotion


@dataclass(frozen=True, kw_only=True)
class AffectNet(Benchmark):
    """Seven emotions (contempt dropped) or affect, the official validation set.

    Both published layouts are read: one ``.npy`` per image and label, with images that are crops
    around the face; or one CSV list, with whole photographs and face boxes.

    Parameters
    ----------
    score
        ``"emotion"``: accuracy and macro-F1; ``"affect"``: concordance of valence and arousal.
    """

    name: ClassVar[str] = "affectnet"
    title: ClassVar[str] = "AffectNet validation, emotions or affect"
    licence: ClassVar[str] = "non-commercial research under an agreement with its authors"
    citation: ClassVar[str] = (
        "Mollahosseini, Hasani & Mahoor (2019), AffectNet, IEEE Transactions on Affective "
        "Computing, https://doi.org/10.1109/TAFFC.2017.2740923"
    )
    tree: ClassVar[str] = """
val_set/images/0.jpg
val_set/annotations/0_exp.npy, 0_val.npy, 0_aro.npy
or
Manually_Annotated_file_lists/validation.csv   (or validation.csv)
Manually_Annotated_Images/689/737db2….jpg
"""
    card: ClassVar[Mapping[tuple[str, str], float]] = {
        ("accuracy", "emotions"): 0.616,
        ("macro_f1", "emotions"): 0.612,
    }

    score: Literal["emotion", "affect"] = field(
        default="emotion", metadata={"help": "emotion or affect"}
    )

    @property
    def task(self) -> Task:
        """One of seven emotions, or valence and arousal."""
        return EmotionTask() if self.score == "emotion" else AffectTask()

    def samples(self, root: Path) -> Iterator[Sample]:
        """Give the validation images by their number, or in the order of the list."""
        if (root / "val_set").is_dir():
            yield from self._from_arrays(root, root / "val_set")
            return
        lists = root / "Manually_Annotated_file_lists" / "validation.csv"
        if not lists.exists():
            lists = need(root / "validation.csv", root, self.tree)
        yield from self._from_list(root, lists)

    def _from_arrays(self, root: Path, folder: Path) -> Iterator[Sample]:
        annotations = need(folder / "annotations", root, self.tree)
        images = need(folder / "images", root, self.tree)
        names = [p.name.removesuffix("_exp.npy") for p in annotations.glob("*_exp.npy")]
        for name in sorted(names, key=lambda n: (len(n), n)):
            emotion, valence, arousal = (
                self._number(need(annotations / f"{name}_{kind}.npy", root, self.tree), root)
                for kind in ("exp", "val", "aro")
            )
            yield _sample(name, images / f"{name}.jpg", emotion, valence, arousal)

    def _number(self, path: Path, root: Path) -> float:
        try:  # texts or numbers, in an array without dimensions
            return float(np.load(path, allow_pickle=False).item())
        except ValueError:
            incomplete(f"{path.relative_to(root)} is no number", root, self.tree)

    def _from_list(self, root: Path, path: Path) -> Iterator[Sample]:
        images = need(root / "Manually_Annotated_Images", root, self.tree)
        table = pd.read_csv(path, header=None, names=list(_COLUMNS), dtype=str)
        if str(table.iloc[0, 0]).startswith("subDirectory"):
            table = table.iloc[1:]
        numbers = table.drop(columns=["subDirectory_filePath", "facial_landmarks"]).astype(float)
        boxes = numbers[["face_x", "face_y", "face_width", "face_height"]].to_numpy()
        labels = numbers[["expression", "valence", "arousal"]].to_numpy()
        for name, (x, y, w, h), (emotion, valence, arousal) in zip(
            table["subDirectory_filePath"], boxes, labels, strict=True
        ):
            box = (float(x), float(y), float(x + w), float(y + h))
            yield _sample(str(name), images / str(name), emotion, valence, arousal, box)


def _sample(
    key: str,
    image: Path,
    emotion: float,
    valence: float,
    arousal: float,
    box: tuple[float, float, float, float] | None = None,
) -> Sample:
    truth: dict[str, float | str] = {"emotion": _EMOTIONS.get(int(emotion), "none")}
    for name, value in (("valence", valence), ("arousal", arousal)):
        truth[name] = float(value) if value > _INVALID else float("nan")
    return Sample(key, image, truth, box=box)
