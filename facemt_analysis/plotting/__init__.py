"""Figures: tables in, axes out; one family of figures per file.

Every function takes ``ax=None`` and returns the axes it drew on (figures of several parts: a dict
of axes); nothing is shown or saved. ``with paper("single"):`` makes them fit for print. Names are
loaded when first used, matplotlib with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.plotting.affect import plot_va, plot_va_density
    from facemt_analysis.plotting.au import plot_au_heatmap, plot_aus
    from facemt_analysis.plotting.au_mesh import plot_au_mesh
    from facemt_analysis.plotting.blendshapes import plot_blendshapes
    from facemt_analysis.plotting.comparison import plot_comparison, plot_estimates
    from facemt_analysis.plotting.courses import plot_cluster_result, plot_epochs
    from facemt_analysis.plotting.decoding import plot_confusion
    from facemt_analysis.plotting.emotion import EMOTION_COLOURS, plot_emotion_shares, plot_emotions
    from facemt_analysis.plotting.faces import one_face
    from facemt_analysis.plotting.functional import plot_fpca, plot_functional_anova
    from facemt_analysis.plotting.gaze import plot_gaze, plot_gaze_density
    from facemt_analysis.plotting.head import plot_pose
    from facemt_analysis.plotting.heatmaps import plot_means, plot_raster
    from facemt_analysis.plotting.overlay import plot_overlay
    from facemt_analysis.plotting.overview import plot_overview
    from facemt_analysis.plotting.quality import plot_quality
    from facemt_analysis.plotting.recurrence import plot_recurrence
    from facemt_analysis.plotting.spans import shade_events
    from facemt_analysis.plotting.style import COLUMN_MM, PALETTE, paper
    from facemt_analysis.plotting.synchrony import (
        plot_isc,
        plot_synchrony,
        plot_windowed_correlation,
    )
    from facemt_analysis.plotting.timeline import plot_timeline

__all__ = [
    "COLUMN_MM",
    "EMOTION_COLOURS",
    "PALETTE",
    "one_face",
    "paper",
    "plot_au_heatmap",
    "plot_au_mesh",
    "plot_aus",
    "plot_blendshapes",
    "plot_cluster_result",
    "plot_comparison",
    "plot_confusion",
    "plot_emotion_shares",
    "plot_emotions",
    "plot_epochs",
    "plot_estimates",
    "plot_fpca",
    "plot_functional_anova",
    "plot_gaze",
    "plot_gaze_density",
    "plot_isc",
    "plot_means",
    "plot_overlay",
    "plot_overview",
    "plot_pose",
    "plot_quality",
    "plot_raster",
    "plot_recurrence",
    "plot_synchrony",
    "plot_timeline",
    "plot_va",
    "plot_va_density",
    "plot_windowed_correlation",
    "shade_events",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "affect": ["plot_va", "plot_va_density"],
        "au": ["plot_au_heatmap", "plot_aus"],
        "au_mesh": ["plot_au_mesh"],
        "blendshapes": ["plot_blendshapes"],
        "comparison": ["plot_comparison", "plot_estimates"],
        "courses": ["plot_cluster_result", "plot_epochs"],
        "decoding": ["plot_confusion"],
        "emotion": ["EMOTION_COLOURS", "plot_emotion_shares", "plot_emotions"],
        "faces": ["one_face"],
        "functional": ["plot_fpca", "plot_functional_anova"],
        "gaze": ["plot_gaze", "plot_gaze_density"],
        "head": ["plot_pose"],
        "heatmaps": ["plot_means", "plot_raster"],
        "overlay": ["plot_overlay"],
        "overview": ["plot_overview"],
        "quality": ["plot_quality"],
        "recurrence": ["plot_recurrence"],
        "spans": ["shade_events"],
        "style": ["COLUMN_MM", "PALETTE", "paper"],
        "synchrony": ["plot_isc", "plot_synchrony", "plot_windowed_correlation"],
        "timeline": ["plot_timeline"],
    },
)
