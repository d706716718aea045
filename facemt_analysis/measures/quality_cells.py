"""Frames as the denominator of quality: which frames a group of faces could have been seen in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.measures.quality_rows import RowQuality, frame_codes
from facemt_analysis.signal.rates import rates

__all__ = ["Cells", "count_distinct", "find_cells"]

Positions = NDArray[np.intp]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Cells:
    """Frames of a table, cut by recording and by those labels that belong to frames.

    A face can be absent from a frame, a frame cannot be absent from itself: shares are of the
    frames of the cells in which a group of faces occurs.

    Parameters
    ----------
    of_frames
        Labels that belong to frames.
    of_row
        Number of the cell of each row, shape (n,); −1: a label is missing.
    pictures
        Number of the frame of each row, shape (n,), as :func:`frame_codes` gives it.
    table
        One row per cell, in the order of the table: its labels, ``n_frames``, ``n_tracks``,
        ``track_switches``, ``n_backward``, ``start`` and ``stop`` in s; of its recording ``hz``,
        ``jitter`` and ``n_dropped``; ``has_face``.
    """

    of_frames: list[str]
    of_row: Positions
    pictures: Positions
    table: pd.DataFrame


def find_cells(frame: pd.DataFrame, labels: Sequence[str], rows: RowQuality) -> Cells:
    """Cut the frames of a table for a report by these labels.

    A label belongs to faces, and does not cut the frames, if it is ``track``, if it differs within
    a frame, or if faces have it and rows without a face do not.
    """
    pictures = frame_codes(frame)
    of_frames = [c for c in labels if c != "track" and _of_frames(frame[c], pictures, rows.face)]
    recording = (
        pd.factorize(frame["input"], use_na_sentinel=False)[0]
        if "input" in frame.columns
        else np.zeros(len(frame), dtype=np.intp)
    )
    cell = recording
    missing = np.zeros(len(frame), dtype=np.bool_)
    for name in of_frames:
        code = pd.factorize(frame[name])[0]
        missing |= code < 0
        cell = pd.factorize(cell * (int(code.max(initial=0)) + 1) + np.maximum(code, 0))[0]
    cell = np.where(missing, -1, cell).astype(np.intp)
    kept = np.flatnonzero(cell >= 0)
    cell[kept] = pd.factorize(cell[kept])[0]  # numbers without holes, by first row
    n = int(cell.max(initial=-1)) + 1
    heads = kept[np.unique(cell[kept], return_index=True)[1]]
    table = frame[of_frames].iloc[heads].reset_index(drop=True)
    table["n_frames"] = count_distinct(cell[kept], pictures[kept], n)
    faces = np.flatnonzero(rows.face & (cell >= 0))
    track = _tracks(frame)
    table["n_tracks"] = count_distinct(cell[faces], track[faces], n)
    switches = _switches(recording, pictures, track, rows)
    switches = switches[cell[switches] >= 0]
    table["track_switches"] = np.bincount(cell[switches], minlength=n)
    time = (
        frame["time"].to_numpy(np.float64, na_value=np.nan)
        if "time" in frame.columns
        else np.full(len(frame), np.nan)
    )
    back = _backward(recording, pictures, time)
    table["n_backward"] = np.bincount(cell[back[cell[back] >= 0]], minlength=n)
    span = pd.Series(time[kept]).groupby(cell[kept]).agg(["min", "max"])
    table["start"], table["stop"] = span["min"].to_numpy(), span["max"].to_numpy()
    known = _rates(recording, time)
    for column in known.columns:
        table[column] = known[column].to_numpy()[recording[heads]]
    table["has_face"] = np.bincount(cell[faces], minlength=n) > 0
    return Cells(of_frames, cell, pictures, table)


def _rates(recording: Positions, time: NDArray[np.float64]) -> pd.DataFrame:
    """``hz``, ``jitter`` and ``n_dropped`` of each recording."""
    table = rates(pd.DataFrame({"input": recording, "time": time}))
    expected = ((table["stop"] - table["start"]) * table["hz"]).round() + 1
    return table[["hz", "jitter"]].assign(n_dropped=expected - table["n_frames"])


def _backward(recording: Positions, pictures: Positions, time: NDArray[np.float64]) -> Positions:
    """Rows of frames that are not later than the frame before."""
    firsts = np.flatnonzero(~pd.Series(pictures).duplicated().to_numpy())
    firsts = firsts[np.argsort(pictures[firsts], kind="stable")]
    one = np.diff(recording[firsts]) == 0
    with np.errstate(invalid="ignore"):
        back = one & (np.diff(time[firsts]) <= 0)
    return np.asarray(firsts[1:][back], dtype=np.intp)


def _of_frames(label: pd.Series, pictures: Positions, face: Bools) -> bool:
    code = pd.factorize(label)[0]
    last = np.zeros(int(pictures.max(initial=0)) + 1, dtype=np.intp)
    last[pictures] = code
    if (last[pictures] != code).any():
        return False
    only_faces = (code[face] >= 0).any() and not face.all() and (code[~face] < 0).all()
    return not only_faces


def count_distinct(code: Positions, values: Positions, n: int) -> NDArray[np.int64]:
    """Count the distinct values for each code below n."""
    width = int(values.max(initial=0)) + 1
    codes = pd.unique(code.astype(np.int64) * width + values) // width
    return np.asarray(np.bincount(codes, minlength=n), dtype=np.int64)


def _tracks(frame: pd.DataFrame) -> Positions:
    if "track" not in frame.columns:
        return np.zeros(len(frame), dtype=np.intp)
    return pd.factorize(frame["track"], use_na_sentinel=False)[0].astype(np.intp)


def _switches(
    recording: Positions, pictures: Positions, track: Positions, rows: RowQuality
) -> Positions:
    """Rows of the largest faces in frames where that of the last frame with faces is gone."""
    faces = np.flatnonzero(rows.face)
    size = np.nan_to_num(rows.face_px[faces])
    faces = faces[np.lexsort((track[faces], -size, pictures[faces]))]
    new = np.ones(len(faces), dtype=np.bool_)
    new[1:] = np.diff(pictures[faces]) != 0
    main = faces[new]  # the largest of each frame that has faces
    width = int(track.max(initial=0)) + 1
    number = np.cumsum(new) - 1
    present = number * width + track[faces]
    stays = np.isin(np.arange(1, len(main)) * width + track[main[:-1]], present)
    follows = recording[main[1:]] == recording[main[:-1]]
    return np.asarray(main[1:][follows & ~stays], dtype=np.intp)
