"""``fex.affect``: where on the circumplex a face is, and how it moves there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from facemt_analysis.accessors.base import Accessor

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["AffectAccessor"]


class AffectAccessor(Accessor):
    """Valence and arousal of a Fex, each −1 to 1."""

    group = "va"

    def summary(
        self,
        by: str | Sequence[str] | None = None,
        *,
        neutral: float = 0.1,
        lag: float | None = None,
    ) -> pd.DataFrame:
        """Summarise each group; see :func:`facemt_analysis.measures.affect_summary`."""
        from facemt_analysis.measures import affect_summary

        return affect_summary(self._fex, by, neutral=neutral, lag=lag)

    def quadrants(self, neutral: float = 0.1) -> pd.Series:
        """Name the region of each row; see :func:`facemt_analysis.measures.affect_quadrants`."""
        from facemt_analysis.measures import affect_quadrants

        return affect_quadrants(self._fex, neutral=neutral)

    def trajectory(self, hz: float | None = None) -> pd.DataFrame:
        """Give the path of each face; see :func:`facemt_analysis.measures.affect_trajectory`."""
        from facemt_analysis.measures import affect_trajectory

        return affect_trajectory(self._fex, hz=hz)

    def plot(
        self,
        *,
        recording: str | None = None,
        track: int | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw the path of one face; see :func:`facemt_analysis.plotting.plot_va`."""
        from facemt_analysis.plotting import one_face, plot_va

        return plot_va(one_face(self._fex, recording=recording, track=track), ax=ax)
