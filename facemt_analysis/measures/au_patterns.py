"""Action units that come together: pairs, and smiles with and without raised cheeks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from facemt_analysis.checks import check_number, pick_columns
from facemt_analysis.errors import FexError
from facemt_analysis.measures.au_events import AU_ON, au_thresholds
from facemt_analysis.measures.event_detection import detect_events
from facemt_analysis.measures.events import Threshold, event_rules, event_table
from facemt_analysis.measures.grouping import divided, group_rows
from facemt_analysis.signal.segments import cut

__all__ = ["cooccurrence", "smile_types"]


def cooccurrence(
    frame: pd.DataFrame,
    aus: str | Iterable[str] | None = None,
    *,
    on: Threshold = AU_ON,
    by: str | Sequence[str] | None = None,
) -> pd.DataFrame:
    """Measure how much action units are on at the same time.

    Parameters
    ----------
    frame
        Rows in any order, with action units.
    aus
        At least two; default all.
    on
        Score from which one is on; a number, or ``{"AU12": 0.4}`` for some (0.5 for the others).
    by
        See :mod:`facemt_analysis.measures.grouping`.

    Returns
    -------
    DataFrame
        One row per group and pair: what the group is, ``feature_a``, ``feature_b``, and of the time
        in which both are valid: ``share_a``, ``share_b``, ``share_both`` (shares of the time on),
        ``jaccard`` (both / either), ``p_b_given_a``, ``p_a_given_b``, ``phi`` (correlation of the
        two states), ``n_both``, ``n_frames``, ``n_valid``, ``seconds``. NaN where the denominator is
        0: ``jaccard`` where neither is ever on, ``phi`` where one never changes.

    Raises
    ------
    FexError
        If fewer than two are there, one is unknown, or time goes backwards.

    Notes
    -----
    Two states that are rare or nearly always on agree by chance: ``phi`` takes the shares into
    account, ``jaccard`` and the conditional shares do not. Frames follow one another: their number
    is no sample size.

    Examples
    --------
    >>> table = pd.DataFrame({"AU06": [0, 1, 1, 0], "AU12": [1, 1, 1, 0]}, dtype=float)
    >>> cooccurrence(table)[["share_both", "jaccard", "p_b_given_a", "phi"]].round(3).iloc[0].tolist()
    [0.5, 0.667, 1.0, 0.577]
    """  # noqa: E501
    names = pick_columns(frame, aus, group="aus", name="aus")
    if len(names) < 2:
        raise FexError(f"`aus` must name at least two action units, but there is only {names[0]}.")
    rules = event_rules(names, au_thresholds(names, on), None, 0.0, 0.0)
    rows = group_rows(frame, by)
    values = rows.parts.values(frame, names)
    valid = ~np.isnan(values)
    state = (values >= [rules[name].on for name in names]).astype(np.float64)
    first, second = np.array(list(combinations(range(len(names)), 2))).T
    counted = {key: np.empty((len(rows), len(first))) for key in ("a", "b", "both", "all")}
    n_both, n_valid = (np.empty((len(rows), len(first)), dtype=np.int64) for _ in range(2))
    seconds = np.full((len(rows), len(first)), np.nan)
    lasts = np.nan_to_num(rows.parts.lasts)
    for g, (start, stop) in enumerate(zip(rows.bounds[:-1], rows.bounds[1:], strict=True)):
        x, v = state[start:stop], valid[start:stop].astype(np.float64)
        weight = rows.weight[start:stop, None]
        counted["all"][g] = (v.T @ (weight * v))[first, second]
        counted["a"][g] = (x.T @ (weight * v))[first, second]
        counted["b"][g] = (v.T @ (weight * x))[first, second]
        counted["both"][g] = (x.T @ (weight * x))[first, second]
        n_both[g] = np.rint(x.T @ x)[first, second]
        n_valid[g] = np.rint(v.T @ v)[first, second]
        if rows.timed:
            seconds[g] = (v.T @ (lasts[start:stop, None] * v))[first, second]
    a, b, both = (divided(counted[key], counted["all"]) for key in ("a", "b", "both"))
    out = rows.table().iloc[np.repeat(np.arange(len(rows)), len(first))].reset_index(drop=True)
    out["feature_a"] = [names[i] for i in first] * len(rows)
    out["feature_b"] = [names[i] for i in second] * len(rows)
    spread = np.sqrt(np.clip(a * (1 - a) * b * (1 - b), 0, None))
    columns = {
        "share_a": a, "share_b": b, "share_both": both, "jaccard": divided(both, a + b - both),
        "p_b_given_a": divided(both, a), "p_a_given_b": divided(both, b),
        "phi": divided(both - a * b, np.where(spread > 1e-12, spread, 0.0)), "n_both": n_both,
        "n_frames": np.repeat(rows.n_frames[:, None], len(first), axis=1), "n_valid": n_valid,
        "seconds": seconds,
    }  # fmt: skip
    for key, value in columns.items():
        out[key] = value.reshape(-1)
    return out


def smile_types(
    frame: pd.DataFrame,
    *,
    on: Threshold = AU_ON,
    off: Threshold | None = None,
    min_duration: float = 0.3,
    max_gap: float = 0.1,
    min_share: float = 0.5,
    labels: str | Sequence[str] = (),
) -> pd.DataFrame:
    """Say of each smile (AU12) whether the cheeks are raised (AU06) with it.

    Parameters
    ----------
    frame
        Rows in any order, with ``time``, ``AU06`` and ``AU12``.
    on, off, min_duration, max_gap, labels
        See :func:`facemt_analysis.measures.find_events`; events of both action units are found in
        the same way, smiles of at least `min_duration` s.
    min_share
        Share of the smile's time with AU06 from which it counts as ``"AU06+AU12"``, 0 to 1.

    Returns
    -------
    DataFrame
        One row per smile, the columns of :func:`find_events` and

        - ``au06_share``: share of its time that lies within an AU06 event (of the frames in which
          both are valid);
        - ``au06_lag``: onset of the first AU06 event that overlaps it − onset of the smile, s;
          below 0: the cheeks rose first; NaN without one;
        - ``type``: ``"AU06+AU12"`` or ``"AU12"``; missing where AU06 is never valid.

    Raises
    ------
    FexError
        If an action unit or the time is missing.
    OptionError
        If a threshold, duration or share cannot be.

    Notes
    -----
    The type says what moved and nothing about what was felt. Smiles with AU06 are made on request
    as often as in amusement (Krumhuber & Manstead, 2009), AU06 also comes with polite and
    embarrassed smiles (Ambadar et al., 2009), and it adds little to what the rest of a smile tells
    (Girard et al., 2021): never call them genuine.

    References
    ----------
    Ambadar, Z., Cohn, J. F., & Reed, L. I. (2009). All smiles are not created equal. J. Nonverbal
        Behav., 33, 17-34. https://doi.org/10.1007/s10919-008-0059-5
    Girard, J. M., Cohn, J. F., Yin, L., & Morency, L.-P. (2021). Reconsidering the Duchenne smile.
        Affect. Sci., 2, 32-47. https://doi.org/10.1007/s42761-020-00030-w
    Krumhuber, E. G., & Manstead, A. S. R. (2009). Can Duchenne smiles be feigned? Emotion, 9(6),
        807-820. https://doi.org/10.1037/a0017844

    Examples
    --------
    >>> time = np.arange(40) / 10
    >>> table = pd.DataFrame({"time": time, "AU12": (time >= 1) & (time < 3), "AU06": time >= 1.5})
    >>> smile_types(table.astype(float))[["au06_share", "au06_lag", "type"]].to_dict("records")
    [{'au06_share': 0.75, 'au06_lag': 0.5, 'type': 'AU06+AU12'}]
    """
    pair = ["AU06", "AU12"]
    pick_columns(frame, pair, group="aus", name="aus")
    rules = event_rules(pair, au_thresholds(pair, on), off, min_duration, max_gap)
    share = check_number("min_share", min_share, 0.0, 1.0)
    parts = cut(frame)
    (_, cheek, cheeks), (_, lips, smiles) = detect_events(frame, parts, rules)
    edges = np.zeros(len(cheek) + 1)
    np.add.at(edges, cheeks.start, 1.0)
    np.add.at(edges, cheeks.last + 1, -1.0)
    shown = np.nan_to_num(parts.lasts) * ~(np.isnan(cheek) | np.isnan(lips))
    lasts = np.append(0.0, np.cumsum(shown))
    raised = np.append(0.0, np.cumsum(shown * np.cumsum(edges[:-1])))
    ends = smiles.last + 1
    au06 = divided(raised[ends] - raised[smiles.start], lasts[ends] - lasts[smiles.start])
    # the first event of the cheeks that is not over when the smile begins
    beside = np.searchsorted(cheeks.last, smiles.start)
    known = np.flatnonzero(beside < len(cheeks))
    known = known[cheeks.start[beside[known]] <= smiles.last[known]]
    lag = np.full(len(smiles), np.nan)
    lag[known] = cheeks.onset[beside[known]] - smiles.onset[known]
    out = event_table(frame, parts, {"AU12": smiles}, labels)
    out["au06_share"] = au06
    out["au06_lag"] = lag
    out["type"] = np.where(au06 >= share, "AU06+AU12", "AU12")
    out["type"] = out["type"].where(~np.isnan(au06))
    return out
