"""Ctrl-C waits for the end of steps that leave something behind when divided."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import pytest

from facemt_analysis.io._atomic import TemporaryFile
from facemt_analysis.io._interrupts import undivided

pytestmark = pytest.mark.usefixtures("ctrl_c")


def test_the_block_ends_first() -> None:
    done = []

    @undivided()
    def step() -> None:
        signal.raise_signal(signal.SIGINT)
        done.append("the rest")

    with pytest.raises(KeyboardInterrupt):
        step()
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_of_the_block_is_not_lost() -> None:
    @undivided()
    def step() -> None:
        signal.raise_signal(signal.SIGINT)
        raise OSError("no space")

    with pytest.raises(KeyboardInterrupt) as raised:
        step()
    assert isinstance(raised.value.__context__, OSError)


def test_other_threads_and_ignored_signals_are_left_alone() -> None:
    seen = []

    def work() -> None:
        with undivided():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with undivided():
        seen.append(signal.getsignal(signal.SIGINT))
        signal.raise_signal(signal.SIGINT)
    assert seen == [signal.default_int_handler, signal.SIG_IGN]


def test_what_is_given_up_goes_although_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = TemporaryFile(tmp_path / "table.parquet")
    unlink = Path.unlink

    def interrupted(path: Path, missing_ok: bool = False) -> None:
        signal.raise_signal(signal.SIGINT)
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", interrupted)
    with pytest.raises(KeyboardInterrupt):
        file.abort()
    assert not list(tmp_path.iterdir())
