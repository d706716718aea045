"""One door for every kind of annotation file."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from facemt_analysis.errors import FexError
from facemt_analysis.io._atomic import atomic_file
from facemt_analysis.io._text import read_plain_table
from facemt_analysis.io.events import bids, elan, live, textgrid, webvtt
from facemt_analysis.io.events.table import as_events

__all__ = ["read_events", "write_events"]


def read_events(path: str | PathLike[str], **options: Any) -> pd.DataFrame:
    """Read annotations of a recording.

    ==================  ===========================================================================
    ending              what
    ==================  ===========================================================================
    ``.eaf``            ELAN, every tier
    ``.TextGrid``       Praat, every tier (long, short, binary)
    ``.tsv``            events of BIDS
    ``.vtt``            WebVTT captions
    ``.csv``            ``annotations.csv`` of Py-feat Live, which needs ``fps=`` or ``fex=``; else
                        a table of events as :func:`write_events` writes it
    ==================  ===========================================================================

    Parameters
    ----------
    path
        The file.
    **options
        ``fps`` or ``fex`` for Py-feat Live.

    Returns
    -------
    DataFrame
        ``input``, ``track`` (where it is known), ``feature`` (the tier), ``label`` (the words),
        ``onset``, ``offset``, ``duration`` (s), and further columns of the file; by onset.

    Raises
    ------
    FexError
        If the file is missing, of another kind or damaged, or a library it needs is not installed.

    Examples
    --------
    >>> import tempfile
    >>> smile = pd.DataFrame({"feature": ["AU12"], "onset": [1.5], "offset": [2.0]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_events(smile, f"{folder}/talk_events.tsv")
    ...     read_events(f"{folder}/talk_events.tsv")
      input feature label  onset  offset  duration
    0  talk    AU12  AU12    1.5     2.0       0.5
    """
    path = Path(path)
    if not path.is_file():
        raise FexError(f"{path}: there is no such file.")
    readers: dict[str, Callable[..., pd.DataFrame]] = {
        ".eaf": elan.read_elan,
        ".textgrid": textgrid.read_textgrid,
        ".tsv": bids.read_bids_events,
        ".vtt": webvtt.read_webvtt,
        ".csv": live.read_live if _is_live(path) else _read_csv,
    }
    try:
        table: pd.DataFrame = _call(readers, path, path.suffix.lower(), "read", (path,), options)
    except FexError as error:
        if str(path) in str(error):
            raise
        raise FexError(f"{path}: {error}") from error  # what checks any events names no file
    return table


def write_events(
    events: pd.DataFrame, path: str | PathLike[str], *, format: str | None = None, **options: Any
) -> None:
    """Write events of one recording for an annotation program; the ending says which.

    ==================  ===========================================================================
    ending              what is written, and what is lost
    ==================  ===========================================================================
    ``.eaf``            ELAN: a tier for each `tier` and track, `value` as words; whole ms; further
                        columns are lost. `media` is the recording to link
    ``.TextGrid``       Praat: the same, to microseconds. `stop` is the length of the recording
    ``.tsv``            events of BIDS with a JSON sidecar; every column
    ``.csv``            a table of events, every column; with ``format="pyfeat-live"`` the
                        ``annotations.csv`` of Py-feat Live, by `fps` or the recording's `fex`
    ==================  ===========================================================================

    Parameters
    ----------
    events
        ``onset`` and ``offset`` or ``duration`` in s, ``feature`` and/or ``label``: what
        ``fex.au.events()`` gives, for example.
    path
        The file, which appears complete or not at all.
    format
        ``"pyfeat-live"``, or None: the ending says.
    **options
        ELAN and Praat: `tier`, the column whose values become tiers (``feature``), and `value`, the
        column that becomes the words (``label``). Others as above.

    Raises
    ------
    FexError
        If the events are no such table, of several recordings (but for ``.csv``), overlap in a
        tier, or the file cannot be written.
    """
    path = Path(path)
    if format not in (None, "pyfeat-live"):
        raise FexError(f"`format` must be None or 'pyfeat-live', but got {format!r}.")
    writers: dict[str, Callable[..., None]] = {
        ".eaf": elan.write_elan,
        ".textgrid": textgrid.write_textgrid,
        ".tsv": bids.write_bids_events,
        ".csv": _write_csv if format is None else live.write_live,
    }
    suffix = ".csv" if format else path.suffix.lower()
    _call(writers, path, suffix, "written", (events, path), options)


def _call(
    by_suffix: dict[str, Callable[..., Any]],
    path: Path,
    suffix: str,
    done: str,
    arguments: tuple[Any, ...],
    options: dict[str, Any],
) -> Any:
    import inspect

    if suffix not in by_suffix:
        raise FexError(f"{path}: events can be {done} as {', '.join(by_suffix)}; name it so.")
    function = by_suffix[suffix]
    known = [p.name for p in inspect.signature(function).parameters.values()
             if p.kind is inspect.Parameter.KEYWORD_ONLY]  # fmt: skip
    unknown = [name for name in options if name not in known]
    if unknown:
        raise FexError(
            f"{path}: a {suffix} file has no option {unknown[0]!r}; its options: "
            f"{', '.join(known) or 'none'}."
        )
    return function(*arguments, **options)


def _is_live(path: Path) -> bool:
    with path.open("rb") as file:
        return b"start_frame" in file.readline()


def _read_csv(path: Path) -> pd.DataFrame:
    table = as_events(read_plain_table(path))
    return table.sort_values(["input", "onset"], kind="stable", ignore_index=True)


def _write_csv(events: pd.DataFrame, path: Path) -> None:
    table = as_events(events)
    with atomic_file(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
