"""The table's overview for notebooks: recordings with small drawings of a few features."""

from __future__ import annotations

import html

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from facemt_analysis import schema
from facemt_analysis.fex.summary import (
    RecordingCounts,
    count_recordings,
    format_hz,
    format_seconds,
    format_share,
)

__all__ = ["overview_html", "sparkline"]

Floats = NDArray[np.float64]

_KEY_FEATURES = ("AU12", "Happy", "valence", "Yaw", "gaze_yaw", "jawOpen")
_MOST_RECORDINGS = 8
_MOST_FEATURES = 5
_POINTS = 50
_SCALE = 5  # units of a drawing per px, so that whole numbers do
_WIDTH, _LEVELS = 450, 80  # units
_NOTHING = -1
_CELL = "style='text-align:left;padding:0 .8em 0 0'"


def overview_html(frame: pd.DataFrame, counts: RecordingCounts | None = None) -> str:
    """Say what is in each recording of a table, and draw a few features of its main face.

    The first eight recordings, of each the track with most rows; scores over their whole range,
    angles over the range of those shown. Breaks in a line are frames without a value.

    Parameters
    ----------
    frame
        The table.
    counts
        Its :func:`count_recordings`, if known already.

    Returns
    -------
    str
        An HTML table with inline SVG; empty if there is nothing to show.
    """
    plain = pd.DataFrame(frame)
    if not plain.columns.is_unique:
        return ""
    counts = count_recordings(plain) if counts is None else counts
    features = _chosen(plain)
    names = ("",) if counts.names is None else counts.names
    if not names or not len(plain) or (counts.names is None and not features):
        return ""
    shown = range(min(len(names), _MOST_RECORDINGS))
    lines = {i: _main_face(plain, np.flatnonzero(counts.code == i), features) for i in shown}
    limits = {f: _limits(f, [lines[i][f] for i in shown]) for f in features}
    head = ["recording", "duration", "rate", "faces in", *features]
    rows = [
        "<tr>" + "".join(f"<th {_CELL}>{html.escape(text)}</th>" for text in head) + "</tr>",
        *(_row(names[i], counts.table.iloc[i], lines[i], limits) for i in shown),
    ]
    more = len(names) - len(shown)
    if more > 0:
        text = f"… and {more:,} more recording{'' if more == 1 else 's'}"
        rows.append(f"<tr><td {_CELL} colspan='{len(head)}'>{text}</td></tr>")
    return f"<table>{''.join(rows)}</table>"


def sparkline(values: Floats, low: float, high: float, *, title: str = "") -> str:
    """Draw a line as SVG; it breaks where values are NaN, and a lone value is a dot.

    Parameters
    ----------
    values
        Shape (n,): at most a few hundred.
    low, high
        Values at the bottom and the top.
    title
        What a reader without eyes or with a pointer is told.

    Examples
    --------
    >>> text = sparkline(np.array([0.0, 1.0, np.nan, 0.5]), 0.0, 1.0, title="AU12")
    >>> text.count("M"), text.startswith("<svg")
    (2, True)
    """
    n = len(values)
    span = high - low
    up = (np.clip(values, low, high) - low) / span if span > 0 else values * 0 + 0.5
    y = np.where(np.isnan(up), _NOTHING, np.round(_LEVELS * (1 - np.nan_to_num(up)))).astype(int)
    step = max(round(_WIDTH / max(n - 1, 1)), 1)
    path = []
    before = _NOTHING
    for i, level in enumerate(y.tolist()):
        if level != _NOTHING:
            begins = before == _NOTHING
            path.append(f"M{i * step} {level}h0" if begins else f"l{step} {level - before}")
        before = level
    text = "".join(path).replace(" -", "-")
    return (
        f"<svg width='{_WIDTH // _SCALE}' height='{_LEVELS // _SCALE + 2}' role='img' "
        f"viewBox='{-_SCALE} {-_SCALE} {_WIDTH + 2 * _SCALE} {_LEVELS + 2 * _SCALE}'>"
        f"<title>{html.escape(title)}</title><path d='{text}' fill='none' stroke='currentColor' "
        f"stroke-width='{_SCALE}' stroke-linecap='round'/></svg>"
    )


def _chosen(frame: pd.DataFrame) -> list[str]:
    present = [n for n in _KEY_FEATURES if n in frame.columns and is_numeric_dtype(frame[n].dtype)]
    return present[:_MOST_FEATURES]


def _main_face(
    frame: pd.DataFrame, rows: NDArray[np.intp], features: list[str]
) -> dict[str, Floats]:
    """Average the track with most rows of a recording over as many stretches as are drawn."""
    place = np.arange(len(rows), dtype=np.float64)
    for name in ("frame", "time"):
        if name in frame.columns and is_numeric_dtype(frame[name].dtype):
            place = _taken(frame, name, rows)
            break
    inside = np.isfinite(place)
    rows, place = rows[inside], place[inside]
    if not len(rows):
        return {name: np.empty(0) for name in features}
    start, stop = place.min(), place.max()
    n_frames = len(np.unique(place))
    bins = min(_POINTS, n_frames)
    if "track" in frame.columns and is_numeric_dtype(frame["track"].dtype):
        track = _taken(frame, "track", rows)
        numbers, n_rows = np.unique(track[track >= 0], return_counts=True)
        own = track == numbers[n_rows.argmax()] if len(numbers) else track >= 0
        rows, place = rows[own], place[own]
    # each frame stands for the time to the next: the last one ends where a further would begin
    width = (stop - start) * n_frames / (n_frames - 1) if n_frames > 1 else 1.0
    into = np.minimum((place - start) / width * bins + 1e-9, bins - 1).astype(np.intp)
    out = {}
    for name in features:
        values = _taken(frame, name, rows)
        known = np.isfinite(values)
        total = np.bincount(into[known], weights=values[known], minlength=bins)
        n_known = np.bincount(into[known], minlength=bins)
        out[name] = np.divide(total, n_known, out=np.full(bins, np.nan), where=n_known > 0)
    return out


def _taken(frame: pd.DataFrame, column: str, rows: NDArray[np.intp]) -> Floats:
    """Take some rows of a column as float64; a slice where they are neighbours."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        part = frame[column].iloc[rows[0] : rows[-1] + 1]
    else:
        part = frame[column].iloc[rows]
    return np.asarray(part.to_numpy(np.float64, na_value=np.nan))


def _limits(feature: str, lines: list[Floats]) -> tuple[float, float]:
    """Range of a score; for angles, of what is shown, 0 in the middle."""
    low, high = schema.range_of(feature)
    if schema.group_of(feature) not in ("poses", "gazes"):
        return low, high
    most = max((float(np.fmax.reduce(np.abs(line), initial=0.0)) for line in lines), default=0.0)
    return -most, most


def _row(
    name: str, row: pd.Series, lines: dict[str, Floats], limits: dict[str, tuple[float, float]]
) -> str:
    known = row.notna()
    cells = [
        html.escape(name),
        format_seconds(row["seconds"]) if known["seconds"] else "",
        format_hz((row["hz"], row["hz"])) if known["hz"] else "",
        format_share(int(row["with_face"]), int(row["frames"])) if known["with_face"] else "",
        *(sparkline(line, *limits[f], title=f"{f}, {name}") for f, line in lines.items()),
    ]
    return "<tr>" + "".join(f"<td {_CELL}>{cell}</td>" for cell in cells) + "</tr>"
