"""Rendered faces with known truth: runs anywhere, for regression of any checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from facemt_analysis import schema
from facemt_analysis.benchmark.base import Benchmark, FaceSource, Sample
from facemt_analysis.benchmark.datasets.landmark_files import point_columns
from facemt_analysis.benchmark.tasks.action_units import ActionUnitTask
from facemt_analysis.benchmark.tasks.affect import AffectTask
from facemt_analysis.benchmark.tasks.emotions import EmotionTask
from facemt_analysis.benchmark.tasks.gaze import GazeTask
from facemt_analysis.benchmark.tasks.joint import JointTask
from facemt_analysis.benchmark.tasks.points import LandmarkTask
from facemt_analysis.benchmark.tasks.pose import PoseTask
from facemt_analysis.simulate import avatar_asset, render
from facemt_analysis.simulate.affect import affect_of, draw_aus, emotion_of

__all__ = ["Rendered"]

# Skin, hair and iris of the drawn people: none of them is anybody.
_PEOPLE = (
    ((236, 205, 186), (86, 62, 44), (84, 104, 122)),
    ((214, 170, 140), (40, 32, 28), (74, 58, 42)),
    ((172, 126, 96), (30, 26, 24), (60, 44, 32)),
    ((126, 88, 66), (24, 20, 18), (52, 36, 26)),
    ((92, 62, 46), (20, 18, 16), (44, 30, 22)),
    ((226, 192, 168), (150, 120, 80), (110, 130, 96)),
)


@dataclass(frozen=True, kw_only=True)
class Rendered(Benchmark):
    """All tasks on drawn faces that are nobody, in six skin tones; needs no data.

    The root may be any folder. Truth is what was drawn: action units 0–1 (there from 0.5), emotion
    and affect as the simulator derives them from the action units, head pose, gaze and landmarks.

    Parameters
    ----------
    n
        Faces.
    seed
        Of the random numbers: the same n and seed give the same faces.
    size
        Side of the pictures, px; they are network chips.
    """

    name: ClassVar[str] = "rendered"
    title: ClassVar[str] = "Rendered faces, all tasks"
    licence: ClassVar[str] = "MIT: drawn by this package"
    citation: ClassVar[str] = "facemt_analysis.simulate"
    tree: ClassVar[str] = "(nothing is read)"
    reads_files: ClassVar[bool] = False

    n: int = field(default=600, metadata={"help": "faces"})
    seed: int = field(default=1, metadata={"help": "of the random numbers"})
    size: int = field(default=256, metadata={"help": "side of the pictures, px"})
    faces: FaceSource = field(default="crop", metadata={"help": "detect or crop"})

    @property
    def task(self) -> JointTask:
        """Action units, emotion, affect, gaze, head pose, landmarks."""
        every = tuple((i, i) for i in range(schema.N_LANDMARKS))
        return JointTask(
            (
                ActionUnitTask(schema.au_columns(20), present=0.5),
                EmotionTask(),
                AffectTask(),
                GazeTask(),
                PoseTask(),
                LandmarkTask(points=every, corners=(36, 45)),
            )
        )

    def samples(self, root: Path) -> Iterator[Sample]:  # noqa: ARG002
        """Draw the faces, one after the other."""
        assets = [avatar_asset(skin, hair, iris) for skin, hair, iris in _PEOPLE]
        for i in range(self.n):
            rng = np.random.default_rng([self.seed, i])
            who = i % len(assets)
            drawn = render(
                assets[who],
                aus=draw_aus(rng, None),
                pose=np.radians(np.clip(rng.normal(0, (8, 14, 6)), -35, 35)),
                gaze=np.radians(np.clip(rng.normal(0, (8, 13)), -25, 25)),
                size=self.size,
            )
            emotion = schema.EMOTIONS[int(emotion_of(drawn.aus).argmax())]
            valence, arousal = affect_of(drawn.aus)
            truth: dict[str, float | str] = {
                **dict(zip(schema.au_columns(20), map(float, drawn.aus), strict=True)),
                **dict(zip(("Pitch", "Yaw", "Roll"), map(float, drawn.pose), strict=True)),
                **dict(zip(("gaze_pitch", "gaze_yaw"), map(float, drawn.gaze), strict=True)),
                **point_columns(drawn.mesh[list(schema.DLIB68_FROM_MESH), :2]),
                "emotion": emotion,
                "valence": float(valence),
                "arousal": float(arousal),
            }
            yield Sample(f"{self.seed}-{i}", drawn.image, truth, f"avatar-{who}")
