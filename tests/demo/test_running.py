"""The demonstration from clip to report, with generated weights, and with the embedded ones."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import cli, read_fex
from facemt_analysis.demo import DemoResult, compare, run
from facemt_analysis.demo.figures import CAPTIONS
from facemt_analysis.demo.report import accuracy_lines, demo_html, next_steps
from facemt_analysis.errors import FacemtError, WeightsUnavailable
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.network import WEIGHTS, weights

OPEN = Path(weights.__file__).parent / "data" / WEIGHTS["open"].filename

# (task, feature, measure) -> (least, most) that the embedded weights reach on the clip; behind each
# what they reached when they were made. Gaze up and down is mostly read off the lids: no floor.
FLOORS: dict[tuple[str, str, str], tuple[float, float]] = {
    ("face", "face", "frames with it"): (0.95, 1.0),  # 1.00
    ("landmarks", "68 points", "median error"): (0.0, 0.030),  # 0.022
    ("head pose", "pitch", "mean absolute error"): (0.0, 5.0),  # 3.8
    ("head pose", "pitch", "r"): (0.75, 1.0),  # 0.86
    ("head pose", "yaw", "mean absolute error"): (0.0, 2.0),  # 0.8
    ("head pose", "yaw", "r"): (0.95, 1.0),  # 0.99
    ("head pose", "roll", "mean absolute error"): (0.0, 1.5),  # 0.3
    ("gaze", "yaw", "r"): (0.75, 1.0),  # 0.90
    ("gaze", "yaw", "mean absolute error"): (0.0, 3.0),  # 1.3
    ("action units", "mean", "r"): (0.9, 1.0),  # 0.96
    ("action units", "mean", "F1 at 0.5"): (0.85, 1.0),  # 0.93
    ("emotion", "clear frames", "accuracy"): (0.9, 1.0),  # 0.99
    ("affect", "valence", "CCC"): (0.9, 1.0),  # 0.98
    ("affect", "arousal", "CCC"): (0.9, 1.0),  # 0.97
}


@pytest.fixture(scope="module")
def result(small_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> DemoResult:
    return run(tmp_path_factory.mktemp("demo") / "out", weights=str(small_weights), every=8)


def test_everything_is_written(result: DemoResult) -> None:
    expected = {"demo.parquet", "accuracy.csv", "report.html"}
    expected |= {f"{name}.{kind}" for name in CAPTIONS for kind in ("png", "pdf")}
    assert {path.name for path in result.files} == expected
    assert all(path.stat().st_size > 300 for path in result.files)
    on_disk = {path for path in result.out.rglob("*") if path.is_file()}
    assert on_disk == set(result.files)


def test_the_table_on_disk_is_the_one_returned(result: DemoResult) -> None:
    stored = read_fex(result.out / "demo.parquet")
    pd.testing.assert_frame_equal(pd.DataFrame(stored), pd.DataFrame(result.fex))
    assert stored.info.face_detector == "haar"
    assert result.truth["frame"].tolist() == list(range(0, 200, 8))
    assert result.fex["frame"].unique().tolist() == list(range(0, 200, 8))
    numbers = pd.read_csv(result.out / "accuracy.csv", keep_default_na=False)
    assert len(numbers) == len(result.accuracy)
    again = compare(result.fex, result.truth)
    pd.testing.assert_frame_equal(again, result.accuracy)


def test_the_report_is_that_of_the_recording_with_the_comparison_before(
    result: DemoResult,
) -> None:
    path = result.out / "report.html"
    assert path.stat().st_size < 3 * 2**20
    page = path.read_text(encoding="utf-8")
    titles = re.findall(r"<h2>(.*?)</h2>", page)
    assert titles[0] == "Detected against true"
    assert titles.index("Accuracy in numbers") < titles.index("Summary") < titles.index("Methods")
    assert titles[-1] == "Next"
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    assert len(pictures) == len(CAPTIONS)
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures)
    value = result.accuracy.query("task == 'face'")["value"].item()
    assert f"<b>{100 * value:.0f} %</b><span>of the frames with a face</span>" in page


def test_the_report_says_how_it_was_made(result: DemoResult) -> None:
    page = (result.out / "report.html").read_text(encoding="utf-8")
    info = result.fex.info
    assert info.weights_sha256 in page
    assert info.weights_licence in page
    assert f"torch {info.versions['torch']}" in page
    assert "facemt detect YOUR.mp4" in page


def test_text_in_the_report_is_escaped(result: DemoResult) -> None:
    nasty = "<script>alert('x')</script>&"
    info = FexInfo(weights=nasty, weights_licence=nasty, versions={nasty: nasty}, tool=nasty,
                   face_detector=nasty, options={nasty: nasty})  # fmt: skip
    accuracy = result.accuracy.assign(feature=lambda t: t["feature"] + nasty)
    page = demo_html({}, Fex(result.fex, info=info), accuracy, 1.0)
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;") > 5


def test_the_printed_table_has_every_number(result: DemoResult) -> None:
    lines = accuracy_lines(result.accuracy)
    n_features = len(result.accuracy.groupby(["task", "feature"]))
    assert len(lines) == n_features + 1
    assert sum(bool(re.match(r"action units", line)) for line in lines) == 1
    assert any(re.search(r"AU12 +r (-?\d\.\d\d|–), F1", line) for line in lines)


def test_a_path_with_spaces_is_quoted_in_the_next_step() -> None:
    assert "--weights 'my weights.safetensors'" in next_steps("my weights.safetensors")[0][1]


def test_the_command_prints_results_and_exits_with_0(
    small_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, result: DemoResult,
) -> None:  # fmt: skip
    calls = {}

    def quick(out: Path, **options: object) -> DemoResult:
        calls.update(out=out, **options)
        return result

    monkeypatch.setattr("facemt_analysis.demo.run", quick, raising=False)
    code = cli.main(["demo", "--out", str(tmp_path / "d"), "--weights", str(small_weights), "-q"])
    printed = capsys.readouterr()
    assert code == 0
    assert calls == {"out": tmp_path / "d", "weights": str(small_weights), "progress": False}
    assert "valence" in printed.out
    assert "facemt detect YOUR.mp4" in printed.out
    assert printed.err == ""


def test_absent_weights_are_one_line_and_leave_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo"
    with pytest.raises(WeightsUnavailable):
        run(out, weights="opne")
    assert cli.main(["demo", "--out", str(out), "--weights", "opne", "-q"]) == 2
    assert capsys.readouterr().err.startswith("error: There are no weights 'opne'")
    assert not out.exists()


def test_a_file_in_the_way_is_named_before_any_work(tmp_path: Path) -> None:
    path = tmp_path / "demo"
    path.write_text("mine")
    with pytest.raises(FacemtError, match=re.escape(str(path))):
        run(path, weights="opne")
    assert path.read_text() == "mine"


@pytest.mark.skipif(not OPEN.exists(), reason="the embedded weights are not in this checkout")
@pytest.mark.slow
def test_the_embedded_weights_reach_their_floors(tmp_path: Path) -> None:
    table = run(tmp_path).accuracy.set_index(["task", "feature", "measure"])["value"]
    for where, (low, high) in FLOORS.items():
        assert np.isfinite(table[where]), where
        assert low <= table[where] <= high, (where, table[where])
