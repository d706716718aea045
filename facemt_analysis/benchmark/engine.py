"""Runs a benchmark: streams its samples through a Detector, keeps what was said, scores it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from tqdm.auto import tqdm

from facemt_analysis.benchmark.base import Benchmark, Sample
from facemt_analysis.benchmark.bootstrap import Resampling
from facemt_analysis.benchmark.faces import measure_samples
from facemt_analysis.benchmark.layout import incomplete
from facemt_analysis.benchmark.registry import find_benchmark
from facemt_analysis.benchmark.results import BenchmarkResult, score_run
from facemt_analysis.benchmark.store import PredictionStore
from facemt_analysis.errors import MediaError

if TYPE_CHECKING:
    from facemt_analysis.detection import Detector

__all__ = ["run_benchmark"]

_PIECE = 256  # samples that are read, measured and written together


def run_benchmark(
    benchmark: Benchmark | str,
    root: str | PathLike[str],
    *,
    weights: str | Sequence[str] = "face_multitask_v2",
    face_detector: object = None,
    detectors: Sequence[Detector] | None = None,
    out: str | PathLike[str] | None = None,
    limit: int | None = None,
    resampling: Resampling | None = None,
    progress: bool = True,
) -> BenchmarkResult:
    """Run one benchmark with one checkpoint or several.

    Parameters
    ----------
    benchmark
        A name (:func:`list_benchmarks`), or a :class:`Benchmark` with options of your choice.
    root
        Folder with the data set in its official layout.
    weights
        Names or paths, as :class:`facemt_analysis.Detector` takes them.
    face_detector
        As for the Detector.
    detectors
        Detectors to use instead of `weights` and `face_detector`.
    out
        Folder for the predictions, one subfolder per checkpoint; a second run with the same options
        goes on where the first stopped. Default: a temporary folder.
    limit
        Only the first samples: for trying out.
    resampling
        How intervals are made; default 1,000 bootstrap samples over subjects.
    progress
        Show a progress bar.

    Returns
    -------
    BenchmarkResult
        Scores with intervals, details, failures.

    Raises
    ------
    MediaError
        If the data is missing or incomplete: the message shows the expected tree.
    FexError
        If `out` holds another run.
    """
    chosen = find_benchmark(benchmark) if isinstance(benchmark, str) else benchmark
    folder = Path(root)
    if not folder.is_dir():
        raise MediaError(f"{folder}: there is no such folder; name the root of {chosen.title}.")
    how = Resampling() if resampling is None else resampling
    parts = []
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary if out is None else out)
        for detector in _detectors(weights, face_detector, detectors):
            table = _predictions(chosen, folder, detector, base, limit, progress)
            if table.empty:
                incomplete("there is no sample in it", folder, chosen.tree)
            parts.append(score_run(chosen, detector.weights.name, table, how))
    return BenchmarkResult.join(parts)


def _detectors(
    weights: str | Sequence[str], face_detector: object, given: Sequence[Detector] | None
) -> Iterator[Detector]:
    """One at a time, so that only one network is in memory."""
    if given is not None:
        yield from given
        return
    from facemt_analysis.detection import Detector

    for name in [weights] if isinstance(weights, str) else weights:
        yield Detector(name, face_detector=face_detector)


def _predictions(
    benchmark: Benchmark,
    root: Path,
    detector: Detector,
    base: Path,
    limit: int | None,
    progress: bool,
) -> pd.DataFrame:
    """Measure what is not done yet; give everything."""
    groups = tuple(dict.fromkeys((*benchmark.task.groups, "poses")))
    run: dict[str, Any] = {
        "benchmark": benchmark.name,
        "options": benchmark.options(),
        "root": str(root.resolve()),
        "weights": detector.weights.name,
        "sha256": detector.weights.sha256,
        "face_detector": detector.face_detector.name,
        "face_threshold": detector.face_threshold,
        "chip": asdict(detector.chip),
        "conventions": detector.conventions.name,
        "groups": groups,
    }
    store = PredictionStore(base / f"{detector.weights.name}-{detector.weights.sha256[:8]}", run)
    done = store.done()
    samples = islice(benchmark.samples(root), limit)
    bar = tqdm(samples, desc=f"{benchmark.name}, {detector.weights.name}", unit=" samples",
               disable=not progress)  # fmt: skip
    with bar, ThreadPoolExecutor(2) as pool:
        left = (sample for sample in bar if store.digest(sample.key) not in done)
        for piece in _pieces(left, _PIECE):
            measured = measure_samples(
                detector, piece, faces=benchmark.faces, margin=benchmark.margin, groups=groups,
                pool=pool,
            )  # fmt: skip
            store.add(pd.concat([_truth(piece), measured], axis=1))
    table = store.read()
    return table if limit is None else table.head(limit)


def _truth(samples: Sequence[Sample]) -> pd.DataFrame:
    table = pd.DataFrame([dict(sample.truth) for sample in samples]).add_prefix("true_")
    table.insert(0, "sample", [sample.key for sample in samples])
    table.insert(1, "subject", pd.Series([s.subject for s in samples], dtype="string"))
    return table


def _pieces(samples: Iterable[Sample], size: int) -> Iterator[list[Sample]]:
    source = iter(samples)
    while piece := list(islice(source, size)):
        yield piece
