"""Studies larger than memory: a folder of recordings, one file each, worked on one by one.

Names are loaded when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.study.each import RecordingsFailed
    from facemt_analysis.study.scanning import Scan, scan
    from facemt_analysis.study.scheduler import SchedulerLost
    from facemt_analysis.study.views import READS, RecordingsView

__all__ = ["READS", "RecordingsFailed", "RecordingsView", "Scan", "SchedulerLost", "scan"]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "each": ["RecordingsFailed"],
        "scanning": ["Scan", "scan"],
        "scheduler": ["SchedulerLost"],
        "views": ["READS", "RecordingsView"],
    },
)
