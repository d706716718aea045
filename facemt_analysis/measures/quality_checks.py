"""What a reader of a quality report should notice, in words and with the numbers."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from facemt_analysis.checks import check_option
from facemt_analysis.measures.quality_limits import QualityLimits, choose_limits
from facemt_analysis.measures.quality_summary import REPORT_COLUMNS, SHARES, quality_report

__all__ = ["FINDING_COLUMNS", "SEVERITIES", "at_least", "find_issues", "quality_findings"]

SEVERITIES = ("info", "warning", "serious")
"""From what is good to know to what spoils results."""

FINDING_COLUMNS = ("check", "severity", "value", "limit", "message")
"""Columns of the findings behind those that name the group."""

_Finding = tuple[str, str, float, float | None, str]

_ADVICE = {
    "low_score": "faces with a FaceScore below {limit:g}",
    "small_face": "faces smaller than {limit:g} px",
    "turned_away": "heads turned beyond {limit:g}°, or nodded or tilted beyond their limits",
    "cut_off": "faces cut off at the border of the picture",
    "overlapping": "faces behind or before another one",
    "duplicate": "rows that repeat the row before: a frozen picture, or padded frames",
    "out_of_range": "features with values they cannot have",
}
_LIMITS = {
    "low_score": "score",
    "small_face": "face_px",
    "turned_away": "yaw_deg",
    "cut_off": "cut_off",
    "overlapping": "overlap",
}


def quality_findings(
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    limits: QualityLimits | None = None,
    **changes: float | None,
) -> pd.DataFrame:
    """Say in words what is wrong with each face of each recording.

    Parameters
    ----------
    frame
        Rows in any order, with those of the keys and features that it has.
    by
        Columns whose values make groups; None: each track of each recording.
    limits, **changes
        See :class:`QualityLimits`.

    Returns
    -------
    DataFrame
        One row per finding; no rows: nothing to remark. The columns to group by, then ``check``
        (its name), ``severity`` (``info``, ``warning``, ``serious``), ``value`` and ``limit`` (NaN:
        there is none), ``message`` (a sentence with the numbers).

    See Also
    --------
    quality_report : the numbers behind it.

    Examples
    --------
    >>> table = pd.DataFrame({"input": "a", "frame": range(4), "track": [0, -1, -1, -1],
    ...                       "AU12": [0.1, None, None, None]})
    >>> quality_findings(table)[["check", "severity", "value"]].values.tolist()
    [['valid_share', 'serious', 0.25], ['no_time', 'info', nan]]
    """
    return find_issues(quality_report(frame, by, limits, **changes), limits, **changes)


def find_issues(
    report: pd.DataFrame, limits: QualityLimits | None = None, **changes: float | None
) -> pd.DataFrame:
    """Compare a quality report with the limits; see :func:`quality_findings`."""
    chosen = choose_limits(limits, **changes)
    labels = [c for c in report.columns if c not in REPORT_COLUMNS]
    found = []
    keys = []
    for i, row in enumerate(report.to_dict("records")):
        for finding in _check(row, chosen):
            found.append(finding)
            keys.append(i)
    table = pd.DataFrame(found, columns=list(FINDING_COLUMNS))
    table = table.astype({"value": "float64", "limit": "float64"})
    named = report[labels].iloc[keys].reset_index(drop=True)
    return pd.concat([named, table], axis=1)


def at_least(severity: str) -> tuple[str, ...]:
    """Name the severities from this one up.

    >>> at_least("warning")
    ('warning', 'serious')
    """
    check_option("severity", severity, SEVERITIES)
    return SEVERITIES[SEVERITIES.index(severity) :]


def _check(row: Mapping[Hashable, Any], limits: QualityLimits) -> Iterator[_Finding]:
    yield from _check_presence(row, limits)
    for reason in SHARES:
        yield from _check_share(reason, row[f"share_{reason}"], limits)
    yield from _check_time(row, limits)
    if row["n_constant"]:
        yield (
            "constant", "warning", row["n_constant"], None,
            f"features with one value throughout, which carry no information: {row['constant']}",
        )  # fmt: skip
    if row["out_of_range"]:
        yield (
            "out_of_range", "warning", row["share_out_of_range"], None,
            f"features with values they cannot have: {row['out_of_range']}",
        )  # fmt: skip


def _check_presence(row: Mapping[Hashable, Any], limits: QualityLimits) -> Iterator[_Finding]:
    n_valid, n_frames, share = row["n_valid"], row["n_frames"], row["share_valid"]
    if n_valid == 0:
        yield "no_face", "serious", 0.0, None, f"no face was measured in {n_frames:,} frames"
        return
    if limits.valid_share is not None and share < limits.valid_share:
        lost = 1 - share
        yield (
            "valid_share", _severity(lost, limits), share, limits.valid_share,
            f"a face was measured in {share:.1%} of {n_frames:,} frames",
        )  # fmt: skip
    if limits.switches is not None and row["track_switches"] > limits.switches:
        yield (
            "track_switches", "warning", row["track_switches"], limits.switches,
            f"the track of the main face is lost and another takes over {row['track_switches']:,} "
            "times; if it is one person throughout, give these tracks one label",
        )  # fmt: skip
    if row["n_tracks"] > 1:
        yield (
            "several_faces", "info", row["n_tracks"], None,
            f"{row['n_tracks']:,} tracks of faces are in these frames; choose whose you mean",
        )  # fmt: skip


def _check_share(reason: str, share: float, limits: QualityLimits) -> Iterator[_Finding]:
    if reason == "out_of_range" or limits.flagged_share is None or not share > limits.flagged_share:
        return
    value = getattr(limits, _LIMITS[reason]) if reason in _LIMITS else None
    what = _ADVICE[reason].format(limit=value)
    yield (
        reason, _severity(share, limits), share, limits.flagged_share,
        f"{share:.1%} of the measured rows are {what}",
    )  # fmt: skip


def _check_time(row: Mapping[Hashable, Any], limits: QualityLimits) -> Iterator[_Finding]:
    if pd.isna(row["start"]):
        yield (
            "no_time", "info", float("nan"), None,
            "the rows have no time, so that nothing in seconds can be computed; if the frame rate "
            "is known, add it: fex.assign(time=fex['frame'] / fps)",
        )  # fmt: skip
        return
    if row["n_backward"]:
        yield (
            "backward", "serious", row["n_backward"], None,
            f"the time of {row['n_backward']:,} frames is not after that of the frame before; "
            "repair the column 'time'",
        )  # fmt: skip
    if limits.gap is not None and row["gap_longest"] > limits.gap:
        yield (
            "gap", "warning", row["gap_longest"], limits.gap,
            f"the face is gone for up to {row['gap_longest']:.2f} s "
            f"(gaps: {row['n_gaps']:,}, {row['gap_total']:.2f} s in all)",
        )  # fmt: skip
    if limits.hz is not None and row["hz"] < limits.hz:
        yield (
            "hz", "info", row["hz"], limits.hz,
            f"{row['hz']:.1f} frames per second: blinks and brief expressions may fall between "
            "frames",
        )  # fmt: skip
    if limits.jitter is not None and row["jitter"] > limits.jitter:
        yield (
            "jitter", "info", row["jitter"], limits.jitter,
            f"frame intervals vary by {row['jitter']:.1%} of their mean; resample before spectra",
        )  # fmt: skip
    share = row["n_dropped"] / (row["n_dropped"] + row["n_frames"])
    if limits.dropped_share is not None and share > limits.dropped_share:
        yield (
            "dropped", "warning", share, limits.dropped_share,
            f"{row['n_dropped']:,.0f} frames ({share:.1%}) are not in the table at all",
        )  # fmt: skip


def _severity(share: float, limits: QualityLimits) -> str:
    serious = limits.serious_share
    return "serious" if serious is not None and share >= serious else "warning"
