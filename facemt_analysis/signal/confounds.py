"""What other signals explain, taken out: head pose in brow scores, speech in mouth scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.checks import check_labels, check_option, check_whole
from facemt_analysis.errors import FexError
from facemt_analysis.signal.columns import signal_columns, with_values
from facemt_analysis.signal.missing import by_missing
from facemt_analysis.signal.segments import cut

__all__ = ["regress_out", "residuals"]

Floats = NDArray[np.float64]
Frame = TypeVar("Frame", bound=pd.DataFrame)

_SHOWN = 5


def regress_out(
    frame: Frame,
    columns: str | Iterable[str],
    confounds: str | Iterable[str],
    *,
    degree: int = 1,
    by: str | Sequence[str] | None = None,
    keep_mean: bool = True,
    undefined: Literal["raise", "nan"] = "raise",
) -> Frame:
    """Take out of signals what confounds explain linearly.

    Parameters
    ----------
    frame
        A Fex or plain table.
    columns
        Signals, e.g. the brow action units.
    confounds
        Columns with numbers, e.g. ``["Pitch", "Yaw"]``, or a label with the speech envelope.
    degree
        Powers of each confound up to this one are used.
    by
        Whose rows are fitted together: column or columns, e.g. ``"subject"``. Default: each track
        of each recording.
    keep_mean
        Whether the signal keeps its mean.
    undefined
        What to do where there are no more valid rows than coefficients: raise an error that names
        the group, or give NaN.

    Returns
    -------
    Fex or DataFrame
        As the input. y − Zb of the least-squares fit y = a + Zb + e over the rows where signal and
        confounds are valid, with Z centred; less a, unless the mean is kept. NaN where one of them
        is missing.

    Raises
    ------
    FexError
        If a column is absent, no signal or on both sides, or a fit is undefined.

    Notes
    -----
    What is expression and goes along with the confound (a laugh with the head thrown back) is taken
    out too: see ``mask`` for leaving such frames out instead. If signals are filtered, filter the
    confounds alike and first, or frequencies that were removed come back (Lindquist et al., 2019).

    References
    ----------
    Lindquist et al. (2019), Human Brain Mapping 40, doi:10.1002/hbm.24528.

    Examples
    --------
    >>> table = pd.DataFrame({"time": range(5), "Pitch": [0.0, 0.1, 0.2, 0.3, 0.4]})
    >>> table["AU04"] = 0.2 + 0.5 * table["Pitch"] + [0.1, -0.2, 0, 0.2, -0.1]
    >>> regress_out(table, "AU04", "Pitch")["AU04"].round(3).tolist()
    [0.4, 0.1, 0.3, 0.5, 0.2]
    """
    names = signal_columns(frame, columns)
    others = signal_columns(frame, confounds)
    if both := sorted({*names} & {*others}):
        raise FexError(f"{both[0]!r} is both in `columns` and in `confounds`.")
    degree = check_whole("degree", degree, 1)
    check_option("undefined", undefined, ("raise", "nan"))
    plain = pd.DataFrame(frame)
    parts = cut(plain, None if by is None else check_labels(plain, by), need_time=False)
    values = parts.values(plain, names)
    explaining = parts.values(plain, others)
    explaining = np.hstack([explaining**power for power in range(1, degree + 1)])
    result = np.full_like(values, np.nan)
    ends = np.searchsorted(parts.row_group, np.arange(len(parts.groups) + 1))
    poor = []
    for i in range(len(parts.groups)):
        rows = slice(int(ends[i]), int(ends[i + 1]))
        result[rows], undetermined = residuals(values[rows], explaining[rows], keep_mean=keep_mean)
        if undetermined:
            poor.append(" ".join(str(v) for v in parts.groups.iloc[i]) or "the table")
    if poor and undefined == "raise":
        more = f" and {len(poor) - _SHOWN} more" if len(poor) > _SHOWN else ""
        raise FexError(
            f"{', '.join(poor[:_SHOWN])}{more}: too few rows with a value of both signal and "
            f"confounds for {explaining.shape[1] + 1} coefficients; leave them out, pool more rows "
            "with `by`, or pass undefined='nan'."
        )
    return with_values(frame, names, parts.order, result)


def residuals(
    values: Floats, explaining: Floats, *, keep_mean: bool = False
) -> tuple[Floats, bool]:
    """Take a linear fit with intercept out of columns.

    Parameters
    ----------
    values
        Shape (n, c); NaN is left out of the fit.
    explaining
        Shape (n, p); rows with NaN have no part in it. Columns may depend on each other.
    keep_mean
        Whether to leave the intercept, i.e. the mean over the rows of the fit.

    Returns
    -------
    residuals : ndarray
        Shape (n, c); NaN where something is missing.
    undetermined : bool
        Whether a column with values had no more rows than coefficients, and became NaN.
    """
    result = np.full_like(values, np.nan)
    known = ~np.isnan(explaining).any(axis=1)
    undetermined = False
    for columns, valid in by_missing(values):
        rows = np.flatnonzero(valid & known)
        if len(rows) <= explaining.shape[1] + 1:
            undetermined |= bool(valid.any())
            continue
        z = explaining[rows] - explaining[rows].mean(axis=0)
        size = np.sqrt((z**2).mean(axis=0))
        z = z[:, size > 0] / size[size > 0]
        y = values[rows][:, columns]
        mean = y.mean(axis=0)
        fit = np.linalg.lstsq(z, y - mean, rcond=None)[0]
        left = y - z @ fit if keep_mean else y - mean - z @ fit
        if isinstance(columns, slice):
            result[rows] = left
        else:
            result[rows[:, None], columns] = left
    return result, undetermined
