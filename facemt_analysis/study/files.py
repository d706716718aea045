"""The recordings of a study as their files' footers tell them, and how one is read."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from facemt_analysis import schema
from facemt_analysis.checks import near_names
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.io import recording_file
from facemt_analysis.io._selection import Selection, shorten
from facemt_analysis.io.parquet import Categories, union_categories
from facemt_analysis.io.parquet_reading import (
    bounds_of,
    metadata_of,
    open_parquet,
    read_part,
    to_fex,
)

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["Recording", "Study", "survey"]

_AT_ONCE = 8  # footers that are read at the same time: network drives answer slowly


@dataclass(frozen=True, eq=False)
class Recording:
    """One recording of a study: where it is, and what the footer of its file says.

    Parameters
    ----------
    name
        As in the column ``input``.
    path
        Its file.
    alone
        Whether the file holds no other recording.
    rows
        Number of rows.
    start, stop
        Least and greatest time, s; None: not known.
    groups
        Column groups of the file.
    info
        Metadata.
    lacks
        Columns that other recordings have, and their Arrow types: empty here.
    labels
        One row with ``input`` and the labels to join; None: none.
    """

    name: str
    path: Path
    alone: bool
    rows: int
    start: float | None
    stop: float | None
    groups: tuple[str, ...]
    info: FexInfo
    lacks: tuple[tuple[str, Any], ...] = ()
    labels: pd.DataFrame | None = None

    def read(self, groups: Sequence[str] | None, categories: Categories) -> Fex:
        """Read column groups of this recording (None: all) as they are in the whole study."""
        import pyarrow as pa

        own = None if groups is None else tuple(g for g in groups if g in self.groups)
        part = read_part(self.path, Selection(own, None if self.alone else (self.name,)))
        table = part.table
        for column, kind in self.lacks:
            group = schema.group_of(column)
            if groups is None or group in (None, "keys") or group in groups:
                table = table.append_column(column, pa.nulls(len(table), kind))
        fex = to_fex([table], part.info, categories, self.path)
        return fex if self.labels is None else fex.label(self.labels)


@dataclass(frozen=True, eq=False)
class Study:
    """What the files of a study hold together.

    Parameters
    ----------
    recordings
        In the order in which :func:`facemt_analysis.read_fex` reads them.
    kinds
        Column → Arrow type where it comes first; in the order of the first file.
    categories
        Of categorical labels.
    """

    recordings: tuple[Recording, ...]
    kinds: dict[str, pa.DataType]
    categories: Categories


def survey(paths: Sequence[Path], names: Sequence[str] | None, source: Path) -> Study:
    """Read the footers of the files of a study.

    Parameters
    ----------
    paths
        All files, in order.
    names
        Recordings that are wanted; None: all. Where each has the file named after it, no other
        file is opened.
    source
        What messages speak of.

    Raises
    ------
    FexError
        If files are damaged or do not name their recordings, a recording is in two files, or one
        that is wanted is not there.
    """
    if names is not None:
        own = {recording_file(source, name) for name in names}
        paths = [path for path in paths if path in own] if own.issubset(paths) else paths
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        looked = list(pool.map(_try_to_look, paths))
    if wrong := [str(found) for found in looked if isinstance(found, FexError)]:
        raise FexError("\n".join(wrong))
    files = [found for found in looked if not isinstance(found, FexError)]
    recordings = _chosen([r for file in files for r in file.recordings], names, source)
    used = {recording.path for recording in recordings}
    files = [file for file in files if file.path in used]
    kinds: dict[str, pa.DataType] = {}
    for file in files:
        for field in file.schema:
            kinds.setdefault(field.name, field.type)
    lacking = {
        file.path: tuple((c, k) for c, k in kinds.items() if c not in present)
        for file in files
        if len(present := set(file.schema.names)) < len(kinds)
    }
    categories = functools.reduce(union_categories, (f.categories for f in files))
    completed = (replace(r, lacks=lacking.get(r.path, ())) for r in recordings)
    return Study(tuple(completed), kinds, categories)


@dataclass(frozen=True, eq=False)
class _File:
    path: Path
    recordings: list[Recording]
    schema: pa.Schema
    categories: Categories


def _try_to_look(path: Path) -> _File | FexError:
    try:
        return _look(path)
    except FexError as error:
        return error


def _look(path: Path) -> _File:
    file, content = open_parquet(path)
    with file:
        columns = file.schema_arrow
        if "input" not in columns.names:
            raise FexError(f"{path}: it has no column 'input', which names the recording.")
        info, categories = metadata_of(content, path)
        found = _in_footer(file)
        if found is None:
            found = _in_columns(file, path)
    groups = schema.groups_in(columns.names)
    recordings = [
        Recording(name, path, len(found) == 1, rows, start, stop, groups, info)
        for name, (rows, start, stop) in found.items()
    ]
    return _File(path, recordings, columns, categories)


_Extent = tuple[int, float | None, float | None]
"""Rows, first and last second."""


def _in_footer(file: pq.ParquetFile) -> dict[str, _Extent] | None:
    """Find recordings by the bounds of row groups; None if one may hold several."""
    metadata = file.metadata
    place = {metadata.schema.column(i).path: i for i in range(metadata.num_columns)}
    found: dict[str, _Extent] = {}
    for index in range(metadata.num_row_groups):
        group = metadata.row_group(index)
        if not group.num_rows:
            continue
        low, high = bounds_of(group, place["input"])
        nulls = None if low is None else group.column(place["input"]).statistics.null_count
        if low is None or low != high or nulls != 0:
            return None
        extent = (group.num_rows, *bounds_of(group, place.get("time")))
        found[str(low)] = _joined(found[str(low)], extent) if str(low) in found else extent
    return found


def _joined(one: _Extent, other: _Extent) -> _Extent:
    starts = [t for t in (one[1], other[1]) if t is not None]
    stops = [t for t in (one[2], other[2]) if t is not None]
    return one[0] + other[0], min(starts, default=None), max(stops, default=None)


def _in_columns(file: pq.ParquetFile, path: Path) -> dict[str, _Extent]:
    """Find recordings by the columns themselves."""
    wanted = [c for c in ("input", "time") if c in file.schema_arrow.names]
    keys = file.read(columns=wanted).to_pandas()
    if empty := int(keys["input"].isna().sum()):
        raise FexError(f"{path}: the column 'input' is empty in {empty} rows; fill it.")
    found: dict[str, _Extent] = {}
    for name, part in keys.groupby("input", sort=False, observed=True):
        time = part["time"].dropna() if "time" in part else pd.Series(dtype="float64")
        start, stop = (float(time.min()), float(time.max())) if len(time) else (None, None)
        found[str(name)] = (len(part), start, stop)
    return found


def _chosen(
    recordings: Iterable[Recording], names: Sequence[str] | None, source: Path
) -> list[Recording]:
    """Pick the recordings that are wanted, each in one file only."""
    there: dict[str, Recording] = {}
    for recording in recordings:
        other = there.setdefault(recording.name, recording)
        if other is not recording:
            raise FexError(
                f"{source}: the recording {recording.name!r} is in two files, {other.path.name} "
                f"and {recording.path.name}; recordings are worked on one by one, so each has to "
                "be in one file."
            )
    if not there:
        raise FexError(f"{source}: it has no rows.")
    if names is None:
        return list(there.values())
    return list(_wanted(there, names, source))


def _wanted(there: dict[str, Recording], names: Sequence[str], source: Path) -> Iterator[Recording]:
    missing = [name for name in names if name not in there]
    if missing or not names:
        hint = near_names(missing[0], there) if missing else ""
        raise FexError(
            f"{source}: it has no recording {shorten(missing)}.{hint} It has "
            f"{shorten(sorted(there))}."
        )
    yield from (recording for name, recording in there.items() if name in set(names))
