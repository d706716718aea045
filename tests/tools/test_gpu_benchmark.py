"""The benchmark of graphics cards runs, on a processor too, and says what it lacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "facemt_analysis" / "demo" / "data" / "demo.mp4"


def benchmark(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "gpu.py", DEMO, *arguments],
        capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_card_it_says_so() -> None:
    done = benchmark()
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "needs a CUDA device" in line


@pytest.mark.slow
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_it_runs(device: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    done = benchmark(
        "--device", device, "--frames", "4", "--rounds", "1", "--batches", "1", "3",
        "--backbone", "convnextv2_atto",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    cells = {row[0].strip("| "): [cell.strip(" |") for cell in row[1:]] for row in rows}
    for name in ("1", "3", "mesh", "four recordings at once", "decoding alone"):
        assert float(cells[name][0]) >= 0
    for number in cells["au"]:
        assert float(number) < (1e-4 if device == "cpu" else 0.1)
