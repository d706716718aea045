"""Exports of iMotions: a block of lines with ``#`` (ended by ``#DATA`` in newer releases), a table.

Two engines measure faces in it. What is read of a row that another sensor wrote is nothing: such
rows are left out, as are repetitions of a camera frame on the clock of another sensor, and rows
from before the first frame.

==============================  ==================================================================
iMotions                        Fex
==============================  ==================================================================
``Name``/``Respondent…``        ``input`` (the respondent; with the stimulus behind a ``/`` where
                                the clock starts anew for every stimulus); else the file's name
``StimulusName``/               label ``stimulus``
``SourceStimuliName``
``Timestamp`` (ms)              ``time``, s
``FrameNo``/``SampleNumber``    ``frame``; the number of the row where there is neither
``FaceRect X`` …                ``FaceRectX`` …, px, without a score
**AFFDEX** (Affectiva)          likelihoods 0–100, divided by 100: scores 0–1 that do not sum to one
``Joy Sadness Anger …``         ``Happy Sad Anger …``, ``Contempt``, ``Neutral``
``Brow Furrow`` …               ``AU04`` …: see :data:`AFFDEX_UNITS`
``Valence`` (−100…100)          ``valence``, divided by 100
``Engagement Attention …``      labels of the same name in lower case, as they are
``Pitch Yaw Roll`` (degree)     labels ``pitch_raw yaw_raw roll_raw``: the signs are not documented;
                                ``Pitch Yaw Roll`` in rad with `pose_signs`
**FACET** (Emotient)            evidence: log10 of the odds that an expert would call it present
``AU1 Evidence`` …              ``AU01`` …: probability 1 / (1 + 10^−evidence)
``Joy Evidence`` …              ``Happy`` …, ``Contempt``, ``Neutral``, the same
``Yaw Degrees``,                −``Yaw``, −``Pitch``, ``Roll``, rad; the signs are those of the eyes
``Pitch``, ``Roll``             and the nose in a file of release 6.1
==============================  ==================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis import schema
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.io._foreign import assemble, au_column, kept, signed_pose
from facemt_analysis.io._head import Format, Head
from facemt_analysis.io._selection import Selection
from facemt_analysis.io._text import numbers, read_text_table

__all__ = ["AFFDEX_UNITS", "EMOTIONS"]

AFFDEX_UNITS = MappingProxyType(
    {
        "innerbrowraise": "AU01", "browraise": "AU02", "browfurrow": "AU04", "eyewiden": "AU05",
        "cheekraise": "AU06", "lidtighten": "AU07", "nosewrinkle": "AU09",
        "upperlipraise": "AU10", "smile": "AU12", "dimpler": "AU14",
        "lipcornerdepressor": "AU15", "chinraise": "AU17", "lippucker": "AU18",
        "lipstretch": "AU20", "lippress": "AU24", "mouthopen": "AU25", "jawdrop": "AU26",
        "lipsuck": "AU28", "eyeclosure": "AU43",
    }
)  # fmt: skip
"""AFFDEX expression, in small letters without spaces → action unit (the map of py-feat's reader,
releases before 2022-11)."""

EMOTIONS = MappingProxyType(
    {
        "joy": "Happy", "sadness": "Sad", "anger": "Anger", "surprise": "Surprise", "fear": "Fear",
        "disgust": "Disgust", "contempt": "Contempt", "neutral": "Neutral",
    }
)  # fmt: skip
"""Emotion of both engines in small letters → column."""

_ELSE = {
    c: c for c in ("engagement", "attention", "sentimentality", "confusion", "smirk", "blink",
                   "blinkrate")
}  # fmt: skip
_ANGLES = {"pitch": "pitch_raw", "yaw": "yaw_raw", "roll": "roll_raw"}
_FACET_UNIT = re.compile(r"au(\d+)evidence")
_FACET_SIGNS = {"Pitch": -1, "Yaw": -1, "Roll": 1}
_FACE_SOURCE = re.compile(r"facet|affdex|affectiva|face|emotient|afm", re.IGNORECASE)
_NAMES = ("name", "respondent", "respondentname")
_STIMULI = ("sourcestimuliname", "stimulusname", "stimuliname")
_FRAMES = ("frameno", "samplenumber")

CONVENTIONS = {
    "AFFDEX": {
        "name": "iMotions AFFDEX",
        "aus": "likelihood / 100",
        "emotions": "likelihood / 100, not a softmax",
        "pitch_raw yaw_raw roll_raw": "degrees, signs not documented",
    },
    "FACET": {
        "name": "iMotions FACET",
        "aus": "1 / (1 + 10^-evidence)",
        "emotions": "1 / (1 + 10^-evidence), not a softmax",
        "Pitch Yaw Roll": "-Pitch Degrees, -Yaw Degrees, Roll Degrees",
    },
}


def _bare(name: str) -> str:
    """Small letters and digits of a name, without a unit in brackets."""
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\(.*?\)", "", name).lower())


def _start(head: Head) -> int:
    """Find the line that names the columns: the first without ``#`` that is not blank."""
    for number in range(min(len(head.lines), 400)):
        line = (head.line(number) or "").strip("\"' \t,;")
        if line and not line.startswith("#"):
            return number
    return 0


def _names(head: Head, start: int) -> list[str]:
    line = head.line(start) or ""
    separator = max(",;\t", key=line.count)
    return [_bare(c) for c in line.split(separator)]


def _recognises(head: Head) -> bool:
    start = _start(head)
    names = set(_names(head, start))
    affdex = len(names & set(AFFDEX_UNITS)) >= 3
    facet = any(_FACET_UNIT.fullmatch(n) for n in names)
    return (affdex or facet) and bool({"timestamp", *_FRAMES, *_STIMULI} & names)


def _read(
    head: Head,
    selection: Selection,
    *,
    pose_signs: Sequence[int] | None = None,
    keep: bool | Sequence[str] = False,
) -> Fex:
    """Read the export.

    `pose_signs` are the factors, 1 or −1, that make AFFDEX's pitch, yaw and roll point up, to the
    subject's right and to the subject's right; `keep` names further columns that become labels.
    """
    head = Head(head.path, _start(head))
    place: dict[str, str] = {}  # bare name -> name, the first of its kind
    for column in head.columns:
        place.setdefault(_bare(column), column)
    facet = any(_FACET_UNIT.fullmatch(n) for n in place)
    engine = "FACET" if facet else "AFFDEX"
    if facet and pose_signs is not None:
        raise FexError(f"{head.path}: the signs of FACET are known; leave out `pose_signs`.")
    wanted = dict(_facet(place) if facet else _affdex(place))
    box = {f"FaceRect{a}": place.get(f"facerect{a.lower()}") for a in ("X", "Y", "Width", "Height")}
    wanted |= {ours: theirs for ours, theirs in box.items() if theirs}
    extra = kept(head, set(wanted.values()), keep)
    about = [place[n] for n in ("timestamp", "eventsource", *_NAMES, *_STIMULI, *_FRAMES)
             if n in place]  # fmt: skip
    raw = read_text_table(head, {*wanted.values(), *about, *extra})
    values = numbers(raw[list(dict.fromkeys(wanted.values()))], head, np.float64)
    table = pd.DataFrame({ours: values[theirs] for ours, theirs in wanted.items()})
    keys = _keys(raw, place, head)
    rows = _rows(raw, table, keys, place)
    table, keys, raw = (t[rows].reset_index(drop=True) for t in (table, keys, raw))
    table = _converted(table, facet)
    if not facet:
        table = table.assign(**signed_pose(table, pose_signs))
    features = [c for c in table if schema.group_of(c)]
    seen = table[[c for c in features if c in schema.ACTION_UNITS]].notna().any(axis=1)
    labels = [keys[[c for c in keys if c == "stimulus"]], table.drop(columns=features), raw[extra]]
    return assemble(
        head, selection, FexInfo(tool=f"iMotions {engine}", conventions=CONVENTIONS[engine]),
        keys={"input": keys["input"], "frame": keys["frame"], "time": keys["time"],
              "track": np.zeros(len(table))},
        features=table[features], seen=seen, labels=pd.concat(labels, axis=1),
    )  # fmt: skip


def _affdex(place: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Our column and theirs."""
    every = {**EMOTIONS, **AFFDEX_UNITS, "valence": "valence", **_ELSE, **_ANGLES}
    yield from ((ours, place[name]) for name, ours in every.items() if name in place)


def _facet(place: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, theirs in place.items():
        unit = _FACET_UNIT.fullmatch(name)
        ours = au_column(int(unit[1])) if unit else EMOTIONS.get(name.removesuffix("evidence"))
        if ours and name.endswith("evidence"):
            yield ours, theirs
    angles = ((ours, place.get(f"{ours.lower()}degrees")) for ours in _FACET_SIGNS)
    yield from ((ours, theirs) for ours, theirs in angles if theirs)


def _converted(table: pd.DataFrame, facet: bool) -> pd.DataFrame:
    scores = [c for c in table if schema.group_of(c) in ("aus", "emotions")]
    if facet:
        found = {c: 1 / (1 + 10.0 ** -table[c]) for c in scores}
        found |= {c: np.deg2rad(table[c]) * s for c, s in _FACET_SIGNS.items() if c in table}
    else:
        found = {c: table[c] / 100 for c in [*scores, "valence"] if c in table}
    return table.assign(**{str(c): values for c, values in found.items()})


def _keys(raw: pd.DataFrame, place: dict[str, str], head: Head) -> pd.DataFrame:
    def first(names: Sequence[str]) -> pd.Series | None:
        given = (raw[place[n]] for n in names if n in place)
        return next((column for column in given if column.notna().any()), None)

    n = len(raw)
    keys = pd.DataFrame(index=raw.index)
    person, stimulus, frame = first(_NAMES), first(_STIMULI), first(_FRAMES)
    keys["input"] = head.path.stem if person is None else person.astype(str)
    if stimulus is not None:
        keys["stimulus"] = stimulus
    clock = first(("timestamp",))
    keys["time"] = np.full(n, np.nan)
    if clock is not None:
        keys["time"] = numbers(clock.to_frame(), head, np.float64).iloc[:, 0] / 1000
        back = keys.groupby("input", observed=True)["time"].diff() < 0
        if stimulus is not None and back.any():
            keys["input"] = keys["input"] + "/" + stimulus.astype(str)
    keys["frame"] = np.nan
    if frame is not None:
        keys["frame"] = numbers(frame.to_frame(), head, np.float64).iloc[:, 0]
    return keys


def _rows(
    raw: pd.DataFrame, table: pd.DataFrame, keys: pd.DataFrame, place: dict[str, str]
) -> NDArray[np.bool_]:
    """Rows of the camera, one for each of its frames; rows without any number get one."""
    measured = table.notna().any(axis=1)
    rows = pd.Series(True, index=raw.index)
    if "eventsource" in place:
        source = raw[place["eventsource"]].astype(str)
        camera = source.map(lambda name: bool(_FACE_SOURCE.search(name)))
        rows = camera if camera.any() else source.isin(source[measured].unique())
    if keys["frame"].isna().all():
        number: Any = rows.groupby(keys["input"], observed=True).cumsum() - 1
        keys["frame"] = number.where(rows)
        return rows.to_numpy()
    rows &= keys["frame"] >= 0
    # the camera's frame may come again, held, with every sample of another sensor
    return (rows & ~keys.where(rows).duplicated(["input", "frame"])).to_numpy()


FORMAT = Format("iMotions export (AFFDEX, FACET)", _recognises, _read, ("pose_signs", "keep"))
