"""``facemt report``: one HTML file about a table."""

from __future__ import annotations

import argparse
from pathlib import Path

from facemt_analysis.cli.words import DONE, Commands, positive_int
from facemt_analysis.errors import MediaError

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the command and its arguments."""
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
    report.add_argument("--most", type=positive_int, default=12, metavar="N",
                        help="recordings shown one by one (default: %(default)s)")  # fmt: skip
    report.add_argument("--faces", type=positive_int, default=3, metavar="N",
                        help="faces shown of a recording (default: %(default)s)")  # fmt: skip


def _report(arguments: argparse.Namespace) -> int:
    from facemt_analysis.io import read_fex

    if arguments.video is not None and not arguments.video.exists():
        raise MediaError(f"{arguments.video}: there is no such file or folder.")
    fex = read_fex(arguments.fex)
    fex.report(
        arguments.out, arguments.video, title=arguments.title, most=arguments.most,
        faces=arguments.faces,
    )  # fmt: skip
    print(f"written: {arguments.out}")
    return DONE
