"""Slow drifts and speeds of change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from facemt_analysis.checks import check_whole
from facemt_analysis.errors import FexError
from facemt_analysis.signal.columns import rewrap, signal_columns, unwrap, with_values, wrap
from facemt_analysis.signal.confounds import residuals
from facemt_analysis.signal.segments import cut
from facemt_analysis.signal.stretches import find_stretches

__all__ = ["derivative", "detrend"]

Frame = TypeVar("Frame", bound=pd.DataFrame)


def detrend(
    frame: Frame,
    columns: str | Iterable[str] | None = None,
    *,
    order: int = 1,
    keep_mean: bool = False,
) -> Frame:
    """Take a polynomial in time out of each track as a whole, gaps or not.

    Parameters
    ----------
    frame
        A Fex or plain table with ``time`` (s), however uneven.
    columns
        Signals; default all features except ``FaceScore``.
    order
        Degree of the polynomial; 0: only the mean.
    keep_mean
        Whether the signal keeps its mean over the track.

    Returns
    -------
    Fex or DataFrame
        As the input; missing values stay missing. Tracks with no more values than the polynomial
        has coefficients become empty.

    Raises
    ------
    FexError
        If a column is unknown or no signal, or the time is missing or goes backwards.

    Examples
    --------
    >>> table = pd.DataFrame({"time": [0, 1, 2, 4], "AU12": [0.25, 0.5, 0.75, 1.25]})
    >>> bool(detrend(table)["AU12"].abs().max() < 1e-12)
    True
    """
    names = signal_columns(frame, columns)
    order = check_whole("order", order)
    parts = cut(frame)
    values = unwrap(parts.values(frame, names), names, parts)
    result = np.empty_like(values)
    for rows in parts.slices():
        time = parts.time[rows]
        span = time[-1] - time[0] or 1.0
        place = 2 * (time - time[0]) / span - 1
        basis = np.polynomial.legendre.legvander(place, order)[:, 1:]
        result[rows], _ = residuals(values[rows], basis, keep_mean=keep_mean)
    return with_values(frame, names, parts.order, wrap(result, names))


def derivative(
    frame: Frame,
    columns: str | Iterable[str] | None = None,
    *,
    suffix: str = "_per_s",
) -> Frame:
    """Measure how fast signals change, per second, from the times of the rows.

    Parameters
    ----------
    frame
        A Fex or plain table with ``time`` (s), however uneven.
    columns
        Signals; default all features except ``FaceScore``.
    suffix
        What the new columns are called, behind the name of the signal. ``""`` replaces the signals.

    Returns
    -------
    Fex or DataFrame
        As the input, with the speeds as last columns. Second-order differences with the true
        intervals (``numpy.gradient``; exact for parabolas), never over a gap; NaN where a value
        stands alone.

    Raises
    ------
    FexError
        If a column is unknown, no signal or, with the suffix, there already; or the time is missing
        or goes backwards.

    Notes
    -----
    Differences make noise larger: smooth first. For the speed of the head, relative rotations are
    right and differences of angles are not: see ``fex.pose.motion``.

    Examples
    --------
    >>> table = pd.DataFrame({"time": [0, 0.1, 0.3], "AU12": [0.0, 0.1, 0.3]})
    >>> derivative(table, "AU12")["AU12_per_s"].round(6).tolist()
    [1.0, 1.0, 1.0]
    """
    names = signal_columns(frame, columns)
    new = [f"{name}{suffix}" for name in names]
    if suffix and (there := [c for c in new if c in frame.columns]):
        raise FexError(f"There is a column {there[0]!r} already; choose another `suffix`.")
    parts = cut(frame)
    values = unwrap(parts.values(frame, names), names, parts)
    result = np.full_like(values, np.nan)
    for stretch in find_stretches(parts, values):
        samples = stretch.of(values)
        if len(samples) > 1:
            edges: Any = min(len(samples) - 1, 2)
            speed = np.gradient(samples, parts.time[stretch.rows], axis=0, edge_order=edges)
            stretch.put(result, speed)
    if not suffix:
        return with_values(frame, names, parts.order, result)
    plain = pd.DataFrame(frame)
    empty = pd.DataFrame(np.nan, index=plain.index, columns=new)
    types = {n: plain[c].dtype for n, c in zip(new, names, strict=True)}
    empty = empty.astype({n: t for n, t in types.items() if t.kind == "f"})
    speeds = with_values(empty, new, parts.order, result)
    return rewrap(frame, pd.concat([plain, speeds], axis=1))
