"""How often, how long and for which share of the time events of a feature happen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.checks import pick_columns
from facemt_analysis.measures.event_detection import Events, detect_events
from facemt_analysis.measures.events import Threshold, event_rules
from facemt_analysis.measures.grouping import Grouping, divided, group_rows, tidy

__all__ = ["event_rates", "rates_of"]

Floats = NDArray[np.float64]


def event_rates(
    frame: pd.DataFrame,
    columns: str | Iterable[str] | None = None,
    *,
    by: str | Sequence[str] | None = None,
    on: Threshold = 0.5,
    off: Threshold | None = None,
    min_duration: float = 0.1,
    max_gap: float = 0.1,
) -> pd.DataFrame:
    """Count the events of features in each group.

    Parameters
    ----------
    frame
        Rows in any order, with ``time``.
    columns
        Features; default all action units.
    by
        See :mod:`facemt_analysis.measures.grouping`. Labels cut events: one that goes on over the
        border of two trials is one in each.
    on, off, min_duration, max_gap
        See :func:`facemt_analysis.measures.find_events`.

    Returns
    -------
    DataFrame
        One row per group and feature: what the group is, ``feature``, ``n_events``,
        ``n_truncated`` (how many of them touch an end or a gap), ``rate`` (events per minute of
        valid time), ``mean_duration`` (s, truncated events as long as they were seen),
        ``total_duration`` (s), ``mean_peak``, ``share`` (of the valid time that lies within
        events), ``n_frames``, ``n_valid``, ``seconds``.

    Raises
    ------
    FexError
        If a column is not there, or time is missing or goes backwards.
    OptionError
        If a threshold or duration cannot be.

    Examples
    --------
    >>> time = np.arange(300) / 10
    >>> table = pd.DataFrame({"time": time, "AU12": time % 10 < 2})
    >>> event_rates(table.astype(float), "AU12").round(3).to_dict("records")
    [{'feature': 'AU12', 'n_events': 3, 'n_truncated': 1, 'rate': 6.0, 'mean_duration': 2.0,
      'total_duration': 6.0, 'mean_peak': 1.0, 'share': 0.2,
      'n_frames': 300, 'n_valid': 300, 'seconds': 30.0}]
    """
    names = pick_columns(frame, columns, group="aus" if columns is None else None)
    rules = event_rules(names, on, off, min_duration, max_gap)
    rows = group_rows(frame, by, need_time=True)
    return tidy(
        rows.table(),
        names,
        [
            rates_of(rows, values, events)
            for _, values, events in detect_events(frame, rows.parts, rules)
        ],
    )


def rates_of(rows: Grouping, values: Floats, events: Events) -> dict[str, NDArray[Any]]:
    """Count the events of one feature per group; the columns of :func:`event_rates`, each (g,).

    Without time there are no events, and all that is said of them is NaN.
    """
    groups = rows.parts.group[events.segment]
    valid = ~np.isnan(values)
    n = np.bincount(groups, minlength=len(rows))
    total = np.bincount(groups, weights=events.duration, minlength=len(rows))
    peaks = np.bincount(groups, weights=events.peak, minlength=len(rows))
    edges = np.zeros(len(values) + 1)
    np.add.at(edges, events.start, 1)
    np.add.at(edges, events.last + 1, -1)
    seconds = rows.seconds(valid)
    of_events = {
        "n_events": n,
        "n_truncated": np.bincount(groups[events.truncated], minlength=len(rows)),
        "rate": divided(60.0 * n, seconds),
        "mean_duration": divided(total, n),
        "total_duration": total,
        "mean_peak": divided(peaks, n),
        "share": rows.mean(np.where(valid, np.cumsum(edges[:-1]), np.nan)),
    }
    if not rows.timed:
        of_events = dict.fromkeys(of_events, np.full(len(rows), np.nan))
    return {
        **of_events,
        "n_frames": rows.n_frames,
        "n_valid": rows.count(valid),
        "seconds": seconds,
    }
