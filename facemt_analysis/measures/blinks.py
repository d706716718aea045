"""Blinks: when the eyes close for a moment, and how often."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.checks import check_labels, check_number
from facemt_analysis.measures.event_counts import rates_of
from facemt_analysis.measures.event_detection import EventRule, Events, detect_events
from facemt_analysis.measures.events import event_rules
from facemt_analysis.measures.eyelids import CLOSURE_ON, EyeClosure, eye_closure
from facemt_analysis.measures.grouping import Grouping, divided, group_rows

__all__ = ["BLINK_RATE", "blink_summary", "find_blinks"]

Floats = npt.NDArray[np.float64]

BLINK_RATE = 25.0
"""Frames per second below which blinks are marked: eyes close in 60 to 100 ms."""

_TINY = 1e-6  # s; sums of frame intervals are not exact


def find_blinks(
    frame: pd.DataFrame,
    *,
    source: str = "auto",
    on: float | None = None,
    off: float | None = None,
    min_duration: float = 0.03,
    max_duration: float | None = 0.5,
    max_gap: float = 0.05,
    labels: str | Sequence[str] = (),
) -> pd.DataFrame:
    """Find blinks.

    Parameters
    ----------
    frame
        Table with ``time`` and what the source needs.
    source
        As for :func:`eye_closure`: ``"blendshape"``, ``"ear"``, ``"AU45"``, ``"AU43"`` or
        ``"auto"``.
    on, off
        Closure at which a blink begins, and below which it ends; default: :data:`CLOSURE_ON` of the
        source, and four fifths of `on`.
    min_duration, max_duration
        Shorter events are noise, longer ones no blinks but closed eyes; s. None: no limit.
    max_gap
        Interruptions up to this long are bridged, s.
    labels
        Further columns to carry, as they are in the frame of the onset.

    Returns
    -------
    DataFrame
        One row per blink in the order of recording, track and onset: ``input``, ``track`` (of those
        that the table has), the `labels`, ``source`` and

        - ``onset``, ``apex``, ``offset``, ``duration`` (s), ``peak``, ``n_frames``, ``truncated``:
          as of :func:`find_events`;
        - ``peak_right``, ``peak_left``: greatest closure of each eye within the blink; NaN where
          the source does not tell them apart;
        - ``both_eyes``: whether both reach `off` (nullable: unknown for action units);
        - ``fps``, ``low_rate``: the recording's usual rate, and whether it is below 25 Hz.

    Raises
    ------
    MissingGroupError
        If the table lacks what the source needs.
    FexError
        If time is missing or goes backwards.
    OptionError
        If an option is out of its range.

    Notes
    -----
    A blink lasts 100 to 400 ms, its closing phase less than 100 ms. Mind ``low_rate``: a slow
    recording misses blinks between its frames, so that rates are too low; durations, known to one
    frame at either end, do not compare across rates. Looking down closes the lid too.

    References
    ----------
    Caffier, P. P., Erdmann, U. & Ullsperger, P. (2003). Experimental evaluation of eye-blink
        parameters as a drowsiness measure. Eur. J. Appl. Physiol., 89(3-4), 319-325.
        https://doi.org/10.1007/s00421-003-0807-5

    Examples
    --------
    >>> closed = [0, 0, 0.3, 0.9, 0.5, 0, 0, 0, 0, 0]
    >>> table = pd.DataFrame({"time": np.arange(10) / 30, "eyeBlinkLeft": closed,
    ...                       "eyeBlinkRight": closed})
    >>> find_blinks(table)[["onset", "apex", "duration", "both_eyes"]].round(3).to_dict("records")
    [{'onset': 0.067, 'apex': 0.1, 'duration': 0.1, 'both_eyes': True}]
    """
    carried = check_labels(frame, labels, name="labels")
    closure = eye_closure(frame, source)
    rule = _rule(closure, on, off, min_duration, max_gap)
    rows = group_rows(frame, need_time=True)
    _, events = _detect(rows, closure, rule, max_duration)
    return _table(frame, rows, closure, events, rule, carried)


def blink_summary(
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    *,
    source: str = "auto",
    on: float | None = None,
    off: float | None = None,
    min_duration: float = 0.03,
    max_duration: float | None = 0.5,
    max_gap: float = 0.05,
) -> pd.DataFrame:
    """Summarise blinks: rate, duration, intervals, share of the time with closed eyes.

    Parameters
    ----------
    frame
        Table with ``time`` and what the source needs.
    by
        Columns to group by; None: each track of each recording.
    source, on, off, min_duration, max_duration, max_gap
        As for :func:`find_blinks`.

    Returns
    -------
    DataFrame
        One row per group: its keys, ``source``, ``n_blinks``, ``rate`` (per minute of the time in
        which closure is known), ``mean_duration`` (s, of blinks that are not truncated),
        ``interval_mean``, ``interval_sd`` (s, ddof 1, from apex to apex; only between neighbouring
        blinks with nothing lost between them for longer than `max_gap`), ``n_intervals``,
        ``closed_share`` (of the known time with a closure of at least `on`, long closures
        included: as PERCLOS with that criterion), ``both_eyes_share`` (of the blinks; NaN for
        action units), ``low_rate`` (whether any recording of the group is below 25 Hz),
        ``n_frames``, ``n_valid``, ``seconds``.

    Raises
    ------
    MissingGroupError
        If the table lacks what the source needs.
    FexError
        If time is missing or goes backwards, or a column to group by is absent.
    OptionError
        If an option is out of its range.

    Notes
    -----
    People at rest blink about 15 times a minute, fewer times when they read and more often when
    they speak (Bentivoglio et al., 1997); a few minutes are needed for a stable rate.

    References
    ----------
    Bentivoglio, A. R. et al. (1997). Analysis of blink rate patterns in normal subjects. Mov.
        Disord., 12(6), 1028-1034. https://doi.org/10.1002/mds.870120629

    Examples
    --------
    >>> closed = np.isin(np.arange(600), [100, 101, 250, 251, 252, 500, 501]).astype(float)
    >>> table = pd.DataFrame({"time": np.arange(600) / 30, "AU43": closed})
    >>> blink_summary(table)[["rate", "interval_mean"]].round(3).to_dict("records")
    [{'rate': 9.0, 'interval_mean': 6.667}]
    """
    closure = eye_closure(frame, source)
    rule = _rule(closure, on, off, min_duration, max_gap)
    rows = group_rows(frame, by, need_time=True)
    values, events = _detect(rows, closure, rule, max_duration)
    rates = rates_of(rows, values, events)
    group = rows.parts.group[events.segment]
    g = len(rows)
    whole = ~events.truncated
    seen = np.bincount(group[whole], minlength=g)
    lasted = np.bincount(group[whole], weights=events.duration[whole], minlength=g)
    intervals, of = _intervals(rows, values, events, rule.max_gap)
    both = _both_eyes(rows, closure, events, rule.off)
    judged = ~np.isnan(both)
    n_judged = np.bincount(group[judged], minlength=g)
    slow = _is_slow(1 / rows.parts.step)
    stats = pd.Series(intervals).groupby(of).agg(["mean", "std", "size"]).reindex(range(g))
    return rows.table(
        source=np.full(g, closure.source, dtype=object),
        n_blinks=rates["n_events"],
        rate=rates["rate"],
        mean_duration=divided(lasted, seen),
        interval_mean=stats["mean"].to_numpy(),
        interval_sd=stats["std"].to_numpy(),
        n_intervals=stats["size"].fillna(0).to_numpy(np.int64),
        closed_share=rows.mean(np.where(np.isnan(values), np.nan, values >= rule.on)),
        both_eyes_share=divided(
            np.bincount(group[judged], weights=both[judged], minlength=g), n_judged
        ),
        low_rate=np.bincount(rows.parts.group, weights=slow, minlength=g) > 0,
        n_frames=rates["n_frames"],
        n_valid=rates["n_valid"],
        seconds=rates["seconds"],
    )


def _rule(
    closure: EyeClosure, on: float | None, off: float | None, min_duration: float, max_gap: float
) -> EventRule:
    start = CLOSURE_ON[closure.source] if on is None else check_number("on", on, 0.0, 1.0)
    return event_rules(["closure"], start, off, min_duration, max_gap)["closure"]


def _detect(
    rows: Grouping, closure: EyeClosure, rule: EventRule, max_duration: float | None
) -> tuple[Floats, Events]:
    """Closure in the order of the rows, and the events that are no longer than a blink."""
    longest = np.inf
    if max_duration is not None:
        longest = check_number("max_duration", max_duration, rule.min_duration, unit="s")
    table = pd.DataFrame({"closure": closure.values})
    ((_, values, events),) = detect_events(table, rows.parts, {"closure": rule})
    keep = events.duration <= longest + _TINY
    kept = {f.name: getattr(events, f.name)[keep] for f in dataclasses.fields(events)}
    return values, Events(**kept)


def _eye_peaks(rows: Grouping, closure: EyeClosure, events: Events) -> Floats:
    """Greatest closure of the right and the left eye in each event, (m, 2)."""
    eyes = np.stack([closure.right, closure.left], axis=1)[rows.parts.order]
    peaks = np.full((len(events), 2), np.nan)
    for k, (a, b) in enumerate(zip(events.start.tolist(), events.last.tolist(), strict=True)):
        peaks[k] = np.fmax.reduce(eyes[a : b + 1])
    return peaks


def _both_eyes(rows: Grouping, closure: EyeClosure, events: Events, off: float) -> Floats:
    """1 where both eyes close, 0 where one does, NaN where that is not known; (m,)."""
    least = _eye_peaks(rows, closure, events).min(axis=1)
    return np.where(np.isnan(least), np.nan, least >= off)


def _intervals(
    rows: Grouping, values: Floats, events: Events, max_gap: float
) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Seconds from apex to apex with nothing lost between, and the groups they belong to."""
    parts = rows.parts
    valid = np.flatnonzero(~np.isnan(values))
    segment = parts.segment[valid]
    with np.errstate(invalid="ignore"):
        lost = np.diff(parts.time[valid], prepend=np.nan) - parts.step[segment] > max_gap + _TINY
    losses = np.zeros(len(values), dtype=np.intp)
    losses[valid] = np.cumsum(lost)
    top = events.top
    joined = (events.segment[1:] == events.segment[:-1]) & (losses[top[1:]] == losses[top[:-1]])
    return np.diff(events.apex)[joined], parts.group[events.segment[1:]][joined]


def _table(
    frame: pd.DataFrame,
    rows: Grouping,
    closure: EyeClosure,
    events: Events,
    rule: EventRule,
    labels: Sequence[str],
) -> pd.DataFrame:
    parts = rows.parts
    out = parts.keys.iloc[events.segment].reset_index(drop=True)
    for label in labels:
        if label not in out.columns:
            out[label] = frame[label].iloc[parts.order[events.start]].array
    out["source"] = np.full(len(events), closure.source, dtype=object)
    for name in ("onset", "apex", "offset", "duration", "peak", "n_frames", "truncated"):
        out[name] = getattr(events, name)
    out["peak_right"], out["peak_left"] = _eye_peaks(rows, closure, events).T
    both = pd.array(_both_eyes(rows, closure, events, rule.off), dtype="Float64")
    out["both_eyes"] = both.astype("boolean")
    out["fps"] = 1 / parts.step[events.segment]
    out["low_rate"] = _is_slow(out["fps"].to_numpy())
    return out


def _is_slow(fps: Floats) -> npt.NDArray[np.bool_]:
    return np.asarray(fps < BLINK_RATE * (1 - 1e-3), dtype=np.bool_)
