"""ELAN's .eaf: one tier per feature, annotations in whole milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from facemt_analysis.errors import FexError, one_line
from facemt_analysis.io._atomic import atomic_file
from facemt_analysis.io.events.pympi_library import pympi
from facemt_analysis.io.events.table import check_free, make_events, one_recording, tiers, value_of

__all__ = ["read_elan", "write_elan"]


def read_elan(path: Path) -> pd.DataFrame:
    """Read all tiers; those that refer to others take the times of these.

    ``feature`` is the tier, without the ``@track`` that several faces give it, ``track`` the number
    in its attribute PARTICIPANT; any other participant becomes a column. ``input`` is the name of
    the linked media file, else of the file.
    """
    library = pympi()
    try:
        eaf = library.Eaf(str(path))
        media = [m.get("MEDIA_URL", "") for m in eaf.media_descriptors]
        rows = list(_annotations(eaf))
    except Exception as error:  # the library raises just that
        raise FexError(f"{path}: it cannot be read as an ELAN file: {one_line(error)}") from error
    name = Path(media[0]).name if media and media[0] else path.stem
    return make_events(rows, name)


def _annotations(eaf: Any) -> Iterator[dict[str, Any]]:
    for tier in eaf.get_tier_names():
        participant = eaf.get_parameters_for_tier(tier).get("PARTICIPANT", "")
        feature, about = tier, {}
        if participant.isdecimal():
            about = {"track": int(participant)}
            feature = tier.removesuffix(f"@{participant}")
        elif participant:
            about = {"participant": participant}
        for start, stop, value, *_ in eaf.get_annotation_data_for_tier(tier):
            yield {
                "feature": feature, "label": value or "", **about,
                "onset": start / 1000, "offset": stop / 1000,
            }  # fmt: skip


def write_elan(
    events: pd.DataFrame,
    path: Path,
    *,
    tier: str = "feature",
    value: str = "label",
    media: str | None = None,
) -> None:
    """Write one tier for each value of the column `tier`, with the column `value` as words.

    ELAN has whole milliseconds, and no annotation without length: such a one lasts 1 ms. `media`
    is the recording to link; ELAN asks for it where it does not find it.
    """
    library = pympi()
    table = one_recording(events, "An ELAN file")
    words = value_of(table, value)
    eaf = library.Eaf(author="facemt_analysis")
    eaf.remove_tier("default")
    for name, track, rows in tiers(table, tier):
        check_free(rows, name, "ELAN")
        eaf.add_tier(name, part=None if track is None else str(track))
        last = 0
        times = zip(rows["onset"], rows["offset"], words[rows.index], strict=True)
        for onset, offset, text in times:
            # rounding must not make neighbours overlap
            start = max(round(onset * 1000), last)
            stop = max(round(offset * 1000), start + 1)
            eaf.add_annotation(name, start, stop, text)
            last = stop
    link = media or next(iter(table["input"]), "")
    if link:
        beside = f"./{Path(link).name}"
        eaf.add_linked_file(Path(link).as_posix(), relpath=beside, mimetype=_mime(link))
    with atomic_file(path) as temporary:
        temporary.unlink()  # the library keeps a copy of a file that is there
        eaf.to_file(str(temporary))


def _mime(name: str) -> str:
    import mimetypes

    return mimetypes.guess_type(name)[0] or "video/mp4"
