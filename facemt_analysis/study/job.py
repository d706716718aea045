"""One recording, from media to its file: measured in parts, then numbered and put together."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from facemt_analysis import __version__, schema
from facemt_analysis.fex import Fex
from facemt_analysis.io.parquet import ParquetWriter
from facemt_analysis.study.memory import give_back
from facemt_analysis.study.parts import Parts, Tally

if TYPE_CHECKING:
    from facemt_analysis.detection import Detector, Recording

__all__ = [
    "Job", "Options", "Segment", "Stopped", "chunks", "complete", "cut", "detector_for", "measure",
]  # fmt: skip

# A part is written after so many frames, or seconds, whichever comes first
_FRAMES, _SECONDS = 1024, 30.0
# Rows are handed on in blocks of this size: a file's layout does not depend on that of its parts
_BLOCK = 4096


@dataclass(frozen=True)
class Options:
    """What to look for and how; see `Detector` and `Detector.detect`.

    `threads` and `device` say where it is done.
    """

    weights: str = "face_multitask_v2"
    face_detector: str | None = None
    face_threshold: float = 0.5
    follow: int | bool = True
    batch_size: int | None = None
    engine: str = "torch"
    precision: str = "auto"
    every: int = 1
    fps: float | None = None
    start: float | None = None
    stop: float | None = None
    groups: tuple[str, ...] | None = None
    device: str = "auto"
    threads: int | None = None

    @property
    def sampling(self) -> dict[str, Any]:
        """The choice of frames."""
        return {"every": self.every, "fps": self.fps, "start": self.start, "stop": self.stop}

    def key(self) -> str:
        """Hash of all that a result depends on, this package's version included."""
        relevant = {k: v for k, v in asdict(self).items() if k not in ("device", "threads")}
        relevant["batch_size"] = self.batch_size or 16
        text = json.dumps({"tool": __version__, **relevant}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Segment:
    """A stretch of a recording that is measured on its own: `start` <= time < `stop`, seconds."""

    number: int
    start: float | None = None
    stop: float | None = None


@dataclass(frozen=True)
class Job:
    """A recording to be measured, and where its result goes.

    Parameters
    ----------
    recording
        From `open_recordings`.
    result
        The file; its parts lie beside it.
    options
        What to look for and how.
    segments
        Stretches of the recording, in order.
    """

    recording: Recording
    result: Path
    options: Options
    segments: tuple[Segment, ...] = (Segment(0),)

    @property
    def parts(self) -> Parts:
        """What has been measured so far."""
        return Parts(self.result)


class Stopped(Exception):
    """The work was called off; what had been measured is kept."""


@functools.lru_cache(maxsize=1)
def detector_for(options: Options) -> Detector:
    """Give this process's detector; it is made once."""
    from facemt_analysis.detection import Detector

    detector = Detector(
        options.weights,
        face_detector=options.face_detector,
        device=options.device,
        face_threshold=options.face_threshold,
        batch_size=options.batch_size,
        follow=options.follow,
        threads=options.threads,
        engine=options.engine,
        precision=options.precision,
    )
    if detector.engine.name == "torch" and detector.device.type == "cpu":
        detector.model.keep_for_prediction()
    give_back()  # what reading and rearranging the weights took
    return detector


def cut(recording: Recording, options: Options) -> tuple[Segment, ...]:
    """Cut a long film into segments that can be measured apart, with the same result.

    Films of up to half an hour, those without a clock and those sampled by `fps` stay whole.
    """
    from facemt_analysis.detection.units import WINDOW

    if options.fps is not None or not (recording.continuous and recording.has_clock):
        return (Segment(0),)
    length = recording.describe().duration
    first, end = options.start or 0.0, options.stop or math.inf
    last = min(end, length or 0.0)
    if last - first <= 3 * WINDOW:
        return (Segment(0),)
    borders = [k * WINDOW for k in range(math.floor(first / WINDOW) + 1, math.ceil(last / WINDOW))]
    starts, stops = [options.start, *borders], [*borders, options.stop]
    pairs = zip(starts, stops, strict=True)
    return tuple(Segment(number, start, stop) for number, (start, stop) in enumerate(pairs))


def measure(
    job: Job,
    segment: Segment,
    *,
    progress: bool = False,
    stop: threading.Event | None = None,
) -> Tally:
    """Measure one segment, going on where an earlier run stopped.

    Raises
    ------
    Stopped
        Soon after `stop` is set.
    MediaError
        If it cannot be read.
    FexError
        If it cannot be written, or another process has begun the same; the parts before stay.
    """
    parts, options = job.parts, job.options
    if (tally := parts.done(segment.number)) is not None:
        return tally
    parts.take(segment.number)
    number, place, tally = parts.so_far(segment.number)
    pieces = detector_for(options).pieces(
        job.recording, **options.sampling, groups=options.groups, progress=progress,
        within=(segment.start, segment.stop) if len(job.segments) > 1 else None, after=place,
    )  # fmt: skip
    held: list[Fex] = []
    written = time.monotonic()

    def flush() -> None:
        nonlocal held, number, written
        if held and place is not None:
            rows, held = pd.concat(held, ignore_index=True), []
            tally.add(rows)
            parts.add(segment.number, number, rows, place, tally)
            number += 1
        # pictures and maps leave a hundred megabytes, and the heap they lie in frays out
        give_back()
        written = time.monotonic()

    try:
        for rows, reached in pieces:
            held.append(rows)
            place = reached
            if sum(map(len, held)) >= _FRAMES or time.monotonic() - written > _SECONDS:
                flush()
            if stop is not None and stop.is_set():
                raise Stopped
    finally:
        flush()
    tally.problems = [*dict.fromkeys([*tally.problems, *job.recording.problems])]
    parts.finish(segment.number, tally)
    return tally


def chunks(job: Job, *, add_image: bool = False) -> Iterator[Fex]:
    """Give the rows of a measured recording, faces numbered, in blocks of equal size.

    Whenever and wherever the parts were made, the date is that of the first.

    Parameters
    ----------
    job
        All segments of it are measured.
    add_image
        Give films an empty column `image`, as still images have it.
    """
    from facemt_analysis.detection.numbering import TrackNumbers
    from facemt_analysis.detection.table import check_groups, without_boxes

    groups = check_groups(job.options.groups)
    tracks = TrackNumbers(continuous=job.recording.continuous)
    held: list[Fex] = []
    created = None
    for segment in job.segments:
        for rows in job.parts.read(segment.number):
            created = created or rows.info.created
            dated = Fex(rows, info=replace(rows.info, created=created))
            numbered = without_boxes(tracks.number(dated), groups)
            held.append(_with_image(numbered) if add_image else numbered)
            if sum(map(len, held)) >= _BLOCK:
                whole = pd.concat(held, ignore_index=True)
                held.clear()  # the same rows, which would be held while these are used
                full = len(whole) // _BLOCK * _BLOCK
                for first in range(0, full, _BLOCK):
                    yield whole.iloc[first : first + _BLOCK].reset_index(drop=True)
                if full < len(whole):
                    held.append(whole.iloc[full:].copy())
                del whole
    if held:
        yield pd.concat(held, ignore_index=True)


def complete(job: Job) -> None:
    """Put the parts of a recording together in its file; what was found stays on record.

    Done once, however often it is asked for.

    Raises
    ------
    FexError
        If the file cannot be written; the parts stay.
    """
    if job.parts.is_complete():
        return
    with ParquetWriter(job.result) as writer:
        for rows in chunks(job):
            writer.write(rows)
    job.parts.clear()


def _with_image(rows: Fex) -> Fex:
    """Add an empty column `image` where there is none."""
    if "image" in rows.columns:
        return rows
    wider = rows.assign(image=pd.array([None] * len(rows), dtype="string"))
    return wider[schema.canonical_order(wider.columns)]
