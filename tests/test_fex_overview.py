"""What a notebook shows of a Fex: recordings in words, features as small lines."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from facemt_analysis.fex import Fex
from facemt_analysis.fex.sparklines import overview_html, sparkline
from facemt_analysis.fex.summary import count_recordings, format_share, summarize_table
from facemt_analysis.signal import rates as measure_rates


def table(name: str = "a.mp4", n: int = 50, hz: float = 25.0) -> pd.DataFrame:
    t = np.arange(n) / hz
    return pd.DataFrame(
        {
            "input": name,
            "frame": np.arange(n),
            "time": t,
            "track": 0,
            "FaceScore": 0.9,
            "Yaw": 0.1 * np.sin(t),
            "AU12": np.linspace(0, 1, n),
            "valence": np.zeros(n),
        }
    )


def points(svg: str, n: int = 50) -> list[list[tuple[int, int]]]:
    """Lines of a drawing of n values as (number of the value, level from 0 at the top to 80)."""
    path = ET.fromstring(svg).find("path").get("d")
    step = round(450 / (n - 1))
    lines = []
    for part in path.split("M")[1:]:
        x, y = map(int, re.match(r"(\d+) (\d+)h0", part).groups())
        line = [(x // step, y)]
        for right, down in re.findall(r"l(\d+) ?(-?\d+)", part):
            assert int(right) == step
            line.append((line[-1][0] + 1, line[-1][1] + int(down)))
        lines.append(line)
    return lines


def cells(html: str) -> list[list[str]]:
    """Text of each cell of the overview; the title and the lines of a drawing."""
    rows = ET.fromstring(html).findall("tr")
    return [["".join(cell.itertext()) for cell in row] for row in rows]


# ------------------------------------------------------------------ one line
def test_a_ramp_goes_from_the_bottom_to_the_top() -> None:
    assert points(sparkline(np.array([0.0, 0.25, 0.5, 1.0]), 0, 1), 4) == [
        [(0, 80), (1, 60), (2, 40), (3, 0)]
    ]


def test_missing_values_break_the_line() -> None:
    values = np.array([np.nan, 1.0, 1.0, np.nan, 0.0, np.nan, np.nan])
    assert points(sparkline(values, 0, 1), 7) == [[(1, 0), (2, 0)], [(4, 80)]]
    assert points(sparkline(np.full(5, np.nan), 0, 1)) == []
    assert points(sparkline(np.empty(0), 0, 1)) == []


def test_values_outside_stay_inside_and_no_range_is_the_middle() -> None:
    assert points(sparkline(np.array([-3.0, 7.0]), 0, 1), 2) == [[(0, 80), (1, 0)]]
    assert points(sparkline(np.array([0.0, np.nan]), 0, 0), 2) == [[(0, 40)]]


def test_titles_are_escaped() -> None:
    text = sparkline(np.zeros(2), 0, 1, title="<script>&")
    assert "<script>" not in text
    assert ET.fromstring(text).find("title").text == "<script>&"


# ------------------------------------------------------------------ the overview
def test_every_recording_has_a_line() -> None:
    both = pd.concat([table(), table("<b>.mp4", 30, 10.0)])
    head, first, second = cells(overview_html(both))
    assert head == ["recording", "duration", "rate", "faces in", "AU12", "valence", "Yaw"]
    assert first[:4] == ["a.mp4", "2.00 s", "25 Hz", "all 50 frames"]
    assert second[:4] == ["<b>.mp4", "3.00 s", "10 Hz", "all 30 frames"]
    assert second[4:] == ["AU12, <b>.mp4", "valence, <b>.mp4", "Yaw, <b>.mp4"]
    drawn = [ET.tostring(svg).decode() for svg in ET.fromstring(overview_html(both)).iter("svg")]
    (ramp,), (zero,), (turn,) = (points(svg) for svg in drawn[:3])
    assert [x for x, _ in ramp] == list(range(50))
    assert [y for _, y in ramp] == [round(80 * (1 - v)) for v in np.linspace(0, 1, 50)]
    assert {y for _, y in zero} == {40}  # valence 0 is the middle of -1 to 1
    assert turn[0][1] == 40  # so is an angle of 0


def test_long_recordings_are_averaged() -> None:
    (ramp,) = points(re.search("<svg.*?</svg>", overview_html(table(n=5000))).group())
    assert len(ramp) == 50
    expected = np.linspace(0, 1, 5000).reshape(50, 100).mean(axis=1)
    assert [y for _, y in ramp] == [round(80 * (1 - v)) for v in expected]


def test_frames_without_the_face_are_gaps() -> None:
    frame = table()
    frame.loc[20:29, ["AU12", "valence", "Yaw"]] = np.nan
    frame.loc[20:29, "track"] = -1
    frame.loc[20:29, "FaceScore"] = 0.0
    html = overview_html(frame)
    assert cells(html)[1][3] == "40 of 50 frames (80%)"
    first, second = points(re.search("<svg.*?</svg>", html).group())
    assert (first[0][0], first[-1][0], second[0][0], second[-1][0]) == (0, 19, 30, 49)
    dropped = re.search("<svg.*?</svg>", overview_html(table().drop(range(20, 30)))).group()
    assert len(points(dropped, 40)) == 2


def test_the_main_face_is_the_one_with_most_rows() -> None:
    other = table(n=20).assign(track=1, AU12=0.0)
    (line,) = points(re.search("<svg.*?</svg>", overview_html(pd.concat([other, table()]))).group())
    assert len(line) == 50


def test_a_hundred_recordings_fit() -> None:
    many = pd.concat([table(f"{i}.mp4") for i in range(100)])
    html = overview_html(many)
    assert cells(html)[-1] == ["… and 92 more recordings"]
    assert len(cells(html)) == 1 + 8 + 1
    assert len(html) < 20_000


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame({"input": pd.Series([], dtype=str), "AU12": pd.Series([], dtype=float)}),
        pd.DataFrame({"AU12": [0.5]}),
        pd.DataFrame({"AU12": ["x"], "time": ["0:01"], "track": ["a"], "frame": ["b"]}),
        pd.DataFrame([[1, 2]], columns=["input", "input"]),
        pd.DataFrame([[0.1, 0.2]], columns=["AU12", "AU12"]),
        pd.DataFrame({"input": [None, None], "frame": [0, 1], "time": [0.0, np.nan]}),
        pd.DataFrame({"frame": [0, 1], "time": [np.nan, np.inf], "Yaw": [np.inf, np.nan]}),
        pd.DataFrame({"frame": pd.array([0, None], dtype="Int64"), "AU12": [0.1, np.nan]}),
        table().convert_dtypes(),
        table().assign(input=pd.Categorical(["a.mp4"] * 50, categories=["a.mp4", "z.mp4"])),
        table().sample(frac=1, random_state=0),
        table().set_index("frame"),
    ],
    ids=lambda f: f"{f.shape[0]}x{f.shape[1]} {','.join(map(str, f.columns[:3]))}",
)
def test_no_table_is_too_odd(frame: pd.DataFrame) -> None:
    fex = Fex(frame)
    assert isinstance(repr(fex), str)
    assert isinstance(fex._repr_html_(), str)
    assert isinstance(str(summarize_table(frame)), str)


def test_order_of_rows_does_not_matter() -> None:
    both = pd.concat([table(), table("b.mp4", 30, 10.0)])
    mixed = both.sample(frac=1, random_state=1)
    mixed = pd.concat([mixed[mixed["input"] == "a.mp4"], mixed[mixed["input"] == "b.mp4"]])
    assert overview_html(mixed) == overview_html(both)
    assert str(summarize_table(mixed)) == str(summarize_table(both))


def test_the_rate_is_the_one_of_the_signal_layer() -> None:
    stamps = np.round(np.arange(60) / 30, 3)  # whole milliseconds: 33 and 34
    uneven = table(n=60).assign(time=stamps).drop(index=range(20, 30))
    known = measure_rates(uneven)
    counts = count_recordings(uneven).table
    assert counts["hz"].tolist() == pytest.approx(known["hz"].tolist())
    assert counts["start"].tolist() == known["start"].tolist()


def test_not_quite_all_is_not_all() -> None:
    assert format_share(99_999, 100_000) == "99,999 of 100,000 frames (99.9%)"
    assert format_share(0, 0) == "no frame"


# ------------------------------------------------------------------ light
def test_no_drawing_library_is_loaded() -> None:
    code = (
        "import sys, pandas as pd; from facemt_analysis.fex import Fex\n"
        "before = set(sys.modules); f = Fex({'frame': [0, 1], 'AU12': [0.1, 0.2]})\n"
        "repr(f); f._repr_html_()\n"
        "print([m for m in ('matplotlib', 'scipy', 'plotly') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_drawing_takes_no_longer_than_pandas_own_table_many_times() -> None:
    # processor time, in turn, because machines differ; about 3 times here, of 100,000 rows
    big = Fex(pd.concat([table(f"{i}.mp4", 25_000) for i in range(4)], ignore_index=True))
    best = {"plain": np.inf, "fex": np.inf}
    for _ in range(5):
        for name, draw in (("plain", pd.DataFrame(big)._repr_html_), ("fex", big._repr_html_)):
            start = time.process_time()
            draw()
            best[name] = min(best[name], time.process_time() - start)
    assert best["fex"] < 15 * best["plain"], best
