"""Tables whose signals are known exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest

Course = Callable[[np.ndarray], np.ndarray]


@pytest.fixture
def record() -> Callable[..., pd.DataFrame]:
    """Make a recording: one row per time and face, features as functions of time."""

    def make(
        time: object,
        courses: Mapping[str, Course],
        *,
        name: str = "a.mp4",
        tracks: int = 1,
        dtype: type = np.float64,
    ) -> pd.DataFrame:
        moments = np.asarray(time, dtype=np.float64)
        tables = []
        for track in range(tracks):
            table = pd.DataFrame(
                {"input": name, "frame": np.arange(len(moments)), "time": moments, "track": track}
            )
            table["FaceScore"] = np.ones(len(moments), dtype=dtype)
            for column, course in courses.items():
                # faces differ, so that mixing them up would show
                table[column] = (course(moments) / (1 + track)).astype(dtype)
            tables.append(table)
        return pd.concat(tables).sort_values(["frame", "track"], ignore_index=True)

    return make


@pytest.fixture
def lose() -> Callable[..., pd.DataFrame]:
    """Lose a face in some rows, as the detector writes it."""

    def make(table: pd.DataFrame, lost: object) -> pd.DataFrame:
        rows = np.asarray(lost)
        out = table.copy()
        features = [c for c in out.columns if c not in ("input", "frame", "time", "track")]
        out.loc[rows, features] = np.nan
        out.loc[rows, "track"] = -1
        out.loc[rows, "FaceScore"] = 0.0
        return out

    return make
