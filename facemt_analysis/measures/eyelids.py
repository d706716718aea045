"""How far the eyes are closed, by any of the features that say so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.checks import check_option
from facemt_analysis.errors import MissingGroupError
from facemt_analysis.measures.grouping import group_rows

__all__ = ["CLOSURE_ON", "CLOSURE_SOURCES", "EyeClosure", "eye_aspect_ratio", "eye_closure"]

Floats = npt.NDArray[np.float64]

CLOSURE_ON = {"blendshape": 0.3, "ear": 0.4, "AU45": 0.5, "AU43": 0.25}
"""Closure from which an eye counts as closed, by source.

In ten real recordings (213 frames, published weights) the twelve frames with closed eyes had
blendshapes of 0.57 to 0.71, closures by the eye aspect ratio of 0.55 to 0.78 and scores of AU43 of
0.30 to 0.76; 99 % of the others were below 0.20, 0.28 and 0.08."""

CLOSURE_SOURCES = ("auto", *CLOSURE_ON)

_BLINK = ("eyeBlinkRight", "eyeBlinkLeft")
# dlib-68: outer (right) or inner (left) corner, two points above, other corner, two points below
_EYES = ((36, 37, 38, 39, 40, 41), (42, 43, 44, 45, 46, 47))
_OPEN = 0.9  # quantile of the eye aspect ratio that stands for open eyes


@dataclass(frozen=True, eq=False)
class EyeClosure:
    """Closure of the eyes, 0 open … 1 closed.

    Parameters
    ----------
    values
        (n,) of both eyes: their mean where there are two.
    right, left
        (n,) of the subject's eyes; NaN where the source does not tell them apart.
    source
        One of :data:`CLOSURE_SOURCES` but ``"auto"``.
    """

    values: Floats
    right: Floats
    left: Floats
    source: str


def eye_aspect_ratio(frame: pd.DataFrame) -> Floats:
    """Height of the opening of each eye over its width.

    Parameters
    ----------
    frame
        Table with the mesh, used in all three dimensions, so that turns of the head do not matter;
        else with the 68 landmarks, in the picture.

    Returns
    -------
    ndarray
        (n, 2) of the subject's right and left eye; about 0.3 for open and 0.1 for closed eyes. NaN
        where there is no face.

    Raises
    ------
    MissingGroupError
        If the table has neither.

    Notes
    -----
    ``(|p2 − p6| + |p3 − p5|) / (2 |p1 − p4|)`` with p1 and p4 the corners, p2 and p3 above, p6
    and p5 below.

    References
    ----------
    Soukupová, T. & Čech, J. (2016). Real-time eye blink detection using facial landmarks. 21st
        Computer Vision Winter Workshop.
    """
    present = set(frame.columns)
    for axes, name in (("xyz", "mesh_{}_{}"), ("xy", "{}_{}")):
        index = schema.DLIB68_FROM_MESH if axes == "xyz" else range(schema.N_LANDMARKS)
        columns = [[[name.format(axis, index[p]) for axis in axes] for p in eye] for eye in _EYES]
        flat = [c for eye in columns for point in eye for c in point]
        if present >= set(flat):
            values = frame[flat].to_numpy(np.float64, na_value=np.nan)
            points = values.reshape(len(frame), 2, 6, len(axes))
            return _aspect(points)
    raise MissingGroupError(
        "The eye aspect ratio needs the mesh or the landmarks, but the table has the groups "
        f"{_groups(frame)}. They come from {schema.GROUPS['meshes'].source}."
    )


def _aspect(points: Floats) -> Floats:
    p1, p2, p3, p4, p5, p6 = np.moveaxis(points, 2, 0)
    height = np.linalg.norm(p2 - p6, axis=-1) + np.linalg.norm(p3 - p5, axis=-1)
    width = 2 * np.linalg.norm(p1 - p4, axis=-1)
    return np.where(width > 0, height / np.where(width > 0, width, 1.0), np.nan)


def eye_closure(frame: pd.DataFrame, source: str = "auto") -> EyeClosure:
    """Measure how far the eyes are closed.

    Parameters
    ----------
    frame
        Table with what the source needs.
    source
        ``"blendshape"``: ``eyeBlinkLeft`` and ``eyeBlinkRight``; ``"ear"``: 1 − eye aspect ratio
        over that of the person's open eyes, the 90 % quantile of the recording and track;
        ``"AU45"``, ``"AU43"``: that score; ``"auto"``: the first of these that the table has.

    Raises
    ------
    MissingGroupError
        If the table lacks what the source needs.
    OptionError
        Unknown source.

    Examples
    --------
    >>> table = pd.DataFrame({"eyeBlinkLeft": [0.0, 0.8], "eyeBlinkRight": [0.1, 0.6]})
    >>> eye_closure(table).values.tolist()
    [0.05, 0.7]
    """
    check_option("source", source, CLOSURE_SOURCES)
    found = source if source != "auto" else _first_source(frame)
    if found == "ear":
        return _of_eyes(_closed_share(frame, eye_aspect_ratio(frame)), found)
    needed = _BLINK if found == "blendshape" else (found,)
    if not set(needed) & set(frame.columns):
        group = schema.GROUPS[schema.group_of(needed[0]) or "keys"]
        raise MissingGroupError(
            f"`source={found!r}` needs {' or '.join(needed)}, but the table has the groups "
            f"{_groups(frame)}. They come from {group.source}."
        )
    columns = frame.reindex(columns=list(needed)).to_numpy(np.float64, na_value=np.nan)
    if found == "blendshape":
        return _of_eyes(columns, found)
    unknown = np.full(len(frame), np.nan)
    return EyeClosure(columns[:, 0], unknown, unknown, found)


def _first_source(frame: pd.DataFrame) -> str:
    present = set(frame.columns)
    for source, needed in (
        ("blendshape", _BLINK), ("ear", ("mesh_z_0", "x_36")), ("AU45", ("AU45",)),
        ("AU43", ("AU43",)),
    ):  # fmt: skip
        if set(needed) & present:
            return source
    raise MissingGroupError(
        "Blinks need eyeBlinkLeft and eyeBlinkRight, the mesh, the landmarks, AU45 or AU43, but "
        f"the table has the groups {_groups(frame)}. They come from {schema.GROUPS['aus'].source}."
    )


def _groups(frame: pd.DataFrame) -> str:
    return ", ".join(schema.groups_in(frame.columns)) or "none"


def _of_eyes(eyes: Floats, source: str) -> EyeClosure:
    right, left = eyes.T
    both = np.where(np.isnan(right), left, np.where(np.isnan(left), right, (right + left) / 2))
    return EyeClosure(both, right, left, source)


def _closed_share(frame: pd.DataFrame, ratio: Floats) -> Floats:
    """1 − ratio over that of open eyes; NaN outside tracks."""
    rows = group_rows(frame)
    ordered = ratio[rows.parts.order]
    closed = np.full_like(ratio, np.nan)
    opened = np.stack([rows.quantiles(eye, [_OPEN])[:, 0] for eye in ordered.T], axis=1)
    closed[rows.parts.order] = np.clip(1 - ordered / opened[rows.parts.row_group], 0.0, 1.0)
    return closed
