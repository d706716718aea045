"""Events of people and of the face: in from annotation programs, out to them.

One form, a plain DataFrame: see :mod:`facemt_analysis.io.events.table`.
"""

from __future__ import annotations

from facemt_analysis.io.events.files import read_events, write_events
from facemt_analysis.io.events.table import EVENT_COLUMNS, as_events

__all__ = ["EVENT_COLUMNS", "as_events", "read_events", "write_events"]
