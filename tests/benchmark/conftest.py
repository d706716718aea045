"""A detector that reads its answers off the image: what a benchmark must score is then known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facemt_analysis import schema
from facemt_analysis.detection import ChipGeometry
from facemt_analysis.detection.faces import Framing

FEATURES = (
    *schema.GROUPS["aus"].columns, *schema.EMOTIONS, "valence", "arousal", "gaze_pitch",
    "gaze_yaw", "Pitch", "Yaw", "Roll", *schema.GROUPS["landmarks"].columns,
)  # fmt: skip
SIDE = 64
_STEPS = 10_000


def encoded(answers: dict[str, float], *, face: bool = True, side: int = SIDE) -> np.ndarray:
    """Write numbers in −300…300 into the pixels of an image, three bytes each; green: a face."""
    pixels = np.zeros((side, side, 3), np.uint8)
    pixels[0, 0] = (0, 255, 0) if face else (255, 0, 0)
    for i, name in enumerate(FEATURES, start=1):
        value = round((answers.get(name, 0.0) + 300) * _STEPS)
        pixels[divmod(i, side)] = [(value >> shift) & 255 for shift in (16, 8, 0)]
    return pixels


def decoded(image: np.ndarray) -> list[float]:
    side = image.shape[1]
    values = []
    for i in range(1, len(FEATURES) + 1):
        high, middle, low = (int(v) for v in image[divmod(i, side)])
        values.append(((high << 16) + (middle << 8) + low) / _STEPS - 300)
    return values


@dataclass
class KnownDetector:
    """Has what a benchmark asks of a Detector."""

    name: str = "known"
    face_threshold: float = 0.5
    chip: ChipGeometry = field(default_factory=ChipGeometry)
    measured: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.weights = SimpleNamespace(name=self.name, sha256=self.name.encode().hex())
        self.conventions = SimpleNamespace(name="known")
        self.face_detector = SimpleNamespace(
            name="known", framing=Framing(), detect=lambda images: [self.find(i) for i in images]
        )

    def find(self, image: np.ndarray) -> np.ndarray:
        box = [4.0, 4.0, image.shape[1] - 4.0, image.shape[0] - 4.0, 0.9]
        return np.array([box] if image[0, 0, 1] == 255 else [], np.float32).reshape(-1, 5)

    def measure(
        self, images: Sequence[np.ndarray], boxes: np.ndarray, *, framing: object = None,
        groups: Sequence[str] | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        assert len(images) == len(boxes)
        self.measured.append(len(images))
        table = pd.DataFrame([decoded(image) for image in images], columns=list(FEATURES))
        kept = [c for c in FEATURES if groups is None or schema.group_of(c) in groups]
        return table[kept].astype(np.float32)


@pytest.fixture
def known() -> KnownDetector:
    return KnownDetector()


@pytest.fixture(scope="session")
def save_answers() -> Callable[..., Path]:
    """Write an image that carries its answers; lossless, whatever its name ends in."""

    def save(path: Path, answers: dict[str, float], *, face: bool = True) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            Image.fromarray(encoded(answers, face=face)).save(file, format="PNG")
        return path

    return save
