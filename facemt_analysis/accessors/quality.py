"""``fex.quality``: how much of a recording can be trusted, and what to leave out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from facemt_analysis.accessors.base import Accessor

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from facemt_analysis.fex import Fex
    from facemt_analysis.measures import QualityLimits

__all__ = ["QualityAccessor"]


class QualityAccessor(Accessor):
    """Quality of a Fex; see :class:`facemt_analysis.measures.QualityLimits` for the limits.

    Every limit can be given by name: ``fex.quality.flag(yaw_deg=45, overlap=None)``.
    """

    def report(
        self,
        by: str | Sequence[str] | None = None,
        limits: QualityLimits | None = None,
        **changes: float | None,
    ) -> pd.DataFrame:
        """Report how much was measured and how well; see :func:`measures.quality_report`."""
        from facemt_analysis.measures import quality_report

        return quality_report(self._fex, by, limits, **changes)

    def findings(
        self,
        by: str | Sequence[str] | None = None,
        limits: QualityLimits | None = None,
        **changes: float | None,
    ) -> pd.DataFrame:
        """Say in words what is wrong; see :func:`measures.quality_findings`."""
        from facemt_analysis.measures import quality_findings

        return quality_findings(self._fex, by, limits, **changes)

    def flag(self, limits: QualityLimits | None = None, **changes: float | None) -> pd.DataFrame:
        """Flag rows, with reasons; see :func:`measures.quality_flags`."""
        from facemt_analysis.measures import quality_flags

        return quality_flags(self._fex, limits, **changes)

    def exclude(
        self,
        reasons: str | Iterable[str] | None = None,
        *,
        drop: str | None = None,
        limits: QualityLimits | None = None,
        **changes: float | None,
    ) -> Fex:
        """Take the features of flagged rows out; see :func:`measures.exclude_flagged`.

        The log of ``info`` says which limits were used, how many rows were excluded for which
        reason, and which recordings were left out.
        """
        from facemt_analysis.measures import exclude_flagged

        done = exclude_flagged(self._fex, reasons, drop=drop, limits=limits, **changes)
        return self._wrap(done.table, "quality.exclude", **done.record())

    def confounds(self, by: str | Sequence[str] | None = None) -> pd.DataFrame:
        """Relate action units to head pitch and speech; see :func:`measures.find_confounds`."""
        from facemt_analysis.measures import find_confounds

        return find_confounds(self._fex, by)

    def talking(
        self,
        signal: str | None = None,
        *,
        opening: float = 0.1,
        rate: float = 2.0,
        window: float = 2.0,
    ) -> pd.Series:
        """Tell in which rows a face seems to talk; see :func:`measures.talking`."""
        from facemt_analysis.measures import talking

        return talking(self._fex, signal, opening=opening, rate=rate, window=window)

    def plot(self, limits: QualityLimits | None = None, **changes: float | None) -> dict[str, Axes]:
        """Draw an overview, one line per recording; see :func:`plotting.plot_quality`."""
        from facemt_analysis.plotting import plot_quality

        return plot_quality(self._fex, limits, **changes)
