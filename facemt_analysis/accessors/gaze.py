"""``fex.gaze``: where people look, how dispersed and how predictable that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.accessors.base import Accessor

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from facemt_analysis.measures import GazeDensity

__all__ = ["GazeAccessor"]


class GazeAccessor(Accessor):
    """Gaze of a Fex.

    Angles are relative to the head, unless ``fex.info.conventions`` says otherwise (entry
    ``gaze_frame``); every method can give them in the frame of the head or of the camera, drawn in
    :mod:`facemt_analysis.measures.rotations`.
    """

    group = "gazes"

    def vectors(self, frame: str = "head") -> npt.NDArray[np.float64]:
        """Give unit vectors (n, 3); see :func:`facemt_analysis.measures.gaze_vectors`."""
        from facemt_analysis.measures import gaze_vectors

        return gaze_vectors(self._fex, frame, **self._conventions())

    def heatmap(
        self,
        bins: int | tuple[int, int] = 40,
        extent: tuple[float, float, float, float] = (-40.0, 40.0, -40.0, 40.0),
        by: str | Sequence[str] | None = None,
        *,
        smooth: float = 0.0,
        solid_angle: bool = False,
        frame: str = "head",
    ) -> GazeDensity:
        """Measure the density over angles; see :func:`facemt_analysis.measures.gaze_heatmap`."""
        from facemt_analysis.measures import gaze_heatmap

        return gaze_heatmap(
            self._fex, bins=bins, extent=extent, by=by, smooth=smooth, solid_angle=solid_angle,
            reference=frame, **self._conventions(),
        )  # fmt: skip

    def summary(
        self,
        by: str | Sequence[str] | None = None,
        *,
        p: float = 0.68,
        bin_size: float = 5.0,
        threshold: float = 10.0,
        target: Sequence[float] = (0.0, 0.0, 1.0),
        min_away: float = 0.5,
        max_gap: float = 0.2,
        frame: str = "head",
    ) -> pd.DataFrame:
        """Summarise each group; see :func:`facemt_analysis.measures.gaze_summary`."""
        from facemt_analysis.measures import gaze_summary

        return gaze_summary(
            self._fex, by, p=p, bin_size=bin_size, threshold=threshold, target=target,
            min_away=min_away, max_gap=max_gap, reference=frame, **self._conventions(),
        )  # fmt: skip

    def fixations(
        self,
        dispersion: float = 3.0,
        min_duration: float = 0.1,
        *,
        labels: str | Sequence[str] = (),
        frame: str = "head",
    ) -> pd.DataFrame:
        """Find fixations, one row each; see :func:`facemt_analysis.measures.find_fixations`."""
        from facemt_analysis.measures import find_fixations

        return find_fixations(
            self._fex, dispersion=dispersion, min_duration=min_duration, labels=labels,
            reference=frame, **self._conventions(),
        )  # fmt: skip

    def away(
        self,
        threshold: float = 10.0,
        *,
        target: Sequence[float] = (0.0, 0.0, 1.0),
        min_duration: float = 0.5,
        max_gap: float = 0.2,
    ) -> pd.DataFrame:
        """Find looks away, one row each; see :func:`facemt_analysis.measures.away_episodes`."""
        from facemt_analysis.measures import away_episodes

        return away_episodes(
            self._fex, threshold=threshold, target=target, min_duration=min_duration,
            max_gap=max_gap, **self._conventions(),
        )  # fmt: skip

    def plot(
        self,
        *,
        bins: int | tuple[int, int] = 80,
        extent: tuple[float, float, float, float] = (-40.0, 40.0, -40.0, 40.0),
        smooth: float = 1.5,
        frame: str = "head",
        recording: str | None = None,
        track: int | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw the density as a heat map; see :func:`facemt_analysis.plotting.plot_gaze`."""
        from facemt_analysis.plotting import plot_gaze

        return plot_gaze(
            self._fex, bins=bins, extent=extent, smooth=smooth, reference=frame,
            recording=recording, track=track, ax=ax, **self._conventions(),
        )  # fmt: skip

    def _conventions(self) -> dict[str, Any]:
        from facemt_analysis.measures import recorded_frame, rotation_convention

        known = self._fex.info.conventions
        return {"recorded": recorded_frame(known), "convention": rotation_convention(known)}
