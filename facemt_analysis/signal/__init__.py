"""Signals of faces over time: segments, cleaning, resampling, baselines, epochs.

Names are loaded when first used, SciPy with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.signal.gaps import interpolate
    from facemt_analysis.signal.rates import rates
    from facemt_analysis.signal.runs import Runs, find_runs
    from facemt_analysis.signal.segments import Segments, cut

__all__ = ["Runs", "Segments", "cut", "find_runs", "interpolate", "rates"]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "gaps": ["interpolate"],
        "rates": ["rates"],
        "runs": ["Runs", "find_runs"],
        "segments": ["Segments", "cut"],
    },
)
