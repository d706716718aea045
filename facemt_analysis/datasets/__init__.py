"""Small data sets that come with the package, for examples and tests; no network."""

from __future__ import annotations

from facemt_analysis.datasets.registry import DatasetInfo, available, describe, load
from facemt_analysis.datasets.sample_study import (
    SAMPLE_STUDY,
    load_sample_study,
    make_sample_study,
)

__all__ = [
    "SAMPLE_STUDY",
    "DatasetInfo",
    "available",
    "describe",
    "load",
    "load_sample_study",
    "make_sample_study",
]
