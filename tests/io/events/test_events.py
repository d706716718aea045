"""Tables of events in and out of annotation files; files read by independent programs too."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facemt_analysis.errors import FexError
from facemt_analysis.io import read_events, write_events
from facemt_analysis.io.events import EVENT_COLUMNS, as_events


@pytest.fixture
def events() -> pd.DataFrame:
    """As `fex.au.events()` gives them, of two faces; words in quotes and umlauts."""
    return pd.DataFrame(
        {
            "input": "talk.mp4",
            "track": [0, 1, 0, 0],
            "feature": ["AU12", "AU12", "AU06", "AU12"],
            "label": ["smile", 'a "wide" smile', "Wangen höher", "smile"],
            "onset": [0.5, 0.6, 0.7, 3.25],
            "offset": [1.0, 2.0, 0.9004, 3.5],
            "peak": [0.9, 0.8, 0.7, np.nan],
        }
    )


def _same(back: pd.DataFrame, events: pd.DataFrame, *, atol: float, track: bool = True) -> None:
    expected = as_events(events)
    assert back["feature"].tolist() == expected["feature"].tolist()
    assert back["label"].tolist() == expected["label"].tolist()
    if track:
        assert back["track"].tolist() == expected["track"].tolist()
    for name in ("onset", "offset", "duration"):
        np.testing.assert_allclose(back[name], expected[name], atol=atol, rtol=0)


# ------------------------------------------------------------------ the form
def test_the_form(events: pd.DataFrame) -> None:
    table = as_events(events[["peak", "offset", "onset", "feature"]])
    assert list(table.columns) == [
        "input",
        "feature",
        "label",
        "onset",
        "offset",
        "duration",
        "peak",
    ]
    assert table["label"].tolist() == events["feature"].tolist()
    assert list(as_events(events).columns) == [*EVENT_COLUMNS, "peak"]
    short = as_events(pd.DataFrame({"onset": [1], "duration": [2], "label": ["x"]}))
    assert short.loc[0, ["feature", "offset"]].tolist() == ["x", 3.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"drop": "onset"}, "needs the column 'onset', but has", id="no onset"),
        pytest.param({"drop": "offset"}, "column 'offset' or 'duration'", id="no end"),
        pytest.param({"onset": np.nan}, "`onset` must be a finite number .* 4 rows", id="missing"),
        pytest.param({"onset": 9.0}, "4 events end before they begin; .* 9 to 1 s", id="backwards"),
    ],
)
def test_what_is_no_table_of_events(events: pd.DataFrame, change: dict, message: str) -> None:
    wrong = events.drop(columns=change["drop"]) if "drop" in change else events.assign(**change)
    with pytest.raises(FexError, match=message):
        as_events(wrong)


# ------------------------------------------------------------------ BIDS and CSV: every column
def test_bids(events: pd.DataFrame, folder: Path) -> None:
    path = folder / "sub-1_task-talk_events.tsv"
    write_events(events, path)
    back = read_events(path)
    _same(back, events, atol=0)
    np.testing.assert_array_equal(back["peak"], events["peak"])
    assert set(back["input"]) == {"sub-1_task-talk"}
    raw = pd.read_csv(path, sep="\t", keep_default_na=False)
    assert list(raw.columns[:3]) == ["onset", "duration", "trial_type"]
    assert raw["peak"].tolist()[-1] == "n/a"
    about = json.loads(path.with_suffix(".json").read_text())
    assert set(about) == set(raw.columns)
    assert about["onset"]["Units"] == "s"


def test_bids_files_of_others(folder: Path) -> None:
    text = "onset\tduration\ttrial_type\tstim_file\n1.5\tn/a\tface\ta.png\n0.5\t2\thouse\tn/a\n"
    (folder / "x_events.tsv").write_text(text)
    back = read_events(folder / "x_events.tsv")
    assert back["label"].tolist() == ["house", "face"]
    assert back["feature"].tolist() == ["house", "face"]
    assert back["duration"].tolist() == [2, 0]
    assert "stim_file" in back
    (folder / "y.tsv").write_text("onset\ttrial_type\n1\tx\n")
    with pytest.raises(FexError, match=r"y\.tsv: events of BIDS need the column 'duration'"):
        read_events(folder / "y.tsv")


def test_csv(events: pd.DataFrame, folder: Path) -> None:
    both = pd.concat([events, events.assign(input="b.mp4")])
    write_events(both, folder / "x.csv")
    back = read_events(folder / "x.csv")
    expected = as_events(both).sort_values(["input", "onset"], ignore_index=True)
    pd.testing.assert_frame_equal(back, expected, check_dtype=False)


# ------------------------------------------------------------------ Py-feat Live
def test_live(events: pd.DataFrame, folder: Path) -> None:
    """By the frame rate, and by the recording's own times, which are uneven."""
    kinds = events.assign(feature=["event", "exclude", "AU06", "event"])
    write_events(kinds, folder / "annotations.csv", format="pyfeat-live", fps=30)
    back = read_events(folder / "annotations.csv", fps=30)
    assert back["feature"].tolist() == ["event", "exclude", "event", "event"]
    np.testing.assert_allclose(back["onset"], events["onset"], atol=0.5 / 30)
    time = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.06, 200))
    fex = pd.DataFrame({"input": "talk.mp4", "frame": np.arange(200), "time": time})
    write_events(events, folder / "annotations.csv", format="pyfeat-live", fex=fex)
    back = read_events(folder / "annotations.csv", fex=fex)
    np.testing.assert_allclose(back["offset"], events["offset"], atol=0.03)
    assert set(back["onset"]) <= set(time)
    assert set(back["input"]) == {"talk.mp4"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({}, "counts frames: give `fps`, or the table `fex`", id="nothing"),
        pytest.param({"fps": 0}, "`fps` must be a positive number", id="no rate"),
        pytest.param({"fex": pd.DataFrame({"frame": [0, 1], "time": [0, 1]})},
                     "frames 15 to 105, but `fex` has 0 to 1", id="another recording"),
        pytest.param({"fex": pd.DataFrame({"frame": [0]})}, "needs the columns", id="no time"),
        pytest.param({"tier": "x"}, "no option 'tier'; its options: fps, fex", id="option"),
    ],
)  # fmt: skip
def test_live_needs_a_clock(
    events: pd.DataFrame, folder: Path, options: dict, message: str
) -> None:
    write_events(events, folder / "annotations.csv", format="pyfeat-live", fps=30)
    with pytest.raises(FexError, match=message):
        read_events(folder / "annotations.csv", **options)


# ------------------------------------------------------------------ WebVTT
def test_webvtt(folder: Path) -> None:
    text = (
        "WEBVTT - talk\n\nNOTE nothing\n\n1\n00:01.000 --> 00:02.500 align:start\n<v Ann>Hello\n"
        "<i>you</i>\n\n01:00:00.000 --> 01:00:01.250\nBye\n"
    )
    (folder / "talk.vtt").write_text(text.replace("\n", "\r\n"), newline="")
    back = read_events(folder / "talk.vtt")
    assert back["feature"].tolist() == ["Ann", "caption"]
    assert back["label"].tolist() == ["Hello you", "Bye"]
    assert back["onset"].tolist() == [1, 3600]
    assert back["duration"].tolist() == [1.5, 1.25]
    (folder / "x.vtt").write_text("1\n00:01.000 --> 00:02.500\nHello\n")
    with pytest.raises(FexError, match="not a WebVTT file"):
        read_events(folder / "x.vtt")


# ------------------------------------------------------------------ ELAN and Praat
@pytest.fixture
def library() -> None:
    pytest.importorskip("pympi", reason="needs pympi-ling, the extra [annotation]")


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(("name", "atol"), [("x.eaf", 5e-4), ("x.TextGrid", 1e-6)])
def test_tiers_there_and_back(events: pd.DataFrame, folder: Path, name: str, atol: float) -> None:
    write_events(events, folder / name)
    _same(read_events(folder / name), events, atol=atol)
    write_events(events.drop(columns="track").iloc[[0, 2, 3]], folder / name)
    _same(read_events(folder / name), events.iloc[[0, 2, 3]], atol=atol, track=False)
    by_words = events.assign(all="x")[events["track"] == 0].iloc[[0, 2]]
    write_events(by_words, folder / name, tier="all", value="peak")
    back = read_events(folder / name)
    assert back["feature"].tolist() == ["x", "x"]
    assert back["label"][0] == "0.9"


@pytest.mark.usefixtures("library")
def test_elan_files_are_what_elan_expects(events: pd.DataFrame, folder: Path) -> None:
    """Read from the XML itself, after the published schema (EAFv2.8)."""
    write_events(events, folder / "x.eaf", media="/clips/talk.mp4")
    root = ElementTree.parse(folder / "x.eaf").getroot()
    slots = {s.get("TIME_SLOT_ID"): int(s.get("TIME_VALUE", "")) for s in root.iter("TIME_SLOT")}
    media = root.find("HEADER/MEDIA_DESCRIPTOR")
    assert media is not None
    assert media.get("MEDIA_URL") == "/clips/talk.mp4"
    found = []
    for tier in root.iter("TIER"):
        for note in tier.iter("ALIGNABLE_ANNOTATION"):
            times = [slots[note.get(f"TIME_SLOT_REF{i}")] for i in (1, 2)]
            found.append((tier.get("TIER_ID"), *times, note.findtext("ANNOTATION_VALUE")))
    assert sorted(found) == [
        ("AU06@0", 700, 900, "Wangen höher"),
        ("AU12@0", 500, 1000, "smile"), ("AU12@0", 3250, 3500, "smile"),
        ("AU12@1", 600, 2000, 'a "wide" smile'),
    ]  # fmt: skip


@pytest.mark.usefixtures("library")
def test_elan_tiers_that_refer_to_others(folder: Path) -> None:
    import pympi

    eaf = pympi.Eaf()
    eaf.add_linguistic_type("words", constraints="Symbolic_Association", timealignable=False)
    eaf.add_tier("speech", part="Ann")
    eaf.add_tier("meaning", ling="words", parent="speech")
    eaf.add_annotation("speech", 1000, 2500, "yes")
    eaf.add_ref_annotation("meaning", "speech", 1500, "agrees")
    eaf.to_file(str(folder / "x.eaf"))
    back = read_events(folder / "x.eaf").sort_values("feature")
    assert back["feature"].tolist() == ["meaning", "speech"]
    assert back["label"].tolist() == ["agrees", "yes"]
    assert back["duration"].tolist() == [1.5, 1.5]
    assert back["participant"].tolist()[1] == "Ann"


@pytest.mark.usefixtures("library")
@pytest.mark.oracle
def test_praatio_reads_it(events: pd.DataFrame, folder: Path) -> None:
    textgrid = pytest.importorskip("praatio.textgrid")
    points = events.assign(feature="blink", label="b", offset=events["onset"], track=0)
    write_events(pd.concat([events, points]), folder / "x.TextGrid", stop=10)
    grid = textgrid.openTextgrid(str(folder / "x.TextGrid"), includeEmptyIntervals=False)
    assert set(grid.tierNames) == {"AU12@0", "AU12@1", "AU06@0", "blink@0"}
    assert grid.maxTimestamp == 10
    entries = grid.getTier("AU12@0").entries
    assert [(e.start, e.end, e.label) for e in entries] == [(0.5, 1, "smile"), (3.25, 3.5, "smile")]
    assert grid.getTier("AU12@1").entries[0].label == 'a "wide" smile'
    assert [p.time for p in grid.getTier("blink@0").entries] == sorted(events["onset"])


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("form", ["normal", "short", "binary"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_textgrids_of_every_form(folder: Path, form: str, codec: str) -> None:
    if form == "binary" and codec == "utf-16":
        pytest.skip("a binary file has an encoding of its own")
    import pympi

    grid = pympi.TextGrid(xmax=5)
    tier = grid.add_tier("speech")
    tier.add_interval(1, 2.5, "yes")
    grid.add_tier("marks", tier_type="TextTier").add_point(3.25, "here")
    path = folder / "x.TextGrid"
    if form == "binary":
        grid.to_file(str(path), mode="b")
    else:
        grid.to_file(str(path), codec=codec, mode=form[0])
    back = read_events(path)
    assert back["label"].tolist() == ["yes", "here"]
    assert back["onset"].tolist() == [1, 3.25]
    assert back["duration"].tolist() == [1.5, 0]


@pytest.mark.usefixtures("library")
def test_neighbours_do_not_overlap_by_rounding(folder: Path) -> None:
    near = pd.DataFrame({"feature": "AU45", "onset": [0.1004, 0.1006], "offset": [0.1006, 0.1015]})
    write_events(near, folder / "x.eaf")
    back = read_events(folder / "x.eaf")
    assert back["onset"].tolist() == [0.1, 0.101]
    assert (back["onset"].to_numpy()[1:] >= back["offset"].to_numpy()[:-1]).all()


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("name", ["x.eaf", "x.TextGrid"])
def test_no_events(folder: Path, name: str) -> None:
    none = pd.DataFrame({"feature": [], "onset": [], "offset": []})
    write_events(none, folder / name)
    back = read_events(folder / name)
    assert len(back) == 0
    assert {"onset", "offset", "duration", "feature", "label"} <= set(back)


# ------------------------------------------------------------------ wrong calls
@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("name", ["x.eaf", "x.TextGrid"])
@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        pytest.param(
            {"track": 0}, {}, "cannot hold overlapping events, but in 'AU12'", id="overlap"
        ),
        pytest.param(
            {"input": ["a", "b", "a", "a"]}, {}, r"of 2 recordings \(a, b\)", id="several"
        ),
        pytest.param({"onset": -1.0}, {}, "begin at 0 s, but in 'AU12@0'", id="before 0"),
        pytest.param(
            {}, {"tier": "x"}, "`tier` must be a column .*'x'; they have input", id="tier"
        ),
        pytest.param({}, {"value": "x"}, "`value` must be a column .*'x'", id="value"),
        pytest.param({}, {"fps": 3}, "has no option 'fps'; its options: tier, value", id="option"),
    ],
)
def test_wrong_calls(
    events: pd.DataFrame, folder: Path, name: str, change: dict, options: dict, message: str
) -> None:
    with pytest.raises(FexError, match=message):
        write_events(events.assign(**change), folder / name, **options)
    assert list(folder.iterdir()) == []


def test_wrong_files(events: pd.DataFrame, folder: Path) -> None:
    with pytest.raises(FexError, match=r"no\.eaf: there is no such file"):
        read_events(folder / "no.eaf")
    with pytest.raises(FexError, match=r"x\.doc: events can be written as \.eaf, \.textgrid"):
        write_events(events, folder / "x.doc")
    with pytest.raises(FexError, match="`format` must be None or 'pyfeat-live', but got 'eaf'"):
        write_events(events, folder / "x", format="eaf")
    (folder / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FexError, match=r"x\.csv: A table of events needs the column 'onset'"):
        read_events(folder / "x.csv")


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("name", ["x.eaf", "x.TextGrid"])
@pytest.mark.parametrize("content", [b"<xml", b"nonsense", b"\0\1\2", b""])
def test_damaged_files(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(FexError, match=rf"{name}: it cannot be read as") as caught:
        read_events(folder / name)
    assert "\n" not in str(caught.value)


def test_without_the_library(
    events: pd.DataFrame, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pympi", None)
    with pytest.raises(FexError, match=r'pip install "facemt-analysis\[annotation\]"'):
        write_events(events, folder / "x.eaf")
