"""Looking at recordings: the scrubber over the video, interactive figures, the report.

Pure functions say what is shown at a time; widgets and pages only show it. Names are loaded when
first used, plotly and ipywidgets with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.interactive.affect import affect_path
    from facemt_analysis.interactive.annotations import Annotations
    from facemt_analysis.interactive.drive import drive_mesh
    from facemt_analysis.interactive.mesh import animate_mesh, mesh_figure, plot_mesh
    from facemt_analysis.interactive.movie import mesh_movie
    from facemt_analysis.interactive.raster import draw_marks
    from facemt_analysis.interactive.report.writing import report_html, write_report
    from facemt_analysis.interactive.scrubber import Scrubber, scrub
    from facemt_analysis.interactive.timebase import Timebase
    from facemt_analysis.interactive.timelines import linked_timelines
    from facemt_analysis.interactive.video_source import VideoSource

__all__ = [
    "Annotations",
    "Scrubber",
    "Timebase",
    "VideoSource",
    "affect_path",
    "animate_mesh",
    "draw_marks",
    "drive_mesh",
    "linked_timelines",
    "mesh_figure",
    "mesh_movie",
    "plot_mesh",
    "report_html",
    "scrub",
    "write_report",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "affect": ["affect_path"],
        "annotations": ["Annotations"],
        "drive": ["drive_mesh"],
        "mesh": ["animate_mesh", "mesh_figure", "plot_mesh"],
        "movie": ["mesh_movie"],
        "raster": ["draw_marks"],
        "report.writing": ["report_html", "write_report"],
        "scrubber": ["Scrubber", "scrub"],
        "timebase": ["Timebase"],
        "timelines": ["linked_timelines"],
        "video_source": ["VideoSource"],
    },
)
