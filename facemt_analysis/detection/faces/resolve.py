"""From what a user asks for to a face detector."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from facemt_analysis.detection.faces.base import (
    Boxes,
    FaceDetector,
    Framing,
    Image,
    check_boxes,
    check_frames,
)
from facemt_analysis.errors import FacemtError

if TYPE_CHECKING:
    import torch

__all__ = ["FACE_DETECTORS", "CallableDetector", "resolve_face_detector"]

FACE_DETECTORS = ("retinaface", "haar")
"""The face detectors that have a name."""


class CallableDetector:
    """A user's function as a face detector; whatever it returns is checked.

    Parameters
    ----------
    function
        Takes one (H, W, 3) uint8 RGB frame and returns (n, 5) `x1 y1 x2 y2 score` in pixels of
        it, or nothing. An attribute `framing` of the function is used, if there is one; otherwise
        its boxes are taken to be like RetinaFace's (forehead to chin).

    Examples
    --------
    >>> import numpy as np
    >>> detector = CallableDetector(lambda frame: [[10, 10, 50, 60, 0.9]])
    >>> detector.detect([np.zeros((80, 80, 3), np.uint8)])[0].shape
    (1, 5)
    """

    def __init__(self, function: Callable[[Image], object]) -> None:
        self.function = function
        kind = function if hasattr(function, "__qualname__") else type(function)
        self.name = f"{kind.__module__}.{kind.__qualname__}"
        framing = getattr(function, "framing", None)
        self.framing = framing if isinstance(framing, Framing) else Framing()

    def __repr__(self) -> str:
        return f"CallableDetector({self.name})"

    def detect(self, frames: Sequence[Image]) -> list[Boxes]:
        """Call the function on each frame.

        Raises
        ------
        BoxError
            When it returns anything but boxes.
        """
        found = [check_boxes(self.function(frame), self.name) for frame in check_frames(frames)]
        return [boxes[(-boxes[:, 4]).argsort(kind="stable")] for boxes in found]


def resolve_face_detector(
    spec: object,
    *,
    device: str | torch.device = "cpu",
    weights_name: str | None = None,
    engine: str = "torch",
    threads: int | None = None,
) -> FaceDetector:
    """Give the face detector that is asked for.

    Parameters
    ----------
    spec
        ``"retinaface"`` (published weights), ``"haar"`` (part of OpenCV), an object with `name`,
        `framing` and `detect(frames)`, or any callable that takes one (H, W, 3) uint8 RGB frame
        and returns (n, 5) `x1 y1 x2 y2 score`.
    device
        Where RetinaFace runs.
    weights_name
        Name or path of RetinaFace's weights; None takes the published ones.
    engine, threads
        What runs RetinaFace, see `RetinaFace`.

    Raises
    ------
    FacemtError
        When there is no such detector.
    WeightsUnavailable
        When RetinaFace's weights are neither cached nor within reach.
    CheckpointError
        When RetinaFace's weights file does not fit.

    Examples
    --------
    >>> resolve_face_detector("hair")
    Traceback (most recent call last):
    facemt_analysis.errors.FacemtError: There is no face detector 'hair'. ... Did you mean 'haar'?
    """
    if isinstance(spec, str):
        return _named(spec, device, weights_name, engine, threads)
    if not isinstance(spec, type):
        if isinstance(spec, FaceDetector) and callable(spec.detect):
            return spec
        if callable(spec):
            return CallableDetector(cast("Callable[[Image], Any]", spec))
    raise FacemtError(
        f"A face detector is one of {_choices()}, a callable, or an object with `name`, `framing` "
        f"and `detect`, but got {spec!r:.120}."
    )


def _named(
    spec: str,
    device: str | torch.device,
    weights_name: str | None,
    engine: str,
    threads: int | None,
) -> FaceDetector:
    if spec == "haar":
        from facemt_analysis.detection.faces.haar import HaarCascade

        return HaarCascade()
    if spec == "retinaface":
        from facemt_analysis.detection.faces.retinaface import RetinaFace

        model = RetinaFace.from_pretrained(
            weights_name, device=device, engine=engine, threads=threads
        )
        return model.fold()
    near = difflib.get_close_matches(spec.lower(), FACE_DETECTORS, n=1, cutoff=0.4)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise FacemtError(
        f"There is no face detector {spec!r:.80}. Choose {_choices()}, or pass a callable.{hint}"
    )


def _choices() -> str:
    return " or ".join(repr(name) for name in FACE_DETECTORS)
