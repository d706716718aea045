"""The report: what is in the page is what the measures say, and nothing comes from elsewhere."""

from __future__ import annotations

import html.parser
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis import network
from facemt_analysis.errors import FexError
from facemt_analysis.fex import FexInfo
from facemt_analysis.interactive.report import Section, report_html
from facemt_analysis.interactive.report.markup import format_number, page, table
from facemt_analysis.interactive.report.moments import find_peaks
from facemt_analysis.interactive.report.recordings import look_at
from facemt_analysis.interactive.report.references import bibtex, references_for
from facemt_analysis.measures import (
    affect_summary,
    au_events,
    au_summary,
    emotion_summary,
    gaze_summary,
    pose_motion,
    quality_report,
)

VOID = {"meta", "img", "br", "input", "line", "rect", "path"}
NASTY = "<script>alert('x')</script>&\"'"


class Page(html.parser.HTMLParser):
    """Reads a page: whether its tags are balanced, what it loads, tables and measures in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.scripts = 0
        self.headings: list[str] = []
        self.words: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.loads += [known[k] or "" for k in ("src", "href", "action", "data", "srcset")
                       if k in known]  # fmt: skip
        assert not [name for name in known if name.startswith("on")]
        self.ids += [known["id"] or ""] if "id" in known else []
        self.scripts += tag == "script"
        assert tag not in ("link", "iframe", "object", "embed", "base")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] in ("script", "style"):
            return
        self.words.append(data)
        if self.open[-1] in ("h1", "h2", "h3"):
            self.headings.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


@pytest.fixture(scope="module")
def fex(wide_report: tuple[fm.Fex, str]) -> fm.Fex:
    return wide_report[0]


@pytest.fixture(scope="module")
def text(wide_report: tuple[fm.Fex, str]) -> str:
    return wide_report[1]


def values_of(text: str, heading: str) -> dict[str, float]:
    """Measures of a section, by their names."""
    body = text.split(f">{heading}</h")[1].split("</section>")[0]
    found = re.findall(r'<div data-value="([^"]+)"><span>(.*?)</span>', body)
    return {name: float(value) for value, name in found}


def rows_of(text: str, heading: str) -> list[list[float | str]]:
    """Rows of the (first) table of a section: numbers in full."""
    body = text.split(f">{heading}</h")[1].split("</section>")[0].split("<tbody>")[1]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", body.split("</tbody>")[0])
    cells = [re.findall(r'<td(?: class="number")?(?: data-value="([^"]+)")?>(.*?)</td>', row)
             for row in rows]  # fmt: skip
    return [[float(full) if full else shown for full, shown in row] for row in cells]


def test_every_section_is_there_and_nothing_is_loaded(text: str) -> None:
    read = Page(text)
    assert read.headings[:2] == ["talk.mp4", "Summary"]
    for heading in ("Quality", "Over time", "Strongest moments", "Face in three dimensions",
                    "Action units", "Emotions", "Valence and arousal", "Gaze", "Head",
                    "Events of action units", "Methods", "References", "BibTeX"):  # fmt: skip
        assert heading in read.headings
    assert all(load.startswith(("#s", "data:image/")) for load in read.loads)
    assert {load[1:] for load in read.loads if load.startswith("#")} <= set(read.ids)
    assert len(read.ids) == len(set(read.ids))
    outside = re.sub(r"base64,[^\"]+", "", text)
    assert not re.search(r"https?://|url\(|@import|fetch\(|XMLHttpRequest|import\(", outside)
    assert read.scripts == 2  # the model of the face, and the page's own
    assert "default-src 'none'" in text


def test_the_numbers_are_those_of_the_measures(fex: fm.Fex, text: str) -> None:
    face = fex[fex["track"] == 0]
    affect = affect_summary(face).iloc[0]
    shown = values_of(text, "Valence and arousal")
    assert shown["Valence, mean"] == affect["valence_mean"]
    assert shown["Arousal, inertia"] == affect["arousal_inertia"]
    assert shown["Time pleasant, calm"] == affect["share_pleasant_calm"]
    assert values_of(text, "Gaze")["BCEA, 68 % (deg²)"] == gaze_summary(face).iloc[0]["bcea"]
    head = values_of(text, "Head")
    assert head["Rotation in all (°)"] == pose_motion(face).iloc[0]["rotation_total"]

    aus = au_summary(face)
    rows = rows_of(text, "Action units")
    assert [row[0].split()[0] for row in rows] == aus["feature"].tolist()
    np.testing.assert_array_equal([row[1] for row in rows], aus["mean"])
    np.testing.assert_array_equal([row[4] for row in rows], aus["share_on"])
    np.testing.assert_array_equal([row[5] for row in rows], aus["n_events"])
    np.testing.assert_array_equal(
        [row[4] for row in rows_of(text, "Emotions")], emotion_summary(face)["share"]
    )
    events = au_events(face).sort_values(["onset", "feature"])
    listed = rows_of(text, "Events of action units")
    assert len(events) > 5
    np.testing.assert_array_equal([row[1] for row in listed], events["onset"])
    np.testing.assert_array_equal([row[5] for row in listed], events["peak"])
    section = text.split(">Events of action units</h")[1].split("</section>")[0]
    moments = re.findall(r'<tr data-time="([^"]+)"', section)
    np.testing.assert_array_equal(np.array(moments, float), events["apex"])


def test_quality_says_what_the_quality_report_says(fex: fm.Fex, text: str) -> None:
    report = quality_report(fex, ["input"]).iloc[0]
    body = text.split(">Quality</h2>")[1].split("</section>")[0]
    assert f'data-value="{float(report["share_usable"])!r}"' in body
    gone = int((fex["track"] < 0).sum())
    flagged = int(fex.quality.flag()["flagged"].sum())
    assert f"{flagged:,} of {len(fex):,} rows are flagged" in body
    assert f'<td>no face was found</td><td class="number" data-value="{float(gone)!r}">' in body
    assert "the face is gone for up to" in body


def test_methods_can_be_pasted_and_cited(fex: fm.Fex, text: str) -> None:
    read = Page(text).text
    assert fex.methods_text() in read
    assert "Events of action units are stretches of scores of at least 0.5" in read
    works = references_for(["aus", "emotions", "va", "gazes", "poses", "meshes", "quality"])
    assert all(work.text() in read for work in works)
    assert bibtex(works).splitlines()[0] in read
    assert "torch 9.9" in read


def test_a_caution_about_the_weights_stands_beside_the_numbers(
    fex: fm.Fex, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = replace(network.WEIGHTS["open"], caution="They cannot see <gaze>")
    monkeypatch.setattr(network, "WEIGHTS", {"open": known}, raising=False)
    few = fm.Fex(fex[["time", "gaze_pitch", "gaze_yaw"]].iloc[:40], info=fex.info)
    assert Page(report_html(few)).text.count("They cannot see <gaze>.") == 2


def test_bibtex_is_balanced_and_keys_are_unique() -> None:
    works = references_for(["aus", "intensities", "emotions", "va", "gazes", "poses", "meshes",
                            "quality"])  # fmt: skip
    entries = bibtex(works)
    assert entries.count("{") == entries.count("}")
    assert len({work.key for work in works}) == len(works) == entries.count("@")
    assert references_for(["landmarks"]) == []


def test_users_text_is_escaped_everywhere(fex: fm.Fex) -> None:
    small = fex[["input", "frame", "time", "track", "AU12", "Happy", "Neutral"]].iloc[:60]
    info = FexInfo(weights=NASTY, tool=NASTY, face_detector=NASTY, options={NASTY: NASTY},
                          versions={NASTY: NASTY}).with_log("label", on=NASTY)  # fmt: skip
    named = fm.Fex(small.assign(input=NASTY, **{NASTY: 1.0}), info=info)
    other = fm.Fex(small.assign(input="b", **{NASTY: 1.0}), info=info)
    both = fm.Fex.concat([named, other])
    events = pd.DataFrame({"onset": [1.0], "duration": [0.5], "label": [NASTY]})
    text = report_html(both, title=NASTY, lead=NASTY, events=events)
    read = Page(text)
    assert read.scripts == 2
    assert "<script>alert" not in text
    assert read.text.count("<script>alert('x')</script>") > 10
    assert read.headings[0] == NASTY


def test_lines_over_time_hold_the_values(fex: fm.Fex, text: str) -> None:
    svg = text.split('<svg class="curves"')[1].split("</svg>")[0]
    titles = re.findall(r'<text x="0"[^>]*>(.*?)</text>', svg)
    assert titles[:2] == ["AU01 Inner brow raiser", "AU02 Outer brow raiser"]
    assert titles[20:30] == [*fm.schema.EMOTIONS, "Affect", "Gaze in the head", "Head pose"]
    spread = fex.loc[fex["track"] == 0, fm.schema.BLENDSHAPES].std()
    most = spread.nlargest(12).index
    assert titles[30:] == [name for name in fm.schema.BLENDSHAPES if name in most]
    assert [row[0] for row in rows_of(text, "Blendshapes")] == list(
        spread.sort_values(ascending=False).index
    )
    (path, top, bottom) = re.findall(
        r'<path d="([^"]+)"[^>]*data-top="([^"]+)" data-bottom="([^"]+)"', svg
    )[0]
    pieces = [piece.split() for piece in path.split("M")[1:]]
    assert len(pieces) == 2  # before and after the gap
    points = np.array([p.split(",") for piece in pieces for p in piece[1:-1]], float)
    face = fex[fex["track"] == 0]
    top, bottom = float(top), float(bottom)
    np.testing.assert_allclose((bottom - points[:, 1]) / (bottom - top), face["AU01"], atol=0.003)
    left, right = (
        float(re.search(rf'data-{side}="([^"]+)"', svg)[1]) for side in ("left", "right")
    )
    last = fex["time"].max()
    np.testing.assert_allclose((points[:, 0] - left) / (right - left) * last, face["time"],
                               atol=0.001)  # fmt: skip
    gap = re.findall(r'<rect x="([^"]+)" y="16" width="([^"]+)"[^>]*fill="#d9d9d9"', svg)
    assert len(gap) == 1
    lost = fex.loc[fex["track"] < 0, "time"]
    start = (float(gap[0][0]) - left) / (right - left) * last
    assert start == pytest.approx(lost.min() - 1 / 30, abs=0.002)
    bars = svg.count('class="event"')
    assert bars == len(au_events(face))


def test_peaks_are_the_strongest_events_apart(fex: fm.Fex) -> None:
    seen = look_at(fex, "talk.mp4", 0)
    peaks = find_peaks(seen, most=4)
    assert len(peaks) == 4
    assert all(b.time - a.time >= 0.5 for a, b in pairwise(peaks))
    events = au_events(fex[fex["track"] == 0])
    best = events.loc[events["peak"].idxmax()]
    strongest = max(peaks, key=lambda p: p.features[0][1])
    assert strongest.features[0][1] == pytest.approx(best["peak"])
    most = fex[fex["track"] == 0].max(numeric_only=True)
    for peak in peaks:  # what is told of a moment is so at that moment, and not over by then
        assert all(value >= most[name] / 2 for name, value in peak.features)
        row = fex.iloc[int((fex["time"] - peak.time).abs().argmin())]
        for name, value in peak.features:
            assert value == pytest.approx(row[name], abs=1e-6)


def test_a_face_without_events_shows_its_greatest_values() -> None:
    quiet = pd.DataFrame({"time": np.arange(20) / 10, "AU12": np.linspace(0, 0.3, 20)})
    (peak,) = find_peaks(look_at(quiet, "a", 0))
    assert (peak.time, peak.features) == (1.9, (("AU12", 0.3),))


def test_stills_are_the_frames_of_the_video(face_video: Path) -> None:
    n = 10
    table = fm.Fex({"input": ["film.mp4"] * n, "frame": np.arange(n), "time": np.arange(n) / 25,
                    "track": 0, "AU12": np.where(np.arange(n) > 3, 0.9, 0.0)})  # fmt: skip
    shown = report_html(table, face_video)
    assert shown.count("data:image/jpeg;base64,") == 1
    assert 'data-time="0.16"' in shown
    without = report_html(table)
    assert "data:image/jpeg" not in without
    assert "The video of this recording was not given or is not there" in without
    assert "0.16 s: AU12 Lip corner puller 0.90" in without


def test_a_broken_video_is_said_and_no_more(tmp_path: Path) -> None:
    broken = tmp_path / "film.mp4"
    broken.write_bytes(b"nothing")
    table = fm.Fex({"time": [0.0, 0.1, 0.2, 0.3], "AU12": [0.9, 0.9, 0.9, 0.0]})
    read = Page(report_html(table, broken))
    assert "Frames are not shown: " in read.text
    assert "film.mp4" in read.text


@pytest.mark.parametrize(
    ("columns", "absent"),
    [
        (["time", "AU12"], {"Gaze", "Emotions", "Head", "Valence and arousal"}),
        (["time", "valence", "arousal"], {"Action units", "Face in three dimensions", "Gaze"}),
        (["AU12", "Happy", "Neutral"], {"Strongest moments", "Head", "Gaze"}),
        (["time", "Pitch", "Yaw", "Roll"], {"Action units", "Emotions", "Gaze"}),
    ],
    ids=["action-units", "affect", "without-time", "head"],
)
def test_tables_with_few_groups(fex: fm.Fex, columns: list[str], absent: set[str]) -> None:
    read = Page(report_html(fm.Fex(fex.loc[fex["track"] == 0, columns].iloc[:60])))
    assert not absent & set(read.headings)
    assert {"Summary", "Quality", "Over time", "Methods"} <= set(read.headings)
    assert ("have no time" in read.text) == ("time" not in columns)


def test_intensities_of_other_tools_have_events_from_a_on() -> None:
    n = 40
    smile = np.where((np.arange(n) > 10) & (np.arange(n) < 30), 3.0, 0.0)
    table = fm.Fex({"time": np.arange(n) / 10, "AU12_r": smile, "AU06_r": 0.2 * smile})
    text = report_html(table)
    assert [row[0] for row in rows_of(text, "Events of action units")] == [
        "AU12_r Lip corner puller"
    ]
    assert rows_of(text, "Action units")[1][1] == pytest.approx(smile.mean())
    assert "intensities of at least 1" in Page(text).text


def test_a_recording_without_a_face_says_so() -> None:
    table = fm.Fex({"input": "a.mp4", "frame": range(3), "time": [0.0, 0.1, 0.2], "track": -1,
                    "FaceScore": 0.0, "AU12": np.nan})  # fmt: skip
    assert "No face was found in this recording." in Page(report_html(table)).text


def test_several_recordings_have_an_overview_and_a_cap(fex: fm.Fex) -> None:
    small = fex[["input", "frame", "time", "track", "AU12", "valence", "arousal"]].iloc[:40]
    many = fm.Fex.concat({f"day{i}": small for i in range(4)})
    read = Page(report_html(many, most=2))
    assert read.headings[:4] == ["4 recordings", "Summary", "Recordings", "Quality"]
    assert read.headings.count("Over time") == 2
    assert "2 of 4 recordings have sections of their own" in read.text
    one = Page(report_html(many, recordings="day3/talk.mp4"))
    assert one.headings[0] == "day3/talk.mp4"
    assert "Recordings" not in one.headings


def test_several_faces_have_sections_of_their_own() -> None:
    faces = ((0, 0.1, 5), (1, 0.9, 20), (2, 0.5, 9))  # track, score, frames
    rows = [{"input": "a", "frame": i, "time": i / 10, "track": track, "AU12": score}
            for i in range(20) for track, score, n in faces if i < n]  # fmt: skip
    table = fm.Fex(pd.DataFrame(rows))
    events = pd.DataFrame({"onset": [0.5], "label": ["joke"]})
    text = report_html(table, faces=2, events=events)
    read = Page(text)
    assert read.headings.count("Over time") == 2
    assert read.headings.count("Events that were given") == 1
    parts = text.split("<h2>Face ")[1:]
    assert [part.split("</h2>")[0] for part in parts] == ["1, track 1", "2, track 2"]
    assert [rows_of(part, "Action units")[0][1] for part in parts] == pytest.approx([0.9, 0.5])
    numbers = [re.findall(r'data-recording="(\d+)"', part)[0] for part in parts]
    assert numbers == ["0", "1"]  # each shows a moment of its own
    assert "There are 3 faces; shown is track 1." in read.text
    assert "2 of 3 faces have sections of their own" in read.text
    together = fm.Fex.concat({"x": table, "y": table[table["track"] == 0]})
    titles = [h for h in Page(report_html(together)).headings if h.startswith(("x", "y"))]
    assert titles == ["x/a, track 1", "x/a, track 2", "x/a, track 0", "y/a"]


def test_events_of_the_user_are_shaded_and_listed(fex: fm.Fex) -> None:
    events = pd.DataFrame({"input": ["talk.mp4", "other"], "onset": [2.0, 3.0],
                           "offset": [4.0, 5.0], "feature": ["joke", "elsewhere"]})  # fmt: skip
    text = report_html(fm.Fex(fex[["input", "frame", "time", "track", "AU12"]]), events=events)
    assert rows_of(text, "Events that were given") == [["joke", 2.0, 4.0]]
    svg = text.split('<svg class="curves"')[1].split("</svg>")[0]
    assert ">joke</text>" in svg
    assert "elsewhere" not in svg


@pytest.mark.slow
def test_ten_minutes_with_every_group_stay_below_the_limit(
    wide_table: Callable[..., fm.Fex], tmp_path: Path
) -> None:
    fex = wide_table(seconds=600.0)
    path = fex.report(tmp_path / "long.html")
    assert len(fex) == 18_000
    assert path.stat().st_size < 8 * 2**20
    assert Page(path.read_text(encoding="utf-8")).headings[0] == "talk.mp4"


def test_the_file_is_complete_or_not_there(
    fex: fm.Fex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "report.html"
    target.write_text("old")

    def broken(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", broken)
    with pytest.raises(FexError, match=r"report\.html.*free space"):
        fm.Fex(fex[["time", "AU12"]]).report(target)
    monkeypatch.undo()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda fex: report_html(pd.DataFrame({"AU12": [1.0]})), "needs a Fex"),
        (lambda fex: report_html(fm.Fex(fex.iloc[:0])), "no rows"),
        (lambda fex: report_html(fex, recordings="talk"), "talk.mp4"),
        (lambda fex: report_html(fex, events=pd.DataFrame({"start": [1]})), "'onset'"),
        (lambda fex: fex.report("no/such/folder/r.html"), "no folder"),
    ],
    ids=["plain-frame", "empty", "no-such-recording", "events-without-onset", "no-folder"],
)
def test_wrong_calls(fex: fm.Fex, call, message: str) -> None:
    with pytest.raises(FexError, match=message):
        call(fm.Fex(fex[["input", "time", "track", "AU12"]]))


def test_cells_are_sorted_by_their_full_value() -> None:
    frame = pd.DataFrame({"x": [1.23456, np.nan], "ok": [True, False], "y": ["<a>", None]})
    text = table(frame)
    assert '<td class="number" data-value="1.23456">1.23</td>' in text
    assert '<td class="number">–</td>' in text
    assert "<td>True</td>" in text
    assert "<td>&lt;a&gt;</td>" in text


@pytest.mark.parametrize(
    ("value", "options", "shown"),
    [
        (float("nan"), {}, "–"),
        (0.995, {"percent": True}, "99.5 %"),
        (0.999, {"percent": True}, "99.9 %"),
        (1.0, {"percent": True}, "100 %"),
        (-2.5, {"digits": 1}, "−2.5"),
        (12345.6, {}, "12,346"),
    ],
    ids=["missing", "99.5", "99.9", "all", "minus", "thousands"],
)
def test_numbers_for_people(value: float, options: dict, shown: str) -> None:
    assert format_number(value, **options) == shown


def test_a_page_lists_its_main_sections_only() -> None:
    text = page("t", "", [Section("A", ""), Section("b", "", level=3)])
    assert '<a href="#s0">A</a>' in text
    assert "#s1" not in text


def test_the_command_writes_the_file(
    fex: fm.Fex, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from facemt_analysis import cli

    source, target = tmp_path / "t.parquet", tmp_path / "r.html"
    fm.Fex(fex[["input", "frame", "time", "track", "AU12"]]).to_parquet(source)
    assert cli.main(["report", str(source), "-o", str(target), "--title", "Mine"]) == 0
    assert capsys.readouterr().out == f"written: {target}\n"
    assert "<h1>Mine</h1>" in target.read_text(encoding="utf-8")
    wrong = ["report", str(source), "-o", str(target), "--video", str(tmp_path / "no.mp4")]
    assert cli.main(wrong) == 2
    assert capsys.readouterr().err.startswith("error: ")
