"""``facemt benchmark`` from the shell."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from facemt_analysis.cli import main

pytestmark = pytest.mark.usefixtures("one_thread")


def test_scores_are_printed_and_kept(
    small_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "scores"
    options = ["--set", "n=6", "--set", "size=64", "--bootstrap", "10", "--face-detector", "haar"]
    call = [
        "benchmark",
        "rendered",
        "--weights",
        str(small_weights),
        *options,
        "-o",
        str(out),
        "-q",
    ]
    assert main(call) == 0
    said = capsys.readouterr()
    assert said.out.startswith("rendered (faces=crop")
    assert "macro_f1 aus = " in said.out
    assert "licence of the data" in said.err
    table = pd.read_csv(out / "rendered.csv")
    content = json.loads((out / "rendered.json").read_text())
    assert len(content["scores"]) == len(table)
    assert table["n_samples"].max() == 6
    assert main(call) == 0  # everything is done already
    pd.testing.assert_frame_equal(pd.read_csv(out / "rendered.csv"), table)


def test_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark"]) == 0
    listed = capsys.readouterr().out
    for name in ("disfaplus", "rafdb", "affectnet", "affwild2", "mpiigaze", "gaze360", "rendered"):
        assert name in listed


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(["rafbd", "--root", "."], "Did you mean 'rafdb'", id="unknown"),
        pytest.param(["rafdb"], "--root DIR is needed", id="no root"),
        pytest.param(["rafdb", "--root", "nowhere"], "no such folder", id="no folder"),
        pytest.param(["rafdb", "--root", ".", "--set", "faces"], "needs NAME=VALUE", id="no value"),
        pytest.param(["rafdb", "--root", ".", "--set", "images=cut"], "aligned, original",
                     id="unknown value"),
    ],
)  # fmt: skip
def test_wrong_calls_are_one_line(
    call: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["benchmark", *call, "--weights", "open", "-q"]) == 2
    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert message in line
