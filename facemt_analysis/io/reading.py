"""One door for every kind of file."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facemt_analysis.errors import FexError

if TYPE_CHECKING:
    from facemt_analysis.fex import Fex

__all__ = ["is_fex", "read_fex"]


def read_fex(
    path: str | PathLike[str],
    *,
    groups: Sequence[str] | str | None = None,
    recordings: Sequence[str] | str | None = None,
    start: float | None = None,
    stop: float | None = None,
    **options: Any,
) -> Fex:
    """Read a table of faces: own files, and those of other tools.

    What a file is is told from its content, not from its name:

    - Parquet files of this package (:meth:`Fex.to_parquet`, ``facemt detect``), and others with
      columns of a Fex;
    - folders of such files, one per recording;
    - text tables (:meth:`Fex.to_csv`): metadata is not in them;
    - CSV of py-feat: Detectorv2 (:func:`facemt_analysis.io.pyfeat.read_pyfeat`), the first
      detectors, MPDetector;
    - OpenFace 2 (:func:`facemt_analysis.io.openface.read_openface`) and OpenFace 3;
    - LibreFace, PyAFAR, MediaPipe's blendshapes;
    - FaceReader's detailed log, iMotions' export of AFFDEX or FACET.

    Names, units and signs become those of the schema; ``fex.info`` has the tool and its
    conventions. Expressions given as a class, and angles whose unit or sign a tool does not
    document, stay labels. ``docs/formats.md`` has the tables.

    Parameters
    ----------
    path
        File or folder.
    groups
        Feature groups to read, e.g. ``["aus", "va"]``; keys and labels always come along. Of
        Parquet, nothing else is read.
    recordings
        Names in the column ``input`` to read.
    start, stop
        Rows with start <= time < stop, in seconds; rows without a time are left out.
    **options
        Of the reader of the format, see there: ``fps`` gives ``time`` where a tool writes none,
        ``keep`` the names of further columns that become labels.

    Returns
    -------
    Fex
        float32 features, an index from 0; columns in the order of the file.

    Raises
    ------
    FexError
        If the file is missing, empty, damaged, of another kind or from a newer release, or has
        not the groups, recordings or times asked for. The message names the file.

    Examples
    --------
    >>> import tempfile
    >>> from facemt_analysis import Fex
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Fex({"frame": [0, 1], "AU12": [0.1, 0.2]}).to_parquet(f"{folder}/talk.parquet")
    ...     read_fex(f"{folder}/talk.parquet", groups="aus").groups
    ('keys', 'aus')
    """
    from facemt_analysis.io._selection import Selection
    from facemt_analysis.io.formats import recognise

    selection = Selection.make(groups, recordings, start, stop)
    form, head = recognise(path)
    unknown = [name for name in options if name not in form.options]
    if unknown:
        known = ", ".join(form.options) or "none"
        raise FexError(f"{path}: a {form.name} has no option {unknown[0]!r}; its options: {known}.")
    return form.read(head, selection, **options)


def is_fex(path: str | PathLike[str]) -> bool:
    """Say whether a file or folder is a table of faces rather than a recording or a checkpoint.

    Told from the content. A file that cannot be told from its content (missing, empty, damaged, an
    unknown table) counts if it is called like a table, so that :func:`read_fex` says what is wrong.

    Examples
    --------
    >>> is_fex("missing.parquet"), is_fex("missing.mp4")
    (True, False)
    """
    from facemt_analysis.io.dataset import parquet_files
    from facemt_analysis.io.formats import recognise

    path = Path(path)
    if path.is_dir():
        return bool(parquet_files(path))
    if path.suffix.lower() in (".parquet", ".csv", ".tsv"):
        return True
    try:
        recognise(path)
    except FexError:
        return False
    return True
