"""Benchmarks of the field: data sets in their official layouts, scored by their protocols.

Names are loaded when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.benchmark.base import Benchmark, Sample
    from facemt_analysis.benchmark.bootstrap import Resampling
    from facemt_analysis.benchmark.engine import run_benchmark
    from facemt_analysis.benchmark.registry import BENCHMARKS, find_benchmark, list_benchmarks
    from facemt_analysis.benchmark.results import BenchmarkResult

__all__ = [
    "BENCHMARKS",
    "Benchmark",
    "BenchmarkResult",
    "Resampling",
    "Sample",
    "find_benchmark",
    "list_benchmarks",
    "run_benchmark",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "base": ["Benchmark", "Sample"],
        "bootstrap": ["Resampling"],
        "engine": ["run_benchmark"],
        "registry": ["BENCHMARKS", "find_benchmark", "list_benchmarks"],
        "results": ["BenchmarkResult"],
    },
)
