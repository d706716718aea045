"""``facemt benchmark``: score weights on a data set."""

from __future__ import annotations

import argparse
from pathlib import Path

from facemt_analysis.cli.words import DONE, Commands, positive_int, say
from facemt_analysis.errors import OptionError

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the command and its arguments."""
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
                           help="keep predictions and scores; run again to resume")  # fmt: skip
    benchmark.add_argument("--limit", type=positive_int, metavar="N", help="only N samples")
    benchmark.add_argument("--bootstrap", type=int, default=1000, metavar="N",
                           help="samples behind the intervals (default: %(default)s)")  # fmt: skip
    benchmark.add_argument("-q", "--quiet", action="store_true", help="no progress bar")


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
    say(f"licence of the data: {chosen.licence}")
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
