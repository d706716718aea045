"""Measures of faces: what moved, when, how much; tables in, tables out.

Names are loaded when first used, SciPy with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.measures.head_motion import head_velocity, pose_motion
    from facemt_analysis.measures.rotations import (
        angles_to_matrices,
        matrices_to_angles,
        rotation_convention,
        rotation_matrices,
    )

__all__ = [
    "angles_to_matrices",
    "head_velocity",
    "matrices_to_angles",
    "pose_motion",
    "rotation_convention",
    "rotation_matrices",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "head_motion": ["head_velocity", "pose_motion"],
        "rotations": [
            "angles_to_matrices",
            "matrices_to_angles",
            "rotation_convention",
            "rotation_matrices",
        ],
    },
)
