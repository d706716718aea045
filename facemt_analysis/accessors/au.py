"""``fex.au``: events of action units, what they do on the whole and together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from facemt_analysis.accessors.base import Accessor

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from facemt_analysis.measures.events import Threshold

__all__ = ["AUAccessor"]


class AUAccessor(Accessor):
    """Action units of a Fex: scores of 0 to 1 that say how surely each is there."""

    group = "aus"

    def events(
        self,
        aus: str | Iterable[str] | None = None,
        on: Threshold = 0.5,
        off: Threshold | None = None,
        min_duration: float = 0.1,
        max_gap: float = 0.1,
        *,
        smooth: float | None = None,
        labels: str | Sequence[str] = (),
    ) -> pd.DataFrame:
        """Find events, one row each; see :func:`facemt_analysis.measures.au_events`."""
        from facemt_analysis.measures import au_events

        return au_events(
            self._fex, aus, on=on, off=off, min_duration=min_duration, max_gap=max_gap,
            smooth=smooth, labels=labels,
        )  # fmt: skip

    def summary(
        self,
        by: str | Sequence[str] | None = None,
        *,
        aus: str | Iterable[str] | None = None,
        on: Threshold = 0.5,
        off: Threshold | None = None,
        min_duration: float = 0.1,
        max_gap: float = 0.1,
        quantiles: Sequence[float] = (0.5, 0.95),
    ) -> pd.DataFrame:
        """Summarise each group; see :func:`facemt_analysis.measures.au_summary`."""
        from facemt_analysis.measures import au_summary

        return au_summary(
            self._fex, by, aus=aus, on=on, off=off, min_duration=min_duration, max_gap=max_gap,
            quantiles=quantiles,
        )  # fmt: skip

    def rates(
        self,
        by: str | Sequence[str] | None = None,
        *,
        aus: str | Iterable[str] | None = None,
        on: Threshold = 0.5,
        off: Threshold | None = None,
        min_duration: float = 0.1,
        max_gap: float = 0.1,
    ) -> pd.DataFrame:
        """Count events of each group; see :func:`facemt_analysis.measures.event_rates`."""
        from facemt_analysis.measures import event_rates

        return event_rates(
            self._fex, aus, by=by, on=on, off=off, min_duration=min_duration, max_gap=max_gap
        )

    def cooccurrence(
        self,
        aus: str | Iterable[str] | None = None,
        *,
        on: Threshold = 0.5,
        by: str | Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Measure what is on together; see :func:`facemt_analysis.measures.cooccurrence`."""
        from facemt_analysis.measures import cooccurrence

        return cooccurrence(self._fex, aus, on=on, by=by)

    def smiles(
        self,
        *,
        on: Threshold = 0.5,
        off: Threshold | None = None,
        min_duration: float = 0.3,
        max_gap: float = 0.1,
        min_share: float = 0.5,
        labels: str | Sequence[str] = (),
    ) -> pd.DataFrame:
        """Find smiles and say what is on; see :func:`facemt_analysis.measures.smile_types`."""
        from facemt_analysis.measures import smile_types

        return smile_types(
            self._fex, on=on, off=off, min_duration=min_duration, max_gap=max_gap,
            min_share=min_share, labels=labels,
        )  # fmt: skip

    def expressivity(
        self, by: str | Sequence[str] | None = None, *, on: float = 0.5
    ) -> pd.DataFrame:
        """Measure how much a face shows; see :func:`facemt_analysis.measures.expressivity`."""
        from facemt_analysis.measures import expressivity

        return expressivity(self._fex, by, on=on)

    def pspi(self, *, eyes: str = "AU43") -> pd.Series:
        """Score the pain configuration of each row; see :func:`facemt_analysis.measures.pspi`."""
        from facemt_analysis.measures import pspi

        return pspi(self._fex, eyes=eyes)

    def plot(
        self,
        aus: str | Iterable[str] | None = None,
        *,
        on: Threshold | None = 0.5,
        recording: str | None = None,
        track: int | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw strips with events; see :func:`facemt_analysis.plotting.plot_aus`."""
        from facemt_analysis.plotting import plot_aus

        return plot_aus(self._fex, aus, on=on, recording=recording, track=track, ax=ax)

    def heatmap(
        self,
        aus: str | Iterable[str] | None = None,
        *,
        by: str | Sequence[str] | None = None,
        recording: str | None = None,
        track: int | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw scores as colours; see :func:`facemt_analysis.plotting.plot_au_heatmap`."""
        from facemt_analysis.plotting import plot_au_heatmap

        return plot_au_heatmap(self._fex, aus, by=by, recording=recording, track=track, ax=ax)
