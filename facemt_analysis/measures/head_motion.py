"""How the head moves: speed, energy per axis, nods and shakes, stillness."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.checks import check_number
from facemt_analysis.errors import OptionError
from facemt_analysis.measures.grouping import Grouping, complete, divided, group_rows
from facemt_analysis.measures.rotations import (
    angles_to_matrices,
    finite_rows,
    geodesic_angles,
    head_angle_names,
    step_rotations,
)
from facemt_analysis.signal.runs import find_runs

__all__ = ["head_velocity", "pose_motion"]

Floats = npt.NDArray[np.float64]

_AXES = ("pitch", "yaw", "roll")
_PLACE = ("X", "Y", "Z")


def head_velocity(frame: pd.DataFrame, *, convention: str = "rodrigues") -> pd.DataFrame:
    """Angular velocity of the head about its own axes, deg/s.

    Parameters
    ----------
    frame
        Table with ``Pitch Yaw Roll`` (rad) and ``time`` (s).
    convention
        What the angles are, as for :func:`rotation_matrices`.

    Returns
    -------
    DataFrame
        With the index of `frame`: ``pitch yaw roll`` (+ up, to the subject's right) and ``speed``,
        the angle turned by since the row before over the time since then. NaN in the first row of a
        recording and track, after a gap, and beside rows without a face.

    Raises
    ------
    FexError
        If an angle or the time is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"time": [0.0, 0.5], "Pitch": 0.0, "Yaw": [0.0, 0.1], "Roll": 0.0})
    >>> head_velocity(table)["speed"].round(2).tolist()
    [nan, 11.46]
    """
    rows = group_rows(frame, need_time=True)
    out = np.full((len(frame), 4), np.nan)
    turned = np.degrees(_steps(rows, frame, convention))
    with np.errstate(invalid="ignore"):
        velocity = turned / rows.parts.since[:, None]
    out[rows.parts.order] = np.column_stack([velocity, np.linalg.norm(velocity, axis=1)])
    return pd.DataFrame(out, index=frame.index, columns=[*_AXES, "speed"])


def pose_motion(
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    *,
    still: float = 5.0,
    band: tuple[float, float] = (1.0, 4.0),
    window: float = 2.0,
    convention: str = "rodrigues",
) -> pd.DataFrame:
    r"""Summarise how the head moves, from rotations between neighbouring frames.

    Parameters
    ----------
    frame
        Table with ``Pitch Yaw Roll`` (rad) and ``time`` (s); ``X Y Z`` if it has them.
    by
        Columns to group by; None: each track of each recording.
    still
        Speed below which the head counts as still, deg/s.
    band
        Frequencies of nods and shakes, Hz.
    window
        Length of the windows whose spectra are averaged, s; it sets the resolution, 1 / `window`.
        Only stretches at least that long without a gap or a missing face count.
    convention
        What the angles are, as for :func:`rotation_matrices`.

    Returns
    -------
    DataFrame
        One row per group: its keys, ``n_frames``, ``n_valid`` (rows with a pose), ``seconds`` (for
        which steps between frames are known) and

        ========================  ================================================================
        ``rotation_total``        deg: angles from frame to frame, added up
        ``speed_mean``            deg/s: ``rotation_total`` / ``seconds``
        ``speed_rms speed_peak``  deg/s: root of the mean square over time; fastest step
        ``energy_pitch _yaw``     (deg/s)²: mean square of the velocity about each of the head's
        ``energy_roll``           own axes; they add up to the square of ``speed_rms``
        ``still_share``           of ``seconds`` slower than `still`
        ``range_pitch _yaw``      deg: greatest − least angle of the table
        ``range_roll``
        ``dispersion``            deg: root mean square angle to the mean orientation
        ``nod_power``             (deg/s)²: part of the velocity's variance in pitch (nods) and yaw
        ``shake_power``           (shakes) in the `band`
        ``spectrum_seconds``      s of the stretches these come from
        ``translation_total``     path of (X, Y, Z), in their unit: a network's own, mm of OpenFace
        ``translation_speed``     per s; NaN without X Y Z
        ========================  ================================================================

        NaN where there is nothing to measure: a single frame has a range of 0, but no speed.

    Raises
    ------
    FexError
        If an angle or the time is missing, or a column to group by.
    OptionError
        If an option is out of its range.

    Notes
    -----
    The step is :math:`\omega_i = \log(R_{i-1}^\top R_i)`, its length the geodesic angle: angles of
    Euler or rotation vectors are never subtracted, so that nothing jumps at their poles, and a nod
    of a turned head is a nod. Steps over gaps, missing faces and between people do not count.

    Noise of the pose makes speeds too large: independent errors of SD s about each of three axes at
    rate f give a still head a ``speed_rms`` of √6·s·f, at 30 Hz and 0.2° about 15 deg/s. Smooth
    first (``fex.signal.smooth``), and compare only recordings of the same rate and weights.

    ``nod_power`` is the area under Welch's density (Hann windows that overlap by half, mean taken
    away) within the band; an oscillation of amplitude a (deg) and frequency f adds (2π f a)²/2, a
    little less at low rates: differences between frames damp by sinc²(f / rate). It is NaN if the
    band reaches over half the rate. Uneven stretches are put on a grid of their median step by
    linear interpolation first. The default band is a choice: yes and no are cyclic movements of a
    few Hz (Hadar et al.), slower ones are turns and postures.

    References
    ----------
    Hadar, U., Steiner, T. J., Grant, E. C. & Rose, F. C. (1983). Kinematics of head movements
        accompanying speech during conversation. Hum. Mov. Sci., 2(1-2), 35-46.
        https://doi.org/10.1016/0167-9457(83)90004-0
    Hadar, U., Steiner, T. J. & Rose, F. C. (1985). Head movement during listening turns in
        conversation. J. Nonverbal Behav., 9(4), 214-228. https://doi.org/10.1007/BF00986881
    Welch, P. D. (1967). The use of fast Fourier transform for the estimation of power spectra.
        IEEE Trans. Audio Electroacoust., 15(2), 70-73. https://doi.org/10.1109/TAU.1967.1161901

    Examples
    --------
    >>> time = np.arange(61) / 30
    >>> table = pd.DataFrame({"time": time, "Pitch": 0.0, "Yaw": 0.1 * time, "Roll": 0.0})
    >>> motion = pose_motion(table).iloc[0]
    >>> motion[["rotation_total", "speed_mean", "still_share"]].round(3).tolist()
    [11.459, 5.73, 0.0]
    """
    still = check_number("still", still, 0.0, unit="deg/s")
    window = check_number("window", window, 0.0, open_low=True, unit="s")
    low, high = _band(band)
    rows = group_rows(frame, by, need_time=True)
    angles = rows.parts.values(frame, head_angle_names(frame))
    turned = np.degrees(_steps(rows, frame, convention))
    angle = np.linalg.norm(turned, axis=1)
    dt = np.where(np.isnan(angle), np.nan, rows.parts.since)
    seconds = rows.total(dt)
    with np.errstate(invalid="ignore", divide="ignore"):
        known = np.where(seconds > 0, seconds, np.nan)
        energy = rows.total(turned**2 / dt[:, None]) / known[:, None]
        speed = angle / dt
        still_share = rows.total(np.where(speed < still, dt, 0.0)) / known
    total = np.where(seconds > 0, rows.total(angle), np.nan)
    spans = np.degrees(rows.maximum(angles) - rows.minimum(angles))
    power, spectrum_seconds = _band_power(rows, turned / dt[:, None], low, high, window)
    path = _path(rows, frame)
    path_seconds = rows.total(np.where(np.isnan(path), np.nan, rows.parts.since))
    way = np.where(path_seconds > 0, rows.total(path), np.nan)
    valid = complete(angles)
    return rows.table(
        n_frames=rows.n_frames,
        n_valid=rows.count(valid),
        seconds=seconds,
        rotation_total=total,
        speed_mean=total / known,
        speed_rms=np.sqrt(energy.sum(axis=1)),
        speed_peak=rows.maximum(speed),
        **{f"energy_{name}": energy[:, i] for i, name in enumerate(_AXES)},
        still_share=still_share,
        **{f"range_{name}": spans[:, i] for i, name in enumerate(_AXES)},
        dispersion=np.degrees(_dispersion(rows, angles, convention)),
        nod_power=power[:, 0],
        shake_power=power[:, 1],
        spectrum_seconds=spectrum_seconds,
        translation_total=way,
        translation_speed=divided(way, path_seconds),
    )


def _band(band: object) -> tuple[float, float]:
    if not isinstance(band, Sequence) or len(band) != 2:
        raise OptionError(f"`band` must be two frequencies in Hz, but got {band!r:.60}.")
    low = check_number("band", band[0], 0.0, unit="Hz")
    return low, check_number("band", band[1], low, open_low=True, unit="Hz")


def _steps(rows: Grouping, frame: pd.DataFrame, convention: str) -> Floats:
    """Rotation vectors (n, 3) from the row before, rad; NaN over borders, gaps, missing faces."""
    angles = rows.parts.values(frame, head_angle_names(frame))
    steps = step_rotations(angles, convention=convention)
    steps[rows.parts.breaks] = np.nan
    return steps


def _dispersion(rows: Grouping, angles: Floats, convention: str) -> Floats:
    """Root mean square angle to the mean orientation (the chordal one), rad, per group."""
    matrices = angles_to_matrices(angles, convention=convention)
    mean = rows.mean(matrices)
    known = finite_rows(mean)
    u, _, vt = np.linalg.svd(np.where(known[:, None, None], mean, np.eye(3)))
    u[:, :, 2] *= np.linalg.det(u @ vt)[:, None]
    middle = np.where(known[:, None, None], u @ vt, np.nan)
    apart = geodesic_angles(matrices, middle[rows.parts.row_group])
    return np.sqrt(rows.mean(apart**2))


def _band_power(
    rows: Grouping, velocity: Floats, low: float, high: float, window: float
) -> tuple[Floats, Floats]:
    """Power of pitch and yaw velocity in the band, (g, 2), and the seconds it comes from, (g,)."""
    from scipy.signal import welch

    parts = rows.parts
    power = np.zeros((len(rows), 2))
    seconds = np.zeros(len(rows))
    moves = complete(velocity)
    # a run of steps begins behind a row that has none: all rows of it are neighbours in time
    runs = find_runs(moves, parts.breaks)
    for start, stop in zip(runs.start.tolist(), runs.stop.tolist(), strict=True):
        time = parts.time[start:stop] - parts.since[start:stop] / 2  # middles of the steps
        step = float(np.median(parts.since[start:stop]))
        length = (stop - start) * step
        samples = round(window / step)
        if length < window * (1 - 1e-9) or high > 0.5 / step or samples < 2:
            continue
        even = np.linspace(time[0], time[-1], stop - start)
        step = float(even[1] - even[0])
        values = np.stack([np.interp(even, time, velocity[start:stop, i]) for i in (0, 1)])
        hertz, density = welch(values, fs=1 / step, nperseg=min(samples, stop - start))
        inside = (hertz >= low - 1e-9) & (hertz <= high + 1e-9)
        group = parts.row_group[start]
        power[group] += length * density[:, inside].sum(axis=1) * (hertz[1] - hertz[0])
        seconds[group] += length
    return power / np.where(seconds > 0, seconds, np.nan)[:, None], seconds


def _path(rows: Grouping, frame: pd.DataFrame) -> Floats:
    """Distance from the row before, (n,), NaN where unknown."""
    if not set(_PLACE) <= set(frame.columns):
        return np.full(len(rows.parts.order), np.nan)
    place = rows.parts.values(frame, _PLACE)
    away = np.linalg.norm(np.diff(place, axis=0, prepend=np.nan), axis=1)
    away[rows.parts.breaks] = np.nan
    return np.asarray(away)
