"""Tables of py-feat's Detectorv2 (releases 2.0 and 2.1), there and back.

What differs from a Fex, and how it is converted:

- ``FaceRect*`` is the square that was cut out, side 1.2·max(width, height) of the detector's box
  about its centre. The shorter side is not in the file: a box read back is a square of the longer.
- ``mesh_z`` is in units of that square, x and y in px. A Fex has px on all three axes.
- ``approx_time`` is text, ``MM:SS``; a Fex has seconds, which need the frame rate.
- Releases before the sign was settled wrote + for head and eyes *down*; a Fex (and py-feat 2.1.5)
  has + for up. The mesh tells which it is: see :func:`read_pyfeat`.
"""

from __future__ import annotations

import warnings
from os import PathLike
from typing import BinaryIO, Literal

import numpy as np
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.io._atomic import atomic_file
from facemt_analysis.io._foreign import FileWarning, times
from facemt_analysis.io._head import Format, Head
from facemt_analysis.io._selection import Selection
from facemt_analysis.io._text import read_text_table
from facemt_analysis.io.table import typed

__all__ = [
    "COLUMNS", "approximate_time", "people", "read_pyfeat", "to_pyfeat", "tracks", "write_csv",
]  # fmt: skip

EXPAND = 1.2
"""Side of the square crop relative to the longer side of the detector's box."""

_BOX = ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"]
_EMBEDDING = tuple(f"Identity_{i}" for i in range(1, 513))
_TAIL = ("FrameHeight", "FrameWidth", "input", "frame", "approx_time", "Identity")
_MESH_Z = schema.GROUPS["meshes"].columns[2 * schema.N_MESH :]

COLUMNS = (
    *(c for g in ("faceboxes", "landmarks", "poses", "aus", "emotions", "va", "gazes")
      for c in schema.GROUPS[g].columns),
    *_EMBEDDING,
    *schema.GROUPS["meshes"].columns,
    *schema.GROUPS["blendshapes"].columns,
    *_TAIL,
)  # fmt: skip
"""The 2,183 columns of a video, in the order of the file."""

_VERTICAL = ["Pitch", "gaze_pitch"]
_FOREHEAD, _CHIN = 10, 152
# Pitch (+ up) against the tilt of the line from chin to forehead in the mesh, rad: least squares
# over the 213 rows of ten recordings that py-feat publishes with its documentation, r = 0.94.
_TILT_SLOPE, _TILT_OFFSET = 0.89, 0.093


def read_pyfeat(
    path: str | PathLike[str],
    *,
    fps: float | None = None,
    pitch: Literal["auto", "up", "down"] = "auto",
    identities: bool = False,
) -> Fex:
    """Read the CSV of py-feat's Detectorv2.

    Boxes and mesh are converted as the module says. ``track`` is −1 without a face; else the number
    of the person in ``Identity`` if that is filled; else 0 where no frame has several faces. Where
    they do, it is the place within the frame, with a warning: py-feat does not follow faces.
    ``Identity`` and ``approx_time`` stay as labels if they hold anything, and so does any column
    that is not py-feat's.

    Parameters
    ----------
    path
        The file.
    fps
        Frame rate, for ``time`` = ``frame`` / `fps`. Without it ``time`` is NaN: the file does not
        say it, and ``approx_time`` has whole seconds only.
    pitch
        Which way + of ``Pitch`` and ``gaze_pitch`` points in the file. ``"auto"`` compares
        ``Pitch`` with the tilt of the mesh and turns both signs if + is down; without a mesh it
        takes them as they are.
    identities
        Whether to keep the 512 columns of the face embedding as labels.

    Returns
    -------
    Fex
        One row per row of the file. ``info.conventions["pitch_in_file"]`` says which way + pointed.

    Raises
    ------
    FexError
        If the file is not a complete table of Detectorv2.
    """
    head = Head(path)
    if not _recognises(head):
        raise FexError(
            f"{path}: not a table of py-feat's Detectorv2: it needs FaceRectX, valence or mesh_x_0 "
            "and Identity or approx_time in its first line."
        )
    return _read(head, Selection(), fps=fps, pitch=pitch, identities=identities)


def _recognises(head: Head) -> bool:
    names = set(head.columns)
    ours = {"time", "track"} & names
    theirs = {"approx_time", "Identity", "Identity_1"} & names
    second = {"valence", "mesh_x_0"} & names
    return bool("FaceRectX" in names and theirs and second and not ours)


def _read(
    head: Head,
    selection: Selection,
    *,
    fps: float | None = None,
    pitch: Literal["auto", "up", "down"] = "auto",
    identities: bool = False,
) -> Fex:
    if pitch != "auto":
        _check_pitch(pitch)
    wanted = [c for c in head.columns if c and (identities or c not in _EMBEDDING)]
    frame = typed(read_text_table(head, wanted), head)
    for label in ("Identity", "approx_time"):
        if label in frame and frame[label].isna().all():
            frame = frame.drop(columns=label)
    seen = _seen(frame)
    features = frame[schema.feature_columns(frame.columns)]
    down = pitch == "down" or (pitch == "auto" and _points_down(features))
    features = _from_square(features, down)
    if "FaceScore" in features:
        features = features.assign(FaceScore=features["FaceScore"].fillna(0).astype(np.float32))
    keys = _keys(frame, seen, fps, head)
    sizes = frame[[c for c in frame if schema.group_of(c) == "framesizes"]]
    labels = frame[[c for c in frame if schema.group_of(c) is None]]
    whole = pd.concat([keys, features, sizes, labels], axis=1)
    names = schema.canonical_order(selection.columns(list(whole.columns), head.path))
    info = FexInfo(
        tool="py-feat",
        chip={"crop": "square", "expand": EXPAND},
        conventions={"name": "py-feat", "pitch_in_file": "down" if down else "up"},
    )
    return Fex(selection.rows(whole[names], head.path), info=info)


def _check_pitch(pitch: str) -> str:
    if pitch not in ("up", "down"):
        raise FexError(f"`pitch` must be 'up' or 'down', but got {pitch!r}.")
    return pitch


def _was_down(fex: pd.DataFrame) -> bool:
    """Whether the table was read from a file of py-feat in which + was down."""
    conventions = fex.info.conventions if isinstance(fex, Fex) else None
    return conventions is not None and conventions.get("pitch_in_file") == "down"


def _seen(frame: pd.DataFrame) -> pd.Series:
    """Rows with a face."""
    if "FaceScore" in frame:
        return frame["FaceScore"] > 0
    return frame["FaceRectX"].notna()


def _points_down(features: pd.DataFrame) -> bool:
    """Whether + of Pitch is down, by the tilt of the mesh. z is in units of the square."""
    axes = [f"mesh_{a}_{i}" for i in (_FOREHEAD, _CHIN) for a in "yz"]
    if not {*axes, "Pitch", "FaceRectHeight"} <= set(features.columns):
        return False
    values = features[[*axes, "Pitch", "FaceRectHeight"]].dropna().to_numpy(np.float64)
    y_top, z_top, y_chin, z_chin, pitch, side = values.T
    tilt = np.arctan2(z_top - z_chin, (y_chin - y_top) / side)  # + : the forehead is further back
    expected = _TILT_SLOPE * tilt + _TILT_OFFSET
    return bool(np.sum((pitch + expected) ** 2) < np.sum((pitch - expected) ** 2))


def _from_square(features: pd.DataFrame, down: bool) -> pd.DataFrame:
    """Turn the square into the detector's box, z into px, + into up."""
    # as one array: setting hundreds of columns of a frame one by one is slow
    names = features.columns
    values = features.to_numpy(np.float32, copy=True)
    if set(_BOX) <= set(names):
        box = names.get_indexer(pd.Index(_BOX))
        square = values[:, box].astype(np.float64)
        z = np.flatnonzero(names.isin(_MESH_Z))
        values[:, z] *= square[:, 2:3]
        centre, side = square[:, :2] + square[:, 2:] / 2, square[:, 2:] / EXPAND
        values[:, box] = np.hstack([centre - side / 2, side])
    if down:
        values[:, np.flatnonzero(names.isin(_VERTICAL))] *= -1
    return pd.DataFrame(values, index=features.index, columns=names)


def _keys(frame: pd.DataFrame, seen: pd.Series, fps: float | None, head: Head) -> pd.DataFrame:
    n = len(frame)
    keys = pd.DataFrame(index=frame.index)
    keys["input"] = frame["input"] if "input" in frame else pd.Series([head.path.stem] * n)
    keys["frame"] = frame["frame"] if "frame" in frame else np.arange(n)
    keys["time"] = times(keys["frame"], fps)
    keys["track"] = tracks(frame, keys["input"], keys["frame"], seen, head)
    return keys


def tracks(
    frame: pd.DataFrame, name: pd.Series, number: pd.Series, seen: pd.Series, head: Head
) -> pd.Series:
    """Tracks from ``Identity``, else the place within the frame, with a warning; -1: no face."""
    if "Identity" in frame and frame["Identity"].notna().any():
        # numbers in the order of appearance, anew for every recording
        person = frame["Identity"].astype(str)
        track = person.groupby(name, observed=True).transform(lambda names: pd.factorize(names)[0])
    else:
        track = seen.groupby([name, number], observed=True).cumcount()
        if (track[seen] > 0).any():
            warnings.warn(
                f"{head.path}: frames have several faces and no Identity; `track` is the place in "
                "the frame, not a person.",
                FileWarning,
                stacklevel=2,
            )
    return track.where(seen, -1).astype(np.int64)


def to_pyfeat(
    fex: pd.DataFrame,
    path: str | PathLike[str] | None = None,
    *,
    pitch: Literal["up", "down"] | None = None,
) -> pd.DataFrame | None:
    """Give a table the 2,183 columns of py-feat 2.1.5's Detectorv2; what ``fex.to_pyfeat`` calls.

    The box becomes the square crop, ``mesh_z`` is divided by its side, ``time`` becomes
    ``approx_time`` (text, whole seconds). ``Identity`` is the label of that name, else
    ``Person_<track>`` where a recording has several tracks. Labels and columns that py-feat lacks
    (``Contempt``, further action units, intensities) are left out; columns that the table lacks
    are empty.

    Parameters
    ----------
    fex
        The table.
    path
        CSV file to write; it appears complete or not at all.
    pitch
        Which way + of ``Pitch`` and ``gaze_pitch`` points in the file. None: as in the py-feat file
        that the table was read from, so that the same numbers go back; up, as py-feat 2.1.5 has it,
        for every other table.

    Returns
    -------
    DataFrame or None
        The table, if no `path` is given.

    Raises
    ------
    FexError
        If the file cannot be written.
    """
    down = _was_down(fex) if pitch is None else _check_pitch(pitch) == "down"
    given = pd.DataFrame(fex).reset_index(drop=True)
    n = len(given)
    other = {
        "input": given.get("input", ""),
        "frame": given.get("frame", np.arange(n)),
        "approx_time": approximate_time(given),
        "Identity": people(given),
    }
    numeric = [c for c in COLUMNS if c not in other]
    # absent columns are NaN
    values = given.reindex(columns=numeric).to_numpy(np.float32, na_value=np.nan).copy()
    names = pd.Index(numeric)
    if set(_BOX) <= set(given.columns):
        box = given[_BOX].to_numpy(np.float64)
        side = EXPAND * box[:, 2:].max(axis=1, keepdims=True)
        centre = box[:, :2] + box[:, 2:] / 2
        with np.errstate(divide="ignore", invalid="ignore"):  # a box without size has no scale
            values[:, names.isin(_MESH_Z)] /= side
        values[:, names.get_indexer(pd.Index(_BOX))] = np.hstack([centre - side / 2, side, side])
    if down:
        values[:, names.isin(_VERTICAL)] *= -1
    table = pd.concat([pd.DataFrame(values, columns=names), pd.DataFrame(other)], axis=1)
    table = table[list(COLUMNS)]
    if path is None:
        return table
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        write_csv(table, file)
    return None


def write_csv(table: pd.DataFrame, file: BinaryIO) -> None:
    """Write as text. Arrow does it twenty times as fast as pandas, but quotes the header."""
    import pyarrow as pa
    from pyarrow import csv

    file.write((",".join(table.columns) + "\n").encode())
    options = csv.WriteOptions(include_header=False, quoting_style="needed")
    csv.write_csv(pa.Table.from_pandas(table, preserve_index=False), file, options)


def approximate_time(frame: pd.DataFrame) -> pd.Series:
    """``MM:SS`` of the whole seconds passed, as py-feat writes it."""
    if "time" in frame.columns and frame["time"].notna().any():
        time = frame["time"]
        return time.map(lambda t: f"{int(t // 60):02d}:{int(t % 60):02d}", na_action="ignore")
    if "approx_time" in frame.columns:
        return frame["approx_time"]
    return pd.Series(np.full(len(frame), np.nan), dtype=object)


def people(frame: pd.DataFrame) -> pd.Series:
    """``Identity``: the label of that name, else ``Person_<track>`` if there are several tracks."""
    if "Identity" in frame.columns:
        return frame["Identity"]
    names = pd.Series(np.full(len(frame), np.nan), dtype=object)
    if "track" in frame.columns and (frame["track"] > 0).any():
        track = frame["track"]
        names[track >= 0] = "Person_" + track[track >= 0].astype(str)
    return names


FORMAT = Format("py-feat CSV (Detectorv2)", _recognises, _read, ("fps", "pitch", "identities"))
