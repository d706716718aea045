"""What a checkpoint says about itself, from its header alone: no torch, no weights in memory."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from facemt_analysis.errors import CheckpointError, one_line
from facemt_analysis.network.config import ConfigError, ModelConfig
from facemt_analysis.network.header import Header, file_sha256, read_header

__all__ = ["CheckpointSummary", "checkpoint_summary", "config_of"]

# Leaves of tensors that are counted by a layer, not trained.
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class CheckpointSummary:
    """What a safetensors file holds.

    Parameters
    ----------
    path
        The file.
    n_bytes
        Its size.
    sha256
        SHA-256 of its bytes, hexadecimal.
    config
        Its configuration; None for a file without one (a face detector's, say).
    unsupported
        Why the network cannot be run here, in one sentence; None when it can.
    n_tensors
        Number of tensors.
    n_parameters
        Number of trained values: all tensors but the running statistics of batch norm.
    dtypes
        Types of the tensors as safetensors names them, sorted.
    metadata
        All strings of the header, ``config`` left out (licence, conventions, …).
    """

    path: Path
    n_bytes: int
    sha256: str
    config: ModelConfig | None
    unsupported: str | None
    n_tensors: int
    n_parameters: int
    dtypes: tuple[str, ...]
    metadata: Mapping[str, str]

    @property
    def licence(self) -> str | None:
        """The licence the file states, if it states one."""
        return self.metadata.get("licence") or self.metadata.get("license")


def checkpoint_summary(path: str | os.PathLike[str]) -> CheckpointSummary:
    """Summarise a safetensors file without loading its weights.

    Files of before v2.4 are summarised too, with the reason why they cannot be run.

    Raises
    ------
    CheckpointError
        The file cannot be read, is no safetensors file, or its configuration is broken.
    """
    header = read_header(path)
    config = config_of(header) if "config" in header.metadata else None
    unsupported = None
    try:
        if config is None:
            unsupported = "The file has no key `config` in its metadata."
        else:
            config.require_supported()
    except ConfigError as error:
        unsupported = str(error)
    return CheckpointSummary(
        path=header.path,
        n_bytes=header.path.stat().st_size,
        sha256=file_sha256(path),
        config=config,
        unsupported=unsupported,
        n_tensors=len(header.tensors),
        n_parameters=sum(
            info.size
            for name, info in header.tensors.items()
            if name.rsplit(".", 1)[-1] not in _STATISTICS
        ),
        dtypes=tuple(sorted({info.dtype for info in header.tensors.values()})),
        metadata={key: value for key, value in header.metadata.items() if key != "config"},
    )


def config_of(header: Header) -> ModelConfig:
    """Read the configuration out of a header.

    Raises
    ------
    CheckpointError
        There is none, it is not JSON, or a field is wrong; naming the file (and the field).
    """
    if "config" not in header.metadata:
        found = ", ".join(sorted(header.metadata)[:8]) or "none"
        raise CheckpointError(
            f"{header.path} has no key `config` in its metadata (keys there: "
            f"{one_line(found, 200)}), so it is no checkpoint of the face network. Give a "
            "face_multitask file, or one written by save_checkpoint."
        )
    text = header.metadata["config"]
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{header.path}: its `config` is not valid JSON ({text!r:.60}). Download the file "
            "again, or write it anew with save_checkpoint."
        ) from error
    try:
        return ModelConfig.from_dict(values)
    except ConfigError as error:
        raise ConfigError(f"{header.path}: bad configuration: {error}") from error
