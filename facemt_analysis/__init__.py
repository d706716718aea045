"""From a video of a face to action units, emotion, affect, gaze, mesh and statistics in pandas.

``import facemt_analysis as fm`` is light: it loads pandas and nothing heavier. Torch, PyAV,
OpenCV, matplotlib and the rest are imported by the functions that use them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from facemt_analysis import detection, errors, network, schema
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

__all__ = [
    "CheckpointError",
    "Detector",
    "FacemtError",
    "Fex",
    "FexError",
    "FexInfo",
    "MediaError",
    "WeightsUnavailable",
    "detection",
    "errors",
    "network",
    "read_fex",
    "schema",
]

# public name -> module that defines it; the module itself where the two names are equal
_LAZY = {
    "CheckpointError": "errors",
    "Detector": "detection",
    "FacemtError": "errors",
    "Fex": "fex",
    "FexError": "errors",
    "FexInfo": "fex",
    "MediaError": "errors",
    "WeightsUnavailable": "errors",
    "detection": "detection",
    "errors": "errors",
    "network": "network",
    "read_fex": "io",
    "schema": "schema",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_LAZY[name]}")
    value = module if _LAZY[name] == name else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
