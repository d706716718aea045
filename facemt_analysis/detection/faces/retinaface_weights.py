"""Reading RetinaFace's weights file strictly: safetensors, exactly the expected tensors."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from facemt_analysis.errors import CheckpointError
from facemt_analysis.network import read_header

__all__ = ["read_weights"]

_SHOWN = 6  # names listed per kind of mismatch


def read_weights(path: str | os.PathLike[str], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Read all tensors of a file after comparing its header with what is wanted.

    Parameters
    ----------
    path
        A safetensors file; nothing in it is executed.
    wanted
        The network's state dict: names and shapes.

    Raises
    ------
    CheckpointError
        When the file cannot be read, is of another kind, or does not fit; all kinds of mismatch
        are told at once.
    """
    header = read_header(path)
    there = header.tensors
    misshapen = [
        f"{name}: {list(there[name].shape)} instead of {list(tensor.shape)}"
        for name, tensor in wanted.items()
        if name in there and there[name].shape != tuple(tensor.shape)
    ]
    problems = [
        f"{len(names)} {what} ({_listed(names)})"
        for names, what in (
            ([name for name in wanted if name not in there], "missing"),
            ([name for name in there if name not in wanted], "not expected"),
            (misshapen, "of another shape"),
        )
        if names
    ]
    if problems:
        raise CheckpointError(
            f"{header.path} is no RetinaFace ResNet-34: of its tensors, {'; '.join(problems)}. Use "
            "the published file (retinaface_r34)."
        )
    try:
        tensors = load_file(header.path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{header.path} is damaged: {' '.join(str(error).split())}. Download it again."
        ) from error
    bad = [name for name, tensor in tensors.items() if not bool(tensor.isfinite().all())]
    if bad:
        raise CheckpointError(
            f"{header.path} has NaN or infinite weights in {len(bad)} tensors ({_listed(bad)}). "
            "Download it again."
        )
    return tensors


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
