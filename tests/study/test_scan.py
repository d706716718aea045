"""A scan gives what the whole table gives, and says what it cannot."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis import schema
from facemt_analysis.errors import FexError, MissingGroupError, OptionError
from facemt_analysis.fex import Fex
from facemt_analysis.study import READS, Scan
from facemt_analysis.study import files as study_files

METHODS = [(view, method) for view, methods in READS.items() for method in methods]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six recordings, faces lost now and then; what is large (mesh, landmarks) is not there."""
    fex, _ = fm.simulate_study(3, duration=6, fps=25, missing=0.08, jitter=0.3, seed=4)
    fex["condition"] = fex["condition"].astype("category")
    path = tmp_path_factory.mktemp("scan") / "study"
    fm.io.write_dataset(fex, path)
    return path


@pytest.fixture(scope="module")
def whole(folder: Path) -> Fex:
    return fm.read_fex(folder)


@pytest.fixture(scope="module")
def scan(folder: Path) -> Scan:
    return fm.scan(folder)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings with a mesh."""
    groups = ("faceboxes", "poses", "aus", "emotions", "blendshapes", "meshes")
    fex, _ = fm.simulate_study(1, duration=3, fps=25, missing=0.1, seed=5, feature_groups=groups)
    path = tmp_path_factory.mktemp("scan") / "large"
    fm.io.write_dataset(fex, path)
    return path


@pytest.fixture(scope="module")
def pairs(folder: Path, large: Path, scan: Scan, whole: Fex) -> dict[str, tuple[Scan, Fex]]:
    """Give the scan and the whole table of both studies."""
    return {"usual": (scan, whole), "large": (fm.scan(large), fm.read_fex(large))}


def same(got: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert type(got) is pd.DataFrame
    pd.testing.assert_frame_equal(got, expected, rtol=1e-9, atol=1e-12)


# ------------------------------------------------------------------ parity with the table
CONFOUND_FIRST = {"quality.confounds"}
"""Where rows of the whole table are sorted by something before recordings."""


@pytest.mark.parametrize(("view", "method"), METHODS, ids=[f"{v}.{m}" for v, m in METHODS])
def test_a_measure_is_that_of_the_whole_table(
    view: str, method: str, pairs: dict[str, tuple[Scan, Fex]]
) -> None:
    scan, whole = pairs["large" if view == "mesh" else "usual"]
    expected = getattr(getattr(whole, view), method)()
    got = getattr(getattr(scan, view), method)()
    assert len(expected)
    if f"{view}.{method}" in CONFOUND_FIRST:  # recordings stay together
        place = pd.Series(range(6), index=whole.recordings)
        expected = expected.iloc[expected["input"].map(place).argsort(kind="stable")]
        expected = expected.reset_index(drop=True)
    same(got, expected)


GIVEN: list[tuple[str, str, tuple[Any, ...], dict[str, Any]]] = [
    ("au", "events", ("AU12", 0.4), {"labels": ["subject", "condition"], "smooth": 0.3}),
    ("au", "events", (["AU06", "AU12"],), {"on": {"AU12": 0.4}}),
    ("au", "summary", (["input", "condition"],), {"quantiles": (0.25,)}),
    ("au", "summary", (["condition", "input", "subject"],), {}),
    ("au", "rates", (["input"],), {"aus": ["valence", "AU12"], "on": 0.3}),
    ("emotion", "transitions", (), {"unit": "bouts", "by": ("subject", "input")}),
    ("affect", "trajectory", (), {"hz": 10.0}),
    ("gaze", "summary", (), {"frame": "camera", "by": "input"}),
    ("gaze", "fixations", (), {"frame": "camera", "labels": "subject"}),
    ("mesh", "summary", ("input",), {"reference": "neutral", "person": ["input"]}),
    ("blendshape", "blinks", (), {"source": "ear"}),
    ("blendshape", "blinks", ("AU43",), {}),
    ("quality", "report", (), {"by": ["input", "subject"], "yaw_deg": 20.0}),
]


@pytest.mark.parametrize(
    ("view", "method", "args", "kwargs"),
    GIVEN,
    ids=[f"{v}.{m}-{'-'.join([*k, str(len(a))])}" for v, m, a, k in GIVEN],
)
def test_arguments_mean_what_they_mean_on_a_fex(
    view: str, method: str, args: Any, kwargs: dict[str, Any], pairs: dict[str, tuple[Scan, Fex]]
) -> None:
    scan, whole = pairs["large" if view == "mesh" or "ear" in kwargs.values() else "usual"]
    expected = getattr(getattr(whole, view), method)(*args, **kwargs)
    same(getattr(getattr(scan, view), method)(*args, **kwargs), expected)


def test_what_can_be_read_once_holds_for_all_recordings(scan: Scan, whole: Fex) -> None:
    names = ["AU06", "AU12"]
    same(scan.au.events(iter(names)), whole.au.events(names))
    same(scan.au.summary(aus=(n for n in names)), whole.au.summary(aus=names))


def test_every_measure_that_gives_a_table_of_recordings_is_offered(
    pairs: dict[str, tuple[Scan, Fex]],
) -> None:
    found = set()
    for view in READS:
        module = importlib.import_module(f"facemt_analysis.accessors.{view}")
        for name, code in vars(getattr(module, module.__all__[0])).items():
            if name.startswith("_") or not inspect.isfunction(code):
                continue
            if "DataFrame" not in str(inspect.signature(code).return_annotation):
                continue
            if name == "epoch_average":  # by subject
                continue
            table = pairs["large" if view == "mesh" else "usual"][1]
            result = getattr(getattr(table, view), name)()
            if "input" in result.columns:
                found.add((view, name))
    assert found == set(METHODS)


def test_only_the_groups_that_are_needed_are_read(
    pairs: dict[str, tuple[Scan, Fex]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (scan, _), (full, _) = pairs["usual"], pairs["large"]
    read: list[set[str]] = []
    usual = study_files.read_part

    def watched(path: Path, selection: Any) -> Any:
        part = usual(path, selection)
        groups = {schema.group_of(c) for c in part.table.column_names}
        read.append({g for g in groups if g not in ("keys", None)})
        return part

    monkeypatch.setattr(study_files, "read_part", watched)
    for call, groups, times in (
        (lambda: scan.au.summary(), {"aus"}, 6),
        (lambda: scan.signal.rates(), set(), 6),
        (lambda: scan.gaze.summary(), {"gazes", "poses"}, 6),
        (lambda: full.mesh.summary(reference="neutral"), {"meshes", "emotions"}, 2),
        (lambda: scan.blendshape.blinks("AU43"), {"blendshapes", "aus"}, 6),
        (lambda: scan.map(lambda fex: {"n": len(fex)}, groups="va"), {"va"}, 6),
    ):
        read.clear()
        call()
        assert read == [groups] * times


# ------------------------------------------------------------------ what a scan holds
def test_a_scan_says_what_there_is(scan: Scan, whole: Fex) -> None:
    assert scan.recordings == whole.recordings
    assert len(scan) == 6
    assert scan.groups == whole.groups
    assert list(scan.columns) == list(whole.columns)
    assert scan.info == whole.info
    table = scan.table
    assert list(table) == ["input", "rows", "start", "stop", "weights", "file"]
    spans = whole.groupby("input", observed=True)["time"].agg(["size", "min", "max"])
    np.testing.assert_array_equal(table["rows"], spans["size"].loc[table["input"]])
    np.testing.assert_array_equal(table["start"], spans["min"].loc[table["input"]])
    np.testing.assert_array_equal(table["stop"], spans["max"].loc[table["input"]])
    text = repr(scan)
    assert text.startswith("Scan: 6 recordings · 900 rows · 35.")
    assert "aus, emotions" in text
    assert "labels: subject, condition, trial" in text
    assert "<table" in scan._repr_html_()
    assert ".summary" in repr(scan.au)
    assert "<code>.summary()</code>" in scan.au._repr_html_()
    assert "summary" in dir(scan.au)
    assert next(iter(inspect.signature(scan.au.summary).parameters)) == "by"


def test_recordings_come_one_by_one(scan: Scan, whole: Fex) -> None:
    names = []
    for name, fex in scan:
        names.append(name)
        expected = whole.select(name).reset_index(drop=True)
        pd.testing.assert_frame_equal(pd.DataFrame(fex), pd.DataFrame(expected))
        assert type(fex) is Fex
        assert fex.info == whole.info
    assert tuple(names) == whole.recordings


def test_a_part_of_a_study(folder: Path, whole: Fex) -> None:
    names = [whole.recordings[4], whole.recordings[1]]
    part = fm.scan(folder, groups=["aus", "faceboxes"], recordings=names)
    assert part.recordings == (whole.recordings[1], whole.recordings[4])
    assert part.groups == ("keys", "faceboxes", "aus")
    expected = fm.read_fex(folder, groups=["aus", "faceboxes"], recordings=names)
    pd.testing.assert_frame_equal(pd.DataFrame(part.read()), pd.DataFrame(expected))
    same(part.quality.report(), expected.quality.report())
    assert not hasattr(part, "gaze")
    assert hasattr(part, "au")
    with pytest.raises(MissingGroupError, match="has no 'gazes'; it has keys, faceboxes, aus"):
        _ = part.gaze
    one = part.read(names[0], groups="aus")
    assert one.recordings == (names[0],)
    assert one.groups == ("keys", "aus")
    with pytest.raises(FexError, match=r"no recording .*Did you mean"):
        part.read(names[0] + "x")
    with pytest.raises(FexError, match="it has no group va"):
        part.read(groups="va")


def test_labels_are_joined_to_every_recording(folder: Path, whole: Fex) -> None:
    codes = pd.DataFrame(
        {"input": whole.recordings, "site": pd.Categorical(["Bern", "Lund"] * 3), "age": range(6)}
    )
    labelled = fm.scan(folder, labels=codes)
    table = whole.label(codes)
    by = ["input", "site", "age"]
    same(labelled.au.summary(by), table.au.summary(by))
    pd.testing.assert_frame_equal(pd.DataFrame(labelled.read()), pd.DataFrame(table))
    assert labelled.table["age"].tolist() == list(range(6))
    assert labelled.columns[-2:] == ("site", "age")
    assert "site, age" in repr(labelled)
    with pytest.raises(FexError, match="no labels for 5 of 6"):
        fm.scan(folder, labels=codes.iloc[:1])
    with pytest.raises(FexError, match="have already: subject"):
        fm.scan(folder, labels=codes.rename(columns={"site": "subject"}))


# ------------------------------------------------------------------ studies of other shapes
def test_one_file_of_several_recordings(tmp_path: Path, whole: Fex) -> None:
    mixed = whole.sort_values(["frame", "input"], ignore_index=True)[["input", "time", "AU12"]]
    mixed.to_parquet(tmp_path / "all.parquet")
    one = fm.scan(tmp_path / "all.parquet")
    expected = fm.read_fex(tmp_path / "all.parquet")
    same(one.au.summary(), expected.au.summary())
    assert one.recordings == expected.recordings
    assert one.table["rows"].tolist() == [150] * 6
    spans = whole.groupby("input", observed=True)["time"].max()
    np.testing.assert_array_equal(one.table["stop"], spans.loc[list(one.recordings)])


def test_columns_and_categories_that_some_files_lack(tmp_path: Path) -> None:
    for name, more in (
        ("a.mp4", {"AU12": [0.2, 0.9, 0.1], "mood": pd.Categorical(["low"] * 3)}),
        ("b.mp4", {"valence": [0.1, 0.2, 0.3], "mood": pd.Categorical(["high"] * 3)}),
    ):
        part = Fex({"input": name, "frame": range(3), "time": np.arange(3) / 10, "track": 0} | more)
        part.to_parquet(fm.io.recording_file(tmp_path, name))
    scan = fm.scan(tmp_path)
    whole = fm.read_fex(tmp_path)
    same(scan.au.summary(["input", "mood"]), whole.au.summary(["input", "mood"]))
    same(scan.au.rates("input"), whole.au.rates("input"))
    assert scan.groups == whole.groups
    for name, fex in scan:
        expected = pd.DataFrame(whole.select(name).reset_index(drop=True))
        pd.testing.assert_frame_equal(pd.DataFrame(fex)[list(expected)], expected)


def test_rows_without_events_have_no_say(tmp_path: Path) -> None:
    for name, score in (("a.mp4", 0.0), ("b.mp4", 0.9)):
        part = Fex({"input": name, "frame": range(20), "time": np.arange(20) / 10, "AU12": score})
        part.loc[:4, "AU12"] = 0.0
        part.to_parquet(fm.io.recording_file(tmp_path, name))
    same(fm.scan(tmp_path).au.events(), fm.read_fex(tmp_path).au.events())
    quiet = fm.scan(tmp_path, recordings="a.mp4").au.events()
    same(quiet, fm.read_fex(tmp_path, recordings="a.mp4").au.events())
    assert not len(quiet)


def test_different_ways_of_making_are_told(tmp_path: Path) -> None:
    for name, weights in (("a.mp4", "open"), ("b.mp4", "mine")):
        info = fm.FexInfo(weights=weights, options={"every": 1}).with_log("label", on=name)
        part = Fex({"input": [name], "frame": [0], "AU12": [0.5]}, info=info)
        part.to_parquet(fm.io.recording_file(tmp_path, name))
    with pytest.warns(UserWarning, match=r"not made in the same way") as caught:
        scan = fm.scan(tmp_path)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    said = str(caught[0].message)
    assert "weights: open (a.mp4); mine (b.mp4)" in said
    assert "options" not in said
    assert "log" not in said
    assert scan.info.weights is None
    assert scan.table["weights"].tolist() == ["open", "mine"]


# ------------------------------------------------------------------ any function
def test_map_stacks_what_a_function_gives(scan: Scan, whole: Fex) -> None:
    means = scan.map(lambda fex: fex.aus.mean(), groups="aus")
    assert list(means) == ["input", *whole.aus.columns]
    expected = whole.groupby("input", observed=True)["AU12"].mean()
    np.testing.assert_allclose(means.set_index("input")["AU12"], expected, rtol=1e-6)
    once = scan.map(lambda fex: {"n": len(fex)} if "funny" in fex.recordings[0] else None)
    assert once["n"].tolist() == [150] * 3
    assert once["input"].str.contains("funny").all()
    grouped = scan.map(lambda fex: fex.groupby("condition", observed=True)[["AU12"]].max())
    assert list(grouped) == ["input", "condition", "AU12"]
    assert grouped["condition"].dtype == "category"
    assert not len(scan.map(lambda fex: None))


def test_map_wants_a_table(scan: Scan) -> None:
    with pytest.raises(TypeError, match=r"one row.*but gave float"):
        scan.map(lambda fex: float(fex["AU12"].mean()))
    with pytest.raises(TypeError, match="gave a Series of rows"):
        scan.map(lambda fex: fex.au.pspi())


def test_a_mistake_in_the_function_comes_at_once(scan: Scan) -> None:
    calls = []

    def wrong(fex: Fex) -> Any:
        calls.append(1)
        return fex["AU99"]

    with pytest.raises(KeyError, match="AU99"):
        scan.map(wrong)
    assert len(calls) == 1


# ------------------------------------------------------------------ wrong calls
def test_groups_across_recordings_are_refused(scan: Scan, large: Path) -> None:
    with pytest.raises(OptionError, match=r"`by` must contain 'input'.*\['input', 'subject'\]"):
        scan.au.summary("subject")
    with pytest.raises(OptionError, match="`person` must contain 'input'"):
        fm.scan(large).mesh.summary(person="subject")
    with pytest.raises(FexError, match=r"`by`.*'condtion'.*Did you mean 'condition'"):
        scan.au.summary(["input", "condtion"])
    with pytest.raises(FexError, match="`labels`: there is no column 'site'"):
        scan.au.events(labels="site")
    with pytest.raises(TypeError, match="unexpected keyword"):
        scan.au.summary(colour=1)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("au.plot", "scan.au has no 'plot'.*scan.map.*scan.read"),
        ("au.pspi", "scan.au has no 'pspi'"),
        ("au.sumary", "Did you mean 'summary'"),
        ("pose.rotations", "It has motion"),
        ("stats", r"needs a table in memory: scan.read\(groups=..., recordings=...\).stats"),
        ("report", "needs a table in memory"),
        ("recording", "Did you mean 'recordings'"),
    ],
)
def test_what_a_scan_has_not_it_says(name: str, said: str, scan: Scan) -> None:
    first, _, second = name.partition(".")
    with pytest.raises(AttributeError, match=said):
        _ = getattr(getattr(scan, first), second) if second else getattr(scan, first)


def test_what_cannot_be_scanned(tmp_path: Path, folder: Path, whole: Fex) -> None:
    with pytest.raises(FexError, match="no such file or folder"):
        fm.scan(tmp_path / "nowhere")
    with pytest.raises(FexError, match=r"no \.parquet file"):
        fm.scan(tmp_path)
    whole[["frame", "AU12"]].to_csv(tmp_path / "a.csv")
    with pytest.raises(FexError, match="only Parquet can be read in parts"):
        fm.scan(tmp_path / "a.csv")
    with pytest.raises(FexError, match="`groups` must name"):
        fm.scan(folder, groups="au")
    with pytest.raises(FexError, match="it has no group landmarks"):
        fm.scan(folder, groups="landmarks")
    with pytest.raises(FexError, match=r"no recording sub-01.*Did you mean 'sub-01_funny_1.mp4'"):
        fm.scan(folder, recordings="sub-01_funny_2.mp4")
    with pytest.raises(OptionError, match="`workers` must be at least 1"):
        fm.scan(folder, workers=0)


def test_files_that_cannot_be_recordings_are_all_named(tmp_path: Path) -> None:
    study = tmp_path / "study"
    study.mkdir()
    Fex({"frame": [0], "AU12": [0.5]}).to_parquet(study / "nameless.parquet")
    Fex({"input": ["a", None], "AU12": [0.5, 0.1]}).to_parquet(study / "empty.parquet")
    (study / "torn.parquet").write_bytes(b"PAR1 torn")
    with pytest.raises(FexError) as caught:
        fm.scan(study)
    for said in ("nameless.parquet: it has no column 'input'", "empty in 1 rows", "torn.parquet"):
        assert said in str(caught.value)
    twice = tmp_path / "twice"
    twice.mkdir()
    for name in ("one", "two"):
        Fex({"input": ["a"], "AU12": [0.5]}).to_parquet(twice / f"{name}.parquet")
    with pytest.raises(FexError, match=r"'a' is in two files, one.parquet and two.parquet"):
        fm.scan(twice)
