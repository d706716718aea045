"""Tables that become the file of one recording in a standard."""

from __future__ import annotations

import numpy as np
import pandas as pd

from facemt_analysis.errors import FexError
from facemt_analysis.io._selection import shorten

__all__ = ["one_recording_of"]


def one_recording_of(fex: pd.DataFrame, what: str) -> pd.DataFrame:
    """Give the rows of one recording in the order of time.

    Raises
    ------
    FexError
        If there are several recordings, no rows, or rows without time.
    """
    table = pd.DataFrame(fex)
    names = table["input"].unique() if "input" in table else ["recording"]
    if len(names) > 1:
        raise FexError(
            f"{what} is of one recording, but the table has {len(names)} ({shorten(names, 3)}); "
            "choose one, e.g. fex[fex['input'] == name]."
        )
    if not len(table):
        raise FexError(f"{what} needs rows, but the table has none.")
    time = table.get("time", pd.Series(np.nan, index=table.index))
    if empty := int(time.isna().sum()):
        raise FexError(
            f"{what} needs the time of every row, but {empty} of {len(table)} rows have none; read "
            "the table with `fps`, for example."
        )
    return table.sort_values("time", kind="stable").reset_index(drop=True)
