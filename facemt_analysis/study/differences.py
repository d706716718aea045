"""Whether recordings that are measured together were made in the same way."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from facemt_analysis.fex import FexInfo
from facemt_analysis.io._selection import shorten

__all__ = ["warn_of_differences"]

_SAME = tuple(f.name for f in fields(FexInfo) if f.name not in ("tool", "versions", "created"))


def warn_of_differences(infos: Iterable[tuple[str, FexInfo]]) -> None:
    """Warn, in the name of the caller's caller, of what was not the same in all recordings.

    Parameters
    ----------
    infos
        Name of each recording and its metadata.
    """
    given = list(infos)
    said = []
    for name in _SAME:
        ways: dict[Any, list[str]] = {}
        for recording, info in given:
            ways.setdefault(_way(info, name), []).append(recording)
        if len(ways) > 1:
            each = (f"{_shown(way)} ({shorten(names, 2)})" for way, names in ways.items())
            said.append(f"{name}: {'; '.join(each)}")
    if said:
        warnings.warn(
            "The recordings were not made in the same way, so that measures may differ for that "
            "reason alone:\n" + "\n".join(said) + "\nScan those that belong together "
            "(recordings=...), or detect again.",
            UserWarning,
            stacklevel=3,
        )


def _way(info: FexInfo, name: str) -> Any:
    if name == "log":  # labels change no measure
        return tuple((r.name, r.arguments) for r in info.log if r.name != "label")
    return getattr(info, name)


def _shown(way: Any) -> str:
    if isinstance(way, tuple):
        return ", ".join(name for name, _ in way) or "no operation"
    if isinstance(way, Mapping):
        return f"{dict(way)!r:.200}"
    return str(way)
