"""Smoothing over a window of time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.checks import check_number, check_option, check_whole
from facemt_analysis.errors import OptionError
from facemt_analysis.signal.columns import signal_columns, unwrap, with_values, wrap
from facemt_analysis.signal.segments import cut
from facemt_analysis.signal.stretches import named_rates, on_stretches, segment_rates

__all__ = ["SmoothMethod", "smooth", "smooth_samples"]

Floats = NDArray[np.float64]
Frame = TypeVar("Frame", bound=pd.DataFrame)
SmoothMethod = Literal["savgol", "median", "gaussian", "moving"]

_METHODS = ("savgol", "median", "gaussian", "moving")
_FWHM = 2 * math.sqrt(2 * math.log(2))


def smooth(
    frame: Frame,
    columns: str | Iterable[str] | None = None,
    *,
    method: SmoothMethod = "savgol",
    window: float = 0.3,
    polyorder: int = 2,
    max_gap: float = 0.0,
) -> Frame:
    """Smooth signals within each track, without shifting them in time.

    Parameters
    ----------
    frame
        A Fex or plain table with ``time`` (s).
    columns
        Columns to smooth; default all features except ``FaceScore``.
    method
        ``"savgol"``: a polynomial fitted to each window (Savitzky & Golay, 1964), keeps the height
        of peaks best; ``"median"``: removes outliers and keeps edges; ``"gaussian"``: average
        weighted by a bell; ``"moving"``: plain average.
    window
        Length of the window, s; of the bell, its full width at half the height. It becomes the
        nearest odd number of frames, at least three.
    polyorder
        Degree of the polynomial of ``"savgol"``.
    max_gap
        Gaps up to this long are bridged by a line while smoothing, s; their rows stay as they are.
        0: every missing frame or value ends a stretch.

    Returns
    -------
    Fex or DataFrame
        As the input. Missing values stay missing. At the ends of a stretch the signal is mirrored,
        or, with ``"savgol"``, the last full window's polynomial goes on; windows longer than the
        stretch shrink to it.

    Raises
    ------
    FexError
        If a column is unknown or no signal, or the time is missing or goes backwards.
    OptionError
        If an argument is out of range; the window is too short for a recording's frame rate.

    Notes
    -----
    Where time stamps are uneven by more than 5 %, each stretch is put on a regular grid by a cubic
    spline (by lines, except for ``"savgol"``), smoothed, and read off at the rows' times. Angles
    are smoothed across ±π. All methods but ``"median"`` keep the sum of emotion probabilities;
    ``"savgol"`` may leave a score's range a little: see ``clip``.

    References
    ----------
    Savitzky & Golay (1964), doi:10.1021/ac60214a047.

    Examples
    --------
    >>> table = pd.DataFrame({"time": np.arange(5) / 10, "AU12": [0.1, 0.1, 0.7, 0.1, 0.1]})
    >>> smooth(table, method="median")["AU12"].tolist()
    [0.1, 0.1, 0.1, 0.1, 0.1]
    """
    names = signal_columns(frame, columns)
    check_option("method", method, _METHODS)
    window = check_number("window", window, 0.0, open_low=True, unit="s")
    polyorder = check_whole("polyorder", polyorder)
    max_gap = check_number("max_gap", max_gap, 0.0, unit="s")
    parts = cut(frame)
    hz = segment_rates(frame, parts)
    least = max(3, polyorder + 1) if method == "savgol" else 3
    for name, rate in named_rates(parts, hz):
        if (size := _odd(window * rate)) < least:
            raise OptionError(
                f"`window` of {window:g} s is {size} frame{'s' * (size > 1)} of {name} "
                f"({rate:.4g} Hz); it must hold at least {least}, so at least "
                f"{(least - 0.999) / rate:.2g} s."
            )

    def engine(samples: Floats, rate: float) -> Floats:
        return smooth_samples(samples, rate, method=method, window=window, polyorder=polyorder)

    values, _ = on_stretches(
        parts,
        unwrap(parts.values(frame, names), names, parts),
        hz,
        engine,
        max_gap=max_gap,
        degree=3 if method == "savgol" else 1,
    )
    return with_values(frame, names, parts.order, wrap(values, names))


def smooth_samples(
    values: Floats, hz: float, *, method: SmoothMethod, window: float, polyorder: int = 2
) -> Floats:
    """Smooth evenly spaced samples, shape (n, c), along the first axis; see :func:`smooth`."""
    from scipy import ndimage

    n = len(values)
    if n == 1:
        return values
    size = _odd(window * hz)
    if method == "savgol":
        size = min(size, n - 1 + n % 2)
        if size <= polyorder:  # the polynomial goes through all points
            return values
        fit = _polynomial_fit(size, polyorder)
        smoothed: Floats = ndimage.correlate1d(values, fit[size // 2], axis=0)
        smoothed[: size // 2] = fit[: size // 2] @ values[:size]
        smoothed[n - size // 2 :] = fit[size - size // 2 :] @ values[n - size :]
    elif method == "median":
        smoothed = np.empty_like(values)
        for j in range(values.shape[1]):
            smoothed[:, j] = ndimage.median_filter(values[:, j], size, mode="reflect")
    elif method == "gaussian":
        smoothed = ndimage.gaussian_filter1d(values, window * hz / _FWHM, axis=0, mode="reflect")
    else:
        smoothed = ndimage.uniform_filter1d(values, size, axis=0, mode="reflect")
    return smoothed


@lru_cache(maxsize=64)
def _polynomial_fit(size: int, polyorder: int) -> Floats:
    """Matrix that takes the samples of a window to those of the polynomial fitted to them.

    The middle row is the Savitzky–Golay kernel, the rows before and behind are the edges as in
    ``scipy.signal.savgol_filter(mode="interp")``, which fits them anew each time and is slow for
    many short stretches.
    """
    basis = np.polynomial.legendre.legvander(np.linspace(-1, 1, size), polyorder)
    q, _ = np.linalg.qr(basis)
    fit: Floats = q @ q.T
    return fit


def _odd(frames: float) -> int:
    """Nearest odd number, at least one; 5 for 6 frames, also if the rate is a trifle off."""
    return 2 * max(round((frames - 1) / 2 - 0.001), 0) + 1
