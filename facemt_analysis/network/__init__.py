"""The network: configuration, backbone and heads, engines, checkpoint files, weights by name.

Names are loaded when first used: a checkpoint's header, its conventions and weights by name need
no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.network.checkpoint import (
        TensorMismatch,
        check_checkpoint,
        load_checkpoint,
        save_checkpoint,
    )
    from facemt_analysis.network.config import ConfigError, ModelConfig
    from facemt_analysis.network.conventions import (
        CONVENTIONS,
        Conventions,
        Oriented,
        conventions_for,
        oriented,
    )
    from facemt_analysis.network.engines import Engine, make_engine
    from facemt_analysis.network.header import file_sha256, read_header
    from facemt_analysis.network.model import FaceMultitask
    from facemt_analysis.network.output import Outputs, Prediction
    from facemt_analysis.network.summary import CheckpointSummary, checkpoint_summary
    from facemt_analysis.network.weights import (
        WEIGHTS,
        KnownWeights,
        ResolvedWeights,
        resolve_weights,
    )

__all__ = [
    "CONVENTIONS",
    "WEIGHTS",
    "CheckpointSummary",
    "ConfigError",
    "Conventions",
    "Engine",
    "FaceMultitask",
    "KnownWeights",
    "ModelConfig",
    "Oriented",
    "Outputs",
    "Prediction",
    "ResolvedWeights",
    "TensorMismatch",
    "check_checkpoint",
    "checkpoint_summary",
    "conventions_for",
    "file_sha256",
    "load_checkpoint",
    "make_engine",
    "oriented",
    "read_header",
    "resolve_weights",
    "save_checkpoint",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "checkpoint": ["TensorMismatch", "check_checkpoint", "load_checkpoint", "save_checkpoint"],
        "config": ["ConfigError", "ModelConfig"],
        "conventions": ["CONVENTIONS", "Conventions", "Oriented", "conventions_for", "oriented"],
        "engines": ["Engine", "make_engine"],
        "header": ["file_sha256", "read_header"],
        "model": ["FaceMultitask"],
        "output": ["Outputs", "Prediction"],
        "summary": ["CheckpointSummary", "checkpoint_summary"],
        "weights": ["WEIGHTS", "KnownWeights", "ResolvedWeights", "resolve_weights"],
    },
)
