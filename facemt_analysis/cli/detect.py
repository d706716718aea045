"""``facemt detect``: find and measure faces in videos and images."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from facemt_analysis import schema
from facemt_analysis.cli.words import (
    DONE,
    NOTHING_DONE,
    SOME_FAILED,
    Commands,
    positive_int,
    say,
)
from facemt_analysis.errors import OptionError

if TYPE_CHECKING:
    from facemt_analysis.study.run import Outcome, Runner

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the command and its arguments."""
    detect = commands.add_parser(
        "detect",
        help="find and measure faces in videos and images",
        description="Find faces in videos, images and folders and measure what they do.",
    )
    detect.set_defaults(run=_detect)
    detect.add_argument("sources", nargs="+", metavar="SOURCE", help="video, image or folder")
    detect.add_argument(
        "-o", "--out", required=True, type=Path,
        help="ending in .parquet or .csv: one file; else a study folder with one file per "
        "recording, where only what is new or has changed is measured",
    )  # fmt: skip
    detect.add_argument(
        "--resume", action="store_true",
        help="go on where an interrupted run of the same command stopped",
    )  # fmt: skip
    _add_what(detect)
    _add_where(detect)
    detect.add_argument("-q", "--quiet", action="store_true", help="no progress bar")


def _add_what(detect: argparse.ArgumentParser) -> None:
    what = detect.add_argument_group("what is measured")
    what.add_argument(
        "--weights", default="face_multitask_v2", metavar="W",
        help="name of published weights, 'open', or a .safetensors file (default: %(default)s)",
    )  # fmt: skip
    what.add_argument(
        "--face-detector", metavar="F", help="retinaface or haar (default: what suits the weights)"
    )
    what.add_argument(
        "--follow", type=positive_int, default=True, metavar="N",
        help="in films the face detector looks at every N-th frame, faces are followed in between; "
        "1: at every frame (default: 0.4 s apart)",
    )  # fmt: skip
    rate = what.add_mutually_exclusive_group()
    rate.add_argument("--every", type=positive_int, default=1, metavar="N",
                      help="analyse every N-th frame")  # fmt: skip
    rate.add_argument("--fps", type=float, metavar="HZ", help="analyse HZ frames a second")
    what.add_argument("--start", type=float, metavar="S", help="begin at this second")
    what.add_argument("--stop", type=float, metavar="S", help="end before this second")
    what.add_argument(
        "--frame-rate", type=float, metavar="HZ", help="clock of image folders that are film frames"
    )
    what.add_argument(
        "--groups", type=lambda text: [g.strip() for g in text.split(",") if g.strip()],
        metavar="G,...", help=f"feature groups to keep, of {', '.join(schema.FEATURE_GROUPS)}",
    )  # fmt: skip


def _add_where(detect: argparse.ArgumentParser) -> None:
    where = detect.add_argument_group("where it is done")
    where.add_argument("--device", default="auto", help="auto, cpu, cuda, … (default: auto)")
    where.add_argument("--threads", type=positive_int, metavar="N",
                       help="cores per process, or threads that feed a graphics card")  # fmt: skip
    where.add_argument("--batch-size", type=positive_int, metavar="N",
                       help="faces at a time (default: 16, on a graphics card 64)")  # fmt: skip
    where.add_argument("--engine", default="torch", metavar="E",
                       help="torch, onnx or auto (default: torch)")  # fmt: skip
    where.add_argument("--precision", default="auto", metavar="P",
                       help="float32, bfloat16 or auto (default: auto)")  # fmt: skip
    several = where.add_mutually_exclusive_group()
    several.add_argument("--workers", type=positive_int, metavar="N",
                         help="recordings at once, in processes of this machine")  # fmt: skip
    several.add_argument("--scheduler", metavar="ADDRESS",
                         help="address of a Dask scheduler, as tcp://node7:8786")  # fmt: skip


def _detect(arguments: argparse.Namespace) -> int:
    from facemt_analysis.detection import open_recordings
    from facemt_analysis.detection.media.sampling import Sampling
    from facemt_analysis.detection.table import check_groups
    from facemt_analysis.study.job import Options
    from facemt_analysis.study.memory import keep_small
    from facemt_analysis.study.run import detect_study
    from facemt_analysis.study.scheduler import SchedulerLost

    options = Options(
        weights=_weights(arguments.weights),
        face_detector=arguments.face_detector,
        follow=arguments.follow,
        batch_size=arguments.batch_size,
        every=arguments.every,
        fps=arguments.fps,
        start=arguments.start,
        stop=arguments.stop,
        groups=check_groups(arguments.groups),
        device=arguments.device,
        threads=arguments.threads,
        engine=arguments.engine,
        precision=arguments.precision,
    )
    Sampling.checked(**options.sampling)
    keep_small()
    sources = arguments.sources
    recordings = open_recordings(
        sources if len(sources) > 1 else sources[0], frame_rate=arguments.frame_rate
    )
    done = failures = 0
    with contextlib.ExitStack() as stack:
        outcomes = detect_study(
            recordings, arguments.out, options,
            runner=_runner(arguments, stack), resume=arguments.resume,
        )  # fmt: skip
        try:
            for outcome in outcomes:
                done += outcome.failed is None
                failures += _tell(outcome)
        except SchedulerLost as error:
            say(f"error: {error}")
            failures += 1
            done *= arguments.out.is_dir()  # one file for all comes last
    if not done:
        return NOTHING_DONE
    print(f"written: {arguments.out}")
    return SOME_FAILED if failures else DONE


def _runner(arguments: argparse.Namespace, stack: contextlib.ExitStack) -> Runner:
    """Choose who does it; what has to be ended afterwards goes on the stack."""
    from facemt_analysis.study.run import Here

    if arguments.scheduler is None and arguments.workers in (None, 1):
        return Here(progress=not arguments.quiet)
    from facemt_analysis.study.cluster import cluster

    if arguments.device not in ("auto", "cpu") and arguments.workers:
        raise OptionError(
            f"--workers shares the cores of this machine, but --device is {arguments.device!r}; "
            "leave out --workers: one process keeps a graphics card busy."
        )
    return stack.enter_context(cluster(workers=arguments.workers, scheduler=arguments.scheduler))


def _tell(outcome: Outcome) -> int:
    """Say what became of a recording; the number of things that went wrong."""
    if outcome.failed is not None or outcome.tally is None:
        why = str(outcome.failed)
        say(f"error: {why}" if outcome.name in why else f"error: {outcome.name}: {why}")
        return 1
    tally = outcome.tally
    for problem in tally.problems:
        say(f"warning: {outcome.name}: {problem}")
    kept = " (kept: nothing has changed)" if outcome.kept else ""
    print(
        f"{outcome.name}: {tally.frames} frames, {tally.faces} faces, {tally.rows} rows{kept}",
        flush=True,
    )
    return len(tally.problems)


def _weights(given: str) -> str:
    """Give a path in full, since workers may stand in another folder."""
    path = Path(given)
    return str(path.resolve()) if path.suffix == ".safetensors" and path.exists() else given
