"""Weights by name: known files on the Hugging Face hub, the embedded ones, and plain paths."""

from __future__ import annotations

import difflib
import functools
import logging
import multiprocessing
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from facemt_analysis.errors import CheckpointError, WeightsUnavailable
from facemt_analysis.network.header import file_sha256, read_header

__all__ = ["WEIGHTS", "KnownWeights", "ResolvedWeights", "resolve_weights"]

_log = logging.getLogger("facemt_analysis")
_NONCOMMERCIAL = (
    "research and non-commercial use only; read the notice in the repository before you use them"
)


@dataclass(frozen=True)
class KnownWeights:
    """Weights that can be asked for by name.

    Parameters
    ----------
    name
        The name.
    filename
        The file in the repository, or in this package's data for embedded weights.
    repo
        Hugging Face repository; None for embedded weights.
    licence
        Terms of use, in words.
    instead
        What needs no download and does a like job; empty for what needs none itself.
    caution
        What must not be read into the outputs, said together with the terms.
    """

    name: str
    filename: str
    repo: str | None
    licence: str
    instead: str = ""
    caution: str = ""

    @property
    def source(self) -> str:
        """Where the file comes from, in words."""
        return f"huggingface.co/{self.repo}" if self.repo else "this package"


WEIGHTS: Mapping[str, KnownWeights] = MappingProxyType(
    {
        weights.name: weights
        for weights in (
            KnownWeights(
                "face_multitask_v2",
                "face_multitask_v2.safetensors",
                "py-feat/face_multitask_v2",
                _NONCOMMERCIAL,
                'weights="open"',
            ),
            KnownWeights(
                "face_multitask_v28",
                "face_multitask_v28.safetensors",
                "py-feat/face_multitask_v2",
                _NONCOMMERCIAL,
                'weights="open"',
            ),
            KnownWeights(
                "retinaface_r34",
                "model.safetensors",
                "py-feat/retinaface_r34",
                "MIT",
                'face_detector="haar"',
            ),
            KnownWeights(
                "open",
                "open.safetensors",
                None,
                "MIT",
                caution="A small network; what it can and cannot do: docs/open_weights.md",
            ),
        )
    }
)
"""Name → where the weights are and what may be done with them."""


@dataclass(frozen=True)
class ResolvedWeights:
    """A weights file on this machine.

    Parameters
    ----------
    name
        The name asked for, or the file's name without its suffix.
    path
        The file. Of a known name it may be a link of another name inside the hub's cache.
    sha256
        SHA-256 of its bytes, hexadecimal.
    licence
        Terms of use: of a known name from :data:`WEIGHTS`, else what the file states, or None.
    revision
        Commit of the hub's repository the file belongs to; None for other files.
    """

    name: str
    path: Path
    sha256: str
    licence: str | None
    revision: str | None


def resolve_weights(
    name_or_path: str | os.PathLike[str], *, revision: str | None = None
) -> ResolvedWeights:
    """Find a weights file by name or path, fetching it from the hub when it is not here yet.

    A file in the hub's cache is used without any connection. Otherwise it is downloaded once, with
    progress on stderr, into the standard cache (``HF_HOME``). The terms of known weights are
    logged once per process at level WARNING (logger ``facemt_analysis``), which Python shows on
    stderr unless logging is configured otherwise.

    Parameters
    ----------
    name_or_path
        A name in :data:`WEIGHTS`, or the path of a ``.safetensors`` file. A name wins over a file
        of that name in the working folder; write ``./name`` to mean the file.
    revision
        Branch, tag or commit of the repository; None takes its main branch as it was when the file
        was fetched. The commit is recorded in the result either way.

    Raises
    ------
    WeightsUnavailable
        There is no such name, or its file is neither here nor to be had; says what to do.
    CheckpointError
        There is no such path, or the file is no safetensors file, or it is damaged.

    Examples
    --------
    >>> resolve_weights("face_multitask_v3")
    Traceback (most recent call last):
    facemt_analysis.errors.WeightsUnavailable: There are no weights 'face_multitask_v3'...
    """
    known = WEIGHTS.get(name_or_path) if isinstance(name_or_path, str) else None
    if known is None:
        return _from_path(name_or_path, revision)
    if known.repo is None:
        path, commit = _embedded(known, revision), None
    else:
        path = _cached(known, revision) or _downloaded(known, revision)
        commit = _commit(path)
    found = ResolvedWeights(known.name, path, _checked_sha256(path), known.licence, commit)
    _announce(known)
    return found


def _from_path(name_or_path: str | os.PathLike[str], revision: str | None) -> ResolvedWeights:
    path = Path(name_or_path)
    text = os.fspath(name_or_path)
    if _reads_like_a_name(text) and not path.exists():
        near = difflib.get_close_matches(text, WEIGHTS, n=2, cutoff=0.5)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise WeightsUnavailable(
            f"There are no weights {text!r:.80}. Names are {', '.join(WEIGHTS)}; anything else "
            f"must be the path of a .safetensors file.{hint}"
        )
    if revision is not None:
        raise CheckpointError(
            f"`revision` is for weights by name, but {path} is a path. Leave `revision` out."
        )
    metadata = read_header(path).metadata
    licence = metadata.get("licence") or metadata.get("license")
    return ResolvedWeights(path.stem, path, file_sha256(path), licence, None)


def _reads_like_a_name(text: str) -> bool:
    """Tell a name, perhaps mistyped, from a path: no folder, no suffix (v2.5 has none)."""
    return Path(text).name == text and re.fullmatch(r"(\.\d*)?", Path(text).suffix) is not None


def _embedded(known: KnownWeights, revision: str | None) -> Path:
    if revision is not None:
        raise CheckpointError(
            f"`revision` is for weights from the hub; {known.name!r} come with this package. Leave "
            "`revision` out."
        )
    path = Path(__file__).parent / "data" / known.filename
    if not path.exists():
        raise WeightsUnavailable(
            f"The weights {known.name!r} are not part of this installation ({path} is not there). "
            "Install the package anew, or give the path of a .safetensors file."
        )
    return path


def _hub(known: KnownWeights) -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise WeightsUnavailable(
            f"Fetching the weights {known.name!r} needs the package huggingface-hub. Install it: "
            'pip install "facemt-analysis[detect]"; or give the path of a .safetensors file.'
        ) from error
    return huggingface_hub


def _cached(known: KnownWeights, revision: str | None) -> Path | None:
    """Give the file in the hub's cache, without a connection."""
    found = _hub(known).try_to_load_from_cache(known.repo, known.filename, revision=revision)
    return Path(found) if isinstance(found, str) else None


def _downloaded(known: KnownWeights, revision: str | None) -> Path:
    """Fetch the file into the hub's cache."""
    hub = _hub(known)
    constants = hub.constants
    try:
        # Asked first and once: the download itself retries for minutes when nobody answers.
        url = hub.hf_hub_url(known.repo, known.filename, revision=revision)
        hub.get_hf_file_metadata(url, timeout=constants.HF_HUB_ETAG_TIMEOUT)
        return Path(hub.hf_hub_download(known.repo, known.filename, revision=revision))
    # The hub's client raises what its HTTP library raises, and that library changes between its
    # versions: whatever happened, the file is not to be had, and the cause is told.
    except Exception as error:
        raise WeightsUnavailable(
            f"The weights {known.name!r} ({known.filename}) are not in the cache "
            f"({constants.HF_HUB_CACHE}) and cannot be fetched from {constants.ENDPOINT}: "
            f"{_reason(known, revision, error)} {_remedy(known)}"
        ) from error


def _reason(known: KnownWeights, revision: str | None, error: Exception) -> str:
    """Say in one sentence why a download failed."""
    kind = type(error).__name__
    status = getattr(getattr(error, "response", None), "status_code", None)
    if kind == "OfflineModeIsEnabled":
        return "offline mode is on (HF_HUB_OFFLINE)."
    if kind == "RevisionNotFoundError":
        return f"{known.repo} has no revision {revision!r}."
    if kind in ("EntryNotFoundError", "RemoteEntryNotFoundError"):
        return f"{known.repo} has no file {known.filename} at revision {revision or 'main'!r}."
    if kind == "GatedRepoError" or status in (401, 403):
        return (
            f"access to {known.repo} was refused (status {status}); accept its terms on the site "
            "and set HF_TOKEN."
        )
    if status is not None:
        return f"the server answered with status {status}."
    told = re.sub(r"\s+", " ", str(error)).strip()
    return f"{kind}: {told[:200].rstrip('.')}."


def _remedy(known: KnownWeights) -> str:
    return (
        f"Connect and try again; or download {known.filename} from https://huggingface.co/"
        f"{known.repo} elsewhere and give its path; or set HF_HOME to a folder that has it, or "
        f"HF_ENDPOINT to a mirror; or use {known.instead}."
    )


def _commit(path: Path) -> str | None:
    """Read the commit off a path in the cache: .../snapshots/<commit>/<file>."""
    folder = path.parent
    return folder.name if folder.parent.name == "snapshots" else None


def _checked_sha256(path: Path) -> str:
    """Hash a file; where the cache names it by its hash, make sure it still fits."""
    digest = file_sha256(path)
    blob = path.resolve().name
    if re.fullmatch(r"[0-9a-f]{64}", blob) and blob != digest:
        raise CheckpointError(
            f"{path} is damaged: its SHA-256 is not the one the hub gave. Delete {path.resolve()} "
            "and try again."
        )
    return digest


@functools.cache
def _announce(known: KnownWeights) -> None:
    """Tell the terms of weights; once, as the cache of this function remembers.

    Not in workers: the process that started them has told.
    """
    if multiprocessing.parent_process() is not None:
        return
    caution = f" {known.caution}." if known.caution else ""
    _log.warning("Weights %s (%s): %s.%s", known.name, known.source, known.licence, caution)
