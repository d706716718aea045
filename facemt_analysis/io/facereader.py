"""Detailed logs of Noldus FaceReader: tab-separated text under a few lines about the analysis.

================================  ================================================================
FaceReader                        Fex
================================  ================================================================
``Filename`` (above the table)    ``input``: its last part
``Video Time``                    ``time``, s (``hh:mm:ss.mmm``; a decimal comma is read too)
–                                 ``frame``: ``time`` times the frame rate above the table; the
                                  number of the row where rows would share one
``Neutral Happy Sad Surprised``   ``Neutral Happy Sad Surprise``
``Scared Disgusted Angry``        ``Fear Disgust Anger``
``Contempt``                      ``Contempt``. 0–1 each, but intensities: they do not sum to one
``Valence``, ``Arousal``          ``valence`` −1…1, ``arousal`` 0…1
``Action Unit NN - …``            ``AUNN``, 0–1; in older releases in letters, ``AUNN_r``:
                                  ``NotActive`` 0, ``A``/``Trace`` 1, ``B``/``Slight`` 2,
                                  ``C``/``Pronounced`` 3, ``D``/``Severe`` 4, ``E``/``Max`` 5
… of one side                     labels ``AUNN_left``, ``AUNN_right``, 0–1
``Quality``                       ``FaceScore``
``X``, ``Y``, ``Z - Head          labels ``pitch_raw yaw_raw roll_raw``, degrees, or
Orientation``                     ``Pitch Yaw Roll`` in rad with `pose_signs`
``FIND_FAILED``, ``FIT_FAILED``   no face: NaN, ``track`` −1; which, in the label ``failure``
================================  ================================================================

Noldus documents the axes of the head (X pitch, Y yaw, Z roll) and its unit, but not for all
releases the signs. In the message that its data service is known to send, − Z goes with eyes that
rise on the right of the image, a tilt to the subject's right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.io._foreign import assemble, au_column, file_name, kept, signed_pose
from facemt_analysis.io._head import Format, Head
from facemt_analysis.io._selection import Selection
from facemt_analysis.io._text import numbers, read_text_table

__all__: list[str] = []

EMOTIONS = {
    "Neutral": "Neutral", "Happy": "Happy", "Sad": "Sad", "Angry": "Anger",
    "Surprised": "Surprise", "Scared": "Fear", "Disgusted": "Disgust", "Contempt": "Contempt",
}  # fmt: skip
_AFFECT = {"Valence": "valence", "Arousal": "arousal", "Quality": "FaceScore"}
_HEAD = {
    "X - Head Orientation": "pitch_raw", "Y - Head Orientation": "yaw_raw",
    "Z - Head Orientation": "roll_raw",
}  # fmt: skip
_AU = re.compile(r"Action Unit (\d+)\b", re.IGNORECASE)
_SIDE = re.compile(r"\b(left|right)\b", re.IGNORECASE)
_LETTERS = {
    "notactive": 0, "not active": 0, "a": 1, "trace": 1, "b": 2, "slight": 2, "c": 3,
    "pronounced": 3, "d": 4, "severe": 4, "e": 5, "max": 5, "maximum": 5,
}  # fmt: skip
FAILURES = ("FIND_FAILED", "FIT_FAILED")

CONVENTIONS = {
    "name": "FaceReader",
    "emotions": "intensities 0 to 1, not a softmax",
    "arousal": "0 to 1",
    "pitch_raw yaw_raw roll_raw": "degrees about X, Y, Z; signs as in the file",
}


def _start(head: Head) -> int | None:
    """Find the line that names the columns."""
    for number in range(min(len(head.lines), 40)):
        fields = [f.strip() for f in (head.line(number) or "").split("\t")]
        if fields[0] in ("Video Time", "Time") and len(fields) > 1:
            return number
    return None


def _recognises(head: Head) -> bool:
    start = _start(head)
    if start is None:
        return False
    about = (head.line(0) or "").lower()
    names = (head.line(start) or "").split("\t")
    return "log" in about or {"Neutral", "Happy"} <= {n.strip() for n in names}


def _read(
    head: Head,
    selection: Selection,
    *,
    pose_signs: Sequence[int] | None = None,
    keep: bool | Sequence[str] = False,
) -> Fex:
    """Read the log.

    `pose_signs` are the factors, 1 or −1, that make pitch, yaw and roll point up, to the subject's
    right and to the subject's right; `keep` names further columns that become labels.
    """
    about = _about(head)
    head = Head(head.path, _start(head) or 0)
    if not set(EMOTIONS) & set(head.columns):
        raise FexError(
            f"{head.path}: a FaceReader log without columns of emotions, as the state log is; "
            "export the detailed log."
        )
    units = {c: m for c in head.columns if (m := _AU.search(c))}
    used = {head.columns[0], *EMOTIONS, *_AFFECT, *_HEAD, *units}
    extra = kept(head, used, keep)
    raw = read_text_table(head, [*used, *extra])
    raw.columns = raw.columns.astype(str)
    text = raw.astype("str").apply(lambda column: column.str.strip())
    failed = {f: text.eq(f).any(axis=1).to_numpy() for f in FAILURES}
    seen = ~np.logical_or.reduce(list(failed.values()))
    value = {c: _number(text[c], head) for c in (*EMOTIONS, *_AFFECT, *_HEAD) if c in raw}
    features = {ours: value[c] for c, ours in {**EMOTIONS, **_AFFECT}.items() if c in value}
    labels = pd.DataFrame({ours: value[c] for c, ours in _HEAD.items() if c in value})
    for column, match in units.items():
        number, letters = _unit(text[column], head)
        side = _SIDE.search(column)
        ours = au_column(int(match[1]), "_r" if letters and not side else "")
        if side:
            labels[f"AU{int(match[1]):02d}_{side[1].lower()}"] = number
        elif ours:
            features[ours] = number
    features |= signed_pose(labels, pose_signs)
    failure = np.select(list(failed.values()), list(FAILURES), default="")
    if (~seen).any():
        labels = labels.assign(failure=failure)
    time = _seconds(text[head.columns[0]], head)
    n = len(raw)
    return assemble(
        head, selection, FexInfo(tool="FaceReader", conventions=CONVENTIONS),
        keys={"input": [about.get("filename") or head.path.stem] * n,
              "frame": _frames(time, about.get("frame rate")), "time": time, "track": np.zeros(n)},
        features=features, seen=seen, labels=pd.concat([labels, raw[extra]], axis=1),
    )  # fmt: skip


def _about(head: Head) -> dict[str, str]:
    """Facts above the table: ``Filename``, ``Frame rate``, …, in lower case."""
    facts: dict[str, str] = {}
    for number in range(_start(head) or 0):
        # Some releases put a colon after the name, and the value in the next field
        name, _, value = (head.line(number) or "").partition("\t")
        facts[name.strip().rstrip(":").lower()] = value.strip()
    if "filename" in facts:
        facts["filename"] = file_name(facts["filename"])
    return facts


def _number(column: pd.Series, head: Head) -> pd.Series:
    """Numbers; failures and words that stand for no value are NaN."""
    none = column.isin([*FAILURES, "", "-", "nan", "Unknown", "NaN", "None"])
    column = column.mask(none)
    if head.decimal == ",":
        column = column.str.replace(",", ".", regex=False)
    return numbers(column.to_frame(), head, np.float64)[str(column.name)]


def _unit(column: pd.Series, head: Head) -> tuple[pd.Series, bool]:
    """Values of an action unit, and whether they are letters of intensity."""
    lower = column.str.lower()
    if lower.isin(_LETTERS).any():
        return lower.map(_LETTERS).astype(np.float64), True
    return _number(column, head), False


def _seconds(column: pd.Series, head: Head) -> NDArray[np.float64]:
    parts = column.str.replace(",", ".", regex=False).str.split(":", expand=True)
    try:
        values = parts.astype(np.float64).to_numpy()
    except ValueError as error:
        raise FexError(
            f"{head.path}: {column.name!r} must be hh:mm:ss.mmm, but has {column.iloc[0]!r:.80}."
        ) from error
    return np.asarray(values @ 60.0 ** np.arange(values.shape[1])[::-1], np.float64)


def _frames(time: NDArray[np.float64], rate: str | None) -> NDArray[np.int64]:
    try:
        frame = np.round(time * float((rate or "").replace(",", ".")))
    except ValueError:
        frame = np.zeros(len(time))
    fits = len(np.unique(frame)) == len(frame) and bool((np.abs(frame) < 2**53).all())
    return frame.astype(np.int64) if fits else np.arange(len(time))


FORMAT = Format("FaceReader detailed log", _recognises, _read, ("pose_signs", "keep"))
