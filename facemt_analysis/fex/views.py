"""The singular properties of a Fex: views whose methods analyse it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
    from facemt_analysis.fex.frame_view import Media
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

    def plot_frame(
        self,
        frame: int | None = None,
        media: Media = None,
        *,
        time: float | None = None,
        recording: str | None = None,
        ax: Axes | None = None,
        **parts: Any,
    ) -> Axes:
        """Draw one frame of a recording and what was found in it.

        Parameters
        ----------
        frame
            Number of the frame, as in the column ``frame``.
        media
            Where the picture comes from: the video, image or folder, a mapping of recordings to
            files, or the (H, W, 3) uint8 RGB picture itself. Default: the file called like the
            recording in the working directory. Only this frame is decoded.
        time
            Seconds, instead of `frame`: the last frame at or before it.
        recording
            Which one, if there are several.
        ax
            Axes to draw on; default: those of a new figure.
        **parts
            Of :func:`facemt_analysis.plotting.plot_overlay`: ``box=False``, ``crop=0.3`` …

        Raises
        ------
        FexError
            If there is no such frame in the table.
        MediaError
            If its picture cannot be found or read.

        Examples
        --------
        >>> import numpy as np
        >>> from facemt_analysis import Fex
        >>> fex = Fex({"frame": [7], "FaceRectX": [10.0], "FaceRectY": 10.0, "FaceRectWidth": 20.0,
        ...            "FaceRectHeight": 20.0})
        >>> ax = fex.plot_frame(7, np.zeros((48, 64, 3), np.uint8))
        >>> [patch.get_gid() for patch in ax.patches]
        ['box']
        >>> import matplotlib.pyplot as plt
        >>> plt.close(ax.figure)
        """
        from facemt_analysis.fex.frame_view import plot_frame

        return plot_frame(
            cast("Fex", self), frame, media, time=time, recording=recording, ax=ax, **parts
        )

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

    def report(
        self,
        path: str | PathLike[str],
        video: str | PathLike[str] | Mapping[str, str | PathLike[str]] | None = None,
        *,
        recordings: str | Sequence[str] | None = None,
        title: str | None = None,
        events: pd.DataFrame | None = None,
        most: int = 12,
        faces: int = 3,
    ) -> Path:
        """Write one HTML file that says what there is and shows it.

        See :func:`facemt_analysis.interactive.write_report`.
        """
        from facemt_analysis.interactive import write_report

        return write_report(
            cast("Fex", self), path, video, recordings=recordings, title=title, events=events,
            most=most, faces=faces,
        )  # fmt: skip
