"""Measures of faces: what moved, when, how much; tables in, tables out.

Names are loaded when first used, SciPy with them.
"""

from __future__ import annotations

import lazy_loader

__all__: list[str] = []

__getattr__, __dir__, _ = lazy_loader.attach(__name__, submod_attrs={})
