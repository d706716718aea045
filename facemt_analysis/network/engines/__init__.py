"""Inference engines: what computes the network's feature maps, chosen by name.

Names are loaded when first used; ONNX Runtime is an optional package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.network.engines.choose import ENGINES, make_engine, resolve_engine
    from facemt_analysis.network.engines.engine import Engine, OnnxEngine, TorchEngine

__all__ = ["ENGINES", "Engine", "OnnxEngine", "TorchEngine", "make_engine", "resolve_engine"]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "choose": ["ENGINES", "make_engine", "resolve_engine"],
        "engine": ["Engine", "OnnxEngine", "TorchEngine"],
    },
)
