"""How valence and arousal change: level, spread, path, instability, inertia."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.checks import check_number, pick_columns
from facemt_analysis.errors import OptionError
from facemt_analysis.measures.affect import QUADRANTS, VA, quadrant_codes
from facemt_analysis.measures.grouping import Grouping, complete, divided, group_rows

__all__ = ["affect_summary"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Positions = NDArray[np.intp]


def affect_summary(
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    *,
    neutral: float = 0.1,
    lag: float | None = None,
) -> pd.DataFrame:
    r"""Summarise valence and arousal.

    Parameters
    ----------
    frame
        Rows in any order, with ``valence`` and ``arousal``.
    by
        See :mod:`facemt_analysis.measures.grouping`.
    neutral
        Radius of the disc around the origin that is no quadrant; 0: none.
    lag
        Seconds between the two values of which instability and inertia speak. Default: from each
        frame to the next.

    Returns
    -------
    DataFrame
        One row per group: what the group is; for each of ``valence`` and ``arousal``, as
        ``valence_mean`` …: ``mean``, ``sd`` (ddof 0), ``min``, ``max``, ``range``, ``mssd``,
        ``rmssd``, ``inertia``, ``decay_time`` (s); then ``distance_mean`` (from the origin),
        ``path_length``, ``path_per_minute`` (of the time in which the path is seen), the shares of
        the valid time ``share_pleasant_active``, ``share_unpleasant_active``,
        ``share_unpleasant_calm``, ``share_pleasant_calm``, ``share_neutral`` (sum 1), ``n_frames``,
        ``n_valid`` (both have a value), ``n_pairs`` (at the lag), ``seconds``.

    Raises
    ------
    FexError
        If valence or arousal is missing, or time goes backwards, or is missing though there is a
        `lag`.
    OptionError
        If the lag is shorter than half a frame interval, or the radius cannot be.

    Notes
    -----
    All differences are taken within a track, between rows that are valid from one to the other and
    without a gap in time.

    - **Path length** :math:`\sum_i \lVert x_i - x_{i-1} \rVert`. Every frame adds its noise: it
      grows with the frame rate. Smooth and resample before comparing recordings.
    - **MSSD** :math:`\overline{(x_i - x_{i-1})^2}` (von Neumann et al., 1941); RMSSD is its square
      root. Where intervals are uneven, each square is multiplied by (usual interval / interval), as
      Jahng et al. (2008) do with λ = ½.
    - **Inertia**: slope of :math:`x_i` on :math:`x_{i-1}` by least squares (AR(1)), each segment
      with an intercept of its own, so that differences of level between recordings do not count as
      inertia. Noise of measurement lowers it, short segments bias it down by about
      (1 + 3·inertia) / pairs. At a lag of one frame it is near 1 for any slow signal: choose a
      `lag` of a second or so, the same for all.
    - **Decay time** −lag / ln(inertia): the time in which a deviation falls to 1/e, whatever the
      frame rate; NaN unless inertia is between 0 and 1.

    References
    ----------
    Jahng, S., Wood, P. K., & Trull, T. J. (2008). Analysis of affective instability in ecological
        momentary assessment. Psychol. Methods, 13(4), 354-375. https://doi.org/10.1037/a0014173
    Koval, P., Burnett, P. T., & Zheng, Y. (2021). Emotional inertia: On the conservation of
        emotional momentum. In Affect Dynamics (63-94).
        https://doi.org/10.1007/978-3-030-82965-0_4
    Kuppens, P., & Verduyn, P. (2017). Emotion dynamics. Curr. Opin. Psychol., 17, 22-26.
        https://doi.org/10.1016/j.copsyc.2017.06.004
    von Neumann, J., Kent, R. H., Bellinson, H. R., & Hart, B. I. (1941). The mean square successive
        difference. Ann. Math. Stat., 12(2), 153-162.

    Examples
    --------
    >>> table = pd.DataFrame({"time": [0, 0.1, 0.2], "valence": [0, 0.3, 0.3],
    ...                       "arousal": [0.0, 0.4, 0.4]})
    >>> affect_summary(table)[["valence_mean", "valence_mssd", "path_length"]].round(3).iloc[0]
    valence_mean    0.200
    valence_mssd    0.045
    path_length     0.500
    Name: 0, dtype: float64
    """
    pick_columns(frame, VA, group="va")
    rows = group_rows(frame, by, need_time=lag is not None)
    values = rows.parts.values(frame, VA)
    valid = complete(values)
    values[~valid] = np.nan
    follows = rows.pairs(valid)
    pairs = _Pairs.of(rows, follows, lag)
    codes = quadrant_codes(values, neutral)

    out = rows.table()
    mean, sd = rows.mean(values), rows.sd(values)
    low, high = rows.minimum(values), rows.maximum(values)
    for i, name in enumerate(VA):
        out[f"{name}_mean"], out[f"{name}_sd"] = mean[:, i], sd[:, i]
        out[f"{name}_min"], out[f"{name}_max"] = low[:, i], high[:, i]
        out[f"{name}_range"] = high[:, i] - low[:, i]
        mssd = pairs.mssd(values[:, i])
        inertia = pairs.inertia(values[:, i])
        out[f"{name}_mssd"], out[f"{name}_rmssd"] = mssd, np.sqrt(mssd)
        out[f"{name}_inertia"] = inertia
        out[f"{name}_decay_time"] = pairs.decay_time(inertia)
    out["distance_mean"] = rows.mean(np.hypot(values[:, 0], values[:, 1]))
    steps = np.where(follows, np.hypot(*np.diff(values, axis=0, prepend=np.nan).T), 0.0)
    out["path_length"] = np.where(rows.count(follows) > 0, rows.total(steps), np.nan)
    seen = rows.total(np.where(follows, rows.parts.since, np.nan))
    out["path_per_minute"] = divided(60.0 * rows.total(steps), seen)
    for i, name in enumerate(QUADRANTS):
        out[f"share_{name}"] = rows.mean(np.where(valid, codes == i, np.nan))
    out["n_frames"], out["n_valid"] = rows.n_frames, rows.count(valid)
    out["n_pairs"], out["seconds"] = pairs.count, rows.seconds(valid)
    return out


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Rows that lie one lag apart in an unbroken stretch of valid rows.

    ``wanted`` is the lag asked for, ``dt`` what lies between; NaN without time.
    """

    rows: Grouping
    earlier: Positions
    later: Positions
    wanted: Floats
    dt: Floats

    @classmethod
    def of(cls, rows: Grouping, follows: Bools, lag: float | None) -> _Pairs:
        parts = rows.parts
        step = np.repeat(parts.step, parts.lengths)
        if lag is None:
            later = np.flatnonzero(follows).astype(np.intp)
            earlier = later - 1
            wanted = step[earlier]
        else:
            seconds = check_number("lag", lag, 0.0, open_low=True, unit="s")
            if (np.isfinite(parts.step) & (seconds < 0.5 * parts.step)).any():
                raise OptionError(
                    f"`lag` must be at least half a frame interval ({parts.step.max() / 2:.3g} s), "
                    f"but got {seconds:g} s."
                )
            # the row that is nearest to one lag later
            track = parts.segment
            shift = np.rint(seconds / np.where(np.isnan(step), np.inf, step)).astype(np.intp)
            earlier = np.arange(len(track), dtype=np.intp)
            later = earlier + shift
            inside = (later < len(track)) & (later > earlier)
            earlier, later = earlier[inside], later[inside]
            run = np.cumsum(~follows)  # rows that follow one another without a break
            near = np.abs(parts.time[later] - parts.time[earlier] - seconds) <= 0.5 * step[earlier]
            keep = (run[later] == run[earlier]) & near
            earlier, later = earlier[keep], later[keep]
            wanted = np.full(len(earlier), seconds)
        return cls(rows, earlier, later, wanted, parts.time[later] - parts.time[earlier])

    @property
    def count(self) -> NDArray[np.int64]:
        return np.bincount(self._group, minlength=len(self.rows)).astype(np.int64)

    @property
    def _group(self) -> Positions:
        return self.rows.parts.row_group[self.earlier]

    def _sum(self, values: Floats) -> Floats:
        return np.bincount(self._group, values, len(self.rows)).astype(np.float64)

    def mssd(self, values: Floats) -> Floats:
        """Mean square of the differences, each brought to the lag wanted."""
        squares = (values[self.later] - values[self.earlier]) ** 2
        if self.rows.timed:
            squares = squares * self.wanted / self.dt
        return divided(self._sum(squares), self.count)

    def inertia(self, values: Floats) -> Floats:
        """Slope of later on earlier values, an intercept for each segment."""
        segment = self.rows.parts.segment[self.earlier]
        n = np.bincount(segment, minlength=len(self.rows.parts))

        def centred(of: Positions) -> Floats:
            sums = np.bincount(segment, weights=values[of], minlength=len(n))
            return np.asarray(values[of] - divided(sums, n)[segment], dtype=np.float64)

        before, after = centred(self.earlier), centred(self.later)
        spread = self._sum(before * before)
        constant = spread <= 1e-20 * np.maximum(self.count, 1)  # nothing but rounding
        return divided(self._sum(before * after), np.where(constant, 0.0, spread))

    def decay_time(self, inertia: Floats) -> Floats:
        """Time in which a deviation falls to 1/e, s."""
        lag = divided(self._sum(self.dt), self.count) if self.rows.timed else np.nan
        with np.errstate(divide="ignore", invalid="ignore"):
            tau = -lag / np.log(inertia)
        return np.where((inertia > 0) & (inertia < 1), tau, np.nan)
