"""What the readers make of thousands of damaged files.

    python benchmarks/fuzz.py [--count 2000] [--seed 0] [--only media|files] [--case RUN:NUMBER]
                              [--keep FOLDER]

`--count` videos and images, and as many checkpoints, tables and annotations, are damaged as the
seed says and read through the public functions, each in a process that may hang or die. Prints
Markdown; docs/robustness.md has the numbers. Ends with 1 where a case went as none must, and writes
those files to the folder of `--keep`. `--case` runs a single one, and prints what came of it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fuzz.harness import Harness, Result, make_case
from fuzz.plan import KINDS, seeds_of


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=KINDS)
    parser.add_argument("--case", help="the one case to run, as the list of the bad ones names it")
    parser.add_argument("--keep", type=Path, help="folder for the files of cases that went wrong")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if asked.case:
            return _single(asked.case, asked.keep, Path(folder))
        results = []
        for kind in [asked.only] if asked.only else KINDS:
            results += _run(kind, asked.count, asked.seed, Path(folder))
    _print(results)
    bad = [r for r in results if r.bad]
    for result in bad:
        _keep(result, asked.keep)
    return 1 if bad else 0


def _run(kind: str, count: int, seed: int, folder: Path) -> list[Result]:
    weights = folder / "small.safetensors"
    begun = time.perf_counter()
    results = []
    with Harness(folder / kind, weights) as harness:
        seeds = seeds_of(kind, folder / f"{kind}_seeds", weights)
        for number in range(count):
            result = harness.run_one(make_case(seeds, f"{kind}-{seed}", number))
            results.append(result)
            if result.bad:
                case = result.case
                first = result.detail.strip().splitlines()[-1:] or [""]
                _say(f"{case.label} {case.name} {case.door}: {result.outcome}: {first[0][:300]}")
            if not (number + 1) % 250:
                _say(f"{kind}: {number + 1} of {count}, {time.perf_counter() - begun:.0f} s")
    return results


def _single(label: str, keep: Path | None, folder: Path) -> int:
    run, _, number = label.partition(":")
    weights = folder / "small.safetensors"
    with Harness(folder / "run", weights) as harness:
        seeds = seeds_of(run.partition("-")[0], folder / "seeds", weights)
        case = make_case(seeds, run, int(number))
        result = harness.run_one(case)
    print(f"{case.label} {case.name} {case.door}: {result.outcome}")
    print(f"{result.cpu:.2f} s of processor time, {result.peak_mb:.0f} MiB")
    print(result.detail, *result.noise, sep="\n")
    _keep(result, keep)
    return int(result.bad)


def _print(results: Sequence[Result]) -> None:
    table = pd.DataFrame(
        {
            "kind": r.case.label.partition("-")[0],
            "door": r.case.door,
            "outcome": r.outcome,
            "wall": r.wall,
            "peak_mb": r.peak_mb,
        }
        for r in results
    )
    counts = pd.crosstab([table["kind"], table["door"]], table["outcome"], margins=True)
    print(_markdown(counts.reset_index()))
    for name, unit in (("wall", "s"), ("peak_mb", "MiB")):
        for kind, part in table.groupby("kind"):
            most = results[part[name].idxmax()]
            print(
                f"- {kind}, most {unit}: {part[name].max():.3g} (median {part[name].median():.3g}):"
                f" {most.case.label}, {most.case.name}, {most.case.door}, {most.outcome}"
            )
    noise = Counter(text[:160] for r in results for text in r.noise)
    for text, times in noise.most_common(20):
        _say(f"warning of another package, {times} times: {text}")


def _markdown(table: pd.DataFrame) -> str:
    rows = [list(map(str, table.columns)), *([str(v) for v in row] for row in table.to_numpy())]
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _keep(result: Result, folder: Path | None) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / f"{result.case.label.replace(':', '_')}_{result.case.name}"
        place.write_bytes(result.case.data)
        place.with_name(f"{place.name}.txt").write_text(f"{result.case.door}\n{result.detail}\n")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
