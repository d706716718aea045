"""From media to a Fex: decoding, face detectors, tracks, chips and the Detector.

Names are loaded when first used: looking into a video needs no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.detection.chips import ChipGeometry, rect_chips, square_chips
    from facemt_analysis.detection.choices import FallbackWarning
    from facemt_analysis.detection.detector import Detector, MediaWarning
    from facemt_analysis.detection.faces import (
        FaceDetector,
        Framing,
        HaarCascade,
        RetinaFace,
        resolve_face_detector,
    )
    from facemt_analysis.detection.media import Frame, MediaInfo, Recording, open_recordings
    from facemt_analysis.detection.tracking import Tracker

__all__ = [
    "ChipGeometry",
    "Detector",
    "FaceDetector",
    "FallbackWarning",
    "Frame",
    "Framing",
    "HaarCascade",
    "MediaInfo",
    "MediaWarning",
    "Recording",
    "RetinaFace",
    "Tracker",
    "open_recordings",
    "rect_chips",
    "resolve_face_detector",
    "square_chips",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "chips": ["ChipGeometry", "rect_chips", "square_chips"],
        "choices": ["FallbackWarning"],
        "detector": ["Detector", "MediaWarning"],
        "faces": [
            "FaceDetector",
            "Framing",
            "HaarCascade",
            "RetinaFace",
            "resolve_face_detector",
        ],
        "media": ["Frame", "MediaInfo", "Recording", "open_recordings"],
        "tracking": ["Tracker"],
    },
)
