"""``fex.blendshape``: asymmetry and blinks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from facemt_analysis.accessors.base import Accessor

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from facemt_analysis.measures.events import Threshold

__all__ = ["BlendshapeAccessor"]


class BlendshapeAccessor(Accessor):
    """Blendshapes of a Fex: MediaPipe's coefficients, 0 to 1, left and right the subject's."""

    group = "blendshapes"

    def asymmetry(
        self, pairs: str | Iterable[str] | None = None, *, gate: float = 0.1
    ) -> pd.DataFrame:
        """Compare sides per row; see :func:`facemt_analysis.measures.blendshape_asymmetry`."""
        from facemt_analysis.measures import blendshape_asymmetry

        return blendshape_asymmetry(self._fex, pairs, gate=gate)

    def asymmetry_summary(
        self,
        by: str | Sequence[str] | None = None,
        *,
        pairs: str | Iterable[str] | None = None,
        gate: float = 0.1,
    ) -> pd.DataFrame:
        """Summarise left and right; see :func:`facemt_analysis.measures.asymmetry_summary`."""
        from facemt_analysis.measures import asymmetry_summary

        return asymmetry_summary(self._fex, by, pairs=pairs, gate=gate)

    def summary(
        self,
        by: str | Sequence[str] | None = None,
        *,
        shapes: str | Iterable[str] | None = None,
        on: float = 0.3,
        quantiles: Sequence[float] = (0.5, 0.95),
    ) -> pd.DataFrame:
        """Summarise each group; see :func:`facemt_analysis.measures.blendshape_summary`."""
        from facemt_analysis.measures import blendshape_summary

        return blendshape_summary(self._fex, by, shapes=shapes, on=on, quantiles=quantiles)

    def events(
        self,
        shapes: str | Iterable[str] | None = None,
        on: Threshold = 0.3,
        off: Threshold | None = None,
        min_duration: float = 0.1,
        max_gap: float = 0.1,
        *,
        labels: str | Sequence[str] = (),
    ) -> pd.DataFrame:
        """Find events, one row each; see :func:`facemt_analysis.measures.find_events`."""
        from facemt_analysis.checks import pick_columns
        from facemt_analysis.measures import find_events

        return find_events(
            self._fex, pick_columns(self._fex, shapes, group=self.group, name="shapes"), on=on,
            off=off, min_duration=min_duration, max_gap=max_gap, labels=labels,
        )  # fmt: skip

    def blinks(
        self,
        source: str = "auto",
        *,
        on: float | None = None,
        off: float | None = None,
        min_duration: float = 0.03,
        max_duration: float | None = 0.5,
        max_gap: float = 0.05,
        labels: str | Sequence[str] = (),
    ) -> pd.DataFrame:
        """Find blinks, one row each; see :func:`facemt_analysis.measures.find_blinks`."""
        from facemt_analysis.measures import find_blinks

        return find_blinks(
            self._fex, source=source, on=on, off=off, min_duration=min_duration,
            max_duration=max_duration, max_gap=max_gap, labels=labels,
        )  # fmt: skip

    def blink_summary(
        self,
        by: str | Sequence[str] | None = None,
        *,
        source: str = "auto",
        on: float | None = None,
        off: float | None = None,
        min_duration: float = 0.03,
        max_duration: float | None = 0.5,
        max_gap: float = 0.05,
    ) -> pd.DataFrame:
        """Summarise blinks of each group; see :func:`facemt_analysis.measures.blink_summary`."""
        from facemt_analysis.measures import blink_summary

        return blink_summary(
            self._fex, by, source=source, on=on, off=off, min_duration=min_duration,
            max_duration=max_duration, max_gap=max_gap,
        )  # fmt: skip

    def plot(self, row: int | None = None, *, top: int = 15, ax: Axes | None = None) -> Axes:
        """Draw bars; see :func:`facemt_analysis.plotting.plot_blendshapes`."""
        from facemt_analysis.plotting import plot_blendshapes

        return plot_blendshapes(self._fex, row, top=top, ax=ax)
