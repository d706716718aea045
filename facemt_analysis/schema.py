"""The one table of columns: groups, units, ranges, meanings, references.

Everything that has to know a column reads it here: the Fex and its accessors, the detector, the
readers and writers, the checks and the docs. This module imports nothing of ours.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = [
    "ACTION_UNITS",
    "BLENDSHAPES",
    "DLIB68_FROM_MESH",
    "EMOTIONS",
    "FEATURE_GROUPS",
    "GROUPS",
    "KEYS",
    "N_LANDMARKS",
    "N_MESH",
    "ActionUnit",
    "Group",
    "au_columns",
    "canonical_order",
    "columns_in",
    "emotion_columns",
    "feature_columns",
    "group_of",
    "groups_in",
    "range_of",
]

KEYS = ("input", "frame", "time", "track")
"""The columns that say which face of which frame of which recording a row is."""

N_LANDMARKS = 68
"""Points of the dlib scheme."""

N_MESH = 478
"""Points of MediaPipe's mesh, irises included."""


@dataclass(frozen=True)
class ActionUnit:
    """One action unit of the Facial Action Coding System (Ekman, Friesen & Hager, 2002)."""

    number: int
    name: str
    muscle: str
    region: str  # "upper" or "lower" face

    @property
    def column(self) -> str:
        """The Fex column, e.g. ``AU01``."""
        return f"AU{self.number:02d}"


# Names and muscular basis: FACS Manual (2002), table 1-1.
_FACS = (
    (1, "Inner brow raiser", "frontalis, pars medialis", "upper"),
    (2, "Outer brow raiser", "frontalis, pars lateralis", "upper"),
    (4, "Brow lowerer", "corrugator supercilii, depressor supercilii, procerus", "upper"),
    (5, "Upper lid raiser", "levator palpebrae superioris", "upper"),
    (6, "Cheek raiser", "orbicularis oculi, pars orbitalis", "upper"),
    (7, "Lid tightener", "orbicularis oculi, pars palpebralis", "upper"),
    (9, "Nose wrinkler", "levator labii superioris alaeque nasi", "lower"),
    (10, "Upper lip raiser", "levator labii superioris", "lower"),
    (11, "Nasolabial deepener", "zygomaticus minor", "lower"),
    (12, "Lip corner puller", "zygomaticus major", "lower"),
    (14, "Dimpler", "buccinator", "lower"),
    (15, "Lip corner depressor", "depressor anguli oris", "lower"),
    (16, "Lower lip depressor", "depressor labii inferioris", "lower"),
    (17, "Chin raiser", "mentalis", "lower"),
    (18, "Lip pucker", "incisivii labii", "lower"),
    (20, "Lip stretcher", "risorius", "lower"),
    (23, "Lip tightener", "orbicularis oris", "lower"),
    (24, "Lip pressor", "orbicularis oris", "lower"),
    (
        25,
        "Lips part",
        "depressor labii inferioris, relaxed mentalis or orbicularis oris",
        "lower",
    ),
    (26, "Jaw drop", "masseter, relaxed temporalis and internal pterygoid", "lower"),
    (27, "Mouth stretch", "pterygoids, digastric", "lower"),
    (28, "Lip suck", "orbicularis oris", "lower"),
    (43, "Eyes closed", "relaxed levator palpebrae superioris", "upper"),
    (45, "Blink", "relaxed levator palpebrae superioris, orbicularis oculi", "upper"),
)

ACTION_UNITS: Mapping[str, ActionUnit] = MappingProxyType(
    {unit.column: unit for unit in (ActionUnit(*row) for row in _FACS)}
)
"""Column name → action unit, for every AU that some supported tool reports."""

_AUS_OF_24 = tuple(ACTION_UNITS)
_AUS_OF_20 = tuple(c for c in _AUS_OF_24 if c not in ("AU16", "AU18", "AU27", "AU45"))

EMOTIONS = ("Neutral", "Happy", "Sad", "Surprise", "Fear", "Disgust", "Anger")
"""Columns of emotions, in the order of the network."""

_EMOTIONS_OF_8 = (*EMOTIONS, "Contempt")

# MediaPipe's names: `_neutral`, then alphabetical.
BLENDSHAPES = (
    "_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft",
    "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft",
    "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
    "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft",
    "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen",
    "jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft",
    "mouthFrownRight", "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight", "mouthRollLower",
    "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight",
    "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
)  # fmt: skip
"""MediaPipe's 52 names, in its order."""

# Vertex of the 478-point mesh that stands for each dlib landmark (Sagonas et al., 2016, for the
# 68-point scheme; the pairs are those of the face_multitask model card).
DLIB68_FROM_MESH = (
    127, 234, 93, 132, 58, 172, 136, 150, 176, 148, 152, 377, 400, 379, 365, 397, 356,  # jaw
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,  # brows
    168, 6, 195, 4, 240, 75, 1, 305, 460,  # nose
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,  # eyes
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,  # outer lip
    78, 82, 13, 312, 308, 317, 14, 87,  # inner lip
)  # fmt: skip
"""Vertex of the mesh that stands for each of the 68 landmarks."""


@dataclass(frozen=True)
class Group:
    """Columns that belong together.

    Parameters
    ----------
    name
        The plural property of a Fex that gives these columns, e.g. ``aus``.
    columns
        The columns in canonical order, as the published network gives them.
    unit
        Unit of all columns, in words.
    low, high
        Closed range of valid values; infinite where there is no bound.
    meaning
        What the numbers are, signs included.
    source
        What produces the group.
    optional
        Columns of the same group that only some weights or tools report.
    accessor
        The singular property of a Fex whose methods analyse the group, if there is one.
    feature
        False for bookkeeping columns (keys, frame size), which ``detect(groups=...)`` always gives.
    """

    name: str
    columns: tuple[str, ...]
    unit: str
    low: float
    high: float
    meaning: str
    source: str
    optional: tuple[str, ...] = ()
    accessor: str | None = None
    feature: bool = True

    @property
    def members(self) -> tuple[str, ...]:
        """Canonical and optional columns."""
        return self.columns + self.optional


_DETECTOR = "facemt_analysis.Detector(...).detect(video)"
_INF = math.inf


def _numbered(*stems: str, n: int) -> tuple[str, ...]:
    return tuple(f"{stem}_{i}" for stem in stems for i in range(n))


_TABLE = (
    Group("keys", KEYS, "-", -_INF, _INF,
          "recording; index in the decoded stream; seconds from the stream's own timestamps; "
          "the same face through a recording (-1: no face)",
          _DETECTOR, optional=("image",), feature=False),
    Group("faceboxes", ("FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore"),
          "px of the upright frame (FaceScore: 0-1)", -_INF, _INF,
          "the face detector's box (not the chip; Haar's moved to the mesh), its score; 0: no face",
          _DETECTOR),
    Group("landmarks", _numbered("x", "y", n=N_LANDMARKS), "px of the upright frame", -_INF, _INF,
          "the 68 points of the dlib scheme, taken from the mesh", _DETECTOR),
    Group("poses", ("Pitch", "Roll", "Yaw", "X", "Y", "Z"),
          "rad (X, Y, Z: the network's own units)", -_INF, _INF,
          "head pose; + = up, tilt to the subject's right, turn to the subject's right",
          _DETECTOR, accessor="pose"),
    Group("aus", _AUS_OF_20, "score", 0.0, 1.0,
          "action units; a cosine similarity to a learned prototype: an occurrence score, "
          "not an intensity",
          _DETECTOR, optional=("AU16", "AU18", "AU27", "AU45"), accessor="au"),
    Group("intensities", (), "FACS intensity, 0 (absent) to 5 (E)", 0.0, 5.0,
          "action unit intensities of tools that estimate them (OpenFace's _r columns)",
          "reading an OpenFace file", optional=tuple(f"{c}_r" for c in _AUS_OF_24)),
    Group("emotions", EMOTIONS, "probability", 0.0, 1.0,
          "softmax over the basic emotions and neutral", _DETECTOR,
          optional=("Contempt",), accessor="emotion"),
    Group("va", ("valence", "arousal"), "score", -1.0, 1.0,
          "unpleasant to pleasant, calm to excited (Russell's circumplex)", _DETECTOR,
          accessor="affect"),
    Group("gazes", ("gaze_pitch", "gaze_yaw", "gaze_angle"), "rad", -math.pi, math.pi,
          "gaze relative to the head; + = up, right; the angle is the one from straight ahead",
          _DETECTOR, accessor="gaze"),
    Group("meshes", _numbered("mesh_x", "mesh_y", "mesh_z", n=N_MESH),
          "px of the upright frame, all three axes at the same scale", -_INF, _INF,
          "MediaPipe's 478-point face mesh; z is 0 near the head's centre, - = towards the camera",
          _DETECTOR, accessor="mesh"),
    Group("blendshapes", BLENDSHAPES, "coefficient", 0.0, 1.0,
          "MediaPipe's (ARKit's) 52 expression coefficients; left and right are the subject's",
          _DETECTOR, accessor="blendshape"),
    Group("framesizes", ("FrameHeight", "FrameWidth"), "px", 0.0, _INF,
          "size of the upright frame", _DETECTOR, feature=False),
)  # fmt: skip

GROUPS: Mapping[str, Group] = MappingProxyType({group.name: group for group in _TABLE})
"""Plural group name → group, in the order of the columns of a Fex."""

FEATURE_GROUPS = tuple(
    name for name, group in GROUPS.items() if group.feature and group.source == _DETECTOR
)
"""The groups a Detector can give, in order: the choices of ``detect(groups=...)``."""

_GROUP_OF: Mapping[str, str] = MappingProxyType(
    {column: group.name for group in _TABLE for column in group.members}
)
_COLUMN_RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "FaceRectWidth": (0.0, _INF),
        "FaceRectHeight": (0.0, _INF),
        "FaceScore": (0.0, 1.0),
        "Pitch": (-math.pi, math.pi),
        "Roll": (-math.pi, math.pi),
        "Yaw": (-math.pi, math.pi),
        "gaze_angle": (0.0, math.pi),
        "frame": (0.0, _INF),
        "track": (-1.0, _INF),
    }
)


def group_of(column: object) -> str | None:
    """Name of the group a column belongs to, or None for a label of the user's.

    >>> group_of("AU12"), group_of("subject")
    ('aus', None)
    """
    return _GROUP_OF.get(column) if isinstance(column, str) else None


def groups_in(columns: Iterable[object]) -> tuple[str, ...]:
    """Names of the groups that have at least one column, in schema order.

    >>> groups_in(["subject", "valence", "AU12"])
    ('aus', 'va')
    """
    present = {group_of(column) for column in columns}
    return tuple(name for name in GROUPS if name in present)


def columns_in(group: str, columns: Iterable[object]) -> list[str]:
    """List the columns of one group, in canonical order.

    >>> columns_in("va", ["arousal", "AU12", "valence"])
    ['valence', 'arousal']
    """
    present = {column for column in columns if isinstance(column, str)}
    return sorted((c for c in GROUPS[group].members if c in present), key=_RANK.__getitem__)


def feature_columns(columns: Iterable[object]) -> list[str]:
    """Keep the columns that hold measured features: no keys, frame sizes or labels."""
    return [c for c in columns if isinstance(c, str) and (g := group_of(c)) and GROUPS[g].feature]


def range_of(column: str) -> tuple[float, float]:
    """Give the closed range of valid values of a known column; KeyError for a label.

    >>> range_of("AU12"), range_of("gaze_angle")[0]
    ((0.0, 1.0), 0.0)
    """
    group = GROUPS[_GROUP_OF[column]]
    return _COLUMN_RANGES.get(column, (group.low, group.high))


def au_columns(n_au: int) -> tuple[str, ...]:
    """AU columns in the order of a network with that many AU outputs (20 or 24).

    >>> au_columns(20)[:4], au_columns(20)[-1]
    (('AU01', 'AU02', 'AU04', 'AU05'), 'AU43')
    """
    orders = {20: _AUS_OF_20, 24: _AUS_OF_24}
    if n_au not in orders:
        raise KeyError(f"`n_au` must be 20 or 24, but got {n_au}.")
    return orders[n_au]


def emotion_columns(n_emotion: int) -> tuple[str, ...]:
    """Emotion columns in the order of a network with that many classes (7 or 8)."""
    orders = {7: EMOTIONS, 8: _EMOTIONS_OF_8}
    if n_emotion not in orders:
        raise KeyError(f"`n_emotion` must be 7 or 8, but got {n_emotion}.")
    return orders[n_emotion]


def _natural(column: str) -> tuple[tuple[int, int | str], ...]:
    """Sort key that puts AU16 between AU15 and AU17."""
    parts = re.split(r"(\d+)", column)
    return tuple((0, int(p)) if p.isdigit() else (1, p) for p in parts if p)


def _ranks() -> dict[str, int]:
    ordered: list[str] = []
    for group in _TABLE:
        by_number = group.name in ("aus", "intensities")
        ordered += sorted(group.members, key=_natural) if by_number else group.members
    return {column: rank for rank, column in enumerate(ordered)}


_RANK: Mapping[str, int] = MappingProxyType(_ranks())


def canonical_order(columns: Iterable[str]) -> list[str]:
    """Sort columns: keys, then the groups in schema order, then labels in the order they came.

    >>> canonical_order(["subject", "AU12", "AU01", "frame"])
    ['frame', 'AU01', 'AU12', 'subject']
    """
    columns = list(columns)
    known = sorted((c for c in columns if c in _RANK), key=_RANK.__getitem__)
    return known + [c for c in columns if c not in _RANK]
