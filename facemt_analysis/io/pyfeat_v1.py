"""Tables of py-feat's first detectors (`Detector`, releases 0.4 to 2.1), there and back.

Names as in its `feat/utils/__init__.py`: a Fex has the same columns, but for the emotions, which
are in lower case (``happiness`` is ``Happy``). The box is the face detector's own.

The head pose changed twice (``convert_to_euler`` of 0.6.2, the comments of ``Detector.forward`` in
2.1.5; checked on the line of the eyes in the tables that come with both):

============  ======  =================  =====================  ==================
``pose=``     unit    Pitch (+ up)       Roll (+ subject's      Yaw (+ subject's
                                         right)                 right)
============  ======  =================  =====================  ==================
``"0.6"``     degree  ``Pitch``          −``Roll``              ``Yaw``
``"0.7"``     rad     −``Pitch``         −``Yaw``               ``Roll``
``"2.1"``     rad     ``Pitch``          ``Roll``               ``Yaw``
============  ======  =================  =====================  ==================
"""

from __future__ import annotations

from os import PathLike
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis import schema
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.io._atomic import atomic_file
from facemt_analysis.io._foreign import assemble, times
from facemt_analysis.io._head import Format, Head
from facemt_analysis.io._selection import Selection
from facemt_analysis.io._text import read_text_table
from facemt_analysis.io.pyfeat import approximate_time, people, tracks, write_csv
from facemt_analysis.io.table import typed

__all__ = ["COLUMNS_V1", "EMOTION_NAMES", "to_pyfeat_v1"]

EMOTION_NAMES = MappingProxyType(
    {
        "anger": "Anger",
        "disgust": "Disgust",
        "fear": "Fear",
        "happiness": "Happy",
        "sadness": "Sad",
        "surprise": "Surprise",
        "neutral": "Neutral",
    }
)
"""py-feat's name of an emotion → ours, in the order of its file."""

_ANGLES = ("Pitch", "Roll", "Yaw")
# pose= -> factor and column that Pitch, Roll and Yaw are made of
_POSES: dict[str, tuple[tuple[float, str], ...]] = {
    "0.6": ((np.pi / 180, "Pitch"), (-np.pi / 180, "Roll"), (np.pi / 180, "Yaw")),
    "0.7": ((-1.0, "Pitch"), (-1.0, "Yaw"), (1.0, "Roll")),
    "2.1": ((1.0, "Pitch"), (1.0, "Roll"), (1.0, "Yaw")),
}
Pose = Literal["auto", "0.6", "0.7", "2.1"]

COLUMNS_V1 = (
    *(c for g in ("faceboxes", "landmarks", "poses", "aus") for c in schema.GROUPS[g].columns),
    *EMOTION_NAMES,
    *schema.GROUPS["gazes"].columns,
    *("input", "frame", "approx_time", "Identity"),
)  # fmt: skip
"""What :func:`to_pyfeat_v1` writes."""


def _recognises(head: Head) -> bool:
    names = set(head.columns)
    emotions = set(EMOTION_NAMES) <= names
    others = bool({"approx_time", "Identity"} & names)
    return "FaceRectX" in names and not {"time", "track"} & names and (emotions or others)


def _read(
    head: Head, selection: Selection, *, fps: float | None = None, pose: Pose = "auto"
) -> Fex:
    """Read the table.

    `fps` gives ``time``; `pose` says which release wrote the angles. ``"auto"`` takes angles beyond
    π for degrees, and else what agrees best with the line of the eyes in the landmarks.
    """
    if pose != "auto" and pose not in _POSES:
        raise FexError(f"`pose` must be 'auto', {', '.join(map(repr, _POSES))}, but got {pose!r}.")
    wanted = [c for c in head.columns if c and not c.startswith("Identity_")]
    frame = typed(read_text_table(head, wanted), head)
    frame = frame.rename(columns={k: v for k, v in EMOTION_NAMES.items() if k in frame})
    emotions = [c for c in EMOTION_NAMES.values() if c in frame]
    frame = frame.astype(dict.fromkeys(emotions, np.float32))
    seen = frame["FaceScore"] > 0 if "FaceScore" in frame else frame["FaceRectX"].notna()
    features = frame[schema.feature_columns(frame.columns)]
    release = _release(features) if pose == "auto" else pose
    if set(_ANGLES) <= set(features.columns):
        angles = {
            name: features[source] * factor
            for name, (factor, source) in zip(_ANGLES, _POSES[release], strict=True)
        }
        features = features.assign(**angles)
    n = len(frame)
    name = frame["input"] if "input" in frame else pd.Series([head.path.stem] * n)
    number = frame["frame"] if "frame" in frame else pd.Series(np.arange(n))
    labels = frame[[c for c in frame if schema.group_of(c) is None]].dropna(axis=1, how="all")
    sizes = [c for c in frame if schema.group_of(c) == "framesizes"]
    info = FexInfo(
        tool="py-feat", conventions={"name": "py-feat Detector", "pose_as_in_release": release}
    )
    return assemble(
        head, selection, info,
        keys={"input": name, "frame": number, "time": times(number, fps),
              "track": tracks(frame, name, number, seen, head)},
        features=features, seen=seen, labels=pd.concat([labels, frame[sizes]], axis=1),
    )  # fmt: skip


def _release(features: pd.DataFrame) -> str:
    """Which convention the angles follow, from their size and the line of the eyes."""
    if not set(_ANGLES) <= set(features.columns):
        return "2.1"
    angles = features[list(_ANGLES)]
    if np.nanmax(np.abs(angles.to_numpy()), initial=0) > np.pi:
        return "0.6"
    eyes = ["x_36", "x_45", "y_36", "y_45"]
    if not set(eyes) <= set(features.columns):
        return "2.1"
    x, x2, y, y2 = features[eyes].to_numpy(np.float64).T
    roll = -np.arctan2(y2 - y, x2 - x)  # + : the subject's right, which is left in the image
    errors: dict[str, float] = {}
    for release, (_, (factor, source), _) in _POSES.items():
        off = features[source].to_numpy(np.float64) * factor - roll
        errors[release] = float(np.nanmedian(np.abs(off))) if np.isfinite(off).any() else np.inf
    # in doubt the latest
    return min(reversed(errors), key=errors.__getitem__)


def to_pyfeat_v1(fex: pd.DataFrame, path: str | PathLike[str] | None = None) -> pd.DataFrame | None:
    """Give a table the columns of py-feat's first detectors, for code written for these.

    Angles are those of release 2.1. What these detectors lack (affect, mesh, blendshapes) is left
    out, columns that the table lacks are empty.

    Parameters
    ----------
    fex
        The table.
    path
        CSV file to write; it appears complete or not at all.

    Returns
    -------
    DataFrame or None
        The table, if no `path` is given.

    Raises
    ------
    FexError
        If the file cannot be written.
    """
    given = pd.DataFrame(fex).reset_index(drop=True)
    given = given.rename(columns={v: k for k, v in EMOTION_NAMES.items()})
    other: dict[str, Any] = {
        "input": given.get("input", ""),
        "frame": given.get("frame", np.arange(len(given))),
        "approx_time": approximate_time(given),
        "Identity": people(given),
    }
    numeric = [c for c in COLUMNS_V1 if c not in other]
    values: NDArray[Any] = given.reindex(columns=numeric).to_numpy(np.float32, na_value=np.nan)
    table = pd.concat([pd.DataFrame(values, columns=numeric), pd.DataFrame(other)], axis=1)
    table = table[list(COLUMNS_V1)]
    if path is None:
        return table
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        write_csv(table, file)
    return None


FORMAT = Format("py-feat CSV (first detectors)", _recognises, _read, ("fps", "pose"))
