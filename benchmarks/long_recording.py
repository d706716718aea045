"""Memory of a detection as it runs, and whether its table is right.

::

    python benchmarks/long_recording.py VIDEO [--every N] [--copies N]
    python benchmarks/long_recording.py VIDEO --copies 139 --full-size
    python benchmarks/long_recording.py --seconds 3600 [--size 1920x1080]

The video may be repeated, so that a short clip becomes a long recording. With ``--seconds`` the
film is made here, of the bundled clip or of VIDEO: enlarged, there and back, a key picture every
two seconds.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from films import PIECE, looped, repeated

import facemt_analysis as fm
from facemt_analysis.demo.running import CLIP
from facemt_analysis.detection import open_recordings

_FULL_SIZE = """
import sys
sys.path.insert(0, sys.argv[1])
import throughput
throughput.to_study(*sys.argv[2:])
"""


def resident(process: int) -> float:
    """Memory of a process, MB."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path, nargs="?", default=CLIP)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--seconds", type=int, help=f"make a film; a multiple of {PIECE}")
    parser.add_argument("--size", default="1920x1080", help="of that film, px")
    parser.add_argument("--weights", default="open")
    parser.add_argument(
        "--full-size", action="store_true",
        help="the network of the published weights with RetinaFace, both of generated values",
    )  # fmt: skip
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        video = args.video
        if args.seconds:
            began = time.monotonic()
            width, height = map(int, args.size.split("x"))
            video = looped(
                args.video, folder / "film.mp4", seconds=args.seconds, size=(width, height)
            )
            print(f"{args.seconds} s of {args.size}, {video.stat().st_size / 1e6:.0f} MB, made in "
                  f"{time.monotonic() - began:.1f} s", flush=True)  # fmt: skip
        elif args.copies > 1:
            video = repeated(args.video, args.copies, folder / f"long{args.video.suffix}")
        out = folder / "study"
        options = ["-q", "-o", str(out), "--weights", args.weights, "--every", str(args.every)]
        command = [sys.executable, "-m", "facemt_analysis.cli", "detect", str(video), *options]
        if args.full_size:
            from throughput import generated

            given = [str(video), str(generated(folder)), str(out)]
            command = [sys.executable, "-c", _FULL_SIZE, str(Path(__file__).parent), *given]
        began = time.monotonic()
        process = subprocess.Popen(command)
        seen: list[tuple[int, float]] = []  # parts written, memory
        while process.poll() is None:
            parts = len(list(out.glob("*.parts/*.parquet")))
            try:
                seen.append((parts, resident(process.pid)))
            except OSError:
                break
            time.sleep(0.2)
        took = time.monotonic() - began
        fex = fm.read_fex(out, groups=["va"])
        wanted = open_recordings(video)[0].count(every=args.every)
    memory = np.array([m for _, m in seen])
    parts = np.array([p for p, _ in seen])
    print(f"exit code {process.wait()}, {took:.0f} s, {len(fex) / took:.1f} rows/s")
    print(f"rows {len(fex)}, frames {fex['frame'].nunique()} of about {wanted}, in order: "
          f"{fex['frame'].is_monotonic_increasing}, faces {int((fex['track'] >= 0).sum())}, "
          f"times {fex['time'].min():.2f} to {fex['time'].max():.2f} s, "
          f"tracks {fex.loc[fex['track'] >= 0, 'track'].nunique()}")  # fmt: skip
    for number in sorted({1, 2, 5, *range(10, parts.max() + 1, 10), parts.max()} & {*parts}):
        print(f"while {number} parts are there: {memory[parts == number].max():.0f} MB")
    print(f"peak, putting the parts together included: {np.nanmax(memory):.0f} MB")


if __name__ == "__main__":
    main()
