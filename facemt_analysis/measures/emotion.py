"""Which emotion leads, how much of each there is, and how mixed they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.checks import check_number, pick_columns
from facemt_analysis.measures.grouping import complete, group_rows, tidy

__all__ = ["NO_EMOTION", "dominant_emotion", "emotion_codes", "emotion_entropy", "emotion_summary"]

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]

NO_EMOTION = "none"
"""What a frame is called in which no emotion reaches the threshold."""


def emotion_codes(probabilities: Floats, threshold: float | None) -> Positions:
    """Position of the greatest probability of each row.

    Parameters
    ----------
    probabilities
        Shape (n, k).
    threshold
        What it must reach; None: nothing.

    Returns
    -------
    ndarray
        Shape (n,): 0 to k − 1, the first one of equals; k: below the threshold; −1: one is NaN.
    """
    limit = -np.inf if threshold is None else check_number("threshold", threshold, 0.0, 1.0)
    code = np.argmax(probabilities, axis=1)
    low = np.take_along_axis(probabilities, code[:, None], axis=1)[:, 0] < limit
    return np.where(
        complete(probabilities), np.where(low, probabilities.shape[1], code), -1
    ).astype(np.intp)


def emotion_entropy(probabilities: Floats) -> Floats:
    """Shannon entropy of each row in bits: 0 for one emotion, log2 k for all alike.

    Parameters
    ----------
    probabilities
        Shape (n, k); divided by their sum, negative ones (after smoothing) count as 0.

    Examples
    --------
    >>> emotion_entropy(np.array([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25, 0.25, 0.25, 0.25]]))
    array([0., 1., 2.])
    """
    p = np.where(np.isnan(probabilities), np.nan, np.maximum(probabilities, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = p / p.sum(axis=1, keepdims=True)
        terms = np.where(p == 0, 0.0, p * np.log2(p))
    return np.asarray(-terms.sum(axis=1) + 0.0)  # no -0.0


def dominant_emotion(frame: pd.DataFrame, *, threshold: float | None = None) -> pd.Series:
    """Name the most probable emotion of each row.

    Parameters
    ----------
    frame
        Rows with emotions.
    threshold
        Probability it must reach, 0 to 1; else the row is ``"none"``. Default: any.

    Returns
    -------
    Series
        ``emotion``, categorical, with the index of `frame`; categories are the emotions of the
        table, then ``"none"`` if there is a threshold. Missing where there is no face. Of equals
        the first one in the order of the schema.

    Raises
    ------
    FexError
        If there are no emotions.
    OptionError
        If the threshold cannot be.

    Examples
    --------
    >>> table = pd.DataFrame({"Neutral": [0.7, 0.4, np.nan], "Happy": [0.3, 0.6, np.nan]})
    >>> dominant_emotion(table).tolist()
    ['Neutral', 'Happy', nan]
    >>> dominant_emotion(table, threshold=0.65).tolist()
    ['Neutral', 'none', nan]
    """
    names = pick_columns(frame, group="emotions")
    values = pd.DataFrame(frame)[names].to_numpy(np.float64, na_value=np.nan)
    codes = emotion_codes(values, threshold)
    categories = pd.Index(names if threshold is None else [*names, NO_EMOTION])
    return pd.Series(
        pd.Categorical.from_codes(codes, categories=categories), index=frame.index, name="emotion"
    )


def emotion_summary(
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    *,
    threshold: float | None = None,
) -> pd.DataFrame:
    """Summarise emotions: mean probability, share of the time it leads, entropy.

    Parameters
    ----------
    frame
        Rows in any order, with emotions.
    by
        See :mod:`facemt_analysis.measures.grouping`.
    threshold
        As in :func:`dominant_emotion`.

    Returns
    -------
    DataFrame
        One row per group and emotion: what the group is, ``feature``, ``mean`` and ``sd`` (ddof 0)
        of the probability, ``max``, ``share`` (of the valid time in which it is the dominant one;
        with a threshold they need not add up to 1); then, the same for all emotions of a group,
        ``mean_entropy`` (of the single frames: how mixed an expression is at a time) and
        ``entropy_of_mean`` (of the mean probabilities: how mixed all of it is), in bits, 0 to log2
        of the number of emotions; ``n_frames``, ``n_valid``, ``seconds``.

    Raises
    ------
    FexError
        If there are no emotions, or time goes backwards.
    OptionError
        If the threshold cannot be.

    Notes
    -----
    Probabilities say what an expression looks like to a classifier, not what is felt (Barrett et
    al., 2019).

    References
    ----------
    Barrett, L. F., Adolphs, R., Marsella, S., Martinez, A. M., & Pollak, S. D. (2019). Emotional
        expressions reconsidered. Psychol. Sci. Public Interest, 20(1), 1-68.
        https://doi.org/10.1177/1529100619832930
    Shannon, C. E. (1948). A mathematical theory of communication. Bell Syst. Tech. J., 27, 379-423.
        https://doi.org/10.1002/j.1538-7305.1948.tb01338.x

    Examples
    --------
    >>> table = pd.DataFrame({"Neutral": [1.0, 1.0, 0.0, 0.0], "Happy": [0.0, 0.0, 1.0, 1.0]})
    >>> emotion_summary(table)[["feature", "mean", "share", "mean_entropy", "entropy_of_mean"]]
       feature  mean  share  mean_entropy  entropy_of_mean
    0  Neutral   0.5    0.5           0.0              1.0
    1    Happy   0.5    0.5           0.0              1.0
    """
    names = pick_columns(frame, group="emotions")
    rows = group_rows(frame, by)
    values = rows.parts.values(frame, names)
    codes = emotion_codes(values, threshold)
    valid = codes >= 0
    values[~valid] = np.nan
    mean, sd, most = rows.mean(values), rows.sd(values), rows.maximum(values)
    of_group = {
        "mean_entropy": rows.mean(emotion_entropy(values)),
        "entropy_of_mean": emotion_entropy(mean),
        "n_frames": rows.n_frames,
        "n_valid": rows.count(valid),
        "seconds": rows.seconds(valid),
    }
    columns = [
        {
            "mean": mean[:, i],
            "sd": sd[:, i],
            "max": most[:, i],
            "share": rows.mean(np.where(valid, codes == i, np.nan)),
            **of_group,
        }
        for i in range(len(names))
    ]
    return tidy(rows.table(), names, columns)
