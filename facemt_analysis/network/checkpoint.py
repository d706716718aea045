"""Checkpoint files: safetensors with the configuration in the metadata, read strictly."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from facemt_analysis.errors import CheckpointError, one_line
from facemt_analysis.network.config import ConfigError
from facemt_analysis.network.conventions import conventions_for
from facemt_analysis.network.header import Header, TensorInfo, file_sha256, read_header
from facemt_analysis.network.model import FaceMultitask
from facemt_analysis.network.summary import config_of

__all__ = ["TensorMismatch", "check_checkpoint", "load_checkpoint", "save_checkpoint"]

_FLOATS = ("F16", "BF16", "F32", "F64")
_INTEGERS = ("I64", "I32", "I16", "I8", "U8", "U16", "U32", "U64")
_NAMES = {torch.float32: "F32", torch.float16: "F16", torch.int64: "I64"}
_SHOWN = 40  # names per kind of mismatch listed one by one; beyond, indices are drawn together


class TensorMismatch(CheckpointError):
    """The tensors of a file are not those its configuration calls for.

    The message shortens long lists; the attributes hold them whole.

    Attributes
    ----------
    missing, unexpected, misshapen, mistyped : tuple[str, ...]
        Names of tensors that are absent, that should not be there, that have another shape, or
        another kind of type.
    """

    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    misshapen: tuple[str, ...] = ()
    mistyped: tuple[str, ...] = ()


def load_checkpoint(
    path: str | os.PathLike[str], *, device: str | torch.device = "cpu"
) -> FaceMultitask:
    """Build the network a checkpoint describes and read its weights.

    The header is checked against the configuration before anything is allocated, so a file that
    does not fit costs nothing. Nothing in a file is ever executed.

    Parameters
    ----------
    path
        A ``.safetensors`` file with the key ``config`` in its metadata.
    device
        Where the weights go.

    Returns
    -------
    FaceMultitask
        In eval mode, float32 whatever the file holds, with `.config`, `.metadata` (the other
        strings of the header) and `.sha256` (of the file).

    Raises
    ------
    CheckpointError
        The file is absent, unreadable, damaged or of another kind (pickles are refused unread);
        its configuration is missing, broken or of before v2.4 (:class:`ConfigError`); its
        conventions are broken; tensors are missing, unexpected, misshapen or of a wrong type
        (:class:`TensorMismatch`, naming all); weights are not finite.

    Examples
    --------
    >>> import tempfile
    >>> from facemt_analysis.network import FaceMultitask, ModelConfig
    >>> network = FaceMultitask(ModelConfig.v25(backbone="convnextv2_atto", afg_channels=8))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save_checkpoint(network, f"{folder}/mine.safetensors", licence="MIT")
    ...     loaded = load_checkpoint(path)
    >>> loaded.config == network.config, loaded.metadata["licence"]
    (True, 'MIT')
    """
    header = read_header(path)
    network = _network_for(header)
    wanted = network.state_dict()
    # copied, since what is read may be a view of the file, which others may change
    weights = {
        name: value.to(device, wanted[name].dtype, copy=True)
        for name, value in _read(header).items()
    }
    network.load_state_dict(weights, assign=True)
    network.metadata = {key: value for key, value in header.metadata.items() if key != "config"}
    network.sha256 = file_sha256(path)
    return network.eval()


def check_checkpoint(path: str | os.PathLike[str]) -> None:
    """Refuse a file whose header already shows that `load_checkpoint` would refuse it.

    The weights are not read, so whether they are finite is not known afterwards.

    Raises
    ------
    CheckpointError
        As `load_checkpoint`.
    """
    _network_for(read_header(path))


def save_checkpoint(
    model: FaceMultitask,
    path: str | os.PathLike[str],
    *,
    dtype: torch.dtype = torch.float32,
    **metadata: Any,
) -> Path:
    """Write a network's weights and configuration as one safetensors file.

    The file appears complete or not at all. The same weights and metadata give the same bytes.

    Parameters
    ----------
    model
        The network; its own `metadata` is written too, where `metadata` does not say otherwise.
    path
        Where to; an existing file is replaced.
    dtype
        ``torch.float32``, or ``torch.float16`` for half the size (read back as float32).
    **metadata
        Facts to keep with the weights, e.g. ``licence="MIT"``, ``conventions=table.to_json()``.
        Strings are written as they are, None drops a key, anything else becomes JSON.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    CheckpointError
        The file cannot be written, or weights are not finite (in float16: beyond 65504).
    ValueError
        A dtype other than the two, or metadata that JSON cannot hold or that is named ``config``.
    """
    path = Path(path)
    if dtype not in (torch.float32, torch.float16):
        raise ValueError(f"`dtype` must be torch.float32 or torch.float16, but is {dtype}.")
    if "config" in metadata:
        raise ValueError("`config` is written from the model: pass other names as metadata.")
    tensors = {}
    for name, value in model.state_dict().items():
        value = value.detach().to("cpu", dtype if value.is_floating_point() else torch.int64)
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise CheckpointError(
                f"{path} was not written: {name} has values that are not finite in {dtype}. "
                "Go back to an earlier state of the training, or save as torch.float32."
            )
        tensors[name] = value.contiguous()
    strings = {"format": "pt", **model.metadata} | _strings(metadata)
    strings = {key: value for key, value in strings.items() if value is not None}
    strings["config"] = json.dumps(model.config.to_dict())
    _write(path, tensors, strings)
    return path


def _strings(metadata: Mapping[str, Any]) -> dict[str, str | None]:
    strings: dict[str, str | None] = {}
    for key, value in metadata.items():
        if value is None or isinstance(value, str):
            strings[key] = value
            continue
        try:
            strings[key] = json.dumps(value)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"metadata `{key}` must be a string or something JSON can hold, but is a "
                f"{type(value).__name__}."
            ) from error
    return strings


def _write(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str | None]) -> None:
    """Write the format by hand: the safetensors package orders metadata at random.

    Without a fixed order the same weights would have another SHA-256 each time.
    """
    # Wide types first, so that every tensor starts at a multiple of its item size.
    ordered = sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0]))
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))}
    start = 0
    for name, value in ordered:
        stop = start + value.numel() * value.element_size()
        header[name] = {
            "dtype": _NAMES[value.dtype],
            "shape": list(value.shape),
            "data_offsets": [start, stop],
        }
        start = stop
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for _, value in ordered:
                # Little-endian, as the format wants; a no-op on all but the rarest machines.
                array = value.numpy()
                file.write(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be written: {error.strerror or error}. Check the folder, its "
            "permissions and the free space."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _network_for(header: Header) -> FaceMultitask:
    """Build the network of a header, without memory for its weights; refuse what does not fit."""
    config = config_of(header)
    conventions_for(header.metadata, header.path)  # refuses those that cannot be
    try:
        with torch.device("meta"):
            network = FaceMultitask(config)
    except ConfigError as error:
        raise ConfigError(f"{header.path}: {error}") from error
    _compare(header, network.state_dict())
    return network


def _read(header: Header) -> dict[str, Tensor]:
    """Read all tensors as they are stored, refusing values that are not finite."""
    tensors = {}
    try:
        with safe_open(header.path, framework="pt") as file:
            for name in header.tensors:
                tensors[name] = file.get_tensor(name)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{header.path} is damaged: {one_line(error) or type(error).__name__}. Download or "
            "copy it again."
        ) from error
    bad = [
        name
        for name, value in tensors.items()
        if value.is_floating_point() and not bool(value.isfinite().all())
    ]
    if bad:
        raise CheckpointError(
            f"{header.path} has NaN or infinite weights in {len(bad)} tensors ({_listed(bad)}). "
            "Use another state of the training."
        )
    return tensors


def _compare(header: Header, wanted: Mapping[str, Tensor]) -> None:
    """Refuse a file whose tensors are not exactly those of the network."""
    there = header.tensors
    missing = tuple(name for name in wanted if name not in there)
    unexpected = tuple(name for name in there if name not in wanted)
    shared = [name for name in wanted if name in there]
    misshapen = tuple(n for n in shared if there[n].shape != tuple(wanted[n].shape))
    mistyped = tuple(n for n in shared if not _type_fits(there[n], wanted[n]))
    if not (missing or unexpected or misshapen or mistyped):
        return
    parts: list[tuple[tuple[str, ...], str, Callable[[str], str]]] = [
        (missing, "missing", lambda n: n),
        (unexpected, "not expected", lambda n: n),
        (
            misshapen,
            "of another shape",
            lambda n: f"{n}: {list(there[n].shape)} instead of {list(wanted[n].shape)}",
        ),
        (mistyped, "of a wrong type", lambda n: f"{n}: {there[n].dtype:.20}"),
    ]
    told = [
        f"{len(names)} {what} ({_listed([show(n) for n in names])})"
        for names, what, show in parts
        if names
    ]
    error = TensorMismatch(
        f"{header.path}: tensors do not fit the configuration in its metadata: {'; '.join(told)}. "
        "Use the file as it was published, or one written by save_checkpoint."
    )
    error.missing, error.unexpected = missing, unexpected
    error.misshapen, error.mistyped = misshapen, mistyped
    raise error


def _type_fits(info: TensorInfo, wanted: Tensor) -> bool:
    return info.dtype in (_FLOATS if wanted.is_floating_point() else _INTEGERS)


def _listed(entries: Sequence[str]) -> str:
    """List entries; of a long list, draw those that differ in numbers only together.

    >>> _listed(["a.0.w", "a.1.w"])
    'a.0.w, a.1.w'
    """
    entries = [one_line(entry, 160) for entry in entries]
    if len(entries) <= _SHOWN:
        return ", ".join(entries)
    groups: dict[str, list[str]] = {}
    for entry in entries:
        groups.setdefault(re.sub(r"\d+", "*", entry), []).append(entry)
    told = [m[0] if len(m) == 1 else f"{key} ({len(m)}×)" for key, m in groups.items()]
    shown = list(itertools.islice(told, _SHOWN))
    left = len(entries) - sum(len(m) for m in itertools.islice(groups.values(), _SHOWN))
    return ", ".join(shown) + (f" and {left} more" if left else "")
