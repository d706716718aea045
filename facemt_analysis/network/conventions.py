"""Order and signs of pose and gaze, per weights file, and how they become those of a Fex."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from facemt_analysis.errors import CheckpointError
from facemt_analysis.schema import GROUPS

if TYPE_CHECKING:
    from facemt_analysis.network.output import Prediction

__all__ = ["CONVENTIONS", "Conventions", "Oriented", "conventions_for", "oriented"]

Axis = tuple[int, int]
"""Index into the network's output, and the sign (1 or -1) that makes it a Fex column."""


@dataclass(frozen=True)
class Conventions:
    """Where in the raw output each Fex column is, and with which sign.

    A Fex holds radians with + = up (`Pitch`, `gaze_pitch`), turned to the subject's right (`Yaw`,
    `gaze_yaw`), tilted to the subject's right (`Roll`).

    Parameters
    ----------
    name
        What these conventions are called; recorded with every table.
    Pitch, Roll, Yaw, X, Y, Z
        Index into the raw pose (0-5), and sign.
    gaze_pitch, gaze_yaw
        Index into the raw gaze (0: yaw, 1: pitch), and sign.

    Raises
    ------
    CheckpointError
        An index or sign that cannot be, by name.

    Examples
    --------
    >>> CONVENTIONS["face_multitask_v28"].Pitch
    (0, -1)
    """

    name: str
    Pitch: Axis = (0, 1)
    Roll: Axis = (2, -1)
    Yaw: Axis = (1, 1)
    X: Axis = (3, 1)
    Y: Axis = (4, 1)
    Z: Axis = (5, 1)
    gaze_pitch: Axis = (1, 1)
    gaze_yaw: Axis = (0, 1)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise CheckpointError(
                f"Conventions: `name` must be a string, but is {self.name!r:.60}."
            )
        for column in _AXES:
            value = getattr(self, column)
            top = 1 if column.startswith("gaze") else 5
            if not isinstance(value, tuple | list) or not _is_axis(tuple(value), top):
                raise CheckpointError(
                    f"Conventions {self.name!r:.60}: `{column}` must be an index from 0 to {top} "
                    f"and a sign, 1 or -1, but is {value!r:.60}."
                )
            object.__setattr__(self, column, tuple(value))

    def to_json(self) -> str:
        """Give the text a checkpoint carries under the metadata key ``conventions``."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Conventions:
        """Read what :meth:`to_json` wrote; unknown keys are ignored.

        Raises
        ------
        CheckpointError
            No JSON object, an axis missing, or an axis that cannot be.

        >>> Conventions.from_json(CONVENTIONS["face_multitask_v2"].to_json()).name
        'face_multitask_v2'
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise CheckpointError(
                f"Conventions must be a JSON object, but are {text!r:.80}."
            ) from error
        if not isinstance(content, dict):
            raise CheckpointError(f"Conventions must be a JSON object, but are {text!r:.80}.")
        missing = [key for key in ("name", *_AXES) if key not in content]
        if missing:
            raise CheckpointError(f"Conventions lack {', '.join(missing)}: {text!r:.80}.")
        return cls(**{key: content[key] for key in ("name", *_AXES)})


_AXES = ("Pitch", "Roll", "Yaw", "X", "Y", "Z", "gaze_pitch", "gaze_yaw")


def _is_axis(value: tuple[object, ...], top: int) -> bool:
    if len(value) != 2 or not all(type(v) is int for v in value):
        return False
    index, sign = value
    return index in range(top + 1) and sign in (1, -1)


CONVENTIONS: Mapping[str, Conventions] = MappingProxyType(
    {
        table.name: table
        for table in (
            # As the release that shipped the file maps its outputs (py-feat 2.0.3).
            Conventions("face_multitask_v2"),
            # py-feat 2.1.5: both pitches of this file point down.
            Conventions("face_multitask_v28", Pitch=(0, -1), gaze_pitch=(1, -1)),
        )
    }
)
"""Published weights file (without its suffix) → its conventions."""


def conventions_for(metadata: Mapping[str, str], filename: str | Path) -> Conventions:
    """Find the conventions of a checkpoint; ``.name`` says which they are.

    The file's own (metadata key ``conventions``) win over those of its name; a file that neither
    carries any nor has a known name is read like ``face_multitask_v2``.

    Parameters
    ----------
    metadata
        The checkpoint's metadata.
    filename
        Its name or path; only the stem counts.

    Raises
    ------
    CheckpointError
        The file carries conventions that cannot be read; the message names the file.

    Examples
    --------
    >>> conventions_for({}, "weights/face_multitask_v28.safetensors").name
    'face_multitask_v28'
    >>> conventions_for({}, "mine.safetensors").name
    'face_multitask_v2'
    """
    if "conventions" in metadata:
        try:
            return Conventions.from_json(metadata["conventions"])
        except CheckpointError as error:
            raise CheckpointError(f"{filename}: {error}") from error
    return CONVENTIONS.get(Path(filename).stem, CONVENTIONS["face_multitask_v2"])


@dataclass(frozen=True, eq=False)
class Oriented:
    """Pose and gaze with the order and signs of a Fex.

    Parameters
    ----------
    pose
        (n, 6) columns of the schema's group `poses`: Pitch, Roll, Yaw in radians, X, Y, Z in the
        network's own units.
    gaze
        (n, 3) columns of the schema's group `gazes`: gaze_pitch, gaze_yaw, gaze_angle, radians.
    """

    pose: NDArray[np.float32]
    gaze: NDArray[np.float32]


def oriented(prediction: Prediction, conventions: Conventions) -> Oriented:
    """Give pose and gaze of a prediction with the order and signs of a Fex.

    ``gaze_angle`` is the angle between the gaze and straight ahead,
    arccos(cos pitch · cos yaw). NaN stays NaN.

    Parameters
    ----------
    prediction
        Raw outputs.
    conventions
        Those of the weights that made them.
    """

    def column(raw: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        index, sign = getattr(conventions, name)
        return raw[:, index] * np.float32(sign)

    pose = np.stack([column(prediction.pose, name) for name in GROUPS["poses"].columns], axis=1)
    pitch, yaw = (column(prediction.gaze, name) for name in ("gaze_pitch", "gaze_yaw"))
    # arccos loses half the digits near 0: in double precision, then rounded once.
    cosine = np.cos(pitch, dtype=np.float64) * np.cos(yaw, dtype=np.float64)
    angle = np.arccos(np.clip(cosine, -1.0, 1.0)).astype(np.float32)
    return Oriented(pose, np.stack([pitch, yaw, angle], axis=1))
