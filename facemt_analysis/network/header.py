"""The header of a safetensors file: names, shapes and metadata, without reading the weights.

A safetensors file is eight bytes (little-endian length of the header), the header (JSON: per
tensor its type, shape and place; strings under ``__metadata__``) and the bytes of the tensors.
Nothing in it can be executed. Everything here needs the standard library only.

References
----------
https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from facemt_analysis.errors import CheckpointError

__all__ = ["Header", "TensorInfo", "file_sha256", "read_header"]

_MAX_HEADER = 16 * 2**20  # a network of this kind has some 30 kB
_BITS: Mapping[str, int] = MappingProxyType(
    {
        "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "I16": 16, "U16": 16, "F16": 16,
        "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64,
    }
)  # fmt: skip

_FOREIGN = (
    (b"PK\x03\x04", "a zip archive, as torch.save writes (a pickle inside)"),
    (b"\x80\x02", "a pickle"),
    (b"\x80\x03", "a pickle"),
    (b"\x80\x04", "a pickle"),
    (b"\x80\x05", "a pickle"),
    (b"\x1f\x8b", "gzip data"),
    (b"\x89HDF", "an HDF5 file"),
    (b"GGUF", "a GGUF file"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file it points to"),
    (b"<", "an HTML or XML page"),
    (b"{", "bare JSON"),
)


@dataclass(frozen=True)
class TensorInfo:
    """One tensor of a file.

    Parameters
    ----------
    dtype
        safetensors' name of the type, e.g. ``F32``.
    shape
        Its shape.
    """

    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Header:
    """What the header of a safetensors file says.

    Parameters
    ----------
    path
        The file.
    tensors
        Name → type and shape, in the file's order.
    metadata
        The strings under ``__metadata__``.
    """

    path: Path
    tensors: Mapping[str, TensorInfo]
    metadata: Mapping[str, str]


def file_sha256(path: str | os.PathLike[str]) -> str:
    """Give the SHA-256 of a file's bytes, in hexadecimal.

    Raises
    ------
    CheckpointError
        The file cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(Path(path), error) from error


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read and check the header of a safetensors file.

    Raises
    ------
    CheckpointError
        The file is absent, empty, cut off, damaged or of another kind; a pickle is recognised by
        its first bytes and not read any further.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            start = file.read(32)
            length = int.from_bytes(start[:8], "little")
            _check_start(path, start, length, size)
            file.seek(8)
            text = file.read(length)
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "its header is not valid JSON") from error
    if not isinstance(content, dict):
        raise _damaged(path, "its header is not a JSON object")
    metadata = content.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise _damaged(path, "its metadata is not a mapping of strings")
    end = 0
    tensors = {}
    for name, entry in content.items():
        tensors[name], stop = _tensor(path, name, entry)
        end = max(end, stop)
    missing = 8 + length + end - size
    if missing > 0:
        raise CheckpointError(
            f"{path} is cut off: {missing} of its {8 + length + end} bytes are missing. Download "
            "or copy it again."
        )
    return Header(path, MappingProxyType(tensors), MappingProxyType(metadata))


def _check_start(path: Path, start: bytes, length: int, size: int) -> None:
    """Refuse what does not begin like a safetensors file."""
    if size == 0:
        raise CheckpointError(f"{path} is empty. Download or copy it again.")
    if len(start) > 8 and start[8:9] == b"{" and 8 + length <= size:
        if length <= _MAX_HEADER:
            return
        raise CheckpointError(
            f"{path} announces a header of {length} bytes, more than the {_MAX_HEADER} allowed: it "
            "is damaged or no checkpoint of this kind. Download it again."
        )
    for magic, kind in _FOREIGN:
        if start.startswith(magic):
            why = " (pickles can run code when loaded, so they are never opened)"
            raise CheckpointError(
                f"{path} is {kind}, not a safetensors file{why if 'pickle' in kind else ''}. Use "
                "the .safetensors file of the same weights, or convert it where you trust it."
            )
    if len(start) > 8 and start[8:9] == b"{" and length <= _MAX_HEADER:
        raise CheckpointError(
            f"{path} is cut off inside its header ({size} bytes there, {8 + length} announced by "
            "it). Download or copy it again."
        )
    raise CheckpointError(
        f"{path} is not a safetensors file: it does not begin with a plausible header. Give the "
        ".safetensors file of the weights."
    )


def _tensor(path: Path, name: str, entry: Any) -> tuple[TensorInfo, int]:
    """Check one entry; give it and where its bytes end."""

    def numbers(value: Any, n: int | None = None) -> tuple[int, ...]:
        good = isinstance(value, list) and all(type(v) is int and v >= 0 for v in value)
        if not good or (n is not None and len(value) != n):
            raise _damaged(path, f"its entry for tensor {name!r:.120} is malformed")
        return tuple(value)

    if not isinstance(entry, dict) or not isinstance(entry.get("dtype"), str):
        raise _damaged(path, f"its entry for tensor {name!r:.120} is malformed")
    info = TensorInfo(entry["dtype"], numbers(entry.get("shape")))
    start, stop = numbers(entry.get("data_offsets"), 2)
    bits = _BITS.get(info.dtype)
    if stop < start or (bits is not None and (stop - start) * 8 != info.size * bits):
        raise _damaged(path, f"the bytes of tensor {name!r:.120} do not fit its shape")
    return info, stop


def _damaged(path: Path, what: str) -> CheckpointError:
    return CheckpointError(f"{path} is damaged: {what}. Download or copy it again.")


def _unreadable(path: Path, error: OSError) -> CheckpointError:
    if isinstance(error, FileNotFoundError):
        return CheckpointError(
            f"{path} does not exist. Give the path of a .safetensors file, or weights by name."
        )
    if isinstance(error, IsADirectoryError) or path.is_dir():
        return CheckpointError(f"{path} is a folder. Give the .safetensors file inside it.")
    return CheckpointError(f"{path} cannot be read: {error.strerror or error}. Check it and retry.")
