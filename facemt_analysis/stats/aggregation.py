"""From frames to subjects: one row per subject and cell, recordings weighed by a stated rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.checks import check_labels, check_option, check_whole, pick_columns
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats.named_measures import Measures, measure_units

__all__ = [
    "COUNTS", "FEATURE_GROUPS", "UNIT_COLUMNS", "Aggregation", "Units", "Weights",
    "complete_rows", "resolve_features", "summarize", "unit_table",
]  # fmt: skip

Aggregation = str | Callable[[pd.Series], float]
"""How the frames of a recording become one number."""

Weights = Literal["recordings", "frames"]
"""How recordings of one cell are averaged: each counts the same, or by its valid frames."""

UNIT_COLUMNS = ("input", "trial", "epoch")
"""Columns that say which recording or trial a row belongs to, where a table has them."""

FEATURE_GROUPS = ("poses", "aus", "intensities", "emotions", "va", "gazes", "blendshapes")
"""Groups that are summarised where nothing is said: no boxes, landmarks or mesh in pixels."""

COUNTS = ("n_recordings", "n_frames", "n_valid")
"""Columns of counts in a summary."""


@dataclass(frozen=True, eq=False)
class Units:
    """Recordings or trials, one row each.

    Parameters
    ----------
    keys
        Subject, cell and unit of each, and ``n_frames``.
    values
        What was made of each feature, float64; NaN where it cannot be had.
    valid
        Frames with a value of each feature.
    n_valid
        Frames with a value of at least one feature.
    """

    keys: pd.DataFrame
    values: pd.DataFrame
    valid: pd.DataFrame
    n_valid: pd.Series


def summarize(
    frame: pd.DataFrame,
    *,
    subject: str = "subject",
    by: str | Sequence[str] = (),
    features: str | Iterable[str] | None = None,
    measures: Measures | None = None,
    how: Aggregation = "mean",
    weights: Weights = "recordings",
    unit: str | Sequence[str] | None = None,
    min_frames: int = 1,
) -> pd.DataFrame:
    """Make the table of subjects that statistics across subjects start from.

    Parameters
    ----------
    frame
        One row per face and frame, with a column that says who it is.
    subject
        The column that names the person.
    by
        Labels whose combinations make the cells, e.g. ``"condition"``; nothing: one row per
        subject. A label per recording gives one row per recording.
    features
        Columns to summarise, or the name of a group of them (``"aus"``); default all of
        :data:`FEATURE_GROUPS`, or none if `measures` are given.
    measures
        Named measures (see :func:`available_measures`), functions that take the rows of a recording
        and give a number or a Series of named numbers, or a mapping from names to such functions.
    how
        What becomes of the frames of a recording: ``"mean"``, any other aggregation pandas knows by
        name, or a function of a Series.
    weights
        How the recordings of a subject in a cell are averaged: ``"recordings"``: each counts the
        same; ``"frames"``: by the number of frames in which the feature is valid.
    unit
        Columns that tell recordings or trials apart; default those of ``input``, ``trial`` and
        ``epoch`` that are there.
    min_frames
        Recordings with fewer valid frames of a feature do not count for it.

    Returns
    -------
    DataFrame
        One row per subject and cell, in the order of their first rows: ``subject``, the columns of
        `by`, ``n_recordings``, ``n_frames`` (rows, with and without a face), ``n_valid`` (frames
        with a value of at least one feature), then one float64 column per feature and measure. NaN
        where nothing is valid. Rows whose subject or cell is missing are left out.

    Raises
    ------
    FexError
        If a column is not there, the subject changes within a recording, or two faces of one frame
        have the same subject.

    Examples
    --------
    >>> table = pd.DataFrame({"subject": list("aaab"), "input": ["1", "1", "2", "3"],
    ...                       "AU12": [0.0, 0.2, 0.5, 0.8]})
    >>> summarize(table, features="AU12")
      subject  n_recordings  n_frames  n_valid  AU12
    0       a             2         3        3   0.3
    1       b             1         1        1   0.8
    >>> summarize(table, features="AU12", weights="frames")["AU12"].round(3).tolist()
    [0.233, 0.8]
    """
    check_option("weights", weights, ("recordings", "frames"))
    cells = [c for c in check_labels(frame, by) if c != subject]
    units = unit_table(
        frame, features, subject=subject, by=cells, measures=measures, how=how, unit=unit,
        min_frames=min_frames,
    )  # fmt: skip
    keys = [subject, *cells]
    grouping: Any = [units.keys[k] for k in keys]
    options: Any = {"sort": False, "observed": True}
    counts = pd.DataFrame(
        {
            "n_recordings": np.ones(len(units.keys), dtype=np.int64),
            "n_frames": units.keys["n_frames"],
            "n_valid": units.n_valid,
        }
    )
    out = counts.groupby(grouping, **options).sum()
    if weights == "recordings":
        means = units.values.groupby(grouping, **options).mean()
    else:
        weight = units.valid.where(units.values.notna(), 0)
        total = (units.values.fillna(0.0) * weight).groupby(grouping, **options).sum()
        means = total / weight.groupby(grouping, **options).sum().replace(0, np.nan)
    return pd.DataFrame(pd.concat([out, means], axis=1).reset_index())


def resolve_features(frame: pd.DataFrame, features: str | Iterable[str] | None) -> list[str]:
    """Name the columns that features, groups of features, or None (see above) stand for.

    Examples
    --------
    >>> table = pd.DataFrame({"AU06": [0.1], "AU12": [0.5], "FaceScore": [1.0], "valence": [0.0]})
    >>> resolve_features(table, None), resolve_features(table, ["valence", "aus"])
    (['AU06', 'AU12', 'valence'], ['valence', 'AU06', 'AU12'])
    """
    present = frame.columns.tolist()
    if features is None:
        usual = [c for group in FEATURE_GROUPS for c in schema.columns_in(group, present)]
        return usual or pick_columns(frame)
    wanted: list[str] = []
    for name in [features] if isinstance(features, str) else features:
        if name in schema.GROUPS and name not in present:
            wanted += pick_columns(frame, group=name)
        else:
            wanted.append(name)
    return pick_columns(frame, wanted, name="features")


def complete_rows(
    frame: pd.DataFrame, labels: Sequence[str], columns: Iterable[str] | None = None
) -> pd.DataFrame:
    """Take the rows that have all labels, and of the columns no more than needed.

    A Fex with its mesh is large; what is not needed is not copied.
    """
    rows = frame[list(labels)].notna().all(axis=1)
    wanted = frame.columns if columns is None else {*labels, *columns}
    return frame.loc[rows.to_numpy(), [c for c in frame.columns if c in wanted]]


def unit_table(
    frame: pd.DataFrame,
    features: str | Iterable[str] | None,
    *,
    subject: str,
    by: Sequence[str] = (),
    measures: Measures | None = None,
    how: Aggregation = "mean",
    unit: str | Sequence[str] | None = None,
    min_frames: int = 1,
) -> Units:
    """Make one row per recording (or trial) and cell; :func:`summarize` documents the arguments."""
    plain = pd.DataFrame(frame)
    check_whole("min_frames", min_frames, 1)
    if not isinstance(how, str) and not callable(how):
        raise OptionError(f"`how` must be the name of an aggregation or a function, got {how!r}.")
    check_labels(plain, subject, name="subject")
    unit_columns = (
        [c for c in UNIT_COLUMNS if c in plain.columns]
        if unit is None
        else check_labels(plain, unit, name="unit")
    )
    only_measures = features is None and measures is not None
    columns = [] if only_measures else resolve_features(plain, features)
    _check_numeric(plain, columns)
    keys = list(dict.fromkeys([subject, *by, *unit_columns]))
    needed = None if measures is not None else [*columns, *keys, *schema.KEYS]
    kept = complete_rows(plain, [subject, *by], needed)
    if kept.empty:
        raise FexError(f"There is no row with a value of {' and '.join([subject, *by])}.")
    _check_subjects(kept, subject)
    shown = columns or pick_columns(plain)  # measures say not what they use
    values = kept[columns].astype(np.float64)
    valid_rows = kept[shown].notna().any(axis=1)
    _check_faces(kept, keys, valid_rows)

    grouping: Any = [kept[k] for k in keys]
    options: Any = {"sort": False, "observed": True, "dropna": False}
    sizes = valid_rows.groupby(grouping, **options).agg(["size", "sum"])
    index = sizes.reset_index()[keys].assign(n_frames=sizes["size"].to_numpy())
    if columns:
        grouped = values.groupby(grouping, **options)
        valid = grouped.count().reset_index(drop=True)
        means = grouped.agg(how).reset_index(drop=True).astype(np.float64)
        means = means.where(valid >= min_frames)
    else:
        means = pd.DataFrame(index=index.index)
        valid = means.copy()
    n_valid = sizes["sum"].reset_index(drop=True).astype(np.int64)
    if measures is not None:
        extra = measure_units(kept, measures, keys, index[keys])
        taken = [c for c in extra.columns if c in means.columns]
        if taken:
            raise FexError(f"`measures`: {taken[0]!r} is the name of a feature already.")
        extra[n_valid < min_frames] = np.nan
        means = pd.concat([means, extra], axis=1)
        counts = pd.DataFrame(dict.fromkeys(extra.columns, n_valid), index=valid.index)
        valid = pd.concat([valid, counts], axis=1)
    return Units(index, means, valid, n_valid)


def _check_numeric(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    for column in columns:
        if not pd.api.types.is_numeric_dtype(frame[column]):
            raise FexError(
                f"`features`: {column!r} holds {frame[column].dtype}, not numbers; labels go into "
                "`by` or `condition`."
            )


def _check_subjects(frame: pd.DataFrame, subject: str) -> None:
    """Nobody turns into somebody else within a track."""
    track = [c for c in ("input", "track") if c in frame.columns]
    if "input" not in track or subject in track:
        return
    faces = frame[frame["track"] >= 0] if "track" in track else frame
    who = faces[[*track, subject]].drop_duplicates()
    twice = who[who.duplicated(track, keep=False)]
    if not twice.empty:
        recording = twice["input"].iloc[0]
        names = twice.loc[twice["input"] == recording, subject].unique().tolist()
        raise FexError(
            f"{subject!r} changes within recording {recording!r}: {', '.join(map(str, names[:4]))}."
            " A face belongs to one person; label by input and track, and give every recording a "
            "name of its own."
        )


def _check_faces(frame: pd.DataFrame, keys: Sequence[str], valid: pd.Series) -> None:
    """Nobody is in a frame twice."""
    if "frame" not in frame.columns or "input" not in frame.columns:
        return
    moment = list(dict.fromkeys([*keys, "input", "frame"]))
    faces = frame.loc[valid, moment]
    twice = faces.duplicated()
    if twice.any():
        row = faces[twice].iloc[0]
        raise FexError(
            f"{row['input']}: frame {row['frame']} has several faces of {keys[0]} {row[keys[0]]}. "
            'Say who is who, fex.label(table, on=["input", "track"]), or keep one track.'
        )
