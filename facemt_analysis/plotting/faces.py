"""The rows of one face, for figures of what it does over time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.checks import near_names
from facemt_analysis.errors import FexError
from facemt_analysis.signal.segments import cut

__all__ = ["face_series", "one_face"]

Floats = npt.NDArray[np.float64]


def one_face(
    frame: pd.DataFrame, *, recording: str | None = None, track: int | None = None
) -> pd.DataFrame:
    """Take the rows of one track of one recording.

    Parameters
    ----------
    frame
        Any table.
    recording
        Which ``input``; needed if there are several.
    track
        Which ``track``; needed if the recording has several.

    Raises
    ------
    FexError
        If there are several and none is named, or the one named is not there.

    Examples
    --------
    >>> table = pd.DataFrame({"input": list("aab"), "track": [0, -1, 0], "AU12": [0.1, None, 0.3]})
    >>> one_face(table, recording="a").index.tolist()
    [0]
    """
    rows = frame
    if "track" in rows.columns:
        rows = rows[(rows["track"] >= 0).to_numpy(np.bool_, na_value=False)]
    for name, wanted, column in (("recording", recording, "input"), ("track", track, "track")):
        if column not in rows.columns:
            if wanted is not None:
                raise FexError(f"`{name}`: the table has no column {column!r} to choose by.")
            continue
        there = rows[column].unique().tolist()
        shown = ", ".join(map(str, there[:6])) + (" …" if len(there) > 6 else "")
        if wanted is None and len(there) > 1:
            raise FexError(
                f"The figure shows one face, but there are {len(there)} {name}s: {shown}; choose "
                f"one with {name}=."
            )
        if wanted is not None:
            if wanted not in there:
                raise FexError(
                    f"`{name}`: there is no face in {wanted!r}.{near_names(wanted, there)} "
                    f"There is: {shown}."
                )
            rows = rows[(rows[column] == wanted).to_numpy(np.bool_, na_value=False)]
    return rows


def face_series(frame: pd.DataFrame, columns: Sequence[str]) -> tuple[Floats, Floats]:
    """Give the times (n,) and values (n, columns) of one face, a row of NaN in every gap."""
    parts = cut(frame)
    values = parts.values(frame, list(columns))
    after = np.flatnonzero(parts.breaks)[1:]
    lasts = parts.time[after - 1] + parts.step.max(initial=0.0)
    return np.insert(parts.time, after, lasts), np.insert(values, after, np.nan, axis=0)
