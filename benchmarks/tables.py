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
from machine import PYFEAT, fastest, has_pyfeat, machine, markdown

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
        ways = {"ms": ours(fex, csv, parquet)}
        if has_pyfeat():
            ways[f"{PYFEAT}, ms"] = theirs(csv)
        found: dict[str, dict[str, float]] = {}
        for column, runs in ways.items():
            for name, run in runs.items():
                try:
                    spent = 1000 * fastest(run, rounds)
                except Exception as error:  # what another tool cannot do is a result, too
                    if column == "ms":
                        raise
                    print(f"{column}: {name}: {error!r}")
                    continue
                found.setdefault(name, {})[column] = spent
    result = pd.DataFrame(found).T
    if len(ways) > 1:
        result["times faster"] = result[f"{PYFEAT}, ms"] / result["ms"]
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=9000)
    asked = parser.parse_args()
    print(machine())
    print(markdown(table(asked.rows)))
