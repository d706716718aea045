"""How much a face shows: expressivity of the whole, upper and lower face; the pain score PSPI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis import schema
from facemt_analysis.checks import check_number, check_option, pick_columns
from facemt_analysis.measures.au_events import AU_ON
from facemt_analysis.measures.grouping import group_rows, tidy

__all__ = ["EXPRESSION_SETS", "expressivity", "pspi"]

Floats = NDArray[np.float64]

EXPRESSION_SETS: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        region: tuple(tuple(f"AU{n:02d}" for n in members) for members in sets)
        for region, sets in {
            "overall": ((6, 12), (1, 4, 15), (1, 2, 5, 26), (1, 2, 4, 5, 7, 20, 26), (4, 5, 7, 23),
                        (9, 15), (12, 14)),
            "upper": ((6,), (1, 4), (1, 2, 5), (1, 2, 4, 5, 7), (4, 5, 7), (9,)),
            "lower": ((12,), (15,), (26,), (20, 26), (23,), (15,), (12, 14)),
        }.items()
    }
)  # fmt: skip
"""Part of the face → sets of action units that OpenDBM takes together, one for each of happiness,
sadness, surprise, fear, anger, disgust and contempt."""


def expressivity(
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    *,
    on: float = AU_ON,
) -> pd.DataFrame:
    """Measure how much the whole, the upper and the lower face show.

    Parameters
    ----------
    frame
        Rows in any order, with the action units of :data:`EXPRESSION_SETS` (13 of the 20).
    by
        See :mod:`facemt_analysis.measures.grouping`.
    on
        Score from which an action unit is on.

    Returns
    -------
    DataFrame
        One row per group and part of the face: what the group is, ``feature`` (``overall``,
        ``upper`` or ``lower``), ``mean_score`` (mean score of the part's action units, all that the
        table has), ``n_on`` (mean number of those that are on), ``soft``, ``soft_sd``, ``hard``
        (see below; means and SD over time), ``n_frames``, ``n_valid``, ``seconds``. Frames in which
        a needed action unit is NaN are not valid.

    Raises
    ------
    FexError
        If an action unit is missing, or time goes backwards.

    Notes
    -----
    ``soft`` and ``hard`` are OpenDBM's composite expressivity. For each set of action units, soft
    is the mean score of those that are on, 0 if none is; hard is the same, but 0 unless all of them
    are on. The composite is the mean over the sets (OpenDBM divides intensities 0–5 by 6, and does
    not divide the sums of the upper and lower face by the number of sets; here scores of 0–1 stay
    in 0–1). An action unit counts as often as it is in a set: AU01, AU05 and AU12 weigh more than
    AU23. Action units of other sets (AU10, AU17, AU24, AU25, AU28, AU43) only enter ``mean_score``
    and ``n_on``.

    Speech moves the lower face: compare talking with talking.

    References
    ----------
    OpenDBM, raw facial variables (``face_util.yml``, ``video_util.py``; AiCure, 2020-2023).
        https://github.com/AiCure/open_dbm
    Lin, V., Girard, J. M., & Morency, L.-P. (2020). Context-dependent models for predicting and
        characterizing facial expressiveness. CEUR Workshop Proc., 2614.

    Examples
    --------
    >>> table = pd.DataFrame({au: [0.0, 0.1] for au in schema.au_columns(20)})
    >>> table["AU06"] = table["AU12"] = [0.0, 0.9]
    >>> expressivity(table)[["feature", "soft", "hard"]].round(3).to_dict("records")
    [{'feature': 'overall', 'soft': 0.129, 'hard': 0.064},
     {'feature': 'upper', 'soft': 0.075, 'hard': 0.075},
     {'feature': 'lower', 'soft': 0.129, 'hard': 0.064}]
    """
    threshold = check_number("on", on)
    every = pick_columns(frame, group="aus")
    needed = sorted({au for sets in EXPRESSION_SETS.values() for one in sets for au in one})
    pick_columns(frame, needed, group="aus", name="aus")
    rows = group_rows(frame, by)
    columns = []
    for region, sets in EXPRESSION_SETS.items():
        own = [au for au in every if region in ("overall", schema.ACTION_UNITS[au].region)]
        scores = rows.parts.values(frame, own)
        among = {au: rows.parts.values(frame, au) for one in sets for au in one}
        soft, hard = _composite(sets, among, threshold)
        valid = ~np.isnan(soft)
        columns.append({
            "mean_score": rows.mean(np.where(valid, scores.mean(axis=1), np.nan)),
            "n_on": rows.mean(np.where(valid, (scores >= threshold).sum(axis=1), np.nan)),
            "soft": rows.mean(soft),
            "soft_sd": rows.sd(soft),
            "hard": rows.mean(hard),
            "n_frames": rows.n_frames,
            "n_valid": rows.count(valid),
            "seconds": rows.seconds(valid),
        })  # fmt: skip
    return tidy(rows.table(), list(EXPRESSION_SETS), columns)


def _composite(
    sets: Sequence[Sequence[str]], scores: Mapping[str, Floats], on: float
) -> tuple[Floats, Floats]:
    """Soft and hard expressivity of each row; NaN where a score is."""
    softs, hards = [], []
    for one in sets:
        values = np.stack([scores[au] for au in one])
        active = values >= on
        n = active.sum(axis=0)
        soft = np.where(active, values, 0.0).sum(axis=0) / np.maximum(n, 1)
        soft[np.isnan(values).any(axis=0)] = np.nan
        softs.append(soft)
        hards.append(np.where(np.isnan(soft) | (n == len(one)), soft, 0.0))
    return np.mean(softs, axis=0), np.mean(hards, axis=0)


def pspi(
    frame: pd.DataFrame,
    *,
    group: Literal["aus", "intensities"] = "aus",
    eyes: str = "AU43",
) -> pd.Series:
    """Score pain as Prkachin and Solomon do: AU04 + max(AU06, AU07) + max(AU09, AU10) + AU43.

    Parameters
    ----------
    frame
        Rows with those action units, in any order.
    group
        ``"aus"``: scores of 0 to 1, so the result is 0 to 4; ``"intensities"``: FACS intensities of
        0 to 5 (``AU04_r`` …), so the result is 0 to 16, the scale of the literature.
    eyes
        Column with eye closure, 0 to 1; OpenFace has ``"AU45"``.

    Returns
    -------
    Series
        ``pspi``, one value per row of `frame`, with its index; NaN where one of the six is NaN.

    Raises
    ------
    FexError
        If a column is missing.

    Notes
    -----
    PSPI was made for intensities that people code. With scores, which say how surely an action unit
    is there, it is an index of how much of the pain configuration is seen and its cut-offs do not
    hold. The configuration is not specific: effort, disgust, blinks and squinting raise it, and
    pain need not show. It does not tell whether somebody is in pain.

    References
    ----------
    Prkachin, K. M., & Solomon, P. E. (2008). The structure, reliability and validity of pain
        expression. Pain, 139(2), 267-274. https://doi.org/10.1016/j.pain.2008.04.010

    Examples
    --------
    >>> scores = {"AU04": 0.5, "AU06": 0.2, "AU07": 0.4, "AU09": 0.1, "AU10": 0.3, "AU43": 0.0}
    >>> pspi(pd.DataFrame(scores, index=[0])).round(2).tolist()
    [1.2]
    """
    check_option("group", group, ("aus", "intensities"))
    end = "" if group == "aus" else "_r"
    names = [f"AU{n:02d}{end}" for n in (4, 6, 7, 9, 10)]
    pick_columns(frame, names, group=group, name="aus")
    pick_columns(frame, eyes, name="eyes")
    brow, cheek, lid, nose, lip, closed = (
        frame[c].to_numpy(np.float64, na_value=np.nan) for c in (*names, eyes)
    )
    score = brow + np.maximum(cheek, lid) + np.maximum(nose, lip) + closed
    return pd.Series(score, index=frame.index, name="pspi")
