"""Measures of faces: what moved, when, how much; tables in, tables out.

Names are loaded when first used, SciPy with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.measures.rotations import angles_to_matrices, rotation_matrices

__all__ = ["angles_to_matrices", "rotation_matrices"]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "rotations": ["angles_to_matrices", "rotation_matrices"],
    },
)
