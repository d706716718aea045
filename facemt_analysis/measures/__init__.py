"""Measures of faces: what moved, when, how much; tables in, tables out.

Names are loaded when first used, SciPy with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.measures.confounds import find_confounds
    from facemt_analysis.measures.head_motion import head_velocity, pose_motion
    from facemt_analysis.measures.quality_exclusion import Exclusion, exclude_flagged
    from facemt_analysis.measures.quality_findings import quality_findings
    from facemt_analysis.measures.quality_flags import REASONS, quality_flags
    from facemt_analysis.measures.quality_limits import QualityLimits
    from facemt_analysis.measures.quality_report import quality_report
    from facemt_analysis.measures.rotations import (
        angles_to_matrices,
        matrices_to_angles,
        rotation_convention,
        rotation_matrices,
    )
    from facemt_analysis.measures.talking import talking

__all__ = [
    "REASONS",
    "Exclusion",
    "QualityLimits",
    "angles_to_matrices",
    "exclude_flagged",
    "find_confounds",
    "head_velocity",
    "matrices_to_angles",
    "pose_motion",
    "quality_findings",
    "quality_flags",
    "quality_report",
    "rotation_convention",
    "rotation_matrices",
    "talking",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "confounds": ["find_confounds"],
        "quality_exclusion": ["Exclusion", "exclude_flagged"],
        "quality_findings": ["quality_findings"],
        "quality_flags": ["REASONS", "quality_flags"],
        "quality_limits": ["QualityLimits"],
        "quality_report": ["quality_report"],
        "talking": ["talking"],
        "head_motion": ["head_velocity", "pose_motion"],
        "rotations": [
            "angles_to_matrices",
            "matrices_to_angles",
            "rotation_convention",
            "rotation_matrices",
        ],
    },
)
