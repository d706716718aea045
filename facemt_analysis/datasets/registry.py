"""What data sets there are, and what one should know and cite before using one."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, fields
from types import MappingProxyType

import pandas as pd

from facemt_analysis.datasets.sample_study import load_sample_study
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex

__all__ = ["DatasetInfo", "available", "describe", "load"]


@dataclass(frozen=True)
class DatasetInfo:
    """What to know about a data set.

    Parameters
    ----------
    name
        What :func:`load` takes.
    title
        One line.
    description
        What is in it and where it comes from.
    licence
        SPDX identifier.
    citation
        Text for a paper.
    rows, recordings
        How much it is.
    """

    name: str
    title: str
    description: str
    licence: str
    citation: str
    rows: int
    recordings: int

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.title}", self.description]
        lines += [f"{self.rows:,} rows, {self.recordings} recordings. Licence: {self.licence}."]
        return "\n".join([*lines, f"Cite as: {self.citation}"])


_DATASETS = MappingProxyType(
    {
        "sample_study": (
            DatasetInfo(
                name="sample_study",
                title="Sixteen simulated people see a neutral and a funny film.",
                description=(
                    "Action units, emotions, valence, arousal, gaze, head pose and face boxes of "
                    "10 s per film at 12 Hz, with planted effects and missing frames. Made with "
                    "facemt_analysis.simulate_study; nobody was filmed."
                ),
                licence="CC0-1.0",
                citation=(
                    "Sample study (simulated data), distributed with facemt_analysis, "
                    "facemt_analysis.datasets.load_sample_study()."
                ),
                rows=3840,
                recordings=32,
            ),
            load_sample_study,
        ),
    }
)


def available() -> pd.DataFrame:
    """List the data sets.

    Returns
    -------
    DataFrame
        One row per data set: ``name title description licence citation rows recordings``.

    Examples
    --------
    >>> available()["name"].tolist()
    ['sample_study']
    """
    names = [item.name for item in fields(DatasetInfo)]
    rows = [[getattr(info, name) for name in names] for info, _ in _DATASETS.values()]
    return pd.DataFrame(rows, columns=names)


def describe(name: str) -> DatasetInfo:
    """Say what a data set is, and how to cite it.

    Raises
    ------
    FexError
        If there is no such data set.

    Examples
    --------
    >>> describe("sample_study").licence
    'CC0-1.0'
    """
    return _find(name)[0]


def load(name: str) -> Fex:
    """Read a data set.

    Raises
    ------
    FexError
        If there is no such data set.

    Examples
    --------
    >>> load("sample_study").groups
    ('keys', 'faceboxes', 'poses', 'aus', 'emotions', 'va', 'gazes', 'framesizes')
    """
    return _find(name)[1]()


def _find(name: str) -> tuple[DatasetInfo, Callable[[], Fex]]:
    if name not in _DATASETS:
        near = difflib.get_close_matches(str(name), _DATASETS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise FexError(f"There is no data set {name!r}, but {', '.join(_DATASETS)}.{hint}")
    return _DATASETS[name]
