"""The singular properties of a Fex: views whose methods analyse it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, cast

import pandas as pd

if TYPE_CHECKING:
    from facemt_analysis.accessors.affect import AffectAccessor
    from facemt_analysis.accessors.au import AUAccessor
    from facemt_analysis.accessors.blendshape import BlendshapeAccessor
    from facemt_analysis.accessors.emotion import EmotionAccessor
    from facemt_analysis.accessors.gaze import GazeAccessor
    from facemt_analysis.accessors.mesh import MeshAccessor
    from facemt_analysis.accessors.pose import PoseAccessor
    from facemt_analysis.accessors.quality import QualityAccessor
    from facemt_analysis.accessors.signal import SignalAccessor
    from facemt_analysis.accessors.stats import StatsAccessor
    from facemt_analysis.fex.table import Fex
    from facemt_analysis.interactive.scrubber import Scrubber

__all__ = ["Views"]


class Views:
    """Mix-in of :class:`Fex`: a new view each time one is asked for, nothing kept.

    A view of a group raises :class:`MissingGroupError`, an ``AttributeError``, if the table has no
    column of it.
    """

    @property
    def au(self) -> AUAccessor:
        """Action units: events, summaries, co-occurrence, expressivity."""
        from facemt_analysis.accessors.au import AUAccessor

        return AUAccessor(cast("Fex", self))

    @property
    def emotion(self) -> EmotionAccessor:
        """Emotions: the dominant one, shares, bouts, transitions."""
        from facemt_analysis.accessors.emotion import EmotionAccessor

        return EmotionAccessor(cast("Fex", self))

    @property
    def affect(self) -> AffectAccessor:
        """Valence and arousal: paths, variability, inertia, quadrants."""
        from facemt_analysis.accessors.affect import AffectAccessor

        return AffectAccessor(cast("Fex", self))

    @property
    def gaze(self) -> GazeAccessor:
        """Gaze: directions, density, dispersion, entropy, fixations."""
        from facemt_analysis.accessors.gaze import GazeAccessor

        return GazeAccessor(cast("Fex", self))

    @property
    def pose(self) -> PoseAccessor:
        """Head pose: rotations and motion."""
        from facemt_analysis.accessors.pose import PoseAccessor

        return PoseAccessor(cast("Fex", self))

    @property
    def mesh(self) -> MeshAccessor:
        """Face mesh: vertices, alignment, displacement, asymmetry."""
        from facemt_analysis.accessors.mesh import MeshAccessor

        return MeshAccessor(cast("Fex", self))

    @property
    def blendshape(self) -> BlendshapeAccessor:
        """Blendshapes: asymmetry, blinks."""
        from facemt_analysis.accessors.blendshape import BlendshapeAccessor

        return BlendshapeAccessor(cast("Fex", self))

    @property
    def signal(self) -> SignalAccessor:
        """Cleaning and shaping over time, never across faces, recordings or long gaps."""
        from facemt_analysis.accessors.signal import SignalAccessor

        return SignalAccessor(cast("Fex", self))

    @property
    def quality(self) -> QualityAccessor:
        """How much of a recording can be trusted, and what to leave out."""
        from facemt_analysis.accessors.quality import QualityAccessor

        return QualityAccessor(cast("Fex", self))

    @property
    def stats(self) -> StatsAccessor:
        """Statistics across subjects."""
        from facemt_analysis.accessors.stats import StatsAccessor

        return StatsAccessor(cast("Fex", self))

    def scrub(
        self,
        video: str | PathLike[str] | Mapping[str, str | PathLike[str]] | None = None,
        *,
        columns: str | Sequence[str] | None = None,
        events: pd.DataFrame | None = None,
        width: int = 640,
    ) -> Scrubber:
        """Walk through the recordings frame by frame, beside their signals, in a notebook.

        See :func:`facemt_analysis.interactive.scrub`.
        """
        from facemt_analysis.interactive import scrub

        return scrub(cast("Fex", self), video, columns=columns, events=events, width=width)
