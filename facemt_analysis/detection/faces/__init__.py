"""Face detectors: what one is, the built-in ones, and the choice between them.

Names are loaded when first used: OpenCV's cascade needs no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.detection.faces.base import FaceDetector, Framing
    from facemt_analysis.detection.faces.haar import HaarCascade
    from facemt_analysis.detection.faces.resolve import CallableDetector, resolve_face_detector
    from facemt_analysis.detection.faces.retinaface import RetinaFace

__all__ = [
    "CallableDetector",
    "FaceDetector",
    "Framing",
    "HaarCascade",
    "RetinaFace",
    "resolve_face_detector",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "base": ["FaceDetector", "Framing"],
        "haar": ["HaarCascade"],
        "resolve": ["CallableDetector", "resolve_face_detector"],
        "retinaface": ["RetinaFace"],
    },
)
