"""AFEW-VA: valence and arousal in clips from films (Kossaifi et al., 2017)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from facemt_analysis.benchmark.base import Benchmark, Sample
from facemt_analysis.benchmark.layout import incomplete, need, subfolders
from facemt_analysis.benchmark.tasks.affect import AffectTask

__all__ = ["AFEWVA"]

_SCALE = 10.0  # the data set rates from -10 to 10


@dataclass(frozen=True, kw_only=True)
class AFEWVA(Benchmark):
    """Concordance over all frames of 600 clips; ratings from −10 to 10 are divided by 10.

    The landmarks of the data set say which of several faces is meant. A subject is an actor.
    """

    name: ClassVar[str] = "afewva"
    title: ClassVar[str] = "AFEW-VA, valence and arousal"
    licence: ClassVar[str] = "non-commercial research"
    citation: ClassVar[str] = (
        "Kossaifi, Tzimiropoulos, Todorovic & Pantic (2017), AFEW-VA, Image and Vision Computing, "
        "https://doi.org/10.1016/j.imavis.2017.02.001"
    )
    tree: ClassVar[str] = """
001/001.json   ({"actor": …, "frames": {"00000": {"landmarks": …, "valence": …, "arousal": …}}})
001/00000.png
"""

    @property
    def task(self) -> AffectTask:
        """Valence and arousal."""
        return AffectTask()

    def samples(self, root: Path) -> Iterator[Sample]:
        """Give the frames, clip by clip."""
        clips = [p for p in subfolders(root) if (p / f"{p.name}.json").is_file()]
        if not clips:
            incomplete("there is no clip with its ratings", root, self.tree)
        for clip in clips:
            try:
                content = json.loads((clip / f"{clip.name}.json").read_text(encoding="utf-8"))
                frames = content["frames"]
                actor = str(content.get("actor", clip.name))
                for number in sorted(frames):
                    rating = frames[number]
                    points = np.asarray(rating["landmarks"], np.float64)
                    box = (*points.min(axis=0).tolist(), *points.max(axis=0).tolist())
                    truth = {name: float(rating[name]) / _SCALE for name in ("valence", "arousal")}
                    image = need(clip / f"{number}.png", root, self.tree)
                    yield Sample(f"{clip.name}/{number}", image, truth, actor, box)
            except (ValueError, KeyError, TypeError) as error:
                incomplete(f"{clip.name}.json is not as expected ({error})", root, self.tree)
