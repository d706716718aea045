"""The formats that can be read. A new one is a module with a ``FORMAT``, and its name here."""

from __future__ import annotations

from os import PathLike

from facemt_analysis.errors import FexError
from facemt_analysis.io import (
    dataset,
    facereader,
    imotions,
    libreface,
    mediapipe,
    openface,
    openface3,
    parquet_reading,
    pyafar,
    pyfeat,
    pyfeat_mp,
    pyfeat_v1,
    table,
)  # fmt: skip
from facemt_analysis.io._head import Format, Head

__all__ = ["FORMATS", "recognise"]

FORMATS: tuple[Format, ...] = (
    parquet_reading.FORMAT,
    dataset.FORMAT,
    openface.FORMAT,
    openface3.FORMAT,
    pyfeat_mp.FORMAT,  # before the other detectors of py-feat, whose box it has
    pyfeat.FORMAT,
    pyfeat_v1.FORMAT,
    libreface.FORMAT,
    pyafar.FORMAT,
    facereader.FORMAT,
    imotions.FORMAT,
    mediapipe.FORMAT,
    table.FORMAT,  # any text table with a known column: after the ones it would swallow
)


def recognise(path: str | PathLike[str]) -> tuple[Format, Head]:
    """Find out what a file is from what is in it; its name does not matter.

    Raises
    ------
    FexError
        If it is none of :data:`FORMATS`, or cannot be read at all.
    """
    head = Head(path)
    for form in FORMATS:
        if form.recognises(head):
            return form, head
    what = "a text file" if head.text is not None else "a binary file"
    seen = f" starting with {head.text[:40]!r}" if head.text else ""
    raise FexError(
        f"{head.path}: {what}{seen}, but not a table of faces; readable are: "
        f"{'; '.join(form.name for form in FORMATS)}."
    )
