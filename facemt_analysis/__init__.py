"""From a video of a face to action units, emotion, affect, gaze, mesh and statistics in pandas.

``import facemt_analysis as fm`` is light: it loads nothing heavier than pandas. Torch, PyAV,
OpenCV, matplotlib and the rest are imported by the functions that use them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

__version__ = "0.1.0"

if TYPE_CHECKING:
    from facemt_analysis import (
        benchmark,
        datasets,
        detection,
        errors,
        interactive,
        io,
        measures,
        network,
        plotting,
        schema,
        signal,
        simulate,
        stats,
        study,
    )
    from facemt_analysis.detection import Detector
    from facemt_analysis.errors import (
        CheckpointError,
        FacemtError,
        FexError,
        MediaError,
        WeightsUnavailable,
    )
    from facemt_analysis.fex import Fex, FexInfo
    from facemt_analysis.io import read_events, read_fex, write_events
    from facemt_analysis.simulate import simulate_dyads, simulate_study
    from facemt_analysis.study import scan

__all__ = [
    "CheckpointError",
    "Detector",
    "FacemtError",
    "Fex",
    "FexError",
    "FexInfo",
    "MediaError",
    "WeightsUnavailable",
    "benchmark",
    "datasets",
    "detection",
    "errors",
    "interactive",
    "io",
    "measures",
    "network",
    "plotting",
    "read_events",
    "read_fex",
    "scan",
    "schema",
    "signal",
    "simulate",
    "simulate_dyads",
    "simulate_study",
    "stats",
    "study",
    "write_events",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submodules=[
        "benchmark",
        "datasets",
        "detection",
        "errors",
        "interactive",
        "io",
        "measures",
        "network",
        "plotting",
        "schema",
        "signal",
        "simulate",
        "stats",
        "study",
    ],
    submod_attrs={
        "detection": ["Detector"],
        "errors": [
            "CheckpointError",
            "FacemtError",
            "FexError",
            "MediaError",
            "WeightsUnavailable",
        ],
        "fex": ["Fex", "FexInfo"],
        "io": ["read_events", "read_fex", "write_events"],
        "simulate": ["simulate_dyads", "simulate_study"],
        "study": ["scan"],
    },
)
