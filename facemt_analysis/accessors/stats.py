"""``fex.stats``: statistics across subjects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from facemt_analysis.accessors.base import Accessor

if TYPE_CHECKING:
    from facemt_analysis.stats import (
        ClusterResult,
        DecodingResult,
        IscResult,
        MixedResult,
        SynchronyResult,
    )

__all__ = ["StatsAccessor"]


class StatsAccessor(Accessor):
    """Statistics of a labelled Fex of many subjects; the subject is the unit.

    Labels are columns: ``fex.label(table)``. Every method calls the function of the same name in
    :mod:`facemt_analysis.stats`, which documents the options.
    """

    def summarize(
        self, by: str | Sequence[str] = (), *, subject: str = "subject", **options: Any
    ) -> pd.DataFrame:
        """Make the table of subjects; see :func:`stats.summarize`.

        Examples
        --------
        >>> from facemt_analysis.datasets import load_sample_study
        >>> fex = load_sample_study()
        >>> fex.stats.summarize(by="condition", features="AU12").head(2).round(3)
          subject condition  n_recordings  n_frames  n_valid   AU12
        0  sub-01   neutral             1       120      120  0.248
        1  sub-01     funny             1       120      120  0.323
        """
        from facemt_analysis.stats import summarize

        return summarize(self._fex, subject=subject, by=by, **options)

    def compare(
        self,
        features: str | Iterable[str] | None = None,
        *,
        condition: str | Sequence[str] | None = None,
        subject: str = "subject",
        between: str | Sequence[str] | None = None,
        **options: Any,
    ) -> pd.DataFrame:
        """Compare conditions or groups; see :func:`stats.compare`."""
        from facemt_analysis.stats import compare

        return compare(
            self._fex, features, condition=condition, subject=subject, between=between, **options
        )

    def missing_cells(
        self,
        features: str | Iterable[str] | None = None,
        *,
        condition: str | Sequence[str],
        subject: str = "subject",
        **options: Any,
    ) -> pd.DataFrame:
        """List who has no data in which cell; see :func:`stats.missing_cells`."""
        from facemt_analysis.stats import missing_cells

        return missing_cells(self._fex, features, condition=condition, subject=subject, **options)

    def sensitivity(
        self,
        features: str | Iterable[str] | None = None,
        *,
        condition: str | Sequence[str] | None = None,
        subject: str = "subject",
        **options: Any,
    ) -> pd.DataFrame:
        """Find the smallest effects that this study could find; see :func:`stats.sensitivity`."""
        from facemt_analysis.stats import sensitivity

        return sensitivity(self._fex, features, condition=condition, subject=subject, **options)

    def mixed(
        self,
        features: str | Iterable[str] | None = None,
        *,
        condition: str | Sequence[str] | None = None,
        subject: str = "subject",
        **options: Any,
    ) -> MixedResult:
        """Model recordings with random effects of people; see :func:`stats.mixed`."""
        from facemt_analysis.stats import mixed

        return mixed(self._fex, features, condition=condition, subject=subject, **options)

    def cluster_permutation(
        self,
        feature: str | Sequence[str],
        *,
        condition: str | None,
        subject: str = "subject",
        **options: Any,
    ) -> ClusterResult:
        """Find out when courses differ; see :func:`stats.cluster_permutation`."""
        from facemt_analysis.stats import cluster_permutation

        return cluster_permutation(
            self._fex, feature, condition=condition, subject=subject, **options
        )

    def isc(
        self, feature: str | Sequence[str], *, subject: str = "subject", **options: Any
    ) -> IscResult:
        """Measure how alike the courses of people are; see :func:`stats.isc`."""
        from facemt_analysis.stats import isc

        return isc(self._fex, feature, subject=subject, **options)

    def synchrony(
        self,
        feature: str | Sequence[str],
        *,
        dyad: str = "dyad",
        person: str = "person",
        **options: Any,
    ) -> SynchronyResult:
        """Measure the synchrony of dyads; see :func:`stats.synchrony`."""
        from facemt_analysis.stats import synchrony

        return synchrony(self._fex, feature, dyad=dyad, person=person, **options)

    def agreement(
        self, truth: pd.DataFrame, *, subject: str = "subject", **options: Any
    ) -> pd.DataFrame:
        """Compare with codes of the same frames; see :func:`stats.agreement`."""
        from facemt_analysis.stats import agreement

        return agreement(self._fex, truth, subject=subject, **options)

    def decode(
        self,
        features: str | Iterable[str] | None = None,
        *,
        target: str,
        subject: str = "subject",
        **options: Any,
    ) -> DecodingResult:
        """Predict a label for people never seen before; see :func:`stats.decode`."""
        from facemt_analysis.stats import decode

        return decode(self._fex, features, target=target, subject=subject, **options)
