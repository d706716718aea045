"""How well detected values agree with true ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = [
    "circular_error",
    "compare",
    "concordance",
    "correlation",
    "f1_score",
    "landmark_error",
    "one_face",
]

Floats = npt.NDArray[np.float64]

_ANGLES = {
    "head pose": (("pitch", "Pitch"), ("yaw", "Yaw"), ("roll", "Roll")),
    "gaze": (("pitch", "gaze_pitch"), ("yaw", "gaze_yaw")),
}
_EYE_CORNERS = (36, 45)  # outer corners of both eyes in the dlib scheme
_MOVES = 0.2  # an action unit moves if its true intensity reaches this
_ACTIVE = 0.5
_CLEAR = 0.5


def _both(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Pairs of which both are known."""
    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    known = np.isfinite(a) & np.isfinite(b)
    return a[known], b[known]


def correlation(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Pearson's r of the pairs without NaN; NaN if one side does not vary.

    >>> correlation([1, 2, 3, float("nan")], [2, 4, 6, 0])
    1.0
    """
    a, b = _both(x, y)
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.clip(np.corrcoef(a, b)[0, 1], -1, 1).round(12))


def concordance(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Lin's concordance correlation coefficient (CCC) of the pairs without NaN.

    Unlike r it is 1 only where the values themselves agree.

    References
    ----------
    Lin, L. I.-K. (1989). A concordance correlation coefficient to evaluate reproducibility.
        Biometrics, 45(1), 255-268. https://doi.org/10.2307/2532051

    Examples
    --------
    >>> concordance([1, 2, 3], [1, 2, 3]), round(concordance([1, 2, 3], [2, 3, 4]), 3)
    (1.0, 0.571)
    """
    a, b = _both(x, y)
    if len(a) < 2:
        return float("nan")
    spread = a.var() + b.var() + (a.mean() - b.mean()) ** 2
    if spread == 0:
        return float("nan")
    return float(2 * np.mean((a - a.mean()) * (b - b.mean())) / spread)


def f1_score(truth: npt.ArrayLike, found: npt.ArrayLike) -> float:
    """Harmonic mean of precision and recall; NaN if nothing is true and nothing was found.

    >>> round(f1_score([True, True, False], [True, False, False]), 3)
    0.667
    """
    real, seen = np.asarray(truth, np.bool_), np.asarray(found, np.bool_)
    total = int(real.sum()) + int(seen.sum())
    return 2 * int((real & seen).sum()) / total if total else float("nan")


def circular_error(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Mean absolute difference of angles, radians in and out, around the circle; skips NaN.

    >>> round(circular_error([0.1, 3.1], [0.2, -3.1]), 3)
    0.092
    """
    a, b = _both(x, y)
    if not len(a):
        return float("nan")
    return float(np.abs((a - b + np.pi) % (2 * np.pi) - np.pi).mean())


def landmark_error(detected: pd.DataFrame, truth: pd.DataFrame) -> Floats:
    """Mean distance of the 68 points per row, relative to that of the true outer eye corners.

    Parameters
    ----------
    detected, truth
        n rows each with ``x_0…y_67``, px.

    Returns
    -------
    ndarray
        (n,), NaN where points are missing.
    """
    found, real = _landmarks(detected), _landmarks(truth)
    right, left = (real[:, i] for i in _EYE_CORNERS)
    away = np.linalg.norm(found - real, axis=2).mean(1)
    return np.asarray(away / np.linalg.norm(right - left, axis=1))


def _landmarks(table: pd.DataFrame) -> Floats:
    names = [f"{axis}_{i}" for axis in "xy" for i in range(68)]
    flat = table[names].to_numpy(np.float64)
    return flat.reshape(len(flat), 2, 68).transpose(0, 2, 1)


def one_face(detected: pd.DataFrame, frames: Sequence[int]) -> pd.DataFrame:
    """One row per frame: the face of the track that is there most often.

    Parameters
    ----------
    detected
        Rows with ``frame`` and ``track``.
    frames
        The frames wanted, in order; those without that face become rows of NaN.
    """
    faces = detected[detected["track"] >= 0]
    if len(faces):
        faces = faces[faces["track"] == faces["track"].mode().iloc[0]]
    return pd.DataFrame(faces).set_index("frame").reindex(list(frames)).reset_index()


def compare(detected: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Compare a detected recording of one face with what is known to be true.

    Parameters
    ----------
    detected
        Rows of a Fex: at least ``frame``, ``track`` and the columns of `truth`.
    truth
        One row per frame with landmarks, Pitch, Yaw, Roll, gaze, action units, emotions, valence
        and arousal.

    Returns
    -------
    DataFrame
        One row per number: ``task``, ``feature``, ``measure``, ``value``, ``unit``, ``n`` (frames
        it rests on). Unrounded. Measures: share of frames with a face; landmark error (median over
        frames of the mean point distance / true outer-eye-corner distance); mean absolute error and
        r of angles; r and F1 (both above 0.5) of each action unit that reaches 0.2, and their
        means; accuracy of the likeliest emotion where the true one is none but Neutral and at least
        0.5; CCC of valence and arousal.
    """
    faces = one_face(detected, truth["frame"].tolist())
    seen = faces["track"].notna().to_numpy()
    found, real = faces[seen].reset_index(drop=True), truth[seen].reset_index(drop=True)
    n = len(found)
    rows: list[tuple[str, str, str, float, str, int]] = [
        ("face", "face", "frames with it", float(seen.mean()), "share", len(truth))
    ]
    error = landmark_error(found, real)
    middle = float(np.median(error)) if n else float("nan")
    rows.append(("landmarks", "68 points", "median error", middle, "eye distances", n))
    for task, columns in _ANGLES.items():
        for name, column in columns:
            off = float(np.degrees(circular_error(found[column], real[column])))
            rows.append((task, name, "mean absolute error", off, "deg", n))
            rows.append((task, name, "r", correlation(found[column], real[column]), "", n))
    rows += _action_units(found, real, truth)
    rows.append(_emotion(found, real))
    for name in ("valence", "arousal"):
        rows.append(("affect", name, "CCC", concordance(found[name], real[name]), "", n))
    return pd.DataFrame(rows, columns=["task", "feature", "measure", "value", "unit", "n"])


def _action_units(
    found: pd.DataFrame, real: pd.DataFrame, truth: pd.DataFrame
) -> list[tuple[str, str, str, float, str, int]]:
    from facemt_analysis import schema

    names = [c for c in schema.columns_in("aus", truth.columns) if truth[c].max() >= _MOVES]
    rows: list[tuple[str, str, str, float, str, int]] = []
    scores: dict[str, list[float]] = {"r": [], "F1 at 0.5": []}
    for name in names:
        active = real[name] >= _ACTIVE
        r = correlation(found[name], real[name])
        scores["r"].append(r)
        rows.append(("action units", name, "r", r, "", len(found)))
        if active.any():
            f1 = f1_score(active, found[name] >= _ACTIVE)
            scores["F1 at 0.5"].append(f1)
            rows.append(("action units", name, "F1 at 0.5", f1, "", len(found)))
    for measure, values in scores.items():
        known = [v for v in values if np.isfinite(v)]
        mean = float(np.mean(known)) if known else float("nan")
        rows.append(("action units", "mean", measure, mean, "", len(found)))
    return rows


def _emotion(found: pd.DataFrame, real: pd.DataFrame) -> tuple[str, str, str, float, str, int]:
    from facemt_analysis import schema

    names = list(schema.EMOTIONS)
    likely = real[names].to_numpy(np.float64)
    clear = (likely.max(1) >= _CLEAR) & (likely.argmax(1) != names.index("Neutral"))
    guess = found[names].to_numpy(np.float64)[clear].argmax(1)
    right = float((guess == likely[clear].argmax(1)).mean()) if clear.any() else float("nan")
    return ("emotion", "clear frames", "accuracy", right, "share", int(clear.sum()))
