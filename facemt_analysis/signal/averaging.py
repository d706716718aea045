"""Averages of epochs: within people first, then across them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.checks import check_labels, check_number
from facemt_analysis.errors import FexError
from facemt_analysis.signal.columns import signal_columns

__all__ = ["epoch_average", "grand_average"]


def epoch_average(
    frame: pd.DataFrame,
    by: str | Sequence[str] = (),
    *,
    columns: str | Iterable[str] | None = None,
    subject: str = "subject",
    width: float | None = None,
) -> pd.DataFrame:
    """Average epochs within each person: the courses that statistics across people start from.

    Parameters
    ----------
    frame
        What :func:`epochs` gave.
    by
        Labels whose combinations are averaged apart, e.g. ``"condition"``.
    columns
        Signals; default all features except ``FaceScore``.
    subject
        The column that names the person.
    width
        Width of bins of time, s, the first one at the event going from 0 to `width`; each epoch's
        mean in a bin comes first. None: the epochs have their times in common (``hz=``).

    Returns
    -------
    DataFrame
        One row per person, combination and time, sorted: `subject`, `by`, ``epoch_time`` (s; of a
        bin the middle), ``n_epochs`` (with a valid value at that time), and the means. Every epoch
        counts the same; missing values are passed over.

    Raises
    ------
    FexError
        If the table has no epochs or no such column, or they do not have their times in common.

    Examples
    --------
    >>> table = pd.DataFrame({"subject": "a", "epoch": [0, 0, 1, 1], "epoch_time": [0, 0.5] * 2,
    ...                       "AU12": [0.1, 0.5, 0.3, 0.9]})
    >>> epoch_average(table)
      subject  epoch_time  n_epochs  AU12
    0       a         0.0         2   0.2
    1       a         0.5         2   0.7
    """
    names = signal_columns(frame, columns)
    plain = pd.DataFrame(frame)
    for need in ("epoch", "epoch_time"):
        if need not in plain.columns:
            raise FexError(f"This needs epochs, but there is no column {need!r}: see epochs().")
    cells = [*check_labels(plain, subject, name="subject"), *check_labels(plain, by)]
    cells = list(dict.fromkeys(cells))
    which = [c for c in ("input", "track") if c in plain.columns and c not in cells]
    epoch = [*cells, *which, "epoch"]
    since = plain["epoch_time"].to_numpy(np.float64)
    if width is None:
        moment = np.round(since, 6)
        _check_common(plain, epoch, moment)
    else:
        width = check_number("width", width, 0.0, open_low=True, unit="s")
        moment = np.round((np.floor(since / width + 1e-6) + 0.5) * width, 6)
    table = plain[[*epoch, *names]].assign(epoch_time=moment)
    table = table.astype(dict.fromkeys(names, np.float64))
    each = table.groupby([*epoch, "epoch_time"], observed=True)[names].mean()
    each["n_epochs"] = each.notna().any(axis=1)
    by_cell = each.groupby([*cells, "epoch_time"], observed=True)
    means = pd.DataFrame(by_cell[names].mean())
    means.insert(0, "n_epochs", by_cell["n_epochs"].sum().astype(np.int64))
    return means.reset_index()


def grand_average(
    courses: pd.DataFrame,
    by: str | Sequence[str] = (),
    *,
    columns: str | Iterable[str] | None = None,
) -> pd.DataFrame:
    """Average people's courses, each person counting the same.

    Parameters
    ----------
    courses
        What :func:`epoch_average` gave: one row per person, combination and time.
    by
        Labels that are kept apart.
    columns
        Signals; default all features.

    Returns
    -------
    DataFrame
        One row per combination, time and feature: `by`, ``epoch_time``, ``feature``, ``mean``,
        ``sd`` (n − 1), ``se`` (sd / √n) and ``n_subjects`` (with a value at that time).

    Raises
    ------
    FexError
        If a column is absent, or a person is there twice at a time (keep more labels apart).

    Examples
    --------
    >>> courses = pd.DataFrame({"subject": ["a", "b"], "epoch_time": 0.0, "AU12": [0.2, 0.4]})
    >>> grand_average(courses).round(3)
       epoch_time feature  mean     sd   se  n_subjects
    0         0.0    AU12   0.3  0.141  0.1           2
    """
    names = signal_columns(courses, columns)
    plain = pd.DataFrame(courses)
    cells = [*check_labels(plain, by), *check_labels(plain, "epoch_time", name="courses")]
    who = [c for c in plain.columns if c not in {*names, "n_epochs"}]
    rest = [c for c in who if c not in cells]
    if plain.duplicated([*rest[:1], *cells]).any():
        raise FexError(
            f"A {rest[0] if rest else 'course'} is there several times at one time; keep labels "
            f"apart with `by` ({', '.join(rest[1:]) or 'none left'}) or average them first."
        )
    long = plain.melt(id_vars=cells, value_vars=names, var_name="feature", value_name="value")
    long["feature"] = pd.Categorical(long["feature"], categories=names, ordered=True)
    grouped = long.groupby([*cells, "feature"], observed=True)["value"]
    result = pd.DataFrame({"mean": grouped.mean(), "sd": grouped.std()})
    n = grouped.count()
    result["se"] = result["sd"] / np.sqrt(n)
    result["n_subjects"] = n.astype(np.int64)
    return result.reset_index().assign(feature=lambda t: t["feature"].astype(str))


def _check_common(frame: pd.DataFrame, epoch: list[str], moment: NDArray[np.float64]) -> None:
    rows = frame.groupby(epoch, observed=True).size()
    if len(rows) and len(np.unique(moment)) > rows.max():
        raise FexError(
            "The epochs do not have their times in common; make them with epochs(..., hz=), or "
            "average in bins of time with `width`."
        )
