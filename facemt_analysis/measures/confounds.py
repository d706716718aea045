"""What moves action units without being an expression: speech and the pitch of the head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis import schema
from facemt_analysis.errors import FexError
from facemt_analysis.measures.grouping import Grouping
from facemt_analysis.measures.speech import MOUTH_SIGNALS, talking
from facemt_analysis.signal.segments import cut

__all__ = ["BROW_AUS", "CONFOUND_COLUMNS", "MOUTH_AUS", "find_confounds"]

Floats = NDArray[np.float64]

BROW_AUS = ("AU01", "AU02", "AU04")
"""Action units of the brows: a nod lengthens or shortens the forehead in the picture as they do."""

MOUTH_AUS = (
    "AU10", "AU12", "AU14", "AU15", "AU16", "AU17", "AU18", "AU20",
    "AU23", "AU24", "AU25", "AU26", "AU27", "AU28",
)  # fmt: skip
"""Action units whose muscles shape the mouth, and so move in speech: lips are raised and stretched
(AU10, AU12, AU14–AU16, AU20) for open vowels, rounded and pressed (AU17, AU18, AU23, AU24, AU28)
for others and for m, b, p, and the jaw opens (AU25–AU27)."""

CONFOUND_COLUMNS = (
    "confound", "predictor", "feature", "n", "predictor_mean", "predictor_range",
    "r", "slope", "change", "severity", "advice",
)  # fmt: skip
"""Columns behind those that name the group."""

_R = (0.3, 0.5)  # medium and large correlations (Cohen, 1988)
_CHANGE = 0.1
_TALKING = 0.05
_ROUNDING = 1e-12
"""Variance that is none: what rounding leaves of a constant."""


def find_confounds(frame: pd.DataFrame, by: str | Sequence[str] | None = None) -> pd.DataFrame:
    """Measure how far action units go with the pitch of the head and with speech.

    Parameters
    ----------
    frame
        Rows in any order, with action units, and ``Pitch``, or what tells talking (``jawOpen``,
        ``AU26`` or ``AU25``, and ``time``).
    by
        Columns whose values make groups; None: each track of each recording. What differs between
        recordings and tracks of a group does not count: values are centred within each first.

    Returns
    -------
    DataFrame
        One row per group, confound and action unit. The columns to group by, then

        - ``confound``: ``pitch`` (brow action units AU01, AU02, AU04) or ``speech`` (those of the
          mouth); ``predictor``: ``Pitch`` or ``talking`` (0/1, see :func:`talking`); ``feature``;
        - ``n``: rows with both; ``predictor_mean``: rad, or share of rows with talking;
          ``predictor_range``: 5 % to 95 % quantile of pitch, rad; 1 if there is talking and
          silence, else 0;
        - ``r``: correlation; ``slope``: change of the score per unit of the predictor;
          ``change``: slope × range: by how much the score moves with the confound;
        - ``severity``: ``info``, ``warning`` (``|r|`` ≥ 0.3 and ``|change|`` ≥ 0.1; speech in more
          than 5 % of the rows likewise), ``serious`` (``|r|`` ≥ 0.5 as well);
        - ``advice``: what it means and what to do.

        NaN where the predictor or the score does not vary.

    Raises
    ------
    FexError
        If the table has neither confound with its action units.

    Notes
    -----
    There is no p value: neighbouring frames are not independent, and a correlation does not say
    which is the cause. A person who raises the brows while looking up shows both.

    Speech: FACS codes talking as such (action descriptor 50) because it moves the lower face; a
    score of these units in speech is not an expression [1]_. Pitch: landmarks and action units of
    trackers drift with head pitch (OpenFace issue 935).

    References
    ----------
    .. [1] Ekman, P., Friesen, W. V., & Hager, J. C. (2002). Facial Action Coding System: The
       manual.

    Examples
    --------
    >>> pitch = np.sin(np.arange(200) / 10) * 0.3
    >>> table = pd.DataFrame({"time": np.arange(200) / 30, "Pitch": pitch, "AU01": 0.4 + pitch})
    >>> found = find_confounds(table)
    >>> found[["confound", "feature", "r", "severity"]].values.tolist()
    [['pitch', 'AU01', 1.0, 'serious']]
    """
    plain = pd.DataFrame(frame)
    brows = [c for c in BROW_AUS if c in plain.columns] if "Pitch" in plain.columns else []
    timed = "time" in plain.columns and bool(plain["time"].notna().any())
    mouth = [c for c in MOUTH_AUS if c in plain.columns]
    if not timed or not set(MOUTH_SIGNALS) & set(plain.columns):
        mouth = []
    if not brows and not mouth:
        raise FexError(
            "Confounds need action units and either 'Pitch' (for AU01, AU02, AU04) or 'time' with "
            f"one of {', '.join(MOUTH_SIGNALS)} (for those of the mouth), but the table has "
            f"{', '.join(schema.groups_in(plain.columns)) or 'none of the known groups'}."
        )
    groups = Grouping(cut(plain, by, need_time=False), timed=False)
    tables = []
    if brows:
        tables.append(_pitch(plain, groups, brows))
    if mouth:
        tables.append(_speech(plain, groups, mouth))
    return pd.concat(tables, ignore_index=True)


def _pitch(frame: pd.DataFrame, groups: Grouping, features: list[str]) -> pd.DataFrame:
    parts = groups.parts
    pitch = parts.values(frame, "Pitch")
    low, high = groups.quantiles(pitch, (0.05, 0.95)).T
    table = _regressed(groups, pitch, parts.values(frame, features), features)
    table["predictor_range"] = np.repeat(high - low, len(features))
    table["change"] = table["slope"] * table["predictor_range"]
    grave = table["change"].abs() >= _CHANGE
    size = table["r"].abs()
    table["severity"] = np.select(
        [grave & (size >= _R[1]), grave & (size >= _R[0])], ["serious", "warning"], "info"
    )
    table["advice"] = [
        "" if level == "info" else
        f"{name} moves by {change:+.2f} with the pitch of the head (r = {r:.2f}): exclude frames "
        "in which the head is nodded (quality.exclude), or regress Pitch out"
        for name, change, r, level in table[["feature", "change", "r", "severity"]].itertuples(
            index=False
        )
    ]  # fmt: skip
    return _finished(groups, table, "pitch", "Pitch")


def _speech(frame: pd.DataFrame, groups: Grouping, features: list[str]) -> pd.DataFrame:
    parts = groups.parts
    talks = talking(frame).to_numpy(np.float64, na_value=np.nan)[parts.order]
    table = _regressed(groups, talks, parts.values(frame, features), features)
    both = groups.maximum(talks) - groups.minimum(talks)
    table["predictor_range"] = np.repeat(both, len(features))
    table["change"] = table["slope"] * table["predictor_range"]
    share = table["predictor_mean"]
    grave = share > _TALKING
    moved = (table["change"].abs() >= _CHANGE) & (table["r"].abs() >= _R[1])
    table["severity"] = np.select([grave & moved, grave], ["serious", "warning"], "info")
    table["advice"] = [
        "the frame rate or the stretches without a gap are too short to tell" if np.isnan(part) else
        "" if level == "info" else
        f"the mouth moves as in speech for {part:.0%} of the time, and {name} moves with it: leave "
        "talking out (quality.talking) or compare like with like"
        for name, part, level in table[["feature", "predictor_mean", "severity"]].itertuples(
            index=False
        )
    ]  # fmt: skip
    return _finished(groups, table, "speech", "talking")


def _regressed(
    groups: Grouping, predictor: Floats, scores: Floats, features: list[str]
) -> pd.DataFrame:
    """Regress each score on the predictor, within segments; one row per group and feature."""
    parts = groups.parts
    each = Grouping(replace(parts, group=np.arange(len(parts)), groups=parts.keys), timed=False)
    both = ~np.isnan(scores) & ~np.isnan(predictor)[:, None]
    x = np.where(both, predictor[:, None], np.nan)
    y = np.where(both, scores, np.nan)
    mean, n = groups.mean(x), groups.count(both)
    x = x - each.mean(x)[parts.segment]
    y = y - each.mean(y)[parts.segment]
    xx, yy, xy = groups.total(x * x), groups.total(y * y), groups.total(x * y)
    moves, varies = xx > _ROUNDING * n, yy > _ROUNDING * n
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(moves, xy / xx, np.nan)
        r = np.where(moves & varies, np.clip(xy / np.sqrt(xx * yy), -1, 1), np.nan)
    return pd.DataFrame(
        {
            "group": np.repeat(np.arange(len(groups)), len(features)),
            "feature": features * len(groups),
            "n": n.ravel(),
            "predictor_mean": mean.ravel(),
            "slope": slope.ravel(),
            "r": r.ravel(),
        }
    )


def _finished(groups: Grouping, table: pd.DataFrame, confound: str, predictor: str) -> pd.DataFrame:
    named = groups.parts.groups.iloc[table["group"]].reset_index(drop=True)
    table = table.assign(confound=confound, predictor=predictor)[list(CONFOUND_COLUMNS)]
    return pd.concat([named, table], axis=1)
