"""Steps that an interrupt from the keyboard must not divide."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

__all__ = ["undivided"]


@contextlib.contextmanager
def undivided() -> Iterator[None]:
    """Let Ctrl-C wait until the block has ended; only for blocks that end at once.

    Without it, an interrupt can come after the system has made a file and before anything knows
    of it. Where signals are not handled in Python, or not in this thread, nothing is changed.
    """
    usual = signal.getsignal(signal.SIGINT)
    if not callable(usual) or threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
        if came:
            usual(*came[0])
