"""What a seed is: a small intact file, and where it goes."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Seed"]


@dataclass(frozen=True)
class Seed:
    """One intact file.

    Parameters
    ----------
    name
        Name of the file; its ending is part of the case.
    data
        Its bytes.
    doors
        Ways in (see `fuzz.doors`), one of which a case takes.
    beside
        Intact files in the same folder, by name; the door gets the folder then.
    """

    name: str
    data: bytes
    doors: tuple[str, ...]
    beside: dict[str, bytes] = field(default_factory=dict)
