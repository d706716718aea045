"""What a Detector runs on and finds faces with, when the user leaves it open."""

from __future__ import annotations

import warnings

import torch

from facemt_analysis.checks import check_option
from facemt_analysis.detection.faces import FaceDetector, resolve_face_detector
from facemt_analysis.errors import OptionError, WeightsUnavailable
from facemt_analysis.network import WEIGHTS

__all__ = [
    "FallbackWarning", "choose_batch_size", "choose_device", "choose_face_detector",
    "choose_precision", "choose_threads",
]  # fmt: skip

_FEEDING = 4  # threads that cut out, look and write tables for a device, next to those that decode


class FallbackWarning(UserWarning):
    """Something asked for is out of reach, and another took its place."""


def choose_device(device: str | torch.device) -> torch.device:
    """Give the device asked for; ``auto`` takes CUDA where there is one.

    Raises
    ------
    OptionError
        When this machine's torch has no such device.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise OptionError(
            f"`device` must be 'auto', 'cpu', 'cuda' or another device that this machine's torch "
            f"has, but got {str(device)!r}."
        ) from error
    return chosen


def choose_threads(threads: int | None, device: torch.device) -> int:
    """Give the number of threads that run the network, or feed the device that does.

    Raises
    ------
    OptionError
        When it is less than one.
    """
    if threads is not None and threads < 1:
        raise OptionError(f"`threads` must be at least 1, but got {threads}.")
    usual = torch.get_num_threads()
    return threads or (usual if device.type == "cpu" else min(_FEEDING, usual))


def choose_batch_size(batch_size: int | None, device: torch.device) -> int:
    """Give the number of faces that go through the network together.

    Raises
    ------
    OptionError
        When it is less than one.
    """
    if batch_size is not None and batch_size < 1:
        raise OptionError(f"`batch_size` must be at least 1, but got {batch_size}.")
    return batch_size or (16 if device.type == "cpu" else 64)


def choose_precision(precision: str, device: torch.device, engine: str) -> str:
    """Give the name of the type in which feature maps are computed.

    Raises
    ------
    OptionError
        When there is no such precision, or the engine has not got it.
    """
    check_option("precision", precision, ("auto", "float32", "bfloat16"))
    if precision == "auto":
        return "bfloat16" if device.type == "cuda" else "float32"
    if precision == "bfloat16" and engine != "torch":
        raise OptionError(
            f"`precision` 'bfloat16' needs engine='torch', but the engine is {engine!r}."
        )
    return precision


def choose_face_detector(
    spec: object, weights: str, device: torch.device, engine: str
) -> FaceDetector:
    """Choose the face detector asked for, or the one that suits the weights."""
    # each call comes from a thread that keeps to one core
    threads = 1 if engine == "onnx" else None
    if spec is not None:
        return resolve_face_detector(spec, device=device, engine=engine, threads=threads)
    if weights == "open":
        return resolve_face_detector("haar", device=device)
    try:
        return resolve_face_detector("retinaface", device=device, engine=engine, threads=threads)
    except WeightsUnavailable as error:
        if weights in WEIGHTS:  # published weights are run as published
            raise
        warnings.warn(
            "Faces are found with OpenCV's Haar cascade instead of RetinaFace; pass "
            f"face_detector='haar' to choose it on purpose. The reason: {error}",
            FallbackWarning,
            stacklevel=3,
        )
        return resolve_face_detector("haar", device=device)
