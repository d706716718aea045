"""Action unit events and what action units do on the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from facemt_analysis.checks import check_number, pick_columns
from facemt_analysis.measures.event_counts import rates_of
from facemt_analysis.measures.event_detection import detect_events
from facemt_analysis.measures.events import Threshold, event_rules, find_events
from facemt_analysis.measures.grouping import group_rows, tidy

__all__ = ["AU_ON", "au_events", "au_summary", "au_thresholds"]

AU_ON = 0.5
"""Score from which an action unit is said to be on, unless told otherwise."""


def au_thresholds(columns: Sequence[str], on: Threshold) -> Threshold:
    """Complete the thresholds of some action units by :data:`AU_ON` for the others."""
    return {**dict.fromkeys(columns, AU_ON), **on} if isinstance(on, Mapping) else on


def au_events(
    frame: pd.DataFrame,
    aus: str | Iterable[str] | None = None,
    *,
    on: Threshold = AU_ON,
    off: Threshold | None = None,
    min_duration: float = 0.1,
    max_gap: float = 0.1,
    smooth: float | None = None,
    labels: str | Sequence[str] = (),
) -> pd.DataFrame:
    """Find action unit events.

    Parameters
    ----------
    frame
        Rows in any order, with ``time`` and action units.
    aus
        Which ones; default all.
    on
        Score at which an event begins; a number, or ``{"AU12": 0.4}`` for some (0.5 for the
        others).
    off, min_duration, max_gap, smooth, labels
        See :func:`find_events`.

    Returns
    -------
    DataFrame
        One row per event; see :func:`find_events`, which does the same for any other columns
        (intensities ``AU12_r``, blendshapes).

    Raises
    ------
    FexError
        If there are no action units, one is unknown, or time is missing or goes backwards.
    OptionError
        If a threshold or duration cannot be.

    Notes
    -----
    Scores say how surely an action unit is there, not how strong it is (Girard et al., 2015): a
    ``peak`` is no intensity, and ``rise_speed`` no speed of a muscle.

    References
    ----------
    Girard, J. M., Cohn, J. F., & De la Torre, F. (2015). Estimating smile intensity: A better way.
        Pattern Recognit. Lett., 66, 13-21. https://doi.org/10.1016/j.patrec.2014.10.004

    Examples
    --------
    >>> time = np.arange(100) / 10
    >>> smile = np.exp(-0.5 * (time - 5) ** 2)
    >>> table = pd.DataFrame({"time": time, "AU06": 0.4 * smile, "AU12": smile})
    >>> au_events(table)[["feature", "onset", "apex", "offset"]]
      feature  onset  apex  offset
    0    AU12    3.9   5.0     6.4
    """
    names = pick_columns(frame, aus, group="aus", name="aus")
    return find_events(
        frame,
        names,
        on=au_thresholds(names, on),
        off=off,
        min_duration=min_duration,
        max_gap=max_gap,
        smooth=smooth,
        labels=labels,
    )


def au_summary(
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    *,
    aus: str | Iterable[str] | None = None,
    on: Threshold = AU_ON,
    off: Threshold | None = None,
    min_duration: float = 0.1,
    max_gap: float = 0.1,
    quantiles: Sequence[float] = (0.5, 0.95),
) -> pd.DataFrame:
    """Summarise action units: level, spread, share of the time on, events.

    Parameters
    ----------
    frame
        Rows in any order, with action units. Without ``time`` (photographs) there are no events.
    by
        See :mod:`facemt_analysis.measures.grouping`.
    aus
        Which ones; default all.
    on, off, min_duration, max_gap
        See :func:`au_events`.
    quantiles
        Which ones to give, each 0 to 1.

    Returns
    -------
    DataFrame
        One row per group and action unit: what the group is, ``feature``, ``mean``, ``sd`` (ddof
        0), ``min``, ``max``, a column for each quantile (``q50``, ``q95``), ``share_on`` (of the
        valid time with a score of at least `on`), the columns of :func:`event_rates` (``n_events``,
        ``n_truncated``, ``rate`` per minute, ``mean_duration`` s, ``total_duration`` s,
        ``mean_peak``, ``share`` of the valid time within events), ``n_frames``, ``n_valid``,
        ``seconds``.

    Raises
    ------
    FexError
        If there are no action units, one is unknown, or time goes backwards.
    OptionError
        If a threshold, duration or quantile cannot be.

    Examples
    --------
    >>> table = pd.DataFrame({"time": np.arange(100) / 10, "AU12": np.repeat([0.1, 0.8], 50)})
    >>> au_summary(table)[["mean", "sd", "share_on", "rate"]].round(2).to_dict("records")
    [{'mean': 0.45, 'sd': 0.35, 'share_on': 0.5, 'rate': 6.0}]
    """
    names = pick_columns(frame, aus, group="aus", name="aus")
    rules = event_rules(names, au_thresholds(names, on), off, min_duration, max_gap)
    asked = {f"q{100 * check_number('quantiles', q, 0.0, 1.0):g}": float(q) for q in quantiles}
    rows = group_rows(frame, by)
    columns = []
    for name, values, events in detect_events(frame, rows.parts, rules):
        valid = ~np.isnan(values)
        columns.append(
            {
                "mean": rows.mean(values),
                "sd": rows.sd(values),
                "min": rows.minimum(values),
                "max": rows.maximum(values),
                **dict(zip(asked, rows.quantiles(values, list(asked.values())).T, strict=True)),
                "share_on": rows.mean(np.where(valid, values >= rules[name].on, np.nan)),
                **rates_of(rows, values, events),
            }
        )
    return tidy(rows.table(), names, columns)
