"""All benchmarks of speed and memory, one after the other, as one page of Markdown.

::

    python benchmarks/suite.py VIDEO [--quick] > page.md

In an environment with py-feat 2.1.5 the ratios to it are measured in the same run. Each benchmark
has a process of its own. A quarter of an hour on two cores; `--quick` takes less of everything.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).parent


def runs(video: str, quick: bool) -> dict[str, list[str]]:
    """Name the benchmarks, with their command lines."""
    frames, rounds, rows, jumps, copies = (
        ("32", "1", "3000", "20", "10") if quick else ("96", "2", "9000", "100", "139")
    )
    return {
        "Importing": ["imports.py"],
        "Stages": ["stages.py", video],
        "From a video to a table": [
            "throughput.py", video, "--frames", frames, "--rounds", rounds
        ],
        "Computing in bfloat16": ["precision.py", video],
        "Working with tables": ["tables.py", "--rows", rows],
        "Many recordings without reading them all": [
            "scan.py", *(["--recordings", "4", "--minutes", "5"] if quick else [])
        ],
        "Jumping in one hour of 1080p": ["scrubber_seek.py", "--jumps", jumps],
        "Memory as a recording gets longer": ["long_recording.py", video, "--copies", copies],
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    failed = 0
    for title, (script, *arguments) in runs(asked.video, asked.quick).items():
        command = [sys.executable, str(_HERE / script), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = done.stdout.strip()
        if done.returncode:
            failed += 1
            said += f"\n{done.stderr.strip().splitlines()[-1]}"
        block = said if "| --- |" in said else f"```\n{said}\n```"
        print(f"## {title}\n\n`{' '.join(['python', f'benchmarks/{script}', *arguments])}`\n")
        print(f"{block}\n", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
