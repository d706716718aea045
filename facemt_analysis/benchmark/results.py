"""What a benchmark found: scores, the tables behind them, failures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from facemt_analysis import __version__
from facemt_analysis.benchmark.base import Benchmark
from facemt_analysis.benchmark.bootstrap import Resampling
from facemt_analysis.benchmark.tasks.base import WHOLE, Missing, Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BenchmarkResult", "score_run"]

_WAYS: tuple[Missing, ...] = ("left out", "as errors")
_YAW = (0.0, 15.0, 30.0, 45.0, 60.0, 180.0)  # degrees
_SIZE = (0.0, 50.0, 100.0, 200.0, 400.0, np.inf)  # px


@dataclass(frozen=True, eq=False)
class BenchmarkResult:
    """Scores of one benchmark for one checkpoint or several.

    Parameters
    ----------
    benchmark
        Its name.
    options
        Options of its protocol.
    table
        One row per score: ``benchmark weights metric target missing value ci_low ci_high n_samples
        n_subjects card``. ``missing`` says what became of samples without a face (left out, as
        errors); ``card`` is what the model card of face_multitask_v2 claims, for its options.
    details
        Further tables by name, each with a column ``weights``: ``failures`` (samples without a
        face, and why), ``conditions`` (first score by head turn and face size), and those of the
        task (``thresholds``, ``confusion``, ``subjects``).
    licence, citation
        Of the data.
    """

    benchmark: str
    options: Mapping[str, Any]
    table: pd.DataFrame
    details: Mapping[str, pd.DataFrame]
    licence: str
    citation: str

    @classmethod
    def join(cls, results: Sequence[BenchmarkResult]) -> BenchmarkResult:
        """Put results of several checkpoints under each other."""
        names = dict.fromkeys(name for result in results for name in result.details)
        details = {
            name: pd.concat([r.details[name] for r in results if name in r.details],
                            ignore_index=True)
            for name in names
        }  # fmt: skip
        table = pd.concat([result.table for result in results], ignore_index=True)
        return replace(results[0], table=table, details=details)

    def summary(self) -> str:
        """Scores that matter most, as lines of text: found faces first."""
        lines = [f"{self.benchmark} ({_said(self.options)})"]
        shown = (self.table["missing"] == "left out") & (
            self.table["target"].isin(WHOLE) | self.table["card"].notna()
        )
        for row in self.table[shown].to_dict("records"):
            low, high, card = (float(row[name]) for name in ("ci_low", "ci_high", "card"))
            ends = f" [{low:.3f}, {high:.3f}]" if np.isfinite(low) else ""
            claim = f"; card: {card:.3f}" if np.isfinite(card) else ""
            lines.append(
                f"  {row['weights']}: {row['metric']} {row['target']} = {row['value']:.3f}{ends}"
                f"{claim} ({row['n_samples']:,} samples)"
            )
        lost = self.details["failures"].groupby("weights", observed=True).size()
        lines += [f"  {name}: no face in {count:,} samples" for name, count in lost.items()]
        return "\n".join(lines)

    def to_json(self) -> str:
        """Everything as JSON; numbers that are not finite become null."""
        content = {
            "benchmark": self.benchmark,
            "options": dict(self.options),
            "facemt_analysis": __version__,
            "licence": self.licence,
            "citation": self.citation,
            "scores": _records(self.table),
            "details": {name: _records(table) for name, table in self.details.items()},
        }
        return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, default=str)

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw scores with their intervals, one colour per checkpoint."""
        from facemt_analysis.plotting.benchmark import plot_benchmark

        return plot_benchmark(self.table, ax=ax)


def score_run(
    benchmark: Benchmark, weights: str, table: pd.DataFrame, how: Resampling
) -> BenchmarkResult:
    """Score the predictions of one checkpoint.

    Parameters
    ----------
    benchmark
        What was run.
    weights
        Name of the checkpoint.
    table
        One row per sample: truth and predictions, as :class:`Task` describes.
    how
        How intervals are made.
    """
    task = benchmark.task
    scores = []
    for missing in _WAYS:
        part = task.score(table, missing, how)
        part.insert(2, "missing", missing)
        scores.append(part)
    scored = pd.concat(scores, ignore_index=True)
    card = benchmark.expected_scores()
    pairs = zip(scored["metric"], scored["target"], strict=True)
    scored["card"] = np.array([card.get(pair, np.nan) for pair in pairs], np.float64)
    scored.insert(0, "weights", weights)
    scored.insert(0, "benchmark", benchmark.name)
    labelled = table[task.labelled(table)]
    failures = labelled.loc[~labelled["found"], ["sample", "subject", "problem"]]
    details = {
        "failures": failures.reset_index(drop=True),
        "conditions": _by_condition(task, table),
        **task.details(table),
    }
    for part in details.values():
        part.insert(0, "weights", weights)
    return BenchmarkResult(
        benchmark=benchmark.name,
        options=benchmark.options(),
        table=scored,
        details=details,
        licence=benchmark.licence,
        citation=benchmark.citation,
    )


def _by_condition(task: Task, table: pd.DataFrame) -> pd.DataFrame:
    """First score by the turn of the head that was measured and by the size of the face."""
    parts = []
    without = Resampling(n=0)
    turn = np.degrees(table["Yaw"].abs().to_numpy(np.float64))
    for name, values, edges in (
        ("head turn (deg)", turn, _YAW),
        ("face size (px)", table["face_px"].to_numpy(np.float64), _SIZE),
    ):
        for low, high in pairwise(edges):
            inside = table[(values >= low) & (values < high)]
            part = task.score(inside, "left out", without).head(1)
            part.insert(0, "by", name)
            part.insert(1, "low", low)
            part.insert(2, "high", high)
            parts.append(part[part["n_samples"] > 0])
    return pd.concat(parts, ignore_index=True).drop(columns=["ci_low", "ci_high"])


def _said(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in options.items())


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON knows them: what is not a finite number is null."""

    def plain(value: Any) -> Any:
        if isinstance(value, (str, bool, int)):
            return value
        number = float(value) if pd.notna(value) else np.nan
        return number if np.isfinite(number) else None

    return [
        {str(name): plain(value) for name, value in row.items()} for row in table.to_dict("records")
    ]
