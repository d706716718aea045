"""The network: configuration, backbone and heads, checkpoint files, weights by name."""

from __future__ import annotations

from facemt_analysis.network.config import ConfigError, ModelConfig
from facemt_analysis.network.model import FaceMultitask
from facemt_analysis.network.output import Outputs, Prediction

__all__ = ["ConfigError", "FaceMultitask", "ModelConfig", "Outputs", "Prediction"]
