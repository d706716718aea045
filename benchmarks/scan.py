"""Time and peak memory of a measure over a study: recording by recording, and as one table.

    python benchmarks/scan.py --recordings 24 --minutes 20

Writes a study with every group but landmarks and mesh into a temporary folder (one simulated
recording under many names), then measures ``au.summary()`` in three fresh processes: `fm.scan`,
`fm.read_fex` of the action units, `fm.read_fex` of everything. Processor time and peak memory are
those of the process (Linux), less what importing the package takes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import facemt_analysis as fm

WAYS = {
    "scan": "fm.scan(path, progress=False).au.summary()",
    "read_fex, groups='aus'": "fm.read_fex(path, groups='aus').au.summary()",
    "read_fex": "fm.read_fex(path).au.summary()",
}
RUN = """
import json, re, sys, time
from pathlib import Path
import pandas as pd
import facemt_analysis as fm
fm.Fex({{"input": ["a"] * 9, "time": range(9), "AU12": 0.1}}).au.summary()
def peak():  # ru_maxrss would begin with what the parent had
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
path = sys.argv[1]
before, start = peak(), time.process_time()
table = {call}
seconds = time.process_time() - start
after = peak()
content = int(pd.util.hash_pandas_object(table.round(6), index=False).sum())
print(json.dumps([len(table), seconds, after - before, content % 2**31]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=int, default=24)
    parser.add_argument("--minutes", type=float, default=20)
    given = parser.parse_args()
    one, _ = fm.simulate_study(
        1, conditions=("talk",), duration=60 * given.minutes, fps=25, effects={}, seed=1
    )
    with tempfile.TemporaryDirectory() as folder:
        for i in range(given.recordings):
            name = f"{i:03d}.mp4"
            one.assign(input=name).to_parquet(fm.io.recording_file(folder, name))
        print(fm.scan(folder))
        results = {}
        for way, call in WAYS.items():
            done = subprocess.run(
                [sys.executable, "-c", RUN.format(call=call), Path(folder)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            results[way] = json.loads(done.stdout)
            rows, seconds, peak, _ = results[way]
            print(f"{way:24} {rows:6} rows {seconds:8.1f} s {peak / 1e6:9.0f} MB", flush=True)
    assert len({(rows, content) for rows, _, _, content in results.values()}) == 1


if __name__ == "__main__":
    main()
