"""Looking at recordings: the scrubber over the video, interactive figures, the report.

Pure functions say what is shown at a time; widgets and pages only show it. Names are loaded when
first used, plotly and ipywidgets with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.interactive.annotations import Annotations
    from facemt_analysis.interactive.mesh import animate_mesh, mesh_figure, plot_mesh
    from facemt_analysis.interactive.raster import draw_marks
    from facemt_analysis.interactive.scrubber import Scrubber, scrub
    from facemt_analysis.interactive.timebase import Timebase
    from facemt_analysis.interactive.video_source import VideoSource

__all__ = [
    "Annotations",
    "Scrubber",
    "Timebase",
    "VideoSource",
    "animate_mesh",
    "draw_marks",
    "mesh_figure",
    "plot_mesh",
    "scrub",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "annotations": ["Annotations"],
        "mesh": ["animate_mesh", "mesh_figure", "plot_mesh"],
        "raster": ["draw_marks"],
        "scrubber": ["Scrubber", "scrub"],
        "timebase": ["Timebase"],
        "video_source": ["VideoSource"],
    },
)
