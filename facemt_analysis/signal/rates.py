"""Frame rates as the time stamps tell them: nominal rate, jitter, regular or not."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.errors import FexError
from facemt_analysis.signal.segments import GAP_STEPS

__all__ = ["REGULAR", "rates"]

REGULAR = 0.05
"""Sampling is regular if no interval deviates from the mean by more than this share of it.

Time stamps rounded to milliseconds (Matroska, WebM) are regular up to 100 frames per second.
"""


def rates(frame: pd.DataFrame) -> pd.DataFrame:
    """Measure the frame rate of every recording from its time stamps.

    Parameters
    ----------
    frame
        Rows in any order, with ``time`` (s) and, if there are several recordings, ``input``. All
        frames count, those without a face (``track`` −1) too; faces of one frame count once.

    Returns
    -------
    DataFrame
        One row per recording in the order of first rows: ``input`` (if the table has it);
        ``n_frames``; ``start`` and ``stop``, time of the first and last frame (s); ``step``, the
        median interval between frames (s); ``hz``, one over the mean interval between
        neighbouring frames; ``jitter``, the SD of these intervals as a share of their mean;
        ``regular``, whether all are within 5 % of the mean; ``n_gaps``, how many intervals are
        longer than 1.5 times the median (frames that the table lacks). NaN where there is no
        interval. Intervals over gaps take no part in ``hz``, ``jitter`` and ``regular``.

    Raises
    ------
    FexError
        If the table has no ``time``.

    Notes
    -----
    The mean and not the median gives ``hz``: of time stamps in whole milliseconds, 33 and 34 ms,
    the median makes 30.3 Hz of a film with 30.

    Examples
    --------
    >>> table = pd.DataFrame({"input": list("aaab"), "time": [0.0, 0.1, 0.2, 5.0]})
    >>> rates(table)[["input", "n_frames", "hz", "regular"]]
      input  n_frames    hz  regular
    0     a         3  10.0     True
    1     b         1   NaN    False
    """
    plain = pd.DataFrame(frame)
    if "time" not in plain.columns:
        raise FexError(
            "The frame rate needs the time of the frames, but the table has no column 'time' "
            "(seconds); add it, e.g. fex.assign(time=fex['frame'] / fps)."
        )
    named = "input" in plain.columns
    inputs = plain["input"] if named else pd.Series(0, index=plain.index)
    code, names = pd.factorize(inputs)
    time = plain["time"].to_numpy(np.float64, na_value=np.nan)
    table = _measure(code.astype(np.intp), time, len(names))
    if named:
        table.insert(0, "input", pd.Series(names, dtype=plain["input"].dtype))
    return table


def _measure(code: NDArray[np.intp], time: NDArray[np.float64], n: int) -> pd.DataFrame:
    known = (code >= 0) & ~np.isnan(time)
    code, time = code[known], time[known]
    order = np.lexsort((time, code))
    code, time = code[order], time[order]
    since = np.diff(time, prepend=np.nan)
    since[1:][np.diff(code) != 0] = np.nan
    new = ~(since <= 0)  # one row per frame: the first of a recording and all later times
    code, time, since = code[new], time[new], since[new]
    by = pd.Series(since).groupby(code)
    everyone = pd.RangeIndex(n)
    step = by.median().reindex(everyone)
    over = since > GAP_STEPS * step.to_numpy()[code]
    near = pd.Series(np.where(over, np.nan, since))
    intervals = near.groupby(code)
    mean = intervals.mean().reindex(everyone)
    lowest, highest = (
        getattr(intervals, name)().reindex(everyone) / mean - 1 for name in ("min", "max")
    )
    times = pd.Series(time).groupby(code)
    return pd.DataFrame(
        {
            "n_frames": times.size().reindex(everyone, fill_value=0).astype(np.int64),
            "start": times.min().reindex(everyone),
            "stop": times.max().reindex(everyone),
            "step": step,
            "hz": 1 / mean,
            "jitter": intervals.std(ddof=0).reindex(everyone) / mean,
            "regular": (lowest >= -REGULAR) & (highest <= REGULAR),
            "n_gaps": pd.Series(over).groupby(code).sum().reindex(everyone, fill_value=0),
        }
    ).astype({"n_gaps": np.int64})
