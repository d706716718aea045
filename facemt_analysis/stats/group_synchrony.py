"""Synchrony of groups: how much the phases of several people move together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facemt_analysis.checks import check_number, check_whole
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats.isc_engine import bridged, circular_shift

__all__ = ["GroupSynchrony", "group_synchrony"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GroupSynchrony:
    """Synchrony of the people of one group.

    Parameters
    ----------
    group
        Mean over time of `group_course`, 0–1 (Frank & Richardson's ρ).
    group_course
        Degree to which all keep their relation to the group at each time, shape (times,).
    individual
        How constant each person's phase is relative to the group, 0–1, shape (people,).
    relative_phase
        Mean phase of each relative to the group, rad, + = ahead, shape (people,).
    order
        Kuramoto's order parameter at each time: 1 = all in the same phase, shape (times,).
    null_distribution
        The observed `group`, then those of people shifted in time by random amounts.
    p
        Share of the null distribution that is at least as large as the observed value.
    """

    group: float
    group_course: Floats
    individual: Floats
    relative_phase: Floats
    order: Floats
    null_distribution: Floats
    p: float

    @property
    def mean_order(self) -> float:
        """Mean over time of Kuramoto's order parameter."""
        return float(self.order.mean())


def group_synchrony(
    data: ArrayLike,
    *,
    rate: float | None = None,
    band: tuple[float, float] | None = None,
    n_permutations: int = 1000,
    seed: int | None = 0,
) -> GroupSynchrony:
    r"""Measure the synchrony of two or more people by the phases of their courses.

    Parameters
    ----------
    data
        Courses at the same times, shape (people, times). Gaps are bridged by straight lines.
    rate
        Points per second; needed for `band`.
    band
        Frequencies (low, high; Hz) to keep before phases are taken: a phase means something only
        for a course that swings at one pace. None: the courses as they are, centred.
    n_permutations, seed
        Random shifts for the test; 0: no test.

    Returns
    -------
    GroupSynchrony

    Raises
    ------
    FexError
        If there are fewer than 2 people, or a course is constant or empty.
    OptionError
        If `band` does not fit the rate.

    Notes
    -----
    θ is the phase of the analytic signal (Hilbert transform). The cluster phase q is that of the
    mean of exp(iθ) over people, φ = θ − q the relative phase; individual synchrony is
    \|mean over time of exp(iφ)\|, group synchrony at a time \|mean over people of
    exp(i(φ − mean φ))\|. Kuramoto's order parameter is \|mean over people of exp(iθ)\|. The
    band-pass is a zero-phase Butterworth filter of order 2.

    References
    ----------
    Frank & Richardson (2010), https://doi.org/10.1016/j.physd.2010.03.014; Richardson et al.
    (2012), https://doi.org/10.3389/fphys.2012.00405.

    Examples
    --------
    >>> t = np.arange(400) / 20
    >>> waves = np.sin(2 * np.pi * 0.5 * t + np.array([[0.0], [0.3], [-0.3]]))
    >>> found = group_synchrony(waves, n_permutations=0)
    >>> round(found.group, 2), found.relative_phase.round(1).tolist()
    (1.0, [0.0, 0.3, -0.3])
    """
    courses = np.array(data, dtype=np.float64)
    if courses.ndim != 2 or len(courses) < 2 or courses.shape[1] < 8:
        raise FexError(
            "`data` must hold the courses of at least 2 people at 8 times or more, shape (people, "
            f"times), but got {courses.shape}."
        )
    if np.isnan(courses).all(axis=1).any():
        raise FexError("`data` has a course without any value.")
    courses = bridged(courses)
    if (np.ptp(courses, axis=1) == 0).any():
        raise FexError("`data` has a constant course, which has no phase.")
    phase = _phases(courses, rate, band)
    course, individual, mean_phase = _cluster_phase(phase)
    observed = float(course.mean())
    null = [observed]
    rng = np.random.default_rng(seed)
    for _ in range(check_whole("n_permutations", n_permutations)):
        # a shifted course has the shifted phase, but for its ends
        null.append(float(_cluster_phase(circular_shift(phase, 1, rng)[0])[0].mean()))
    p = float(np.mean(np.array(null) >= observed - 1e-12)) if n_permutations else float("nan")
    order = np.abs(np.exp(1j * phase).mean(axis=0))
    return GroupSynchrony(observed, course, individual, mean_phase, order, np.array(null), p)


def _phases(courses: Floats, rate: float | None, band: tuple[float, float] | None) -> Floats:
    from scipy import signal

    courses = courses - courses.mean(axis=1, keepdims=True)
    if band is not None:
        if rate is None:
            raise OptionError("`band` needs the `rate` (points per second).")
        half = check_number("rate", rate, 0, open_low=True) / 2
        low = check_number("band", band[0], 0, half, open_low=True, open_high=True, unit="Hz")
        high = check_number("band", band[1], low, half, open_low=True, open_high=True, unit="Hz")
        sections = signal.butter(2, [low / half, high / half], "bandpass", output="sos")
        courses = signal.sosfiltfilt(sections, courses, axis=1)
    return np.asarray(np.angle(signal.hilbert(courses, axis=1)), dtype=np.float64)


def _cluster_phase(phase: Floats) -> tuple[Floats, Floats, Floats]:
    """Group synchrony over time, individual synchrony and mean relative phase."""
    unit = np.exp(1j * phase)
    cluster = np.angle(unit.mean(axis=0))
    relative = unit * np.exp(-1j * cluster)
    mean = relative.mean(axis=1)
    mean_phase = np.angle(mean)
    course = np.abs((relative * np.exp(-1j * mean_phase)[:, None]).mean(axis=0))
    return course, np.abs(mean), mean_phase
