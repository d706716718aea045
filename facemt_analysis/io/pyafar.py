"""Tables of PyAFAR (Hinduja et al., 2023), adults and infants.

Columns: its "output format" page.

=================================  ===============================================================
PyAFAR                             Fex
=================================  ===============================================================
``Frame``                          ``frame``
``Person_ID``                      ``track``
``Occ_au_N``                       ``AUxx``: likelihood, 0–1 (``Occ_au_3`` of infants stays a label)
``Int_au_N``                       ``AUxx_r``: intensity, 0–5
``Eye Aspect Ratio``,              labels ``eye_aspect_ratio``, ``mouth_aspect_ratio``
``Mouth Aspect Ratio``
``Pitch Yaw Roll``                 labels ``Pitch_raw Yaw_raw Roll_raw``: its page does not say
                                   whether they are degrees or radians, nor which way + is
``x_i y_i z_i`` (468 points)       ``mesh_*``, relative to the frame's size; in px only with
                                   `frame_size` (there are no iris points)
=================================  ===============================================================

Frames without a face are not in the file, nor is any time: ``time`` needs `fps`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.io._foreign import (
    assemble,
    au_column,
    check_frame_size,
    kept,
    normalised_mesh,
    times,
)  # fmt: skip
from facemt_analysis.io._head import Format, Head
from facemt_analysis.io._selection import Selection
from facemt_analysis.io._text import numbers, read_text_table

__all__: list[str] = []

_AU = re.compile(r"(Occ|Int)_au_(\d+)")
_POINT = re.compile(r"([xyz])_(\d+)")
_LABELS = {
    "Eye Aspect Ratio": "eye_aspect_ratio", "Mouth Aspect Ratio": "mouth_aspect_ratio",
    "Pitch": "Pitch_raw", "Yaw": "Yaw_raw", "Roll": "Roll_raw",
}  # fmt: skip

CONVENTIONS = {
    "name": "PyAFAR",
    "aus": "Occ_au_N, likelihood 0 to 1",
    "intensities": "Int_au_N, 0 to 5",
    "Pitch_raw Yaw_raw Roll_raw": "unit and signs not documented",
}


def _recognises(head: Head) -> bool:
    return any(_AU.fullmatch(c) for c in head.columns)


def _read(
    head: Head,
    selection: Selection,
    *,
    fps: float | None = None,
    frame_size: tuple[int, int] | None = None,
    keep: bool | Sequence[str] = False,
) -> Fex:
    """Read the table.

    `fps` gives ``time``, `frame_size` (width, height) in px the mesh; `keep` names further columns
    that become labels.
    """
    check_frame_size(frame_size)
    found = {c: m for c in head.columns if (m := _AU.fullmatch(c))}
    aus: dict[str, str] = {}
    others: dict[str, str] = {c: ours for c, ours in _LABELS.items() if c in head.columns}
    for column, match in found.items():
        ours = au_column(int(match[2]), "_r" if match[1] == "Int" else "")
        (others if ours is None else aus)[column] = ours or column
    points = {c: m for c in head.columns if (m := _POINT.fullmatch(c))} if frame_size else {}
    keys = [c for c in ("Frame", "Person_ID") if c in head.columns]
    # landmarks have names of the 68-point scheme, which they are not
    every = {c for c in head.columns if _POINT.fullmatch(c)}
    extra = kept(head, {*aus, *others, *every, *keys}, keep)
    wanted = [*aus, *others, *points, *keys]
    raw = read_text_table(head, [*wanted, *extra])
    table = numbers(raw[wanted], head, np.float64)
    n = len(table)
    features = table[list(aus)].rename(columns=aus)
    if frame_size:
        xyz = {(m[1], int(m[2])): table[c] for c, m in points.items()}
        features = features.join(normalised_mesh(xyz, frame_size))
    frame = table["Frame"].to_numpy() if "Frame" in table else np.arange(n)
    person = table["Person_ID"].to_numpy() if "Person_ID" in table else np.zeros(n)
    labels = table[list(others)].rename(columns=others)
    return assemble(
        head, selection, FexInfo(tool="PyAFAR", conventions=CONVENTIONS),
        keys={"input": [head.path.stem] * n, "frame": frame, "time": times(frame, fps),
              "track": person},
        features=features, seen=np.ones(n), labels=pd.concat([labels, raw[extra]], axis=1),
    )  # fmt: skip


FORMAT = Format("PyAFAR CSV", _recognises, _read, ("fps", "frame_size", "keep"))
