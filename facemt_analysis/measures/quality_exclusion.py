"""Taking out what should not be trusted, and saying what was taken out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis import schema
from facemt_analysis.checks import check_option
from facemt_analysis.errors import FexError
from facemt_analysis.measures.quality_checks import at_least, find_issues
from facemt_analysis.measures.quality_limits import QualityLimits, choose_limits
from facemt_analysis.measures.quality_reasons import REASONS, quality_flags
from facemt_analysis.measures.quality_summary import quality_report

__all__ = ["EXCLUDABLE", "Exclusion", "exclude_flagged"]

EXCLUDABLE = tuple(r for r in REASONS if r not in ("no_face", "no_features"))
"""Reasons for which a row can lose its features: those of rows that have some."""


@dataclass(frozen=True, eq=False)
class Exclusion:
    """A table without what should not be trusted.

    Parameters
    ----------
    table
        The rows that are left, in their order and with their index. Features of excluded rows are
        NaN; keys, box, score and labels stay, so that the time axis has no hole.
    excluded
        Rows of the original table whose features were taken out, shape (n,).
    counts
        One row per reason: ``reason``, ``rows`` (a row may have several).
    recordings
        Recordings that were left out altogether.
    limits
        Limits that were used.
    """

    table: pd.DataFrame
    excluded: NDArray[np.bool_]
    counts: pd.DataFrame
    recordings: tuple[str, ...]
    limits: QualityLimits

    def record(self) -> dict[str, Any]:
        """Say what was taken out, as short as a log should have it."""
        counts = self.counts[self.counts["rows"] > 0]
        return {
            "rows": int(self.excluded.sum()),
            "of_rows": len(self.excluded),
            "reasons": dict(zip(counts["reason"], counts["rows"].tolist(), strict=True)),
            "recordings": list(self.recordings),
            "limits": asdict(self.limits),
        }


def exclude_flagged(
    frame: pd.DataFrame,
    reasons: str | Iterable[str] | None = None,
    *,
    drop: str | None = None,
    limits: QualityLimits | None = None,
    **changes: float | None,
) -> Exclusion:
    """Set the features of flagged rows to NaN, and leave bad recordings out.

    Parameters
    ----------
    frame
        Rows in any order.
    reasons
        Reasons that count, of :data:`EXCLUDABLE`; None: all.
    drop
        ``"serious"`` or ``"warning"``: leave out all rows of recordings with a finding that grave
        (:func:`quality_findings` by recording, all its checks). None: leave out none.
    limits, **changes
        See :class:`QualityLimits`.

    Returns
    -------
    Exclusion
        Its ``table`` has the type pandas makes of `frame`.

    Raises
    ------
    FexError
        If `drop` is given and the table has no ``input``.
    OptionError
        If a reason, `drop` or a limit is not one there is.

    Notes
    -----
    A row without features cannot lose any: rows without a face, and those excluded before, are not
    counted again, so that to exclude twice is to exclude once.

    Examples
    --------
    >>> table = pd.DataFrame({"frame": [0, 1], "FaceScore": [0.9, 0.4], "AU12": [0.1, 0.9]})
    >>> done = exclude_flagged(table, score=0.5)
    >>> done.table["AU12"].tolist(), done.record()["reasons"]
    ([0.1, nan], {'low_score': 1})
    """
    chosen = choose_limits(limits, **changes)
    wanted = [reasons] if isinstance(reasons, str) else EXCLUDABLE if reasons is None else reasons
    names = list(dict.fromkeys(wanted))
    for name in names:
        check_option("reasons", name, EXCLUDABLE)
    flags = quality_flags(frame, chosen)
    has_features = ~(flags["no_face"] | flags["no_features"]).to_numpy()
    recordings, dropped = _bad_recordings(frame, drop, chosen)
    left = has_features & ~dropped
    chosen_flags = flags[names].to_numpy(np.bool_)
    excluded = left & chosen_flags.any(axis=1)
    counts = pd.DataFrame({"reason": names, "rows": (chosen_flags & left[:, None]).sum(axis=0)})
    columns = [
        c for c in schema.feature_columns(frame.columns) if schema.group_of(c) != "faceboxes"
    ]
    table = frame.copy()
    if excluded.any() and columns:
        where = np.broadcast_to(excluded[:, None], (len(table), len(columns)))
        table[columns] = table[columns].mask(where)
    if dropped.any():
        table = table[~dropped]
    return Exclusion(table, excluded, counts, recordings, chosen)


def _bad_recordings(
    frame: pd.DataFrame, drop: str | None, limits: QualityLimits
) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
    if drop is None:
        return (), np.zeros(len(frame), dtype=np.bool_)
    check_option("drop", drop, ("serious", "warning"))
    if "input" not in frame.columns:
        raise FexError(
            "`drop` leaves out recordings, but the table has no column 'input' that names them."
        )
    findings = find_issues(quality_report(frame, "input", limits), limits)
    bad = findings.loc[findings["severity"].isin(at_least(drop)), "input"].drop_duplicates()
    return tuple(map(str, bad)), frame["input"].isin(bad).to_numpy(np.bool_)
