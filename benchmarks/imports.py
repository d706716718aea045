"""Seconds and memory of importing the package, beside pandas and py-feat.

::

    python benchmarks/imports.py
"""

from __future__ import annotations

import pandas as pd
from machine import PYFEAT, has_pyfeat, in_fresh_process, machine, markdown

_WAYS = {
    "pandas": "import pandas",
    "facemt_analysis": "import facemt_analysis",
    "facemt_analysis, and a Fex": "import facemt_analysis; facemt_analysis.Fex",
    "facemt_analysis, and a Detector": "from facemt_analysis import Detector",
    PYFEAT: "import feat",
    f"{PYFEAT}, and a Detector": "from feat.detector_v2 import Detectorv2",
}
_RUN = """
import json, sys, time
from pathlib import Path
began = time.perf_counter()
exec(sys.argv[1])
took = time.perf_counter() - began
held = [row for row in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in row]
print(json.dumps([took, int(held[0].split()[1]) / 1024]))
"""


def table(rounds: int = 3) -> pd.DataFrame:
    """Least seconds, and peak memory in MiB, of each import in a process of its own."""
    found = {}
    for name, line in _WAYS.items():
        if PYFEAT in name and not has_pyfeat():
            continue
        spent = [in_fresh_process(_RUN, line) for _ in range(rounds + 1)][1:]
        found[name] = {"s": min(s for s, _ in spent), "MiB": max(mb for _, mb in spent)}
    return pd.DataFrame(found).T


if __name__ == "__main__":
    print(machine())
    print(markdown(table()))
