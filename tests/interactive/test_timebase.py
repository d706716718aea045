"""Which rows belong to a moment, and courses with their gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facemt_analysis.errors import FexError
from facemt_analysis.interactive import Timebase


@pytest.fixture
def table() -> pd.DataFrame:
    """Two recordings; two faces in the first, one of them lost in frames 2 and 3."""
    rows = []
    for i in range(6):
        for track in (0, 1):
            if track == 1 and i in (2, 3):
                continue
            rows.append(("a", i, i / 10, track, i + 10.0 * track))
    rows += [("b", 0, 0.0, 0, 5.0), ("b", 1, 0.5, -1, np.nan)]
    return pd.DataFrame(rows, columns=["input", "frame", "time", "track", "AU12"])


def test_the_frame_on_the_screen_is_the_last_not_after(table: pd.DataFrame) -> None:
    base = Timebase.of(table, "a")
    assert [base.index_at(t) for t in (-1, 0, 0.05, 0.1, 0.1 - 1e-9, 0.39, 0.5, 9)] == [
        0, 0, 0, 1, 1, 3, 5, 5
    ]  # fmt: skip
    assert base.rows_at(0.45)["track"].tolist() == [0, 1]
    assert base.rows_at(0.25)["track"].tolist() == [0]
    assert base.step(0.25, 1) == pytest.approx(0.3)
    assert base.step(0.0, -1) == 0.0
    assert base.step(0.0, 99) == pytest.approx(0.5)


def test_faces(table: pd.DataFrame) -> None:
    base = Timebase.of(table)
    assert base.recording == "a"
    assert base.tracks == [0, 1]
    assert base.face(base.rows_at(0.2), 1) is None
    assert base.face(base.rows_at(0.4), 1)["AU12"] == 14.0
    assert Timebase.of(table, "b").tracks == [0]
    assert Timebase.of(table, "b").face(Timebase.of(table, "b").rows_at(0.5), 0) is None


def test_events_of_this_recording_only(table: pd.DataFrame) -> None:
    events = pd.DataFrame({"input": ["a", "a", "b"], "onset": [0.4, 0.1, 0.2]})
    base = Timebase.of(table, "a")
    assert base.next_event(events, 0.0) == 0.1
    assert base.next_event(events, 0.1) == 0.4
    assert base.next_event(events, 0.4) is None
    assert base.next_event(events, 0.4, -1) == 0.1
    assert base.next_event(events, 0.1, -1) is None


def test_courses_break_at_gaps(table: pd.DataFrame) -> None:
    (course,) = Timebase.of(table, "a").courses("AU12", track=1)
    np.testing.assert_allclose(course.time, [0.0, 0.1, np.nan, 0.4, 0.5])
    np.testing.assert_allclose(course.value, [10, 11, np.nan, 14, 15])
    (other,) = Timebase.of(table, "a").courses(["AU12"])
    assert not np.isnan(other.value).any()


def test_long_courses_keep_their_peaks_and_gaps() -> None:
    n = 50_000
    value = np.sin(np.arange(n) / 50)
    value[30_000:30_100] = np.nan
    value[12_345] = 9.0
    table = pd.DataFrame({"time": np.arange(n) / 30, "AU12": value})
    (course,) = Timebase.of(table).courses("AU12", points=1000)
    assert len(course.time) < 1100
    assert np.nanmax(course.value) == 9.0
    assert course.time[np.nanargmax(course.value)] == pytest.approx(12_345 / 30)
    lost = course.time[np.isnan(course.value)]
    assert len(lost) == 1
    assert 30_000 / 30 <= lost[0] < 30_100 / 30


@pytest.mark.parametrize(
    ("change", "recording", "message"),
    [
        pytest.param(lambda t: t, "c.mp4", "no recording 'c.mp4'", id="unknown recording"),
        pytest.param(lambda t: t.drop(columns="time"), None, "column 'time'", id="no time"),
        pytest.param(lambda t: t.assign(time=np.nan), None, "rows without one", id="time missing"),
        pytest.param(lambda t: t.iloc[:0], None, "rows without one", id="no row"),
    ],
)
def test_wrong_tables(
    table: pd.DataFrame, change: object, recording: str | None, message: str
) -> None:
    with pytest.raises(FexError, match=message):
        Timebase.of(change(table), recording)  # type: ignore[operator]
