"""Processor time of working with a table, beside py-feat where that is installed.

::

    python benchmarks/tables.py [--rows 9000]

Six simulated recordings with every group of columns but landmarks and mesh.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from machine import Runs, has_pyfeat, machine, markdown, side_by_side

import facemt_analysis as fm


def study(rows: int) -> fm.Fex:
    """Make the recordings."""
    fex, _ = fm.simulate_study(
        6, conditions=("talk",), duration=rows / 6 / 25, fps=25, effects={}, seed=0
    )
    return fex


def ours(fex: fm.Fex, csv: Path, parquet: Path) -> dict[str, Callable[[], object]]:
    """Name what people do with a table."""
    units = list(fex.aus.columns)
    return {
        "read the CSV file": lambda: fm.read_fex(csv),
        "write it": lambda: fex.to_csv(csv.with_name("ours.csv")),
        "read the native file": lambda: fm.read_fex(parquet),
        "read its action units only": lambda: fm.read_fex(parquet, groups="aus"),
        "write the native file": lambda: fex.to_parquet(parquet.with_name("again.parquet")),
        "mean action units per recording": lambda: fex.groupby("input", observed=True)[
            units
        ].mean(),
        "summary of action units per recording": lambda: fex.au.summary(),
        "action units to 1 Hz": lambda: fex.signal.resample(1.0, columns=units),
        "action units less each recording's median": lambda: fex.signal.baseline(
            units, method="median", by="input"
        ),
        "smooth the action units": lambda: fex.signal.smooth(columns=units),
        "events of all action units": lambda: fex.au.events(),
    }


def theirs(csv: Path) -> dict[str, Callable[[], object]]:
    """Name what has a counterpart in py-feat."""
    from feat.utils.io import read_feat

    fex = read_feat(str(csv))
    fex.sessions = fex["input"]
    fex.sampling_freq = 25
    return {
        "read the CSV file": lambda: read_feat(str(csv)),
        "write it": lambda: fex.to_csv(csv.with_name("theirs.csv"), index=False),
        "mean action units per recording": lambda: fex.aus.extract_mean(),
        "action units to 1 Hz": lambda: fex.aus.downsample(target=1, target_type="hz"),
        "action units less each recording's median": lambda: fex.aus.baseline(baseline="median"),
    }


def table(rows: int, rounds: int = 2) -> pd.DataFrame:
    """Processor milliseconds of each operation."""
    fex = study(rows)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        csv, parquet = Path(folder) / "study.csv", Path(folder) / "study.parquet"
        fex.to_csv(csv)
        fex.to_parquet(parquet)
        ran = _once(theirs(csv)) if has_pyfeat() else None
        return side_by_side(_once(ours(fex, csv, parquet)), ran, rounds)


def _once(runs: dict[str, Callable[[], object]]) -> Runs:
    return {name: (run, 1) for name, run in runs.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=9000)
    asked = parser.parse_args()
    print(machine())
    print(markdown(table(asked.rows)))
