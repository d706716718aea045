"""What the benchmarks share: where they ran, fresh processes, tables in Markdown."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

__all__ = [
    "PYFEAT",
    "Runs",
    "has_pyfeat",
    "in_fresh_process",
    "machine",
    "markdown",
    "peak_memory",
    "side_by_side",
]

PYFEAT = "py-feat"
Runs = Mapping[str, tuple[Callable[[], object], int]]
"""Name, what to run, number of things it does."""
_PACKAGES = ("facemt-analysis", "torch", "timm", "pandas", "numpy", "pyarrow", "av", PYFEAT)


def has_pyfeat() -> bool:
    """Whether py-feat is installed in this environment."""
    return importlib.util.find_spec("feat") is not None


def machine() -> str:
    """One line: processor, cores, load, versions, date."""
    model = platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((row.split(": ")[1] for row in lines if row.startswith("model name")), model)
    versions = []
    for package in _PACKAGES:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{package} not installed")
    load = os.getloadavg()[0]
    return (
        f"{model}, {os.cpu_count()} cores, {load:.1f} running before; Python "
        f"{platform.python_version()}, {', '.join(versions)}; {time.strftime('%Y-%m-%d')}"
    )


def side_by_side(ours: Runs, theirs: Runs | None, rounds: int) -> pd.DataFrame:
    """Processor milliseconds of each thing, of both tools where theirs can do it, and the ratio."""
    ways = {"ms": ours} if theirs is None else {"ms": ours, f"{PYFEAT}, ms": theirs}
    found: dict[str, dict[str, float]] = {}
    for column, runs in ways.items():
        for name, (run, n) in runs.items():
            found.setdefault(name, {})[column] = 1000 * _fastest(run, rounds) / n
    result = pd.DataFrame(found).T
    if theirs is not None:
        result["times faster"] = result[f"{PYFEAT}, ms"] / result["ms"]
    return result


def _fastest(run: Callable[[], object], rounds: int) -> float:
    """Least processor seconds of some runs; the first one warms up and does not count."""
    spent = []
    for _ in range(rounds + 1):
        began = time.process_time()
        run()
        spent.append(time.process_time() - began)
    return min(spent[1:])


def peak_memory() -> float:
    """Most memory this process has had, MiB; NaN where the system does not tell."""
    try:
        import resource
    except ImportError:
        return float("nan")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def in_fresh_process(code: str, *arguments: str, environment: Mapping[str, str] = {}) -> Any:
    """Run code that prints JSON last, in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, check=True, env={**os.environ, **environment},
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def markdown(table: pd.DataFrame, digits: int = 3) -> str:
    """Write a table with its index as Markdown, numbers to some significant digits."""

    def text(value: object) -> str:
        if isinstance(value, float):
            return "" if pd.isna(value) else f"{float(f'{value:.{digits}g}'):g}"
        return str(value)

    rows = [
        [str(index), *map(text, row)]
        for index, row in zip(table.index, table.to_numpy(), strict=True)
    ]
    head = ["", *map(str, table.columns)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))
