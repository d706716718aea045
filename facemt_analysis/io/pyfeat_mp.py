"""Tables of py-feat's MPDetector: MediaPipe's 478 points as x_0, y_0, z_0, x_1, ….

From `feat/MPDetector.py` of release 2.1.5:

- x and y of the mesh are px of the frame; z is in px of the 256-px crop, whose place in the frame
  is ``FaceRect*``: here z is multiplied by ``FaceRectWidth`` / 256.
- ``FaceRect*`` is the detector's box enlarged by 1.2 about its centre and cut at the border of the
  frame; here the box is shrunk again.
- ``Pitch Roll Yaw`` are angles of the rotation that aligns MediaPipe's canonical face, under names
  that do not fit the axes (``Roll`` is about the vertical one). Their signs are not documented, so
  they stay labels, ``Pitch_raw Roll_raw Yaw_raw``, in rad.
- The action units are estimated from the blendshapes, not seen in the image.
- Emotions are in lower case, as in the first detectors.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.io._foreign import assemble, times
from facemt_analysis.io._head import Format, Head
from facemt_analysis.io._selection import Selection
from facemt_analysis.io._text import numbers, read_text_table
from facemt_analysis.io.pyfeat import tracks
from facemt_analysis.io.pyfeat_v1 import EMOTION_NAMES

__all__: list[str] = []

_CROP = 256
_EXPAND = 1.2
_POINTS = {f"{a}_{i}": f"mesh_{a}_{i}" for i in range(schema.N_MESH) for a in "xyz"}
_POSE = {c: f"{c}_raw" for c in ("Pitch", "Roll", "Yaw", "X", "Y", "Z")}
_BOX = ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"]
_SAME = ("faceboxes", "aus", "gazes", "blendshapes", "framesizes")


def _recognises(head: Head) -> bool:
    return {"FaceRectX", "x_0", "z_0", f"z_{schema.N_MESH - 1}"} <= set(head.columns)


def _read(head: Head, selection: Selection, *, fps: float | None = None) -> Fex:
    """Read the table; `fps` gives ``time``."""
    wanted = [c for c in head.columns if c and not c.startswith("Identity_")]
    raw = read_text_table(head, wanted)
    text = [c for c in raw if c in ("input", "Identity", "approx_time")]
    table = numbers(raw.drop(columns=text), head, np.float64)
    seen = table["FaceScore"] > 0 if "FaceScore" in table else table["FaceRectX"].notna()
    features = table.rename(columns={**_POINTS, **EMOTION_NAMES})
    same = [
        c for c in features
        if schema.group_of(c) in ("meshes", "emotions") or schema.group_of(c) in _SAME
    ]  # fmt: skip
    features = features[same]
    if set(_BOX) <= set(features.columns):
        z = [c for c in features if str(c).startswith("mesh_z_")]
        side = table[["FaceRectWidth"]].to_numpy()
        box = table[_BOX].to_numpy()
        centre, size = box[:, :2] + box[:, 2:] / 2, box[:, 2:] / _EXPAND
        features = features.drop(columns=[*z, *_BOX]).join(
            [
                pd.DataFrame(features[z].to_numpy() * side / _CROP, columns=z),
                pd.DataFrame(np.hstack([centre - size / 2, size]), columns=_BOX),
            ]
        )
    n = len(table)
    name = raw["input"] if "input" in raw else pd.Series([head.path.stem] * n)
    number = table["frame"] if "frame" in table else pd.Series(np.arange(n))
    pose = table[[c for c in _POSE if c in table]].rename(columns=_POSE)
    labels = [pose, raw[[c for c in text if c != "input"]].dropna(axis=1, how="all")]
    info = FexInfo(
        tool="py-feat MPDetector",
        chip={"crop": "rectangle", "expand": _EXPAND},
        conventions={
            "name": "py-feat MPDetector",
            "aus": "estimated from the blendshapes",
            "Pitch_raw Roll_raw Yaw_raw": "rad, signs not documented",
            "mesh_z": "z * FaceRectWidth / 256",
        },
    )
    return assemble(
        head, selection, info,
        keys={"input": name, "frame": number, "time": times(number, fps),
              "track": tracks(raw, name, number, seen, head)},
        features=features, seen=seen, labels=pd.concat(labels, axis=1),
    )  # fmt: skip


FORMAT = Format("py-feat CSV (MPDetector)", _recognises, _read, ("fps",))
