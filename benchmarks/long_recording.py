"""Memory of a detection as it runs, and whether its table is right.

::

    python benchmarks/long_recording.py VIDEO [--every N] [--copies N]

The video may be repeated, so that a short clip becomes a long recording.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
import numpy as np

import facemt_analysis as fm
from facemt_analysis.detection import open_recordings


def repeated(video: Path, copies: int, path: Path) -> Path:
    """Write a video several times over, without coding it again."""
    with av.open(str(path), "w") as out:
        stream, shift = None, 0
        for _ in range(copies):
            with av.open(str(video)) as source:
                coded = source.streams.video[0]
                stream = stream or out.add_stream_from_template(coded)
                end = shift
                for packet in source.demux(coded):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    end = max(end, packet.pts + packet.duration)
                    packet.stream = stream
                    out.mux(packet)
                shift = end
    return path


def resident(process: int) -> float:
    """Memory of a process, MB."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--weights", default="open")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        video = args.video
        if args.copies > 1:
            video = repeated(args.video, args.copies, folder / f"long{args.video.suffix}")
        out = folder / "study"
        options = ["-q", "-o", str(out), "--weights", args.weights, "--every", str(args.every)]
        command = [sys.executable, "-m", "facemt_analysis.cli", "detect", str(video), *options]
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
          f"tracks {fex.loc[fex['track'] >= 0, 'track'].nunique()}")  # fmt: skip
    for number in sorted({1, 2, 5, *range(10, parts.max() + 1, 10), parts.max()} & {*parts}):
        print(f"while {number} parts are there: {memory[parts == number].max():.0f} MB")
    print(f"peak, putting the parts together included: {np.nanmax(memory):.0f} MB")


if __name__ == "__main__":
    main()
