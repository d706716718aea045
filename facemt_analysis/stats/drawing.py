"""How results get drawn: by the plotting room, which knows results and not the other way round."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["draw"]


def draw(function: str, result: object, **options: Any) -> Any:
    """Hand a result to a function of :mod:`facemt_analysis.plotting`, which is loaded now."""
    plotting = importlib.import_module("facemt_analysis.plotting")
    return getattr(plotting, function)(result, **options)
