"""When a face seems to talk: the rhythm of its mouth."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.checks import check_number, near_names
from facemt_analysis.errors import FexError
from facemt_analysis.signal.runs import find_runs
from facemt_analysis.signal.segments import cut

__all__ = ["MOUTH_SIGNALS", "SPEECH_BAND", "talking"]

Floats = NDArray[np.float64]

MOUTH_SIGNALS = ("jawOpen", "AU26", "AU25")
"""Columns that tell how far the mouth is open, best first."""

SPEECH_BAND = (2.0, 7.0)
"""Frequencies in which the mouth opens and closes in speech, Hz (Chandrasekaran et al., 2009)."""

_LEAST_HZ = 2.2 * SPEECH_BAND[1]
"""Least frame rate: above twice the highest frequency, with room for the filter to fall off."""


def talking(
    frame: pd.DataFrame,
    signal: str | None = None,
    *,
    opening: float = 0.1,
    rate: float = 2.0,
    window: float = 2.0,
) -> pd.Series:
    """Tell in which rows a face seems to talk.

    Parameters
    ----------
    frame
        Rows in any order, with ``time``.
    signal
        Column that tells how far the mouth is open; None: the first of ``jawOpen``, ``AU26``,
        ``AU25`` that the table has.
    opening
        Least size of one opening of the mouth, from trough to peak of the filtered signal.
    rate
        Least number of openings per second.
    window
        Seconds over which openings are counted, around each row.

    Returns
    -------
    Series
        ``talking``, type ``boolean``, with the index of `frame`. Missing where it cannot be told:
        no face, no value, less than `window` seconds without a gap, or fewer than 15.4 frames per
        second.

    Raises
    ------
    FexError
        If the table has no such column, or no usable ``time``.
    OptionError
        If a number is not above 0.

    Notes
    -----
    The signal is filtered to 2–7 Hz, the band in which the area of the mouth is modulated in
    speech [1]_ (Butterworth of order 2, forwards and backwards), within stretches without a gap;
    openings are its peaks with a prominence of `opening`. This sees rhythm, not sound: chewing
    fast, laughing and singing look alike, and speech with hardly moving lips is missed. Check it
    against the sound before relying on it.

    References
    ----------
    .. [1] Chandrasekaran, C., Trubanova, A., Stillittano, S., Caplier, A., & Ghazanfar, A. A.
       (2009). The natural statistics of audiovisual speech. PLoS Computational Biology, 5(7),
       e1000436. https://doi.org/10.1371/journal.pcbi.1000436

    Examples
    --------
    >>> t = np.arange(300) / 30
    >>> mouth = np.where(t < 5, 0.1, 0.3 + 0.2 * np.sin(2 * np.pi * 4 * t))
    >>> found = talking(pd.DataFrame({"time": t, "jawOpen": mouth}))
    >>> found[t < 4].any().item(), found[t > 6].all().item()
    (False, True)
    """
    opening = check_number("opening", opening, 0.0, open_low=True)
    rate = check_number("rate", rate, 0.0, open_low=True, unit="per second")
    window = check_number("window", window, 0.0, open_low=True, unit="s")
    name = _mouth(frame, signal)
    parts = cut(frame)
    mouth = parts.values(frame, name)
    state = np.full(len(mouth), np.nan)
    runs = find_runs(~np.isnan(mouth), parts.breaks)
    filters: dict[float, Floats] = {}  # designing one takes longer than using it
    for start, stop in zip(runs.start, runs.stop, strict=True):
        time = parts.time[start:stop]
        if stop - start < 2 or time[-1] - time[0] < window:
            continue
        hz = round((stop - start - 1) / (time[-1] - time[0]), 3)
        if hz >= _LEAST_HZ:
            if hz not in filters:
                filters[hz] = _speech_filter(hz)
            rhythm = _filtered(mouth[start:stop], filters[hz])
            half = max(round(window * hz / 2), 1)
            state[start:stop] = _openings(rhythm, opening, half) >= rate * window
    values = np.zeros(len(frame), dtype=np.bool_)
    missing = np.ones(len(frame), dtype=np.bool_)
    values[parts.order] = state == 1
    missing[parts.order] = np.isnan(state)
    told = pd.arrays.BooleanArray(values, missing)
    return pd.Series(told, index=frame.index, name="talking")


def _mouth(frame: pd.DataFrame, signal: str | None) -> str:
    if signal is not None:
        if signal not in frame.columns:
            raise FexError(
                f"`signal`: there is no column {signal!r}.{near_names(signal, frame.columns)}"
            )
        return signal
    for name in MOUTH_SIGNALS:
        if name in frame.columns:
            return name
    raise FexError(
        f"To tell talking needs one of the columns {', '.join(MOUTH_SIGNALS)}, but the table has "
        "none; detect with the groups 'blendshapes' or 'aus', or name a column in `signal`."
    )


def _speech_filter(hz: float) -> Floats:
    from scipy.signal import butter

    return np.asarray(butter(2, SPEECH_BAND, btype="bandpass", fs=hz, output="sos"))


def _filtered(mouth: Floats, sos: Floats) -> Floats:
    from scipy.signal import sosfiltfilt

    return np.asarray(sosfiltfilt(sos, mouth))


def _openings(rhythm: Floats, opening: float, half: int) -> Floats:
    """Count the openings of the mouth from `half` rows before each to `half` rows behind."""
    from scipy.signal import find_peaks

    peaks, _ = find_peaks(rhythm, prominence=opening)
    n = len(rhythm)
    before = np.zeros(n + 1)
    before[peaks + 1] = 1
    before = np.cumsum(before)
    first = np.clip(np.arange(n) - half, 0, max(n - 2 * half, 0))  # a whole window at the ends
    return np.asarray(before[np.minimum(first + 2 * half, n)] - before[first])
