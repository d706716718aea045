"""The library that knows ELAN's and Praat's files, imported when it is needed."""

from __future__ import annotations

from typing import Any

from facemt_analysis.errors import FexError

__all__ = ["pympi"]


def pympi() -> Any:
    """Import pympi-ling (MIT).

    Raises
    ------
    FexError
        If it is not installed; the message says how to.
    """
    try:
        import pympi as library
    except ImportError as error:
        raise FexError(
            "ELAN and Praat files need the library pympi-ling; "
            'pip install "facemt-analysis[annotation]".'
        ) from error
    return library
