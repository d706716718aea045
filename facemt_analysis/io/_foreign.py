"""What the readers of other tools' tables share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import PureWindowsPath
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from facemt_analysis import schema
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.io._head import Head
from facemt_analysis.io._selection import Selection, shorten
from facemt_analysis.io._text import whole_numbers

__all__ = [
    "FileWarning",
    "assemble", "au_column", "check_frame_size", "check_rate", "file_name", "kept",
    "normalised_mesh", "signed_pose", "times",
]  # fmt: skip

RAW_POSE = ("pitch_raw", "yaw_raw", "roll_raw")
"""Labels for angles whose signs a tool does not document."""


class FileWarning(UserWarning):
    """Something about a file that its reader cannot decide, and what was done."""


def check_rate(fps: float | None) -> None:
    """Raise FexError unless `fps` is None or a frame rate."""
    if fps is not None and not (np.isfinite(fps) and fps > 0):
        raise FexError(f"`fps` must be a positive number of frames per second, but got {fps!r}.")


def times(frame: ArrayLike, fps: float | None) -> NDArray[np.float64]:
    """Seconds of frames at a constant rate; NaN without one."""
    check_rate(fps)
    return np.asarray(frame, np.float64) / (np.nan if fps is None else fps)


def file_name(path: str) -> str:
    r"""Give the last part of a path of any system.

    >>> file_name("C:\\clips\\a.mp4"), file_name("/clips/a.mp4")
    ('a.mp4', 'a.mp4')
    """
    return PureWindowsPath(path).name or path


def au_column(number: int, ending: str = "") -> str | None:
    """Column of an action unit, or None for one that no supported tool shares.

    >>> au_column(1), au_column(12, "_r"), au_column(3)
    ('AU01', 'AU12_r', None)
    """
    column = f"AU{number:02d}"
    return f"{column}{ending}" if column in schema.ACTION_UNITS else None


def kept(head: Head, used: Collection[str], keep: bool | Sequence[str]) -> list[str]:
    """Names of the columns that become labels as they are: none, all not `used`, or those named.

    Raises
    ------
    FexError
        If a column to keep is not in the file, or its name means something else in a Fex.
    """
    if isinstance(keep, bool):
        free = [c for c in head.columns if c and c not in used and schema.group_of(c) is None]
        return free if keep else []
    missing = [c for c in keep if c not in head.columns]
    if missing:
        there = shorten(c for c in head.columns if c)
        raise FexError(f"{head.path}: cannot keep {shorten(missing)}; it has {there}.")
    clash = [c for c in keep if schema.group_of(c) is not None]
    if clash:
        raise FexError(
            f"{head.path}: cannot keep {shorten(clash)} as it is: the name belongs to the group "
            f"{schema.group_of(clash[0])!r}."
        )
    return list(dict.fromkeys(keep))


def assemble(
    head: Head,
    selection: Selection,
    info: FexInfo,
    *,
    keys: Mapping[str, Any],
    features: Mapping[str, Any] | pd.DataFrame,
    seen: ArrayLike,
    labels: pd.DataFrame | None = None,
) -> Fex:
    """Make the Fex that a reader returns, the part that was asked for.

    Parameters
    ----------
    head
        The file.
    selection
        What to keep.
    info
        Tool and conventions.
    keys
        `input`, `frame`, `time`, `track`; the track becomes -1 without a face.
    features
        Schema columns, shape (n,); they become float32, and NaN without a face.
    seen
        Rows with a face, shape (n,).
    labels
        Further columns.

    Returns
    -------
    Fex
        Columns in canonical order.
    """
    found = np.asarray(seen, np.bool_)
    index = pd.RangeIndex(len(found))
    with np.errstate(over="ignore"):
        table = pd.DataFrame(features, index=index).astype(np.float32)
    table[~found] = np.nan
    if "FaceScore" in table:
        table = table.assign(FaceScore=np.where(found, table["FaceScore"].fillna(1), 0))
        table = table.astype({"FaceScore": np.float32})
    name = pd.Series(keys["input"], index=index)
    whole = pd.DataFrame(
        {
            "input": name.astype("str"),
            "frame": whole_numbers(keys["frame"], "frame", head),
            "time": np.asarray(keys["time"], np.float64),
            "track": whole_numbers(np.where(found, keys["track"], -1), "track", head),
        }
    )
    parts = [whole, table]
    if labels is not None:
        parts.append(labels.reset_index(drop=True))
    whole = pd.concat(parts, axis=1)
    names = schema.canonical_order(selection.columns(list(whole.columns), head.path))
    return Fex(selection.rows(whole[names], head.path), info=info)


def check_frame_size(frame_size: Sequence[float] | None) -> None:
    """Raise FexError unless it is None or width and height in px."""
    if frame_size is not None and not (len(frame_size) == 2 and min(frame_size) > 0):
        raise FexError(
            "`frame_size` must be width and height in px, e.g. (1280, 720), but got "
            f"{frame_size!r}."
        )


def normalised_mesh(
    points: Mapping[tuple[str, int], pd.Series], frame_size: Sequence[float]
) -> pd.DataFrame:
    """Give points relative to the frame in px: x and z times the width, y times the height.

    Parameters
    ----------
    points
        (axis, number) → values, shape (n,). MediaPipe documents z at the scale of x.
    frame_size
        Width and height in px.
    """
    width, height = frame_size
    scale = {"x": width, "y": height, "z": width}
    columns = {
        f"mesh_{axis}_{number}": values * scale[axis]
        for (axis, number), values in points.items()
        if number < schema.N_MESH
    }
    return pd.DataFrame(columns)


def signed_pose(
    labels: pd.DataFrame, signs: Sequence[int] | None, names: Sequence[str] = RAW_POSE
) -> dict[str, pd.Series]:
    """Pitch, Yaw and Roll in rad from labels in degrees; none of them without signs.

    Parameters
    ----------
    labels
        Columns `names` in degrees.
    signs
        1 or −1 for pitch, yaw and roll: what makes + point up and to the subject's right.
    names
        Pitch, yaw and roll in `labels`.

    Raises
    ------
    FexError
        If `signs` are anything else.
    """
    if signs is None:
        return {}
    if len(signs) != 3 or any(s not in (1, -1) for s in signs):
        raise FexError(
            "`pose_signs` must be 1 or -1 for pitch, yaw and roll, e.g. (1, -1, 1), but got "
            f"{signs!r}."
        )
    given = zip(("Pitch", "Yaw", "Roll"), names, signs, strict=True)
    return {ours: np.deg2rad(labels[c]) * s for ours, c, s in given if c in labels}
