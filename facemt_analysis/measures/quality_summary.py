"""How much of each recording, of each face, can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis import schema
from facemt_analysis.checks import check_labels
from facemt_analysis.measures.grouping import Grouping, divided
from facemt_analysis.measures.quality_cells import Cells, count_distinct, find_cells
from facemt_analysis.measures.quality_limits import QualityLimits, choose_limits
from facemt_analysis.measures.quality_reasons import find_reasons
from facemt_analysis.measures.quality_rows import TOLERANCE, RowQuality, cut_faces, row_quality
from facemt_analysis.signal.segments import GAP_STEPS, Segments

__all__ = ["REPORT_COLUMNS", "SHARES", "quality_report"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SHARES = (
    "low_score",
    "small_face",
    "turned_away",
    "cut_off",
    "overlapping",
    "duplicate",
    "out_of_range",
)
"""Reasons whose share of the measured rows is reported as ``share_<reason>``."""

REPORT_COLUMNS = (
    "n_frames", "n_valid", "share_valid", "n_tracks", "track_switches",
    "start", "stop", "hz", "jitter", "n_dropped", "n_backward",
    "n_gaps", "gap_longest", "gap_total",
    "score_mean", "score_median", "score_low", "face_px_median", "face_px_low", "eyes_px_median",
    "pitch_low_deg", "pitch_high_deg", "roll_low_deg", "roll_high_deg",
    "yaw_low_deg", "yaw_high_deg",
    *(f"share_{name}" for name in SHARES),
    "share_usable", "n_constant", "constant", "out_of_range",
)  # fmt: skip
"""Columns of the report behind those to group by."""

_OVER_CELLS = {
    "n_tracks": "sum",
    "track_switches": "sum",
    "n_backward": "sum",
    "start": "min",
    "stop": "max",
    "hz": "median",
    "jitter": "max",
}
"""How what is known of frames is put together where a group occurs in several recordings."""

_LOW, _HIGH = 0.05, 0.95
_NAMED = 8


def quality_report(
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    limits: QualityLimits | None = None,
    **changes: float | None,
) -> pd.DataFrame:
    """Report, for each face of each recording, how much was measured and how well.

    Parameters
    ----------
    frame
        Rows in any order, with those of the keys and features that it has.
    by
        Columns whose values make groups; None: each track of each recording.
    limits, **changes
        What counts as a low score, a small face …: see :class:`QualityLimits`.

    Returns
    -------
    DataFrame
        One row per group; recordings in which no face was found have one as well, with ``track``
        −1. NaN where the columns to tell are absent. The columns to group by, then

        - ``n_frames``: frames of the recordings of the group (with the labels of the group, where
          these belong to frames and not to faces), with a face or without; ``n_valid``: those with
          a measured face of the group; ``share_valid``: their ratio;
        - ``n_tracks``: tracks in these frames; ``track_switches``: how often the largest face of a
          frame is gone in the next frame that has faces: another track has taken its place;
        - ``start``, ``stop``: first and last time of these frames, s;
        - ``hz``, ``jitter``, ``n_dropped``: usual frame rate, unevenness and missing frames of the
          recordings, as :func:`facemt_analysis.signal.rates` finds them; of several recordings the
          median, the worst and the sum; ``n_backward``: frames that are not later than the frame
          before;
        - ``n_gaps``, ``gap_longest``, ``gap_total``: stretches between two measured rows of a face
          without any, in number and s (frame interval taken off);
        - of the measured rows: ``score_mean``, ``score_median`` and ``score_low`` (5 % are lower)
          of ``FaceScore``; ``face_px_median``, ``face_px_low`` (square root of the area of the
          box) and ``eyes_px_median`` (between the outer corners) in px; ``pitch_low_deg`` …
          ``yaw_high_deg``: 5 % and 95 % quantiles of head pose, degrees;
        - ``share_low_score`` … ``share_out_of_range``: share of the measured rows that
          :func:`quality_flags` flags for this reason; ``share_usable``: share of the group's
          frames that has a measured face without any reason;
        - ``n_constant``: features that have one and the same value in all measured rows (two at
          least), and ``constant``: their names; ``out_of_range``: names of features with values
          they cannot have.

    Raises
    ------
    FexError
        If a column to group by is not there, or a face is there twice in a frame.
    OptionError
        If a limit is not there or cannot be one.

    Notes
    -----
    The brightness and sharpness of the pictures are not in the table and so not in the report.

    Examples
    --------
    >>> table = pd.DataFrame({"input": "a", "frame": range(4), "time": [0.0, 0.1, 0.2, 0.3],
    ...                       "track": [0, 0, -1, 0], "FaceScore": [0.9, 0.6, 0.0, 0.9],
    ...                       "AU12": [0.1, 0.2, np.nan, 0.3]})
    >>> report = quality_report(table)
    >>> report[["input", "track", "n_frames", "n_valid", "share_low_score"]].values.tolist()
    [['a', 0, 4, 3, 0.3333333333333333]]
    """
    plain = pd.DataFrame(frame)
    chosen = choose_limits(limits, **changes)
    labels = [c for c in ("input", "track") if c in plain.columns]
    labels = labels if by is None else check_labels(plain, by)
    rows = row_quality(plain)
    cells = find_cells(plain, labels, rows)
    parts = cut_faces(plain, rows.face, labels)
    groups = Grouping(parts, timed=False)
    measured = rows.valid[parts.order]
    reasons = {name: holds[parts.order] for name, holds in find_reasons(rows, chosen).items()}
    usable = ~np.logical_or.reduce(list(reasons.values()))
    seen, n = cells.pictures[parts.order], len(groups)
    columns: dict[str, NDArray[Any]] = {
        "n_valid": count_distinct(parts.row_group[measured], seen[measured], n),
        "n_usable": count_distinct(parts.row_group[usable], seen[usable], n),
    }
    columns |= _gaps(parts, cells.pictures, measured, n)
    columns |= _levels(rows, groups, measured)
    for name in SHARES:
        known = measured & _known(name, rows)[parts.order]
        part, whole = groups.count(reasons[name] & known), groups.count(known)
        columns[f"share_{name}"] = divided(part, whole)
    columns |= _named_columns(plain, groups, measured)
    return _assembled(cells, groups.table(**columns), parts, labels)


def _known(reason: str, rows: RowQuality) -> Bools:
    """Rows for which the columns to tell are there."""
    values = {
        "low_score": rows.score,
        "small_face": rows.face_px,
        "turned_away": rows.yaw_deg,
        "cut_off": rows.cut_off,
        "overlapping": rows.overlap,
    }.get(reason)
    return np.ones(len(rows.face), dtype=np.bool_) if values is None else ~np.isnan(values)


def _levels(rows: RowQuality, groups: Grouping, measured: Bools) -> dict[str, NDArray[Any]]:
    """Means and quantiles of what rows are measured to be."""
    levels = ("score", "face_px", "eyes_px", "pitch_deg", "roll_deg", "yaw_deg")
    values = {
        name: np.where(measured, getattr(rows, name)[groups.parts.order], np.nan) for name in levels
    }
    every = pd.DataFrame(values).groupby(groups.parts.row_group)
    here = range(len(groups))
    low, middle, high = (every.quantile(q).reindex(here) for q in (_LOW, 0.5, _HIGH))
    out = {
        "score_mean": every["score"].mean().reindex(here),
        "score_median": middle["score"],
        "score_low": low["score"],
        "face_px_median": middle["face_px"],
        "face_px_low": low["face_px"],
        "eyes_px_median": middle["eyes_px"],
    }
    for name in ("pitch", "roll", "yaw"):
        out[f"{name}_low_deg"] = low[f"{name}_deg"]
        out[f"{name}_high_deg"] = high[f"{name}_deg"]
    return {name: column.to_numpy() for name, column in out.items()}


def _gaps(
    parts: Segments, pictures: NDArray[np.intp], measured: Bools, n: int
) -> dict[str, NDArray[Any]]:
    """Stretches without a measured row between two of a segment."""
    rows = np.flatnonzero(measured)
    before, after = rows[:-1], rows[1:]
    one_face = parts.segment[before] == parts.segment[after]
    before, after = before[one_face], after[one_face]
    since = parts.time[after] - parts.time[before]
    step = parts.step[parts.segment[after]]
    # without time, a frame that lies between tells
    place = pictures[parts.order]
    between = place[after] - place[before] > 1
    long = np.where(np.isnan(since) | np.isnan(step), between, since > GAP_STEPS * step)
    group = parts.row_group[after][long]
    length = (since - step)[long]
    longest = np.full(n, np.nan)
    np.fmax.at(longest, group, length)
    total = np.bincount(group, weights=length, minlength=n)
    n_gaps = np.bincount(group, minlength=n)
    timed = np.zeros(n, dtype=np.bool_)
    timed[parts.group] = ~np.isnan(parts.step)
    none = np.where(timed, 0.0, np.nan)
    return {
        "n_gaps": n_gaps,
        "gap_longest": np.where(n_gaps > 0, longest, none),
        "gap_total": np.where(n_gaps > 0, total, none),
    }


def _named_columns(
    frame: pd.DataFrame, groups: Grouping, measured: Bools
) -> dict[str, NDArray[Any]]:
    """Features that never change, and those with values they cannot have."""
    constant: list[list[str]] = [[] for _ in range(len(groups))]
    outside: list[list[str]] = [[] for _ in range(len(groups))]
    for name in schema.feature_columns(frame.columns):
        values = np.where(measured, groups.parts.values(frame, name), np.nan)
        low, high = groups.minimum(values), groups.maximum(values)
        bottom, top = schema.range_of(name)
        for g in np.flatnonzero((low < bottom - TOLERANCE) | (high > top + TOLERANCE)):
            outside[g].append(name)
        same = low == high
        if schema.group_of(name) != "faceboxes" and same.any():
            for g in np.flatnonzero(same & (groups.count(~np.isnan(values)) > 1)):
                constant[g].append(name)
    return {
        "n_constant": np.array([len(names) for names in constant], dtype=np.int64),
        "constant": _texts(constant),
        "out_of_range": _texts(outside),
    }


def _texts(names: list[list[str]]) -> NDArray[np.object_]:
    out = np.empty(len(names), dtype=object)
    for i, some in enumerate(names):
        more = len(some) - _NAMED
        out[i] = ", ".join(some[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    return out


def _assembled(
    cells: Cells, table: pd.DataFrame, parts: Segments, labels: list[str]
) -> pd.DataFrame:
    """Add what is known of the frames in which each group occurs, and groups without a face."""
    named, code, faceless = _all_groups(cells, table, labels)
    width = len(cells.table) + 1
    pairs = pd.unique(parts.row_group * width + cells.of_row[parts.order])
    group = np.concatenate([pairs // width, code[len(table) :]])
    cell = np.concatenate([pairs % width, faceless])
    frames = cells.table.iloc[cell].groupby(group)
    out = named.iloc[np.unique(code, return_index=True)[1]].reset_index(drop=True)
    own = table.reindex(out.index)
    out["n_frames"] = frames["n_frames"].sum()
    for name in ("n_valid", "n_gaps", "n_constant"):
        out[name] = own[name].fillna(0).astype(np.int64)
    for name in ("constant", "out_of_range"):
        out[name] = own[name].fillna("")
    out["share_valid"] = out["n_valid"] / out["n_frames"]
    out["share_usable"] = own["n_usable"].fillna(0) / out["n_frames"]
    for name, how in _OVER_CELLS.items():
        out[name] = frames[name].agg(how)
    out["n_dropped"] = frames["n_dropped"].sum(min_count=1)
    for name in REPORT_COLUMNS:
        if name not in out.columns:
            out[name] = own[name]
    first = pd.Series(cell).groupby(group).min().to_numpy()
    ordered = out.iloc[np.argsort(first, kind="stable")]
    return ordered[[*labels, *REPORT_COLUMNS]].reset_index(drop=True)


def _all_groups(
    cells: Cells, table: pd.DataFrame, labels: list[str]
) -> tuple[pd.DataFrame, NDArray[np.intp], NDArray[np.intp]]:
    """Labels of the groups with faces, then of cells without; number of the group of each; cells.

    A cell without a face belongs to the group of its labels, or is one of its own, track −1.
    """
    alone = ~cells.table["has_face"].to_numpy()
    if not set(labels) - set(cells.of_frames) <= {"track"} and "input" not in labels:
        alone[:] = False  # nobody can say whose frames these are
    faceless = np.flatnonzero(alone)
    empty = cells.table.iloc[faceless].reindex(columns=labels)
    if "track" in labels:
        empty["track"] = -1
    named = pd.concat([table[labels], empty], ignore_index=True) if len(empty) else table[labels]
    if not labels:
        return named, np.zeros(len(named), dtype=np.intp), faceless.astype(np.intp)
    code = named.groupby(labels, sort=False, dropna=False, observed=True).ngroup()
    return named, code.to_numpy().astype(np.intp), faceless.astype(np.intp)
