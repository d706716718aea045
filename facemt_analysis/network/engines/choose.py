"""From the name of an engine to the engine."""

from __future__ import annotations

import torch

from facemt_analysis.checks import check_option
from facemt_analysis.network.engines.engine import Engine, OnnxEngine, TorchEngine
from facemt_analysis.network.engines.session import onnx_is_installed
from facemt_analysis.network.model import FaceMultitask

__all__ = ["ENGINES", "make_engine", "resolve_engine"]

ENGINES = ("torch", "onnx", "auto")
"""What can be asked for."""

_LARGEST = 2_000_000_000  # bytes of weights that an ONNX model takes for certain


def resolve_engine(engine: str, device: str | torch.device = "cpu", *, n_bytes: int = 0) -> str:
    """Give the engine that a name stands for.

    Parameters
    ----------
    engine
        ``"torch"``, ``"onnx"``, or ``"auto"``: on a CPU ``"onnx"`` where its packages are
        installed, else ``"torch"``. The answer depends on nothing else, so that it is the same
        each time.
    device
        Where the weights are.
    n_bytes
        Size of the weights; ``"auto"`` leaves those to PyTorch that an ONNX model cannot hold.

    Raises
    ------
    OptionError
        There is no such engine.

    Examples
    --------
    >>> resolve_engine("auto", "cuda")
    'torch'
    >>> resolve_engine("tensorflow")
    Traceback (most recent call last):
    facemt_analysis.errors.OptionError: `engine` must be 'torch', 'onnx' or 'auto', but got ...
    """
    check_option("engine", engine, ENGINES)
    if engine != "auto":
        return engine
    fits = torch.device(device).type == "cpu" and n_bytes <= _LARGEST
    return "onnx" if fits and onnx_is_installed() else "torch"


def make_engine(
    model: FaceMultitask, engine: str = "auto", *, threads: int | None = None
) -> Engine:
    """Give a network its engine.

    Parameters
    ----------
    model
        The network, where it shall run.
    engine
        See :func:`resolve_engine`.
    threads
        Threads of each call on a CPU; None takes what PyTorch is set to. Give 1 to each of
        several workers on one machine.

    Returns
    -------
    Engine
        Its `name` says which one it is, its `predict` is that of the network.

    Raises
    ------
    OptionError
        No such engine, not installed, or not for this device or these weights.

    Examples
    --------
    >>> import torch
    >>> from facemt_analysis.network import FaceMultitask, ModelConfig
    >>> config = ModelConfig.v25(backbone="convnextv2_atto", image_size=64, afg_channels=16)
    >>> engine = make_engine(FaceMultitask(config).eval(), "torch", threads=1)
    >>> engine.name, len(engine.predict(torch.rand(2, 3, 256, 256)))
    ('torch', 2)
    """
    n_bytes = sum(p.numel() * 4 for p in model.parameters())
    kind = resolve_engine(engine, model.device, n_bytes=n_bytes)
    return (OnnxEngine if kind == "onnx" else TorchEngine)(model, threads=threads)
