"""Windowed cross-correlation of two courses at many lags, and its peaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facemt_analysis.checks import check_number, check_whole
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats.drawing import draw

__all__ = ["WindowedCorrelation", "windowed_crosscorrelation"]

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
_Sums = tuple[Floats, Floats, Floats]

_FULL = 0.5
"""Share of a window in which both courses must have a value."""


@dataclass(frozen=True, eq=False)
class WindowedCorrelation:
    """Correlations of windows of two courses.

    Parameters
    ----------
    r
        Shape (…, windows, lags); NaN where less than half of a window has values, or nothing
        varies.
    time
        Centre of the earlier window, s, shape (windows,).
    lag
        Seconds by which the window of `b` is after that of `a`, shape (lags,); positive: b follows.
    """

    r: Floats
    time: Floats
    lag: Floats

    def mean_profile(self) -> Floats:
        """Average over windows, through Fisher's z, shape (…, lags)."""
        return np.tanh(_mean_z(self.r, axis=-2))

    def peaks(self, neighbours: int = 3) -> tuple[Floats, Floats]:
        """Pick the peak nearest to lag 0 in every window.

        Parameters
        ----------
        neighbours
            A peak is at least as high as so many lags on either side.

        Returns
        -------
        r, lag : ndarray
            Height and lag (s) of the peak, shape (…, windows); NaN: there is none. Maxima at the
            longest lags are no peaks.

        Notes
        -----
        Boker et al. (2002), https://doi.org/10.1037/1082-989X.7.3.338, without the smoothing.
        """
        from scipy.ndimage import maximum_filter1d

        check_whole("neighbours", neighbours, 1)
        filled = np.where(np.isnan(self.r), -np.inf, self.r)
        highest = maximum_filter1d(filled, 2 * neighbours + 1, axis=-1, mode="nearest")
        peak = (filled == highest) & np.isfinite(filled)
        peak[..., [0, -1]] = False
        distance = np.where(peak, np.abs(self.lag), np.inf)
        nearest = distance.argmin(axis=-1)[..., None]
        there = np.take_along_axis(peak, nearest, axis=-1)[..., 0]
        height = np.take_along_axis(self.r, nearest, axis=-1)[..., 0]
        return np.where(there, height, np.nan), np.where(there, self.lag[nearest[..., 0]], np.nan)

    def plot(self, **options: Any) -> Any:
        """Draw it: :func:`facemt_analysis.plotting.plot_windowed_correlation`."""
        return draw("plot_windowed_correlation", self, **options)


def windowed_crosscorrelation(
    a: ArrayLike,
    b: ArrayLike,
    *,
    rate: float,
    window: float = 5.0,
    step: float | None = None,
    max_lag: float = 2.0,
    lag_step: float | None = None,
    start: float = 0.0,
) -> WindowedCorrelation:
    """Correlate windows of two courses, one of them later by every lag.

    Parameters
    ----------
    a, b
        Courses at the same times, shape (…, times); leading axes are other pairs. NaN: missing.
    rate
        Points per second.
    window
        Length of the windows, s.
    step
        From one window to the next, s; default half a window.
    max_lag
        Longest lag in both directions, s.
    lag_step
        From one lag to the next, s; default one point.
    start
        Time of the first point, s.

    Returns
    -------
    WindowedCorrelation

    Raises
    ------
    FexError
        If the courses differ in length or are too short for one window at the longest lag.
    OptionError
        If an option is out of its range.

    Notes
    -----
    At a positive lag the window of `b` is moved, at a negative one that of `a`, so that the earlier
    window is the same for all lags (Boker et al., 2002,
    https://doi.org/10.1037/1082-989X.7.3.338). Sums over windows are differences of cumulated sums.
    Points where either has no value are left out of both.

    Examples
    --------
    >>> a = np.random.default_rng(1).normal(size=600)
    >>> b = np.roll(a, 5)  # half a second later
    >>> found = windowed_crosscorrelation(a, b, rate=10, window=10, max_lag=2)
    >>> float(found.lag[found.mean_profile().argmax()])
    0.5
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.shape[-1] != y.shape[-1]:
        raise FexError(
            "`a` and `b` must be at the same times, but have "
            f"{x.shape[-1]} and {y.shape[-1]} points."
        )
    rate = check_number("rate", rate, 0, open_low=True)
    width = round(check_number("window", window, 0, open_low=True, unit="s") * rate)
    if width < 3:
        raise OptionError(f"`window` must hold at least 3 points (here {3 / rate:g} s).")
    hop = max(1, round(check_number("step", window / 2 if step is None else step, 0) * rate))
    reach = round(check_number("max_lag", max_lag, 0, unit="s") * rate)
    each = max(1, round(check_number("lag_step", 0 if lag_step is None else lag_step, 0) * rate))
    n = x.shape[-1]
    if n < width + reach:
        raise FexError(
            f"The courses have {n / rate:g} s, less than a window of {width / rate:g} s and the "
            f"longest lag of {reach / rate:g} s."
        )
    positive = np.arange(0, reach + 1, each)
    lags = np.concatenate([-positive[:0:-1], positive])
    starts = np.arange(0, n - width - reach + 1, hop)
    x, y = _centred(x), _centred(y)
    complete = not (np.isnan(x).any() or np.isnan(y).any())
    r = np.empty((*np.broadcast_shapes(x.shape[:-1], y.shape[:-1]), len(starts), len(lags)))
    of_x, of_y = _Moments(x), _Moments(y)
    for k, lag in enumerate(lags):
        (early, own), (late, other) = ((x, of_x), (y, of_y))[:: 1 if lag >= 0 else -1]
        first, second = early[..., : n - abs(lag)], late[..., abs(lag) :]
        if complete:  # sums of each course are the same for all lags
            sums = own.windows(starts, width), other.windows(starts + abs(lag), width)
            r[..., k] = _ratio(_windows(first * second, starts, width), *sums, width, width)
        else:
            r[..., k] = _of_known(first, second, starts, width)
    return WindowedCorrelation(r, start + (starts + (width - 1) / 2) / rate, lags / rate)


def _centred(x: Floats) -> Floats:
    """Take the mean off, so that sums of squares keep their digits."""
    there = ~np.isnan(x)
    n = np.maximum(there.sum(-1, keepdims=True), 1)
    return np.asarray(x - np.where(there, x, 0.0).sum(-1, keepdims=True) / n, dtype=np.float64)


class _Moments:
    """Running sums of courses and of their squares."""

    def __init__(self, x: Floats) -> None:
        squares = x * x
        self.sums = _running(x), _running(squares)
        self.noise = 1e-12 * squares.sum(-1)[..., None]

    def windows(self, starts: Positions, width: int) -> _Sums:
        plain, squares = (s[..., starts + width] - s[..., starts] for s in self.sums)
        return plain, squares, self.noise


def _running(x: Floats) -> Floats:
    running = np.zeros((*x.shape[:-1], x.shape[-1] + 1))
    np.cumsum(x, axis=-1, out=running[..., 1:])
    return running


def _windows(x: Floats, starts: Positions, width: int) -> Floats:
    running = _running(x)
    return np.asarray(running[..., starts + width] - running[..., starts], dtype=np.float64)


def _of_known(x: Floats, y: Floats, starts: Positions, width: int) -> Floats:
    """Correlations over the points where both are there."""
    both = ~(np.isnan(x) | np.isnan(y))
    x, y = np.where(both, x, 0.0), np.where(both, y, 0.0)
    n = _windows(both.astype(np.float64), starts, width)
    sums = _Moments(x).windows(starts, width), _Moments(y).windows(starts, width)
    return _ratio(_windows(x * y, starts, width), *sums, n, width)


def _ratio(products: Floats, of_x: _Sums, of_y: _Sums, n: Floats | int, width: int) -> Floats:
    """Give r from sums over windows; NaN where a window stands still or is half empty."""
    (sx, sxx, noise_x), (sy, syy, noise_y) = of_x, of_y
    with np.errstate(invalid="ignore", divide="ignore"):
        vx, vy = sxx - sx * sx / n, syy - sy * sy / n
        r = (products - sx * sy / n) / np.sqrt(vx * vy)
    # what the sums leave of a window that stands still is the rounding of the whole course
    still = (vx <= noise_x) | (vy <= noise_y)
    r = np.where(still | (np.asarray(n) < max(3.0, _FULL * width)), np.nan, r)
    return np.asarray(np.clip(r, -1.0, 1.0), dtype=np.float64)


def _mean_z(r: Floats, axis: int) -> Floats:
    there = ~np.isnan(r)
    z: Floats = np.where(there, np.arctanh(np.clip(np.nan_to_num(r), -1 + 1e-9, 1 - 1e-9)), 0.0)
    n = there.sum(axis)
    mean: Floats = np.divide(z.sum(axis), n, out=np.full(n.shape, np.nan), where=n > 0)
    return mean
