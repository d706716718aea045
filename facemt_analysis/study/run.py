"""Many recordings, each to its file: what is done already is kept, what fails is told."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from facemt_analysis.errors import FacemtError
from facemt_analysis.io._atomic import remove_leftovers, writing
from facemt_analysis.io.dataset import recording_file
from facemt_analysis.io.output import open_output
from facemt_analysis.study.job import Job, Options, chunks, complete, cut, detector_for, measure
from facemt_analysis.study.lock import sole_writer
from facemt_analysis.study.manifest import Entry, Manifest, fingerprint
from facemt_analysis.study.parts import COMPLETE, Tally
from facemt_analysis.study.remote import words

if TYPE_CHECKING:
    from facemt_analysis.detection import Recording

__all__ = ["Here", "Outcome", "Runner", "detect_study", "reason"]


@dataclass(frozen=True)
class Outcome:
    """What became of a recording.

    Parameters
    ----------
    name
        Of the recording.
    tally
        What was found; None where it failed.
    failed
        Reason why there is no result.
    kept
        Whether the result of an earlier run still holds.
    """

    name: str
    tally: Tally | None = None
    failed: str | None = None
    kept: bool = False


class Runner(Protocol):
    """Something that works through jobs: this process, or a cluster."""

    split: bool
    """Whether long recordings are worth being cut into segments."""

    def run(self, jobs: Sequence[Job], *, finish: bool) -> Iterator[tuple[Job, Tally | str]]:
        """Measure jobs, and put each together if `finish`; give the tally or why it failed."""
        ...


@dataclass(frozen=True)
class Here:
    """Runs jobs in this process.

    Parameters
    ----------
    progress
        Show progress bars.
    at_once
        Recordings that are open at a time, each in a thread, with one detector; None: one on a
        CPU, whose cores one recording keeps busy, and else as many as the cores can decode, up
        to four.
    """

    progress: bool = False
    at_once: int | None = None
    split = False

    def run(self, jobs: Sequence[Job], *, finish: bool) -> Iterator[tuple[Job, Tally | str]]:
        """See `Runner.run`."""
        at_once = self.at_once or _at_once(jobs)
        if at_once == 1 or len(jobs) < 2:
            for job in jobs:
                yield job, self._result(job, finish)
            return
        stop = threading.Event()
        with ThreadPoolExecutor(at_once, "facemt-recording") as pool:
            try:
                futures = {pool.submit(self._result, job, finish, stop): job for job in jobs}
                for future in as_completed(futures):
                    yield futures[future], future.result()
            finally:  # interrupted: what is under way ends soon and is kept, nothing new begins
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)

    def _result(self, job: Job, finish: bool, stop: threading.Event | None = None) -> Tally | str:
        try:
            tally = sum(
                (measure(job, part, progress=self.progress, stop=stop) for part in job.segments),
                Tally(),
            )
            if finish:
                complete(job)
        except Exception as error:
            return reason(error)
        return tally


def _at_once(jobs: Sequence[Job]) -> int:
    if not jobs or detector_for(jobs[0].options).device.type == "cpu":
        return 1
    return min(4, os.cpu_count() or 1)


def reason(error: BaseException) -> str:
    """Say in one line why a recording failed."""
    if isinstance(error, FacemtError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'a file'}: {error.strerror}"
    return f"unexpected {words(error)}; please report this"


def detect_study(
    recordings: Iterable[Recording],
    out: Path,
    options: Options,
    *,
    runner: Runner,
    resume: bool = False,
) -> Iterator[Outcome]:
    """Measure recordings into a study folder, or into one file.

    Parameters
    ----------
    recordings
        From `open_recordings`.
    out
        Ending in `.parquet` or `.csv`: one file for all; it appears when the last recording is
        done. Else a study folder with one file per recording and `manifest.json`: recordings whose
        files still hold (same source, options, weights and version) are not measured again.
    options
        What to look for and how.
    runner
        Who does it.
    resume
        Go on with the parts that an interrupted run has left; otherwise they are removed.

    Yields
    ------
    Outcome
        One per recording, as they are done.

    Raises
    ------
    FexError
        When `out` cannot be written to at all, or another run is writing it.
    """
    detector = detector_for(options)  # a bad choice fails here, before any work
    study = _Study(out, options, detector.weights.sha256 or "", resume)
    with contextlib.ExitStack() as stack:
        stack.callback(study.remove_folders)
        study.open()
        stack.enter_context(sole_writer(study.lock, out))
        stack.callback(study.remove_parts)
        waiting = []
        for recording in recordings:
            outcome, job = study.prepare(recording, split=runner.split)
            if outcome is not None:
                yield outcome
            elif job is not None:
                waiting.append(job)
        for job, result in runner.run(waiting, finish=study.in_folder):
            yield study.record(job, result)
        study.combine([job.recording.name for job in waiting])


class _Study:
    """The folder or file that recordings go to."""

    def __init__(self, out: Path, options: Options, weights_sha256: str, resume: bool) -> None:
        self.in_folder = out.suffix.lower() not in (".parquet", ".csv")
        self._out = out
        self._options = options
        self._weights = weights_sha256
        self._resume = resume
        self._done: dict[str, Job] = {}
        self._sources: dict[str, dict[str, Any]] = {}
        self._folder = out if self.in_folder else out.with_name(out.name + ".parts")
        self.lock = out / ".lock" if self.in_folder else out.with_name(f".{out.name[:100]}.lock")
        self._made = [p for p in (self._folder, *self._folder.parents) if not p.exists()]

    @functools.cached_property
    def _manifest(self) -> Manifest:
        """Read when it is needed first, which is when no other run writes it."""
        return Manifest(self._folder)

    def open(self) -> None:
        """Make the folder; a place that cannot be written to is better known before the work."""
        open_output(self._out).abort()
        with writing(self._out):
            self._folder.mkdir(parents=self.in_folder, exist_ok=True)

    def remove_parts(self) -> None:
        """Remove the folders of parts that nothing was written to."""
        for folder in self._folder.glob("*.parts"):
            if not (any(folder.glob("*.parquet")) or (folder / COMPLETE).exists()):
                _remove(folder)

    def remove_folders(self) -> None:
        """Remove the folders made here that nothing was written to."""
        with contextlib.suppress(OSError):  # the first that holds something keeps the rest
            if self._made and not any(entry.file for entry in self._manifest.entries.values()):
                self._manifest.path.unlink(missing_ok=True)  # all it could say has been said
            for folder in self._made:
                folder.rmdir()

    def prepare(self, recording: Recording, *, split: bool) -> tuple[Outcome | None, Job | None]:
        """Give what is known of a recording already, or the job to be done."""
        name, key = recording.name, self._options.key()
        files = recording.sources
        if self.in_folder and self._manifest.is_current(name, files, key, self._weights):
            entry = self._manifest.entries[name]
            tally = Tally(entry.frames, entry.faces, entry.rows, entry.problems)
            return Outcome(name, tally, kept=True), None
        try:
            source = self._sources[name] = fingerprint(files)
            segments = cut(recording, self._options) if split else None
            job = Job(recording, recording_file(self._folder, name), self._options)
            if segments:
                job = Job(recording, job.result, self._options, segments)
            identity = {
                "source": source["sha256"],
                "options": key,
                "weights": self._weights,
                "segments": [[s.number, s.start, s.stop] for s in job.segments],
            }
            job.parts.begin(identity, resume=self._resume)
        except (FacemtError, OSError) as error:
            return self._failed(recording, reason(error)), None
        return None, job

    def record(self, job: Job, result: Tally | str) -> Outcome:
        """Note what became of a job."""
        name = job.recording.name
        if isinstance(result, str):
            return self._failed(job.recording, result)
        self._done[name] = job
        if self.in_folder:
            job.parts.remove()
            remove_leftovers(job.result)
            self._note(
                job.recording,
                file=job.result.name,
                file_size=job.result.stat().st_size,
                frames=result.frames,
                faces=result.faces,
                rows=result.rows,
                problems=result.problems,
            )
        return Outcome(name, result)

    def combine(self, names: Sequence[str]) -> None:
        """Write the one file, where one was asked for, in the order of `names`."""
        jobs = [self._done[name] for name in names if name in self._done]
        if self.in_folder or not jobs:
            return
        # one file has one set of columns: beside still images, rows of films get an empty `image`
        stills = [any("image" in rows for rows in _first(job)) for job in jobs]
        add_image = any(stills) and not all(stills)
        with open_output(self._out) as output:
            for job in jobs:
                for rows in chunks(job, add_image=add_image):
                    output.write(rows)
                output.next_recording()
        for job in jobs:
            job.parts.remove()
        with contextlib.suppress(OSError):  # parts of what failed stay
            self._folder.rmdir()

    def _failed(self, recording: Recording, why: str) -> Outcome:
        if self.in_folder:
            with contextlib.suppress(FacemtError):  # a full disk: the reason is told all the same
                self._note(recording, failed=why)
        return Outcome(recording.name, failed=why)

    def _note(self, recording: Recording, **found: Any) -> None:
        source = self._sources.get(recording.name, {"size": -1, "modified": -1, "sha256": ""})
        entry = Entry(
            source=str(recording.path or recording.name),
            options=self._options.key(),
            weights_sha256=self._weights,
            **source,
            **found,
        )
        self._manifest.put(recording.name, entry)


def _first(job: Job) -> Iterator[Any]:
    """Columns of the first part of a job."""
    for rows in job.parts.read(job.segments[0].number):
        yield rows.columns
        return


def _remove(folder: Path) -> None:
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
