"""``fm.scan``: a study on disk with the measures of a Fex, one recording in memory at a time."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from facemt_analysis import schema
from facemt_analysis.checks import check_whole, near_names
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.fex.summary import format_seconds
from facemt_analysis.io import read_fex
from facemt_analysis.io._selection import Selection, shorten
from facemt_analysis.io.dataset import dataset_files
from facemt_analysis.io.describe import format_size
from facemt_analysis.io.formats import recognise
from facemt_analysis.study.differences import warn_of_differences
from facemt_analysis.study.each import Work, do_each
from facemt_analysis.study.files import Recording, Study, survey
from facemt_analysis.study.views import READS, RecordingsView, group_needed

if TYPE_CHECKING:
    from dask.dataframe import DataFrame as DaskFrame

    from facemt_analysis.fex.labels import Labels

__all__ = ["Scan", "scan"]


def scan(
    path: str | PathLike[str],
    *,
    groups: Sequence[str] | str | None = None,
    recordings: Sequence[str] | str | None = None,
    labels: Labels | None = None,
    workers: int = 1,
    scheduler: Any = None,
    progress: bool = True,
) -> Scan:
    """Open a study that need not fit into memory: a folder with one file per recording.

    Only the files' footers are read. ``fm.scan(path).au.summary()`` gives the table that
    ``fm.read_fex(path).au.summary()`` gives, with one recording in memory at a time, and so does
    every measure that is about single recordings (:data:`facemt_analysis.study.READS`).

    Parameters
    ----------
    path
        Dataset folder, as ``facemt detect -o FOLDER`` and
        :func:`facemt_analysis.io.write_dataset` make it, or one Parquet file.
    groups
        Column groups that there are for the scan, as if the files had no others; None: all.
    recordings
        Names in the column ``input``; None: all.
    labels
        Subject, condition … of each recording, as for :meth:`Fex.label`: a table with the column
        ``input``, or a mapping ``{recording: {label: value}}``.
    workers
        Number of processes that work on recordings at the same time.
    scheduler
        Instead of processes: address of a Dask scheduler (``"tcp://host:8786"``), or a
        ``distributed.Client``. Its workers have to see the files under the same path.
    progress
        Whether to show a bar when something takes more than five seconds.

    Returns
    -------
    Scan

    Warns
    -----
    UserWarning
        If recordings were made with different weights, options or operations.

    Raises
    ------
    FexError
        If the study is missing, empty, damaged or of another format, or has not the groups or
        recordings asked for; if labels do not fit.

    Examples
    --------
    >>> import tempfile, facemt_analysis as fm
    >>> fex, _ = fm.simulate_study(2, duration=4, fps=10, seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = fm.io.write_dataset(fex, folder)
    ...     table = fm.scan(folder).au.summary(["input", "subject"], aus="AU12")
    >>> table[["input", "subject", "feature", "n_valid"]].head(2)
                      input subject feature  n_valid
    0    sub-01_funny_1.mp4  sub-01    AU12       39
    1  sub-01_neutral_1.mp4  sub-01    AU12       40
    """
    chosen = Selection.make(groups, recordings)
    workers = check_whole("workers", workers, 1)
    form, head = recognise(path)
    source = head.path.resolve()
    if head.is_dir:
        paths = dataset_files(source)
    elif form.name == "Fex Parquet file":
        paths = [source]
    else:
        raise FexError(
            f"{path}: a {form.name}, but only Parquet can be read in parts: fm.read_fex reads it, "
            "and io.write_dataset writes a folder that can be scanned."
        )
    study = survey(paths, chosen.recordings, source)
    if chosen.groups is not None:
        chosen.columns(list(study.kinds), source)  # says what is missing
    if labels is not None:
        study = _labelled(study, labels, source)
    warn_of_differences([(r.name, r.info) for r in study.recordings])
    return Scan(
        source, study, chosen.groups, recordings is not None, workers=workers,
        scheduler=scheduler, progress=progress,
    )  # fmt: skip


class _View:
    """A property of a Scan that gives one of its views."""

    def __init__(self, text: str) -> None:
        self.__doc__ = text

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, scan: Scan | None, owner: type) -> RecordingsView:
        if scan is None:
            return self  # type: ignore[return-value]  # for those who document the class
        if (group := group_needed(self.name)) is not None and group not in scan.groups:
            Fex(pd.DataFrame(columns=list(scan.columns))).require(group)
        return RecordingsView(scan, self.name)


class Scan:
    """A study on disk: names and footers of its files, no measurement. Made by :func:`scan`.

    Views (``scan.au``, ``scan.gaze`` …) have the methods of a Fex's that give one table per
    recording, with the same arguments. Iterating gives name and Fex of one recording after the
    other, and :meth:`map` does anything else.

    A recording that fails does not stop the others: at the end
    :class:`~facemt_analysis.study.RecordingsFailed` names it with the reason, and has the result of
    the others.

    Notes
    -----
    Rows are in the order of recordings, then in that of the measure. Each recording is judged by
    itself: one without times costs the others nothing, whereas :func:`facemt_analysis.read_fex`
    makes a table whose times are then incomplete.
    """

    au = _View("Action units: events, summaries, co-occurrence, expressivity.")
    emotion = _View("Emotions: shares, bouts, transitions.")
    affect = _View("Valence and arousal: summaries, paths.")
    gaze = _View("Gaze: summaries, fixations, looks away.")
    pose = _View("Head pose: motion.")
    mesh = _View("Face mesh: summaries of displacement.")
    blendshape = _View("Blendshapes: summaries, events, blinks, asymmetry.")
    quality = _View("How much of each recording can be trusted.")
    signal = _View("Frame rates.")

    def __init__(
        self,
        path: Path,
        study: Study,
        groups: tuple[str, ...] | None,
        partial: bool,
        *,
        workers: int,
        scheduler: Any,
        progress: bool,
    ) -> None:
        self.path = path
        self._study = study
        self._chosen = groups
        self._partial = partial
        self._how = {"workers": workers, "scheduler": scheduler, "progress": progress}

    # ------------------------------------------------------------------ what there is
    @property
    def recordings(self) -> tuple[str, ...]:
        """Names of the recordings, in the order of their files."""
        return tuple(r.name for r in self._study.recordings)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns: keys, features of the groups that are read, labels."""
        chosen = schema.GROUPS if self._chosen is None else self._chosen
        read = {*chosen, "keys", None}
        own = [name for name in self._study.kinds if schema.group_of(name) in read]
        joined = self._study.recordings[0].labels
        return (*own, *([] if joined is None else joined.columns.drop("input")))

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the column groups, in schema order."""
        return schema.groups_in(self.columns)

    @property
    def info(self) -> FexInfo:
        """Metadata that all recordings agree on."""
        return FexInfo.merge(r.info for r in self._study.recordings)

    @property
    def table(self) -> pd.DataFrame:
        """One row per recording, from the footers.

        Columns: ``input``, ``rows``, ``start`` and ``stop`` (s; NaN: not known), ``weights``,
        ``file`` (its name), then the labels that were joined.
        """
        found = self._study.recordings
        table = pd.DataFrame(
            {
                "input": [r.name for r in found],
                "rows": [r.rows for r in found],
                "start": pd.Series([r.start for r in found], dtype="float64"),
                "stop": pd.Series([r.stop for r in found], dtype="float64"),
                "weights": [r.info.weights for r in found],
                "file": [r.path.name for r in found],
            }
        )
        labels = [r.labels for r in found if r.labels is not None]
        return table.merge(pd.concat(labels), on="input") if labels else table

    def __len__(self) -> int:
        return len(self._study.recordings)

    # ------------------------------------------------------------------ doing
    def __iter__(self) -> Iterator[tuple[str, Fex]]:
        for recording in self._study.recordings:
            yield recording.name, recording.read(self._chosen, self._study.categories)

    def map(
        self, function: Callable[[Fex], Any], *, groups: Sequence[str] | str | None = None
    ) -> pd.DataFrame:
        """Call a function with the Fex of each recording, and stack what it gives.

        Parameters
        ----------
        function
            Fex → DataFrame (any number of rows), Series or mapping of names to values (one row),
            or None (no row).
        groups
            Column groups to read; keys and labels always come along. None: all of the scan.

        Returns
        -------
        DataFrame
            Rows in the order of recordings, numbered anew; ``input`` is put first where the
            function does not give it. Named levels of an index become columns.

        Raises
        ------
        RecordingsFailed
            At the end, if recordings failed.
        Exception
            At once, what the function raised for the first recording, unless it is an error of
            this package about the recording.

        Examples
        --------
        >>> import tempfile, facemt_analysis as fm
        >>> fex, _ = fm.simulate_study(1, duration=4, fps=10, seed=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     files = fm.io.write_dataset(fex, folder)
        ...     scan = fm.scan(folder)
        ...     scan.map(lambda fex: {"most": fex["AU12"].max()}, groups="aus").round(2)
                          input  most
        0    sub-01_funny_1.mp4  0.78
        1  sub-01_neutral_1.mp4  0.41
        """
        return self._each(function, self._picked(groups))

    def read(
        self,
        recordings: Sequence[str] | str | None = None,
        *,
        groups: Sequence[str] | str | None = None,
    ) -> Fex:
        """Read recordings into memory, as one Fex.

        Parameters
        ----------
        recordings
            Names; None: all of the scan.
        groups
            Column groups; None: all of the scan.
        """
        wanted = [recordings] if isinstance(recordings, str) else recordings
        if wanted is not None and (missing := [n for n in wanted if n not in self.recordings]):
            raise FexError(
                f"The scan has no recording {shorten(missing)}."
                f"{near_names(missing[0], self.recordings)} It has {shorten(self.recordings)}."
            )
        if wanted is None and self._partial:
            wanted = self.recordings
        fex = read_fex(self.path, groups=self._picked(groups), recordings=wanted)
        labels = [r.labels for r in self._study.recordings if r.labels is not None]
        return fex.label(pd.concat(labels)) if labels else fex

    def to_dask(self, *, groups: Sequence[str] | str | None = None) -> DaskFrame:
        """Give a Dask DataFrame with one partition per recording, read when it is computed.

        Parameters
        ----------
        groups
            Column groups; None: all of the scan.

        Raises
        ------
        OptionError
            If Dask is not installed.
        """
        try:
            import dask.dataframe as dd
        except ImportError as error:
            raise OptionError(
                '`to_dask` needs Dask: pip install "facemt-analysis[cluster]".'
            ) from error
        picked = self._picked(groups)
        first = self._study.recordings[0]
        meta = pd.DataFrame(first.read(picked, self._study.categories).iloc[:0])
        reader = _Reader(picked, self._study, list(meta.columns))
        frame: DaskFrame = dd.from_map(
            reader, self._study.recordings, meta=meta, label="recordings"
        )
        return frame

    def _picked(self, groups: Sequence[str] | str | None) -> tuple[str, ...] | None:
        if groups is None:
            return self._chosen
        chosen = Selection.make(groups)
        chosen.columns(self.columns, self.path)  # says what is missing
        return chosen.groups

    def _each(self, function: Callable[[Fex], Any], groups: tuple[str, ...] | None) -> pd.DataFrame:
        work = Work(function, self._chosen if groups is None else groups, self._study.categories)
        return do_each(self._study.recordings, work, **self._how)

    # ------------------------------------------------------------------ for people
    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in READS:
            Fex(pd.DataFrame(columns=list(self.columns))).require(group_needed(name) or "keys")
        if hasattr(Fex, name):
            raise AttributeError(
                f"A scan has no {name!r}, which needs a table in memory: "
                f"scan.read(groups=..., recordings=...).{name}. For statistics across people make "
                "a table of measures first (scan.au.summary) and use facemt_analysis.stats on it."
            )
        raise AttributeError(f"A scan has no {name!r}.{near_names(name, dir(type(self)))}")

    def __repr__(self) -> str:
        return "\n".join(self._headlines())

    def _repr_html_(self) -> str:
        lines = "<br>".join(html.escape(line) for line in self._headlines())
        table = self.table._repr_html_()  # type: ignore[operator]  # pandas-stubs lacks it
        return f"<div><small>{lines}</small></div>{table or ''}"

    def _headlines(self) -> list[str]:
        found = self._study.recordings
        files = {r.path for r in found}
        lasts = [r.stop - r.start for r in found if r.start is not None and r.stop is not None]
        groups = [g for g in self.groups if g != "keys"]
        labels = [c for c in self.columns if schema.group_of(c) is None]
        parts = [
            f"{len(found):,} recording{'s' if len(found) != 1 else ''}",
            f"{sum(r.rows for r in found):,} rows",
            *([format_seconds(sum(lasts))] if lasts else []),
            format_size(sum(path.stat().st_size for path in files)),
            ", ".join(groups) or "no feature group",
            *([f"labels: {shorten(labels, 6)}"] if labels else []),
        ]
        headline = self.info.headline()
        return [f"Scan: {' · '.join(parts)}", *([headline] if headline else [])]


class _Reader:
    """Read one recording as a partition."""

    def __init__(
        self, groups: tuple[str, ...] | None, study: Study, columns: Sequence[str]
    ) -> None:
        self.groups = groups
        self.categories = study.categories
        self.columns = columns

    def __call__(self, recording: Recording) -> pd.DataFrame:
        return pd.DataFrame(recording.read(self.groups, self.categories))[self.columns]


def _labelled(study: Study, labels: Labels, source: Path) -> Study:
    """Give each recording its row of the labels."""
    names = pd.DataFrame({"input": [r.name for r in study.recordings]})
    table = pd.DataFrame(Fex(names).label(labels))
    if twice := [c for c in table.columns if c != "input" and c in study.kinds]:
        raise FexError(
            f"{source}: `labels` has columns that the recordings have already: {shorten(twice)}; "
            "rename or drop them."
        )
    rows = [table.iloc[[i]] for i in range(len(table))]
    return replace(
        study,
        recordings=tuple(
            replace(r, labels=row) for r, row in zip(study.recordings, rows, strict=True)
        ),
    )
