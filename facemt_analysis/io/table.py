"""A Fex as a text table: what ``fex.to_csv(path, index=False)`` writes.

The first line names the columns. A text table has no place for the metadata: ``fex.info`` of what
is read is empty, and categorical labels come back as text.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.fex import Fex
from facemt_analysis.io._head import Format, Head
from facemt_analysis.io._selection import Selection
from facemt_analysis.io._text import numbers, read_text_table, whole_numbers

__all__ = ["typed"]


def typed(frame: pd.DataFrame, head: Head) -> pd.DataFrame:
    """Give known columns their types: float32 features, keys as text, int64 and float64.

    Parameters
    ----------
    frame
        Table as it was read.
    head
        Where from, for messages.

    Raises
    ------
    FexError
        If a feature or a key holds something else.
    """
    features = [c for c in frame.columns if schema.group_of(c) not in ("keys", None)]
    blocks = [numbers(frame[features], head)] if features else []
    keys: dict[str, pd.Series] = {}
    for name in [c for c in frame.columns if c in ("frame", "track", "time")]:
        column = numbers(frame[[name]], head, np.float64)[name]
        if name != "time":
            column = pd.Series(whole_numbers(column, name, head), index=frame.index)
        keys[name] = column
    done = {*features, *keys}
    rest = [c for c in frame.columns if c not in done]
    whole = pd.concat([pd.DataFrame(keys, index=frame.index), *blocks, frame[rest]], axis=1)
    return whole[list(frame.columns)]


def _recognises(head: Head) -> bool:
    return any(schema.group_of(column) for column in head.columns)


def _read(head: Head, selection: Selection) -> Fex:
    columns = selection.columns(head.columns, head.path)
    columns = [c for c in columns if c]  # a first column without a name is an index
    frame = typed(read_text_table(head, columns), head)
    return Fex(selection.rows(frame, head.path))


FORMAT = Format("Fex text table (CSV)", _recognises, _read)
