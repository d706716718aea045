"""WebVTT: the cues of a caption file as events, for speech as a confound of the mouth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from facemt_analysis.errors import FexError
from facemt_analysis.io.events.table import make_events

__all__ = ["read_webvtt"]

_CLOCK = r"(?:(\d+):)?(\d{2}):(\d{2}\.\d{3})"
_CUE = re.compile(rf"^{_CLOCK}\s+-->\s+{_CLOCK}")
_VOICE = re.compile(r"^<v(?:\.\S+)?\s+([^>]+)>")
_TAG = re.compile(r"<[^>]*>")


def read_webvtt(path: Path) -> pd.DataFrame:
    """Read the cues; ``feature`` is the speaker of a ``<v>`` tag, else ``caption``."""
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FexError(f"{path}: the text is not UTF-8; save it as UTF-8.") from error
    if not text.startswith("WEBVTT"):
        raise FexError(f"{path}: not a WebVTT file: it must begin with WEBVTT.")
    return make_events(_cues(text), path.stem)


def _cues(text: str) -> Iterator[dict[str, Any]]:
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.strip("\n").split("\n")
        for number, line in enumerate(lines):
            if match := _CUE.match(line.strip()):
                words = " ".join(lines[number + 1 :]).strip()
                voice = _VOICE.match(words)
                yield {
                    "feature": voice[1].strip() if voice else "caption",
                    "label": _TAG.sub("", words),
                    "onset": _seconds(match.groups()[:3]),
                    "offset": _seconds(match.groups()[3:]),
                }
                break


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds = parts
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + float(seconds or 0)
