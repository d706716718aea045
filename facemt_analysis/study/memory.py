"""Memory that is free is not held back from the system: for commands that run for hours."""

from __future__ import annotations

import ctypes
import os
import sys

__all__ = ["give_back", "keep_small"]

# of glibc's malloc.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
# Arrays above this size are mapped apart, and go back when they are gone. Below, that costs time:
# with a third of it, a detection took a fifth more.
_APART = 8 * 2**20
_END = 2 * _APART  # free bytes at the end of the heap that go back


def keep_small() -> bool:
    """Let all threads share one heap, and large arrays go back at once; True if that was set.

    glibc gives threads heaps of their own, of which no other thread can use what is free, and takes
    ever larger arrays into them. The settings hold for the process, which is why commands make them
    and the library does not. Where the environment makes some (`MALLOC_ARENA_MAX`,
    `GLIBC_TUNABLES` and the like), and with another C library, all stays as it is.
    """
    mallopt = _of_glibc("mallopt")
    if mallopt is None or any(name.startswith(("MALLOC_", "GLIBC_TUN")) for name in os.environ):
        return False
    wanted = {_M_ARENA_MAX: 1, _M_MMAP_THRESHOLD: _APART, _M_TRIM_THRESHOLD: _END}
    taken = [bool(mallopt(name, value)) for name, value in wanted.items()]
    return all(taken)


def give_back() -> bool:
    """Give free memory amid the heap back to the system now; True if there was any.

    For moments after which less is needed, as when a network has been loaded and made ready.
    """
    trim = _of_glibc("malloc_trim")
    return trim is not None and bool(trim(ctypes.c_size_t(0)))


def _of_glibc(name: str) -> ctypes._NamedFuncPointer | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        function: ctypes._NamedFuncPointer = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError):  # another C library
        return None
    return function
