"""Writing the native format: one Parquet file with the metadata of the Fex in its schema.

Zstandard compression, float32 features. The key ``facemt`` of the schema's metadata holds JSON:
``schema_version`` of this layout, ``creator``, ``info`` (see :class:`FexInfo`), and ``categories``,
the categories of categorical labels. Any Parquet reader can use the file.
"""

from __future__ import annotations

import base64
import json
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from facemt_analysis import __version__, schema
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.io._atomic import ClosesOrAborts, TemporaryFile, writing
from facemt_analysis.io._selection import shorten

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["KEY", "SCHEMA_VERSION", "ParquetWriter", "write_parquet"]

KEY = b"facemt"
SCHEMA_VERSION = 1
ROW_GROUP = 4096
"""Rows that are compressed together: two minutes of video, 27 MB, held some times over."""


def write_parquet(
    fex: pd.DataFrame, path: str | PathLike[str], *, compression_level: int | None = None
) -> None:
    """Write a table as a native file; what :meth:`Fex.to_parquet` calls.

    Named levels of the index become columns unless there is a column of that name; the rest of the
    index is not kept, since the keys say which face of which frame a row is.

    Parameters
    ----------
    fex
        The table; metadata is written if it is a Fex.
    path
        The file, which appears complete or not at all.
    compression_level
        Of Zstandard.

    Raises
    ------
    FexError
        If names of columns are not text or there twice, a column mixes kinds of values, or the
        file cannot be written.
    """
    with ParquetWriter(path, compression_level=compression_level) as writer:
        writer.write(fex)


class ParquetWriter(ClosesOrAborts):
    """Write a native file piece by piece, with bounded memory.

    The file appears at :meth:`close`; until then it has a hidden name beside it, which
    :meth:`abort` removes. As a context manager it closes at the end and aborts on an exception.

    Parameters
    ----------
    path
        The file to make or replace.
    info
        Metadata; by default what the pieces agree on (see :meth:`FexInfo.merge`).
    compression_level
        Of Zstandard.

    Examples
    --------
    >>> import tempfile, facemt_analysis as fm
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with ParquetWriter(f"{folder}/talk.parquet") as writer:
    ...         for start in (0, 2):
    ...             writer.write(Fex({"frame": [start, start + 1], "AU12": [0.1, 0.2]}))
    ...     fm.read_fex(f"{folder}/talk.parquet")["frame"].tolist()
    [0, 1, 2, 3]
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        info: FexInfo | None = None,
        compression_level: int | None = None,
    ) -> None:
        self.path = Path(path)
        self._file = TemporaryFile(path)
        self._given_info = info
        self._level = compression_level
        self._info: FexInfo | None = None
        self._columns: list[str] = []
        self._others: list[str] = []
        self._kinds: list[Any] | None = None
        self._categories: Categories = {}
        self._writer: pq.ParquetWriter | None = None
        self._schema: pa.Schema | None = None
        self._waiting: list[pd.DataFrame] = []
        self._done = False

    def write(self, fex: pd.DataFrame) -> None:
        """Add rows. All pieces must have the same columns.

        Raises
        ------
        FexError
            If the columns differ from those of the first piece, or as in :func:`write_parquet`.
        """
        if self._done:
            raise FexError(f"{self.path}: the writer is closed; make a new one.")
        frame = _plain(fex)
        columns = frame.columns.tolist()
        info = fex.info if isinstance(fex, Fex) else FexInfo()
        if self._info is None:
            _check_names(columns, self.path)
            self._columns, self._info = columns, info
            self._others = [name for name in columns if not is_feature(name)]
        else:
            _check_same(columns, self._columns, self.path)
            self._info = FexInfo.merge([self._info, info])
        kinds = [frame[name].dtype for name in self._others]
        categories = _categories(dict(zip(self._others, kinds, strict=True)), self.path)
        first = self._kinds is None
        self._categories = categories if first else union_categories(self._categories, categories)
        # small pieces are kept as they are: 1,700 columns take 0.1 s to become an Arrow table
        if self._waiting and kinds != self._kinds:
            self._flush()
        self._kinds = kinds
        self._waiting.append(frame.assign(**{n: frame[n].astype(object) for n in categories}))
        if sum(map(len, self._waiting)) >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        import pyarrow.parquet as pq

        frames, self._waiting = self._waiting, []
        whole = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
        del frames  # the same rows: tens of megabytes that would be held while these are written
        table = _to_arrow(whole, self.path)
        if self._schema is None:
            self._schema = table.schema
        table = _like(table, self._schema, self.path)
        with writing(self.path):
            if self._writer is None:
                self._writer = pq.ParquetWriter(
                    self._file.temporary,
                    self._schema,
                    compression="zstd",
                    compression_level=self._level,
                    **_encodings(self._schema),
                )
            self._writer.write_table(table, row_group_size=ROW_GROUP)

    def close(self) -> None:
        """Complete the file.

        Raises
        ------
        FexError
            If nothing was written to it, or it cannot be completed; there is no file then.
        """
        if self._done:
            return
        try:
            if self._info is None:
                raise FexError(f"{self.path}: there is nothing to write, not even columns.")
            if self._waiting or self._writer is None:
                self._flush()
            if self._writer is not None and self._schema is not None:
                content = {**(self._schema.metadata or {}), KEY: self._metadata()}
                described = self._schema.with_metadata(content)
                # Arrow reads the schema's metadata from its own copy of the schema in the footer
                copy = base64.b64encode(described.serialize().to_pybytes())
                with writing(self.path):
                    self._writer.add_key_value_metadata({KEY: content[KEY], b"ARROW:schema": copy})
                    self._writer.close()
            self._file.commit()
        except BaseException:
            self.abort()
            raise
        self._done = True

    def _metadata(self) -> bytes:
        info = self._given_info or self._info or FexInfo()
        content: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "creator": f"facemt_analysis {__version__}",
            "info": info.to_dict(),
        }
        if self._categories:
            content["categories"] = {
                name: {"values": list(values), "ordered": ordered}
                for name, (values, ordered) in self._categories.items()
            }
        return json.dumps(content, ensure_ascii=False, allow_nan=False).encode()

    def abort(self) -> None:
        """Leave nothing behind."""
        if self._done:
            return
        self._done = True
        try:
            if self._writer is not None:
                self._writer.close()
        except OSError:
            pass  # the disk is full: the file goes anyway
        finally:
            self._file.abort()


# ---------------------------------------------------------------------- pandas to Arrow
Categories = dict[str, tuple[tuple[Any, ...], bool]]
"""Label → its categories, and whether they are ordered."""


def _plain(fex: pd.DataFrame) -> pd.DataFrame:
    """Copy as a plain frame with the index that is kept as columns."""
    frame = pd.DataFrame(fex)
    levels = [name for name in frame.index.names if isinstance(name, str)]
    levels = [name for name in levels if name not in frame.columns]
    if levels:
        frame = frame.reset_index(level=levels)
    return frame.reset_index(drop=True)


def _check_names(columns: list[Any], path: Path) -> None:
    wrong = [c for c in columns if not isinstance(c, str)]
    if wrong:
        raise FexError(f"{path}: names of columns must be text, but got {shorten(wrong)}.")
    if len(set(columns)) < len(columns):
        twice = dict.fromkeys(c for c in columns if columns.count(c) > 1)
        raise FexError(f"{path}: the column {shorten(twice)} is there more than once.")


def _check_same(columns: list[Any], first: list[str], path: Path) -> None:
    if columns != first:
        more, less = set(map(str, columns)) - set(first), set(first) - set(columns)
        raise FexError(
            f"{path}: all pieces must have the same columns in the same order as the first, but "
            f"this one has {shorten(sorted(more))} in addition and lacks {shorten(sorted(less))}."
        )


def _categories(kinds: dict[str, Any], path: Path) -> Categories:
    found: Categories = {}
    for name, kind in kinds.items():
        if not isinstance(kind, pd.CategoricalDtype):
            continue
        values = kind.categories.tolist()
        if not all(isinstance(v, (str, int, float, bool)) for v in values):
            raise FexError(
                f"{path}: the categories of {name!r} are {kind.categories.dtype}, which the file "
                "cannot hold; make them text with .cat.rename_categories(str)."
            )
        found[name] = (tuple(values), bool(kind.ordered))
    return found


def _to_arrow(frame: pd.DataFrame, path: Path) -> pa.Table:
    import pyarrow as pa

    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, ValueError, TypeError) as error:
        reason = " ".join(" ".join(map(str, error.args)).split())
        raise FexError(f"{path}: a column cannot be written: {reason}") from error
    fields = []
    for field in table.schema:
        if pa.types.is_null(field.type):  # nothing in it: text is what is most likely to come
            field = field.with_type(pa.string())
        elif pa.types.is_float64(field.type) and is_feature(field.name):
            field = field.with_type(pa.float32())
        fields.append(field)
    return table.cast(pa.schema(fields, table.schema.metadata))


def _encodings(arrow: pa.Schema) -> dict[str, Any]:
    """How columns are stored, for a small file that is fast to skip through."""
    import pyarrow as pa

    kinds = {field.name: field.type for field in arrow}
    return {
        # scores hardly repeat: no dictionary; their bytes compress better apart (−25 %)
        "use_byte_stream_split": [
            n for n, kind in kinds.items() if is_feature(n) and pa.types.is_floating(kind)
        ],
        "use_dictionary": [
            n for n, kind in kinds.items() if pa.types.is_string(kind) and not is_feature(n)
        ],
        # bounds of keys and labels let readers skip; those of features would fill the footer
        "write_statistics": [n for n in kinds if not is_feature(n)],
    }


def is_feature(name: str) -> bool:
    return schema.group_of(name) not in ("keys", None)


def _like(table: pa.Table, wanted: pa.Schema, path: Path) -> pa.Table:
    """Give later rows the column types of the first, if no value changes by it."""
    import pyarrow as pa

    changed = []
    for new, old in zip(table.schema, wanted, strict=True):
        empty = table.column(new.name).null_count == table.num_rows
        number = pa.types.is_integer(new.type) or pa.types.is_floating(new.type)
        wider = number and (pa.types.is_integer(old.type) or pa.types.is_floating(old.type))
        if new.type != old.type and not empty and not wider:
            changed.append(f"{new.name} ({new.type}, first {old.type})")
    try:
        if not changed:
            return table.cast(wanted)
    except pa.ArrowException as error:  # a fraction among whole numbers
        changed.append(" ".join(str(error).split()))
    raise FexError(f"{path}: columns change their kind: {shorten(changed)}.")


def union_categories(first: Categories, second: Categories) -> Categories:
    """Categories of the whole file: order holds only where all pieces have the same."""
    merged = {}
    for name in first.keys() & second.keys():
        (one, ordered), (two, also) = first[name], second[name]
        merged[name] = (tuple(dict.fromkeys(one + two)), ordered and also and one == two)
    return merged
