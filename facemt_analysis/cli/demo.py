"""``facemt demo``: the main job on a bundled clip."""

from __future__ import annotations

import argparse
from pathlib import Path

from facemt_analysis.cli.words import DONE, Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the command and its arguments."""
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
