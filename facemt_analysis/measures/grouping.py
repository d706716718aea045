"""What ``by=`` means in every measure: groups of segments, and sums and means over them.

``by=None`` gives one row per recording and track, columns to group by give one row per combination
of their values. A group is the union of its segments (:func:`facemt_analysis.signal.cut`), and

- sums (counts, durations, path lengths) add up over its segments;
- means, SDs, shares and quantiles weigh each frame by the time it stands for
  (``Segments.lasts``), so that uneven sampling does not distort them;
- rates divide by the seconds in which the feature is valid;
- differences are taken within a segment, between neighbouring valid rows without a gap in time.

Where the table has no time, or it is missing in a row (photographs), every frame weighs the same
and ``seconds`` is NaN. A recording with one frame lasts an unknown time: it weighs nothing beside
others. Rows without a face (``track`` −1) belong to nobody and are left out, as are rows whose
label is missing. Every summary has its denominators beside it: ``n_frames`` (rows of the group),
``n_valid`` (those in which the feature is not NaN) and ``seconds`` (that these stand for).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.signal.segments import Segments, cut

__all__ = ["Grouping", "complete", "divided", "group_rows", "tidy"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Grouping:
    """Segments of a table with what is needed to sum over groups of them.

    Arrays that methods take have one row for each row of ``parts``, in its order, and any further
    dimensions; what they give has one row for each group. NaN values are left out.

    Parameters
    ----------
    parts
        The table, cut; rows of a group are neighbours.
    timed
        Whether every row has a time.
    """

    parts: Segments
    timed: bool

    def __len__(self) -> int:
        return len(self.parts.groups)

    @cached_property
    def bounds(self) -> NDArray[np.intp]:
        """Where each of the g groups begins, and n: shape (g + 1,)."""
        return np.searchsorted(self.parts.row_group, np.arange(len(self) + 1)).astype(np.intp)

    @cached_property
    def n_frames(self) -> Counts:
        """Rows of each group, shape (g,)."""
        return np.diff(self.bounds).astype(np.int64)

    @cached_property
    def weight(self) -> Floats:
        """How much each row counts in a mean, shape (n,): seconds, or 1 where there is no time."""
        if not self.timed:
            return np.ones(len(self.parts.order))
        lasts = np.nan_to_num(self.parts.lasts)
        unknown = self._reduce(np.add, lasts)[self.parts.row_group] == 0
        return np.where(unknown, 1.0, lasts)

    def count(self, holds: NDArray[Any]) -> Counts:
        """Rows for which something holds."""
        return np.asarray(self._reduce(np.add, holds.astype(np.int64)), dtype=np.int64)

    def total(self, values: Floats) -> Floats:
        """Sum."""
        return self._reduce(np.add, np.where(np.isnan(values), 0.0, values))

    def seconds(self, holds: NDArray[Any]) -> Floats:
        """Time for which something holds, s; NaN without time."""
        if not self.timed:
            return np.full((len(self), *holds.shape[1:]), np.nan)
        lasts = np.nan_to_num(self.parts.lasts)
        return self._reduce(np.add, holds * _beside(lasts, holds))

    def mean(self, values: Floats) -> Floats:
        """Mean, each row weighing what it stands for; NaN where nothing is valid."""
        valid = ~np.isnan(values)
        weight = _beside(self.weight, values)
        return divided(self.total(values * weight), self._reduce(np.add, valid * weight))

    def sd(self, values: Floats) -> Floats:
        """Spread about the mean of the group: SD, weighted as the mean is (ddof 0)."""
        centred = values - self.mean(values)[self.parts.row_group]
        return np.sqrt(self.mean(centred * centred))

    def minimum(self, values: Floats) -> Floats:
        """Least value; NaN where nothing is valid."""
        return self._reduce(np.fmin, values)

    def maximum(self, values: Floats) -> Floats:
        """Greatest value; NaN where nothing is valid."""
        return self._reduce(np.fmax, values)

    def quantiles(self, values: Floats, q: Sequence[float]) -> Floats:
        """Quantiles of one column, shape (g, q): below which it is for the share `q` of the time.

        Interpolated between the middles of the times that the sorted values stand for (Hazen's
        definition, ``numpy.quantile(method="hazen")``, where all weigh the same).
        """
        out = np.full((len(self), len(q)), np.nan)
        for g, (start, stop) in enumerate(zip(self.bounds[:-1], self.bounds[1:], strict=True)):
            own, weight = values[start:stop], self.weight[start:stop]
            order = np.argsort(own)  # NaN last
            order = order[: np.count_nonzero(~np.isnan(own))]
            order = order[weight[order] > 0]
            if len(order):
                until = np.cumsum(weight[order])
                out[g] = np.interp(q, (until - weight[order] / 2) / until[-1], own[order])
        return out

    def pairs(self, valid: Bools) -> Bools:
        """Rows that are valid, as is the one before, with neither border nor gap between them."""
        follows = valid.copy()
        follows[1:] &= valid[:-1]
        follows[self.parts.breaks] = False
        return follows

    def table(self, **columns: NDArray[Any]) -> pd.DataFrame:
        """One row per group: what it is, then the columns given, each (g,)."""
        return self.parts.groups.assign(**columns)

    def _reduce(self, operation: np.ufunc, values: NDArray[Any]) -> NDArray[Any]:
        if len(values) and (self.n_frames > 0).all():
            return np.asarray(operation.reduceat(values, self.bounds[:-1], axis=0))
        empty = 0 if operation is np.add else np.nan  # only a table without rows has empty groups
        return np.full((len(self), *values.shape[1:]), empty, dtype=values.dtype)


def group_rows(
    frame: pd.DataFrame, by: str | Sequence[str] | None = None, *, need_time: bool = False
) -> Grouping:
    """Cut a table for a measure that takes ``by=``.

    Parameters
    ----------
    frame
        Rows in any order, with those of the keys that it has.
    by
        Columns whose values make groups; None: each track of each recording.
    need_time
        Whether the measure makes no sense without time.

    Raises
    ------
    FexError
        As :func:`facemt_analysis.signal.cut`.

    Examples
    --------
    >>> table = pd.DataFrame({"time": [0.0, 0.1, 0.2, 0.4], "AU12": [0.0, 0.0, 0.6, np.nan]})
    >>> rows = group_rows(table)
    >>> values = rows.parts.values(table, "AU12")
    >>> rows.mean(values).round(3).tolist(), rows.seconds(values > 0.5).tolist()
    ([0.2], [0.1])
    """
    timed = "time" in frame.columns and not _time_is_missing(frame)
    return Grouping(cut(frame, by, need_time=need_time or timed), timed)


def tidy(
    groups: pd.DataFrame,
    features: Sequence[str],
    columns: Sequence[Mapping[str, NDArray[Any]]],
) -> pd.DataFrame:
    """Make a table with one row per group and feature, features of a group together.

    Parameters
    ----------
    groups
        What the g groups are.
    features
        Names of the k features: the column ``feature``.
    columns
        For each feature the same names → values, shape (g,).
    """
    k = len(features)
    out = groups.iloc[np.repeat(np.arange(len(groups)), k)].reset_index(drop=True)
    out["feature"] = list(features) * len(groups)
    for name in columns[0]:
        out[name] = np.stack([one[name] for one in columns], axis=1).reshape(-1)
    return out


def complete(values: Floats) -> Bools:
    """Rows of (n, k) without a NaN, shape (n,)."""
    return np.asarray(~np.isnan(values).any(axis=1), dtype=np.bool_)


def divided(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    """Quotient; NaN where the denominator is not above 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, part / whole, np.nan)


def _time_is_missing(frame: pd.DataFrame) -> bool:
    missing = pd.isna(frame["time"]).to_numpy(np.bool_)
    if "track" in frame.columns:
        missing = missing & (frame["track"] >= 0).to_numpy(np.bool_, na_value=False)
    return bool(missing.any())


def _beside(weight: Floats, values: NDArray[Any]) -> Floats:
    return weight.reshape(-1, *(1,) * (values.ndim - 1))
