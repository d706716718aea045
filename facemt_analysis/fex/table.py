"""The Fex: a pandas DataFrame that knows its columns and where it comes from."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from facemt_analysis import schema
from facemt_analysis.fex.checks import find_problems
from facemt_analysis.fex.features import FeatureGroups
from facemt_analysis.fex.info import FexInfo
from facemt_analysis.fex.joining import join_recordings, pick_recordings
from facemt_analysis.fex.labels import Labels, join_labels
from facemt_analysis.fex.methods_text import methods_text
from facemt_analysis.fex.sparklines import overview_html
from facemt_analysis.fex.summary import count_recordings, describe_columns, summarize_table
from facemt_analysis.fex.views import Views

if TYPE_CHECKING:
    from facemt_analysis.fex.summary import RecordingCounts, TableSummary

__all__ = ["RESERVED_NAMES", "Fex"]


class Fex(Views, FeatureGroups, pd.DataFrame):  # type: ignore[misc]  # keys
    """One row per face per frame: a DataFrame with feature groups and metadata.

    Everything a DataFrame does works, and gives a Fex again. Feature groups are derived from the
    names of the columns whenever they are asked for (``fex.aus``, ``fex.gazes`` …), so dropping,
    renaming and adding columns never leaves them stale. What is true of the whole table is in
    :attr:`info`.

    Parameters
    ----------
    data, index, columns, dtype, copy
        As for ``pandas.DataFrame``. Any table with some of the columns of the schema will do: keys
        and whole groups may be absent, further columns are labels. With pandas before 3, a Fex made
        from a DataFrame shares its memory unless ``copy=True``.
    info
        Metadata; by default that of `data` if it is a Fex, else empty.

    Raises
    ------
    TypeError
        If `info` is not a :class:`FexInfo`.

    Notes
    -----
    A frame without a face has one row: features NaN, ``FaceScore`` 0, ``track`` −1.

    Two names differ from pandas: ``fex.info`` is the metadata (pandas' summary is
    ``pd.DataFrame(fex).info()``), and ``fex.keys`` the key columns (pandas' ``keys()`` is
    ``fex.columns``; for a dict of columns write ``dict(fex.items())``).

    Metadata survives slicing, copies, arithmetic, ``groupby.apply``, ``merge``, ``join``,
    ``concat``, pickling and Parquet. Where tables put together disagree, the field becomes None;
    tables without feature columns have no say, so joining labels keeps everything. pandas itself
    gives no chance to keep it through ``rolling``, ``ewm``, ``from_dict`` and ``from_records``, and
    ``pd.concat([plain, fex])`` or ``plain.merge(fex)`` is a plain DataFrame;
    ``Fex(result, info=fex.info)`` puts it back.

    Examples
    --------
    >>> fex = Fex({"input": ["a", "a"], "frame": [0, 1], "AU12": [0.1, 0.8], "valence": [0.0, 0.5]})
    >>> fex.groups
    ('keys', 'aus', 'va')
    >>> type(fex.aus).__name__, list(fex.aus)
    ('DataFrame', ['AU12'])
    >>> hasattr(fex, "gazes")
    False
    """

    _metadata = ["_info"]  # noqa: RUF012  pandas reads it from the class
    # pandas makes objects without calling __init__: the class has to have the default
    _info: FexInfo = FexInfo()

    def __init__(
        self,
        data: Any = None,
        index: Any = None,
        columns: Any = None,
        dtype: Any = None,
        copy: bool | None = None,
        *,
        info: FexInfo | None = None,
    ) -> None:
        super().__init__(data, index, columns, dtype, copy)  # type: ignore[call-arg]
        if info is None:
            info = data._info if isinstance(data, Fex) else None
        elif not isinstance(info, FexInfo):
            raise TypeError(f"`info` must be a FexInfo, but got {type(info).__name__}.")
        if info is not None:
            object.__setattr__(self, "_info", info)

    @property
    def _constructor(self) -> type[Fex]:
        return Fex

    def __finalize__(self, other: Any, method: str | None = None, **kwargs: Any) -> Fex:
        """Carry the metadata from the inputs of a pandas operation to its result."""
        before = self._info
        result: Fex = super().__finalize__(other, method=method, **kwargs)  # type: ignore[misc]
        inputs = _inputs(other)
        if inputs:
            object.__setattr__(result, "_info", _merged_info(inputs, len(result)))
        elif isinstance(other, Fex) and before is not Fex._info:
            # pandas 3 comes twice after `left - right`; a Series on the right has become a Fex
            # that knows nothing
            known = [info for info in (before, other._info) if info is not Fex._info]
            object.__setattr__(result, "_info", FexInfo.merge(known))
        return result

    # ------------------------------------------------------------------ metadata
    @property
    def info(self) -> FexInfo:  # type: ignore[override]
        """Metadata of the whole table."""
        return self._info

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups that have at least one column, in schema order."""
        return schema.groups_in(self.columns.tolist())

    @property
    def recordings(self) -> tuple[str, ...]:
        """Names of the recordings, in the order of their first row."""
        return summarize_table(self._pick("keys", need=("input",))).recordings or ()

    def summary(self) -> TableSummary:
        """Count rows, recordings, frames, faces and tracks, and give the time range."""
        return summarize_table(self)

    def methods_text(self) -> str:
        """Write a paragraph for the methods section: material, weights, features, operations.

        Examples
        --------
        >>> info = FexInfo(tool="OpenFace 2")
        >>> Fex({"input": ["a"], "frame": [0], "AU12_r": [1.5]}, info=info).methods_text()
        'The material was 1 recording. Faces were measured with OpenFace 2. The features are action
        unit intensities (0 to 5).'
        """
        return methods_text(self._info, summarize_table(self))

    def describe_columns(self) -> pd.DataFrame:
        """Group, unit, valid range and meaning of every column, from the schema.

        Returns
        -------
        DataFrame
            One row per column, in their order: ``column``, ``group`` (``label`` for the user's),
            ``unit``, ``low`` and ``high`` (NaN where there is no bound), ``meaning``, ``dtype``.
        """
        return describe_columns(self)

    def validate(self) -> pd.DataFrame:
        """List everything about the table that analyses would stumble over.

        Returns
        -------
        DataFrame
            One row per problem: ``check`` (columns, dtype, range, keys, time), ``column``,
            ``rows`` (how many rows it concerns), ``message``. No rows: nothing is wrong.

        See Also
        --------
        facemt_analysis.fex.find_problems : the same for any DataFrame, with the list of checks.

        Examples
        --------
        >>> Fex({"frame": [0, 1], "valence": [0.5, 3.0]}).validate()[["check", "column", "rows"]]
           check   column  rows
        0  range  valence     1
        """
        return find_problems(self, reserved=RESERVED_NAMES)

    # ------------------------------------------------------------------ recordings
    @classmethod
    def concat(cls, tables: Iterable[pd.DataFrame] | Mapping[str, pd.DataFrame]) -> Fex:
        """Put recordings together, each under a name of its own.

        ``pd.concat`` with checks: two recordings of one name would become one, silently.

        Parameters
        ----------
        tables
            Tables, or a mapping of names to tables: the names go before those of the recordings
            (``day1/talk.mp4``), or become them where a table has no ``input``.

        Returns
        -------
        Fex
            All rows, numbered anew; features that a table lacks are NaN. Metadata on which the
            tables disagree becomes None.

        Raises
        ------
        FexError
            If two tables have frames of one recording in common, or do not name their recording.

        Examples
        --------
        >>> fex = Fex({"input": ["a.mp4"], "frame": [0], "AU12": [0.5]})
        >>> Fex.concat({"day1": fex, "day2": fex}).recordings
        ('day1/a.mp4', 'day2/a.mp4')
        """
        parts = [t if isinstance(t, cls) else cls(t) for t in join_recordings(tables)]
        return cls(pd.concat(parts, ignore_index=True))

    def select(
        self,
        recordings: str | Iterable[str] | None = None,
        tracks: int | Iterable[int] | None = None,
    ) -> Fex:
        """Keep the rows of some recordings, of some tracks.

        Parameters
        ----------
        recordings, tracks
            One or several; None: all. Frames without a face are track −1.

        Raises
        ------
        FexError
            If one of them is not there; near names are offered.

        Examples
        --------
        >>> fex = Fex({"input": ["a.mp4", "b.mp4"], "frame": [0, 0], "AU12": [0.1, 0.8]})
        >>> fex.select("b.mp4")["AU12"].tolist()
        [0.8]
        """
        return Fex(pick_recordings(self, recordings, tracks))

    # ------------------------------------------------------------------ labels
    def label(
        self,
        table: Labels,
        on: str | Sequence[str] = "input",
        *,
        missing: Literal["raise", "warn", "ignore"] = "raise",
    ) -> Fex:
        """Add columns of your own, such as subject, session, condition or trial.

        Parameters
        ----------
        table
            One row per key: a DataFrame with the column(s) `on` (or with them as index), a Series
            with the key as index and a name, or a mapping ``{recording: {label: value}}`` or
            ``{column: values}``.
        on
            Column or columns of the Fex to join on: ``"input"``, ``["input", "track"]``, a label.
        missing
            What to do about keys of the Fex that the table lacks: raise an error, warn, or leave
            their labels empty without a word. Rows of the table that the Fex does not need are no
            problem.

        Returns
        -------
        Fex
            The same rows in the same order with the same index; the labels are its last columns.
            The log of :attr:`info` says so.

        Raises
        ------
        FexError
            If a key is there twice or empty in the table, a label has the name of a column or of a
            property of a Fex, or keys have no labels.

        Examples
        --------
        >>> fex = Fex({"input": ["a.mp4", "a.mp4", "b.mp4"], "AU12": [0.1, 0.8, 0.3]})
        >>> fex.label({"a.mp4": {"subject": 1}, "b.mp4": {"subject": 2}})["subject"].tolist()
        [1, 1, 2]
        """
        frame, names = join_labels(self, table, on, missing=missing, reserved=RESERVED_NAMES)
        on_text = on if isinstance(on, str) else list(on)
        return Fex(frame, info=self._info.with_log("label", on=on_text, columns=names))

    # ------------------------------------------------------------------ files
    def to_parquet(  # type: ignore[override]
        self,
        path: str | PathLike[str],
        *,
        compression_level: int | None = None,
    ) -> None:
        """Write the native file: Parquet, Zstandard, float32 features, with the metadata.

        The file appears complete or not at all. The index is not kept: row identity is in the keys.

        Parameters
        ----------
        path
            File to write; replaced if it is there.
        compression_level
            Of Zstandard; higher is smaller and slower.

        Raises
        ------
        FexError
            If the table cannot be written as a Fex file (duplicate columns, mixed types), or the
            folder cannot be written to.

        See Also
        --------
        facemt_analysis.read_fex : the way back.
        """
        from facemt_analysis.io.parquet import write_parquet

        write_parquet(self, path, compression_level=compression_level)

    def to_pyfeat(self, path: str | PathLike[str] | None = None) -> pd.DataFrame | None:
        """Give the table the columns, units and order of py-feat 2.1.5's Detectorv2.

        Parameters
        ----------
        path
            CSV file to write, which ``feat.utils.io.read_feat`` reads; by default the table is
            returned.

        Returns
        -------
        DataFrame or None
            2,183 columns; None if `path` is given.

        See Also
        --------
        facemt_analysis.io.pyfeat.to_pyfeat : what is converted, and how.
        """
        from facemt_analysis.io.pyfeat import to_pyfeat

        return to_pyfeat(self, path)

    # ------------------------------------------------------------------ for people
    def __repr__(self) -> str:
        # through a plain frame: pandas' own repr calls info() when display.large_repr says so
        table = repr(pd.DataFrame(self))
        return "\n".join([*self._headlines(), table])

    def _repr_html_(self) -> str | None:
        table: str | None = pd.DataFrame(self)._repr_html_()  # type: ignore[operator]
        if table is None or not self.groups:  # display.notebook_repr_html is off
            return table
        counts = count_recordings(self)
        lines = "<br>".join(html.escape(line) for line in self._headlines(counts))
        return f"<div><small>{lines}{overview_html(self, counts)}</small></div>{table}"

    def _headlines(self, counts: RecordingCounts | None = None) -> list[str]:
        """Say what is in the table and, if that is known, where it comes from."""
        lines = [str(summarize_table(self, counts)), self._info.headline()] if self.groups else []
        return [line for line in lines if line]


RESERVED_NAMES = frozenset(
    name for name in (*vars(Fex), *vars(Views), *vars(FeatureGroups)) if not name.startswith("_")
) | {"scrub", "report", "plot_frame"}
"""Names that a label cannot have, because ``fex.<name>`` means something else."""


def _inputs(other: Any) -> list[Any]:
    """Tables that went into a concat or merge; empty for any other operation.

    pandas 3 hands over an object with ``input_objs``; pandas 2 the working object of the operation,
    with ``objs`` (concat) or ``left`` and ``right`` (merge).
    """
    if isinstance(other, (pd.DataFrame, pd.Series)):
        return []
    for name in ("input_objs", "objs"):
        if hasattr(other, name):
            return list(getattr(other, name))
    if hasattr(other, "left") and hasattr(other, "right"):
        return [other.left, other.right]
    return []


def _merged_info(inputs: list[Any], n_rows: int) -> FexInfo:
    """Metadata of tables put together; labels and single columns put beside have no say."""
    infos = []
    for table in inputs:
        if not isinstance(table, pd.DataFrame):
            continue
        info = table._info if isinstance(table, Fex) else Fex._info
        if info is Fex._info:  # nothing is known, which matters only where features are
            # pandas makes a Fex of a Series before it concatenates
            beside = len(table.columns) == 1 and len(table) == n_rows
            if beside or not len(table) or not schema.feature_columns(table.columns.tolist()):
                continue
        infos.append(info)
    return FexInfo.merge(infos)
