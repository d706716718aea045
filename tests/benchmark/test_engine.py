"""Runs: official layouts in miniature, resuming, several checkpoints, failures, missing data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import matplotlib.pyplot as plt
import numpy as np
import pytest

from facemt_analysis.benchmark import (
    BENCHMARKS,
    Benchmark,
    Resampling,
    Sample,
    find_benchmark,
    list_benchmarks,
    run_benchmark,
)
from facemt_analysis.benchmark.tasks.affect import AffectTask
from facemt_analysis.errors import FexError, MediaError, OptionError

from .conftest import KnownDetector, encoded

FEW = Resampling(n=50)


@dataclass(frozen=True, kw_only=True)
class Toy(Benchmark):
    """Samples from memory: two people, one frame without a face."""

    name: ClassVar[str] = "toy"
    title: ClassVar[str] = "Toy"
    licence: ClassVar[str] = "none"
    citation: ClassVar[str] = "this test"
    tree: ClassVar[str] = "anything"
    n: int = 600
    stop: int = 1_000_000

    @property
    def task(self) -> AffectTask:
        return AffectTask()

    def samples(self, root: Path) -> Iterator[Sample]:
        for i in range(self.n):
            if i == self.stop:
                raise KeyboardInterrupt
            truth = {"valence": np.sin(i), "arousal": np.cos(i)}
            image = encoded({k: v / 2 for k, v in truth.items()}, face=i != 7)
            yield Sample(f"{i}", image, truth, f"s{i % 2}")


def test_scores_failures_and_conditions(tmp_path: Path, known: KnownDetector) -> None:
    result = run_benchmark(Toy(n=60), tmp_path, detectors=[known], resampling=FEW, progress=False)
    table = result.table.set_index(["missing", "metric", "target"])
    assert table.loc[("left out", "r", "valence"), "value"] == pytest.approx(1.0, abs=1e-6)
    # half the amplitude around nearly the same mean: 2 · 0.5 / (1 + 0.25)
    assert table.loc[("left out", "ccc", "valence"), "value"] == pytest.approx(0.8, abs=0.01)
    assert table.loc[("left out", "r", "valence"), "n_samples"] == 59
    assert table.loc[("as errors", "r", "valence"), "n_samples"] == 60
    assert (table["n_subjects"] == 2).all()
    failures = result.details["failures"]
    assert failures[["sample", "problem"]].to_numpy().tolist() == [["7", "no face"]]
    sizes = result.details["conditions"].query("by == 'face size (px)'")
    assert sizes[["low", "high", "n_samples"]].to_numpy().tolist() == [[50.0, 100.0, 59]]
    content = json.loads(result.to_json())
    assert content["scores"][0]["metric"] == "ccc"
    assert "no face in 1 samples" in result.summary()


def test_a_second_run_goes_on(tmp_path: Path, known: KnownDetector) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(Toy(stop=520), tmp_path, detectors=[known], out=out, progress=False)
    with pytest.raises(FexError, match="holds the predictions of a run with other options"):
        run_benchmark(Toy(), tmp_path, detectors=[known], out=out, progress=False)
    assert sum(known.measured) == 511  # two pieces of 256, one without a face
    again = KnownDetector()
    toy = Toy(stop=520)
    object.__setattr__(toy, "samples", Toy().samples)  # the same run, not interrupted
    resumed = run_benchmark(toy, tmp_path, detectors=[again], out=out, progress=False,
                            resampling=FEW)  # fmt: skip
    assert sum(again.measured) == 600 - 512
    whole = run_benchmark(Toy(), tmp_path, detectors=[known], progress=False, resampling=FEW)
    assert resumed.table.equals(whole.table)


def test_checkpoints_are_compared(tmp_path: Path) -> None:
    both = [KnownDetector("one"), KnownDetector("two")]
    result = run_benchmark(Toy(n=40), tmp_path, detectors=both, resampling=FEW, progress=False)
    assert result.table["weights"].unique().tolist() == ["one", "two"]
    assert set(result.details["conditions"]["weights"]) == {"one", "two"}
    ax = result.plot()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["valence", "arousal"]
    assert [t.get_text() for t in ax.get_legend().get_texts()][-2:] == ["one", "two"]
    points = ax.containers[0].lines[0].get_xdata()
    expected = result.table.query("weights == 'one' and missing == 'left out' and metric == 'ccc'")
    np.testing.assert_allclose(points, expected["value"])
    plt.close(ax.figure)


@pytest.mark.parametrize(
    ("root", "message"),
    [
        pytest.param("nowhere", "no such folder", id="no folder"),
        pytest.param(".", "(?s)there is no Labels. Expected below it:.*SN001.*Found in .*: nothing",
                     id="empty folder"),
    ],
)  # fmt: skip
def test_missing_data_shows_the_tree(
    tmp_path: Path, known: KnownDetector, root: str, message: str
) -> None:
    with pytest.raises(MediaError, match=message):
        run_benchmark("disfaplus", tmp_path / root, detectors=[known], progress=False)


def test_an_image_that_cannot_be_read_is_a_failure(
    tmp_path: Path, known: KnownDetector, save_answers: Callable[..., Path]
) -> None:
    lines = ["test_0001.jpg 4", "test_0002.jpg 4", "train_0001.jpg 1"]
    list_file = tmp_path / "basic/EmoLabel/list_patition_label.txt"
    list_file.parent.mkdir(parents=True)
    list_file.write_text("\n".join(lines))
    folder = tmp_path / "basic/Image/original"
    save_answers(folder / "test_0001.jpg", {"Happy": 1.0})
    (folder / "test_0002.jpg").write_bytes(b"not a picture")
    result = run_benchmark("rafdb", tmp_path, detectors=[known], resampling=FEW, progress=False)
    accuracy = result.table.query("metric == 'accuracy'").set_index("missing")["value"]
    assert accuracy.to_dict() == {"left out": 1.0, "as errors": 0.5}
    assert "test_0002.jpg" in result.details["failures"]["problem"].item()


def test_options_from_text() -> None:
    assert find_benchmark("disfaplus", aus="8", present="1").options()["present"] == 1.0
    with pytest.raises(OptionError, match=r"no benchmark 'disfa_plus'\. Did you mean 'disfaplus'"):
        find_benchmark("disfa_plus")
    with pytest.raises(OptionError, match=r"no option 'treshold'\. Did you mean 'threshold'"):
        find_benchmark("disfaplus", treshold=1)
    with pytest.raises(OptionError, match="`aus` must be one of 12, 8, but got '9'"):
        find_benchmark("disfaplus", aus="9")


@pytest.mark.parametrize("kind", BENCHMARKS.values(), ids=lambda k: k.name)
def test_every_benchmark_says_what_it_is(kind: type[Benchmark]) -> None:
    benchmark = kind()
    for text in (kind.title, kind.licence, kind.citation, kind.tree):
        assert text.strip()
    names = benchmark.task.names()
    assert set(benchmark.expected_scores()) <= set(names)
    assert kind.name in set(list_benchmarks()["name"])
