"""Memory that is free is not held back from the system: for commands that run for hours."""

from __future__ import annotations

import ctypes
import os
import sys

__all__ = ["give_back", "keep_small"]

# of glibc's malloc.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGE = 32 * 2**20  # glibc's own upper bound for its thresholds


def keep_small() -> bool:
    """Let all threads share one heap whose end goes back when it is free; True if that was set.

    glibc gives threads heaps of their own, and what one has let go of no other can use: a twentieth
    of the memory of a detection. The settings hold for the process, which is why commands make
    them and the library does not. Where the environment makes some (`MALLOC_ARENA_MAX`,
    `GLIBC_TUNABLES` and the like), and with another C library, all stays as it is.
    """
    mallopt = _of_glibc("mallopt")
    if mallopt is None or any(name.startswith(("MALLOC_", "GLIBC_TUN")) for name in os.environ):
        return False
    wanted = {_M_ARENA_MAX: 1, _M_MMAP_THRESHOLD: _LARGE, _M_TRIM_THRESHOLD: _LARGE}
    taken = [bool(mallopt(name, value)) for name, value in wanted.items()]
    return all(taken)


def give_back() -> bool:
    """Give free memory amid the heap back to the system now; True if there was any.

    For moments after which less is needed, as when a network has been loaded and made ready.
    """
    trim = _of_glibc("malloc_trim")
    return trim is not None and bool(trim(0))


def _of_glibc(name: str) -> ctypes._NamedFuncPointer | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        function: ctypes._NamedFuncPointer = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError):  # another C library
        return None
    if name == "malloc_trim":
        function.argtypes = (ctypes.c_size_t,)
    return function
