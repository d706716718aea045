"""Every real table loads, keeps its numbers, and is described in full."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import read_fex, schema
from facemt_analysis.cli import main
from facemt_analysis.fex import Fex
from facemt_analysis.io import describe_fex, write_dataset

RECORDINGS = [f"{i:03d}.csv" for i in (1, 2, 3, 4, 5, 11, 12, 13, 14, 15)]
TOOLS = {
    **dict.fromkeys(RECORDINGS, "py-feat"),
    "openface_example.csv": "OpenFace 2",
    "imotions_example.txt": "iMotions FACET",
}
pytestmark = pytest.mark.filterwarnings("ignore:.*a millisecond apart")


def test_no_file_is_forgotten(shared: Path) -> None:
    there = {path.name for path in shared.iterdir()} - {"clip_attrs.csv"}
    assert there == set(TOOLS)


# the other nine recordings: test_pyfeat.py
@pytest.mark.parametrize("name", ["001.csv", "openface_example.csv", "imotions_example.txt"])
def test_every_real_file(shared: Path, name: str) -> None:
    fex = read_fex(shared / name)
    assert type(fex) is Fex
    assert fex.info.tool == TOOLS[name]
    assert fex.info.conventions
    assert fex.validate().empty
    assert list(fex.columns) == schema.canonical_order(fex.columns)
    assert (fex[schema.feature_columns(fex.columns)].dtypes == np.float32).all()


@pytest.mark.parametrize("name", ["001.csv", "openface_example.csv", "imotions_example.txt"])
def test_info_says_what_was_found(
    shared: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", str(shared / name)]) == 0
    shown = capsys.readouterr().out
    content = describe_fex(shared / name).to_dict()
    for key in ("tool", "format", "rows", "recordings", "groups", "hz", "start", "stop"):
        assert f"\n  {key}: " in shown
    assert f"rows: {content['rows']}\n" in shown
    assert f"tool: {TOOLS[name]}\n" in shown
    if name.startswith("imotions"):
        assert "\n  hz: 29.9751\n" in shown
        assert "\n  start: 0.035\n  stop: 17.316\n" in shown
    else:
        assert "\n  hz: not known\n" in shown


def test_a_study_of_real_recordings(shared: Path, folder: Path) -> None:
    """Ten files become a labelled dataset folder, and its summaries are those of the raw files."""
    groups = ("aus", "emotions", "va")
    tables = [read_fex(shared / name, fps=25, groups=groups) for name in RECORDINGS]
    study = pd.concat(tables, ignore_index=True)
    clips = pd.read_csv(shared / "clip_attrs.csv", dtype={"clipN": str})
    table = clips.assign(input=clips["clipN"] + ".mp4").drop(columns="clipN")
    write_dataset(study.label(table), folder / "study")
    back = read_fex(folder / "study")
    assert back.info.tool == "py-feat"
    assert back.groupby("class", observed=True)["input"].nunique().to_dict() == {"gn": 5, "ists": 5}
    columns = ["AU12", "Happy", "valence"]
    raw = pd.concat([pd.read_csv(shared / n, usecols=["input", *columns]) for n in RECORDINGS])
    for column in columns:
        mine = back.groupby("input", observed=True)[column].mean()
        theirs = raw.groupby("input")[column].mean()
        np.testing.assert_allclose(mine, theirs[mine.index], rtol=1e-5)
