"""Arguments in, exit code out: the frame around every command."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from facemt_analysis import __version__
from facemt_analysis.cli import benchmark, demo, detect, info, report
from facemt_analysis.cli.words import (
    DONE,
    INTERRUPTED,
    NOTHING_DONE,
    TERMINATED,
    explain,
    say,
)
from facemt_analysis.errors import FacemtError

__all__ = ["main"]

_KEPT = "finished files are kept; a detection goes on where it stopped with --resume"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the return value is the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        with _one_line_warnings(), _clean_termination():
            code: int = arguments.run(arguments)
        sys.stdout.flush()
    except FacemtError as error:
        say(f"error: {error}")
        return NOTHING_DONE
    except BrokenPipeError:  # the reader of stdout (head, less) has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        say(f"error: {explain(error)}")
        return NOTHING_DONE
    except _Terminated:
        say(f"terminated: {_KEPT}")
        return TERMINATED
    except KeyboardInterrupt:
        say(f"interrupted: {_KEPT}")
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

    for command in (demo, detect, benchmark, report, info):
        command.add(commands)
    return parser


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
            say(f"warning: {message}")
        else:
            usual(message, category, *rest, **more)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield
