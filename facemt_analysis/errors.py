"""Every error a user can cause, each naming what was expected, what came and what to do."""

from __future__ import annotations

__all__ = [
    "CheckpointError",
    "FacemtError",
    "FexError",
    "MediaError",
    "MissingGroupError",
    "OptionError",
    "WeightsUnavailable",
    "one_line",
]


class FacemtError(Exception):
    """Base of all errors raised on purpose by this package."""


class MediaError(FacemtError):
    """A video, image, folder or array cannot be read as asked."""


class CheckpointError(FacemtError):
    """A weights file is not a checkpoint this package can run."""


class WeightsUnavailable(FacemtError):
    """Weights asked for by name are not here and cannot be fetched."""


class FexError(FacemtError):
    """A table is not a Fex, or lacks what an analysis needs."""


class OptionError(FacemtError, ValueError):
    """An argument has a value it cannot have."""


class MissingGroupError(FexError, AttributeError):
    """A feature group is absent.

    An ``AttributeError`` as well, because it is raised by properties: ``hasattr(fex, "gazes")``
    stays honest.
    """


def one_line(text: object, limit: int = 300) -> str:
    r"""Make words that come out of a file fit into a message: one line, not too long.

    >>> one_line("row 3:\n  a\x1b[2J")
    'row 3: a?[2J'
    """
    line = "".join(c if c.isprintable() else "?" for c in " ".join(str(text).split()))
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
