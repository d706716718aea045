"""Events of a feature: when it rises over a threshold, how high, how fast, how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

import numpy as np
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.checks import check_labels, check_number, near_names, pick_columns
from facemt_analysis.errors import OptionError
from facemt_analysis.measures.event_detection import EventRule, Events, detect_events
from facemt_analysis.signal.segments import Segments, cut

__all__ = [
    "EVENT_COLUMNS", "Threshold", "event_rules", "event_table", "find_events", "smooth_columns",
]  # fmt: skip

Threshold = float | Mapping[str, float]
"""One number for all features, or one for each."""

EVENT_COLUMNS = (
    "onset", "apex", "offset", "duration", "peak", "area", "rise_speed", "mean_rise_speed",
    "decay_speed", "mean_decay_speed", "n_frames", "truncated",
)  # fmt: skip
"""What a table of events says of each, behind its keys and feature."""


def find_events(
    frame: pd.DataFrame,
    columns: str | Iterable[str],
    *,
    on: Threshold,
    off: Threshold | None = None,
    min_duration: float = 0.1,
    max_gap: float = 0.1,
    smooth: float | None = None,
    labels: str | Sequence[str] = (),
) -> pd.DataFrame:
    """Find the events of any features: stretches in which they are over a threshold.

    Parameters
    ----------
    frame
        Rows in any order, with ``time`` and those of the keys that the table has.
    columns
        Features: scores, intensities, blendshapes, valence …
    on
        An event begins with the first frame at or above this; a number, or one for each feature.
    off
        It ends with the first frame below this. Default: `on` less a fifth, so that noise at the
        threshold does not cut events into pieces (Schmitt trigger).
    min_duration
        Shorter events are left out, s; what is bridged counts.
    max_gap
        Interruptions up to this long are bridged, s: dips below `off` and lost frames alike. After
        longer losses an event begins anew.
    smooth
        Smooth the features first, by a Savitzky–Golay filter over this many seconds (see
        :func:`facemt_analysis.signal.smooth`). Default: not.
    labels
        Further columns to carry, as they are in the frame of the onset.

    Returns
    -------
    DataFrame
        One row per event, in the order of recordings and tracks (by their first rows), features and
        onsets: ``input`` and ``track`` (if the table has them), the `labels`, ``feature`` and

        - ``onset``, ``apex``, ``offset``: time of the first frame at or above `on`, of the (first)
          greatest value, and of the first frame below `off`, s. A frame stands for the time until
          the next one; before a gap or an end, for one usual frame interval;
        - ``duration``: offset − onset, s;
        - ``peak``: greatest value;
        - ``area``: integral of the feature over the event, unit · s;
        - ``rise_speed``, ``decay_speed``: greatest increase from one frame to the next from the
          frame before the onset to the apex, and greatest decrease from the apex to the offset,
          unit / s; ``mean_rise_speed``, ``mean_decay_speed``: (peak − value at that end) / time
          between. NaN where that phase was not seen;
        - ``n_frames``: frames with a value, from onset to before the offset;
        - ``truncated``: whether it touches an end of the recording, or a gap longer than `max_gap`,
          so that it may have been longer;
        - ``onset_frame``, ``apex_frame``, ``offset_frame`` (if the table has ``frame``): their
          indices in the video; ``offset_frame`` is the first one behind the event.

    Raises
    ------
    FexError
        If a column is not there, or time is missing or goes backwards.
    OptionError
        If a threshold or duration cannot be.

    Notes
    -----
    Times are those of frames: no finer than the frame interval. Single differences between frames
    carry the noise of both: `smooth` before reading speeds.

    Nothing is carried across tracks or recordings, and NaN is a lost frame.

    References
    ----------
    Schmidt, K. L., Bhattacharya, S., & Denlinger, R. (2009). Comparison of deliberate and
        spontaneous facial movement in smiles and eyebrow raises. J. Nonverbal Behav., 33, 35-45.
        https://doi.org/10.1007/s10919-008-0058-6

    Examples
    --------
    >>> time = np.arange(8) / 10
    >>> table = pd.DataFrame({"time": time, "AU12": [0, 0.2, 0.6, 0.9, 0.45, 0.3, 0, 0]})
    >>> events = find_events(table, "AU12", on=0.5)
    >>> events[["onset", "apex", "offset", "duration", "peak"]].round(3).to_dict("records")
    [{'onset': 0.2, 'apex': 0.3, 'offset': 0.5, 'duration': 0.3, 'peak': 0.9}]
    """
    names = pick_columns(frame, columns)
    rules = event_rules(names, on, off, min_duration, max_gap)
    parts = cut(frame)
    scores = frame if smooth is None else smooth_columns(frame, names, smooth, max_gap)
    found = {name: events for name, _, events in detect_events(scores, parts, rules)}
    return event_table(frame, parts, found, labels)


def smooth_columns(
    frame: pd.DataFrame, columns: Sequence[str], window: float, max_gap: float
) -> pd.DataFrame:
    """Smooth features within tracks over `window` seconds, bridging what events bridge."""
    from facemt_analysis.signal.smoothing import smooth

    seconds = check_number("smooth", window, 0.0, open_low=True, unit="s")
    keys = [c for c in schema.KEYS if c in frame.columns]
    return smooth(pd.DataFrame(frame)[[*keys, *columns]], columns, window=seconds, max_gap=max_gap)


def event_rules(
    columns: Sequence[str],
    on: Threshold,
    off: Threshold | None,
    min_duration: float,
    max_gap: float,
) -> dict[str, EventRule]:
    """Check the options of :func:`find_events` and give the rule of each column.

    Raises
    ------
    OptionError
        If a threshold is missing, `off` is above `on`, or a duration is negative.
    """
    shortest = check_number("min_duration", min_duration, 0.0, unit="s")
    longest = check_number("max_gap", max_gap, 0.0, unit="s")
    starts = _thresholds("on", on, columns)
    ends = {} if off is None else _thresholds("off", off, columns)
    rules = {}
    for column in columns:
        if column not in starts:
            raise OptionError(f"`on` names no threshold for {column!r}; add it.")
        start = starts[column]
        end = ends.get(column, start - 0.2 * abs(start))
        if end > start:
            raise OptionError(
                f"`off` must not be above `on`, but for {column} {end:g} is above {start:g}."
            )
        rules[column] = EventRule(start, end, shortest, longest)
    return rules


def event_table(
    frame: pd.DataFrame, parts: Segments, found: Mapping[str, Events], labels: str | Sequence[str]
) -> pd.DataFrame:
    """Put the events of features into one table, the result of :func:`find_events`."""
    carried = check_labels(frame, labels, name="labels")
    names = [f.name for f in fields(Events)]
    columns = {
        name: np.concatenate([getattr(events, name) for events in found.values()]) for name in names
    }
    feature = np.repeat(np.array(list(found), dtype=object), [len(e) for e in found.values()])
    order = np.argsort(columns["segment"], kind="stable")
    columns = {name: values[order] for name, values in columns.items()}
    plain = pd.DataFrame(frame)
    rows = parts.order[columns["start"]]
    out = parts.keys.iloc[columns["segment"]].reset_index(drop=True)
    for label in carried:
        if label not in out.columns:
            out[label] = plain[label].iloc[rows].reset_index(drop=True)
    out["feature"] = feature[order]
    for name in EVENT_COLUMNS:
        out[name] = columns[name]
    if "frame" in plain.columns:
        index = plain["frame"]
        out["onset_frame"] = index.iloc[rows].to_numpy()
        out["apex_frame"] = index.iloc[parts.order[columns["top"]]].to_numpy()
        behind = columns["behind"]
        out["offset_frame"] = np.where(
            behind >= 0,
            index.iloc[parts.order[behind]].to_numpy(),
            index.iloc[parts.order[columns["last"]]].to_numpy() + 1,
        )
    return out


def _thresholds(name: str, value: Threshold, columns: Sequence[str]) -> dict[str, float]:
    if not isinstance(value, Mapping):
        return dict.fromkeys(columns, check_number(name, value))
    for column in value:
        if column not in columns:
            raise OptionError(
                f"`{name}` has a threshold for {column!r}, which is not among the features."
                f"{near_names(column, columns)}"
            )
    return {column: check_number(f"{name}[{column!r}]", v) for column, v in value.items()}
