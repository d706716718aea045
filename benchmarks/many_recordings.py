"""Measure a study on workers and clusters, some of which die, and compare it to the byte.

::

    python benchmarks/many_recordings.py [--clips N] [--disk]

Makes N short clips and a film of 31 minutes (one frame a second), which workers share in segments.
Every line is one run of ``facemt detect`` as a process of its own. ``--disk`` also fills a small
file system, which takes the right to mount one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq

import facemt_analysis as fm
from facemt_analysis.simulate import avatar_asset, render

PYTHON = sys.executable


def film(path: Path, frames: int, rate: int) -> None:
    """Write an avatar that moves about."""
    avatar, rng = avatar_asset(), np.random.default_rng(frames)
    faces = [render(avatar, pose=(0, 0, yaw), size=112).image for yaw in (-0.1, 0, 0.1)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for _ in range(frames):
            picture = np.full((120, 160, 3), 140, np.uint8)
            left = int(rng.integers(0, 48))
            picture[4:116, left : left + 112] = faces[int(rng.integers(3))]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def content(path: Path) -> tuple[object, ...]:
    """Bytes of a file up to its footer, and the footer but for the date."""
    data = path.read_bytes()
    body = data[: -8 - int.from_bytes(data[-8:-4], "little")]
    schema = pq.read_schema(path).remove_metadata()
    return len(data), body, schema, replace(fm.read_fex(path).info, created=None)


def difference(study: Path, one: Path) -> str:
    """Say what is not the same in two studies."""
    names = [{p.name for p in folder.iterdir()} for folder in (study, one)]
    if names[0] != names[1]:
        return f"files differ: {', '.join(sorted(names[0] ^ names[1]))}"
    tables = sorted(name for name in names[1] if name.endswith(".parquet"))
    unlike = [n for n in tables if content(study / n) != content(one / n)]
    return f"other bytes: {', '.join(unlike)}" if unlike else "the same bytes"


def detect(
    media: Path, out: Path, *more: str, when: Callable[[], bool] | None = None,
    do: Callable[[], object] | None = None,
) -> tuple[int, str, str, float, float]:  # fmt: skip
    """Run the command, and do something as soon as it is time; the last number: seconds after."""
    command = [PYTHON, "-m", "facemt_analysis.cli", "detect", str(media), "-o", str(out), "-q"]
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as told, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [*command, "--weights", "open", "--every", "8", *more], stdout=told, stderr=errors
        )
        while when and do and process.poll() is None and not when():
            time.sleep(0.02)
        if do:
            do()
        then = time.monotonic()
        code = process.wait(600)
        ended = time.monotonic()
        texts = []
        for stream in (told, errors):
            stream.seek(0)
            texts.append(stream.read())
    return code, texts[0], texts[1], ended - began, ended - then


class Dask:
    """A scheduler and two workers, each in a session of its own."""

    def __init__(self, folder: Path) -> None:
        told = folder / f"scheduler-{time.monotonic_ns()}.json"
        self._folder = folder
        self.scheduler = self._start("scheduler", "--port", "0", "--scheduler-file", str(told))
        while not told.exists():
            time.sleep(0.05)
        self.address = json.loads(told.read_text())["address"]
        self.workers = [self._start("worker", self.address, "--nthreads", "1") for _ in range(2)]

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [PYTHON, "-m", "dask", *arguments, "--host", "127.0.0.1", "--no-dashboard"]
        return subprocess.Popen(
            command, cwd=self._folder, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a process and those it has started, at once."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process.poll() is None:
                self.kill(process)


def row(what: str, code: int, seconds: float, result: str) -> None:
    print(f"{what:<46} exit {code}  {seconds:6.1f} s  {result}", flush=True)


def errors_of(text: str) -> str:
    """Lines of an error stream, the notice of the weights aside."""
    lines = [line for line in text.splitlines() if not line.startswith("Weights ")]
    return " | ".join(line.replace("error: ", "") for line in lines) or "no error"


def on_workers(media: Path, folder: Path) -> Path:
    """Measure in local processes and on a cluster, and kill what can be killed."""
    one = folder / "one"
    code, _, _, seconds, _ = detect(media, one)
    row("one process", code, seconds, f"{len(list(one.glob('*.parquet')))} recordings")
    out = folder / "four"
    code, _, _, seconds, _ = detect(media, out, "--workers", "4")
    row("--workers 4", code, seconds, difference(out, one))

    dask = Dask(folder)
    try:
        out = folder / "cluster"
        code, _, _, seconds, _ = detect(media, out, "--scheduler", dask.address)
        row("Dask, 2 workers", code, seconds, difference(out, one))

        out = folder / "worker"
        code, _, _, seconds, _ = detect(
            media, out, "--scheduler", dask.address,
            when=lambda: any(out.glob("*.parquet")), do=lambda: dask.kill(dask.workers[0]),
        )  # fmt: skip
        row("Dask, a worker killed in the middle", code, seconds, difference(out, one))

        out = folder / "scheduler"
        code, told, errors, seconds, after = detect(
            media, out, "--scheduler", dask.address,
            when=(out / "manifest.json").exists, do=lambda: dask.kill(dask.scheduler),
        )  # fmt: skip
        done = told.count(" frames, ")
        row("Dask, the scheduler killed in the middle", code, seconds,
            f"{done} done, ended {after:.1f} s later: {errors_of(errors)}")  # fmt: skip
    finally:
        dask.end()
    dask = Dask(folder)
    try:
        code, _, _, seconds, _ = detect(media, out, "--scheduler", dask.address, "--resume")
        row("a new scheduler, --resume", code, seconds, difference(out, one))
    finally:
        dask.end()
    return one


def among_fifty(clip: Path, folder: Path) -> None:
    """Measure beside a corrupt file and one that vanishes meanwhile."""
    media, out = folder / "fifty", folder / "fifty.study"
    media.mkdir()
    for number in range(50):
        shutil.copy(clip, media / f"{number:02d}.mp4")
    (media / "07.mp4").write_bytes(os.urandom(5000))
    code, told, errors, seconds, _ = detect(
        media, out, when=(out / "manifest.json").exists, do=(media / "40.mp4").unlink
    )
    row("50 recordings, one corrupt, one vanishes", code, seconds,
        f"{told.count(' frames, ')} done: {errors_of(errors)}")  # fmt: skip


def on_a_full_disk(media: Path, one: Path, folder: Path) -> None:
    """Measure to a disk that takes half of the study, then give it room."""
    disk = folder / "disk"
    disk.mkdir()
    room = sum(p.stat().st_size for p in one.iterdir()) // 2
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", disk], check=True)
    try:
        out = disk / "study"
        code, told, errors, seconds, _ = detect(media, out)
        full = errors.count("No space left")
        row("a full disk", code, seconds, f"{told.count(' frames, ')} done, {full} told: full; "
            f"traceback: {'Traceback' in errors}")  # fmt: skip
        subprocess.run(["mount", "-o", f"remount,size={8 * room}", disk], check=True)
        code, _, _, seconds, _ = detect(media, out, "--resume")
        row("the same with room, --resume", code, seconds, difference(out, one))
    finally:
        subprocess.run(["umount", disk], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=6)
    parser.add_argument("--disk", action="store_true", help="fill a small file system, too")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        media = folder / "media"
        media.mkdir()
        for number in range(args.clips):
            film(media / f"clip{number:02d}.mp4", 240 + number, 25)
        film(media / "long.mp4", 31 * 60, 1)
        one = on_workers(media, folder)
        among_fifty(media / "clip00.mp4", folder)
        if args.disk:
            on_a_full_disk(media, one, folder)


if __name__ == "__main__":
    main()
