"""``fex.emotion``: which one leads, for how long, and what follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import pandas as pd

from facemt_analysis.accessors.base import Accessor

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EmotionAccessor"]


class EmotionAccessor(Accessor):
    """Emotions of a Fex: probabilities of what an expression looks like."""

    group = "emotions"

    def dominant(self, threshold: float | None = None) -> pd.Series:
        """Name the one of each row; see :func:`facemt_analysis.measures.dominant_emotion`."""
        from facemt_analysis.measures import dominant_emotion

        return dominant_emotion(self._fex, threshold=threshold)

    def summary(
        self, by: str | Sequence[str] | None = None, *, threshold: float | None = None
    ) -> pd.DataFrame:
        """Summarise each group; see :func:`facemt_analysis.measures.emotion_summary`."""
        from facemt_analysis.measures import emotion_summary

        return emotion_summary(self._fex, by, threshold=threshold)

    def bouts(
        self,
        *,
        threshold: float | None = None,
        min_duration: float = 0.2,
        max_gap: float = 0.1,
        labels: str | Sequence[str] = (),
    ) -> pd.DataFrame:
        """Find stretches of one emotion; see :func:`facemt_analysis.measures.emotion_bouts`."""
        from facemt_analysis.measures import emotion_bouts

        return emotion_bouts(
            self._fex, threshold=threshold, min_duration=min_duration, max_gap=max_gap,
            labels=labels,
        )  # fmt: skip

    def transitions(
        self,
        by: str | Sequence[str] | None = None,
        *,
        unit: Literal["frames", "bouts"] = "frames",
        threshold: float | None = None,
        min_duration: float = 0.2,
        max_gap: float = 0.1,
    ) -> pd.DataFrame:
        """Count what follows what; see :func:`facemt_analysis.measures.emotion_transitions`."""
        from facemt_analysis.measures import emotion_transitions

        return emotion_transitions(
            self._fex, by, unit=unit, threshold=threshold, min_duration=min_duration,
            max_gap=max_gap,
        )  # fmt: skip

    def plot(
        self,
        *,
        recording: str | None = None,
        track: int | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw stacked probabilities; see :func:`facemt_analysis.plotting.plot_emotions`."""
        from facemt_analysis.plotting import plot_emotions

        return plot_emotions(self._fex, recording=recording, track=track, ax=ax)
