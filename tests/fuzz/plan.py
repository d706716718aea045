"""Which seeds make up a run."""

from __future__ import annotations

from pathlib import Path

from fuzz.seeds import Seed

__all__ = ["KINDS", "seeds_of"]

KINDS = ("media", "files")
_CHECKPOINTS = 16  # times, among some thirty tables and annotations


def seeds_of(kind: str, folder: Path, weights: Path) -> list[Seed]:
    """Make the seeds of a kind, ``media`` or ``files``, in a folder; `weights` is the checkpoint.

    The checkpoint comes as often as a third of all tables and annotations: it has the most to it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "media":
        from fuzz.seeds_media import media_seeds

        return media_seeds(folder)
    from fuzz.seeds_files import checkpoint_seeds, file_seeds

    network, archive = checkpoint_seeds(weights)
    return [*file_seeds(folder), *[network] * (_CHECKPOINTS - 1), archive]
