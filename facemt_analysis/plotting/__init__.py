"""Figures: tables in, axes out; one family of figures per file.

Every function takes ``ax=None`` and returns the axes it drew on; nothing is shown or saved. Names
are loaded when first used, matplotlib with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.plotting.affect import plot_va
    from facemt_analysis.plotting.au import plot_au_heatmap, plot_aus
    from facemt_analysis.plotting.blendshapes import plot_blendshapes
    from facemt_analysis.plotting.emotion import EMOTION_COLOURS, plot_emotions
    from facemt_analysis.plotting.faces import one_face
    from facemt_analysis.plotting.gaze import plot_gaze, plot_gaze_density
    from facemt_analysis.plotting.head import plot_pose
    from facemt_analysis.plotting.overlay import plot_overlay
    from facemt_analysis.plotting.quality import plot_quality
    from facemt_analysis.plotting.style import PALETTE, paper_style
    from facemt_analysis.plotting.timeline import plot_timeline

__all__ = [
    "EMOTION_COLOURS",
    "PALETTE",
    "one_face",
    "paper_style",
    "plot_au_heatmap",
    "plot_aus",
    "plot_blendshapes",
    "plot_emotions",
    "plot_gaze",
    "plot_gaze_density",
    "plot_overlay",
    "plot_pose",
    "plot_quality",
    "plot_timeline",
    "plot_va",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "affect": ["plot_va"],
        "au": ["plot_au_heatmap", "plot_aus"],
        "blendshapes": ["plot_blendshapes"],
        "emotion": ["EMOTION_COLOURS", "plot_emotions"],
        "faces": ["one_face"],
        "gaze": ["plot_gaze", "plot_gaze_density"],
        "head": ["plot_pose"],
        "overlay": ["plot_overlay"],
        "quality": ["plot_quality"],
        "style": ["PALETTE", "paper_style"],
        "timeline": ["plot_timeline"],
    },
)
