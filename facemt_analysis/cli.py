"""The shell's door: ``facemt detect``, ``facemt info``, ….

Progress and messages go to stderr, results to stdout. Exit codes: 0 done; 1 some recordings
failed or are incomplete (each named with its reason, the rest done); 2 nothing could be done;
130 interrupted, 143 terminated. An error the user can cause is one line: ``error: what, where,
what to do``.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pandas as pd

from facemt_analysis import __version__, schema
from facemt_analysis.errors import FacemtError, MediaError, OptionError

if TYPE_CHECKING:
    from facemt_analysis.fex import Fex
    from facemt_analysis.network import CheckpointSummary

__all__ = ["main"]

DONE, SOME_FAILED, NOTHING_DONE, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the return value is the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        with _one_line_warnings(), _clean_termination():
            code: int = arguments.run(arguments)
        sys.stdout.flush()
    except FacemtError as error:
        _say(f"error: {error}")
        return NOTHING_DONE
    except BrokenPipeError:  # the reader of stdout (head, less) has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        _say(f"error: {_explain(error)}")
        return NOTHING_DONE
    except _Terminated:
        _say("terminated: finished files are kept, the one in progress is not")
        return TERMINATED
    except KeyboardInterrupt:
        _say("interrupted: finished files are kept, the one in progress is not")
        return INTERRUPTED
    return code


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        self.exit(NOTHING_DONE, f"error: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="facemt", description="Face behaviour from video: detect, look into, demonstrate."
    )
    parser.add_argument("--version", action="version", version=f"facemt {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo",
        help="measure a bundled clip whose truth is known, without any network",
        description="Measure the bundled clip and compare with what is true: table, figures, "
        "HTML report.",
    )
    demo.set_defaults(run=_demo)
    demo.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR",
                      help="folder to write to (default: %(default)s)")  # fmt: skip
    demo.add_argument("--weights", default="open", metavar="W",
                      help="name or .safetensors file (default: %(default)s)")  # fmt: skip
    demo.add_argument("-q", "--quiet", action="store_true", help="no progress bar")

    detect = commands.add_parser(
        "detect",
        help="find and measure faces in videos and images",
        description="Find faces in videos, images and folders and measure what they do.",
    )
    detect.set_defaults(run=_detect)
    detect.add_argument("sources", nargs="+", metavar="SOURCE", help="video, image or folder")
    detect.add_argument(
        "-o", "--out", required=True, type=Path,
        help="ending in .parquet or .csv: one file; else a folder with one file per recording",
    )  # fmt: skip
    detect.add_argument(
        "--weights", default="face_multitask_v2", metavar="W",
        help="name of published weights, 'open', or a .safetensors file (default: %(default)s)",
    )  # fmt: skip
    detect.add_argument(
        "--face-detector", metavar="F", help="retinaface or haar (default: what suits the weights)"
    )
    rate = detect.add_mutually_exclusive_group()
    rate.add_argument("--every", type=_positive_int, default=1, metavar="N",
                      help="analyse every N-th frame")  # fmt: skip
    rate.add_argument("--fps", type=float, metavar="HZ", help="analyse HZ frames a second")
    detect.add_argument("--start", type=float, metavar="S", help="begin at this second")
    detect.add_argument("--stop", type=float, metavar="S", help="end before this second")
    detect.add_argument(
        "--frame-rate", type=float, metavar="HZ", help="clock of image folders that are film frames"
    )
    detect.add_argument(
        "--groups", type=lambda text: [g.strip() for g in text.split(",") if g.strip()],
        metavar="G,...", help=f"feature groups to keep, of {', '.join(schema.FEATURE_GROUPS)}",
    )  # fmt: skip
    detect.add_argument("--device", default="auto", help="auto, cpu, cuda, … (default: auto)")
    detect.add_argument("--batch-size", type=_positive_int, default=16, metavar="N")
    detect.add_argument("-q", "--quiet", action="store_true", help="no progress bar")

    benchmark = commands.add_parser(
        "benchmark",
        help="score weights on a data set of the field, by its protocol",
        description="Score weights on a data set in its official layout. No NAME: list.",
    )
    benchmark.set_defaults(run=_benchmark)
    benchmark.add_argument("name", nargs="?", metavar="NAME")
    benchmark.add_argument("--root", type=Path, metavar="DIR", help="folder of the data set")
    benchmark.add_argument("--weights", nargs="+", default=["face_multitask_v2"], metavar="W",
                           help="one or several names or .safetensors files")  # fmt: skip
    benchmark.add_argument("--face-detector", metavar="F", help="retinaface or haar")
    benchmark.add_argument("--aus", metavar="N", help="short for --set aus=N")
    benchmark.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                           dest="options", help="an option of the protocol")  # fmt: skip
    benchmark.add_argument("-o", "--out", type=Path, metavar="DIR",
                           help="keep predictions, scores and JSON; run again to resume")  # fmt: skip
    benchmark.add_argument("--limit", type=_positive_int, metavar="N", help="only N samples")
    benchmark.add_argument("--bootstrap", type=int, default=1000, metavar="N",
                           help="samples behind the intervals (default: %(default)s)")  # fmt: skip
    benchmark.add_argument("-q", "--quiet", action="store_true", help="no progress bar")

    report = commands.add_parser(
        "report",
        help="write one HTML file that shows what a Fex file holds",
        description="Write a report of a Fex file: one HTML file that needs nothing else.",
    )
    report.set_defaults(run=_report)
    report.add_argument("fex", type=Path, metavar="FEX", help="any table that read_fex reads")
    report.add_argument("--video", type=Path, metavar="V",
                        help="the video, or a folder with those of the recordings")  # fmt: skip
    report.add_argument("-o", "--out", required=True, type=Path, metavar="OUT.html")
    report.add_argument("--title", metavar="T", help="heading of the page")
    report.add_argument("--most", type=_positive_int, default=12, metavar="N",
                        help="recordings with sections of their own (default: %(default)s)")  # fmt: skip

    info = commands.add_parser(
        "info",
        help="say what a checkpoint, a video or a Fex file holds",
        description="Say what a checkpoint, a recording or a Fex file holds.",
    )
    info.set_defaults(run=_info)
    info.add_argument("files", nargs="+", type=Path, metavar="FILE")
    info.add_argument("--json", action="store_true", help="one JSON object per file")
    return parser


# ---------------------------------------------------------------------------------------- detect


def _detect(arguments: argparse.Namespace) -> int:
    from facemt_analysis.detection import Detector, open_recordings
    from facemt_analysis.detection.media.stills import StillsRecording
    from facemt_analysis.detection.table import check_groups
    from facemt_analysis.io.output import open_output

    groups = check_groups(arguments.groups)
    sources = arguments.sources
    recordings = open_recordings(
        sources if len(sources) > 1 else sources[0], frame_rate=arguments.frame_rate
    )
    detector = Detector(
        arguments.weights,
        face_detector=arguments.face_detector,
        device=arguments.device,
        batch_size=arguments.batch_size,
    )
    sampling = {"every": arguments.every, "fps": arguments.fps, "start": arguments.start,
                "stop": arguments.stop}  # fmt: skip
    # one file has one set of columns: beside still images, rows of a video get an empty `image`
    stills = [isinstance(recording, StillsRecording) for recording in recordings]
    add_image = any(stills) and not all(stills)
    done = failures = 0
    with open_output(arguments.out) as output:
        for recording in recordings:
            rows = frames = faces = 0
            try:
                for chunk in detector.stream(
                    recording, **sampling, groups=groups, progress=not arguments.quiet
                ):
                    output.write(_with_image(chunk) if add_image else chunk)
                    rows += len(chunk)
                    frames += chunk["frame"].nunique()
                    faces += int((chunk["track"] >= 0).sum())
            except MediaError as error:
                failures += 1
                _say(f"error: {error}")
                output.drop_recording()
                continue
            output.next_recording()
            done += 1
            for problem in recording.problems:
                failures += 1
                _say(f"warning: {recording.name}: {problem}")
            print(f"{recording.name}: {frames} frames, {faces} faces, {rows} rows", flush=True)
    if not done:
        return NOTHING_DONE
    print(f"written: {arguments.out}")
    return SOME_FAILED if failures else DONE


def _with_image(chunk: Fex) -> Fex:
    """Add an empty column `image` where there is none."""
    if "image" in chunk.columns:
        return chunk
    wider = chunk.assign(image=pd.array([None] * len(chunk), dtype="string"))
    return wider[schema.canonical_order(wider.columns)]


# ------------------------------------------------------------------------------------------ demo


def _demo(arguments: argparse.Namespace) -> int:
    from facemt_analysis.demo import run
    from facemt_analysis.demo.report import accuracy_lines, next_steps

    result = run(arguments.out, weights=arguments.weights, progress=not arguments.quiet)
    for line in accuracy_lines(result.accuracy):
        print(line)
    print(f"\nwritten: {result.out / 'report.html'} and {len(result.files) - 1} files beside it")
    print("next:")
    steps = next_steps(arguments.weights)
    for what, how in steps:
        print(f"  {what:<{max(len(w) for w, _ in steps)}}  {how}")
    return DONE


# ------------------------------------------------------------------------------------- benchmark


def _benchmark(arguments: argparse.Namespace) -> int:
    from facemt_analysis.benchmark import (
        Resampling,
        find_benchmark,
        list_benchmarks,
        run_benchmark,
    )

    if arguments.name is None:
        for row in list_benchmarks().itertuples(index=False):
            print(f"{row.name:<12} {row.title}\n{'':<12} options: {row.options}")
        return DONE
    chosen = find_benchmark(arguments.name, **_options(arguments))
    if arguments.root is None:
        if chosen.reads_files:
            raise OptionError(f"--root DIR is needed: the folder of {chosen.title}.")
        arguments.root = Path()
    _say(f"licence of the data: {chosen.licence}")
    result = run_benchmark(
        chosen,
        arguments.root,
        weights=arguments.weights,
        face_detector=arguments.face_detector,
        out=arguments.out,
        limit=arguments.limit,
        resampling=Resampling(n=arguments.bootstrap),
        progress=not arguments.quiet,
    )
    print(result.summary())
    if arguments.out is not None:
        (arguments.out / f"{chosen.name}.json").write_text(result.to_json(), encoding="utf-8")
        result.table.to_csv(arguments.out / f"{chosen.name}.csv", index=False)
        print(f"written: {arguments.out}")
    return DONE


def _options(arguments: argparse.Namespace) -> dict[str, str]:
    options = {} if arguments.aus is None else {"aus": arguments.aus}
    for text in arguments.options:
        name, equals, value = text.partition("=")
        if not equals:
            raise OptionError(f"--set needs NAME=VALUE, but got {text!r}.")
        options[name] = value
    return options


# ---------------------------------------------------------------------------------------- report


def _report(arguments: argparse.Namespace) -> int:
    from facemt_analysis.io import read_fex

    if arguments.video is not None and not arguments.video.exists():
        raise MediaError(f"{arguments.video}: there is no such file or folder.")
    fex = read_fex(arguments.fex)
    fex.report(arguments.out, arguments.video, title=arguments.title, most=arguments.most)
    print(f"written: {arguments.out}")
    return DONE


# ------------------------------------------------------------------------------------------ info


def _info(arguments: argparse.Namespace) -> int:
    failures = 0
    for path in arguments.files:
        try:
            content = _describe(path)
        except FacemtError as error:
            failures += 1
            _say(f"error: {error}")
            continue
        if arguments.json:
            print(json.dumps({"file": str(path), **content}, default=str, ensure_ascii=False))
        else:
            print(path)
            for line in _lines(content, indent=2):
                print(line)
    if not failures:
        return DONE
    return NOTHING_DONE if failures == len(arguments.files) else SOME_FAILED


def _describe(path: Path) -> dict[str, Any]:
    """Say what a file holds, by its content: checkpoint, Fex file, or recording."""
    from facemt_analysis.io import describe_fex, is_fex

    if path.suffix.lower() in (".safetensors", ".pt", ".pth", ".ckpt", ".bin"):
        from facemt_analysis.network import checkpoint_summary

        return _describe_checkpoint(checkpoint_summary(path))
    if is_fex(path):  # needs nothing that detection needs
        return describe_fex(path).to_dict()
    from facemt_analysis.detection import open_recordings

    found = [recording.describe().known() for recording in open_recordings(path)]
    return dict(found[0]) if len(found) == 1 else {"recordings": found}


def _describe_checkpoint(summary: CheckpointSummary) -> dict[str, Any]:
    metadata = dict(summary.metadata)
    for key, text in metadata.items():
        with suppress(ValueError):
            metadata[key] = json.loads(text)
    return {
        "format": "checkpoint",
        "bytes": summary.n_bytes,
        "sha256": summary.sha256,
        "licence": summary.licence or "not stated",
        "runs": summary.unsupported or _misfit(summary.path) or "yes",
        "parameters": summary.n_parameters,
        "tensors": summary.n_tensors,
        "dtypes": summary.dtypes,
        "metadata": metadata,
        "config": summary.config.to_dict() if summary.config else {},
    }


def _misfit(path: Path) -> str | None:
    """Why the tensors of a checkpoint do not make the network of its configuration."""
    from facemt_analysis.network import check_checkpoint

    try:
        check_checkpoint(path)
    except FacemtError as error:
        return f"no: {error}"
    return None


def _lines(content: Mapping[str, Any], indent: int) -> Iterator[str]:
    """``key: value`` lines, nested content indented."""
    for key, value in content.items():
        label = f"{' ' * indent}{key.replace('_', ' ')}:"
        if isinstance(value, Mapping):
            yield label
            yield from _lines(value, indent + 2)
        elif isinstance(value, (list, tuple)) and value and isinstance(value[0], Mapping):
            for item in value:
                yield label
                yield from _lines(item, indent + 2)
        elif isinstance(value, (list, tuple)):
            yield f"{label} {', '.join(map(_shown, value))}"
        else:
            yield f"{label} {_shown(value)}"


def _shown(value: object) -> str:
    """Write a value for people: six digits, words for nothing known."""
    if value is None:
        return "not known"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


# ------------------------------------------------------------------------------------------ words


def _say(message: str) -> None:
    """Print one line on stderr, below any progress bar."""
    print(" ".join(str(message).split()), file=sys.stderr, flush=True)


class _Terminated(KeyboardInterrupt):
    """A SIGTERM, as job schedulers send: like Ctrl-C, temporary files go."""


@contextmanager
def _clean_termination() -> Iterator[None]:
    """Turn SIGTERM into an exception while a command runs."""
    if threading.current_thread() is not threading.main_thread():  # only it receives signals
        yield
        return

    def terminate(*_: object) -> NoReturn:
        raise _Terminated

    usual = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, usual)


@contextmanager
def _one_line_warnings() -> Iterator[None]:
    """Show our own warnings as one line, without the place in the code; others as Python does."""
    usual = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        if category.__module__.split(".")[0] == "facemt_analysis":
            _say(f"warning: {message}")
        else:
            usual(message, category, *rest, **more)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def _explain(error: OSError) -> str:
    """One line for what the system refused."""
    where = f"{error.filename}: " if error.filename else ""
    cure = "free space or choose another place" if error.errno == errno.ENOSPC else "check the path"
    return f"{where}{error.strerror or error}; {cure}"


def _positive_int(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, but got {value}")
    return value


if __name__ == "__main__":
    sys.exit(main())
