"""How long a jump in the scrubber takes in one hour of 1080p, and how much memory it needs.

    python benchmarks/scrubber_seek.py --keyframe 2
    python benchmarks/scrubber_seek.py --keyframe 10

Makes the film itself: 20 s of the bundled clip, enlarged and encoded by x264 with a key picture
every so many seconds, repeated to an hour without encoding again. Jumps go to times drawn evenly;
each is timed at the reader (frame decoded and scaled), until the first picture is on the screen,
and until the exact frame is and every panel has been told. Between two jumps the scrubber is left
alone, as a person does.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from films import looped

import facemt_analysis as fm
from facemt_analysis import schema
from facemt_analysis.demo.running import CLIP
from facemt_analysis.detection.media.random_access import FrameReader

RATE = 25
HOUR = 3600  # s
SIZE = (1920, 1080)


def make_table(name: str) -> fm.Fex:
    """Make a table of the hour: one face with what the overlays and the panels show."""
    n = HOUR * RATE
    seconds = np.arange(n) / RATE
    one = {
        "input": name, "frame": np.arange(n), "time": seconds, "track": 0, "FaceRectX": 800.0,
        "FaceRectY": 300.0, "FaceRectWidth": 400.0, "FaceRectHeight": 450.0, "FaceScore": 0.9,
        "valence": np.sin(seconds / 7), "arousal": np.cos(seconds / 9), "Pitch": 0.1, "Roll": 0.0,
        "Yaw": 0.2, "gaze_pitch": 0.1, "gaze_yaw": 0.1, "gaze_angle": 0.14,
        "FrameWidth": float(SIZE[0]), "FrameHeight": float(SIZE[1]),
    }  # fmt: skip
    aus = np.abs(np.sin(seconds[:, None] / np.arange(3, 23))).astype(np.float32)
    angle = np.linspace(0, 2 * np.pi, schema.N_LANDMARKS)
    marks = np.tile(
        np.concatenate([1000 + 150 * np.cos(angle), 520 + 200 * np.sin(angle)]).astype("f4"), (n, 1)
    )
    parts = [
        pd.DataFrame(one),
        pd.DataFrame(aus, columns=schema.au_columns(20)),
        pd.DataFrame(marks, columns=schema.GROUPS["landmarks"].columns),
    ]
    return fm.Fex(pd.concat(parts, axis=1))


def memory() -> float:
    """Resident MiB of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def report(words: str, seconds: list[float]) -> None:
    """Print what the durations are like."""
    p50, p95, worst = np.percentile(1e3 * np.array(seconds), [50, 95, 100])
    print(
        f"{words:42s} median {p50:4.0f} ms   95 % {p95:4.0f} ms   max {worst:4.0f} ms", flush=True
    )


def jump_in_reader(path: Path, width: int, jumps: np.ndarray) -> None:
    """Time the reader alone."""
    wall, work = [], []
    with FrameReader(path, width=width) as reader:
        for at in jumps:
            start, used = time.perf_counter(), time.process_time()
            reader.at(float(at))
            wall.append(time.perf_counter() - start)
            work.append(time.process_time() - used)
    report(f"frame alone, {width} px wide", wall)
    report("  processor time of both cores together", work)


def jump_in_scrubber(path: Path, width: int, jumps: np.ndarray, pause: float) -> None:
    """Time everything that a jump in the scrubber does."""
    table = make_table(path.name)
    events = pd.DataFrame({"onset": [10.0]})
    view = table.scrub(path, width=width, events=events)
    first: list[float] = []
    exact: list[float] = []
    told: list[float] = []
    stamps: list[float] = []
    view.controls.frame.observe(lambda _: stamps.append(time.perf_counter()), "value")
    before = memory()
    for at in jumps:
        stamps.clear()
        start = time.perf_counter()
        view.time = float(at)
        told.append(time.perf_counter() - start)
        if not stamps:  # two jumps to one picture
            continue
        first.append(stamps[0] - start)
        exact.append(stamps[-1] - start)
        time.sleep(pause)
    report(f"scrubber, {width} px: a picture is there", first)
    report("  the exact frame is there", exact)
    report("  and all panels are told", told)
    early = sum(a < b for a, b in zip(first, exact, strict=True))
    print(
        f"  a frame on the way was shown first, and marked as one, in {early} of {len(jumps)} jumps"
    )
    print(f"memory: {before:.0f} MiB before, {memory():.0f} MiB after {len(jumps)} jumps")
    view.close()


def main() -> None:
    """Make the film, jump, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keyframe", type=float, default=2.0, help="seconds between key pictures")
    parser.add_argument("--crf", type=int, default=23, help="quality of x264")
    parser.add_argument("--jumps", type=int, default=200)
    parser.add_argument("--width", type=int, default=960, help="px shown")
    parser.add_argument("--pause", type=float, default=0.2, help="seconds between two jumps")
    parser.add_argument("--film", type=Path, help="where to keep the film, or where it is")
    options = parser.parse_args()
    jumps = np.random.default_rng(0).uniform(0, HOUR - 2, options.jumps)
    with tempfile.TemporaryDirectory() as folder:
        film = options.film or Path(folder) / "hour.mp4"
        if not film.is_file():
            looped(
                CLIP, film, seconds=HOUR, size=SIZE, keyframe=options.keyframe, crf=options.crf,
                preset="medium",
            )  # fmt: skip
        size = film.stat().st_size
        print(
            f"one hour of 1080p at {8 * size / HOUR / 1e6:.1f} Mbit/s, key pictures every "
            f"{options.keyframe:g} s, {os.cpu_count()} cores"
        )
        jump_in_reader(film, options.width, jumps)
        jump_in_scrubber(film, options.width, jumps, options.pause)


if __name__ == "__main__":
    main()
