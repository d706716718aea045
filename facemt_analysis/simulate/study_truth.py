"""The known answer of a simulated study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.simulate.study_engine import Courses, Recording
from facemt_analysis.simulate.study_events import DISPLAYS, Events
from facemt_analysis.simulate.study_population import AUS, FEATURES

__all__ = [
    "LEVEL_FEATURES", "StudyTruth", "clean_columns", "clean_rows", "event_table", "fixation_table",
    "labels_of", "level_table", "level_values",
]  # fmt: skip

Floats = npt.NDArray[np.float64]

LEVEL_FEATURES = (*AUS, *schema.EMOTIONS, *FEATURES[len(AUS) + len(schema.EMOTIONS) - 1 :])
"""Features whose means the truth knows, in the order of the schema."""

_CLEAN = ("aus", "emotions", "va", "gazes", "poses")


@dataclass(frozen=True)
class StudyTruth:
    """What was planted in a simulated study, as tidy tables.

    Every table but `frames` can be joined by its first columns; labels (``subject``, ``group`` if
    there are groups, ``condition``, ``trial``) are those of the Fex.

    Parameters
    ----------
    frames
        One row per row of the Fex, with its index: ``input frame time``, the labels, ``face``
        (bool: the face is found) and the noise-free action units, emotions, valence, arousal, gaze
        and head pose, also where the face is not found. float32.
    events
        One row per planted AU event: ``input``, labels, ``feature``, ``display`` (what it is part
        of), ``source`` (``own``, ``stimulus``: everybody who sees this has it, or ``partner``),
        ``onset apex offset duration`` (s), ``amplitude`` (score that this event adds at its apex),
        ``peak`` (noise-free score at the frame next to the apex, other events and the resting level
        included), ``isolated`` (no other event of this action unit in this recording overlaps).
    levels
        One row per recording and feature: ``input``, labels, ``feature``, ``level`` (mean of the
        noise-free course over the frames with a face; the mean of the Fex column is the same),
        ``tonic`` (action units: the score where no event is), ``cell``, ``baseline``,
        ``reactivity``, ``trial_error`` (the parts of the level; NaN for Neutral, which is what the
        other emotions leave).
    effects
        One row per feature and contrast, effects of size 0 included: ``feature``, ``term``
        (``condition``, ``group`` or ``group:condition``), ``contrast``, its levels ``group`` (if
        there are groups) and ``condition``, ``effect_name`` (``dz`` or
        ``d``), ``planted`` (in the population, standardised; NaN for Neutral), ``planted_raw`` (in
        the feature's unit), ``sd`` (of the population, by which it is standardised), ``realised``
        and ``realised_raw`` (in this sample), ``start``, ``stop`` (s; of a windowed effect).
    isc
        One row per condition, trial and feature: ``planted``, the intersubject correlation to be
        expected (action units; NaN for what follows from them), ``realised`` mean correlation of
        all pairs of subjects in the noise-free courses, ``reliability`` (share of the variance of
        the Fex column that is not noise: correlations of the Fex are about ``realised`` ·
        ``reliability``).
    fixations
        One row per fixation: ``input``, labels, ``start``, ``stop`` (s), ``gaze_pitch``,
        ``gaze_yaw`` (rad, windowed effects on gaze not included).
    """

    frames: pd.DataFrame
    events: pd.DataFrame
    levels: pd.DataFrame
    effects: pd.DataFrame
    isc: pd.DataFrame
    fixations: pd.DataFrame

    def __repr__(self) -> str:
        lines = [type(self).__name__]
        for item in fields(self):
            table: pd.DataFrame = getattr(self, item.name)
            names = ", ".join(map(str, table.columns[:14])) + (
                ", …" if len(table.columns) > 14 else ""
            )
            lines.append(f"  {item.name:<10}{len(table):>9,} rows  {names}")
        return "\n".join(lines)

    @property
    def subjects(self) -> pd.DataFrame:
        """Baselines: one row per subject and feature.

        ``subject``, ``group``, ``feature``, ``baseline`` (how far this person is from the mean of
        the population in every condition), ``mean`` (over all recordings).
        """
        keys = [c for c in ("subject", "group") if c in self.levels]
        by = self.levels.groupby([*keys, "feature"], sort=False, observed=True)
        out = by.agg(baseline=("baseline", "first"), mean=("level", "mean"))
        return pd.DataFrame(out.reset_index())


def clean_columns() -> list[str]:
    """Feature columns of the table of frames."""
    return [c for group in _CLEAN for c in schema.GROUPS[group].columns if c not in ("X", "Y", "Z")]


def clean_rows(courses: Courses) -> npt.NDArray[np.float32]:
    """(rows, features) in the order of :func:`clean_columns`."""
    blocks = [
        courses.clean[group][..., : 3 if group == "poses" else None] for group in _CLEAN
    ]  # X, Y, Z of the pose are bookkeeping
    flat = [b.reshape(-1, b.shape[-1]).astype(np.float32) for b in blocks]
    return np.concatenate(flat, axis=1)


def level_values(courses: Courses, *, seen: bool = False) -> Floats:
    """Put the courses of `LEVEL_FEATURES` together: (recordings, frames, features)."""
    source = courses.seen if seen else courses.clean
    return np.concatenate(
        [
            source["aus"], source["emotions"], source["va"],
            source["gazes"][..., :2], source["poses"][..., :3],
        ],
        axis=-1,
    )  # fmt: skip


def labels_of(labels: Mapping[str, Sequence[object]], index: npt.NDArray[np.intp]) -> pd.DataFrame:
    """Repeat the labels of recordings."""
    return pd.DataFrame({k: pd.Series(list(v)).take(index).array for k, v in labels.items()})


def event_table(
    recordings: Sequence[Recording],
    courses: Courses,
    labels: Mapping[str, Sequence[object]],
    shared_source: str,
) -> pd.DataFrame:
    """Build the table of events of some recordings; see :class:`StudyTruth`."""
    parts: list[tuple[int, Events, str, Floats]] = []
    for i, recording in enumerate(recordings):
        parts.append((i, recording.own, "own", courses.own_gain[i]))
        if recording.shared is not None:
            parts.append((i, recording.shared, shared_source, courses.shared_gain[i]))
    n = np.array([len(e.au) for _, e, _, _ in parts])
    index = np.repeat(np.array([i for i, _, _, _ in parts], np.intp), n)
    au = np.concatenate([e.au for _, e, _, _ in parts])
    onset: Floats = np.concatenate([e.onset for _, e, _, _ in parts])
    apex: Floats = np.concatenate([e.apex for _, e, _, _ in parts])
    offset: Floats = np.concatenate([e.offset for _, e, _, _ in parts])
    amplitude = np.concatenate([e.amplitude * gain[e.au] for _, e, _, gain in parts])
    display = np.concatenate([e.display for _, e, _, _ in parts])
    source = np.repeat(np.array([s for _, _, s, _ in parts], dtype=object), n)
    keep = amplitude > 0  # shared blinks, say, are nobody's
    order = np.lexsort((onset, au, index))
    order = order[keep[order]]
    index, au, amplitude = index[order], au[order], amplitude[order]
    onset, apex, offset = onset[order], apex[order], offset[order]
    step = (courses.times[:, -1] - courses.times[:, 0]) / max(courses.times.shape[1] - 1, 1)
    frame = np.rint((apex - courses.times[index, 0]) / step[index]).astype(np.intp)
    frame = np.clip(frame, 0, courses.times.shape[1] - 1)
    table = labels_of(labels, index)
    table["feature"] = np.array(AUS, dtype=object)[au]
    table["display"] = np.array(list(DISPLAYS), dtype=object)[display[order]]
    table["source"] = source[order]
    table["onset"], table["apex"], table["offset"] = onset, apex, offset
    table["duration"] = offset - onset
    table["amplitude"] = amplitude
    table["peak"] = courses.clean["aus"][index, frame, au]
    table["isolated"] = _isolated(index * len(AUS) + au, onset, offset)
    return table


def _isolated(series: npt.NDArray[np.intp], onset: Floats, offset: Floats) -> npt.NDArray[np.bool_]:
    """Whether events, sorted by series and onset, overlap no other one of their series."""
    n = len(series)
    if not n:
        return np.zeros(0, np.bool_)
    first = np.append(True, series[1:] != series[:-1])
    base = np.cumsum(first) * (float(offset.max()) + 1.0)  # keeps the series apart
    latest = np.maximum.accumulate(base + offset)
    free_before = np.append(True, (base + onset)[1:] >= latest[:-1])
    free_after = np.append((base + onset)[1:] >= (base + offset)[:-1], True)
    return np.asarray(free_before & free_after)


def fixation_table(courses: Courses, labels: Mapping[str, Sequence[object]]) -> pd.DataFrame:
    """Build the table of fixations of some recordings; see :class:`StudyTruth`."""
    index = np.repeat(np.arange(len(courses.fixations)), [len(f) for f in courses.fixations])
    table = labels_of(labels, index)
    values = np.concatenate(courses.fixations)
    for k, name in enumerate(("start", "stop", "gaze_pitch", "gaze_yaw")):
        table[name] = values[:, k]
    return table


def level_table(
    labels: Mapping[str, Sequence[object]],
    level: Floats,
    tonic: Floats,
    parts: Mapping[str, Floats],
) -> pd.DataFrame:
    """Build the table of levels; see :class:`StudyTruth`.

    Parameters
    ----------
    labels
        Of the recordings.
    level
        (recordings, `LEVEL_FEATURES`).
    tonic
        (recordings, 20).
    parts
        Name → (recordings, `FEATURES`).
    """
    n = len(level)
    columns = [LEVEL_FEATURES.index(name) for name in FEATURES]
    table = labels_of(labels, np.repeat(np.arange(n), len(LEVEL_FEATURES)))
    table["feature"] = np.tile(np.array(LEVEL_FEATURES, dtype=object), n)
    table["level"] = level.ravel()
    wide = np.full((n, len(LEVEL_FEATURES)), np.nan)
    wide[:, : len(AUS)] = tonic
    table["tonic"] = wide.ravel()
    for name, values in parts.items():
        wide = np.full((n, len(LEVEL_FEATURES)), np.nan)
        wide[:, columns] = values
        table[name] = wide.ravel()
    return table
