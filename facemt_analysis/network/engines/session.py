"""ONNX Runtime on a CPU, and PyTorch's own threads beside it."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from facemt_analysis.checks import check_whole
from facemt_analysis.errors import OptionError

__all__ = ["Session", "n_threads", "onnx_is_installed", "optional_module", "torch_threads"]


class Session:
    """An ONNX model, ready to run on a CPU.

    Parameters
    ----------
    model
        Content of an ONNX file with one input, ``"x"``.
    threads
        Threads of each call; None leaves it to ONNX Runtime: all cores.

    Raises
    ------
    OptionError
        The package `onnxruntime` is not installed.
    """

    def __init__(self, model: bytes, threads: int | None) -> None:
        runtime = optional_module("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        # The arena keeps the largest batch it has seen: 0.6 GB of a full-size network, no faster.
        options.enable_cpu_mem_arena = False
        # Threads that wait sleep instead of spinning: spinning costs other processes their cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def __call__(self, x: Tensor) -> list[Tensor]:
        """Give the model's outputs for a float32 tensor on the CPU."""
        outputs = self._session.run(None, {"x": x.contiguous().numpy()})
        return [torch.from_numpy(output) for output in outputs]


def onnx_is_installed() -> bool:
    """Say whether the optional packages are there."""
    return all(importlib.util.find_spec(name) is not None for name in ("onnx", "onnxruntime"))


def optional_module(name: str) -> Any:
    """Import `onnx` or `onnxruntime`, or say how to install it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise OptionError(
            f"engine='onnx' needs {name}, which cannot be imported ({error}): "
            'pip install "facemt-analysis[onnx]", or pass engine="torch".'
        ) from error


def n_threads(threads: int | None, engine: str) -> int | None:
    """Check a number of threads; None becomes PyTorch's for an engine with threads of its own."""
    if threads is None:
        return None if engine == "torch" else torch.get_num_threads()
    return check_whole("threads", threads, 1)


@contextlib.contextmanager
def torch_threads(threads: int | None) -> Iterator[None]:
    """Run PyTorch with this number of threads (None: as it is), then with as many as before."""
    before = torch.get_num_threads()
    if threads is None or before == threads:
        yield
        return
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
