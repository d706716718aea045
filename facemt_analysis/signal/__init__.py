"""Signals of faces over time: segments, cleaning, resampling, baselines, epochs.

Names are loaded when first used, SciPy with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

# a module and its function share this name: importing the module first must not hide the function
from facemt_analysis.signal.rates import rates

if TYPE_CHECKING:
    from facemt_analysis.signal.averaging import epoch_average, grand_average
    from facemt_analysis.signal.baselines import baseline, standardize
    from facemt_analysis.signal.confounds import regress_out
    from facemt_analysis.signal.epoching import epochs
    from facemt_analysis.signal.filters import filter
    from facemt_analysis.signal.gaps import interpolate
    from facemt_analysis.signal.masking import clip, mask
    from facemt_analysis.signal.resampling import resample
    from facemt_analysis.signal.runs import Runs, find_runs
    from facemt_analysis.signal.segments import Segments, cut
    from facemt_analysis.signal.smoothing import smooth
    from facemt_analysis.signal.stretches import SignalWarning
    from facemt_analysis.signal.trends import derivative, detrend

__all__ = [
    "Runs",
    "Segments",
    "SignalWarning",
    "baseline",
    "clip",
    "cut",
    "derivative",
    "detrend",
    "epoch_average",
    "epochs",
    "filter",
    "find_runs",
    "grand_average",
    "interpolate",
    "mask",
    "rates",
    "regress_out",
    "resample",
    "smooth",
    "standardize",
]

__getattr__, _, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "averaging": ["epoch_average", "grand_average"],
        "baselines": ["baseline", "standardize"],
        "confounds": ["regress_out"],
        "epoching": ["epochs"],
        "filters": ["filter"],
        "gaps": ["interpolate"],
        "masking": ["clip", "mask"],
        "resampling": ["resample"],
        "runs": ["Runs", "find_runs"],
        "segments": ["Segments", "cut"],
        "smoothing": ["smooth"],
        "stretches": ["SignalWarning"],
        "trends": ["derivative", "detrend"],
    },
)


def __dir__() -> list[str]:
    return list(__all__)
