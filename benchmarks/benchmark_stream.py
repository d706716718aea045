"""Memory of the benchmark engine over 100,000 small images on disk, and resuming half-way.

    python benchmarks/benchmark_stream.py --n 100000

A stand-in answers instead of a network, so that what is measured is the engine: finding, reading
and measuring samples, writing and scoring predictions. Prints the peak memory after each tenth.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pandas as pd
from PIL import Image

from facemt_analysis import schema
from facemt_analysis.benchmark import Benchmark, Resampling, Sample, run_benchmark
from facemt_analysis.benchmark.tasks.emotions import EmotionTask
from facemt_analysis.detection import ChipGeometry
from facemt_analysis.detection.faces import Framing


class StandIn:
    """Has what the engine asks of a Detector; says the emotion whose number is the first pixel."""

    weights = SimpleNamespace(name="stand-in", sha256="0" * 64)
    conventions = SimpleNamespace(name="none")
    face_detector = SimpleNamespace(name="none", framing=Framing())
    face_threshold = 0.5
    chip = ChipGeometry()

    def measure(self, images: Sequence[np.ndarray], boxes: object, **_: object) -> pd.DataFrame:
        said = np.array([image[0, 0, 0] // 36 for image in images])
        columns = [*schema.EMOTIONS, "Pitch", "Yaw", "Roll"]
        table = np.zeros((len(images), len(columns)), np.float32)
        table[np.arange(len(images)), said] = 1.0
        return pd.DataFrame(table, columns=columns)


@dataclass(frozen=True, kw_only=True)
class Many(Benchmark):
    """The same few images under many names."""

    name: ClassVar[str] = "many"
    title: ClassVar[str] = "Many small images"
    licence: ClassVar[str] = "none"
    citation: ClassVar[str] = "none"
    tree: ClassVar[str] = "images"
    n: int = 100_000

    @property
    def task(self) -> EmotionTask:
        return EmotionTask()

    def samples(self, root: Path) -> Iterator[Sample]:
        tenth = max(self.n // 10, 1)
        for i in range(self.n):
            if i % tenth == 0:
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                print(f"{i:>7,} samples: peak {peak:.0f} MB", flush=True)
            truth = {"emotion": schema.EMOTIONS[i % 7]}
            yield Sample(f"folder/{i:06d}.png", root / f"{i % 70}.png", truth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for i in range(70):
            pixels = np.full((48, 48, 3), 36 * (i % 7), np.uint8)
            Image.fromarray(pixels).save(root / f"{i}.png")
        half = Resampling(n=0)
        for limit in (arguments.n // 2, None):
            start = time.perf_counter()
            result = run_benchmark(
                Many(n=arguments.n, faces="crop"), root, detectors=[StandIn()],
                out=root / "out", limit=limit, resampling=half, progress=False,
            )  # fmt: skip
            row = result.table.iloc[0]
            print(f"{row['n_samples']:,} samples, accuracy {row['value']:.3f}, "
                  f"{time.perf_counter() - start:.0f} s")  # fmt: skip


if __name__ == "__main__":
    main()
