"""Frame rates from time stamps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facemt_analysis.errors import FexError
from facemt_analysis.signal import rates


def one(time: object, **columns: object) -> pd.Series:
    return rates(pd.DataFrame({"time": time, **columns})).iloc[0]


def test_a_regular_recording() -> None:
    row = one(np.arange(50) / 25)
    assert row["n_frames"] == 50
    assert row["hz"] == pytest.approx(25)
    assert row["step"] == pytest.approx(0.04)
    assert row["jitter"] == pytest.approx(0, abs=1e-12)
    assert row["regular"]
    assert (row["start"], row["stop"], row["n_gaps"]) == (0, 1.96, 0)


def test_milliseconds_do_not_bias_the_rate() -> None:
    row = one(np.round(np.arange(301) / 30, 3))
    assert row["hz"] == pytest.approx(30, rel=1e-9)
    assert row["step"] == pytest.approx(0.033)
    assert row["regular"]


def test_jitter_is_the_spread_of_intervals() -> None:
    # intervals of 0.09 and 0.11 in turn
    time = np.cumsum([0.0, *[0.09, 0.11] * 20])
    row = one(time)
    assert row["hz"] == pytest.approx(10)
    assert row["jitter"] == pytest.approx(0.1)
    assert not row["regular"]


def test_gaps_are_counted_but_take_no_part_in_the_rate() -> None:
    row = one(np.delete(np.arange(40) / 10, [5, 6, 20]))
    assert row["hz"] == pytest.approx(10)
    assert row["regular"]
    assert row["n_gaps"] == 2


def test_faces_of_one_frame_count_once_and_order_does_not_matter() -> None:
    time = np.repeat(np.arange(10) / 5, 2)
    table = pd.DataFrame({"input": "a", "time": time, "track": [0, 1] * 10})
    more = pd.concat([table, table.assign(input="b", time=time * 2)]).sample(frac=1, random_state=1)
    result = rates(more).set_index("input")
    assert result.loc["a", "n_frames"] == 10
    assert result.loc[["a", "b"], "hz"].tolist() == pytest.approx([5, 2.5])


def test_frames_without_a_face_count() -> None:
    assert one(np.arange(4) / 2, track=[0, -1, -1, 0])["n_frames"] == 4


def test_no_interval_gives_nan() -> None:
    row = one([3.0])
    assert np.isnan(row["hz"])
    assert not row["regular"]
    photographs = one([np.nan, np.nan])
    assert photographs["n_frames"] == 0
    assert np.isnan(photographs["start"])


def test_an_empty_table_has_no_recordings() -> None:
    assert len(rates(pd.DataFrame({"input": [], "time": []}))) == 0


def test_without_time_it_says_what_to_add() -> None:
    with pytest.raises(FexError, match=r"no column 'time'.*assign"):
        rates(pd.DataFrame({"frame": [0, 1]}))
