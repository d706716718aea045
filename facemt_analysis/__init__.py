"""From a video of a face to action units, emotion, affect, gaze, mesh and statistics in pandas.

``import facemt_analysis as fm`` is light: it loads nothing heavier than pandas. Torch, PyAV,
OpenCV, matplotlib and the rest are imported by the functions that use them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

__version__ = "0.1.0"

if TYPE_CHECKING:
    from facemt_analysis import datasets, detection, errors, network, schema, simulate
    from facemt_analysis.detection import Detector
    from facemt_analysis.errors import (
        CheckpointError,
        FacemtError,
        FexError,
        MediaError,
        WeightsUnavailable,
    )
    from facemt_analysis.fex import Fex, FexInfo
    from facemt_analysis.io import read_fex
    from facemt_analysis.simulate import simulate_dyads, simulate_study

__all__ = [
    "CheckpointError",
    "Detector",
    "FacemtError",
    "Fex",
    "FexError",
    "FexInfo",
    "MediaError",
    "WeightsUnavailable",
    "datasets",
    "detection",
    "errors",
    "network",
    "read_fex",
    "schema",
    "simulate",
    "simulate_dyads",
    "simulate_study",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submodules=["datasets", "detection", "errors", "network", "schema", "simulate"],
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
        "io": ["read_fex"],
        "simulate": ["simulate_dyads", "simulate_study"],
    },
)
