"""Tables of MediaPipe's blendshapes, as scripts around its Face Landmarker write them.

The 52 coefficients have the names of a Fex; ``_neutral`` may be absent. Beside them, in any case:

=============================================  =================================================
column                                         Fex
=============================================  =================================================
``timestamp_ms``, ``time_ms``                  ``time``: milliseconds / 1000
``timestamp_us``                               ``time``: microseconds / 1 000 000
``time``, ``timestamp``, ``time_s``,           ``time``: seconds
``timestamp_s``, ``seconds``
``frame``, ``frame_idx``, ``frame_index``,     ``frame``; the number of the row without it
``frame_number``
``face``, ``face_id``, ``face_idx``,           ``track``: MediaPipe's order, which may change from
``face_index``                                 frame to frame; 0 without it
``input``, ``video``, ``file``, ``filename``   ``input``: last part of the path; the file's name
                                               without it
=============================================  =================================================

A row without any coefficient is a frame without a face. Everything else stays as a label.
"""

from __future__ import annotations

import numpy as np

from facemt_analysis import schema
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.io._foreign import assemble, file_name, times
from facemt_analysis.io._head import Format, Head
from facemt_analysis.io._selection import Selection
from facemt_analysis.io._text import numbers, read_text_table

__all__: list[str] = []

_CLOCKS = {
    "timestamp_ms": 1e-3, "time_ms": 1e-3, "timestamp_us": 1e-6, "time": 1.0, "timestamp": 1.0,
    "time_s": 1.0, "timestamp_s": 1.0, "seconds": 1.0,
}  # fmt: skip
_FRAMES = ("frame", "frame_idx", "frame_index", "frame_number")
_FACES = ("face", "face_id", "face_idx", "face_index")
_INPUTS = ("input", "video", "file", "filename")
_ENOUGH = 40


def _recognises(head: Head) -> bool:
    names = set(head.columns)
    groups = set(schema.groups_in(names)) - {"keys", "blendshapes"}
    # tables of our own have a track
    return len(names & set(schema.BLENDSHAPES)) >= _ENOUGH and not groups and "track" not in names


def _read(head: Head, selection: Selection, *, fps: float | None = None) -> Fex:
    """Read the table; `fps` gives ``time`` where the file has none, or instead of it."""
    lower = {c.lower(): c for c in reversed(head.columns)}
    clock, frame, face, name = (
        next((lower[n] for n in names if n in lower), None)
        for names in (_CLOCKS, _FRAMES, _FACES, _INPUTS)
    )
    raw = read_text_table(head, [c for c in head.columns if c])
    shapes = [c for c in schema.BLENDSHAPES if c in raw]
    used = [c for c in (clock, frame, face) if c]
    table = numbers(raw[[*shapes, *used]], head, np.float64)
    n = len(raw)
    number = table[frame].to_numpy() if frame else np.arange(n)
    time = times(number, fps)
    if fps is None and clock:
        time = table[clock].to_numpy() * _CLOCKS[clock.lower()]
    others = [c for c in raw if c not in {*shapes, *used, name}]
    return assemble(
        head, selection, FexInfo(tool="MediaPipe", conventions={"name": "MediaPipe blendshapes"}),
        keys={"input": raw[name].astype(str).map(file_name) if name else [head.path.stem] * n,
              "frame": number, "time": time,
              "track": table[face].fillna(-1).to_numpy() if face else np.zeros(n)},
        features=table[shapes], seen=table[shapes].notna().any(axis=1), labels=raw[others],
    )  # fmt: skip


FORMAT = Format("MediaPipe blendshapes (CSV)", _recognises, _read, ("fps",))
