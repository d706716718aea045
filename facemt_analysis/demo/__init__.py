"""The demonstration: a bundled clip with known truth, measured with the embedded weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.demo.accuracy import compare
    from facemt_analysis.demo.running import CLIP, TRUTH, DemoResult, run

__all__ = ["CLIP", "TRUTH", "DemoResult", "compare", "run"]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "accuracy": ["compare"],
        "running": ["CLIP", "TRUTH", "DemoResult", "run"],
    },
)
