"""Reading the native format (see :mod:`facemt_analysis.io.parquet`), only what is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from facemt_analysis import schema
from facemt_analysis.errors import FexError, one_line
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.io._head import Format, Head
from facemt_analysis.io._selection import Selection, shorten
from facemt_analysis.io.parquet import KEY, SCHEMA_VERSION, Categories, is_feature

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = [
    "FORMAT",
    "Part",
    "bounds_of",
    "metadata_of",
    "open_parquet",
    "read_keys",
    "read_part",
    "recordings_in",
    "to_fex",
]

_MAGIC = b"PAR1"
# A file of more rows than this, and with less than a bit for each, holds no measurements: it would
# unfold to fill the memory.
_MANY_ROWS = 1_000_000


def open_parquet(path: Path) -> tuple[pq.ParquetFile, dict[str, Any]]:
    """Open a file and its ``facemt`` metadata (empty for a file of another program)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        metadata = file.metadata.metadata or {}
        names = file.schema_arrow.names
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise FexError(
            f"{path}: the Parquet file is truncated or damaged; its end cannot be read."
        ) from error
    if file.metadata.num_rows > max(_MANY_ROWS, 8 * path.stat().st_size):
        raise FexError(
            f"{path}: {path.stat().st_size} bytes cannot hold the {file.metadata.num_rows} rows "
            "that the file claims; it is damaged, or made to fill the memory."
        )
    if KEY not in metadata:
        if not any(schema.group_of(c) for c in names):
            raise FexError(
                f"{path}: a Parquet file, but none of its columns is one of a Fex; it has "
                f"{shorten(names)}."
            )
        return file, {}
    try:
        content = json.loads(metadata[KEY])
        version = content["schema_version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FexError(f"{path}: its metadata {KEY.decode()!r} is damaged.") from error
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise FexError(
            f"{path}: it has schema version {version!r:.60}, but this release reads up to "
            f"{SCHEMA_VERSION}; update facemt-analysis to read it."
        )
    return file, content


@dataclass(frozen=True)
class Part:
    """What was read of one file."""

    table: pa.Table
    info: FexInfo
    categories: Categories


def read_part(path: Path, selection: Selection) -> Part:
    """Read what is selected of one file, without the rest.

    Columns that are not selected are not read; neither are row groups whose bounds of ``input`` and
    ``time`` exclude every row.
    """
    import pyarrow as pa

    file, content = open_parquet(path)
    with file:
        columns = selection.columns(file.schema_arrow.names, path)
        try:
            if selection.recordings is not None:
                selection.check_recordings(_unique(file, "input"), path)
            if groups := list(_matching_row_groups(file, selection)):
                table = file.read_row_groups(groups, columns=columns)
            else:
                table = file.schema_arrow.empty_table().select(columns)
            table = _matching_rows(table, selection, path)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(path) from error
    return Part(table, *metadata_of(content, path))


def recordings_in(path: Path) -> list[str]:
    """Names of the recordings in one file."""
    file, _ = open_parquet(path)
    with file:
        return _unique(file, "input") if "input" in file.schema_arrow.names else []


def read_keys(path: Path) -> tuple[Part, list[str]]:
    """Read the columns that tell what is in a file, and give the names of all."""
    import pyarrow as pa

    file, content = open_parquet(path)
    with file:
        names = list(file.schema_arrow.names)
        wanted = [c for c in names if c in (*schema.KEYS, "FaceScore")]
        try:
            # without any key, one column has to say how many rows there are
            table = file.read(columns=wanted or names[:1])
        except (pa.ArrowException, OSError) as error:
            raise _damaged(path) from error
    return Part(table, *metadata_of(content, path)), names


def _damaged(path: Path) -> FexError:
    return FexError(f"{path}: the Parquet file is damaged; its data cannot be read.")


def metadata_of(content: dict[str, Any], path: Path) -> tuple[FexInfo, Categories]:
    """Read what ``facemt`` metadata says about the table, and the categories of its labels."""
    try:
        categories = {
            name: (tuple(given["values"]), bool(given["ordered"]))
            for name, given in content.get("categories", {}).items()
        }
        return FexInfo.from_dict(content.get("info", {})), categories
    except (FexError, KeyError, TypeError, AttributeError) as error:
        raise FexError(f"{path}: its metadata is damaged: {one_line(error)}") from error


def _unique(file: pq.ParquetFile, column: str) -> list[str]:
    return [str(v) for v in file.read(columns=[column]).column(0).unique().to_pylist()]


def _matching_rows(table: pa.Table, selection: Selection, path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    if selection.recordings is not None:
        names = pa.array(selection.recordings, table.schema.field("input").type)
        table = table.filter(pc.is_in(table.column("input"), names))
    if selection.by_time:
        time = table.column("time")
        if len(time) and time.null_count == len(time):
            raise FexError(f"{path}: cannot select times, its rows have none.")
        # rows without a time are left out: null is not kept by filter
        if selection.start is not None:
            table = table.filter(pc.greater_equal(table.column("time"), selection.start))
        if selection.stop is not None:
            table = table.filter(pc.less(table.column("time"), selection.stop))
    return table


def _matching_row_groups(file: pq.ParquetFile, selection: Selection) -> Iterator[int]:
    """Row groups that may hold a row of the selection, by the bounds in the footer."""
    metadata = file.metadata
    place = {metadata.schema.column(i).path: i for i in range(metadata.num_columns)}
    for index in range(metadata.num_row_groups):
        group = metadata.row_group(index)
        keep = True
        if selection.recordings is not None:
            low, high = bounds_of(group, place.get("input"))
            keep = low is None or any(low <= name <= high for name in selection.recordings)
        if keep and selection.by_time:
            low, high = bounds_of(group, place.get("time"))
            keep = low is None or not (
                (selection.start is not None and high < selection.start)
                or (selection.stop is not None and low >= selection.stop)
            )
        if keep:
            yield index


def bounds_of(group: Any, column: int | None) -> tuple[Any, Any]:
    """Least and greatest value of a column in a row group, by the footer; None: not told there."""
    statistics = None if column is None else group.column(column).statistics
    if statistics is None or not statistics.has_min_max:
        return None, None
    return statistics.min, statistics.max


def to_fex(tables: Sequence[pa.Table], info: FexInfo, categories: Categories, path: Path) -> Fex:
    """Arrow tables of one or several files as one Fex, float32 features in one block."""
    import pyarrow as pa

    try:
        table = pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise FexError(f"{path}: its files do not fit together: {one_line(error)}") from error
    try:
        return Fex(_to_pandas(table, categories), info=info)
    # What pandas and pyarrow noted of a table may be damaged in any way whatever.
    except Exception as error:
        raise FexError(
            f"{path}: the Parquet file is damaged; its columns cannot be put together "
            f"({one_line(error, 80)})."
        ) from error


def _to_pandas(table: pa.Table, categories: Categories) -> pd.DataFrame:
    import pyarrow as pa

    wide = [
        f.with_type(pa.float32()) if pa.types.is_floating(f.type) and is_feature(f.name) else f
        for f in table.schema
    ]
    frame: pd.DataFrame = table.cast(pa.schema(wide, table.schema.metadata)).to_pandas()
    if not isinstance(frame.index, pd.RangeIndex):  # another program's file may keep an index
        named = [n for n in frame.index.names if n is not None and n not in frame.columns]
        frame = frame.reset_index(level=named).reset_index(drop=True)
    for name, (values, ordered) in categories.items():
        if name in frame:
            kind = pd.CategoricalDtype(list(values), ordered=ordered)
            frame = frame.assign(**{name: frame[name].astype(kind)})
    return frame


def _recognises(head: Head) -> bool:
    return head.start.startswith(_MAGIC)


def _read(head: Head, selection: Selection) -> Fex:
    part = read_part(head.path, selection)
    return to_fex([part.table], part.info, part.categories, head.path)


FORMAT = Format("Fex Parquet file", _recognises, _read)
