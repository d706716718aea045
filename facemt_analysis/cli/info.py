"""``facemt info``: what a checkpoint, a recording or a table holds."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facemt_analysis.cli.words import DONE, NOTHING_DONE, SOME_FAILED, Commands, say
from facemt_analysis.errors import FacemtError

if TYPE_CHECKING:
    from facemt_analysis.network import CheckpointSummary

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the command and its arguments."""
    info = commands.add_parser(
        "info",
        help="say what a checkpoint, a video or a Fex file holds",
        description="Say what a checkpoint, a recording or a Fex file holds.",
    )
    info.set_defaults(run=_info)
    info.add_argument("files", nargs="+", type=Path, metavar="FILE")
    info.add_argument("--json", action="store_true", help="one JSON object per file")


def _info(arguments: argparse.Namespace) -> int:
    failures = 0
    for path in arguments.files:
        try:
            content = _describe(path)
        except FacemtError as error:
            failures += 1
            say(f"error: {error}")
            continue
        if arguments.json:
            print(json.dumps({"file": str(path), **content}, default=str, ensure_ascii=False))
        else:
            print(path)
            for line in _lines(content, indent=2):
                print(line)
    if not failures:
        return DONE
    return NOTHING_DONE if failures == len(arguments.files) else SOME_FAILED


def _describe(path: Path) -> dict[str, Any]:
    """Say what a file holds, by its content: checkpoint, Fex file, or recording."""
    from facemt_analysis.io import describe_fex, is_fex

    if path.suffix.lower() in (".safetensors", ".pt", ".pth", ".ckpt", ".bin"):
        from facemt_analysis.network import checkpoint_summary

        return _describe_checkpoint(checkpoint_summary(path))
    if is_fex(path):  # needs nothing that detection needs
        return describe_fex(path).to_dict()
    from facemt_analysis.detection import open_recordings

    found = [recording.describe().known() for recording in open_recordings(path)]
    return dict(found[0]) if len(found) == 1 else {"recordings": found}


def _describe_checkpoint(summary: CheckpointSummary) -> dict[str, Any]:
    metadata = dict(summary.metadata)
    for key, text in metadata.items():
        with suppress(ValueError):
            metadata[key] = json.loads(text)
    return {
        "format": "checkpoint",
        "bytes": summary.n_bytes,
        "sha256": summary.sha256,
        "licence": summary.licence or "not stated",
        "runs": summary.unsupported or _misfit(summary.path) or "yes",
        "parameters": summary.n_parameters,
        "tensors": summary.n_tensors,
        "dtypes": summary.dtypes,
        "metadata": metadata,
        "config": summary.config.to_dict() if summary.config else {},
    }


def _misfit(path: Path) -> str | None:
    """Why the tensors of a checkpoint do not make the network of its configuration."""
    from facemt_analysis.network import check_checkpoint

    try:
        check_checkpoint(path)
    except FacemtError as error:
        return f"no: {error}"
    return None


def _lines(content: Mapping[str, Any], indent: int) -> Iterator[str]:
    """``key: value`` lines, nested content indented."""
    for key, value in content.items():
        label = f"{' ' * indent}{key.replace('_', ' ')}:"
        if isinstance(value, Mapping):
            yield label
            yield from _lines(value, indent + 2)
        elif isinstance(value, (list, tuple)) and value and isinstance(value[0], Mapping):
            for item in value:
                yield label
                yield from _lines(item, indent + 2)
        elif isinstance(value, (list, tuple)):
            yield f"{label} {', '.join(map(_shown, value))}"
        else:
            yield f"{label} {_shown(value)}"


def _shown(value: object) -> str:
    """Write a value for people: six digits, words for nothing known."""
    if value is None:
        return "not known"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
