"""Names of recordings and the order of their files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

__all__ = ["distinct_names", "natural_key"]


def natural_key(path: PurePath) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts img2 before img10.

    >>> sorted(map(PurePath, ["img10.png", "img2.png", "IMG1.png"]), key=natural_key)[1].name
    'img2.png'
    """
    parts = re.split(r"(\d+)", str(path).casefold())
    folded = tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p)
    # the spelling decides between names that differ in case or zeros only
    return (*folded, (2, 0, str(path)))


def distinct_names(paths: Sequence[PurePath]) -> list[str]:
    """Give the shortest trailing part of each path that no other path shares.

    >>> distinct_names([PurePath("x/a/talk.mp4"), PurePath("x/b/talk.mp4"), PurePath("x/c.mp4")])
    ['a/talk.mp4', 'b/talk.mp4', 'c.mp4']
    """
    lengths = [1] * len(paths)
    while True:
        names = [_tail(path, n) for path, n in zip(paths, lengths, strict=True)]
        uses = Counter(names)
        growing = [
            i for i, n in enumerate(names) if uses[n] > 1 and lengths[i] < len(paths[i].parts)
        ]
        if not growing:
            return names
        for i in growing:
            lengths[i] += 1


def _tail(path: PurePath, n: int) -> str:
    return str(PurePath(*path.parts[-n:])) if path.parts else str(path)
