"""Figures: tables in, axes out; one family of figures per file.

Every function takes ``ax=None`` and returns the axes it drew on; nothing is shown or saved. Names
are loaded when first used, matplotlib with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.plotting.affect import plot_va
    from facemt_analysis.plotting.overlay import plot_overlay
    from facemt_analysis.plotting.quality import plot_quality
    from facemt_analysis.plotting.style import PALETTE, paper_style
    from facemt_analysis.plotting.timeline import plot_timeline

__all__ = ["PALETTE", "paper_style", "plot_overlay", "plot_quality", "plot_timeline", "plot_va"]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "affect": ["plot_va"],
        "overlay": ["plot_overlay"],
        "quality": ["plot_quality"],
        "style": ["PALETTE", "paper_style"],
        "timeline": ["plot_timeline"],
    },
)
