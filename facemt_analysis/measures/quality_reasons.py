"""Which rows of a table not to trust, and why."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.measures.quality_limits import QualityLimits, choose_limits
from facemt_analysis.measures.quality_rows import RowQuality, row_quality

__all__ = ["REASONS", "find_reasons", "quality_flags"]

Bools = NDArray[np.bool_]

REASONS = (
    "no_face",
    "no_features",
    "low_score",
    "small_face",
    "turned_away",
    "cut_off",
    "overlapping",
    "duplicate",
    "out_of_range",
)
"""Why a row is flagged, in the order of the columns of :func:`quality_flags`."""


def quality_flags(
    frame: pd.DataFrame, limits: QualityLimits | None = None, **changes: float | None
) -> pd.DataFrame:
    """Flag the rows that should not be trusted, with reasons.

    Parameters
    ----------
    frame
        Rows in any order, with those of the keys and features that it has. What cannot be told
        from its columns is not flagged.
    limits
        Limits; by default those of :class:`QualityLimits`.
    **changes
        Single limits by name, e.g. ``yaw_deg=45`` or ``overlap=None``.

    Returns
    -------
    DataFrame
        The rows and index of `frame`. ``flagged``: whether there is any reason. One boolean column
        per reason:

        - ``no_face``: the face detector found none;
        - ``no_features``: a face, but every feature is missing (excluded before, for instance);
        - ``low_score``, ``small_face``, ``overlapping``, ``cut_off``: the face's box and score;
        - ``turned_away``: the head is turned, nodded or tilted too far;
        - ``duplicate``: all features are exactly those of the row before;
        - ``out_of_range``: a feature has a value it cannot have.

        ``reasons``: the names of those that hold, with commas; empty where none does.

    Raises
    ------
    FexError
        If a face is there twice in a frame.
    OptionError
        If a limit is not there or cannot be one.

    See Also
    --------
    exclude_flagged : take the features of these rows out.
    quality_report : how many there are in each recording.

    Examples
    --------
    >>> table = pd.DataFrame({"frame": [0, 1, 2], "track": [0, 0, -1], "AU12": [0.1, 0.2, np.nan],
    ...                       "FaceScore": [0.9, 0.6, 0.0], "Yaw": [0.0, 1.0, np.nan]})
    >>> quality_flags(table)["reasons"].tolist()
    ['', 'low_score, turned_away', 'no_face']
    """
    chosen = choose_limits(limits, **changes)
    reasons = find_reasons(row_quality(frame), chosen)
    pattern = np.zeros(len(frame), dtype=np.int64)
    for bit, name in enumerate(REASONS):
        pattern |= reasons[name].astype(np.int64) << bit
    present, which = np.unique(pattern, return_inverse=True)
    texts = [", ".join(r for bit, r in enumerate(REASONS) if p >> bit & 1) for p in present]
    columns = {"flagged": pattern > 0, **reasons}
    out = pd.DataFrame(columns, index=frame.index)
    out["reasons"] = np.array(texts, dtype=object)[which]
    return out


def find_reasons(rows: RowQuality, limits: QualityLimits) -> dict[str, Bools]:
    """Compare row by row with the limits; what is NaN or has no limit is not flagged.

    Returns
    -------
    dict of str to ndarray
        One boolean array (n,) for each of :data:`REASONS`. Other reasons than ``no_face`` are
        given to faces only.
    """
    never = np.zeros(len(rows.face), dtype=np.bool_)

    def below(values: NDArray[np.float64], limit: float | None) -> Bools:
        return never if limit is None else values < limit

    def beyond(values: NDArray[np.float64], limit: float | None) -> Bools:
        return never if limit is None else np.abs(values) > limit

    turned = (
        beyond(rows.yaw_deg, limits.yaw_deg)
        | beyond(rows.pitch_deg, limits.pitch_deg)
        | beyond(rows.roll_deg, limits.roll_deg)
    )
    of_faces = {
        "no_features": ~rows.valid,
        "low_score": below(rows.score, limits.score),
        "small_face": below(rows.face_px, limits.face_px),
        "turned_away": turned,
        "cut_off": beyond(rows.cut_off, limits.cut_off),
        "overlapping": beyond(rows.overlap, limits.overlap),
        "duplicate": rows.duplicate if limits.duplicates else never,
        "out_of_range": rows.out_of_range > 0,
    }
    return {"no_face": ~rows.face} | {k: v & rows.face for k, v in of_faces.items()}
